"""Add: frames are moved into place and summed, each pixel as far as it can be believed.

Frames are codes (3, H, W) with a border, as `padded` makes room for; what is computed and why stands in
kernels/merge.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import kernels
from ..types import F32, U8, U16

BLOCK, MARGIN = 16, 32  # pixels, as in kernels/merge.py
CERTAIN = 255  # trust of a pixel that is believed wholly
# Noise power of a guide as a part of that of a code, for R, G, B: fast demosaic of white noise, 2x2 means, 1 2 1 blur.
_LEFT = (0.14, 0.07, 0.14)

Three = tuple[float, float, float]


def whole(size: int) -> int:
    """`size` raised to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def padded(count: int, shape: tuple[int, int]) -> U16:
    """Room for the codes of `count` frames with their borders, whole blocks in size."""
    return np.zeros((count, 3, whole(shape[0]) + 2 * MARGIN, whole(shape[1]) + 2 * MARGIN), np.uint16)


def inner(codes: U16, shape: tuple[int, int]) -> U16:
    """The picture in a padded frame, a view (3, H, W)."""
    return codes[:, MARGIN : MARGIN + shape[0], MARGIN : MARGIN + shape[1]]


def guide(codes: U16) -> U16:
    """(4, ceil(H/2), ceil(W/2)): grey of each 2x2 cell, and its R, G, B blurred by 1 2 1, of codes (3, H, W)."""
    out = np.empty((4, -(-codes.shape[1] // 2), -(-codes.shape[2] // 2)), np.uint16)
    kernels.call("merge_guide", codes=codes, output=out)
    return out


@dataclass(frozen=True)
class Doubt:
    """When a frame is believed: mean squared difference, in units of noise, up to which it is and from which not.

    `slack`: displacement in pixels that is forgiven where the reference has an edge.
    """

    low: float = 2.0
    high: float = 4.5
    slack: float = 0.5


def trust(reference: U16, frame: U16, flow: F32, sigma: Three, doubt: Doubt) -> U8:
    """(rows of cells, whole W): 0..255 how far `frame` can be believed.

    `reference`, `frame`: guides; `flow`: displacement of blocks, (2, blocks y, blocks x) in pixels.
    """
    out = np.empty((flow.shape[1] * BLOCK // 2, flow.shape[2] * BLOCK), np.uint8)
    if min(reference.shape[1:]) < 2:  # nothing to compare
        out[:] = 0
        return out
    power = np.array([*(1 / (3 * 2 * k * max(s, 1.0) ** 2) for s, k in zip(sigma, _LEFT, strict=True)),
                      3 * (doubt.slack / 2) ** 2 / 4], np.float32)  # fmt: skip
    ramp = np.array([-1 / (doubt.high - doubt.low), doubt.high / (doubt.high - doubt.low)], np.float32)
    kernels.call("merge_trust", reference=reference, frame=frame, flow=flow, power=power, ramp=ramp, output=out)
    return out


def sums(shape: tuple[int, int]) -> F32:
    """Empty sums (3, whole H, whole W)."""
    return np.zeros((3, whole(shape[0]), whole(shape[1])), np.float32)


def add(into: F32, codes: U16, flow: F32, believed: U8) -> None:
    """Add padded frames (n, 3, …) to the sums, with their displacements (n, 2, …) and trust (n, …)."""
    kernels.call("merge_add", codes=codes, flow=flow, trust=believed, sums=into)


def done(into: F32, total: U16, reference: U16, lift: Three) -> U16:
    """Codes (3, H, W) of the sums, the sum of trust, and the reference (3, H, W), which counts as one frame."""
    out = np.empty(reference.shape, np.uint16)
    kernels.call("merge_done", sums=into, total=total, reference=reference, lift=np.array(lift, np.float32), output=out)
    return out
