"""The large-scale tone curve of `tone`: how far shadows are opened and highlights held back, in EV around mid grey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import F64

START_EV, STOP_EV, RATE = -16.0, 14.0, 16  # nodes of the table: EV around mid grey, per EV
NODES: F64 = np.linspace(START_EV, STOP_EV, int((STOP_EV - START_EV) * RATE) + 1)
WHITE_EV = 3.0  # what the look still shows as white; beyond that highlights are drawn together
DEEP_EV = -3.0  # what the look shows as deep shadow


@dataclass(frozen=True)
class Range:
    """What a scene asks of the curve, in EV: light added at DEEP_EV and below, light taken off at `bright`."""

    lift: float
    cut: float
    bright: float


def _rise(t: F64) -> F64:
    t = np.clip(t, 0.0, 1.0)
    result: F64 = t * t * (3 - 2 * t)
    return result


def wanted(percentiles: dict[float, float], most_lift: float) -> Range:
    """What the range of a scene asks for; `percentiles` of luma in EV around mid grey.

    Shadows are opened only against a bright part that is large (the backlit scene, not the night with a lamp): as
    much as the 10th percentile lies below DEEP_EV, weighed by the 95th.
    """
    deep, bright, brightest = percentiles[10.0], percentiles[95.0], percentiles[99.7]
    backlit = float(np.clip((bright - 1.0) / 2.0, 0.0, 1.0))
    lift = backlit * float(np.clip(DEEP_EV - deep, 0.0, most_lift))
    cut = min(max(0.0, brightest - WHITE_EV), 0.65 * max(brightest - 1.0, 0.0))
    return Range(lift, cut, max(brightest, 2.0))


def curve(r: Range, shadows_ev: float = 0.0, highlights_ev: float = 0.0) -> F64:
    """T at NODES: log2 luma around mid grey → the same after tone mapping. T(0) = 0; slope never below 0.3."""
    slope = np.ones_like(NODES)
    step = 1.0 / RATE
    dark = _rise((0.5 - NODES) / 1.5) * _rise((NODES + 6.0) / 1.5)
    slope -= dark * min((r.lift + shadows_ev) / float(dark.sum() * step), 0.6)
    light = _rise((NODES - 0.5) / 2.0)
    below = float(light[r.bright >= NODES].sum() * step)
    slope -= light * min((r.cut - highlights_ev) / below, 0.7)
    total = np.concatenate([[0.0], np.cumsum((slope[1:] + slope[:-1]) * (step / 2))])
    result: F64 = total - np.interp(0.0, NODES, total)
    return result
