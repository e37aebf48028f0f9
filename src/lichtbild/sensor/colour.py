"""How a sensor sees colour: from its quantum efficiency to matrices, and from spectra to electrons.

For illuminants A and D65, ForwardMatrix is fitted to surfaces: their electrons → their colours under D50. Rec.2020
light has no spectrum, so its electrons follow from the inverse of that, mixed for its white by the inverse of colour
temperature as a DNG reader mixes. So a reader that knows the white undoes exactly what was done, and a chart made of
spectra leaves the errors that it leaves in a real camera. Source: [DNG1.7.1] chapter 6.
"""

from __future__ import annotations

import math

import numpy as np

from .. import spectra
from ..light import WHITE_D50, WHITE_D65, Xy, adapt, rgb_to_xyz
from ..light import xy as chromaticity
from ..light import xyz as white_xyz
from ..types import F64, Calibration, CameraColour, Exposure
from .types import Sensor, SensorError

_LIGHTS = {17: spectra.planck(2855.5), 21: spectra.daylight(6504.0)}  # EXIF LightSource: A and D65
_DIGITS = 7  # of matrices: what linear algebra libraries differ in comes after


def electrons(sensor: Sensor, light: F64) -> F64:
    """(…, planes): electrons per pixel and lux·s of light with spectra of the shape of `light` (…, 81)."""
    return np.asarray(spectra.photons(light) @ sensor.efficiency.T * sensor.pitch_um**2, np.float64)


def reflected(sensor: Sensor, reflectance: F64, light: F64) -> F64:
    """(…, planes): electrons per pixel from surfaces (…, 81), where a white one gives one lux·s of `light` (81,)."""
    return np.asarray(reflectance * spectra.photons(light) @ sensor.efficiency.T * sensor.pitch_um**2, np.float64)


def _through_white(source: F64, target: F64, white_in: F64, white_out: F64) -> F64:
    """(3, n): the matrix that takes white_in exactly to white_out and source (m, 3) nearly to target (m, n)."""
    # Least squares on what is orthogonal to white, white itself being given.
    plain = np.linalg.lstsq(source, target, rcond=None)[0].T
    covariance = np.linalg.inv(source.T @ source)
    missing = white_out - plain @ white_in
    return np.asarray(plain + np.outer(missing, covariance @ white_in) / (white_in @ covariance @ white_in), np.float64)


def _round(matrix: F64) -> F64:
    digits = _DIGITS - 1 - math.floor(math.log10(np.abs(matrix).max()))
    return np.asarray(np.round(matrix, digits), np.float64)


def _forward(sensor: Sensor, light: F64) -> F64:
    """(3, 3): white-balanced camera light → XYZ of the same surfaces under D50, as DNG wants it. White is exact."""
    surfaces = spectra.reflectances()
    d50 = spectra.daylight(5003.0)
    balanced = reflected(sensor, surfaces, light) / electrons(sensor, light)
    # The colours of D50 with the chromaticity that DNG gives to it.
    seen = spectra.xyz(surfaces * d50, d50) * (white_xyz(WHITE_D50) / spectra.xyz(d50, d50))
    return _through_white(balanced, seen, np.ones(3), white_xyz(WHITE_D50))


def _brightness(sensor: Sensor, light: F64) -> F64:
    """(1, 3): XYZ in lux·s → electrons of a monochrome sensor, for surfaces under `light`. White is exact."""
    surfaces = spectra.reflectances()
    seen, white = spectra.xyz(surfaces * light, light), spectra.xyz(light, light)
    return _through_white(seen, reflected(sensor, surfaces, light), white, electrons(sensor, light))


def _fit(sensor: Sensor) -> dict[int, F64]:
    """Per light the matrix that is fitted: `_forward`, or `_brightness` of a monochrome sensor."""
    key = (sensor.efficiency.tobytes(), sensor.pitch_um)
    if key not in _FITS:
        fit = _forward if sensor.planes == 3 else _brightness
        _FITS[key] = {code: _round(fit(sensor, light)) for code, light in _LIGHTS.items()}
    return _FITS[key]


