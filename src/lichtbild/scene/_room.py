"""Rooms of flat faces: where each lies in the picture, and the light that falls on it.

Every face has its own map of light: windows as areas of sky, shadows of all boxes, lamps, and one bounce off the walls.
The maps are in the room's metres, not in pixels: a picture of any size has the same light.
World and camera are those of `_view`: metres, X right, Y up, Z away, the camera at (0, eye, 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..types import F32
from ._grid import Array, Real, cover, f32, in_strips
from ._lamps import Lamps
from ._view import Sheet, View

Vector = tuple[Real, Real, Real]  # one for all points, or one for each
Box = tuple[float, float, float, float, float, float]  # x0, x1, y0, y1, z0, z1
Paint = Callable[[Array, Array, Array, Array], Array]  # (a, b, px of a, px of b) → albedo (3, h, w)
Extra = Callable[["Face", Array, Array, Array], tuple[Array, Array]]
NEAR = 0.25  # m: what is nearer is not seen


@dataclass
class Face:
    """A rectangle on the plane `axis` = `at`, seen from the side that `normal` (-1, 1) points to.

    It runs over `a` and `b`: Z and Y where axis is "x", X and Z where it is "y", X and Y where it is "z".
    """

    axis: str
    at: float
    a: tuple[float, float]
    b: tuple[float, float]
    normal: int
    paint: Paint
    gloss: float = 0.0  # of a polished surface
    glow: Paint | None = None  # light of its own or that shines through it, cd/m²
    lux: F32 = field(default_factory=lambda: np.zeros((3, 1, 1), np.float32))

    def places(self, a: Array, b: Array) -> tuple[Array, Array, Array]:
        """X, Y, Z of points on it."""
        at = np.full((1, 1), self.at, np.float32)
        return {"x": (at, b, a), "y": (a, at, b), "z": (a, b, at)}[self.axis]

    @property
    def direction(self) -> tuple[float, float, float]:
        """Its normal."""
        n = float(self.normal)
        return {"x": (n, 0.0, 0.0), "y": (0.0, n, 0.0), "z": (0.0, 0.0, n)}[self.axis]

    def texels(self, per_metre: float, most: int) -> tuple[F32, F32]:
        """Middles (1, n) of a and (m, 1) of b of its map of light."""
        n, m = (int(np.clip(round((hi - lo) * per_metre), 2, most)) for lo, hi in (self.a, self.b))
        a = self.a[0] + (np.arange(n) + 0.5) / n * (self.a[1] - self.a[0])
        b = self.b[0] + (np.arange(m) + 0.5) / m * (self.b[1] - self.b[0])
        return f32(a)[None, :], f32(b)[:, None]

    def light(self, a: Array, b: Array) -> F32:
        """(3, h, w) lux at points on it, bilinear in its map."""
        n, m = self.lux.shape[2], self.lux.shape[1]
        x = np.clip((a - self.a[0]) / f32(self.a[1] - self.a[0]) * n - f32(0.5), 0, n - 1)
        y = np.clip((b - self.b[0]) / f32(self.b[1] - self.b[0]) * m - f32(0.5), 0, m - 1)
        i, j = np.minimum(x.astype(np.int32), n - 2), np.minimum(y.astype(np.int32), m - 2)
        tx, ty = f32(x - i), f32(y - j)
        if i.shape[0] == 1 and j.shape[1] == 1:
            rows = self.lux[:, j[:, 0]] * (1 - ty) + self.lux[:, j[:, 0] + 1] * ty
            return f32(rows[:, :, i[0]] * (1 - tx) + rows[:, :, i[0] + 1] * tx)
        i, j = np.broadcast_arrays(i, j)
        low = self.lux[:, j, i] * (1 - tx) + self.lux[:, j, i + 1] * tx
        high = self.lux[:, j + 1, i] * (1 - tx) + self.lux[:, j + 1, i + 1] * tx
        return f32(low * (1 - ty) + high * ty)


def faces(box: Box, paint: Paint, gloss: float = 0.0) -> list[Face]:
    """The sides of a box that a camera at X = 0 before it can see: front, top, bottom, left or right."""
    x0, x1, y0, y1, z0, z1 = box
    found = [Face("y", y1, (x0, x1), (z0, z1), 1, paint, gloss), Face("y", y0, (x0, x1), (z0, z1), -1, paint)]
    if x0 > 0:
        found.append(Face("x", x0, (z0, z1), (y0, y1), -1, paint, gloss))
    if x1 < 0:
        found.append(Face("x", x1, (z0, z1), (y0, y1), 1, paint, gloss))
    return [*found, Face("z", z0, (x0, x1), (y0, y1), -1, paint, gloss)]


def window_on(view: View, face: Face) -> tuple[slice, slice]:
    """Rows and columns of the canvas in which the face can lie."""
    a, b = face.a, face.b
    if face.axis == "x":
        a = (max(a[0], NEAR), max(a[1], NEAR))
    if face.axis == "y":
        b = (max(b[0], NEAR), max(b[1], NEAR))
    corners = [view.screen(*(float(v.ravel()[0]) for v in face.places(f32([[i]]), f32([[j]])))) for i in a for j in b]
    xs, ys = [c[0] for c in corners], [c[1] for c in corners]
    return view.canvas.box(min(xs), min(ys), max(xs), max(ys))


def grid(view: View, face: Face, rows: slice, columns: slice) -> tuple[Array, Array, Array, Array, Array] | None:
    """a, b, the pixel's size in both, and Z, all broadcasting over rows and columns; None where it is edge on."""
    x, y = view.canvas.x[:, columns] - f32(view.vanish_x), view.canvas.y[rows] - f32(view.horizon)
    px = f32(view.canvas.px / view.focal)
    if face.axis == "z":
        z = f32([[face.at]])
        return x * z / f32(view.focal), view.eye - y * z / f32(view.focal), px * z, px * z, z
    if face.axis == "x":
        z = _ahead(view.focal * face.at / np.where(np.abs(x) < 1e-6, f32(1e-6), x))
        return z, f32(view.eye - y * z / view.focal), px * z * z / max(abs(face.at), 1e-3), px * z, z
    drop = view.eye - face.at
    z = _ahead(view.focal * drop / np.where(np.abs(y) < 1e-6, f32(1e-6), y))
    return f32(x * z / view.focal), z, px * z, px * z * z / max(abs(drop), 1e-3), z


