"""Denoise: take away what the noise model explains, luma and chroma apart, and leave texture alone.

In and out: code planes (3, H, W) uint16, the square-root code of demosaiced white-balanced camera light, in which noise
is equally strong at every level. The planes become a green-weighted luma and two colour differences. Two octaves at a
time, the rest of a plane against the bilinear prediction from a quarter of its size is transformed in overlapping 8x8
blocks (cosine). Coefficients fall into 16 groups; a group loses the part 1 / (S + 1), where the signal-to-noise ratio S
is estimated from the group's mean size in the blocks nearby and that of all groups, in units of the noise that the
noise model and the demosaic explain. Luma is cleaned so from full size down in two steps, colour from half size down in
three: its blotches are seen where those of grey are not. The finest colour is that of the clean half, where it differs
by no more than noise does.
Sources: [Makitalo2013] stabilisation and the bias of its inverse; [Yaroslavsky2001] shrinking in overlapping cosine
blocks; [Portilla2003] neighbours of a coefficient in the estimate. The fitted estimate of S is ours (bench/shrink.py).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..stage import Stage, param, params, stage
from ..types import F32, F64, U16, Encoding, Noise, Values
from . import detail
from ._denoise_tables import FINE, LEFT, SHRINK, SIZE, SIZE_ZOOMED
from .detail import I16

_UNIT = 4.0  # codes per step of the kernel's int16
# More bias than the least squared error asks for: a speck left is uglier than the texture that goes with it (+0.1 dB
# after gamma, -0.02 dB in linear light).
_CAUTION = 1.1
# So much faster than fitted the estimate rises in slow colour, where signal begins: blotches go, things keep colour.
# On SB-1 at ISO 6400 the third step and true slow noise cost 0.02 dB, as fitted 0.04; 0.02 and 0.07 where things move.
_STEEPER = 1.5
# Standard deviations of the finest colour noise by which colour at full size may move at most: of one frame, of merged.
_CORE = (8.0, 5.0)
# Groups of frequencies above 0.19 cycles per pixel whose noise is grain; not the last: demosaicing leaves most noise
# there, and what is kept of it is a mesh of pixels.
_KEPT = [n for n in range(15) if max(n // 4, n % 4) >= 2]
_SLOWER = 4.0  # by which white noise is smaller two octaves farther down: of the third step, from the second's
_LEAST_SHARE = 1e-3  # of the noise power: a thousand frames merged
_LEAST = 1e-3  # code steps: noise below this is none, and dividing by it stays finite
_EVEN = np.ones((1, 1), np.float32)  # a share of 1 everywhere


@stage("denoise", "take noise away, luma and chroma apart, as strong as the noise model says")
class Denoise(Stage):
    luma: float = param(1.0, 0.0, 2.0, "", "strength on luma: 1 = the noise that is there")
    chroma: float = param(1.0, 0.0, 2.0, "", "strength on colour")
    grain: float = param(0.12, 0.0, 1.0, "", "part of the fine luma noise that stays: nothing looks plastic")


class Tables(NamedTuple):
    """What the kernels read. A row of the first two: 1 / noise size in kernel steps, weights of the group's and of all
    groups' power, bias, the most that is taken, in 1 / 32768, and by how much of it noise power is more where a frame
    of a merge stands alone."""

    luma: F32  # (2 steps, fine first, 16 groups, 6)
    chroma: F32  # (3 steps, 2 planes, 16, 6)
    core: F32  # (2, 2) square of the most that each colour difference moves at full size; what it is more alone


def settings(values: Values | None) -> Denoise:
    """The stage's parameters out of a resolved recipe; defaults where it says nothing."""
    known = (values or {}).get("denoise", {})
    return Denoise(**{k: v for k, v in known.items() if k in params(Denoise)})


