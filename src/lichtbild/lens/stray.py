"""Light that goes astray: the far skirts of every spread, halos of scattering glass, and the veil over everything.

Skirts are wide and smooth, so they are made from means over tents of 16x16 pixels, every eighth pixel: a pyramid of
blobs, each about twice as wide as the one before (6, 10, 19 … pixels), mixed and interpolated. All steps keep the
centroid of light in its place. The skirt of diffraction falls as 1/r³: each doubling of the radius holds half as much
light. Scattering holds as much in each.
Source: [Goodman2005] for the fall of diffraction.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..types import F32, F64

SKIRT = 8  # pixels between nodes; the same as in kernels/lens.py
LEVELS = 7  # blobs of up to some 300 px


def mixture(diffraction: float, halo: float) -> F64:
    """(LEVELS,): how much of a skirt lies in each blob, sum 1, for shares of light in diffraction's skirt and halos."""
    fall = 0.5 ** np.arange(LEVELS)
    total = diffraction * fall / fall.sum() + halo / LEVELS
    return np.asarray(total / total.sum() if diffraction + halo > 0 else fall / fall.sum())


def transfer(fx: F64, fy: F64, weights: F64) -> F64:
    """Transfer function of such a mixture at frequencies in cycles/px: the tent, a
    quadratic and a linear spline, halvings and doublings between."""
    total = np.zeros(np.broadcast(fx, fy).shape)
    for level, weight in enumerate(weights):
        total = total + weight * _axis(fx, level) * _axis(fy, level)
    return np.asarray(total)


def _axis(f: F64, level: int) -> F64:
    out = np.sinc(SKIRT * f) ** 7
    for step in (SKIRT * 2**n for n in range(level)):
        out = out * (0.75 * np.cos(np.pi * step * f) + 0.25 * np.cos(3 * np.pi * step * f)) ** 2
    return np.asarray(out)


def reduced(light: F32) -> F32:
    """Means of `light` (3, H, W) around every eighth pixel, its border repeated: (3, ceil(H / 8), ceil(W / 8))."""
    out = np.empty((3, -(-light.shape[1] // SKIRT), -(-light.shape[2] // SKIRT)), np.float32)
    kernels.call("lens_reduce", light=light, output=out)
    return out


def reduced_twin(light: F32) -> F32:
    """`reduced` in NumPy."""
    tent = 1 - np.abs(np.arange(2 * SKIRT) - SKIRT + 0.5) / SKIRT
    out = np.pad(light, [(0, 0), *((SKIRT // 2, 2 * SKIRT) for _ in range(2))], mode="edge").astype(np.float64)
    for axis, size in ((1, light.shape[1]), (2, light.shape[2])):
        at = np.arange(-(-size // SKIRT)) * SKIRT
        out = sum((w * np.take(out, at + k, axis) for k, w in enumerate(tent / SKIRT)), np.zeros(()))
    return np.asarray(out, np.float32)


def blobs(small: F32, weights: F64) -> F32:
    """Mix the pyramid above `small` (3, h, w): the same size, the same mean light, spread as `weights` say."""
    levels = [small]
    for _ in weights[1:]:
        levels.append(_halved(levels[-1]))
    total = levels[-1] * np.float32(weights[-1])
    for level, weight in zip(levels[-2::-1], weights[-2::-1], strict=True):
        total = _doubled(total, level.shape) + level * np.float32(weight)
    return np.asarray(total, np.float32)


def _halved(a: F32) -> F32:
    """The transpose of `_doubled`: each pixel is shared by the two that lie around it."""
    for axis in (1, 2):
        odd = a.shape[axis] % 2
        p = np.pad(a, [(1, 1 + odd) if n == axis else (0, 0) for n in range(3)], mode="edge")
        at = np.arange(0, a.shape[axis], 2)
        outer, inner = (np.take(p, at + k, axis) + np.take(p, at + 3 - k, axis) for k in (0, 1))
        a = np.float32(0.125) * outer + np.float32(0.375) * inner
    return np.asarray(a)


def _doubled(a: F32, shape: tuple[int, ...]) -> F32:
    """Bilinear between the middles of pixels, cut to `shape`."""
    for axis in (1, 2):
        p = np.pad(a, [(1, 1) if n == axis else (0, 0) for n in range(3)], mode="edge")
        before, at, after = (np.take(p, range(k, k + a.shape[axis]), axis) for k in range(3))
        near = at * np.float32(0.75)
        pair = np.stack([near + before * np.float32(0.25), near + after * np.float32(0.25)], axis + 1)
        a = pair.reshape(*a.shape[:axis], 2 * a.shape[axis], *a.shape[axis + 1 :])
    return np.asarray(a[:, : shape[1], : shape[2]])


def at_nodes(small: F32, u: F32, v: F32) -> F32:
    """(3, gh, gw): values at pixels u, v (3, gh, gw) of the light that `small` was made from.

    The quadratic B-spline smooths, and so does not care where between the nodes of `small` a place lies.
    """
    out = np.empty(u.shape, np.float32)
    kernels.call("lens_skirt", small=small, u=_coarse(u), v=_coarse(v), output=out)
    return out


def at_nodes_twin(small: F32, u: F32, v: F32) -> F32:
    """`at_nodes` in NumPy."""
    out = np.zeros(u.shape)
    parts = [_spline(np.clip(_coarse(p), 0, n - 1), n) for p, n in zip((v, u), small.shape[1:], strict=True)]
    for j, wv in zip(*parts[0], strict=True):
        for i, wu in zip(*parts[1], strict=True):
            out += wv * wu * np.stack([plane[j[c], i[c]] for c, plane in enumerate(small)])
    return out.astype(np.float32)


def _coarse(places: F32) -> F32:
    return np.asarray((places + np.float32(0.5)) / np.float32(SKIRT) - np.float32(0.5))


def _spline(place: F32, size: int) -> tuple[list[NDArray[np.intp]], list[F32]]:
    middle = np.floor(place + 0.5).astype(np.intp)
    t = place - middle
    return [np.clip(middle + k, 0, size - 1) for k in (-1, 0, 1)], [
        (0.5 - t) ** 2 / 2,
        0.75 - t * t,
        (0.5 + t) ** 2 / 2,
    ]
