"""From the layers of a scene to the light that falls on one frame, and to what is seen where."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .. import kernels
from ..scene import Layer, Scene, SceneError
from ..types import F32, F64
from . import cache
from .truth import project
from .ways import PAD, TILE, Camera, Take, Ways, moments, ways

_KEPT = 6  # planes of float32 as large as the canvas that may be kept ready; what is more is laid out for each frame


@dataclass(frozen=True)
class Sheet:
    """A layer that can be moved; `kept`: its light made ready, None where it is laid out whenever it is asked for."""

    layer: Layer
    farthest: bool
    kept: F32 | None = None

    @property
    def light(self) -> F32:
        """(3 or 4, h + 2·PAD, w + 2·PAD): RGB, or RGB times alpha and alpha."""
        return _laid(self.layer, self.farthest) if self.kept is None else self.kept


def sheets(scene: Scene) -> list[Sheet]:
    """All layers, far to near. The farthest repeats its border, the others are empty beyond theirs.

    Raises SceneError for light that cannot be.
    """
    made: list[Sheet] = []
    room = _KEPT * 4 * math.prod(scene.canvas)
    for layer in scene.layers:
        if not float(np.min(layer.light)) >= 0:
            raise SceneError(f"scene {scene.name}: layer '{layer.name}' holds negative light or none at all (NaN)")
        light = _laid(layer, not made)
        kept = not made or light.nbytes <= room
        room -= light.nbytes * kept
        made.append(Sheet(layer, not made, light if kept else None))
    return made


def _laid(layer: Layer, farthest: bool) -> F32:
    """The light of a sheet; what the cache holds of the layer is let go of."""
    h, w = layer.shape
    light = np.zeros((3 if farthest else 4, h + 2 * PAD, w + 2 * PAD), np.float32)
    inner = light[:, PAD : PAD + h, PAD : PAD + w]
    inner[:3] = layer.light
    if farthest:
        _spread_border(light)
    else:
        alpha = np.float32(1) if layer.alpha is None else layer.alpha
        inner[:3] *= alpha
        inner[3] = alpha
    cache.forget(layer.light)
    cache.forget(layer.alpha)
    return light


def _spread_border(light: F32) -> None:
    light[:, :, :PAD] = light[:, :, PAD, None]
    light[:, :, -PAD:] = light[:, :, -PAD - 1, None]
    light[:, :PAD] = light[:, PAD, None]
    light[:, -PAD:] = light[:, -PAD - 1, None]


def glance(scene: Scene, samples: int = 1 << 16) -> F32:
    """(3, h, w): light of the canvas at t = 0, thinned to about so many pixels."""
    step = max(1, math.isqrt(scene.canvas[0] * scene.canvas[1] // samples))
    out = np.array(scene.layers[0].light[:, ::step, ::step])
    for layer in scene.layers[1:]:
        spans = []  # rows and columns of `out` and of the layer that lie on each other; it may reach beyond the canvas
        for start, size, most in zip((layer.top, layer.left), layer.shape, out.shape[1:], strict=True):
            first, end = max(0, -(-start // step)), min(most, -(-(start + size) // step))
            spans.append((slice(first, max(first, end)), slice(first * step - start, max(0, end * step - start), step)))
        (down, rows), (across, columns) = spans
        part = out[:, down, across]
        if part.size:
            alpha = np.float32(1) if layer.alpha is None else layer.alpha[rows, columns]
            part += alpha * (layer.light[:, rows, columns] - part)
    return out


def frame(stack: list[Sheet], camera: Camera, take: Take, out: F32) -> list[int]:
    """Fill `out` (4, H, W): mean light over the exposure, Rec.2020 cd/m², and the number of the layer seen there.

    Returns the number of moments of each layer. Each layer is averaged by itself and then laid over what is behind it:
    right up to how alpha and background vary together within one exposure, at the edges of what moves.
    """
    counts = []
    for number, sheet in enumerate(stack):
        counts.append(moments(camera, take, sheet.layer))
        tables = ways(camera, take, sheet.layer, counts[-1], everywhere=number == 0)
        if tables and number == 0:
            kernels.call("simulate_ground", light=sheet.light, base=tables.base, way=tables.way, output=out)
        elif tables:
            _over(sheet, number, tables, out)
    return counts


def _over(sheet: Sheet, number: int, tables: Ways, out: F32) -> None:
    top, left, bottom, right = tables.box
    part = out[:, top * TILE[1] : bottom * TILE[1], left * TILE[0] : right * TILE[0]]
    name = "simulate_turned" if tables.turned else "simulate_over"
    kernels.call(
        name, light=sheet.light, below=part, base=tables.base, way=tables.way, number=float(number), output=part
    )


def twin(stack: list[Sheet], camera: Camera, take: Take, counts: list[int]) -> F32:
    """What `frame` fills, by asking for every pixel's own way; without flicker."""
    h, w = camera.size
    out = np.zeros((4, h, w))
    x, y = np.arange(w, dtype=float)[None, :], np.arange(h, dtype=float)[:, None]
    for number, (sheet, count) in enumerate(zip(stack, counts, strict=True)):
        mean = np.zeros((sheet.light.shape[0], h, w))
        for j in range(count):
            maps = camera.maps(sheet.layer, take.at(y[:, 0], (j + 0.5) / count))
            u, v = project(maps[:, None], x, y)
            mean += bicubic(sheet.light, u - sheet.layer.left + PAD, v - sheet.layer.top + PAD) / count
        if number == 0:
            out[:3] = np.maximum(mean, 0)
            continue
        alpha = np.clip(mean[3], 0, 1)
        out[:3] = np.maximum(mean[:3], 0) + (1 - alpha) * out[:3]
        out[3] = np.where(alpha >= 0.5, number, out[3])
    return out.astype(np.float32)


def bicubic(light: F32, u: F64, v: F64) -> F64:
    """`light` (planes, h, w) at the places u, v by the cubic of [Keys1981], its border repeated."""
    i, j = np.floor(u).astype(int), np.floor(v).astype(int)
    planes, h, w = light.shape
    out = np.zeros((planes, *u.shape))
    for n in range(-1, 3):
        for m in range(-1, 3):
            weight = keys(u - i - m) * keys(v - j - n)
            out += weight * light[:, np.clip(j + n, 0, h - 1), np.clip(i + m, 0, w - 1)]
    return out


def keys(d: F64) -> F64:
    """The kernel of [Keys1981], a = -1/2, at distance `d`."""
    a = np.abs(d)
    return np.where(a < 1, (1.5 * a - 2.5) * a * a + 1, np.where(a < 2, ((-0.5 * a + 2.5) * a - 4) * a + 2, 0.0))
