"""Add — frames are moved into place, and a running mean takes them in as far as each pixel can be believed.

Everything is in half codes, 15 bits in int16 lanes, and weights are in 1/32768: what rounding adds is a hundredth of
the noise of the quietest frame. A displacement is constant over a block of BLOCK² pixels: loads are dense.
"""

import halide as hl

from _light import c, x, y
from _quad import GB, GR, I16, B, R
from align import F32, I32, U16
from demosaic import fast
from geometry import keys
from merge import BLOCK, MARGIN, U8, bx, by, i, j, n

HALF = BLOCK // 2
ZERO = hl.cast(I16, 0)
CHUNK = 32  # blocks that are made side by side, so that rows are written in long pieces
SPAN = BLOCK + 4  # pixels that a moved block is made from, in whole quads
BEFORE, BEHIND = 4, 40  # pixels before and from the corner of a moved block on, along a row, that must lie in memory


def times(value, part):
    """`value` (int16) times `part` in 1/32768, rounded."""
    return hl.rounding_mul_shift_right(value, part, hl.cast(U16, 15))


def fixed(weight):
    """A weight in 1/32768."""
    return hl.cast(I16, hl.min(hl.round(32768.0 * weight), 32767.0))


def weighted(values, parts):
    """Sum of two or four int16; of four, pairs have one small negative weight, so that only their sum saturates."""
    scaled = [times(v, p) for v, p in zip(values, parts, strict=True)]
    pairs = [hl.saturating_add(*scaled[k : k + 2]) for k in range(0, len(scaled), 2)]
    return pairs[0] if len(pairs) == 1 else hl.saturating_add(*pairs)


class _Add:
    """Codes `before` (3, H, W), which count as `total` (cells y, cells x) uint16, and n frames → their mean `after`.

    `flow` (n, 2, blocks y, blocks x) in pixels; `trust` (n, cells y, cells x); cells of 2x2 pixels in whole blocks.
    `after` may be `before` itself. Source: [Keys1981] for the interpolation.
    """

    flow = hl.InputBuffer(F32, 4)
    trust = hl.InputBuffer(U8, 3)
    total = hl.InputBuffer(U16, 2)
    before = hl.InputBuffer(U16, 3)
    after = hl.OutputBuffer(U16, 3)

    def placed(self, wide, high):
        """Func (bx, by, n): where in frames of `wide` x `high` pixels the taps of a block begin; and the fractions."""
        place, move = hl.Func("place"), [self.flow[bx, by, k, n] for k in (0, 1)]
        left, top = (b * BLOCK + hl.cast(I32, hl.floor(m)) + MARGIN - 1 for b, m in zip((bx, by), move, strict=True))
        # Where it has to be held back, nothing is trusted.
        place[bx, by, n] = (hl.clamp(left, BEFORE, wide - BEHIND), hl.clamp(top, BEFORE, high - SPAN - BEFORE))
        return place, [m - hl.floor(m) for m in move]

    def taps(self, fractions):
        """Func (bx, by, n) of the weights along a row, and those along a column."""
        part = hl.Func("part")
        part[bx, by, n] = tuple(fixed(w) for f in fractions for w in keys(f))
        # None is -32768, but the compiler does not know: times would be watched for overflow.
        taps = [hl.max(part[bx, by, n][k], hl.cast(I16, -32767)) for k in range(8)]
        return part, taps[:4], taps[4:]

    def shares(self):
        """Funcs over pixels i and rows of cells j: the `share` of each frame, `less`, that of all; and their sums."""
        told, unit, share, less = (hl.Func(name) for name in ("told", "unit", "share", "less"))
        every = hl.RDom([(0, self.trust.dim(2).extent())], "every")
        cell = bx * HALF + i, by * HALF + j
        told[i, j, bx, by] = hl.cast(F32, 0)
        told[i, j, bx, by] += hl.cast(F32, self.trust[(*cell, every)])
        unit[i, j, bx, by] = 32767.0 / (told[i, j, bx, by] + hl.cast(F32, self.total[cell]))
        here, weight = (i / 2, j, bx, by), hl.cast(F32, self.trust[bx * HALF + i / 2, by * HALF + j, n])
        share[i, j, bx, by, n] = hl.cast(I16, weight * unit[here] + 0.5)
        less[i, j, bx, by] = hl.cast(I16, told[here] * unit[here] + 0.5)
        return share, less, (told, unit)

    def build(self, moved):
        """The mean with `moved(i, j, c, bx, by, n)`, Expr of half codes. Returns `more` of what is added, the loop over
        frames in it, and the Funcs of shares."""
        share, less, sums = self.shares()
        frames, more = hl.RDom([(0, self.trust.dim(2).extent())], "frames"), hl.Func("more")
        more[i, j, c, bx, by] = ZERO
        taken = times(moved(i, j, c, bx, by, frames), hl.max(share[i, j / 2, bx, by, frames], ZERO))
        more[i, j, c, bx, by] = hl.saturating_add(more[i, j, c, bx, by], taken)
        here = hl.cast(I16, self.before[x, y, c] >> 1)
        kept = here - times(here, less[x % BLOCK, (y % BLOCK) / 2, x / BLOCK, y / BLOCK])
        mean = hl.saturating_add(kept, more[x % BLOCK, y % BLOCK, c, x / BLOCK, y / BLOCK])
        self.after[x, y, c] = hl.cast(U16, hl.max(mean, ZERO)) << 1
        self.schedule(more, less, sums)
        return more, frames.x, share

    def schedule(self, more, less, sums):
        """Chunks of blocks side by side, of which rows are written in one go."""
        for buffer in (self.before, self.after.output_buffer()):
            for k in (0, 1):
                buffer.dim(k).set_min(0)
        xi, yi, xo, yo = (hl.Var(v) for v in ("xi", "yi", "xo", "yo"))
        self.after.bound(c, 0, 3).tile(x, y, xo, yo, xi, yi, CHUNK * BLOCK, BLOCK, hl.TailStrategy.GuardWithIf)
        self.after.reorder(xi, yi, c, xo, yo).parallel(yo).vectorize(xi, self.lanes())
        for f in (more, less, *sums):
            f.compute_at(self.after, xo).bound_storage(bx, CHUNK).bound_storage(by, 1)
        more.vectorize(i, self.lanes())
        told, unit = sums
        for f in (told, told.update(), unit):
            f.vectorize(i, self.lanes(F32))
        self.doubled(less)

    def lanes(self, kind=U16):
        """Those of a vector, within a row of a block."""
        return min(self.natural_vector_size(kind), BLOCK if kind == U16 else HALF)

    def doubled(self, f):
        """Vectors of cells, written twice."""
        half, twice = hl.Var("half"), hl.Var("twice")
        f.split(i, half, twice, 2).unroll(twice).vectorize(half, self.lanes(F32))


