"""Add: frames are moved into place and taken into a mean, each pixel as far as it can be believed.

The mean is the codes of the reference themselves, in place: memory does not grow with the number of frames. What is
computed and why stands in kernels/merge.py and kernels/add.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import kernels
from ..types import F32, U8, U16
from . import align

BLOCK, MARGIN = 16, 32  # pixels, as in kernels/merge.py
_SPARE, _SPARE_QUADS = 8, 48  # columns behind the border: vectors are longer than blocks, or than a tiny picture
_EDGE = MARGIN // 2  # cells
CERTAIN = 255  # trust of a pixel that is believed wholly
# Noise power of a guide as a part of that of a code, for R, G, B: measured on white noise, mean of what the smooth
# demosaic and the guide of quads leave; fine and coarse.
_LEFT = (0.081, 0.057, 0.081)
_LEFT_COARSE = (0.015, 0.0083, 0.016)
_RATE = 2.0**22  # as in kernels/merge.py
EVEN = np.ones(256, np.float32)  # noise that is equally strong at every level

Three = tuple[float, float, float]
Ceiling = tuple[int, int, int]  # highest codes of R, G, B


def whole(size: int) -> int:
    """`size` raised to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def padded(count: int, shape: tuple[int, int], spare: int = 0) -> U16:
    """Room for the codes of `count` frames with their borders, whole blocks in size, and `spare` columns behind."""
    rows, columns = (whole(n) + 2 * MARGIN for n in shape)
    return np.zeros((count, 3, rows, columns + spare), np.uint16)


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
        return _within(self.edged)


def guide(codes: U16) -> Guide:
    """The guide of codes (3, H, W)."""
    edged = _edged((codes.shape[1], codes.shape[2]))
    kernels.call("merge_guide", codes=codes, output=_within(edged))
    return Guide(edged, align.quarter(_within(edged)))


