"""What makes a JPEG an Ultra HDR JPEG: a gain map as second image, and the words that explain it.

The same facts are said twice, because readers differ: in binary after ISO 21496-1 and as `hdrgm` XMP. The second image
is found twice as well: through the MPF index of the first and through its container directory in XMP.
Source: [ISO21496-1] Annex C (metadata), [UltraHDR] (XMP, container), [CIPA-DC-007] 5 (multi-picture format).
"""

from __future__ import annotations

import struct

import numpy as np

from ..types import U8
from . import stripes
from .rendition import GainMapMeta, Triple

ISO = b"urn:iso:std:iso:ts:21496:-1\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
MPF = b"MPF\0"
_HDRGM = "http://ns.adobe.com/hdr-gain-map/1.0/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_CONTAINER = "http://ns.google.com/photos/1.0/container/"
_MULTICHANNEL, _BASE_SPACE = 0x80, 0x40  # flags: three sets of numbers; gains apply in the RGB of the base image
_DENOMINATOR = 1 << 20  # a millionth, and ±2047 still fits into 32 bits
_QUALITY = 90  # of the map: it is smooth and half the size, its errors are scaled by (max - min)/255 stops


def iso(meta: GainMapMeta) -> bytes:
    """Payload of the ISO 21496-1 segment of the gain map image."""
    single = _single(meta)
    flags = _BASE_SPACE | (0 if single else _MULTICHANNEL)
    out = struct.pack(">HHB", 0, 0, flags) + _fraction(0.0) + _fraction(meta.headroom)
    for c in range(1 if single else 3):
        channel = (meta.gain_min[c], meta.gain_max[c], meta.gamma[c], meta.offset_sdr[c], meta.offset_hdr[c])
        out += b"".join(_fraction(v) for v in channel)
    return ISO + out


def _single(meta: GainMapMeta) -> bool:
    """Whether one set of numbers serves all three channels."""
    return all(len(set(t)) == 1 for t in (meta.gain_min, meta.gain_max, meta.gamma, meta.offset_sdr, meta.offset_hdr))


def _fraction(value: float) -> bytes:
    return struct.pack(">iI", round(value * _DENOMINATOR), _DENOMINATOR)


def _property(name: str, values: Triple) -> str:
    items = "".join(f"<rdf:li>{v:.7g}</rdf:li>" for v in values)
    return f"<hdrgm:{name}><rdf:Seq>{items}</rdf:Seq></hdrgm:{name}>"


def hdrgm(meta: GainMapMeta) -> bytes:
    """XMP packet of the gain map image."""
    channels = (
        ("GainMapMin", meta.gain_min),
        ("GainMapMax", meta.gain_max),
        ("Gamma", meta.gamma),
        ("OffsetSDR", meta.offset_sdr),
        ("OffsetHDR", meta.offset_hdr),
    )
    flat = f'hdrgm:Version="1.0" hdrgm:HDRCapacityMin="0" hdrgm:HDRCapacityMax="{meta.headroom:.7g}"'
    flat += ' hdrgm:BaseRenditionIsHDR="False"'
    nested = ""
    for name, values in channels:
        if len(set(values)) == 1:
            flat += f' hdrgm:{name}="{values[0]:.7g}"'
        else:
            nested += _property(name, values)
    about = f'<rdf:Description rdf:about="" xmlns:hdrgm="{_HDRGM}" {flat}>{nested}</rdf:Description>'
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">{about}</rdf:RDF></x:xmpmeta>'.encode()


def directory(length: int) -> str:
    """rdf:Description for the XMP of the first image: what the file contains and how long the gain map image is."""
    items = ('Item:Semantic="Primary"', f'Item:Semantic="GainMap" Item:Length="{length}"')
    rows = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" {item}/></rdf:li>' for item in items
    )
    spaces = f'xmlns:rdf="{_RDF}" xmlns:hdrgm="{_HDRGM}" xmlns:Container="{_CONTAINER}" xmlns:Item="{_CONTAINER}item/"'
    seq = f"<Container:Directory><rdf:Seq>{rows}</rdf:Seq></Container:Directory>"
    return f'<rdf:Description rdf:about="" {spaces} hdrgm:Version="1.0">{seq}</rdf:Description>'


def image(gain: U8, meta: GainMapMeta, workers: int = 0) -> bytes:
    """The gain map (h, w, 3) as a complete JPEG with its metadata; one whose channels are equal is stored as grey."""
    grey = _single(meta) and bool((gain[..., 0] == gain[..., 1]).all() and (gain[..., 0] == gain[..., 2]).all())
    # 4:4:4: at half size the chroma of the map already lies at the size of the photograph's own.
    pixels = np.ascontiguousarray(gain[..., 0]) if grey else gain
    body = stripes.encode(pixels, _QUALITY, "grey" if grey else "444", workers)
    words = stripes.segment(0xE1, XMP + hdrgm(meta)) + stripes.segment(0xE2, iso(meta))
    return stripes.SOI + words + body


def index(at: int, rest: int, second: int) -> bytes:
    """MPF segment to be placed at file offset `at` of the first image, with `rest` bytes of it after the segment.

    `second` is the length of the gain map image, which follows at once. Offsets count from the byte after "MPF\\0".
    """
    entries = 50
    head = b"MM\0*\0\0\0\x08" + struct.pack(">H", 3)
    head += struct.pack(">HHI4s", 0xB000, 7, 4, b"0100") + struct.pack(">HHII", 0xB001, 4, 1, 2)
    head += struct.pack(">HHII", 0xB002, 7, 32, entries) + bytes(4)
    size = 4 + len(MPF) + len(head) + 32
    first = at + size + rest
    base = at + 4 + len(MPF)
    baseline_primary = 0x030000
    rows = struct.pack(">IIIHH", baseline_primary, first, 0, 0, 0) + struct.pack(
        ">IIIHH", 0, second, first - base, 0, 0
    )
    return stripes.segment(0xE2, MPF + head + rows)
