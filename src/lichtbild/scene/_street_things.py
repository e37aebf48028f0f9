"""What stands and hangs in a street: lanterns, signs with text, garlands, the tower at its end, chimneys and gables.

Each is drawn on a Sheet, once as the camera sees it and once as the wet ground does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import F32
from ._grid import Array, box_blur, colour, cover, exp, f32, fractal, length, lettering, mix, pulses, sample, smooth
from ._lamps import Lamps, kelvin, neon
from ._street_walls import Houses
from ._view import Part, Sheet

LANTERN_K = 2700.0
LANTERN_CD = 620.0  # about 30 lx on the ground below
LANTERN_Y = 4.6
WORDS = ("HOTEL", "BAR", "KINO", "BOOKS", "NOODLES", "TEA", "JAZZ", "RADIO", "CAFE", "24H")
HUES = ("red", "cyan", "amber", "pink", "green", "blue")


@dataclass(frozen=True)
class Sign:
    """A board that stands out from a wall and faces the walker. Metres; `x` its middle."""

    text: str
    x: float
    y: float
    z: float
    width: float
    height: float
    hue: str
    tubes: bool  # neon tubes on a dark board, or dark letters on a lit one

    @property
    def luminance(self) -> float:
        """cd/m² of the lit board, or of the tubes."""
        return 420.0 if self.tubes else 28.0


def lanterns(sides: tuple[float, float]) -> list[tuple[float, float]]:
    """X and Z of the street's lanterns, left and right by turns."""
    return [(sides[i % 2] * 0.68, 6.2 + 6.5 * i) for i in range(20)]


def signs(sides: tuple[float, float], seed: int) -> list[Sign]:
    """A dozen signs, at other heights and in other colours."""
    rng = np.random.default_rng([seed, 12])
    words, hues = rng.permutation(len(WORDS)), rng.permutation(len(HUES))
    made = []
    for i in range(12):
        side, z = sides[i % 2], 9.4 + 3.1 * i + rng.uniform(0, 1.6)
        text = WORDS[words[i % len(words)]]
        high = i % 3 != 1
        width, height = (0.62, 0.62 * len(text)) if high else (0.34 * len(text) + 0.3, 0.7)
        base = rng.uniform(3.7, 4.6)
        middle = side - np.sign(side) * (0.3 + width / 2)
        made.append(Sign(text, float(middle), base + height / 2, float(z), width, height,
                         HUES[hues[i % len(hues)]], bool(i % 4 != 3)))  # fmt: skip
    return made


def lamps(places: list[tuple[float, float]], boards: list[Sign]) -> Lamps:
    """The sources of light that lanterns and signs are."""
    rows = [((x, LANTERN_Y, z), (0.0, -1.0, 0.0), kelvin(LANTERN_K) * LANTERN_CD, 0.5, 0.3) for x, z in places[:9]]
    for b in boards:
        candela = neon(b.hue) * (b.luminance * b.width * b.height * (0.035 if b.tubes else 0.4))
        rows.append(((b.x, b.y, b.z), (0.0, 0.0, -1.0), candela, 1.0, b.width / 2 + 0.3))
    return Lamps.of(rows)


def letters(text: str, u: Array, v: Array, upright: bool, high_px: float) -> F32:
    """Ink 0..1 of `text` at u, v in 0..1 of its board, `high_px` high; `upright` stacks the letters."""
    if upright:
        n = len(text)
        ink = np.zeros(np.broadcast_shapes(u.shape, v.shape), np.float32)
        for i, letter in enumerate(text):
            ink += sample(
                lettering(letter, 0.72 * high_px / n), *np.broadcast_arrays((u - 0.2) / 0.6, (v * n - i - 0.14) / 0.72)
            )
        return ink
    return sample(lettering(text, 0.6 * high_px), *np.broadcast_arrays((u - 0.08) / 0.84, (v - 0.2) / 0.6))


