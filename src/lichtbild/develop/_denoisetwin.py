"""The NumPy twin of `denoise`: slow, in float64, and obviously right; used by tests and by the fit of its tables.

Planes are (H, W) in codes; the kernel counts in quarters of four codes (1 / 16384 of the range) and rounds at each
step, which is all that tells them apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..types import F32, F64, U16
from . import detail

UNIT = 4.0  # codes per step of the kernel's int16
SIZE, STEP = 8, 4  # of a block, and from block to block
BANDS = (0, 1, 1, 2, 2, 3, 3, 3)  # the same as in kernels/_blocks.py
GROUPS = [[8 * v + u for u in range(8) if BANDS[u] == a for v in range(8) if BANDS[v] == b]
          for a in range(4) for b in range(4)]  # fmt: skip
_MARGIN = 6 * STEP  # of pixels: beyond the reach of a block and its neighbours, and of detail
BORDER = 2 * STEP  # of pixels: what detail wants to see around the picture
_ANGLE = (2 * np.arange(SIZE)[None] + 1) * np.arange(SIZE)[:, None] * (np.pi / (2 * SIZE))
# Rows are the basis functions, each of norm 2 as in the kernel: the whole transform multiplies amplitudes by 4.
BASIS: F64 = np.cos(_ANGLE) * np.where(np.arange(SIZE) == 0, np.sqrt(0.5), 1.0)[:, None]


def halved(a: F64) -> F64:
    """[1 3 3 1] / 8 in both directions, every second sample."""
    for _ in range(2):
        n = a.shape[1]
        p = np.pad(a, ((0, 0), (1, 1 + n % 2)), mode="edge")
        a = ((p[:, 0:-3:2] + 3 * p[:, 1:-2:2] + 3 * p[:, 2:-1:2] + p[:, 3::2]) / 8).T
    return a


def stretched(a: F64, factor: int, size: tuple[int, ...]) -> F64:
    """Bilinear between the centres of the samples of `a`, `factor` times the size, held at the edges."""
    for n in size:
        at = np.clip((np.arange(n) + 0.5) / factor - 0.5, 0, len(a) - 1)
        low = np.minimum(at.astype(int), max(len(a) - 2, 0))
        part = (at - low)[:, None]
        a = (a[low] * (1 - part) + a[np.minimum(low + 1, len(a) - 1)] * part).T
    return a


def blocks(rest: F64) -> F64:
    """Coefficients (64, rows, columns) of all blocks of a plane whose sides are multiples of STEP."""
    windows = np.lib.stride_tricks.sliding_window_view(rest, (SIZE, SIZE))[::STEP, ::STEP]
    return np.asarray((BASIS @ windows @ BASIS.T).reshape(*windows.shape[:2], 64).transpose(2, 0, 1))


def joined(coefficients: F64) -> F64:
    """The plane of which `blocks` took the coefficients, where four blocks overlap."""
    _, rows, columns = coefficients.shape
    parts = BASIS.T @ coefficients.transpose(1, 2, 0).reshape(rows, columns, SIZE, SIZE) @ BASIS / 64
    out = np.zeros(((rows + 1) * STEP, (columns + 1) * STEP))
    for r in (0, STEP):
        for k in (0, STEP):
            part = parts[:, :, r : r + STEP, k : k + STEP].transpose(0, 2, 1, 3)
            out[r : r + rows * STEP, k : k + columns * STEP] += part.reshape(rows * STEP, columns * STEP)
    return out


def sizes(coefficients: F64) -> F64:
    """Sums of absolute coefficients per group (16, rows, columns), in kernel steps, smoothed by [1 2 1]² / 16."""
    found = np.stack([np.abs(coefficients[g]).sum(0) for g in GROUPS]) / (4 * UNIT)
    for axis in (1, 2):
        found = (np.roll(found, 1, axis) + np.roll(found, -1, axis)) / 4 + found / 2
    return np.asarray(found)


def rest_of(plane: F64, coarse: F64) -> F64:
    """The plane against the prediction from a plane of a quarter of its size, with a margin on all sides."""
    height, width = plane.shape
    pads = tuple((_MARGIN, _MARGIN + -n % STEP) for n in (height, width))
    shape = tuple(n + sum(p) for n, p in zip((height, width), pads, strict=True))
    return np.asarray(
        np.pad(plane, pads, mode="edge") - stretched(np.pad(coarse, _MARGIN // STEP, mode="edge"), STEP, shape)
    )


def removal(plane: F64, coarse: F64, removed: F64, table: F32, left: tuple[F32, F32]) -> F64:
    """What noise explains in a plane: of its own two octaves by `table` (16, 6), of slower ones what was `removed`.

    The answer has a border of BORDER pixels.
    """
    height, width = plane.shape
    found = blocks(rest_of(plane, coarse))
    power = np.square(sizes(found) * table[:, 0, None, None])
    rows, columns = (np.arange(n) * STEP - _MARGIN + STEP for n in power.shape[1:])
    share, alone = (sampled(a, rows / height, columns / width) for a in left)
    power /= 1 + alone * table[:, 5, None, None]
    mean, calm = power.sum(0), 1 / share
    for n, (g, t) in enumerate(zip(GROUPS, np.asarray(table, np.float64), strict=True)):
        signal = np.maximum((t[1] * power[n] + t[2] * mean) * calm - t[3], 0)
        found[g] *= t[4] / 32768 / (signal + 1)
    size = (height + 2 * BORDER, width + 2 * BORDER)
    edge = _MARGIN - BORDER
    own = joined(found)[edge : edge + size[0], edge : edge + size[1]]
    return np.asarray(own + stretched(np.pad(removed, BORDER // STEP, mode="edge"), STEP, size))


def bare(a: F64) -> F64:
    """Without its border."""
    return a[BORDER:-BORDER, BORDER:-BORDER]


def sampled(share: F32, rows: F64, columns: F64) -> F64:
    """A coarse map at relative positions 0..1 of the picture: bilinear between the centres of its cells."""
    a = np.asarray(share, np.float64)
    for part in (rows, columns):
        at = np.clip(part * len(a) - 0.5, 0, len(a) - 1)
        low = np.minimum(at.astype(int), max(len(a) - 2, 0))
        near = (at - low)[:, None]
        a = (a[low] * (1 - near) + a[np.minimum(low + 1, len(a) - 1)] * near).T
    return a


def planes_of(code: Any) -> list[F64]:
    """Green-weighted luma and the differences R - G, B - G."""
    red, green, blue = np.asarray(code, np.float64)
    return [(red + 2 * green + blue) / 4, red - green, blue - green]


def removals(code: Any, tables: Any, left: tuple[F32, F32]) -> tuple[F64, list[F64]]:
    """What is taken from luma, with a border, and the clean colour differences of half the size."""
    pyramid = [planes_of(code)]
    for _ in range(7):
        pyramid.append([halved(p) for p in pyramid[-1]])
    none = np.zeros_like(pyramid[4][0])
    slow = bare(removal(pyramid[2][0], pyramid[4][0], none, tables.luma[1], left))
    luma = removal(pyramid[0][0], pyramid[2][0], slow, tables.luma[0], left)
    differences = []
    for k in (1, 2):
        noise = np.zeros_like(pyramid[7][k])
        for step in (2, 1, 0):
            fine, coarse = pyramid[2 * step + 1][k], pyramid[2 * step + 3][k]
            noise = bare(removal(fine, coarse, noise, tables.chroma[step, k - 1], left))
        differences.append(pyramid[1][k] - noise)
    return luma, differences


def twin(code: U16, tables: Any, sharpening: Any, left: tuple[F32, F32]) -> U16:
    """What `denoise.apply` does, in NumPy and float64."""
    shape = code.shape[1:]
    noise, differences = removals(code, tables, left)
    luma, *noisy = planes_of(code)
    clean = np.maximum(np.pad(luma, BORDER, mode="edge") - noise, 0)
    rows, columns = ((np.arange(n) // STEP + 0.5) * STEP / n for n in shape)
    share, alone = (sampled(a, rows, columns) for a in left)
    reach = UNIT * np.sqrt(share * (tables.core[0, :, None, None] + alone * tables.core[1, :, None, None]))
    first, second = (
        np.clip(stretched(d, 2, shape) - p, -most, most) for d, p, most in zip(differences, noisy, reach, strict=True)
    )
    step = bare(detail.added(clean, sharpening) - noise) - (first + second) / 4
    found = np.asarray(code, np.float64) + np.stack([step + first, step, step + second])
    return np.clip(found + 0.5, 0, 65535).astype(np.uint16)
