"""Burst: several frames of one view become the codes of one, as if it had been taken with much less noise.

The frames go through black, shading and defects into half codes, and on to `merge`. The code that comes back has the
noise of the merged picture, so that all that follows takes it for a frame of a better sensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .. import kernels
from ..merge import Merge, reference
from ..merge.stack import Stack
from ..types import F32, U16, Encoding, Frame, Noise, Values, White
from . import defects, front, shading

_LEAST_SHARE = 0.02  # of one frame's noise: fifty frames


@dataclass(frozen=True)
class Burst:
    """A merged burst: codes (3, H, W), how to read them and their noise; `share` (h, w): noise power in units of it."""

    code: U16
    encoding: Encoding
    noise: Noise
    share: F32
    believed: tuple[float, ...]  # part of the picture in which each further frame was believed


def order(frames: Sequence[Frame], values: Values) -> list[Frame]:
    """The frames that are merged, the reference first. Of frames that are no mosaics (LinearRaw) it is the only one."""
    chosen = frames[: int(values["merge"]["frames"])]
    if any(f.mosaic is None for f in chosen):
        return [frames[0]]
    first = reference.choose(chosen) if len(chosen) > 1 else 0
    return [chosen[first], *chosen[:first], *chosen[first + 1 :]]


def run(frames: Sequence[Frame], white: White, noise: Noise, values: Values, even: shading.ShadingTable) -> Burst:
    """Merge frames of one size and exposure; the first is the reference. `even` is the shading of all of them."""
    first = frames[0]
    picture, encoding = front.run(first, white, noise, values, even)
    red, green, blue = (0.5 * s for s in encoding.sigma)
    stack = Stack(first.shape, defects.phase(first.cfa), (red, green, blue), Merge(**values["merge"]))
    stack.begin(lambda out: half_codes(first, white, noise, values, even, out))
    believed = []
    for frame in frames[1:]:
        believed.append(stack.add(lambda out, f=frame: half_codes(f, white, noise, values, even, out)))  # type: ignore[misc]
    merged = stack.result(picture)
    if first.cfa == "MONO":  # three readings of the same grey
        merged.code[:] = merged.code.mean(0, np.float32) + 0.5
    usual = max(float(np.median(merged.share)), _LEAST_SHARE)
    r, g, b = (s * usual**0.5 for s in encoding.sigma)
    less = Noise(_times(noise.scale, usual), _times(noise.offset, usual), noise.origin)
    share = np.maximum(merged.share / np.float32(usual), np.float32(_LEAST_SHARE))
    return Burst(merged.code, replace(encoding, sigma=(r, g, b)), less, share, tuple(believed))


def _times(three: tuple[float, float, float], factor: float) -> tuple[float, float, float]:
    return (three[0] * factor, three[1] * factor, three[2] * factor)


def half_codes(
    frame: Frame, white: White, noise: Noise, values: Values, even: shading.ShadingTable, out: U16
) -> None:  # fmt: skip
    """Half codes of the frame's mosaic into `out` (H, W): black, shading, white gains and defects dealt with."""
    tables, code = front.prepare(frame, white, noise, values, even)
    strength = values["defects"]["strength"]
    mosaic = defects.listed(frame) if strength > 0 else frame.mosaic
    dx, dy = defects.phase(frame.cfa)
    knobs = np.array([*defects.limits(code, values["defects"]["threshold"]), defects.share(strength)], np.uint16)
    kernels.call("merge_code", raw=mosaic, dx=dx, dy=dy, knobs=knobs, output=out, **tables.arguments())