def draw_sign(sheet: Sheet, b: Sign) -> None:
    """One board with its frame, letters, and the glow of its tubes on the board."""
    half = b.width / 2
    part = sheet.upright(b.z, (b.x - half, b.x + half), (b.y - b.height / 2, b.y + b.height / 2))
    if not part.y.size or not part.x.size:
        return
    u, v = (part.x - b.x) / b.width + f32(0.5), f32(0.5) - (part.y - b.y) / b.height
    ink = letters(b.text, u, v, b.height > b.width, b.height / part.px)
    shape = cover(half - np.abs(part.x - b.x), part.px) * cover(b.height / 2 - np.abs(part.y - b.y), part.px)
    rim = 1 - cover(half - 0.04 - np.abs(part.x - b.x), part.px) * cover(
        b.height / 2 - 0.04 - np.abs(part.y - b.y), part.px
    )
    light = colour(neon(b.hue))
    if b.tubes:
        radius = max(1, round(0.035 / part.px))
        soft = box_blur(box_blur(ink, radius, 0, 2), radius, 1, 2)
        tube = smooth(0.16, 0.25, soft * (1 - soft))
        glow = box_blur(box_blur(soft, 3 * radius, 0), 3 * radius, 1)
        white = mix(light, colour((1.0, 1.0, 1.0)), 0.30)  # a tube is paler than its glow: it saturates every eye
        face = light * (1.0 + 22 * glow) + white * (b.luminance * tube)
    else:
        even = 0.8 + 0.2 * pulses(v * f32(b.height / 0.35), 0.7, np.full_like(v, part.px / 0.35))
        paper = mix(light, colour((1.0, 1.0, 1.0)), 0.72)
        face = mix(paper * (b.luminance * even), light * 3.0, ink)
    part.lay(mix(face, 0.15, rim), shape)
    arm = sheet.upright(b.z, (b.x - half - 0.3, b.x + half + 0.3), (b.y + b.height / 2 - 0.1, b.y + b.height / 2))
    arm.lay(0.05, cover(0.02 - np.abs(arm.y - (b.y + b.height / 2 - 0.05)), arm.px) * np.ones_like(arm.x))


def draw_lantern(sheet: Sheet, x: float, z: float) -> None:
    """A post with its lantern: a glass that glows, brightest at the lamp."""
    post = sheet.upright(z, (x - 0.3, x + 0.3), (0.0, LANTERN_Y + 0.5))
    if not post.y.size or not post.x.size:
        return
    dx, y = np.abs(post.x - x), post.y
    wide = 0.045 + 0.05 * smooth(1.0, 0.9, y) + 0.03 * smooth(0.15, 0.1, y)
    iron = cover(wide - dx, post.px) * cover(f32(LANTERN_Y - 0.25) - y, post.px) * cover(y, post.px)
    shine = 0.15 + 0.9 * smooth(0.03, 0.0, np.abs(post.x - x + 0.02)) + 2.5 * smooth(3.2, 4.6, y)
    post.lay(colour(kelvin(LANTERN_K)) * (0.12 * shine), iron)
    t = (y - f32(LANTERN_Y - 0.28)) / f32(0.5)
    body = cover(0.10 + 0.10 * np.clip(t, 0, 1) - dx, post.px) * cover(t, post.px / 0.5) * cover(1 - t, post.px / 0.5)
    core = exp(-((post.x - x) ** 2 + (y - f32(LANTERN_Y)) ** 2) / f32(0.012))
    bars = smooth(0.012, 0.02, np.abs(dx - 0.6 * (0.10 + 0.10 * np.clip(t, 0, 1))))
    post.lay(colour(kelvin(LANTERN_K)) * ((90 + 5000 * core) * (0.35 + 0.65 * bars)), body)
    lid = cover(0.24 * (1.55 - t) / 0.55 - dx, post.px) * cover(t - 1, post.px / 0.5) * cover(1.45 - t, post.px / 0.5)
    post.lay(0.06, lid)


def bulb(sheet: Sheet, at: tuple[float, float, float], radius: float, light: Array) -> None:
    """A small ball of light (3,) cd/m², energy kept where it is smaller than a pixel."""
    x, y, z = at
    px = sheet.view.metre_px(z)
    sigma = max(0.75 * radius, 0.6 * px)
    part = sheet.upright(z, (x - 4 * sigma, x + 4 * sigma), (y - 4 * sigma, y + 4 * sigma))
    near = exp(-((part.x - x) ** 2 + (part.y - y) ** 2) / f32(2 * sigma * sigma))
    part.add(colour(light) * (near * f32(radius * radius / (2 * sigma * sigma))))


