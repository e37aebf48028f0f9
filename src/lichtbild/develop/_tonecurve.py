"""The large-scale tone curve of `tone`: how far shadows are opened and highlights held back, in EV around mid grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..types import F64

WHITE_EV = 3.3  # what the look still shows as white; beyond that highlights are drawn together
DEEP_EV = -2.0  # where a look begins to close the shadows


@dataclass(frozen=True)
class Range:
    """What a scene asks of the curve, in EV: light added to the deepest shadows, light taken off at `bright`."""

    lift: float
    cut: float
    bright: float


def wanted(percentiles: dict[float, float], most_lift: float) -> Range:
    """What the range of a scene asks for; `percentiles` of luma in EV around mid grey.

    Shadows are opened only against a bright part that is large (the backlit scene, not the night with a lamp): as
    much as most of what the 10th percentile lies below DEEP_EV, weighed by the 95th.
    """
    deep, bright, brightest = percentiles[10.0], percentiles[95.0], percentiles[99.7]
    backlit = float(np.clip((bright - 1.0) / 2.0, 0.0, 1.0))
    lift = backlit * float(np.clip(0.7 * (DEEP_EV - deep), 0.0, most_lift))
    cut = min(max(0.0, brightest - WHITE_EV), 0.65 * max(brightest - 1.0, 0.0))
    return Range(lift, cut, max(brightest, 2.0))


def knees(r: Range, shadows_ev: float = 0.0, highlights_ev: float = 0.0) -> F64:
    """The curve T as its bends, (KNEES + 1, 3): at (EV around mid grey), 1 / width, gain·width; last row: a constant.

    T(0) = 0 and the slope stays within 0.3..1.7. Shadows bend between 0.5 and -1 EV and run parallel again below -6 EV,
    so that black stays black; highlights bend between 0.5 and 2.5 EV.
    """
    # The lift is complete at -6 EV: the integral of the slope taken away from 0.5 EV down to there is 4 EV wide.
    dark = float(np.clip((r.lift + shadows_ev) / 4.0, -0.7, 0.7))
    light = float(np.clip((r.cut - highlights_ev) / max(r.bright - 1.5, 0.5), -0.7, 0.7))
    rows = [(-6.0, 1.5, -dark), (-1.0, 1.5, dark), (0.5, 2.0, -light)]
    table = np.array([(at, 1 / width, gain * width) for at, width, gain in rows] + [(0.0, 0.0, 0.0)])
    table[-1, 0] = -float(bend(table, np.float64(0.0)))
    return table


def bend(table: Any, ev: Any) -> Any:
    """T(ev) of `knees`; any array. The same in kernels/local_laplacian.py."""
    total = ev + table[-1, 0]
    for at, rate, gain in table[:-1]:
        t = (ev - at) * rate
        inside = np.clip(t, 0.0, 1.0)
        total = total + gain * (inside**3 * (1 - 0.5 * inside) + np.maximum(t - 1.0, 0.0))
    return total