def _ahead(z: Array) -> F32:
    """What lies behind the camera is put far away, where no face is."""
    return f32(np.where(z > 0, z, 1e3))


def seen(view: View, face: Face) -> bool:
    """Whether the camera is on the side that the face looks to."""
    offset = {"x": -face.at, "y": view.eye - face.at, "z": -face.at}[face.axis]
    return offset * face.normal > 1e-4


def draw(sheet: Sheet, face: Face, extra: Extra) -> None:
    """Lay the face over what is on the sheet. `extra` (face, X, Y, Z) → lux its map has not, and what it mirrors."""
    view = sheet.view
    if not seen(view, face):
        return
    rows, columns = window_on(view, face)
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return

    def strip(part: slice) -> None:
        at = slice(rows.start + part.start, rows.start + part.stop)
        found = grid(view, face, at, columns)
        if found is None:
            return
        a, b, pa, pb, z = found
        alpha = cover(np.minimum(a - f32(face.a[0]), f32(face.a[1]) - a), pa)
        alpha = alpha * cover(np.minimum(b - f32(face.b[0]), f32(face.b[1]) - b), pb) * (z > NEAR)
        if not alpha.any():
            return
        lux, mirrored = extra(face, *face.places(a, b))
        light = face.paint(a, b, pa, pb) * (face.light(a, b) + lux) * f32(1 / np.pi) + mirrored
        if face.glow is not None:
            light = light + face.glow(a, b, pa, pb)
        sheet.over(at, columns, light, alpha, z)

    in_strips(rows.stop - rows.start, columns.stop - columns.start, strip)


@dataclass(frozen=True)
class Pane:
    """A window as a source of light: points on it, the light (n, 3) cd/m² seen through each, and the area of each."""

    at: F32  # (n, 3)
    normal: tuple[float, float, float]  # into the room
    light: F32
    area: float


def blocked(x: Array, y: Array, z: Array, to: Sequence[float], boxes: Sequence[Box]) -> Array:
    """Whether a box stands between points and `to`; a hair's breadth at both ends does not count."""
    start = [np.asarray(v, np.float32) for v in (x, y, z)]
    way = [f32(t) - s for t, s in zip(to, start, strict=True)]
    inverse = [1 / np.where(np.abs(w) < 1e-6, f32(1e-6), w) for w in way]
    hit = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), bool)
    for box in boxes:
        enter, leave = f32(0.004), f32(0.996)
        for axis in range(3):
            t0 = (f32(box[2 * axis]) - start[axis]) * inverse[axis]
            t1 = (f32(box[2 * axis + 1]) - start[axis]) * inverse[axis]
            enter, leave = np.maximum(enter, np.minimum(t0, t1)), np.minimum(leave, np.maximum(t0, t1))
        hit |= enter < leave
    return hit


