"""Banding: rows and columns that the sensor read a little too high or too low are brought back.

in    a mosaic and the noise of its darkness
out   the same frame, whose black level says what each row and column is off
The offset of a row is the mean, over sites with next to no light, of what they are off their neighbours above and below
in the same column; of columns likewise. A row without darkness stays as it is, and hides it. Where the halves of rows
differ by more than noise explains, the dark is no dark but a scene with texture, and nothing is done; nor where rows
beside each other agree as the halves do: then it is upright or level things. What both halves agree on else is banding,
the rest is noise: each offset is drawn towards nothing by the share of noise in it, and where the halves do not agree
nothing is done.
Source: [Wiener1949] for the share.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from .. import kernels, types
from ..types import F32, U16, Frame, Noise

Sums = NDArray[np.int32]

_REACH = 4  # lines of the same colour on each side that a line is compared with, as in kernels/banding.py
_RUN = 16  # sites that lie side by side in a row, as there
_ACROSS = 384  # sites of a line that are looked at, about
_LEAST_LINES = 64  # of a picture, below which nothing is said
_DARK = 3.0  # standard deviations of darkness: light up to which a site counts
_ODD = 4.0  # standard deviations from which a site is no noise
_FEWEST = 24  # dark sites in each half of a line
_SCENE = 0.3  # part of what halves agree on, from which it is things in the scene
_SURE = 4.0  # standard errors by which the halves must agree
# Of the variance that noise explains, in which halves may differ: 1.2 in the dark of night scenes, 2.3 and 4.8 in rows
# and columns of a painting whose shadows are full of brushwork.
_TEXTURE = 1.6


def even(frame: Frame, noise: Noise) -> Frame:
    """The frame with the offsets of its rows and columns in its black level; itself where there are none to be seen."""
    if frame.mosaic is None or min(frame.shape) < _LEAST_LINES:
        return frame
    black, span = float(np.mean(frame.black)), min(frame.white)
    sigma = math.sqrt(max(noise.offset[1], 0.0)) * max(span - black, 1.0)
    shot = max(noise.scale[1], 0.0) / math.sqrt(noise.offset[1]) if sigma > 0 else 0.0
    rough = frame.mosaic[8::16, 8::16]
    if sigma <= 0 or np.mean(rough < black + _DARK * sigma) < 0.02:
        return frame
    period = patterns.grid(frame.cfa).shape if frame.cfa != "MONO" else (1, 1)
    found = {}
    for axis, name in enumerate(("black_row", "black_column")):
        known = getattr(frame, name)
        seen = sums(frame.mosaic, axis, period[axis], *_limits(black, sigma))
        off = offsets(seen, period[axis], sigma, known, shot)
        if off is not None:
            found[name] = off if known is None else known + off
    return types.replace(frame, **found) if found else frame


def _limits(black: float, sigma: float) -> tuple[int, int]:
    """Sum of nine sites from which there is too much light, and eightfold distance from which a site is odd."""
    return math.ceil((2 * _REACH + 1) * (black + _DARK * sigma)), math.ceil(2 * _REACH * _ODD * sigma)


def sums(mosaic: U16, axis: int, period: int, dark: int, odd: int) -> Sums:
    """(2, 2, n): what rows (axis 0) or columns (1) are off, eightfold, summed over the sites that count, and how many
    these are; each in the first and in the second half of a line. See kernels/banding.py; (64, 64) at least.
    """
    out = np.empty((2, 2, mosaic.shape[axis]), np.int32)
    name, key = ("banding_rows", "runs") if axis == 0 else ("banding_columns", "rows")
    count, every = sites(mosaic.shape[1 - axis], axis)
    kernels.call(name, raw=mosaic, period=period, every=every, dark=dark, odd=odd, output=out, **{key: count})
    return out


def sites(across: int, axis: int) -> tuple[int, int]:
    """What is looked at of lines of so many sites: runs of a row or sites of a column in each half, one in every n."""
    if axis == 0:
        every = max(across * _RUN // _ACROSS, _RUN)
    else:
        every = max(across // _ACROSS - 1, 0) | 1  # odd, so that all colours are met
    return across // every // 2, every


def twin(mosaic: U16, axis: int, period: int, dark: int, odd: int) -> Sums:
    """The same as `sums` in NumPy."""
    lines = (mosaic if axis == 0 else mosaic.T).astype(np.int32)
    count, every = sites(lines.shape[1], axis)
    total = _around(lines, period)
    off = 2 * _REACH * lines - total
    good = (total + lines < dark) & (np.abs(off) < odd)
    places = every * np.arange(2 * count).reshape(2, -1, 1) + (np.arange(_RUN) if axis == 0 else every // 2)
    found = [[v[:, half].sum((1, 2)) for half in places] for v in (np.where(good, off, 0), good)]
    return np.array(found, np.int32)


def offsets(
    seen: Sums, period: int, sigma: float, known: F32 | None = None, shot: float = 0.0
) -> F32 | None:  # fmt: skip
    """(n,) what each of n lines is off, in DN, by its `sums`; None where that is not sure.

    `sigma`: noise of darkness in DN; `known`: what the file says of each line, which is not found again; `shot`:
    variance that light as strong as that noise adds, as a part of it.
    """
    counts = seen[1].astype(np.float32)
    enough = counts.min(0) >= _FEWEST
    if enough.sum() < _LEAST_LINES:
        return None
    halves = seen[0] / (2 * _REACH * np.maximum(counts, 1))
    if known is not None:
        halves -= known - _around(known, period) / (2 * _REACH)
    one, two = halves[:, enough]
    explained = sigma**2 * (1 + 0.5 / _REACH) * (1 + shot) * float(np.reciprocal(counts[:, enough]).mean())
    if float(np.square(one - two).mean()) / 2 > _TEXTURE * explained:
        return None
    shared, scene = float((one * two).mean()), _of_the_scene(halves, enough, period)
    if scene > _SCENE * shared:
        return None
    shared -= scene
    if shared < _SURE * float(one.std() * two.std()) / math.sqrt(len(one)):
        return None
    total = counts.sum(0)
    mean = (halves * counts).sum(0) / np.maximum(total, 1)
    doubt = sigma**2 * (1 + 0.5 / _REACH) / np.maximum(total, 1)
    return np.asarray(np.where(enough, mean * shared / (shared + doubt), 0), np.float32)


def _of_the_scene(halves: NDArray[Any], enough: NDArray[np.bool_], period: int) -> float:
    """What the halves of lines share with each other that lie side by side, a period or two apart: of a scene it is
    about as much as within a line, of banding nothing.
    """
    found = 0.0
    for apart in (1, period, 2 * period):
        both = enough[apart:] & enough[:-apart]
        (one, two), (next_one, next_two) = halves[:, :-apart][:, both], halves[:, apart:][:, both]
        found = max(found, float((one * next_two + two * next_one).sum()) / max(2 * len(one), 1))
    return found


def _around(lines: NDArray[Any], period: int) -> NDArray[Any]:
    """Sums of four lines on both sides of each, `period` apart; beyond the border those that follow on the other."""
    total, far = np.zeros_like(lines), (2 * _REACH + 1) * period
    for n in (*range(-_REACH, 0), *range(1, _REACH + 1)):
        at = np.arange(len(lines)) + n * period
        total += lines[np.clip(at + far * (at < 0) - far * (at >= len(lines)), 0, len(lines) - 1)]
    return total
