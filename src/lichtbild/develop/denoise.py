"""Denoise: take away what the noise model explains, luma and chroma apart, and leave texture alone.

In and out: code planes (3, H, W) uint16, the square-root code of demosaiced white-balanced camera light, in which noise
is equally strong at every level. The planes become a green-weighted luma and two colour differences. Octave by octave
each is split into a bilinear prediction from the next coarser plane and a rest; luma's rest goes through an undecimated
2x2 Haar transform. Each band is weighted by S / (S + 1), where the signal-to-noise ratio S is estimated from the band's
energy nearby, the energy of its siblings and that of the coarser octave, all in units of the noise that is known from
the noise model. What demosaicing does to white noise is a table that was measured per band.
Sources: [Makitalo2013] stabilisation and the bias of its inverse; [Portilla2003] neighbours and parents of a
coefficient in the estimate; [Burt1983] the pyramid. The fitted linear estimate of S is ours.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from .. import kernels
from ..stage import Stage, param, params, stage
from ..types import F32, F64, U16, Encoding, Noise, Values
from . import detail
from ._denoise_tables import POWER, SHRINK

LEVELS = 4
# More bias than the least squared error asks for: a speck left is uglier than the texture that goes with it (-0.05 dB).
_CAUTION = 1.2
_LEAST_SHARE = 1e-3  # of the noise power: a thousand frames merged
_LEAST = 1e-3  # code steps: noise below this is none, and dividing by it stays finite
# Part of the noise power of one pixel that demosaicing leaves in its code; ours, directional, on a flat field.
_LEFT_BY_DEMOSAIC = (1.0, 0.93, 1.0)


@stage("denoise", "take noise away, luma and chroma apart, as strong as the noise model says")
class Denoise(Stage):
    luma: float = param(1.0, 0.0, 2.0, "", "strength on luma: 1 = the noise that is there")
    chroma: float = param(1.0, 0.0, 2.0, "", "strength on colour")
    grain: float = param(0.08, 0.0, 1.0, "", "part of the fine luma noise that stays: nothing looks plastic")


def settings(values: Values | None) -> Denoise:
    """The stage's parameters out of a resolved recipe; defaults where it says nothing."""
    known = (values or {}).get("denoise", {})
    return Denoise(**{k: v for k, v in known.items() if k in params(Denoise)})


def prepare(encoding: Encoding, values: Values | None = None) -> F32:
    """The table the kernel reads: (3 planes, 4 octaves, 4 bands, 6) float32.

    Columns: 1 / noise power in codes², weights of own, parent's and siblings' energy, bias, least weight.
    """
    chosen = settings(values)
    sigma2 = np.square(np.asarray(encoding.sigma, np.float64))
    table = np.zeros((3, LEVELS, 4, 6))
    for plane in range(3):
        strength = chosen.luma if plane == 0 else chosen.chroma
        power = np.asarray(POWER[plane]) @ sigma2 * strength**2
        table[plane, ..., 0] = 1.0 / np.maximum(power, _LEAST**2)
        table[plane, ..., 1:5] = SHRINK[plane]
        table[plane, ..., 4] *= _CAUTION
    table[0, 0, :, 5] = chosen.grain
    return np.ascontiguousarray(table, np.float32)


def unbias(encoding: Encoding, noise: Noise, values: Values | None = None) -> F64:
    """(3,) light to add after decoding: a square root averaged is too dark by the noise power that was averaged away.

    Decoded light is (code / scale)² - offset + unbias. The constant is the noise power of a code, times what
    demosaicing left of it, times the part that denoise takes. Source: [Makitalo2013], first term.
    """
    del noise  # its part is encoding.sigma
    chosen = settings(values)
    taken = min(max(chosen.luma, chosen.chroma), 1.0)
    power = np.square(np.asarray(encoding.sigma, np.float64) / encoding.scale)
    return np.asarray(power * np.asarray(_LEFT_BY_DEMOSAIC) * taken, np.float64)


def apply(code: U16, table: F32, sharpening: F32) -> U16:
    """Code planes (3, H, W) denoised by the table of `prepare` and sharpened by that of `detail.prepare`."""
    output = np.empty(code.shape, np.uint16)
    kernels.call("denoise", code=code, table=table, sharpening=sharpening, output=output)
    return output


def run(code: U16, encoding: Encoding, noise: Noise, values: Values | None = None, share: F32 | None = None) -> U16:
    """Denoise and sharpen code planes (3, H, W) in one pass; `values` is a resolved recipe.

    `share` (h, w) > 0: noise power of a merged pixel, as a part of what `noise` says; a coarse map over the whole
    picture, bilinear between the centres of its cells. Returns `code` itself where the recipe asks for nothing.
    """
    del noise  # already in encoding.sigma
    chosen = settings(values)
    if chosen.luma == 0 and chosen.chroma == 0 and detail.settings(values).amount == 0:
        return code
    if share is None:
        return _uniform(code, encoding, values)
    # Noise power differs by less than half between neighbouring strengths; between them pictures are mixed.
    low, high = max(float(share.min()), _LEAST_SHARE), max(float(share.max()), _LEAST_SHARE)
    steps = np.geomspace(low, high, 1 + math.ceil(2 * math.log2(high / low) - 1e-6))
    place = np.interp(np.log(np.maximum(spread(share, code.shape[1:]), low)), np.log(steps), np.arange(len(steps)))
    out = np.zeros(code.shape, np.float32)
    for n, step in enumerate(steps):
        sigma = np.sqrt(step) * np.asarray(encoding.sigma)
        part = dataclasses.replace(encoding, sigma=(float(sigma[0]), float(sigma[1]), float(sigma[2])))
        out += np.maximum(1 - np.abs(place - n), 0) * _uniform(code, part, values)
    return np.asarray(out + 0.5, np.uint16)


