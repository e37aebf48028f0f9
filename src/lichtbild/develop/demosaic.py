"""Demosaic: three colours at every pixel, found from square-root codes of a Bayer mosaic.

in    half codes (H, W) uint16, 0..32767: square-root codes, in which noise is equally strong everywhere
out   codes (3, H, W) uint16, 0..65534
directional  what was measured is kept; differences of colours along both axes are averaged towards four sides, weighted
             by how little they change there. The default. Source: [Pekkucuksen2010], in the square-root domain.
smooth       for strong noise: green as before; red and blue lie below it by differences averaged over 3x3 quads.
fast         linear 5x5 filters, for previews. Source: [Malvar2004].
`auto` takes directional, or smooth where the signal-to-noise ratio of mid-grey is below SMOOTH_BELOW.
Other Bayer orders are the same picture moved by a pixel; borders are mirrored about the edge pixels.
"""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..stage import Stage, param, stage
from ..types import U16, Noise
from .defects import phase

METHODS = ("directional", "smooth", "fast")
MID_GREY = 0.18
SMOOTH_BELOW = 5.0
# What gradients are compared with: noise, in standard deviations, and a part of the whole range where there is none.
EPS_SIGMAS, EPS_CLEAN = 2.0, 2.5e-4


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


def epsilon(sigma: float, half_highest: float = 32767.0) -> float:
    """Sum of 25 quartered gradients below which directions are not told apart; `sigma` of noise in half codes."""
    return EPS_SIGMAS * sigma + EPS_CLEAN * half_highest


def apply(half: U16, cfa: str, method: str, eps: float = EPS_CLEAN * 32767) -> U16:
    """Codes (3, H, W) from half codes (H, W) ≤ 32767, with one of METHODS; `eps` as `epsilon` gives it."""
    out = np.empty((3, *half.shape), np.uint16)
    dx, dy = phase(cfa)
    kernels.call(f"demosaic_{method}", mosaic=half, dx=dx, dy=dy, eps=eps, output=out)
    return out
