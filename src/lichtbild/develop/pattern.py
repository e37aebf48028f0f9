"""Pattern: three colours at every pixel of any repeating mosaic (quad, nona, 6x6 …), from square-root codes.

in    half codes (H, W) uint16, 0..32767, and the mosaic's pattern, a word of lichtbild.cfa
out   codes (3, H, W) uint16, 0..65534; what was measured is kept
Red minus green and blue minus green are estimated four times, each time as a picture would have it whose detail runs
along rows, columns or a diagonal; of these the means towards eight sides are added, weighed by how little the
differences change there, as `directional` does it for Bayer mosaics. Each estimate is linear in TAPS pixels around;
weights are found here, for each phase of the pattern, by kriging: the least mean error for light whose covariance falls
more slowly along its direction than across, whatever the local means of the three colours are. So flat fields of any
colour are exact for every pattern. Nothing is learnt from pictures but the five numbers of the covariance.
Borders repeat the picture moved by a period. Source: [Wackernagel2003] for ordinary cokriging, [Pekkucuksen2010] for
the sides.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from .. import kernels
from ..types import F32, F64, U8, U16
from . import defects
from .demosaic import EPS_CLEAN

# As in kernels/pattern.py.
TAPS, SIDE, BOX, STEP, REACH, OTHERS = 24, 5, 2, 6, 8, 8
WAYS = ((1, 0), (0, 1), (1, 1), (1, -1))
_AROUND = 4  # pixels on each side from which taps are chosen
# Covariance of light at a distance, in square-root codes: Matérn 3/2 of scale _FAR px across _LONG times that along;
# of differences of colours: exponential, the same in all directions, _DULL as strong. Chosen by CPSNR on six pictures.
_FAR, _LONG, _DULL, _DULL_FAR = 8.0, 7.0, 0.12, 12.0
_GRAIN = 1e-4  # of noise: keeps neighbours from being played off against each other
_TOWARDS = -0.3  # covariance of red minus green and blue minus green
_AHEAD = 20  # pixels of border at least: more than the farthest pixel that the kernel looks at
_WHOLE = 2.0**-22  # weights are rounded to this, so that another machine's linear algebra makes the same
Int = NDArray[np.int32]


@dataclass(frozen=True)
class Bank:
    """What the kernel is loaded with for one pattern; see kernels/pattern.py for what the numbers mean."""

    kind: U8  # (rows, columns)
    steps: Int  # (columns, 2·STEP + 1, 2)
    taps: Int  # (rows, columns, ways, TAPS, 3)
    weights: F32  # (rows, columns, ways, TAPS, 2)
    ring: Int  # (rows, columns, 8, 3)
    far: Int  # (rows, columns, 4, 3)
    other: Int  # (rows, columns, OTHERS, 3)


@functools.lru_cache(maxsize=16)
def bank(cfa: str) -> Bank:
    """The tables of a pattern."""
    cells = patterns.grid(cfa)
    rows, columns = cells.shape
    taps = np.zeros((rows, columns, len(WAYS), TAPS, 2), np.intp)
    weights = np.zeros(taps.shape)
    ring, far = np.zeros((rows, columns, 8, 2), np.intp), np.zeros((rows, columns, 4, 2), np.intp)
    other = np.zeros((rows, columns, OTHERS, 2), np.intp)
    for y, x in np.ndindex(rows, columns):
        here = np.roll(cells, (-y, -x), (0, 1))
        ring[y, x], far[y, x], other[y, x] = defects.ring(here), defects.far(here), defects.others(here, OTHERS)
        for n, way in enumerate(WAYS):
            taps[y, x, n], weights[y, x, n] = _filter(here, way)
    steps = np.stack(np.divmod(np.arange(columns)[:, None] + np.arange(-STEP, STEP + 1), columns), -1)
    return Bank(
        cells.astype(np.uint8), steps.astype(np.int32), _pointed(taps), weights.astype(np.float32), _pointed(ring),
        _pointed(far), _pointed(other),
    )  # fmt: skip


def _pointed(offsets: NDArray[np.intp]) -> Int:
    """Offsets (rows, columns, …, 2) down and across as columns of one phase, phase, and rows: (rows, columns, …, 3)."""
    columns = offsets.shape[1]
    place = np.arange(columns).reshape(1, columns, *(1,) * (offsets.ndim - 3)) + offsets[..., 1]
    return np.stack([*np.divmod(place, columns), offsets[..., 0]], -1).astype(np.int32)


def _covariance(offsets: NDArray[np.intp], colour: NDArray[np.intp], way: tuple[int, int]) -> tuple[F64, F64]:
    """Of pixels (n, 2) and their colours: between each two (n, n); and with both differences in the first (n, 2)."""
    down, across = (offsets[:, None, k] - offsets[None, :, k] for k in (0, 1))
    length = math.hypot(*way)
    along, aside = (across * way[0] + down * way[1]) / length, (down * way[0] - across * way[1]) / length
    r = math.sqrt(3) * np.hypot(along, _LONG * aside) / _FAR
    light, dull = (1 + r) * np.exp(-r), _DULL * np.exp(-np.hypot(along, aside) / _DULL_FAR)
    mixed = np.array([[1, 0, _TOWARDS], [0, 0, 0], [_TOWARDS, 0, 1]])  # green differs from light by nothing
    between = light + dull * mixed[colour][:, colour] + _GRAIN * np.eye(len(offsets))
    return between, dull[:, :1] * mixed[colour][:, [0, 2]]


def _kriged(offsets: NDArray[np.intp], colour: NDArray[np.intp], way: tuple[int, int]) -> F64:
    """(n, 2): weights of the pixels in red minus green and blue minus green of the first; they add up to that."""
    n = len(offsets)
    between, wanted = _covariance(offsets, colour, way)
    is_one = (colour[:, None] == np.arange(3)).astype(np.float64)
    system = np.block([[between, is_one], [is_one.T, np.zeros((3, 3))]])
    right = np.vstack([wanted, [[1, 0], [-1, -1], [0, 1]]])
    found: F64 = np.linalg.solve(system, right)[:n]
    return found


def _filter(cells: NDArray[np.intp], way: tuple[int, int]) -> tuple[NDArray[np.intp], F64]:
    """Offsets (TAPS, 2) and weights (TAPS, 2) of the pixel at the corner of `cells`: the heaviest of all around."""
    span = np.arange(-_AROUND, _AROUND + 1)
    offsets = np.array(
        sorted(np.ndindex(len(span), len(span)), key=lambda o: (o[0] - _AROUND) ** 2 + (o[1] - _AROUND) ** 2)
    )
    offsets = offsets - _AROUND
    colour = cells[offsets[:, 0] % cells.shape[0], offsets[:, 1] % cells.shape[1]]
    heavy = np.round(np.abs(_kriged(offsets, colour, way)).max(1), 6)
    heavy[0] = np.inf
    chosen = np.argsort(-heavy, kind="stable")[:TAPS]
    share = _kriged(offsets[chosen], colour[chosen], way)
    return offsets[chosen], np.round(share / _WHOLE) * _WHOLE


@dataclass(frozen=True)
class Border:
    """Rows and columns of a picture from which one with a border is made; `ahead` (down, across) of them before it."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    ahead: tuple[int, int]

    @classmethod
    def of(cls, shape: tuple[int, int], cfa: str, levels: int = 1) -> Border:
        """Whole periods of the pattern, and of `levels` rows of black; beyond the edges all is moved by a period."""
        periods = patterns.grid(cfa).shape
        ahead = [math.lcm(periods[0], levels), periods[1]]
        ahead = [n * math.ceil(_AHEAD / n) for n in ahead]
        lines = []
        for size, period, before in zip(shape, periods, ahead, strict=True):
            lines.append(patterns.inside(np.arange(-before, size + _AHEAD), size, period))
        return cls(lines[0], lines[1], (ahead[0], ahead[1]))

    def around(self, picture: U16) -> U16:
        """`picture` (H, W) with the border."""
        (h, w), (top, left) = picture.shape, self.ahead
        out = np.empty((len(self.rows), len(self.columns)), picture.dtype)
        out[top : top + h, left : left + w] = picture
        for rows in (slice(0, top), slice(top + h, None)):
            out[rows] = picture[self.rows[rows]][:, self.columns]
        for columns in (slice(0, left), slice(left + w, None)):
            out[:, columns] = picture[:, self.columns[columns]][self.rows]
        return out


