"""A mountain lake in the last light: a procedural, seeded scene in scene-linear light.

It is the picture of `lichtbild demo`: a sun low behind cloud, layered ridges in haze, a red cabin with lit windows,
water that mirrors it all, reeds and pines in deep shade. Its range is some fourteen stops, so that a camera clips the
sun's surroundings while the pines are nearly black: what a photograph has to cope with.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..light import convert
from ..stage import param
from ..types import F32
from ._grid import colour, enlarge, exp, f32, in_strips, length, mix, power, sin, smooth, strips
from .spec import Canvas, Place, scene
from .types import Layer, Scene

Array = NDArray[Any]
HORIZON = 0.56  # of the height
SUN = (0.335, 0.335)  # of width and height
SUN_LIGHT = np.array([1.0, 0.62, 0.30])
SKY_HIGH = np.array([0.10, 0.20, 0.42])
SKY_LOW = np.array([0.95, 0.55, 0.32])
_POINTS = 4096  # of the outline of a ridge


def _fast(n: int) -> int:
    """The next size from n on that has no prime factors but 2, 3 and 5."""
    while True:
        rest = n
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 1


def _noise(shape: tuple[int, int], slope: float, rng: np.random.Generator, stretch: float = 1.0) -> F32:
    """Fractal noise of unit variance with amplitude ~ frequency^-slope; stretch > 1 draws it out horizontally.

    In float32 and strip by strip, so that it needs three times its own memory.
    """
    rows, columns = _fast(shape[0]), _fast(shape[1])
    waves = np.fft.rfft(rng.standard_normal((rows, columns), np.float32)).astype(np.complex64, copy=False)
    fx = (np.fft.rfftfreq(columns) * stretch)[:, None]
    fy = np.fft.fftfreq(rows)[None, :]
    for part in strips(waves.shape[1], rows):
        falls = f32(power(fx[part] ** 2 + fy**2, -slope / 2))
        if part.start == 0:
            falls[0, 0] = 0
        waves[:, part] = np.fft.ifft(np.fft.fft(waves[:, part].T) * falls).T
    field = f32(np.fft.irfft(waves, columns))[: shape[0], : shape[1]]
    del waves
    total = sum(float((field[part].astype(np.float64) ** 2).sum()) for part in strips(*shape))
    field *= f32(math.sqrt(field.size / max(total, 1e-30)))
    return field


def _line(width: int, rng: np.random.Generator) -> F32:
    """(1, width): the outline of a ridge, of unit variance; the same at every width."""
    return enlarge(_noise((1, 2 * _POINTS), 1.45, rng)[:, :_POINTS], (1, width))


@dataclass(frozen=True)
class _Sheet:
    """The picture in the making: `light` (3, h, w); u (1, w) and v (h, 1), places in widths and heights."""

    light: F32
    u: F32
    v: F32
    seed: int

    def rng(self, thing: int) -> np.random.Generator:
        """The dice of one thing."""
        return np.random.default_rng([self.seed, thing])

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.light.shape[1], self.light.shape[2]

    def paint(self, draw: Callable[[slice, F32, F32], None], first: float = 0.0, last: float = 1.0) -> None:
        """Let `draw` (rows, their v, their light) change the strips between two heights."""
        h, w = self.size
        top, bottom = max(int(first * h), 0), min(math.ceil(last * h), h)

        def strip(part: slice) -> None:
            rows = slice(top + part.start, top + part.stop)
            draw(rows, self.v[rows], self.light[:, rows])

        in_strips(max(bottom - top, 0), w, strip)


def _sky(sheet: _Sheet) -> None:
    """Gradient, the sun's glow, and clouds lit from below."""
    rng, u = sheet.rng(0), sheet.u
    big, fine = _noise(sheet.size, 1.7, rng, 3.2), _noise(sheet.size, 1.35, rng, 2.6)

    def draw(rows: slice, v: F32, light: F32) -> None:
        height = np.clip((HORIZON - v) / f32(HORIZON), 0, 1)
        distance = length((u - f32(SUN[0])) * f32(1.5), v - f32(SUN[1]))
        sky = mix(colour(SKY_LOW * 0.8), colour(SKY_HIGH), smooth(0.0, 0.75, height + 0 * u))
        glow = exp(-distance / f32(0.17)) * f32(1.6) + exp(-((distance / f32(0.05)) ** 2)) * f32(9)
        disc = smooth(0.0155, 0.0140, distance) * f32(260.0)
        cover = smooth(-0.25, 1.5, big[rows] + f32(0.4) * fine[rows] + f32(0.9) * (height - f32(0.45)))
        lit = exp(-distance / f32(0.42)) * (0.55 + 0.45 * smooth(-0.5, 1.6, fine[rows] - f32(0.5) * big[rows]))
        cloud = colour(SUN_LIGHT) * (1.7 * lit) + colour(SKY_HIGH) * (0.55 + 0.2 * fine[rows])
        bright = mix(sky + colour(SUN_LIGHT) * glow, np.maximum(cloud, 0.02), 0.85 * cover)
        light[...] = bright + colour(SUN_LIGHT) * (disc * (1 - 0.97 * cover))

    sheet.paint(draw)


