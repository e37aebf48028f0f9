"""JPEG XL with EXIF and XMP boxes, sRGB or Display P3.

Source: [ISO18181-2] (boxes); `jxl_header` for how the colour space is declared.
"""

from __future__ import annotations

import functools

import imagecodecs
import numpy as np

from .. import light
from ..types import F32, U16
from . import bmff, exif, ifd, jxl_header, threads, xmp
from .rendition import Options, Rendition

_EFFORT = 4  # of 9: 5 takes twice as long for files 2 % smaller
_SIGNATURE = b"\r\n\x87\n"


def encode(rendition: Rendition, options: Options) -> tuple[list[bytes], list[str]]:
    """The file in pieces, and what had to be left out of it."""
    packet, reason = xmp.packet(rendition.recipe, rendition.description, "", rendition.xmp, options.private)
    block = ifd.block(exif.directory(rendition.exif, rendition.size, rendition.space, options.private))
    data = imagecodecs.jpegxl_encode(
        _linear(rendition.bits16(), rendition.space),
        distance=distance(options.quality),
        effort=_EFFORT,
        usecontainer=False,
        numthreads=threads.count(options.threads),
    )
    pieces = [
        bmff.box(b"JXL ", _SIGNATURE),
        bmff.box(b"ftyp", b"jxl \0\0\0\0jxl "),
        bmff.box(b"Exif", bytes(4) + block),
        bmff.box(b"xml ", packet),
        bmff.box(b"jxlc", jxl_header.recolour(bytes(data), rendition.space)),
    ]
    return pieces, [reason] if reason else []


def distance(quality: int) -> float:
    """Butteraugli distance for a quality on the scale of JPEG, as the reference encoder maps it; 1 is invisible."""
    if quality >= 30:
        return max(0.1, 0.1 + (100 - quality) * 0.09)
    return 53 / 3000 * quality**2 - 23 / 20 * quality + 25


def _linear(pixels: U16, space: str) -> F32:
    """Linear sRGB of display-encoded pixels, below zero where the colour lies outside sRGB."""
    out = _curve()[pixels]
    if space != "srgb":
        np.matmul(out, light.convert(space, "srgb").T.astype(np.float32), out=out)
    return out


@functools.cache
def _curve() -> F32:
    return light.eotf(np.arange(65536) / 65535).astype(np.float32)
