"""Light on a bust: what lights it, and how skin, eyes, wool and hair answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..types import F32
from . import _head
from ._grid import colour, f32, fractal, sin
from ._hair import shine
from ._head import HAIR, Look, P
from ._lamps import kelvin, neon
from ._leaves import SKY_LUX, SKY_RGB, SUN, SUN_LUX, SUN_RGB

Lights = list[tuple[tuple[float, float, float], F32]]


@dataclass(frozen=True)
class Shine:
    """Light on the bust: lamps by direction with lux (3,), and what comes from all around, lux (3,)."""

    lamps: Lights
    around: F32


def lights(place: str) -> Shine:
    """What lights a face there."""
    if place == "garden":
        soft = (SUN, f32(SUN_RGB * SUN_LUX * 0.75))
        return Shine([soft, (_unit(-0.7, 0.5, -0.4), f32(SKY_RGB * SKY_LUX * 0.5))], f32(SKY_RGB * SKY_LUX * 0.55))
    key = (_unit(-0.72, 0.30, -0.62), kelvin(3700.0) * 10)
    rim = (_unit(0.70, 0.22, 0.62), neon("pink") * 8)
    lantern = (_unit(-0.45, 0.60, 0.66), kelvin(2700.0) * 14)
    return Shine([key, rim, lantern], kelvin(3300.0) * 2.0)


def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    size = math.sqrt(x * x + y * y + z * z)
    return x / size, y / size, z / size


def _matt(part: dict[str, F32], shine_on: Shine, wrap: tuple[float, float, float]) -> F32:
    """(3, h, w) lux on something that scatters: light creeps around by `wrap` per channel (blood in skin: red most)."""
    nx, ny, nz = part["nx"], part["ny"], part["nz"]
    total = colour(shine_on.around) * part["open"] * (0.85 + 0.15 * ny)
    w = colour(wrap)
    for k, (to, lux) in enumerate(shine_on.lamps):
        facing = nx * f32(to[0]) + ny * f32(to[1]) + nz * f32(to[2])
        total = total + colour(lux) * (np.clip((facing + w) / (1 + w), 0, 1) * part[f"lit{k}"])
    return f32(total)


def _gloss(part: dict[str, F32], shine_on: Shine, squarings: int, strength: float) -> F32:
    """(3, h, w) cd/m² of highlights: (n·h)^(2^squarings) with Fresnel's rise towards the edge."""
    nx, ny, nz = part["nx"], part["ny"], part["nz"]
    rise = np.clip(1 + nz, 0, 1)
    fresnel = 0.04 + 0.5 * rise * rise * rise * rise
    total = np.zeros((3, *nz.shape), np.float32)
    for k, (to, lux) in enumerate(shine_on.lamps):
        h = _unit(to[0], to[1], to[2] - 1)
        lobe = np.clip(nx * f32(h[0]) + ny * f32(h[1]) + nz * f32(h[2]), 0, 1)
        for _ in range(squarings):
            lobe = lobe * lobe
        total += colour(lux) * (lobe * fresnel * part[f"lit{k}"] * f32(strength))
    return total


def paint(name: str, part: dict[str, F32], p: P, px: float, look: Look, shine_on: Shine) -> F32:
    """(3, h, w) cd/m² of one part at world points p."""
    inside = _head.turned(p)
    if name == "skin":
        light = _head.skin(inside, px, look) * _matt(part, shine_on, (0.38, 0.16, 0.08)) / f32(np.pi)
        fine = fractal(inside[0] * 700, inside[1] * 700, px * 700, 3, 0.8, 24)
        return f32(light + _gloss(part, shine_on, 4, 0.55) * np.clip(0.8 + 0.4 * fine, 0.1, 2))
    if name == "eye":
        return f32(_head.eyeball(inside, px) * _matt(part, shine_on, (0.2, 0.2, 0.2)) / f32(np.pi)
                   + _gloss(part, shine_on, 8, 22.0))  # fmt: skip
    if name == "hair":
        return _hair_light(p, part, px, look, shine_on)
    x, y, _ = p
    if name == "scarf":
        rib = sin(x * f32(700) + 2.2 * sin(y * f32(420))) * sin(y * f32(420) + 0.6) * np.clip(1.4 - px * 900, 0, 1)
        wool = fractal(x * 260, y * 260, px * 260, 4, 0.75, 21)
        albedo = colour(look.scarf) * np.clip(1 + 0.22 * rib + 0.20 * wool, 0.2, 2)
    else:
        twill = sin((x + y) * f32(2600)) * np.clip(1.4 - px * 3200, 0, 1)
        wool = fractal(x * 300, y * 300, px * 300, 4, 0.8, 22)
        fold = fractal(x * 14, y * 7, px * 14, 4, 0.55, 23)
        albedo = colour(look.coat) * np.clip(1 + 0.10 * twill + 0.13 * wool + 0.10 * fold, 0.2, 2)
    fuzz = np.clip(1 + part["nz"], 0, 1)
    return f32(albedo * (1 + 1.2 * fuzz * fuzz) * _matt(part, shine_on, (0.22, 0.22, 0.22)) / f32(np.pi))


def _hair_light(p: P, part: dict[str, F32], px: float, look: Look, shine_on: Shine) -> F32:
    """Light of the body of the hair: bundles of strands that run down from the crown."""
    x, y, z = p
    side = x / np.sqrt(x * x + (z - 0.02) ** 2 + f32(1e-6))
    bundle = fractal(side * 26 + y * 6, y * 5 + 0 * x, px * 260, 6, 0.75, 25)
    fine = fractal(side * 150 + y * 9, y * 14 + 0 * x, px * 1500, 4, 0.8, 26)
    dx, dy, dz = x - f32(0.02) + 0.02 * bundle, y - 0.18 + 0 * x, z - f32(0.01) + 0.02 * fine
    off = dx * part["nx"] + dy * part["ny"] + dz * part["nz"]
    t = [d - off * n for d, n in zip((dx, dy, dz), (part["nx"], part["ny"], part["nz"]), strict=True)]
    size = np.sqrt(t[0] * t[0] + t[1] * t[1] + t[2] * t[2]) + f32(1e-6)
    tangent = (t[0] / size + 0.10 * fine, t[1] / size, t[2] / size + 0.10 * bundle)
    albedo = f32(HAIR[look.hair])
    total = np.zeros((3, *x.shape), np.float32)
    for k, (to, lux) in enumerate(shine_on.lamps):
        facing = part["nx"] * f32(to[0]) + part["ny"] * f32(to[1]) + part["nz"] * f32(to[2])
        rim = np.clip(1 + part["nz"] * 1.25, 0, 1)  # at the edge light comes through
        total += shine(albedo, tangent, [(to, lux)]) * (
            part[f"lit{k}"] * np.clip(0.55 + facing, 0, 1) + 0.45 * rim * rim * (to[2] > 0)
        )
    total += colour(albedo * shine_on.around) * (part["open"] * f32(0.8 / np.pi))
    return f32(total * np.clip(1 + 0.45 * bundle + 0.40 * fine, 0.12, 2.2))
