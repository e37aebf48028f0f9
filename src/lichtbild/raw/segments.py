"""Tiles and strips of one directory, decoded in parallel into one array."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..types import RawError
from . import codecs, ljpeg, tags
from .codecs import Coding
from .tiff import Buffer, Ifd

MAX_SIDE = 1 << 17
MAX_PIXELS = 1 << 30
MAX_SEGMENTS = 1 << 16
_ROWS = 256  # of a piece of a strip
SMALL = 1 << 22  # samples that any file may ask for: 8 MB

Curve = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Layout:
    """Where the samples of an image lie in the file."""

    width: int
    height: int
    samples: int
    planar: bool  # each sample in segments of its own
    segment: tuple[int, int]  # rows, columns
    tiled: bool
    offsets: list[int]
    counts: list[int]
    coding: Coding

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of segments in one plane."""
        return -(-self.height // self.segment[0]), -(-self.width // self.segment[1])


def layout(ifd: Ifd) -> Layout:
    """The layout that a directory describes, checked against the length of the file.

    Raises RawError for sizes that are absurd, data outside the file, or more pixels than its bytes can hold.
    """
    width, height, samples = ifd.integer(tags.WIDTH, 0), ifd.integer(tags.HEIGHT, 0), ifd.integer(tags.SAMPLES, 1)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise RawError(f"claims {width}x{height} pixels, which is absurd; the file is damaged")
    if not 1 <= samples <= 4:
        raise RawError(f"claims {samples} samples per pixel, expected 1 or 3")
    bits = ifd.integers(tags.BITS) or [1]
    kinds = ifd.integers(tags.SAMPLE_FORMAT) or [1]
    if len(set(bits)) != 1 or len(set(kinds)) != 1 or kinds[0] not in (1, 3):
        raise RawError(f"samples of {bits} bits in the formats {kinds} are not read")
    coding = Coding(
        ifd.integer(tags.COMPRESSION, 1), bits[0], "f" if kinds[0] == 3 else "u", ifd.integer(tags.PREDICTOR, 1),
        ifd.order,
    )  # fmt: skip
    if why := codecs.supported(coding):
        raise RawError(why)
    planar = ifd.integer(tags.PLANAR, 1) == 2 and samples > 1
    tiled = tags.TILE_OFFSETS in ifd
    if tiled:
        segment = ifd.integer(tags.TILE_HEIGHT, 0), ifd.integer(tags.TILE_WIDTH, 0)
    else:
        segment = min(ifd.integer(tags.ROWS_PER_STRIP, height), height), width
    if not (0 < segment[0] <= MAX_SIDE and 0 < segment[1] <= MAX_SIDE):
        raise RawError(f"claims tiles or strips of {segment[1]}x{segment[0]} pixels; the file is damaged")
    offsets = ifd.integers(tags.TILE_OFFSETS if tiled else tags.STRIP_OFFSETS) or []
    counts = ifd.integers(tags.TILE_COUNTS if tiled else tags.STRIP_COUNTS) or []
    found = Layout(width, height, samples, planar, segment, tiled, offsets, counts, coding)
    _check(found, len(ifd.data))
    return found


def _check(of: Layout, length: int) -> None:
    rows, columns = of.grid
    n = rows * columns * (of.samples if of.planar else 1)
    if n > MAX_SEGMENTS:
        raise RawError(f"is cut into {n} tiles or strips; more than {MAX_SEGMENTS} are not read")
    if len(of.offsets) < n or len(of.counts) < n:
        raise RawError(f"names {min(len(of.offsets), len(of.counts))} of {n} tiles or strips; the file is damaged")
    for offset, count in zip(of.offsets[:n], of.counts[:n], strict=True):
        if count <= 0 or offset <= 0 or offset + count > length:
            raise RawError("its pixels lie beyond the end of the file; it is cut short, copy it again from the camera")
    held = sum(of.counts[:n])
    claimed = n * of.segment[0] * of.segment[1] * (1 if of.planar else of.samples)
    if held > 2 * length:
        raise RawError("its tiles or strips lie upon each other; the file is damaged")
    if claimed > SMALL and claimed > held * codecs.RATIO[of.coding.compression]:
        raise RawError(
            f"claims {of.width}x{of.height} pixels in {held} bytes, which cannot hold them; the file is damaged"
        )


def _cut(of: Layout) -> Layout:
    """The same image in shorter strips, for all cores, where it is one strip of plain rows."""
    if of.tiled or of.coding.compression != 1 or of.grid != (1, 1) or of.height <= _ROWS:
        return of
    size = codecs.row_bytes((1, of.width, 1 if of.planar else of.samples), of.coding)
    starts = [(i, size * y) for i in range(of.samples if of.planar else 1) for y in range(0, of.height, _ROWS)]
    offsets = [of.offsets[i] + start for i, start in starts]
    counts = [min(max(of.counts[i] - start, 0), size * _ROWS) for i, start in starts]
    return replace(of, segment=(_ROWS, of.width), offsets=offsets, counts=counts)


def threads() -> int:
    """Threads for decoding: HL_NUM_THREADS where set, as for kernels, else one for each processor."""
    wanted = os.environ.get("HL_NUM_THREADS", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) else len(os.sched_getaffinity(0))


def read(data: Buffer, of: Layout, curve: Curve | None = None) -> NDArray[Any]:
    """The image: (H, W) for one sample a pixel, else (samples, H, W); uint16, or float32 where the file holds floats.

    `curve` is applied to each segment while it is in the cache.
    """
    of = _cut(of)
    out = np.empty((of.samples, of.height, of.width), np.float32 if of.coding.kind == "f" else np.uint16)
    rows, columns = of.grid
    count = rows * columns * (of.samples if of.planar else 1)
    step = ljpeg.LANES if of.coding.compression == 7 and of.tiled else 1

    def job(start: int) -> None:
        chosen = range(start, min(start + step, count))
        coded = [bytes(data[of.offsets[i] : of.offsets[i] + of.counts[i]]) for i in chosen]
        shape = (of.segment[0], of.segment[1], 1 if of.planar else of.samples)
        together = ljpeg.decode(coded, shape[0] * shape[1] * shape[2]) if len(coded) == ljpeg.LANES else None
        for k, i in enumerate(chosen):
            place = _place(of, i)
            piece = codecs.decode(coded[k], place.shape, of.coding) if together is None else together[k].reshape(shape)
            piece = piece[: place.high, : place.wide]
            if curve is not None:
                piece = curve(piece)
            into = out[place.plane : place.plane + 1] if of.planar else out
            into[:, place.y : place.y + place.high, place.x : place.x + place.wide] = piece.transpose(2, 0, 1)

    starts = range(0, count, step)
    n = min(threads(), len(starts))
    if n == 1:
        for start in starts:
            job(start)
    else:
        with ThreadPoolExecutor(n) as pool:
            for done in [pool.submit(job, start) for start in starts]:
                done.result()
    return out[0] if of.samples == 1 else out


class _Place(NamedTuple):
    """Where a segment belongs, how much of it lies in the image, and its coded shape."""

    plane: int
    y: int
    x: int
    high: int
    wide: int
    shape: tuple[int, int, int]


def _place(of: Layout, i: int) -> _Place:
    rows, columns = of.grid
    plane, at = divmod(i, rows * columns) if of.planar else (0, i)
    y, x = at // columns * of.segment[0], at % columns * of.segment[1]
    high, wide = min(of.segment[0], of.height - y), min(of.segment[1], of.width - x)
    shape = (of.segment[0] if of.tiled else high, of.segment[1], 1 if of.planar else of.samples)
    return _Place(plane, y, x, high, wide, shape)
