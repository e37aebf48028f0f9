"""Add: frames are moved into place and summed, each pixel as far as it can be believed.

Frames are codes (3, H, W) with a border, as `padded` makes room for; what is computed and why stands in
kernels/merge.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import kernels
from ..types import F32, U8, U16
from . import align

BLOCK, MARGIN = 16, 32  # pixels, as in kernels/merge.py
SPARE = 8  # columns behind the border: vectors are longer than blocks
_EDGE = MARGIN // 2  # cells
CERTAIN = 255  # trust of a pixel that is believed wholly
# Noise power of a guide as a part of that of a code, for R, G, B: measured on white noise, mean of what the two
# demosaics leave; fine and coarse.
_LEFT = (0.083, 0.054, 0.083)
_LEFT_COARSE = (0.015, 0.0083, 0.016)

Three = tuple[float, float, float]


def whole(size: int) -> int:
    """`size` raised to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def padded(count: int, shape: tuple[int, int]) -> U16:
    """Room for the codes of `count` frames with their borders, whole blocks in size."""
    return np.zeros((count, 3, whole(shape[0]) + 2 * MARGIN, whole(shape[1]) + 2 * MARGIN + SPARE), np.uint16)


def inner(codes: U16, shape: tuple[int, int]) -> U16:
    """The picture in a padded frame, a view (3, H, W)."""
    return codes[:, MARGIN : MARGIN + shape[0], MARGIN : MARGIN + shape[1]]


@dataclass(frozen=True)
class Guide:
    """What tells whether two frames agree: `fine` (4, ceil(H/2), ceil(W/2)): grey, R, G, B of cells of 2x2 pixels,
    blurred by 1 2 1, a view of `edged`, which has a border; `coarse` the same halved twice.
    """

    edged: U16
    coarse: U16

    @property
    def fine(self) -> U16:
        """Without the border."""
        return self.edged[:, _EDGE:-_EDGE, _EDGE:-_EDGE]


def guide(codes: U16) -> Guide:
    """The guide of codes (3, H, W)."""
    edged = np.zeros((4, *(-(-n // 2) + 2 * _EDGE for n in codes.shape[1:])), np.uint16)
    fine = edged[:, _EDGE:-_EDGE, _EDGE:-_EDGE]
    kernels.call("merge_guide", codes=codes, output=fine)
    return Guide(edged, np.stack([align.halve(align.halve(plane)) for plane in fine]))


@dataclass(frozen=True)
class Doubt:
    """When a frame is believed: mean squared difference, in units of noise, up to which it is and from which not, of
    cells of 2x2 and of 8x8 pixels. These are weak doubts, which count where a square of 2x2 cells has them: chance
    alone seldom makes four. `strong` ones count alone.

    `slack`: displacement that is forgiven where the reference has an edge, in pixels, fine and coarse; `flicker`: part
    of the code by which light may change.
    """

    fine: tuple[float, float] = (1.2, 2.4)
    coarse: tuple[float, float] = (1.2, 2.4)
    strong: tuple[float, float] = (5.0, 8.0)
    slack: tuple[float, float] = (0.5, 4.0)
    flicker: float = 0.015


def trust(reference: Guide, frame: Guide, flow: F32, sigma: Three, doubt: Doubt) -> U8:
    """(rows of cells, whole W): 0..255 how far `frame` can be believed.

    `flow`: displacement of blocks, (2, blocks y, blocks x) in pixels; `sigma`: noise of codes for R, G, B.
    """
    out = np.empty((flow.shape[1] * BLOCK // 2, flow.shape[2] * BLOCK), np.uint8)
    if min(reference.fine.shape[1:]) < 2:  # nothing to compare
        out[:] = 0
        return out
    allowed = np.full(reference.coarse.shape[1:], CERTAIN, np.uint8)
    if min(allowed.shape) >= 2:
        tables = limits(sigma, doubt, 8)
        kernels.call("merge_trust_coarse", reference=reference.coarse, frame=frame.coarse, flow=flow, output=allowed,
                     power=tables[0], ramp=tables[1])  # fmt: skip
    tables = limits(sigma, doubt, 2)
    kernels.call("merge_trust", reference=reference.fine, frame=frame.edged, flow=flow, coarse=allowed, output=out,
                 power=tables[0], ramp=tables[1])  # fmt: skip
    return out


def limits(sigma: Three, doubt: Doubt, cell: int) -> tuple[F32, F32]:
    """`power` and `ramp` of the kernels for cells of `cell` pixels, see kernels/merge.py."""
    left = _LEFT if cell == 2 else _LEFT_COARSE
    variance = [2 * k * max(s, 1.0) ** 2 for s, k in zip(sigma, left, strict=True)]
    # Steps are taken over two cells; the powers are thirds, because the excess is a mean of three.
    slack = doubt.slack[cell != 2] / cell
    power = np.array([*(1 / (3 * v) for v in variance), 3 * (slack / 2) ** 2, 3 * doubt.flicker**2], np.float32)
    ramps = (doubt.fine if cell == 2 else doubt.coarse, doubt.strong)
    return power, np.array([v for low, high in ramps for v in (-1 / (high - low), high / (high - low))], np.float32)


def sums(shape: tuple[int, int]) -> F32:
    """Empty sums (3, whole H, whole W)."""
    return np.zeros((3, whole(shape[0]), whole(shape[1])), np.float32)


def add(into: F32, codes: U16, flow: F32, believed: U8) -> None:
    """Add padded frames (n, 3, …) to the sums, with their displacements (n, 2, …) and trust (n, …)."""
    kernels.call("merge_add", codes=codes, flow=flow, trust=believed, sums=into)


def done(into: F32, total: U16, reference: U16, lift: Three, certain: int = CERTAIN) -> U16:
    """Codes (3, H, W) of the sums, the sum of trust, and the reference (3, H, W), whose weight is `certain`."""
    out, power = np.empty(reference.shape, np.uint16), np.array(lift, np.float32)
    kernels.call(
        "merge_done", sums=into, total=total, reference=reference, lift=power, certain=float(certain), output=out
    )
    return out
