"""What things are made of: reflectance (3, h, w) at points a, b (m) of a surface, seen by pixels of pa, pb metres."""

from __future__ import annotations

import numpy as np

from ..types import F32
from ._grid import Array, colour, cover, dice, exp, f32, fractal, mix, pulses, sin, smooth
from ._room import Paint

Rgb = tuple[float, float, float]
SPINES = ((0.12, 0.06, 0.035), (0.30, 0.24, 0.16), (0.07, 0.08, 0.10), (0.45, 0.40, 0.32), (0.20, 0.055, 0.04),
          (0.05, 0.09, 0.08), (0.10, 0.12, 0.18), (0.55, 0.52, 0.46), (0.24, 0.16, 0.06))  # fmt: skip


def _flat(a: Array, b: Array) -> tuple[F32, F32]:
    shape = np.broadcast_shapes(a.shape, b.shape)
    return f32(np.broadcast_to(a, shape)), f32(np.broadcast_to(b, shape))


def plaster(rgb: Rgb, seed: int = 0) -> Paint:
    """A painted wall: roller marks and a faint stain."""

    def paint(a: Array, b: Array, pa: Array, pb: Array) -> Array:
        fine = fractal(a * 60, b * 60, np.maximum(pa, pb) * 60, 4, 0.8, seed)
        wide = fractal(a * 1.3, b * 1.3, np.maximum(pa, pb), 4, 0.5, seed + 1)
        return f32(colour(rgb)) * (1 + 0.035 * fine + 0.03 * wide)

    return paint


def planks(rgb: Rgb, seed: int = 0, wide: float = 0.145) -> Paint:
    """Boards along b, each of its own tone, with grain, knots and dark joints."""

    def paint(a: Array, b: Array, pa: Array, pb: Array) -> Array:
        a, b = _flat(a, b)
        board = np.floor(a / f32(wide))
        shift = 2.4 * dice(board, seed=seed)
        piece = np.floor((b + shift) / f32(2.4))
        tone = 0.72 + 0.5 * dice(board, piece, seed=seed + 1)
        offset = 37 * dice(board, piece, seed=seed + 2)
        bend = fractal(a * 2 + offset, b * 0.6, np.maximum(pa * 2, pb * 0.6), 3, 0.5, seed + 3)
        grain = fractal(a * 70 + 5 * bend + offset, b * 1.8, np.maximum(pa * 70, pb * 1.8), 4, 0.65, seed + 4)
        ring = sin((a * 95 + 7 * bend + offset) * f32(2)) * np.clip(1.2 - pa * 60, 0, 1)
        joint = pulses(a / f32(wide), 0.975, pa / wide) * pulses((b + shift) / f32(2.4), 0.998, pb / 2.4)
        warm = mix(colour(rgb), colour((rgb[0] * 0.8, rgb[1] * 0.62, rgb[2] * 0.45)), np.clip(0.3 * grain + 0.25, 0, 1))
        return f32(warm * (tone * np.clip(1 + 0.16 * grain + 0.06 * ring, 0.3, 2) * mix(0.25, 1.0, joint)))

    return paint


def wood(rgb: Rgb, seed: int = 0, along_a: bool = True) -> Paint:
    """A piece of wood, its grain along a or b."""

    def paint(a: Array, b: Array, pa: Array, pb: Array) -> Array:
        u, v, pu, pv = (b, a, pb, pa) if along_a else (a, b, pa, pb)
        bend = fractal(u * 3, v * 0.8, np.maximum(pu * 3, pv), 3, 0.5, seed)
        u, v = _flat(u, v)
        grain = fractal(u * 80 + 6 * bend, v * 2, np.maximum(pu * 80, pv * 2), 4, 0.65, seed + 1)
        return f32(colour(rgb) * np.clip(1 + 0.20 * grain + 0.08 * bend, 0.3, 2))

    return paint


def cloth(rgb: Rgb, seed: int = 0) -> Paint:
    """Woven cloth: threads where they can be seen, and creases."""

    def paint(a: Array, b: Array, pa: Array, pb: Array) -> Array:
        thread = fractal(a * 350, b * 350, np.maximum(pa, pb) * 350, 3, 0.8, seed)
        crease = fractal(a * 5, b * 3.5, np.maximum(pa, pb) * 5, 4, 0.5, seed + 1)
        return f32(colour(rgb) * np.clip(1 + 0.16 * thread + 0.10 * crease, 0.2, 2))

    return paint


