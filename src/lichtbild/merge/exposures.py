"""Exposures: frames of a bracket are brought to one scale of light, and each is believed as far as it is precise.

The reference is the longest exposure that clips no more than the shortest, so the merged picture holds all light that
any frame saw: it is that frame with less noise. How much more light another frame took is what its settings say,
unless its pixels tell otherwise: the median of ratios over cells that neither frame clips. A frame then counts by
1 / variance: w = 1 / (v + d·(1 - R) / R), where v is its noise power in units of the reference's at that level of light
and R how far it is believed: doubt is noise too. Of a frame as noisy as the reference, d = 1, and it counts by R; of a
more precise one d is less, but never less than the noise of the guides in which its doubt began. Where a frame clips
it is not believed, nor where demosaicing may have carried a clipped sample.
Source: [Granados2010] inverse variance as the best weight of an exposure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .. import bursts, kernels
from .. import cfa as patterns
from ..types import F32, F64, U8, U16, Encoding, Exposure, Frame, Noise
from .add import CERTAIN, Ceiling, Guide, Three

_CLIPPED = 0.98  # of the highest number: from here on a sample counts as clipped
_FULL = 0.85  # of white: some cameras clip below the white level that they state, but not below this part of it
_NO_MORE = 2e-5  # of the picture: so much more may clip in a longer exposure that is still as good as the shortest
_ANY = 0.002  # of white: a frame whose brightest cell has no more is black, and shows no lamp better than another
_GRID = 384  # groups of 2x2 sites that are looked at along the shorter side, about
_CELL = 4  # of them per side of a cell
_WELL = 0.6  # of white: up to here no sample of a cell need be clipped
_PRECISE = 6.0  # standard deviations of noise that the light of a cell must have to tell a ratio
_FEWEST = 24  # cells that tell it
_SAME_SCENE_EV = 0.75  # median deviation of the ratios: beyond it two frames show different things
_ROUNDED_EV = 0.03  # by which settings may be wrong and nobody sees it
_SURE = 5.0  # standard errors by which pixels must contradict the settings
TYPICAL = 0.1  # camera light at which noise of two frames is compared, where one number must do
# Part of the reference's noise power by which means of two exposures may differ: patterns of the sensor and noise that
# no profile tells bend a root by so much where there is next to no light.
_BENT = 0.01
_UNTOLD = 1.25  # noise power that a profile leaves out (patterns, rows) and a difference of exposures does not cancel
_NODES, _PARTS = np.polynomial.hermite_e.hermegauss(41)


def taken_ev(e: Exposure) -> float | None:
    """How much light an exposure turns into numbers, in EV; None where the file does not say.

    An aperture that is not known is the same in all frames.
    """
    if not e.time_s or not e.iso or e.time_s <= 0 or e.iso <= 0:
        return None
    return math.log2(e.time_s * e.iso / ((e.aperture or 1.0) ** 2 or 1.0))


def level(frames: Sequence[Frame]) -> float | None:
    """What `taken_ev` says of the exposure that the reference of a bracket is to have: the longest that clips no more
    than the shortest that is not black. None where all are exposed alike, or do not say how. Frames are opened to see,
    and let go."""
    known = sorted({v for f in frames if (v := taken_ev(f.exposure)) is not None})
    if len(known) < 2:
        return None
    seen = [(v, *_seen([f for f in frames if taken_ev(f.exposure) == v])) for v in known]
    lit = [(v, clipped) for v, clipped, light in seen if light] or [(v, clipped) for v, clipped, _ in seen]
    return max(v for v, clipped in lit if clipped <= lit[0][1] + _NO_MORE)


def _seen(frames: Sequence[Frame]) -> tuple[float, bool]:
    """Of the first of the frames that can be read: the part of the picture that is clipped, and whether there is any
    light; all and none where none can be."""
    for frame in frames:
        opened = bursts.attempt(Frame.opened, frame, [])
        if opened is not None:
            light = sample(opened).light.max(initial=0)
            return float((numbers(opened) >= limit(opened)).mean()), bool(light > _ANY)
    return 1.0, False


def meant_ev(frames: Sequence[Frame], first: Frame) -> float:
    """How much brighter than `first` the photograph is meant: the middle one of the exposures is the metered one."""
    levels = sorted({v for f in frames if (v := taken_ev(f.exposure)) is not None})
    mine = taken_ev(first.exposure)
    return levels[len(levels) // 2] - mine if mine is not None else 0.0


def _span(frame: Frame) -> tuple[float, float]:
    """Mean black level and lowest white level, in DN."""
    black = float(np.mean(frame.black))
    black += sum(float(np.mean(line)) for line in (frame.black_row, frame.black_column) if line is not None)
    return black, max(min(frame.white) - black, 1.0)


def numbers(frame: Frame) -> U16:
    """Raw numbers (H, W), of three colours the highest."""
    data = frame.mosaic if frame.rgb is None else frame.rgb.max(0)
    assert data is not None
    return data


def limit(frame: Frame) -> int:
    """Numbers from which a sample counts as clipped; 65535 where none is."""
    black, span = _span(frame)
    highest = float(numbers(frame).max(initial=0)) - black
    return int(black + _CLIPPED * min(highest, span)) if highest > _FULL * span else 65535


@dataclass(frozen=True)
class Sample:
    """Camera light of a frame in cells, (h, w): means over `count` green samples."""

    light: F32
    count: int


def sample(frame: Frame) -> Sample:
    """A few samples of a frame, evenly spread."""
    colour = patterns.sites(frame.cfa)
    period = math.lcm(*colour.shape)
    step = max(period, min(frame.shape) // _GRID // period * period)
    black, span = _span(frame)
    if frame.rgb is not None:
        sites = [frame.rgb[1, ::step, ::step]]
    else:
        assert frame.mosaic is not None
        rows, columns = (n - p + 1 for n, p in zip(frame.shape, colour.shape, strict=True))
        sites = [frame.mosaic[y : rows + y : step, x : columns + x : step] for y, x in np.argwhere(colour == 1)]
    high, wide = (n // _CELL for n in sites[0].shape)
    cut = [s[: high * _CELL, : wide * _CELL].reshape(high, _CELL, wide, _CELL) for s in sites]
    light = np.mean([c.mean((1, 3), dtype=np.float32) for c in cut], axis=0)
    return Sample(np.asarray((light - black) / span, np.float32), len(sites) * _CELL**2)


def ratio_ev(first: Sample, other: Sample, noise: Noise, said_ev: float) -> tuple[float, float, float] | None:
    """How much more light `other` took, its standard error, and how far cells deviate, in EV; None if too few tell.

    Cells are chosen by the mean of what both saw, on one scale: `said_ev`, then what was found. Else the hand's
    motion, which pairs cells of different light, would prefer one side.
    """
    shape = tuple(min(a, b) for a, b in zip(first.light.shape, other.light.shape, strict=True))
    x, y = (np.maximum(s.light[: shape[0], : shape[1]], 1e-6) for s in (first, other))
    found = said_ev, 0.0, 0.0
    for _ in range(3):
        gain = 2.0 ** -found[0]
        both = np.sqrt(x * y * gain)
        power = (noise.scale[1] * both + noise.offset[1]) * max(gain, 1.0) ** 2 / min(first.count, other.count)
        good = (both > _PRECISE * np.sqrt(power)) & (both < _WELL * min(gain, 1.0))
        if good.sum() < _FEWEST:
            return None
        ratios = np.log2(y[good] / x[good])
        middle = float(np.median(ratios))
        away = float(np.median(np.abs(ratios - middle)))
        found = middle, 1.25 * 1.48 * away / math.sqrt(int(good.sum())), away
    return found


@dataclass(frozen=True)
class Base:
    """What other frames are compared with: exposure, noise and a sample of the reference."""

    exposure: Exposure
    noise: Noise
    seen: Sample

    @classmethod
    def of(cls, frame: Frame, noise: Noise) -> Base:
        """Of the reference."""
        return cls(frame.exposure, noise, sample(frame))

    def certain(self, others: Iterable[tuple[Exposure, Noise]], light: F32) -> int:
        """The weight of the reference, 1..255, with which the most precise of the others gets 255 at some `light`."""
        mine, least = taken_ev(self.exposure), 1.0
        for exposure, noise in others:
            its = taken_ev(exposure)
            if mine is not None and its is not None:
                least = min(least, float(noise_ratio(self.noise, scaled(noise, 2.0 ** (mine - its)), light).min()))
        return max(round(CERTAIN * least), 1)

    def more_ev(self, frame: Frame) -> float:
        """How much more light than the reference a frame took, in EV; 0 where nothing tells."""
        mine, its = taken_ev(self.exposure), taken_ev(frame.exposure)
        said = None if mine is None or its is None else its - mine
        seen = sample(frame)
        found = ratio_ev(self.seen, seen, self.noise, said or 0.0)
        if found is None and min(s.light.sum() for s in (self.seen, seen)) > 0:
            found = ratio_ev(self.seen, seen, self.noise, math.log2(seen.light.mean() / self.seen.light.mean()))
        if found is None or found[2] > _SAME_SCENE_EV:
            return said or 0.0
        if said is not None and abs(found[0] - said) <= max(_ROUNDED_EV, _SURE * found[1]):
            return said
        return found[0]


@dataclass(frozen=True)
class Other:
    """A frame of another exposure, as the stack needs it.

    `noise` (256,): its noise power in units of the reference's, for green codes of 256·i; `typical`: one number for
    all; `difference` (256,): mean noise power of both in units of the usual one of codes; `ceiling`: codes (R, G, B)
    that it cannot exceed; `mosaic` (H, W): its numbers, clipped from `limit` on, or None where it clips no sooner than
    the reference; `wide`: whether it was demosaiced by more than the fast filters.
    """

    noise: F32
    typical: float
    difference: F32
    ceiling: Ceiling
    mosaic: U16 | None
    limit: int
    wide: bool

    def both(self, sigma: Three) -> Three:
        """The noise of codes `sigma` of the reference → that of which frame and reference have the mean power."""
        r, g, b = (s * math.sqrt((1 + self.typical) / 2) for s in sigma)
        return r, g, b


def scaled(noise: Noise, gain: float) -> Noise:
    """The noise of a frame whose light is multiplied by `gain`."""
    (r, g, b), (r0, g0, b0) = noise.scale, noise.offset
    return Noise((r * gain, g * gain, b * gain), (r0 * gain**2, g0 * gain**2, b0 * gain**2), noise.origin)


def noise_ratio(base: Noise, other: Noise, light: F32) -> F32:
    """Noise power of another frame in units of the base's at `light` ≥ 0, green."""
    theirs = other.scale[1] * light + other.offset[1]
    ours = base.scale[1] * light + base.offset[1]
    return np.asarray(np.clip(theirs / np.maximum(ours, 1e-30), 1 / 255, 1e6), np.float32)


