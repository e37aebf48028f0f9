"""A mountain lake in the last light: a procedural, seeded scene in scene-linear light.

It is the picture of `lichtbild demo`: a sun low behind cloud, layered ridges in haze, a red cabin with lit windows,
water that mirrors it all, reeds and pines in deep shade. Its range is some fourteen stops, so that a camera clips the
sun's surroundings while the pines are nearly black: what a photograph has to cope with.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..light import convert
from ..stage import param
from ..types import F32
from ._grid import exp, f32, length, power, sin
from .spec import Canvas, Place, scene
from .types import Layer, Scene

Array = NDArray[Any]
HORIZON = 0.56  # of the height
SUN = (0.335, 0.335)  # of width and height
SUN_LIGHT = np.array([1.0, 0.62, 0.30])
SKY_HIGH = np.array([0.10, 0.20, 0.42])
SKY_LOW = np.array([0.95, 0.55, 0.32])


def _noise(shape: tuple[int, int], slope: float, rng: np.random.Generator, stretch: float = 1.0) -> Array:
    """Fractal noise of unit variance with amplitude ~ frequency^-slope; stretch > 1 draws it out horizontally."""
    fy = np.fft.fftfreq(shape[0])[:, None]
    fx = np.fft.rfftfreq(shape[1])[None, :] * stretch
    f = np.sqrt(fy * fy + fx * fx)
    falls = power(f, -slope)
    falls[0, 0] = 0
    white = rng.standard_normal(shape)
    field = np.fft.irfft2(np.fft.rfft2(white) * falls, s=shape)
    return np.asarray(field / field.std(), np.float32)


def _smooth(edge0: float, edge1: float, value: Array) -> Array:
    t = np.clip((value - edge0) / (edge1 - edge0), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _mix(a: Array, b: Array, t: Array) -> Array:
    return np.asarray(a + (b - a) * t)


def _colour(rgb: ArrayLike) -> Array:
    return np.asarray(rgb, np.float32)[:, None, None]


def _sky(u: Array, v: Array, rng: np.random.Generator) -> Array:
    """Gradient, the sun's glow, and clouds lit from below."""
    h, w = np.broadcast_shapes(u.shape, v.shape)
    height = np.clip((HORIZON - v) / HORIZON, 0, 1)
    distance = length((u - SUN[0]) * 1.5, v - SUN[1])
    sky = _mix(_colour(SKY_LOW * 0.8), _colour(SKY_HIGH), _smooth(0.0, 0.75, height + 0 * u))
    glow = exp(-distance / 0.17) * 1.6 + exp(-((distance / 0.05) ** 2)) * 9
    disc = _smooth(0.0155, 0.0140, distance) * 260.0
    big, fine = _noise((h, w), 1.7, rng, 3.2), _noise((h, w), 1.35, rng, 2.6)
    cover = _smooth(-0.25, 1.5, big + 0.4 * fine + 0.9 * (height - 0.45))
    lit = exp(-distance / 0.42) * (0.55 + 0.45 * _smooth(-0.5, 1.6, fine - 0.5 * big))
    cloud = _colour(SUN_LIGHT) * (1.7 * lit) + _colour(SKY_HIGH) * (0.55 + 0.2 * fine)
    light = _mix(sky + _colour(SUN_LIGHT) * glow, np.maximum(cloud, 0.02), 0.85 * cover)
    return light + _colour(SUN_LIGHT) * (disc * (1 - 0.97 * cover))


