"""Demosaic: three colours at every pixel, found from square-root codes of a mosaic.

in    half codes (H, W) uint16, 0..32767: square-root codes, in which noise is equally strong everywhere
out   codes (3, H, W) uint16, 0..65534
directional  what was measured is kept; differences of colours along both axes are averaged towards four sides, weighted
             by how little they change there. The default. Source: [Pekkucuksen2010], in the square-root domain.
smooth       for strong noise: green as before; red and blue lie below it by differences averaged over 3x3 quads.
fast         linear 5x5 filters, for previews. Source: [Malvar2004].
`auto` takes directional, or smooth where the signal-to-noise ratio of mid-grey is below SMOOTH_BELOW.
Other Bayer orders are the same picture moved by a pixel; borders are mirrored about the edge pixels. All these are of
Bayer mosaics; quad, nona, 6x6 and all other patterns have one way, whatever `method` says: develop/pattern.py. With
`bin` the squares of quad and nona mosaics are read as single pixels before anything else: develop/binning.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..stage import Stage, param, stage
from ..types import U16, Noise
from .defects import phase

METHODS = ("directional", "smooth", "fast")
MID_GREY = 0.18
# With denoise behind it, directional measures better down to 0.8 at least (ISO 12800 of a phone; by 0.1 dB).
SMOOTH_BELOW = 0.5
# What gradients are compared with: noise, in standard deviations, and a part of the whole range where there is none.
EPS_SIGMAS, EPS_CLEAN = 2.0, 2.5e-4


@stage("demosaic", "three colours at every pixel of the mosaic")
class Demosaic(Stage):
    """Parameters of demosaicing."""

    method: str = param("auto", doc="how missing colours are found", choices=("auto", *METHODS))
    bin: bool = param(
        False, doc="read squares of one colour (quad, nona) as one pixel; at night by itself where grainy"
    )


def choose(method: str, noise: Noise) -> str:
    """One of METHODS: `method` itself, or for auto what measures best at this noise."""
    if method != "auto":
        return method
    variance = noise.scale[1] * MID_GREY + noise.offset[1]
    return "smooth" if SMOOTH_BELOW * math.sqrt(variance) > MID_GREY else "directional"


def epsilon(sigma: float, half_highest: float = 32767.0) -> float:
    """Sum of 25 quartered gradients below which directions are not told apart; `sigma` of noise in half codes."""
    return EPS_SIGMAS * sigma + EPS_CLEAN * half_highest


def apply(half: U16, cfa: str, method: str, eps: float = EPS_CLEAN * 32767) -> U16:
    """Codes (3, H, W) from half codes (H, W) ≤ 32767, with one of METHODS; `eps` as `epsilon` gives it."""
    out = np.empty((3, *half.shape), np.uint16)
    dx, dy = phase(cfa)
    kernels.call(f"demosaic_{method}", mosaic=half, dx=dx, dy=dy, eps=eps, output=out)
    return out


_BIAS = 32768  # differences lie around it, as in the kernel
_PAD = 20  # more than the farthest pixel that any method looks at
Int = NDArray[np.int64]


def twin(half: U16, cfa: str, method: str, eps: float = EPS_CLEAN * 32767) -> U16:
    """The same in NumPy on a padded picture; rounding of the weighted mean may differ by a half code or two."""
    height, width = half.shape
    dx, dy = phase(cfa)
    q = np.pad(half.astype(np.int64), ((_PAD + dy, _PAD), (_PAD + dx, _PAD)), mode="reflect")
    y, x = (np.asarray(k % 2, np.int64) for k in np.indices(q.shape))
    coloured = y == x  # red and blue sites
    rgb = _malvar(q, coloured, y) if method == "fast" else _along_edges(q, coloured, y, method, eps)
    inside = np.stack(rgb)[:, _PAD + dy :, _PAD + dx :][:, :height, :width]
    return (2 * np.clip(inside, 0, 32767)).astype(np.uint16)


def _at(a: Any, dy: int, dx: int) -> Any:
    return np.roll(a, (-dy, -dx), (0, 1))


def _mean(*terms: Int) -> Int:
    if len(terms) == 1:
        return terms[0]
    return _mean(*[(a + b + 1) >> 1 for a, b in zip(terms[::2], terms[1::2], strict=True)])


def _along_edges(q: Int, coloured: NDArray[np.bool_], y: Int, method: str, eps: float) -> list[Int]:
    """Green plane, then red and blue below it."""
    diff = _towards_green(q, coloured, eps)
    green = np.where(coloured, np.clip(q + diff - _BIAS, 0, 32767), q)
    used = diff
    if method == "smooth":
        down = _mean(diff, _mean(_at(diff, -2, 0), _at(diff, 2, 0)))
        used = _mean(down, _mean(_at(down, 0, -2), _at(down, 0, 2)))
    inner = [(j, i) for i in (-1, 1) for j in (-1, 1)]
    outer = [(j, i) for i in (-1, 1) for j in (-3, 3)] + [(j, i) for i in (-3, 3) for j in (-1, 1)]
    near, far = _mean(*[_at(used, *o) for o in inner]), _mean(*[_at(used, *o) for o in outer])
    cross = near + (((near >> 1) - (far >> 1)) >> 1)
    planes = []
    for row in (0, 1):  # red lies on even rows, blue on odd ones
        own = coloured & (y == row)
        below = np.where(own, used, cross)
        sides = _mean(_mean(_at(below, 0, -1), _at(below, 0, 1)), _mean(_at(below, -1, 0), _at(below, 1, 0)))
        plane = green - (np.where(coloured, below, sides) - _BIAS)
        planes.append(np.where(own & (method == "directional"), q, plane))
    return [planes[0], green, planes[1]]


def _towards_green(q: Int, coloured: NDArray[np.bool_], eps: float) -> Int:
    """Green minus the colour of red and blue sites, + BIAS, from the four sides."""
    weights, means = [], []
    for j, i in ((0, 1), (1, 0)):
        n = [_at(q, k * j, k * i) for k in (-2, -1, 0, 1, 2)]
        step = _mean(n[1], n[3]) - _mean(n[2], _mean(n[0], n[4]))
        diff = np.where(coloured, step, -step) + _BIAS
        gradient = abs(_at(diff, j, i) - _at(diff, -j, -i)) >> 2
        line = np.minimum(sum(_at(gradient, k, 0) for k in range(-2, 3)), 65535)
        box = np.minimum(sum(_at(line, 0, k) for k in range(-2, 3)), 65535) + np.float64(eps)
        for s in (-1, 1):
            side = [_at(diff, s * k * j, s * k * i) for k in range(5)]
            means.append(_mean(side[0], side[1], side[2], _mean(side[3], side[4])))
            weights.append(1 / _at(box, 2 * s * j, 2 * s * i) ** 2)
    total = sum(w * m for w, m in zip(weights, means, strict=True)) / sum(weights)
    return np.asarray(np.floor(total + 0.5), np.int64)


def _malvar(q: Int, coloured: NDArray[np.bool_], y: Int) -> list[Int]:
    """Linear 5x5 filters in shifts of integers."""

    def near(*offsets: tuple[int, int]) -> Int:
        return _mean(*[_at(q, *o) for o in offsets])

    h1, v1, h2, v2 = ((0, -1), (0, 1)), ((-1, 0), (1, 0)), ((0, -2), (0, 2)), ((-2, 0), (2, 0))
    corners = near((-1, -1), (-1, 1), (1, -1), (1, 1))
    bend = q - near(*h2, *v2)
    green = np.where(coloured, near(*h1, *v1) + (bend >> 1), q)
    opposite = corners + bend - (bend >> 2)
    base, bend_h, bend_v = (q - corners) >> 1, q - near(*h2), q - near(*v2)
    along_h = near(*h1) + base + (bend_h >> 2) - (bend_v >> 3)
    along_v = near(*v1) + base + (bend_v >> 2) - (bend_h >> 3)
    planes = [np.where(coloured, np.where(y == r, q, opposite), np.where(y == r, along_h, along_v)) for r in (0, 1)]
    return [planes[0], green, planes[1]]
