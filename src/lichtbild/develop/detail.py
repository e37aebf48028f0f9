"""Detail: capture sharpening that gives back what lens and demosaic took from fine contrast.

In and out: code planes (3, H, W) uint16 in the stabilised square-root domain. Only luma (R + 2G + B) / 4 changes. With
B the 3x3 binomial and h = Y - B·Y, two van Cittert steps undo a blur of `radius`: Y + a·w·h + a·w²·(h - B·h), where w
makes the binomial as wide as the blur. It fades where the mean size of h is no more than noise leaves there. It is
held to the minimum and maximum of the 3x3 neighbours plus a small part of their distance: edges get steeper, no halo
appears. It runs as the last step of the denoise pass; `apply` is the same algorithm alone.
Source: [VanCittert1931] the series; mask and limits are ours.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..stage import Stage, param, params, stage
from ..types import F64, U16, Encoding, Values
from ._denoise_tables import HIGH, HIGH_ZOOMED

I16 = NDArray[np.int16]

_UNIT = 4.0  # codes per step of the kernel's int16
_ONE = 32768.0  # what stands for 1 in its products
_GAIN = 8  # factors of the series stand in 1 / GAIN
_ALLOWANCE = 0.08  # part of the local range that may be added at either end: 3 % of a step beside an edge
_BINOMIAL_VARIANCE = 0.5  # px², of [1 2 1] / 4
_START, _WIDTH = 0.45, 1.0  # of the mean size of h that noise makes: where the mask begins, and how far on it is 1


@stage("detail", "capture sharpening, masked where there is only noise")
class Detail(Stage):
    amount: float = param(0.6, 0.0, 2.0, "", "how much of the lost contrast is given back")
    radius: float = param(0.6, 0.3, 0.9, "px", "blur of lens and demosaic that is undone, as a standard deviation")


def settings(values: Values | None) -> Detail:
    """The stage's parameters out of a resolved recipe; defaults where it says nothing."""
    known = (values or {}).get("detail", {})
    return Detail(**{k: v for k, v in known.items() if k in params(Detail)})


def prepare(encoding: Encoding, values: Values | None = None, share: float | None = None) -> I16:
    """What the kernel reads, (6,) int16: factors of h and of B·h, start, width and slope of the mask, allowance.

    `share`: the noise power that a merge left, as a part of what `encoding` says; None = no merge.
    """
    chosen = settings(values)
    wide = chosen.radius**2 / _BINOMIAL_VARIANCE
    second = chosen.amount * wide**2
    part = 1.0 if share is None else share
    power = part * float(np.dot(_high(values, share is not None), np.square(np.asarray(encoding.sigma, np.float64))))
    size = math.sqrt(2 / math.pi * power) / _UNIT
    width = min(max(round(_WIDTH * size), 1), 32767)
    table = [
        (chosen.amount * wide + second) * _ONE / _GAIN, second * _ONE / _GAIN,
        _START * size, width, 32767 // width, _ALLOWANCE * _ONE,
    ]  # fmt: skip
    return np.minimum(np.rint(table), 32767).astype(np.int16)


def _high(values: Values | None, merged: bool) -> F64:
    """Noise power of the high-pass, for a zoomed picture between what was measured at both ends."""
    part = math.log2(float((values or {}).get("merge", {}).get("zoom", 1.0)))
    found = np.asarray(HIGH[merged]) ** (1 - part) * np.asarray(HIGH_ZOOMED) ** part
    return np.asarray(found, np.float64)


def apply(code: U16, table: I16) -> U16:
    """Sharpened code planes (3, H, W); `table` from `prepare`."""
    output = np.empty(code.shape, np.uint16)
    kernels.call("detail", code=code, sharpening=table, output=output)
    return output


def _moved(a: F64, row: int, column: int) -> F64:
    return np.roll(a, (-row, -column), (0, 1))


def _binomial(a: F64) -> F64:
    rows = (_moved(a, -1, 0) + _moved(a, 1, 0)) / 4 + a / 2
    return np.asarray((_moved(rows, 0, -1) + _moved(rows, 0, 1)) / 4 + rows / 2)


def added(luma: F64, table: I16) -> F64:
    """What sharpening adds to luma (its border not to be trusted for 5 px), in NumPy."""
    both, second, start, width, slope, allowance = (float(v) for v in table)
    high = luma - _binomial(luma)
    around = _binomial(_binomial(np.abs(high))) / _UNIT
    mask = np.clip(around - start, 0, width) * slope / _ONE
    near = [_moved(luma, r, k) for r in (-1, 0, 1) for k in (-1, 0, 1)]
    low, top = np.min(near, 0), np.max(near, 0)
    wanted = luma + mask * (both * high - second * _binomial(high)) * _GAIN / _ONE
    room = (top - low) * allowance / _ONE
    return np.asarray(np.clip(wanted, low - room, top + room) - luma, np.float64)


def twin(code: U16, table: I16) -> U16:
    """What `apply` does, in NumPy and float64."""
    _, height, width = code.shape
    pads = ((0, 0), (8, 8), (8, 8))
    red, green, blue = np.pad(code.astype(np.float64), pads, mode="edge")
    step = added((red + 2 * green + blue) / 4, table)[8 : 8 + height, 8 : 8 + width]
    return np.asarray(np.clip(code + step + 0.5, 0, 65535).astype(np.uint16))
