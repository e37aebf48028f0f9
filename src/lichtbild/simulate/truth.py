"""What is exactly known of a simulated burst: its light without noise, and where every point of it went.

A burst is a stack of layers, each moved as a whole from frame to frame and row to row. So the way of every pixel is
known in closed form from `maps`, and nothing per pixel need be kept but the number of the layer that is seen there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import F32, F64, U8

_ROUNDS = 3  # a row moves by less than a hundredth of what the one before moved: 1e-6 px after three


def _project(h: F64, x: F64, y: F64) -> tuple[F64, F64]:
    """Where the homographies `h` (..., 3, 3) lead the points."""
    w = h[..., 2, 0] * x + h[..., 2, 1] * y + h[..., 2, 2]
    u = h[..., 0, 0] * x + h[..., 0, 1] * y + h[..., 0, 2]
    v = h[..., 1, 0] * x + h[..., 1, 1] * y + h[..., 1, 2]
    return u / w, v / w


@dataclass(frozen=True)
class Truth:
    """Truth of a burst of n frames of size (H, W) with k layers. Frame 0 is the reference.

    `rgb` (3, H, W): camera light of the reference without noise, 1.0 = saturation, may go beyond. `owner` (n, H, W):
    the layer seen at each pixel, 0 = farthest. `maps[i]` (k, H, 3, 3): per layer and row of frame i, the homography from the
    pixel (x, y, 1) to its place on the canvas. `moves` (k,): which layers move by themselves, not only with the camera.
    `mosaic` (H, W): the reference's mosaic in DN without noise. More is kept in `extra` by name.
    """

    rgb: F32
    owner: U8
    maps: tuple[F64, ...]
    moves: tuple[bool, ...]
    mosaic: F32 | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def flow(self, frame: int, step: int = 1) -> F32:
        """(2, h, w): x and y that lead from a pixel of the reference to the same point of the scene in `frame`.

        With `step` > 1 only every step-th row and column, from the first. Exact to 1e-4 px.
        """
        h, w = self.rgb.shape[1:]
        rows, columns = np.arange(0, h, step), np.arange(0, w, step)
        owner = self.owner[0, ::step, ::step]
        out = np.zeros((2, len(rows), len(columns)), np.float32)
        for layer in np.unique(owner):
            seen = owner == layer
            out[:, seen] = self._ways(frame, int(layer), rows, columns)[:, seen]
        return out

    def _ways(self, frame: int, layer: int, rows: NDArray[Any], columns: NDArray[Any]) -> F64:
        x, y = np.meshgrid(columns.astype(np.float64), rows.astype(np.float64))
        q = _project(self.maps[0][layer][rows][:, None], x, y)
        back = np.linalg.inv(self.maps[frame][layer])
        back /= back[:, 2:, 2:]
        x1, y1 = x, y
        for _ in range(_ROUNDS):
            at = np.clip(y1, 0, len(back) - 1)
            low = np.minimum(at.astype(np.intp), max(len(back) - 2, 0))
            part = (at - low)[..., None, None]
            x1, y1 = _project(back[low] * (1 - part) + back[np.minimum(low + 1, len(back) - 1)] * part, *q)
        return np.stack([x1 - x, y1 - y])

    def hidden(self, frame: int) -> NDArray[np.bool_]:
        """(H, W): where a point seen in the reference is covered, or outside the picture, in `frame`."""
        h, w = self.rgb.shape[1:]
        flow = self.flow(frame)
        x = np.rint(flow[0] + np.arange(w, dtype=np.float32)).astype(np.intp)
        y = np.rint(flow[1] + np.arange(h, dtype=np.float32)[:, None]).astype(np.intp)
        outside = (x < 0) | (y < 0) | (x >= w) | (y >= h)
        seen = self.owner[frame][np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)]
        return np.asarray(outside | (seen != self.owner[0]))

    def moving(self, frame: int = 0) -> NDArray[np.bool_]:
        """(H, W): where something that moves by itself is seen in `frame`."""
        return np.asarray(np.array(self.moves)[self.owner[frame]])
