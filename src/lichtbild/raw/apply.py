"""What opcodes do to pixels, and what they leave for the later stages to do.

Lists 1 and 2 change samples before demosaicing. What has a stage of its own (shading, vignette, warp, bad pixels) is
passed on in the `Plan`; tables, polynomials and line gains are rare and are applied here, slowly and exactly.
Source: [DNG1.7.1] chapter 7.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from ..types import F32, F64, GainMap, RawError, Vignette, Warp
from .opcodes import Area, BadConstant, BadList, Opcode, PerLine, Polynomial, Table, Trim

Box = tuple[int, int, int, int]  # top, left, bottom, right
Pixelwise = Table | Polynomial | PerLine
MOST_BAD = 0.05  # of all pixels: a list that names more is not believed


@dataclass
class Plan:
    """What the lists ask for. `box` is the part of the image that TrimBounds left, in coordinates before trimming."""

    gain_maps: list[GainMap] = field(default_factory=list)
    vignettes: list[Vignette] = field(default_factory=list)
    warps: list[Warp] = field(default_factory=list)
    bad: list[NDArray[np.int64]] = field(default_factory=list)
    box: Box | None = None


def changes_values(ops: list[Opcode], shading: bool = False) -> bool:
    """Whether a list holds opcodes that must be applied to pixels here; with `shading`, gain maps count as well."""
    return any(isinstance(o.what, (Pixelwise, GainMap, Vignette) if shading else Pixelwise) for o in ops)


def looks_at_pixels(ops: list[Opcode]) -> bool:
    """Whether what a list makes of a frame depends on its pixels."""
    return any(isinstance(o.what, Pixelwise | BadConstant) for o in ops)


def on_image(planes: NDArray[Any], ops: list[Opcode], top: float, plan: Plan) -> NDArray[np.float64]:
    """Apply opcodes in order to `planes` (p, H, W); `top` is the value that they call 1.0. Returns float64.

    Trims and warps are put into `plan`, as are bad pixels.
    """
    image = planes.astype(np.float64)
    for o in ops:
        w = o.what
        if isinstance(w, Table | Polynomial):
            at = _cells(w.area, image.shape)
            image[at] = _mapped(image[at] / top, w) * top
        elif isinstance(w, PerLine):
            _lines(image, w, top)
        elif isinstance(w, GainMap):
            _gain(image, w)
        elif isinstance(w, Vignette):
            image *= _vignette(w, image.shape[1:])
        else:
            collect([o], image.shape[1:], plan, planes)
    return np.nan_to_num(image, nan=0.0, posinf=top, neginf=0.0)


def _cells(area: Area, shape: tuple[int, ...]) -> tuple[slice, slice, slice]:
    return (
        slice(area.plane, area.plane + area.planes),
        slice(area.top, min(area.bottom, shape[1]), area.row_pitch),
        slice(area.left, min(area.right, shape[2]), area.col_pitch),
    )


def everywhere(what: object, shape: tuple[int, ...]) -> bool:
    """Whether an opcode maps values the same way at each place of its planes."""
    if not isinstance(what, Table | Polynomial):
        return False
    a = what.area
    return (a.top, a.left, a.row_pitch, a.col_pitch) == (0, 0, 1, 1) and a.bottom >= shape[1] and a.right >= shape[2]


def widened(ops: list[Opcode]) -> list[Opcode]:
    """The same opcodes for an image as wide as it likes."""
    return [
        dataclasses.replace(o, what=dataclasses.replace(o.what, area=dataclasses.replace(o.what.area, right=1 << 30)))
        for o in ops
        if isinstance(o.what, Table | Polynomial)
    ]


def _mapped(x: F64, w: Table | Polynomial) -> F64:
    """Values 0..1 through a table of 16-bit values, or a polynomial."""
    if isinstance(w, Polynomial):
        return np.asarray(np.clip(np.polynomial.polynomial.polyval(x, w.coefficients), 0, 1))
    index = np.clip(np.nan_to_num(x) * 65535 + 0.5, 0, len(w.values) - 1).astype(int)
    return np.asarray(w.values[index] / 65535)


def _lines(image: NDArray[np.float64], w: PerLine, top: float) -> None:
    at = _cells(w.area, image.shape)
    part = image[at]
    values = w.values[: part.shape[1]][:, None] if w.rows else w.values[: part.shape[2]][None, :]
    image[at] = part * values if w.scale else part + values * top


def _gain(image: NDArray[np.float64], w: GainMap) -> None:
    area = Area(w.top, w.left, w.bottom, w.right, w.plane, w.planes, w.row_pitch, w.col_pitch)
    planes, rows, columns = _cells(area, image.shape)
    high, wide = image.shape[1:]
    v = ((np.arange(high)[rows] + 0.5) / high - w.origin[0]) / (w.spacing[0] or 1)
    h = ((np.arange(wide)[columns] + 0.5) / wide - w.origin[1]) / (w.spacing[1] or 1)
    y, x = np.clip(v, 0, w.gains.shape[0] - 1), np.clip(h, 0, w.gains.shape[1] - 1)
    y0, x0 = y.astype(int), x.astype(int)
    y1, x1 = np.minimum(y0 + 1, w.gains.shape[0] - 1), np.minimum(x0 + 1, w.gains.shape[1] - 1)
    for p in range(*planes.indices(image.shape[0])):
        g = w.gains[:, :, min(p - w.plane, w.gains.shape[2] - 1)].astype(np.float64)
        rows_of = g[y0] * (1 - y + y0)[:, None] + g[y1] * (y - y0)[:, None]
        image[p, rows, columns] *= rows_of[:, x0] * (1 - x + x0) + rows_of[:, x1] * (x - x0)


def _vignette(w: Vignette, shape: tuple[int, ...]) -> NDArray[np.float64]:
    high, wide = shape
    cy, cx = w.centre[1] * high, w.centre[0] * wide
    y, x = np.arange(high)[:, None] + 0.5 - cy, np.arange(wide) + 0.5 - cx
    farthest = max(cy, high - cy) ** 2 + max(cx, wide - cx) ** 2
    return np.asarray(np.polynomial.polynomial.polyval((y * y + x * x) / farthest, (1.0, *w.k)))


def collect(ops: list[Opcode], shape: tuple[int, ...], plan: Plan, planes: NDArray[Any]) -> None:
    """Put what later stages do into `plan`. `planes` (p, H, W) are searched for the constant of bad pixels."""
    for o in ops:
        w = o.what
        if isinstance(w, GainMap):
            plan.gain_maps.append(w)
        elif isinstance(w, Vignette):
            plan.vignettes.append(w)
        elif isinstance(w, Warp):
            plan.warps.append(w)
        elif isinstance(w, BadConstant):
            plan.bad.append(np.argwhere((planes == w.value).any(axis=0)))
        elif isinstance(w, BadList):
            plan.bad.append(_listed(w, shape))
        elif isinstance(w, Trim):
            top, left, bottom, right = w.box
            if not (0 <= top < bottom <= shape[0] and 0 <= left < right <= shape[1]):
                raise RawError(
                    f"TrimBounds {w.box} does not fit an image of {shape[1]}x{shape[0]}; the file is damaged"
                )
            plan.box = w.box


def _listed(w: BadList, shape: tuple[int, ...]) -> NDArray[np.int64]:
    mask = np.zeros(shape, bool)
    sides = np.clip(w.rects, 0, [shape[0], shape[1], shape[0], shape[1]])
    area = np.maximum(sides[:, 2] - sides[:, 0], 0) * np.maximum(sides[:, 3] - sides[:, 1], 0)
    if area.sum() > shape[0] * shape[1]:
        raise RawError("FixBadPixelsList names more pixels than the image has; the file is damaged")
    for top, left, bottom, right in sides.tolist():
        mask[top:bottom, left:right] = True
    y, x = w.points.T
    inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
    mask[y[inside], x[inside]] = True
    return np.argwhere(mask)


def bad_pixels(plan: Plan, area: Box, guesses: list[str]) -> NDArray[np.int32] | None:
    """All bad pixels once, as rows and columns of `area`; None where there are none or too many to believe."""
    if not plan.bad:
        return None
    at = np.concatenate(plan.bad) - area[:2]
    high, wide = area[2] - area[0], area[3] - area[1]
    at = at[((at >= 0) & (at < (high, wide))).all(axis=1)]
    if len(at) > MOST_BAD * high * wide:
        guesses.append(f"{len(at)} pixels are listed as bad, too many to be true: the list is left out")
        return None
    return np.unique(at, axis=0).astype(np.int32) if len(at) else None


def trimmed(g: GainMap, box: Box, shape: tuple[int, ...]) -> GainMap:
    """The same gains said of the part `box` of an image of `shape` (rows, columns).

    A map's relative position v of the whole is (v'·h + top) / H of the part: origin and spacing take that up.
    """
    high, wide = box[2] - box[0], box[3] - box[1]
    ky, kx = shape[0] / high, shape[1] / wide
    top, left = g.top - box[0], g.left - box[1]
    # The first touched row of the part keeps the phase of the pitch.
    top, left = (top % g.row_pitch if top < 0 else top), (left % g.col_pitch if left < 0 else left)
    return dataclasses.replace(
        g, top=top, left=left, bottom=min(g.bottom - box[0], high), right=min(g.right - box[1], wide),
        origin=((g.origin[0] - box[0] / shape[0]) * ky, (g.origin[1] - box[1] / shape[1]) * kx),
        spacing=(g.spacing[0] * ky, g.spacing[1] * kx),
    )  # fmt: skip


def per_phase(g: GainMap, cfa: str) -> list[GainMap]:
    """A map made for R, G, B after demosaicing (list 3), said of the mosaic: one map for each place of the pattern."""
    first, last = g.plane, g.plane + g.planes
    if cfa in ("MONO", "RGB") or (first == 0 and last >= 3 and g.gains.shape[2] == 1):
        return [dataclasses.replace(g, plane=0, planes=1) if cfa != "RGB" else g]
    found = []
    cells = patterns.grid(cfa)
    rows, columns = cells.shape
    for (y, x), plane in np.ndenumerate(cells):
        if first <= plane < last:
            gains = g.gains[:, :, min(plane - first, g.gains.shape[2] - 1)][:, :, None]
            top, left = g.top + (y - g.top) % rows, g.left + (x - g.left) % columns
            if top < g.bottom and left < g.right:
                found.append(dataclasses.replace(g, top=top, left=left, plane=0, planes=1, row_pitch=rows,
                                                 col_pitch=columns, gains=gains))  # fmt: skip
    return found


def requantised(light: NDArray[np.float64]) -> tuple[NDArray[np.uint16], float, float]:
    """Linear light as uint16 with its black and white: 0 and 65535 unless values lie outside of 0..1."""
    low, high = max(min(0.0, float(light.min())), -1.0), min(max(1.0, float(light.max())), 16.0)
    scale = 65535 / (high - low)
    out = np.clip((light - low) * scale + 0.5, 0, 65535).astype(np.uint16)
    return out, abs(low) * scale, (1 - low) * scale


def linear(image: NDArray[Any], black: F32, white: tuple[float, ...]) -> NDArray[np.float64]:
    """`image` (p, H, W) with `black` (p, H, W) or broadcastable taken off, 1.0 at white."""
    level = np.asarray(white, np.float64)[:, None, None]
    return np.asarray((image - black) / (level - np.broadcast_to(black, image.shape).max(axis=(1, 2), keepdims=True)))