def _ridges(u: Array, v: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Six ridges, far to near: their light and their cover (0 or 1 with a soft pixel edge)."""
    h, w = np.broadcast_shapes(u.shape, v.shape)
    light, cover = np.zeros((3, h, w), np.float32), np.zeros((h, w), np.float32)
    for i, (top, rough) in enumerate([(0.33, 0.06), (0.40, 0.05), (0.455, 0.035), (0.49, 0.028), (0.52, 0.02)]):
        line = _noise((1, 2 * w), 1.45, rng)[:, :w] * rough + top + 0.05 * sin(5 * (u - 0.2 * i) + np.pi / 2)
        inside = _smooth(-0.7 / h, 0.7 / h, v - line)
        relief = _noise((h, w), 1.75, rng, 1.3)
        # Light comes from the sun's side and from above: a slope that faces it is bright.
        aspect = np.where(u < SUN[0], 1.0, -1.0)
        slope = (np.gradient(relief, axis=1) * aspect + 0.8 * np.gradient(relief, axis=0)) * 0.013 * h
        near = (i + 1) / 5
        rock = _mix(_colour([0.10, 0.105, 0.12]), _colour([0.035, 0.055, 0.03]), np.asarray(near, np.float32))
        face = rock * np.clip(0.55 + 0.5 * np.clip(slope, -1, 1), 0.04, None) * (1.25 - 0.55 * near)
        snow = _smooth(0.02, -0.03, v - line - 0.055 - 0.02 * relief) * (1 - near) ** 1.2 * 0.5
        face = face + _colour([0.75, 0.62, 0.62]) * (snow * np.clip(0.5 + slope, 0.15, 1))
        air = 0.82 * (1 - near) ** 1.1 + 0.28 * _smooth(0.0, 0.12, v - line) * (1 - 0.6 * near)
        toward = exp(-np.abs(u - SUN[0]) / 0.3)
        haze = _mix(_colour([0.30, 0.33, 0.42]), _colour([0.95, 0.55, 0.33]), toward * 0.8)
        light = _mix(light, _mix(face, haze * (0.75 - 0.35 * near), np.clip(air, 0, 0.95)), inside)
        cover = np.maximum(cover, inside)
    return light, cover


def _cabin(light: Array, u: Array, v: Array, rng: np.random.Generator) -> Array:
    """A red timber cabin on the far shore; its windows are lamps."""
    h, w = light.shape[1:]
    x, y = (u - 0.205) / 0.06, (HORIZON - v) / 0.055
    soft = 1.2 / (0.055 * h)
    wall = _smooth(-soft, soft, 1 - np.abs(x)) * _smooth(-soft, soft, y) * _smooth(-soft, soft, 0.62 - y)
    gable = _smooth(-soft, soft, 1.08 - np.abs(x) - (y - 0.60) * 2.2) * _smooth(-soft, soft, y - 0.58)
    planks = 0.8 + 0.2 * sin(x * 70) + 0.08 * _noise((h, w), 0.9, rng)
    light = _mix(light, _colour([0.21, 0.022, 0.014]) * planks, wall)
    light = _mix(light, _colour([0.05, 0.048, 0.055]) * (1 + 0.2 * sin(y * 90)), gable)
    for left in (-0.55, 0.05, 0.55):
        pane = _smooth(-soft, soft, 0.16 - np.abs(x - left)) * _smooth(-soft, soft, 0.15 - np.abs(y - 0.30))
        cross = 1 - _smooth(0.035, 0.02, np.abs(x - left)) - _smooth(0.03, 0.015, np.abs(y - 0.30))
        light = _mix(light, _colour([1.0, 0.50, 0.16]) * (3.6 * np.clip(cross, 0.03, 1)), pane)
    return light


def _pines(u: Array, v: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Cover of dark pines, the small far wood and the tall near ones at the left, and how deep inside a tree."""
    h, w = np.broadcast_shapes(u.shape, v.shape)
    rag = _noise((h, w), 0.75, rng)
    cover = np.zeros((h, w), np.float32)
    trees = [(x, HORIZON + 0.004, 0.035 + 0.045 * rng.random()) for x in rng.uniform(0.0, 0.17, 26)]
    trees += [(x, HORIZON + 0.004, 0.03 + 0.05 * rng.random()) for x in rng.uniform(0.25, 0.36, 16)]
    trees += [(x, HORIZON + 0.003, 0.02 + 0.04 * rng.random()) for x in rng.uniform(0.82, 1.0, 30)]
    trees += [(0.035, 1.02, 0.86), (0.115, 1.05, 0.70), (-0.02, 1.04, 0.75), (0.975, 1.04, 0.62)]
    most = 1 + 0.28 * float(rag.max())
    for x, foot, tall in trees:
        rows = _extent((v[:, 0] > foot - tall) & (v[:, 0] < foot + 1 / h))
        columns = _extent(np.abs(u[0] - x) * (w / h) < 0.17 * tall * most + 1 / h)
        y = (foot - v[rows]) / tall
        tier = 0.75 + 0.25 * sin(y * (38 if tall > 0.3 else 22) + 3 * math.sin(37 * x) + np.pi / 2)
        wide = 0.17 * tall * f32(power(np.clip(1 - y, 0, 1), 0.9)) * tier * (1 + 0.28 * rag[rows, columns])
        inside = _smooth(-0.7 / w, 0.7 / w, wide - np.abs(u[:, columns] - x) * (w / h) * 1.0)
        tree = inside * _smooth(-0.5 / h, 0.5 / h, foot - v[rows]) * (y < 1)
        cover[rows, columns] = np.maximum(cover[rows, columns], tree)
    return cover, rag


def _extent(where: Array) -> slice:
    """From the first place to the last."""
    found = np.flatnonzero(where)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def _water(above: Array, u: Array, v: Array, rng: np.random.Generator) -> Array:
    """The lower half: the upper half mirrored, broken by ripples, with glitter towards the sun."""
    h, w = above.shape[1:]
    depth = np.clip((v - HORIZON) / (1 - HORIZON), 1e-3, 1)
    ripple = _noise((h, w), 1.15, rng, 9.0) * (0.3 + depth)
    rows = (2 * HORIZON - v) * h + ripple * 26 * depth * h / 2000
    rows = np.clip(np.broadcast_to(rows, (h, w)), 0, HORIZON * h - 1)
    columns = np.clip(np.broadcast_to(u * w, (h, w)) + ripple * 5 * depth * h / 2000, 0, w - 1)
    mirrored = above[:, rows.astype(int), columns.astype(int)]
    fresnel = 0.30 + 0.55 * (1 - depth) ** 2
    water = mirrored.clip(0, 30) * fresnel + _colour([0.010, 0.022, 0.028])
    sparkle = _smooth(1.5, 3.0, _noise((h, w), 0.9, rng, 6.0) + 0.5 * ripple)
    path = exp(-(((u - SUN[0]) / (0.035 + 0.16 * depth)) ** 2))
    return np.asarray(water + _colour(SUN_LIGHT) * (path * sparkle * 9))


def _reeds(light: Array, rng: np.random.Generator) -> Array:
    """Reeds and grass in the near corner, back-lit edges on nearly black stems."""
    h, w = light.shape[1:]
    for _ in range(420):
        x0, tall, lean = rng.uniform(0.55, 1.02), rng.uniform(0.06, 0.24), rng.normal(0, 0.035)
        x0 = x0 + 0.25 * (1 - x0) * rng.standard_normal()
        t = np.linspace(0, 1, int(tall * h))
        rows = (h * (1.0 - tall * t)).astype(int)
        centre = w * (x0 + lean * t**2)
        width = h / 2000 * 3.2 * (1 - 0.85 * t)
        tone = rng.uniform(0.5, 1.4)
        for dx in range(-4 * h // 2000 - 1, 4 * h // 2000 + 2):
            at = (centre + dx).astype(int)
            cover = np.clip(width - np.abs(at - centre) + 0.5, 0, 1) * (rows < h) * (at >= 0) * (at < w)
            rim = np.clip((centre - at) / np.maximum(width, 0.3), -1, 1)
            stem = _mix(np.array([0.012, 0.018, 0.006])[:, None], np.array([0.22, 0.16, 0.03])[:, None], rim > 0.35)
            r, k = np.clip(rows, 0, h - 1), np.clip(at, 0, w - 1)
            light[:, r, k] = _mix(light[:, r, k], stem * tone, cover)
    return light


def render(height: int = 2000, width: int = 3000, seed: int = 1) -> F32:
    """The scene as linear sRGB-primaries light (3, height, width), 1.0 = a white card in the open shade.

    The same seed gives the same scene at every size in its large shapes, not pixel by pixel.
    """
    rng = np.random.default_rng(seed)
    u = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :]
    v = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    light = _sky(u, v, rng)
    ridges, cover = _ridges(u, v, rng)
    light = _mix(light, ridges, cover)
    light = _cabin(light, u, v, rng)
    pines, rag = _pines(u, np.minimum(v, HORIZON), rng)
    shade = _colour([0.010, 0.017, 0.009]) * np.clip(1 + 0.6 * rag, 0.15, 3)
    light = _mix(light, shade, pines)
    below = v > HORIZON
    light = np.where(below, _water(light, u, v, rng), light)
    near, rag = _pines(u, v, rng)
    light = _mix(light, _colour([0.006, 0.010, 0.005]) * np.clip(1 + 0.7 * rag, 0.1, 3), near)
    return np.maximum(_reeds(light, rng), 0).astype(np.float32)


@scene("lake", "a mountain lake in the last light, a cabin with lit windows on the far shore")
class Lake(Place):
    """One still layer; white in the open shade is `lux` / π."""

    lux: float = param(1000.0, 1.0, 20000.0, "lx", "illuminance in the open shade")

    def build(self, canvas: Canvas, seed: int) -> Scene:
        """Draw it."""
        height, width = canvas.shape
        white = self.lux / np.pi
        to_rec2020 = (convert("srgb", "rec2020") * white).astype(np.float32)
        rgb = render(height, width, seed)
        light = np.stack([sum(to_rec2020[c, k] * rgb[k] for k in range(3)) for c in range(3)])
        light = np.maximum(light, 0).astype(np.float32)
        v = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height
        water = 2.0 / np.maximum(v - HORIZON, 2.0 / 300)  # the eye is some 2 m above it; the far shore at 300 m
        depth = np.where(v > HORIZON, water, np.where(v > 0.3, 3000, 1e5)).astype(np.float32)
        shade = np.full((3, 1, 1), white, np.float32)
        return Scene("lake", (Layer("lake", light, depth),), canvas.margin, shade, self.lux)
