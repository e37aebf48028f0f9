"""Boxes, as AVIF and JPEG XL files are made of, and metadata items put into an AVIF file.

An item has an entry in `iinf` (what it is), in `iloc` (where it lies) and a reference `cdsc` (what it describes). New
items are appended after the picture's data, so only the growth of `meta` moves what was there.
Source: [ISO14496-12] 4.2, 8.11; [HEIF] A.2.1 (Exif), A.3 (XMP).
"""

from __future__ import annotations

import struct

_PRIMARY = 1  # libavif numbers the picture first
_CHILDREN_AT = 12  # of a full box: size, name, version and flags


def box(name: bytes, body: bytes) -> bytes:
    """One box: size, name, body."""
    return struct.pack(">I", 8 + len(body)) + name + body


def boxes(data: bytes, start: int = 0) -> list[tuple[bytes, int, int]]:
    """Name, start and end of the boxes side by side in `data`. Raises ValueError where they do not fit."""
    found = []
    while start < len(data):
        if start + 8 > len(data):
            raise ValueError("a box is cut off")
        size: int = struct.unpack_from(">I", data, start)[0]
        if size == 1:
            size = struct.unpack_from(">Q", data, start + 8)[0]
        size = size or len(data) - start
        if size < 8 or start + size > len(data):
            raise ValueError("a box does not fit")
        found.append((data[start + 4 : start + 8], start, start + size))
        start += size
    return found


def add_items(avif: bytes, exif: bytes, xmp: bytes) -> list[bytes]:
    """An AVIF file with EXIF (a TIFF block) and XMP, in pieces. Raises ValueError for a layout not of libavif."""
    top = {name: (a, b) for name, a, b in boxes(avif)}
    a, b = top[b"meta"]
    meta = avif[a:b]
    children = {name: meta[s:e] for name, s, e in boxes(meta, _CHILDREN_AT)}
    # The Exif item starts with the distance to its TIFF header.
    items = [(2, b"Exif\0", struct.pack(">I", 0) + exif), (3, b"mime\0application/rdf+xml\0", xmp)]
    inside = _locations(children[b"iloc"], [(i, 0, len(d)) for i, _, d in items], 0)
    growth = len(_meta(meta, children, items, inside)) - len(meta)
    if any(start < b for start in _starts(children[b"iloc"])):
        raise ValueError("picture data before the end of the meta box")
    at = len(avif) + growth + 8
    places = []
    for number, _, data in items:
        places.append((number, at, len(data)))
        at += len(data)
    iloc = _locations(children[b"iloc"], places, growth)
    new = _meta(meta, children, items, iloc)
    return [avif[:a], new, avif[b:], box(b"mdat", b"".join(d for _, _, d in items))]


def _meta(meta: bytes, children: dict[bytes, bytes], items: list[tuple[int, bytes, bytes]], iloc: bytes) -> bytes:
    """The meta box with more items; order of its children is kept, references come last."""
    if b"iref" in children:
        raise ValueError("the picture has references already")
    head = children[b"iinf"]
    version, count = head[8], struct.unpack_from(">H", head, 12)[0]
    if version != 0:
        raise ValueError(f"iinf of version {version}")
    entries = b"".join(
        box(b"infe", bytes((2, 0, 0, 1)) + struct.pack(">HH", number, 0) + kind) for number, kind, _ in items
    )
    iinf = box(b"iinf", head[8:12] + struct.pack(">H", count + len(items)) + head[14:] + entries)
    links = b"".join(box(b"cdsc", struct.pack(">HHH", number, 1, _PRIMARY)) for number, _, _ in items)
    new = children | {b"iloc": iloc, b"iinf": iinf, b"iref": box(b"iref", bytes(4) + links)}
    return box(b"meta", meta[8:12] + b"".join(new.values()))


def _starts(iloc: bytes) -> list[int]:
    _check(iloc)
    count = struct.unpack_from(">H", iloc, 14)[0]
    return [struct.unpack_from(">I", iloc, 16 + 14 * i + 6)[0] for i in range(count)]


def _check(iloc: bytes) -> None:
    """Version 0, offsets and lengths of four bytes, no base offset, one extent an item: what libavif writes."""
    count = struct.unpack_from(">H", iloc, 14)[0]
    if iloc[8] != 0 or iloc[12:14] != b"\x44\x00" or len(iloc) != 16 + 14 * count:
        raise ValueError("item locations of an unknown form")


def _locations(iloc: bytes, items: list[tuple[int, int, int]], growth: int) -> bytes:
    """Item locations moved by `growth`, with new items (number, offset, length)."""
    _check(iloc)
    count = struct.unpack_from(">H", iloc, 14)[0]
    rows = bytearray(iloc[16:])
    for i in range(count):
        struct.pack_into(">I", rows, 14 * i + 6, struct.unpack_from(">I", rows, 14 * i + 6)[0] + growth)
    new = b"".join(struct.pack(">HHHII", number, 0, 1, at, size) for number, at, size in items)
    return box(b"iloc", iloc[8:14] + struct.pack(">H", count + len(items)) + bytes(rows) + new)