def prepare(encoding: Encoding, values: Values | None = None, merged: bool = False, slow: float = 1.0) -> Tables:
    """The kernel's tables for noise of `encoding`, of one frame or as a merge left it; `slow` as in `run`."""
    chosen = settings(values)
    sigma2 = np.square(np.asarray(encoding.sigma, np.float64)) / _UNIT**2
    power, alone = np.array(SIZE[merged]), np.asarray(SIZE[0])
    power[1:, 1] *= slow
    part = math.log2(float((values or {}).get("merge", {}).get("zoom", 1.0)))
    if part:  # between the measured sizes of the picture: a guess
        power = np.maximum(power, 1e-9) ** (1 - part) * np.maximum(SIZE_ZOOMED, 1e-9) ** part
        alone = power  # what one frame has there was not measured
    size = np.sqrt(power @ sigma2)  # (3 planes, 2 steps, 16)
    table = np.empty((3, 2, 16, 6))
    strength = np.array([chosen.luma, chosen.chroma, chosen.chroma])
    table[..., 0] = 1.0 / np.maximum(size * strength[:, None, None], _LEAST)
    table[..., 1:4] = SHRINK
    table[..., 3] *= _CAUTION
    slower = table[1:, 1]
    slower[..., 3] += (_STEEPER - 1) * (slower[..., 1] + 16 * slower[..., 2])  # of noise alone the estimate stays
    slower[..., 1:3] *= _STEEPER
    table[..., 4] = 32767
    table[0, 0, _KEPT, 4] *= 1 - chosen.grain
    table[..., 5] = alone @ sigma2 / np.maximum(power @ sigma2, _LEAST**2) - 1
    core = np.stack([(_CORE[k] * chosen.chroma) ** 2 * np.asarray(FINE[k]) @ sigma2 for k in (merged, False)])
    core[1] -= core[0]
    chroma = table[1:, [0, 1, 1]].swapaxes(0, 1)
    chroma[2, ..., 0] *= _SLOWER
    luma, colour = (np.ascontiguousarray(t, np.float32) for t in (table[0], chroma))
    return Tables(luma, colour, np.asarray(core, np.float32))


def unbias(encoding: Encoding, noise: Noise, values: Values | None = None) -> F64:
    """(3,) light to add after decoding: a square root averaged is too dark by the noise power that was averaged away.

    Decoded light is (code / scale)² - offset + unbias. The constant is the noise power of a code, times what
    demosaicing left of it, times the part that denoise takes. Source: [Makitalo2013], first term.
    """
    del noise  # its part is encoding.sigma
    chosen = settings(values)
    taken = min(max(chosen.luma, chosen.chroma), 1.0)
    power = np.square(np.asarray(encoding.sigma, np.float64) / encoding.scale)
    return np.asarray(power * np.asarray(LEFT) * taken, np.float64)


def even_out(code: U16, encoding: Encoding, noise: Noise, values: Values | None, share: F32) -> None:
    """Make codes (3, H, W) lighter, in place, where more than the usual noise is left and denoise will average it away:
    `unbias` adds what the usual one takes. Matters for brackets, where a short frame may stand alone."""
    power = np.asarray(unbias(encoding, noise, values) * encoding.scale**2, np.float32)[:, None, None]
    cell = 8 * max(1, round(code.shape[1] / (8 * share.shape[0])))
    for row in np.flatnonzero(share.max(1) > 2):
        strip = code[:, cell * row : cell * (row + 1)]
        more = (np.maximum(share[row], 1) - 1).repeat(cell)[: code.shape[2]]
        strip[:] = np.minimum(np.sqrt(np.square(strip.astype(np.float32)) + power * more) + 0.5, 65535)


