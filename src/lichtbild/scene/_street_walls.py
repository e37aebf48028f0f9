"""The house fronts of a street: plaster and brick, windows with rooms behind them, shops on the ground floor.

A room is not modelled but traced: a ray through the glass meets the side wall, the ceiling, the floor or the back wall,
whichever comes first, so that rooms have the right perspective. All lengths in metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import F32
from ._grid import Array, colour, cover, dice, f32, fractal, length, lettering, mix, pulses, sample, sin, smooth
from ._lamps import Lamps, kelvin

SHOP = 3.7  # height of the ground floor
FLOOR = 3.15
RECESS = 0.22  # glass behind the wall's face
PLASTER = ((0.42, 0.34, 0.24), (0.36, 0.33, 0.30), (0.45, 0.28, 0.18), (0.30, 0.33, 0.30), (0.50, 0.45, 0.36),
           (0.33, 0.20, 0.15))  # fmt: skip
BRICK = ((0.19, 0.105, 0.070), (0.14, 0.080, 0.058), (0.23, 0.14, 0.095))
NAMES = ("Optik Lumen", "BAKERY", "Cafe Blende", "PHOTO", "Flowers", "Bar Linse", "RECORDS", "Tailor", "BOOKS")
SHOP_KELVIN = (5000.0, 3000.0, 4000.0, 2700.0, 5000.0, 3500.0)


@dataclass(frozen=True)
class Houses:
    """The houses along one side. `ends` (n + 1,) are the Z of their party walls; the rest is (n,) or (n, 3)."""

    side: float
    ends: F32
    height: F32
    pitch: F32  # of the windows
    paint: F32
    brick: F32  # 0 or 1
    open: F32  # 0 or 1: the shop is lit
    shop: F32  # (n, 3) light of its lamps, cd/m²
    seed: int

    def at(self, z: Array) -> Array:
        """Index of the house at Z."""
        return np.clip(np.searchsorted(self.ends, z, side="right") - 1, 0, len(self.height) - 1)


def plan(side: float, seed: int, near: float = 1.0) -> Houses:
    """Lay out some fifteen houses from Z = `near` to 150 m."""
    rng = np.random.default_rng([seed, 11, int(side > 0)])
    widths = rng.uniform(5.5, 9.5, 22)
    ends = f32(near + np.concatenate([[0], np.cumsum(widths)]))
    n = len(widths)
    floors = rng.integers(2, 6, n)
    floors[1:3] = np.maximum(floors[1:3], 4)  # what stands near the camera frames the picture
    floors[5:] = np.clip(floors[5:], 3, 4)  # and what is far is calm
    brick = rng.random(n) < 0.4
    paint = np.where(brick[:, None], f32(BRICK)[rng.integers(0, 3, n)], f32(PLASTER)[rng.permutation(n) % 6])
    lit = rng.random(n) < 0.72
    lit[1:3] = True
    lamps = np.stack([kelvin(SHOP_KELVIN[i % 6]) for i in rng.permutation(n)])
    level = rng.uniform(14, 50, n)
    return Houses(
        side, ends, f32(SHOP + FLOOR * floors + 0.7), f32(widths / np.maximum(np.round(widths / 2.1), 2)),
        f32(paint * rng.uniform(0.75, 1.1, (n, 1))), f32(brick), f32(lit), f32(lamps * level[:, None]), seed,
    )  # fmt: skip


def shop_lamps(houses: Houses, limit: float = 60.0) -> Lamps:
    """What the lit shops send into the street, one source per window."""
    rows = []
    for i in range(len(houses.height)):
        middle, width = float(houses.ends[i] + houses.ends[i + 1]) / 2, float(houses.ends[i + 1] - houses.ends[i])
        if middle < limit and houses.open[i]:
            inward = -float(np.sign(houses.side))
            candela = houses.shop[i] * (0.30 * width * 2.3)  # mean luminance of the window times its area
            rows.append(((houses.side - 0.3 * inward, 1.6, middle), (inward, 0.0, 0.0), candela, 1.0, 1.3))
    return Lamps.of(rows)


@dataclass(frozen=True)
class Look:
    """One look at a wall: where each pixel meets it, and how much wall a pixel sees."""

    houses: Houses
    z: F32  # (1, w)
    y: F32  # (h, w)
    eye: float  # height of the camera, negative in the mirror
    pz: F32  # (1, w) metres per pixel along the wall
    py: F32  # (1, w)

    @property
    def a(self) -> float:
        """Distance of the wall from the camera's line."""
        return abs(self.houses.side)


