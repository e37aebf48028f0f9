"""How far apart two colours look on a display: CIELAB and ΔE2000 of encoded values, colours along the last axis."""

from __future__ import annotations

import numpy as np

from .. import difference
from ..light import eotf
from ..types import F64


def lab(encoded: F64, space: str = "srgb") -> F64:
    """CIELAB (..., 3) under D65 of encoded display values (..., 3)."""
    return np.moveaxis(difference.lab(np.moveaxis(eotf(encoded), -1, 0), space=space), 0, -1)


def delta_e(one: F64, two: F64) -> F64:
    """ΔE2000 (...,) between CIELAB colours (..., 3)."""
    return difference.delta_e_2000(np.moveaxis(one, -1, 0), np.moveaxis(two, -1, 0))
