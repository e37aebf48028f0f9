"""The colour of a look, exactly: moves in Oklab on display light. Slow; `compile` fits the fast form to it.

Source: [Ottosson2020] for Oklab.
"""

from __future__ import annotations

import functools

import numpy as np

from .. import light
from ..types import F64
from . import mono
from .spec import HUE_STEP_DEG, Hue, Look

_NEAR = 0.6  # how far beyond the gamut `near_gamut` lets colours be
SKIN_DEG, SKIN_WIDTH_DEG = 50.0, 24.0
# Around D65: CIE 1960 u, v per mired along the locus of daylight, and per Duv across it, towards green.
_MIRED_U, _MIRED_V = 2.206e-4, 3.101e-4
_DUV_U, _DUV_V = -0.815, 0.580

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


def _distance_deg(hue_deg: F64, centre_deg: float | F64) -> F64:
    return (hue_deg - centre_deg + 180.0) % 360.0 - 180.0


def _window(nodes: float | F64) -> F64:
    """Cubic B-spline at a distance in nodes; copies one node apart add up to one."""
    t = np.abs(nodes)
    outer = np.clip(2.0 - t, 0.0, None) ** 3 / 6.0
    return np.where(t < 1.0, (4.0 - 6.0 * t**2 + 3.0 * t**3) / 6.0, outer)


def share(hue_deg: F64, at_deg: F64) -> F64:
    """(..., n): how much of each of n hue nodes there is at these hues; all nodes together are one."""
    return _window(_distance_deg(hue_deg[..., None], at_deg) / HUE_STEP_DEG)


def _along_hue(hues: tuple[Hue, ...], hue_deg: F64) -> F64:
    """(3, ...): turn (degrees), saturation (stops) and density that the nodes ask for at these hues."""
    nodes = np.array([[h.turn_deg, h.sat_log2, h.density] for h in hues] or [[0.0, 0.0, 0.0]])
    at = np.array([h.at_deg for h in hues] or [0.0])
    return np.moveaxis(share(hue_deg, at) @ nodes, -1, 0)


def mix(amount: float) -> F64:
    """(3, 3): each channel keeps 1 - amount of itself and takes amount of the mean of all three."""
    return np.asarray((1.0 - amount) * np.eye(3) + amount / 3.0, np.float64)


def into_rendering(look: Look) -> F64:
    """(3, 3): scene Rec.2020 → the light that the curve works on; rows sum to 1, but for the trim of exposure."""
    if look.mono.film != "none":
        weights = mono.weights(look.mono.film, look.mono.filter)
        return np.asarray(np.tile(weights, (3, 1)) @ trim(look), np.float64)
    return np.asarray(mix(look.primaries.inset) @ turned(look) @ trim(look), np.float64)


def turned(look: Look) -> F64:
    """(3, 3) on Rec.2020: each primary becomes the one that lies as far from white, at another angle in u'v'."""
    p = look.primaries
    angles = (p.turn_red_deg, p.turn_green_deg, p.turn_blue_deg)
    if not any(angles):
        return np.eye(3)
    to_xyz = light.rgb_to_xyz("rec2020")
    u, v, white = *_uv(to_xyz), _uv(to_xyz.sum(axis=1, keepdims=True))
    place = (u - white[0] + 1j * (v - white[1])) * np.exp(1j * np.radians(angles))
    u, v = place.real + white[0], place.imag + white[1]
    columns = np.array([9 * u, 4 * v, 12 - 3 * u - 20 * v])  # XYZ of u'v', times 4v'
    columns *= np.linalg.solve(columns, to_xyz.sum(axis=1))
    return np.asarray(np.linalg.solve(to_xyz, columns), np.float64)


def _uv(xyz: F64) -> tuple[F64, F64]:
    """CIE 1976 u', v' of XYZ (3, n)."""
    below = xyz[0] + 15 * xyz[1] + 3 * xyz[2]
    return 4 * xyz[0] / below, 9 * xyz[1] / below


def trim(look: Look) -> F64:
    """(3, 3): exposure and white of the look's own trim, in Rec.2020."""
    return np.asarray(2.0**look.trim.exposure_ev * white_shift(look.trim.warmth_mired, look.trim.tint), np.float64)


def white_shift(mired: float, tint: float = 0.0) -> F64:
    """(3, 3) on Rec.2020: what was neutral looks as if lit by a light that lies so far off D65; luminance stays.

    `mired` along the locus of daylight, positive = warmer; `tint` = 1000 Duv across it, positive = greener.
    """
    if mired == tint == 0.0:
        return np.eye(3)
    below = -2 * light.WHITE_D65[0] + 12 * light.WHITE_D65[1] + 3
    u = 4 * light.WHITE_D65[0] / below + mired * _MIRED_U + tint * 1e-3 * _DUV_U
    v = 6 * light.WHITE_D65[1] / below + mired * _MIRED_V + tint * 1e-3 * _DUV_V
    below = 2 * u - 8 * v + 4
    turned = light.adapt(light.WHITE_D65, (3 * u / below, 2 * v / below), "cat16")
    to_xyz = light.rgb_to_xyz("rec2020")
    balance = np.linalg.solve(to_xyz, turned @ to_xyz)
    return np.asarray(balance / (np.asarray(light.REC2020_LUMA) @ balance.sum(axis=1)), np.float64)


