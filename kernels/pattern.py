"""Pattern — demosaic of any repeating mosaic: quad, nona, 6x6 …; the why is in lichtbild/develop/pattern.py.

Columns of one phase of the pattern lie side by side in a Func (cx, px, y): pixel x = cx·period + px. So what differs
from phase to phase, taps and their weights, is the same for all lanes of a vector, and every load is a dense one.
"""

import functools
import operator

import halide as hl

from _quad import F32, HALF_MAX, U16, c, x, y
from front import Coded, coded, integer

I32 = hl.Int(32)
TAPS = 24
WAYS = ((1, 0), (0, 1), (1, 1), (1, -1))  # directions along which colours are compared
SIDE = 5  # pixels of a side that are averaged, from the middle on
BOX = 2  # gradients of (2·BOX + 1)² pixels are summed
STEP = 6  # columns that a step goes at most
REACH = 8  # columns and rows that a table may point to
OTHERS = 8  # samples of other colours beside a clipped one
LANES = 56  # columns of one phase in a tile, which its neighbours fill up to 64
cx, px, d, n = hl.Var("cx"), hl.Var("px"), hl.Var("d"), hl.Var("n")


def flagged(code, raw, limit):
    """Half code; where the raw number reaches `limit` as far below 0, so that it is told apart."""
    return hl.select(raw >= limit, -1.0 - code, code)


def code(value):
    """Half code of a flagged one."""
    return hl.select(value < 0.0, -1.0 - value, value)


def total(terms):
    return functools.reduce(operator.add, terms)