def apply(
    code: U16, tables: Tables, sharpening: I16, share: F32 = _EVEN, into: U16 | None = None, alone: F32 | None = None
) -> U16:
    """Code planes (3, H, W) denoised by the tables of `prepare` and sharpened by that of `detail.prepare`.

    `share` and `alone` (h, w) as in `run`. The answer is written to `into`, which may be `code` itself.
    """
    left = (share, np.zeros_like(share) if alone is None else alone)
    size = code.shape[1:]
    small, luma = _empty(size, 2), np.empty(size, np.int16)
    kernels.call("denoise_halve", code=code, output=small, luma=luma)
    pyramid = [small]
    for octave in range(2, 8):
        pyramid.append(_empty(size, 2**octave))
        kernels.call("denoise_half", plane=pyramid[-2], output=pyramid[-1])
    second, third, fourth, fifth, _, last = pyramid[1:]
    removed = _coarse(second[:1], fourth[:1], np.zeros_like(fourth[:1]), tables.luma[1:], left)
    slowest = _coarse(fifth[1:], last[1:], np.zeros_like(last[1:]), tables.chroma[2], left)
    slow = _coarse(third[1:], fifth[1:], slowest, tables.chroma[1], left)
    differences = _coarse(small[1:], third[1:], slow, tables.chroma[0], left, whole=True)
    output = np.empty(code.shape, np.uint16) if into is None else into
    kernels.call(
        "denoise", code=code, luma=luma, coarse=second[:1], removed=removed, differences=differences,
        table=tables.luma[:1], core=tables.core, sharpening=sharpening, **_sampled(left, size), output=output,
    )  # fmt: skip
    return output


def _empty(size: tuple[int, ...], factor: int) -> I16:
    return np.empty((3, -(-size[0] // factor), -(-size[1] // factor)), np.int16)


_Left = tuple[F32, F32]  # `share` and `alone`


def _sampled(left: _Left, size: tuple[int, ...]) -> dict[str, Any]:
    """Both maps as a kernel reads them: with cells per block."""
    rows, columns = left[0].shape
    return {"share": left[0], "alone": left[1], "step_x": 4 * columns / size[1], "step_y": 4 * rows / size[0]}


def _coarse(plane: I16, coarse: I16, removed: I16, table: F32, left: _Left, whole: bool = False) -> I16:
    """What is taken from planes (n, h, w); or the planes without it."""
    output = np.empty_like(plane)
    kernels.call(
        "denoise_coarse", plane=plane, coarse=coarse, removed=removed, table=table,
        **_sampled(left, plane.shape[1:]), whole=whole, output=output,
    )  # fmt: skip
    return output


def run(
    code: U16, encoding: Encoding, noise: Noise, values: Values | None = None, share: F32 | None = None,
    into: U16 | None = None, alone: F32 | None = None, slow: float = 1.0,
) -> U16:  # fmt: skip
    """Denoise and sharpen code planes (3, H, W); `values` is a resolved recipe.

    `share` (h, w) > 0: noise power of a merged pixel, as a part of what `noise` says; a coarse map over the whole
    picture, bilinear between the centres of its cells. `alone`, in the same cells: how far that noise is as of one
    frame, 0..1, which has more of it in the finest texture than frames that were moved. `slow`: noise power of colour
    slower than eight pixels, in units of what a merge had where it was measured. `into`: where to write the answer;
    `code` itself spares a picture's memory. Returns `code` itself where the recipe asks for nothing.
    """
    del noise  # already in encoding.sigma
    chosen = settings(values)
    if chosen.luma == 0 and chosen.chroma == 0 and detail.settings(values).amount == 0:
        return code
    left = _EVEN if share is None else np.maximum(np.asarray(share, np.float32), _LEAST_SHARE)
    mean = None if share is None else float(left.mean())
    sharpening = detail.prepare(encoding, values, mean)
    if chosen.luma == 0 and chosen.chroma == 0:
        return detail.apply(code, sharpening)
    return apply(code, prepare(encoding, values, share is not None, slow), sharpening, left, into, alone)


def twin(code: U16, tables: Tables, sharpening: I16, share: F32 = _EVEN, alone: F32 | None = None) -> U16:
    """What `apply` does, in NumPy and float64."""
    from . import _denoisetwin

    return _denoisetwin.twin(code, tables, sharpening, (share, np.zeros_like(share) if alone is None else alone))
