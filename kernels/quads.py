"""Quads — the first pass of frames that are demosaiced later: raw numbers in, repaired quads of half codes out.

What few samples need, raising and repair, is worked out only in blocks in which a cheap test finds one. Whole rows of
quads run through all steps one after the other.
"""

import functools

import halide as hl

from _quad import HALF_MAX, I16, U16, c, row_within, split, x, y
from clipped import FLAG, flagged, raised
from defects import COLOUR, doubt, repair
from front import Coded, coded, integer

REACH = 2  # quads beyond its own that repair sees
i, block = hl.Var("i"), hl.Var("block")


class Mended:
    """Quads `plain`, and `better` in their place in those blocks of a row in which `doubts`, four Exprs of uint16 for
    a place along the row, exceed 0 anywhere. The row has `count` blocks of `lanes` quads from `first` on.
    """

    def __init__(self, name, plain, better, doubts, blocks):
        first, count, lanes = blocks
        self.worst, self.told, self.quads = hl.Func(name + "_worst"), hl.Func(name + "_told"), hl.Func(name)
        self.lane, self.where = hl.RDom([(0, lanes)], "lane"), hl.RDom([(0, lanes), (0, count)], "where")
        self.worst[i, block, y] = functools.reduce(hl.max, doubts(first + block * lanes + i))
        self.told[block, y] = hl.cast(U16, 0)
        self.told[block, y] = hl.max(self.told[block, y], self.worst[self.lane, block, y])
        self.where.where(self.told[self.where.y, y] > 0)
        place = first + self.where.y * lanes + self.where.x
        self.quads[x, y] = tuple(plain(p) for p in range(4))
        self.quads[place, y] = tuple(better[place, y][p] for p in range(4))

    def schedule(self, output, lanes):
        """Row by row of `output`."""
        self.worst.compute_at(output, y).vectorize(i, lanes)
        self.told.compute_at(output, y).update().atomic().vectorize(self.lane, lanes)
        # Each block is written by itself alone.
        self.quads.update().allow_race_conditions().vectorize(self.where.x, lanes)


def doubts(quads, ring, limits, u):
    """How far the four samples of quad (u, y) stand out of the same colours around; `ring`: highest and lowest of three
    rows."""
    beside = [[ring[u - 1, y][p], ring[u + 1, y][p]] for p in range(8)]
    ends = [[quads[u, y - 1][p], quads[u, y + 1][p]] for p in range(4)]
    highest, lowest = (
        [functools.reduce(f, beside[p + k] + ends[p]) for p in range(4)] for f, k in ((hl.max, 0), (hl.min, 4))
    )
    return [doubt(quads[u, y][p], highest[p], lowest[p], limits[COLOUR[p]]) for p in range(4)]


@hl.generator(name="front_quads")
class Quads(Coded):
    """Raw numbers of a mosaic → its quads of half codes (4, h, w), repaired but not demosaiced.

    `border` quads lie before it in each direction, mirrored, and as many as there is room behind it. `knobs` as for
    the other passes, without the highest codes.
    """

    raw = hl.InputBuffer(hl.UInt(16), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    border = hl.InputScalar(hl.Int(32))
    knobs = hl.InputBuffer(hl.UInt(16), 1)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        lanes, knob = self.natural_vector_size(U16), [self.knobs[k] for k in range(5)]
        line, across = self.line(knob[4])
        flags = split(line, self.dx, self.dy)
        first = -self.border - REACH
        blocks = (first, (self.output.output_buffer().dim(0).extent() + 2 * REACH + lanes - 1) / lanes, lanes)
        lifted = Mended(
            "lifted", lambda p: flags[x, y][p] & hl.cast(U16, HALF_MAX), raised(flags),
            lambda u: [flags[u, y][p] >> FLAG for p in range(4)], blocks,
        )  # fmt: skip
        quads, ring = lifted.quads, hl.Func("ring")
        ring[x, y] = tuple(
            functools.reduce(f, [quads[x, y + j][p] for j in (-1, 0, 1)]) for f in (hl.max, hl.min) for p in range(4)
        )
        fixed = Mended(
            "fixed", lambda p: quads[x, y][p], repair(quads, knob[:3], hl.cast(I16, knob[3])),
            lambda u: doubts(quads, ring, knob, u), blocks,
        )  # fmt: skip
        there = fixed.quads[x - self.border, y - self.border]
        self.output[x, y, c] = hl.mux(c, [there[p] for p in range(4)])
        self.knobs.dim(0).set_bounds(0, 5)

        # CPU time 1.0 ms/MP, one thread of a busy Xeon, AVX-512; with all of it everywhere it was 2.8.
        yo, tail, whole = hl.Var("yo"), hl.TailStrategy.GuardWithIf, hl.TailStrategy.RoundUp
        self.output.bound(c, 0, 4).split(y, yo, y, 128, tail).reorder(x, c, y, yo).parallel(yo).unroll(c)
        self.output.vectorize(x, lanes, tail)
        fixed.quads.compute_at(self.output, y).vectorize(x, lanes, whole)
        ring.compute_at(self.output, y).vectorize(x, lanes, whole)
        for f in (quads, flags):
            f.store_at(self.output, yo).compute_at(self.output, y).vectorize(x, lanes, whole).fold_storage(y, 8)
        for mended in (fixed, lifted):
            mended.schedule(self.output, lanes)
        line.store_at(self.output, yo).compute_at(self.output, y)
        line.update().vectorize(across, lanes)

    def line(self, limit):
        """Flagged half codes with a mirrored border, and the variable along a row."""
        half, line = hl.Func("half"), hl.Func("line")
        half[x, y] = flagged(integer(coded(self, 1)[x, y, 0], HALF_MAX), self.raw[x, y], limit)
        width, height = self.raw.dim(0).extent(), self.raw.dim(1).extent()
        across = hl.RDom([(0, width)], "across")
        line[x, y] = hl.undef(U16)
        line[across, y] = half[across, row_within(y, height)]
        # Of what is copied to one side, a tiny picture has had it copied to the other side just before.
        edge = hl.RDom([(0, 2), (1, 2 * (self.border + REACH) + 3)], "edge")
        left, right = hl.min(edge.y, width - 2 + edge.y), width - 1 - edge.y
        line[hl.select(edge.x == 0, -edge.y, width - 1 + edge.y), y] = line[hl.select(edge.x == 0, left, right), y]
        return line, across


if __name__ == "__main__":
    hl.main()
