"""The room of `interior`: its walls and window, what stands in it, and how each thing is made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..types import F32
from . import _paint, _room
from ._figure import Figure
from ._grid import Array, colour, cover, exp, f32, length, smooth
from ._lamps import kelvin
from ._room import Box, Face, Paint, Pane, Vector
from ._street_ground import fresnel
from ._street_things import bulb
from ._view import Sheet, View

LEFT, RIGHT, TOP, BACK, FRONT = -2.7, 2.6, 2.75, 5.3, -1.6  # m
WINDOW = (-1.75, 0.35, 0.80, 2.36)  # x0, x1, y0, y1 in the back wall
ALBEDO = (f32([0.70, 0.68, 0.62]), f32([0.66, 0.63, 0.56]), f32([0.22, 0.17, 0.125]), f32([0.78, 0.78, 0.75]))
LAMP = (2.28, 1.20, 3.55)
At = Callable[[Array, Array, Array, Vector], F32]
Thing = tuple[Box, Paint, float]


def window() -> Face:
    """The opening in the back wall."""
    x0, x1, y0, y1 = WINDOW
    return Face("z", BACK, (x0, x1), (y0, y1), -1, _paint.plaster((0.0, 0.0, 0.0)))


def glass(x: Array, y: Array, soft: Array) -> Array:
    """0..1: how much light the window lets through at X, Y of its plane: panes between bars."""
    x0, x1, y0, y1 = WINDOW
    inside = cover(np.minimum(x - x0, x1 - x), soft) * cover(np.minimum(y - y0, y1 - y), soft)
    bars = [cover(0.035 - np.abs(x - (x0 + x1) / 2), soft), cover(0.025 - np.abs(y - (y0 + 0.66 * (y1 - y0))), soft)]
    for at in (x0 + 0.25 * (x1 - x0), x0 + 0.75 * (x1 - x0)):
        bars.append(cover(0.014 - np.abs(x - at), soft))
    for bar in bars:
        inside = inside * (1 - bar)
    return inside


def walls(seed: int) -> list[Face]:
    """Left, right, floor, ceiling; the back wall is among `back`."""
    cream, pale = _paint.plaster((0.70, 0.68, 0.62), 1), _paint.plaster((0.66, 0.63, 0.56), 3)
    floor, white = _paint.planks((0.36, 0.22, 0.115), seed), _paint.plaster((0.78, 0.78, 0.75), 5)
    return [
        Face("x", LEFT, (FRONT, BACK), (0.0, TOP), 1, cream),
        Face("x", RIGHT, (FRONT, BACK), (0.0, TOP), -1, pale),
        Face("y", 0.0, (LEFT, RIGHT), (FRONT, BACK), 1, floor, 0.6),
        Face("y", TOP, (LEFT, RIGHT), (FRONT, BACK), -1, white),
    ]


def back() -> list[Face]:
    """The back wall about the window."""
    x0, x1, y0, y1 = WINDOW
    paint = _paint.plaster((0.68, 0.655, 0.59), 7)
    spans = (((LEFT, x0), (0.0, TOP)), ((x1, RIGHT), (0.0, TOP)), ((x0, x1), (0.0, y0)), ((x0, x1), (y1, TOP)))
    return [Face("z", BACK, a, b, -1, paint) for a, b in spans]


def panes(day: float) -> list[Pane]:
    """The windows as light: the one that is seen, and a tall one in the left wall beside the camera."""
    x0, x1, y0, y1 = WINDOW
    spots = [
        (x0 + (i + 0.5) / 4 * (x1 - x0), y0 + (j + 0.5) / 4 * (y1 - y0), BACK - 0.02)
        for i in range(4)
        for j in range(4)
    ]
    sky, green = f32([2900, 3300, 3900]), f32([1100, 1500, 700])
    light = [(sky if s[1] > 1.3 else green) * np.float32(day * 0.85) for s in spots]
    seen = Pane(f32(spots), (0.0, 0.0, -1.0), f32(light), (x1 - x0) * (y1 - y0) / len(spots))
    side = [(LEFT + 0.02, 0.7 + 0.5 * j, -0.9 + 0.6 * i) for i in range(4) for j in range(3)]
    other = Pane(f32(side), (1.0, 0.0, 0.0), f32([[420, 450, 480]] * 12) * np.float32(day), 0.28)
    return [seen, other]


def things(seed: int) -> list[Thing]:
    """Boxes from far to near: what, of what, how polished."""
    x0, x1, y0, y1 = WINDOW
    white = _paint.plaster((0.74, 0.73, 0.70), 11)
    oak, dark = _paint.wood((0.33, 0.20, 0.10), 21), _paint.wood((0.13, 0.075, 0.04), 23)
    leg = _paint.wood((0.28, 0.17, 0.085), 25, False)
    seat = _paint.cloth((0.21, 0.15, 0.085), 31)
    found: list[Thing] = [((x0 - 0.1, x1 + 0.1, y0 - 0.05, y0, BACK - 0.22, BACK), white, 0.2)]
    for at in (x0, (x0 + x1) / 2, x1):
        found.append(((at - 0.035, at + 0.035, y0, y1, BACK - 0.06, BACK), white, 0.0))
    for at in (x0 + 0.25 * (x1 - x0), x0 + 0.75 * (x1 - x0)):
        found.append(((at - 0.014, at + 0.014, y0, y1, BACK - 0.05, BACK), white, 0.0))
    for up, half in ((y0 + 0.03, 0.03), (y0 + 0.66 * (y1 - y0), 0.025), (y1 - 0.03, 0.03)):
        found.append(((x0, x1, up - half, up + half, BACK - 0.055, BACK), white, 0.0))
    found += [
        ((0.95, 2.45, 0.0, 2.18, BACK - 0.30, BACK), _paint.books(seed), 0.0),
        ((0.92, 0.96, 0.0, 2.20, BACK - 0.31, BACK), oak, 0.0),
        ((2.44, 2.48, 0.0, 2.20, BACK - 0.31, BACK), oak, 0.0),
        ((0.92, 2.48, 2.17, 2.22, BACK - 0.32, BACK), oak, 0.0),
        ((-1.4, 0.0, 0.12, 0.68, BACK - 0.14, BACK - 0.03), white, 0.0),  # a radiator
        ((1.98, RIGHT, 0.10, 0.78, 2.75, 4.25), dark, 0.3),
        ((1.95, RIGHT, 0.78, 0.82, 2.72, 4.28), oak, 0.5),
    ]
    found += _chair(0.62, 3.62, leg, oak) + _table(leg, oak) + _armchair(seat)
    found.append(((-0.28, 0.02, 0.76, 0.79, 2.92, 3.12), _paint.cloth((0.30, 0.05, 0.04), 41), 0.1))
    found.append(((-0.25, 0.00, 0.79, 0.815, 2.94, 3.11), _paint.cloth((0.10, 0.14, 0.20), 42), 0.1))
    return found


def _table(leg: Paint, top: Paint) -> list[Thing]:
    legs: list[Thing] = [((x, x + 0.06, 0.0, 0.72, z, z + 0.06), leg, 0.1) for z in (3.52, 2.68) for x in (-0.78, 0.66)]
    rail: list[Thing] = [((-0.75, 0.70, 0.64, 0.72, 2.70, 2.73), leg, 0.1)]
    return [*legs, *rail, ((-0.85, 0.80, 0.72, 0.76, 2.62, 3.64), top, 0.9)]


def _chair(x: float, z: float, leg: Paint, wood: Paint) -> list[Thing]:
    found: list[Thing] = [((x + d, x + d + 0.035, 0.0, 0.92, z + 0.38, z + 0.415), leg, 0.1) for d in (0.0, 0.37)]
    for up in (0.62, 0.74, 0.86):
        found.append(((x, x + 0.40, up, up + 0.06, z + 0.385, z + 0.41), wood, 0.1))
    found += [((x + d, x + d + 0.035, 0.0, 0.45, z, z + 0.035), leg, 0.1) for d in (0.0, 0.37)]
    return [*found, ((x - 0.01, x + 0.42, 0.45, 0.48, z - 0.01, z + 0.42), wood, 0.4)]


def _armchair(cloth: Paint) -> list[Thing]:
    return [
        ((-2.45, -1.55, 0.12, 0.95, 3.25, 3.45), cloth, 0.0),
        ((-2.45, -2.29, 0.10, 0.62, 2.35, 3.25), cloth, 0.0),
        ((-2.29, -1.71, 0.12, 0.42, 2.38, 3.25), cloth, 0.0),
        ((-1.71, -1.55, 0.10, 0.62, 2.35, 3.25), cloth, 0.0),
    ]


def pictures(seed: int) -> list[Face]:
    """Flat things on walls and floor."""
    return [
        Face("y", 0.006, (-1.35, 1.45), (1.55, 4.35), 1, _paint.rug(seed)),
        Face("x", RIGHT - 0.02, (1.45, 2.45), (1.15, 1.90), -1, _paint.painting(1.45, 1.15, 1.0, 0.75, seed + 3)),
        Face("x", LEFT + 0.02, (3.3, 4.4), (1.15, 2.0), 1, _paint.painting(3.3, 1.15, 1.1, 0.85, seed + 9)),
    ]


def curtains(day: float) -> list[Face]:
    """Left and right of the window, a hand's breadth before it."""
    x0, x1, _, _ = WINDOW
    linen, through = _paint.curtain((0.62, 0.58, 0.50), 46.0), _paint.curtain((430 * day, 400 * day, 330 * day), 46.0)
    spans = ((x0 - 0.34, x0 + 0.30), (x1 - 0.24, x1 + 0.36))
    return [Face("z", BACK - 0.26, span, (0.06, 2.55), -1, linen, glow=through) for span in spans]


