"""The kernels of merge in NumPy, slow and obviously right; only tests use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..types import F32, F64, U8, U16
from .add import BLOCK, CERTAIN, EVEN, MARGIN, Doubt, Guide, Quads, Three, explained
from .align import TILE


def _mean(a: Any, b: Any) -> Any:
    """Rounding mean, as the processor has it."""
    return (a + b + 1) >> 1


def halve(plane: U16) -> U16:
    """`align.halve`, to the last bit."""
    for axis in (0, 1):
        wide = np.pad(plane.astype(np.int64), [(1, 3) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        size = -(-plane.shape[axis] // 2)
        a, b, c, d = (np.take(wide, 2 * np.arange(size) + k, axis) for k in range(4))
        plane = _mean(_mean(_mean(a, d), _mean(b, c)), _mean(b, c))
    return plane.astype(np.uint16)


def _origins(size: int, tiles: int) -> Any:
    return np.clip(np.arange(tiles) * TILE, 1, size - TILE - 1)


def cost(reference: U16, frame: U16, moves: Any) -> F64:
    """`align.cost`."""
    out = np.empty((len(moves), *moves.shape[2:]))
    for k, ty, tx in np.ndindex(*out.shape):
        y, x = _origins(reference.shape[0], out.shape[1])[ty], _origins(reference.shape[1], out.shape[2])[tx]
        v = np.clip(y + moves[k, 1, ty, tx], 0, frame.shape[0] - TILE)
        u = np.clip(x + moves[k, 0, ty, tx], 0, frame.shape[1] - TILE)
        a, b = reference[y : y + TILE, x : x + TILE].astype(int), frame[v : v + TILE, u : u + TILE].astype(int)
        out[k, ty, tx] = np.abs(a - b).sum()
    return out


def normals(reference: U16, frame: U16, flow: F64) -> F64:
    """`align.normals`."""
    out = np.empty((6, *flow.shape[1:]))
    for ty, tx in np.ndindex(*out.shape[1:]):
        y, x = _origins(reference.shape[0], out.shape[1])[ty], _origins(reference.shape[1], out.shape[2])[tx]
        tile = reference[y - 1 : y + TILE + 1, x - 1 : x + TILE + 1].astype(float)
        gx, gy = (tile[1:-1, 2:] - tile[1:-1, :-2]) / 2, (tile[2:, 1:-1] - tile[:-2, 1:-1]) / 2
        whole = np.floor(flow[:, ty, tx]).astype(int)
        fu, fv = flow[:, ty, tx] - whole
        v, u = np.clip(y + whole[1], 0, frame.shape[0] - TILE - 1), np.clip(x + whole[0], 0, frame.shape[1] - TILE - 1)
        part = frame[v : v + TILE + 1, u : u + TILE + 1].astype(float)
        part = part[:, :-1] * (1 - fu) + part[:, 1:] * fu
        d = part[:-1] * (1 - fv) + part[1:] * fv - tile[1:-1, 1:-1]
        out[:, ty, tx] = [(a * b).sum() for a, b in ((gx, gx), (gx, gy), (gy, gy), (gx, d), (gy, d), (d, d))]
    return out


def guide(codes: U16) -> U16:
    """The fine part of `add.guide`, to the last bit."""
    rows, columns = (-(-n // 2) for n in codes.shape[1:])
    wide = np.pad(codes.astype(np.int64), ((0, 0), *((2, 4 + n % 2) for n in codes.shape[1:])), mode="edge")
    cells = _mean(wide[:, ::2], wide[:, 1::2])
    cells = _mean(cells[:, :, ::2], cells[:, :, 1::2])
    return _blurred(cells)[:, :rows, :columns]


def guide_quads(quads: Quads) -> U16:
    """The fine part of `Quads.guide` of the first frame, to the last bit."""
    cells: list[Any] = []
    for p in range(4):
        plane = quads.quads[0, p].astype(np.int64)
        for axis, (odd, d) in enumerate(((p >> 1, quads.phase["dy"]), (p & 1, quads.phase["dx"]))):
            near = np.arange(-1, -(-quads.shape[axis] // 2) + 1) + (1 - odd) * d + MARGIN // 2
            one, other = (np.take(plane, at, axis) for at in (near, near + 1 - 2 * ((odd + d) % 2)))
            plane = one if p in (1, 2) else _mean(_mean(one, other), one)
        cells.append(plane)
    return _blurred(np.array([cells[0], _mean(cells[1], cells[2]), cells[3]]) << 1)


def _blurred(cells: Any) -> U16:
    """Grey, R, G, B of cells (3, h + 2, w + 2) blurred by 1 2 1: (4, h, w)."""
    across = _mean(_mean(cells[:, :, :-2], cells[:, :, 2:]), cells[:, :, 1:-1])
    blurred = _mean(_mean(across[:, :-2], across[:, 2:]), across[:, 1:-1])
    grey = _mean(_mean(blurred[0], blurred[2]), blurred[1])
    return np.asarray(np.concatenate([grey[None], blurred]), np.uint16)


def _believed(reference: U16, frame: U16, flow: F32, power: F32, noise: F32, limits: Any, cells: int, shape: Any) -> U8:
    """Trust in cells of a map `shape`, the least of 3x3; beyond the frame only fine cells object."""
    y, x = np.mgrid[-2 : shape[0] + 2, -2 : shape[1] + 2]
    by, bx = (np.clip(v // cells, 0, n - 1) for v, n in ((y, flow.shape[1]), (x, flow.shape[2])))
    u, v = (flow[k][by, bx].astype(float) * cells / BLOCK for k in (0, 1))
    high, wide = frame.shape[1:]
    inside = (x + u >= 0) & (y + v >= 0) & (x + u <= wide - 1) & (y + v <= high - 1)
    x1, y1 = np.clip(x + np.floor(u).astype(int), 0, wide - 2), np.clip(y + np.floor(v).astype(int), 0, high - 2)
    fu, fv = x + u - x1, y + v - y1
    excess = np.zeros(y.shape)
    for p in (1, 2, 3):
        there, here = frame[p].astype(float), reference[p].astype(float)
        top = there[y1, x1] * (1 - fu) + there[y1, x1 + 1] * fu
        bottom = there[y1 + 1, x1] * (1 - fu) + there[y1 + 1, x1 + 1] * fu

        def at(dy: int, dx: int, here: F64 = here) -> F64:
            return np.asarray(here[np.clip(y + dy, 0, here.shape[0] - 1), np.clip(x + dx, 0, here.shape[1] - 1)])

        steps = (at(0, 1) - at(0, -1)) ** 2 + (at(1, 0) - at(-1, 0)) ** 2
        forgiven = power[3] * steps + power[4] * at(0, 0) ** 2
        variance = noise[at(0, 0).astype(int) >> 8] / power[p - 1]
        excess += (top * (1 - fv) + bottom * fv - at(0, 0)) ** 2 / (variance + forgiven)
    beyond = 0 if cells == BLOCK // 2 else 1
    outside = (x < 0) | (y < 0) | (x >= reference.shape[2]) | (y >= reference.shape[1])
    certain = [np.where(inside, np.clip((high - excess) / (high - low), 0, 1), beyond) for low, high in limits]
    weak, strong = (np.where(outside, CERTAIN, (c * CERTAIN + 0.5).astype(np.uint8)) for c in certain)
    shared = sliding_window_view(weak, (2, 2)).max((2, 3))
    least = sliding_window_view(shared, (4, 4)).min((2, 3))
    return np.asarray(np.minimum(least, sliding_window_view(strong[1:-1, 1:-1], (3, 3)).min((2, 3))), np.uint8)


def trust(reference: Guide, frame: Guide, flow: F32, sigma: Three, doubt: Doubt, noise: F32 = EVEN) -> U8:
    """`add.trust` by `add.rates`; the last bits may differ."""
    shape = (flow.shape[1] * BLOCK // 2, flow.shape[2] * BLOCK // 2)
    power, limits = explained(sigma, doubt, 2), (doubt.fine, doubt.strong)
    fine = _believed(reference.fine, frame.fine, flow, power, noise, limits, BLOCK // 2, shape)
    if min(reference.coarse.shape[1:]) >= 2:
        power, limits, size = explained(sigma, doubt, 8), (doubt.coarse, doubt.strong), reference.coarse.shape[1:]
        allowed = _believed(reference.coarse, frame.coarse, flow, power, noise, limits, BLOCK // 8, size)
        y, x = (np.minimum(np.arange(n) // 4, have - 1) for n, have in zip(shape, allowed.shape, strict=True))
        fine = np.minimum(fine, allowed[y[:, None], x])
    return fine


def add(mean: U16, total: U16, codes: U16, flow: F32, weight: U8) -> F64:
    """What `add.Planes.add` leaves in the mean."""
    frames = [_moved(frame.astype(float), by) for frame, by in zip(codes, flow, strict=True)]
    return _averaged(mean, total, frames, weight)


def add_quads(mean: U16, total: U16, rooms: Quads, flow: F32, weight: U8) -> F64:
    """What `add.Quads.add` leaves in the mean."""
    frames = [_moved_quads(rooms, k, by) for k, by in enumerate(flow)]
    return _averaged(mean, total, frames, weight)


def _averaged(mean: U16, total: U16, frames: list[F64], weight: U8) -> F64:
    def pixels(cells: Any) -> Any:
        return cells.repeat(2, 0).repeat(2, 1)[: mean.shape[1], : mean.shape[2]].astype(float)

    both = mean * pixels(total)
    for frame, part in zip(frames, weight, strict=True):
        both += frame[:, : mean.shape[1], : mean.shape[2]] * pixels(part)
    return np.asarray(np.clip(both / (pixels(total) + pixels(weight.sum(0, dtype=float))), 0, 65535))


def _places(flow: F32, size: tuple[int, ...]) -> Iterator[tuple[Any, tuple[int, int], tuple[float, float]]]:
    """Of each block: where it goes, the first of its taps (x, y) in a frame of `size` with border, its fractions."""
    for by, bx in np.ndindex(*flow.shape[1:]):
        u, v = (float(flow[k, by, bx]) for k in (0, 1))
        iu, iv = int(np.floor(u)), int(np.floor(v))
        left = int(np.clip(bx * BLOCK + iu + MARGIN - 1, 4, size[1] - 40))
        top = int(np.clip(by * BLOCK + iv + MARGIN - 1, 4, size[0] - 24))
        here = np.s_[:, by * BLOCK : (by + 1) * BLOCK, bx * BLOCK : (bx + 1) * BLOCK]
        yield here, (left, top), (u - iu, v - iv)


def _moved(planes: F64, flow: F32) -> F64:
    """Planes (k, H, W) with their border by bicubic interpolation."""
    out, at = np.zeros((len(planes), *(BLOCK * n for n in flow.shape[1:]))), np.arange(BLOCK)[:, None] + np.arange(4)
    for here, (left, top), (fu, fv) in _places(flow, planes.shape[1:]):
        rows, columns = top + at, left + at
        wide = planes[:, rows[:, :, None, None], columns[None, None]]  # (k, y, taps, x, taps)
        out[here] = np.einsum("cyjxi,j,i->cyx", wide, keys(fv), keys(fu))
    return out


def _linear(plane: F64, y: F64, x: F64) -> F64:
    """The plane at the rows `y` and columns `x`."""
    for axis, at in ((0, y), (1, x)):
        low = np.floor(at).astype(int)
        part = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
        plane = np.take(plane, low, axis) * (1 - part) + np.take(plane, low + 1, axis) * part
    return plane


def _moved_quads(rooms: Quads, k: int, flow: F32) -> F64:
    """The demosaic of frame `k` and its interpolation, in three colours."""
    red, on_red, on_blue, blue = (np.pad(q.astype(float), 1, mode="edge") for q in rooms.quads[k])
    inner, low, high = np.s_[1:-1], np.s_[:-2], np.s_[2:]

    def green(own: F64, *near: F64) -> F64:
        far = own[low, inner] + own[high, inner] + own[inner, low] + own[inner, high]
        return np.asarray(np.clip(sum(near) / 4 + (own[inner, inner] - far / 4) / 2, 0, rooms.tops([None])[0, 1]))

    beside = on_red[inner, inner], on_blue[inner, inner]
    at_red = green(red, *beside, on_red[inner, low], on_blue[low, inner])
    at_blue = green(blue, *beside, on_red[high, inner], on_blue[inner, high])
    full = np.zeros((2 * at_red.shape[0], 2 * at_red.shape[1]))
    for (y, x), plane in zip(np.ndindex(2, 2), (at_red, *beside, at_blue), strict=True):
        full[y::2, x::2] = plane
    dx, dy = rooms.phase["dx"], rooms.phase["dy"]
    size = (full.shape[0] - 1, full.shape[1] - 1)
    lum = _moved(full[None, dy : dy + size[0], dx : dx + size[1]], flow)[0]
    out, at = np.stack([lum] * 3), np.arange(BLOCK)
    for c, tint in ((0, red[inner, inner] - at_red), (2, blue[inner, inner] - at_blue)):
        for here, (left, top), (fu, fv) in _places(flow, size):
            x, y = left + dx + 1 + at + fu - c // 2, top + dy + 1 + at + fv - c // 2
            out[c][here[1:]] += _linear(tint, y / 2, x / 2)
        out[c] = np.minimum(out[c], rooms.tops([None])[0, c])
    return 2 * out


def keys(t: float) -> F64:
    """Weights of the four neighbours of a place between the second and the third. Source: [Keys1981], a = -1/2."""
    d = np.abs(np.arange(-1, 3) - t)
    return np.asarray(np.where(d < 1, 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2))


def done(mean: U16, total: U16, lift: Three, certain: int = CERTAIN) -> U16:
    """What `add.done` leaves in the mean."""
    _, height, width = mean.shape
    count = total.repeat(2, 0).repeat(2, 1)[:height, :width].astype(float)
    power = np.asarray(lift)[:, None, None] * (1 - certain / count)
    return np.asarray(np.minimum(np.sqrt(mean.astype(float) ** 2 + power) + 0.5, 65535), np.uint16)
