"""Black: what the sensor reads without light is taken away.

in    raw numbers (planes, H, W) uint16, planes = 1 (mosaic) or 3 (LinearRaw)
out   numbers above black (planes, H, W) float32, in DN; noise makes some of them negative, which is kept
The level is the sum of a repeating pattern, a part per column and a part per row.
Source: DNG 1.7.1, tags BlackLevel, BlackLevelDeltaH, BlackLevelDeltaV.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import kernels
from ..stage import Stage, param, stage
from ..types import F32, U16, Frame


@stage("black", "the sensor's reading without light is subtracted")
class Black(Stage):
    """Parameters of the black level."""

    shift: float = param(0.0, -1000.0, 1000.0, "DN", "added to the black level that the file states")
    banding: bool = param(True, doc="offsets of single rows and columns are found in the dark and taken away")


@dataclass(frozen=True)
class BlackTable:
    """Level of a pixel in DN = levels[plane, y % rows, x] + per_row[y]. `levels` (planes, rows, W), `per_row` (H,)."""

    levels: F32
    per_row: F32


def raw(frame: Frame) -> U16:
    """The raw numbers of a frame as (planes, H, W), a view."""
    if frame.rgb is not None:
        return frame.rgb
    assert frame.mosaic is not None
    return frame.mosaic[None]


def prepare(frame: Frame, shift: float = 0.0) -> BlackTable:
    """Tile the pattern over the width and add what belongs to columns; rows stay apart."""
    height, width = frame.shape
    pattern = np.asarray(frame.black, np.float32).transpose(2, 0, 1)
    planes = len(raw(frame))
    pattern = pattern[np.arange(planes) % len(pattern)]
    levels = np.ascontiguousarray(pattern[:, :, np.arange(width) % pattern.shape[2]]) + np.float32(shift)
    if frame.black_column is not None:
        levels = levels + np.asarray(frame.black_column, np.float32)
    rows = np.zeros(height, np.float32) if frame.black_row is None else np.asarray(frame.black_row, np.float32)
    return BlackTable(levels.astype(np.float32), np.ascontiguousarray(rows))


def apply(numbers: U16, table: BlackTable) -> F32:
    """Numbers above black."""
    out = np.empty(numbers.shape, np.float32)
    kernels.call("black", raw=numbers, levels=table.levels, per_row=table.per_row, output=out)
    return out


def twin(numbers: U16, table: BlackTable) -> F32:
    """The same in NumPy."""
    rows = np.arange(numbers.shape[1]) % table.levels.shape[1]
    return numbers.astype(np.float32) - (table.levels[:, rows] + table.per_row[:, None])
