"""Zoom — a handheld burst holds more than its pixels: the hand's tremor moves the grid, and the samples fall between.

in    the merged codes (3, H, W), and what was sampled in each frame, with its displacement and the trust in it
out   codes (3, 2·H, 2·W), or of any size between
Steerable kernel regression on the raw samples: around each place of a grid of twice as many pixels, samples are
averaged with Gaussian weights, narrow across edges and long along them, as far as their frame is believed there. What
is averaged is not the samples but what they know better than the merged picture: their step from it, as a pixel of the
frame would see it, relative to its light. A step is the same part of red, green and blue where the light changes and
not the colour, so all colours tell it, and it brings no false colour. Where samples are few or nothing stands out from
noise, the merged picture is left, by Lanczos interpolation. What kernel and pixel's aperture blur the steps with is
known, and taken back in part. Averaging the samples themselves, each colour alone, gave less sharpness than Lanczos
interpolation of one demosaiced frame and five times its false colour.
Sources: [Wronski2019] kernels, robustness; [Takeda2007] steering; [Irani1991] steps against what is known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from .. import kernels
from ..types import F32, U8, U16
from . import add

# Frames that are kept, 2.3 bytes a pixel each. Edges of 16 or 24 are no sharper than those of 8, but have less noise:
# leaves gain 0.5 dB by 16 and another 0.3 dB by 24 (the chart of bench/zoom.py, ISO 100).
FRAMES = 16
_WIDTHS = (0.22, 0.60)  # px: standard deviation of the kernel across an edge and along it
_LEAST = 0.05  # samples that the merged picture counts for
_SHARP = 1.0  # of what kernel and aperture blurred is given back: one step of a series
_GRAIN = 1.6  # squared gradient by noise, in units of the noise power of a merged code
_SHALLOW = 4000.0  # squared gradient (in codes) that is nothing, even without noise
ONE = 65534.0  # in which steps are counted, as in kernels/zoom.py
NONE_CLIPS = (1 << 17,) * 3  # above all codes
_BLOCK = add.BLOCK

I16 = NDArray[np.int16]
Window = tuple[int, int, int, int]  # top, left, height, width


class Samples:
    """What up to `count` frames of `size` sampled, one number of a pixel, and where and how far they are believed.

    Of three colours at every pixel (`cfa` "RGB") only those of a mosaic are kept: the steps of the others are the same.
    """

    def __init__(self, cfa: str, size: tuple[int, int], count: int) -> None:
        self.size, rows, columns = size, *(add.whole(n) for n in size)
        self._grid = patterns.grid("RGGB" if cfa == "RGB" else cfa)
        count = min(count, FRAMES)
        self.codes: I16 = np.zeros((count, rows + 2 * add.MARGIN, columns + 2 * add.MARGIN), np.int16)
        self.flow = np.zeros((count, 2, rows // _BLOCK, columns // _BLOCK), np.float32)
        self.trust = np.zeros((count, rows // 2, columns // 2), np.uint8)
        self.busy = np.zeros((count, rows // _BLOCK, columns // _BLOCK), np.uint8)

    def put(self, place: int, codes: U16, flow: F32 | None = None, trust: U8 | None = None) -> None:
        """Keep the frame `place` of which all codes (3, H, W) are known, and those of its sites were measured.

        `flow` and `trust` as `add.trust` has them; the reference has none.
        """
        if place >= len(self.codes):
            return
        height, width = self.size
        into = self.codes[place, add.MARGIN : add.MARGIN + height, add.MARGIN : add.MARGIN + width]
        down, across = self._grid.shape
        for (y, x), colour in np.ndenumerate(self._grid):
            np.right_shift(codes[colour, y::down, x::across], 1, out=into[y::down, x::across], casting="unsafe")
        self.flow[place] = 0 if flow is None else flow
        self.trust[place] = add.CERTAIN if trust is None else trust
        half = _BLOCK // 2
        rows, columns = self.busy.shape[1:]
        self.busy[place] = self.trust[place].reshape(rows, half, columns, half).max((1, 3))

    def laid(self) -> tuple[I16, NDArray[np.int32]]:
        """The pattern along the rows of a padded frame (3, kinds, columns), -1 at sites of a colour, and a row without
        any; which row is which."""
        kinds, (height, width) = self._grid.shape[0], self.size
        along = np.zeros((3, kinds + 1, self.codes.shape[2]), np.int16)
        colours = self._grid[:, np.arange(width) % self._grid.shape[1]]
        along[:, :kinds, add.MARGIN : add.MARGIN + width] = np.where(colours == np.arange(3)[:, None, None], -1, 0)
        rows = np.full(self.codes.shape[1], kinds, np.int32)
        rows[add.MARGIN : add.MARGIN + height] = np.arange(height) % kinds
        return along, rows


def finer(merged: U16, sigma: add.Three, share: float, samples: Samples, tops: add.Ceiling = NONE_CLIPS) -> U16:
    """Codes (3, 2·H, 2·W) from the merged ones (3, H, W).

    `sigma`: noise of one frame's codes for R, G, B; `share`: noise power of the merged codes as a part of it; `tops`:
    codes of R, G, B from which samples may be clipped.
    """
    _, height, width = merged.shape
    shape = shapes(merged, share * sigma[1] ** 2, tops)
    sites, rows = samples.laid()
    steps = np.empty((4, *shape.shape[1:]), np.int16)
    kernels.call(
        "zoom_add", codes=samples.codes, sites=sites, rows=rows, seen=seen(merged, sigma, share), flow=samples.flow,
        trust=samples.trust, busy=samples.busy, shape=shape, least=_LEAST, output=steps,
    )  # fmt: skip
    out = np.empty((3, 2 * height, 2 * width), np.uint16)
    kernels.call(
        "zoom_done", code=merged, steps=steps[:, :height, :width], shape=shape, sharp=_SHARP, output=out
    )  # fmt: skip
    return out


def fit(fine: U16, size: tuple[int, int]) -> U16:
    """A picture (3, 2·H, 2·W) brought to `size` between a half and the whole of it."""
    if fine.shape[1:] == size:
        return fine
    (first_y, weight_y), (first_x, weight_x) = (_taps(*n) for n in zip(fine.shape[1:], size, strict=True))
    out = np.empty((3, *size), np.uint16)
    kernels.call("zoom_fit", code=fine, first_x=first_x, weight_x=weight_x, first_y=first_y, weight_y=weight_y,
                 output=out)  # fmt: skip
    return out


def _taps(have: int, want: int) -> tuple[NDArray[np.int32], F32]:
    """First of the eight samples behind each of `want` places, and their weights (8, want): [Keys1981], widened."""
    step = have / want
    at = (np.arange(want) + 0.5) * step - 0.5
    first = np.ceil(at - 2 * step).astype(np.int32)
    d = np.abs(first + np.arange(8)[:, None] - at) / step
    weights = np.where(d < 1, (1.5 * d - 2.5) * d * d + 1, np.where(d < 2, ((-0.5 * d + 2.5) * d - 4) * d + 2, 0.0))
    return first, (weights / weights.sum(0)).astype(np.float32)


def window(crop: Window, size: tuple[int, int], now: tuple[int, ...]) -> Window:
    """The crop of a picture that had `size` and has the size `now`."""
    times = now[0] / size[0], now[1] / size[1]
    top, left, height, width = crop
    ends = (round((top + height) * times[0]), round((left + width) * times[1]))
    start = round(top * times[0]), round(left * times[1])
    return (*start, ends[0] - start[0], ends[1] - start[1])


def shapes(merged: U16, power: float, tops: add.Ceiling = NONE_CLIPS) -> F32:
    """The kernels of a picture, see kernels/zoom.py, whole blocks in size; `power` of its noise; `tops` as above."""
    size = merged.shape[1:]
    out = np.zeros((4, *(add.whole(n) for n in size)), np.float32)
    widths = np.array(_WIDTHS, np.float32)
    kernels.call(
        "zoom_shape", code=merged, widths=widths, power=_SHALLOW + _GRAIN * power, tops=np.array(tops, np.float32),
        output=out[:, : size[0], : size[1]],
    )  # fmt: skip
    return out


def seen(merged: U16, sigma: add.Three, share: float) -> I16:
    """Half codes (3, H + …, W + …) padded: the merged picture, as dark as a frame.

    A mean of roots is too low by its noise power over twice the root: merging has raised the merged codes by what it
    averaged away, and a frame's are not raised.
    """
    height, width = merged.shape[1:]
    out = np.empty((3, *(add.whole(n) + 2 * add.MARGIN for n in (height, width))), np.int16)
    for plane, power, into in zip(merged, np.square(sigma) * (1 - share), out, strict=True):
        p = plane.astype(np.float32)
        p = np.sqrt(np.maximum(p * p - np.float32(power), 0)) * np.float32(0.5)
        after = [(add.MARGIN, m - add.MARGIN - n) for n, m in zip(p.shape, into.shape, strict=True)]
        into[:] = np.pad(p.astype(np.int16), after, "edge")
    return out