@hl.generator(name="merge_add")
class Add(_Add):
    """`codes` (n, 3, H + 2·MARGIN, W + 2·MARGIN) in three colours."""

    codes = hl.InputBuffer(U16, 4)

    def generate(self):
        place, fractions = self.placed(*(self.codes.dim(k).extent() for k in (0, 1)))
        part, along, down = self.taps(fractions)
        across, moved = hl.Func("across"), hl.Func("moved")
        left, top = (place[bx, by, n][k] for k in (0, 1))
        row = [hl.cast(I16, self.codes[left + i + k, top + j, c, n] >> 1) for k in range(4)]
        across[i, j, c, bx, by, n] = weighted(row, along)
        moved[i, j, c, bx, by, n] = weighted([across[i, j + k, c, bx, by, n] for k in range(4)], down)
        more, frames, share = self.build(lambda *at: moved[at])
        # CPU time 2.3 ms/MP and frame: one thread of a busy Xeon, AVX-512. Planes are walked one after the other, in
        # few streams.
        more.update().reorder(i, j, bx, c, frames).vectorize(i, self.lanes())
        for f in (place, part, share):
            f.compute_at(more, frames).bound_storage(bx, CHUNK)
        self.doubled(share)
        across.compute_at(more, bx).vectorize(i, self.lanes())


class _Block:
    """Quads of a block, as the demosaic asks for them."""

    def __init__(self, quads):
        self.quads = quads

    def __getitem__(self, at):
        return self.quads[(*at, bx, by, n)]


