"""PNG, 8 or 16 bit: rows filtered and deflated in stripes on all cores, with ICC, EXIF and XMP.

The stripes of one zlib stream end with a sync flush, which ends at a byte, so they can be deflated side by side; each
takes the 32 kB before it as dictionary, so nothing is lost but a few bytes. Source: [PNG3] 7.3, 9, 11.3; [RFC1950].
"""

from __future__ import annotations

import functools
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import U8
from . import exif, icc, ifd, threads, xmp
from .rendition import Options, Rendition

_LEVEL = 3  # of 9: the knee for photographs; 6 takes twice the time for 1 % less
_STRIPE_BYTES = 1 << 21
_WINDOW = 1 << 15
_UP = 2  # filter type


def encode(rendition: Rendition, options: Options) -> tuple[list[bytes], list[str]]:
    """The file in pieces, and what had to be left out of it."""
    height, width = rendition.size
    deep = rendition.sdr.dtype == np.uint16
    packet, reason = xmp.packet(rendition.recipe, rendition.description, "", rendition.xmp, options.private)
    block = ifd.block(exif.directory(rendition.exif, rendition.size, rendition.space, options.private))
    pieces = [
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16 if deep else 8, 2, 0, 0, 0)),
        chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc.profile(rendition.space))),
        chunk(b"eXIf", block),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet),
        *_pixels(rendition.sdr, options.threads),
        chunk(b"IEND", b""),
    ]
    return pieces, [reason] if reason else []


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk: length, name, data, checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))


def _filtered(pixels: NDArray[Any], rows: int, start: int) -> U8:
    """Stripe of filter Up in big-endian bytes (rows, 1 + bytes of a row); needs the row above the stripe."""
    stop = min(start + rows, pixels.shape[0])
    above = pixels[max(start - 1, 0) : stop]
    data = above.astype(above.dtype.newbyteorder(">")).reshape(len(above), -1).view(np.uint8)
    if start == 0:
        data = np.concatenate([np.zeros_like(data[:1]), data])
    out = np.empty((stop - start, data.shape[1] + 1), np.uint8)
    out[:, 0] = _UP
    np.subtract(data[1:], data[:-1], out=out[:, 1:])
    return out


def _pixels(pixels: NDArray[Any], workers: int) -> list[bytes]:
    height, row = pixels.shape[0], 1 + pixels[0].nbytes
    rows = max(1, _STRIPE_BYTES // row)
    starts = range(0, height, rows)
    plain = threads.spread(functools.partial(_filtered, pixels, rows), starts, workers)
    packed = threads.spread(functools.partial(_deflate, plain), range(len(starts)), workers)
    adler = zlib.adler32(b"")
    for stripe in plain:
        adler = zlib.adler32(stripe.data, adler)
    packed[0] = b"\x78\x5e" + packed[0]
    packed[-1] += struct.pack(">I", adler)
    return [chunk(b"IDAT", data) for data in packed]


def _deflate(stripes: list[U8], i: int) -> bytes:
    before = stripes[i - 1].reshape(-1)[-_WINDOW:].tobytes() if i else b""
    settings: Any = {"zdict": before} if before else {}
    coder = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, **settings)
    return coder.compress(stripes[i].data) + coder.flush(zlib.Z_FINISH if i == len(stripes) - 1 else zlib.Z_SYNC_FLUSH)
