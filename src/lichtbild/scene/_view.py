"""A level camera in a street: where the walls, the ground and upright things lie in its image.

World: metres, X right, Y up from the ground, Z away from the camera, which stands at (0, eye, 0). Because the camera is
level, a wall along the street has its Z in the column and the ground has its Z in the row, and what a wet street
mirrors is the same wall at -Y.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ..types import F32
from ._grid import Array, Real
from .spec import Canvas
from .types import Layer, Motion

STILL = Motion()
FAR = 400.0  # m: where a street ends


@dataclass(frozen=True)
class View:
    """`focal` in frame heights; the street's vanishing point at (`vanish_x`, `horizon`) on the canvas."""

    canvas: Canvas
    focal: float = 1.05
    eye: float = 1.6
    vanish_x: float = -0.08
    horizon: float = 0.07
    flip: float = 1.0  # -1: the world that the ground mirrors

    def mirrored(self) -> View:
        """The same camera before the world upside down."""
        return dataclasses.replace(self, flip=-self.flip)

    def screen(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Canvas units of a point."""
        return self.vanish_x + self.focal * x / z, self.horizon - self.focal * (self.flip * y - self.eye) / z

    def metre_px(self, z: float) -> float:
        """Metres per pixel at the distance z."""
        return self.canvas.px * z / self.focal

    def wall(self, side: float) -> tuple[slice, F32]:
        """Columns that see the wall at X = `side`, and (1, w) its Z there (3..FAR)."""
        x = self.canvas.x - np.float32(self.vanish_x)
        edge = self.focal * side / FAR
        where = np.flatnonzero(x[0] <= edge) if side < 0 else np.flatnonzero(x[0] >= edge)
        columns = slice(int(where[0]), int(where[-1]) + 1) if len(where) else slice(0, 0)
        return columns, np.asarray(self.focal * side / x[:, columns], np.float32)

    def up(self, z: Real, rows: slice = slice(None)) -> F32:
        """(h, w): the height Y seen in `rows` at the distance z, (1, w) or a number."""
        y = self.canvas.y[rows]
        return np.asarray((self.eye + (self.horizon - y) * (z / self.focal)) * self.flip, np.float32)

    def ground(self) -> tuple[slice, F32]:
        """Rows that see the ground, and (h, 1) its Z there."""
        below = self.canvas.y - np.float32(self.horizon)
        first = int(np.searchsorted(below[:, 0], self.focal * self.eye / FAR))
        return slice(first, below.shape[0]), np.asarray(self.focal * self.eye / below[first:], np.float32)

    def across(self, z: Real, columns: slice = slice(None)) -> F32:
        """(h, w): the X seen in each column at the distance z, (h, 1) or a number."""
        return np.asarray((self.canvas.x[:, columns] - np.float32(self.vanish_x)) * (z / self.focal), np.float32)


@dataclass(frozen=True)
class Sheet:
    """A picture in the making: light (3, H, W) cd/m² and depth (H, W) m, as `view` sees it."""

    view: View
    light: F32
    depth: F32
    alpha: F32 | None = None  # (H, W): how much has been laid over what was there; None = nobody asks

    def over(self, rows: slice, columns: slice, light: Real, alpha: Array, depth_m: Real) -> None:
        """Lay `light` (broadcast to (3, h, w)) with `alpha` (broadcast to (h, w)) over a part, at a depth."""
        part, depth = self.light[:, rows, columns], self.depth[rows, columns]
        part += alpha * (light - part)
        np.copyto(
            depth, np.broadcast_to(np.float32(depth_m), depth.shape), where=np.broadcast_to(alpha >= 0.5, depth.shape)
        )
        if self.alpha is not None:
            self.alpha[rows, columns] += alpha * (1 - self.alpha[rows, columns])

    def layer(self, name: str, under: F32, motion: Motion = STILL) -> Layer | None:
        """What was laid over `under` (3, H, W) as a layer of its own, cut to its extent; None where that is nothing."""
        assert self.alpha is not None
        rows, columns = (np.flatnonzero((self.alpha > 1e-4).any(axis=1 - k)) for k in (0, 1))
        if not len(rows):
            return None
        part = np.s_[int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
        alpha = np.clip(self.alpha[part], 0, 1)
        behind, seen = under[:, part[0], part[1]], self.light[:, part[0], part[1]]
        own = np.maximum((seen - (1 - alpha) * behind) / np.maximum(alpha, np.float32(1e-4)), 0)
        light = np.where(alpha > 0.004, own, behind).astype(np.float32)
        depth = np.where(alpha > 0.02, self.depth[part], self.depth[part][alpha >= 0.5].max(initial=1.0))
        return Layer(name, light, depth.astype(np.float32), alpha, motion, 0.0, part[0].start, part[1].start)

    def upright(self, z: float, x: tuple[float, float], y: tuple[float, float]) -> Part:
        """The part of the picture where a plane at distance z shows X and Y within these bounds (m)."""
        (u0, v0), (u1, v1) = self.view.screen(x[0], y[1], z), self.view.screen(x[1], y[0], z)
        rows, columns = self.view.canvas.box(u0, min(v0, v1), u1, max(v0, v1))
        across, up = self.view.across(z, columns), self.view.up(z, rows)
        return Part(self, z, rows, columns, across, up, self.view.metre_px(z))


@dataclass(frozen=True)
class Part:
    """A window on a Sheet at one distance: `x` (1, w) and `y` (h, 1) in metres, `px` metres per pixel."""

    sheet: Sheet
    z: float
    rows: slice
    columns: slice
    x: F32
    y: F32
    px: float

    def lay(self, light: Real, alpha: Array) -> None:
        """Lay `light` (broadcast to (3, h, w)) with `alpha` (h, w) over it."""
        self.sheet.over(self.rows, self.columns, light, alpha, self.z)

    def add(self, light: Array) -> None:
        """Add `light` (3, h, w)."""
        self.sheet.light[:, self.rows, self.columns] += light
