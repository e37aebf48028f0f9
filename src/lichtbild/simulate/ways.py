"""Where light goes: from a pixel of a frame, at a moment, to its place in a layer of the scene.

The camera is a pinhole that turns and moves; a layer is a plane that faces it at its own depth and moves by itself. So
each row, exposed at its own time, has one homography per layer. Times are seconds; 0 is the middle of the exposure of
the reference's middle row, where every layer lies as it was drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..scene import Layer
from ..types import F32, F64
from .shake import Shake
from .truth import project

TILE = 64, 16  # columns and rows, as in kernels/simulate.py
PAD = 80
_TAPS = 3  # pixels beyond a place that its light is made of
FLICKER_DEPTH = 0.35  # of a lamp's light, about its mean: fluorescent tubes and cheap LEDs vary by 20-50 % (our choice)
_STEP_PX = 1.0  # moments of an exposure are as dense as a point moves
_MOMENTS = 32
_GLANCES = 65  # at which it is asked where a layer is while a frame is taken
_GRID = 2.0**20  # ways are rounded to this, so that the last bit of somebody's sine does not matter


@dataclass(frozen=True)
class Take:
    """One frame in time: first row's exposure begins at `start_s`, lasts `time_s`, the next row's `row_s` later."""

    start_s: float
    time_s: float
    row_s: float

    def at(self, rows: F64, part: float | F64) -> F64:
        """When `part` 0..1 of the exposure of each row has passed."""
        return np.asarray(self.start_s + rows * self.row_s + part * self.time_s)


@dataclass(frozen=True)
class Camera:
    """What is the same for all frames: size (H, W), focal length in pixels, the canvas' margin, and the hand."""

    size: tuple[int, int]
    focal_px: float
    margin: int
    hand: Shake

    def maps(self, layer: Layer, times: F64) -> F64:
        """(…, 3, 3): from a pixel of a row exposed at `times` (…) to its place on the canvas at t = 0."""
        k = np.array([[self.focal_px, 0, (self.size[1] - 1) / 2], [0, self.focal_px, (self.size[0] - 1) / 2],
                      [0, 0, 1.0]])  # fmt: skip
        pose = self.hand.pose(times)
        depth = float(np.median(layer.depth_m))
        near = np.zeros((*times.shape, 3, 3))
        near[..., 0, 0] = near[..., 1, 1] = (depth - pose[..., 5]) / depth
        near[..., 0, 2], near[..., 1, 2], near[..., 2, 2] = pose[..., 3] / depth, pose[..., 4] / depth, 1.0
        shift = np.array([[1.0, 0, self.margin], [0, 1.0, self.margin], [0, 0, 1.0]])
        found = shift @ k @ near @ _rotation(pose[..., :3]) @ np.linalg.inv(k)
        found = _own(layer, times) @ found
        return np.asarray(found / found[..., 2:, 2:])


def _rotation(angles: F64) -> F64:
    """(…, 3, 3) from yaw (to the right), pitch (down) and roll (clockwise) (…, 3) in rad."""
    c, s = np.cos(angles), np.sin(angles)
    out = []
    for i, (a, b) in enumerate(((2, 0), (2, 1), (0, 1))):  # yaw turns z towards x, pitch z towards y, roll x towards y
        m = np.zeros((*angles.shape[:-1], 3, 3))
        m[..., 3 - a - b, 3 - a - b] = 1
        m[..., a, a] = m[..., b, b] = c[..., i]
        m[..., b, a], m[..., a, b] = s[..., i], -s[..., i]
        out.append(m)
    return np.asarray(out[0] @ out[1] @ out[2])


def _own(layer: Layer, times: F64) -> F64:
    """(…, 3, 3): where a point of the canvas lay at t = 0 that the layer's own motion brought there."""
    found = np.zeros((*times.shape, 3, 3))
    if layer.motion.still:
        found[:] = np.eye(3)
        return found
    found[..., :2, :] = layer.motion.path(times)
    found[..., 2, 2] = 1
    return np.asarray(np.linalg.inv(found))


