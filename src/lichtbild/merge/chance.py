"""Chance: doubts that noise alone has raised are told from those of what moved, by their company.

Whether a frame agrees with the reference is asked in every cell, and among so many chance doubts some, a fifth where
it is dark. In a burst that costs a little of each frame. In a bracket one longer frame knows most of what is known of
the shadows, and where the noise of the reference happens to be largest, all longer ones are doubted at once: a tenth of
the pixels had most of the noise that was left. So a doubt counts as far as there is more doubt around it than is usual
in this frame. Alone, only larger differences count. The idea and its numbers are ours: bench/brackets.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .. import kernels
from ..types import F32, U8
from .add import CERTAIN, Doubt

_FINE, _STRONG = 4.0, 3.0  # by which limits of cells of 2x2 pixels are raised for doubts that stand alone
_CELL = 4  # of a map of trust: 8x8 pixels
_AROUND = 2  # cells on each side: as far as a doubt has company
_USUAL = 0.2  # part of a still picture that chance doubts at most; more is motion
_FROM, _TO = (1.2, 0.05), (2.2, 0.1)  # of company, times the usual and beyond: where a doubt begins to count, counts


def larger(doubt: Doubt) -> Doubt:
    """What is doubted even alone."""
    fine, strong = ((low * k, high * k) for (low, high), k in ((doubt.fine, _FINE), (doubt.strong, _STRONG)))
    return replace(doubt, fine=fine, strong=strong)


def settle(trust: U8, alone: U8) -> None:
    """Trust (cells y, cells x), in place: raised to `alone`, that of `larger` doubts, where it has no company."""
    kernels.call("merge_settle", alone=alone, company=company(trust), trust=trust)


def company(trust: U8) -> F32:
    """(h, w) per cell of 8x8 pixels: 0 where there is no more doubt around than is usual, 1 where there is much."""
    rows, columns = (n // _CELL for n in trust.shape)
    told = trust.reshape(rows, _CELL, columns, _CELL).mean((1, 3), dtype=np.float32)
    doubted = np.pad(1 - told / np.float32(CERTAIN), _AROUND, mode="edge")
    span = range(2 * _AROUND + 1)
    across = np.mean([doubted[:, k : k + columns] for k in span], 0)
    around = np.mean([across[k : k + rows] for k in span], 0)
    usual = min(float(np.median(around)), _USUAL)
    low, high = (k * usual + more for k, more in (_FROM, _TO))
    return np.asarray(np.clip((around - low) / (high - low), 0, 1), np.float32)
