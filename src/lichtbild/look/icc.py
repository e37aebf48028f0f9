"""ICC device links: a table of colours from RGB to RGB, for programs that take looks as profiles.

A device link says both of its spaces in words (its sequence of profiles) and needs no other profile; the table is a
lut16Type, which every reader since version 2 knows. Read are links and other RGB profiles whose A2B0 is a lut8Type or
lut16Type from RGB to RGB.
Source: [ICC2022] clauses 7.2 (header), 8.5 (device link), 10.10 (lut16Type), 10.19 (profileSequenceDescType).
"""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from ..types import F32, F64
from .lut import MOST, Table
from .spec import LookError

_D50 = (0.9642, 1.0, 0.8249)  # the illuminant as the standard rounds it
_CREATED = (2026, 1, 1, 0, 0, 0)  # fixed: the same look gives the same bytes
_MOST_TAGS = 100


def write(values: F32, title: str, spaces: tuple[str, str]) -> bytes:
    """The device link of a table `values` (n, n, n, 3), indexed blue, green, red, in 0..1."""
    tags = {
        b"desc": _text(title),
        b"cprt": _text("No copyright, use freely"),
        b"pseq": _sequence(spaces),
        b"A2B0": _lut16(values),
    }
    data, table = b"", b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(tags) + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    whole = struct.pack(">I", len(tags)) + table + data
    header = struct.pack(">I4sI4s4s4s", 128 + len(whole), bytes(4), 0x04300000, b"link", b"RGB ", b"RGB ")
    header += struct.pack(">6H", *_CREATED) + b"acsp" + bytes(28) + _fixed(_D50) + bytes(48)
    whole = header + whole
    # The profile ID is the MD5 of the profile with flags, intent and ID zero, as they are here.
    return whole[:84] + hashlib.md5(whole, usedforsecurity=False).digest() + whole[100:]


def _fixed(values: tuple[float, ...]) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(v * 65536) for v in values))


def _text(text: str) -> bytes:
    body = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(body), 28) + body


def _sequence(spaces: tuple[str, str]) -> bytes:
    out = b"pseq" + struct.pack(">II", 0, len(spaces))
    for space in spaces:
        words = _text(space)
        out += bytes(4 + 4 + 8 + 4) + 2 * (words + bytes(-len(words) % 4))
    return out


def _lut16(values: F32) -> bytes:
    n = len(values)
    head = b"mft2" + struct.pack(">I4B", 0, 3, 3, n, 0) + _fixed((1, 0, 0, 0, 1, 0, 0, 0, 1))
    straight = struct.pack(">2H", 0, 65535) * 3
    # The first channel runs slowest.
    coded = (np.clip(values.transpose(2, 1, 0, 3), 0, 1) * 65535 + 0.5).astype(">u2")
    return head + struct.pack(">2H", 2, 2) + straight + coded.tobytes() + straight


def read(data: bytes, where: str) -> tuple[F64, Table, F64]:
    """Curves (n, 3) before the table, the table, and curves behind it. Raises LookError in one line."""
    if len(data) < 132 or data[36:40] != b"acsp":
        raise LookError(f"{where}: not an ICC profile")
    if data[16:20] != b"RGB " or data[20:24] != b"RGB ":
        ways = f"from '{_ascii(data[16:20])}' to '{_ascii(data[20:24])}'"
        raise LookError(f"{where}: it leads {ways}: a look is a device link from RGB to RGB")
    count = int.from_bytes(data[128:132], "big")
    for i in range(min(count, _MOST_TAGS)):
        entry = data[132 + 12 * i : 144 + 12 * i]
        if len(entry) == 12 and entry[:4] == b"A2B0":
            at, size = struct.unpack(">II", entry[4:])
            return _read_lut(data[at : at + size], where)
    raise LookError(f"{where}: it has no table A2B0")


def _ascii(data: bytes) -> str:
    return "".join(chr(c) if 32 <= c < 127 else "?" for c in data).strip()


def _read_lut(body: bytes, where: str) -> tuple[F64, Table, F64]:
    kind = body[:4]
    if kind not in (b"mft1", b"mft2") or len(body) < 52:
        raise LookError(f"{where}: its table is of the type '{_ascii(kind)}': only lut8Type and lut16Type are read")
    inputs, outputs, n = body[8:11]
    wide = kind == b"mft2"
    before, behind = struct.unpack(">2H", body[48:52]) if wide else (256, 256)
    if (inputs, outputs) != (3, 3) or not 2 <= n <= MOST or not 2 <= before <= 4096 or not 2 <= behind <= 4096:
        raise LookError(f"{where}: its table has {inputs} channels in, {outputs} out, {n} points an edge: not a look")
    counts = (3 * before, 3 * n**3, 3 * behind)
    raw = body[52 if wide else 48 :]
    if len(raw) < sum(counts) * (2 if wide else 1):
        raise LookError(f"{where}: its table is cut short")
    numbers = np.frombuffer(raw, ">u2" if wide else "u1", sum(counts)) / (65535.0 if wide else 255.0)
    first, middle, last = np.split(numbers, np.cumsum(counts)[:2])
    cube = middle.reshape(n, n, n, 3).transpose(2, 1, 0, 3)
    table = Table(np.ascontiguousarray(cube, np.float32))
    return first.reshape(3, before).T, table, last.reshape(3, behind).T
