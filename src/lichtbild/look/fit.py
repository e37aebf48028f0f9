"""Fit: a look that does what a table or pairs of pictures do, in the numbers of a look's file.

The 52 numbers of tone, primaries, chroma, tint and twelve hue nodes are found by damped Gauss-Newton steps on the exact
look: differences in Oklab (lightness once, a and b twice), softened so that a few odd pixels have no say, with a
weak pull towards the start so that hues without colours stay where they are.
Sources: [Levenberg1944] damping; the loss is the pseudo-Huber one of [Charbonnier1997].
"""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any, NamedTuple

import numpy as np

from .. import light
from ..types import F64
from . import colour, lut
from .curve import eotf, oetf, tone_curve
from .difference import delta_e, lab
from .lint import nature
from .spec import HUE_STEP_DEG, TABLES, Chroma, Hue, Look, LookError, Primaries, Tint, Tone, fields, load
from .tables import compile, display

MOST_COLOURS = 1500
_SOFT = 0.02  # Oklab difference from which a colour's pull grows no more
_PULL = 0.02  # of the start, for a parameter that has moved by a quarter of its range
_ROUNDS = 25
_FIELDS: dict[str, tuple[str, ...]] = {
    "tone": ("mid_ev", "slope", "slope_shadow", "slope_deep", "white_ev", "dmin"),
    "primaries": ("inset", "outset"),
    "chroma": ("scale", "shadows", "highlights", "density"),
    "tint": ("shadow_a", "shadow_b", "highlight_a", "highlight_b"),
}
_NODE = ("turn_deg", "sat_log2", "density")
_KINDS: dict[str, type[Any]] = {"tone": Tone, "primaries": Primaries, "chroma": Chroma, "tint": Tint}


class Fitted(NamedTuple):
    """A look, what remains between it and the wanted pictures in ΔE2000, and the hue nodes that had no colours."""

    look: Look
    mean: float
    p95: float
    blind_deg: tuple[int, ...]


def of_table(path: pathlib.Path, name: str) -> Fitted:
    """The look that does what a .cube or HaldCLUT does to pictures in `neutral`."""
    table = lut.read(path)
    before = np.concatenate(
        [display(compile(load("neutral")), nature(1200)), np.repeat(np.linspace(0, 1, 60)[:, None], 3, 1)]
    )
    return of_colours(before, np.clip(lut.twin(before, table), 0.0, 1.0), name)


