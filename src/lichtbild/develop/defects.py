"""Defects: hot and dead pixels are replaced by what their neighbours say.

in    half codes of a mosaic (H, W) uint16: square-root codes in 15 bits, in which noise is equally strong everywhere
out   the same with single wrong pixels repaired
A pixel is wrong where it lies above (or below) all eight neighbours of its colour by more than `threshold` standard
deviations of noise (among texture by more), and no light of its kind falls on the pixels beside it. It is replaced
by the mean of the pair of neighbours that differ least: across edges nothing is smeared. Pixels that the file lists are
repaired before, among the raw numbers.
Source: [Tajbakhsh2009] for the test against neighbours; DNG 1.7.1, opcodes FixBadPixelsConstant and FixBadPixelsList.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..stage import Stage, param, stage
from ..types import BAYER, U16, Encoding, Frame

SHARED = 3  # as in kernels/defects.py


@stage("defects", "single hot and dead pixels repaired")
class Defects(Stage):
    """Parameters of the repair."""

    strength: float = param(1.0, 0.0, 1.0, "", "part of the error of a wrong pixel that is taken away; 0 = leave all")
    threshold: float = param(5.0, 3.0, 50.0, "σ", "how far beyond all its neighbours a pixel must be")


def phase(cfa: str) -> tuple[int, int]:
    """Column and row of the red site modulo 2; (0, 0) for what is no Bayer pattern."""
    place = cfa.find("R") if cfa in BAYER else 0
    return place % 2, place // 2


def limits(encoding: Encoding, threshold: float) -> tuple[int, int, int]:
    """Half codes by which a wrong pixel leaves the range of its neighbours, for R, G, B.

    Never less than 1/256 of all codes: what is finer in a clean file is detail.
    """
    r, g, b = (min(round(max(threshold * s, 65535 / 256) / 2), 32767) for s in encoding.sigma)
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


def apply(half: U16, cfa: str, limit: tuple[int, int, int], strength: float = 1.0) -> U16:
    """Repaired half codes of a mosaic (H, W); `limit` as `limits` gives it."""
    out = np.empty(half.shape, np.uint16)
    (dx, dy), (r, g, b) = phase(cfa), limit
    part = share(strength)
    kernels.call("defects", mosaic=half, dx=dx, dy=dy, limit_r=r, limit_g=g, limit_b=b, strength=part, output=out)
    return out


def share(strength: float) -> int:
    """Strength as the kernels take it: 32767 = all; the rounding is below one half code."""
    return round(32767 * min(max(strength, 0.0), 1.0))


def _mean(*terms: NDArray[np.int32]) -> NDArray[np.int32]:
    """Rounding mean of 2^n, pair by pair, as the kernel does it."""
    if len(terms) == 1:
        return terms[0]
    return _mean(*[(a + b + 1) >> 1 for a, b in zip(terms[::2], terms[1::2], strict=True)])


def twin(half: U16, cfa: str, limit: tuple[int, int, int], strength: float = 1.0) -> U16:
    """The same in NumPy, to the last bit."""
    height, width = half.shape
    here = half.astype(np.int32)
    padded = np.pad(here, 3, mode="reflect")

    def at(dy: int, dx: int) -> NDArray[np.int32]:
        return padded[3 + dy : 3 + dy + height, 3 + dx : 3 + dx + width]

    pairs = [(at(-dy, -dx), at(dy, dx)) for dy, dx in ((0, 2), (2, 0), (2, 2), (2, -2))]
    ring = np.array([n for pair in pairs for n in pair])
    highest, lowest = ring.max(0), ring.min(0)
    over, under = np.maximum(here - highest, 0), np.maximum(lowest - here, 0)
    beyond, spread = np.maximum(over, under), highest - lowest
    near, far = (_mean(at(0, i), at(0, -i), at(i, 0), at(-i, 0)) for i in (1, 3))
    beside = np.maximum(np.where(over > 0, near - far, far - near), 0)
    best = np.argmin(np.array([abs(a - b) for a, b in pairs]), 0)[None]
    value = np.take_along_axis(np.array([_mean(a, b) for a, b in pairs]), best, 0)[0]
    dx, dy = phase(cfa)
    y, x = np.mgrid[:height, :width] + np.array([dy, dx])[:, None, None]
    colour = np.where((y % 2) == (x % 2), np.where(y % 2 == 0, 0, 2), 1)
    wrong = (beyond > np.array(limit)[colour] + spread + (spread >> 1)) & ((beyond >> SHARED) > beside)
    change = ((value - here) * share(strength) + (1 << 14)) >> 15
    return np.where(wrong, here + change, here).astype(np.uint16)