def roots(light: F64, offset: float, variance: F64) -> tuple[F64, F64]:
    """Mean and variance of the root of light + offset under Gaussian noise of `variance`, where negative light is cut.

    Where there is little light the root is bent within the reach of noise, and stabilises it less than well.
    """
    bright = light[:, None] + offset + np.sqrt(variance)[:, None] * _NODES
    root = np.sqrt(np.maximum(bright, 0))
    mean = root @ _PARTS / _PARTS.sum()
    return mean, np.square(root) @ _PARTS / _PARTS.sum() - mean * mean


def code_noise(noise: Noise, encoding: Encoding, light: F32) -> F32:
    """Noise power of green codes at `light`, in units of `encoding.sigma`²."""
    x = light.astype(np.float64)
    power = roots(x, encoding.offset[1], noise.scale[1] * x + noise.offset[1])[1]
    return np.asarray(power * (encoding.scale / max(encoding.sigma[1], 1e-9)) ** 2, np.float32)


def difference(base: F32, other: F32) -> F32:
    """Mean noise power of two frames, whose codes have these, as the difference of their means shows it."""
    return np.asarray(_UNTOLD * (base + other) / 2 + _BENT, np.float32)


def as_low(noise: Noise, encoding: Encoding, base: Noise) -> float:
    """By what the offset of a frame is multiplied, so that its codes of no light have the mean of the base's: a mean of
    roots is too low by the noise that is in them, and each frame is to be as low as the reference is."""
    dark, offset = np.zeros(1), encoding.offset[1]
    aim = roots(dark, offset, np.array([base.offset[1]]))[0][0]
    low, high = 0.0, 4.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        mean = roots(dark, offset * middle, np.array([noise.offset[1]]))[0][0]
        low, high = (middle, high) if mean < aim else (low, middle)
    return 0.5 * (low + high)


def levels(encoding: Encoding) -> F32:
    """(256,) white-balanced camera light of green codes 256·i + 128."""
    codes = np.arange(256, dtype=np.float32) * 256 + 128
    return np.asarray(np.maximum((codes / encoding.scale) ** 2 - encoding.offset[1], 0), np.float32)


def blind(guide: Guide, other: Other) -> None:
    """Make the fine guide of a frame agree with nothing where the frame is clipped. The coarse one stays: too far
    around would nothing be believed."""
    if other.mosaic is not None and other.limit < 65535:
        kernels.call("merge_blind", raw=other.mosaic, limit=other.limit, wide=other.wide, guide=guide.fine)


def weigh(trust: U8, level: U16, other: Other | None, certain: int) -> None:
    """Turn the trust of a frame into its weight, in place; `level` (h, w): green codes of cells of 8x8 pixels.

    `other` is None for a frame of the reference's exposure.
    """
    noise = np.ones(256, np.float32) if other is None else other.noise
    kernels.call("merge_weigh", level=level, noise=noise, unit=float(certain), trust=trust)
