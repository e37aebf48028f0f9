"""Add: frames are summed over the reference by kernel regression, each pixel as far as it can be believed.

Mosaics are half codes with a border, as `padded` makes room for; what is added and why stands in kernels/merge.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .. import kernels
from ..types import F32, U8, U16

BLOCK, MARGIN = 16, 32  # pixels, as in kernels/merge.py

Phase = tuple[int, int]  # column and row of red, modulo 2


def whole(size: int) -> int:
    """`size` raised to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def padded(count: int, shape: tuple[int, int]) -> U16:
    """Room for `count` mosaics of half codes with their borders, whole blocks in size."""
    return np.zeros((count, whole(shape[0]) + 2 * MARGIN, whole(shape[1]) + 2 * MARGIN), np.uint16)


def inner(codes: U16, shape: tuple[int, int]) -> U16:
    """The picture in a padded mosaic, a view (H, W)."""
    return codes[MARGIN : MARGIN + shape[0], MARGIN : MARGIN + shape[1]]


def guide(codes: U16, phase: Phase) -> U16:
    """(4, ceil(H/2), ceil(W/2)): grey of each 2x2 cell, and its R, G, B blurred by 1 2 1, of half codes (H, W)."""
    out = np.empty((4, -(-codes.shape[0] // 2), -(-codes.shape[1] // 2)), np.uint16)
    kernels.call("merge_guide", codes=codes, dx=phase[0], dy=phase[1], output=out)
    return out


@dataclass(frozen=True)
class Doubt:
    """When a frame is believed: mean squared difference, in units of noise, up to which it is and from which not.

    `slack`: displacement in pixels that is forgiven where the reference has an edge.
    """

    low: float = 4.0
    high: float = 9.0
    slack: float = 0.5


def trust(reference: U16, frame: U16, flow: F32, sigma: tuple[float, float, float], doubt: Doubt) -> U8:
    """(rows of cells, whole W): 0..255 how far `frame` can be believed; guides and displacement of blocks as above."""
    power = np.array([*_power(sigma), 3 * (doubt.slack / 2) ** 2 / 4], np.float32)
    ramp = np.array([-1 / (doubt.high - doubt.low), doubt.high / (doubt.high - doubt.low)], np.float32)
    out = np.empty((flow.shape[1] * BLOCK // 2, flow.shape[2] * BLOCK), np.uint8)
    kernels.call("merge_trust", reference=reference, frame=frame, flow=flow, power=power, ramp=ramp, output=out)
    return out


def _power(sigma: tuple[float, float, float]) -> list[float]:
    """A third of the inverse variance of differences of R, G, B of two guides; greens are means of two."""
    blur = (6 / 16) ** 2
    return [1 / (3 * 2 * blur * max(s, 0.5) ** 2 / k) for s, k in zip(sigma, (1, 2, 1), strict=True)]


def uniform(shape: tuple[int, int], radius: float) -> F32:
    """Round kernels of one radius in pixels: (4, rows of cells, whole W), see `steer`."""
    a = 1 / radius**2
    out = np.zeros((4, whole(shape[0]) // 2, whole(shape[1])), np.float32)
    out[0], out[2], out[3] = a, a, math.pi / 3 * radius**2
    return out


def sums(shape: tuple[int, int]) -> F32:
    """Empty sums (6, whole H, whole W)."""
    return np.zeros((6, whole(shape[0]), whole(shape[1])), np.float32)


def add(into: F32, codes: U16, flow: F32, believed: U8, shape: F32, phase: Phase) -> None:
    """Add padded mosaics (n, …) to the sums, with their displacements (n, 2, …) and trust (n, …)."""
    kernels.call(
        "merge_add", codes=codes, flow=flow, trust=believed, shape=shape[:3], dx=phase[0], dy=phase[1], sums=into
    )


def done(into: F32, reference: U16, shape: F32, lift: tuple[float, float, float]) -> U16:
    """Codes (3, H, W) of the sums and the demosaiced reference (3, H, W), which counts as one frame."""
    out = np.empty(reference.shape, np.uint16)
    kernels.call("merge_done", sums=into, reference=reference, shape=shape, lift=np.array(lift, np.float32), output=out)
    return out