def daylight(x: Array, y: Array, z: Array, normal: Vector, panes: Sequence[Pane], boxes: Sequence[Box]) -> F32:
    """(3, …) lux that windows send to points that face `normal`, past the boxes."""
    shape = np.broadcast_shapes(x.shape, y.shape, z.shape)
    total = np.zeros((3, *shape), np.float32)
    for pane in panes:
        for at, light in zip(pane.at, pane.light, strict=True):
            dx, dy, dz = at[0] - x, at[1] - y, at[2] - z
            d2 = dx * dx + dy * dy + dz * dz + f32(pane.area * 0.1)
            falls = np.clip(dx * normal[0] + dy * normal[1] + dz * normal[2], 0, None)
            leaves = np.clip(-(dx * pane.normal[0] + dy * pane.normal[1] + dz * pane.normal[2]), 0, None)
            share = falls * leaves / (d2 * d2) * f32(pane.area)
            if not share.any():
                continue
            total += light.reshape(3, *[1] * len(shape)) * (share * ~blocked(x, y, z, at, boxes))
    return total


def lamplight(x: Array, y: Array, z: Array, normal: Vector, lamps: Lamps, boxes: Sequence[Box]) -> F32:
    """(3, …) lux that lamps send to points that face `normal`, past the boxes."""
    shape = np.broadcast_shapes(x.shape, y.shape, z.shape)
    total = np.zeros((3, *shape), np.float32)
    for i in range(len(lamps.at)):
        one = Lamps(*(getattr(lamps, k)[i : i + 1] for k in ("at", "axis", "candela", "lobe", "size")))
        total += one.illuminance(x, y, z, normal) * ~blocked(x, y, z, lamps.at[i], boxes)
    return total


def near_things(x: Array, y: Array, z: Array, normal: Vector, boxes: Sequence[Box]) -> Array:
    """0..1: how open the half space over points is within some 0.7 m: what is left of light from all around."""
    n = [f32(v) for v in normal]
    side, other = (n[1], n[2], n[0]), (n[2], n[0], n[1])
    free = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), np.float32)
    rays = [
        (tilt, 2 * np.pi * (k + tilt) / turns) for tilt, turns in ((0.25, 3), (0.75, 5), (1.6, 6)) for k in range(turns)
    ]
    for tilt, angle in rays:
        c, s = f32(tilt * np.cos(angle)), f32(tilt * np.sin(angle))
        reach = f32(0.7 / (1 + tilt * tilt) ** 0.5)
        to = [p + reach * (n[i] + c * side[i] + s * other[i]) for i, p in enumerate((x, y, z))]
        free += ~blocked(x, y, z, to, boxes)
    return free / f32(len(rays))


def shine_on(sides: Sequence[Face], per_metre: float, at: Callable[[Array, Array, Array, Vector], F32]) -> None:
    """Fill the maps of light of all `sides` at once, by what `at` says of points and normals."""
    grids = [face.texels(per_metre, 160) for face in sides]
    shapes = [(b.shape[0], a.shape[1]) for a, b in grids]
    spots, normals = [], []
    for face, (a, b), shape in zip(sides, grids, shapes, strict=True):
        n = face.direction
        lifted = [
            f32(p + f32(0.004 * n[k])) for k, p in enumerate(face.places(a, b))
        ]  # a hair above, out of its own box
        spots.append([np.broadcast_to(p, shape).ravel() for p in lifted])
        normals.append([np.full(shape[0] * shape[1], v, np.float32) for v in n])
    x, y, z = (np.concatenate([p[k] for p in spots]) for k in range(3))
    nx, ny, nz = (np.concatenate([p[k] for p in normals]) for k in range(3))
    lux = np.empty((3, len(x)), np.float32)

    def part(span: slice) -> None:
        lux[:, span] = at(x[span], y[span], z[span], (nx[span], ny[span], nz[span]))

    in_strips(len(x), 16, part)
    ends = np.cumsum([h * w for h, w in shapes])
    for face, end, (h, w) in zip(sides, ends, shapes, strict=True):
        face.lux = lux[:, end - h * w : end].reshape(3, h, w)


def bounce(walls: Sequence[Face], albedo: Sequence[Array]) -> Lamps:
    """What the walls send back into the room: each as a grid of small sources of its mean light."""
    rows = []
    for face, shine in zip(walls, albedo, strict=True):
        a = f32(np.linspace(face.a[0], face.a[1], 9)[1::2])[None, :]
        b = f32(np.linspace(face.b[0], face.b[1], 7)[1::2])[:, None]
        area = (face.a[1] - face.a[0]) * (face.b[1] - face.b[0]) / (a.size * b.size)
        lux = face.light(a, b)
        spots = np.broadcast_arrays(*face.places(a, b))
        for j in range(b.size):
            for i in range(a.size):
                candela = lux[:, j, i] * f32(shine) * f32(area / np.pi)
                at = (float(spots[0][j, i]), float(spots[1][j, i]), float(spots[2][j, i]))
                rows.append((at, face.direction, candela, 1.0, float(np.sqrt(area)) * 0.7))
    return Lamps.of(rows)
