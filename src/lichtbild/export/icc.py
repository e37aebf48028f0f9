"""ICC profiles of the two display spaces, built from their primaries: 0.5 kB each, nothing copied.

Matrix/TRC profiles of version 4: colorants adapted to D50 by Bradford, the sRGB curve as a parametric curve of type 3.
Source: [ICC2022] clauses 7.2 (header), 8.3 (required tags), 10.18 (parametricCurveType), Annex E (adaptation).
"""

from __future__ import annotations

import functools
import hashlib
import struct

import numpy as np

from .. import light
from ..types import F64

_NAMES = {"srgb": "sRGB", "p3": "Display P3"}
_D50 = np.array([0.9642, 1.0, 0.8249])  # the PCS illuminant as the standard rounds it
_CREATED = (2026, 1, 1, 0, 0, 0)  # fixed: the same photograph gives the same bytes
# Y = (aX + b)^g above d, cX below, in the order g a b c d.
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@functools.cache
def profile(space: str) -> bytes:
    """The profile of "srgb" or "p3". Raises ValueError for other names."""
    if space not in _NAMES:
        raise ValueError(f"ICC profile: expected one of {', '.join(_NAMES)}, got '{space}'")
    adaptation = light.adapt(light.WHITES[space], light.xy(_D50))
    red, green, blue = (adaptation @ light.rgb_to_xyz(space)).T
    curve = b"para" + struct.pack(">IHH", 0, 3, 0) + _fixed(_SRGB_CURVE)
    tags = {
        b"desc": _text(_NAMES[space]),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": _xyz(_D50),
        b"chad": b"sf32" + bytes(4) + _fixed(adaptation.ravel()),
        b"rXYZ": _xyz(red),
        b"gXYZ": _xyz(green),
        b"bXYZ": _xyz(blue),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    return _assemble(tags)


def _fixed(values: tuple[float, ...] | F64) -> bytes:
    """s15Fixed16Number, big-endian."""
    return struct.pack(f">{len(values)}i", *(round(float(v) * 65536) for v in values))


def _xyz(value: F64) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(value)


def _text(text: str) -> bytes:
    body = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(body), 28) + body


def _assemble(tags: dict[bytes, bytes]) -> bytes:
    """Header, tag table and data; equal data are stored once, as the three curves are."""
    start = 128 + 4 + 12 * len(tags)
    data, table, places = b"", b"", dict[bytes, int]()
    for name, body in tags.items():
        if body not in places:
            places[body] = start + len(data)
            data += body + bytes(-len(body) % 4)
        table += struct.pack(">4sII", name, places[body], len(body))
    header = struct.pack(">I4sI4s4s4s", start + len(data), bytes(4), 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", *_CREATED) + b"acsp" + bytes(4 + 4 + 4 + 4 + 8 + 4) + _fixed(_D50) + bytes(4 + 16 + 28)
    whole = header + struct.pack(">I", len(tags)) + table + data
    # The profile ID is the MD5 of the profile with flags, intent and ID zero, as they are here.
    return whole[:84] + hashlib.md5(whole, usedforsecurity=False).digest() + whole[100:]
