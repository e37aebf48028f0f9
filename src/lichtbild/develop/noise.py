"""Noise: how strongly each level of light fluctuates in this frame, as variance = scale·x + offset.

In: a Frame. Out: types.Noise, for camera light x in 0 (black) .. 1 (white). The file's own NoiseProfile is taken where
it has a sane one. Else the frame tells: small patches of one colour that are far from clipping give a mean, a fine
variance (of diagonal second differences, blind to shading and straight edges) and a coarse one (of differences of 2x2
means). White noise makes them equal and independent, texture makes the coarse one larger: among equally bright patches
those with the least coarse variance tell the noise, and what texture is left in them goes by how both grow together. A
line is fitted through the levels of light; those far above it drop out. Where the frame cannot tell either (tiny, all
texture), the ISO does: the usual noise of a phone's sensor. A frame of one number has no noise, whatever it says.
Source: [Foi2008] model and idea of the fit; [Lafenetre2023] the assumed noise per ISO.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from ..types import F32, F64, U16, Frame, Noise

_ASSUMED = (1.807e-4, 3.194e-6)  # scale and offset at ISO 100; they grow with ISO and ISO²
_TILE = 32  # sites of one colour per side of a tile
_PATCH = 8  # a tile holds 4x4 patches
_MOST_TILES = 256
_FEWEST_PATCHES = 48
_MEDIAN = 0.972  # median of a patch's variance on white noise, as a part of its mean (24 degrees of freedom)
_FLATTEST = 8  # one in so many patches of a level of light, with the least coarse variance, tells its noise
# Growth of fine variance with coarse one: natural texture, amplitude falling with 1/f, has at least a fifth of its
# coarse power left an octave higher; and it is never as rough as noise.
_GROWTH = (0.2, 0.9)
_LEAST_PART = 0.3  # of the fine variance of the flattest patches that is noise in any case
_TEXTURE = 1.35  # times the line: a level of light this far above it is texture
_SILENT_ROWS = 64  # of a plane are looked at
_SAME = 0.999  # of the samples are one number where there is no noise
_MOST = 4.0  # times the assumed noise power of the ISO: more than that is texture everywhere


def assumed(iso: float | None) -> Noise:
    """The noise of a usual phone sensor at `iso` (100 where unknown)."""
    gain = (iso if iso and math.isfinite(iso) and iso > 0 else 100.0) / 100
    scale, offset = _ASSUMED[0] * gain, _ASSUMED[1] * gain * gain
    return Noise((scale,) * 3, (offset,) * 3, "assumed")


def sane(noise: Noise | None) -> bool:
    """Whether a noise profile can be believed: finite, not negative, somewhere above zero, below a tenth of white."""
    if noise is None:
        return False
    values = np.array([noise.scale, noise.offset], np.float64)
    return bool(
        np.all(np.isfinite(values)) and np.all(values >= 0) and np.all(values.sum(0) > 0) and values.max() < 0.1
    )


def measure(frame: Frame) -> Noise:
    """The noise of a frame; `origin` of the answer says whether it was read, estimated or assumed."""
    if frame.shut is None and silent(frame):
        return Noise((0.0,) * 3, (_rounding(_planes(frame)),) * 3, "estimated")
    if frame.noise is not None and sane(frame.noise):
        return frame.noise
    found = estimate(frame)
    return found if found is not None else assumed(frame.exposure.iso)


def silent(frame: Frame) -> bool:
    """Whether each colour is one number everywhere but for a few bad pixels: nothing fluctuates, whatever a profile or
    the ISO say, and nothing is to be added for noise that is averaged."""
    for plane, _, _ in _planes(frame):
        some = plane[:: max(1, len(plane) // _SILENT_ROWS)]
        if some.size and (some == np.median(some[0])).mean() < _SAME:
            return False
    return True


def estimate(frame: Frame) -> Noise | None:
    """The noise as the frame itself shows it, one line for all colours; None where it cannot be told."""
    planes = _planes(frame)
    means, fine, coarse = np.concatenate([_patches(*plane) for plane in planes], axis=1)
    if len(means) < _FEWEST_PATCHES or np.median(fine) <= 0:
        return None
    line = _fit(means, fine, coarse, frame.exposure.iso)
    if line is None:
        return None
    # Whole numbers have the noise of rounding, also where patches of one number each show none.
    return Noise((line[0],) * 3, (max(line[1], _rounding(planes)),) * 3, "estimated")


def _rounding(planes: list[tuple[U16, float, float]]) -> float:
    """Noise power of whole numbers."""
    return 1 / (12 * max(max(white - black for _, black, white in planes), 1.0) ** 2)


def _planes(frame: Frame) -> list[tuple[U16, float, float]]:
    """Sites of one colour with their black level and white level."""
    black = np.asarray(frame.black, np.float64)
    if frame.rgb is not None:
        return [(frame.rgb[k], float(black[..., k % black.shape[2]].mean()), _white(frame, k)) for k in range(3)]
    assert frame.mosaic is not None
    colour = patterns.sites(frame.cfa)
    rows, columns = colour.shape
    level = np.tile(black[..., 0], (rows, columns))
    return [
        (frame.mosaic[r::rows, k::columns], float(level[r::rows, k::columns].mean()), _white(frame, colour[r, k]))
        for r, k in _some(colour)
    ]


def _some(colour: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Places of a pattern that are looked at: all of a small one, else the first of each colour and another green."""
    if colour.size == 4:
        return [(0, 0), (0, 1), (1, 0), (1, 1)]
    places = [np.argwhere(colour == c)[k] for c, k in ((0, 0), (1, 0), (1, -1), (2, 0))]
    return [(int(r), int(k)) for r, k in places]


