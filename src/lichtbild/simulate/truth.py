"""What is exactly known of a simulated burst: its light without noise, and where every point of it went.

A burst is a stack of layers, each moved as a whole from frame to frame and row to row. So the way of every pixel is
known in closed form from `maps`, and nothing per pixel need be kept but the number of the layer that is seen there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import F32, F64, U8

Bend = Callable[[Any, Any], tuple[F64, F64]]
_ROUNDS = 3  # a row moves by less than a hundredth of what the one before moved: 1e-6 px after three
_NODE = 16  # ways are asked for every so many pixels and linear between: 1e-4 px at the strongest shake
_STRIP = 256  # rows at a time, so that truth of a large frame needs little memory


def _straight(x: Any, y: Any) -> tuple[F64, F64]:
    return x, y


def project(h: F64, x: F64, y: F64) -> tuple[F64, F64]:
    """Where the homographies `h` (..., 3, 3) lead the points."""
    w = h[..., 2, 0] * x + h[..., 2, 1] * y + h[..., 2, 2]
    u = h[..., 0, 0] * x + h[..., 0, 1] * y + h[..., 0, 2]
    v = h[..., 1, 0] * x + h[..., 1, 1] * y + h[..., 1, 2]
    return u / w, v / w


def at_row(maps: F64, y: F64) -> F64:
    """(…, 3, 3): maps (H, 3, 3) at the rows `y` (…), linear between and beyond them."""
    last = len(maps) - 1
    low = np.clip(np.floor(y).astype(np.intp), 0, max(last - 1, 0))
    part = (y - low)[..., None, None]
    return np.asarray(maps[low] * (1 - part) + maps[np.minimum(low + 1, last)] * part)


def between(nodes: F32, rows: NDArray[Any], columns: NDArray[Any]) -> F32:
    """(h, w): `nodes` at the fractional places rows (h,) and columns (w,), linear between."""
    for axis, at in ((0, rows), (1, columns)):
        low = np.clip(at.astype(np.intp), 0, max(nodes.shape[axis] - 2, 0))
        part = (at - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (-1,))
        first = np.take(nodes, low, axis)
        first += part * (np.take(nodes, np.minimum(low + 1, nodes.shape[axis] - 1), axis) - first)
        nodes = first
    return nodes


@dataclass(frozen=True)
class Truth:
    """Truth of a burst of n frames of size (H, W) with k layers. Frame 0 is the reference.

    `rgb` (3, H, W): camera light of the reference without noise, 1.0 = saturation, may go beyond. `owner` (n, H, W):
    the layer seen at each pixel, 0 = farthest. `maps[i]` (k, H, 3, 3): per layer and row of frame i, the homography
    from the pixel (x, y, 1) to its place on the canvas. `moves` (k,): which layers move by themselves, not only with
    the camera. `mosaic` (H, W): the reference's mosaic in DN without noise. More is kept in `extra` by name. Where the
    lens bends the image, maps hold for its ideal image: `ideal` leads from a pixel to it, `image` back.
    """

    rgb: F32
    owner: U8
    maps: tuple[F64, ...]
    moves: tuple[bool, ...]
    mosaic: F32 | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    ideal: Bend = _straight
    image: Bend = _straight

    def flow(self, frame: int, step: int = 1) -> F32:
        """(2, h, w): x and y that lead from a pixel of the reference to the same point of the scene in `frame`.

        With `step` > 1 only every step-th row and column, from the first. Exact to 1e-4 px.
        """
        h, w = self.owner.shape[1:]
        columns = np.arange(0, w, step)
        out = np.empty((2, -(-h // step), len(columns)), np.float32)
        for top in range(0, out.shape[1], _STRIP):
            rows = np.arange(top, min(top + _STRIP, out.shape[1])) * step
            owner = self.owner[0, rows][:, columns]
            for layer in np.unique(owner):
                seen = owner == layer
                across = np.flatnonzero(seen.any(axis=0))
                part = slice(int(across[0]), int(across[-1]) + 1)
                ways = self._smooth(frame, int(layer), rows, columns[part])
                np.copyto(out[:, top : top + len(rows), part], ways, where=seen[:, part])
        return out

    def _smooth(self, frame: int, layer: int, rows: NDArray[Any], columns: NDArray[Any]) -> F32:
        """The way of every pixel of a strip if it belonged to `layer`: asked at nodes, linear between."""
        nodes = [np.arange(v[0], v[-1] + _NODE, _NODE) if len(v) > 1 else v for v in (rows, columns)]
        ways = self._ways(frame, layer, *nodes).astype(np.float32)
        at = [(v - knots[0]) / _NODE for v, knots in zip((rows, columns), nodes, strict=True)]
        return np.stack([between(way, *at) for way in ways])

    def _ways(self, frame: int, layer: int, rows: NDArray[Any], columns: NDArray[Any]) -> F64:
        x, y = np.meshgrid(columns.astype(np.float64), rows.astype(np.float64))
        at = self.ideal(x, y)
        q = project(at_row(self.maps[0][layer], at[1]), *at)
        back = np.linalg.inv(self.maps[frame][layer])
        back /= back[:, 2:, 2:]
        x1, y1 = at
        for _ in range(_ROUNDS):
            x1, y1 = project(at_row(back, y1), *q)
        x1, y1 = self.image(x1, y1)
        return np.stack([x1 - x, y1 - y])

    def hidden(self, frame: int, flow: F32 | None = None) -> NDArray[np.bool_]:
        """(H, W): where a point seen in the reference is covered, or outside the picture, in `frame`.

        `flow` of that frame is asked for unless given.
        """
        h, w = self.owner.shape[1:]
        flow = self.flow(frame) if flow is None else flow
        out = np.empty((h, w), np.bool_)
        for top in range(0, h, _STRIP):
            part = flow[:, top : top + _STRIP]
            rows = np.arange(top, top + part.shape[1])
            x = np.rint(part[0] + np.arange(w, dtype=np.float32)).astype(np.int32)
            y = np.rint(part[1] + rows[:, None].astype(np.float32)).astype(np.int32)
            outside = (x < 0) | (y < 0) | (x >= w) | (y >= h)
            seen = self.owner[frame][np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)]
            out[rows] = outside | (seen != self.owner[0, rows])
        return out

    def moving(self, frame: int = 0) -> NDArray[np.bool_]:
        """(H, W): where something that moves by itself is seen in `frame`."""
        return np.asarray(np.array(self.moves)[self.owner[frame]])
