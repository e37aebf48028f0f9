"""Lossless JPEG by our own kernel: four tiles at a time, twice as fast as one after the other.

Only what cameras write goes this way (one scan, no restarts, no point transform); everything else is left to
libjpeg-turbo. A stream that ends too early is refused: libjpeg-turbo would make up the rest. Source: [T81].
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..types import U16, RawError

LANES = 4  # the same as in kernels/ljpeg.py
_MAX_SAMPLES = 1 << 26  # of one tile: bit positions are 32-bit numbers
_INVALID = 0  # an entry that takes no bits: the stream ends too early, which is found out


@dataclass(frozen=True)
class Stream:
    """One tile: rows, columns and components of the frame, precision, predictor, a Huffman table each, coded bytes."""

    shape: tuple[int, int, int]
    precision: int
    predictor: int
    tables: tuple[bytes, ...]
    coded: bytes


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
            return _stream(frame, part, tables, data[at : data.rfind(b"\xff\xd9")])
        elif not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            return None
    return None


def _stream(frame: bytes, scan: bytes, tables: dict[int, bytes], coded: bytes) -> Stream | None:
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
    if not (2 <= frame[0] <= 16 and 0 < rows * columns * n <= _MAX_SAMPLES):
        return None
    return Stream((rows, columns, n), frame[0], predictor, tuple(used), coded)


def _sound(table: bytes) -> bool:
    """A table as in a file: counts of the codes of 1 to 16 bits, then what they mean, here sizes up to 15."""
    counts, sizes = table[:16], table[16:]
    full = sum(c << (16 - i) for i, c in enumerate(counts, 1))
    return 0 < sum(counts) == len(sizes) and full <= 1 << 16 and max(sizes) <= 15


@functools.lru_cache(64)
def _look_up(table: bytes, bits: int) -> NDArray[np.uint32]:
    """For the next `bits` bits of the stream: bits used << 10 | size of the difference << 5 | length of the code."""
    entries = np.full(1 << bits, _INVALID, np.uint32)
    at, code = 16, 0
    for length in range(1, bits + 1):
        for _ in range(table[length - 1]):
            size = table[at]
            entries[code << (bits - length) : (code + 1) << (bits - length)] = (
                (length + size) << 10 | size << 5 | length
            )
            at, code = at + 1, code + 1
        code <<= 1
    return entries


def _unstuffed(coded: bytes) -> bytes:
    """The stream without the zero that follows each 0xFF, and with zeros behind it to look ahead into."""
    data = np.frombuffer(coded, np.uint8)
    keep = np.ones(len(data), bool)
    np.not_equal(data[:-1], 255, out=keep[1:])
    return data[keep].tobytes() + bytes(8)


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
    if rows * columns * n != samples:
        return None
    bits = max(i for s in streams for t in s.tables for i, count in enumerate(t[:16], 1) if count)
    coded = [_unstuffed(s.coded) for s in streams]
    sizes = [len(c) + -len(c) % 4 for c in coded]
    words = np.frombuffer(b"".join(c + bytes(-len(c) % 4) for c in coded), ">u4").astype(np.uint32)
    out = np.empty((LANES, rows, columns * n), np.uint16)
    ends = np.zeros((LANES, columns * n), np.int32)
    kernels.call(
        "ljpeg", words=words, starts=np.array(np.cumsum([0, *sizes[:-1]]) // 4, np.int32),
        table=np.array([[_look_up(t, bits) for t in s.tables] for s in streams]), bits=bits, components=n,
        first=1 << (precision - 1), predictor=predictor,
        **{"samples.0": out, "samples.1": np.lib.stride_tricks.as_strided(ends, out.shape, (columns * n * 4, 0, 4))},
    )  # fmt: skip
    # The last code ends within the last byte: later in a short file. An invalid code takes no bits, nor does any after.
    left = np.array([(len(c) - 8) * 8 for c in coded]) - ends[:, -1]
    stuck = columns * n > 1 and bool((ends[:, -1] == ends[:, -2]).any())
    if stuck or (left < 0).any():
        raise RawError("its lossless JPEG data ends too early or holds an invalid code; the file is damaged")
    return out if (left < 16).all() else None