def sheen(view: View, face: Face, x: Array, z: Array) -> Array:
    """(3, h, w) cd/m²: the window's image in a polished level surface at X, Z."""
    rise = view.eye - face.at
    sine = rise / np.sqrt(z * z + x * x + f32(rise * rise))
    way = f32(BACK) / np.maximum(z, f32(0.1))
    at_y, at_x = face.at + rise * (way - 1), x * way
    soft = 0.10 + 0.5 * (way - 1) * rise * f32(1 - 0.7 * face.gloss)
    seen = glass(at_x, at_y, np.maximum(soft, 0.05)) * (way > 1)
    sky = colour((2600.0, 3100.0, 3700.0)) * smooth(1.2, 1.6, at_y) + colour((950.0, 1150.0, 800.0))
    return sky * (seen * fresnel(np.clip(sine, 0.02, 1), 1.45) * f32(face.gloss))


def boxes_of(found: list[Thing]) -> list[Face]:
    """The faces of things from far to near."""
    sides: list[Face] = []
    for box, paint, gloss in sorted(found, key=lambda thing: -_distance(thing[0])):
        sides += _room.faces(box, paint, gloss)
    return sides


def _distance(box: Box) -> float:
    x, y, z = (box[0] + box[1]) / 2, (box[2] + box[3]) / 2, box[4]
    return float(np.sqrt(z * z * 4 + 0.2 * x * x + 0.2 * (y - 1.42) ** 2))


