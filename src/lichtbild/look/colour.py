"""The colour of a look, exactly: moves in Oklab on display light. Slow; `compile` fits the fast form to it.

Source: [Ottosson2020] for Oklab.
"""

from __future__ import annotations

import functools

import numpy as np

from .. import light
from ..types import F64
from .spec import HUE_STEP_DEG, Hue, Look

SKIN_DEG, SKIN_WIDTH_DEG = 50.0, 24.0

_CONES = np.array(
    [
        [0.8189330101, 0.3618667424, -0.1288597137],
        [0.0329845436, 0.9293118715, 0.0361456387],
        [0.0482003018, 0.2643662691, 0.6338517070],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


@functools.cache
def _to_cones(space: str) -> F64:
    matrix: F64 = _CONES @ light.rgb_to_xyz(space)
    matrix /= matrix.sum(axis=1, keepdims=True)  # white is (1, 1, 1) to the last bit
    return matrix


def to_oklab(rgb: F64, space: str) -> F64:
    """Linear RGB (..., 3) of `space` → Oklab L, a, b."""
    return np.asarray(np.cbrt(rgb @ _to_cones(space).T) @ _LAB.T, np.float64)


def from_oklab(lab: F64, space: str) -> F64:
    """Oklab → linear RGB (..., 3) of `space`, outside 0..1 where the space ends."""
    return np.asarray((lab @ np.linalg.inv(_LAB).T) ** 3 @ np.linalg.inv(_to_cones(space)).T, np.float64)


def _distance_deg(hue_deg: F64, centre_deg: float) -> F64:
    return (hue_deg - centre_deg + 180.0) % 360.0 - 180.0


def _window(nodes: float | F64) -> F64:
    """Cubic B-spline at a distance in nodes; copies one node apart add up to one."""
    t = np.abs(nodes)
    outer = np.clip(2.0 - t, 0.0, None) ** 3 / 6.0
    return np.where(t < 1.0, (4.0 - 6.0 * t**2 + 3.0 * t**3) / 6.0, outer)


def _along_hue(hues: tuple[Hue, ...], field: str, hue_deg: F64) -> F64:
    total = np.zeros_like(hue_deg)
    for node in hues:
        total += getattr(node, field) * _window(_distance_deg(hue_deg, node.at_deg) / HUE_STEP_DEG)
    return total


def mix(amount: float) -> F64:
    """(3, 3): each channel keeps 1 - amount of itself and takes amount of the mean of all three."""
    return np.asarray((1.0 - amount) * np.eye(3) + amount / 3.0, np.float64)


def moves(look: Look, rendered: F64, space: str, saturation: float = 1.0) -> F64:
    """Light after the curve (n, 3) in rendering primaries → display light of `space`, not yet fitted to its gamut."""
    rgb = rendered @ (light.convert("rec2020", space) @ np.linalg.inv(mix(look.primaries.outset))).T
    lightness, a, b = np.moveaxis(to_oklab(rgb, space), -1, 0)
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))
    free = 1.0 - look.skin.lock * np.exp(-((_distance_deg(hue, SKIN_DEG) / SKIN_WIDTH_DEG) ** 2))
    t = np.clip(lightness, 0.0, 1.0)
    ends = look.chroma.shadows + (look.chroma.highlights - look.chroma.shadows) * t * t * (3.0 - 2.0 * t)
    turned = np.radians(hue + free * _along_hue(look.hue, "turn_deg", hue))
    stops = free * _along_hue(look.hue, "sat_log2", hue)
    more = chroma * 2.0**stops * ends * look.chroma.scale * saturation
    darker = lightness - free * _along_hue(look.hue, "density", hue) * chroma
    return from_oklab(np.stack([darker, more * np.cos(turned), more * np.sin(turned)], axis=-1), space)
