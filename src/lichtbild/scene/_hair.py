"""Hair: how a strand shines, and strands one by one where hair ends in air."""

from __future__ import annotations

import numpy as np

from ..types import F32
from ._grid import Array, f32, sin


def shine(
    albedo: F32, tangent: tuple[Array, Array, Array], lights: list[tuple[tuple[float, float, float], F32]]
) -> F32:
    """(3, …) cd/m² of strands with unit `tangent` under lights (direction to it, lux (3,)). Source: [Kajiya1989].

    Two highlights: one of the light's colour, one of the hair's, shifted along the strand [Marschner2003].
    """
    tx, ty, tz = tangent
    shape = (3, *[1] * np.ndim(tx))
    total = np.zeros((3, *np.shape(tx)), np.float32)
    for to, lux in lights:
        along = tx * f32(to[0]) + ty * f32(to[1]) + tz * f32(to[2])
        across = np.sqrt(np.clip(1 - along * along, 0, 1))
        view = -tz
        mirror = across * np.sqrt(np.clip(1 - view * view, 0, 1)) - along * view
        first, second = (np.clip(mirror + shift, 0, 1) for shift in (-0.06, 0.10))
        for _ in range(5):
            first = first * first
        for _ in range(3):
            second = second * second
        wrap = f32(0.35 + 0.65 * max(0.0, -to[2]))  # what comes from behind is mostly held back by other hair
        total += lux.reshape(shape) * (albedo.reshape(shape) * (across * 0.55 + 0.9 * second) + 0.045 * first) * wrap
    return f32(total / np.pi)


def strands(roots: F32, ways: F32, lengths: F32, bend: F32, step: float) -> tuple[F32, F32, F32, F32]:
    """Points along strands, some `step` apart: x, y and tangents x, y, all (strands, points).

    `roots` (n, 2), `ways` (n, 2) unit directions there, `lengths` (n,), `bend` (n, 3) radians: how each curls.
    """
    count = max(2, int(np.ceil(float(lengths.max()) / step)))
    t = np.arange(count, dtype=np.float32)[None, :] / f32(count)
    turn = bend[:, :1] * t + bend[:, 1:2] * t * t * 1.5 + 0.35 * bend[:, 2:] * sin(6.0 * t + 9 * bend[:, :1])
    c, s = sin(turn + f32(np.pi / 2)), sin(turn)
    tx, ty = ways[:, :1] * c - ways[:, 1:] * s, ways[:, :1] * s + ways[:, 1:] * c - 0.5 * t * t  # weight pulls down
    reach = lengths[:, None] / count
    x, y = roots[:, :1] + np.cumsum(tx, axis=1) * reach, roots[:, 1:] + np.cumsum(ty, axis=1) * reach
    size = np.sqrt(tx * tx + ty * ty)
    return f32(x), f32(y), f32(tx / size), f32(ty / size)


def splat(total: F32, light: F32, column: Array, row: Array, weight: Array, glow: F32) -> None:
    """Add points at fractional columns and rows to `total` (h, w), their opacity, and to `light` (3, h, w) times it."""
    h, w = total.shape
    j, i = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
    inside = (j >= 0) & (j < w - 1) & (i >= 0) & (i < h - 1)
    j, i = j[inside], i[inside]
    if not len(i):
        return
    tx, ty, weight = column[inside] - j, row[inside] - i, weight[inside]
    rgb = [c[inside] for c in glow]
    first, last = int(i.min()), int(i.max()) + 2
    n = (last - first) * w
    for dj, di in ((0, 0), (1, 0), (0, 1), (1, 1)):
        share = weight * (tx if dj else 1 - tx) * (ty if di else 1 - ty)
        at = (i - first + di) * w + j + dj
        total[first:last] += np.bincount(at, share, n).reshape(-1, w)
        for c in range(3):
            light[c, first:last] += np.bincount(at, share * rgb[c], n).reshape(-1, w)
