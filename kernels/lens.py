"""Lens — distortion, lateral colour, blur over the field, shading, stray light; the why is in lichtbild/lens/form.py.

Resampling goes in two passes [Catmull1980]: along rows, to the place that each column asks for, then along columns.
Cells of CELL columns share a whole-pixel base, so that loads are dense; the rest is covered by polynomials of eight
neighbours, which are good for a little more than the middle interval. Then a dense kernel of TAPS x TAPS,
one per block, blurs.
"""

import functools
import operator

import halide as hl

from _light import c, x, y

CELL = 16  # pixels between the nodes of the tables
TILE = (512, 128)  # what one task resamples
BLOCK = 64  # columns that share a blur kernel
TAPS, FINE_TAPS = 11, 17  # of a picture on the sensor's own grid, of one drawn finer
SKIRT = 8  # pixels between the nodes of the skirt
F32, I32 = hl.Float(32), hl.Int(32)
strict = hl.strict_float  # on all sums: the same light on every processor
xi, yi, cell, tx, ty, k, bx = (hl.Var(n) for n in ("xi", "yi", "cell", "tx", "ty", "k", "bx"))


def neighbours(taps, place):
    """Weights of the eight neighbours -3..4 for the place between 0 and 1; see lichtbild/lens/polynomials.py."""
    t = place - 0.5
    t2 = t * t
    even = [(taps[4, n] * t2 + taps[2, n]) * t2 + taps[0, n] for n in range(4)]
    odd = [((taps[5, n] * t2 + taps[3, n]) * t2 + taps[1, n]) * t for n in range(4)]
    return [even[n] + odd[n] for n in range(4)] + [even[n] - odd[n] for n in (3, 2, 1, 0)]


def total(terms):
    """Sum of expressions."""
    return functools.reduce(operator.add, terms)


def between(near, weights):
    """Value between the middle two of eight neighbours; never darker than the darkest of the middle four."""
    value = strict(total(w * v for w, v in zip(weights, near, strict=True)))
    return hl.max(value, hl.min(hl.min(near[2], near[3]), hl.min(near[4], near[5])))


def cells(table, column, row, plane):
    """Value of `table` at the left end of a cell and its rise per pixel; nodes begin one cell before the frame."""
    i = hl.clamp(column + 1, 0, table.dim(0).extent() - 2)
    j = hl.clamp(row / CELL, 0, table.dim(1).extent() - 2)
    part = hl.cast(F32, row - j * CELL) * (1.0 / CELL)
    ends = [table[i + n, j, plane] * (1.0 - part) + table[i + n, j + 1, plane] * part for n in (0, 1)]
    return ends[0], (ends[1] - ends[0]) * (1.0 / CELL)


def whole(start, rise):
    """The pixel before the middle of a cell."""
    return hl.cast(I32, hl.floor(strict(start + rise * (CELL / 2))))


