"""Shrinking in overlapping blocks: an 8x8 cosine transform every four pixels, what noise explains taken out of it.

Planes are int16 in quarters of a code. What is transformed is the rest of a plane against the bilinear prediction from
a plane of a quarter of its size, so one step handles two octaves and the coarse plane all that is slower. Columns of
blocks are vector lanes: pixel 4x + i of a row lies at (x, i). All sums saturate: a coefficient that does is far above
noise, of which next to nothing is taken.
"""

import math

import halide as hl

from _light import c, x, y

I16, U16, F32 = hl.Int(16), hl.UInt(16), hl.Float(32)
i, u, v, k, g = (hl.Var(n) for n in ("i", "u", "v", "k", "g"))
XO, YO, XI, YI, YB = (hl.Var(n) for n in ("xo", "yo", "xi", "yi", "yb"))
GUARD, ROUND = hl.TailStrategy.GuardWithIf, hl.TailStrategy.RoundUp
# Columns of the table of a group of coefficients.
PRECISION, OWN, ALL, BIAS, MOST, ALONE = range(6)
BANDS = (0, 1, 1, 2, 2, 3, 3, 3)  # frequencies along one axis that are handled as one; a group is a pair of them
GROUPS = 16
HEIGHT = 128
# Columns per tile: with the blocks beside it a row is 160 blocks, whole vectors of 16 and of 32 lanes.
COLUMNS = 624


def product(a, share):
    """Rounded product of an int16 and an int16 of 1 / 32768."""
    one_step = hl.target_has_feature(hl.TargetFeature.SSE41) | hl.target_arch_is(hl.TargetArch.ARM)
    high, low = hl.mul_shift_right(a, share, hl.cast(U16, 16)), hl.cast(U16, a) * hl.cast(U16, share)
    halves = high * 2 + hl.cast(I16, ((low >> 14) + 1) >> 1)  # four times faster where the step would be of 32 bits
    return hl.select(one_step, hl.rounding_mul_shift_right(a, share, hl.cast(U16, 15)), halves)


def times(a, factor):
    """Rounded product of an int16 and a number in 0..1."""
    return product(a, hl.cast(I16, round(factor * 32768)))


def _both(a, b):
    return hl.saturating_add(a, b), hl.saturating_sub(a, b)


def _mirrored(a, b, sixteenths):
    """(a cos + b sin, a sin - b cos): its own transpose."""
    co, si = math.cos(sixteenths * math.pi / 16), math.sin(sixteenths * math.pi / 16)
    return hl.saturating_add(times(a, co), times(b, si)), hl.saturating_sub(times(a, si), times(b, co))


def forward(a):
    """Cosine transform of eight int16; every basis function has norm 2. Source: [Loeffler1989]."""
    s, d = zip(*(_both(a[n], a[7 - n]) for n in range(4)), strict=True)
    (p0, m0), (p1, m1) = _both(s[0], s[3]), _both(s[1], s[2])
    x0, x4 = _both(times(p0, math.sqrt(0.5)), times(p1, math.sqrt(0.5)))
    x2, x6 = _mirrored(m0, m1, 2)
    (t4, t7), (t5, t6) = _mirrored(d[0], d[3], 5), _mirrored(d[1], d[2], 7)
    (u4, x5), (u7, x3) = _both(t4, t6), _both(t7, t5)
    x1, x7 = _both(times(u7, math.sqrt(0.5)), times(u4, math.sqrt(0.5)))
    return [x0, x1, x2, x3, x4, x5, x6, x7]


def backward(a):
    """The transpose of `forward`: four times its inverse."""
    p0, p1 = _both(times(a[0], math.sqrt(0.5)), times(a[4], math.sqrt(0.5)))
    m0, m1 = _mirrored(a[2], a[6], 2)
    (s0, s3), (s1, s2) = _both(p0, m0), _both(p1, m1)
    u7, u4 = _both(times(a[1], math.sqrt(0.5)), times(a[7], math.sqrt(0.5)))
    (t4, t6), (t7, t5) = _both(u4, a[5]), _both(u7, a[3])
    (d0, d3), (d1, d2) = _mirrored(t4, t7, 5), _mirrored(t5, t6, 7)
    near, far = zip(*(_both(s, d) for s, d in ((s0, d0), (s1, d1), (s2, d2), (s3, d3))), strict=True)
    return [*near, *reversed(far)]


