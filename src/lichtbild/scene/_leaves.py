"""Trees: branches that fork, and leaves one by one, lit through by the sun or by the sky."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..types import F32
from ._grid import Array, colour, cover, f32, fractal, length, mix, sin, smooth

SUN = (0.62, 0.70, -0.35)  # towards it: right, up, behind the camera
SUN_LUX, SKY_LUX = 76000.0, 14000.0
SUN_RGB, SKY_RGB = f32([1.10, 0.985, 0.80]), f32([0.78, 0.99, 1.42])
LEAF, THROUGH = f32([0.058, 0.098, 0.030]), f32([0.150, 0.215, 0.030])  # reflectance and transmittance
BARK = f32([0.115, 0.085, 0.060])


@dataclass(frozen=True)
class Branch:
    """A piece of wood from a to b (canvas units), its radius at both ends, and how often it forked before."""

    a: tuple[float, float]
    b: tuple[float, float]
    r0: float
    r1: float
    order: int


@dataclass(frozen=True)
class Leaf:
    """A leaf from its stalk at x, y: length in canvas units, direction in the image, and where its face points."""

    x: float
    y: float
    size: float
    angle: float
    normal: tuple[float, float, float]  # x right, y up, z away
    shade: float  # 0..1: how much of the sun reaches it
    tone: float


def grow(rng: np.random.Generator, at: tuple[float, float], angle: float, size: float, radius: float) -> list[Branch]:
    """A tree that begins at a point: every branch bends a little, and forks into two or three thinner ones."""
    wood, ends = [], [(at, angle, size, radius, 0)]
    while ends:
        (x, y), angle, size, radius, order = ends.pop()
        for _ in range(3):
            angle += rng.normal(0, 0.16) - 0.05 * math.cos(angle) * (order > 2)
            tip = (x + math.cos(angle) * size / 3, y - math.sin(angle) * size / 3)
            wood.append(Branch((x, y), tip, radius, radius * 0.90, order))
            (x, y), radius = tip, radius * 0.90
            if 0 < order < 5 and rng.random() < 0.45:  # the trunk bears nothing below its crown
                side = rng.choice([-1.0, 1.0])
                ends.append(((x, y), angle + side * rng.uniform(0.5, 1.1), size * 0.62, radius * 0.5, order + 1))
        if order < 5:
            for side in (-1.0, 1.0):
                ends.append(((x, y), angle + side * rng.uniform(0.2, 0.55), size * rng.uniform(0.68, 0.85),
                             radius * 0.68, order + 1))  # fmt: skip
    return wood


def dress(rng: np.random.Generator, wood: list[Branch], size: float, per_twig: int) -> list[Leaf]:
    """Leaves along the thin branches."""
    leaves = []
    for branch in wood:
        if branch.order < 3:
            continue
        for _ in range(rng.poisson(per_twig * (0.5 if branch.order == 3 else 1.0))):
            t = rng.random()
            x, y = (branch.a[k] + t * (branch.b[k] - branch.a[k]) for k in (0, 1))
            way = math.atan2(branch.a[1] - branch.b[1], branch.b[0] - branch.a[0])
            angle = way + rng.normal(0, 0.9) - 0.35 * rng.random()
            n = rng.standard_normal(3) + np.array([0.1, 0.9, -0.3])
            n /= math.sqrt(float((n * n).sum()))
            x, y = (v + rng.normal(0, 0.4) * size for v in (x, y))
            face = (float(n[0]), float(n[1]), float(n[2]))
            shade, tone = rng.beta(0.7, 0.6), rng.uniform(0.75, 1.25)
            leaves.append(Leaf(x, y, size * rng.uniform(0.6, 1.2), angle, face, shade, tone))
    return leaves


class Plant:
    """A picture of leaves and wood in the making on rows and columns of a canvas: light (3, h, w) and alpha (h, w)."""

    def __init__(self, x: F32, y: F32, px: float) -> None:
        """`x` (1, w) and `y` (h, 1) in canvas units; `px` the size of a pixel."""
        self.x, self.y, self.px = x, y, px
        self.light = np.zeros((3, y.shape[0], x.shape[1]), np.float32)
        self.alpha = np.zeros(self.light.shape[1:], np.float32)

    def _box(self, x0: float, x1: float, y0: float, y1: float) -> tuple[slice, slice] | None:
        j = [round((v - float(self.x[0, 0])) / self.px) for v in (x0, x1)]
        i = [round((v - float(self.y[0, 0])) / self.px) for v in (y0, y1)]
        rows = slice(max(i[0] - 1, 0), min(i[1] + 2, self.y.shape[0]))
        columns = slice(max(j[0] - 1, 0), min(j[1] + 2, self.x.shape[1]))
        return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None

    def _lay(self, box: tuple[slice, slice], light: Array, shape: Array) -> None:
        alpha, part = self.alpha[box], self.light[:, box[0], box[1]]
        total = alpha + shape * (1 - alpha)
        # What is laid later is nearer: it covers all of what was there.
        new = shape / np.maximum(total, f32(1e-6))
        part += np.minimum(new, 1) * (light - part)
        alpha[...] = total

    def branch(self, b: Branch) -> None:
        """A round piece of wood with bark."""
        r = max(b.r0, b.r1)
        box = self._box(
            min(b.a[0], b.b[0]) - r, max(b.a[0], b.b[0]) + r, min(b.a[1], b.b[1]) - r, max(b.a[1], b.b[1]) + r
        )
        if box is None:
            return
        x, y = self.x[:, box[1]], self.y[box[0]]
        bx, by = b.b[0] - b.a[0], b.b[1] - b.a[1]
        span = math.sqrt(bx * bx + by * by) + 1e-9
        t = np.clip(((x - b.a[0]) * bx + (y - b.a[1]) * by) / f32(span * span), 0, 1)
        radius = b.r0 + (b.r1 - b.r0) * t
        across = ((x - b.a[0]) * by - (y - b.a[1]) * bx) / f32(span)
        far = length(x - (b.a[0] + t * bx), y - (b.a[1] + t * by))
        n = np.clip(across / radius, -1, 1)
        nx, ny = n * f32(by / span), -n * f32(-bx / span)
        nz = -np.sqrt(np.clip(1 - n * n, 0, 1))
        rough: Array = np.zeros((1, 1), np.float32)
        if r > 3 * self.px:  # furrows run along the wood; taken from the image's place, they pass from piece to piece
            k, m = (f32(150), f32(34)) if abs(by) > abs(bx) else (f32(34), f32(150))
            rough = fractal(x * k, y * m, self.px * 90, 6, 0.65, 7)
        sun = np.clip(nx * SUN[0] + ny * SUN[1] + nz * SUN[2] + 0.25 * rough, 0, 1)
        sky = 0.5 + 0.5 * ny
        dapple = 0.5 + 0.5 * (fractal(x * 14, y * 14, self.px * 14, 4, 0.6, 8) > 0)
        light = colour(SUN_RGB) * (SUN_LUX * 0.5 * sun * dapple) + colour(SKY_RGB) * (SKY_LUX * 0.6 * sky)
        bark = colour(BARK) * np.clip(1 + 0.45 * rough, 0.15, 2)
        share = cover(radius - far, self.px) * min(1.0, 2 * r / self.px)
        self._lay(box, bark * light * f32(1 / np.pi), share)

    def leaf(self, leaf: Leaf) -> None:
        """A pointed leaf, folded along its rib; each half has its own slope towards the sun."""
        dx, dy = math.cos(leaf.angle) * leaf.size, -math.sin(leaf.angle) * leaf.size
        wide = 0.30 * leaf.size
        box = self._box(min(leaf.x, leaf.x + dx) - wide, max(leaf.x, leaf.x + dx) + wide,
                        min(leaf.y, leaf.y + dy) - wide, max(leaf.y, leaf.y + dy) + wide)  # fmt: skip
        if box is None:
            return
        x, y = self.x[:, box[1]] - f32(leaf.x), self.y[box[0]] - f32(leaf.y)
        u = (x * dx + y * dy) / f32(leaf.size**2)
        v = (x * dy - y * dx) / f32(leaf.size**2)
        inside = np.clip(u, 0, 1)
        half = 0.62 * np.sqrt(inside) * (1 - inside) * (1.25 - 0.35 * inside)
        px = f32(self.px / leaf.size)
        shape = cover(half - np.abs(v), px) * cover(np.minimum(u, 1 - u), px)
        if leaf.size < 3 * self.px:
            shape = shape * 0.9
        sides = [_leaf_light(leaf, fold) for fold in (-0.35, 0.35)]
        light = mix(colour(sides[0]), colour(sides[1]), cover(v, px))
        if leaf.size > 12 * self.px:
            vein = smooth(0.10, 0.0, np.abs(sin((u - 0.8 * np.abs(v)) * f32(30)) * 0.5)) * 0.18
            spots = fractal(x * f32(3.3 / leaf.size) + leaf.tone * 9, y * f32(3.3 / leaf.size), px * 3.3, 4, 0.6, 12)
            light = light * np.clip(1 + 0.13 * spots, 0.5, 1.6)
            rib = smooth(0.022, 0.008, np.abs(v)) * 0.4
            light = light * (1 + vein + rib) * (1 - 0.25 * smooth(0.7, 1.0, np.abs(v) / np.maximum(half, f32(1e-3))))
        self._lay(box, light, shape)


def _leaf_light(leaf: Leaf, fold: float) -> F32:
    """(3,) cd/m² of one half of a leaf: reflected on the sunny side, shining through on the other, sky from above."""
    angle = leaf.angle + math.pi / 2
    n = np.array(leaf.normal) + fold * np.array([math.cos(angle), math.sin(angle), 0.0])
    n /= math.sqrt(float((n * n).sum()))
    facing = float((n * np.array(SUN)).sum())
    seen = n[2] < 0  # its upper side looks to the camera
    front = facing > 0 if seen else facing < 0
    sun = abs(facing) * SUN_LUX * leaf.shade
    shine = 0.035 * max(0.0, 1 - abs(abs(facing) - 0.75) * 5) * leaf.shade * SUN_LUX if front else 0.0
    body = (LEAF if front else THROUGH) * leaf.tone
    sky = SKY_LUX * (0.35 + 0.5 * max(n[1], 0.0)) * (0.25 + 0.75 * leaf.shade)
    return f32((body * sun * SUN_RGB + (LEAF + 0.4 * THROUGH) * leaf.tone * sky * SKY_RGB + shine * SUN_RGB) / np.pi)