def draw(look: Look, lux: F32, glass: F32, lit_share: float, sun: F32 | None = None) -> tuple[F32, F32]:
    """(3, h, w) light of the fronts under the illuminance `lux` (3, h, w), and their cover (h, w).

    `glass` (3, h, w): what panes mirror. `lit_share` of the windows are lit. `sun` (h, w) 0..1 for relief.
    """
    k = look.houses.at(look.z)
    albedo = _face(look, k)
    light = albedo * lux * f32(1 / np.pi)
    upper = smooth(SHOP - 0.05, SHOP + 0.05, look.y)
    light = _windows(look, k, light, glass, lit_share, upper)
    light = _shops(look, k, light, glass, 1 - upper, lux)
    top = look.houses.height[k]
    cornice = cover(look.y - (top - 0.55), look.py) * (1 - 0.25 * pulses(look.y / f32(0.18), 0.4, look.py / 0.18))
    stone = f32(0.30) * lux * f32(1 / np.pi) * mix(1.0, 0.45, cover(f32(0.12) - np.abs(look.y - top + 0.55), look.py))
    light = mix(light, stone, cornice)
    return f32(light), f32(cover(top - look.y, look.py) * cover(look.y, look.py))


def _face(look: Look, k: Array) -> Array:
    """Albedo of plaster and brick, weathered."""
    h = look.houses
    grime = fractal(look.z * 0.5 + 0 * look.y, look.y * 0.35, look.py * 0.5, 7, 0.62, 3)
    streak = fractal(look.z * 3.0 + 0 * look.y, look.y * 0.12, look.pz * 3.0, 4, 0.6, 4)
    low = smooth(2.2, 0.0, look.y)
    tone = np.clip(1 + 0.13 * grime + 0.10 * streak * smooth(3, 9, look.y) - 0.35 * low, 0.2, 1.5)
    row = np.floor(look.y / f32(0.085))
    joint = pulses(look.y / f32(0.085), 0.84, look.py / 0.085)
    shift = look.z / f32(0.25) + 0.5 * (row % 2)
    joint = joint * pulses(shift, 0.94, look.pz / 0.25)
    vary = 1 + 0.30 * (dice(np.floor(shift), row, seed=5) - 0.5) * np.clip(1.2 - look.pz * 6, 0, 1)
    masonry = mix(1.7, vary, joint)
    tone = tone * mix(1.0, masonry, h.brick[k])
    band = cover(f32(0.16) - np.abs((look.y - SHOP) % FLOOR - 0.16), look.py) * (look.y > SHOP - 0.1)
    seam = cover(f32(0.10) - np.abs(look.z - h.ends[k]), look.pz)
    albedo = h.paint[k].transpose(2, 0, 1) * tone
    albedo = mix(albedo, colour((0.36, 0.34, 0.30)) * (0.8 + 0.25 * tone), 0.75 * band)
    return np.asarray(albedo * (1 - 0.6 * seam))


def _windows(look: Look, k: Array, light: Array, glass: F32, share: float, upper: Array) -> Array:
    """The windows above the shops: stone surround, reveal, glass, and the room or the curtain behind it."""
    h = look.houses
    t = (look.z - h.ends[k]) / h.pitch[k]
    zc = (t - np.floor(t) - f32(0.5)) * h.pitch[k]
    floor = np.floor((look.y - SHOP) / FLOOR)
    yc = look.y - SHOP - floor * FLOOR - f32(1.62)
    wide, tall = f32(0.55), f32(0.92)
    outer = cover(wide + 0.16 - np.abs(zc), look.pz) * cover(tall + 0.18 - np.abs(yc), look.py)
    opening = cover(wide - np.abs(zc), look.pz) * cover(tall - np.abs(yc), look.py)
    under = (look.y < h.height[k] - 0.9) * upper
    light = mix(light, light * mix(1.0, 1.55, 1 - 0.5 * h.brick[k]), outer * under)
    back = RECESS / look.a
    zg, yg = zc + look.z * f32(back), yc + (look.y - f32(look.eye)) * f32(back)
    pane = cover(wide - np.abs(zg), look.pz) * cover(tall - np.abs(yg), look.py)
    frame = np.maximum(cover(f32(0.045) - np.abs(zg), look.pz), cover(f32(0.04) - np.abs(yg - 0.35), look.py))
    frame = np.maximum(frame, 1 - cover(wide - 0.07 - np.abs(zg), look.pz) * cover(tall - 0.07 - np.abs(yg), look.py))
    cell = (k * 64 + np.floor(t), floor)
    lit = dice(*cell, seed=h.seed * 7 + 1) < share
    room = _room(look, zc, look.y - SHOP - floor * FLOOR, cell) * lit
    behind = mix(glass + room, colour((0.55, 0.53, 0.5)) * (light.mean(axis=0) * 2.2), frame * 0.9)
    reveal = mix(light * 0.45, behind, pane)
    return mix(light, reveal, opening * under)


