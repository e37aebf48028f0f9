"""A street after rain: lanterns, lit windows, signs, people, a car, and all of it again in the wet ground.

The town is laid out in metres by its seed and drawn in closed form: a level camera sees a wall's distance in the column
and the ground's in the row. Lamps light what is near them as lamps do, by distance squared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..stage import param
from ..types import F32
from . import _sky, _street_ground, _street_things, _street_walls
from ._car import car
from ._grid import colour, enlarge, enlarge_rows, f32, in_strips
from ._lamps import Lamps, kelvin, luminance
from ._people import around, crowd, walker
from ._street_things import Sign
from ._street_walls import Houses, Look
from ._view import Sheet, View
from .spec import Canvas, Place, scene
from .types import Layer, Scene

SIDES = (-5.0, 5.8)  # X of the walls
SKY_LUX = 0.25


@dataclass(frozen=True)
class Town:
    """What stands where."""

    houses: tuple[Houses, Houses]
    lanterns: list[tuple[float, float]]
    signs: list[Sign]
    lamps: Lamps  # lanterns and signs
    shops: Lamps
    seed: int

    @staticmethod
    def of(seed: int) -> Town:
        """Lay it out."""
        houses = (_street_walls.plan(SIDES[0], seed), _street_walls.plan(SIDES[1], seed))
        places, boards = _street_things.lanterns(SIDES), _street_things.signs(SIDES, seed)
        shops = [_street_walls.shop_lamps(h, 45.0) for h in houses]
        lamps = _street_things.lamps(places, boards)
        return Town(houses, places, boards, lamps, Lamps.joined(shops), seed)


def _coarse(n: int, height: int) -> int:
    """Samples for something as smooth as light in the air: one in eight at 12 MP."""
    return max(2, n // max(1, height // 400))


@dataclass(frozen=True)
class _Soft:
    """Light on a plane, (3, h, w) on a coarse grid; `rows(part, w)` enlarges a part of its rows to full size."""

    lux: F32
    height: int  # full size

    def rows(self, part: slice, width: int) -> F32:
        """(3, part, width)."""
        return enlarge_rows(self.lux, part, (self.height, width))


def _lux_on_wall(view: View, town: Town, side: float, z: F32, rows: int) -> _Soft:
    """Illuminance on the fronts: lamps, the sky, and what the ground sends back."""
    zc = enlarge(z, (1, _coarse(z.shape[1], view.canvas.height)))
    y = enlarge(view.canvas.y, (_coarse(rows, view.canvas.height), 1))
    y = f32((view.eye + (view.horizon - y) * (zc / view.focal)) * view.flip)
    inward = -float(np.sign(side))
    x = np.full((1, 1), side, np.float32)
    lux = town.lamps.illuminance(x, y, zc, (inward, 0.0, 0.0)) + colour(kelvin(3600.0)) * SKY_LUX
    ground = Lamps.joined([town.lamps, town.shops]).illuminance(x + inward * 4, np.zeros_like(y), zc, (0.0, 1.0, 0.0))
    return _Soft(f32(lux + 0.06 * ground), rows)


def _wall(sheet: Sheet, town: Town, houses: Houses, share: float) -> None:
    """One row of house fronts on the sheet."""
    view, rows = sheet.view, sheet.light.shape[1]
    columns, z = view.wall(houses.side)
    if not z.size:  # a narrow frame looks past it
        return
    lux = _lux_on_wall(view, town, houses.side, z, rows)
    pz = view.canvas.px * z * z / f32(view.focal * abs(houses.side))
    py = view.canvas.px * z / f32(view.focal)

    def strip(part: slice) -> None:
        look = Look(houses, z, view.up(z, part), view.eye * view.flip, pz, py)
        glass = colour((0.05, 0.06, 0.10)) * (0.4 + 0.6 * f32(np.clip(look.y / 14, 0, 1)))
        light, cover = _street_walls.draw(look, lux.rows(part, z.shape[1]), f32(glass), share)
        under, depth = sheet.light[:, part, columns], sheet.depth[part, columns]
        under += cover * (light - under)
        depth[...] = np.where(cover >= 0.5, z, depth)

    in_strips(rows, z.shape[1], strip)


def draw_town(view: View, town: Town, sky: F32, share: float) -> Sheet:
    """The town as `view` sees it, without its ground."""
    sheet = Sheet(view, sky, np.full(sky.shape[1:], 1e5, np.float32))
    _street_things.tower(sheet, 150.0, -2.5)
    for houses in town.houses:
        _street_things.gables(sheet, houses, kelvin(3000.0) * 0.9)
        _wall(sheet, town, houses, share)
    for z in (27.0, 12.5):
        _street_things.garland(sheet, SIDES, z, 6.6, town.seed)
    for board in sorted(town.signs, key=lambda b: -b.z):
        _street_things.draw_sign(sheet, board)
    for x, z in reversed(town.lanterns):
        _street_things.draw_lantern(sheet, x, z)
    return sheet


@scene("street", "a street at night after rain: lanterns, signs, people, a car")
class Street(Place):
    """Layers: the street, then what moves in it."""

    lux: float = param(12.0, 0.01, 50.0, "lx", "illuminance on the road in the middle of the picture")
    wet: float = param(1.0, 0.0, 1.0, "", "how much water the rain has left on the ground")
    people: int = param(7, 0, 7, "", "how many people walk in it")
    car: bool = param(True, doc="whether a car comes")
    lit: float = param(0.34, 0.0, 1.0, "", "share of the windows that are lit")

    def build(self, canvas: Canvas, seed: int, view: View | None = None) -> Scene:
        """Draw it, as another camera sees it where `view` is given."""
        view = view or View(canvas)
        town = Town.of(seed)
        sky = _sky.night(canvas, view.focal, view.horizon, (0.10, -0.33), seed)
        flipped = _upside_down(sky, view)
        sheet = draw_town(view, town, sky, self.lit)
        below = draw_town(view.mirrored(), town, flipped, self.lit)
        sources = Lamps.joined([town.lamps, town.shops])
        _lay_ground(sheet, below, sources, self.wet, seed)
        layers = [Layer("street", sheet.light, sheet.depth), *_moving(view, town, sheet.light, self)]
        here = [np.full((1, 1), v, np.float32) for v in (0.4, 0.0, 9.0)]
        found = luminance(sources.illuminance(here[0], here[1], here[2], (0.0, 1.0, 0.0)))
        for layer in layers:
            np.multiply(layer.light, np.float32(self.lux / found), out=layer.light)
        card = _illuminant(sheet, sources) * np.float32(self.lux / found)
        return Scene("street", tuple(layers), canvas.margin, card, self.lux)


def _lay_ground(sheet: Sheet, below: Sheet, sources: Lamps, wet: float, seed: int) -> None:
    """The ground between the walls, which mirrors `below`."""
    view = sheet.view
    rows, z = view.ground()
    x = view.across(z)
    size = (_coarse(x.shape[0], view.canvas.height), _coarse(x.shape[1], view.canvas.height))
    zc, xc = enlarge(z, (size[0], 1)), enlarge(x, size)
    lux = sources.illuminance(xc, np.zeros_like(xc), zc, (0.0, 1.0, 0.0)) + colour(kelvin(3600.0)) * SKY_LUX
    ground = _street_ground.draw(view, SIDES, below.light[:, rows], lux, wet, seed)
    free = (x > SIDES[0]) & (x < SIDES[1]) & (sheet.depth[rows] > z)
    np.copyto(sheet.light[:, rows], ground, where=free)
    np.copyto(sheet.depth[rows], np.broadcast_to(z, x.shape), where=free)


def _illuminant(sheet: Sheet, sources: Lamps) -> F32:
    """(3, h, w): light of a white card facing the camera in each place, on a coarse grid."""
    view, (height, width) = sheet.view, sheet.depth.shape
    n = max(1, height // 96)
    rows, columns = np.arange(n // 2, height, n), np.arange(n // 2, width, n)
    z = np.minimum(sheet.depth[np.ix_(rows, columns)], 120)
    x = (view.canvas.x[:, columns] - f32(view.vanish_x)) * z / f32(view.focal)
    y = np.maximum(view.eye + (view.horizon - view.canvas.y[rows]) * z / f32(view.focal), 0.05)
    direct = sources.illuminance(x, y, z - f32(0.05), (0.0, 0.0, -1.0))
    around = 0.06 * sources.illuminance(x, np.zeros_like(y), z, (0.0, 1.0, 0.0))
    return f32((direct + around + colour(kelvin(3600.0)) * SKY_LUX) / np.pi)


def _moving(view: View, town: Town, under: F32, street: Street) -> list[Layer]:
    """The car and the people, far to near."""
    lamps = Lamps.joined([town.lamps, town.shops])
    ambient = kelvin(3200.0) * (SKY_LUX + 0.6)
    lux = around(lamps, (-1.15, 1.0, 21.0), ambient)
    layers = [car(view, (-1.15, 21.0, 6.0), lux, under, street.wet)] if street.car else []
    for w in sorted(crowd(town.seed)[: street.people], key=lambda w: -w.z):
        layers.append(walker(view, w, lamps, ambient, street.wet))
    found = [layer for layer in layers if layer is not None]
    return sorted(found, key=lambda layer: -float(layer.depth_m.max()))


def _upside_down(sky: F32, view: View) -> F32:
    """The sky that the ground mirrors: row by row the other way round about the horizon."""
    middle = 2 * (view.horizon * view.canvas.height + view.canvas.shape[0] / 2) - 1
    rows = np.clip(np.rint(middle - np.arange(sky.shape[1])), 0, sky.shape[1] - 1).astype(int)
    return f32(sky[:, rows])
