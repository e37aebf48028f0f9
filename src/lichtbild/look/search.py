"""Search: the numbers of a look that turns given scene light into given colours.

Damped Gauss-Newton steps on the exact look: steps in CIELAB weighted as ΔE2000 weighs them, softened so that a few odd
colours have no say, with a weak pull towards the start so that hues without colours stay where they are.
Sources: [Levenberg1944] damping; the loss is the pseudo-Huber one of [Charbonnier1997].
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..light import oetf
from ..types import F64
from . import colour
from .curve import tone_curve
from .difference import lab
from .spec import HUE_STEP_DEG, Chroma, Hue, Look, LookError, Primaries, Tint, Tone, fields

ANGLES = tuple(range(0, 360, HUE_STEP_DEG))
_SOFT = 2.0  # ΔE from which a colour's pull grows no more
_PULL = 0.02  # of the start, for a number that has moved by a quarter of its range
_ROUNDS = 25
_ENOUGH = 3e-3  # part of the loss: less gained in a round, and the search ends
_STEP = 1e-3  # of a quarter of a number's range, for slopes
_FIELDS: dict[str, tuple[str, ...]] = {
    "tone": ("mid_ev", "slope", "slope_dim", "slope_shadow", "slope_deep", "slope_light", "white_ev", "white", "dmin"),
    "primaries": ("inset", "outset"),
    "chroma": ("scale", "shadows", "highlights", "density"),
    "tint": ("shadow_a", "shadow_b", "highlight_a", "highlight_b"),
}
_KINDS: dict[str, type[Any]] = {"tone": Tone, "primaries": Primaries, "chroma": Chroma, "tint": Tint}
# Slopes that a file may leave to their neighbours are free here, and begin about where the neighbours put them.
_FREE = {"slope_dim": {"default": 1.33, "lo": 0.3}, "slope_light": {"default": 1.0, "lo": 0.1}}
_NODE = ("turn_deg", "sat_log2", "density")
_TABLES = sum(map(len, _FIELDS.values()))  # numbers that stand in tables; those of the hue nodes follow


def _ranges() -> tuple[F64, F64, F64]:
    """Start, least and most of every number, in the order of `_look`."""
    known = [fields(_KINDS[t])[k] | _FREE.get(k, {}) for t, keys in _FIELDS.items() for k in keys]
    known += [fields(Hue)[k] for _ in ANGLES for k in _NODE]
    start, low, high = (np.array([k[which] for k in known], np.float64) for which in ("default", "lo", "hi"))
    return start, low, high


def _look(values: F64, name: str) -> Look:
    rest = [float(v) for v in values]
    tables = {}
    for table, keys in _FIELDS.items():
        tables[table] = _KINDS[table](**dict(zip(keys, rest, strict=False)))
        rest = rest[len(keys) :]
    hues = tuple(Hue(float(at), *rest[3 * i : 3 * i + 3]) for i, at in enumerate(ANGLES))
    return Look(name, f"{name.capitalize()}: fitted", hue=hues, **tables)


@functools.lru_cache(4)
def _curve(tone: Tone) -> tuple[F64, F64]:
    """log2 of scene and display light."""
    x, y = tone_curve(Look("fitted", "", tone=tone))
    return np.log2(x), np.log2(np.maximum(y, 1e-9))


def _toned(look: Look, scene: F64) -> F64:
    x, y = _curve(look.tone)
    rendering = np.maximum(scene @ colour.into_rendering(look).T, 2.0 ** x[0])
    return np.asarray(np.exp2(np.interp(np.log2(rendering), x, y)), np.float64)


def render(look: Look, scene: F64) -> F64:
    """Encoded sRGB (n, 3) of scene light (n, 3) in the look as written."""
    inside = colour.near_gamut(colour.moves(look, scene, _toned(look, scene), "srgb"), "srgb", 1.0)
    return np.asarray(oetf(np.clip(inside, 0.0, 1.0)), np.float64)


class Search:
    """The search for the look that shows `scene` (n, 3), Rec.2020, as the encoded sRGB colours `wanted` (n, 3)."""

    def __init__(self, scene: F64, wanted: F64, name: str) -> None:
        self._scene, self._wanted, self._name = scene, lab(wanted), name
        self._seen = _seen(self._wanted)
        self._start, self._low, self._high = _ranges()
        self._scale = (self._high - self._low) / 4.0

    def _away(self, values: F64) -> F64:
        """(3n,): how far each colour is from what is wanted, along lightness, chroma and hue."""
        apart = lab(render(_look(values, self._name), self._scene)) - self._wanted
        return np.asarray(np.einsum("nij,nj->ni", self._seen, apart).ravel(), np.float64)

    def _cost(self, values: F64, away: F64) -> float:
        pull = _PULL * (values - self._start) / self._scale
        return float(np.sum(np.sqrt(1 + (away / _SOFT) ** 2) - 1) / len(self._scene) + np.sum(pull**2))

    def run(self) -> Look:
        """The look that was found."""
        values, damping = self._start.copy(), 1e-2
        away = self._away(values)
        best = self._cost(values, away)
        for _ in range(_ROUNDS):
            slopes = self._slopes(values, away)
            soft = 1.0 / np.sqrt(1 + (away / _SOFT) ** 2) / _SOFT**2 / len(self._scene)
            square = slopes.T @ (slopes * soft[:, None]) + 2 * _PULL**2 * np.eye(len(values))
            side = slopes.T @ (soft * away) + 2 * _PULL**2 * (values - self._start) / self._scale
            before = best
            for _ in range(6):
                move = np.linalg.solve(square + damping * np.diag(np.diag(square)), side)
                tried = np.clip(values - move * self._scale, self._low, self._high)
                try:
                    new = self._away(tried)
                except LookError:  # a tone that cannot be met
                    damping *= 5
                    continue
                if (then := self._cost(tried, new)) < best:
                    values, away, best, damping = tried, new, then, damping / 4
                    break
                damping *= 5
            if before - best < _ENOUGH * best:
                break
        return _look(values, self._name)

    def _slopes(self, values: F64, away: F64) -> F64:
        """(3n, numbers) per `_scale` of each number.

        A node of hue moves a colour by its share in the colour's hue of what all nodes together would move it by.
        """
        columns = [self._slope(values, away, [i]) for i in range(_TABLES)]
        look = _look(values, self._name)
        hue = colour.outset(look, _toned(look, self._scene), "srgb")[2]
        share = np.repeat(colour.share(hue, np.array(ANGLES, np.float64)), 3, axis=0)
        together = [self._slope(values, away, range(_TABLES + k, len(values), len(_NODE))) for k in range(len(_NODE))]
        columns += [share[:, i] * column for i in range(len(ANGLES)) for column in together]
        return np.stack(columns, axis=1)

    def _slope(self, values: F64, away: F64, which: Any) -> F64:
        """Change per `_scale` of some numbers moved together: forwards, or backwards where that cannot be."""
        for way in (_STEP, -_STEP):
            moved = values.copy()
            moved[which] += way * self._scale[which]
            try:
                return np.asarray((self._away(moved) - away) / way, np.float64)
            except LookError:
                continue
        return np.zeros_like(away)


def _seen(lab: F64) -> F64:
    """(n, 3, 3): CIELAB steps away from these colours (n, 3) → steps whose length is ΔE2000, nearly."""
    lightness, a, b = lab.T
    chroma = np.hypot(a, b)
    grey = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))  # near grey a counts more
    hue = np.arctan2(b, a * grey)
    chroma = np.hypot(a * grey, b)
    away = np.square(lightness - 50.0)
    sizes = np.stack([1 + 0.015 * away / np.sqrt(20 + away), 1 + 0.045 * chroma, 1 + 0.015 * chroma])
    turn = np.zeros((len(lab), 3, 3))
    turn[:, 0, 0] = 1.0
    turn[:, 1:, 1:] = np.moveaxis(np.array([[np.cos(hue), np.sin(hue)], [-np.sin(hue), np.cos(hue)]]), -1, 0)
    turn[:, :, 1] *= grey[:, None]
    return np.asarray(turn / sizes.T[..., None], np.float64)
