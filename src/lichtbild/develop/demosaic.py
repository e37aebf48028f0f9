"""Demosaic: three colours at every pixel, found from square-root codes of a Bayer mosaic.

in    codes (H, W) float32 (any unit; noise equally strong everywhere)
out   codes (3, H, W) float32; what was measured is kept as it is
directional  differences of colours along both axes, averaged towards four sides, weighted by how little they change
             there. The default. Source: [Pekkucuksen2010], in the square-root domain.
smooth       for strong noise: the same, where noise does not decide about directions and green is averaged.
fast         linear 5x5 filters, for previews. Source: [Malvar2004].
`auto` takes directional, or smooth where the signal-to-noise ratio of mid-grey is below SMOOTH_BELOW.
Other Bayer orders are the same picture moved by a pixel; borders are mirrored about the edge pixels.
"""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..stage import Stage, param, stage
from ..types import F32, Noise
from .defects import phase

METHODS = ("directional", "smooth", "fast")
MID_GREY = 0.18
SMOOTH_BELOW = 5.0
# What gradients are compared with: noise, in standard deviations, and a part of the whole range where there is none.
EPS_SIGMAS, EPS_CLEAN = 10.0, 1e-3
TAPS = (0.25, 0.25, 0.25, 0.125, 0.125)  # as in kernels/demosaic.py


@stage("demosaic", "three colours at every pixel of the mosaic")
class Demosaic(Stage):
    """Parameters of demosaicing."""

    method: str = param("auto", doc="how missing colours are found", choices=("auto", *METHODS))


def choose(method: str, noise: Noise) -> str:
    """One of METHODS: `method` itself, or for auto what measures best at this noise."""
    if method != "auto":
        return method
    variance = noise.scale[1] * MID_GREY + noise.offset[1]
    return "smooth" if SMOOTH_BELOW * math.sqrt(variance) > MID_GREY else "directional"


def epsilon(sigma: float, highest: float) -> float:
    """Gradient sum below which directions are not told apart; `sigma` of noise and `highest` code in the same unit."""
    return EPS_SIGMAS * sigma + EPS_CLEAN * highest


def apply(code: F32, cfa: str, method: str, eps: float) -> F32:
    """Demosaic codes (H, W) with one of METHODS; `eps` as `epsilon` gives it (fast does not use it)."""
    out = np.empty((3, *code.shape), np.float32)
    dx, dy = phase(cfa)
    more = {} if method == "fast" else {"eps": eps}
    kernels.call(f"demosaic_{method}", mosaic=code, dx=dx, dy=dy, output=out, **more)
    return out