def _ridges(sheet: _Sheet) -> None:
    """Five ridges, far to near, in more and more of their own colour as the air before them gets less."""
    for i, (top, rough) in enumerate([(0.33, 0.06), (0.40, 0.05), (0.455, 0.035), (0.49, 0.028), (0.52, 0.02)]):
        rng = sheet.rng(1 + i)
        wave = 0.05 * sin(5 * (sheet.u - 0.2 * i) + np.pi / 2)
        line = _line(sheet.size[1], rng) * f32(rough) + f32(top) + wave
        _ridge(sheet, line, _noise(sheet.size, 1.75, rng, 1.3), (i + 1) / 5)


def _ridge(sheet: _Sheet, line: F32, relief: F32, near: float) -> None:
    (h, _), u = sheet.size, sheet.u
    rock = mix(colour([0.10, 0.105, 0.12]), colour([0.035, 0.055, 0.03]), f32(near))
    # Light comes from the sun's side and from above: a slope that faces it is bright.
    aspect = np.where(u < SUN[0], f32(1), f32(-1))
    toward = exp(-np.abs(u - f32(SUN[0])) / f32(0.3))
    haze = mix(colour([0.30, 0.33, 0.42]), colour([0.95, 0.55, 0.33]), toward * 0.8) * f32(0.75 - 0.35 * near)

    def draw(rows: slice, v: F32, light: F32) -> None:
        inside = smooth(-0.7 / h, 0.7 / h, v - line)
        part = relief[rows]
        down = relief[np.minimum(np.arange(rows.start, rows.stop) + 1, h - 1)] - part
        across = np.diff(part, axis=1, append=part[:, -1:])
        slope = (across * aspect + f32(0.8) * down) * f32(0.013 * h)
        face = rock * np.clip(0.55 + 0.5 * np.clip(slope, -1, 1), 0.04, None) * (1.25 - 0.55 * near)
        snow = smooth(0.02, -0.03, v - line - f32(0.055) - f32(0.02) * part) * (1 - near) ** 1.2 * 0.5
        face = face + colour([0.75, 0.62, 0.62]) * (snow * np.clip(0.5 + slope, 0.15, 1))
        air = 0.82 * (1 - near) ** 1.1 + 0.28 * smooth(0.0, 0.12, v - line) * (1 - 0.6 * near)
        light += inside * (mix(face, haze, np.clip(air, 0, 0.95)) - light)

    sheet.paint(draw, float(line.min()) - 2 / h)


