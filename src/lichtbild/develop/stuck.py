"""Stuck: pixels that stand out at one place of the sensor in several frames, while the scene moved, are defects.

in    mosaics of two or three frames of a burst
out   (n, 2) rows and columns, which join those that the file lists
In one frame a weak hot pixel is no different from noise, or from texture; in several it is always there, by the same
amount. A candidate leaves the range of its eight neighbours in the sum of the frames, in which the scene is smeared,
and stands out alike in each. Where light falls beside it too, of other colours, it is a star and stays. Where the scene
did not move (a tripod), a star would be as faithful as a defect: then the rule for one frame (defects.py) is all there
is.
Source: [Leung2008] finds defects by their persistence in a series of images; the tests are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..merge import align
from ..types import F64, U16, Frame, Noise

Places = NDArray[np.int32]

_SIGMA = 4.0  # of the sum: noise makes less than one pixel in 12 megapixels stand out so
_LEAST = 1 / 1024  # of white: what is finer in a clean file is detail
_SHARED = 8.0  # light beside a pixel that is 1/8 of its excess makes it a star
_WINDOW = 512  # pixels in the middle, in which motion is looked for
_FEW = 5e-3  # of all pixels: more candidates than that are texture
_UNLIKE = 5.0  # noise powers by which the excess of a defect may vary from frame to frame
_CHANGES = 0.15  # and part of itself: fill factor, warmth
_TEXTURE = 1.5  # of the range of its neighbours, by which a defect is away from their mean
_NEAR = ((0, 1), (0, -1), (1, 0), (-1, 0))
_FAR = tuple((3 * j, 3 * i) for j, i in _NEAR)
_RING = ((0, 2), (0, -2), (2, 0), (-2, 0), (2, 2), (2, -2), (-2, 2), (-2, -2))


def find(frames: Sequence[Frame], noise: Noise) -> Places:
    """Rows and columns (n, 2) of the defects of 2 or 3 opened frames; none where they cannot tell."""
    mosaics = [f.mosaic for f in frames[:3] if f.mosaic is not None]
    nothing = np.empty((0, 2), np.int32)
    if len(mosaics) < 2 or min(mosaics[0].shape) < 16 or any(m.shape != mosaics[0].shape for m in mosaics):
        return nothing
    if not any(moved(mosaics[0], m) for m in mosaics[1:]):
        return nothing
    black = float(np.mean(frames[0].black))
    span = max(min(frames[0].white) - black, 1.0)
    scale, offset = max(noise.scale) * span, max(noise.offset) * span * span
    places = standing_out(mosaics, black, scale, offset, _LEAST * span)
    if not 0 < len(places) <= _FEW * mosaics[0].size:
        return nothing
    return places[_faithful(mosaics, places, black, scale, offset)].astype(np.int32)


def moved(first: U16, other: U16) -> bool:
    """Whether the scene lies elsewhere in another frame, by two pixels or more, in its middle."""
    top, left = (max(n - _WINDOW, 0) // 4 * 2 for n in first.shape)
    cells = [m[top : top + _WINDOW, left : left + _WINDOW].astype(np.float32) for m in (first, other)]
    cells = [c[: c.shape[0] // 2 * 2, : c.shape[1] // 2 * 2] for c in cells]
    planes = [np.sqrt(c[::2, ::2] + c[1::2, ::2] + c[::2, 1::2] + c[1::2, 1::2]) * 64 for c in cells]
    return bool(np.any(align.correlate(*(p.astype(np.uint16) for p in planes))[0]))


def standing_out(mosaics: list[U16], black: float, scale: float, offset: float, least: float) -> NDArray[np.intp]:
    """Rows and columns (n, 2) where the sum of two or three mosaics stands out from its neighbours; in DN."""
    first, second, third = (*mosaics, mosaics[0])[:3]
    power = 3.0 if len(mosaics) == 3 else 5.0  # of a sum in which one frame counts twice, in that of one
    height, width = first.shape
    flags = np.empty((height, -(-width // 8) * 8), np.uint8)
    kernels.call("stuck", first=first, second=second, third=third, black=3 * black, scale=scale * power / 3,
                 offset=offset * power, limit=_SIGMA, least=3 * least, output=flags)  # fmt: skip
    eights = flags.view(np.uint64)
    rows, blocks = np.nonzero(eights)
    bits = flags.reshape(height, -1, 8)[rows, blocks] > 0
    which, within = np.nonzero(bits)
    return np.stack([rows[which], 8 * blocks[which] + within], axis=1)


def _faithful(mosaics: list[U16], places: NDArray[np.intp], black: float, scale: float, offset: float) -> Places:
    """Which of the candidates stand out equally in all frames, from an even surrounding, with no light beside them."""
    near, far, ring, here = (
        np.array([_pixels(m, places, ways) for m in mosaics]) for ways in (_NEAR, _FAR, _RING, ((0, 0),))
    )
    excess = here[:, 0] - ring.mean(1)
    mean = excess.mean(0)
    power = scale * np.maximum(here.mean((0, 1)) - black, 0) + offset
    away = np.square(excess - mean).sum(0) / (9 / 8 * power + np.square(_CHANGES * mean))
    even = np.abs(mean) > _TEXTURE * np.ptp(ring.mean(0), axis=0)
    beside = (near.mean((0, 1)) - far.mean((0, 1))) * np.sign(mean)
    lonely = beside < np.abs(mean) / _SHARED + 2 * np.sqrt(0.5 * power / len(mosaics))
    return np.asarray(np.flatnonzero((away < _UNLIKE * (len(mosaics) - 1)) & even & lonely), np.int32)


def _pixels(mosaic: U16, places: NDArray[np.intp], ways: tuple[tuple[int, int], ...]) -> F64:
    """(ways, n): the pixels that lie in these `ways` from each place, within the picture."""
    high, wide = mosaic.shape
    y, x = places.T
    return np.array([mosaic[np.clip(y + j, 0, high - 1), np.clip(x + i, 0, wide - 1)] for j, i in ways], np.float64)
