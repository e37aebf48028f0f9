"""A room by day with a lamp on: a window on a sunny garden, its sun on the floor, warm light in the far corner.

From the sun on a cloud to the shadow under the table lie more than sixteen stops; daylight and lamplight meet on the
walls, and the map of both is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..stage import param
from ..types import F32
from . import _furniture, _room, _sky
from ._grid import Array, colour, cover, enlarge, exp, f32, fractal, mix, smooth
from ._lamps import Lamps, kelvin, luminance
from ._room import Box, Face, Pane, Vector
from ._view import Sheet, View
from .spec import Canvas, Place, scene
from .types import Layer, Motion, Scene, Sway

SUN = (-0.36, 0.62, 0.70)  # towards it; unit
SUN_LUX = 62000.0  # across its rays, behind the glass
LAMP_CD = 95.0


@dataclass(frozen=True)
class Light:
    """All that lights the room."""

    panes: list[Pane]
    lamps: Lamps
    boxes: list[Box]
    around: Lamps  # one bounce

    def at(self, x: Array, y: Array, z: Array, normal: Vector) -> F32:
        """(3, …) lux at points that face `normal`, without the sun itself."""
        direct = _room.daylight(x, y, z, normal, self.panes, self.boxes)
        direct += _room.lamplight(x, y, z, normal, self.lamps, self.boxes)
        open_ = _room.near_things(x, y, z, normal, self.boxes)
        return f32(direct + self.around.illuminance(x, y, z, normal) * (1.4 * open_ + 0.05))  # further bounces: +45 %


def sun_lux(face: Face, x: Array, y: Array, z: Array, boxes: list[Box]) -> F32:
    """(3, h, w) lux of the sun through the back window on a face; penumbra as wide as the sun's half degree."""
    falls = sum(n * s for n, s in zip(face.direction, SUN, strict=True))
    shape = np.broadcast_shapes(x.shape, y.shape, z.shape)
    lux = np.zeros((3, *shape), np.float32)
    if falls <= 0:
        return lux
    way = (_furniture.BACK - z) / f32(SUN[2])
    share = _furniture.glass(x + way * f32(SUN[0]), y + way * f32(SUN[1]), np.maximum(way * f32(0.0093), 0.002))
    share = np.where(np.broadcast_to(way, shape) > 0.01, share, 0)
    where = share > 0
    if where.any():
        spots = [np.broadcast_to(v, shape)[where] for v in (x, y, z)]
        toward = [spots[k] + np.broadcast_to(way, shape)[where] * f32(SUN[k]) for k in range(3)]
        share[where] *= ~_blocked(spots, toward, boxes)
        lux += colour(kelvin(5300.0)) * (share * f32(falls * SUN_LUX))
    return lux


def _blocked(spots: list[Array], toward: list[Array], boxes: list[Box]) -> Array:
    """Whether boxes other than the window's own bars stand in the sun's way; each point has its own end."""
    hit = np.zeros(spots[0].shape, bool)
    for box in boxes:
        enter, leave = np.full(hit.shape, 0.004, np.float32), np.full(hit.shape, 0.97, np.float32)
        for k in range(3):
            way = toward[k] - spots[k]
            way = np.where(np.abs(way) < 1e-6, f32(1e-6), way)
            t0, t1 = (f32(box[2 * k]) - spots[k]) / way, (f32(box[2 * k + 1]) - spots[k]) / way
            enter, leave = np.maximum(enter, np.minimum(t0, t1)), np.minimum(leave, np.maximum(t0, t1))
        hit |= enter < leave
    return hit


