"""Burst: several frames of one view become the codes of one, as if it had been taken with much less noise.

The frames go through the front pass; where there is much noise, all but the reference with the fast demosaic, unless
the picture is enlarged: what is false in its colours would show. The code that comes back has the noise of the merged
picture, so that all that follows takes it for a frame of a better sensor.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from .. import bursts, types
from ..merge import Merge, exposures, lone, reference, zoom
from ..merge.add import Quads
from ..merge.stack import Merged, Mosaic, Stack
from ..types import F32, U16, Encoding, Frame, Noise, RawError, Values, White
from . import defects, demosaic, front, shading, stuck, variance
from . import noise as noises

_GRAINY = 0.02  # noise of mid-grey from where the fast demosaic of the further frames costs nothing that is seen
_CHANCY = 0.06  # from where telling chance from motion is worth a second look: +0.4 dB on SB-1 at ISO 6400, 0 at 1600
_AS_BRIGHT = 0.98  # of the reference's light: from here on a frame clips where the reference does
_LEAST_SHARE = 0.02  # of one frame's noise: fifty frames
# Part of the noise power that moving a frame by fractions of a pixel takes away, and all of it fine: denoise may be so
# much gentler. Chosen by CPSNR on SB-1 at ISO 1600 and 6400, for frames that were
# demosaiced before, as where bench/shrink measured, and for quads, whose red and blue are smoother.
_SMOOTHED, _SMOOTHED_QUADS = 0.4, 0.7
_MEASURED = 1 / 8  # the reference's part where bench/shrink measured the spectrum of merged noise
# Slow noise of quads is there in full: by so much more than told.
_SLOW = (1 - _SMOOTHED * (1 - _MEASURED)) / (1 - _SMOOTHED_QUADS * (1 - _MEASURED))


@dataclass(frozen=True)
class Burst:
    """Codes (3, H, W) of one frame or of a merged burst, how to read them and their noise.

    Of a burst also `share` (h, w): noise power in units of that noise; `others`: names of the further frames that were
    merged; `believed`: part of the picture in which each of them was; `frames` (h, w): frames that count, per cell of
    8x8 pixels; `left` (3, h, w): noise power of codes as a part of what one pixel of the reference has, where it is
    known; `alone` (h, w), `slow`: how far noise is as of one frame, how much of it is slow, see `denoise.run`;
    `bracket`: of unlike exposures.
    """

    code: U16
    encoding: Encoding
    noise: Noise
    share: F32 | None = None
    others: tuple[str, ...] = ()
    believed: tuple[float, ...] = ()
    frames: F32 = field(default_factory=lambda: np.ones((1, 1), np.float32))
    left: F32 | None = None
    alone: F32 | None = None
    bracket: bool = False
    slow: float = 1.0


def order(frames: Sequence[Frame], values: Values, remarks: list[str] | None = None) -> list[Frame]:
    """The frames that are merged, the reference first; it and its rivals are opened.

    Of a bracket the reference says how bright the photograph is meant. What cannot be read is left out, and `remarks`
    say so. Raises RawError where nothing can be read.
    """
    said: list[str] = [] if remarks is None else remarks
    left = list(frames[: int(values["merge"]["frames"])])
    rivals = _rivals(left, exposures.level(left), said) or _rivals(left, None, said)
    if not rivals:
        raise RawError(f"none of its {len(frames)} frames can be read; the first: {said[-1]}")
    chosen = rivals.pop(reference.choose(rivals))
    meant_ev = chosen.baseline_exposure_ev + exposures.meant_ev(frames, chosen)
    return [types.replace(chosen, baseline_exposure_ev=meant_ev), *rivals, *left]


def _rivals(left: list[Frame], level: float | None, said: list[str]) -> list[Frame]:
    """Take from `left` the first frames of an exposure (None: of any) that can be read, opened."""
    rivals: list[Frame] = []
    while len(rivals) < reference.FIRST:
        alike = (i for i, f in enumerate(left) if level is None or exposures.taken_ev(f.exposure) == level)
        place = next(alike, None)
        if place is None:
            break
        frame = bursts.attempt(Frame.opened, left.pop(place), said)
        rivals += [] if frame is None else [frame]
    return rivals


def handed_out(frames: list[Frame]) -> Iterator[Frame]:
    """The frames in their order; `frames` is emptied, so that the pixels of those that are done with can go."""
    while frames:
        yield frames.pop(0)


def opened(frames: Iterator[Frame], remarks: list[str]) -> Iterator[Frame]:
    """The frames with their pixels, each read while the one before is at work; what cannot be read is left out."""
    with ThreadPoolExecutor(1, "lichtbild-read") as pool:

        def begin() -> Future[Frame | None] | None:
            frame = next(frames, None)
            return None if frame is None else pool.submit(bursts.attempt, Frame.opened, frame, remarks)

        coming = begin()
        while coming is not None:
            frame, coming = coming.result(), begin()
            if frame is not None:
                yield frame


def run(
    frames: Iterable[Frame], white: White, noise: Noise, values: Values, even: shading.ShadingTable,
    remarks: list[str] | None = None,
) -> Burst:  # fmt: skip
    """Merge frames of one size; the first is the reference, whose scale of light the others are brought to.

    `even` is the shading of all of them. Shut frames are opened one after the other; those that cannot be read are
    left out, and `remarks` say so.
    """
    waiting = list(frames)
    first, times = waiting.pop(0), values["merge"]["zoom"]
    if times > 1 and demosaic.choose(values["demosaic"]["method"], noise) == "smooth":  # it keeps not what was sampled
        values = {**values, "demosaic": {"method": "directional"}}
    bad = stuck.find([first, *(f for f in waiting if f.shut is None)], noise) if values["defects"]["strength"] else None
    first = _without(first, bad)
    picture, encoding = front.run(first, white, noise, values, even)
    way = _Way(
        exposures.Base.of(first, noise), white, encoding, values, even, _as_quads(first, noise, waiting, values),
        first.cfa, bad,
    )  # fmt: skip
    mosaic = Mosaic(defects.phase(first.cfa), front.tops(white, encoding, even, first)) if way.quads else None
    samples = zoom.Samples(first.cfa, first.shape, 1 + len(waiting)) if times > 1 else None
    bracket = not _alike([first, *waiting])
    stack = Stack(picture, encoding.sigma, Merge(**values["merge"]), way.noisy, way.certain(waiting), mosaic, samples,
                  bracket or _strength(noise) > _CHANCY)  # fmt: skip
    del first
    names = []
    for frame in opened(handed_out(waiting), [] if remarks is None else remarks):
        stack.add(functools.partial(way.codes, frame))
        names.append(frame.path.name)
    merged = stack.result()
    made = replace(_calmed(merged, way, bracket), others=tuple(names), believed=tuple(stack.believed))
    if samples is None:
        return made
    fine = zoom.finer(made.code, encoding.sigma, float(np.median(merged.share)), samples, way.clips())
    _, rows, columns = made.code.shape
    return replace(made, code=zoom.fit(fine, (round(times * rows), round(times * columns))), left=None)


def _calmed(merged: Merged, way: _Way, bracket: bool) -> Burst:
    """The merged picture with what noise is left in it; pixels of a bracket that few frames have seen are calmed."""
    noise, encoding = way.base.noise, way.encoding
    smoothed = np.float32(_SMOOTHED_QUADS if way.quads else _SMOOTHED)
    left = merged.share * (1 - smoothed * (1 - merged.share))
    usual = max(float(np.median(left)), _LEAST_SHARE)
    r, g, b = (s * usual**0.5 for s in encoding.sigma)
    less = Noise(_times(noise.scale, usual), _times(noise.offset, usual), noise.origin)
    share = np.maximum(left / np.float32(usual), np.float32(_LEAST_SHARE))
    share = lone.calm(merged.code, share, (r, g, b)) if bracket else share
    return Burst(
        merged.code, replace(encoding, sigma=(r, g, b)), less, share, frames=np.reciprocal(merged.share),
        left=way.left(merged), alone=_alone(merged.share, smoothed), bracket=bracket,
        slow=_SLOW if way.quads else 1.0,
    )  # fmt: skip


def _alone(share: F32, smoothed: np.float32) -> F32:
    """How far noise is that of one frame, 0..1, where the reference has the part `share` of all weights.

    Noise power in the spectrum is a mean of what a frame has and of what moved ones have, with the weights share and
    1 - share; both are told as parts of power that `smoothed` makes less of.
    """
    more = np.maximum((share - np.float32(_MEASURED)) / np.float32(1 - _MEASURED), 0)
    left = 1 - smoothed * np.float32(1 - _MEASURED)
    return np.asarray(more / (left + (1 - left) * more), np.float32)


def _times(three: tuple[float, float, float], factor: float) -> tuple[float, float, float]:
    return (three[0] * factor, three[1] * factor, three[2] * factor)


def _as_quads(first: Frame, noise: Noise, others: Sequence[Frame], values: Values) -> bool:
    """Whether the fast demosaic will do for all further frames, so that it can wait until they are added."""
    return _alike([first, *others]) and first.cfa in types.BAYER and _grainy(noise, values)


def _alike(frames: Sequence[Frame]) -> bool:
    """Whether all are of one exposure."""
    return len({exposures.taken_ev(f.exposure) for f in frames}) == 1


def _strength(noise: Noise) -> float:
    """Of mid-grey, in camera light."""
    return math.sqrt(noise.scale[1] * demosaic.MID_GREY + noise.offset[1])


def _grainy(noise: Noise, values: Values) -> bool:
    """Whether noise hides what the fast demosaic loses."""
    return values["merge"]["zoom"] == 1 and _strength(noise) > _GRAINY


def _without(frame: Frame, bad: stuck.Places | None) -> Frame:
    """The frame with more bad pixels in its list."""
    if bad is None or not len(bad):
        return frame
    known = [bad] if frame.bad_pixels is None else [frame.bad_pixels, bad]
    return types.replace(frame, bad_pixels=np.concatenate(known))


@dataclass(frozen=True)
class _Way:
    """How the further frames of a burst become codes of the reference's scale; `quads`: before they are demosaiced."""

    base: exposures.Base
    white: White
    encoding: Encoding
    values: Values
    even: shading.ShadingTable
    quads: bool
    cfa: str
    bad: stuck.Places | None = None

    @functools.cached_property
    def light(self) -> F32:
        """(256,) white-balanced light of green codes."""
        return exposures.levels(self.encoding)

    @functools.cached_property
    def noisy(self) -> F32:
        """(256,) noise power of green codes of the reference."""
        return exposures.code_noise(self.balanced(self.base.noise), self.encoding, self.light)

    def balanced(self, noise: Noise, gain: float = 1.0) -> Noise:
        """The noise of light that is white-balanced, for green."""
        return exposures.scaled(noise, gain * self.white.gains[1])

    def noise(self, frame: Frame) -> Noise:
        """The noise of a frame in its own light; where it does not say, that of the reference at its ISO."""
        mine, its = self.base.exposure.iso, frame.exposure.iso
        if mine == its or not mine or not its:
            return self.base.noise
        if frame.noise is not None and noises.sane(frame.noise):
            return frame.noise
        known = self.base.noise
        return exposures.scaled(known, its / mine)

    def left(self, merged: Merged) -> F32 | None:
        """Noise power that is left (3, h, w); None: not known."""
        chosen = demosaic.choose(self.values["demosaic"]["method"], self.base.noise)
        reference = variance.method(self.cfa, chosen)
        further = "quads" if self.quads else "fast" if _grainy(self.base.noise, self.values) else chosen
        rest = variance.method(self.cfa, further)
        if reference is None or rest is None:
            return None
        return variance.left(merged.own, merged.others, reference, rest)

    def clips(self) -> tuple[int, int, int]:
        """Codes from which samples of R, G, B can be clipped: where shading is weakest."""
        gains, least, offset = self.white.gains, float(self.even.gains.min()), self.encoding.offset
        r, g, b = (int(self.encoding.scale * math.sqrt(gains[k] * least + offset[k])) for k in range(3))
        return r, g, b

    def certain(self, frames: Sequence[Frame]) -> int:
        """The weight of the reference beside these frames."""
        return self.base.certain([(f.exposure, self.noise(f)) for f in frames], self.light)

    def codes(self, frame: Frame, out: U16) -> exposures.Other | None:
        """Codes of a frame into `out`, as `Stack.add` asks for; what is other about it where its exposure is."""
        frame = _without(frame, self.bad)
        more_ev = self.base.more_ev(frame)
        noise = self.noise(frame)
        if more_ev == 0 and noise is self.base.noise:
            self._front(frame, noise, out)
            return None
        gain = 2.0**-more_ev
        base, other = self.balanced(self.base.noise), self.balanced(noise, gain)
        typical = float(exposures.noise_ratio(base, other, np.full(1, exposures.TYPICAL, np.float32))[0])
        lower = exposures.as_low(other, self.encoding, base)
        r, g, b = (o * lower for o in self.encoding.offset)
        red, green, blue = (s * math.sqrt(typical) for s in self.encoding.sigma)
        code = Encoding(self.encoding.scale, (r, g, b), (red, green, blue))
        seen = exposures.scaled(noise, gain)
        self._front(frame, seen, out, front.Given(code, gain))
        return exposures.Other(
            exposures.noise_ratio(base, other, self.light), typical,
            exposures.difference(self.noisy, exposures.code_noise(other, self.encoding, self.light)),
            front.tops(self.white, code, self.even, frame, gain),
            exposures.numbers(frame) if gain < _AS_BRIGHT else None, exposures.limit(frame),
            not self.quads and not _grainy(seen, self.values),
        )  # fmt: skip

    def _front(self, frame: Frame, noise: Noise, out: U16, given: front.Given | None = None) -> None:
        """The front pass; by the fast demosaic where noise hides what it loses."""
        if self.quads:
            front.quads(frame, self.white, noise, self.values, self.even, out, Quads.BORDER, given)
            return
        quick = {**self.values, "demosaic": {"method": "fast"}} if _grainy(noise, self.values) else self.values
        front.run(frame, self.white, noise, quick, self.even, out, given)
