"""The tone curve of a look: slopes over stops, integrated; monotone by construction.

g(e) = d log2(display) / d log2(scene) is given at -6, -3, 0 and white EV from mid grey and runs between them as a
monotone cubic; its integral from mid is the curve. The slope half way to white is solved so that white is reached
exactly, with slope 0. For a display with headroom the part below mid stays as it is and the upper part ends higher.
Source: [Fritsch1980] for the monotone cubic.
"""

from __future__ import annotations

import numpy as np

from ..types import F64
from .spec import Look, LookError

MID = 0.18  # scene light of mid grey, diffuse white = 1
LOWEST_EV = -16.0
STEPS = 512  # per side of mid; the trapezium rule is then exact to 1e-5 EV


def monotone_cubic(at: F64, nodes: F64, values: F64) -> F64:
    """Values at positions `at` of a C1 cubic through (nodes, values) that never overshoots; level at both ends."""
    step = np.diff(nodes)
    rise = np.diff(values) / step
    slope = np.zeros(len(nodes))
    for i in range(1, len(nodes) - 1):
        if rise[i - 1] * rise[i] > 0:
            near, far = 2 * step[i] + step[i - 1], step[i] + 2 * step[i - 1]
            slope[i] = (near + far) / (near / rise[i - 1] + far / rise[i])
    held = np.clip(at, nodes[0], nodes[-1])
    k = np.clip(np.searchsorted(nodes, held) - 1, 0, len(nodes) - 2)
    t = (held - nodes[k]) / step[k]
    base = (1 + 2 * t) * (1 - t) ** 2 * values[k] + t * t * (3 - 2 * t) * values[k + 1]
    bend = t * (1 - t) ** 2 * slope[k] - t * t * (1 - t) * slope[k + 1]
    return np.asarray(base + step[k] * bend, np.float64)


def _integral(ev: F64, slopes: F64) -> F64:
    parts = (slopes[1:] + slopes[:-1]) / 2 * np.diff(ev)
    return np.concatenate([[0.0], np.cumsum(parts)])


def tone_curve(look: Look, headroom_ev: float = 0.0, contrast: float = 1.0) -> tuple[F64, F64]:
    """(scene, display): light in float64, both rising; display runs from tone.dmin to 2^headroom_ev.

    `contrast` stretches the curve along scene EV around mid grey, so that all slopes and white move together.
    Raises LookError where no shoulder reaches white, naming the white that would do.
    """
    tone = look.tone
    below = np.linspace(LOWEST_EV, 0.0, STEPS)
    # With headroom the curve runs a stop and a half longer per stop gained: lights stay calm, the sparkle goes up.
    white = tone.white_ev + 1.5 * headroom_ev
    above = np.linspace(0.0, white, STEPS)
    near = tone.slope_dim or (tone.slope_shadow + 2 * tone.slope) / 3
    nodes = np.array([LOWEST_EV, -6.0, -3.0, -1.0, 0.0])
    lower = np.array([tone.slope_deep, tone.slope_deep, tone.slope_shadow, near, tone.slope])
    dark = _integral(below, monotone_cubic(below, nodes, lower))
    upper = _shoulder(look, above, headroom_ev + np.log2(tone.white / MID) - tone.mid_ev)
    ev = np.concatenate([below, above[1:]]) / contrast
    log2_out = np.log2(MID) + tone.mid_ev + np.concatenate([dark - dark[-1], upper[1:]])
    shown = 2.0**log2_out
    # The base of a film lifts black by itself and mid grey not at all.
    shown += tone.dmin * np.clip(1.0 - shown / (MID * 2.0**tone.mid_ev), 0.0, None) ** 2
    return MID * 2.0**ev, shown


def _shoulder(look: Look, above: F64, wanted: float) -> F64:
    """Stops of display light over mid at the scene stops `above`, ending at `wanted` with slope 0."""
    slope, light, white = look.tone.slope, look.tone.slope_light, float(above[-1])

    def reach(half_way: float) -> F64:
        nodes = [(0.0, slope), *([(white / 4, light)] if light else []), (white / 2, half_way), (white, 0.0)]
        return _integral(above, monotone_cubic(above, *np.array(nodes).T))

    lo, hi = 0.0, light or slope
    low, high = float(reach(lo)[-1]), float(reach(hi)[-1])
    if not low <= wanted <= high:
        # Both ends of what can be reached grow with the distance to white.
        first, last = look.tone.white_ev * wanted / high, look.tone.white_ev * wanted / low
        raise LookError(
            f"look '{look.name}': tone.white_ev = {look.tone.white_ev:g} cannot be met with tone.slope = {slope:g} and "
            f"tone.mid_ev = {look.tone.mid_ev:g}: set white_ev to {first + 0.05:.1f}..{last - 0.05:.1f}, or the slope "
            f"{'lower' if wanted < low else 'higher'}"
        )
    for _ in range(60):  # regula falsi with halved ends: some eight rounds
        middle = lo + (hi - lo) * (wanted - low) / (high - low) if high > low else lo
        found = reach(middle)
        if abs(found[-1] - wanted) < 1e-9:
            break
        if found[-1] < wanted:
            lo, low, high = middle, float(found[-1]), wanted + (high - wanted) / 2
        else:
            hi, high, low = middle, float(found[-1]), wanted + (low - wanted) / 2
    return found
