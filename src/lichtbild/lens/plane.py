"""The piece of the image plane that a sensor covers, and where a lens puts things on it: distortion and shading.

Pixels are counted from the centre of the first one, x right, y down. The ideal image is the one of a lens without
distortion: same scale on the axis, same pixel grid, reaching as far beyond the frame as is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from ..types import F64, GainMap, Warp
from .spec import Lens, LensError

_ROUNDS = 12  # of Newton's method; five are enough for 10 % of distortion
_CLOSE_PX = 1e-6
Places = tuple[F64, F64]


@dataclass(frozen=True)
class Plane:
    """`height` by `width` pixels of `pitch_um`; their middle lies `shift_px` (x, y) off the optical axis.

    `shift_px` serves shifted sensors, stabilised or stepping by parts of a pixel. `fine`: these are not the sensor's
    pixels but parts of them, drawn so that sharpness is exact: blur takes larger kernels. See `finer`.
    """

    height: int
    width: int
    pitch_um: float
    shift_px: tuple[float, float] = (0.0, 0.0)
    fine: bool = False

    @property
    def taps(self) -> int:
        """Side of the blur kernels in pixels; as in kernels/lens.py."""
        return 17 if self.fine else 11

    def finer(self, times: int) -> Plane:
        """The same place in `times` x `times` parts of pixels, to be summed, with blur by larger kernels.

        2 makes sharpness exact; where the lens passes less than 2 % of Nyquist's frequency, 1 does.
        """
        shift = self.shift_px[0] * times, self.shift_px[1] * times
        return Plane(self.height * times, self.width * times, self.pitch_um / times, shift, True)

    def off_axis(self, x: Any, y: Any) -> Places:
        """Pixels from the optical axis of the pixels x, y."""
        dx, dy = (self.width - 1) / 2 - self.shift_px[0], (self.height - 1) / 2 - self.shift_px[1]
        return np.asarray(x, np.float64) - dx, np.asarray(y, np.float64) - dy

    def on_grid(self, dx: F64, dy: F64) -> Places:
        """Pixels x, y of places counted from the optical axis: `off_axis` undone."""
        return dx + (self.width - 1) / 2 - self.shift_px[0], dy + (self.height - 1) / 2 - self.shift_px[1]

    @property
    def corners(self) -> Places:
        """x and y of the outer corners of the four corner pixels, whose light still counts."""
        x, y = np.meshgrid([-0.5, self.width - 0.5], [-0.5, self.height - 0.5])
        return x.ravel(), y.ravel()


def coefficients(lens: Lens, channel: int) -> F64:
    """(n,): radius in the image = ideal radius · sum of c[i]·r^2i, r the ideal field; n ≥ 2."""
    lateral = {0: lens.lateral.red, 1: (), 2: lens.lateral.blue}[channel]
    out = np.zeros(max(2, len(lateral), 1 + len(lens.distortion.k)))
    out[0] = 1
    out[1 : 1 + len(lens.distortion.k)] += lens.distortion.k
    out[: len(lateral)] += lateral
    return out


def image(lens: Lens, plane: Plane, channel: int, x: Any, y: Any) -> Places:
    """Pixels where the light of the pixels x, y of the ideal image lands. In closed form."""
    dx, dy = plane.off_axis(x, y)
    r2 = (dx * dx + dy * dy) * (plane.pitch_um * 1e-3 / lens.radius_mm) ** 2
    scale = np.polynomial.polynomial.polyval(r2, coefficients(lens, channel))
    return plane.on_grid(dx * scale, dy * scale)


def ideal(lens: Lens, plane: Plane, channel: int, x: Any, y: Any) -> Places:
    """Pixels of the ideal image whose light lands at the pixels x, y: `image` undone, to 1e-6 px.

    Raises LensError where the polynomial turns back before it gets there: it would map two places onto one.
    """
    dx, dy = plane.off_axis(x, y)
    unit = plane.pitch_um * 1e-3 / lens.radius_mm
    goal = np.hypot(dx, dy) * unit
    c = coefficients(lens, channel)
    odd = np.zeros(2 * len(c))
    odd[1::2] = c  # radius in the image as a polynomial of the ideal one
    slope = np.polynomial.polynomial.polyder(odd)
    r = goal / max(c[0], 0.5)
    for _ in range(_ROUNDS):
        if np.all(np.abs(np.polynomial.polynomial.polyval(r, odd) - goal) < _CLOSE_PX * unit / 10):
            break
        rate = np.maximum(np.polynomial.polynomial.polyval(r, slope), 0.05)
        r = np.clip(r - (np.polynomial.polynomial.polyval(r, odd) - goal) / rate, 0, 4 * goal)
    off = np.abs(np.polynomial.polynomial.polyval(r, odd) - goal)
    grown = np.linspace(0, float(r.max(initial=0.0)), 64)
    if np.any(off > _CLOSE_PX * unit) or np.any(np.polynomial.polynomial.polyval(grown, slope) <= 0):
        raise LensError(
            f"{lens.origin}: distortion.k = {list(lens.distortion.k)} folds the image inside the frame of "
            f"{plane.width}x{plane.height} px at {plane.pitch_um:g} µm; take smaller numbers or a smaller sensor"
        )
    scale = np.divide(r, goal, out=np.full_like(r, 1 / c[0]), where=goal > 0)
    return plane.on_grid(dx * scale, dy * scale)


def bent_in(lens: Lens, plane: Plane) -> int:
    """Pixels that the ideal image must have beyond each side of the frame, so that every pixel gets its light.

    Raises LensError where the lens does not cover the frame.
    """
    check(lens, plane)
    x, y = _rim(plane)
    out = 0.0
    for channel in range(3):
        u, v = ideal(lens, plane, channel, x, y)
        out = max(out, -u.min(), -v.min(), u.max() - plane.width + 1, v.max() - plane.height + 1)
    return math.ceil(out)


def _rim(plane: Plane) -> Places:
    """The outline of the frame, densely: the farthest source need not be a corner's."""
    t = np.linspace(0, 1, 65)
    x, y = t * (plane.width - 1), t * (plane.height - 1)
    zero, one = np.zeros(65), np.ones(65)
    return (
        np.concatenate([x, x, zero, one * (plane.width - 1)]),
        np.concatenate([zero, one * (plane.height - 1), y, y]),
    )


