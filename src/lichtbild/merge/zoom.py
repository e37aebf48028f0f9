"""Zoom — a handheld burst holds more than its pixels: the hand's tremor moves the grid, and the samples fall between.

in    the merged codes (3, H, W), and again each frame's, of which only what was sampled counts
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

from .. import kernels
from ..types import F32, U8, U16
from . import add, align
from .stack import Fill

_WIDTHS = (0.22, 0.60)  # px: standard deviation of the kernel across an edge and along it
_LEAST = 0.05  # samples that the merged picture counts for
_SHARP = 1.0  # of what kernel and aperture blurred is given back: one step of a series
_GRAIN = 1.6  # squared gradient by noise, in units of the noise power of a merged code
_SHALLOW = 4000.0  # squared gradient (in codes) that is nothing, even without noise


Window = tuple[int, int, int, int]  # top, left, height, width


class Finer:
    """The fine picture in the making. `merged` (3, H, W) codes; `sigma`: noise of one frame's codes for R, G, B;
    `share`: noise power of the merged codes as a part of it; `sites` (3, rows, columns): 1 where a frame has samples.
    """

    def __init__(self, merged: U16, sigma: add.Three, share: float, sites: F32) -> None:
        self._merged, self._sigma = merged, sigma
        self._shape = shapes(merged, share * sigma[1] ** 2)
        self._guide = add.guide(merged)
        self._planes = align.pyramid(self._guide.fine[0])
        self._seen = seen(merged, sigma, share)
        self._codes = add.padded(1, self.size)[0]
        self._sums = np.zeros((8, *(add.whole(n) for n in self.size)), np.float32)
        self._sites, self._rows = laid(sites, self.size, self._codes.shape[1:])

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        return (self._merged.shape[1], self._merged.shape[2])

    def add(self, fill: Fill, reference: bool = False) -> None:
        """Add the samples of a frame of the reference's exposure; the `reference` lies where the picture does."""
        inner = add.inner(self._codes, self.size)
        if fill(inner) is not None:
            return
        blocks = np.zeros((2, *(-(-n // align.TILE) for n in self.size)), np.float32)
        believed = np.full((self._sums.shape[1] // 2, self._sums.shape[2]), add.CERTAIN, np.uint8)
        if not reference:
            guide = add.guide(inner)
            tiles = align.estimate(self._planes, align.pyramid(guide.fine[0]), self._sigma[1])
            blocks = align.blocks(tiles, self.size)
            believed = add.trust(self._guide, guide, blocks, self._sigma, add.Doubt())
        self._take(blocks, believed)

    def _take(self, flow: F32, believed: U8) -> None:
        kernels.call(
            "zoom_add", codes=self._codes, sites=self._sites, rows=self._rows, seen=self._seen, flow=flow,
            trust=believed, shape=self._shape, sums=self._sums,
        )  # fmt: skip

    def result(self) -> U16:
        """Codes (3, 2·H, 2·W)."""
        out = np.empty((3, *(2 * n for n in self.size)), np.uint16)
        kernels.call(
            "zoom_done", code=self._merged, sums=self._sums, shape=self._shape, least=_LEAST, sharp=_SHARP, output=out
        )
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


def shapes(merged: U16, power: float) -> F32:
    """The kernels of a picture, see kernels/zoom.py, whole blocks in size; `power` of its noise."""
    size = merged.shape[1:]
    out = np.zeros((4, *(add.whole(n) for n in size)), np.float32)
    widths = np.array(_WIDTHS, np.float32)
    kernels.call(
        "zoom_shape", code=merged, widths=widths, power=_SHALLOW + _GRAIN * power,
        output=out[:, : size[0], : size[1]],
    )  # fmt: skip
    return out


def seen(merged: U16, sigma: add.Three, share: float) -> U16:
    """(3, H + …, W + …) padded: the merged picture, as dark as a frame.

    A mean of roots is too low by its noise power over twice the root: merging has raised the merged codes by what it
    averaged away, and a frame's are not raised.
    """
    height, width = merged.shape[1:]
    out = np.zeros((3, *(add.whole(n) + 2 * add.MARGIN for n in (height, width))), np.uint16)
    for plane, power, into in zip(merged, np.square(sigma) * (1 - share), out, strict=True):
        p = plane.astype(np.float32)
        p = np.sqrt(np.maximum(p * p - np.float32(power), 0)) + np.float32(0.5)
        after = [(add.MARGIN, m - add.MARGIN - n) for n, m in zip(p.shape, into.shape, strict=True)]
        into[:] = np.pad(p.astype(np.uint16), after, "edge")
    return out


def laid(sites: F32, size: tuple[int, int], padded: tuple[int, ...]) -> tuple[F32, NDArray[np.int32]]:
    """A pattern of sites (3, rows, columns) along the rows of a padded frame, a row without any; which row is which."""
    kinds, (height, width) = sites.shape[1], size
    along = np.zeros((3, kinds + 1, padded[1]), np.float32)
    along[:, :kinds, add.MARGIN : add.MARGIN + width] = sites[:, :, np.arange(width) % sites.shape[2]]
    rows = np.full(padded[0], kinds, np.int32)
    rows[add.MARGIN : add.MARGIN + height] = np.arange(height) % kinds
    return along, rows
