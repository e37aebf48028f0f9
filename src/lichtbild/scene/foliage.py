"""A garden in the sun: leaves on branches with sky between them, a picket fence, a wall of brick, grass.

Fine and repetitive at all scales: what demosaicing, alignment and coding find hardest. The leaves sway.
"""

from __future__ import annotations

import math

import numpy as np

from ..stage import param
from ..types import F32
from . import _sky
from ._grid import Array, colour, cover, dice, f32, fractal, in_strips, mix, pulses, smooth
from ._leaves import SKY_LUX, SKY_RGB, SUN, SUN_LUX, SUN_RGB, Plant, dress, grow
from ._view import View
from .spec import Canvas, Place, scene
from .types import Layer, Motion, Scene, Sway

WALL_X = -3.4  # m
FENCE_Z, FENCE_SLOPE = 7.0, 0.42  # at X = 0; Z gained per X
FENCE_M = 1.05  # high


def lit(normal: tuple[float, float, float], sun: Array | float = 1.0, sky: Array | float = 1.0) -> Array:
    """(3, …) lux on a surface in a share of the sun and of the sky."""
    falls = max(0.0, sum(n * s for n, s in zip(normal, SUN, strict=True)))
    return np.asarray(
        colour(SUN_RGB) * (SUN_LUX * falls * sun) + colour(SKY_RGB) * (SKY_LUX * sky * (0.6 + 0.4 * normal[1]))
    )


def bricks(a: Array, b: Array, pa: Array, pb: Array) -> tuple[Array, Array]:
    """Reflectance (3, h, w) of a wall at a, b (m), and the relief (h, w) about 1 that low sun gives it."""
    row = np.floor(b / f32(0.077))
    along = a / f32(0.235) + 0.5 * (row % 2)
    up, off = b / f32(0.077) - row, along - np.floor(along)
    joint = pulses(b / f32(0.077), 0.85, pb / 0.077) * pulses(along, 0.955, pa / 0.235)
    wide = np.maximum(pa, pb)
    seen = np.clip(1.3 - wide * 8, 0, 1)
    luck = [(dice(np.floor(along), row, seed=s) - 0.5) * seen for s in (61, 62)]
    grain = fractal(a * 90, b * 90, wide * 90, 4, 0.75, 63)
    stain = fractal(a * 0.9, b * 0.7, wide, 6, 0.55, 64)
    clay = mix(colour((0.24, 0.125, 0.085)), colour((0.155, 0.085, 0.068)), 0.5 + luck[0])
    clay = clay * np.clip(1 + 0.5 * luck[1] + 0.14 * grain + 0.12 * stain, 0.3, 2)
    lime = colour((0.36, 0.33, 0.28)) * np.clip(1 + 0.12 * grain + 0.15 * stain, 0.3, 2)
    edge = seen * np.clip(1.2 - wide * 60, 0, 1) * joint
    relief = 1 + edge * (0.35 * smooth(0.80, 0.92, up) - 0.3 * smooth(0.20, 0.08, up) + 0.2 * smooth(0.06, 0.02, off))
    return mix(lime, clay, joint), relief


def _wall(view: View, light: F32, depth: F32) -> None:
    """The house on the left: brick, with shuttered windows and the tree's shade on it."""
    columns, z = view.wall(WALL_X)
    if columns.stop <= columns.start:
        return
    px, pz = view.canvas.px * z / view.focal, view.canvas.px * z * z / (view.focal * abs(WALL_X))

    def strip(part: slice) -> None:
        y = view.up(z, part)
        albedo, relief = bricks(z + 0 * y, y, pz, px)
        shade = smooth(-0.5, 0.9, fractal(z * 0.8 + y * 0.3, y * 0.9 + 0 * z, np.maximum(px, pz), 6, 0.6, 65))
        along = (z - 3.6) % f32(3.4) - f32(1.7)
        pane = cover(0.48 - np.abs(along), pz) * cover(0.75 - np.abs(y - 2.0), px)
        frame = cover(0.56 - np.abs(along), pz) * cover(0.83 - np.abs(y - 2.0), px)
        blind = cover(0.5 - np.abs(np.abs(along) - 1.06), pz) * cover(0.83 - np.abs(y - 2.0), px)
        slats = 0.55 + 0.45 * pulses(y / f32(0.055), 0.6, px / 0.055)
        body = mix(albedo * relief, colour((0.045, 0.10, 0.085)) * slats, blind)
        body = mix(body, colour((0.62, 0.60, 0.55)), frame)
        out = body * lit((1.0, 0.0, 0.0), 0.25 + 0.75 * shade, 0.9) * f32(1 / np.pi)
        bars = np.maximum(cover(0.025 - np.abs(along), pz), cover(0.02 - np.abs(y - 2.2), px))
        glass = colour((600.0, 850.0, 900.0)) * np.clip(0.7 + 0.5 * fractal(z * 2, y * 2, px * 2, 5, 0.6, 66), 0.1, 2)
        out = mix(out, mix(glass, out * 0.6, bars), pane)
        alpha = cover(5.2 - y, px) * cover(y, px) * cover(14.0 - z, pz)
        under = light[:, part, columns]
        under += alpha * (out - under)
        np.copyto(depth[part, columns], np.broadcast_to(z, alpha.shape), where=alpha >= 0.5)

    in_strips(light.shape[1], z.shape[1], strip)


