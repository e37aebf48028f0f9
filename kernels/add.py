"""Add — frames are moved into place, and a running mean takes them in as far as each pixel can be believed.

Everything is in half codes, 15 bits in int16 lanes, and weights are in 1/32768: what rounding adds is a hundredth of
the noise of the quietest frame. A displacement is constant over a block of BLOCK² pixels: loads are dense.
"""

import halide as hl

from _light import c, x, y
from _quad import I16
from align import F32, I32, U16
from demosaic import fast
from geometry import keys
from merge import BLOCK, MARGIN, U8, bx, by, i, j, n

HALF = BLOCK // 2
ZERO = hl.cast(I16, 0)
CHUNK = 64  # blocks that are made side by side, so that rows are written in long pieces
SPAN = BLOCK + 4  # pixels that a moved block is made from, in whole quads
BEFORE, BEHIND = 4, 40  # pixels before and from the corner of a moved block on, along a row, that must lie in memory


def times(value, part):
    """`value` (int16) times `part` in 1/32768, rounded."""
    return hl.rounding_mul_shift_right(value, part, hl.cast(U16, 15))


def cubic(taps, part):
    """Bicubic interpolation of four int16; pairs with one small negative weight, so that only their sum saturates."""
    scaled = [times(t, p) for t, p in zip(taps, part, strict=True)]
    return hl.saturating_add(hl.saturating_add(*scaled[:2]), hl.saturating_add(*scaled[2:]))


class _Add:
    """Codes `before` (3, H, W), which count as `total` (rows of cells, W) uint16, and n frames → their mean `after`.

    `flow` (n, 2, blocks y, blocks x) in pixels; `trust` (n, rows of cells, W). `after` may be `before` itself.
    Source: [Keys1981] for the interpolation.
    """

    def build(self, wide, high, planes, local):
        """`planes(corner)` → Func of half codes (i, j, c, bx, by, n) and where in it the pixel `corner` (x, y) lies;
        `wide`, `high`: size of the frames with their borders. Returns the Func at which, and its loop in which, a
        frame's blocks are made.
        """
        u, v = self.flow[bx, by, 0, n], self.flow[bx, by, 1, n]
        iu, iv = hl.floor(u), hl.floor(v)
        place, part, share, less = (hl.Func(name) for name in ("place", "part", "share", "less"))
        # Where it has to be held back, nothing is trusted.
        left, top = (b * BLOCK + hl.cast(I32, move) + MARGIN - 1 for b, move in ((bx, iu), (by, iv)))
        place[bx, by, n] = (hl.clamp(left, BEFORE, wide - BEHIND), hl.clamp(top, BEFORE, high - SPAN - BEFORE))
        fractions = (*keys(u - iu), *keys(v - iv))
        part[bx, by, n] = tuple(hl.cast(I16, hl.min(hl.round(32768.0 * w), 32767.0)) for w in fractions)
        # None is -32768, but the compiler does not know: times would be watched for overflow.
        taps = [hl.max(part[bx, by, n][k], hl.cast(I16, -32767)) for k in range(8)]
        found, (dx, dy) = planes([place[bx, by, n][k] for k in (0, 1)])
        across, moved = hl.Func("across"), hl.Func("moved")
        row = [found[i + k + dx, j + dy, c, bx, by, n] for k in range(4)]
        across[i, j, c, bx, by, n] = cubic(row, taps[:4])
        column = [across[i, j + k, c, bx, by, n] for k in range(4)]
        moved[i, j, c, bx, by, n] = cubic(column, taps[4:])

        count = self.trust.dim(2).extent()
        frames, all_of_them = (hl.RDom([(0, count)], name) for name in ("frames", "all_of_them"))
        told, unit, more = hl.Func("told"), hl.Func("unit"), hl.Func("more")
        px, py = bx * BLOCK + i, by * HALF + j
        told[i, j, bx, by] = hl.cast(F32, 0)
        told[i, j, bx, by] += hl.cast(F32, self.trust[px, py, all_of_them])
        unit[i, j, bx, by] = 32767.0 / (told[i, j, bx, by] + hl.cast(F32, self.total[px, py]))

        def part_of(weight, at):
            return hl.cast(I16, weight * unit[at] + 0.5)

        share[i, j, bx, by, n] = part_of(hl.cast(F32, self.trust[px, py, n]), (i, j, bx, by))
        less[i, j, bx, by] = part_of(told[i, j, bx, by], (i, j, bx, by))
        more[i, j, c, bx, by] = hl.cast(I16, 0)
        taken = times(moved[i, j, c, bx, by, frames], hl.max(share[i, j / 2, bx, by, frames], ZERO))
        more[i, j, c, bx, by] = hl.saturating_add(more[i, j, c, bx, by], taken)
        here = hl.cast(I16, self.before[x, y, c] >> 1)
        xi, yi, xo, yo = (hl.Var(v) for v in ("xi", "yi", "xo", "yo"))
        kept = here - times(here, less[x % BLOCK, (y % BLOCK) / 2, x / BLOCK, y / BLOCK])
        mean = hl.saturating_add(kept, more[x % BLOCK, y % BLOCK, c, x / BLOCK, y / BLOCK])
        self.after[x, y, c] = hl.cast(U16, hl.max(mean, ZERO)) << 1

        # CPU time 2.3 ms/MP and frame, with the demosaic of quads 2.7: one thread of a busy Xeon, AVX-512.
        for buffer in (self.before, self.after.output_buffer()):
            for k in (0, 1):
                buffer.dim(k).set_min(0)
        lanes, floats = (min(self.natural_vector_size(t), BLOCK) for t in (U16, F32))
        self.after.bound(c, 0, 3).tile(x, y, xo, yo, xi, yi, CHUNK * BLOCK, BLOCK, hl.TailStrategy.GuardWithIf)
        self.after.reorder(xi, yi, c, xo, yo).parallel(yo).vectorize(xi, lanes)
        more.compute_at(self.after, xo).bound_storage(bx, CHUNK).bound_storage(by, 1).vectorize(i, lanes)
        # Planes in memory are walked one after the other, in few streams; a local mosaic gives all three at once.
        more.update().reorder(*((i, j, c, bx) if local else (i, j, bx, c)), frames.x).vectorize(i, lanes)
        for f in (told, unit, less):
            f.compute_at(self.after, xo).bound_storage(bx, CHUNK).bound_storage(by, 1).vectorize(i, floats)
        told.update().reorder(i, j, all_of_them.x).vectorize(i, floats)
        for f in (place, part, share):
            f.compute_at(more, frames.x).bound_storage(bx, CHUNK)
        share.vectorize(i, floats)
        across.compute_at(more, c if local else bx).vectorize(i, lanes)
        return more