@hl.generator(name="merge_add_quads")
class AddQuads(_Add):
    """`quads` (n, 4, h, w): half codes of a mosaic with MARGIN / 2 quads before it, as front_quads makes them. They are
    demosaiced block by block, which spares three planes of each frame the way to memory and back: green by the fast
    demosaic, then red and blue lie as far above it as they do, linearly, at their nearest samples.

    (dx, dy): place of R modulo 2; `tops` (n, 3): highest half codes of R, G, B.
    """

    quads = hl.InputBuffer(U16, 4)
    dx = hl.InputScalar(I32)
    dy = hl.InputScalar(I32)
    tops = hl.InputBuffer(U16, 2)

    def generate(self):
        place, fractions = self.placed(*(2 * self.quads.dim(k).extent() - 1 for k in (0, 1)))
        part, along, down = self.taps(fractions)
        ends = [place[bx, by, n][k] + d for k, d in enumerate((self.dx, self.dy))]
        odd = [end % 2 for end in ends]  # pixels from the first quad to the first tap
        full, tint, made = self.colours([end / 2 for end in ends])
        across, moved = hl.Func("across"), hl.Func("moved")
        across[i, j, bx, by, n] = weighted([full[i + k + odd[0], j + odd[1], bx, by, n] for k in range(4)], along)
        green = weighted([across[i, j + k, bx, by, n] for k in range(4)], down)
        tinted, above, between = self.between(tint, fractions, odd)
        tops = [hl.cast(I16, self.tops[k, n]) for k in (0, 2)]
        red, blue = (hl.min(hl.saturating_add(green, v), top) for v, top in zip(above, tops, strict=True))
        moved[i, j, c, bx, by, n] = hl.mux(c, [red, green, blue])
        more, frames, share = self.build(lambda *at: moved[at])
        # CPU time 1.7 ms/MP and frame, four at once, 2.2 two at once (2.6 with all of the fast demosaic and bicubic in
        # three colours): one thread of a busy Xeon, AVX-512. A third of it is waiting for quads.
        more.update().reorder(i, c, j, frames, bx).unroll(c).vectorize(i, self.lanes())
        for f in (place, part, between, share, full, across, tinted, *made):
            f.compute_at(more, frames)
        self.doubled(share)
        for f in made:
            f.vectorize(x, self.lanes(), hl.TailStrategy.RoundUp)
        iq, i2, jq, j2 = (hl.Var(v) for v in ("iq", "i2", "jq", "j2"))
        full.align_bounds(i, 2).align_bounds(j, 2).split(i, iq, i2, 2).split(j, jq, j2, 2).reorder(i2, j2, iq, jq)
        full.unroll(i2).unroll(j2).vectorize(iq, self.lanes(), hl.TailStrategy.RoundUp)
        across.vectorize(i, self.lanes())
        half, twice = hl.Var("half"), hl.Var("twice")
        tinted.split(i, half, twice, 2).reorder(twice, half, y).unroll(twice).vectorize(half, HALF)

    def colours(self, first):
        """From the quad `first` (x, y) on: Func of green (i, j, bx, by, n), Func of how far (red, blue) lie above it at
        their samples (x, y, bx, by, n), and the Funcs made for both."""
        quads, green, tint, full = (hl.Func(name) for name in ("local", "green", "tint", "full"))
        quads[x, y, bx, by, n] = tuple(self.quads[first[0] + x, first[1] + y, p, n] for p in range(4))
        triples, _ = fast(_Block(quads))
        here = quads[x, y, bx, by, n]
        green[x, y, bx, by, n] = tuple(hl.min(triples[p][1], self.tops[1, n]) for p in (R, B))
        greens = [green[x, y, bx, by, n][k] for k in (0, 1)]
        tint[x, y, bx, by, n] = tuple(
            hl.cast(I16, here[p]) - hl.cast(I16, g) for p, g in zip((R, B), greens, strict=True)
        )
        at = (i / 2, j / 2, bx, by, n)
        four = [hl.cast(I16, v) for v in (green[at][0], quads[at][GR], quads[at][GB], green[at][1])]
        rows = [hl.select(i % 2 == 0, four[k], four[k + 1]) for k in (0, 2)]
        full[i, j, bx, by, n] = hl.select(j % 2 == 0, *rows)
        return full, tint, (green, tint)

    def between(self, tint, fractions, odd):
        """`tint` between its samples, which are two pixels apart: the Func along rows, the Exprs (red, blue) of the
        block's pixels, and the Func of the weights, near and far, of places beside a sample and beyond the next pixel.
        """
        part, tinted = hl.Func("nearness"), hl.Func("tinted")
        far = [0.5 * (f + v) for f in fractions for v in (0.0, 1.0)]
        part[bx, by, n] = tuple(fixed(w) for f in far for w in (1.0 - f, f))

        def linear(axis, place, value):
            near = [hl.max(part[bx, by, n][4 * axis + k], ZERO) for k in range(4)]
            parts = [hl.select(place % 2 == 0, near[k], near[k + 2]) for k in (0, 1)]
            return weighted([value(place / 2), value(place / 2 + 1)], parts)

        # Red lies at the even pixels of quads, blue at the odd ones; the first tap is one pixel before the block.
        places = [[at + d + k for k in (1, 0)] for at, d in zip((i, j), odd, strict=True)]
        tinted[i, y, bx, by, n] = tuple(
            linear(0, places[0][k], lambda at, k=k: tint[at, y, bx, by, n][k]) for k in (0, 1)
        )
        return tinted, [linear(1, places[1][k], lambda at, k=k: tinted[i, at, bx, by, n][k]) for k in (0, 1)], part


if __name__ == "__main__":
    hl.main()
