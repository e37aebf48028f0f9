"""The DNG colour model of one camera: which calibrations hold, how they mix under a light, neutral ↔ chromaticity.

Nothing a file says is believed unchecked: a matrix that is not finite, singular, or that gives a neutral no camera has
is left out by a stated rule, and the rule is reported. A camera without any usable matrix gets a generic sensor.
Source: [DNG1.7.1] chapter 6.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..light import WHITE_D50, WHITE_D65, Xy, xy, xyz
from ..types import F32, F64, Calibration, CameraColour, HueSatMap
from . import _illuminant

# Our least-squares fit of XYZ → camera to 52 measured cameras ([RawToACES] sensitivities and its 190 reflectances,
# white held, green of a neutral = 1), averaged: under standard light A and under D65.
GENERIC = CameraColour(
    calibrations=(
        Calibration(17, np.array([(0.8977, -0.2225, -0.0407), (-0.5439, 1.4604, 0.3854), (-0.103, 0.2172, 0.8501)])),
        Calibration(21, np.array([(0.6129, -0.0889, -0.0656), (-0.5164, 1.2277, 0.2417), (-0.1669, 0.2634, 0.5969)])),
    )
)
_GENERIC = list(GENERIC.calibrations)
MAX_RATIO = 16.0  # between the channels of a neutral; the strongest real one (blue under candles) stays below 10
_MAX_CONDITION = 200.0


def good_neutral(neutral: F64) -> bool:
    """Whether (3,) can be the camera's answer to a neutral: finite, positive, channels within MAX_RATIO."""
    return bool(np.all(np.isfinite(neutral)) and np.all(neutral > 0) and neutral.max() <= MAX_RATIO * neutral.min())


def good_matrix(matrix: F64 | None) -> bool:
    """Whether a (3, 3) is finite and far from singular."""
    if matrix is None or np.shape(matrix) != (3, 3) or not np.all(np.isfinite(matrix)):
        return False
    return bool(np.abs(matrix).max() < 1e3 and np.linalg.cond(matrix) < _MAX_CONDITION)


@dataclass(frozen=True)
class Mix:
    """The calibrations of a camera mixed for one light; `forward` None where any of them has none."""

    color: F64
    calibration: F64
    forward: F64 | None


@dataclass(frozen=True)
class Camera:
    """A checked CameraColour: one to three calibrations with the temperature and chromaticity of their lights.

    `known`: the calibrations are this camera's own, not the generic sensor's.
    """

    calibrations: tuple[Calibration, ...]
    lights: tuple[tuple[float, Xy], ...]
    analog_balance: F64
    guesses: tuple[str, ...]
    known: bool = True

    def weights(self, white: Xy, cct_k: float | None = None) -> F64:
        """Parts of the calibrations under a light of chromaticity `white`, of `cct_k` where that is known; sum 1.

        Two: linear in 1/K and held at the ends. Three: inverse squared distance in (tint, 1/K), sharpened.
        """
        if len(self.lights) == 1:
            return np.ones(1)
        if len(self.lights) == 2:
            cct = cct_k or _illuminant.xy_to_cct(white)[0]
            first, second = (1 / t for t, _ in self.lights)
            part = float(np.clip((1 / cct - second) / (first - second), 0.0, 1.0))
            return np.array([part, 1.0 - part])
        places = np.array([_place(light) for _, light in self.lights])
        near = 1.0 / (((places - _place(white)) ** 2).sum(1) + 1e-8)
        near /= near.sum()
        sharp = np.clip((near * near * (3 - 2 * near) - 0.02) / 0.98, 0, 1)
        return np.asarray(sharp / sharp.sum(), np.float64)

    def mix(self, white: Xy, cct_k: float | None = None) -> Mix:
        """The matrices for a light as for `weights`."""
        parts = self.weights(white, cct_k)

        def blend(matrices: list[F64]) -> F64:
            return np.asarray(sum(p * m for p, m in zip(parts, matrices, strict=True)), np.float64)

        forward = [c.forward_matrix for c in self.calibrations]
        known = [m for m in forward if m is not None]
        unit = np.eye(3)
        return Mix(
            blend([c.color_matrix for c in self.calibrations]),
            blend([unit if c.camera_calibration is None else c.camera_calibration for c in self.calibrations]),
            blend(known) if len(known) == len(forward) else None,
        )

    def from_xyz(self, white: Xy, cct_k: float | None = None) -> F64:
        """(3, 3): XYZ → camera light (without white balance) under a light as for `weights`."""
        mixed = self.mix(white, cct_k)
        return np.asarray(np.diag(self.analog_balance) @ mixed.calibration @ mixed.color, np.float64)

    def neutral(self, white: Xy) -> F64:
        """(3,): the camera's answer to a neutral under `white`, largest channel 1. Not positive for absurd lights."""
        answer = self.from_xyz(white) @ xyz(white)
        return np.asarray(answer / np.abs(answer).max(), np.float64)

    def white(self, neutral: F64) -> Xy:
        """Chromaticity of the light under which the camera answers a neutral by `neutral` (3,).

        The matrices depend on the light, so this is a fixed point; two that alternate are averaged.
        """
        last = WHITE_D50
        for turn in range(30):
            found = np.linalg.solve(self.from_xyz(last), neutral)
            # A neutral that no light gives can leave the plane of colours: hold it inside.
            found = np.maximum(found, 1e-4 * np.abs(found).max())
            now = xy(found)
            if turn >= 28:
                now = ((now[0] + last[0]) / 2, (now[1] + last[1]) / 2)
            if abs(now[0] - last[0]) + abs(now[1] - last[1]) < 1e-9:
                break
            last = now
        return now


