"""Register: which part of a wanted picture shows what each part of a plain one shows, whatever look it has.

in    two pictures (H, W, 3) of one view, encoded 0..1: another size, crop, lens correction or look
out   colours (n, 3) of small parts of the plain one, and of the same things in the other
Only the order of lightnesses is compared (histogram equalisation), because looks keep it. Phase correlation over a
range of scales finds crop and size; then tiles are aligned as the frames of a burst are.
Source: [Kuglin1975] phase correlation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from ..merge import align, motion
from ..types import F32, F64
from .spec import LookError

Mask = NDArray[np.bool_]

_SMALL, _LARGE = 256, 1024  # longer side of the plain picture while it is searched, and while tiles are aligned
_SCALES = np.geomspace(0.72, 1.4, 67)  # sizes of things in the wanted picture against the plain one, in steps of 1 %
_ALIKE = 0.5  # correlation of the equalised pictures from which they are taken for one view
_DETAIL = 400.0  # noise of equalised codes that alignment reckons with: weak texture has no say
_ROUNDS = 2  # of alignment of the whole by its tiles
_UNSTEADY = 2.0  # pixels by which a tile's shift may differ from its neighbours'
_CLEAR = 0.98  # encoded value from which a channel may be clipped
_TILE, _CELL = align.TILE, 4  # pixels


def colours(plain: F64, wanted: F64) -> tuple[F64, F64]:
    """Colours (n, 3) of what both pictures show. Raises LookError where they do not show one view.

    Of each tile it is the flattest cell that counts: a mean over texture has another colour after a look.
    """
    one = _resized(plain, min(1.0, _LARGE / max(plain.shape[:2])))
    place = _whole(plain, wanted, max(one.shape[:2]))
    two, flow = _aligned(one, wanted, place)
    for _ in range(_ROUNDS):
        place = _straightened(place, flow, two[..., 3])
        two, flow = _aligned(one, wanted, place)
    found = np.array([pair for pair in _cells(one, two, flow) if max(map(max, pair)) < _CLEAR], np.float64)
    return (found[:, 0], found[:, 1]) if len(found) else (np.zeros((0, 3)), np.zeros((0, 3)))


def _aligned(one: F32, wanted: F64, place: F64) -> tuple[F32, F32]:
    """The wanted picture at its place, and the shift of each tile (2, rows, columns) in pixels that remains."""
    two = _placed(wanted, place, one.shape[:2])
    first, second = (align.pyramid((_even(p, two[..., 3] > 0.999) * 32767).astype(np.uint16)) for p in (one, two))
    return two, align.estimate(first, second, _DETAIL)


def _cells(one: F32, two: F32, flow: F32) -> Iterator[tuple[F64, F64]]:
    """The mean colour of the flattest cell of each tile, and of where it lies in `two` (H, W, 4)."""
    steady = np.abs(flow - _middle(flow)).max(0) < _UNSTEADY
    for y, x in zip(*np.nonzero(steady), strict=True):
        tile = one[y * _TILE : (y + 1) * _TILE, x * _TILE : (x + 1) * _TILE]
        if tile.shape[:2] != (_TILE, _TILE):
            continue
        cells = tile.reshape(_TILE // _CELL, _CELL, _TILE // _CELL, _CELL, 3).swapaxes(1, 2).reshape(-1, _CELL**2, 3)
        k = int(cells.std(1).sum(-1).argmin())
        dy, dx = divmod(k, _TILE // _CELL)
        v, u = (
            y * _TILE + dy * _CELL + round(float(flow[1, y, x])),
            x * _TILE + dx * _CELL + round(float(flow[0, y, x])),
        )
        there = two[max(v, 0) : v + _CELL, max(u, 0) : u + _CELL].reshape(-1, 4)
        if len(there) == _CELL**2 and there[:, 3].min() > 0.999:
            yield cells[k].mean(0).astype(np.float64), there[:, :3].mean(0).astype(np.float64)


def _middle(flow: F32) -> F32:
    """Medians over 3x3 tiles."""
    wide = np.pad(flow, ((0, 0), (1, 1), (1, 1)), mode="edge")
    return np.asarray(np.median(sliding_window_view(wide, (3, 3), (1, 2)), (3, 4)), np.float32)


def _straightened(place: F64, flow: F32, there: F32) -> F64:
    """The place after the affine motion that most tiles still ask for, of those where there is a picture."""
    rows, columns = flow.shape[1:]
    y, x = ((np.mgrid[:rows, :columns][k] + 0.5) * _TILE for k in (0, 1))
    inside = there[tuple(np.minimum(v, n - 1).astype(int) for v, n in zip((y, x), there.shape, strict=True))] > 0.999
    known = inside & (np.abs(flow - _middle(flow)).max(0) < _UNSTEADY)
    smooth = motion.whole(flow.astype(np.float64), known.astype(np.float64))
    at = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], 1)
    more = np.linalg.lstsq(at, smooth.reshape(2, -1).T, rcond=None)[0].T
    return np.asarray(place @ np.vstack([np.eye(2, 3) + more, [0.0, 0.0, 1.0]]), np.float64)


def _resized(picture: F64, factor: float) -> F32:
    """The picture at another size; each channel as a float image."""
    size = tuple(max(2, round(n * factor)) for n in (picture.shape[1], picture.shape[0]))
    planes = [Image.fromarray(np.ascontiguousarray(picture[..., c], np.float32)) for c in range(picture.shape[2])]
    return np.stack([np.asarray(p.resize(size, Image.Resampling.BOX)) for p in planes], -1).astype(np.float32)


def _even(picture: F32, where: Mask | None = None, levels: int = 1024) -> F64:
    """(H, W) 0..1: the part of the picture, or of it `where` (H, W), that is darker than each pixel."""
    grey = picture[..., :3] @ np.array([0.25, 0.65, 0.1], np.float32)
    step = np.clip(grey * (levels - 1), 0, levels - 1).astype(int)
    count = np.bincount(step.ravel() if where is None else step[where], minlength=levels)
    return np.asarray(((np.cumsum(count) - count / 2) / max(count.sum(), 1))[step], np.float64)


def _placed(wanted: F64, place: F64, shape: tuple[int, int]) -> F32:
    """`wanted` as seen from the plain picture at the size `shape`: (H, W, 4), the last 1 where there is a picture."""
    full = np.concatenate([wanted, np.ones((*wanted.shape[:2], 1))], -1)
    factor = min(1.0, 1.0 / float(np.sqrt(abs(np.linalg.det(place[:, :2])))))
    shrunk = _resized(full, factor)
    by = [shrunk.shape[1] / wanted.shape[1], shrunk.shape[0] / wanted.shape[0]]
    matrix = tuple(float(v) for v in (place * np.array(by)[:, None]).ravel())
    planes = [Image.fromarray(np.ascontiguousarray(shrunk[..., c])) for c in range(4)]
    size, how = (shape[1], shape[0]), (Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return np.stack([np.asarray(p.transform(size, *how)) for p in planes], -1)


def _whole(plain: F64, wanted: F64, large: int) -> F64:
    """(2, 3): pixels of the plain picture, its longer side `large`, to those of the wanted one. Raises LookError."""
    one = _even(_resized(plain, _SMALL / max(plain.shape[:2])))
    best = (-1.0, 1.0, 0, 0)
    for scale in _SCALES:
        two = _even(_resized(wanted, _SMALL / max(wanted.shape[:2]) * scale))
        dy, dx = _shift(one, two)
        best = max(best, (_alike(one, two, dy, dx), float(scale), dx, dy))
    alike, scale, dx, dy = best
    if alike < _ALIKE:
        raise LookError(f"not one view: what they show correlates by {alike:.2f}, {_ALIKE} is expected")
    grow = max(wanted.shape[:2]) / (scale * large)
    return np.array([[grow, 0.0, grow * dx * large / _SMALL], [0.0, grow, grow * dy * large / _SMALL]])


def _shift(one: F64, two: F64) -> tuple[int, int]:
    """The most likely (dy, dx): what is at p in `one` lies at p + d in `two`."""
    shape = tuple(a + b for a, b in zip(one.shape, two.shape, strict=True))
    a, b = (np.fft.rfft2((p - 0.5) * np.sqrt(np.outer(*map(_window, p.shape))), shape) for p in (one, two))
    cross = np.conj(a) * b
    peaks = np.fft.irfft2(cross / np.sqrt(np.abs(cross) + 1e-9), shape)
    y, x = divmod(int(peaks.argmax()), shape[1])
    return (y - shape[0] if y > shape[0] // 2 else y), (x - shape[1] if x > shape[1] // 2 else x)


def _window(size: int) -> F64:
    return np.asarray(np.hanning(size + 2)[1:-1], np.float64)


def _alike(one: F64, two: F64, dy: int, dx: int) -> float:
    """Correlation of what lies on each other; less than half of the smaller picture in common counts as none."""
    top, left = max(0, -dy), max(0, -dx)
    height = min(one.shape[0] - top, two.shape[0] - max(0, dy))
    width = min(one.shape[1] - left, two.shape[1] - max(0, dx))
    if height < 4 or width < 4 or height * width < 0.5 * min(one.size, two.size):
        return -1.0
    a = one[top : top + height, left : left + width]
    b = two[top + dy : top + dy + height, left + dx : left + dx + width]
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean()) / spread if spread > 1e-6 else -1.0
