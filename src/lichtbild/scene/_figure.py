"""Figures of limbs and turned things, shaded by the light that comes from their sides.

Local metres: x right, y up. What is drawn later is nearer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import F32
from ._grid import Array, colour, cover, f32, fractal, length, smooth


def _span(at: F32, lo: float, hi: float) -> slice:
    """Where `at` (n,), which rises or falls, lies between lo and hi."""
    inside = np.flatnonzero((at >= lo) & (at <= hi))
    return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)


def _cut(albedo: Array, rows: slice, columns: slice) -> Array:
    """The part of a picture of reflectance; one colour stays as it is."""
    return albedo if albedo.shape[1:] == (1, 1) else albedo[:, rows, columns]


@dataclass
class Figure:
    """A figure in the making: `light` (3, h, w), `alpha` (h, w) and the light from six sides it stands in."""

    x: F32  # (1, w)
    y: F32  # (h, 1)
    px: float
    lux: dict[str, F32]  # (3,) per side
    light: F32
    alpha: F32

    @staticmethod
    def blank(x: F32, y: F32, px: float, lux: dict[str, F32]) -> Figure:
        """Nothing yet at x (1, w), y (h, 1)."""
        shape = (y.shape[0], x.shape[1])
        return Figure(x, y, px, lux, np.zeros((3, *shape), np.float32), np.zeros(shape, np.float32))

    def within(self, x: tuple[float, float], y: tuple[float, float]) -> tuple[Figure, slice, slice]:
        """The part of it between these bounds: what is laid there is laid here."""
        rows, columns = (
            _span(v, lo - 2 * self.px, hi + 2 * self.px) for v, (lo, hi) in ((self.y[:, 0], y), (self.x[0], x))
        )
        light, alpha = self.light[:, rows, columns], self.alpha[rows, columns]
        return Figure(self.x[:, columns], self.y[rows], self.px, self.lux, light, alpha), rows, columns

    def shade(self, albedo: Array, nx: Array, ny: Array, nz: Array, through: float = 0.0) -> F32:
        """cd/m² of a surface with normals nx, ny and nz towards the camera; `through`: share that shines through."""
        sides = (("left", np.maximum(-nx, 0)), ("right", np.maximum(nx, 0)), ("up", np.maximum(ny, 0)), ("front", nz))
        total = 0.12 * colour(self.lux["up"]) + 0 * nz
        for name, share in sides:
            total = total + colour(self.lux[name]) * (share * share)
        total = total + through * colour(self.lux["back"] + self.lux["up"])
        return f32(albedo * total * f32(1 / np.pi))

    def capsule(self, a: tuple[float, float], b: tuple[float, float], r0: float, r1: float, albedo: Array) -> None:
        """A limb from a to b, its radius growing from r0 to r1 (m); nearer than all before."""
        r = max(r0, r1)
        bounds = [(min(p, q) - r, max(p, q) + r) for p, q in zip(a, b, strict=True)]
        part, rows, columns = self.within(bounds[0], bounds[1])
        if not part.alpha.size:
            return
        ax, ay, bx, by = a[0], a[1], b[0] - a[0], b[1] - a[1]
        t = np.clip(((part.x - ax) * bx + (part.y - ay) * by) / f32(bx * bx + by * by + 1e-9), 0, 1)
        dx, dy = part.x - (ax + t * bx), part.y - (ay + t * by)
        radius = r0 + (r1 - r0) * t
        far = length(dx, dy)
        nx, ny = dx / radius, dy / radius
        nz = np.sqrt(np.clip(1 - nx * nx - ny * ny, 0.02, 1))
        part.lay(part.shade(_cut(albedo, rows, columns), nx, ny, nz), cover(radius - far, self.px))

    def lathe(
        self, profile: list[tuple[float, float]], albedo: Array, seed: int, middle: float = 0.0, folds: float = 1.0
    ) -> None:
        """Cloth about an upright axis at x = `middle`: half widths at heights, with folds that deepen downwards."""
        heights, widths = zip(*profile, strict=True)
        wide = max(widths)
        part, rows, columns = self.within((middle - wide, middle + wide), (heights[0] - 0.1, heights[-1]))
        if not part.alpha.size:
            return
        x, y = part.x - f32(middle), part.y
        at = np.interp(y[:, 0], heights, np.arange(len(heights)))
        if not folds:  # what is turned has no corners
            at = np.floor(at) + smooth(0.0, 1.0, at % 1)
        half = f32(np.interp(at, np.arange(len(widths)), widths))[:, None]
        low = np.clip((heights[-1] - y) / (heights[-1] - heights[0]), 0, 1)
        u = x / half
        fold = folds * fractal(u * 2.3 + low * 0.6, y * 1.6 + 0 * u, self.px * 12, 3, 0.5, seed)
        nx = np.clip(u * 0.92 + 0.30 * low * fold, -1, 1)
        nz = np.sqrt(np.clip(1 - nx * nx, 0.03, 1))
        edge = np.minimum(y - heights[0] - 0.02 * fold * low, heights[-1] - y)
        shape = cover(half - np.abs(x), self.px) * cover(edge, self.px)
        part.lay(part.shade(_cut(albedo, rows, columns), nx, 0.35 * (1 - low), nz * (1 - 0.35 * low)), shape)

    def lay(self, light: Array, shape: Array) -> None:
        """Lay a part with its cover over what there is."""
        total = shape + self.alpha * (1 - shape)
        share = shape / np.maximum(total, f32(1e-6))
        self.light += share * (light - self.light)
        self.alpha[...] = total
