"""The metadata that rpicam-still leaves beside a DNG (`--metadata IMG.json`): what the DNG lacks or rounds.

Keys are controls of libcamera: ColourGains [red, blue], ColourCorrectionMatrix (9, balanced camera → linear sRGB),
SensorBlackLevels (4, R Gr Gb B, on a scale of 16 bits), ExposureTime (µs), AnalogueGain. What was taken is told in
`frame.facts["metadata beside it"]`. Source: [libcamera2026] control definitions.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import numpy as np

from ..light import rgb_to_xyz
from ..types import BAYER, F64, Calibration, Frame

_D65 = 21
_MAX_BYTES = 1 << 20
_KNOWN = ("ColourGains", "SensorBlackLevels", "ExposureTime", "AnalogueGain", "ColourCorrectionMatrix")
_ABSURD = 1e9
_ROUNDED_DN = 1.0  # a black level that differs by more was not rounded but meant


def supplement(frame: Frame, path: pathlib.Path) -> None:
    """Fill in `frame` from the JSON beside `path`; nothing happens where there is none or it is something else."""
    said = _read(path.with_suffix(".json"))
    if not any(key in said for key in _KNOWN):
        return
    taken = [name for name, take in (("black", _black), ("white", _neutral), ("matrix", _matrix), ("exposure", _time))
             if take(frame, said)]  # fmt: skip
    frame.facts["metadata beside it"] = ", ".join(taken) or "nothing that was missing"


def _read(path: pathlib.Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            return {}
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _numbers(said: dict[str, Any], key: str, count: int) -> F64 | None:
    """`count` numbers that can be meant, or None."""
    values = said.get(key)
    values = values if isinstance(values, list) else [values]
    if len(values) != count or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return None
    return np.array(values, np.float64) if all(abs(v) < _ABSURD for v in values) else None


def _black(frame: Frame, said: dict[str, Any]) -> bool:
    """Black levels that the DNG has rounded, or has not."""
    levels = _numbers(said, "SensorBlackLevels", 4)
    if levels is None or frame.cfa not in BAYER or len(frame.white) != 1:
        return False
    red, green_red, green_blue, blue = levels * (frame.white[0] + 1) / 65536
    of = {"R": red, "B": blue}
    found = np.empty((2, 2, 1), np.float32)
    for i, colour in enumerate(frame.cfa):
        row = frame.cfa[i // 2 * 2 : i // 2 * 2 + 2]
        found[i // 2, i % 2, 0] = of.get(colour, green_red if "R" in row else green_blue)
    off = np.abs(np.broadcast_to(frame.black, np.broadcast_shapes(frame.black.shape, (2, 2, 1))) - found.mean())
    if not 0 <= found.min() <= found.max() < frame.white[0] or not (off.max() <= _ROUNDED_DN or not frame.black.any()):
        return False
    frame.black = found
    return True


def _neutral(frame: Frame, said: dict[str, Any]) -> bool:
    gains = _numbers(said, "ColourGains", 2)
    known = frame.colour.as_shot_neutral is not None or frame.colour.as_shot_xy is not None
    if gains is None or known or gains.min() <= 0:
        return False
    frame.colour = dataclasses.replace(frame.colour, as_shot_neutral=(1 / float(gains[0]), 1.0, 1 / float(gains[1])))
    return True


def _matrix(frame: Frame, said: dict[str, Any]) -> bool:
    """XYZ → camera from the correction of this shot, where the DNG has no matrix. Its white is D65 by construction."""
    correction, gains = _numbers(said, "ColourCorrectionMatrix", 9), _numbers(said, "ColourGains", 2)
    if correction is None or gains is None or gains.min() <= 0 or frame.colour.calibrations:
        return False
    to_xyz = rgb_to_xyz("srgb") @ correction.reshape(3, 3) @ np.diag([gains[0], 1.0, gains[1]])
    if not np.linalg.cond(to_xyz) < 1e4:
        return False
    matrix: F64 = np.asarray(np.linalg.inv(to_xyz), np.float64)
    frame.colour = dataclasses.replace(frame.colour, calibrations=(Calibration(_D65, matrix),))
    return True


def _time(frame: Frame, said: dict[str, Any]) -> bool:
    time_us, gain = _numbers(said, "ExposureTime", 1), _numbers(said, "AnalogueGain", 1)
    changes: dict[str, Any] = {}
    if time_us is not None and time_us[0] > 0:  # the DNG of picamera2 cuts 1/t to a whole number
        changes["time_s"] = float(time_us[0]) * 1e-6
    if gain is not None and gain[0] > 0 and frame.exposure.iso is None:
        changes["iso"] = 100 * float(gain[0])
    frame.exposure = dataclasses.replace(frame.exposure, **changes)
    return bool(changes)
