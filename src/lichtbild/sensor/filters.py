"""Colour filter arrays and focus pixels as one small table that repeats over the sensor."""

from __future__ import annotations

import math

import numpy as np

from ..types import BAYER, U8
from .types import Sensor

RED, GREEN, BLUE, FOCUS = range(4)  # classes of pixels; the one class of a monochrome sensor is GREEN


def _grid(rows: str) -> U8:
    return np.array([["RGB".index(c) for c in row] for row in rows.split()], np.uint8)


def _patterns() -> dict[str, U8]:
    found: dict[str, U8] = {"MONO": np.full((1, 1), GREEN, np.uint8)}
    for name in BAYER:
        small = _grid(f"{name[:2]} {name[2:]}")
        found[name] = small
        for words, n in (("QUAD", 2), ("NONA", 3)):
            found[f"{words}-{name}"] = np.kron(small, np.ones((n, n), np.uint8))
    # Source: [Fujifilm2012]: every row and column holds all three colours.
    found["X-TRANS"] = _grid("GBGGRG RGRBGB GBGGRG GRGGBG BGBRGR GRGGBG")
    return found


PATTERNS: dict[str, U8] = _patterns()


def classes(sensor: Sensor, top: int = 0, left: int = 0) -> U8:
    """(rows, columns) of pixel classes that repeats over the sensor, beginning at its pixel (top, left)."""
    grid = PATTERNS[sensor.cfa]
    if sensor.pdaf is not None:
        size = [math.lcm(a, b) for a, b in zip(grid.shape, sensor.pdaf.period, strict=True)]
        grid = np.tile(grid, (size[0] // grid.shape[0], size[1] // grid.shape[1]))
        for row, column in sensor.pdaf.sites:
            grid[row :: sensor.pdaf.period[0], column :: sensor.pdaf.period[1]] = FOCUS
    return np.ascontiguousarray(np.roll(grid, (-top, -left), (0, 1)))