def garden(view: View, rows: slice, columns: slice, seed: int) -> F32:
    """(3, h, w) cd/m²: what the window shows: sky, trees in sun, a hedge, a lawn."""
    x, y, px = view.canvas.x[:, columns], view.canvas.y[rows], view.canvas.px
    light = _sky.day(x, y, px, view.focal, view.horizon + 0.02, (-0.9, -0.7), seed)
    up = view.horizon - y
    for i, (top, rough, tone) in enumerate(((0.15, 0.05, 0.5), (0.085, 0.03, 1.0), (0.030, 0.012, 0.8))):
        line = top + rough * fractal(x * (5 + 4 * i), 0 * y, px * 8, 5, 0.6, 90 + i + seed)
        clump = fractal(x * 26 * (1 + i), y * 26 * (1 + i), px * 26 * (1 + i), 7, 0.62, 93 + i)
        lit = fractal(x * 26 * (1 + i) + 0.35, y * 26 * (1 + i) + 0.45, px * 26 * (1 + i), 7, 0.62, 93 + i)
        leaf = np.clip(0.5 + 0.5 * (clump - lit) + 0.12 * clump, 0.04, 2.2)
        green = mix(colour((220.0, 420.0, 150.0)), colour((1700.0, 2100.0, 380.0)), np.clip(leaf * 0.7, 0, 1.3))
        air = colour((900.0, 1250.0, 1700.0)) * (0.30 - 0.12 * i)
        light = mix(light, green * tone + air, smooth(-0.004, 0.006, line - up + 0.022 * rough / 0.05 * clump))
    blade = fractal(x * 60, y * 300, px * 200, 5, 0.7, 97)
    lawn = colour((1500.0, 2300.0, 420.0)) * np.clip(0.75 + 0.25 * blade, 0.1, 2)
    shade = smooth(0.2, 0.9, fractal(x * 6, y * 30, px * 20, 4, 0.5, 98))
    return f32(mix(light, lawn * (1 - 0.75 * shade), cover(-up - f32(0.012), px)))


@scene("interior", "a room by day: a bright window, sun on the floor, a lamp in the corner")
class Interior(Place):
    """Layers: the room, then its curtains, which move a little."""

    lamp: bool = param(True, doc="whether the lamp is on")
    day: float = param(1.0, 0.0, 1.0, "", "strength of the daylight; 0 is night, with the lamp alone")

    def build(self, canvas: Canvas, seed: int) -> Scene:
        """Draw it."""
        view = View(canvas, focal=0.86, eye=1.42, vanish_x=0.03, horizon=0.01)
        walls, things = _furniture.walls(seed), _furniture.things(seed)
        boxes = [box for box, *_ in things]
        lamps = Lamps.of([(_furniture.LAMP, (0.0, 1.0, 0.0), kelvin(2700.0) * (LAMP_CD * self.lamp), 0.0, 0.12)])
        lit = self._light(canvas, walls, boxes, lamps)
        shape = canvas.shape
        sheet = Sheet(view, np.zeros((3, *shape), np.float32), np.full(shape, 30.0, np.float32))
        rows, columns = _room.window_on(view, _furniture.window())
        sheet.light[:, rows, columns] = garden(view, rows, columns, seed) * np.float32(max(self.day, 1e-6) * 0.9)
        far = [thing for thing in things if thing[0][4] > 4.6]
        extra, density = self._extra(boxes, view), self._density(canvas)
        shell = [*_furniture.back(), *walls, *_furniture.pictures(seed), *_furniture.boxes_of(far)]
        before = _furniture.boxes_of(things[len(far) :])
        _room.shine_on([face for face in shell + before if _room.seen(view, face)], density, lit.at)
        for face in shell:
            _room.draw(sheet, face, extra)
        _furniture.glint(sheet, (-0.70, 1.42, _furniture.BACK - 0.08), 0.010, self.day)
        near = Sheet(view, sheet.light.copy(), sheet.depth.copy(), np.zeros(shape, np.float32))
        for face in before:
            _room.draw(near, face, extra)
        _furniture.round_things(near, lit.at, self.lamp, seed)
        _furniture.glint(near, (-0.56, 0.80, 3.02), 0.009, self.day)
        _furniture.glint(near, (0.325, 0.90, 2.97), 0.009, self.day)
        parts = [
            Layer("room", sheet.light, sheet.depth),
            *_curtains(view, lit, self),
            near.layer("furniture", sheet.light),
        ]
        layers = [layer for layer in parts if layer is not None]
        card = _illuminant(near, lit, self.day)
        middle = [np.full((1, 1), v, np.float32) for v in (0.3, 0.85, 2.8)]
        lux = luminance(lit.at(middle[0], middle[1], middle[2], (0.0, 1.0, 0.0)))
        return Scene("interior", tuple(layers), canvas.margin, card, lux)

    def _density(self, canvas: Canvas) -> float:
        """Texels per metre of the maps of light: fewer than pixels, for light is smooth."""
        return float(np.clip(canvas.height / 40, 3, 36))

    def _light(self, canvas: Canvas, walls: list[Face], boxes: list[Box], lamps: Lamps) -> Light:
        panes = _furniture.panes(self.day)
        first = Light(panes, lamps, boxes, Lamps.of([((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), f32([0, 0, 0]), 1.0, 1.0)]))
        rough = []
        for face in walls:
            a, b = face.texels(5, 20)
            spots = face.places(a, b)
            lux = _room.daylight(*spots, face.direction, panes, boxes[:4]) + _room.lamplight(
                *spots, face.direction, lamps, []
            )
            sun = sun_lux(face, *spots, boxes) * np.float32(self.day)
            rough.append(Face(face.axis, face.at, face.a, face.b, face.normal, face.paint, lux=f32(lux + sun)))
        return Light(first.panes, lamps, boxes, _room.bounce(rough, _furniture.ALBEDO))

    def _extra(self, boxes: list[Box], view: View) -> _room.Extra:
        def extra(face: Face, x: Array, y: Array, z: Array) -> tuple[Array, Array]:
            lux = sun_lux(face, x, y, z, boxes) * np.float32(self.day)
            if not (face.gloss and face.axis == "y" and face.normal > 0):
                return lux, np.zeros((3, 1, 1), np.float32)
            return lux, _furniture.sheen(view, face, x, z) * np.float32(self.day)

        return extra