def _figure(
    sheet: Sheet, at: At, middle: tuple[float, float, float], half: float, high: float
) -> tuple[Figure, slice, slice]:
    """An empty figure about x, z that stands on y and is `high`."""
    x, y, z = middle
    part = sheet.upright(z, (x - half, x + half), (y, y + high))
    spot = [np.full((1, 1), v, np.float32) for v in (x, y + high / 2, z)]
    sides = {"left": (-1.0, 0.0, 0.0), "right": (1.0, 0.0, 0.0), "up": (0.0, 1.0, 0.0), "front": (0.0, 0.0, -1.0),
             "back": (0.0, 0.0, 1.0)}  # fmt: skip
    lux = {k: at(spot[0], spot[1], spot[2], n)[:, 0, 0] for k, n in sides.items()}
    return Figure.blank(part.x - f32(x), part.y - f32(y), part.px, lux), part.rows, part.columns


def round_things(sheet: Sheet, at: At, lamp: bool, seed: int) -> None:
    """The lamp, a vase with flowers, a bowl with oranges."""
    figure, rows, columns = _figure(sheet, at, (LAMP[0], 0.82, LAMP[2]), 0.3, 0.75)
    figure.lathe([(0.0, 0.09), (0.03, 0.10), (0.10, 0.055), (0.20, 0.09), (0.28, 0.05), (0.33, 0.02)],
                 colour((0.08, 0.13, 0.16)), 3, folds=0.0)  # fmt: skip
    shade = Figure.blank(figure.x, figure.y, figure.px, figure.lux)
    shade.lathe([(0.30, 0.20), (0.55, 0.125)], colour((0.6, 0.5, 0.38)), 4, folds=0.0)
    if lamp:
        spread = exp(-((figure.y - 0.41) ** 2) / f32(0.012) - figure.x**2 / f32(0.02))
        shade.light += colour(kelvin(2500.0)) * (shade.alpha * (260 + 900 * spread))
    figure.lay(shade.light, shade.alpha)
    sheet.over(rows, columns, figure.light, figure.alpha, LAMP[2])
    _flowers(sheet, at, seed)
    figure, rows, columns = _figure(sheet, at, (-0.52, 0.76, 3.15), 0.2, 0.2)
    for i, (dx, dy) in enumerate(((-0.07, 0.06), (0.06, 0.065), (0.0, 0.075), (-0.01, 0.12))):
        peel = colour((0.62, 0.24, 0.02)) if i != 1 else colour((0.32, 0.42, 0.03))
        figure.capsule((dx, dy), (dx + 0.002, dy), 0.042, 0.042, peel)
    figure.lathe([(0.0, 0.06), (0.015, 0.065), (0.05, 0.125), (0.065, 0.135)], colour((0.68, 0.68, 0.66)), 5, folds=0.0)
    sheet.over(rows, columns, figure.light, figure.alpha, 3.15)


