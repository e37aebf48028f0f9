"""Banding — how far each row and column of a mosaic lies off its neighbours, in the dark; why: develop/banding.py.

Whole numbers throughout: a site is worth eight times what it reads, against the sum of its eight neighbours.
"""

import halide as hl

from _light import x, y
from _quad import total

I32, U16 = hl.Int(32), hl.UInt(16)
RUN = 16  # sites of a row that lie side by side, so that loads are dense
REACH = 4  # lines of the same colour on each side that a line is compared with
ODD = 1 << 30  # of a site that does not count
CHUNK = 512  # columns that are summed side by side
NONE = (hl.cast(I32, 0),) * 2
i, half, what = hl.Var("i"), hl.Var("half"), hl.Var("what")


def inside(line, size, period):
    """Lines beyond the border are those that follow on the other side, so that eight different ones are compared."""
    far = (2 * REACH + 1) * period
    moved = hl.select(hl.likely((line >= 0) & (line < size)), line, line < 0, line + far, line - far)
    return hl.clamp(moved, 0, size - 1)


def judged(read, line, knobs):
    """What a site is off, eightfold, or ODD; `read` gives what a line reads there."""
    around = total(read(line + n * knobs.period) for n in range(-REACH, REACH + 1) if n)
    away = 2 * REACH * read(line) - around
    # Chosen by the sum with the site itself, which does not covary with what it is off.
    good = (around + read(line) < knobs.dark) & (hl.cast(I32, hl.abs(away)) < knobs.odd)
    return hl.select(good, away, ODD)


def counted(sums, site):
    """Sum and count with one more site."""
    return sums[0] + hl.select(site == ODD, 0, site), sums[1] + hl.select(site == ODD, 0, 1)


class _Lines:
    """`dark`: sum of a site and its neighbours from which there is too much light; `odd`: what is off by that is no
    noise."""

    raw = hl.InputBuffer(U16, 2)
    period = hl.InputScalar(I32)
    every = hl.InputScalar(I32)
    dark = hl.InputScalar(I32)
    odd = hl.InputScalar(I32)
    output = hl.OutputBuffer(I32, 3)


@hl.generator(name="banding_rows")
class Rows(_Lines):
    """Sums (what, half, H) of each row of `raw` (H, W): what it is off, and the sites that count, in the left and the
    right half: `runs` of RUN sites each, `every` so many columns."""

    runs = hl.InputScalar(I32)

    def generate(self):
        site, part, whole = hl.Func("site"), hl.Func("part"), hl.Func("whole")
        r, s = hl.RDom([(0, self.runs)], "r"), hl.RDom([(0, RUN)], "s")
        column, height = (half * self.runs + x) * self.every + i, self.raw.dim(1).extent()

        def read(line):
            return hl.cast(I32, self.raw[column, inside(line, height, self.period)])

        site[i, x, half, y] = judged(read, y, self)
        part[i, half, y] = NONE
        part[i, half, y] = counted(part[i, half, y], site[i, r, half, y])
        whole[half, y] = NONE
        whole[half, y] = tuple(whole[half, y][k] + part[s, half, y][k] for k in (0, 1))
        self.output[y, half, what] = hl.mux(what, [whole[half, y][k] for k in (0, 1)])

        # 0.05 ms/MP, one thread of a Xeon, AVX-512; the columns likewise.
        yo, tail = hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.bound(half, 0, 2).bound(what, 0, 2).split(y, yo, y, 64, tail).parallel(yo)
        self.output.reorder(what, half, y, yo).unroll(what)
        whole.compute_at(self.output, half)
        part.compute_at(self.output, half).vectorize(i, RUN)
        part.update().reorder(i, r).vectorize(i, RUN)
        site.compute_at(part, r.x).vectorize(i, RUN)


@hl.generator(name="banding_columns")
class Columns(_Lines):
    """The same (what, half, W) of each column: `rows` of its upper and as many of its lower half, one in `every`."""

    rows = hl.InputScalar(I32)

    def generate(self):
        line, site, part = hl.Func("line"), hl.Func("site"), hl.Func("part")
        r, width = hl.RDom([(0, self.rows)], "r"), self.raw.dim(0).extent()
        line[x, y] = hl.cast(I32, self.raw[inside(x, width, self.period), y * self.every + self.every / 2])
        site[x, y] = judged(lambda column: line[column, y], x, self)
        part[x, half] = NONE
        part[x, half] = counted(part[x, half], site[x, half * self.rows + r])
        self.output[x, half, what] = hl.mux(what, [part[x, half][k] for k in (0, 1)])

        xo, tail, lanes = hl.Var("xo"), hl.TailStrategy.GuardWithIf, self.natural_vector_size(I32)
        self.output.bound(half, 0, 2).bound(what, 0, 2).split(x, xo, x, CHUNK, tail).parallel(xo)
        self.output.reorder(what, x, half, xo).unroll(what).vectorize(x, lanes, tail)
        part.compute_at(self.output, half).vectorize(x, lanes)
        part.update().reorder(x, r.x).vectorize(x, lanes)
        for f in (line, site):
            f.compute_at(part, r.x).bound_storage(x, CHUNK + 128).vectorize(x, lanes)


if __name__ == "__main__":
    hl.main()
