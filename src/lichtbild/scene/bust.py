"""A person before the lights of a street, or in a garden: head and shoulders with hair that ends in single strands.

What is behind lies at its true distance, so that a lens can put it out of focus; the hair's outline is known as alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from ..stage import param
from ..types import F32
from . import _head, _sdf
from ._bust_light import Shine, lights, paint
from ._grid import (
    Array,
    box_blur,
    colour,
    cover,
    enlarge,
    enlarge_rows,
    exp,
    f32,
    fractal,
    in_strips,
    mix,
    smooth,
    strips,
)
from ._hair import shine, splat, strands
from ._head import HAIR, Look
from ._view import View
from .foliage import Foliage
from .spec import Canvas, Place, place, scene
from .street import Street
from .types import Layer, Motion, Scene, Sway

FOCAL, DISTANCE = 1.9, 1.5  # frame heights; m
HEAD = (0.08, -0.13)  # of its middle on the canvas
_STEEP = 4.0  # slope of one part against another up to which their meeting is soft; more is an outline
REACH = (0.34, 0.20, 0.64)  # m of the picture beside, above and below the middle of the head


@dataclass
class Part:
    """One solid as the camera sees it, on the coarse grid: outline (negative within), z, normal, openness, shadows."""

    name: str
    outline: F32
    z: F32
    n: tuple[F32, F32, F32]
    open: F32
    lit: list[F32]


def _solids() -> dict[str, _sdf.Solid]:
    """The parts by name, in the world's frame."""

    def head(f: _sdf.Solid) -> _sdf.Solid:
        return lambda x, y, z: f(*_head.turned((x, y, z)))

    def skin(x: Array, y: Array, z: Array) -> Array:
        return _sdf.join(head(lambda *p: _head.face(p))(x, y, z), _head.body((x, y, z)), 0.02)

    return {
        "coat": lambda *p: _head.coat(p),
        "skin": skin,
        "eye": head(lambda *p: _head.eye(p)),
        "scarf": lambda *p: _head.scarf(p),
        "hair": head(lambda *p: _head.hair(p)),
    }


def _trace(x: F32, y: F32, shine_on: Shine) -> list[Part]:
    """Find every part on the coarse grid x (1, w), y (h, 1) in metres."""
    shape = (y.shape[0], x.shape[1])
    flat = [np.broadcast_to(v, shape).ravel().astype(np.float32) for v in (x, y)]
    solids = _solids()

    def whole(a: Array, b: Array, c: Array) -> Array:
        d = solids["coat"](a, b, c)
        for name in ("skin", "scarf", "hair"):
            d = np.minimum(d, solids[name](a, b, c))
        return d

    parts = []
    for name, solid in solids.items():
        z, outline = _sdf.march(solid, flat[0], flat[1], -0.22, 0.25)
        met = np.flatnonzero(outline < 1e-3)
        fields = [np.zeros(len(z), np.float32) for _ in range(5 + len(shine_on.lamps))]
        p = (flat[0][met], flat[1][met], z[met])
        n = _sdf.normal(solid, *p)
        found = [z[met], *n, _sdf.openness(whole, p, n)]
        found += [_sdf.shadow(whole, p, n, to, 0.12) for to, _ in shine_on.lamps]
        for field, values in zip(fields, found, strict=True):
            field[met] = values
        full = [_spread(f.reshape(shape), (outline < 1e-3).reshape(shape)) for f in fields]
        parts.append(Part(name, outline.reshape(shape), full[0], (full[1], full[2], full[3]), full[4], full[5:]))
    return parts


def _spread(field: F32, known: Array) -> F32:
    """Values carried beyond where they are known, so that a finer grid finds them at the very edge."""
    weight = box_blur(box_blur(known.astype(np.float32), 2, 0, 1), 2, 1, 1)
    value = box_blur(box_blur(field * known, 2, 0, 1), 2, 1, 1)
    return f32(np.where(known, field, value / np.maximum(weight, f32(1e-6))))


