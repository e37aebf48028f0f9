"""Fit: a look that does what a table or pairs of pictures do, in the numbers of a look's file.

Its 55 numbers are those of tone, primaries, chroma, tint and twelve hue nodes; look/search.py finds them.
"""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any, NamedTuple

import numpy as np

from .. import light
from ..light import eotf
from ..types import F64
from . import colour, lut, search
from .curve import tone_curve
from .difference import delta_e, lab
from .lint import nature
from .spec import HUE_STEP_DEG, TABLES, Look, LookError, fields, load
from .tables import compile, display

MOST_COLOURS = 1500


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
    scene = scene_of(before)
    hue, relative = colour.relative(scene)
    there = [np.sum((relative > 0.03) & (np.abs((hue - at + 180) % 360 - 180) < HUE_STEP_DEG)) for at in search.ANGLES]
    found = search.Search(scene, after, name).run()
    error = delta_e(lab(search.render(found, scene)), lab(after))
    blind = tuple(at for at, n in zip(search.ANGLES, there, strict=True) if n < 3)
    return Fitted(found, float(error.mean()), float(np.percentile(error, 95)), blind)


def scene_of(before: F64) -> F64:
    """Scene light (n, 3) that `neutral` shows as these encoded values."""
    plain = load("neutral")
    x, y = tone_curve(plain)
    shown = eotf(before) @ (colour.mix(plain.primaries.outset) @ light.convert("srgb", "rec2020")).T
    back = np.linalg.inv(colour.mix(plain.primaries.inset))
    return np.asarray(np.maximum(np.interp(shown, y, x) @ back.T, 1e-6), np.float64)


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
