"""Defects: hot and dead pixels are replaced by what their neighbours say.

in    square-root codes of a mosaic (H, W) float32, in which noise is equally strong everywhere
out   the same with single wrong pixels repaired
A pixel is wrong where it lies above (or below) all eight neighbours of its colour by more than `threshold` standard
deviations of noise, and no light of its kind falls on the pixels beside it (stars and far lamps stay). It is replaced
by the mean of the pair of neighbours that differ least: across edges nothing is smeared. Pixels that the file lists are
repaired before, among the raw numbers.
Source: [Tajbakhsh2009] for the test against neighbours; DNG 1.7.1, opcodes FixBadPixelsConstant and FixBadPixelsList.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..stage import Stage, param, stage
from ..types import BAYER, F32, U16, Encoding, Frame

SHARED = 0.2  # as in kernels/defects.py


@stage("defects", "single hot and dead pixels repaired")
class Defects(Stage):
    """Parameters of the repair."""

    strength: float = param(1.0, 0.0, 1.0, "", "part of the error of a wrong pixel that is taken away; 0 = leave all")
    threshold: float = param(6.0, 3.0, 50.0, "σ", "how far beyond all its neighbours a pixel must be")


def phase(cfa: str) -> tuple[int, int]:
    """Column and row of the red site modulo 2; (0, 0) for what is no Bayer pattern."""
    place = cfa.find("R") if cfa in BAYER else 0
    return place % 2, place // 2


def limits(encoding: Encoding, threshold: float) -> tuple[float, float, float]:
    """Codes by which a wrong pixel leaves the range of its neighbours, for R, G, B; never less than 1/256 of all."""
    low = 65535 / 256  # clean files: what is fine detail must stay
    r, g, b = (max(threshold * s, low) for s in encoding.sigma)
    return r, g, b


def listed(frame: Frame) -> U16:
    """The mosaic with the pixels that the file lists replaced by their nearest good neighbours' best pair."""
    assert frame.mosaic is not None
    if frame.bad_pixels is None or not len(frame.bad_pixels):
        return frame.mosaic
    height, width = frame.shape
    bad = np.zeros((height, width), bool)
    places = [(int(y), int(x)) for y, x in frame.bad_pixels if 0 <= y < height and 0 <= x < width]
    for y, x in places:
        bad[y, x] = True
    out = frame.mosaic.copy()
    for y, x in places:
        value = _neighbours(frame.mosaic, bad, y, x)
        if value is not None:
            out[y, x] = value
    return out


def _neighbours(mosaic: U16, bad: NDArray[np.bool_], y: int, x: int) -> int | None:
    """Mean of the most equal pair of good neighbours of the same colour; of all good ones where there is no pair."""
    height, width = mosaic.shape

    def good(v: int, u: int) -> float | None:
        return float(mosaic[v, u]) if 0 <= v < height and 0 <= u < width and not bad[v, u] else None

    for reach in (2, 4, 6):
        ways = ((0, reach), (reach, 0), (reach, reach), (reach, -reach))
        pairs = [(good(y - j, x - i), good(y + j, x + i)) for j, i in ways]
        whole = [(abs(a - b), (a + b) / 2) for a, b in pairs if a is not None and b is not None]
        if whole:
            return round(min(whole)[1])
        single = [v for pair in pairs for v in pair if v is not None]
        if single:
            return round(sum(single) / len(single))
    return None


def apply(code: F32, cfa: str, limit: tuple[float, float, float], strength: float = 1.0) -> F32:
    """Repaired codes of a mosaic (H, W)."""
    out = np.empty(code.shape, np.float32)
    dx, dy = phase(cfa)
    r, g, b = limit
    kernels.call(
        "defects", mosaic=code, dx=dx, dy=dy, limit_r=r, limit_g=g, limit_b=b, strength=strength, output=out
    )  # fmt: skip
    return out


def twin(code: F32, cfa: str, limit: tuple[float, float, float], strength: float = 1.0) -> F32:
    """The same in NumPy."""
    height, width = code.shape
    padded = np.pad(code, 3, mode="reflect").astype(np.float32)

    def at(dy: int, dx: int) -> F32:
        return padded[3 + dy : 3 + dy + height, 3 + dx : 3 + dx + width]

    pairs = [(at(-dy, -dx), at(dy, dx)) for dy, dx in ((0, 2), (2, 0), (2, 2), (2, -2))]
    ring = np.array([n for pair in pairs for n in pair])
    over, under = code - ring.max(0), ring.min(0) - code
    beside = at(0, 1) + at(0, -1) - at(0, 3) - at(0, -3) + at(1, 0) + at(-1, 0) - at(3, 0) - at(-3, 0)
    beside = beside * np.float32(0.25 / SHARED)
    excess = np.where(over > under, over - np.maximum(beside, 0), under + np.minimum(beside, 0))
    steps = np.array([abs(a - b) for a, b in pairs])
    best = np.argmin(steps, 0)[None]
    value = np.take_along_axis(np.array([(a + b) * np.float32(0.5) for a, b in pairs]), best, 0)[0]
    dx, dy = phase(cfa)
    y, x = np.mgrid[:height, :width] + np.array([dy, dx])[:, None, None]
    colour = np.where((y % 2) == (x % 2), np.where(y % 2 == 0, 0, 2), 1)
    wrong = (np.maximum(over, under) > np.array(limit, np.float32)[colour]) & (excess > 0)
    return np.asarray(np.where(wrong, code + np.float32(strength) * (value - code), code), np.float32)
