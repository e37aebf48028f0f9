"""How a DNG says its camera sees colour. Source: [DNG1.7.1] chapters 4 and 6."""

from __future__ import annotations

import struct

import numpy as np

from ..light import rgb_to_xyz
from ..types import F64, Calibration, CameraColour, HueSatMap, Noise
from . import tags
from .tiff import Ifd

# Codes of EXIF LightSource; for two matrices without illuminants, the pair that nearly every camera file has.
_A, _D65, _OTHER = 17, 21, 255
_MAX_TABLE = 1 << 22
# Drivers without a calibration write the matrix of sRGB; no sensor has one like it.
_XYZ_TO_SRGB = np.linalg.inv(rgb_to_xyz("srgb"))
_PLACEHOLDER = 0.02


def colour(ifd: Ifd, guesses: list[str]) -> CameraColour:
    """The colour tags of the first directory; what is missing or not a number is None and told in `guesses`."""
    found = [c for i in range(3) if (c := _calibration(ifd, i, guesses)) is not None]
    if not found:
        guesses.append("no colour matrix: a generic sensor is assumed")
    balance = _triple(ifd, tags.ANALOG_BALANCE, guesses) or (1.0, 1.0, 1.0)
    neutral = _triple(ifd, tags.AS_SHOT_NEUTRAL, guesses)
    if neutral and max(neutral) == min(neutral):
        neutral = None
        guesses.append("AsShotNeutral is 1, 1, 1: taken as unknown")
    xy = ifd.numbers(tags.AS_SHOT_XY)
    white = (float(xy[0]), float(xy[1])) if xy is not None and len(xy) == 2 and _positive(xy) else None
    if neutral is None and white is None:
        guesses.append("the file does not say what was white")
    look = _table(ifd, tags.LOOK_DIMS, tags.LOOK_DATA, tags.LOOK_ENCODING, guesses)
    return CameraColour(tuple(found), balance, neutral, white, look)


def _positive(values: F64) -> bool:
    return bool(np.isfinite(values).all() and (values > 0).all())


def _triple(ifd: Ifd, tag: int, guesses: list[str]) -> tuple[float, float, float] | None:
    values = ifd.numbers(tag)
    if values is None:
        return None
    if len(values) >= 3 and _positive(values[:3]):
        return float(values[0]), float(values[1]), float(values[2])
    if len(values) == 1:  # a monochrome camera
        return None
    guesses.append(f"tag {tag} is not three positive numbers: taken as missing")
    return None


def _matrix(ifd: Ifd, tag: int, guesses: list[str]) -> F64 | None:
    values = ifd.numbers(tag)
    if values is None or len(values) == 3:  # three numbers: a monochrome camera
        return None
    if len(values) != 9 or not np.isfinite(values).all() or abs(np.linalg.det(values.reshape(3, 3))) < 1e-9:
        guesses.append(f"tag {tag} is not a usable 3x3 matrix: taken as missing")
        return None
    return values.reshape(3, 3)


def _calibration(ifd: Ifd, i: int, guesses: list[str]) -> Calibration | None:
    matrix = _matrix(ifd, tags.COLOUR_MATRIX[i], guesses)
    if matrix is None:
        return None
    if np.abs(matrix - _XYZ_TO_SRGB).max() < _PLACEHOLDER:
        guesses.append(f"ColorMatrix{i + 1} is that of sRGB, not of a camera: taken as missing")
        return None
    illuminant = ifd.integer(tags.ILLUMINANT[i], 0)
    if illuminant == 0:
        illuminant = _A if i == 0 and tags.COLOUR_MATRIX[1] in ifd else _D65
        guesses.append(f"the light of ColorMatrix{i + 1} is not named: taken as {'A' if illuminant == _A else 'D65'}")
    calibration = _matrix(ifd, tags.CAMERA_CALIBRATION[i], guesses)
    if ifd.text(tags.CAMERA_SIGNATURE) != ifd.text(tags.PROFILE_SIGNATURE):
        calibration = None  # made for another profile than the one in the file
    table = _table(ifd, tags.HUE_SAT_DIMS, tags.HUE_SAT_DATA[i], tags.HUE_SAT_ENCODING, guesses)
    xy = _illuminant_data(ifd, i, guesses) if illuminant == _OTHER else None
    forward = _matrix(ifd, tags.FORWARD_MATRIX[i], guesses)
    return Calibration(illuminant, matrix, forward, calibration, table, xy)


