"""Banding: rows and columns that the sensor read a little too high or too low are brought back.

in    a mosaic and the noise of its darkness
out   the same frame, whose black level says what each row and column is off
The offset of a row is the mean, over sites with next to no light, of what they are off their neighbours above and below
in the same column; of columns likewise. In the dark a scene has no structure that could be taken for it; a row without
darkness stays as it is, and hides it. What both halves of the rows agree on is banding, the rest is noise: each offset
is drawn towards nothing by the share of noise in it, and where the halves do not agree nothing is done.
Source: [Wiener1949] for the share.
"""

from __future__ import annotations

import math

import numpy as np

from .. import cfa as patterns
from .. import types
from ..types import F32, U16, Frame, Noise

_REACH = 4  # lines of the same colour on each side that a line is compared with
_ACROSS = 384  # sites of a line that are looked at
_LEAST_LINES = 64  # of a picture, below which nothing is said
_DARK = 3.0  # standard deviations of darkness: light up to which a site counts
_ODD = 4.0  # standard deviations from which a site is no noise
_FEWEST = 24  # dark sites in each half of a line
_SURE = 4.0  # standard errors by which the halves must agree


def even(frame: Frame, noise: Noise) -> Frame:
    """The frame with the offsets of its rows and columns in its black level; itself where there are none to be seen."""
    if frame.mosaic is None or min(frame.shape) < _LEAST_LINES:
        return frame
    black, span = float(np.mean(frame.black)), min(frame.white)
    sigma = math.sqrt(max(noise.offset[1], 0.0)) * max(span - black, 1.0)
    rough = frame.mosaic[8::16, 8::16]
    if sigma <= 0 or np.mean(rough < black + _DARK * sigma) < 0.02:
        return frame
    period = patterns.grid(frame.cfa).shape if frame.cfa != "MONO" else (1, 1)
    found = {}
    for axis, name in enumerate(("black_row", "black_column")):
        off = offsets(frame.mosaic if axis == 0 else frame.mosaic.T, period[axis], black, sigma)
        if off is not None:
            known = getattr(frame, name)
            found[name] = off if known is None else known + off
    return types.replace(frame, **found) if found else frame


def offsets(lines: U16, period: int, black: float, sigma: float) -> F32 | None:
    """(n,) what each of the lines (n, across) is off, in DN; None where that is not sure. Lines repeat after `period`.

    `sigma`: noise of darkness in DN.
    """
    step = max(lines.shape[1] // _ACROSS, 1)
    sites = lines[:, step // 2 :: step].astype(np.float32) - np.float32(black)
    halves = np.zeros((2, len(lines)), np.float32)
    counts = np.zeros((2, len(lines)), np.float32)
    for first in range(period):
        plane = sites[first::period]
        around = _around(plane)
        away = plane - around
        # Chosen by the mean with the site itself, which does not covary with what it is off.
        level = around + away / np.float32(2 * _REACH + 1)
        good = (level < _DARK * sigma) & (np.abs(away) < _ODD * sigma)
        middle = plane.shape[1] // 2
        for half, part in enumerate((np.s_[:, :middle], np.s_[:, middle:])):
            counts[half, first::period] = good[part].sum(1)
            halves[half, first::period] = np.where(good[part], away[part], 0).sum(1)
    known = counts.min(0) >= _FEWEST
    if known.sum() < _LEAST_LINES:
        return None
    halves /= np.maximum(counts, 1)
    one, two = halves[:, known]
    shared = float((one * two).mean())
    if shared < _SURE * float(one.std() * two.std()) / math.sqrt(len(one)):
        return None
    total = counts.sum(0)
    mean = (halves * counts).sum(0) / np.maximum(total, 1)
    doubt = sigma**2 * (1 + 0.5 / _REACH) / np.maximum(total, 1)
    return np.asarray(np.where(known, mean * shared / (shared + doubt), 0), np.float32)


def _around(plane: F32) -> F32:
    """Means of the lines on both sides of each line, without it; the borders are mirrored."""
    reach = min(_REACH, len(plane) - 1)
    wide = np.pad(plane, ((reach, reach), (0, 0)), mode="reflect")
    total = np.zeros_like(plane)
    for k in range(2 * reach + 1):
        if k != reach:
            total += wide[k : k + len(plane)]
    return np.asarray(total / np.float32(2 * reach), np.float32)