def steepest(eps: float) -> float:
    """`demosaic.epsilon`, a sum of quartered gradients of one difference, as this module sums gradients of both."""
    return 8 * eps


def apply(half: U16, cfa: str, eps: float = EPS_CLEAN * 32767) -> U16:
    """Codes (3, H, W) from half codes (H, W) ≤ 32767; `eps` as `demosaic.epsilon` gives it."""
    out = np.empty((3, *half.shape), np.uint16)
    edge, tables = Border.of((half.shape[0], half.shape[1]), cfa), bank(cfa)
    kernels.call(
        "demosaic_pattern", mosaic=edge.around(half), kind=tables.kind, steps=tables.steps, taps=tables.taps,
        weights=tables.weights, ahead_y=edge.ahead[0], ahead_x=edge.ahead[1], eps=steepest(eps), output=out,
    )  # fmt: skip
    return out


def front(
    mosaic: U16, cfa: str, tables: dict[str, Any], knobs: U16, eps: float, out: U16
) -> None:  # fmt: skip
    """The whole front pass into `out` (3, H, W): `tables` and `knobs` as `develop.front` has them for such a frame."""
    edge, own = Border.of((mosaic.shape[0], mosaic.shape[1]), cfa, tables["levels"].shape[1]), bank(cfa)
    wide = {k: np.ascontiguousarray(tables[k][..., edge.columns]) for k in ("levels", "gains", "offset")}
    tall = {k: tables[k][edge.rows] for k in ("per_row", "row", "weight")}
    kernels.call(
        "front_pattern", raw=edge.around(mosaic), kind=own.kind, steps=own.steps, taps=own.taps, weights=own.weights,
        ring=own.ring, far=own.far, other=own.other, ahead_y=edge.ahead[0], ahead_x=edge.ahead[1], knobs=knobs,
        eps=steepest(eps), output=out, **wide, **tall,
    )  # fmt: skip