class _Form:
    """`across`, `down` (3, gh, gw): source minus place of the two passes; `gain` (3, gh, gw); `bank` (3, bh, bw,
    taps² + 1); `skirt` (3, sh, sw); `veil` (3,). `first`: rows of nodes of `across` before row 0; `slack`: rows by
    which the base of a cell may differ from that of its tile.
    """

    light = hl.InputBuffer(F32, 3)
    across = hl.InputBuffer(F32, 3)
    down = hl.InputBuffer(F32, 3)
    gain = hl.InputBuffer(F32, 3)
    bank = hl.InputBuffer(F32, 4)
    taps = hl.InputBuffer(F32, 2)
    skirt = hl.InputBuffer(F32, 3)
    veil = hl.InputBuffer(F32, 1)
    dense = hl.InputScalar(hl.Bool())
    margin_x = hl.InputScalar(I32)
    margin_y = hl.InputScalar(I32)
    first = hl.InputScalar(I32)
    slack = hl.InputScalar(I32)
    width = hl.InputScalar(I32)
    height = hl.InputScalar(I32)
    output = hl.OutputBuffer(F32, 3)

    def build(self, taps):
        self.tile_row, self.sideways, self.below = (hl.Func(n) for n in ("tile_row", "sideways", "below"))
        rowwise, straight = self.resampled()
        kernel = self.kernel()
        blurred, skirted = hl.Func("blurred"), hl.Func("skirted")
        at = (tx, ty, c)
        r = hl.RDom([(0, taps), (0, taps)])  # rows first: each is loaded once for four
        weight = kernel[r.y + taps * r.x, tx * (TILE[0] // BLOCK) + xi / BLOCK, ty, c]
        blurred[(xi, yi, *at)] = 0.0
        blurred[(xi, yi, *at)] = strict(
            blurred[(xi, yi, *at)] + weight * straight[(xi + r.y - taps // 2, yi + r.x - taps // 2, *at)]
        )

        sx, sy = tx * (TILE[0] // SKIRT) + xi / 16 * 2, ty * (TILE[1] // SKIRT) + yi / SKIRT
        fy = hl.cast(F32, yi % SKIRT) * (1.0 / SKIRT)
        i, j = (
            [hl.min(sx + n, self.skirt.dim(0).extent() - 1) for n in range(3)],
            hl.min(sy + 1, self.skirt.dim(1).extent() - 1),
        )
        n = [self.skirt[m, hl.min(sy, j), c] * (1.0 - fy) + self.skirt[m, j, c] * fy for m in i]
        t = hl.cast(F32, xi % 16) * (1.0 / SKIRT)
        glow = n[0] + (n[1] - n[0]) * hl.min(t, 1.0) + (n[2] - n[1]) * hl.max(t - 1.0, 0.0)
        skirted[(xi, yi, *at)] = strict(glow * kernel[taps * taps, tx * (TILE[0] // BLOCK) + xi / BLOCK, ty, c])

        start, rise = cells(self.gain, tx * (TILE[0] // CELL) + xi / CELL, ty * TILE[1] + yi + CELL, c)
        shade = start + rise * hl.cast(F32, xi % CELL)
        formed = hl.Func("formed")
        formed[(xi, yi, *at)] = strict((blurred[(xi, yi, *at)] + skirted[(xi, yi, *at)]) * shade + self.veil[c])
        self.output[x, y, c] = formed[x % TILE[0], y % TILE[1], x / TILE[0], y / TILE[1], c]
        self.schedule(rowwise, straight, kernel, formed, blurred, r, taps)

    def resampled(self):
        """The light bent as the tables say: (xi, yi, tx, ty, c), with borders."""
        g = self
        here = (cell, yi, tx, ty, c)
        column = tx * (TILE[0] // CELL) + cell
        middle = cells(g.down, tx * (TILE[0] // CELL) + TILE[0] // CELL // 2, ty * TILE[1] + TILE[1] // 2 + CELL, c)
        g.tile_row[tx, ty, c] = whole(*middle)

        # Along rows. `yi` counts rows of the light from where the tile's middle lies in it.
        row = ty * TILE[1] + yi + g.tile_row[tx, ty, c]
        start, rise = cells(g.across, column, row + g.first * CELL, c)
        g.sideways[here] = (strict(start), strict(rise), whole(start, rise))
        start, rise, base = (g.sideways[here][n] for n in range(3))
        shift = start + rise * hl.cast(F32, xi)
        own = hl.cast(I32, hl.floor(strict(shift)))
        weights = neighbours(g.taps, shift - hl.cast(F32, hl.select(g.dense, base, own)))
        left, width = column * CELL + g.margin_x - 3, g.light.dim(0).extent()
        at = hl.select(
            g.dense, hl.clamp(left + base, 0, width - CELL - 7) + xi, hl.clamp(left + xi + own, 0, width - 8)
        )
        line = hl.clamp(row + g.margin_y, 0, g.light.dim(1).extent() - 1)
        rowwise = hl.Func("rowwise")
        rowwise[xi, yi, cell, tx, ty, c] = between([g.light[at + n, line, c] for n in range(8)], weights)

        # Along columns.
        start, rise = cells(g.down, column, ty * TILE[1] + yi + CELL, c)
        base = hl.clamp(whole(start, rise) - g.tile_row[tx, ty, c], -g.slack, g.slack)
        g.below[here] = (strict(start - hl.cast(F32, base + g.tile_row[tx, ty, c])), strict(rise), base)
        start, rise, base = (g.below[here][n] for n in range(3))
        weights = neighbours(g.taps, start + rise * hl.cast(F32, xi))
        bent, straight = hl.Func("bent"), hl.Func("straight")
        near = [rowwise[xi, yi + base - 3 + n, cell, tx, ty, c] for n in range(8)]
        bent[xi, yi, cell, tx, ty, c] = between(near, weights)
        straight[xi, yi, tx, ty, c] = bent[xi % CELL, yi, xi / CELL, tx, ty, c]
        return rowwise, straight

    def kernel(self):
        """(k, bx, ty, c): blur kernel of a block and its skirt's share, between the places of the bank."""
        g = self
        columns, rows = g.bank.dim(1).extent(), g.bank.dim(2).extent()

        def between(middle, size, count):
            part = hl.min(hl.cast(F32, middle) / hl.cast(F32, hl.max(size - 1, 1)), 1.0) * hl.cast(F32, count - 1)
            low = hl.clamp(hl.cast(I32, part), 0, count - 2)
            return low, part - hl.cast(F32, low)

        i, fx = between(bx * BLOCK + BLOCK // 2, g.width, columns)
        j, fy = between(ty * TILE[1] + TILE[1] // 2, g.height, rows)
        top, bottom = (g.bank[k, i, j + n, c] * (1.0 - fx) + g.bank[k, i + 1, j + n, c] * fx for n in (0, 1))
        kernel = hl.Func("kernel")
        kernel[k, bx, ty, c] = strict(top * (1.0 - fy) + bottom * fy)
        return kernel

    def schedule(self, rowwise, straight, kernel, formed, blurred, r, taps):
        # 23 ms/MP of processor time for the main lens, 42 for the wide one, whose columns are gathered one by one; wall
        # half of that on 2 cores of a Xeon, AVX-512. Blur is half of it: four rows by two vectors stay in registers.
        g = self
        lanes = g.natural_vector_size(F32)
        tail = hl.TailStrategy.GuardWithIf
        xo, yo, xb, xv, y4 = (hl.Var(n) for n in ("xo", "yo", "xb", "xv", "y4"))
        for table in (g.light, g.across, g.down, g.gain, g.skirt):
            table.dim(2).set_bounds(0, 3)
        g.taps.dim(0).set_bounds(0, 6)
        g.taps.dim(1).set_bounds(0, 4)
        g.bank.dim(0).set_bounds(0, taps * taps + 1)
        g.output.bound(c, 0, 3)
        g.output.split(x, xo, x, TILE[0], tail).split(y, yo, y, TILE[1], tail).reorder(x, y, xo, c, yo)
        g.output.vectorize(x, lanes, tail).parallel(yo)
        formed.compute_at(g.output, xo).bound_extent(xi, TILE[0])
        formed.split(xi, xb, xi, BLOCK).split(xi, xv, xi, 2 * lanes).split(yi, y4, yi, 4)
        formed.reorder(xi, yi, xv, y4, xb).vectorize(xi, lanes).unroll(xi).unroll(yi)
        kernel.compute_at(formed, xb).vectorize(k, lanes, tail)
        blurred.compute_at(formed, xv).vectorize(xi, lanes).unroll(xi).unroll(yi)
        blurred.update().reorder(xi, yi, r.x, r.y).vectorize(xi, lanes).unroll(xi).unroll(yi).unroll(r.x)
        straight.compute_at(g.output, xo).align_bounds(xi, CELL)
        straight.split(xi, xo, xi, CELL).vectorize(xi, lanes)
        rowwise.compute_at(g.output, xo).bound(xi, 0, CELL).vectorize(xi, lanes).reorder(xi, cell, yi).specialize(
            g.dense
        )
        self.tile_row.compute_at(g.output, xo)
        for f in (self.sideways, self.below):
            f.compute_at(g.output, xo).vectorize(cell, lanes, tail)


@hl.generator(name="lens")
class Lens(_Form):
    """A picture on the sensor's own grid."""

    def generate(self):
        self.build(TAPS)


@hl.generator(name="lens_fine")
class Fine(_Form):
    """A picture drawn finer than the sensor."""

    def generate(self):
        self.build(FINE_TAPS)


@hl.generator(name="lens_reduce")
class LensReduce:
    """light (3, H, W) → (3, ceil(H / 8), ceil(W / 8)): means around every eighth pixel, weighed by
    a tent 16 pixels wide, the border repeated.
    """

    light = hl.InputBuffer(F32, 3)
    output = hl.OutputBuffer(F32, 3)

    def generate(self):
        g = self
        edged = hl.BoundaryConditions.repeat_edge(g.light)
        column = hl.Func("column")
        r = hl.RDom([(-SKIRT // 2, 2 * SKIRT)])

        def share(n):
            return 1.0 - hl.abs(hl.cast(F32, n) - (SKIRT - 1) / 2) * hl.f32(1.0 / SKIRT)

        column[x, y, c] = 0.0
        column[x, y, c] = strict(column[x, y, c] + share(r) * edged[x, y * SKIRT + r, c])
        whole_bin = total(share(hl.i32(n)) * column[x * SKIRT + n, y, c] for n in range(-SKIRT // 2, SKIRT * 3 // 2))
        g.output[x, y, c] = strict(whole_bin * hl.f32(1.0 / SKIRT**2))
        lanes, tail = g.natural_vector_size(F32), hl.TailStrategy.GuardWithIf
        g.light.dim(2).set_bounds(0, 3)
        g.output.bound(c, 0, 3).vectorize(x, lanes, tail).parallel(y, 4, tail)
        column.compute_at(g.output, y).vectorize(x, lanes, tail)
        column.update().reorder(x, r).vectorize(x, lanes, tail).unroll(r)


@hl.generator(name="lens_skirt")
class LensSkirt:
    """small (3, h, w), u and v (3, sh, sw) → (3, sh, sw): `small` at the places u, v by the quadratic B-spline."""

    small = hl.InputBuffer(F32, 3)
    u = hl.InputBuffer(F32, 3)
    v = hl.InputBuffer(F32, 3)
    output = hl.OutputBuffer(F32, 3)

    def generate(self):
        g = self
        width, height = g.small.dim(0).extent(), g.small.dim(1).extent()

        def spline(place):
            middle = hl.floor(place + 0.5)
            t = place - middle
            return hl.cast(I32, middle), [0.5 * (0.5 - t) * (0.5 - t), 0.75 - t * t, 0.5 * (0.5 + t) * (0.5 + t)]

        i, across = spline(hl.clamp(g.u[x, y, c], 0.0, hl.cast(F32, width - 1)))
        j, down = spline(hl.clamp(g.v[x, y, c], 0.0, hl.cast(F32, height - 1)))
        at = [
            [g.small[hl.clamp(i + m, 0, width - 1), hl.clamp(j + n, 0, height - 1), c] for m in (-1, 0, 1)]
            for n in (-1, 0, 1)
        ]
        rows = [across[0] * row[0] + across[1] * row[1] + across[2] * row[2] for row in at]
        g.output[x, y, c] = strict(down[0] * rows[0] + down[1] * rows[1] + down[2] * rows[2])
        for buffer in (g.small, g.u, g.v):
            buffer.dim(2).set_bounds(0, 3)
        lanes, tail = g.natural_vector_size(F32), hl.TailStrategy.GuardWithIf
        g.output.bound(c, 0, 3).vectorize(x, lanes, tail).parallel(y, 16, tail)


if __name__ == "__main__":
    hl.main()
