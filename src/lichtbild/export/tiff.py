"""TIFF, 16 bit: strips deflated on all cores after horizontal differencing, with ICC, EXIF and XMP.

Source: [TIFF6] sections 8, 14 (predictor); [TIFFTN] (deflate); EXIF as sub-directory after [EXIF3].
"""

from __future__ import annotations

import functools
import itertools
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import exif, icc, ifd, threads, xmp
from .ifd import Ifd
from .rendition import ExportError, Options, Rendition

_LEVEL = 3  # of 9: see png
_STRIP_BYTES = 1 << 20
_ICC, _XMP = 34675, 700
_MAX_FILE = 2**32 - 1  # offsets have 32 bits


def encode(rendition: Rendition, options: Options) -> tuple[list[bytes], list[str]]:
    """The file in pieces, and what had to be left out of it. Raises ExportError above 4 GB."""
    pixels = rendition.sdr
    height, width = rendition.size
    packet, reason = xmp.packet(rendition.recipe, rendition.description, "", rendition.xmp, options.private)
    rows = max(1, _STRIP_BYTES // pixels[0].nbytes)
    strips = threads.spread(functools.partial(_strip, pixels, rows), range(0, height, rows), options.threads)
    entries = exif.directory(rendition.exif, rendition.size, rendition.space, options.private)
    exif.only_facts(entries)
    bits = 8 * pixels.dtype.itemsize
    entries |= {
        256: ifd.long(width),
        257: ifd.long(height),
        258: ifd.short(bits, bits, bits),
        259: ifd.short(8),
        262: ifd.short(2),
        277: ifd.short(3),
        278: ifd.long(rows),
        284: ifd.short(1),
        317: ifd.short(2),
        339: ifd.short(1, 1, 1),
        _ICC: ifd.octets(icc.profile(rendition.space), ifd.UNDEFINED),
        _XMP: ifd.octets(packet),
    }
    return assemble([Part(entries, strips, 273, 279)]), [reason] if reason else []


def _strip(pixels: NDArray[Any], rows: int, start: int) -> bytes:
    part = pixels[start : start + rows]
    out = np.empty(part.shape, part.dtype.newbyteorder("<"))
    out[:, 0] = part[:, 0]
    np.subtract(part[:, 1:], part[:, :-1], out=out[:, 1:], casting="unsafe")
    return zlib.compress(out.data, _LEVEL)


@dataclass(frozen=True)
class Part:
    """One picture of a TIFF: its directory, its strips or tiles, and the tags that will say where they lie."""

    entries: Ifd
    chunks: list[bytes]
    offsets_tag: int
    counts_tag: int


def assemble(parts: list[Part]) -> list[bytes]:
    """A TIFF in pieces: header, directory of the first part with the others as its sub-directories, then all chunks.

    Raises ExportError where 32-bit offsets do not reach.
    """
    places = [0] * len(parts)

    def header() -> bytes:
        made: list[Ifd] = []
        for part, at in zip(parts, places, strict=True):
            counts = [len(c) for c in part.chunks]
            starts = itertools.accumulate((c + c % 2 for c in counts[:-1]), initial=at)
            made.append(part.entries | {part.offsets_tag: ifd.long(*starts), part.counts_tag: ifd.long(*counts)})
        return ifd.block(made[0] | ({ifd.SUBIFDS: made[1]} if len(made) > 1 else {}))

    sizes = [sum(len(c) + len(c) % 2 for c in part.chunks) for part in parts]
    start = len(header())  # how long the directories are does not depend on what they say
    if start + sum(sizes) > _MAX_FILE:
        raise ExportError("TIFF and DNG hold at most 4 GB: use JPEG XL, or a smaller photograph")
    places[:] = itertools.accumulate(sizes[:-1], initial=start)
    return [header(), *(c + bytes(len(c) % 2) for part in parts for c in part.chunks)]