def of_colours(before: F64, after: F64, name: str) -> Fitted:
    """The look that turns encoded sRGB colours `before` (n, 3), in the look `neutral`, into `after` (n, 3)."""
    if len(before) != len(after) or len(before) < 30:
        raise LookError(f"look fit: expected at least 30 pairs of colours, got {len(before)} and {len(after)}")
    step = max(1, len(before) // MOST_COLOURS)
    before, after = before[::step], after[::step]
    scene = _scene(before)
    wanted = colour.to_oklab(eotf(after), "srgb")
    hue, relative = colour.relative(scene)
    there = [np.sum((relative > 0.03) & (np.abs((hue - at + 180) % 360 - 180) < HUE_STEP_DEG)) for at in _ANGLES]
    found = _search(scene, wanted, name)
    error = delta_e(lab(oetf(_render(found, scene))), lab(after))
    blind = tuple(at for at, n in zip(_ANGLES, there, strict=True) if n < 3)
    return Fitted(found, float(error.mean()), float(np.percentile(error, 95)), blind)


_ANGLES = tuple(range(0, 360, HUE_STEP_DEG))


def _scene(before: F64) -> F64:
    """Scene light (n, 3) that `neutral` shows as these encoded values."""
    plain = load("neutral")
    x, y = tone_curve(plain)
    shown = eotf(before) @ (colour.mix(plain.primaries.outset) @ light.convert("srgb", "rec2020")).T
    back = np.linalg.inv(colour.mix(plain.primaries.inset))
    return np.asarray(np.maximum(np.interp(shown, y, x) @ back.T, 1e-6), np.float64)


def _render(look: Look, scene: F64) -> F64:
    """Display light of the look as written, inside sRGB."""
    x, y = tone_curve(look)
    rendering = np.maximum(scene @ colour.into_rendering(look).T, x[0])
    toned = np.exp2(np.interp(np.log2(rendering), np.log2(x), np.log2(np.maximum(y, 1e-9))))
    inside = colour.near_gamut(colour.moves(look, scene, toned, "srgb"), "srgb", 1.0)
    return np.asarray(np.clip(inside, 0.0, 1.0), np.float64)


def _ranges() -> tuple[F64, F64, F64]:
    """Start, least and most of every number, in the order of `_look`."""
    known = [fields(_KINDS[t])[k] for t, keys in _FIELDS.items() for k in keys]
    known += [fields(Hue)[k] for _ in _ANGLES for k in _NODE]
    return tuple(np.array([k[w] for k in known], np.float64) for w in ("default", "lo", "hi"))  # type: ignore[return-value]


def _look(values: F64, name: str) -> Look:
    rest = [float(v) for v in values]
    tables = {}
    for table, keys in _FIELDS.items():
        tables[table] = _KINDS[table](**dict(zip(keys, rest, strict=False)))
        rest = rest[len(keys) :]
    hues = tuple(Hue(float(at), *rest[3 * i : 3 * i + 3]) for i, at in enumerate(_ANGLES))
    return Look(name, f"{name.capitalize()}: fitted", hue=hues, **tables)


def _search(scene: F64, wanted: F64, name: str) -> Look:
    start, low, high = _ranges()
    scale = (high - low) / 4.0
    weight = np.array([1.0, 2.0, 2.0])

    def residual(values: F64) -> F64:
        apart = colour.to_oklab(_render(_look(values, name), scene), "srgb") - wanted
        return np.asarray((apart * weight).ravel(), np.float64)

    def cost(values: F64, r: F64) -> float:
        pull = _PULL * (values - start) / scale
        return float(np.sum(np.sqrt(1 + (r / _SOFT) ** 2) - 1) / len(scene) + np.sum(pull**2))

    values, damping = start.copy(), 1e-2
    r = residual(values)
    best = cost(values, r)
    for _ in range(_ROUNDS):
        slopes = _jacobian(residual, values, r, scale, high)
        soft = 1.0 / np.sqrt(1 + (r / _SOFT) ** 2) / _SOFT**2 / len(scene)
        square = slopes.T @ (slopes * soft[:, None]) + 2 * _PULL**2 * np.eye(len(values))
        side = slopes.T @ (soft * r) + 2 * _PULL**2 * (values - start) / scale
        gained = 0.0
        for _ in range(6):
            move = np.linalg.solve(square + damping * np.diag(np.diag(square)), side)
            tried = np.clip(values - move * scale, low, high)
            try:
                new = residual(tried)
                then = cost(tried, new)
            except LookError:  # a tone that cannot be met
                then = np.inf
            if then < best:
                values, r, gained, best, damping = tried, new, best - then, then, damping / 4
                break
            damping *= 5
        if gained < 1e-4 * best:
            break
    return _look(values, name)


def _jacobian(residual: Any, values: F64, r: F64, scale: F64, high: F64) -> F64:
    """Differences (m, n) per `scale` of each number; forwards, or backwards at the end of its range."""
    columns = []
    for i in range(len(values)):
        step = 1e-3 * scale[i] * (-1.0 if values[i] + 1e-3 * scale[i] > high[i] else 1.0)
        for way in (step, -step):
            moved = values.copy()
            moved[i] += way
            try:
                columns.append((residual(moved) - r) / (way / scale[i]))
                break
            except LookError:
                continue
        else:
            columns.append(np.zeros_like(r))
    return np.stack(columns, axis=1)


def to_toml(look: Look) -> str:
    """The file of a look; what has its default is left out."""
    lines = [f'name = "{look.name}"', f'title = "{look.title}"']
    for table, kind in TABLES.items():
        part, known = getattr(look, table), fields(kind)
        said = {k: v for k, v in dataclasses.asdict(part).items() if _rounded(v) != known[k]["default"]}
        if said:
            lines += ["", f"[{table}]", *(f"{k} = {_written(v)}" for k, v in said.items())]
    for node in look.hue:
        moved = {k: v for k, v in dataclasses.asdict(node).items() if k != "at_deg" and _rounded(v)}
        if moved:
            lines += ["", "[[hue]]", f"at_deg = {node.at_deg:g}", *(f"{k} = {_written(v)}" for k, v in moved.items())]
    return "\n".join([*lines, ""])


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _written(value: Any) -> str:
    return repr(_rounded(value)) if isinstance(value, float) else f'"{value}"'