def _place(white: Xy) -> F64:
    cct, duv = _illuminant.xy_to_cct(white)
    # DNG counts tint as -3000·Duv, 200 steps of it like the whole range of temperatures from 1500 K to infinity.
    return np.array([-15.0 * duv, min(1500.0 / cct, 1.0)])


def read(colour: CameraColour) -> Camera:
    """Check `colour` and make a Camera of what holds; of the GENERIC sensor where nothing does."""
    guesses: list[str] = []
    kept: list[Calibration] = []
    for n, calibration in enumerate(colour.calibrations[:3], 1):
        checked = _check(calibration, n, guesses)
        if checked is not None:
            kept.append(checked)
    if not kept:
        why = "no usable colour matrix" if colour.calibrations else "no colour matrix"
        guesses.append(f"colour: {why}; used a generic sensor (mean of 52 measured cameras)")
        kept = _GENERIC
    known = kept is not _GENERIC
    kept, lights = _lit(kept, guesses)
    balance = np.asarray(colour.analog_balance, np.float64)
    if not good_neutral(balance):
        guesses.append("colour: AnalogBalance is absurd; used 1, 1, 1")
        balance = np.ones(3)
    return Camera(tuple(kept), tuple(lights), balance, tuple(guesses), known)


def _check(calibration: Calibration, n: int, guesses: list[str]) -> Calibration | None:
    light = _illuminant.of(calibration)
    white = light[1] if light else WHITE_D65
    if not good_matrix(calibration.color_matrix) or not good_neutral(calibration.color_matrix @ xyz(white)):
        guesses.append(f"colour: ColorMatrix{n} is singular or absurd; left out")
        return None
    changes: dict[str, Any] = {}
    if calibration.forward_matrix is not None:
        # The columns of a forward matrix sum to D50; the 2 % of rounding and of careless writers is taken out later.
        off = (
            np.abs(calibration.forward_matrix.sum(1) - xyz(WHITE_D50)).max()
            if good_matrix(calibration.forward_matrix)
            else np.inf
        )
        if not off < 0.1:
            guesses.append(f"colour: ForwardMatrix{n} does not map white to D50; used ColorMatrix{n} alone")
            changes["forward_matrix"] = None
    if calibration.camera_calibration is not None and not good_matrix(calibration.camera_calibration):
        guesses.append(f"colour: CameraCalibration{n} is singular or absurd; left out")
        changes["camera_calibration"] = None
    table = calibration.hue_sat_map
    if table is not None and not good_table(table):
        guesses.append(f"colour: ProfileHueSatMapData{n} is absurd; left out")
        changes["hue_sat_map"] = None
    return dataclasses.replace(calibration, **changes)


def _lit(kept: list[Calibration], guesses: list[str]) -> tuple[list[Calibration], list[tuple[float, Xy]]]:
    """Calibrations that can be mixed, and their lights: known, and apart from each other."""
    chosen: list[Calibration] = []
    lights: list[tuple[float, Xy]] = []
    for calibration in kept:
        light = _illuminant.of(calibration)
        if light is None and len(kept) > 1:
            continue
        light = light or (6504.0, WHITE_D65)
        if all(abs(light[0] - other[0]) > 1.0 for other in lights):
            chosen.append(calibration)
            lights.append(light)
    if not chosen:
        chosen, lights = kept[:1], [(6504.0, WHITE_D65)]
    if len(chosen) < len(kept):
        guesses.append(
            f"colour: {len(kept)} calibrations, {len(chosen)} of them with a known light of their own; used those"
        )
    return chosen, lights


def good_table(table: HueSatMap) -> bool:
    """Whether a hue/saturation table has its four axes, is finite, and scales within reason."""
    t: F32 = table.table
    if t.ndim != 4 or t.shape[3] != 3 or 0 in t.shape or not np.all(np.isfinite(t)):
        return False
    return bool(np.abs(t[..., 0]).max() <= 360 and t[..., 1:].min() >= 0 and t[..., 1:].max() <= 100)
