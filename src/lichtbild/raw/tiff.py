"""TIFF and BigTIFF directories, read with suspicion.

Why not tifffile here, which the project has anyway: a raw file is untrusted input. This walker asks for no memory
before size, count and offset have been held against the length of the file, follows no directory twice, and costs
2 ms of start-up where importing tifffile costs 60. tifffile writes our files and is the foreign reader in tests.
Source: [TIFF6]; BigTIFF as in libtiff's description of it; [DNG1.7.1].
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..types import F64, RawError

Buffer = bytes | bytearray | mmap.mmap

MAX_DIRECTORIES = 256  # a DNG has about ten
MAX_ENTRIES = 4096  # of one directory; the longest seen in the wild have 150
MAX_TEXT = 65536

_MAKERS = (0x55, 0x4F52, 0x5352)  # RW2 and ORF: TIFFs that call themselves otherwise
SUB_IFDS, EXIF_IFD, GPS_IFD = 330, 34665, 34853
_TEXT, _UNDEFINED, _RATIONAL, _SRATIONAL = 2, 7, 5, 10
# TIFF type → NumPy type; a rational is two integers.
_TYPES = {
    1: "u1", 2: "u1", 3: "u2", 4: "u4", 5: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 10: "i4", 11: "f4", 12: "f8",
    13: "u4", 16: "u8", 17: "i8", 18: "u8",
}  # fmt: skip
_BYTES = {kind: np.dtype(t).itemsize * (2 if kind in (_RATIONAL, _SRATIONAL) else 1) for kind, t in _TYPES.items()}


@dataclass(frozen=True)
class Entry:
    """One tag: its TIFF type, how many values, and where in the file they lie."""

    kind: int
    count: int
    offset: int

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return self.count * _BYTES[self.kind]


class Ifd:
    """One directory. Values are fetched, and checked against the file, when asked for."""

    def __init__(self, data: Buffer, order: str, entries: dict[int, Entry], offset: int) -> None:
        self.data, self.order, self.entries, self.offset = data, order, entries, offset

    def __contains__(self, tag: int) -> bool:
        return tag in self.entries

    def raw(self, tag: int) -> bytes | None:
        """The bytes of a tag as they lie in the file; None without the tag, RawError if they lie outside the file."""
        entry = self.entries.get(tag)
        if entry is None:
            return None
        if entry.offset + entry.size > len(self.data):
            raise RawError(
                f"tag {tag} claims {entry.size} bytes beyond the end of the file; it is cut short or damaged"
            )
        return bytes(self.data[entry.offset : entry.offset + entry.size])

    def numbers(self, tag: int) -> F64 | None:
        """The values of a numeric tag as float64 (n,), rationals divided: 0/0 is NaN, x/0 infinite."""
        raw = self.raw(tag)
        if raw is None:
            return None
        kind = self.entries[tag].kind
        values = np.frombuffer(raw, self.order + _TYPES[kind]).astype(np.float64)
        if kind in (_RATIONAL, _SRATIONAL):
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(values[::2] / values[1::2])
        return values

    def integers(self, tag: int) -> list[int] | None:
        """The values of a tag as whole numbers; rationals are rounded. RawError where one is not finite."""
        values = self.numbers(tag)
        if values is None:
            return None
        if not np.isfinite(values).all():
            raise RawError(f"tag {tag} is not a number; the file is damaged")
        return [round(v) for v in values.tolist()]

    def integer(self, tag: int, default: int) -> int:
        """The first value of a tag, or `default`."""
        values = self.integers(tag)
        return values[0] if values else default

    def text(self, tag: int) -> str:
        """The text of a tag up to its first NUL; empty without the tag."""
        raw = self.raw(tag)
        return (raw or b"")[:MAX_TEXT].split(b"\0")[0].decode("utf-8", "replace").strip()


class Tiff:
    """The directories of a TIFF file given as bytes; sub-directories are found through the tags that name them."""

    def __init__(self, data: Buffer) -> None:
        self.data = data
        self.order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
        if not self.order or len(data) < 8:
            raise RawError("not a TIFF file; its first bytes say something else")
        version = self._read("H", 2)
        if version not in (42, 43, *_MAKERS):
            raise RawError(f"not a TIFF file: version {version}, expected 42 or 43")
        self.big = version == 43
        if self.big and (len(data) < 16 or self._read("H", 4) != 8):
            raise RawError("a damaged BigTIFF header; copy the file again from the camera")
        self._seen: set[int] = set()

    def _read(self, code: str, offset: int) -> int:
        size = struct.calcsize(code)
        if offset < 0 or offset + size > len(self.data):
            raise RawError("a directory lies beyond the end of the file; it is cut short or damaged")
        return int(struct.unpack_from(self.order + code, self.data, offset)[0])

    def chain(self, offset: int | None = None) -> Iterator[Ifd]:
        """The directory at `offset` (default: the first of the file) and those that follow it."""
        if offset is None:
            offset = self._read("Q", 8) if self.big else self._read("I", 4)
        while offset:
            ifd, offset = self.directory(offset)
            yield ifd

    def directory(self, offset: int) -> tuple[Ifd, int]:
        """One directory and the offset of the next. RawError for a directory seen before: the file runs in a circle."""
        if offset in self._seen:
            raise RawError("its directories run in a circle; the file is damaged")
        if len(self._seen) >= MAX_DIRECTORIES:
            raise RawError(f"more than {MAX_DIRECTORIES} directories; the file is damaged")
        self._seen.add(offset)
        count, head, size, link = (
            (self._read("Q", offset), 8, 20, "Q") if self.big else (self._read("H", offset), 2, 12, "I")
        )
        end = offset + head + count * size
        if count > MAX_ENTRIES or end > len(self.data):
            raise RawError(f"a directory of {count} tags does not fit into the file; it is cut short or damaged")
        entries = dict(self._entry(offset + head + i * size) for i in range(count))
        known = {tag: entry for tag, entry in entries.items() if entry.kind in _TYPES}
        # Some writers leave out the link after the last directory of a file.
        follow = self._read(link, end) if end + struct.calcsize(link) <= len(self.data) else 0
        return Ifd(self.data, self.order, known, offset), follow

    def _entry(self, at: int) -> tuple[int, Entry]:
        tag, kind, count = struct.unpack_from(self.order + ("HHQ" if self.big else "HHI"), self.data, at)
        place, inline = (at + 12, 8) if self.big else (at + 8, 4)
        if count * _BYTES.get(kind, 1) > inline:
            place = self._read("Q" if self.big else "I", place)
        return tag, Entry(kind, count, place)

    def children(self, ifd: Ifd, tag: int = SUB_IFDS) -> Iterator[Ifd]:
        """The directories that a tag of `ifd` points to."""
        for offset in ifd.integers(tag) or []:
            yield self.directory(offset)[0]

    def all(self) -> list[Ifd]:
        """Every directory: the chain, and below each its sub-directories."""
        found: list[Ifd] = []
        todo = list(self.chain())[::-1]
        while todo:
            ifd = todo.pop()
            found.append(ifd)
            todo += list(self.children(ifd))[::-1]
        return found
