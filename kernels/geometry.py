"""Geometry — one bicubic resampling along a coarse grid of source coordinates."""

import functools
import operator

import halide as hl

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")
inside, block = hl.Var("inside"), hl.Var("block")  # pixel STEP·block + inside of a row

STEP = 16  # pixels between grid points; lichtbild.develop.geometry lays the grid with the same step
TAPS = 5  # columns, and rows, that the pixels of a block read together
REACH = (STEP + TAPS - 1, TAPS)  # columns and rows that a block reads; lichtbild.develop.geometry has the same
F32, I32 = hl.Float(32), hl.Int(32)


def keys(t):
    """Weights of the four neighbours for a fraction t in 0..1. Source: [Keys1981], a = -1/2."""
    t2, t3 = t * t, t * t * t
    return [
        -0.5 * t3 + t2 - 0.5 * t,
        1.5 * t3 - 2.5 * t2 + 1.0,
        -1.5 * t3 + 2.0 * t2 + 0.5 * t,
        0.5 * t3 - 0.5 * t2,
    ]


def total(terms):
    return functools.reduce(operator.add, terms)


def code_of(value):
    return hl.cast(hl.UInt(16), hl.clamp(value + 0.5, 0.0, 65535.0))


@hl.generator(name="geometry")
class Geometry:
    """code (3, H, W) → code (3, H, W); `grid` (P, 2, gh, gw): source x and y of every STEP-th pixel, P = 1 or 3.

    Where a warp is smooth, the pixels of a block are moved by less than a pixel against each other: each reads the same
    five columns beside it and the same five rows, as whole vectors, and one of its five weights is zero. Blocks that
    are bent more, or reach beyond the border, gather their pixels.
    """

    code = hl.InputBuffer(hl.UInt(16), 3)
    grid = hl.InputBuffer(F32, 4)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        g = self
        self.size = [g.code.dim(k).extent() for k in (0, 1)]
        # Rows first: one interpolated row of coordinates per row of pixels, then along the row.
        self.row = hl.Func("row")
        k = hl.Var("k")
        gy, fy = y / STEP, hl.cast(F32, y % STEP) * (1.0 / STEP)
        plane = hl.min(c, g.grid.dim(3).extent() - 1)
        self.row[block, k, y, c] = g.grid[block, gy, k, plane] * (1.0 - fy) + g.grid[block, gy + 1, k, plane] * fy

        self.first, line = hl.Func("first"), hl.Func("line")
        spans = [self.span(k) for k in (0, 1)]
        fit = [
            (low >= 1) & (low + reach - 1 <= n) & (high - low <= TAPS - 4)
            for (low, high), n, reach in zip(spans, self.size, REACH, strict=True)
        ]
        at = [hl.clamp(low - 1, 0, n - reach) for (low, _), n, reach in zip(spans, self.size, REACH, strict=True)]
        self.first[block, y, c] = (*at, fit[0] & fit[1])
        line[inside, block, y, c] = self.dense()
        r = hl.RDom([(0, (g.output.output_buffer().dim(0).extent() + STEP - 1) / STEP)], "r")
        r.where(~self.first[r.x, y, c][2])
        line[inside, r.x, y, c] = self.gathered(r.x)
        g.output[x, y, c] = line[x % STEP, x / STEP, y, c]
        self.schedule(line)

    def source(self, k, where):
        """Source coordinate of a block's first pixel, and its step from pixel to pixel."""
        start, end = (self.row[where + n, k, y, c] for n in (0, 1))
        return start, (end - start) * (1.0 / STEP)

    def span(self, k):
        """Least and greatest whole part of the coordinates of a block, as if all of it began at its first pixel."""
        start, step = self.source(k, block)
        last = start + (step - (1.0 if k == 0 else 0.0)) * hl.f32(STEP - 1)
        return [hl.cast(I32, hl.clamp(hl.floor(pick(start, last)), -1e6, 1e6)) for pick in (hl.min, hl.max)]

    def dense(self):
        """The pixel from five columns and rows, which begin at `first`."""
        weights = []
        for k in (0, 1):
            start, step = self.source(k, block)
            begin = hl.cast(F32, self.first[block, y, c][k] + 1)
            place = (start - begin) + (step - (1.0 if k == 0 else 0.0)) * hl.cast(F32, inside)
            later = place >= 1.0
            four = [hl.f32(0.0), *keys(place - hl.select(later, hl.f32(1.0), 0.0)), hl.f32(0.0)]
            weights.append([hl.select(later, four[n], four[n + 1]) for n in range(TAPS)])
        left, top = self.first[block, y, c][0], self.first[block, y, c][1]
        across = [
            total(weights[0][n] * hl.cast(F32, self.code[left + inside + n, top + j, c]) for n in range(TAPS))
            for j in range(TAPS)
        ]
        return code_of(total(w * line for w, line in zip(weights[1], across, strict=True)))

    def gathered(self, where):
        """The pixel from its own four columns and rows, the border repeated."""
        corner, weights = [], []
        for k in (0, 1):
            start, step = self.source(k, where)
            place = start + step * hl.cast(F32, inside)
            place = hl.clamp(place, -2.0, hl.cast(F32, self.size[k]) + 1.0)
            corner.append(hl.cast(I32, hl.floor(place)))
            weights.append(keys(place - hl.floor(place)))
        at = [[hl.clamp(v + n - 1, 0, limit - 1) for n in range(4)] for v, limit in zip(corner, self.size, strict=True)]
        across = [
            total(w * hl.cast(F32, self.code[column, line, c]) for w, column in zip(weights[0], at[0], strict=True))
            for line in at[1]
        ]
        return code_of(total(w * line for w, line in zip(weights[1], across, strict=True)))

    def schedule(self, line):
        # 7 ms/MP on one of 2 cores of a Xeon, AVX-512 (AVX2 16); gathering alone takes 47. A lens that bends so much
        # that a third of the blocks gather: 27.
        out, tail = self.output, hl.TailStrategy.GuardWithIf
        lanes = self.natural_vector_size(F32)
        yo, yi = hl.Var("yo"), hl.Var("yi")
        out.reorder(x, c, y).split(y, yo, yi, 32, tail).parallel(yo).vectorize(x, STEP, tail)
        line.compute_at(out, c).bound(inside, 0, STEP).vectorize(inside, lanes)
        line.update().vectorize(inside, lanes)
        self.first.compute_at(out, c).vectorize(block, lanes, tail)
        self.row.compute_at(out, c).vectorize(block, lanes, tail)


if __name__ == "__main__":
    hl.main()
