"""Stack: frames come one by one, are aligned to the reference, and are added where they can be believed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import F32, U8, U16, U32
from . import Merge, add, align, chance, exposures, zoom
from .add import Ceiling, Guide
from .exposures import Other

_AT_ONCE = 2  # frames that are added in one go
_SIDE_BY_SIDE = 2  # frames that are aligned at the same time: a third of that is Python, which takes one core
_CELL = 8  # pixels of the map of what noise is left
# By which limits of cells of 8x8 pixels are raised for another exposure: there, patterns of the sensor are up to as
# strong as what is left of noise, and spots of the reference alone stayed dark.
_COARSE = 1.5


@dataclass(frozen=True)
class Merged:
    """`code` (3, H, W) uint16; `share` (h, w) float32: noise power that is left, as a part of one frame's; of it `own`
    comes from the reference and `others` from the frames that were added, measured in the middle of the same cells.
    """

    code: U16
    share: F32
    own: F32
    others: F32


# Writes the codes of a frame into an array (3, H, W), or its quads into (4, h, w); tells what is other about a frame of
# another exposure.
Fill = Callable[[U16], Other | None]


@dataclass(frozen=True)
class Mosaic:
    """The mosaic of frames that are filled in as quads, and the highest codes it can have; see `add.Quads`."""

    phase: tuple[int, int]
    ceiling: Ceiling


@dataclass(frozen=True)
class _Seen:
    """Displacement of blocks and weight of a frame, the part of it that is believed, codes it cannot exceed, and what
    noise it adds, in squares of weights, cell by cell."""

    flow: F32
    weight: U8
    believed: float
    ceiling: Ceiling | None
    adds: U32


@dataclass
class Stack:
    """The mean over one reference, whose codes are `reference` (3, H, W): frames are taken into them in place.

    `sigma`: noise of codes for R, G, B; `noise` (256,): noise power of the codes 256·i in units of that; `certain`: the
    weight of the reference, 1..255; less where frames of a bracket are more precise; `mosaic`: where frames are filled
    in as quads; `samples`: where what a frame of the reference's exposure sampled is kept for zoom; `settled`: whether
    chance is told from motion, which takes a second look at each frame.
    """

    reference: U16
    sigma: add.Three
    chosen: Merge
    noise: F32 = field(default_factory=lambda: add.EVEN)
    certain: int = add.CERTAIN
    mosaic: Mosaic | None = None
    samples: zoom.Samples | None = None
    settled: bool = False

    def __post_init__(self) -> None:
        c, shape = self.chosen.caution, self.shape
        usual = add.Doubt()
        fine, coarse, strong = ((low / c, high / c) for low, high in (usual.fine, usual.coarse, usual.strong))
        self._doubt = add.Doubt(fine, coarse, strong)
        self._doubt_others = add.Doubt(fine, (_COARSE * coarse[0], _COARSE * coarse[1]), strong)
        self._guide = add.guide(self.reference)
        if self.samples is not None:
            self.samples.put(0, self.reference)
        self._planes = align.pyramid(self._guide.fine[0])
        self._rates = add.rates(self._guide, self.sigma, self._doubt, self.noise)
        self._dimmed: dict[Ceiling, tuple[Guide, align.Planes]] = {}
        self._adds = np.zeros([add.whole(n) // _CELL for n in shape], np.uint32)
        self._total = np.full(tuple(add.whole(n) // 2 for n in shape), self.certain, np.uint16)
        m = self.mosaic
        self._rooms = add.Quads(_AT_ONCE, shape, m.phase, m.ceiling) if m else add.Planes(_AT_ONCE, shape)
        self._waiting: list[Future[_Seen]] = []
        self._count = 1
        self._pool = ThreadPoolExecutor(_SIDE_BY_SIDE, "lichtbild-align")
        self.believed: list[float] = []

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.reference.shape[1], self.reference.shape[2])

    def add(self, fill: Fill) -> None:
        """Add a frame; `believed` will tell the part of the picture in which it was believed."""
        self._waiting.append(self._pool.submit(self._look, fill, len(self._waiting), self._count))
        self._count += 1
        if len(self._waiting) == _AT_ONCE:
            self._flush()

    def _look(self, fill: Fill, k: int, number: int) -> _Seen:
        """Fill in the frame `number` at place `k` and see how it lies."""
        other = fill(self._rooms.room(k))
        guide = self._rooms.guide(k, other.ceiling if other else None)
        first, planes, sigma, rates = self._guide, self._planes, self.sigma, self._rates
        if other is not None:
            (first, planes), sigma = self._below(other.ceiling), other.both(sigma)
            rates = add.rates(first, self.sigma, self._doubt, other.difference)
        flow = align.estimate(planes, align.pyramid(guide.fine[0]), sigma[1])
        blocks = align.blocks(flow, self.shape)
        if other is not None:
            exposures.blind(guide, other)
        doubt = self._doubt if other is None else self._doubt_others
        trust = add.trust(first, guide, blocks, rates, doubt)
        if self.settled:
            alone = add.trust(first, guide, blocks, rates, chance.larger(doubt))
            chance.settle(trust, alone)
        if self.samples is not None and other is None:
            self.samples.put(number, self._rooms.room(k), blocks, trust)
        some = _middle(trust).astype(np.uint32)
        height, width = self.shape
        believed = float(some[: -(-height // _CELL), : -(-width // _CELL)].mean()) / add.CERTAIN
        if other is not None or self.certain != add.CERTAIN:
            exposures.weigh(trust, self._guide.coarse[2], other, self.certain)
        # Trust times weight: a weight is the inverse of the frame's variance, and then trust.
        return _Seen(blocks, trust, believed, other.ceiling if other else None, some * _middle(trust))

    def _below(self, ceiling: Ceiling) -> tuple[Guide, align.Planes]:
        """Guide and planes of the reference as a frame would show them that cannot exceed the codes `ceiling`."""
        if ceiling not in self._dimmed:
            guide = add.below(self._guide, ceiling)
            self._dimmed[ceiling] = guide, align.pyramid(guide.fine[0])
        return self._dimmed[ceiling]

    def _flush(self) -> None:
        found = [f.result() for f in self._waiting]
        self._waiting = []
        if not found:
            return
        flow, weight = np.stack([f.flow for f in found]), np.stack([f.weight for f in found])
        self._rooms.add(self.reference, self._total, flow, weight, [f.ceiling for f in found])
        for seen in found:
            self._total += seen.weight
            self._adds += seen.adds
            self.believed.append(seen.believed)

    def result(self) -> Merged:
        """The picture, in place of the reference; nothing can be added any more."""
        self._flush()
        self._pool.shutdown()
        red, green, blue = (s * s for s in self.sigma)
        add.done(self.reference, self._total, (red, green, blue), self.certain)
        share = np.float32(self.certain) / self._total.astype(np.float32)
        unit = self.certain / np.square(_middle(self._total), dtype=np.float32)
        own, others = unit * np.float32(self.certain), self._adds * (unit / np.float32(add.CERTAIN))
        # Where a part of a cell has much noise left, it counts: better a little detail lost than a speck left.
        worst = np.sqrt(np.sqrt(_cells(np.square(np.square(share)), self.shape)))
        rows, columns = worst.shape
        return Merged(self.reference, worst, own[:rows, :columns], others[:rows, :columns])


def _middle(cells: NDArray[Any]) -> NDArray[Any]:
    """A map of cells of 2x2 pixels, in the middle of those of 8x8."""
    return cells[_CELL // 4 :: _CELL // 2, _CELL // 4 :: _CELL // 2]


def _cells(share: F32, shape: tuple[int, int]) -> F32:
    """Means of a map of cells of 2x2 pixels over those of 8x8; a sum of strips takes a third of the time of `mean`."""
    rows, columns = (-(-n // _CELL) for n in shape)
    half = _CELL // 2
    inside = share[: half * rows, : half * columns].reshape(rows, half, half * columns)
    down: Any = sum(inside[:, k] for k in range(half))
    across = down.reshape(rows, columns, half)
    return np.asarray(sum(across[..., k] for k in range(half)) / np.float32(half * half), np.float32)
