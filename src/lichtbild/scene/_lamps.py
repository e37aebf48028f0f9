"""Colours of light sources, and how light falls off on its way to a surface.

Colours are linear Rec.2020 with Y = 1: times cd/m² they are light, times candela they are a lamp.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..light import REC2020_LUMA, Xy, rgb_to_xyz, xyz
from ..types import F32
from ._grid import Array, Real, f32

NEON = {  # chromaticities of signs: neon itself, argon with phosphors; eyeballed from the published gamuts of signs
    "red": (0.665, 0.325),
    "pink": (0.43, 0.25),
    "cyan": (0.19, 0.30),
    "green": (0.24, 0.58),
    "blue": (0.17, 0.13),
    "amber": (0.57, 0.42),
}
SODIUM_K = 2000.0


def chroma(at: Xy) -> F32:
    """(3,): light of a chromaticity, Y = 1; what lies outside Rec.2020 is drawn towards white to its border."""
    rgb = np.linalg.solve(rgb_to_xyz("rec2020"), xyz(at))
    least = rgb.min()
    if least < 0:
        t = -least / (1 - least)  # white is (1, 1, 1) and has Y = 1 as well
        rgb = rgb + t * (1 - rgb)
    return f32(rgb)


@functools.cache
def kelvin(temperature: float) -> F32:
    """(3,): a black body of 1000..15000 K, Y = 1. Source: [Krystek1985]."""
    t = temperature
    u = (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t * t) / (1 + 8.42420235e-4 * t + 7.08145163e-7 * t * t)
    v = (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t * t) / (1 - 2.89741816e-5 * t + 1.61456053e-7 * t * t)
    below = 2 * u - 8 * v + 4
    return chroma((3 * u / below, 2 * v / below))


def neon(name: str) -> F32:
    """(3,): a sign's colour, Y = 1."""
    return chroma(NEON[name])


def luminance(light: Array) -> float:
    """Y of one colour (3,)."""
    return float(sum(w * v for w, v in zip(REC2020_LUMA, light.ravel(), strict=True)))


def _power(value: Array, lobe: float) -> Array:
    """value^lobe for lobes of 0, 1/2, 1, 3/2 …: roots and products are the same on every machine."""
    whole = np.ones_like(value)
    for _ in range(int(lobe)):
        whole = whole * value
    return whole * np.sqrt(value) if lobe % 1 else whole


@dataclass(frozen=True)
class Lamps:
    """Sources of light in space, metres, X right, Y up, Z away. A source shines as cos^`lobe` about `axis`.

    `at` (n, 3), `axis` (n, 3) unit, `candela` (n, 3) in the axis' direction, `lobe` (n,), `size` (n,) m: nearer than
    that the light no longer grows.
    """

    at: F32
    axis: F32
    candela: F32
    lobe: F32
    size: F32

    @staticmethod
    def of(rows: list[tuple[tuple[float, float, float], tuple[float, float, float], Array, float, float]]) -> Lamps:
        """From rows (at, axis, candela, lobe, size)."""
        columns = [f32([row[i] for row in rows]) for i in range(5)]
        return Lamps(*columns)

    @staticmethod
    def joined(parts: Sequence[Lamps]) -> Lamps:
        """All sources of `parts`."""
        names = ("at", "axis", "candela", "lobe", "size")
        return Lamps(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))

    def illuminance(self, x: Array, y: Array, z: Array, normal: tuple[Real, Real, Real], wrap: float = 0.0) -> F32:
        """(3, …) lux on surfaces at x, y, z that face `normal`; wrap > 0 lets light creep around (skin, cloth)."""
        shape = np.broadcast_shapes(x.shape, y.shape, z.shape)
        total = np.zeros((3, *shape), np.float32)
        for at, axis, candela, lobe, size in zip(self.at, self.axis, self.candela, self.lobe, self.size, strict=True):
            dx, dy, dz = at[0] - x, at[1] - y, at[2] - z
            d2 = dx * dx + dy * dy + dz * dz + size * size
            inverse = 1 / np.sqrt(d2)
            falls = (dx * normal[0] + dy * normal[1] + dz * normal[2]) * inverse
            leaves = -(dx * axis[0] + dy * axis[1] + dz * axis[2]) * inverse
            falls = np.clip((falls + f32(wrap)) / f32(1 + wrap), 0, 1)
            strength = falls * _power(np.clip(leaves, 0, 1), float(lobe)) / d2
            total += candela.reshape(3, *[1] * len(shape)) * strength
        return total
