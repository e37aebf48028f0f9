"""The ground of a street: asphalt and paving, and in the rain's film the town upside down.

A wet road is a rough mirror. Its slopes spread a lamp's image far along the line of sight and little across it, so a
lamp becomes a streak; in puddles the water is flat and the image whole. How much is mirrored follows Fresnel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import F32
from ._grid import (
    Array,
    box_blur,
    colour,
    cover,
    dice,
    enlarge,
    enlarge_rows,
    f32,
    fractal,
    in_strips,
    mix,
    pulses,
    smooth,
)
from ._view import View

ROAD = 0.62  # part of the way to the walls that is road; beyond lie the pavements
WATER_N = 1.33


def grazing(eye: float, z: float) -> float:
    """What water mirrors of something far, where the ground lies at the distance z."""
    return float(fresnel(np.array([eye / (eye * eye + z * z) ** 0.5]))[0])


def fresnel(sine: Array, n: float = WATER_N) -> Array:
    """Reflectance (unpolarised) at the grazing angle whose sine is given."""
    inside = np.sqrt(1 - (1 - sine * sine) / f32(n * n))
    s = (sine - n * inside) / (sine + n * inside)
    p = (n * sine - inside) / (n * sine + inside)
    return np.asarray((s * s + p * p) / 2)


@dataclass(frozen=True)
class Mirror:
    """The town upside down, sharp and ever more spread; each (3, h, w) over the same rows, the coarse ones smaller."""

    sharp: F32
    rough: F32  # half size
    streak: F32  # quarter size

    @staticmethod
    def of(image: F32, height: int) -> Mirror:
        """Spread `image` as slopes of some degrees do; `height` of the frame in pixels."""
        half = _halve(image)
        quarter = _halve(half)
        rough = box_blur(box_blur(half, round(height * 0.006), 1), round(height * 0.0012), 2)
        streak = box_blur(box_blur(quarter, round(height * 0.0115), 1), round(height * 0.0012), 2)
        return Mirror(image, rough, streak)


def _halve(image: F32) -> F32:
    """Mean of 2x2 pixels; an odd last row or column is repeated."""
    even = np.pad(image, ((0, 0), (0, image.shape[1] % 2), (0, image.shape[2] % 2)), mode="edge")
    return f32((even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 4)


def draw(view: View, sides: tuple[float, float], image: F32, lux: F32, wet: float, seed: int) -> F32:
    """(3, h, w) light of the rows that see the ground. `image`: the mirrored town there; `lux` on it, on any grid."""
    _, z = view.ground()
    shape = image.shape[1:]
    mirror = Mirror.of(image, view.canvas.height)
    rough, streak = enlarge(mirror.rough, shape), enlarge(mirror.streak, shape)
    out = np.empty_like(image)

    def strip(part: slice) -> None:
        ground = _surface(view, sides, z[part], seed)
        level = [image, rough, streak]
        out[:, part] = _wet(view, ground, level, enlarge_rows(lux, part, shape), wet, part, z)

    in_strips(image.shape[1], image.shape[2], strip)
    return out


@dataclass(frozen=True)
class _Ground:
    albedo: Array  # (3, h, w) or broadcast
    pool: Array  # 0 rough .. 1 flat water
    tilt: Array  # of the surface, arbitrary units of 0 mean
    dry: Array  # 0..1: what sheds its water


def _surface(view: View, sides: tuple[float, float], z: F32, seed: int) -> _Ground:
    """What the ground is made of at Z (h, 1) and every column."""
    x = view.across(z)
    px, pz = view.canvas.px * z / view.focal, view.canvas.px * z * z / (view.focal * view.eye)
    wide = np.maximum(px, pz * 0.5)
    kerbs = [side * ROAD for side in sides]
    off = np.maximum(kerbs[0] - x, x - kerbs[1])  # > 0 on the pavements
    grain = fractal(x * 30, z * 30, wide * 30, 5, 0.75, 21 + seed)
    patch = fractal(x * 0.45, z * 0.16, wide * 0.45, 6, 0.55, 22 + seed)
    asphalt = 0.055 * np.clip(1 + 0.35 * grain + 0.12 * patch, 0.2, 3)
    dashes = cover(0.06 - np.abs(x - (kerbs[0] + kerbs[1]) / 2), px) * pulses(z / f32(4.5), 0.5, pz / 4.5)
    asphalt = mix(asphalt, 0.42 * np.clip(1 + 0.3 * grain, 0.3, 1.6), 0.8 * dashes)
    row, slab = np.floor(z / f32(0.55)), x / f32(0.8)
    joint = pulses(z / f32(0.55), 0.95, pz / 0.55) * pulses(slab + 0.5 * (row % 2), 0.965, px / 0.8)
    tone = 0.85 + 0.3 * dice(np.floor(slab + 0.5 * (row % 2)), row, seed=23)
    stone = 0.16 * joint * tone * np.clip(1 + 0.12 * grain + 0.1 * patch, 0.3, 2)
    paved = cover(off, px)
    kerb = cover(0.09 - np.abs(off - 0.09), px)
    gutter = smooth(0.7, 0.0, -off) * (off < 0)
    albedo = mix(mix(asphalt, stone, paved), 0.22, kerb) * (1 - 0.5 * cover(0.02 - np.abs(off + 0.02), px))
    puddle = smooth(0.35, 0.85, patch + 0.9 * gutter - 0.5 * paved - 0.05 * grain)
    ripple = fractal(x * 3.2, z * 1.1, wide * 3.2, 4, 0.6, 24 + seed)
    tilt = (1 - puddle) * (0.6 * grain + 0.5 * ripple) + puddle * 0.12 * ripple + paved * (tone - 1) * 3
    tint = colour((1.04, 1.0, 0.93))
    return _Ground(albedo[None] * tint, puddle * (1 - paved * 0.5), tilt, paved * 0.35 + kerb * 0.3)


def _wet(view: View, ground: _Ground, level: list[F32], lux: F32, wet: float, part: slice, z: F32) -> F32:
    """Diffuse light of the wet ground and what it mirrors, for the rows `part`."""
    h, w = level[0].shape[1:]
    at = z[part]
    sine = view.eye / np.sqrt(at * at + f32(view.eye**2))
    shine = fresnel(np.clip(sine + 0.02 * ground.tilt, 0.02, 1)) * wet
    jump = ground.tilt * f32(0.010 * view.canvas.height)
    rows = np.arange(part.start, part.stop, dtype=np.float32)[:, None] + jump
    rows = np.clip(np.rint(rows), 0, h - 1).astype(np.int32)
    columns = np.arange(w, dtype=np.float32)[None, :] + jump * 0.12
    columns = np.clip(np.rint(columns), 0, w - 1).astype(np.int32)
    index = rows * w + columns
    flat = ground.pool * min(1.0, wet)
    mirrored = np.empty((3, *index.shape), np.float32)
    for c in range(3):
        sharp = level[0][c].ravel()[index]
        soft = 0.45 * level[1][c].ravel()[index] + 0.55 * level[2][c].ravel()[index]
        mirrored[c] = mix(soft, sharp, flat)
    damp = 1 - 0.45 * wet * (1 - ground.dry)  # a film of water darkens what lies below
    body = ground.albedo * damp * lux * f32(1 / np.pi)
    keep = (1 - 0.55 * ground.dry) * (0.30 + 0.70 * flat)
    return f32(body * (1 - shine) + mirrored * (shine * keep))
