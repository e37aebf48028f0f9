"""Baseline JPEG on all cores: stripes are encoded side by side and joined by restart markers.

A JPEG scan is one long bit stream, but at a restart marker the coder starts afresh: DC prediction is zero and the
stream begins at a byte. So the scans of stripes, each encoded as an image of its own with the same tables, follow each
other with RST0..RST7 between them, and a DRI segment says how many blocks lie between two markers. Pixels after
decoding are those of the image encoded in one piece.

in    pixels (H, W, 3) uint8 or (H, W) uint8
out   segments from the first DQT to EOI, without SOI and without any APPn: the container adds its own
Source: [T81] F.1.1.5, B.2.4.4 (DRI) and E.1.4 (RSTn).
"""

from __future__ import annotations

import functools
import math
import struct
from typing import Any

import numpy as np
import simplejpeg

from ..types import U8
from . import threads
from .rendition import ExportError

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_MCU = {"420": (16, 16), "422": (8, 16), "444": (8, 8), "grey": (8, 8)}  # rows, columns
_LIMIT = 65535  # of rows, of columns, and of blocks between two restart markers
_STRIPE_PIXELS = 1 << 18  # measured best of 2^17..2^20: fits the cache, and hides the 30 us of a call


def _encode(pixels: U8, quality: int, subsampling: str) -> bytes:
    kind: dict[str, Any] = {"quality": quality, "fastdct": False}
    if subsampling == "grey":
        return bytes(simplejpeg.encode_jpeg(pixels[:, :, None], colorspace="GRAY", colorsubsampling="Gray", **kind))
    return bytes(simplejpeg.encode_jpeg(pixels, colorspace="RGB", colorsubsampling=subsampling, **kind))


def _split(jpeg: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Segments (marker, payload) up to and including SOS, and the entropy-coded data between SOS and EOI."""
    segments: list[tuple[int, bytes]] = []
    at = 2
    while True:
        marker, length = jpeg[at + 1], struct.unpack_from(">H", jpeg, at + 2)[0]
        segments.append((marker, jpeg[at + 4 : at + 2 + length]))
        at += 2 + length
        if marker == 0xDA:
            return segments, jpeg[at:-2]


def segment(marker: int, payload: bytes) -> bytes:
    """One marker segment. Raises ValueError where it is longer than 64 kB allow."""
    if len(payload) > _LIMIT - 2:
        raise ValueError(f"JPEG segment 0x{marker:02x}: {len(payload)} bytes, at most {_LIMIT - 2} fit")
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def stripe_rows(height: int, width: int, subsampling: str) -> int:
    """Rows of a stripe: whole blocks, about a quarter of a megapixel, and no more blocks than a restart can count."""
    mcu_h, mcu_w = _MCU[subsampling]
    across = math.ceil(width / mcu_w)
    wanted = max(1, round(_STRIPE_PIXELS / max(width, 1) / mcu_h))
    return min(wanted, _LIMIT // across, math.ceil(height / mcu_h)) * mcu_h


def encode(pixels: U8, quality: int, subsampling: str, workers: int = 0) -> bytes:
    """Everything of a JPEG from its first table to EOI, encoded on several threads.

    Raises ExportError where the image has more than 65535 rows or columns.
    """
    height, width = pixels.shape[:2]
    if max(height, width) > _LIMIT:
        raise ExportError(
            f"JPEG holds at most {_LIMIT} pixels a side, this photograph has {width} x {height}: use TIFF"
        )
    pixels = np.ascontiguousarray(pixels)
    rows = stripe_rows(height, width, subsampling)
    parts = [pixels[y : y + rows] for y in range(0, height, rows)]
    done = threads.spread(functools.partial(_encode, quality=quality, subsampling=subsampling), parts, workers)
    segments, first = _split(done[0])
    scans = [first, *(_split(jpeg)[1] for jpeg in done[1:])]
    return _head(segments, height, width, rows if len(parts) > 1 else 0, subsampling) + _join(scans) + EOI


def _head(segments: list[tuple[int, bytes]], height: int, width: int, rows: int, subsampling: str) -> bytes:
    """Tables, a frame header of the full height, the restart interval where there is one, the scan header."""
    out = []
    for marker, payload in segments:
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            continue
        if marker == 0xC0:
            payload = payload[:1] + struct.pack(">H", height) + payload[3:]
        if marker == 0xDA and rows:
            mcu_h, mcu_w = _MCU[subsampling]
            out.append(segment(0xDD, struct.pack(">H", rows // mcu_h * math.ceil(width / mcu_w))))
        out.append(segment(marker, payload))
    return b"".join(out)


def _join(scans: list[bytes]) -> bytes:
    pieces = [scans[0]]
    for i, scan in enumerate(scans[1:]):
        pieces += [bytes((0xFF, 0xD0 + i % 8)), scan]
    return b"".join(pieces)
