"""Lossless JPEG by our own kernel: four tiles at a time.

Only what cameras write goes this way (one scan, no restarts, no point transform); everything else is left to
libjpeg-turbo. A stream that ends too early is refused: libjpeg-turbo would make up the rest. Source: [T81].
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..types import U8, U16, RawError

LANES, PEEK, CHUNK = 4, 13, 32  # the same as in kernels/ljpeg.py
_MAX_SAMPLES = 1 << 26  # of one tile
_MAX_BYTES = 1 << 27  # of all tiles: bit positions are 32-bit numbers, also of what lies between and behind them
_END = b"\xff\xd9"
_AHEAD = 32  # zeros behind a stream, at least, to look ahead into
_SMALL = 1 << 11  # differences below are in the short table


@dataclass(frozen=True)
class Stream:
    """One tile: rows, columns and components of the frame, precision, predictor, a Huffman table each, coded bytes."""

    shape: tuple[int, int, int]
    precision: int
    predictor: int
    tables: tuple[bytes, ...]
    coded: memoryview


@functools.cache
def available() -> bool:
    """Whether the kernel has been built: `lichtbild info` works without any."""
    try:
        kernels.describe("ljpeg")
    except (ImportError, KeyError):
        return False
    return True


def parse(data: bytes) -> Stream | None:
    """The parts of a lossless JPEG stream; None for anything out of the ordinary."""
    at, tables = 2, dict[int, bytes]()
    frame = b""
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        part = data[at + 4 : at + 2 + size]
        at += 2 + size
        if marker == 0xC4:
            while len(part) > 17:
                n = 17 + sum(part[1:17])
                tables[part[0]] = part[1:n]
                part = part[n:]
        elif marker == 0xC3:
            frame = part
        elif marker == 0xDA:
            end = data.rfind(_END, at)
            end = len(data) if end < 0 else end
            while end > at and data[end - 1] == 0xFF:  # one that counts is followed by a zero
                end -= 1
            return _stream(frame, part, tables, memoryview(data)[at:end])
        elif not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            return None
    return None


def _stream(frame: bytes, scan: bytes, tables: dict[int, bytes], coded: memoryview) -> Stream | None:
    n = frame[5] if len(frame) >= 6 else 0
    if not 1 <= n <= 4 or len(frame) != 6 + 3 * n or len(scan) != 4 + 2 * n or scan[0] != n or not coded:
        return None
    if any(frame[7 + 3 * i] != 0x11 or frame[6 + 3 * i] != scan[1 + 2 * i] for i in range(n)):
        return None
    predictor, transform = scan[1 + 2 * n], scan[3 + 2 * n]
    used = [tables.get(scan[2 + 2 * i] >> 4, b"") for i in range(n)]
    if not 1 <= predictor <= 7 or transform or not all(_sound(t) for t in used):
        return None
    rows, columns = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    if not (2 <= frame[0] <= 16 and columns * n > 1 and 0 < rows * columns * n <= _MAX_SAMPLES):
        return None
    return Stream((rows, columns, n), frame[0], predictor, tuple(used), coded)


def _sound(table: bytes) -> bool:
    """A table as in a file: counts of the codes of 1 to 16 bits, then the sizes of differences that they mean."""
    counts, sizes = table[:16], table[16:]
    full = sum(c << (16 - i) for i, c in enumerate(counts, 1))
    return 0 < sum(counts) == len(sizes) and full <= 1 << 16 and max(sizes) <= 16


def _codes(table: bytes) -> Iterator[tuple[int, int]]:
    """Length of each code, in their order, and the size of the differences that begin with it."""
    sizes = iter(table[16:])
    return ((length, next(sizes)) for length, count in enumerate(table[:16], 1) for _ in range(count))


@functools.lru_cache(64)
def _long(table: bytes, bits: int) -> NDArray[np.uint32]:
    """For the next `bits` bits of the stream: bits used << 10 | size of the difference << 5 | length of the code.

    A difference of 16 bits is always 32768, which stands at 1 << 15, and takes no bits. Invalid codes take none either.
    """
    entries = np.zeros(1 << bits, np.uint32)
    at = 0
    for length, size in _codes(table):
        end = at + (1 << (bits - length))
        entries[at:end] = (length + size) << 10 | size << 5 | length if size < 16 else 1 << 15 | length << 10 | length
        at = end
    return entries


@functools.lru_cache(64)
def _short(table: bytes) -> U16:
    """For the next PEEK bits of the stream: difference << 4 | bits used, 0 where there are more or it is large."""
    parts = [_part(length, size) for length, size in _codes(table) if length <= PEEK]
    left = (1 << PEEK) - sum(map(len, parts))
    return np.concatenate([*parts, np.zeros(left, np.uint16)])


@functools.cache
def _part(length: int, size: int) -> U16:
    """The entries of a short table that begin with one code."""
    used = length + size
    if used > min(PEEK, 15):
        return np.zeros(1 << (PEEK - length), np.uint16)
    value = np.arange(1 << size)
    value -= np.where(value < 1 << size >> 1, (1 << size) - 1, 0)
    entries = np.where((value >= -_SMALL) & (value < _SMALL), value << 4 | used, 0)
    return np.repeat(entries, 1 << (PEEK - used)).astype(np.uint16)


def _unstuffed(streams: Sequence[Stream]) -> tuple[U8, NDArray[np.int64], NDArray[np.int64]]:
    """The streams without the zero that follows each 0xFF, one behind the other; where each begins and where it ends.

    Zeros lie behind each, to look ahead into.
    """
    starts = np.cumsum([0, *(len(s.coded) + CHUNK + _AHEAD for s in streams)])
    out, ends = np.empty(starts[-1], np.uint8), starts[:-1].copy()
    for i, s in enumerate(streams):
        dropped = np.empty(-(-len(s.coded) // CHUNK) + 1, np.int32)
        room = out[starts[i] : starts[i + 1]]
        kernels.call("ljpeg_unstuff", coded=np.frombuffer(s.coded, np.uint8), dropped=dropped, plain=room)
        ends[i] += len(s.coded) - dropped[-1]
        out[ends[i] : starts[i + 1]] = 0
    return out, starts[:-1], ends


def decode(tiles: Sequence[bytes], samples: int) -> U16 | None:
    """(tile, row, column·component) samples of LANES tiles of `samples` samples each; None where libjpeg must do it.

    Raises RawError where a stream is too short or holds an invalid code.
    """
    parsed = [parse(t) for t in tiles]
    streams = [s for s in parsed if s is not None]
    kinds = {(s.shape, s.precision, s.predictor) for s in streams}
    if len(streams) != LANES or len(kinds) != 1 or not available():
        return None
    (rows, columns, n), precision, predictor = next(iter(kinds))
    if rows * columns * n != samples or sum(map(len, tiles)) > _MAX_BYTES:
        return None
    coded, starts, ends = _unstuffed(streams)
    alike = all(len(set(s.tables)) == 1 for s in streams)
    tables = [s.tables[: 1 if alike else n] for s in streams]
    bits = max(i for s in tables for t in s for i, count in enumerate(t[:16], 1) if count)
    out = np.empty((LANES, rows, columns * n), np.uint16)
    places, took, rest = (8 * starts).astype(np.int32), np.zeros(LANES, np.int32), np.zeros(LANES, np.uint64)
    states: tuple[NDArray[Any], ...] = places, took, rest
    kernels.call(
        "ljpeg", coded=coded, short=np.array([[_short(t) for t in s] for s in tables]),
        long=np.array([[_long(t, bits) for t in s] for s in tables]), bits=bits, components=n,
        first=1 << (precision - 1), predictor=predictor,
        **{"samples.0": out, **{f"samples.{i}": _each(s, out.shape) for i, s in enumerate(states, 1)}},
    )  # fmt: skip
    # The last code ends within the last byte: later in a short file. An invalid code takes no bits, nor does any after.
    left = 8 * ends - places
    if (took == 0).any() or (left < 0).any():
        raise RawError("its lossless JPEG data ends too early or holds an invalid code; the file is damaged")
    return out if (left < 16).all() else None


def _each(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """One value a tile as an array of all samples."""
    return np.lib.stride_tricks.as_strided(values, shape, (values.itemsize, 0, 0))