def _room(look: Look, zc: Array, y: Array, cell: tuple[Array, Array]) -> Array:
    """Light out of a room, cd/m²: walls that fall off from a lamp under the ceiling, or a glowing curtain."""
    luck, hue, drawn = (dice(*cell, seed=s) for s in (21, 22, 23))
    half, deep, high = f32(1.4), f32(3.5), f32(2.75)
    s_side = (half - zc) * f32(look.a) / look.z
    rise = look.y - f32(look.eye)
    s_top = np.where(rise > 0.05, (high - y) * f32(look.a) / np.maximum(rise, f32(0.05)), f32(99))
    s = np.minimum(np.minimum(s_side, s_top), deep)
    z, up = zc + s * look.z / f32(look.a), y + s * rise / f32(look.a)
    near_lamp = 1 / (0.35 + (z - 0.2) ** 2 + (up - 2.3) ** 2 + 0.5 * (s - 1.7) ** 2)
    wall = 0.22 + 0.9 * near_lamp
    shelf = (np.abs(up - 1.3 - 0.5 * luck) < 0.35) & (np.abs(s - 1.2 - luck) < 0.4) & (s_side <= s + 1e-3)
    wall = wall * np.where(shelf, 0.35, 1) * np.where(s_top <= s + 1e-3, 1.35, 1.0)
    folds = 0.75 + 0.25 * sin(zc * f32(34) + 6 * luck)
    cloth = 0.55 * folds * (0.75 + 0.35 * smooth(0.4, 2.4, y))
    closed = np.maximum(drawn < 0.30, cover(np.abs(zc) - mix(0.30, 0.48, hue), look.pz) * (drawn < 0.8))
    glow = mix(wall, cloth, closed)
    warm = np.stack([mix(kelvin(2500.0)[c], kelvin(4200.0)[c], hue * hue) for c in range(3)])
    return np.asarray(warm * (glow * (18 + 70 * luck * luck)))


def _shops(look: Look, k: Array, light: Array, glass: F32, where: Array, lux: F32) -> Array:
    """The ground floor: a shop window and a door per house, a fascia above; shutters where it is closed."""
    h = look.houses
    start, width = h.ends[k], h.ends[k + 1] - h.ends[k]
    zb = look.z - start
    door = cover(f32(0.5) - np.abs(zb - 1.1), look.pz) * cover(f32(2.55) - look.y, look.py)
    pane = cover(np.minimum(zb - 2.0, width - f32(0.5) - zb), look.pz)
    pane = pane * cover(look.y - 0.55, look.py) * cover(f32(2.75) - look.y, look.py)
    bars = pulses((zb - 2.0) / np.maximum((width - 2.5) / 2, f32(0.5)) + f32(0.5), 0.045, look.pz / 1.5)
    open_ = h.open[k]
    inside = _shop_room(look, k, zb, width)
    slats = 0.55 + 0.45 * pulses(look.y / f32(0.11), 0.6, look.py / 0.11)
    shutter = colour((0.16, 0.17, 0.18)) * lux * f32(1 / np.pi) * slats
    behind = mix(shutter, glass + inside, open_)
    frame = colour((0.05, 0.05, 0.055)) * lux * f32(1 / np.pi)
    front = mix(frame * (0.6 + 0.4 * h.paint[k].transpose(2, 0, 1)), behind, np.maximum(pane * (1 - bars), 0.85 * door))
    fascia = cover(look.y - 2.95, look.py) * cover(f32(3.55) - look.y, look.py) * cover(zb - 0.3, look.pz)
    strong = dice(k, seed=31 + h.seed) ** 2
    tint = np.stack([0.03 + 0.16 * strong * (0.5 + dice(k, seed=32 + c + h.seed)) for c in range(3)])
    front = mix(front, tint * lux * f32(1 / np.pi), fascia * cover(width - 0.3 - zb, look.pz))
    _names(look, k, zb, width, front, lux)
    return mix(light, front, where * cover(zb - 0.2, look.pz) * cover(width - 0.2 - zb, look.pz))