def _lawn(view: View, light: F32, depth: F32, seed: int) -> None:
    """Grass from the camera to the trees, mown in stripes, with daisies and the fence's shadow."""
    rows, z_all = view.ground()

    def strip(part: slice) -> None:
        z = z_all[part]
        x = view.across(z)
        px, pz = view.canvas.px * z / view.focal, view.canvas.px * z * z / (view.focal * view.eye)
        wide = np.maximum(px, pz * 0.35)
        blade = fractal(x * 60, z * 16, wide * 60, 7, 0.8, 71 + seed)
        tuft = fractal(x * 5, z * 3, wide * 5, 5, 0.55, 72 + seed)
        mown = pulses((x + 0.25 * z) / f32(0.9), 0.5, (px + 0.25 * pz) / 0.9)
        green = mix(
            colour((0.055, 0.095, 0.018)), colour((0.10, 0.13, 0.030)), np.clip(0.4 + 0.3 * tuft + 0.25 * mown, 0, 1)
        )
        body = green * np.clip(0.85 + 0.42 * blade + 0.12 * tuft, 0.08, 2.4)
        cell = (np.floor(x / 0.16), np.floor(z / 0.16))
        there = dice(*cell, seed=73) < 0.05 + 0.10 * smooth(0, 1, tuft)
        near = np.sqrt((x / 0.16 % 1 - 0.5) ** 2 + (z / 0.16 % 1 - 0.5) ** 2) * 0.16
        body = mix(body, colour((0.70, 0.70, 0.66)), 0.9 * there * cover(0.016 - near, np.maximum(px, pz * 0.4)))
        behind = (z - FENCE_Z - FENCE_SLOPE * x) / f32(-SUN[2] + FENCE_SLOPE * SUN[0])
        slat = pulses((x + SUN[0] * behind) / f32(0.125), 0.6, wide / 0.125)
        fence = slat * smooth(0, 0.02, behind) * smooth(FENCE_M, FENCE_M - 0.08, SUN[1] * behind)
        leafy = smooth(
            -0.25,
            0.55,
            fractal(x * 1.1 + 3, z * 0.7, wide, 6, 0.62, 74) + 0.9 * smooth(1.2, -1.5, x * f32(9) / (z + 3)),
        )
        sun = (1 - 0.95 * fence) * (0.12 + 0.88 * leafy)
        out = body * lit((0.0, 1.0, 0.0), sun) * f32(1 / np.pi)
        at = slice(rows.start + part.start, rows.start + part.stop)
        light[:, at] = out
        depth[at] = z

    in_strips(rows.stop - rows.start, light.shape[2], strip)