def garland(sheet: Sheet, sides: tuple[float, float], z: float, high: float, seed: int) -> None:
    """Warm bulbs on a wire across the street."""
    rng = np.random.default_rng([seed, 13, int(z)])
    part = sheet.upright(z, sides, (high - 1.3, high + 0.1))
    if part.y.size and part.x.size:
        t = (part.x - sides[0]) / f32(sides[1] - sides[0])
        sag = high - 4.4 * t * (1 - t)
        part.lay(0.03, cover(0.008 - np.abs(part.y - sag), part.px) * min(1.0, 0.016 / part.px))
    for at in np.arange(0.03, 1, 0.045):
        x = sides[0] + at * (sides[1] - sides[0])
        y = high - 4.4 * at * (1 - at) - 0.07 + rng.normal(0, 0.01)
        bulb(sheet, (float(x), float(y), z), 0.022, kelvin(2300.0) * 2600 * rng.uniform(0.7, 1.2))


def gables(sheet: Sheet, houses: Houses, lux: F32) -> None:
    """The bare side walls that look over lower neighbours, far to near, with chimneys. `lux` (3,) on them."""
    for i in range(len(houses.height) - 1, -1, -1):
        z, top = float(houses.ends[i]), float(houses.height[i])
        out = float(houses.side + np.sign(houses.side) * 9)
        part = sheet.upright(z, (min(out, houses.side), max(out, houses.side)), (0.0, top + 2.6))
        if not part.y.size or not part.x.size:
            continue
        inward = np.abs(part.x - houses.side)
        roof = top + np.minimum(inward * 0.55, (9 - inward) * 0.55)
        stack = (np.abs(inward - 3.2) < 0.5) * (0.55 * 3.2 + 0.9)
        shape = cover(np.maximum(roof, (top + stack) * (stack > 0)) - part.y, part.px)
        stain = fractal(part.x * 0.7, part.y * 0.4, np.full_like(part.y, part.px * 0.7), 5, 0.6, 9)
        albedo = colour(houses.paint[i]) * np.clip(0.55 + 0.12 * stain, 0.1, 1)
        part.lay(albedo * colour(lux) * f32(1 / np.pi), shape)


def tower(sheet: Sheet, z: float, x: float) -> None:
    """A church at the end of the street: lit from below, with a clock."""
    part = sheet.upright(z, (x - 16, x + 16), (0.0, 46.0))
    if not part.y.size or not part.x.size:
        return
    dx, y = np.abs(part.x - x), part.y
    shaft = cover(3.4 - dx, part.px) * cover(24 - y, part.px)
    spire = cover((44 - y) * f32(3.6 / 20) - dx, part.px) * cover(y - 24, part.px)
    nave = cover(np.minimum(14 - dx, 15 - y - np.maximum(dx - 6, 0) * 0.9), part.px)
    grain = 1 + 0.10 * fractal(part.x * 0.8, part.y * 0.8, np.full_like(y, part.px * 0.8), 6, 0.6, 10)
    flood = 1.5 * exp(-y / f32(13)) + 0.12
    part.lay(colour(kelvin(2500.0)) * (flood * 0.35 * grain), nave)
    edge = 0.55 + 0.45 * smooth(3.4, 2.4, dx)
    part.lay(colour(kelvin(2600.0)) * (flood * 1.3 * grain * edge), shaft)
    part.lay(colour((0.6, 1.0, 0.9)) * (0.10 * grain), spire)
    for up in (9.0, 20.5):
        arch = cover(0.8 - dx, part.px) * cover(np.minimum(y - up + 1.6, up + 1.2 - y - dx * 0.6), part.px)
        part.lay(0.05, arch)
    _clock(part, x)


def _clock(part: Part, x: float) -> None:
    """A dial at 16 m that says ten past nine."""
    dx, dy = part.x - x, part.y - f32(16)
    far = length(dx, dy)
    hour = np.maximum(np.abs(dy - 0.1 * dx) - 0.09, 0) + 9 * (dx > 0.1) + 9 * (far > 0.8)
    minute = np.maximum(np.abs(dx * 0.5 - dy * 0.87) - 0.07, 0) + 9 * (dx < -0.1) + 9 * (far > 1.2)
    hands = np.maximum(smooth(0.05, 0.0, hour), smooth(0.05, 0.0, minute))
    ring = smooth(0.10, 0.05, np.abs(far - 1.35))
    dial = colour(kelvin(4000.0)) * (42.0 * (1 - 0.9 * np.maximum(hands, ring)))
    part.lay(dial, cover(1.6 - far, part.px))