def _names(look: Look, k: Array, zb: Array, width: Array, front: Array, lux: F32) -> None:
    """Letters on the fascias, gilt, or lit from within where the shop is open; laid over `front` in place."""
    for i in range(int(k.min()), min(int(k.max()), 9) + 1):
        columns = np.flatnonzero(k[0] == i)
        board = np.abs(look.y[:, columns] - f32(3.25)) < 0.3
        rows = np.flatnonzero(board.any(axis=1))
        if not len(rows):
            continue
        tall, across = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
        name = NAMES[(3 * i + look.houses.seed + (look.houses.side > 0)) % len(NAMES)]
        full = lettering(name)
        wide = 0.40 * full.shape[1] / full.shape[0]
        py, pz = float(look.py[0, across].mean()), float(look.pz[0, across].mean())
        ink = lettering(name, 0.40 / py, py / pz)
        u = (zb[:, across] - width[:, across] / 2) / wide * -np.sign(look.houses.side) + f32(0.5)
        alpha = sample(ink, *np.broadcast_arrays(u, f32(0.5) - (look.y[tall, across] - 3.25) / f32(0.40)))
        lit = colour(look.houses.shop[i] * 0.9) * look.houses.open[i]
        gilt = colour((0.62, 0.47, 0.22)) * lux[:, tall, across] * f32(1 / np.pi)
        front[:, tall, across] = mix(front[:, tall, across], gilt + lit, alpha)


def _shop_room(look: Look, k: Array, zb: Array, width: Array) -> Array:
    """Light out of a shop: shelves of goods along its walls, strips of lamps under its ceiling."""
    h, deep, high = look.houses, f32(5.0), f32(3.0)
    s_side = (width - zb) * f32(look.a) / look.z
    rise = look.y - f32(look.eye)
    s_top = np.where(rise > 0.02, (high - look.y) * f32(look.a) / np.maximum(rise, f32(0.02)), f32(99))
    s_low = np.where(rise < -0.02, -look.y * f32(look.a) / np.minimum(rise, f32(-0.02)), f32(99))
    s = np.minimum(np.minimum(s_side, deep), np.minimum(s_top, s_low))
    z, up = zb + s * look.z / f32(look.a), look.y + s * rise / f32(look.a)
    along = np.where(s_side <= s + 1e-3, s, z)
    goods = _goods(along, up, k, look.pz)
    plain = (up > 2.1) | (s_low <= s + 1e-3)
    seen = np.where(plain, mix(f32(0.5), f32(0.12), dice(k, seed=49 + h.seed) > 0.5), goods)
    strips = (s_top <= s + 1e-3) * smooth(0.42, 0.36, np.abs((s % 1.6) - 0.8) * 2.0)
    level = 0.55 + 0.45 * smooth(0.0, 2.2, up) - 0.05 * s
    shop = h.shop[k].transpose(2, 0, 1)
    z1, y1 = zb + f32(1.3 / look.a) * look.z, look.y + rise * f32(1.3 / look.a)  # pendant lamps 1.3 m behind the pane
    hang = (z1 / f32(1.5)) % 1 - f32(0.5)
    pendant = smooth(0.16, 0.10, length(hang * 1.5, (y1 - 2.2) * 1.3)) * (dice(k, seed=50 + h.seed) > 0.4)
    cord = smooth(0.02, 0.0, np.abs(hang * f32(1.5))) * (y1 > 2.3) * (dice(k, seed=50 + h.seed) > 0.4)
    return np.asarray(shop * (mix(seen * level, f32(0.05), 0.8 * cord) + 5.0 * strips + 14.0 * pendant))


def _goods(along: Array, up: Array, k: Array, pz: Array) -> Array:
    """(3, h, w) reflectance of boards with things of all sizes on them; from afar their mean."""
    step = f32(0.32) + 0.22 * dice(k, seed=45)
    row = np.floor(up / step)
    place = along / (f32(0.16) + 0.30 * dice(row, k, seed=46))
    column = np.floor(place)
    luck, size = dice(row, column, k, seed=40), dice(column, row, k, seed=47)
    tx, ty = place - column - f32(0.5), up / step - row
    soft = np.clip(pz * 3, 0.02, 1)
    thing = cover(0.22 + 0.24 * luck - np.abs(tx), soft) * cover(0.35 + 0.5 * size - ty, soft)
    hue = np.stack([0.6 + 0.7 * dice(row, column, k, seed=41 + c) ** 2 for c in range(3)])
    body = (0.08 + 0.5 * size * luck) * hue * (1.15 - 0.5 * np.abs(tx)) * (0.7 + 0.4 * ty)
    board = cover(f32(0.05) - ty, soft)
    wood = colour((0.20, 0.15, 0.10)) * (0.75 + 0.5 * ty)
    return mix(mix(wood, body, thing), colour((0.34, 0.29, 0.22)), board)