@hl.generator(name="merge_add")
class Add(_Add):
    """`codes` (n, 3, H + 2·MARGIN, W + 2·MARGIN) in three colours."""

    codes = hl.InputBuffer(U16, 4)
    flow = hl.InputBuffer(F32, 4)
    trust = hl.InputBuffer(U8, 3)
    total = hl.InputBuffer(U16, 2)
    before = hl.InputBuffer(U16, 3)
    after = hl.OutputBuffer(U16, 3)

    def generate(self):
        def planes(corner):
            found = hl.Func("found")
            found[i, j, c, bx, by, n] = hl.cast(I16, self.codes[corner[0] + i, corner[1] + j, c, n] >> 1)
            return found, (0, 0)

        self.build(self.codes.dim(0).extent(), self.codes.dim(1).extent(), planes, local=False)


class _Local:
    """Quads of a block, as the demosaic asks for them."""

    def __init__(self, quads):
        self.quads = quads

    def __getitem__(self, at):
        return self.quads[(*at, bx, by, n)]


@hl.generator(name="merge_add_quads")
class AddQuads(_Add):
    """`quads` (n, 4, h, w): half codes of a mosaic with MARGIN / 2 quads before it, as front_quads makes them. They are
    demosaiced block by block, which spares three planes of each frame the way to memory and back.

    (dx, dy): place of R modulo 2; `tops` (n, 3): highest half codes of R, G, B.
    """

    quads = hl.InputBuffer(U16, 4)
    dx = hl.InputScalar(I32)
    dy = hl.InputScalar(I32)
    tops = hl.InputBuffer(U16, 2)
    flow = hl.InputBuffer(F32, 4)
    trust = hl.InputBuffer(U8, 3)
    total = hl.InputBuffer(U16, 2)
    before = hl.InputBuffer(U16, 3)
    after = hl.OutputBuffer(U16, 3)

    def generate(self):
        local, colours, full = hl.Func("local"), hl.Func("colours"), hl.Func("full")

        def planes(corner):
            places = [at + d for at, d in zip(corner, (self.dx, self.dy), strict=True)]
            left, top = (place / 2 for place in places)
            local[x, y, bx, by, n] = tuple(self.quads[left + x, top + y, p, n] for p in range(4))
            triples, _ = fast(_Local(local))
            held = [[hl.min(v, self.tops[k, n]) for k, v in enumerate(t)] for t in triples]
            colours[x, y, c, bx, by, n] = tuple(hl.cast(I16, hl.mux(c, t)) for t in held)
            value = colours[i / 2, j / 2, c, bx, by, n]
            pairs = [hl.select(i % 2 == 0, value[k], value[k + 1]) for k in (0, 2)]
            full[i, j, c, bx, by, n] = hl.select(j % 2 == 0, *pairs)
            return full, [place % 2 for place in places]

        wide, high = (2 * self.quads.dim(k).extent() - 1 for k in (0, 1))
        more = self.build(wide, high, planes, local=True)
        lanes = min(self.natural_vector_size(U16), BLOCK)
        iq, i2, jq, j2 = (hl.Var(v) for v in ("iq", "i2", "jq", "j2"))
        local.compute_at(more, bx).vectorize(x, lanes, hl.TailStrategy.RoundUp)
        full.compute_at(more, bx).bound(c, 0, 3).align_bounds(i, 2).align_bounds(j, 2)
        full.split(i, iq, i2, 2).split(j, jq, j2, 2).reorder(i2, c, j2, iq, jq)
        full.unroll(i2).unroll(c).unroll(j2).vectorize(iq, lanes, hl.TailStrategy.RoundUp)


if __name__ == "__main__":
    hl.main()