def _cabin(sheet: _Sheet) -> None:
    """A red timber cabin on the far shore; its windows are lamps."""
    (h, w), u = sheet.size, sheet.u
    columns = _extent(np.abs(u[0] - 0.205) < 0.06 * 1.1 + 4 / w)
    u = u[:, columns]
    x, soft = (u - f32(0.205)) / f32(0.06), 1.2 / (0.055 * h)
    grain = _noise((h // 12 + 1, max(u.shape[1], 1)), 0.9, sheet.rng(6))

    def draw(rows: slice, v: F32, light: F32) -> None:
        y, out = (HORIZON - v) / f32(0.055), light[:, :, columns]
        wall = smooth(-soft, soft, 1 - np.abs(x)) * smooth(-soft, soft, y) * smooth(-soft, soft, 0.62 - y)
        gable = smooth(-soft, soft, 1.08 - np.abs(x) - (y - 0.60) * 2.2) * smooth(-soft, soft, y - 0.58)
        rough = grain[np.arange(rows.start, rows.stop) % len(grain)]
        planks = 0.8 + 0.2 * sin(x * 70) + 0.08 * rough
        out += wall * (colour([0.21, 0.022, 0.014]) * planks - out)
        out += gable * (colour([0.05, 0.048, 0.055]) * (1 + 0.2 * sin(y * 90)) - out)
        for left in (-0.55, 0.05, 0.55):
            pane = smooth(-soft, soft, 0.16 - np.abs(x - left)) * smooth(-soft, soft, 0.15 - np.abs(y - 0.30))
            cross = 1 - smooth(0.035, 0.02, np.abs(x - left)) - smooth(0.03, 0.015, np.abs(y - 0.30))
            out += pane * (colour([1.0, 0.50, 0.16]) * (3.6 * np.clip(cross, 0.03, 1)) - out)

    sheet.paint(draw, HORIZON - 0.055 * 1.2 - 2 / h, HORIZON + 3 / h)


def _pines(sheet: _Sheet, tint: Array, depth: float, last: float) -> None:
    """Dark pines, the small far wood and the tall near ones at the sides, down to the height `last`.

    `depth`: how much their own shade varies.
    """
    h, w = sheet.size
    u, v = sheet.u, sheet.v
    dice, rag = sheet.rng(7), _noise(sheet.size, 0.75, sheet.rng(8))
    cover = np.zeros(sheet.size, np.float32)
    trees = [(x, HORIZON + 0.004, 0.035 + 0.045 * dice.random()) for x in dice.uniform(0.0, 0.17, 26)]
    trees += [(x, HORIZON + 0.004, 0.03 + 0.05 * dice.random()) for x in dice.uniform(0.25, 0.36, 16)]
    trees += [(x, HORIZON + 0.003, 0.02 + 0.04 * dice.random()) for x in dice.uniform(0.82, 1.0, 30)]
    trees += [(0.035, 1.02, 0.86), (0.115, 1.05, 0.70), (-0.02, 1.04, 0.75), (0.975, 1.04, 0.62)]
    most = 1 + 0.28 * float(rag.max())
    for x, foot, tall in trees:
        rows = _extent((v[:, 0] > foot - tall) & (v[:, 0] < min(foot, last) + 1 / h))
        columns = _extent(np.abs(u[0] - x) * (w / h) < 0.17 * tall * most + 1 / h)
        y = (f32(foot) - v[rows]) / f32(tall)
        tier = 0.75 + 0.25 * sin(y * (38 if tall > 0.3 else 22) + 3 * math.sin(37 * x) + np.pi / 2)
        wide = 0.17 * tall * f32(power(np.clip(1 - y, 0, 1), 0.9)) * tier * (1 + 0.28 * rag[rows, columns])
        inside = smooth(-0.7 / w, 0.7 / w, wide - np.abs(u[:, columns] - x) * (w / h) * 1.0)
        tree = inside * smooth(-0.5 / h, 0.5 / h, foot - v[rows]) * (y < 1)
        cover[rows, columns] = np.maximum(cover[rows, columns], tree)

    def draw(rows: slice, v: F32, light: F32) -> None:
        light += cover[rows] * (tint * np.clip(1 + f32(depth) * rag[rows], 0.12, 3) - light)

    sheet.paint(draw, 0.1, last)


def _extent(where: Array) -> slice:
    """From the first place to the last."""
    found = np.flatnonzero(where)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def _water(sheet: _Sheet) -> None:
    """The lower half: the upper half mirrored, broken by ripples, with glitter towards the sun."""
    (h, w), u, above = sheet.size, sheet.u, sheet.light
    first = int(np.searchsorted(sheet.v[:, 0], HORIZON, "right"))
    rng, shape = sheet.rng(9), (max(h - first, 1), w)
    ripples, glints = _noise(shape, 1.15, rng, 9.0), _noise(shape, 0.9, rng, 6.0)

    def draw(rows: slice, v: F32, light: F32) -> None:
        own = slice(rows.start - first, rows.stop - first)
        depth = np.clip((v - f32(HORIZON)) / f32(1 - HORIZON), 1e-3, 1)
        ripple = ripples[own] * (f32(0.3) + depth)
        down = np.clip((2 * HORIZON - v) * h + ripple * 26 * depth * h / 2000, 0, HORIZON * h - 1).astype(np.int32)
        across = np.clip(u * w + ripple * 5 * depth * h / 2000, 0, w - 1).astype(np.int32)
        fresnel = f32(0.30) + f32(0.55) * (1 - depth) ** 2
        water = above[:, down, across].clip(0, 30) * fresnel + colour([0.010, 0.022, 0.028])
        sparkle = smooth(1.5, 3.0, glints[own] + f32(0.5) * ripple)
        path = exp(-(((u - f32(SUN[0])) / (f32(0.035) + f32(0.16) * depth)) ** 2))
        light[...] = water + colour(SUN_LIGHT) * (path * sparkle * f32(9))

    sheet.paint(draw, (first + 0.5) / h)


def _reeds(sheet: _Sheet) -> None:
    """Reeds and grass in the near corner, back-lit edges on nearly black stems."""
    light, (h, w), rng = sheet.light, sheet.size, sheet.rng(10)
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
            stem = mix(np.array([0.012, 0.018, 0.006])[:, None], np.array([0.22, 0.16, 0.03])[:, None], rim > 0.35)
            r, k = np.clip(rows, 0, h - 1), np.clip(at, 0, w - 1)
            light[:, r, k] = mix(light[:, r, k], stem * tone, cover)


def render(height: int = 2000, width: int = 3000, seed: int = 1) -> F32:
    """The scene as linear sRGB-primaries light (3, height, width), 1.0 = a white card in the open shade.

    The same seed gives the same scene at every size in its large shapes, not pixel by pixel.
    """
    u, v = (f32((np.arange(n) + 0.5) / n) for n in (width, height))
    sheet = _Sheet(np.empty((3, height, width), np.float32), u[None], v[:, None], seed)
    _sky(sheet)
    _ridges(sheet)
    _cabin(sheet)
    _pines(sheet, colour([0.010, 0.017, 0.009]), 0.6, HORIZON)
    _water(sheet)
    _pines(sheet, colour([0.006, 0.010, 0.005]), 0.7, 1.0)
    _reeds(sheet)
    return np.maximum(sheet.light, 0, out=sheet.light)


@scene("lake", "a mountain lake in the last light, a cabin with lit windows on the far shore")
class Lake(Place):
    """One still layer; white in the open shade is `lux` / π."""

    lux: float = param(1000.0, 0.1, 20000.0, "lx", "illuminance in the open shade")

    def build(self, canvas: Canvas, seed: int) -> Scene:
        """Draw it."""
        height, width = canvas.shape
        white = self.lux / np.pi
        to_rec2020 = (convert("srgb", "rec2020") * white).astype(np.float32)
        rgb = render(height, width, seed)
        for part in strips(height, width):
            mixed = [sum(to_rec2020[c, k] * rgb[k, part] for k in range(3)) for c in range(3)]
            rgb[:, part] = np.maximum(np.stack(mixed), 0)
        v = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height
        water = 2.0 / np.maximum(v - HORIZON, 2.0 / 300)  # the eye is some 2 m above it; the far shore at 300 m
        depth = np.where(v > HORIZON, water, np.where(v > 0.3, 3000, 1e5)).astype(np.float32)
        shade = np.full((3, 1, 1), white, np.float32)
        return Scene("lake", (Layer("lake", rgb, depth),), canvas.margin, shade, self.lux)