def stretched(coarse, name):
    """Bilinear prediction of four times the size. Returns (helper, Func [x, y, i, c])."""
    rows, up = hl.Func(f"{name}_rows"), hl.Func(name)
    rows[x, y, c] = _between(coarse[x, y // 4, c], coarse[x, y // 4 + _side(y % 4), c], y % 4)
    here, aside = rows[x, y, c], [rows[x - 1, y, c], rows[x + 1, y, c]]
    up[x, y, i, c] = hl.mux(i, [_between(here, aside[n // 2], n) for n in range(4)])
    return rows, up


def _side(phase):
    return hl.select(phase < 2, -1, 1)


def _between(near, far, phase):
    if isinstance(phase, int):
        return near + times(far - near, FAR[phase])
    outer = hl.cast(I16, round(FAR[0] * 32768))
    inner = hl.cast(I16, round(FAR[1] * 32768))
    share = hl.select((phase == 0) | (phase == 3), outer, inner)
    return near + product(far - near, share)


FAR = (0.375, 0.125, 0.125, 0.375)  # weight of the farther coarse pixel, at each of four pixels


class Shrink:
    """The removal of a plane: `flat[x, y, c]`, what to subtract.

    `plane`, `coarse` (a quarter of its size) and `removed` (what was taken from that) are Funcs [x, y, c] without
    borders; `table[column, group, c]`; `calm[x, y]` is 1 / the share of the noise power that a merge left in block
    (x, y), `alone[x, y]` how far that noise is of one frame.
    """

    def __init__(self, plane, coarse, removed, table, calm, alone):
        self.up_rows, self.up = stretched(coarse, "up")
        self.rest, self.across, self.coefficients = hl.Func("rest"), hl.Func("across"), hl.Func("coefficients")
        self.rest[x, y, i, c] = hl.rounding_shift_right(plane[4 * x + i, y, c] - self.up[x, y, i, c], hl.cast(U16, 2))
        eight = [self.rest[x + n // 4, y, n % 4, c] for n in range(8)]
        self.across[x, y, u, c] = hl.mux(u, forward(eight))
        column = [self.across[x, 4 * y + n, u, c] for n in range(8)]
        self.coefficients[x, y, u, v, c] = hl.mux(v, forward(column))
        self._gains(table, calm, alone)
        self._back(removed)

    def _gains(self, table, calm, alone):
        self.size, self.size_rows, self.power = hl.Func("size"), hl.Func("size_rows"), hl.Func("power")
        self.mean, self.taken = hl.Func("mean"), hl.Func("taken")
        self.size[x, y, g, c] = hl.mux(g, [self._group(a, b) for a in range(4) for b in range(4)])
        self.size_rows[x, y, g, c] = _smooth(*(self.size[x, y + n, g, c] for n in (-1, 0, 1)))
        around = _smooth(*(self.size_rows[x + n, y, g, c] for n in (-1, 0, 1)))
        level = hl.cast(F32, around) * table[PRECISION, g, c]
        self.power[x, y, g, c] = level * level * hl.fast_inverse(1.0 + alone[x, y] * table[ALONE, g, c])
        total = self.power[x, y, 0, c]
        for n in range(1, GROUPS):
            total = total + self.power[x, y, n, c]
        self.mean[x, y, c] = total
        t = [table[n, g, c] for n in range(MOST + 1)]
        signal = (t[OWN] * self.power[x, y, g, c] + t[ALL] * self.mean[x, y, c]) * calm[x, y] - t[BIAS]
        part = t[MOST] * hl.fast_inverse(hl.max(signal, 0.0) + 1.0)
        self.taken[x, y, g, c] = hl.cast(I16, part)

    def _group(self, a, b):
        found = None
        for m in (n for n in range(8) if BANDS[n] == a):
            for n in (n for n in range(8) if BANDS[n] == b):
                size = hl.cast(U16, hl.abs(self.coefficients[x, y, m, n, c]))
                found = size if found is None else hl.saturating_add(found, size)
        return found

    def _back(self, removed):
        self.down, self.joined, self.along = hl.Func("down"), hl.Func("joined"), hl.Func("along")
        band = hl.cast(hl.Int(32), (u + 1) // 2) - hl.select(u == 7, 1, 0)
        noise = [
            product(self.coefficients[x, y, u, n, c], self.taken[x, y, hl.clamp(band, 0, 3) * 4 + BANDS[n], c])
            for n in range(8)
        ]
        self.down[x, y, u, k, c] = hl.mux(k, backward(noise))
        both = hl.saturating_add(self.down[x, y // 4, u, y % 4, c], self.down[x, y // 4 - 1, u, y % 4 + 4, c])
        self.joined[x, y, u, c] = hl.rounding_shift_right(both, hl.cast(U16, 2))
        self.along[x, y, k, c] = hl.mux(k, backward([self.joined[x, y, n, c] for n in range(8)]))
        self.base_rows, self.base = stretched(removed, "base")
        self.poly, self.flat = hl.Func("poly"), hl.Func("flat")
        both = hl.saturating_add(self.along[x, y, i, c], self.along[x - 1, y, i + 4, c])
        self.poly[x, y, i, c] = self.base[x, y, i, c] + hl.rounding_shift_right(both, hl.cast(U16, 2))
        self.flat[x, y, c] = self.poly[x // 4, y, x % 4, c]

    def schedule(self, output, vector):
        """Into tiles of `output` as `tiles` makes them: block row by block row; what slides down keeps a few rows."""
        poly, where = self.poly, (self.poly, YB)
        poly.compute_at(output, XO).align_bounds(y, 4).split(y, YB, YI, 4).reorder(i, x, YI, YB)
        poly.bound(i, 0, 4).unroll(i).vectorize(x, vector, ROUND).reorder_storage(i, x, y, c).never_partition_all()
        slid = ((self.across, u, 8, 16), (self.coefficients, v, 8, 2), (self.size, g, GROUPS, 4), (self.down, k, 8, 2))
        for f, short, count, rows in slid:
            f.store_at(output, XO).compute_at(*where).fold_storage(y, rows).vectorize(x, vector, ROUND)
            f.bound(short, 0, count).reorder(short, x, y).unroll(short).never_partition([y])
        for f in (self.coefficients, self.down):
            f.bound(u, 0, 8).reorder(x, y, u)
        inner = [(f, *where) for f in (self.size_rows, self.power, self.mean, self.taken)]
        inner += [(f, self.across, y) for f in (self.up_rows, self.rest)]
        inner += [(f, poly, YI) for f in (self.base_rows, self.joined, self.along)]
        for f, consumer, row in inner:
            f.compute_at(consumer, row).hoist_storage(output, XO).vectorize(x, vector, ROUND)
        for f in (self.size_rows, self.power, self.taken):
            f.bound(g, 0, GROUPS)
        self.rest.bound(i, 0, 4).reorder(i, x, y).unroll(i)
        self.joined.bound(u, 0, 8)
        self.along.bound(k, 0, 8).reorder(k, x, y).unroll(k)


def tiles(output, vector, columns):
    """Strips of rows in parallel, tiles of `columns` in them."""
    output.split(y, YO, YI, HEIGHT, GUARD).split(x, XO, XI, columns, GUARD)
    # Borders are told apart where rows are loaded, not by copies of the whole tile.
    output.vectorize(XI, vector, GUARD).never_partition_all()


def _smooth(a, b, d):
    return hl.rounding_halving_add(hl.rounding_halving_add(a, d), b)
