"""Which light a sample means: CFA pattern, black level, white level. Source: [DNG1.7.1] chapter 4."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from ..types import F32, RawError
from . import tags
from .tiff import Ifd

Box = tuple[int, int, int, int]  # top, left, bottom, right
_CFA, _LINEAR = 32803, 34892


def cfa(ifd: Ifd, samples: int) -> str:
    """The pattern as it begins at the first sample stored, as lichtbild.cfa writes it; RGB for three planes.

    Raises RawError for what is no pattern of R, G and B up to 8x8.
    """
    if ifd.integer(tags.PHOTOMETRIC, 0) == _LINEAR:
        if samples not in (1, 3):
            raise RawError(f"LinearRaw of {samples} planes is not read yet (1 and 3 are)")
        return "MONO" if samples == 1 else "RGB"
    dims, raw = ifd.integers(tags.CFA_DIM) or [], ifd.integers(tags.CFA_PATTERN) or []
    if samples != 1 or len(dims) != 2 or not 0 < dims[0] * dims[1] <= 1024 or len(raw) != dims[0] * dims[1]:
        raise RawError("has a mosaic without a usable CFA pattern; the file is damaged")
    if ifd.integer(tags.CFA_LAYOUT, 1) != 1:
        raise RawError("has a staggered CFA layout, which lichtbild cannot develop yet")
    return named(np.array(raw).reshape(dims))


def named(pattern: NDArray[Any]) -> str:
    """The word of a pattern of colour codes 0 R, 1 G, 2 B; one colour alone, whichever, is MONO."""
    rows, columns = pattern.shape
    found = sorted(set(pattern.ravel().tolist()))
    if len(found) == 1:
        return "MONO"
    if not set(found) <= {0, 1, 2}:
        raise RawError(f"has a {rows}x{columns} mosaic of the colours {found}, of which R, G and B (0, 1, 2) are known")
    try:
        return patterns.word(pattern)
    except ValueError:
        raise RawError(
            f"has a {rows}x{columns} mosaic of the colours {found}; what lichtbild can develop has all of R, G and B "
            f"(0, 1, 2) and repeats within {patterns.MOST}x{patterns.MOST}"
        ) from None


def active_area(ifd: Ifd, shape: tuple[int, int]) -> Box:
    """ActiveArea, or the whole image. RawError for an area that is empty or outside of the image."""
    values = ifd.integers(tags.ACTIVE_AREA)
    if values is None:
        return 0, 0, *shape
    if len(values) != 4:
        raise RawError("ActiveArea is not four numbers; the file is damaged")
    top, left, bottom, right = values
    if not (0 <= top < bottom <= shape[0] and 0 <= left < right <= shape[1]):
        raise RawError(f"ActiveArea {values} does not fit an image of {shape[1]}x{shape[0]}; the file is damaged")
    return top, left, bottom, right


def white(ifd: Ifd, planes: int, ceiling: float, guesses: list[str]) -> tuple[float, ...]:
    """WhiteLevel of each plane; without the tag `ceiling`."""
    values = ifd.numbers(tags.WHITE)
    if values is not None and len(values) and not np.isfinite(values).all():
        guesses.append("WhiteLevel is not a number: taken as missing")
        values = None
    if values is None or not len(values):
        guesses.append(f"no WhiteLevel: {ceiling:g} is taken for white")
        return (float(ceiling),) * planes
    return tuple(float(v) for v in (values[:planes] if len(values) >= planes else np.repeat(values[:1], planes)))


def black(ifd: Ifd, planes: int, guesses: list[str]) -> F32 | None:
    """BlackLevel (rows, columns, planes), repeating from the corner of the active area; None without the tag."""
    values = ifd.numbers(tags.BLACK)
    if values is None or not len(values):
        return None
    if not np.isfinite(values).all():
        guesses.append("BlackLevel is not a number: taken as missing")
        return None
    rows, columns = (*(ifd.integers(tags.BLACK_DIM) or []), 1, 1)[:2]
    if not (0 < rows <= 64 and 0 < columns <= 64):
        raise RawError(f"black level repeats every {rows}x{columns} pixels; the file is damaged")
    size = rows * columns * planes
    if len(values) == 1:
        return np.full((1, 1, planes), values[0], np.float32)
    if len(values) < size:
        raise RawError(f"has {len(values)} black levels for a pattern of {size}; the file is damaged")
    return values[:size].astype(np.float32).reshape(rows, columns, planes)


def delta(ifd: Ifd, tag: int, size: int, guesses: list[str]) -> F32 | None:
    """BlackLevelDeltaH or -V: what adds to the black of each column or row of the active area."""
    values = ifd.numbers(tag)
    if values is None:
        return None
    if len(values) != size or not np.isfinite(values).all():
        guesses.append(f"BlackLevelDelta{'H' if tag == tags.BLACK_DELTA_H else 'V'} is damaged: left out")
        return None
    return values.astype(np.float32)


def masked_black(ifd: Ifd, image: NDArray[Any], area: Box, guesses: list[str]) -> F32 | None:
    """Black measured where no light fell: in MaskedAreas, else in a border outside the active area that is dark.

    One mean for each of the 2x2 phases of the active area, (2, 2, 1). None where there is nothing to measure.
    """
    boxes = _masked_boxes(ifd, image.shape)
    origin = "MaskedAreas"
    if not boxes:
        boxes = [b for b in _borders(area, (image.shape[0], image.shape[1])) if _dark(image, b, area)]
        origin = "a dark border outside ActiveArea"
    sums, counts = np.zeros((2, 2)), np.zeros((2, 2))
    for top, left, bottom, right in boxes:
        for y in range(2):
            for x in range(2):
                cell = image[top + (area[0] + y - top) % 2 : bottom : 2, left + (area[1] + x - left) % 2 : right : 2]
                sums[y, x] += cell.sum(dtype=np.float64)
                counts[y, x] += cell.size
    if not counts.all():
        return None
    guesses.append(f"no BlackLevel: measured in {origin}")
    return (sums / counts)[:, :, None].astype(np.float32)


def _masked_boxes(ifd: Ifd, shape: tuple[int, ...]) -> list[Box]:
    values = ifd.integers(tags.MASKED_AREAS) or []
    boxes = [(a, b, c, d) for a, b, c, d in zip(*[iter(values[:16])] * 4, strict=False)]
    return [(a, b, c, d) for a, b, c, d in boxes if 0 <= a < c <= shape[0] and 0 <= b < d <= shape[1]]


def _borders(area: Box, shape: tuple[int, int]) -> list[Box]:
    """Strips at least 8 pixels wide on the four sides, 2 pixels away from the light."""
    top, left, bottom, right = area
    sides = [(0, left, top - 2, right), (bottom + 2, left, shape[0], right),
             (top, 0, bottom, left - 2), (top, right + 2, bottom, shape[1])]  # fmt: skip
    return [b for b in sides if b[2] - b[0] >= 8 and b[3] - b[1] >= 8]


def _dark(image: NDArray[Any], box: Box, area: Box) -> bool:
    """Whether a border is optical black: no darker light in the picture, and only noise in itself."""
    border = image[box[0] : box[2], box[1] : box[3]].astype(np.float64)
    picture = image[area[0] : area[2] : 7, area[1] : area[3] : 7]
    low, typical = np.percentile(picture, (1, 50))
    return bool(border.mean() <= low + 1 and 8 * border.std() < max(typical - border.mean(), 1))
