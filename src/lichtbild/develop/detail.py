"""Detail: capture sharpening that gives back what lens and demosaic took from fine contrast.

In and out: code planes (3, H, W) uint16 in the stabilised square-root domain. Only luma (R + 2G + B) / 4 changes. With
B the 3x3 binomial and h = Y - B·Y, two van Cittert steps undo a blur of `radius`: Y + a·w·h + a·w²·(h - B·h), where w
makes the binomial as wide as the blur. It fades where the energy of h is no more than noise leaves there. It is held to
the minimum and maximum of the 3x3 neighbours plus a small part of their distance: edges get steeper, no halo appears.
It runs as the last step of the denoise pass; `apply` is the same algorithm alone.
Source: [VanCittert1931] the series; mask and limits are ours.
"""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..stage import Stage, param, params, stage
from ..types import F32, F64, U16, Encoding, Values

_ALLOWANCE = 0.08  # part of the local range that may be added at either end: 3 % of a step beside an edge
_BINOMIAL_VARIANCE = 0.5  # px², of [1 2 1] / 4
# Noise power of h per unit of noise power at red, green and blue sites, after a directional demosaic.
_POWER = (0.0853, 0.290, 0.0860)
_SURE, _HALF = 0.15, 0.5  # of the noise power: where the mask begins, and how much more makes it one half
_LEAST = 1e-3  # code steps


@stage("detail", "capture sharpening, masked where there is only noise")
class Detail(Stage):
    amount: float = param(0.6, 0.0, 2.0, "", "how much of the lost contrast is given back")
    radius: float = param(0.6, 0.3, 0.9, "px", "blur of lens and demosaic that is undone, as a standard deviation")


def settings(values: Values | None) -> Detail:
    """The stage's parameters out of a resolved recipe; defaults where it says nothing."""
    known = (values or {}).get("detail", {})
    return Detail(**{k: v for k, v in known.items() if k in params(Detail)})


def prepare(encoding: Encoding, values: Values | None = None) -> F32:
    """What the kernel reads: factors of h and of h - B·h, 1 / noise power of h in codes², allowance; (4,) float32."""
    chosen = settings(values)
    width = chosen.radius**2 / _BINOMIAL_VARIANCE
    power = float(np.dot(_POWER, np.square(np.asarray(encoding.sigma, np.float64))))
    factors = (chosen.amount * width, chosen.amount * width**2)
    return np.array([*factors, 1 / max(power, _LEAST**2), _ALLOWANCE], np.float32)


def apply(code: U16, table: F32) -> U16:
    """Sharpened code planes (3, H, W); `table` from `prepare`."""
    output = np.empty(code.shape, np.uint16)
    kernels.call("detail", code=code, sharpening=table, output=output)
    return output


def _moved(a: F64, row: int, column: int) -> F64:
    return np.roll(a, (-row, -column), (0, 1))


def _binomial(a: F64) -> F64:
    rows = (_moved(a, -1, 0) + _moved(a, 1, 0)) / 4 + a / 2
    return np.asarray((_moved(rows, 0, -1) + _moved(rows, 0, 1)) / 4 + rows / 2)


def sharpen(luma: F64, table: F32) -> F64:
    """Luma (even height and width, its border not to be trusted for 4 px) sharpened, in NumPy."""
    first, second, precision, allowance = (float(v) for v in table)
    high = luma - _binomial(luma)
    square = np.square(high)
    blocks = square[::2, ::2] + square[1::2, ::2] + square[::2, 1::2] + square[1::2, 1::2]
    around = [(r, k) for r in (-1, 0, 1) for k in (-1, 0, 1)]
    energy = np.sum([_moved(blocks, r, k) for r, k in around], 0) * precision / 36
    sure = np.maximum(energy - _SURE, 0)
    mask = (sure / (sure + _HALF)).repeat(2, 0).repeat(2, 1)
    low = np.min([_moved(luma, r, k) for r, k in around], 0)
    top = np.max([_moved(luma, r, k) for r, k in around], 0)
    wanted = luma + mask * (first * high + second * (high - _binomial(high)))
    room = (top - low) * allowance
    return np.asarray(np.clip(wanted, low - room, top + room), np.float64)


def twin(code: U16, table: F32) -> U16:
    """What `apply` does, in NumPy and float64."""
    _, height, width = code.shape
    pads = ((0, 0), (8, 8 + height % 2), (8, 8 + width % 2))
    red, green, blue = np.pad(code.astype(np.float64), pads, mode="edge")
    first, second = red - green, blue - green
    green = sharpen((red + 2 * green + blue) / 4, table) - (first + second) / 4
    rgb = np.stack([first + green, green, second + green])[:, 8 : 8 + height, 8 : 8 + width]
    return np.asarray(np.clip(rgb + 0.5, 0, 65535).astype(np.uint16))
