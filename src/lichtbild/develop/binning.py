"""Binning: squares of one colour of a quad or nona mosaic become single pixels of a Bayer mosaic.

in    a Frame whose mosaic has squares of n x n pixels of one colour
out   a Frame with a Bayer mosaic and 1/n² of the pixels, each the mean of a square; noise power falls to 1/n², too
What such sensors do themselves in little light. A mean of four pixels has a quarter of the noise without any demosaic's
guess at detail that noise hides; where light is enough the full mosaic shows finer detail. What the file says of its
pixels (black levels, shading, listed defects, crop) is brought to the new ones.
"""

from __future__ import annotations

import math

import numpy as np

from .. import cfa as patterns
from .. import types
from ..types import F32, U16, Frame, GainMap, LichtbildError, Noise, Shot, Shut
from . import defects

GRAINY = 0.1  # noise of mid-grey, relative to it, from which squares are better read as one pixel


def wanted(frame: Frame, mode: str, grain: float) -> str | None:
    """Why a frame's squares are to be binned; None where they are not, or where there are none."""
    if mode != "night" or grain < GRAINY or hindered(frame):
        return None
    n = (patterns.squares(frame.cfa) or (1,))[0]
    return f"squares of {n}x{n} pixels are read as one: {grain:.1%} noise in mid-grey becomes {grain / n:.1%}"


def shot(whole: Shot) -> Shot:
    """The shot with all frames binned; as it is where its mosaic has no squares of one colour, and a remark says so: a
    recipe that bins may be meant for several cameras."""
    if patterns.squares(whole.reference.cfa) is None:
        remark = f"{whole.path}: demosaic.bin: {hindered(whole.reference)}: nothing is binned"
        return Shot(whole.frames, whole.path, [*whole.remarks, remark])
    return Shot([binned(f) for f in whole.frames], whole.path, whole.remarks)


def hindered(frame: Frame) -> str:
    """Why a frame cannot be binned; empty where it can."""
    square = patterns.squares(frame.cfa)
    if square is None:
        return f"its mosaic ({frame.cfa}) has no squares of one colour"
    n, top, left = square
    if frame.shape[0] < top + n or frame.shape[1] < left + n:
        return "it is smaller than a square of one colour"
    if any(pitch != 1 and pitch % n for m in frame.gain_maps for pitch in (m.row_pitch, m.col_pitch)):
        return "its map of shading does not follow the squares"
    return ""


def binned(frame: Frame) -> Frame:
    """The frame with one pixel for each square; a shut one stays shut."""
    square, why = patterns.squares(frame.cfa), hindered(frame)
    if square is None or why:
        raise LichtbildError(f"{frame.path}: demosaic.bin: {why}")
    n, top, left = square
    size = ((frame.shape[0] - top) // n, (frame.shape[1] - left) // n)
    factor = max(min(n * n, int(65535 // max(frame.white))), 1)
    small = patterns.word(np.roll(patterns.grid(frame.cfa), (-top, -left), (0, 1))[::n, ::n])
    less = types.replace(
        frame, cfa=small, black=_black(frame.black, square) * factor, white=tuple(w * factor for w in frame.white),
        black_row=_line(frame.black_row, n, top, size[0], factor),
        black_column=_line(frame.black_column, n, left, size[1], factor), crop=_crop(frame.crop, square, size),
        noise=_less(frame.noise, n * n), gain_maps=tuple(_map(frame, m, square) for m in _first(frame, square)),
        bad_pixels=None, facts=frame.facts | {"binned": n},
    )  # fmt: skip
    if frame.shut is not None:
        return types.replace(less, shut=Shut(size, lambda: binned(frame.opened())))
    return types.replace(less, mosaic=_means(defects.listed(frame), square, size, factor))


def _means(mosaic: U16, square: tuple[int, int, int], size: tuple[int, int], factor: int) -> U16:
    """Means (h, w) of squares, times `factor`, which keeps what rounding would take."""
    n, top, left = square
    total = np.full(size, n * n // 2 // factor, np.uint32)
    for y, x in np.ndindex(n, n):
        total += mosaic[top + y : top + n * size[0] : n, left + x : left + n * size[1] : n]
    if factor != n * n:
        total = total * np.uint32(factor) // np.uint32(n * n)
    return total.astype(np.uint16)


def _black(black: F32, square: tuple[int, int, int]) -> F32:
    """Black levels (rows, columns, planes), which repeat, of the squares."""
    n, top, left = square
    whole = [math.lcm(k, n) for k in black.shape[:2]]
    tiled = np.tile(black, (whole[0] // black.shape[0], whole[1] // black.shape[1], 1))
    tiled = np.roll(tiled, (-top, -left), (0, 1))
    parts = tiled.reshape(whole[0] // n, n, whole[1] // n, n, black.shape[2])
    return np.asarray(parts.mean((1, 3)), np.float32)


def _line(line: F32 | None, n: int, first: int, count: int, factor: int) -> F32 | None:
    if line is None:
        return None
    return np.asarray(line[first : first + n * count].reshape(count, n).mean(1) * factor, np.float32)


def _crop(
    crop: tuple[int, int, int, int] | None, square: tuple[int, int, int], size: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """The whole squares within a crop."""
    if crop is None:
        return None
    n, *first = square
    begin = [max(-(-(c - f) // n), 0) for c, f in zip(crop[:2], first, strict=True)]
    end = [min((c + s - f) // n, most) for c, s, f, most in zip(crop[:2], crop[2:], first, size, strict=True)]
    if end[0] <= begin[0] or end[1] <= begin[1]:
        return None
    return (begin[0], begin[1], end[0] - begin[0], end[1] - begin[1])


def _less(noise: Noise | None, count: int) -> Noise | None:
    if noise is None:
        return None
    (r1, g1, b1), (r0, g0, b0) = noise.scale, noise.offset
    return Noise((r1 / count, g1 / count, b1 / count), (r0 / count, g0 / count, b0 / count), noise.origin)


def _first(frame: Frame, square: tuple[int, int, int]) -> list[GainMap]:
    """The maps of shading that hold for the first pixel of each square; the others differ by nothing that is seen."""
    n, top, left = square
    found = []
    for m in frame.gain_maps:
        rows, columns = m.row_pitch == 1 or (m.top - top) % n == 0, m.col_pitch == 1 or (m.left - left) % n == 0
        found += [m] if rows and columns else []
    return found


def _map(frame: Frame, m: GainMap, square: tuple[int, int, int]) -> GainMap:
    """A map of shading for the squares."""
    n, *first = square
    size = [(s - f) // n for s, f in zip(frame.shape, first, strict=True)]
    begin = [-(-max(v - f, 0) // n) for v, f in zip((m.top, m.left), first, strict=True)]
    end = [min(-(-(v - f) // n), s) for v, f, s in zip((m.bottom, m.right), first, size, strict=True)]
    # Places are relative to the picture, of which less than a square is left out on each side.
    part = [n * s / whole for s, whole in zip(size, frame.shape, strict=True)]
    origin = [(o - f / w) / p for o, f, w, p in zip(m.origin, first, frame.shape, part, strict=True)]
    return GainMap(
        begin[0], begin[1], end[0], end[1], m.plane, m.planes, max(m.row_pitch // n, 1), max(m.col_pitch // n, 1),
        (m.spacing[0] / part[0], m.spacing[1] / part[1]), (origin[0], origin[1]), m.gains,
    )  # fmt: skip
