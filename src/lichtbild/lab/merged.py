"""How well a burst was merged: what noise is left, whether it was foretold, what moved, and what left a ghost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import F64

Picture = NDArray[Any]
Mask = NDArray[np.bool_]


def temporal_variance(frames: Picture) -> F64:
    """Unbiased variance of each pixel over frames (n, …), n ≥ 2."""
    if len(frames) < 2:
        raise ValueError(f"temporal variance: expected at least 2 frames, got {len(frames)}")
    return np.asarray(np.var(np.asarray(frames, np.float64), axis=0, ddof=1))


def noise_drop_db(before: Picture, after: Picture) -> float:
    """How much weaker the noise became, in dB of its standard deviation; √N frames give 10·log10(N).

    Both are errors against the truth (picture - truth) over the same flat places. A constant offset is no noise.
    """
    return 10 * math.log10(float(np.var(np.asarray(before, np.float64)) / np.var(np.asarray(after, np.float64))))


def variance_ratio(error: Picture, predicted: Picture, tile: int = 32) -> F64:
    """(h / tile, w / tile): measured over predicted variance, tile by tile; 1 = as foretold.

    `error` (…, H, W): picture - truth, of as many noise realisations and channels as there are; `predicted`
    broadcasts to it. With n independent pixels a ratio has a standard error of √(2/n).
    """
    e = np.asarray(error, np.float64)
    return _tiles(np.square(e), tile) / _tiles(np.broadcast_to(predicted, e.shape), tile)


def foretold(ratios: F64, tolerance: float = 0.1) -> float:
    """Share of tiles whose ratio of variances lies within 1 ± tolerance."""
    return float(np.mean(np.abs(ratios - 1) <= tolerance))


def _tiles(x: Picture, tile: int) -> F64:
    """Mean over all leading axes and over tiles; what does not fill a tile is left out."""
    h, w = x.shape[-2] // tile * tile, x.shape[-1] // tile * tile
    if not h or not w:
        raise ValueError(f"expected at least one tile of {tile}x{tile} pixels, got {x.shape[-2:]}")
    cut = np.asarray(x[..., :h, :w], np.float64).reshape(-1, h // tile, tile, w // tile, tile)
    return np.asarray(cut.mean((0, 2, 4)))


def ghost_energy(found: Picture, truth: Picture, others: Picture, where: Mask | None = None, tile: int = 32) -> float:
    """The part of the error that looks like the other frames, against that of a merge which rejects nothing.

    0: no trace of what moved; 1: the plain mean of all frames; 0.02: 2 % of its energy. Tile by tile the error
    (found - truth) is fitted by the other frames' differences to the truth (least squares); the energy of the fit,
    less what noise alone would give, is summed over tiles and divided by that of the plain mean.

    `found`, `truth` (3, H, W); `others` (n, 3, H, W): the other frames without noise, aligned to what stands still.
    `where` (H, W): pixels that count, say where something moves in any frame.
    Raises ValueError where the other frames nowhere differ from the truth.
    """
    keep = np.ones(truth.shape[-2:], bool) if where is None else where
    error = np.where(keep, np.asarray(found, np.float64) - truth, 0)
    away = np.where(keep, np.asarray(others, np.float64) - truth, 0)
    left = plain = 0.0
    for top in range(0, truth.shape[-2], tile):
        for across in range(0, truth.shape[-1], tile):
            at = np.s_[..., top : top + tile, across : across + tile]
            samples = truth.shape[0] * int(keep[at[1:]].sum())
            columns = away[at].reshape(len(away), -1).T
            left += _explained(columns, error[at].ravel(), samples)
            plain += float(np.square(columns.sum(1) / (len(away) + 1)).sum())
    if not plain:
        raise ValueError("ghost energy: expected frames in which something moves, got none that differ from the truth")
    return max(left, 0.0) / plain


def _explained(columns: F64, error: F64, samples: int) -> float:
    """Energy of the least-squares fit of `error` by `columns`, less what as strong white noise would give."""
    u, s, _ = np.linalg.svd(columns, full_matrices=False)
    rank = int((s > 1e-9 * max(float(s.max(initial=0.0)), 1e-30)).sum()) if s.size else 0
    if not rank or samples <= rank:
        return 0.0
    energy = float(np.square(u[:, :rank].T @ error).sum())
    noise = (float(error @ error) - energy) / (samples - rank)
    return energy - rank * noise


@dataclass(frozen=True)
class FlowError:
    """Lengths of the difference between two flows, in pixels, and the share of pixels farther off than one."""

    mean: float
    median: float
    p99: float
    worst: float
    bad: float


def flow_error(found: Picture, truth: Picture, where: Mask | None = None) -> FlowError:
    """End-point error of `found` (2, H, W) against `truth` (2, H, W): x and y in pixels, over the mask `where`.

    Raises ValueError where sizes differ or no pixel counts.
    """
    if found.shape != truth.shape or found.shape[0] != 2:
        raise ValueError(f"flow: expected two arrays (2, H, W) of one size, got {found.shape} and {truth.shape}")
    off = np.hypot(*(np.asarray(found, np.float64) - truth))
    off = off[np.ones(off.shape, bool) if where is None else where]
    if not off.size:
        raise ValueError("flow: the mask leaves no pixel")
    median, p99 = np.percentile(off, (50, 99))
    return FlowError(float(off.mean()), float(median), float(p99), float(off.max()), float(np.mean(off > 1)))