def _white(frame: Frame, plane: int) -> float:
    return float(frame.white[min(max(plane, 0), len(frame.white) - 1)])


def _patches(plane: U16, black: float, white: float) -> F64:
    """(3, n) mean, fine and coarse variance in camera light of patches of a plane, evenly spread, none clipped."""
    tiles = _tiles(plane).astype(np.float32)
    if not len(tiles) or white <= black:
        return np.empty((3, 0))
    second = 0.5 * (tiles[:, 1:, 1:] - tiles[:, :-1, 1:] - tiles[:, 1:, :-1] + tiles[:, :-1, :-1])
    sites = _cut(tiles, _PATCH)
    fine = np.square(_cut(second, _PATCH - 1)).mean(1)
    lines = sites.reshape(-1, _PATCH // 2, 2, _PATCH)
    lines = lines[:, :, 0] + lines[:, :, 1]
    boxes = np.float32(0.25) * (lines[:, :, ::2] + lines[:, :, 1::2])
    coarse = np.square(np.diff(boxes, axis=1)).mean((1, 2)) + np.square(np.diff(boxes, axis=2)).mean((1, 2))
    # Some cameras clip below the white level that they state.
    lowest, top = max(float(tiles.min()), 0.0), min(float(tiles.max()), white)
    good = ((sites <= lowest).mean(1) <= 0.03) & (sites.max(1) < black + 0.97 * (top - black)) & (fine > 0)
    span = white - black
    means = (sites[good].mean(1, np.float64) - black) / span
    return np.stack([means, fine[good] / span**2, coarse[good] / span**2])


def _cut(tiles: F32, size: int) -> F32:
    """(patches, size²) the patches of (n, TILE, TILE)."""
    starts = range(0, _TILE, _PATCH)
    blocks = [tiles[:, r : r + size, k : k + size] for r in starts for k in starts]
    return np.concatenate(blocks).reshape(-1, size * size)


def _tiles(plane: U16) -> U16:
    """(n, TILE, TILE) tiles of a plane, at most MOST_TILES, evenly spread."""
    h, w = plane.shape
    rows, columns = h // _TILE, w // _TILE
    if rows * columns == 0:
        return np.empty((0, _TILE, _TILE), np.uint16)
    step = max(1, math.ceil(math.sqrt(rows * columns / _MOST_TILES)))
    blocks = plane[: rows * _TILE, : columns * _TILE].reshape(rows, _TILE, columns, _TILE)[::step, :, ::step]
    return np.ascontiguousarray(blocks.transpose(0, 2, 1, 3)).reshape(-1, _TILE, _TILE)


def _fit(means: F64, fine: F64, coarse: F64, iso: float | None) -> tuple[float, float] | None:
    """The line through the levels of light: scale and offset, both ≥ 0."""
    groups = np.array_split(np.argsort(means), max(1, min(24, len(means) // 40)))
    m = np.array([means[g].mean() for g in groups])
    v = np.array([_level(fine[g], coarse[g]) for g in groups])
    # More light has more noise; where it has less, a codec has taken it away or a highlight is burnt.
    sound = np.array([v[i] > 0.5 * np.median(v[: i + 1]) for i in range(len(v))])
    m, v = m[sound], v[sound]
    kept = np.ones(len(v), np.bool_)
    for _ in range(4):
        line = _line(m[kept], v[kept], iso)
        near = v < _TEXTURE * np.maximum(line[0] * np.maximum(m, 0) + line[1], 1e-14)
        if near.sum() < min(3, len(v)):
            break
        kept = near
    if iso and iso > 0:
        prior = assumed(iso)
        grey = (line[0] * 0.18 + line[1]) / (prior.scale[0] * 0.18 + prior.offset[0])
        line = (line[0] * min(1, _MOST / grey), line[1] * min(1, _MOST / grey))
    return line if line[0] + line[1] > 0 else None


def _level(fine: F64, coarse: F64) -> float:
    """Noise power of equally bright patches."""
    order = np.argsort(coarse)
    count = max(len(order) // _FLATTEST, 8)
    (low, flat), (high, rough) = (
        (float(np.median(coarse[g])), float(np.median(fine[g])) / _MEDIAN) for g in (order[:count], order[-count:])
    )
    growth = min(max((rough - flat) / max(high - low, 1e-30), _GROWTH[0]), _GROWTH[1])
    return min(max((flat - growth * low) / (1 - growth), _LEAST_PART * flat), flat)


def _line(m: F64, v: F64, iso: float | None) -> tuple[float, float]:
    """Least squares of v = scale·m + offset, errors in proportion to v; one level of light leaves the ISO's ratio."""
    prior = assumed(iso)
    if np.ptp(m) < 0.02:
        factor = float((v / (prior.scale[0] * np.maximum(m, 0) + prior.offset[0])).mean())
        return factor * prior.scale[0], factor * prior.offset[0]
    scale, offset = 0.0, float(np.median(v))
    for _ in range(4):
        w = 1 / np.square(np.maximum(scale * np.maximum(m, 0) + offset, 1e-3 * v.max()))
        mean_m, mean_v = np.average(m, weights=w), np.average(v, weights=w)
        scale = max(
            float(np.average((m - mean_m) * (v - mean_v), weights=w) / np.average((m - mean_m) ** 2, weights=w)), 0
        )
        offset = float(mean_v - scale * mean_m)
        if offset < 0:
            scale, offset = float(np.average(m * v, weights=w) / np.average(m * m, weights=w)), 0.0
    return scale, offset
