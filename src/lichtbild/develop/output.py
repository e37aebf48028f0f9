"""Output — encoded display values become integers.

in    encoded (3, H, W) float32   0..1, display-encoded
out   (H, W, 3) uint8 | uint16    interleaved
Between two codes the choice is made by a threshold that changes from pixel to pixel (an additive low-discrepancy
sequence in x and y), so a smooth sky has no bands and the mean of a few pixels is exact. The pattern depends on the
position in the sensor's frame alone: not on size, tile or thread. Source: [Roberts2018].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..stage import Stage, param, stage
from ..types import F32, F64, U8, U16

# The same numbers as in kernels/output.py.
STEP_X, STEP_Y, STEP_CHANNEL = 3242174889, 2447445414, 1431655765
TYPES: dict[int, type[Any]] = {8: np.uint8, 16: np.uint16}


@stage("output", "display codes: dithering, and how far beyond white an HDR display may go")
class Output(Stage):
    """Parameters of the last step."""

    dither: float = param(1.0, 0.0, 1.0, "LSB", "width of the dither")
    headroom_ev: float = param(2.0, 0.5, 4.0, "EV", "peak of the HDR rendition over white, where a gain map is written")


def apply(encoded: F32, bits: int = 8, dither: float = 1.0) -> U8 | U16:
    """Codes (H, W, 3) of `encoded` (3, H, W); values outside 0..1 are held there. `bits`: 8 or 16."""
    out = np.empty((*encoded.shape[1:], 3), TYPES[bits])
    kernels.call(f"output_u{bits}", encoded=encoded, dither=dither, output=out)
    return out


def threshold(shape: tuple[int, int], channel: int) -> F64:
    """The dither of a channel, evenly spread over 0..1, (H, W)."""
    rows, columns = (np.arange(n, dtype=np.uint64) for n in shape)
    place = columns[None] * STEP_X + rows[:, None] * STEP_Y + STEP_CHANNEL * channel
    return ((place % 2**32) >> 9) / 2.0**23


def twin(encoded: F32, bits: int = 8, dither: float = 1.0) -> NDArray[Any]:
    """`apply` in NumPy float64."""
    top = 2**bits - 1
    planes = [
        np.clip(plane.astype(np.float64), 0, 1) * top + 0.5 + dither * (threshold(plane.shape, i) - 0.5)
        for i, plane in enumerate(encoded)
    ]
    codes: NDArray[Any] = np.minimum(np.stack(planes, axis=-1), top).astype(TYPES[bits])
    return codes
