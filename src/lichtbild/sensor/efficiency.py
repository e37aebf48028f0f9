"""Quantum efficiency of a sensor's channels: bells with few numbers, or measured curves from a file beside it.

[colour]
red = [[0.52, 591, 9, 96]]          # bells: height, centre nm, width below, width above
window_nm = [410, 5, 652, 7]        # filter before the sensor: opens at, width, closes at, width
scale = [0.83, 1.0, 1.14]           # per channel

[colour]
curves = "measured.csv"             # rows of nm and one efficiency per channel; lines that begin otherwise are words
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import spectra
from ..stage import nearest
from ..types import F64
from .types import SensorError


def lobes(rows: list[list[float]]) -> F64:
    """(81,): a sum of bells [height, centre nm, width below nm, width above nm], each a Gaussian on either side."""
    height, centre, below, above = np.array(rows, np.float64).T[:, :, None]
    off = spectra.NM - centre
    return np.asarray((height * np.exp(-0.5 * (off / np.where(off < 0, below, above)) ** 2)).sum(0), np.float64)


def window(opens_nm: float, opening: float, closes_nm: float, closing: float) -> F64:
    """(81,): transmission of a filter whose edges are logistic, of the given widths in nm."""
    opened = 1 / (1 + np.exp(-(spectra.NM - opens_nm) / opening))
    return np.asarray(opened / (1 + np.exp((spectra.NM - closes_nm) / closing)), np.float64)


def read(path: pathlib.Path, table: Mapping[str, Any], cfa: str) -> F64:
    """(planes, 81): electrons per photon of the table [colour] of the file `path`. Raises SensorError."""
    planes = ("white",) if cfa == "MONO" else ("red", "green", "blue")
    known = (*planes, "curves", "window_nm", "scale")
    for key in table:
        if key not in known:
            raise SensorError(f"{path}: unknown key 'colour.{key}': {nearest(key, known)}")
    missing = [plane for plane in planes if plane not in table]
    if missing and "curves" not in table:
        raise SensorError(f"{path}: colour.{missing[0]} is missing: write its bells [height, nm, nm below, nm above]")
    try:
        if "curves" in table:
            curves = _measured(path.parent / str(table["curves"]), len(planes))
        else:
            curves = np.array([lobes(table[plane]) for plane in planes])
        curves = curves * window(*(float(e) for e in table.get("window_nm", (0, 1, 2000, 1))))
        curves *= np.array([float(s) for s in table.get("scale", [1.0] * len(planes))]).reshape(len(planes), 1)
    except (TypeError, ValueError, IndexError) as e:
        need = f"bells of four numbers, window_nm of four, scale of {len(planes)}"
        raise SensorError(f"{path}: colour: expected {need}: {e}") from None
    if not (np.isfinite(curves).all() and curves.min() >= 0 and curves.max() <= 1 and curves.max(1).min() > 0):
        raise SensorError(f"{path}: colour: expected efficiencies in 0..1, got {curves.min():.3g}..{curves.max():.3g}")
    return np.asarray(curves, np.float64)


def _measured(path: pathlib.Path, planes: int) -> F64:
    """(planes, 81): curves of a CSV file, straight between its wavelengths, nothing beyond them."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise SensorError(f"{path}: cannot be read as curves: {e}") from None
    numbers = [line.split(",") for line in lines if line[:1].isdigit()]
    try:
        rows = np.array([[float(v) for v in row] for row in numbers], np.float64)
    except ValueError as e:
        raise SensorError(f"{path}: expected rows of nm and {planes} efficiencies: {e}") from None
    if rows.ndim != 2 or rows.shape[1] != planes + 1 or not (np.diff(rows[:, 0]) > 0).all():
        raise SensorError(f"{path}: expected rows of rising nm and {planes} efficiencies")
    return np.array([np.interp(spectra.NM, rows[:, 0], row, 0.0, 0.0) for row in rows.T[1:]])