def _fence(view: View, light: F32, depth: F32) -> None:
    """White pickets at a slant, so that their spacing in the image runs through all frequencies."""
    x = view.canvas.x - f32(view.vanish_x)
    slope = x / f32(view.focal)
    z = FENCE_Z / np.maximum(1 - FENCE_SLOPE * slope, f32(0.05))
    at = slope * z * f32(math.sqrt(1 + FENCE_SLOPE**2))
    px = view.canvas.px * z / view.focal
    pa = px * (z / FENCE_Z) * f32(math.sqrt(1 + FENCE_SLOPE**2))

    def strip(part: slice) -> None:
        y = view.up(z, part)
        if float(y.max()) < 0 or float(y.min()) > FENCE_M + 0.1:
            return
        place = at / f32(0.125)
        off = np.abs(place - np.floor(place) - f32(0.5)) * f32(0.125)
        picket = np.floor(place)
        top = FENCE_M + 0.02 * (dice(picket, seed=81) - 0.5) - 1.1 * off
        seen = np.clip(1.4 - pa * 14, 0, 1)
        soft = pulses(place, 0.6, pa / 0.125)
        slat = soft * cover(top * seen + (FENCE_M - 0.03) * (1 - seen) - y, px) * cover(y - 0.04, px)
        rail = np.maximum(cover(0.045 - np.abs(y - 0.30), px), cover(0.045 - np.abs(y - 0.80), px))
        grain = fractal(at * 60, y * 3.0, np.maximum(pa * 60, px * 3), 4, 0.65, 82)
        tone = (0.62 + 0.10 * (dice(picket, seed=83) - 0.5) * seen) * np.clip(1 + 0.07 * grain, 0.4, 1.5)
        tone = tone * (1 - 0.35 * smooth(0.35, 0.0, y)) * mix(1.0, 0.75 + 0.25 * smooth(0.036, 0.028, off), seen)
        dapple = smooth(-0.3, 0.4, fractal(at * 1.3, y * 1.3, px, 5, 0.6, 84) + 0.7 * smooth(1.5, -1.0, at))
        paint = colour((1.0, 0.985, 0.94)) * tone
        front = lit((0.39, 0.0, -0.92), 0.15 + 0.85 * dapple, 0.8)
        under = light[:, part]
        shade = colour((1.0, 0.985, 0.94)) * 0.5 * lit((0.0, 0.0, -1.0), 0.12 + 0.5 * dapple, 0.6)
        body = shade * f32(1 / np.pi)
        under += (rail * (1 - soft)) * (body - under)
        under += slat * (paint * front * f32(1 / np.pi) - under)
        alpha = np.maximum(slat, rail)
        np.copyto(depth[part], np.broadcast_to(z, alpha.shape), where=alpha >= 0.5)

    in_strips(light.shape[1], light.shape[2], strip)


def _woods(view: View, light: F32, depth: F32, seed: int) -> None:
    """Trees beyond the garden: crowns of clumps, lit from the right."""

    def strip(part: slice) -> None:
        x, y, px = view.canvas.x, view.canvas.y[part], view.canvas.px
        up = view.horizon - y
        for i, (top, rough, air) in enumerate(((0.20, 0.07, 0.42), (0.13, 0.06, 0.22), (0.07, 0.035, 0.08))):
            k = 9.0 * (1.6**i)
            line = top + rough * fractal(x * (2.4 + i), 0 * y, px * 3, 6, 0.55, 90 + i + seed)
            clump = fractal(x * k, y * k, px * k, 8, 0.62, 93 + i + seed)
            side = fractal(x * k + 0.30, y * k - 0.34, px * k, 6, 0.62, 93 + i + seed)
            leaf = np.clip(0.42 + 0.42 * (clump - side) + 0.10 * clump, 0.03, 1.6)
            leaf = np.clip(leaf * (1 + 0.30 * fractal(x * 190, y * 190, px * 190, 4, 0.8, 99 + i)), 0.03, 1.6)
            deep = smooth(0.25, 0.0, line - up)
            body = mix(colour((0.026, 0.042, 0.013)), colour((0.105, 0.130, 0.030)), np.clip(leaf, 0, 1))
            out = body * lit((0.5, 0.6, -0.6), leaf * (0.35 + 0.65 * deep), 0.35 + 0.4 * deep) * f32(1 / np.pi)
            out = out * (1 - air) + colour((1700.0, 2050.0, 2350.0)) * air
            share = smooth(-0.5, 0.5, (line - up) / f32(0.010) + 1.6 * clump)
            under = light[:, part]
            under += share * (out - under)
            np.copyto(depth[part], f32(60.0 - 15 * i), where=share >= 0.5)

    in_strips(light.shape[1], light.shape[2], strip)


