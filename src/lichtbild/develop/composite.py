"""Composite: a burst as one raw frame with little noise, for other raw converters.

out   camera light in three colours (3, H, W) uint16 above black, or one colour per pixel in the sensor's pattern
Black, shading and defects are dealt with, white balance is not; what noise is left stands in its noise profile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import cfa as patterns
from .. import types
from ..light import WHITE_D65
from ..merge import exposures, zoom
from ..types import F32, Frame, Values, White
from . import burst, shading, variance
from . import noise as noises

_BLACK, _WHITE = 2048, 65535  # noise around black is kept


@dataclass(frozen=True)
class Report:
    """How a burst was merged: names and `believed` part of the frames, and `frames` (h, w): how many were, per cell;
    `left_out` says which could not be read.
    """

    reference: str
    others: tuple[str, ...]
    believed: tuple[float, ...]
    frames: F32
    left_out: tuple[str, ...] = ()


def as_frame(frames: Sequence[Frame], values: Values) -> tuple[Frame, Report]:
    """A burst as one frame of camera light in three colours, for other raw converters, and how it came about.

    Black, shading and defects are dealt with, white balance is not; what noise is left stands in its noise profile.
    """
    left_out: list[str] = []
    chosen = burst.order(frames, values, left_out)
    first = chosen[0]
    even = shading.prepare(first, values["shading"]["strength"])
    plain = White((1.0, 1.0, 1.0), WHITE_D65, 6504.0, 0.0, "none")
    single = noises.measure(first)
    made = burst.run(burst.handed_out(chosen), plain, single, values, even, left_out)
    light = made.encoding.decode(made.code)
    peak = max(1.0, float(light.max(initial=0)))
    span = _WHITE - _BLACK
    numbers = np.clip(light * np.float32(span / peak) + np.float32(_BLACK + 0.5), 0, _WHITE).astype(np.uint16)
    left = made.noise
    if made.left is not None:
        black = float(np.mean(first.black))
        floor = -black / max(min(first.white) - black, 1.0)
        left = variance.profile(single, made.left, made.encoding, light[:, ::8, ::8], floor)
    noise = exposures.scaled(left, 1 / peak)
    window = first.crop and zoom.window(first.crop, first.shape, numbers.shape[1:])
    merged = types.replace(
        first, crop=window, cfa="RGB", mosaic=None, rgb=numbers, black=np.full((1, 1, 3), _BLACK, np.float32),
        black_row=None, black_column=None, white=(float(_WHITE),) * 3,
        gain_maps=(), vignettes=(), bad_pixels=None, noise=noise,
        baseline_exposure_ev=first.baseline_exposure_ev + math.log2(peak),
    )  # fmt: skip
    return merged, Report(first.path.name, made.others, made.believed, made.frames, tuple(left_out))


def from_black(merged: Frame) -> Frame:
    """A merged frame whose numbers begin at black; noise below it is cut off.

    darktable 4.2 and RawTherapee 5.9 do not subtract the BlackLevel of a linear DNG: greys became pink.
    """
    assert merged.rgb is not None
    numbers = np.empty(merged.rgb.shape, np.uint16)
    for plane, into in zip(merged.rgb, numbers, strict=True):
        light = (np.maximum(plane, _BLACK) - np.float32(_BLACK)) * np.float32(_WHITE / (_WHITE - _BLACK))
        into[:] = (light + np.float32(0.5)).astype(np.uint16)
    return types.replace(merged, rgb=numbers, black=np.zeros((1, 1, 3), np.float32))


def as_mosaic(merged: Frame, cfa: str) -> Frame:
    """A merged frame with only one colour per pixel, in the pattern `cfa` of the sensor."""
    assert merged.rgb is not None
    if cfa == "MONO":
        return types.replace(
            merged, cfa=cfa, mosaic=merged.rgb[1], rgb=None, black=merged.black[..., :1], white=merged.white[:1]
        )
    mosaic = np.empty(merged.shape, np.uint16)
    cells = patterns.grid(cfa)
    for (row, column), colour in np.ndenumerate(cells):
        here = np.s_[row :: cells.shape[0], column :: cells.shape[1]]
        mosaic[here] = merged.rgb[colour][here]
    return types.replace(merged, cfa=cfa, mosaic=mosaic, rgb=None, black=merged.black[..., :1], white=merged.white[:1])
