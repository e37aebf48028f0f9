"""What was set when the frame was taken, and the EXIF block that travels into the photograph.

Source: [EXIF3]; IFD0 keeps what describes the picture, not how its pixels lie in the raw file.
"""

from __future__ import annotations

import re
import struct

import numpy as np

from ..types import F64, Exposure, RawError
from . import tags
from .tiff import EXIF_IFD, GPS_IFD, Entry, Ifd, Tiff

_KEEP = {270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 33432}
_MAKER_NOTE, _INTEROP, _DNG_ADOBE = 37500, 40965, 50740
MAX_VALUE = 32768  # bytes of one tag; an EXIF block must fit into 64 kB of a JPEG
MAX_BLOCK = 60000
# Bytes of one unit that changes places between byte orders.
_UNIT = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}


def directories(tiff: Tiff, first: Ifd, guesses: list[str]) -> tuple[Ifd | None, Ifd | None]:
    """The EXIF and GPS directories that IFD0 points to; a damaged one is left out and told."""
    found: list[Ifd | None] = []
    for tag, name in ((EXIF_IFD, "EXIF"), (GPS_IFD, "GPS")):
        try:
            found.append(next(tiff.children(first, tag), None))
        except RawError:
            guesses.append(f"the {name} directory is damaged: left out")
            found.append(None)
    return found[0], found[1]


def exposure(ifds: list[Ifd | None]) -> Exposure:
    """ISO, time, aperture, focal length and date from the first directory that has each; 0 and NaN mean unknown."""

    def positive(*wanted: int) -> float | None:
        for tag in wanted:
            for ifd in ifds:
                values = _safe(ifd, tag)
                if values is not None and len(values) and np.isfinite(values[0]) and values[0] > 0:
                    if tag == tags.ISO and values[0] == 65535:  # did not fit; the true value has a tag of its own
                        continue
                    return float(values[0])
        return None

    return Exposure(
        positive(tags.ISO, tags.SENSITIVITY, tags.ISO_SPEED), positive(tags.EXPOSURE_TIME), positive(tags.F_NUMBER),
        positive(tags.FOCAL), _taken(ifds), positive(tags.FOCAL_35MM), _lens(ifds),
    )  # fmt: skip


def _safe(ifd: Ifd | None, tag: int) -> F64 | None:
    try:
        return ifd.numbers(tag) if ifd is not None else None
    except RawError:
        return None


def _lens(ifds: list[Ifd | None]) -> str | None:
    """The lens, by its model; many begin with their maker."""
    for ifd in ifds:
        try:
            model = ifd.text(tags.LENS_MODEL) if ifd is not None else ""
        except RawError:
            continue
        if model.strip("- "):  # cameras without contacts write dashes
            return model
    return None


def _taken(ifds: list[Ifd | None]) -> str | None:
    for tag in (tags.TAKEN, tags.DATE):
        for ifd in ifds:
            try:
                said = ifd.text(tag) if ifd is not None else ""
                zone = ifd.text(tags.OFFSET_TAKEN) if ifd is not None and tag == tags.TAKEN else ""
            except RawError:
                continue
            m = re.fullmatch(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)", said)
            if m and m[1] != "0000":
                sound = re.fullmatch(r"[+-]\d\d:\d\d", zone)
                return f"{m[1]}-{m[2]}-{m[3]}T{m[4]}{zone if sound else ''}"
    return None


def block(first: Ifd, exif: Ifd | None, gps: Ifd | None) -> bytes:
    """The EXIF block as a JPEG carries it: "Exif", two NULs, a little-endian TIFF of IFD0, EXIF and GPS directories."""
    parts: list[tuple[int, dict[int, tuple[int, int, bytes]]]] = [(0, _values(first, _KEEP))]
    for pointer, ifd in ((EXIF_IFD, exif), (GPS_IFD, gps)):
        if ifd is not None:
            values = _values(ifd, None)
            if values:
                parts.append((pointer, values))
                parts[0][1][pointer] = (4, 1, b"\0\0\0\0")
    starts, at = {}, 8
    for pointer, values in parts:
        starts[pointer] = at
        at += 2 + 12 * len(values) + 4 + sum(len(v) + (len(v) & 1) for _, _, v in values.values() if len(v) > 4)
    for pointer, _ in parts[1:]:
        parts[0][1][pointer] = (4, 1, struct.pack("<I", starts[pointer]))
    return b"Exif\0\0II*\0\x08\0\0\0" + b"".join(_directory(values, starts[p]) for p, values in parts)


def _values(ifd: Ifd, wanted: set[int] | None) -> dict[int, tuple[int, int, bytes]]:
    """Type, count and little-endian bytes of the tags that may travel."""
    found: dict[int, tuple[int, int, bytes]] = {}
    room = MAX_BLOCK // 3
    for tag, entry in sorted(ifd.entries.items()):
        if tag in (_MAKER_NOTE, _INTEROP, _DNG_ADOBE) or (wanted is not None and tag not in wanted):
            continue
        if entry.kind not in _UNIT or not entry.count or entry.size > min(MAX_VALUE, room):
            continue
        try:
            value = ifd.raw(tag) or b""
        except RawError:
            continue
        found[tag] = (entry.kind, entry.count, _little(value, entry, ifd.order))
        room -= len(value)
    return found


def _little(value: bytes, entry: Entry, order: str) -> bytes:
    unit = _UNIT[entry.kind]
    if order == "<" or unit == 1:
        return value
    return np.frombuffer(value, f">u{unit}").astype(f"<u{unit}").tobytes()


def _directory(values: dict[int, tuple[int, int, bytes]], start: int) -> bytes:
    head, tail = [struct.pack("<H", len(values))], b""
    at = start + 2 + 12 * len(values) + 4
    for tag, (kind, count, value) in sorted(values.items()):
        where = value.ljust(4, b"\0")
        if len(value) > 4:
            where = struct.pack("<I", at + len(tail))
            tail += value + b"\0" * (len(value) & 1)
        head.append(struct.pack("<HHI", tag, kind, count) + where)
    return b"".join(head) + b"\0\0\0\0" + tail
