"""Form the image: the light of a scene through a lens onto the image plane.

in    light (3, H + 2m, W + 2m) float32   the ideal image in cd/m², m pixels beyond the frame on each side
out   light (3, H, W) float32             on the image plane, in lux (neutral light of L lux is (L, L, L))

Order: distortion and lateral colour in one resampling, blur by a kernel that changes over the field, shading, and the
light that goes astray. Pixels are squares that collect light: the scene is drawn with each pixel's mean, which is the
pixel's own aperture; the kernels add the lens's.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from ..types import F32, F64
from .fit import TAPS, kernels
from .plane import Plane, check, ideal, light_of, reach, shading
from .spec import Lens, LensError

TILE = 32  # pixels between the nodes of the grid, and of a tile with one kernel
BANK = (9, 13)  # rows and columns of places for which kernels are fitted


@dataclass(frozen=True)
class Tables:
    """What the kernels read. `grid` (3, 3, gh, gw): per channel dx, dy and gain at every TILE-th pixel.

    `bank` (3, bh, bw, TAPS² + 1): blur kernels, evenly over the frame, each followed by the share of its skirt.
    `veil`: share of all light that lies evenly over the frame.
    """

    grid: F32
    bank: F32
    veil: float


@functools.lru_cache(maxsize=8)
def prepare(lens: Lens, plane: Plane) -> Tables:
    """Tables of a lens on a plane. Raises LensError where the lens does not cover the frame."""
    check(lens, plane)
    columns = np.arange((plane.width - 1) // TILE + 2, dtype=np.float64) * TILE
    rows = np.arange((plane.height - 1) // TILE + 2, dtype=np.float64) * TILE
    x, y = np.meshgrid(columns, rows)
    grid = np.empty((3, 3, *x.shape), np.float32)
    inside = np.minimum(x, plane.width - 1), np.minimum(y, plane.height - 1)  # beyond, the polynomial may fold
    for c in range(3):
        u, v = ideal(lens, plane, c, *inside)
        grid[c] = u - inside[0], v - inside[1], shading(lens, plane, c, x, y) * lens.illuminance()
    return Tables(grid, kernels(lens, plane, BANK), lens.glare.veil)


def apply(light: F32, lens: Lens, plane: Plane) -> F32:
    """The scene's `light` (3, H + 2m, W + 2m) in cd/m² → (3, H, W) in lux on the image plane. See the module.

    Raises LensError where the lens does not cover the frame, or asks for light beyond what there is.
    """
    down, across = light_of(light.shape, plane)
    need = reach(lens, plane)
    if need > min(down, across):
        raise LensError(
            f"{lens.origin}: distortion.k = {list(lens.distortion.k)} maps outside the image: it asks for {need} px "
            f"of light beyond the frame, got {min(down, across)}; draw the scene with a margin of {need}, or bend less"
        )
    return twin(light, prepare(lens, plane), plane)


def twin(light: F32, tables: Tables, plane: Plane) -> F32:
    """`apply` in NumPy, slow and obviously right."""
    down, across = light_of(light.shape, plane)
    out = np.empty((3, plane.height, plane.width), np.float32)
    half = TAPS // 2
    for c in range(3):
        straight = _resampled(light[c].astype(np.float64), tables.grid[c], plane, (down, across), half)
        out[c] = _blurred(straight, tables.bank[c], plane) * _spread_out(tables.grid[c, 2], plane.height, plane.width)
    mean = out.mean((1, 2), keepdims=True, dtype=np.float64)
    return np.asarray(out * (1 - tables.veil) + mean * tables.veil, np.float32)


def _spread_out(nodes: F32, height: int, width: int, border: int = 0) -> F64:
    """Bilinear between nodes every TILE pixels, for the pixels of a frame and `border` around it."""
    y = np.clip(np.arange(-border, height + border), 0, height - 1)
    x = np.clip(np.arange(-border, width + border), 0, width - 1)
    gy, gx, fy, fx = y // TILE, x // TILE, (y % TILE / TILE)[:, None], x % TILE / TILE
    n = nodes.astype(np.float64)
    top = n[gy][:, gx] * (1 - fx) + n[gy][:, gx + 1] * fx
    bottom = n[gy + 1][:, gx] * (1 - fx) + n[gy + 1][:, gx + 1] * fx
    return np.asarray(top * (1 - fy) + bottom * fy)


def lagrange(f: F64) -> list[F64]:
    """Weights of the six neighbours at -2..3 of the place `f` in 0..1; they sum to 1."""
    taps = range(-2, 4)
    out = []
    for k in taps:
        weight = np.ones_like(f)
        for j in taps:
            if j != k:
                weight = weight * (f - j) / (k - j)
        out.append(weight)
    return out


def _resampled(light: F64, grid: F32, plane: Plane, margin: tuple[int, int], border: int) -> F64:
    """The ideal image bent: (H + 2·border, W + 2·border)."""
    h, w = plane.height, plane.width
    y, x = np.mgrid[-border : h + border, -border : w + border].astype(np.float64)
    u = x + _spread_out(grid[0], h, w, border) + margin[1]
    v = y + _spread_out(grid[1], h, w, border) + margin[0]
    iu, iv = np.floor(u).astype(int), np.floor(v).astype(int)
    out = np.zeros(u.shape)
    for j, wv in enumerate(lagrange(v - iv)):
        row = np.clip(iv + j - 2, 0, light.shape[0] - 1)
        for i, wu in enumerate(lagrange(u - iu)):
            out += wv * wu * light[row, np.clip(iu + i - 2, 0, light.shape[1] - 1)]
    return out


def _blurred(light: F64, bank: F32, plane: Plane) -> F64:
    """Each tile by its own kernel, interpolated at the middle of the tile; the skirt's share stays in its place."""
    out = np.empty((plane.height, plane.width))
    half = TAPS // 2
    for top in range(0, plane.height, TILE):
        for left in range(0, plane.width, TILE):
            h, w = min(TILE, plane.height - top), min(TILE, plane.width - left)
            weights = _kernel(bank, plane, left + TILE / 2, top + TILE / 2)
            total = weights[-1] * light[top + half : top + half + h, left + half : left + half + w]
            for k, weight in enumerate(weights[:-1]):
                j, i = divmod(k, TAPS)
                total = total + weight * light[top + j : top + j + h, left + i : left + i + w]
            out[top : top + h, left : left + w] = total
    return out


def _kernel(bank: F32, plane: Plane, x: float, y: float) -> F64:
    rows, columns, _ = bank.shape
    at_y = min(y / max(plane.height - 1, 1), 1) * (rows - 1)
    at_x = min(x / max(plane.width - 1, 1), 1) * (columns - 1)
    gy, gx = min(int(at_y), rows - 2), min(int(at_x), columns - 2)
    fy, fx, b = at_y - gy, at_x - gx, bank.astype(np.float64)
    top = b[gy, gx] * (1 - fx) + b[gy, gx + 1] * fx
    bottom = b[gy + 1, gx] * (1 - fx) + b[gy + 1, gx + 1] * fx
    return np.asarray(top * (1 - fy) + bottom * fy)