def _uniform(code: U16, encoding: Encoding, values: Values | None) -> U16:
    chosen, sharpening = settings(values), detail.prepare(encoding, values)
    if chosen.luma == 0 and chosen.chroma == 0:
        return detail.apply(code, sharpening)
    return apply(code, prepare(encoding, values), sharpening)


def spread(share: F32, shape: tuple[int, ...]) -> F32:
    """A coarse map (h, w) over `shape` (H, W): bilinear between the centres of its cells."""
    for axis, size in enumerate(shape):
        n = share.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
        low = np.minimum(at.astype(np.intp), max(n - 2, 0))
        part = (at - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
        share = np.take(share, low, axis) * (1 - part) + np.take(share, np.minimum(low + 1, n - 1), axis) * part
    return np.asarray(share, np.float32)


def _halved(a: F64) -> F64:
    p = np.pad(a, 1, mode="edge")
    h = (p[:, 0:-3:2] + 3 * p[:, 1:-2:2] + 3 * p[:, 2:-1:2] + p[:, 3::2]) / 8
    return np.asarray((h[0:-3:2] + 3 * h[1:-2:2] + 3 * h[2:-1:2] + h[3::2]) / 8)


def _doubled(a: F64) -> F64:
    for _ in range(2):
        p = np.concatenate([a[:1], a, a[-1:]])
        out = np.empty((2 * len(a), a.shape[1]))
        out[0::2], out[1::2] = 0.75 * a + 0.25 * p[:-2], 0.75 * a + 0.25 * p[2:]
        a = out.T
    return a


def _near(a: F64, step: int, axis: int) -> F64:
    return np.roll(a, -step, axis)


def _bands(rest: F64) -> list[F64]:
    low, high = (rest + _near(rest, 1, 1)) / 2, (rest - _near(rest, 1, 1)) / 2
    return [f for s in (1, -1) for f in ((low + s * _near(low, 1, 0)) / 2, (high + s * _near(high, 1, 0)) / 2)]


def _joined(bands: list[F64]) -> F64:
    mean, columns, rows, diagonal = bands
    low = (mean + _near(mean, -1, 0) + rows - _near(rows, -1, 0)) / 2
    high = (columns + _near(columns, -1, 0) + diagonal - _near(diagonal, -1, 0)) / 2
    return np.asarray((low + _near(low, -1, 1) + high - _near(high, -1, 1)) / 2)


def _energy(band: F64) -> F64:
    square = np.square(band)
    blocks = square[::2, ::2] + square[1::2, ::2] + square[::2, 1::2] + square[1::2, 1::2]
    rows = blocks + _near(blocks, 1, 0) + _near(blocks, -1, 0)
    return np.asarray((rows + _near(rows, 1, 1) + _near(rows, -1, 1)) / 36)


def _octaves(plane: F64, table: F64, count: int) -> F64:
    """One plane, its size a multiple of 16, denoised in `count` bands; `table` (4 octaves, 4 bands, 6)."""
    pyramid = [plane]
    for _ in range(LEVELS):
        pyramid.append(_halved(pyramid[-1]))
    clean, parent = pyramid[-1], None
    for level in reversed(range(LEVELS)):
        rest = pyramid[level] - _doubled(pyramid[level + 1])
        bands = _bands(rest) if count == 4 else [rest]
        own = [_energy(b) * t[0] for b, t in zip(bands, table[level], strict=False)]
        mean = np.mean(own, 0)
        above = mean if parent is None else _doubled(parent)
        for n, t in enumerate(table[level][:count]):
            s = np.maximum(t[1] * own[n] + t[2] * above + t[3] * mean - t[4], 0)
            bands[n] = bands[n] * (t[5] + (1 - t[5]) * s / (s + 1)).repeat(2, 0).repeat(2, 1)
        clean = _doubled(clean) + (_joined(bands) if count == 4 else bands[0])
        parent = mean
    return clean


def twin(code: U16, table: F32, sharpening: F32) -> U16:
    """What `apply` does, in NumPy and float64."""
    _, height, width = code.shape
    margin = 128  # beyond the reach of the coarsest octave, and a multiple of its step
    pads = ((0, 0), (margin, margin + -height % 16), (margin, margin + -width % 16))
    red, green, blue = np.pad(code.astype(np.float64), pads, mode="edge")
    planes: list[Any] = [(red + 2 * green + blue) / 4, red - green, blue - green]
    luma, first, second = (
        _octaves(p, np.asarray(t, np.float64), n) for p, t, n in zip(planes, table, (4, 1, 1), strict=True)
    )
    green = detail.sharpen(luma, sharpening) - (first + second) / 4
    rgb = np.stack([first + green, green, second + green])[:, margin : margin + height, margin : margin + width]
    return np.clip(rgb + 0.5, 0, 65535).astype(np.uint16)
