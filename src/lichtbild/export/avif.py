"""AVIF, 10 bit 4:4:4, with EXIF and XMP; the colour space is said by code points, which every reader of AVIF knows.

Source: [AVIF11]; [H273] for the code points.
"""

from __future__ import annotations

import imagecodecs
import numpy as np

from . import bmff, exif, ifd, threads, xmp
from .rendition import ExportError, Options, Rendition

_PRIMARIES = {"srgb": 1, "p3": 12}
_SRGB_TRANSFER, _BT601_MATRIX = 13, 6
_SPEED = 8  # of 10: 6 takes three times as long for files 4 % smaller
_LIMIT = 65536  # pixels a side


def encode(rendition: Rendition, options: Options) -> tuple[list[bytes], list[str]]:
    """The file in pieces, and what had to be left out of it. Raises ExportError where the photograph is too large."""
    if max(rendition.size) > _LIMIT:
        raise ExportError(f"AVIF holds at most {_LIMIT} pixels a side, this photograph has more: use TIFF")
    packet, reason = xmp.packet(rendition.recipe, rendition.description, "", rendition.xmp, options.private)
    block = ifd.block(exif.directory(rendition.exif, rendition.size, rendition.space, options.private))
    # 16 bit to 10: 65535 becomes 1023, rounded to nearest.
    pixels = ((rendition.bits16().astype(np.uint32) * 1023 + 32767) // 65535).astype(np.uint16)
    data = imagecodecs.avif_encode(
        pixels,
        options.quality,
        speed=_SPEED,
        bitspersample=10,
        pixelformat="yuv444",
        primaries=_PRIMARIES[rendition.space],
        transfer=_SRGB_TRANSFER,
        matrix=_BT601_MATRIX,
        numthreads=threads.count(options.threads),
    )
    return bmff.add_items(bytes(data), block, packet), [reason] if reason else []
