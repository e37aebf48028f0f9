"""Geometry — what the lens bent is straightened, in one resampling.

in    code (3, H, W) uint16   square-root codes of camera light
out   code (3, H, W) uint16   same size
The file's WarpRectilinear opcodes are composed into one grid of source coordinates (every STEP-th pixel; between them
the kernel interpolates: the polynomials are so smooth that this costs < 0.001 px) and the picture is resampled once,
bicubically, in the square-root domain, where an overshoot is as visible in shadows as in lights.
Source: DNG 1.7.1, opcode WarpRectilinear; [Keys1981].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..stage import Stage, param, stage
from ..types import F32, F64, U16, Frame, Warp

Places = NDArray[np.intp]
STEP = 16  # the same as in kernels/geometry.py
LEAST_PART = 0.8  # of the picture each way: what asks for more is no lens
BORDER = 65  # points on each side of the picture that are watched
REACH = (5, 20)  # rows and columns that a block of the kernel reads: the least it can be given


@stage("geometry", "lens distortion and lateral colour corrected as the file asks")
class Geometry(Stage):
    """Parameters of the resampling."""

    correct: bool = param(True, doc="apply the WarpRectilinear opcodes of the file")
    fill: bool = param(
        True, doc="enlarge the picture, by a fifth at most, so far that nothing of it lies beyond the frame"
    )


def bend(warp: Warp, plane: int, x: F64, y: F64, shape: tuple[int, int]) -> tuple[F64, F64]:
    """Source coordinates (pixels) of destination pixels x, y for one plane of a warp."""
    height, width = shape
    cx, cy = warp.centre[0] * (width - 1), warp.centre[1] * (height - 1)
    m = np.hypot(max(cx, width - 1 - cx), max(cy, height - 1 - cy)) or 1.0
    k = warp.coefficients[min(plane, len(warp.coefficients) - 1)]
    dx, dy = (x - cx) / m, (y - cy) / m
    r2 = dx * dx + dy * dy
    radial = k[0] + r2 * (k[1] + r2 * (k[2] + r2 * k[3]))
    tx = k[4] * 2 * dx * dy + k[5] * (r2 + 2 * dx * dx)
    ty = k[5] * 2 * dx * dy + k[4] * (r2 + 2 * dy * dy)
    return cx + m * (radial * dx + tx), cy + m * (radial * dy + ty)


def prepare(frame: Frame, values: dict[str, Any], shape: tuple[int, int] | None = None) -> F32 | None:
    """Grid (P, 2, gh, gw) of source x and y, P planes (1 or 3); None when the picture stays as it is.

    A lens that is straightened leaves a border that is not whole; the picture is enlarged until that lies outside.

    `shape` is that of a smaller copy of the frame, where one is to be bent; it defaults to the frame's own.
    """
    if not values["correct"] or not frame.warps:
        return None
    height, width = shape or frame.shape
    columns = np.arange((width - 1) // STEP + 2, dtype=np.float64) * STEP
    rows = np.arange((height - 1) // STEP + 2, dtype=np.float64) * STEP
    part = _part(frame) if values["fill"] else 1.0
    grid = np.asarray(sources(frame.warps, columns[None], rows[:, None], (height, width), part), np.float32)
    return np.nan_to_num(grid, nan=-1.0, posinf=1e6, neginf=-1e6)


def sources(warps: Sequence[Warp], x: F64, y: F64, shape: tuple[int, int], part: float = 1.0) -> F64:
    """Source coordinates (P, 2, …) of destination pixels x, y; the picture shows the middle `part` of all."""
    cx, cy = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    found = []
    for plane in range(max(len(w.coefficients) for w in warps)):
        u, v = np.broadcast_arrays(cx + part * (x - cx), cy + part * (y - cy))
        # The file applies its warps in order; a destination pixel is traced back through the last one first.
        for warp in reversed(warps):
            u, v = bend(warp, plane, u, v, shape)
        found.append((u, v))
    return np.array(found)


def _part(frame: Frame) -> float:
    """The part of the picture, each way, whose border still comes from within the frame; at least LEAST_PART."""
    top, left, height, width = frame.crop or (0, 0, *frame.shape)
    rows, columns = np.linspace(top, top + height - 1, BORDER), np.linspace(left, left + width - 1, BORDER)
    x = np.concatenate([columns, columns, np.repeat(columns[[0, -1]], BORDER)])
    y = np.concatenate([np.repeat(rows[[0, -1]], BORDER), rows, rows])
    last = np.array([[frame.shape[1] - 0.5], [frame.shape[0] - 0.5]])

    def inside(part: float) -> bool:
        found = sources(frame.warps, x, y, frame.shape, part)
        return bool(((found >= -0.5) & (found <= last)).all())

    if inside(1.0):
        return 1.0
    low, high = LEAST_PART, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) else (low, middle)
    return low


def cells(coarse: tuple[int, ...], fine: tuple[int, ...], grid: F32 | None) -> tuple[Places, Places]:
    """Rows and columns of a picture of the size `fine`, straightened by `grid`, that show what the middles of the cells
    of a map (h, w) = `coarse` of the bent picture show; they broadcast against it.

    To the first order: what a pixel is moved by is taken from the grid's nearest point, in the bent picture.
    """
    middle = [(np.arange(n) + 0.5) / n for n in coarse]
    parts: list[F64] = [middle[0][:, None], middle[1][None]]
    if grid is not None:
        # The last points lie at or beyond the last pixel, by less than a step: the difference is a part of a cell.
        counts = [n - 1 for n in grid.shape[2:]]
        near = np.ix_(*(np.rint(m * n).astype(np.intp) for m, n in zip(middle, counts, strict=True)))
        found = grid[len(grid) // 2]
        parts = [
            p + near[k] / n - found[1 - k][near] / (STEP * n)
            for k, (p, n) in enumerate(zip(parts, counts, strict=True))
        ]
    rows, columns = (np.clip((p * n).astype(np.intp), 0, n - 1) for p, n in zip(parts, fine, strict=True))
    return rows, columns


def apply(code: U16, grid: F32) -> U16:
    """Resample `code` along `grid`; outside the image its edge is repeated."""
    out = np.empty(code.shape, np.uint16)
    more = [(0, max(n - m, 0)) for n, m in zip(REACH, code.shape[1:], strict=True)]
    if any(n for _, n in more):
        code = np.pad(code, [(0, 0), *more], mode="edge")
    kernels.call("geometry", code=code, grid=grid, output=out)
    return out


def _keys(t: F64) -> list[F64]:
    far, near = np.abs(np.stack([t + 1, t, 1 - t, 2 - t])), np.abs(np.stack([t + 1, t, 1 - t, 2 - t])) <= 1
    outer = ((-0.5 * far + 2.5) * far - 4) * far + 2
    inner = (1.5 * far - 2.5) * far**2 + 1
    return list(np.where(near, inner, outer))


def twin(code: U16, grid: F32) -> U16:
    """The same in NumPy, pixel by pixel along the interpolated grid."""
    _, height, width = code.shape
    out = np.empty_like(code)
    y, x = np.mgrid[:height, :width]
    gy, gx, fy, fx = y // STEP, x // STEP, (y % STEP) / STEP, (x % STEP) / STEP
    for c in range(3):
        g = grid[min(c, len(grid) - 1)].astype(np.float64)
        top = g[:, gy, gx] * (1 - fx) + g[:, gy, gx + 1] * fx
        bottom = g[:, gy + 1, gx] * (1 - fx) + g[:, gy + 1, gx + 1] * fx
        u, v = np.clip(top * (1 - fy) + bottom * fy, -2, np.array([width + 1, height + 1])[:, None, None])
        iu, iv = np.floor(u).astype(int), np.floor(v).astype(int)
        total = np.zeros((height, width))
        for j, wv in enumerate(_keys(v - iv)):
            for i, wu in enumerate(_keys(u - iu)):
                at = code[c, np.clip(iv + j - 1, 0, height - 1), np.clip(iu + i - 1, 0, width - 1)]
                total += wu * wv * at
        out[c] = np.clip(total + 0.5, 0, 65535).astype(np.uint16)
    return out
