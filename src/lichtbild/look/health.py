"""Is a look fit to be used? A curve that never falls, a neutral axis, colours that do not fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import F64
from .tables import LookTables, apply_moves, display, evaluate, opponents


@dataclass(frozen=True)
class Health:
    """What `lint` found; `problems` is empty for a healthy look."""

    falls: float  # how far the curve drops below an earlier value, in encoded units
    grey: float  # largest difference between channels for a grey
    folds: float  # part of the gamut's interior where the order of colours is turned around
    problems: tuple[str, ...]


def lint(tables: LookTables) -> Health:
    """Check compiled tables for the faults that show in pictures."""
    x = np.concatenate([[0.0], np.geomspace(1e-6, float(tables.curve[-2]) * 1.2, 4000)])
    codes = evaluate(tables.curve, x)
    falls = float(np.max(np.maximum.accumulate(codes) - codes))
    greys = display(tables, np.repeat(x[:, None], 3, axis=1))
    grey = float(np.ptp(greys, axis=1).max())
    folds = _folds(tables)
    found = {
        "the curve falls": falls > 0.25 / 255,
        "greys are coloured": grey > 1e-4,
        "colours fold": folds > 0.0,
        "numbers are not finite": not (np.isfinite(greys).all() and np.isfinite(tables.moves).all()),
    }
    return Health(falls, grey, folds, tuple(text for text, bad in found.items() if bad))


def _folds(tables: LookTables) -> float:
    """Share of encoded rendering colours where the determinant of the mapping's Jacobian is not positive."""
    axis = np.linspace(0.04, 0.96, 18)
    rgb = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    # Near the corners of the cube no scene light arrives: the inset keeps the rendering inside.
    lightness, a, b = opponents(rgb)
    rgb = rgb[np.hypot(a, b) < 0.8 * np.minimum(lightness, 1.0)]
    columns: list[F64] = []
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-4
        columns.append((apply_moves(tables, rgb + step) - apply_moves(tables, rgb - step)) / 2e-4)
    determinant = np.linalg.det(np.stack(columns, axis=-1))
    return float(np.mean(determinant <= 0))
