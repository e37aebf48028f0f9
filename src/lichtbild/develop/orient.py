"""Orient — turn a picture upright, the way the camera was held.

The eight EXIF orientations are three bits. Mirroring is done by the finish pass while it writes; swapping the axes is
a pass of its own. Source: [EXIF3] tag 274.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..types import U8, U16

# EXIF orientation → mirror columns, mirror rows, then swap the axes.
_WAYS = {
    1: (False, False, False),
    2: (True, False, False),
    3: (True, True, False),
    4: (False, True, False),
    5: (False, False, True),
    6: (False, True, True),
    7: (True, True, True),
    8: (True, False, True),
}


def ways(orientation: int) -> tuple[bool, bool, bool]:
    """(mirror columns, mirror rows, swap the axes) that bring a picture upright, in this order.

    An orientation outside 1..8 leaves it as it is.
    """
    return _WAYS.get(orientation, _WAYS[1])


def swap(image: U8 | U16) -> Any:
    """An interleaved picture (H, W, 3) with its axes swapped: (W, H, 3)."""
    height, width, _ = image.shape
    out = np.empty((width, height, 3), image.dtype)
    kernels.call("transpose_u8" if image.dtype == np.uint8 else "transpose_u16", image=image, output=out)
    return out
