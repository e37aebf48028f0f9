"""Shading: the fall-off and colour cast of lens and sensor are evened out by the gains that the file brings.

in    light (planes, H, W) float32, planes = 1 (mosaic) or 3
out   light · gain, same shape
All gain maps and radial vignettes are combined into one table: full rows (exactly bilinear along x) at the few rows
where a map has a sample; the kernel interpolates between them. So a map costs one multiplication and one interpolation
per pixel. Where several act on the same pixel, rows are laid every ROWS pixels (fewer in
small pictures), as a product is no longer straight.
Source: DNG 1.7.1, opcodes GainMap and FixVignetteRadial.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from .. import kernels
from ..stage import Stage, param, stage
from ..types import F32, F64, Frame, GainMap, Vignette

ROWS = 16  # at most; the interpolation of a vignette that doubles the light in the corners of 12 MP is then off by 1e-5


@stage("shading", "lens shading evened by the gain maps of the file")
class Shading(Stage):
    """Parameters of lens shading."""

    strength: float = param(1.0, 0.0, 1.0, "", "part of the correction that is applied")


@dataclass(frozen=True)
class ShadingTable:
    """Gain of a pixel: between gains[p, row[y]] and gains[p, row[y] + 1] at `weight[y]`.

    `gains` (rows, steps, W) with p = y % rows of the pattern (2 for MONO), (3, steps, W) for LinearRaw; `row` (H,),
    `weight` (H,).
    """

    gains: F32
    row: NDArray[np.int32]
    weight: F32
    peak: float


def prepare(frame: Frame, strength: float = 1.0) -> ShadingTable:
    """Combine what the file says into one table; without maps all gains are 1."""
    height, width = frame.shape
    planes = len(patterns.sites(frame.cfa))
    at = _rows(frame, height) if strength > 0 else np.array([0.0])
    gains = np.ones((planes, max(len(at), 2), width))
    if strength > 0:
        for m in frame.gain_maps:
            _multiply(gains[:, : len(at)], m, at, (height, width), frame.rgb is None)
        for v in frame.vignettes:
            gains[:, : len(at)] *= radial(v, at[:, None], np.arange(float(width))[None, :], (height, width))
    if strength < 1:
        gains = 1 + strength * (gains - 1)
    y = np.arange(height)
    row = np.clip(np.searchsorted(at, y, "right") - 1, 0, max(len(at) - 2, 0))
    span = at[np.minimum(row + 1, len(at) - 1)] - at[row]
    weight = np.where(span > 0, (y - at[row]) / np.where(span > 0, span, 1), 0)
    return ShadingTable(gains.astype(np.float32), row.astype(np.int32), weight.astype(np.float32), float(gains.max()))


def taken_ev(table: ShadingTable, samples: tuple[int, int]) -> F32:
    """The falloff that was evened, in stops at `samples` (rows, columns) over the frame: 0 where it is least.

    The mean of all colours: what is left out of it is their cast.
    """
    height, width = len(table.row), table.gains.shape[2]
    y, x = (((np.arange(n) + 0.5) * size / n).astype(int) for n, size in zip(samples, (height, width), strict=True))
    row, weight = table.row[y], table.weight[y][:, None]
    pair = np.minimum(x[:, None] // 2 * 2 + np.arange(2), width - 1)
    stops = np.log2(np.maximum(table.gains[:, :, pair], 1e-6)).mean(axis=(0, 3))
    found = stops[row] + weight * (stops[row + 1] - stops[row])
    return np.asarray(found - found.min(), np.float32)


def _rows(frame: Frame, height: int) -> F64:
    """Rows (not always whole) between which every gain is straight."""
    found = [np.array([0.0, height - 1.0])]
    for m in frame.gain_maps:
        samples = (m.origin[0] + np.arange(m.gains.shape[0]) * m.spacing[0]) * height - 0.5
        found += [samples, np.array([m.top - 1.0, m.top, m.bottom - 1.0, m.bottom])]
    if frame.vignettes or _overlap(frame):
        found.append(np.arange(0.0, height, max(1, min(ROWS, height // 128))))
    if any(_odd(m, len(patterns.sites(frame.cfa)), frame.rgb is None) for m in frame.gain_maps):
        found.append(np.arange(float(height)))
    rows = np.unique(np.concatenate(found))
    return rows[(rows >= 0) & (rows <= height - 1)]


def _odd(m: GainMap, planes: int, mosaic: bool) -> bool:
    """Whether the rows of a map do not go with those of the pattern: they are then kept one by one."""
    return planes % m.row_pitch > 0 if mosaic else m.row_pitch > 2


def _overlap(frame: Frame) -> bool:
    """Whether two maps may act on the same pixels."""
    places = [(m.top % m.row_pitch, m.left % m.col_pitch, m.plane) for m in frame.gain_maps]
    pitches = {(m.row_pitch, m.col_pitch) for m in frame.gain_maps}
    return len(set(places)) < len(places) or len(pitches) > 1


def _multiply(gains: F64, m: GainMap, at: F64, shape: tuple[int, int], mosaic: bool) -> None:
    """Multiply the table (planes, rows, W) by one map."""
    columns = np.arange(m.left, min(m.right, shape[1]), m.col_pitch)
    inside = np.flatnonzero((at >= m.top) & (at <= m.bottom - 1))
    if _odd(m, len(gains), mosaic):  # rows of the table are whole here
        whole = at[inside]
        inside = inside[(whole == np.floor(whole)) & ((whole - m.top) % m.row_pitch == 0)]
    for plane in range(len(gains)):
        if mosaic and not _odd(m, len(gains), True) and plane % m.row_pitch != m.top % m.row_pitch:
            continue
        if not mosaic and not m.plane <= plane < m.plane + m.planes:
            continue
        layer = 0 if mosaic else min(plane - m.plane, m.gains.shape[2] - 1)
        value = sample(m, layer, at[inside], columns.astype(np.float64), shape)
        gains[plane][inside, m.left : m.right : m.col_pitch] *= value


def sample(m: GainMap, layer: int, y: F64, x: F64, shape: tuple[int, int]) -> F64:
    """Gains (n, k) of a map at rows y (n,) and columns x (k,); beyond its first and last samples it stays as there."""
    rows, columns, _ = m.gains.shape
    v = _position((y + 0.5) / shape[0], m.origin[0], m.spacing[0], rows)
    h = _position((x + 0.5) / shape[1], m.origin[1], m.spacing[1], columns)
    top, left = np.minimum(v.astype(int), max(rows - 2, 0)), np.minimum(h.astype(int), max(columns - 2, 0))
    bottom, right = np.minimum(top + 1, rows - 1), np.minimum(left + 1, columns - 1)
    g = m.gains[..., layer].astype(np.float64)
    across = g[:, left] + (h - left) * (g[:, right] - g[:, left])
    result: F64 = across[top] + (v - top)[:, None] * (across[bottom] - across[top])
    return result


def _position(relative: F64, origin: float, spacing: float, count: int) -> F64:
    if count == 1 or spacing <= 0:
        return np.zeros_like(relative)
    return np.clip((relative - origin) / spacing, 0, count - 1)


def radial(v: Vignette, y: F64, x: F64, shape: tuple[int, int]) -> F64:
    """Gain of a FixVignetteRadial at pixels (y, x)."""
    height, width = shape
    cx, cy = v.centre[0] * (width - 1), v.centre[1] * (height - 1)
    farthest = max(cx, width - 1 - cx) ** 2 + max(cy, height - 1 - cy) ** 2 or 1.0
    r2 = ((x - cx) ** 2 + (y - cy) ** 2) / farthest
    gain: F64 = 1 + r2 * (v.k[0] + r2 * (v.k[1] + r2 * (v.k[2] + r2 * (v.k[3] + r2 * v.k[4]))))
    return gain


def apply(light: F32, table: ShadingTable) -> F32:
    """Evened light."""
    out = np.empty(light.shape, np.float32)
    kernels.call("shading", light=light, gains=table.gains, row=table.row, weight=table.weight, output=out)
    return out


def twin(light: F32, table: ShadingTable) -> F32:
    """The same in NumPy."""
    height = light.shape[1]
    plane = (np.arange(height) % 2)[None] if len(light) == 1 else np.arange(3)[:, None]
    above, below = table.gains[plane, table.row], table.gains[plane, table.row + 1]
    return np.asarray(light * (above + table.weight[:, None] * (below - above)), np.float32)
