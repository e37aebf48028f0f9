"""A car that comes towards the camera with its lamps on; and what its lamps do to the wet road before it.

Local metres: x right, y up from the ground below the middle of its front.
"""

from __future__ import annotations

import numpy as np

from ..types import F32
from ._figure import Figure
from ._grid import Array, box_blur, colour, cover, exp, f32, fractal, length, mix, smooth
from ._lamps import kelvin
from ._street_ground import grazing
from ._view import View
from .types import Layer, Motion

LAMP_X, LAMP_Y = 0.66, 0.66  # m
LAMP_NITS = 9000.0  # of a low beam seen from in front, above its cut-off
PAINT = (0.10, 0.012, 0.012)


def _box(x: Array, y: Array, half: float, low: float, high: float, round_: float) -> Array:
    """Signed distance into a rounded rectangle, positive inside."""
    dx, dy = np.abs(x) - (half - round_), np.abs(y - (low + high) / 2) - ((high - low) / 2 - round_)
    outside = length(np.maximum(dx, 0), np.maximum(dy, 0))
    return np.asarray(round_ - outside - np.minimum(np.maximum(dx, dy), 0))


def _body(f: Figure) -> None:
    """Tyres, body, cabin, glass, grille and plate."""
    x, y, px = f.x, f.y, f.px
    f.lay(f32(np.full((3, 1, 1), 0.02)), cover(_box(x, y, 0.80, 0.16, 0.5, 0.05), px))
    for side in (-1, 1):
        f.lay(f32(np.full((3, 1, 1), 0.03)), cover(_box(x - 0.70 * side, y, 0.115, 0.0, 0.6, 0.06), px))
    slope = 0.30 * np.clip((y - 0.92) / 0.5, 0, 1)
    cabin = cover(_box(x / (1 - slope), y, 0.74, 0.80, 1.44, 0.14), px)
    f.lay(f.shade(colour(PAINT), x * 0.7, np.clip((y - 0.9) * 1.6, 0, 1), f32(0.5) + 0 * y), cabin)
    glass = cover(_box(x / (1 - slope), y, 0.66, 0.94, 1.36, 0.10), px)
    sheen = 0.10 + 0.9 * smooth(0.95, 1.4, y + 0.12 * x) ** 2
    f.lay(colour(f.lux["up"]) * (0.016 * sheen) + 0.02, glass)
    for side in (-1, 1):
        f.capsule((0.33 * side, 1.02), (0.33 * side, 1.14), 0.11, 0.10, colour((0.012, 0.011, 0.012)))
        f.capsule((0.84 * side, 0.99), (0.90 * side, 1.0), 0.06, 0.06, colour(PAINT))
    bonnet = smooth(0.62, 0.95, y)
    shape = cover(_box(x, y, 0.88, 0.22, 0.98, 0.20) - 0.06 * smooth(0.7, 1.0, y), px)
    gloss = 0.7 + 0.5 * smooth(0.05, 0.0, np.abs(y - 0.86)) + 0.8 * smooth(0.03, 0.0, np.abs(y - 0.55))
    dirt = np.clip(1 + 0.12 * fractal(x * 6, y * 6, px * 6, 4, 0.6, 31), 0.5, 1.5)
    lit = f.shade(colour(PAINT) * (gloss * dirt), x * 0.6, bonnet, 1 - 0.6 * bonnet)
    f.lay(lit + colour(f.lux["up"]) * (0.02 * bonnet * smooth(0.9, 0.2, np.abs(x))), shape)
    dark = f32(np.full((3, 1, 1), 0.015))
    f.lay(dark + 0.10 * smooth(0.02, 0.0, np.abs((y % 0.06) - 0.03)), cover(_box(x, y, 0.40, 0.56, 0.72, 0.04), px))
    f.lay(dark, cover(_box(x, y, 0.62, 0.27, 0.40, 0.05), px))
    f.lay(f.shade(colour((0.7, 0.7, 0.65)), 0 * x, 0 * y, 1 + 0 * y), cover(_box(x, y, 0.26, 0.42, 0.53, 0.01), px))


def _lamps(f: Figure, flip: float = 1.0) -> F32:
    """(3, h, w) light of its two lamps and the glow about them."""
    light = np.zeros((3, f.y.shape[0], f.x.shape[1]), np.float32)
    for side in (-1, 1):
        dx, dy = (f.x - LAMP_X * side) / f32(0.11), (f.y - LAMP_Y * flip) / f32(0.065)
        far2 = dx * dx + dy * dy
        light += colour(kelvin(5200.0)) * (LAMP_NITS * exp(-(far2 * far2) * 0.8))
        light += colour(kelvin(5200.0)) * (12 * exp(-np.sqrt(far2) * 0.7))
    return light


def car(view: View, at: tuple[float, float, float], lux: dict[str, F32], under: F32, wet: float) -> Layer | None:
    """The car at X, Z coming nearer at a speed (m, m, m/s). `under` (3, H, W): the canvas, on whose road it shines."""
    x, z, speed = at
    scale = view.focal / z
    u, v = view.screen(x, 0.0, z)
    rows, columns = view.canvas.box(u - 1.6 * scale, v - 1.9 * scale, u + 1.6 * scale, v + 3.2 * scale)
    if rows.stop - rows.start < 2 or columns.stop - columns.start < 2:
        return None
    f = Figure.blank(view.across(z, columns) - f32(x), view.up(z, rows), view.metre_px(z), lux)
    _body(f)
    behind = under[:, rows, columns]
    shine = grazing(view.eye, z) * wet
    road = (f.y < 0.0) * f32(shine)
    spread = max(1, round(0.16 / f.px))
    streak = box_blur(_lamps(f, -1.0), spread, 1) * road * exp(np.minimum(f.y, 0) * f32(0.35))
    shadow = smooth(0.35, 0.0, np.abs(f.y + 0.05)) * smooth(1.1, 0.8, np.abs(f.x)) * 0.6 * (1 - f.alpha)
    f.lay(0.3 * behind, shadow)
    added = _lamps(f) + streak
    body = mix(behind, f.light, f.alpha) + added
    fade = smooth(1.6, 1.1, np.abs(f.x)) * smooth(1.9, 1.5, f.y) * smooth(-3.2, -2.4, f.y)
    alpha = np.maximum(f.alpha, 0.5 * fade)  # light is added by laying twice as much half over
    light = behind + (body - behind) / np.maximum(alpha, f32(1e-4)) * np.where(f.alpha > 0.5, 1, fade)
    pivot = view.canvas.pixel(view.vanish_x, view.horizon)
    depth = np.full((1, 1), z, np.float32)
    motion = Motion(growth_s=speed / z, pivot_px=pivot)
    return Layer("car", f32(np.maximum(light, 0)), depth, f32(alpha), motion, 0.0, rows.start, columns.start)
