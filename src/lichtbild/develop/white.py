"""White: which light becomes neutral.

In: what the file says of its white and of the camera, and the proxy (3, h, w) of camera light without white balance,
1.0 = saturation. Out: a White — gains for the camera's R, G, B, the smallest 1, so that nothing that was clipped
becomes less than white. `as_shot` takes AsShotNeutral or AsShotWhiteXY; 1, 1, 1 means that the camera did not say, and
`auto` steps in; `auto` estimates the light from the picture among those that exist (develop/_auto_white.py); `kelvin`
takes a temperature and a tint.
Source: [DNG1.7.1] chapter 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..light import Xy
from ..stage import Stage, param, stage
from ..types import F32, F64, CameraColour
from ..types import White as WhiteBalance
from . import _auto_white, _camera, _illuminant

_PLAUSIBLE_K, _PLAUSIBLE_DUV = (2000.0, 12000.0), 0.02  # lights outside are none


@stage("white", "which light becomes neutral")
class White(Stage):
    mode: str = param("as_shot", doc="where the white comes from", choices=("as_shot", "auto", "kelvin"))
    kelvin: float = param(5500.0, 2000.0, 12000.0, "K", "colour temperature of the light, for the mode kelvin")
    tint: float = param(0.0, -50.0, 50.0, "Duv/1000", "how green the light is, for the mode kelvin; warms to magenta")


def prepare(
    colour: CameraColour,
    proxy: F32 | None = None,
    values: Mapping[str, Any] | None = None,
    guesses: list[str] | None = None,
    luminance_cd_m2: float | None = None,
) -> WhiteBalance:
    """The white balance of a frame.

    `proxy` (3, h, w): camera light without white balance; None where there is no picture to estimate from.
    `luminance_cd_m2`: mean of the scene where it is known; in the dark other lights are probable than by day.
    `values`: the parameters of the stage. What had to be guessed is appended to `guesses`, one line each.
    """
    chosen = White(**dict(values or {}))
    said = [] if guesses is None else guesses
    camera = _camera.read(colour)
    if chosen.mode == "kelvin":
        return _of_light(camera, _illuminant.cct_to_xy(chosen.kelvin, chosen.tint / 1000), "kelvin", said)
    if chosen.mode == "as_shot":
        found = _as_shot(camera, colour, said)
        if found is not None:
            return found
    if not camera.known and proxy is not None:
        neutral = _auto_white.neutral(camera, proxy, luminance_cd_m2)
        if neutral is not None:
            return _of_neutral(neutral, _light(camera, neutral), "auto")
    estimate = None if proxy is None else _auto_white.estimate(camera, proxy, luminance_cd_m2)
    if estimate is None:
        said.append("white: the picture is too dark, too bright or too small to estimate its light; assumed daylight")
        return _of_light(camera, _illuminant.daylight_xy(5500), "assumed", said)
    return _of_light(camera, estimate, "auto", said)


def _as_shot(camera: _camera.Camera, colour: CameraColour, said: list[str]) -> WhiteBalance | None:
    if colour.as_shot_neutral is not None:
        neutral = np.asarray(colour.as_shot_neutral, np.float64)
        if not _camera.good_neutral(neutral):
            said.append(f"white: AsShotNeutral {_words(neutral)} is absurd; estimated from the picture")
        elif np.ptp(neutral) == 0:
            said.append("white: AsShotNeutral 1, 1, 1 means unknown; estimated from the picture")
        else:
            return _of_neutral(neutral, _light(camera, neutral), "as shot")
    elif colour.as_shot_xy is not None:
        x, y = colour.as_shot_xy
        if 0 < x < 1 and 0 < y < 1 and x + y <= 1 and _camera.good_neutral(camera.neutral((x, y))):
            return _of_neutral(camera.neutral((x, y)), (x, y), "as shot")
        said.append(f"white: AsShotWhiteXY {x:g}, {y:g} is absurd; estimated from the picture")
    else:
        said.append("white: the file does not say its white; estimated from the picture")
    return None


def _light(camera: _camera.Camera, neutral: F64) -> Xy:
    """The light in which the camera sees `neutral`; daylight where that of an unknown camera would be absurd."""
    xy = camera.white(neutral)
    if not camera.known:
        cct, duv = _illuminant.xy_to_cct(xy)
        if not (_PLAUSIBLE_K[0] < cct < _PLAUSIBLE_K[1] and abs(duv) < _PLAUSIBLE_DUV):
            return _illuminant.daylight_xy(5500)
    return xy


def _words(numbers: F64) -> str:
    return ", ".join(f"{n:g}" for n in numbers)


def _of_light(camera: _camera.Camera, xy: Xy, origin: str, said: list[str]) -> WhiteBalance:
    neutral = camera.neutral(xy)
    if not _camera.good_neutral(neutral):
        said.append("white: the camera's matrix gives no neutral for this light; the faintest channel is held")
        neutral = np.maximum(neutral, 1 / _camera.MAX_RATIO)
        neutral = np.where(np.isfinite(neutral), neutral, 1.0)
    return _of_neutral(neutral, xy, origin)


def _of_neutral(neutral: F64, xy: Xy, origin: str) -> WhiteBalance:
    gains = neutral.max() / neutral
    cct, duv = _illuminant.xy_to_cct(xy)
    return WhiteBalance((float(gains[0]), float(gains[1]), float(gains[2])), xy, cct, 1000 * duv, origin)


def apply(rgb: F32, white: WhiteBalance) -> F32:
    """Camera light (3, H, W) → white-balanced camera light. The pipeline fuses these gains into its first load."""
    return np.asarray(rgb * np.asarray(white.gains, np.float32)[:, None, None], np.float32)


def angle_deg(first: Any, second: Any) -> float:
    """Angle between two white balances seen as vectors (3,): the usual error of an estimated light, in degrees."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))
