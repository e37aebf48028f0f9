"""Small DNGs for tests, byte by byte, so that every tag may also be wrong. After [TIFF6], not with our reader."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, FLOAT, DOUBLE = 1, 2, 3, 4, 5, 7, 10, 11, 12
_CODES = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 7: "B", 9: "i", 10: "i", 11: "f", 12: "d", 16: "Q", 18: "Q"}
_IDENTITY = [(v, 10000) for v in (10000, 0, 0, 0, 10000, 0, 0, 0, 10000)]

Tags = Mapping[int, "tuple[int, Any] | None"]


def _bytes(kind: int, values: Any, order: str) -> tuple[int, bytes]:
    """Count and bytes of a tag's values; rationals are pairs."""
    if isinstance(values, bytes):
        return len(values), values
    flat = np.ravel(values).tolist()
    count = len(flat) // 2 if kind in (RATIONAL, SRATIONAL) else len(flat)
    return count, struct.pack(f"{order}{len(flat)}{_CODES[kind]}", *flat)


def ifd(tags: Tags, at: int, order: str = "<", big: bool = False, follow: int = 0) -> bytes:
    """One directory that begins at `at` in the file, with its values behind it."""
    known = {k: v for k, v in sorted(tags.items()) if v is not None}
    head, size, room, link = ("Q", 20, 8, "Q") if big else ("H", 12, 4, "I")
    entries, tail = struct.pack(order + head, len(known)), b""
    start = at + len(entries) + size * len(known) + struct.calcsize(link)
    for tag, (kind, values) in known.items():
        count, data = _bytes(kind, values, order)
        if len(data) > room:
            where = struct.pack(order + link, start + len(tail))
            tail += data + b"\0" * (len(data) & 1)
        else:
            where = data.ljust(room, b"\0")
        entries += struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, count) + where
    return entries + struct.pack(order + link, follow) + tail


def header(first: int, order: str = "<", big: bool = False) -> bytes:
    """The first bytes of a TIFF or BigTIFF."""
    mark = b"II" if order == "<" else b"MM"
    return mark + (struct.pack(order + "HHHQ", 43, 8, 0, first) if big else struct.pack(order + "HI", 42, first))


def dng(
    segments: Sequence[bytes], shape: tuple[int, int], *, bits: int = 16, compression: int = 1, samples: int = 1,
    tile: tuple[int, int] | None = None, rows: int | None = None, order: str = "<", big: bool = False,
    extra: Tags | None = None,
) -> bytes:  # fmt: skip
    """A DNG of one image (rows, columns) in tiles or strips, `segments`; `extra` adds, replaces or (None) drops."""
    at = len(header(0, order, big))
    offsets = [at + sum(len(s) + len(s) % 2 for s in segments[:i]) for i in range(len(segments))]
    body = b"".join(s + b"\0" * (len(s) % 2) for s in segments)
    tags: dict[int, tuple[int, Any] | None] = {
        254: (LONG, 0), 256: (LONG, shape[1]), 257: (LONG, shape[0]), 258: (SHORT, [bits] * samples),
        259: (SHORT, compression), 262: (SHORT, 32803 if samples == 1 else 34892), 271: (ASCII, b"Make\0"),
        272: (ASCII, b"Model\0"), 274: (SHORT, 1), 277: (SHORT, samples), 284: (SHORT, 1),
        50706: (BYTE, [1, 4, 0, 0]), 50714: (LONG, [0] * samples), 50717: (LONG, [2 ** min(bits, 16) - 1] * samples),
        50721: (SRATIONAL, _IDENTITY), 50778: (SHORT, 21), 50728: (RATIONAL, [(1, 2), (1, 1), (2, 3)]),
    }  # fmt: skip
    if samples == 1:
        tags |= {33421: (SHORT, [2, 2]), 33422: (BYTE, [0, 1, 1, 2])}
    if tile:
        tags |= {322: (LONG, tile[1]), 323: (LONG, tile[0]), 324: (LONG, offsets),
                 325: (LONG, [len(s) for s in segments])}  # fmt: skip
    else:
        tags |= {273: (LONG, offsets), 278: (LONG, rows or shape[0]), 279: (LONG, [len(s) for s in segments])}
    tags |= extra or {}
    first = at + len(body)
    return header(first, order, big) + body + ifd(tags, first, order, big)


def plain(mosaic: np.ndarray[Any, np.dtype[np.uint16]], extra: Tags | None = None) -> bytes:
    """An uncompressed 16-bit RGGB DNG of `mosaic` in one strip."""
    return dng([mosaic.astype("<u2").tobytes()], (mosaic.shape[0], mosaic.shape[1]), extra=extra)


def packed(rows: np.ndarray[Any, np.dtype[np.uint16]], bits: int) -> bytes:
    """Samples packed big-endian, each row from a whole byte: one bit after the other, slow and obviously right."""
    lines = []
    for row in rows:
        line = "".join(f"{v:0{bits}b}" for v in row.tolist())
        line += "0" * (-len(line) % 8)
        lines.append(int(line, 2).to_bytes(len(line) // 8, "big"))
    return b"".join(lines)


def opcode(number: int, parameters: bytes, optional: bool = False, size: int | None = None) -> bytes:
    """One opcode; `size` may lie."""
    return struct.pack(">4I", number, 0x01030000, int(optional), len(parameters) if size is None else size) + parameters


def oplist(*opcodes: bytes, count: int | None = None) -> tuple[int, bytes]:
    """An opcode list as a tag; `count` may lie."""
    return UNDEFINED, struct.pack(">I", len(opcodes) if count is None else count) + b"".join(opcodes)


def area(box: tuple[int, int, int, int], plane: int = 0, planes: int = 1, pitch: tuple[int, int] = (1, 1)) -> bytes:
    """The area that an opcode touches: top, left, bottom, right."""
    return struct.pack(">8I", *box, plane, planes, *pitch)


def gain_map(box: tuple[int, int, int, int], gains: Any, pitch: tuple[int, int] = (1, 1), planes: int = 1) -> bytes:
    """Parameters of a GainMap whose samples (rows, columns, planes) span the whole image."""
    g = np.atleast_3d(np.asarray(gains, ">f4"))
    step = [1 / max(n - 1, 1) for n in g.shape[:2]]
    return (
        area(box, 0, planes, pitch) + struct.pack(">2I4d", *g.shape[:2], *step, 0, 0) + struct.pack(">I", g.shape[2])
        + g.tobytes()
    )  # fmt: skip
