"""JPEG and Ultra HDR JPEG: tables and stripes in a container that holds EXIF, XMP, ICC and the gain map.

Quality 92 with 4:2:0 is the default; fine detail in saturated red asks for `subsampling="444"`.
Order of segments: EXIF (must be first), XMP (extended where the raw's own packet is long), ISO 21496-1, ICC, MPF (its
offsets then point forward only).
Source: [EXIF3] 4.7.2, [XMP3] 1.1.3, [ICC2022] Annex B.4.
"""

from __future__ import annotations

import struct

from . import exif, gainmap, icc, ifd, stripes, xmp
from .rendition import ExportError, Options, Rendition

_ICC = b"ICC_PROFILE\0\x01\x01"
_XMP_LIMIT = 65533 - len(gainmap.XMP)
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_PART = 65400  # bytes of extended XMP a segment, as [XMP3] advises


def encode(rendition: Rendition, options: Options) -> tuple[list[bytes], list[str]]:
    """The file in pieces, and what had to be left out of it."""
    second = b""
    if options.hdr and rendition.gain is not None and rendition.meta is not None:
        second = gainmap.image(rendition.gain, rendition.meta, options.threads)
    body = stripes.encode(rendition.bits8(), options.quality, options.subsampling, options.threads)
    words, notes = _words(rendition, options, len(second))
    head = stripes.SOI + stripes.segment(0xE1, b"Exif\0\0" + _exif(rendition, options))
    head += b"".join(stripes.segment(0xE1, payload) for payload in words)
    if second:
        head += stripes.segment(0xE2, gainmap.ISO + bytes(4))
    head += stripes.segment(0xE2, _ICC + icc.profile(rendition.space))
    if second:
        head += gainmap.index(len(head), len(body), len(second))
    return [head, body, second], notes


def _exif(rendition: Rendition, options: Options) -> bytes:
    return ifd.block(exif.directory(rendition.exif, rendition.size, rendition.space, options.private))


def _words(rendition: Rendition, options: Options, second: int) -> tuple[list[bytes], list[str]]:
    """Payloads of the XMP segments, and what was left out: one, or more where the raw's own packet does not fit in."""
    facts = (rendition.recipe, rendition.description, gainmap.directory(second) if second else "")
    packet, reason = xmp.packet(*facts, rendition.xmp, options.private)
    more: list[bytes] = []
    if len(packet) > _XMP_LIMIT:
        packet, rest, name, reason = xmp.in_two(*facts, rendition.xmp, options.private)
        for at in range(0, len(rest), _PART):
            place = name.encode() + struct.pack(">II", len(rest), at)
            more.append(_EXTENDED + place + rest[at : at + _PART])
    if len(packet) > _XMP_LIMIT:
        raise ExportError(f"the recipe does not fit into a JPEG ({len(packet)} bytes, {_XMP_LIMIT} fit): use TIFF")
    return [gainmap.XMP + packet, *more], [reason] if reason else []
