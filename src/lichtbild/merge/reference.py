"""Reference: the sharpest of the first frames gives the photograph its moment and its view.

Sharpness is the mean step between neighbouring cells of 2x2 pixels, after a square root that makes noise equally strong
at every level: all frames of a burst carry the same noise, so what differs is detail.
Source: [Hasinoff2016], section 4, for the choice among the first frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..types import Frame

FIRST = 3  # frames that are looked at: later ones are no longer the moment of the press
_BAND, _EVERY = 64, 512  # rows that are looked at, of so many


def sharpness(frame: Frame) -> float:
    """Mean square of the steps between neighbouring cells, in units that are the same for all frames of a burst."""
    data = frame.mosaic if frame.rgb is None else frame.rgb[1]
    assert data is not None
    found, count = 0.0, 0
    black = float(np.mean(frame.black))
    for top in range(0, frame.shape[0], _EVERY):
        rows = data[top : top + _BAND]
        rows = rows[: rows.shape[0] // 2 * 2, : rows.shape[1] // 2 * 2].astype(np.float32)
        if rows.size == 0:
            continue
        grey = np.sqrt(np.maximum(rows[::2, ::2] + rows[1::2, ::2] + rows[::2, 1::2] + rows[1::2, 1::2] - 4 * black, 0))
        for axis in (0, 1):
            step = np.diff(grey, axis=axis)
            found, count = found + float(np.square(step).sum()), count + step.size
    return found / max(count, 1)


def choose(frames: Sequence[Frame]) -> int:
    """The place of the sharpest among the first FIRST frames."""
    return int(np.argmax([sharpness(f) for f in frames[:FIRST]]))