def books(seed: int = 0) -> Paint:
    """Boards with books of all heights and colours, some leaning on a gap."""

    def paint(a: Array, b: Array, pa: Array, pb: Array) -> Array:
        a, b = _flat(a, b)
        row = np.floor(b / f32(0.36))
        up = b - row * f32(0.36)
        lean = 0.10 * (dice(np.floor(a / 0.4), row, seed=seed) - 0.5)
        place = (a + lean * up) / f32(0.033)
        group = np.floor(place / 3)  # thick and thin ones share three widths
        split = 0.6 + 1.8 * dice(group, row, seed=seed + 1)
        inside = place - 3 * group
        book = group * 2 + (inside > split)
        edge = np.minimum(
            np.where(inside > split, inside - split, inside), np.where(inside > split, 3 - inside, split - inside)
        )
        tall = 0.17 + 0.14 * dice(book, row, seed=seed + 2)
        here = cover(tall - up, pb) * cover(edge - 0.05, pa / 0.033) * (dice(group, row, seed=seed + 3) < 0.86)
        pick = (dice(book, row, seed=seed + 4) * len(SPINES)).astype(np.int32)
        tint = f32(SPINES)[pick].transpose(2, 0, 1) * (0.6 + 0.7 * dice(book, row, seed=seed + 5))
        band = pulses((up / tall) * f32(3) + dice(book, row, seed=seed + 8), 0.12, pb * 15)
        spine = tint * (0.75 + 0.5 * smooth(0, 0.5, edge)) * (1 + 1.3 * band * (dice(book, seed=seed + 9) > 0.4))
        back = colour((0.055, 0.035, 0.022)) * (0.4 + 0.8 * smooth(0.36, 0.0, up))
        board = cover(f32(0.028) - up, pb)
        return mix(mix(back, spine, here), colour((0.30, 0.19, 0.11)), board)

    return paint


def rug(seed: int = 0) -> Paint:
    """A woven rug: borders, diamonds, tufts."""

    def paint(a: Array, b: Array, pa: Array, pb: Array) -> Array:
        a, b = _flat(a, b)
        tuft = fractal(a * 220, b * 220, np.maximum(pa, pb) * 220, 4, 0.8, seed)
        u, v = np.abs(((a / 0.42) % 1) - f32(0.5)), np.abs(((b / 0.55) % 1) - f32(0.5))
        soft = np.maximum(pa, pb) * 4 + 0.03
        diamond = cover(0.36 - u - v + 0.02 * tuft, soft)
        inner = cover(0.17 - u - v + 0.02 * tuft, soft)
        stripe = pulses(b / f32(0.11), 0.35, pb / 0.11)
        base = mix(colour((0.15, 0.045, 0.032)), colour((0.22, 0.15, 0.10)), 0.5 * stripe)
        body = mix(mix(base, colour((0.025, 0.035, 0.085)), diamond), colour((0.32, 0.26, 0.18)), inner)
        return f32(body * np.clip(1 + 0.28 * tuft, 0.3, 2))

    return paint


def painting(a0: float, b0: float, wide: float, high: float, seed: int) -> Paint:
    """A framed landscape: sky, hills, a field, in broad strokes."""

    def paint(a: Array, b: Array, pa: Array, pb: Array) -> Array:
        a, b = _flat(a, b)
        u, v = (a - f32(a0)) / wide, (b - f32(b0)) / high
        stroke = fractal(u * 16, v * 28, np.maximum(pa, pb) * 28 / high, 6, 0.6, seed)
        hill = 0.48 + 0.10 * fractal(u * 2.5, 0 * v, pa * 2, 4, 0.5, seed + 1)
        near = 0.28 + 0.06 * fractal(u * 3.5, 0 * v + 5, pa * 3, 4, 0.5, seed + 2)
        sky = mix(colour((0.62, 0.52, 0.38)), colour((0.16, 0.26, 0.42)), smooth(0.4, 1.0, v + 0.05 * stroke))
        body = mix(sky, colour((0.10, 0.14, 0.17)), smooth(-0.01, 0.01, hill - v + 0.012 * stroke))
        body = mix(body, colour((0.22, 0.17, 0.05)), smooth(-0.01, 0.01, near - v + 0.012 * stroke))
        body = body * np.clip(1 + 0.12 * stroke, 0.2, 2)
        rim = np.minimum(np.minimum(u, 1 - u) * wide, np.minimum(v, 1 - v) * high)
        mat = cover(f32(0.09) - rim, np.maximum(pa, pb))
        gilt = cover(f32(0.035) - rim, np.maximum(pa, pb))
        body = mix(body, colour((0.72, 0.69, 0.62)), mat)
        return mix(body, colour((0.30, 0.19, 0.07)) * (1 + 0.6 * sin(rim * f32(400))), gilt)

    return paint


def curtain(rgb: Rgb, folds: float) -> Paint:
    """Hanging cloth in folds; as reflectance or, brighter, as the light that shines through."""

    def paint(a: Array, b: Array, pa: Array, pb: Array) -> Array:
        sway = fractal(a * 3, b * 0.35, np.maximum(pa * 3, pb), 3, 0.5, 88)
        fold = sin(a * f32(folds) + 1.6 * sway) * 0.5 + sin(a * f32(folds * 2.3) + 2.5 * sway) * 0.25
        thread = fractal(a * 500, b * 120, np.maximum(pa * 500, pb * 120), 2, 0.8, 89)
        return f32(colour(rgb) * np.clip(0.62 + 0.42 * fold + 0.05 * thread, 0.12, 1.5))

    return paint


def halo(a0: float, b0: float, size: float, light: F32) -> Paint:
    """A soft round shine about a0, b0; `light` (3,)."""

    def paint(a: Array, b: Array, pa: Array, pb: Array) -> Array:
        return f32(colour(light) * exp(-((a - f32(a0)) ** 2 + (b - f32(b0)) ** 2) / f32(size * size)))

    return paint