def _table(ifd: Ifd, dims_tag: int, data_tag: int, encoding: int, guesses: list[str]) -> HueSatMap | None:
    dims, values = ifd.integers(dims_tag), ifd.numbers(data_tag)
    if dims is None or values is None:
        return None
    hues, sats, vals = (*dims, 1)[:3] if len(dims) >= 2 else (0, 0, 0)
    size = hues * sats * vals * 3
    if min(hues, sats, vals) < 1 or not 0 < size <= _MAX_TABLE or len(values) != size or not np.isfinite(values).all():
        guesses.append(f"the hue-saturation table in tag {data_tag} is damaged: left out")
        return None
    # Saturation runs fastest, then hue, then value.
    table = values.astype(np.float32).reshape(vals, hues, sats, 3)
    return HueSatMap(table, ifd.integer(encoding, 0) == 1)


def _illuminant_data(ifd: Ifd, i: int, guesses: list[str]) -> tuple[float, float] | None:
    """Chromaticity of an illuminant that is described, not named: directly, or by its spectrum."""
    raw = ifd.raw(tags.ILLUMINANT_DATA[i]) or b""
    try:
        kind = struct.unpack_from(ifd.order + "H", raw)[0]
        if kind == 0:
            a, b, c, d = struct.unpack_from(ifd.order + "4I", raw, 2)
            x, y = a / b, c / d
        else:
            count, n0, d0, n1, d1 = struct.unpack_from(ifd.order + "5I", raw, 2)
            pairs = np.frombuffer(raw, ifd.order + "u4", 2 * min(count, len(raw) // 8), 22).reshape(-1, 2)
            x, y = _chromaticity(n0 / d0 + n1 / d1 * np.arange(len(pairs)), pairs[:, 0] / pairs[:, 1])
        if 0 < x < 1 and 0 < y < 1:
            return float(x), float(y)
    except (struct.error, ValueError, ZeroDivisionError):
        pass
    guesses.append(f"the light of ColorMatrix{i + 1} is described by data that is damaged: taken as unknown")
    return None


def _chromaticity(nm: F64, power: F64) -> tuple[float, float]:
    """CIE 1931 chromaticity of a spectrum, by the analytic fit of [Wyman2013] (error below 1 % of each curve)."""

    def lobe(peak: float, centre: float, below: float, above: float) -> F64:
        width = np.where(nm < centre, below, above)
        return np.asarray(peak * np.exp(-0.5 * ((nm - centre) * width) ** 2))

    x = lobe(0.362, 442.0, 0.0624, 0.0374) + lobe(1.056, 599.8, 0.0264, 0.0323) + lobe(-0.065, 501.1, 0.0490, 0.0382)
    y = lobe(0.821, 568.8, 0.0213, 0.0247) + lobe(0.286, 530.9, 0.0613, 0.0322)
    z = lobe(1.217, 437.0, 0.0845, 0.0278) + lobe(0.681, 459.0, 0.0385, 0.0725)
    total = [float((curve * power).sum()) for curve in (x, y, z)]
    return total[0] / sum(total), total[1] / sum(total)


def noise(ifd: Ifd, guesses: list[str]) -> Noise | None:
    """NoiseProfile for R, G, B; None where the file has none or it is not a number."""
    values = ifd.numbers(tags.NOISE_PROFILE)
    if values is None:
        return None
    pairs = values[: len(values) // 2 * 2].reshape(-1, 2)
    sound = np.isfinite(pairs).all() and (pairs >= 0).all() and (pairs < 1).all() and (pairs[:, 0] > 0).all()
    if len(pairs) not in (1, 3, 4) or not sound:
        guesses.append("NoiseProfile is not usable: taken as missing")
        return None
    if len(pairs) == 1:
        pairs = np.repeat(pairs, 3, axis=0)
    if len(pairs) == 4:  # R, G, G, B of some telephones
        pairs = np.stack([pairs[0], pairs[1:3].mean(axis=0), pairs[3]])
    scale, offset = pairs[:, 0].tolist(), pairs[:, 1].tolist()
    return Noise((scale[0], scale[1], scale[2]), (offset[0], offset[1], offset[2]))