def _edged(shape: tuple[int, int]) -> U16:
    """Room for a guide."""
    return np.zeros((4, *(-(-n // 2) + 2 * _EDGE for n in shape)), np.uint16)


def _within(edged: U16) -> U16:
    """What lies within the border of a guide."""
    return edged[:, _EDGE:-_EDGE, _EDGE:-_EDGE]


def below(guide: Guide, ceiling: Ceiling) -> Guide:
    """A guide as a frame would show it that clips at the codes `ceiling`: what such a frame is compared with."""
    made = Guide(guide.edged.copy(), guide.coarse)
    for plane, top in zip(made.fine[1:], ceiling, strict=True):
        np.minimum(plane, np.uint16(top), out=plane)
    _, r, g, b = made.fine
    between = (r >> 1) + (b >> 1)
    np.add(between >> 1, g >> 1, out=made.fine[0])
    return Guide(made.edged, align.quarter(made.fine))


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


@dataclass(frozen=True)
class Rates:
    """What a difference from a reference counts, see kernels/merge.py: (3, h, w) of its guide, fine and coarse."""

    fine: U16
    coarse: U16


def rates(reference: Guide, sigma: Three, doubt: Doubt, noise: F32 = EVEN) -> Rates:
    """`sigma`: noise of codes for R, G, B; `noise` (256,): mean noise power of both frames in units of that, for codes
    of 256·i. Of `doubt` only what is forgiven counts."""

    def of(plane: U16, cell: int) -> U16:
        out = np.empty((3, *plane.shape[1:]), np.uint16)
        kernels.call("merge_rates", reference=plane, power=explained(sigma, doubt, cell), noise=noise, output=out)
        return out

    return Rates(of(reference.fine, 2), of(reference.coarse, 8))


def trust(reference: Guide, frame: Guide, flow: F32, known: Rates, doubt: Doubt) -> U8:
    """(cells y, cells x), in whole blocks: 0..255 how far `frame` can be believed.

    `flow`: displacement of blocks, (2, blocks y, blocks x) in pixels; `known`: rates of the reference.
    """
    out = np.empty(tuple(n * BLOCK // 2 for n in flow.shape[1:]), np.uint8)
    if min(reference.fine.shape[1:]) < 2:  # nothing to compare
        out[:] = 0
        return out
    allowed = np.full(reference.coarse.shape[1:], CERTAIN, np.uint8)
    if min(allowed.shape) >= 2:
        kernels.call("merge_trust_coarse", reference=reference.coarse, rates=known.coarse, frame=frame.coarse,
                     flow=flow, ramp=ramps(doubt, 8), output=allowed)  # fmt: skip
    kernels.call("merge_trust", reference=reference.fine, rates=known.fine, frame=frame.edged, flow=flow,
                 coarse=allowed, ramp=ramps(doubt, 2), output=out)  # fmt: skip
    return out


def explained(sigma: Three, doubt: Doubt, cell: int) -> F32:
    """`power` of merge_rates for cells of `cell` pixels."""
    left = _LEFT if cell == 2 else _LEFT_COARSE
    variance = [2 * k * max(s, 1.0) ** 2 for s, k in zip(sigma, left, strict=True)]
    # Steps are taken over two cells; the powers are thirds, because the excess is a mean of three.
    slack = doubt.slack[cell != 2] / cell
    return np.array([*(1 / (3 * v) for v in variance), 3 * (slack / 2) ** 2, 3 * doubt.flicker**2], np.float32)


def ramps(doubt: Doubt, cell: int) -> F32:
    """`ramp` of the kernels of trust for cells of `cell` pixels, over sums in 1 / RATE²."""
    both = (doubt.fine if cell == 2 else doubt.coarse, doubt.strong)
    return np.array([v for low, high in both for v in (-1 / (high - low) / _RATE**2, high / (high - low))], np.float32)


class Planes:
    """Room for the codes in three colours of `count` frames, each with a border."""

    def __init__(self, count: int, shape: tuple[int, int]) -> None:
        self.codes, self.shape = padded(count, shape, _SPARE), shape

    def room(self, k: int) -> U16:
        """Where the codes (3, H, W) of frame `k` go."""
        return inner(self.codes[k], self.shape)

    def guide(self, k: int, ceiling: Ceiling | None) -> Guide:
        """The guide of frame `k`, whose codes have been held below `ceiling` already."""
        del ceiling
        return guide(self.room(k))

    def add(self, mean: U16, total: U16, flow: F32, weight: U8, ceilings: list[Ceiling | None]) -> None:
        """Take the first frames into the mean (3, H, W), which counts as `total` (cells y, cells x); their
        displacements are `flow` (n, 2, blocks y, blocks x), their weights `weight` (n, cells y, cells x)."""
        del ceilings
        kernels.call(
            "merge_add", codes=self.codes[: len(weight)], flow=flow, trust=weight, total=total, before=mean, after=mean
        )


class Quads:
    """Room for the mosaics of `count` frames as quads of half codes, which are demosaiced, fast, where they are used:
    a third of the memory and of the traffic to it. `phase`: place of R modulo 2, (x, y); `ceiling`: highest codes.
    """

    BORDER = 4  # quads around the picture that are filled: what believed pixels are made from lies within 3
    _BEFORE = MARGIN // 2  # quads before the picture: blocks that are moved further lie in memory, and count nothing

    def __init__(self, count: int, shape: tuple[int, int], phase: tuple[int, int], ceiling: Ceiling) -> None:
        rows, columns = ((whole(n) + phase[1 - k]) // 2 + 1 + 2 * self._BEFORE for k, n in enumerate(shape))
        self.quads: U16 = np.zeros((count, 4, rows, columns + _SPARE_QUADS), np.uint16)
        self.shape, self.phase, self._ceiling = shape, {"dx": phase[0], "dy": phase[1]}, ceiling
        self._guides = [_edged(shape) for _ in range(count)]

    def room(self, k: int) -> U16:
        """Where the quads (4, h, w) of frame `k` go, with `BORDER` quads around them."""
        first, at = self._BEFORE - self.BORDER, (self.phase["dy"], self.phase["dx"])
        rows, columns = (-(-(n + d) // 2) + 2 * self.BORDER for n, d in zip(self.shape, at, strict=True))
        quads: U16 = self.quads[k, :, first : first + rows, first : first + columns]
        return quads

    def guide(self, k: int, ceiling: Ceiling | None) -> Guide:
        """The guide of frame `k`; where it clips it does as its quads do. It is valid until the next one of a `k`."""
        del ceiling
        fine = _within(self._guides[k])
        kernels.call("merge_guide_quads", quads=self.quads[k], output=fine, **self.phase)
        return Guide(self._guides[k], align.quarter(fine))

    def add(self, mean: U16, total: U16, flow: F32, weight: U8, ceilings: list[Ceiling | None]) -> None:
        """Take the first frames into the mean, as `Planes.add` does."""
        kernels.call(
            "merge_add_quads", quads=self.quads[: len(weight)], tops=self.tops(ceilings), flow=flow, trust=weight,
            total=total, before=mean, after=mean, **self.phase,
        )  # fmt: skip

    def tops(self, ceilings: list[Ceiling | None]) -> U16:
        """Highest half codes (n, 3)."""
        return np.array([ceiling or self._ceiling for ceiling in ceilings], np.uint16) // np.uint16(2)


def done(mean: U16, total: U16, lift: Three, certain: int = CERTAIN) -> None:
    """Lift the mean (3, H, W) in place by what noise, averaged away, had added to the light of its codes.

    `total`: the sum of weights, of which `certain` is that of the reference; `lift`: noise power of a code.
    """
    power = np.array(lift, np.float32)
    kernels.call("merge_done", mean=mean, total=total, lift=power, certain=float(certain), output=mean)
