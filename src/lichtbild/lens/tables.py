"""What the kernels read of a lens on a plane: where each pixel's light comes from, how bright, how blurred.

Distortion is split into two passes [Catmull1980]: along rows to the column that is asked for, then along columns.
`across` says for an output column and a row of the ideal image how far beside that column its light lies; `down` says
for an output pixel how far below. Both are exact at the nodes and linear between them: 16 px apart, 0.002 px for the
lenses of the house.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from ..types import F32, F64
from .fit import kernels
from .plane import Plane, bent_in, check, ideal, image, shading
from .polynomials import REACH
from .spec import Lens, LensError

CELL = 16  # pixels between nodes; the same as in kernels/lens.py
TILE = (512, 128)  # what one task of the kernel bends
BANK = (9, 13)  # rows and columns of places for which kernels are fitted
_ROUNDS, _CLOSE_PX, _LOST_PX = 60, 1e-5, 1e5
_REST = 0.3  # px beyond 0..1 for which the polynomials are fitted, too


@dataclass(frozen=True)
class Tables:
    """`across` (3, ga, gw), `down` and `gain` (3, gh, gw) float32: nodes every CELL pixels, from one cell before the
    frame; rows of `across` from `first` cells before it. `bank` (3, bh, bw, taps² + 1): blur kernels evenly over the
    frame, each followed by its skirt's share. `slack`: by how many rows `down` may vary in a tile.
    `dense`: whether the columns of a cell may share a whole-pixel base.
    """

    across: F32
    down: F32
    gain: F32
    bank: F32
    first: int
    slack: int
    dense: bool
    bent_in: int


def border(plane: Plane) -> int:
    """Pixels beyond the frame that blur, polynomial and whole cells look at."""
    return CELL + plane.taps // 2 + REACH


def _nodes(size: int, after: int, before: int = 1) -> F64:
    return np.arange(-before, (size + after) // CELL + 2, dtype=np.float64) * CELL


@functools.lru_cache(maxsize=8)
def prepare(lens: Lens, plane: Plane) -> Tables:
    """Tables of a lens on a plane. Raises LensError where the lens does not cover the frame."""
    check(lens, plane)
    need, edge = bent_in(lens, plane), border(plane)
    first = -(-(need + CELL) // CELL)
    x, y = np.meshgrid(_nodes(plane.width, edge), _nodes(plane.height, edge))
    xa, va = np.meshgrid(_nodes(plane.width, edge), _nodes(plane.height, need + CELL, first))
    down, across = np.empty((3, *x.shape)), np.empty((3, *xa.shape))
    gain = np.empty_like(down)
    for c in range(3):
        down[c] = ideal(lens, plane, c, x, y)[1] - y
        across[c] = _beside(lens, plane, c, xa, va)
        gain[c] = shading(lens, plane, c, x, y) * lens.illuminance()
    steep = [float(np.abs(np.diff(down, axis=a)).max()) / CELL for a in (2, 1)]
    slack = math.ceil(steep[0] * (TILE[0] / 2 + CELL) + steep[1] * (TILE[1] / 2 + CELL)) + 1
    dense = float(np.abs(np.diff(across, axis=2)).max()) / 2 <= _REST
    thin = [a.astype(np.float32) for a in (across, down, gain)]
    return Tables(thin[0], thin[1], thin[2], kernels(lens, plane, BANK), first, slack, dense, need)


def _beside(lens: Lens, plane: Plane, channel: int, x: F64, v: F64) -> F64:
    """u - x, where the place (u, v) of the ideal image lands in column x; by fixed-point rounds."""
    u = x.copy()
    for _ in range(_ROUNDS):
        off = x - image(lens, plane, channel, u, v)[0]
        u += off
        if np.abs(off).max() < _CLOSE_PX:
            return u - x
        if not np.abs(off).max() < _LOST_PX:
            break
    raise LensError(f"{lens.origin}: distortion.k = {list(lens.distortion.k)} bends too much; take smaller numbers")
