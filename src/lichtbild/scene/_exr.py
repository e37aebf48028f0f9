"""Reading OpenEXR pictures: scan lines of R, G, B or Y in half, float or uint, plain or packed with RLE or ZIP.

Source: [OpenEXR], its file layout. What rendering programs write by default is here; wavelet and lossy packings, tiles,
deep pictures and several parts are refused by name.
"""

from __future__ import annotations

import pathlib
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from ..types import F32, F64
from .types import SceneError

_DTYPES = (np.dtype("<u4"), np.dtype("<f2"), np.dtype("<f4"))
_LINES = {0: 1, 1: 1, 2: 1, 3: 16}  # packing → scan lines in a block
_PACKINGS = ("NONE", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB")
MOST_PIXELS = 1 << 28


@dataclass(frozen=True)
class Exr:
    """A picture: `planes` (H, W) float32 by channel name, and its primaries and white (4, 2) xy where it names them."""

    planes: dict[str, F32]
    chromaticities: F64 | None


@dataclass
class _Header:
    channels: list[tuple[str, int]]
    packing: int
    window: tuple[int, int, int, int]  # x0, y0, x1, y1 inclusive
    chromaticities: F64 | None
    end: int


def read(path: pathlib.Path) -> Exr:
    """The picture in `path`. Raises SceneError naming the file, what is wrong and the remedy."""
    data = path.read_bytes()
    try:
        header = _header(path, data)
        return Exr(_planes(path, data, header), header.chromaticities)
    except (struct.error, zlib.error, ValueError, IndexError, OverflowError, MemoryError):
        raise SceneError(f"{path}: broken or cut off OpenEXR file; copy or write it again") from None


def _header(path: pathlib.Path, data: bytes) -> _Header:
    magic, version = struct.unpack_from("<II", data)
    if magic != 20000630:
        raise SceneError(f"{path}: not an OpenEXR file")
    if version & 0x1A00:  # tiled, deep, several parts
        raise SceneError(f"{path}: tiled, deep and multi-part OpenEXR are not read; save it as scan lines")
    at, found = 8, {}
    while data[at]:
        name, at = _word(data, at)
        _, at = _word(data, at)
        (size,) = struct.unpack_from("<I", data, at)
        found[name], at = data[at + 4 : at + 4 + size], at + 4 + size
    packing = found["compression"][0] if "compression" in found else 255
    if packing not in _LINES:
        named = _PACKINGS[packing] if packing < len(_PACKINGS) else str(packing)
        raise SceneError(f"{path}: OpenEXR packed as {named} is not read; save it as ZIP")
    if "channels" not in found or "dataWindow" not in found:
        raise ValueError
    white = found.get("chromaticities")
    xy = None if white is None else np.array(struct.unpack("<8f", white), np.float64).reshape(4, 2)
    x0, y0, x1, y1 = struct.unpack("<4i", found["dataWindow"])
    if x1 < x0 or y1 < y0 or (x1 - x0 + 1) * (y1 - y0 + 1) > MOST_PIXELS:
        raise ValueError
    return _Header(_channels(path, found["channels"]), packing, (x0, y0, x1, y1), xy, at + 1)


def _word(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def _channels(path: pathlib.Path, data: bytes) -> list[tuple[str, int]]:
    channels, at = [], 0
    while data[at]:
        name, at = _word(data, at)
        kind, _, step_x, step_y = struct.unpack_from("<4I", data, at)
        at += 16
        if (step_x, step_y) != (1, 1):
            raise SceneError(f"{path}: channel '{name}' is subsampled, which is not read; save it as RGB")
        if kind >= len(_DTYPES):
            raise ValueError
        channels.append((name, kind))
    return channels


def _planes(path: pathlib.Path, data: bytes, header: _Header) -> dict[str, F32]:
    x0, y0, x1, y1 = header.window
    width, height = x1 - x0 + 1, y1 - y0 + 1
    lines = _LINES[header.packing]
    row_bytes = width * sum(_DTYPES[kind].itemsize for _, kind in header.channels)
    blocks = -(-height // lines)
    offsets = struct.unpack_from(f"<{blocks}Q", data, header.end)
    planes = {name: np.zeros((height, width), np.float32) for name, _ in header.channels}
    for offset in offsets:
        first, size = struct.unpack_from("<iI", data, offset)
        first -= y0
        if not 0 <= first < height or size > len(data):
            raise ValueError
        rows = min(lines, height - first)
        raw = _unpack(data[offset + 8 : offset + 8 + size], header.packing, rows * row_bytes)
        for row in range(rows):
            at = row * row_bytes
            for name, kind in header.channels:
                planes[name][first + row] = np.frombuffer(raw, _DTYPES[kind], width, at)
                at += width * _DTYPES[kind].itemsize
    return planes


def _unpack(packed: bytes, packing: int, size: int) -> bytes:
    """One block: unpack, undo the differences of neighbours, join the two halves byte by byte."""
    if packing == 0 or len(packed) == size:
        return packed
    if packing == 1:
        flat = _runs(packed, size)
    else:
        flat = zlib.decompressobj().decompress(packed, size)
    if len(flat) != size:
        raise ValueError
    steps = np.frombuffer(flat, np.uint8).astype(np.int64)
    steps[1:] -= 128
    whole = np.cumsum(steps).astype(np.uint8)
    out = np.empty(size, np.uint8)
    half = (size + 1) // 2
    out[0::2], out[1::2] = whole[:half], whole[half:]
    return out.tobytes()


def _runs(packed: bytes, size: int) -> bytes:
    out, at = bytearray(), 0
    while at < len(packed) and len(out) <= size:
        count = packed[at] - 256 if packed[at] > 127 else packed[at]
        if count < 0:
            out += packed[at + 1 : at + 1 - count]
            at += 1 - count
        else:
            out += packed[at + 1 : at + 2] * (count + 1)
            at += 2
    return bytes(out)
