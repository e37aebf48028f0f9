"""Solids as distances: round things joined smoothly, and rays that find them.

Points are three arrays x, y, z (m): x right, y up, z away from the camera. A distance is positive outside.
Source: sphere tracing and its bounds [Hart1996].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..types import F32
from ._grid import Array, f32

Solid = Callable[[Array, Array, Array], Array]
Point = tuple[float, float, float]


def ellipsoid(p: tuple[Array, Array, Array], centre: Point, radii: Point) -> Array:
    """Distance to an ellipsoid, exact on it and near enough beside it."""
    u = [(v - f32(c)) / f32(r) for v, c, r in zip(p, centre, radii, strict=True)]
    w = [a / f32(r) for a, r in zip(u, radii, strict=True)]
    k0, k1 = (np.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) for v in (u, w))
    return np.asarray(k0 * (k0 - 1) / np.maximum(k1, f32(1e-6)))


def ball(p: tuple[Array, Array, Array], centre: Point, radius: float) -> Array:
    """Distance to a ball."""
    d = [v - f32(c) for v, c in zip(p, centre, strict=True)]
    return np.asarray(np.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) - f32(radius))


def limb(p: tuple[Array, Array, Array], a: Point, b: Point, r0: float, r1: float) -> Array:
    """Distance to a round limb from a to b whose radius goes from r0 to r1."""
    way = [bb - aa for aa, bb in zip(a, b, strict=True)]
    d = [v - f32(c) for v, c in zip(p, a, strict=True)]
    along = sum(v * f32(w) for v, w in zip(d, way, strict=True)) / f32(sum(w * w for w in way))
    t = np.clip(along, 0, 1)
    e = [v - t * f32(w) for v, w in zip(d, way, strict=True)]
    return np.asarray(np.sqrt(e[0] * e[0] + e[1] * e[1] + e[2] * e[2]) - (f32(r0) + f32(r1 - r0) * t))


def ring(p: tuple[Array, Array, Array], centre: Point, radius: float, thick: float) -> Array:
    """Distance to a level ring (torus)."""
    x, y, z = (v - f32(c) for v, c in zip(p, centre, strict=True))
    off = np.sqrt(x * x + z * z) - f32(radius)
    return np.asarray(np.sqrt(off * off + y * y) - f32(thick))


def join(a: Array, b: Array, soft: float) -> Array:
    """Union with a fillet about `soft` wide."""
    h = np.clip(f32(0.5) + (b - a) * f32(0.5 / soft), 0, 1)
    return np.asarray(b + (a - b) * h - f32(soft) * h * (1 - h))


def carve(a: Array, b: Array, soft: float) -> Array:
    """`a` without `b`, the edge rounded."""
    return -join(-a, b, soft)


def march(solid: Solid, x: F32, y: F32, near: float, far: float, steps: int = 56) -> tuple[F32, F32]:
    """Rays along z through x, y (n,) meet `solid`: z of the meeting (n,), and how far inside its outline (n,).

    The second is the least distance along the ray: positive where the ray misses, negative within the outline; it is
    smooth across the edge, so that an outline can be drawn sharper than the rays are dense.
    """
    z, least = np.full(x.shape, near, np.float32), np.full(x.shape, 1.0, np.float32)
    alive = np.arange(len(x))
    for _ in range(steps):
        d = f32(solid(x[alive], y[alive], z[alive]))
        least[alive] = np.minimum(least[alive], d)
        z[alive] += np.maximum(d, 0) * f32(0.85)  # joined ellipsoids are no exact distances: go carefully
        alive = alive[(d > 2e-4) & (z[alive] < far)]
        if not len(alive):
            break
    met = np.flatnonzero((least < 1e-3) & (z < far))
    deep = least[met].copy()
    for k in range(1, 9):  # how deep the ray goes
        deep = np.minimum(deep, f32(solid(x[met], y[met], z[met] + f32(0.014 * k))))
    least[met] = deep
    return z, least


def normal(solid: Solid, x: F32, y: F32, z: F32) -> tuple[F32, F32, F32]:
    """Unit normals (n,) at points on the surface."""
    e = f32(7e-4)
    corners = ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1))  # of a tetrahedron: four samples for three slopes
    d = [solid(x + e * a, y + e * b, z + e * c) for a, b, c in corners]
    n = [sum(v * f32(k[i]) for v, k in zip(d, corners, strict=True)) for i in range(3)]
    size = np.maximum(np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]), f32(1e-9))
    return f32(n[0] / size), f32(n[1] / size), f32(n[2] / size)


def openness(solid: Solid, p: tuple[F32, F32, F32], n: tuple[F32, F32, F32]) -> F32:
    """0..1: how little stands about points above the surface; what light from all around is left."""
    total = np.zeros_like(p[0])
    for k, reach in enumerate((0.006, 0.016, 0.035, 0.06)):
        d = solid(*(v + w * f32(reach) for v, w in zip(p, n, strict=True)))
        total += (f32(reach) - d) * f32(0.62**k / reach)
    return f32(np.clip(1 - 0.42 * total, 0.05, 1))


def shadow(solid: Solid, p: tuple[F32, F32, F32], n: tuple[F32, F32, F32], to: Point, soft: float) -> F32:
    """0..1: light from the direction `to` (unit); `soft` is the tangent of half the source's angle."""
    share = np.ones_like(p[0])
    at = np.full_like(p[0], 0.008)
    for _ in range(16):
        d = f32(solid(*(v + w * f32(0.004) + at * f32(t) for v, w, t in zip(p, n, to, strict=True))))
        share = np.minimum(share, np.clip(0.5 + d / (2 * f32(soft) * at), 0, 1))
        at += np.clip(d, 0.005, 0.04)
    return f32(share * share * (3 - 2 * share))
