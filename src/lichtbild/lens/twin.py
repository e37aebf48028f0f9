"""Form the image in NumPy, slow and obviously right: what the kernel `lens` is held against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import F32, F64
from .plane import Plane, light_of
from .polynomials import weights
from .stray import SKIRT
from .tables import CELL, TILE, Tables

Whole = NDArray[np.intp]
_BLOCK = 64  # columns that share a blur kernel, as in kernels/lens.py


def twin(light: F32, tables: Tables, plane: Plane, skirt: F32, veil: F32) -> F32:
    """The kernel of `form.apply` in NumPy, slow and obviously right."""
    down, across = light_of(light.shape, plane)
    out = np.empty((3, plane.height, plane.width), np.float32)
    h, w = plane.height, plane.width
    for c in range(3):
        bent = _bent(light[c].astype(np.float64), tables, c, plane, (down, across))
        near, share = _blurred(bent, tables.bank[c], plane)
        glow = _between(skirt[c], np.arange(h), np.arange(w), SKIRT)
        gain = _between(tables.gain[c], np.arange(h) + CELL, np.arange(w) + CELL, CELL)
        out[c] = (near + share * glow) * gain + veil[c]
    return out


def _between(nodes: F32, y: Whole, x: Whole, step: int) -> F64:
    """Bilinear between nodes every `step` pixels at rows y and columns x, counted from the first node."""
    rows, columns = nodes.shape
    gy, gx = np.clip(y // step, 0, rows - 2), np.clip(x // step, 0, columns - 2)
    fy, fx, n = (y / step - gy)[:, None], x / step - gx, nodes.astype(np.float64)
    top = n[gy][:, gx] * (1 - fx) + n[gy][:, gx + 1] * fx
    bottom = n[gy + 1][:, gx] * (1 - fx) + n[gy + 1][:, gx + 1] * fx
    return np.asarray(top * (1 - fy) + bottom * fy)


def _bent(light: F64, tables: Tables, c: int, plane: Plane, margin: tuple[int, int]) -> F64:
    """The ideal image bent in two passes, with half a kernel beyond each side."""
    half = plane.taps // 2
    x, y = np.arange(-half, plane.width + half), np.arange(-half, plane.height + half)
    v = np.arange(-margin[0], light.shape[0] - margin[0])
    right = _between(tables.across[c], v + tables.first * CELL, x + CELL, CELL)
    base = _base(right, x) if tables.dense else np.floor(right).astype(np.intp)
    at = [np.clip(x + base + margin[1] + k - 3, 0, light.shape[1] - 1) for k in range(8)]
    rows = _value([np.take_along_axis(light, i, 1) for i in at], right - base)
    below = _between(tables.down[c], y + CELL, x + CELL, CELL)
    base = _base(below, x)
    at = [np.clip(y[:, None] + base + margin[0] + k - 3, 0, light.shape[0] - 1) for k in range(8)]
    return _value([np.take_along_axis(rows, i, 0) for i in at], below - base)


def _value(near: list[F64], place: F64) -> F64:
    """Between the middle two of eight neighbours, and never darker than the darkest of the middle four."""
    total = sum((w * v for w, v in zip(weights(place), near, strict=True)), np.zeros(()))
    return np.maximum(total, np.minimum.reduce(near[2:6]))


def _base(shift: F64, x: Whole) -> Whole:
    """The whole pixel before the shift in the middle of each cell of CELL columns."""
    first = x // CELL * CELL
    middle = np.clip(first + CELL // 2 - x[0], 0, len(x) - 1)
    return np.floor(shift[:, middle]).astype(np.intp)


def _blurred(light: F64, bank: F32, plane: Plane) -> tuple[F64, F64]:
    """Each block by its own kernel, interpolated at its middle; and the share of the skirt (H, W)."""
    out, share = np.zeros((plane.height, plane.width)), np.empty((plane.height, plane.width))
    for top in range(0, plane.height, TILE[1]):
        for left in range(0, plane.width, _BLOCK):
            h, w = min(TILE[1], plane.height - top), min(_BLOCK, plane.width - left)
            kernel = _kernel(bank, plane, left + _BLOCK // 2, top + TILE[1] // 2)
            share[top : top + h, left : left + w] = kernel[-1]
            for k, weight in enumerate(kernel[:-1]):
                j, i = divmod(k, plane.taps)
                out[top : top + h, left : left + w] += weight * light[top + j : top + j + h, left + i : left + i + w]
    return out, share


def _kernel(bank: F32, plane: Plane, x: float, y: float) -> F64:
    rows, columns, _ = bank.shape
    at_y = min(y / max(plane.height - 1, 1), 1) * (rows - 1)
    at_x = min(x / max(plane.width - 1, 1), 1) * (columns - 1)
    gy, gx = min(int(at_y), rows - 2), min(int(at_x), columns - 2)
    fy, fx, b = at_y - gy, at_x - gx, bank.astype(np.float64)
    top = b[gy, gx] * (1 - fx) + b[gy, gx + 1] * fx
    bottom = b[gy + 1, gx] * (1 - fx) + b[gy + 1, gx + 1] * fx
    return np.asarray(top * (1 - fy) + bottom * fy)
