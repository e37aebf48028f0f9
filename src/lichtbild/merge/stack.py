"""Stack: frames come one by one, are aligned to the reference, and are added where they can be believed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

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
    remarks: tuple[str, ...] = ()


Fill = Callable[[U16], None]  # writes the half codes of a frame into an array (H, W)


@dataclass
class Stack:
    """The sums over one reference. `sigma`: noise of half codes for R, G, B; `phase`: place of red, modulo 2."""

    shape: tuple[int, int]
    phase: add.Phase
    sigma: tuple[float, float, float]
    chosen: Merge
    doubt: add.Doubt = field(init=False)
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        c = self.chosen.caution
        self.doubt = dataclasses.replace(add.Doubt(), low=add.Doubt.low / c, high=add.Doubt.high / c)

    def begin(self, fill: Fill) -> None:
        """Take the reference."""
        own = add.padded(1, self.shape)[0]
        fill(add.inner(own, self.shape))
        self._guide = add.guide(add.inner(own, self.shape), self.phase)
        self._planes = align.pyramid(self._guide[0])
        self._kernel = add.uniform(self.shape, self.chosen.radius)
        self._sums = add.sums(self.shape)
        self._trusted = np.zeros(self._kernel.shape[1:], np.uint16)
        self._waiting: list[tuple[F32, U8]] = []
        self._codes = add.padded(_AT_ONCE, self.shape)

    def add(self, fill: Fill) -> float:
        """Add a frame; returns the part of the picture in which it is believed."""
        codes = self._codes[len(self._waiting)]
        fill(add.inner(codes, self.shape))
        guide = add.guide(add.inner(codes, self.shape), self.phase)
        flow = align.estimate(self._planes, align.pyramid(guide[0]), self.sigma[1] / 2)
        blocks = align.blocks(flow, self.shape)
        believed = add.trust(self._guide, guide, blocks, self.sigma, self.doubt)
        self._trusted += believed
        self._waiting.append((blocks, believed))
        if len(self._waiting) == _AT_ONCE:
            self._flush()
        height, width = self.shape
        return float(believed[: -(-height // 2), :width].mean()) / 255

    def _flush(self) -> None:
        n = len(self._waiting)
        if n:
            flow, believed = (np.stack(part) for part in zip(*self._waiting, strict=True))
            add.add(self._sums, self._codes[:n], flow, believed, self._kernel, self.phase)
        self._waiting = []

    def result(self, reference: U16) -> Merged:
        """The picture, from the sums and the demosaiced reference (3, H, W) in codes."""
        self._flush()
        red, green, blue = (4 * s * s for s in self.sigma)  # codes are twice half codes
        code = add.done(self._sums, reference, self._kernel, (red, green, blue))
        share = 1 / (1 + self._trusted.astype(np.float32) / 255)
        return Merged(code, _coarse(share, self.shape), tuple(self.remarks))


def _coarse(share: F32, shape: tuple[int, int]) -> F32:
    """Means over cells of 16x16 pixels of a map (rows of cells of 2, W)."""
    rows, columns = (-(-n // _CELL) for n in shape)
    inside = share[: _CELL // 2 * rows, : _CELL * columns]
    return np.asarray(inside.reshape(rows, _CELL // 2, columns, _CELL).mean((1, 3)), np.float32)
