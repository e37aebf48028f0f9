"""How probable each colour of light is at night, from what a picture shows.

Two histograms of log-chroma (pixels by their brightness, edges by their strength) are correlated with one learnt filter
each; their sum and a learnt bias are the logarithm of how probable every light is, in bins of 1/8. Chroma is counted
from the camera's own answer to a lamp of 3000 K, so one table serves all cameras. It was fitted by bench/fit_white.py
to simulated places under mixed lamps of 0.3..3 lux, some 12 kB of it; softmax regression is convex, so there is one
answer only.
Source: [Barron2017], without its fast approximations of the posterior.
"""

from __future__ import annotations

import functools
import pathlib

import numpy as np
from numpy.typing import NDArray

from ..types import F64

BINS, STEP = 32, 0.125  # per axis of the table; ln units of one
REFERENCE_K = 3000.0
_UNIT = 100.0  # the file holds whole hundredths
_FEWEST = 32  # edges

Mask = NDArray[np.bool_]


@functools.cache
def table() -> F64:
    """(3, BINS, BINS): filter of pixels, filter of edges, bias."""
    rows = np.loadtxt(pathlib.Path(__file__).with_suffix(".csv"), delimiter=",", dtype=np.int64)
    return np.asarray(rows.reshape(3, BINS, BINS) / _UNIT, np.float64)


def save(learnt: F64) -> None:
    """Keep a table for `table` to find."""
    rows = np.rint(learnt * _UNIT).astype(int).reshape(-1, BINS)
    pathlib.Path(__file__).with_suffix(".csv").write_text("\n".join(",".join(map(str, r)) for r in rows) + "\n")


def histograms(rgb: F64, use: Mask, reference: F64) -> F64:
    """(2, BINS, BINS), each of sum 1: chroma of the used pixels of `rgb` (3, h, w) and of the edges between them.

    `reference` (2,): log-chroma of what counts as the middle.
    """
    seen = rgb[:, use]
    pixels = _histogram(seen, reference)
    whole = use[1:-1, 1:-1] & use[:-2, 1:-1] & use[2:, 1:-1] & use[1:-1, :-2] & use[1:-1, 2:]
    down, right = rgb[:, 2:, 1:-1] - rgb[:, :-2, 1:-1], rgb[:, 1:-1, 2:] - rgb[:, 1:-1, :-2]
    steps = np.sqrt(right * right + down * down)[:, whole]
    steps = steps[:, steps.min(0) > 0]
    edges = _histogram(steps, reference) if steps.shape[1] >= _FEWEST else pixels
    return np.stack([pixels, edges])


def _histogram(samples: F64, reference: F64) -> F64:
    """(BINS, BINS) of samples (3, n), which count by their strength, a lamp no more than the brightest hundredth."""
    strength = samples.max(0)
    strength = np.minimum(strength, np.quantile(strength, 0.99))
    chroma = np.log(np.stack([samples[0] / samples[1], samples[2] / samples[1]])) - reference[:, None]
    found = spread(chroma, strength)
    return np.asarray(found / found.sum(), np.float64)


def spread(chroma: F64, strength: F64) -> F64:
    """(BINS, BINS): the sum of `strength` (n,) of chroma (2, n), each shared by the four bins around it."""
    place, part = _place(chroma)
    found = np.zeros(BINS * BINS)
    for i in (0, 1):
        for j in (0, 1):
            weight = strength * np.abs(1 - i - part[0]) * np.abs(1 - j - part[1])
            found += np.bincount((place[0] + i) * BINS + place[1] + j, weight, BINS * BINS)
    return found.reshape(BINS, BINS)


def _place(chroma: F64) -> tuple[NDArray[np.int64], F64]:
    """Bin below and distance to it, for chroma (2, …) counted from the middle; what lies outside is held."""
    at = np.clip(chroma / STEP + BINS / 2, 0, BINS - 1.001)
    below = at.astype(np.int64)
    return below, at - below


def scores(seen: F64, learnt: F64 | None = None) -> F64:
    """(…, BINS, BINS): log-probability, but for a constant, of each light, from histograms (…, 2, BINS, BINS)."""
    known = table() if learnt is None else learnt
    spectrum = (np.fft.rfft2(seen) * np.conj(np.fft.rfft2(known[:2]))).sum(-3)
    return np.asarray(np.fft.irfft2(spectrum, s=(BINS, BINS)) + known[2], np.float64)


def at(score: F64, chroma: F64) -> F64:
    """Bilinear values (…) of `score` (BINS, BINS) at chroma (2, …) counted from the middle."""
    (i, j), (a, b) = _place(chroma)
    above = (1 - b) * score[i, j] + b * score[i, j + 1]
    below = (1 - b) * score[i + 1, j] + b * score[i + 1, j + 1]
    return np.asarray((1 - a) * above + a * below, np.float64)