_FITS: dict[tuple[bytes, float], dict[int, F64]] = {}  # 10 ms each


def from_xyz(sensor: Sensor, white: Xy = WHITE_D65) -> F64:
    """(planes, 3): XYZ in lux·s → electrons per pixel in a place whose white is `white`."""
    ends = [1 / spectra.cct(chromaticity(spectra.xyz(light))) for light in _LIGHTS.values()]
    warm = min(max((1 / spectra.cct(white) - ends[1]) / (ends[0] - ends[1]), 0.0), 1.0)

    def mix(values: list[F64]) -> F64:
        return np.asarray(warm * values[0] + (1 - warm) * values[1], np.float64)

    fitted = mix([_fit(sensor)[code] for code in _LIGHTS])
    if sensor.planes == 1:
        return _round(fitted)
    answer = mix([_color_matrix(sensor, code) for code in _LIGHTS]) @ white_xyz(white)
    return _round(_undone(fitted, answer, white))


def _undone(forward: F64, answer: F64, white: Xy) -> F64:
    """(3, 3): XYZ → electrons that a reader takes back by `forward`, with `answer` (3,) electrons of the white."""
    return np.asarray(answer[:, None] * np.linalg.solve(forward, adapt(white, WHITE_D50)), np.float64)


def _color_matrix(sensor: Sensor, code: int) -> F64:
    """(3, 3): XYZ in lux·s → electrons under the light `code`."""
    light = _LIGHTS[code]
    white = chromaticity(spectra.xyz(light))
    return _undone(_fit(sensor)[code], electrons(sensor, light), white)


def matrix(sensor: Sensor, white: Xy = WHITE_D65) -> F64:
    """(planes, 3): Rec.2020 in lux·s → electrons per pixel in a place whose white is `white`."""
    return _round(from_xyz(sensor, white) @ rgb_to_xyz("rec2020"))


def neutral(sensor: Sensor, white: Xy = WHITE_D65) -> tuple[float, float, float]:
    """Camera light of a neutral under `white`, the largest channel 1: AsShotNeutral. Raises SensorError for MONO."""
    answer = from_xyz(sensor, white) @ white_xyz(white)
    if answer.shape != (3,):
        raise SensorError(f"sensor {sensor.name}: a monochrome sensor has no white balance")
    r, g, b = (float(v) for v in answer / answer.max())
    return r, g, b


def camera_colour(sensor: Sensor, white: Xy = WHITE_D65) -> CameraColour:
    """Matrices for illuminants A and D65, and the neutral under `white`; empty for a monochrome sensor."""
    if sensor.planes == 1:
        return CameraColour()
    green = from_xyz(sensor)[1] @ white_xyz(WHITE_D65)  # so that the green of a white is about 1
    calibrations = tuple(
        Calibration(code, _round(_color_matrix(sensor, code) / green), _fit(sensor)[code]) for code in _LIGHTS
    )
    return CameraColour(calibrations, as_shot_neutral=neutral(sensor, white))


def iso_speed(sensor: Sensor) -> float:
    """Saturation-based speed at base ISO: 78 over the lux·s that saturate green under D65. [ISO12232]"""
    most = float((from_xyz(sensor) @ white_xyz(WHITE_D65)).max())
    return 78.0 / (sensor.saturation_e(sensor.base_iso) / most)


def lux_s(exposure: Exposure) -> float:
    """lux·s on the sensor per cd/m² of the scene, through a lens without loss: π/4·t/N². Raises SensorError."""
    if not (exposure.time_s and exposure.time_s > 0 and exposure.aperture and exposure.aperture > 0):
        raise SensorError(
            f"exposure: expected a time and an aperture above 0, got {exposure.time_s}, {exposure.aperture}"
        )
    return math.pi / 4 * exposure.time_s / exposure.aperture**2
