"""JPEG and Ultra HDR JPEG: tables and stripes in a container that holds EXIF, XMP, ICC and the gain map.

Quality 92 with 4:2:0 is the default; fine detail in saturated red asks for `subsampling="444"`.
Order of segments: EXIF (must be first), XMP, ISO 21496-1, ICC, MPF (its offsets then point forward only).
Source: [EXIF3] 4.7.2, [XMP3] 1.1.3, [ICC2022] Annex B.4.
"""

from __future__ import annotations

from . import exif, gainmap, icc, ifd, stripes, xmp
from .rendition import Options, Rendition

_ICC = b"ICC_PROFILE\0\x01\x01"
_XMP_LIMIT = 65533 - len(gainmap.XMP)


def encode(rendition: Rendition, options: Options) -> tuple[list[bytes], list[str]]:
    """The file in pieces, and what had to be left out of it."""
    second = b""
    if options.hdr and rendition.gain is not None and rendition.meta is not None:
        second = gainmap.image(rendition.gain, rendition.meta, options.threads)
    body = stripes.encode(rendition.bits8(), options.quality, options.subsampling, options.threads)
    words, notes = _words(rendition, options, len(second))
    head = stripes.SOI + stripes.segment(0xE1, b"Exif\0\0" + _exif(rendition, options))
    head += stripes.segment(0xE1, gainmap.XMP + words)
    if second:
        head += stripes.segment(0xE2, gainmap.ISO + bytes(4))
    head += stripes.segment(0xE2, _ICC + icc.profile(rendition.space))
    if second:
        head += gainmap.index(len(head), len(body), len(second))
    return [head, body, second], notes


def _exif(rendition: Rendition, options: Options) -> bytes:
    return ifd.block(exif.directory(rendition.exif, rendition.size, rendition.space, options.private))


def _words(rendition: Rendition, options: Options, second: int) -> tuple[bytes, list[str]]:
    """The XMP packet; without the raw's own properties where both do not fit into one segment."""
    extra = gainmap.directory(second) if second else ""
    packet, reason = xmp.packet(rendition.recipe, rendition.description, extra, rendition.xmp, options.private)
    if len(packet) > _XMP_LIMIT:
        reason = f"the raw's XMP was left out: {len(packet)} bytes do not fit into one JPEG segment"
        packet, _ = xmp.packet(rendition.recipe, rendition.description, extra)
    return packet, [reason] if reason else []
