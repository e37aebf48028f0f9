"""Walkers: figures of capsules, shaded by the light that comes from six sides, each a layer of its own that moves.

Local metres: x right, y up from the ground between the feet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..types import F32
from ._figure import Figure
from ._grid import Array, box_blur, colour, cover, exp, f32, fractal, length, mix, sin, smooth
from ._lamps import Lamps
from ._street_ground import grazing
from ._view import View
from .types import Layer, Motion, Sway

SIDES = {"left": (-1.0, 0.0, 0.0), "right": (1.0, 0.0, 0.0), "up": (0.0, 1.0, 0.0), "front": (0.0, 0.0, -1.0),
         "back": (0.0, 0.0, 1.0)}  # fmt: skip
SKIN = (0.40, 0.24, 0.16)
PATH_M = 1.25  # a step's length, left and right


@dataclass(frozen=True)
class Walker:
    """Where a figure walks and what it wears. `speed` in m/s: along X positive to the right, along Z away."""

    x: float
    z: float
    tall: float = 1.75
    stride: float = 0.5  # -1..1: how far the legs are apart
    speed: tuple[float, float] = (0.0, 0.9)
    coat: tuple[float, float, float] = (0.05, 0.05, 0.07)
    trousers: tuple[float, float, float] = (0.03, 0.03, 0.045)
    umbrella: tuple[float, float, float] | None = None
    bag: tuple[float, float, float] | None = None
    skirt: bool = False
    seed: int = 0


def around(lamps: Lamps, at: tuple[float, float, float], ambient: Array) -> dict[str, F32]:
    """Illuminance (3,) lux on the five sides of something small at a place; `ambient` (3,) comes from everywhere."""
    x, y, z = (np.full((1, 1), v, np.float32) for v in at)
    return {k: f32(lamps.illuminance(x, y, z, n, 0.25)[:, 0, 0] + f32(ambient)) for k, n in SIDES.items()}


def _legs(figure: Figure, w: Walker, s: float, legs: Array) -> None:
    """Two legs in stride, with shoes."""
    shoe = colour((0.02, 0.018, 0.018))
    for side, swing in ((-1, -w.stride), (1, w.stride)):
        hip, knee, foot = 0.085 * side, 0.08 * side + 0.07 * swing, 0.075 * side + 0.15 * swing
        lift = 0.05 * max(0.0, -swing)
        figure.capsule((knee * s, 0.48 * s), (foot * s, (0.10 + lift) * s), 0.062 * s, 0.045 * s, legs)
        heel, toe = (foot * s, (0.05 + lift) * s), ((foot + 0.03 * swing) * s, (0.04 + lift) * s)
        figure.capsule(heel, toe, 0.048 * s, 0.042 * s, shoe)
        figure.capsule((hip * s, 0.90 * s), (knee * s, 0.47 * s), 0.092 * s, 0.066 * s, legs)


def _arms(figure: Figure, w: Walker, s: float, coat: Array) -> None:
    """Two arms that swing against the legs, or one that holds an umbrella up."""
    for side, swing in ((-1, 0.5 * w.stride), (1, -0.5 * w.stride)):
        shoulder, elbow = (0.175 * side * s, 1.40 * s), ((0.235 * side + 0.04 * swing) * s, 1.13 * s)
        hand = ((0.235 * side + 0.12 * swing) * s, 0.89 * s)
        if w.umbrella is not None and side > 0:
            elbow, hand = (0.25 * s, 1.17 * s), (0.12 * s, 1.27 * s)
        figure.capsule(hand, (hand[0], hand[1] - 0.06 * s), 0.034 * s, 0.026 * s, colour(SKIN))
        figure.capsule(elbow, hand, 0.050 * s, 0.040 * s, coat)
        figure.capsule(shoulder, elbow, 0.062 * s, 0.052 * s, coat)


def _dress(figure: Figure, w: Walker) -> None:
    """Legs, coat, arms, head, from the far side to the near."""
    s, away = w.tall / 1.75, w.speed[1] > 0
    weave = fractal(figure.x * 60, figure.y * 60, figure.px * 60, 3, 0.8, w.seed)
    coat, legs = colour(w.coat) * (1 + 0.10 * weave), colour(w.trousers) * (1 + 0.08 * weave)
    _legs(figure, w, s, legs)
    hem = 0.50 if w.skirt else 0.74
    flare = 0.27 if w.skirt else 0.20
    profile = ((hem, flare), (0.90, 0.205), (1.06, 0.165), (1.28, 0.195), (1.40, 0.205), (1.455, 0.15), (1.50, 0.06))
    figure.lathe([(y * s, r * s) for y, r in profile], coat, w.seed)
    belt = cover(f32(0.022 * s) - np.abs(figure.y - 1.05 * s), figure.px) * cover(
        0.17 * s - np.abs(figure.x), figure.px
    )
    figure.lay(figure.light * 0.55, belt * figure.alpha)
    _arms(figure, w, s, coat)
    if w.bag is not None:
        figure.lathe(
            [(0.60 * s, 0.13), (0.64 * s, 0.16), (0.84 * s, 0.15), (0.86 * s, 0.12)], colour(w.bag), 5, -0.25 * s
        )
    hair = colour((0.035, 0.022, 0.014)) * (1 + 0.25 * weave)
    figure.capsule((0, 1.46 * s), (0, 1.54 * s), 0.055 * s, 0.052 * s, colour(SKIN) * 0.7)
    figure.capsule((0, 1.585 * s), (0, 1.665 * s), 0.066 * s, 0.080 * s, hair if away else colour(SKIN))
    if not away:
        figure.capsule((-0.012 * s, 1.695 * s), (0.012 * s, 1.70 * s), 0.076 * s, 0.074 * s, hair)
        for side in (-1, 1):
            figure.capsule((0.028 * side * s, 1.64 * s), (0.034 * side * s, 1.64 * s), 0.012 * s, 0.012 * s, hair)
    figure.lathe([(1.435 * s, 0.10 * s), (1.47 * s, 0.085 * s), (1.51 * s, 0.066 * s)], coat * 1.15, 7)


def _umbrella(figure: Figure, w: Walker) -> None:
    """A dome of eight ribs over the head; light from above and behind shines through."""
    if w.umbrella is None:
        return
    s = w.tall / 1.75
    x0, y0, wide, high = 0.06 * s, 1.80 * s, 0.56, 0.30
    stick = cover(0.008 - np.abs(figure.x - 0.10 * s), figure.px) * cover(
        np.minimum(figure.y - 1.2 * s, y0 + high + 0.05 - figure.y), figure.px
    )
    figure.lay(np.full((3, 1, 1), 0.03, np.float32), stick * min(1.0, 0.016 / figure.px))
    u, v = (figure.x - x0) / f32(wide), (figure.y - y0) / f32(high)
    radius = length(u, np.maximum(v, 0))
    scallop = 0.10 * np.abs(sin(np.clip(u, -1, 1) * f32(2 * np.pi)))
    shape = cover((1 - radius) * high, figure.px) * cover((v - scallop) * high, figure.px)
    nz = np.sqrt(np.clip(1 - radius * radius, 0.03, 1))
    along = np.clip(u / np.sqrt(np.clip(1 - v * v, 0.05, 1)), -1, 1)
    rib = 1 - 0.25 * smooth(0.12, 0.0, np.abs(sin(along * f32(2 * np.pi))))
    figure.lay(figure.shade(colour(w.umbrella) * rib, u, np.maximum(v, 0.1), nz, 0.45), shape)


def crowd(seed: int) -> list[Walker]:
    """Who is about: first those who make the picture."""
    rng = np.random.default_rng([seed, 14])
    stride = rng.uniform(0.45, 1.0, 8) * np.sign(rng.standard_normal(8))
    tall = rng.uniform(1.62, 1.86, 8)
    return [
        Walker(0.55, 7.6, tall[0], stride[0], (0.0, 1.0), (0.06, 0.05, 0.045), umbrella=(0.34, 0.02, 0.02), skirt=True),
        Walker(3.75, 9.6, tall[1], stride[1], (0.15, 0.0), (0.13, 0.10, 0.07), bag=(0.20, 0.12, 0.05), seed=1),
        Walker(-3.9, 12.5, tall[2], stride[2], (0.0, -1.1), (0.05, 0.07, 0.11), (0.02, 0.02, 0.03), seed=2),
        Walker(4.3, 15.5, tall[3], stride[3], (0.0, 1.2), (0.16, 0.14, 0.12), umbrella=(0.03, 0.05, 0.10), seed=3),
        Walker(-4.1, 19.0, tall[4], stride[4], (0.0, 0.9), (0.10, 0.03, 0.03), seed=4),
        Walker(3.6, 24.0, tall[5], stride[5], (0.0, -0.8), (0.04, 0.04, 0.05), umbrella=(0.05, 0.05, 0.05), seed=5),
        Walker(1.6, 30.0, tall[6], stride[6], (-1.0, 0.0), (0.05, 0.05, 0.06), seed=6),
    ]


def walker(view: View, w: Walker, lamps: Lamps, ambient: Array, wet: float) -> Layer | None:
    """The layer of one figure with its likeness in the wet ground; None where the frame does not show it."""
    top = w.tall + 0.5
    scale = view.focal / w.z
    u, v = view.screen(w.x, 0.0, w.z)
    rows, columns = view.canvas.box(u - 0.75 * scale, v - top * scale, u + 0.75 * scale, v + 0.8 * w.tall * scale)
    if rows.stop - rows.start < 2 or columns.stop - columns.start < 2:
        return None
    x = view.across(w.z, columns) - f32(w.x)
    y = view.up(w.z, rows)
    lux = around(lamps, (w.x, 1.2, w.z), ambient)
    px = view.metre_px(w.z)
    figure = Figure.blank(x, y, px, lux)
    _dress(figure, w)
    _umbrella(figure, w)
    if wet > 0:
        _reflect(figure, view, w, wet, lux)
    metre = view.canvas.height * scale
    growth = -w.speed[1] / w.z
    pivot = view.canvas.pixel(view.vanish_x, view.horizon)
    bob = Sway((0.0, 0.02 * metre), abs(w.speed[1] + w.speed[0]) / PATH_M * 2, math.tau * 0.2)
    motion = Motion((w.speed[0] * metre, 0.0), bob, 0.0, growth, pivot)
    depth = np.full((1, 1), w.z, np.float32)
    return Layer("walker", figure.light, depth, figure.alpha, motion, 0.0, rows.start, columns.start)


def _reflect(figure: Figure, view: View, w: Walker, wet: float, lux: dict[str, F32]) -> None:
    """Below the feet: the figure upside down, spread by the road's slopes and fading, and its dark contact."""
    mirror = Figure.blank(figure.x, -figure.y, figure.px, lux)
    _dress(mirror, w)
    below = figure.y < 0
    spread = max(1, round(0.05 / figure.px))
    alpha = box_blur(box_blur(mirror.alpha * below, spread, 0), max(1, spread // 6), 1)
    light = box_blur(box_blur(mirror.light * mirror.alpha * below, spread, 1), max(1, spread // 6), 2)
    light = f32(light / np.maximum(alpha, f32(1e-3)))
    shine = grazing(view.eye, w.z) * wet
    damp = 0.05 * colour(lux["up"]) / f32(np.pi)
    strength = f32(0.85 * wet) * np.minimum(alpha, 1) * exp(np.minimum(figure.y, 0) * f32(0.9)) * below
    body = mix(damp * (1 - shine), light, f32(shine))
    free = np.clip(1 - figure.alpha, 0, 1)
    total = figure.alpha + strength * free
    share = strength * free / np.maximum(total, f32(1e-6))
    figure.light += share * (body - figure.light)
    figure.alpha[...] = total