def _curtains(view: View, lit: Light, room: Interior) -> list[Layer]:
    """Two curtains beside the window, lit from behind, swaying in the draught."""
    layers = []
    for i, face in enumerate(_furniture.curtains(room.day)):
        rows, columns = _room.window_on(view, face)
        found = _room.grid(view, face, rows, columns)
        if found is None or rows.stop - rows.start < 2 or columns.stop - columns.start < 2:
            continue
        a, b, pa, pb, _ = found
        alpha = cover(np.minimum(a - f32(face.a[0]) - 0.012 * exp(f32(b)), f32(face.a[1]) - a), pa)
        alpha = alpha * cover(np.minimum(b - f32(face.b[0]), f32(face.b[1]) - b), pb)
        x, y, z = face.places(*face.texels(4, 20))
        lux = enlarge(lit.at(x, y, z, face.direction)[:, ::-1], alpha.shape)
        assert face.glow is not None
        light = face.paint(a, b, pa, pb) * lux * f32(1 / np.pi) + face.glow(a, b, pa, pb)
        sway = Sway((0.02 * view.canvas.height / view.focal / face.at, 0.0), 0.31 + 0.06 * i, 1.0 + i)
        depth = np.full((1, 1), face.at, np.float32)
        layers.append(
            Layer("curtain", f32(light), depth, f32(alpha), Motion(sway=sway), 0.0, rows.start, columns.start)
        )
    return layers


def _illuminant(sheet: Sheet, lit: Light, day: float) -> F32:
    """(3, h, w): light of a white card facing the camera in each place, on a coarse grid."""
    view, (height, width) = sheet.view, sheet.depth.shape
    n = max(1, height // 64)
    rows, columns = np.arange(n // 2, height, n), np.arange(n // 2, width, n)
    z = np.minimum(sheet.depth[np.ix_(rows, columns)], _furniture.BACK) - f32(0.05)
    x = (view.canvas.x[:, columns] - f32(view.vanish_x)) * z / f32(view.focal)
    y = view.eye + (view.horizon - view.canvas.y[rows]) * z / f32(view.focal)
    lux = lit.at(f32(x), f32(y), f32(z), (0.0, 0.0, -1.0))
    outside = colour(kelvin(6000.0)) * np.float32(30000.0 * day)
    lux = np.where(sheet.depth[np.ix_(rows, columns)] > _furniture.BACK + 0.5, outside, lux)
    return f32(lux / np.pi)