class _Pattern:
    """`steps` (2, 2·STEP + 1, period): where the column beside one of each phase lies, in cx and px.

    `taps` (3, TAPS, ways, period, rows): cx, px and y of each tap beside its pixel; `weights` (2, TAPS, …): red minus
    green, blue minus green. `ring` (3, 8, period, rows): eight neighbours of one colour, in opposite pairs; `far` (3,
    4, …): those of the colours of the direct neighbours, further out. `other` (3, OTHERS, …): the nearest of the other
    two colours, as many of each. `kind` (period, rows): 0 red, 1 green, 2 blue.
    """

    kind = hl.InputBuffer(hl.UInt(8), 2)
    steps = hl.InputBuffer(hl.Int(32), 3)
    taps = hl.InputBuffer(hl.Int(32), 5)
    weights = hl.InputBuffer(hl.Float(32), 5)
    ahead_x = hl.InputScalar(hl.Int(32))
    ahead_y = hl.InputScalar(hl.Int(32))
    eps = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def build(self, half, ahead_x, ahead_y, tops, repaired):
        self.period, self.rows = self.kind.dim(0).extent(), self.kind.dim(1).extent()
        self.most = (STEP + self.period - 1) / self.period
        self.spot, self.share = hl.Func("spot"), hl.Func("share")
        parted = hl.Func("parted")
        parted[cx, px, y] = half[cx * self.period + px, y]
        lifted = self.raised(parted) if repaired else parted
        fixed = self.fixed(lifted) if repaired else parted
        estimate, gradient, down, box, blend = (hl.Func(n) for n in ("estimate", "gradient", "down", "box", "blend"))
        estimate[cx, px, y, d] = self.estimates(fixed)
        gradient[cx, px, y, d] = self.steepness(estimate)
        down[cx, px, y, d] = total(gradient[cx, px, y + n, d] for n in range(-BOX, BOX + 1))
        box[cx, px, y, d] = total(self.beside(down, n, 0, d) for n in range(-BOX, BOX + 1))
        blend[cx, px, y] = self.blended(estimate, box)
        colours = hl.Func("colours")
        colours[cx, px, y] = self.colours(fixed, blend)

        # Whole numbers below 2^24 are exact in float32, and the reciprocal is off by less than half a column.
        column = x + ahead_x
        at = hl.cast(I32, hl.floor((hl.cast(F32, column) + 0.5) * (1.0 / hl.cast(F32, self.period))))
        phase = hl.clamp(column - at * self.period, 0, self.period - 1)
        values = colours[at, phase, y + ahead_y]
        doubled = [hl.cast(U16, values[k]) << 1 for k in range(3)]
        self.output[x, y, c] = hl.mux(c, [hl.min(v, top) for v, top in zip(doubled, tops, strict=True)])
        rows = [half, parted, lifted, fixed] if repaired else [half, parted]
        self.schedule(rows, [estimate, gradient, down, box], [blend, colours])

    def beside(self, func, dx, dy, *rest):
        """Value `dx` columns and `dy` rows beside."""
        if dx == 0:
            return func[(cx, px, y + dy, *rest)]
        jump = hl.clamp(self.steps[0, dx + STEP, px], -self.most, self.most)
        phase = hl.clamp(self.steps[1, dx + STEP, px], 0, self.period - 1)
        return func[(cx + jump, phase, y + dy, *rest)]

    def listed(self, func, table, n, *way):
        """Value where entry `n` of a table points to."""
        jump, phase, row = (table[(k, n, *way, px, y % self.rows)] for k in range(3))
        most = (REACH + self.period - 1) / self.period
        jump, row = hl.clamp(jump, -most, most), hl.clamp(row, -REACH, REACH)
        return func[cx + jump, hl.clamp(phase, 0, self.period - 1), y + row]

    def raised(self, parted):
        """Clipped samples, below 0 here, raised to the other colours beside them, if their like are clipped, too."""
        lifted, here = hl.Func("lifted"), code(parted[cx, px, y])
        alike = total(hl.select(self.listed(parted, self.ring, n) < 0.0, 1, 0) for n in range(8))
        guess = total(code(self.listed(parted, self.other, n)) for n in range(OTHERS)) * (1.0 / OTHERS)
        rise = hl.max(guess - here, 0.0) * hl.select(alike >= 2, hl.f32(1.0), alike == 1, hl.f32(0.5), hl.f32(0.0))
        lifted[cx, px, y] = hl.select(parted[cx, px, y] < 0.0, here + rise, here)
        return lifted

    def fixed(self, parted):
        """Single wrong pixels replaced; as in kernels/defects.py, with the neighbours of this pattern."""
        fixed, here = hl.Func("fixed"), parted[cx, px, y]
        ring = [self.listed(parted, self.ring, n) for n in range(8)]
        highest, lowest = functools.reduce(hl.max, ring), functools.reduce(hl.min, ring)
        over, under = hl.max(here - highest, 0.0), hl.max(lowest - here, 0.0)
        beyond, spread = hl.max(over, under), highest - lowest
        near = total(self.beside(parted, i, j) for i, j in ((-1, 0), (1, 0), (0, -1), (0, 1)))
        far = total(self.listed(parted, self.far, n) for n in range(4))
        rise = 0.25 * hl.select(over > 0.0, near - far, far - near)
        value, flattest = None, None
        for a, b in zip(ring[::2], ring[1::2], strict=True):
            step, middle = hl.abs(a - b), 0.5 * (a + b)
            value = middle if flattest is None else hl.select(step < flattest, middle, value)
            flattest = step if flattest is None else hl.min(step, flattest)
        limit = hl.cast(F32, self.knobs[hl.clamp(hl.cast(I32, self.kind[px, y % self.rows]), 0, 2)])
        strength = hl.cast(F32, self.knobs[3]) * hl.f32(1.0 / 32767)
        wrong = (beyond > limit + 1.5 * spread) & (beyond * 0.125 > rise)
        fixed[cx, px, y] = hl.select(wrong, here + (value - here) * strength, here)
        return fixed

    def estimates(self, fixed):
        """Red minus green, blue minus green: linear in the taps. What the tables say of a row is looked up before."""
        row = y % self.rows
        most = (REACH + self.period - 1) / self.period
        jump, phase, down = (self.taps[k, n, d, px, row] for k in range(3))
        self.spot[n, px, y, d] = (
            hl.clamp(jump, -most, most), hl.clamp(phase, 0, self.period - 1), hl.clamp(down, -REACH, REACH),
        )  # fmt: skip
        self.share[n, px, y, d] = tuple(self.weights[k, n, d, px, row] for k in range(2))
        near = []
        for i in range(TAPS):
            jump, phase, down = (self.spot[i, px, y, d][k] for k in range(3))
            near.append(fixed[cx + jump, phase, y + down])
        return tuple(total(self.share[i, px, y, d][k] * v for i, v in enumerate(near)) for k in range(2))

    def steepness(self, estimate):
        """How much both differences change from one neighbour along a way to the other."""
        ways = []
        for n, (i, j) in enumerate(WAYS):
            a, b = self.beside(estimate, i, j, n), self.beside(estimate, -i, -j, n)
            ways.append((hl.abs(a[0] - b[0]) + hl.abs(a[1] - b[1])) * hl.f32((i * i + j * j) ** -0.5))
        return hl.mux(d, ways)

    def blended(self, estimate, box):
        """Means of differences towards eight sides, weighed by 1 / (gradients there)⁴."""
        sums, weight = [0.0, 0.0], 0.0
        for n, (i, j) in enumerate(WAYS):
            for sign in (1, -1):
                steep = self.beside(box, sign * i, sign * j, n) + self.eps
                own = 1.0 / (steep * steep * steep * steep)
                side = [self.beside(estimate, sign * k * i, sign * k * j, n) for k in range(SIDE)]
                sums = [s + own * total(v[k] for v in side) for k, s in enumerate(sums)]
                weight = weight + own
        share = hl.f32(1.0 / SIDE) / weight
        return tuple(s * share for s in sums)

    def colours(self, fixed, blend):
        """Half codes of R, G, B; what was measured is kept."""
        own, kind = fixed[cx, px, y], self.kind[px, y % self.rows]
        red, blue = (blend[cx, px, y][k] for k in range(2))
        green = hl.select(kind == 1, own, kind == 0, own - red, own - blue)
        three = (hl.select(kind == 0, own, green + red), green, hl.select(kind == 2, own, green + blue))
        return tuple(hl.clamp(v + 0.5, 0.0, float(HALF_MAX)) for v in three)

    def schedule(self, early, wayward, late):
        # 42 ms/MP of processor time, half of that on 2 cores of a Xeon, AVX-512; estimates and blend take 28 % each.
        # Whole tiles, not rows that slide: Halide does not see that rows looked up in a table follow each other.
        out, tail, up = self.output, hl.TailStrategy.GuardWithIf, hl.TailStrategy.RoundUp
        xo, yo, lanes = hl.Var("xo"), hl.Var("yo"), self.natural_vector_size(F32)
        out.bound(c, 0, 3).split(y, yo, y, 64, tail).split(x, xo, x, LANES * self.period, tail)
        out.reorder(x, c, y, xo, yo).vectorize(x, 2 * lanes, tail).unroll(c).parallel(yo)
        for f in (*early, *wayward):
            f.compute_at(out, xo)
        for f in early:
            f.vectorize(x if f is early[0] else cx, lanes, up)
        for f in wayward:
            f.bound(d, 0, len(WAYS)).reorder(cx, px, d, y).vectorize(cx, lanes, up)
        for f in wayward[1:]:
            f.unroll(d)
        for f in (self.spot, self.share):
            f.compute_at(wayward[0], px)
        for f in late:
            f.compute_at(out, y).vectorize(cx, lanes, up)