@scene("foliage", "a garden in the sun: leaves that sway, a picket fence, a wall of brick, grass")
class Foliage(Place):
    """Layers: the garden, the tree, and its leaves in three groups that sway each in its own time."""

    wind: float = param(0.5, 0.0, 1.0, "", "how much the leaves move")
    sun: float = param(1.0, 1e-6, 1.0, "", "strength of all light: 1 = noon in summer, 0.01 = dusk, 3e-6 = a full moon")

    def build(self, canvas: Canvas, seed: int, view: View | None = None) -> Scene:
        """Draw it, as another camera sees it where `view` is given."""
        view = view or View(canvas, focal=1.0, eye=1.55, vanish_x=-0.05, horizon=0.13)
        light = np.zeros((3, *canvas.shape), np.float32)
        depth = np.full(canvas.shape, 1e5, np.float32)

        def sky(part: slice) -> None:
            y = canvas.y[part]
            light[:, part] = _sky.day(canvas.x, y, canvas.px, view.focal, view.horizon, (0.9, -0.8), seed)

        above = min(int(np.searchsorted(canvas.y[:, 0], view.horizon)) + 1, canvas.shape[0])
        in_strips(above, canvas.shape[1], sky)
        _woods(view, light, depth, seed)
        _lawn(view, light, depth, seed)
        _wall(view, light, depth)
        _fence(view, light, depth)
        layers = [Layer("garden", light, depth), *self._tree(canvas, seed)]
        for layer in layers:
            np.multiply(layer.light, np.float32(self.sun), out=layer.light)
        white = lit((0.0, 0.0, -1.0)).astype(np.float32) * np.float32(self.sun / np.pi)
        lux = float(lit((0.0, 1.0, 0.0))[1, 0, 0]) * self.sun
        return Scene("foliage", tuple(layers), canvas.margin, white.reshape(3, 1, 1), lux)

    def _tree(self, canvas: Canvas, seed: int) -> list[Layer]:
        """Wood, then leaves from far to near."""
        rng = np.random.default_rng([seed, 61])
        wood = grow(rng, (0.50, 0.60), math.pi / 2 + 0.06, 0.66, 0.046)
        wood += grow(rng, (0.86, -0.30), math.pi * 1.02, 0.44, 0.018)
        # Pruned, so that one walks below it; and what no frame shows does not grow.
        wood = [b for b in wood if b.order < 2 or (-0.62 < b.b[1] < 0.06 and abs(b.b[0]) < 1.2)]
        leaves = dress(rng, wood, 0.024, 7)
        plant, corner = _pot(canvas, [(*end, b.r0) for b in wood for end in (b.a, b.b)])
        for branch in sorted(wood, key=lambda b: b.r0):
            plant.branch(branch)
        found = [_cut(plant, corner, "wood", 4.6, Motion())]
        groups = np.array_split(rng.permutation(len(leaves)), 3)
        for i, group in enumerate(groups):
            some = [leaves[k] for k in group]
            plant, corner = _pot(canvas, [(leaf.x, leaf.y, 1.3 * leaf.size) for leaf in some])
            for leaf in some:
                plant.leaf(leaf)
            swing = (0.004 * self.wind * canvas.height * (1 + 0.4 * i), 0.0015 * self.wind * canvas.height)
            motion = Motion(sway=Sway(swing, 0.55 + 0.23 * i, 2.1 * i))
            found.append(_cut(plant, corner, f"leaves {i + 1}", 4.4 - 0.2 * i, motion))
        return [layer for layer in found if layer is not None]


def _pot(canvas: Canvas, discs: list[tuple[float, float, float]]) -> tuple[Plant, tuple[int, int]]:
    """A plant's picture just large enough for discs (x, y, radius), and where on the canvas it begins."""
    x, y, r = np.array(discs or [(0.0, 0.0, 0.0)]).T
    rows, columns = canvas.box(*(float(v) for v in ((x - r).min(), (y - r).min(), (x + r).max(), (y + r).max())))
    return Plant(canvas.x[:, columns], canvas.y[rows], canvas.px), (rows.start, columns.start)


def _cut(plant: Plant, corner: tuple[int, int], name: str, depth_m: float, motion: Motion) -> Layer | None:
    """A layer of what was drawn, cut to its extent; None where that is nothing."""
    rows, columns = (np.flatnonzero((plant.alpha > 0).any(axis=1 - k)) for k in (0, 1))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    part = np.s_[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    depth = np.full((1, 1), depth_m, np.float32)
    at = corner[0] + top, corner[1] + left
    return Layer(name, plant.light[:, part[0], part[1]], depth, plant.alpha[part], motion, 0.0, *at)
