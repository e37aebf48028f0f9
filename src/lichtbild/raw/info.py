"""All that a frame says about itself, as plain data for `lichtbild info`."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from ..types import Frame, HueSatMap


def describe(frame: Frame) -> dict[str, Any]:
    """A dictionary of plain numbers, texts and lists (JSON can write it; NaN and infinity become null)."""
    height, width = frame.shape
    top, left, high, wide = frame.crop or (0, 0, height, width)
    data = {
        "file": str(frame.path),
        "make": frame.make,
        "model": frame.model,
        **frame.facts,
        "size": [width, height],
        "crop": {"left": left, "top": top, "width": wide, "height": high},
        "orientation": frame.orientation,
        "cfa": frame.cfa,
        "black": frame.black,
        "black_varies_by": [n for n, v in (("row", frame.black_row), ("column", frame.black_column)) if v is not None],
        "white": frame.white,
        "exposure": dataclasses.asdict(frame.exposure),
        "baseline_exposure_ev": frame.baseline_exposure_ev,
        "colour": _colour(frame),
        "noise": None if frame.noise is None else dataclasses.asdict(frame.noise),
        "gain_maps": [
            {
                "area": [g.top, g.left, g.bottom, g.right],
                "pitch": [g.row_pitch, g.col_pitch],
                "plane": g.plane,
                "planes": g.planes,
                "samples": g.gains.shape,
                "gain": [float(g.gains.min()), float(g.gains.max())],
            }
            for g in frame.gain_maps
        ],
        "vignettes": [dataclasses.asdict(v) for v in frame.vignettes],
        "warps": [{"coefficients": w.coefficients, "centre": w.centre} for w in frame.warps],
        "bad_pixels": 0 if frame.bad_pixels is None else len(frame.bad_pixels),
        "exif_bytes": len(frame.exif),
        "xmp_bytes": len(frame.xmp),
        "guesses": list(frame.guesses),
    }
    plain: dict[str, Any] = _plain(data)
    return plain


def _colour(frame: Frame) -> dict[str, Any]:
    c = frame.colour
    return {
        "as_shot_neutral": c.as_shot_neutral,
        "as_shot_xy": c.as_shot_xy,
        "analog_balance": c.analog_balance,
        "look_table": _table(c.look_table),
        "calibrations": [
            {
                "illuminant": k.illuminant,
                "color_matrix": k.color_matrix,
                "forward_matrix": k.forward_matrix,
                "camera_calibration": k.camera_calibration,
                "hue_sat_map": _table(k.hue_sat_map),
                "white_xy": k.white_xy,
            }
            for k in c.calibrations
        ],
    }


def _table(table: HueSatMap | None) -> dict[str, Any] | None:
    return None if table is None else {"size": table.table.shape[:3], "srgb_value": table.srgb_value}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