@hl.generator(name="front_pattern")
class Front(_Pattern, Coded):
    """Raw numbers of a mosaic with a border of `ahead_x`, `ahead_y` whole periods → codes (3, H, W)."""

    raw = hl.InputBuffer(hl.UInt(16), 2)
    ring = hl.InputBuffer(hl.Int(32), 4)
    far = hl.InputBuffer(hl.Int(32), 4)
    other = hl.InputBuffer(hl.Int(32), 4)
    knobs = hl.InputBuffer(hl.UInt(16), 1)

    def generate(self):
        half, root = hl.Func("half"), coded(self, 1, self.gains.dim(2).extent())
        width, height = self.raw.dim(0).extent(), self.raw.dim(1).extent()
        plain = hl.Func("plain")
        plain[x, y] = flagged(hl.cast(F32, integer(root[x, y, 0], HALF_MAX)), self.raw[x, y], self.knobs[4])
        half[x, y] = plain[hl.clamp(x, 0, width - 1), hl.clamp(y, 0, height - 1)]
        tops = [self.knobs[5 + k] for k in range(3)]
        self.build(half, self.ahead_x, self.ahead_y, tops, True)


@hl.generator(name="demosaic_pattern")
class Demosaic(_Pattern):
    """Half codes with the same border → codes (3, H, W)."""

    mosaic = hl.InputBuffer(hl.UInt(16), 2)

    def generate(self):
        half = hl.Func("half")
        width, height = self.mosaic.dim(0).extent(), self.mosaic.dim(1).extent()
        half[x, y] = hl.cast(F32, self.mosaic[hl.clamp(x, 0, width - 1), hl.clamp(y, 0, height - 1)])
        self.build(half, self.ahead_x, self.ahead_y, [hl.cast(U16, 2 * HALF_MAX)] * 3, False)


if __name__ == "__main__":
    hl.main()
