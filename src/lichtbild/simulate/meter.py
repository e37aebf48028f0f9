"""Automatic exposure: how much light a frame shall get, and how time and ISO share it."""

from __future__ import annotations

import numpy as np

from ..light import REC2020_LUMA, thin
from ..types import F32

KEY = 0.10  # camera light of the geometric mean luminance: dark enough to keep lights, as phones meter
KEPT = 98.0  # percentile of luminance that must not saturate
# The way up: to this ISO at this time, then on to the next. Times as of phones in the hand.
PROGRAM = ((1 / 50, 1.0), (1 / 50, 4.0), (1 / 15, 4.0), (1 / 15, 32.0), (1 / 4, 32.0), (1 / 4, 128.0))  # s, × base ISO


def wanted(light: F32) -> float:
    """Camera light per cd/m² for a frame of `light` (3, H, W) Rec.2020 cd/m²: 1.0 = saturation."""
    y = np.tensordot(np.asarray(REC2020_LUMA), thin(light).astype(np.float64), 1)
    floor = max(float(y.max()), 1e-9) * 1e-6
    mean = float(np.exp(np.log(np.maximum(y, floor)).mean()))
    return min(KEY / mean, 1 / max(float(np.percentile(y, KEPT)), floor))


def share(exposure: float, base_iso: float, max_iso: float) -> tuple[float, float]:
    """(time in s, ISO) whose product is `exposure`, in s·ISO, along PROGRAM; as near as it goes at its ends."""
    time, times = min(exposure / base_iso, PROGRAM[0][0]), 1.0
    for next_time, next_times in PROGRAM[1:]:
        if time * times * base_iso >= exposure * (1 - 1e-9):
            break
        if next_times == times:
            time = min(exposure / (times * base_iso), next_time)
        else:
            times = min(exposure / (time * base_iso), next_times, max_iso / base_iso)
    return max(time, 1 / 100_000), base_iso * times