def twin(half: U16, cfa: str, eps: float = EPS_CLEAN * 32767) -> U16:
    """`apply` in NumPy; rounding may differ by a half code or two."""
    edge, tables = Border.of((half.shape[0], half.shape[1]), cfa), bank(cfa)
    q = edge.around(half).astype(np.float32)
    rows, columns = tables.kind.shape
    est = np.zeros((len(WAYS), 2, *q.shape), np.float32)
    for y, x in np.ndindex(rows, columns):
        for n, _ in enumerate(WAYS):
            for (jump, phase, down), share in zip(tables.taps[y, x, n], tables.weights[y, x, n], strict=True):
                seen = _at(q, down, jump * columns + phase - x)[y::rows, x::columns]
                for k in range(2):
                    est[n, k, y::rows, x::columns] += share[k] * seen
    sums, weight = np.zeros((2, *q.shape)), np.zeros(q.shape)
    for n, (i, j) in enumerate(WAYS):
        steep = np.abs(_at(est[n], j, i) - _at(est[n], -j, -i)).sum(0) / math.hypot(i, j)
        box = sum(_at(steep, v, u) for v in range(-BOX, BOX + 1) for u in range(-BOX, BOX + 1))
        for sign in (1, -1):
            own = (_at(box, sign * j, sign * i) + steepest(eps)) ** -4.0
            sums += own * sum(_at(est[n], sign * k * j, sign * k * i) for k in range(SIDE)) / SIDE
            weight += own
    kind = np.asarray(tables.kind)[np.arange(q.shape[0])[:, None] % rows, np.arange(q.shape[1]) % columns]
    red, blue = sums / weight
    green = np.where(kind == 1, q, np.where(kind == 0, q - red, q - blue))
    three = np.stack([np.where(kind == 0, q, green + red), green, np.where(kind == 2, q, green + blue)])
    (top, left), (h, w) = edge.ahead, half.shape
    inside = three[:, top : top + h, left : left + w]
    return (2 * np.clip(inside + 0.5, 0, 32767).astype(np.int64)).astype(np.uint16)


def _at(a: Any, dy: int, dx: int) -> Any:
    return np.roll(a, (-dy, -dx), (-2, -1))
