"""Variance: how much noise is left in a merged picture, as a part of what the noise model says of one pixel.

Demosaicing leaves a part D of a pixel's noise power; a frame that is moved by parts of a pixel keeps the part M of it,
because interpolation is a mean. Where w are the parts that frames have in the mean and v their variances in units of
the reference's, that of the reference first,
    left = D·w0² + M·sum(w²·v)
(Parts that noise itself lowers, where it is strong, make the sum smaller than equal ones would.) That is of the codes.
What a pixel's noise is in codes the model does not say where it is so strong that numbers below zero are cut off, or
that the root bends within it: at ISO 6400 it is 9 % less in the dark and 3 % more above. `of_light` says it.
This is what a NoiseProfile tells. Denoise asks another question, how much of the noise is fine: see burst.py.
"""

from __future__ import annotations

import numpy as np

from ..types import BAYER, F32, F64, Encoding, Noise

# D and M for R, G, B: measured on white noise of flat light, moved by a hand (bench.night prints what is foretold).
_DEMOSAICED = {
    "fast": (0.982, 0.783, 0.982), "smooth": (0.839, 0.828, 0.839), "directional": (0.905, 0.828, 0.905),
    "none": (1.0, 1.0, 1.0),
}  # fmt: skip
_MOVED = {
    "fast": (0.832, 0.640, 0.832), "smooth": (0.632, 0.623, 0.632), "directional": (0.687, 0.623, 0.687),
    "none": (0.680, 0.680, 0.680),
    "quads": (0.650, 0.640, 0.650),  # demosaiced while they are added, see kernels/add.py
}  # fmt: skip


# A normal deviate in steps, and how likely each is.
_DEVIATIONS = np.linspace(-5, 5, 201)
_CHANCES = np.exp(-np.square(_DEVIATIONS) / 2) / np.exp(-np.square(_DEVIATIONS) / 2).sum()


def method(cfa: str, demosaic: str) -> str | None:
    """Which of the measured parts holds for a mosaic; None where none was measured."""
    if cfa in BAYER:
        return demosaic
    return "none" if cfa in ("MONO", "RGB") else None


def left(own: F32, others: F32, reference: str, rest: str) -> F32:
    """(3, h, w) noise power of R, G, B that is left, from the sums `own` and `others` (h, w) of w²·v of the reference
    and of the other frames.

    `reference`, `rest`: how they were demosaiced, as `method` says it.
    """
    d, m = (np.array(t[k], np.float32)[:, None, None] for t, k in ((_DEMOSAICED, reference), (_MOVED, rest)))
    return np.asarray(d * own + m * others, np.float32)


def of_light(light: F64, noise: Noise, code: Encoding, floor: float) -> F64:
    """Variance that one pixel's noise gives to means of codes, in light; `light` (3, n), white-balanced by 1.

    `floor`: light of the lowest number that the sensor can say, 0 or less.
    """
    scale, offset, lift = (np.array(v)[:, None] for v in (noise.scale, noise.offset, code.offset))
    spread = np.sqrt(np.maximum(scale * light + offset, 0))
    seen = np.maximum(light[..., None] + spread[..., None] * _DEVIATIONS, floor)
    root = np.sqrt(np.maximum(seen + lift[..., None], 0))
    mean = root @ _CHANCES
    return np.asarray(np.square(2 * mean) * (np.square(root - mean[..., None]) @ _CHANCES))


def profile(noise: Noise, power: F32, code: Encoding, light: F32, floor: float) -> Noise:
    """The noise of the picture as a whole: that of one pixel, in codes, times the median of the power (3, h, w) left.

    `light` (3, …): light of the picture, for which the profile is to hold; the line that fits its variance best,
    relative to it. Others as in `of_light`.
    """
    some = np.quantile(light.reshape(3, -1), np.linspace(0.05, 0.95, 19), axis=1).T.clip(0)
    variance = of_light(some, noise, code, floor)
    found = []
    for c, (values, target) in enumerate(zip(some, variance, strict=True)):
        known = noise.scale[c] * values + noise.offset[c]
        usual = target / np.maximum(known, 1e-30)
        # Two numbers where light differs enough to tell them apart; else the model's own line, raised or lowered.
        basis = np.stack([noise.scale[c] * values, np.full_like(values, noise.offset[c])]) / np.maximum(target, 1e-30)
        near = basis @ basis.T + 0.01 * len(values) * np.eye(2)
        slope, level = np.linalg.solve(near, basis.sum(1) + 0.01 * len(values) * usual.mean())
        part = float(np.median(power[c]))
        found.append((noise.scale[c] * max(slope, 0) * part, noise.offset[c] * max(level, 0) * part))
    (r1, r0), (g1, g0), (b1, b0) = found
    return Noise((r1, g1, b1), (r0, g0, b0), noise.origin)
