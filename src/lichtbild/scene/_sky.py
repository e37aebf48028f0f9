"""Skies: the glow over a town with stars and a moon in haze, and a day's sky with clouds."""

from __future__ import annotations

import numpy as np

from ..types import F32
from ._grid import colour, exp, f32, fractal, in_strips, length, mix, smooth
from ._lamps import kelvin
from .spec import Canvas

MAG0_LUX = 2.54e-6  # a star of magnitude 0


def night(canvas: Canvas, focal: float, horizon: float, moon: tuple[float, float], seed: int) -> F32:
    """(3, H, W) cd/m²: town glow from below, thin cloud, stars, a moon at the canvas position `moon`."""
    below = int(np.searchsorted(canvas.y[:, 0], horizon)) + 2  # under the horizon nobody sees it
    out = stars(canvas, focal, seed)
    x = canvas.x

    def strip(part: slice) -> None:
        y = canvas.y[:below][part]
        height = np.clip(horizon - y, 0, None) / focal
        glow = 0.020 * exp(-height / 0.10) + 0.007 * exp(-height / 0.45) + 0.0012
        tint = mix(colour((0.45, 0.62, 1.25)), colour(kelvin(2400.0)), exp(-height / 0.16))
        far = length(x - f32(moon[0]), y - f32(moon[1])) / f32(focal)
        cloud = fractal(x * 1.6, y * 4.2, canvas.px * 4.2, 7, 0.55, 60 + seed)
        cloud = smooth(-0.3, 1.8, cloud + 0.3 * fractal(x * 5, y * 9, canvas.px * 9, 5, 0.6, 61 + seed))
        haze = 0.012 / (far + 0.012) * exp(-far / 0.25)
        light = tint * glow * (1 + 1.6 * cloud) + colour(kelvin(4600.0)) * (haze * (0.35 + 1.3 * cloud))
        light = f32(light) + out[:, part] * (1 - 0.9 * cloud)
        disc = smooth(0.00445 + canvas.px, 0.00445 - canvas.px, far)
        maria = 0.8 + 0.2 * fractal((x - f32(moon[0])) * 160, (y - f32(moon[1])) * 160, canvas.px * 160, 4, 0.5, 62)
        out[:, part] = light + colour(kelvin(4500.0)) * (disc * 2200 * maria * (1 - 0.75 * cloud))

    in_strips(len(canvas.y[:below]), x.shape[1], strip)
    return out


def stars(canvas: Canvas, focal: float, seed: int, count: int = 900) -> F32:
    """(3, H, W) cd/m²: point sources; their illuminance, not their luminance, is the same at every size."""
    rng = np.random.default_rng([seed, 17])
    spread = max(canvas.shape) * canvas.px
    x, y = rng.uniform(-spread, spread, (2, count))
    magnitude = 6.3 + np.log10(1 - rng.random(count)) / 0.51  # counts grow as 10^(0.51 m)
    warm = rng.uniform(3500, 12000, count).round(-2)
    light = np.zeros((3, *canvas.shape), np.float32)
    solid = (canvas.px / focal) ** 2
    for xs, ys, m, k in zip(x, y, magnitude, warm, strict=True):
        column, row = canvas.pixel(xs, ys)
        i, j = int(np.floor(row)), int(np.floor(column))
        if not (0 <= i < canvas.shape[0] - 1 and 0 <= j < canvas.shape[1] - 1):
            continue
        ty, tx = row - i, column - j
        share = np.outer([1 - ty, ty], [1 - tx, tx])
        light[:, i : i + 2, j : j + 2] += colour(kelvin(float(k))) * f32(share * (MAG0_LUX * 10 ** (-0.4 * m) / solid))
    return light


def day(x: F32, y: F32, px: float, focal: float, horizon: float, sun: tuple[float, float], seed: int) -> F32:
    """(3, h, w) cd/m² at canvas positions x (1, w), y (h, 1): blue that pales to the horizon, fair-weather clouds.

    `sun`: its place on the canvas or off it.
    """
    cover = 0.5
    height = np.clip(horizon - y, 0.004, None) / focal
    blue = mix(colour((3900.0, 4700.0, 5400.0)), colour((820.0, 1650.0, 3700.0)), smooth(0.0, 0.62, height))
    far = length(x - f32(sun[0]), y - f32(sun[1])) / f32(focal)
    blue = blue + colour(kelvin(5200.0)) * (2600 * exp(-far / 0.22) + 9000 * exp(-far / 0.06))
    dome = 0.35 / (height + 0.22)  # clouds lie in a layer: nearer to the horizon they are smaller
    u, v = x * dome, dome * f32(2.2)
    u, v = np.broadcast_arrays(u, v)
    width = px * dome * 5
    big = fractal(u * 2.2, v * 3.2, width, 8, 0.52, 70 + seed)
    lit = fractal(u * 2.2 + f32(0.10), v * 3.2 - f32(0.16), width, 6, 0.52, 70 + seed)
    body = smooth(0.75 - 1.5 * cover, 2.0 - 1.5 * cover, big)
    shade = np.clip(0.72 + 0.30 * (big - lit) - 0.22 * body, 0.25, 1.15)
    white = colour((1.0, 0.99, 0.98)) * (12500 * shade) + colour((300.0, 500.0, 900.0))
    return f32(mix(blue, white * (0.62 + 0.38 * smooth(0.0, 0.2, height)), 0.93 * body))