def glint(sheet: Sheet, at: tuple[float, float, float], size: float, day: float) -> None:
    """The sun in something round and polished: the brightest there is."""
    bulb(sheet, at, size, kelvin(5300.0) * np.float32(8e4 * day))


def _flowers(sheet: Sheet, at: At, seed: int) -> None:
    """A glazed vase with stems, leaves and blossoms on the table."""
    rng = np.random.default_rng([seed, 51])
    figure, rows, columns = _figure(sheet, at, (0.36, 0.76, 3.05), 0.32, 0.72)
    for _ in range(46):
        lean, tall = rng.normal(0, 0.11), rng.uniform(0.34, 0.62)
        tip = (lean, tall)
        figure.capsule((lean * 0.15, 0.2), tip, 0.004, 0.003, colour((0.05, 0.11, 0.03)))
        for _ in range(3):
            t, out = rng.uniform(0.5, 0.95), rng.normal(0, 0.06)
            start = (lean * (0.15 + 0.85 * t), 0.2 + (tall - 0.2) * t)
            leaf = colour((0.05, 0.13, 0.035)) * rng.uniform(0.6, 1.5)
            figure.capsule(start, (start[0] + out, start[1] + 0.03), 0.013, 0.003, leaf)
        if rng.random() < 0.45:
            petal = colour([(0.75, 0.70, 0.62), (0.70, 0.42, 0.45), (0.62, 0.10, 0.12)][rng.integers(3)])
            for _ in range(7):
                a = rng.uniform(0, 2 * np.pi)
                end = (tip[0] + 0.026 * np.cos(a), tip[1] + 0.02 * np.sin(a))
                figure.capsule(tip, end, 0.008, 0.016, petal * rng.uniform(0.8, 1.1))
    figure.lathe([(0.0, 0.05), (0.02, 0.055), (0.10, 0.085), (0.17, 0.06), (0.22, 0.042), (0.25, 0.055)],
                 colour((0.10, 0.20, 0.26)), 6, folds=0.0)  # fmt: skip
    glint = exp(-(length(figure.x + 0.035, (figure.y - 0.12) * 0.5) ** 2) / f32(0.00012))
    figure.light += colour(figure.lux["back"]) * (glint * 0.25)
    sheet.over(rows, columns, figure.light, figure.alpha, 3.05)