def moments(camera: Camera, take: Take, layer: Layer) -> int:
    """How many moments of an exposure make its motion blur: one for every _STEP_PX that its fastest point moves."""
    y, x = (np.array([0.0, n - 1.0]) for n in camera.size)
    maps = camera.maps(layer, take.at(y, np.linspace(0, 1, 17)[:, None]))
    points = np.stack(project(maps[:, :, None], x, y[:, None]))
    way = np.hypot(*np.diff(points, axis=1)).sum(axis=0).max()
    return int(np.clip(math.ceil(way / _STEP_PX), 1, _MOMENTS))


def middle(camera: Camera, take: Take, layer: Layer, count: int) -> F64:
    """(H, 3, 3): per row, the mean way over the moments of an exposure: to where the middle of the blur lies."""
    rows = _knots(camera.size[0])
    mean = camera.maps(layer, take.at(rows, _parts(count))).mean(axis=0)
    flat = mean.reshape(len(rows), 9)
    every = np.arange(camera.size[0])
    return np.asarray(np.stack([np.interp(every, rows, v) for v in flat.T], axis=1).reshape(-1, 3, 3), np.float64)


def _parts(count: int) -> F64:
    """(count, 1): the moments in parts of an exposure."""
    return np.asarray((np.arange(count) + 0.5) / count)[:, None]