@scene("bust", "a person before the lights of a street, or in a garden")
class Bust(Place):
    """Layers: those of the place, then the bust, then single strands of hair."""

    place: str = param("street", doc="what is behind", choices=("street", "garden"))
    tone: int = param(4, 1, 10, "", "skin: 1 light to 10 dark")
    hair: str = param("brown", doc="colour of the hair", choices=tuple(HAIR))

    def build(self, canvas: Canvas, seed: int) -> Scene:
        """Draw it."""
        view = View(canvas, focal=FOCAL, eye=1.55, vanish_x=-0.10, horizon=0.04)
        behind = _behind(self.place, canvas, seed, view)
        shine_on, look = lights(self.place), Look(self.tone, self.hair)
        metre = FOCAL / DISTANCE
        rows, columns = canvas.box(HEAD[0] - REACH[0] * metre, HEAD[1] - REACH[1] * metre,
                                   HEAD[0] + REACH[0] * metre, HEAD[1] + REACH[2] * metre)  # fmt: skip
        x, y = (canvas.x[:, columns] - f32(HEAD[0])) / f32(metre), -(canvas.y[rows] - f32(HEAD[1])) / f32(metre)
        n = max(1, round(x.shape[1] / 440))
        size = (-(-y.shape[0] // n), -(-x.shape[1] // n))
        parts = _trace(enlarge(x, (1, size[1])), enlarge(y, (size[0], 1)), shine_on)
        px = canvas.px / metre
        light, alpha, depth = _compose(parts, x, y, px, look, shine_on)
        breath = Motion(sway=Sway((0.0, 0.0006 * canvas.height), 0.28, 0.0))
        bust = Layer("bust", light, depth, alpha, breath, 0.0, rows.start, columns.start)
        wisps = _wisps(parts, x, y, px, look, shine_on, seed)
        strands_ = Layer("hair", wisps[0], f32([[DISTANCE - 0.02]]), wisps[1], breath, 0.0, rows.start, columns.start)
        card = _card(behind, alpha, rows, columns, shine_on)
        return Scene(
            "bust", (*behind.layers, bust, strands_), canvas.margin, card, behind.lux, regions=_regions(canvas)
        )


def _behind(name: str, canvas: Canvas, seed: int, view: View) -> Scene:
    """The place itself, through a longer lens than its own."""
    if name == "garden":
        return cast(Foliage, place({"name": "foliage"})).build(canvas, seed, view)
    return cast(Street, place({"name": "street", "people": 5})).build(canvas, seed, view)


def _compose(parts: list[Part], x: F32, y: F32, px: float, look: Look, shine_on: Shine) -> tuple[F32, F32, F32]:
    """Light (3, h, w), alpha and depth (h, w) of all parts together on the fine grid."""
    shape = (y.shape[0], x.shape[1])
    light, alpha = np.zeros((3, *shape), np.float32), np.zeros(shape, np.float32)
    front = np.full(shape, 0.3, np.float32)
    for part in parts:
        names = ["outline", "z", "nx", "ny", "nz", "open", *(f"lit{k}" for k in range(len(part.lit)))]
        fields = dict(zip(names, [part.outline, part.z, *part.n, part.open, *part.lit], strict=True))

        def strip(rows: slice, name: str = part.name, fields: dict[str, F32] = fields) -> None:
            here = {k: enlarge_rows(f, rows, shape) for k, f in fields.items()}
            outline = here["outline"]
            if name == "hair":  # hair has no smooth edge
                outline = outline + f32(0.0028) * _ragged(x, y[rows], px)
            seen = cover(-outline, f32(px))
            if not seen.any():
                return
            p = (x + 0 * y[rows], y[rows] + 0 * x, here["z"])
            out = paint(name, here, p, px, look, shine_on)
            before = _before(front[rows] + f32(0.0015) - here["z"], px)
            total = alpha[rows] + seen * (1 - alpha[rows])
            share = seen * (before + (1 - before) * (1 - alpha[rows]))  # what is behind fills what was left open
            light[:, rows] += share / np.maximum(total, f32(1e-6)) * (out - light[:, rows])
            alpha[rows] = total
            front[rows] = np.where((seen > 0.02) & (before >= 0.5), here["z"], front[rows])

        in_strips(*shape, strip)
    return light, alpha, f32(DISTANCE + np.where(alpha > 0, np.minimum(front, 0.2), 0.0))


def _before(ahead: F32, px: float) -> F32:
    """0..1: how much of a pixel a part that is `ahead` m (h, w) of the others covers where both meet."""
    if min(ahead.shape) < 2:
        return f32(ahead > 0)
    steep = np.hypot(*np.gradient(ahead))
    return f32(np.clip(0.5 + ahead / np.clip(steep, f32(0.1 * px), f32(_STEEP * px)), 0, 1))


def _ragged(x: F32, y: F32, px: float) -> Array:
    """(h, w) about 0: bundles that end sooner or later, finer the finer the pixel."""
    return fractal(x * 240 + y * 60, y * 40 - x * 20, px * 240, 5, 0.8, 27)


def _roots(part: Part, x: F32, y: F32, rng: np.random.Generator) -> tuple[F32, F32]:
    """Where strands leave the body of the hair and which way: (n, 2) metres, (n, 2) unit; most at its outline."""
    rows, columns = np.nonzero((part.outline < 0.0) & (part.outline > -0.02))
    at = np.stack([np.interp(columns, (0, part.z.shape[1] - 1), x[0, [0, -1]]),
                   np.interp(rows, (0, part.z.shape[0] - 1), y[[0, -1], 0])], 1)  # fmt: skip
    fringe = np.flatnonzero((np.abs(at[:, 0]) < 0.075) & (at[:, 1] > 0.03) & (at[:, 1] < 0.11))
    pick = [rng.integers(0, max(len(at), 1), 5000 * bool(len(at)))]
    pick.append(fringe[rng.integers(0, max(len(fringe), 1), 1600 * bool(len(fringe)))])
    k = np.concatenate(pick)
    roots = at[k] + rng.normal(0, 0.0012, (len(k), 2))
    out = np.stack([part.n[0][rows[k], columns[k]], part.n[1][rows[k], columns[k]]], 1)
    down = roots - np.array([0.02, 0.17])
    down /= np.sqrt((down * down).sum(axis=1, keepdims=True)) + 1e-6
    way = down + out * rng.exponential(0.22, (len(k), 1)) + rng.normal(0, 0.10, down.shape)
    return f32(roots), f32(way / (np.sqrt((way * way).sum(axis=1, keepdims=True)) + 1e-6))


def _wisps(parts: list[Part], x: F32, y: F32, px: float, look: Look, shine_on: Shine, seed: int) -> tuple[F32, F32]:
    """Light (3, h, w) and alpha (h, w) of single strands: over the hair, and beyond its outline into the air."""
    rng = np.random.default_rng([seed, 71])
    roots, ways = _roots(parts[-1], x, y, rng)
    n = len(roots)
    lengths, thick = f32(rng.uniform(0.02, 0.085, n)), f32(rng.uniform(0.6, 1.2, (n, 1)))
    bend, tz = f32(rng.normal(0, 0.5, (n, 3))), f32(rng.uniform(-0.3, 0.3, (n, 1)))
    light, total = (np.zeros((*planes, y.shape[0], x.shape[1]), np.float32) for planes in ((3,), ()))
    albedo = f32(HAIR[look.hair])
    for some in np.array_split(np.arange(n), max(1, n // 400)):  # some at a time: memory stays small
        sx, sy, tx, ty = strands(roots[some], ways[some], lengths[some], bend[some], 0.8 * px)
        size = np.sqrt(tx * tx + ty * ty + tz[some] * tz[some])
        glow = 1.5 * shine(albedo * f32(1.6), (tx / size, ty / size, tz[some] / size), shine_on.lamps)
        glow = glow + colour(albedo * shine_on.around) * f32(0.6 / np.pi)
        t = np.linspace(0, 1, sx.shape[1], dtype=np.float32)[None, :]
        width_px = f32(8e-5 / px) * (1 - 0.6 * t) * thick[some]
        weight = width_px * (lengths[some][:, None] / f32(sx.shape[1] * px))
        column, row = (sx - x[0, 0]) / f32(px), (y[0, 0] - sy) / f32(px)
        splat(total, light, column.ravel(), row.ravel(), weight.ravel(), glow.reshape(3, -1))
    alpha = np.empty_like(total)
    for part in strips(*total.shape):
        light[:, part] /= np.maximum(total[part], f32(1e-6))
        alpha[part] = (1 - exp(-total[part])) * (1 - _bare(parts, part, total.shape, y[part]))
    return light, alpha


def _bare(parts: list[Part], rows: slice, shape: tuple[int, int], y: F32) -> Array:
    """0..1 in some rows: where the face is before the hair, below the fringe: no strand hangs there."""
    skin, hair = parts[1], parts[-1]
    seen = (skin.outline < 0) & ((hair.outline > 0) | (skin.z < hair.z))
    soft = box_blur(box_blur(seen.astype(np.float32), 2, 0, 2), 2, 1, 2)
    return np.asarray(enlarge_rows(soft, rows, shape) * smooth(0.07, 0.04, y))


def _card(behind: Scene, alpha: F32, rows: slice, columns: slice, shine_on: Shine) -> F32:
    """The place's map of the illuminant, and on the bust what a card beside the face would show."""
    h, w = 48, max(2, round(48 * behind.canvas[1] / behind.canvas[0]))
    card = (
        enlarge(behind.illuminant, (h, w)) if behind.illuminant.shape[1] > 1 else np.tile(behind.illuminant, (1, h, w))
    )
    lux = shine_on.around.copy()
    for to, lamp in shine_on.lamps:
        lux += lamp * max(0.0, -to[2])
    full = np.zeros(behind.canvas, np.float32)
    full[rows, columns] = alpha
    share = enlarge(full, (h, w))
    return f32(mix(card, colour(lux / np.pi), smooth(0.3, 0.7, share)))


def _regions(canvas: Canvas) -> dict[str, tuple[int, int, int, int]]:
    """The face, for whoever measures skin."""
    metre = FOCAL / DISTANCE
    rows, columns = canvas.box(
        HEAD[0] - 0.07 * metre, HEAD[1] - 0.08 * metre, HEAD[0] + 0.05 * metre, HEAD[1] + 0.10 * metre
    )
    return {"face": (rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start)}
