"""EXIF and XMP of other makers' raw files, which LibRaw reads for itself but does not hand out.

Most such files are TIFFs of a kind. A CR3 holds one small TIFF per directory in ISO boxes; a RAF begins with a JPEG
that bears the EXIF. Source: [TIFF6], [EXIF3], [ISO14496-12] 4.2 for boxes, [CR3].
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..types import Exposure, RawError
from . import exif, tags
from .tiff import Buffer, Ifd, Tiff

_RAF = b"FUJIFILMCCD-RAW "
_RAF_JPEG = 84  # where a RAF says where its JPEG lies
_CANON_BOX = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")  # uuid of the box with the TIFFs
_CANON = (b"CMT1", b"CMT2", b"CMT4")  # IFD0, EXIF, GPS; CMT3 is the maker's note
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_MOST_BOXES = 64  # in a row; a CR3 has about ten


@dataclass
class Words:
    """What a raw file says besides its pixels."""

    make: str = ""
    model: str = ""
    exposure: Exposure = field(default_factory=Exposure)
    exif: bytes = b""
    xmp: bytes = b""


def read(data: Buffer, guesses: list[str]) -> Words:
    """The words of a file that is none of ours. Nothing found or damaged: said in `guesses`, never raised."""
    try:
        if data[4:8] == b"ftyp":
            return _boxed(data, guesses)
        tiff = Tiff(_jpeg_exif(data) if data[:16] == _RAF else data)
        first = next(tiff.chain())
        return _words(first, *exif.directories(tiff, first, guesses))
    except (RawError, struct.error, StopIteration):
        guesses.append("its EXIF is not where it is expected, or damaged: left out")
        return Words()


def _words(first: Ifd, shot: Ifd | None, place: Ifd | None) -> Words:
    return Words(
        first.text(tags.MAKE), first.text(tags.MODEL), exif.exposure([shot, first]), exif.block(first, shot, place),
        first.raw(tags.XMP) or b"",
    )  # fmt: skip


def _boxed(data: Buffer, guesses: list[str]) -> Words:
    """CR3: one TIFF per directory, in a box of the maker's within `moov`."""
    found: dict[bytes, Ifd] = {}
    packet = b""
    for name, a, b in _boxes(data, 0, len(data)):
        if name == b"uuid" and data[a : a + 16] == _XMP_BOX:
            packet = bytes(data[a + 16 : b])
        for inner, c, d in _boxes(data, a, b) if name == b"moov" else ():
            if inner == b"uuid" and data[c : c + 16] == _CANON_BOX:
                found |= {n: next(Tiff(data[e:f]).chain()) for n, e, f in _boxes(data, c + 16, d) if n in _CANON}
    if _CANON[0] not in found:
        raise RawError("no EXIF")
    words = _words(found[_CANON[0]], found.get(_CANON[1]), found.get(_CANON[2]))
    words.xmp = packet or words.xmp
    return words


def _boxes(data: Buffer, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of the boxes side by side in data[at:end]; stops where one does not fit."""
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        size, name, head = *struct.unpack_from(">I4s", data, at), 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        size = size or end - at
        if size < head or at + size > end:
            return
        yield name, at + head, at + size
        at += size


def _jpeg_exif(data: Buffer) -> bytes:
    """The TIFF in the EXIF segment of a RAF's JPEG. RawError where there is none."""
    at = struct.unpack_from(">I", data, _RAF_JPEG)[0] + 2
    for _ in range(_MOST_BOXES):
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == 0xFFE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return bytes(data[at + 10 : at + 2 + length])
        at += 2 + length
    raise RawError("no EXIF")
