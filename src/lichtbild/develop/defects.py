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

import functools

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from .. import kernels
from ..stage import Stage, param, stage
from ..types import BAYER, F64, U16, Encoding, Frame

SHARED = 3  # as in kernels/defects.py
_RINGS = 3  # of neighbours that may stand in for a pixel that the file lists
_REACH = 16  # pixels: how far neighbours are looked for; the nearest eight lie within 8, as kernels/pattern.py has it


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
    places = frame.bad_pixels[((frame.bad_pixels >= 0) & (frame.bad_pixels < frame.shape)).all(1)]
    bad = np.zeros(frame.shape, bool)
    bad[places[:, 0], places[:, 1]] = True
    rings = _rings(frame.cfa)
    out = frame.mosaic.copy()
    for k in range(_RINGS):
        near = places[:, None, None] + rings[places[:, 0] % len(rings), places[:, 1] % rings.shape[1], k]
        value = _repaired(frame.mosaic, bad, near)
        done = np.isfinite(value)
        out[places[done, 0], places[done, 1]] = np.rint(value[done])
        places = places[~done]
    return out


@functools.cache
def _rings(cfa: str) -> NDArray[np.intp]:
    """(rows, columns, _RINGS, 4, 2, 2): for each place of a pattern rings of four opposite pairs of its colour."""
    if patterns.simple(cfa):
        ways = np.array([(0, 2), (2, 0), (2, 2), (2, -2)])
        pairs = np.stack([-ways, ways], 1)
        return np.array([pairs * (1 + k) for k in range(_RINGS)])[None, None]
    cells = patterns.grid(cfa)
    found = [
        [[ring(np.roll(cells, (-y, -x), (0, 1)), k) for k in range(_RINGS)] for x in range(cells.shape[1])]
        for y in range(cells.shape[0])
    ]
    return np.array(found).reshape(*cells.shape, _RINGS, 4, 2, 2)


def _repaired(mosaic: U16, bad: NDArray[np.bool_], near: NDArray[np.intp]) -> F64:
    """(n,): mean of the most equal pair of good ones among the places `near` (n, 4, 2, 2); of all good ones where there
    is no such pair; nan where there is none.
    """
    inside = ((near >= 0) & (near < mosaic.shape)).all(-1)
    y, x = (np.where(inside, near[..., k], 0) for k in (0, 1))
    good = inside & ~bad[y, x]
    value = mosaic[y, x].astype(np.float64)
    apart = np.where(good.all(-1), np.abs(value[..., 0] - value[..., 1]), np.inf)
    best = np.argmin(apart, 1)
    pair = np.take_along_axis(value.mean(-1), best[:, None], 1)[:, 0]
    count = good.sum((1, 2))
    single = np.where(good, value, 0).sum((1, 2)) / np.maximum(count, 1)
    found = np.where(np.isfinite(apart.min(1)), pair, np.where(count > 0, single, np.nan))
    return np.asarray(found)


def ring(cells: NDArray[np.intp], number: int = 0) -> NDArray[np.intp]:
    """(8, 2): rows and columns to the eight nearest pixels that have the colour of the corner of `cells`, which repeat.

    Two by two they lie as opposite as can be. `number`: 1 gives the eight behind those, and so on.
    """
    near = _same(cells, int(cells[0, 0]), (0, 0))[1 + 8 * number : 9 + 8 * number]
    pairs: list[NDArray[np.intp]] = []
    while len(near):
        other = 1 + int(np.argmin(np.square(near[0] + near[1:]).sum(1)))
        pairs += [near[0], near[other]]
        near = np.delete(near, [0, other], 0)
    return np.array(pairs)


def far(cells: NDArray[np.intp]) -> NDArray[np.intp]:
    """(4, 2): rows and columns to pixels about three away, one for each direct neighbour, and of its colour."""
    sides = ((0, -1), (0, 1), (-1, 0), (1, 0))
    return np.array([_same(cells, int(cells[y, x]), (3 * y, 3 * x))[0] for y, x in sides])


def others(cells: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """(count, 2): rows and columns to the nearest pixels of the other two colours, half of them of each."""
    rest = [c for c in range(3) if c != cells[0, 0]]
    return np.concatenate([_same(cells, c, (0, 0))[: count // 2] for c in rest])


def _same(cells: NDArray[np.intp], colour: int, around: tuple[int, int]) -> NDArray[np.intp]:
    """(n, 2) rows and columns of all pixels of a colour up to _REACH away, by their distance from a place."""
    span = np.arange(-_REACH, _REACH + 1)
    rows, columns = cells.shape
    there = np.argwhere(cells[span[:, None] % rows, span % columns] == colour) - _REACH
    order = np.argsort(np.square(there - np.array(around)).sum(1), kind="stable")
    return np.asarray(there[order])


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
