"""Small things that every procedural scene draws with: soft edges, mixtures, noise at every scale, blur, text.

All of it takes arrays that broadcast, so that what varies along one axis only is computed along that axis only, and
all of it knows the size of a pixel: an edge is as soft as a pixel is wide, and what is finer than a pixel is its mean.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import F32

Array = NDArray[Any]
Real = float | Array
_TABLE = 512  # lattice points per side of the noise table; it repeats


def f32(value: Any) -> F32:
    """`value` as float32."""
    return np.asarray(value, np.float32)


def colour(rgb: Sequence[float] | Array) -> F32:
    """(3, 1, 1): a colour that broadcasts over an image."""
    return f32(rgb)[:, None, None]


def exp(value: Real) -> F32:
    """e^value in float32 from sums and products alone: the same bits on every machine; relative error 2e-7."""
    x = np.clip(f32(value), -87, 88)
    n = np.rint(x * f32(1.44269504))
    r = (x - n * f32(0.693359375)) + n * f32(2.12194440e-4)  # ln 2 in two parts: no digit is lost
    total = np.full_like(r, 1 / 5040)
    for c in (1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5, 1.0, 1.0):
        total = total * r + f32(c)
    return f32(np.ldexp(total, n.astype(np.int32)))


def power(value: Real, exponent: float) -> NDArray[np.float64]:
    """value^exponent (0 where value is 0) in float64 from sums and products alone; relative error 1e-12."""
    value = np.asarray(value, np.float64)
    m, k = np.frexp(np.maximum(value, 1e-300))
    low = m < 0.7071067811865476
    m, k = np.where(low, 2 * m, m), k - low
    z = (m - 1) / (m + 1)
    series = np.zeros_like(z)
    for odd in range(19, 0, -2):  # ln m = 2 artanh z
        series = series * (z * z) + 1 / odd
    t = exponent * (k + 2 * z * series * 1.4426950408889634)
    t = np.clip(t, -1000, 1000)
    n = np.rint(t)
    r, total = (t - n) * 0.6931471805599453, np.ones_like(t)
    for i in range(13, 0, -1):
        total = total * r / i + 1
    return np.where(value > 0, np.ldexp(total, n.astype(np.int32)), 0.0)


def sin(value: Real) -> F32:
    """Sine of radians in float32 from sums and products alone; error 5e-6 for arguments of some hundreds."""
    turns = f32(value) * f32(0.15915494)
    t = turns - np.rint(turns)
    t = np.where(np.abs(t) > 0.25, np.copysign(f32(0.5), t) - t, t) * f32(6.2831853)
    total = f32(2.7557319e-6) * np.ones_like(t)
    for c in (-1.984127e-4, 8.3333333e-3, -1 / 6, 1.0):
        total = total * (t * t) + f32(c)
    return f32(total * t)


def length(x: Real, y: Real) -> F32:
    """√(x² + y²)."""
    return f32(np.sqrt(x * x + y * y))


def strips(rows: int, columns: int) -> list[slice]:
    """Rows in strips of some quarter of a megapixel: what is drawn stays in the cache, and memory small."""
    step = max(1, (1 << 18) // max(columns, 1))
    return [slice(i, min(i + step, rows)) for i in range(0, rows, step)]


def in_strips(rows: int, columns: int, work: Callable[[slice], None]) -> None:
    """Call `work` for every strip, two at a time: NumPy lets go of the lock while it computes."""
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(work, strips(rows, columns)):
            pass


def smooth(edge0: float, edge1: float, value: Real) -> Array:
    """0 at `edge0`, 1 at `edge1`, and a soft passage between; edge1 < edge0 falls."""
    t = np.clip((value - f32(edge0)) / f32(edge1 - edge0), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def mix(a: Real, b: Real, t: Real) -> Array:
    """a where t = 0, b where t = 1."""
    return np.asarray(a + (b - a) * t)


def cover(inside: Real, width: Real) -> Array:
    """How much of a pixel of `width` is covered, whose centre lies `inside` (distance, positive within) an edge."""
    return np.asarray(np.clip(inside / width + f32(0.5), 0, 1))


def pulses(t: Array, duty: float, width: Real) -> Array:
    """Mean over `width` about t of pulses that fill `duty` of each period, centred in it; exact at any width."""
    half = np.maximum(width, f32(1e-4)) / 2

    def area(at: Array) -> Array:
        whole = np.floor(at)
        return np.asarray(whole * f32(duty) + np.clip(at - whole - f32((1 - duty) / 2), 0, f32(duty)))

    return np.asarray((area(t + half) - area(t - half)) / (2 * half))


@functools.cache
def _lattice() -> F32:
    table = np.random.default_rng(20220131).standard_normal((_TABLE, _TABLE)).astype(np.float32)
    table.setflags(write=False)
    return table


def _weights(at: Array) -> tuple[Array, Array]:
    whole = np.floor(at)
    t = at - whole
    return whole.astype(np.int32), f32(t * t * (3 - 2 * t))


def lattice_noise(x: Array, y: Array) -> F32:
    """Smooth noise, about one bump per unit, zero mean. Fast where x is (1, W) and y (H, 1)."""
    table = _lattice()
    (i, tx), (j, ty) = _weights(x), _weights(y)
    if x.ndim == 2 and x.shape[0] == 1 and y.shape[1] == 1:
        rows = mix(table[j[:, 0] % _TABLE], table[(j[:, 0] + 1) % _TABLE], ty)
        return f32(mix(rows[:, i[0] % _TABLE], rows[:, (i[0] + 1) % _TABLE], tx))
    i0, j0 = i & (_TABLE - 1), (j & (_TABLE - 1)) * _TABLE
    i1, j1 = (i + 1) & (_TABLE - 1), ((j + 1) & (_TABLE - 1)) * _TABLE
    flat = table.ravel()
    return f32(mix(mix(flat[j0 + i0], flat[j0 + i1], tx), mix(flat[j1 + i0], flat[j1 + i1], tx), ty))


def fractal(x: Array, y: Array, width: Real, octaves: int = 6, gain: float = 0.5, seed: int = 0) -> F32:
    """Noise of some unit variance with bumps from size 1 down; octaves finer than twice the pixel `width` fade out."""
    x, y = np.atleast_2d(f32(x)), np.atleast_2d(f32(y))
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    norm, strength, scale = 0.0, 1.0, 1.0
    least = float(np.min(width))
    for octave in range(octaves):
        if scale * least > 0.6:
            break
        seen = strength * np.clip(f32(1.5) - scale * np.asarray(width, np.float32) * 2.5, 0, 1)
        shift_x, shift_y = (seed * 71.3 + octave * 37.17) % _TABLE, (seed * 113.9 + octave * 17.71) % _TABLE
        total += f32(seen) * lattice_noise(x * f32(scale) + f32(shift_x), y * f32(scale) + f32(shift_y))
        norm += (strength * 0.7) ** 2  # interpolation leaves about half of the lattice's variance
        strength, scale = strength * gain, scale * 2
    return total / f32(max(norm, 1e-9) ** 0.5)


def dice(*keys: Real, seed: int = 0) -> Array:
    """Evenly spread numbers in 0..1 that depend on whole numbers `keys` alone."""
    state: Array = np.uint32((seed * 2654435761 + 374761393) & 0xFFFFFFFF) + np.zeros(1, np.uint32)
    for key in keys:
        state = (state ^ np.asarray(key, np.int64).astype(np.uint32)) * np.uint32(2246822519)
        state = (state ^ (state >> np.uint32(15))) * np.uint32(3266489917)
        state = state ^ (state >> np.uint32(13))
    return np.asarray(state, np.float32) / f32(2**32)


def box_blur(image: Array, radius: int, axis: int, passes: int = 3) -> F32:
    """Repeated running mean along one axis (three passes are nearly a Gaussian of sigma = radius); edges repeated."""
    if radius < 1:
        return f32(image)
    moved = np.moveaxis(f32(image), axis, 0)
    n = 2 * radius + 1
    for _ in range(passes):
        padded = np.concatenate([np.repeat(moved[:1], radius + 1, 0), moved, np.repeat(moved[-1:], radius, 0)])
        total = np.cumsum(padded, axis=0, dtype=np.float64)
        moved = ((total[n:] - total[:-n]) / n).astype(np.float32)
    return np.moveaxis(moved, 0, axis)


def enlarge(coarse: Array, shape: tuple[int, int]) -> F32:
    """Bilinear enlargement of (…, h, w) to (…, H, W); sample centres keep their places."""
    out = f32(coarse)
    for axis, size in ((-2, shape[0]), (-1, shape[1])):
        n = out.shape[axis]
        at = np.clip((np.arange(size, dtype=np.float64) + 0.5) * n / size - 0.5, 0, n - 1)
        low = np.minimum(at.astype(int), max(n - 2, 0))
        t = f32(at - low).reshape((-1, 1) if axis == -2 else (1, -1))
        out = mix(np.take(out, low, axis), np.take(out, np.minimum(low + 1, n - 1), axis), t)
    return f32(out)


def enlarge_rows(coarse: Array, part: slice, shape: tuple[int, int]) -> F32:
    """The rows `part` of `enlarge(coarse, shape)`: what is large need not be there as a whole."""
    n = coarse.shape[-2]
    at = np.clip((np.arange(part.start, part.stop) + 0.5) * n / shape[0] - 0.5, 0, n - 1)
    low = np.minimum(at.astype(int), max(n - 2, 0))
    near = mix(coarse[..., low, :], coarse[..., np.minimum(low + 1, n - 1), :], f32(at - low)[:, None])
    return enlarge(near, (len(low), shape[1]))


def sample(texture: Array, u: Array, v: Array) -> F32:
    """Bilinear value of `texture` (h, w) at u, v in 0..1 (its width and height); zero outside."""
    h, w = texture.shape
    padded = np.pad(f32(texture), (1, 2))
    x, y = np.clip(u * w + f32(0.5), 0, w + 1), np.clip(v * h + f32(0.5), 0, h + 1)
    i, j = x.astype(np.int32), y.astype(np.int32)
    tx, ty = x - i, y - j
    top, low = mix(padded[j, i], padded[j, i + 1], tx), mix(padded[j + 1, i], padded[j + 1, i + 1], tx)
    return f32(mix(top, low, ty))


def lettering(text: str, height_px: float = 96, narrow: float = 1.0) -> F32:
    """(h, w): `text` in Pillow's own face, 0..1, trimmed to its ink, `height_px` high or less, `narrow` times as wide.

    Sampled at about its own size it is smooth: what would be finer has been averaged.
    """
    from PIL import Image, ImageDraw, ImageFont

    size = 96
    font = ImageFont.load_default(size)
    bold = 3  # thin strokes would drown in the light of a board
    left, top, right, bottom = (int(v) for v in font.getbbox(text, stroke_width=bold))
    image = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, 255, font, stroke_width=bold)
    scale = min(max(height_px, 3) / image.height, 1.0)
    size_px = (max(round(image.width * scale * min(narrow, 1.0)), 3), max(round(image.height * scale), 3))
    if size_px != image.size:
        image = image.resize(size_px, Image.Resampling.BOX)
    return f32(np.asarray(image, np.float32) / 255)
