"""The kernels of zoom in NumPy, slow and obviously right; only tests use them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..types import F32, F64, U16
from .add import BLOCK, CERTAIN, MARGIN
from .twins import keys
from .zoom import I16, Samples

_EVEN = 500.0**2
_CLOSE = (0.03, 0.255, 0.43, 0.255, 0.03)
_LANCZOS = (0.0074, -0.0680, 0.2710, 0.8928, -0.1333, 0.0301)
_MOST = 0.5
_FULL = (0.85, 0.95)


def _filtered(plane: F64, weights: Any) -> F64:
    """A separable filter where it fits."""
    for axis in (0, 1):
        count = plane.shape[axis] - len(weights) + 1
        parts = [w * np.take(plane, np.arange(k, k + count), axis) for k, w in enumerate(weights)]
        plane = np.sum(parts, 0)
    return plane


def shape(code: U16, widths: F32, power: float, tops: F32) -> F64:
    """`zoom_shape`."""
    full = (np.pad(code, ((0, 0), (1, 1), (1, 1)), mode="edge") / tops[:, None, None]).max(0)
    near = np.lib.stride_tricks.sliding_window_view(full, (3, 3)).max((2, 3))
    sure = np.clip((_FULL[1] - near) / (_FULL[1] - _FULL[0]), 0, 1)
    red, green, blue = np.pad(code.astype(np.float64), ((0, 0), (4, 4), (4, 4)), mode="edge")
    smooth = _filtered(0.25 * (red + blue) + 0.5 * green, (0.25, 0.5, 0.25))
    gx, gy = 0.5 * (smooth[1:-1, 2:] - smooth[1:-1, :-2]), 0.5 * (smooth[2:, 1:-1] - smooth[:-2, 1:-1])
    five = np.array((1, 4, 6, 4, 1)) / 16
    xx, xy, yy = (_filtered(p, five) for p in (gx * gx, gx * gy, gy * gy))
    trace, step = xx + yy, np.hypot(xx - yy, 2 * xy)
    along = widths[0] + (widths[1] - widths[0]) * step / (trace + 2 * power)
    turn = np.arctan2(2 * xy, xx - yy) / 2  # of the gradient
    c, s, a, b = np.cos(turn), np.sin(turn), 1 / widths[0] ** 2, 1 / along**2
    return np.stack([a * c * c + b * s * s, (a - b) * c * s, a * s * s + b * c * c, sure * trace / (trace + power)])


def add(samples: Samples, seen: I16, shape: F32, least: float) -> F64:
    """`zoom_add`, not rounded."""
    sites, rows = samples.laid()
    height, width = shape.shape[1:]
    sums = np.zeros((2, 4, height, width))
    for codes, flow, trust in zip(samples.codes, samples.flow, samples.trust, strict=True):
        for y, x in np.ndindex(height, width):
            believed = trust[y // 2, x // 2] / CERTAIN
            if not believed:
                continue
            u, v = (float(flow[n, y // BLOCK, x // BLOCK]) for n in (0, 1))
            a, b, c = (float(shape[n, y, x]) for n in range(3))
            for place in range(4):
                tx, ty = x + u + (place % 2) / 2 - 0.25, y + v + (place // 2) / 2 - 0.25
                nx, ny = int(np.floor(tx)), int(np.floor(ty))
                for fy, fx in ((ny + j, nx + i) for j in (0, 1) for i in (0, 1)):
                    dx, dy = fx - tx, fy - ty
                    near = max(1 - (a * dx * dx + 2 * b * dx * dy + c * dy * dy) / 16, 1e-4) ** 8
                    found = _step(codes, sites[:, rows[fy + MARGIN]] != 0, seen, (fx, fy), (fx - u, fy - v))
                    sums[:, place, y, x] += near * believed * np.array(found)
    return np.asarray(np.clip(sums[0] / (sums[1] + least), -_MOST, _MOST))


def _step(codes: I16, sites: Any, seen: I16, at: tuple[int, int], known: tuple[float, float]) -> tuple[Any, Any]:
    """Step and weight of the sample `at` (x, y) of a frame, which lies at `known` of the picture."""
    x, y = (int(np.floor(k)) for k in known)
    wx, wy = keys(known[0] - x), keys(known[1] - y)
    window = seen[:, y + MARGIN - 1 : y + MARGIN + 3, x + MARGIN - 1 : x + MARGIN + 3].astype(float)
    every = np.einsum("cyx,y,x->c", window, wy, wx)
    fx, fy = at[0] + MARGIN, at[1] + MARGIN
    own = (sites[:, fx] * every).sum()
    scale = 3 * own / (np.square(every).sum() + _EVEN)
    return (codes[fy, fx] - own) * scale, own * scale


def done(code: U16, steps: Any, shape: F32, sharp: float) -> U16:
    """`zoom_done`; `steps` (4, H, W) as parts of the code."""
    _, height, width = code.shape
    wide = np.pad(steps, [(0, 0), (1, 1), (1, 1)], mode="edge")
    step = np.empty((2 * height + 4, 2 * width + 4))
    for place in range(4):
        step[place // 2 :: 2, place % 2 :: 2] = wide[place]
    close = _filtered(step, _CLOSE)
    step = step[2:-2, 2:-2]
    more = 1 + shape[3, :height, :width].repeat(2, 0).repeat(2, 1) * (step + sharp * (step - close))
    up = code.astype(float)
    for axis in (1, 2):
        wide = np.pad(up, [(0, 0), *(((3, 3) if n == axis else (0, 0)) for n in (1, 2))], mode="edge")
        count = up.shape[axis]
        sides = [sum(w * np.take(wide, np.arange(count) + 3 + s * (k - 3), axis) for k, w in enumerate(_LANCZOS))
                 for s in (1, -1)]  # fmt: skip
        up = np.stack(sides, axis + 1).reshape([n * (1 + (k == axis)) for k, n in enumerate(up.shape)])
    return np.asarray(np.clip(up * more + 0.5, 0, 65535), np.uint16)


def fit(code: U16, taps_y: tuple[Any, Any], taps_x: tuple[Any, Any]) -> U16:
    """`zoom_fit`."""
    out = code.astype(float)
    for axis, (first, weight) in ((1, taps_y), (2, taps_x)):
        places = np.clip(first + np.arange(8)[:, None], 0, code.shape[axis] - 1)
        taken = np.take(out, places, axis)  # the taps stand before the places
        out = np.einsum("...kn,kn->...n", np.moveaxis(taken, (axis, axis + 1), (-2, -1)), weight)
        out = np.moveaxis(out, -1, axis)
    return np.asarray(np.clip(out + 0.5, 0, 65535), np.uint16)
