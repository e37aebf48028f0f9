"""Variance: how much noise is left in a merged picture, as a part of what the noise model says of one pixel.

Demosaicing leaves a part D of a pixel's noise power; a frame that is moved by parts of a pixel keeps the part M of it,
because interpolation is a mean. Where the reference counts as the part s of all weights, inverse to variances,
    left = D·s² + M·s·(1 - s)
This is what a NoiseProfile tells. Denoise asks another question, how much of the noise is fine: see burst.py.
"""

from __future__ import annotations

import numpy as np

from ..types import BAYER, F32, Noise

# D and M for R, G, B: measured on white noise of flat light, moved by a hand (bench.night prints what is foretold).
_DEMOSAICED = {
    "fast": (0.982, 0.783, 0.982), "smooth": (0.839, 0.828, 0.839), "directional": (0.905, 0.828, 0.905),
    "none": (1.0, 1.0, 1.0),
}  # fmt: skip
_MOVED = {
    "fast": (0.832, 0.640, 0.832), "smooth": (0.632, 0.623, 0.632), "directional": (0.687, 0.623, 0.687),
    "none": (0.680, 0.680, 0.680),
}  # fmt: skip


def method(cfa: str, demosaic: str) -> str | None:
    """Which of the measured parts holds for a mosaic; None where none was measured."""
    if cfa in BAYER:
        return demosaic
    return "none" if cfa in ("MONO", "RGB") else None


def left(share: F32, reference: str, others: str) -> F32:
    """(3, h, w) noise power of R, G, B that is left, from the reference's mean part `share` (h, w) of all weights.

    `reference`, `others`: how they were demosaiced, as `method` says it.
    """
    d, m = (np.array(t[k], np.float32)[:, None, None] for t, k in ((_DEMOSAICED, reference), (_MOVED, others)))
    return np.asarray(share * (d * share + m * (1 - share)), np.float32)


def profile(noise: Noise, power: F32) -> Noise:
    """The noise of the picture as a whole: that of one pixel times the median of the power (3, h, w) that is left."""
    r, g, b = (float(np.median(plane)) for plane in power)
    (r1, g1, b1), (r0, g0, b0) = noise.scale, noise.offset
    return Noise((r1 * r, g1 * g, b1 * b), (r0 * r, g0 * g, b0 * b), noise.origin)