def check(lens: Lens, plane: Plane) -> None:
    """Raises LensError where the frame reaches beyond the image circle."""
    dx, dy = plane.off_axis(*plane.corners)
    diameter = 2 * float(np.hypot(dx, dy).max()) * plane.pitch_um * 1e-3
    if diameter > lens.image_mm * 1.001:
        raise LensError(
            f"{lens.origin}: lens.image_mm = {lens.image_mm:g} does not cover the frame of {plane.width}x"
            f"{plane.height} px at {plane.pitch_um:g} µm, which asks for {diameter:.2f}; take a smaller sensor or "
            "another lens"
        )


def warp(lens: Lens, plane: Plane) -> Warp:
    """The DNG opcode WarpRectilinear that undoes distortion and lateral colour: exact up to r⁶.

    Raises LensError where the lens has coefficients beyond those of the opcode.
    """
    rows = [coefficients(lens, channel) for channel in range(3)]
    if max(map(len, rows)) > 4:
        raise LensError(f"{lens.origin}: distortion.k has more than the 3 numbers that a DNG can carry")
    cx, cy = plane.on_grid(np.zeros(()), np.zeros(()))
    w, h = max(plane.width - 1, 1), max(plane.height - 1, 1)
    longest = math.hypot(max(cx, w - cx), max(cy, h - cy)) * plane.pitch_um * 1e-3 / lens.radius_mm
    out = np.zeros((3, 6))
    for channel, row in enumerate(rows):
        out[channel, : len(row)] = row * longest ** (2 * np.arange(len(row)))
    return Warp(out, (float(cx) / w, float(cy) / h))


def shading(lens: Lens, plane: Plane, channel: int, x: Any, y: Any) -> F64:
    """Light at the pixels x, y against the axis, in one channel."""
    dx, dy = plane.off_axis(x, y)
    radius = np.hypot(dx, dy) * plane.pitch_um * 1e-3
    r2 = (radius / lens.radius_mm) ** 2
    own = {0: lens.shading.red, 1: (), 2: lens.shading.blue}[channel]
    cosine = 1 / np.sqrt(1 + (radius / lens.focal_mm) ** 2)
    poly = np.polynomial.polynomial.polyval
    return np.asarray(
        cosine**lens.shading.power * poly(r2, (1, *lens.shading.vignetting)) * poly(r2, (1, *own)), np.float64
    )


def gain_maps(
    lens: Lens, plane: Plane, cfa: str, rows: int = 25, columns: int = 33, mix: F64 | None = None
) -> tuple[GainMap, ...]:
    """DNG opcodes GainMap that undo the shading, one per site of the pattern `cfa` or one for "MONO".

    `rows` x `columns` gains; between them a reader interpolates, which is right to 0.2 % at 25 x 33. `mix` (3, 3) or
    (1, 3): what a neutral in the lens's channels becomes in the camera's, where they are not the same: the colour
    shading is then undone for neutrals.
    """
    v, h = np.linspace(0, 1, rows), np.linspace(0, 1, columns)
    x, y = np.meshgrid(h * plane.width - 0.5, v * plane.height - 0.5)
    light = np.stack([shading(lens, plane, c, x, y) for c in range(3)])
    if mix is not None:
        light = np.tensordot(np.asarray(mix, np.float64) / np.sum(mix, axis=1, keepdims=True), light, 1)
    gains = (1 / light).astype(np.float32)[..., None]
    step = (1 / (rows - 1), 1 / (columns - 1))
    if cfa == "MONO":
        alone = gains[min(1, len(gains) - 1)]
        return (GainMap(0, 0, plane.height, plane.width, 0, 1, 1, 1, step, (0.0, 0.0), alone),)
    cells = patterns.grid(cfa)
    return tuple(
        GainMap(
            at[0],
            at[1],
            plane.height,
            plane.width,
            0,
            1,
            cells.shape[0],
            cells.shape[1],
            step,
            (0.0, 0.0),
            gains[colour],
        )
        for at, colour in np.ndenumerate(cells)
        if at[0] < plane.height and at[1] < plane.width
    )


def light_of(shape: NDArray[Any] | tuple[int, ...], plane: Plane) -> tuple[int, int]:
    """Rows and columns that light of this shape (3, H, W) has beyond the frame on each side. Raises LensError."""
    _, height, width = tuple(shape)
    down, across = height - plane.height, width - plane.width
    if down < 0 or across < 0 or down % 2 or across % 2:
        raise LensError(
            f"light of {width}x{height} px cannot surround a frame of {plane.width}x{plane.height} px evenly; "
            "draw the scene with the same margin on each side"
        )
    return down // 2, across // 2
