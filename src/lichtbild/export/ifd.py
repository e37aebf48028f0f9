"""TIFF directories as plain dicts: read from an EXIF block, written into JPEG, PNG, TIFF and DNG alike.

An entry is (type, count, data) with little-endian data, so what a tag says travels verbatim, 0/0 rationals included.
Reading distrusts every count and offset: an entry that does not fit its block is left out.
Source: [TIFF6] section 2; [EXIF3] 4.6.2.
"""

from __future__ import annotations

import fractions
import struct
from collections.abc import Sequence
from typing import Any

BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SSHORT, SLONG, SRATIONAL, FLOAT, DOUBLE = range(1, 13)
_CODES = {BYTE: "B", ASCII: "c", SHORT: "H", LONG: "I", RATIONAL: "I", SBYTE: "b", UNDEFINED: "c", SSHORT: "h"}
_CODES |= {SLONG: "i", SRATIONAL: "i", FLOAT: "f", DOUBLE: "d"}
_SIZES = {t: struct.calcsize("<" + c) * (2 if t in (RATIONAL, SRATIONAL) else 1) for t, c in _CODES.items()}
EXIF, GPS, INTEROP, SUBIFDS = 0x8769, 0x8825, 0xA005, 0x014A
_CHILDREN = (EXIF, GPS, INTEROP)
_MAX_ENTRIES = 2000  # a directory of a camera has about fifty

Entry = tuple[int, int, bytes]
Ifd = dict[int, "Entry | Ifd"]


def short(*values: int) -> Entry:
    """An entry of unsigned 16-bit numbers."""
    return (SHORT, len(values), struct.pack(f"<{len(values)}H", *values))


def long(*values: int) -> Entry:
    """An entry of unsigned 32-bit numbers."""
    return (LONG, len(values), struct.pack(f"<{len(values)}I", *values))


def octets(values: bytes | Sequence[int], kind: int = BYTE) -> Entry:
    """An entry of bytes (or, as `kind`, UNDEFINED)."""
    return (kind, len(values), bytes(values))


def ascii(text: str) -> Entry:
    """An entry of text; what ASCII cannot hold goes in as UTF-8, as everybody does."""
    data = text.encode() + b"\0"
    return (ASCII, len(data), data)


def double(values: Sequence[float]) -> Entry:
    """An entry of 64-bit floats."""
    return (DOUBLE, len(values), struct.pack(f"<{len(values)}d", *values))


def rational(values: Sequence[float], signed: bool = False, denominator: int = 1_000_000) -> Entry:
    """An entry of the nearest fractions with at most `denominator` below: 1/455 s stays 1/455.

    Raises ValueError for what no 32-bit fraction can say.
    """
    limit = 2**31 - 1 if signed else 2**32 - 1
    pairs: list[int] = []
    for value in values:
        if not (-limit if signed else 0) <= value <= limit:
            raise ValueError(f"rational: {value} does not fit")
        near = fractions.Fraction(value).limit_denominator(min(denominator, int(limit / max(abs(value), 1))))
        pairs += [near.numerator, near.denominator]
    return (
        SRATIONAL if signed else RATIONAL,
        len(values),
        struct.pack(f"<{len(pairs)}{'i' if signed else 'I'}", *pairs),
    )


def numbers(entry: Entry | Ifd | None) -> list[float]:
    """The numbers of an entry; fractions divided, 0/0 as nan; none for text or a missing entry."""
    if not isinstance(entry, tuple) or _CODES[entry[0]] == "c":
        return []
    kind, count, data = entry
    flat: Sequence[Any] = struct.unpack(f"<{len(data) // struct.calcsize(_CODES[kind])}{_CODES[kind]}", data)
    if kind in (RATIONAL, SRATIONAL):
        return [n / d if d else float("nan") for n, d in zip(flat[::2], flat[1::2], strict=True)]
    return [float(v) for v in flat[:count]]


def text(entry: Entry | Ifd | None) -> str:
    """The text of an ASCII entry; empty where missing."""
    return entry[2].split(b"\0")[0].decode("utf-8", "replace") if isinstance(entry, tuple) else ""


def read(block: bytes) -> Ifd:
    """IFD0 of an EXIF block (with or without "Exif\\0\\0") with its EXIF, GPS and interoperability directories.

    Nothing raises: a block that is no TIFF is an empty directory.
    """
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return {}
    return _directory(block, order, struct.unpack_from(order + "I", block, 4)[0], set())


def _directory(block: bytes, order: str, at: int, seen: set[int]) -> Ifd:
    if at in seen or at + 2 > len(block):
        return {}
    seen.add(at)
    found: Ifd = {}
    for i in range(min(struct.unpack_from(order + "H", block, at)[0], _MAX_ENTRIES)):
        start = at + 2 + 12 * i
        if start + 12 > len(block):
            break
        tag, kind, count = struct.unpack_from(order + "HHI", block, start)
        size = _SIZES.get(kind, 0) * count
        place = start + 8 if size <= 4 else struct.unpack_from(order + "I", block, start + 8)[0]
        if kind not in _SIZES or place + size > len(block) or not count:
            continue
        if tag in _CHILDREN and kind == LONG:
            found[tag] = _directory(block, order, struct.unpack_from(order + "I", block, place)[0], seen)
        else:
            found[tag] = (kind, count, _little(block[place : place + size], kind, order))
    return found


def _little(data: bytes, kind: int, order: str) -> bytes:
    width = struct.calcsize(_CODES[kind])
    if order == "<" or width == 1:
        return data
    code = f"{len(data) // width}{_CODES[kind]}"
    return struct.pack("<" + code, *struct.unpack(">" + code, data))


def write(ifd: Ifd, base: int, following: int = 0) -> bytes:
    """The directory, its data and its children as bytes to be placed at file offset `base`, which must be even.

    `following` is the offset of the next directory of the chain. Children become pointers of type LONG.
    """
    heads: list[bytes] = []
    at = base + 2 + 12 * len(ifd) + 4
    body = b""
    for tag in sorted(ifd):
        entry = ifd[tag]
        if isinstance(entry, dict):
            heads.append(struct.pack("<HHII", tag, LONG, 1, at + len(body)))
            body += write(entry, at + len(body))
            continue
        kind, count, data = entry
        if len(data) <= 4:
            heads.append(struct.pack("<HHI4s", tag, kind, count, data))
            continue
        heads.append(struct.pack("<HHII", tag, kind, count, at + len(body)))
        body += data + bytes(len(data) % 2)
    return struct.pack("<H", len(ifd)) + b"".join(heads) + struct.pack("<I", following) + body


def block(ifd: Ifd) -> bytes:
    """A whole little-endian TIFF block with this directory, as EXIF wants it (without "Exif\\0\\0")."""
    return b"II*\0\x08\0\0\0" + write(ifd, 8)
