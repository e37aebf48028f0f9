"""Stack: frames come one by one, are aligned to the reference, and are added where they can be believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..types import F32, U8, U16
from . import Merge, add, align

_AT_ONCE = 4  # frames that are added in one go: the sums are then read and written once for all of them
_CELL = 16  # pixels of the map of what noise is left


@dataclass(frozen=True)
class Merged:
    """`code` (3, H, W) uint16; `share` (h, w) float32: noise power that is left, as a part of one frame's."""

    code: U16
    share: F32


Fill = Callable[[U16], None]  # writes the codes of a frame into an array (3, H, W)


@dataclass
class Stack:
    """The sums over one reference, whose codes are `reference` (3, H, W). `sigma`: noise of codes for R, G, B."""

    reference: U16
    sigma: add.Three
    chosen: Merge

    def __post_init__(self) -> None:
        c, shape = self.chosen.caution, self.shape
        fine, coarse = add.Doubt.fine, add.Doubt.coarse
        self._doubt = add.Doubt((fine[0] / c, fine[1] / c), (coarse[0] / c, coarse[1] / c))
        self._guide = add.guide(self.reference)
        self._planes = align.pyramid(self._guide.fine[0])
        self._sums = add.sums(shape)
        self._total = np.zeros((add.whole(shape[0]) // 2, add.whole(shape[1])), np.uint16)
        self._codes = add.padded(_AT_ONCE, shape)
        self._waiting: list[tuple[F32, U8]] = []

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.reference.shape[1], self.reference.shape[2])

    def add(self, fill: Fill) -> float:
        """Add a frame; returns the part of the picture in which it is believed."""
        codes = self._codes[len(self._waiting)]
        fill(add.inner(codes, self.shape))
        guide = add.guide(add.inner(codes, self.shape))
        flow = align.estimate(self._planes, align.pyramid(guide.fine[0]), self.sigma[1])
        blocks = align.blocks(flow, self.shape)
        believed = add.trust(self._guide, guide, blocks, self.sigma, self._doubt)
        self._total += believed
        self._waiting.append((blocks, believed))
        if len(self._waiting) == _AT_ONCE:
            self._flush()
        height, width = self.shape
        return float(believed[: -(-height // 2), :width].mean()) / add.CERTAIN

    def _flush(self) -> None:
        n = len(self._waiting)
        if n:
            flow, believed = (np.stack(part) for part in zip(*self._waiting, strict=True))
            add.add(self._sums, self._codes[:n], flow, believed)
        self._waiting = []

    def result(self) -> Merged:
        """The picture."""
        self._flush()
        red, green, blue = (s * s for s in self.sigma)
        code = add.done(self._sums, self._total, self.reference, (red, green, blue))
        share = np.float32(add.CERTAIN) / (add.CERTAIN + self._total.astype(np.float32))
        return Merged(code, _coarse(share, self.shape))


def _coarse(share: F32, shape: tuple[int, int]) -> F32:
    """Means over cells of 16x16 pixels of a map (rows of cells of 2, W)."""
    rows, columns = (-(-n // _CELL) for n in shape)
    inside = share[: _CELL // 2 * rows, : _CELL * columns]
    return np.asarray(inside.reshape(rows, _CELL // 2, columns, _CELL).mean((1, 3)), np.float32)
