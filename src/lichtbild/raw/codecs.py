"""Pixels out of one compressed tile or strip. Claimed sizes are checked before a decoder asks for memory.

Each decoder gets the bytes and the layout and returns a (rows, columns, samples) array: uint8 or uint16, or a float
type. Source: [DNG1.7.1] chapter 2; [T81] for the JPEG header.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import RawError
from .tiff import Buffer

NAMES = {
    1: "uncompressed", 7: "lossless JPEG", 8: "deflate", 32946: "deflate", 34892: "lossy JPEG", 52546: "JPEG XL",
}  # fmt: skip
# What a byte can hold at most, in samples: it bounds the memory that a file of a given size may ask for. One bit a
# sample is the floor of Huffman coding; deflate reaches 1032 bytes a byte; a blank lossy block of 64 costs 2 bits; for
# JPEG XL, which codes blank areas in next to nothing, it is our choice.
RATIO = {1: 8, 7: 8, 8: 1032, 32946: 1032, 34892: 512, 52546: 4096}
_LOSSLESS, _BASELINE, _PROGRESSIVE = 0xC3, (0xC0, 0xC1), 0xC2
_END = b"\xff\xd9"  # never within coded data, where a zero follows each 0xFF


@dataclass(frozen=True)
class Coding:
    """How the samples of a file are coded. `kind` is "u" or "f", `order` "<" or ">"."""

    compression: int
    bits: int
    kind: str
    predictor: int
    order: str


Array = NDArray[Any]
Shape = tuple[int, int, int]  # rows, columns, samples
Decoder = Callable[[Buffer, Shape, Coding], Array]


def decode(data: Buffer, shape: Shape, coding: Coding) -> Array:
    """Samples of one segment. Raises RawError where the data does not hold what is claimed."""
    try:
        return _DECODERS[coding.compression](data, shape, coding)
    except RawError:
        raise
    except Exception as e:  # imagecodecs raises a type of its own for each codec
        what = NAMES[coding.compression]
        raise RawError(
            f"its {what} data is damaged ({str(e).splitlines()[0][:80] if str(e) else type(e).__name__})"
        ) from e


def supported(coding: Coding) -> str:
    """Why a coding cannot be read; empty when it can."""
    if coding.compression not in _DECODERS:
        return f"compression {coding.compression} is not read yet"
    if coding.kind == "f":
        good = coding.bits in (16, 24, 32) and coding.compression in (1, 8, 32946)
        return "" if good else f"{coding.bits}-bit floating point is not read with this compression"
    if coding.compression == 34892 and coding.bits != 8:
        return f"lossy JPEG of {coding.bits} bits is not read yet"
    return "" if 8 <= coding.bits <= 16 else f"{coding.bits} bits per sample are not read (8 to 16 are)"


def _need(data: Buffer, size: int) -> None:
    if len(data) < size:
        raise RawError(f"a tile or strip holds {len(data)} of {size} bytes; the file is cut short or damaged")


def row_bytes(shape: Shape, coding: Coding) -> int:
    """Bytes of a plain row of samples: a whole number."""
    return -(-shape[1] * shape[2] * coding.bits // 8)


def _unpack(data: Buffer, shape: Shape, coding: Coding) -> Array:
    """Uncompressed bytes as samples; other than 8 and 16 bits are packed big-endian, each row from a whole byte."""
    rows, columns, samples = shape
    _need(data, rows * row_bytes(shape, coding))
    if coding.kind == "u" and coding.bits not in (8, 16):
        import imagecodecs

        packed = bytes(data[: rows * row_bytes(shape, coding)])
        flat = imagecodecs.packints_decode(packed, "uint16", coding.bits, runlen=columns * samples)
        return np.asarray(flat).reshape(shape)
    if coding.bits == 24:
        return _float24(np.frombuffer(data, np.uint8, 3 * rows * columns * samples), coding.order).reshape(shape)
    dtype = f"{coding.order}{coding.kind}{coding.bits // 8}"
    return np.frombuffer(data, dtype, rows * columns * samples).reshape(shape)


def _float24(data: NDArray[np.uint8], order: str) -> Array:
    """Sign, 7 bits of exponent (bias 63), 16 bits of mantissa."""
    three = data.reshape(-1, 3).astype(np.uint32)
    word = three @ np.array([1 << 16, 1 << 8, 1] if order == ">" else [1, 1 << 8, 1 << 16], np.uint32)
    exponent, mantissa = (word >> 16) & 0x7F, word & 0xFFFF
    scale = np.where(exponent == 0, np.float32(2.0**-62), np.exp2(exponent.astype(np.float32) - 63))
    value = scale * (mantissa / np.float32(65536) + (exponent != 0))
    return np.asarray(np.where(word >> 23, -value, value), np.float32)


def _deflate(data: Buffer, shape: Shape, coding: Coding) -> Array:
    import imagecodecs

    size = shape[0] * row_bytes(shape, coding)
    out = imagecodecs.deflate_decode(bytes(data), out=bytearray(size))
    _need(out, size)
    if coding.predictor == 1:
        return _unpack(out, shape, coding)
    # Predictors 34892 to 34895 look two or four pixels back instead of one.
    step = {2: 1, 34892: 2, 34893: 4, 3: 1, 34894: 2, 34895: 4}.get(coding.predictor)
    rows, columns, samples = shape
    if step is None or columns % step:
        raise RawError(f"deflate with predictor {coding.predictor} is not read for {columns} columns")
    if coding.predictor in (2, 34892, 34893):
        if coding.bits not in (8, 16) or coding.kind == "f":
            raise RawError(f"deflate with predictor {coding.predictor} is not read for {coding.bits} bits")
        wide = _unpack(out, (rows, columns // step, samples * step), coding)
        return np.cumsum(wide, axis=1, dtype=f"u{coding.bits // 8}").reshape(shape)
    if coding.kind != "f":
        raise RawError("the floating-point predictor on whole numbers; the file is damaged")
    return _float_predictor(np.frombuffer(out, np.uint8), shape, coding.bits // 8, step)


def _float_predictor(data: NDArray[np.uint8], shape: Shape, size: int, step: int) -> Array:
    """Differences of bytes undone; a row holds the most significant bytes of all samples first, then the next."""
    rows, columns, samples = shape
    stride = samples * step
    line = data.reshape(rows, -1, stride)
    line = np.cumsum(line, axis=1, dtype=np.uint8).reshape(rows, size, columns * samples)
    planes = np.ascontiguousarray(line.transpose(0, 2, 1))
    if size == 3:
        return _float24(planes.reshape(-1), ">").reshape(shape)
    return planes.view(f">f{size}").reshape(shape)


def jpeg_header(data: Buffer) -> tuple[int, int, int, int, int]:
    """Marker of the frame (0xC0 …), precision, rows, columns and components of a JPEG stream."""
    at = 2
    if bytes(data[:2]) != b"\xff\xd8":
        raise RawError("a tile does not begin like a JPEG; the file is damaged")
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            break
        marker, size = data[at + 1], (data[at + 2] << 8) + data[at + 3]
        if marker == 0xFF:
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if at + 10 > len(data):
                break
            rows, columns = (data[at + 5] << 8) + data[at + 6], (data[at + 7] << 8) + data[at + 8]
            return marker, data[at + 4], rows, columns, data[at + 9]
        else:
            at += 2 + size
    raise RawError("a tile is a JPEG without a frame; the file is damaged")


def _jpeg(data: Buffer, shape: Shape, coding: Coding) -> Array:
    marker, precision, rows, columns, components = jpeg_header(data)
    lossless = marker == _LOSSLESS
    if lossless != (coding.compression == 7) or not (lossless or marker in (*_BASELINE, _PROGRESSIVE)):
        raise RawError(f"JPEG frames of type {marker - 0xC0} are not read here")
    if (precision != 8 and not lossless) or not 2 <= precision <= 16:
        raise RawError(f"JPEG of {precision} bits is not read here")
    # A tile may be coded as any rectangle of as many samples: 512x512 as 256x512 pairs, or as 1024x256.
    if rows * columns * components != shape[0] * shape[1] * shape[2]:
        raise RawError(f"a tile of {shape[1]}x{shape[0]} holds a JPEG of {columns}x{rows}; the file is damaged")
    if not lossless and (rows, columns, components) != shape:
        raise RawError(f"a tile of {shape[1]}x{shape[0]} holds a JPEG of {columns}x{rows}; the file is damaged")
    import imagecodecs

    data = bytes(data)
    if data.rfind(_END) < 0:  # libjpeg would make up the rest
        raise RawError("a tile or strip ends in the middle of its JPEG; the file is cut short or damaged")
    out = np.asarray(imagecodecs.jpeg8_decode(data))
    if out.size != shape[0] * shape[1] * shape[2]:
        raise RawError("a tile holds another number of pixels than it says; the file is damaged")
    return out.reshape(shape)


def _jpegxl(data: Buffer, shape: Shape, coding: Coding) -> Array:
    import imagecodecs

    # With `out` given, a codestream of another size is refused before its pixels are decoded.
    flat = shape[:2] if shape[2] == 1 else shape
    out = np.empty(flat, np.uint8 if coding.bits == 8 else np.uint16)
    return np.asarray(imagecodecs.jpegxl_decode(bytes(data), numthreads=1, out=out)).reshape(shape)


_DECODERS: dict[int, Decoder] = {
    1: _unpack, 7: _jpeg, 8: _deflate, 32946: _deflate, 34892: _jpeg, 52546: _jpegxl,
}  # fmt: skip