def _knots(size: int, tile: int = TILE[1]) -> F64:
    """Where tiles begin, and the end of the last."""
    return np.arange(-(-size // tile) + 1, dtype=np.float64) * tile


@dataclass(frozen=True)
class Ways:
    """Tables of simulate_* for one layer in one frame: `base`, `way`; `turned`: too much for the dense kernels.

    `box`: the tiles (top, left, bottom, right) in which the layer may be seen, for which the tables are laid.
    """

    base: NDArray[np.int32]
    way: F32
    turned: bool
    box: tuple[int, int, int, int]


def ways(camera: Camera, take: Take, layer: Layer, count: int, everywhere: bool = False) -> Ways | None:
    """Lay the tables of a layer whose padded light has its corner at the layer's own corner minus PAD.

    None where it is not seen; `everywhere`: for all tiles, as the farthest needs them.
    """
    rows, columns = (_knots(n, t) for n, t in zip(camera.size, TILE[::-1], strict=True))
    box = (0, 0, len(rows) - 1, len(columns) - 1) if everywhere else _box(camera, take, layer)
    if box is None:
        return None
    rows, columns = rows[box[0] : box[2] + 1], columns[box[1] : box[3] + 1]
    maps = camera.maps(layer, take.at(rows, _parts(count)))
    u, v = project(maps[:, :, None], columns, rows[:, None])
    place, slope = _affine(np.stack([u - layer.left + PAD, v - layer.top + PAD]))
    base, way, turned = _dense(place, slope)
    turned = turned and not everywhere
    if turned:
        base, way = _gathered(place, slope)
    gain = _gain(layer, take, rows, count)
    way = np.concatenate([np.rint(way * _GRID) / _GRID, np.broadcast_to(gain, (*way.shape[:3], 2))], axis=3)
    return Ways(np.ascontiguousarray(base, np.int32), np.ascontiguousarray(way, np.float32), turned, box)


def _affine(corners: F64) -> tuple[F64, F64]:
    """From places (2, …, rows + 1, columns + 1) at the corners of tiles: at their middle (…, rows, columns, 2), and
    slopes (…, rows, columns, 2, 2) of x and y along x and y."""
    top, bottom = corners[..., :-1, :], corners[..., 1:, :]
    a, b, c, d = top[..., :-1], top[..., 1:], bottom[..., :-1], bottom[..., 1:]
    place = (a + b + c + d) / 4
    along = ((b - a) + (d - c)) / (2 * TILE[0])
    down = ((c - a) + (d - b)) / (2 * TILE[1])
    return np.moveaxis(place, 0, -1), np.moveaxis(np.stack([along, down], axis=-1), 0, -2)


def _dense(place: F64, slope: F64) -> tuple[F64, F64, bool]:
    """Base, way (…, 6) of two passes, and whether some tile exceeds what they reach."""
    x, y = TILE[0] / 2, TILE[1] / 2  # the middle, from the tile's corner
    jxx, jxy, jyx, jyy = slope[..., 0, 0], slope[..., 0, 1], slope[..., 1, 0], slope[..., 1, 1]
    jyy = np.where(np.abs(jyy) < 0.1, 0.1, jyy)  # a quarter turn: not for two passes, found out below
    bx, by = np.floor(place[..., 0] - x), np.floor(place[..., 1] - y)
    b0 = place[..., 1] - jyx * x - jyy * y - by
    a1, a2 = jxx - jxy * jyx / jyy, jxy / jyy
    a0 = place[..., 0] - a1 * x + a2 * (by - place[..., 1]) - bx
    way = np.stack([a0, a1 - 1, a2, b0, jyx, jyy - 1], axis=-1)
    rest = [a0 + (a1 - 1) * u + a2 * v for u in (0, TILE[0]) for v in (-3, TILE[1] + 3)]
    rest += [b0 + jyx * u + (jyy - 1) * v for u in (0, TILE[0]) for v in (0, TILE[1])]
    beyond = bool(np.max(rest) > 1.999 or np.min(rest) < -0.999)
    return np.stack([bx, by], axis=-1), way, beyond


def _gathered(place: F64, slope: F64) -> tuple[F64, F64]:
    """Base and way (…, 6) of simulate_turned."""
    base = np.floor(place)
    start = place - base - slope @ np.array([TILE[0] / 2, TILE[1] / 2])
    way = np.concatenate([np.concatenate([start[..., i, None], slope[..., i, :]], axis=-1) for i in (0, 1)], axis=-1)
    return base, way


def _box(camera: Camera, take: Take, layer: Layer) -> tuple[int, int, int, int] | None:
    """The tiles in which a layer may be seen while a frame is taken: where its corners go."""
    first, last = take.at(np.zeros(1), 0.0), take.at(np.full(1, camera.size[0] - 1.0), 1.0)
    back = np.asarray(np.linalg.inv(camera.maps(layer, np.linspace(first[0], last[0], _GLANCES))), np.float64)
    (h, w), top, left = layer.shape, layer.top - _TAPS, layer.left - _TAPS
    x, y = np.array([left, left + w + 2 * _TAPS]), np.array([top, top + h + 2 * _TAPS])
    at = project(back[:, None, None], x, y[:, None])
    found = []
    for place, size, tile in zip(at[::-1], camera.size, TILE[::-1], strict=True):
        between = float(np.abs(np.diff(place, axis=0)).max())  # two glances; at all other times it is nearer to one
        low, high = (float(place.min()) - between) / tile, (float(place.max()) + between) / tile
        found.append((max(math.floor(low), 0), min(math.ceil(high), -(-size // tile))))
    (top, bottom), (left, right) = found
    return (top, left, bottom, right) if top < bottom and left < right else None


def _gain(layer: Layer, take: Take, rows: F64, count: int) -> F64:
    """(tiles down, 1, 2): the share of one moment, times the flicker of the layer's lamps over the whole exposure."""
    f = layer.flicker_hz
    middle = take.at(rows, 0.5)
    level = 1 + FLICKER_DEPTH * np.sinc(f * take.time_s) * np.cos(math.tau * f * middle) * (f > 0)
    slope = np.diff(level) / TILE[1]
    gain = np.stack([level[:-1], slope], axis=-1)[:, None] / count
    return np.asarray(np.rint(gain * _GRID) / _GRID)