def tint(look: Look, lightness: F64) -> F64:
    """Oklab a and b (2, ...) of a grey of this lightness: windows that leave black and white alone."""
    t = np.clip(lightness, 0.0, 1.0)
    dark, bright = 5.4 * t * (1 - t) ** 2.5, 4.0 * t**2 * (1 - t**2)
    a = look.tint.shadow_a * dark + look.tint.highlight_a * bright
    return np.stack([a, look.tint.shadow_b * dark + look.tint.highlight_b * bright])


def grey(look: Look, shown: F64, space: str) -> F64:
    """Display light (n,) of greys → display light (n, 3) of `space` with the look's tint."""
    lightness = np.cbrt(shown)
    a, b = tint(look, lightness)
    if not (a.any() or b.any()):
        return np.repeat(shown[:, None], 3, axis=1)
    return np.clip(from_oklab(np.stack([lightness, a, b], axis=-1), space), 0.0, float(shown[-1]))


def outset(look: Look, rendered: F64, space: str) -> tuple[F64, F64, F64]:
    """Oklab lightness, chroma and hue (degrees) of light after the curve (n, 3), back in the primaries of `space`."""
    rgb = rendered @ (light.convert("rec2020", space) @ np.linalg.inv(mix(look.primaries.outset))).T
    lightness, a, b = np.moveaxis(to_oklab(rgb, space), -1, 0)
    return lightness, np.hypot(a, b), np.degrees(np.arctan2(b, a))


def moves(look: Look, scene: F64, rendered: F64, space: str, saturation: float = 1.0) -> F64:
    """Light after the curve (n, 3) in rendering primaries → display light of `space`, not yet fitted to its gamut.

    `scene` (n, 3) is the same light before the look, in Rec.2020: skin keeps the hue and saturation that it has there,
    because three channels bent by one curve turn it towards yellow in the light and deepen it in the dark.
    """
    lightness, chroma, hue = outset(look, rendered, space)
    own_hue, own_relative = relative(scene)
    skin = np.exp(-((_distance_deg(own_hue, SKIN_DEG) / SKIN_WIDTH_DEG) ** 2))
    held = look.skin.lock * skin
    t = np.clip(lightness, 0.0, 1.0)
    ends = look.chroma.shadows + (look.chroma.highlights - look.chroma.shadows) * t * t * (3.0 - 2.0 * t)
    turn, stops, density = (1.0 - held) * _along_hue(look.hue, hue)
    turned = np.radians(hue + turn + held * _distance_deg(own_hue, hue))
    stops = stops + np.log2(np.maximum(ends * look.chroma.scale, 1e-3))
    kept = np.log2((own_relative * np.maximum(lightness, 1e-4) + 1e-4) / (chroma + 1e-4))
    stops += look.skin.equity * skin * (np.clip(kept, -1.5, 1.0) - stops)
    more = chroma * 2.0**stops * saturation
    darker = lightness - (density + look.chroma.density) * chroma
    tinted = tint(look, darker)
    return from_oklab(
        np.stack([darker, more * np.cos(turned) + tinted[0], more * np.sin(turned) + tinted[1]], axis=-1), space
    )


def near_gamut(rgb: F64, space: str, peak: float) -> F64:
    """Display light (n, 3) of `space`, drawn towards the grey of the same Oklab lightness where it leaves 0..peak.

    Distances from that grey keep their order: d > 1 becomes 1 + (d-1)·r / (d-1 + r), so colours stay near the gamut.
    """
    middle = np.clip(to_oklab(rgb, space)[:, :1] ** 3, 1e-5, peak - 1e-5)
    offset = rgb - middle
    distance = (np.abs(offset) / np.where(offset > 0, peak - middle, middle)).max(axis=1, keepdims=True)
    beyond = np.maximum(distance - 1.0, 0.0)
    keep = np.where(beyond > 0, (1.0 + beyond * _NEAR / (beyond + _NEAR)) / np.maximum(distance, 1.0), 1.0)
    return np.asarray(middle + keep * offset, np.float64)


def relative(scene: F64) -> tuple[F64, F64]:
    """Oklab hue (degrees) and saturation C/L of scene light (n, 3), Rec.2020: both are the same at any exposure."""
    lightness, a, b = np.moveaxis(to_oklab(scene, "rec2020"), -1, 0)
    return np.degrees(np.arctan2(b, a)), np.hypot(a, b) / np.maximum(lightness, 1e-4)


def skins() -> F64:
    """Scene light (3, 10, 3), Rec.2020: ten depths of skin in neutral, warm and cool light.

    The tones run along the locus of measured skins: hue 46..58° in Oklab, C/L largest in the middle. Own numbers.
    """
    depth = np.linspace(0.0, 1.0, 10)
    lightness = 0.78 - 0.44 * depth
    own, hue = 0.06 + 0.065 * np.sin(np.pi * (0.15 + 0.65 * depth)), np.radians(46 + 12 * depth)
    chroma = own * lightness
    tones = from_oklab(np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], -1), "rec2020")
    return np.stack([tones @ white_shift(mired).T for mired in (0.0, 25.0, -20.0)])
