"""Motion: what most tiles of a picture do, as one smooth field; what tiles without texture do, too.

What a camera sees that turns and shifts behind a lens that distorts moves by a field of the second degree, to 0.02 px
at fifteen times the shake of a hand; the best affine one errs by 1 px in the corners (simulated street, 1.2 MP).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..types import F32

_ENOUGH = 1500  # tiles that tell the motion of the whole
_BENT = 8  # tiles of the shorter side from which it may be of the second degree
# How much more the second degree must explain than if tiles erred one by one: those that lie together err alike. At 8
# alignment at ISO 12800 became worse (SB-1), at 60 corners were lost.
_BY_CHANCE = 12.0


def whole(flow: F32, weight: F32, bent: bool = False) -> F32:
    """The motion of the whole (2, ty, tx) that most tiles follow; `weight` (ty, tx) ≥ 0.

    It is affine; where it may be `bent`, of the second degree as far as that is no chance.
    """
    rows, columns = flow.shape[1:]
    some, terms, part = _terms(rows, columns, bent and min(rows, columns) >= _BENT, flow.dtype)
    target, sure = flow[:, *some].reshape(2, -1), weight[some].ravel() + flow.dtype.type(1e-6)
    fit = np.zeros((2, len(terms)), flow.dtype)
    fit[:, :3], w, _ = _fitted(part[:3], target, sure, sure, (0.25, 0.01, 0.01))
    if len(part) > 3:
        second, w, away = _fitted(part, target, sure, w, (0.01, 0.01))
        more = second - fit
        count = w.sum() ** 2 / np.square(w).sum()
        chance = _BY_CHANCE * float((w * away).sum()) / count
        fit += more * max(0.0, 1 - chance / max(float((w * np.square(more @ part).sum(0)).sum()), 1e-12))
    return np.asarray(fit @ terms, flow.dtype).reshape(2, rows, columns)


@functools.lru_cache(32)
def _terms(rows: int, columns: int, bent: bool, dtype: Any) -> tuple[tuple[slice, slice], F32, F32]:
    """What the motion of the whole is made of: tiles that tell it, the terms of its tiles (k, tiles), and of those.

    Ten planes of two frames side by side ask for the same: finding them each time took a tenth of the alignment.
    """
    step = max(1, math.isqrt(rows * columns // _ENOUGH))
    some = np.s_[step // 2 :: step, step // 2 :: step]
    y, x = np.meshgrid(*((np.arange(n, dtype=dtype) - (n - 1) / 2) / n for n in (rows, columns)), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, *((x * x, x * y, y * y) if bent else ())]).astype(dtype)
    return some, terms.reshape(len(terms), -1), terms[:, *some].reshape(len(terms), -1)


def _fitted(part: F32, target: F32, sure: F32, w: F32, least: tuple[float, ...]) -> tuple[F32, F32, F32]:
    """(2, k) of what adds up `part` (k, n) to `target` (2, n) where most agree; weights and squares (n,) of the rest.

    `w`: weights to begin with; `least`: squares of distances that count as near, round by round.
    """
    hold = np.diag(np.array([1e-9, 1e-3, 1e-3, 1e-5, 1e-5, 1e-5])[: len(part)])
    for near in least:
        left = part * w
        fit = np.linalg.solve(left @ part.T + hold * w.sum(), left @ target.T).T.astype(target.dtype)
        away = np.square(target - fit @ part).sum(0)
        middle = float(np.partition(away, away.size // 2)[away.size // 2])
        w = sure / np.square(1 + away / (4 * max(middle, near)))
    return fit, w, away
