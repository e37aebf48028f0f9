"""DNG opcode lists: what the camera asks to be done with its pixels, read from big-endian bytes that may lie.

Source: [DNG1.7.1] chapter 7.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..types import F64, GainMap, RawError, Vignette, Warp

NAMES = {
    1: "WarpRectilinear", 2: "WarpFisheye", 3: "FixVignetteRadial", 4: "FixBadPixelsConstant", 5: "FixBadPixelsList",
    6: "TrimBounds", 7: "MapTable", 8: "MapPolynomial", 9: "GainMap", 10: "DeltaPerRow", 11: "DeltaPerColumn",
    12: "ScalePerRow", 13: "ScalePerColumn", 14: "WarpRectilinear2",
}  # fmt: skip
MAX_OPCODES = 4096
MAX_GAIN = 64.0  # six stops; the darkest corner of a real lens is about three stops down


@dataclass(frozen=True)
class Area:
    """The pixels that an opcode touches: every `row_pitch`-th row from `top` to `bottom` (exclusive), and so on."""

    top: int
    left: int
    bottom: int
    right: int
    plane: int
    planes: int
    row_pitch: int
    col_pitch: int


@dataclass(frozen=True)
class BadConstant:
    """FixBadPixelsConstant: pixels of this value are bad."""

    value: int


@dataclass(frozen=True)
class BadList:
    """FixBadPixelsList: `points` (n, 2) rows and columns; `rects` (m, 4) top, left, bottom, right."""

    points: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    rects: np.ndarray[tuple[int, int], np.dtype[np.int64]]


@dataclass(frozen=True)
class Trim:
    """TrimBounds: the image becomes this part of itself: top, left, bottom, right."""

    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Table:
    """MapTable: 16-bit values through a table; beyond its end the last entry."""

    area: Area
    values: F64


@dataclass(frozen=True)
class Polynomial:
    """MapPolynomial: values x in 0..1 become sum of c[i]·x^i, held to 0..1."""

    area: Area
    coefficients: F64


@dataclass(frozen=True)
class PerLine:
    """Delta- or ScalePerRow, -PerColumn: one value for each row (column) of the area."""

    area: Area
    values: F64
    scale: bool
    rows: bool


Operation = Warp | Vignette | BadConstant | BadList | Trim | Table | Polynomial | GainMap | PerLine


@dataclass(frozen=True)
class Opcode:
    """One opcode; `what` is None for one that we do not know and may leave out."""

    number: int
    optional: bool
    what: Operation | None

    @property
    def name(self) -> str:
        """Its name in the specification."""
        return NAMES.get(self.number, f"opcode {self.number}")


class _Bytes:
    """Big-endian numbers from the parameters of one opcode; asking for more than there is raises RawError."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.at, self.name = data, 0, name

    def _take(self, size: int) -> int:
        at = self.at
        if size < 0 or at + size > len(self.data):
            raise RawError(f"{self.name} lies about its length ({len(self.data)} bytes); the file is damaged")
        self.at += size
        return at

    def longs(self, n: int) -> tuple[int, ...]:
        return struct.unpack_from(f">{n}I", self.data, self._take(4 * n))

    def array(self, n: int, kind: str, finite: bool = True) -> F64:
        dtype = np.dtype(kind)
        at = self._take(n * dtype.itemsize)
        values = np.frombuffer(self.data, dtype, n, at).astype(np.float64)
        if finite and not np.isfinite(values).all():
            raise RawError(f"{self.name} holds values that are not numbers; the file is damaged")
        return values

    def signed(self, n: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        return np.frombuffer(self.data, ">i4", n, self._take(4 * n)).astype(np.int64)

    def area(self) -> Area:
        area = Area(*self.longs(8))
        if area.bottom <= area.top or area.right <= area.left or not area.row_pitch or not area.col_pitch:
            raise RawError(f"{self.name} names an empty area; the file is damaged")
        if max(area.bottom, area.right, area.plane, area.planes) >= 2**31 or not area.planes:
            raise RawError(f"{self.name} names an impossible area; the file is damaged")
        return area


def _believe(p: _Bytes, gains: F64) -> F64:
    """The gains of a lens, if they can be any."""
    if not (gains.min() >= 0 and gains.max() <= MAX_GAIN):
        raise RawError(f"{p.name} asks for gains of {gains.min():g} to {gains.max():g}; the file is damaged")
    return gains


def _warp(p: _Bytes) -> Warp:
    planes = p.longs(1)[0]
    if not 1 <= planes <= 4:
        raise RawError(f"WarpRectilinear for {planes} planes; the file is damaged")
    coefficients = p.array(6 * planes, ">f8").reshape(planes, 6)
    x, y = p.array(2, ">f8").tolist()
    return Warp(coefficients, (x, y))


def _vignette(p: _Bytes) -> Vignette:
    k0, k1, k2, k3, k4, x, y = p.array(7, ">f8").tolist()
    r2 = np.linspace(0, 1, 65)
    _believe(p, np.polynomial.polynomial.polyval(r2, (1.0, k0, k1, k2, k3, k4)))
    return Vignette((k0, k1, k2, k3, k4), (x, y))


def _bad_list(p: _Bytes) -> BadList:
    _phase, points, rects = p.longs(3)
    return BadList(p.signed(2 * points).reshape(points, 2), p.signed(4 * rects).reshape(rects, 4))


def _trim(p: _Bytes) -> Trim:
    top, left, bottom, right = (int(v) for v in p.signed(4))
    return Trim((top, left, bottom, right))


def _table(p: _Bytes) -> Table:
    area, n = p.area(), p.longs(1)[0]
    if not 1 <= n <= 65536:
        raise RawError(f"MapTable of {n} entries; the file is damaged")
    return Table(area, p.array(n, ">u2"))


def _polynomial(p: _Bytes) -> Polynomial:
    area, degree = p.area(), p.longs(1)[0]
    if degree > 8:
        raise RawError(f"MapPolynomial of degree {degree}, expected at most 8; the file is damaged")
    return Polynomial(area, p.array(degree + 1, ">f8"))


def _gain_map(p: _Bytes) -> GainMap:
    a, (rows, cols) = p.area(), p.longs(2)
    step_v, step_h, start_v, start_h = p.array(4, ">f8").tolist()
    planes = p.longs(1)[0]
    if not (rows and cols and planes):
        raise RawError("GainMap without samples; the file is damaged")
    gains = _believe(p, p.array(rows * cols * planes, ">f4")).astype(np.float32).reshape(rows, cols, planes)
    return GainMap(
        a.top, a.left, a.bottom, a.right, a.plane, a.planes, a.row_pitch, a.col_pitch, (step_v, step_h),
        (start_v, start_h), gains,
    )  # fmt: skip


def _per_line(number: int, p: _Bytes) -> PerLine:
    area, n = p.area(), p.longs(1)[0]
    rows = number in (10, 12)
    lines = -(-(area.bottom - area.top) // area.row_pitch) if rows else -(-(area.right - area.left) // area.col_pitch)
    if n < lines:
        raise RawError(f"{NAMES[number]} has {n} values for {lines} lines; the file is damaged")
    return PerLine(area, p.array(n, ">f4"), number >= 12, rows)


def _operation(number: int, p: _Bytes) -> Operation | None:
    if 10 <= number <= 13:
        return _per_line(number, p)
    if number == 4:
        return BadConstant(p.longs(2)[0])
    readers: dict[int, Callable[[_Bytes], Operation]] = {
        1: _warp, 3: _vignette, 5: _bad_list, 6: _trim, 7: _table, 8: _polynomial, 9: _gain_map,
    }  # fmt: skip
    return readers[number](p) if number in readers else None


def parse(data: bytes) -> list[Opcode]:
    """The opcodes of a list, in order.

    Raises RawError where lengths or counts do not fit the bytes, and for a mandatory opcode that we do not know.
    """
    if len(data) < 4:
        raise RawError("an opcode list without a count; the file is damaged")
    count, at = struct.unpack_from(">I", data)[0], 4
    if count > min(MAX_OPCODES, (len(data) - 4) // 16):
        raise RawError(f"an opcode list of {len(data)} bytes lies about its {count} opcodes; the file is damaged")
    found = []
    for _ in range(count):
        if at + 16 > len(data):
            raise RawError("an opcode list ends in the middle of an opcode; the file is damaged")
        number, _version, flags, size = struct.unpack_from(">4I", data, at)
        at += 16
        if at + size > len(data):
            raise RawError(f"{NAMES.get(number, f'opcode {number}')} lies about its length; the file is damaged")
        optional = bool(flags & 1)
        what = _operation(number, _Bytes(data[at : at + size], NAMES.get(number, f"opcode {number}")))
        if what is None and not optional:
            raise RawError(f"needs {NAMES.get(number, f'opcode {number}')}, which lichtbild does not know yet")
        found.append(Opcode(number, optional, what))
        at += size
    return found
