"""Align: where each tile of the reference lies in another frame, to a fraction of a pixel.

in    greys of 2x2 cells (h, w) uint16 in half codes, in which noise is equally strong everywhere
out   displacement (2, blocks y, blocks x) float32 in pixels for blocks of 16x16 pixels
From coarse to fine: phase correlation finds the shift of the whole, then each tile of 16x16 tries what its parents and
the motion of the whole suggest, searches around the best and refines it by Lucas-Kanade steps. A tile knows how surely
it knows: where it has no texture it follows its neighbours, where it has, it goes its own way.
Sources: [Hasinoff2016] tiles and candidates; [Baker2004] inverse-compositional steps; [Kuglin1975] phase correlation.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import kernels
from ..types import F32, U16
from . import motion

TILE = 16  # as in kernels/align.py
_LEAST = TILE + 2  # a tile and a border of one pixel
_COARSEST = 160  # pixels of the longer side, about: there a shift is found by phase correlation
# Noise power that is left in the grey of a guide (fast demosaic of white noise), and by each halving after it.
_NOISE_LEFT = (0.036, 0.42, 0.25)
_RANGE = 3  # pixels around the shift of the whole that are searched in the coarsest plane: turns of 2 degrees
_PEAKS = 4  # of phase correlation that are tried: the hand, and large things that move
# Lucas-Kanade steps in each plane, and in the finest one: a second there costs a fifth of the alignment and gains
# nothing at ISO 100 and 1600, 0.007 px at ISO 6400 (SB-1).
_STEPS, _LAST_STEPS = 2, 1
_SHARED = 2.0  # by which noise counts more than if cells were independent
_FIRM = 0.025  # pixels by which a tile differs from its neighbours, where it knows no better
_ALIKE = 1.0  # cells by which a tile may differ from those around it and still belong to them
_LOYAL = (
    8.0  # standard deviations (of independent cells) that another candidate must be better than the motion of the whole
)

Planes = list[U16]


def pyramid(grey: U16) -> Planes:
    """`grey` and its halved planes, finest first, while a few tiles fit in."""
    planes = [grey]
    while max(planes[-1].shape) > _COARSEST and min(planes[-1].shape) >= 2 * _LEAST:
        planes.append(halve(planes[-1]))
    return planes


def halve(plane: U16) -> U16:
    """Means over 2x2 with the weights 1 3 3 1: (ceil(H/2), ceil(W/2))."""
    out = np.empty(tuple(-(-n // 2) for n in plane.shape), np.uint16)
    kernels.call("align_halve", plane=plane, output=out)
    return out


def quarter(planes: U16) -> U16:
    """Planes (k, h, w) halved twice."""
    out = np.empty((len(planes), *(-(-n // 4) for n in planes.shape[1:])), np.uint16)
    kernels.call("align_quarter", planes=planes, output=out)
    return out


def cost(reference: U16, frame: U16, moves: Any) -> F32:
    """(k, ty, tx): sum of absolute differences of each tile under the whole displacements `moves` (k, 2, ty, tx)."""
    moves = np.ascontiguousarray(moves, np.int32)
    out = np.empty((len(moves), *moves.shape[2:]), np.uint32)
    kernels.call("align_cost", reference=reference, frame=frame, moves=moves, output=out)
    return out.astype(np.float32)


def normals(reference: U16, frame: U16, flow: F32) -> F32:
    """(6, ty, tx): sums over each tile of gx², gx·gy, gy², gx·d, gy·d, d²; see kernels/align.py."""
    out = np.empty((6, *flow.shape[1:]), np.float32)
    kernels.call(
        "align_step", reference=reference, frame=frame, flow=np.ascontiguousarray(flow, np.float32), output=out
    )
    return out


def estimate(reference: Planes, frame: Planes, sigma: float) -> F32:
    """Displacement (2, ty, tx) in cells for each tile of the finest plane; `sigma`: noise of a code of one colour.

    Planes too small for a tile are taken to lie on each other.
    """
    if min(reference[0].shape) < _LEAST:
        return np.zeros((2, *_tiles(reference[0])), np.float32)
    level = len(reference) - 1
    flow = _start(reference[level], frame[level], _noise(sigma, level))
    for n in range(level, -1, -1):
        noise = _noise(sigma, n)
        if n < level:
            flow = 2 * _grown(flow, _tiles(reference[n]))
        # In the finest plane what neighbours suggest is enough, and a search around it would cost most.
        flow = _search(reference[n], frame[n], flow, noise, _RANGE if n == level else min(n, 1))
        for _ in range(_STEPS if n else _LAST_STEPS):
            inside = _inside(reference[n], frame[n], flow)
            flow = settle(flow, normals(reference[n], frame[n], flow) * inside, noise)
    return calm(flow)


def blocks(flow: F32, shape: tuple[int, int]) -> F32:
    """Displacement in pixels for blocks of 16x16 of a picture `shape`, from that of tiles of 16x16 cells in cells.

    Between tiles that move alike it is bilinear; elsewhere a block goes with the tile it lies in.
    """
    rows, columns = (-(-n // TILE) for n in shape)
    own = flow.repeat(2, 1).repeat(2, 2)[:, :rows, :columns]
    smooth = _grown(flow, (2 * flow.shape[1], 2 * flow.shape[2]))[:, :rows, :columns]
    alike = np.abs(smooth - own).max(0) < 0.5
    return np.ascontiguousarray(2 * np.where(alike, smooth, own), np.float32)


def _noise(sigma: float, level: int) -> float:
    """Noise power of the plane of a level."""
    halvings = len(_NOISE_LEFT) - 1
    return sigma**2 * math.prod(_NOISE_LEFT[: level + 1]) * float(_NOISE_LEFT[-1] ** max(level - halvings, 0))


def _start(reference: U16, frame: U16, noise: float) -> F32:
    """(2, ty, tx) in the coarsest plane: the shift that suits most tiles best, and others where they suit better."""
    shifts = np.concatenate([np.zeros((1, 2), np.float32), correlate(reference, frame)])
    tries = np.broadcast_to(shifts[:, :, None, None], (*shifts.shape, *_tiles(reference)))
    costs = cost(reference, frame, tries)
    costs[~_inside(reference, frame, tries)] = np.inf
    worst = costs.max(0, initial=0, where=np.isfinite(costs))
    usual = int(np.minimum(costs, worst).sum((1, 2)).argmin())
    first = [usual, *(k for k in range(len(shifts)) if k != usual)]
    return _best(reference, frame, tries[first], _doubt(noise))


def correlate(reference: U16, frame: U16) -> F32:
    """(k, 2) the shifts (x, y) in whole pixels that make two planes most alike, by phase correlation; best first."""
    a, b = (_windowed(p) for p in (reference, frame))
    cross = np.conj(np.fft.rfft2(a)) * np.fft.rfft2(b)
    power = np.abs(cross)
    peaks = np.fft.irfft2(cross / (power + 0.1 * power.mean() + 1e-9), a.shape)
    h, w = peaks.shape
    found = []
    for _ in range(_PEAKS):
        y, x = divmod(int(peaks.argmax()), w)
        found.append(((x + w // 2) % w - w // 2, (y + h // 2) % h - h // 2))
        peaks[np.ix_(np.arange(y - 2, y + 3) % h, np.arange(x - 2, x + 3) % w)] = -np.inf
    return np.array(found, np.float32)


def _windowed(plane: U16) -> F32:
    p = plane.astype(np.float32)
    p = np.pad(p - p.mean(), [(0, n // 4) for n in p.shape])
    h, w = plane.shape
    p[:h, :w] *= np.outer(np.hanning(h + 2)[1:-1], np.hanning(w + 2)[1:-1]).astype(np.float32)
    return p


def _tiles(plane: U16) -> tuple[int, int]:
    return (-(-plane.shape[0] // TILE), -(-plane.shape[1] // TILE))


def _inside(reference: U16, frame: U16, flow: F32) -> Any:
    """Whether tiles (…, ty, tx), displaced by `flow` (…, 2, ty, tx), still lie in the frame."""
    inside: Any = True
    for axis, n in ((-1, 1), (-2, 0)):
        first = np.clip(np.arange(flow.shape[axis]) * TILE, 1, reference.shape[n] - TILE - 1)
        at = (first if axis == -1 else first[:, None]) + flow[..., 0 if axis == -1 else 1, :, :]
        inside = inside & (at >= 0) & (at <= frame.shape[n] - TILE - 1)
    return inside


def _grown(flow: Any, tiles: tuple[int, int]) -> F32:
    """A field over twice as many tiles: bilinear between the centres."""
    out = np.asarray(flow, np.float32)
    for axis, n in ((1, tiles[0]), (2, tiles[1])):
        have = out.shape[axis]
        at = np.clip((np.arange(n) + 0.5) / 2 - 0.5, 0, have - 1)
        low = np.minimum(at.astype(np.intp), max(have - 2, 0))
        part = (at - low).astype(np.float32).reshape((-1, 1) if axis == 1 else (1, -1))
        high = np.minimum(low + 1, have - 1)
        out = np.take(out, low, axis) * (1 - part) + np.take(out, high, axis) * part
    return out


def _search(reference: U16, frame: U16, flow: F32, noise: float, reach: int) -> F32:
    """The best of what the motion of the whole, the parent and its neighbours, and the pixels around them suggest."""
    near = [np.roll(flow, shift, axis) for axis in (1, 2) for shift in (-1, 1)]
    tries = np.rint(np.array([flow, motion.whole(flow, np.ones(flow.shape[1:], np.float32)), *near]))
    first = _best(reference, frame, tries, _doubt(noise))
    best = _best(reference, frame, first + _around(reach), _doubt(noise)) if reach else first
    return np.where(np.abs(best - flow) <= 0.75, flow, best)


def _doubt(noise: float) -> float:
    """By how much a sum of absolute differences must be lower to mean something; 0.36 = 1 - 2/pi."""
    return _LOYAL * math.sqrt(2 * noise * 0.36 * TILE**2)


@functools.cache
def _around(reach: int) -> F32:
    """(k, 2, 1, 1): whole displacements up to `reach` in x and y, the nearest first."""
    span = range(-reach, reach + 1)
    places = sorted(((x, y) for y in span for x in span), key=lambda p: p[0] ** 2 + p[1] ** 2)
    return np.array(places, np.float32)[:, :, None, None]


def _best(reference: U16, frame: U16, tries: F32, doubt: float) -> F32:
    """(2, ty, tx): the best of `tries` (k, 2, ty, tx) per tile; the first has an advantage of `doubt`."""
    costs = cost(reference, frame, tries)
    inside = _inside(reference, frame, tries)
    costs[~inside | ~inside[0]] = np.inf  # where the first leads out of the frame, there is nothing to compare
    costs[0] = np.minimum(costs[0] - doubt, 1e18)
    chosen = costs.argmin(0)
    return np.asarray(np.take_along_axis(tries, chosen[None, None], 0)[0])


def settle(flow: F32, sums: F32, noise: float) -> F32:
    """Displacements (2, ty, tx) after a step with the normal equations `sums`, smooth where tiles know little."""
    # What a tile cannot explain makes it less sure; so does that neighbouring cells share their noise.
    power = np.maximum(_SHARED * 2 * noise, sums[5] / TILE**2)
    xx, xy, yy, bx, by = sums[:5] / power
    grain = noise * TILE**2 / 2 / power  # of xx and yy: noise has gradients too, that tell nothing
    xx, yy = np.maximum(xx - grain, 0), np.maximum(yy - grain, 0)
    xy = np.clip(xy, -0.9 * np.sqrt(xx * yy), 0.9 * np.sqrt(xx * yy))
    own = flow + _solve(xx, xy, yy, -bx, -by, 1.0 / 4)
    sure = np.minimum(xx, yy)
    sure = sure / (sure + 1 / _FIRM**2)
    usual = motion.whole(own, sure, True)
    for _ in range(2):
        rest = own - usual
        weight = sure / (1 + rest[0] * rest[0] + rest[1] * rest[1])
        blurred = _blur(np.array([rest[0] * weight, rest[1] * weight, weight]))
        around = usual + blurred[:2] / (blurred[2] + 0.05)
        away = own - around
        firm = 1 / (_FIRM**2 + (away[0] * away[0] + away[1] * away[1]) * sure)  # who is sure and away goes by itself
        own = flow + _solve(xx, xy, yy, firm * (around[0] - flow[0]) - bx, firm * (around[1] - flow[1]) - by, firm)
    return own


def calm(flow: F32) -> F32:
    """Displacements (2, ty, tx) without the errors of single tiles: medians of 5x5 of what the whole does not explain.

    Repeated texture and aliasing lead single tiles astray by parts of a pixel (the farthest hundredth of SB-1 at ISO
    1600 by 0.31 px; so by 0.14 px). A tile that goes its own way keeps it.
    """
    usual = motion.whole(flow, np.ones(flow.shape[1:], np.float32))
    rest = flow - usual
    for axis in (1, 2):
        wide = np.pad(rest, [(0, 0), *((2 * int(n == axis),) * 2 for n in (1, 2))], mode="edge")
        rest = _middle(*(np.take(wide, np.arange(k, k + rest.shape[axis]), axis) for k in range(5)))
    return np.where(np.abs(usual + rest - flow).max(0) < _ALIKE, usual + rest, flow)


def _middle(a: F32, b: F32, c: F32, d: F32, e: F32) -> F32:
    """Median of five."""
    a, b = np.minimum(a, b), np.maximum(a, b)
    c, d = np.minimum(c, d), np.maximum(c, d)
    low, high = np.maximum(a, c), np.minimum(b, d)  # the lowest and the highest of the four cannot be it
    return np.asarray(np.maximum(np.minimum(low, high), np.minimum(np.maximum(low, high), e)))


def _solve(xx: F32, xy: F32, yy: F32, bx: F32, by: F32, more: Any) -> F32:
    """Steps (2, …) of the 2x2 systems with `more` on the diagonal, none longer than a pixel."""
    a, c = xx + more, yy + more
    det = a * c - xy * xy
    step = np.stack([c * bx - xy * by, a * by - xy * bx]) / np.maximum(det, 1e-12)
    return np.asarray(step / np.maximum(1, np.abs(step).max(0)))


def _blur(fields: F32) -> F32:
    """Sums over 5x5 tiles of (k, ty, tx) with the weights 1 4 6 4 1 over 256, nothing beyond the border."""
    k, h, w = fields.shape
    p = np.zeros((k, h + 4, w + 4), fields.dtype)
    p[:, 2:-2, 2:-2] = fields
    p = p[:, :-4] + 4 * (p[:, 1:-3] + p[:, 3:-1]) + 6 * p[:, 2:-2] + p[:, 4:]
    return np.asarray((p[..., :-4] + 4 * (p[..., 1:-3] + p[..., 3:-1]) + 6 * p[..., 2:-2] + p[..., 4:]) / 256)
