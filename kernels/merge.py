"""Merge — several frames become one picture in three colours; the why stands in merge/__init__.py.

Frames are codes in three colours, in which noise is equally strong everywhere, kept with a border of MARGIN pixels on
each side, so that a block that is moved over the edge still lies in memory. A displacement is constant over a block of
BLOCK² pixels: loads are dense.
"""

import functools

import halide as hl

from _light import c, x, y
from _quad import GB, GR
from align import F32, I32, U16

BLOCK = 16
MARGIN = 32
n, i, j, bx, by = (hl.Var(v) for v in ("n", "i", "j", "bx", "by"))
U8 = hl.UInt(8)
U8_ALL = hl.cast(U8, 255)  # what is no pixel of the reference objects to nothing


def mean(a, b):
    """Rounding mean of two uint16."""
    return hl.rounding_halving_add(hl.cast(U16, a), hl.cast(U16, b))


def blurred(output, cells):
    """`output` (x, y, c): grey, R, G, B of `cells` (a Func of three) blurred by 1 2 1; returns the Funcs between."""
    across, both = hl.Func("across"), hl.Func("both")
    across[x, y] = tuple(mean(mean(cells[x - 1, y][k], cells[x + 1, y][k]), cells[x, y][k]) for k in range(3))
    both[x, y] = tuple(mean(mean(across[x, y - 1][k], across[x, y + 1][k]), across[x, y][k]) for k in range(3))
    r, g, b = (both[x, y][k] for k in range(3))
    output[x, y, c] = hl.mux(c, [mean(mean(r, b), g), r, g, b])
    return [across, both]


def schedule_guide(output, yo, lanes):
    """Strips of 32 rows, colours side by side."""
    tail = hl.TailStrategy.GuardWithIf
    output.bound(c, 0, 4).split(y, yo, y, 32, tail).parallel(yo)
    output.reorder(x, c, y, yo).unroll(c).vectorize(x, lanes, tail)


@hl.generator(name="merge_guide")
class Guide:
    """Codes (3, H, W) → (4, ceil(H/2), ceil(W/2)): means of 2x2 cells, blurred by 1 2 1: grey, R, G, B."""

    codes = hl.InputBuffer(U16, 3)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        edged, down, cells = hl.BoundaryConditions.repeat_edge(self.codes), hl.Func("down"), hl.Func("cells")
        down[x, y, c] = mean(edged[x, 2 * y, c], edged[x, 2 * y + 1, c])
        cells[x, y] = tuple(mean(down[2 * x, y, k], down[2 * x + 1, y, k]) for k in range(3))
        funcs = blurred(self.output, cells)
        lanes, yo = self.natural_vector_size(U16), hl.Var("yo")
        schedule_guide(self.output, yo, lanes)
        for f in (down, cells, *funcs):
            f.store_at(self.output, yo).compute_at(self.output, y).vectorize(x, lanes)


@hl.generator(name="merge_guide_quads")
class GuideQuads:
    """A guide of a mosaic: `quads` (4, h, w) of half codes with MARGIN / 2 quads before it, as front_quads makes them.
    (dx, dy): place of R modulo 2.

    Red and blue are interpolated to the middle of a cell. A demosaic would add what green knows of finer detail; of
    that the blur leaves too little to be felt by alignment or trust: 0.01 dB on SB-1 at ISO 1600 and 6400.
    """

    quads = hl.InputBuffer(U16, 3)
    dx = hl.InputScalar(I32)
    dy = hl.InputScalar(I32)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        down, cells, edge = hl.Func("down"), hl.Func("cells"), MARGIN // 2
        down[x, y] = tuple(
            self.middle(lambda row, p=p: self.quads[x + edge, row + edge, p], p, p >> 1, y, self.dy) for p in range(4)
        )
        r, g1, g2, b = (self.middle(lambda column, p=p: down[column, y][p], p, p & 1, x, self.dx) for p in range(4))
        cells[x, y] = tuple(v << 1 for v in (r, mean(g1, g2), b))
        funcs = blurred(self.output, cells)
        lanes, yo = self.natural_vector_size(U16), hl.Var("yo")
        schedule_guide(self.output, yo, lanes)
        # CPU time 0.5 ms/MP, one thread of a busy Xeon, AVX-512; of what is demosaiced, fast, 0.8.
        for f in (down, cells, *funcs):  # vectors go on behind the picture, where there is room
            f.store_at(self.output, yo).compute_at(self.output, y).vectorize(x, lanes, hl.TailStrategy.RoundUp)

    @staticmethod
    def middle(value, p, odd, cell, d):
        """Pixel `p` of the quads in the middle of a cell; `value` gives it at a place along a line, where its place in
        a quad is `odd` and that of R is `d`.
        """
        near = cell + (1 - odd) * d
        if p in (GR, GB):
            return value(near)
        far = near + hl.select((odd + d) % 2 == 0, 1, -1)
        return mean(mean(value(near), value(far)), value(near))


RATE = 2.0**22  # what rates are counted in


@hl.generator(name="merge_rates")
class Rates:
    """What a difference of guides by one code counts, in units of what noise and edges explain, for R, G, B.

    `reference` (4, h, w): a guide as merge_guide makes it; `power` (5,): 1 / variance of the difference of two guides
    by noise for R, G, B, the part of the squared steps of the reference that is forgiven, and that of its squared
    level; `noise` (256,): variance in those units for codes of the reference of 256·i. output (3, h, w), in 1 / RATE.
    """

    reference = hl.InputBuffer(U16, 3)
    power = hl.InputBuffer(F32, 1)
    noise = hl.InputBuffer(F32, 1)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        edged = hl.BoundaryConditions.repeat_edge(self.reference)

        def near(dx, dy):
            return hl.cast(F32, edged[x + dx, y + dy, c + 1])

        gx, gy, here = near(1, 0) - near(-1, 0), near(0, 1) - near(0, -1), near(0, 0)
        forgiven = self.power[3] * (gx * gx + gy * gy) + self.power[4] * here * here
        variance = self.noise[hl.clamp(hl.cast(I32, edged[x, y, c + 1] >> 8), 0, 255)] / self.power[c]
        self.output[x, y, c] = hl.cast(U16, hl.min(RATE / hl.sqrt(variance + forgiven) + 0.5, 65535.0))
        # CPU time 1 ms/MP, once for a burst; in each frame it would be as much: one thread of a busy Xeon, AVX-512.
        yo, tail, lanes = hl.Var("yo"), hl.TailStrategy.GuardWithIf, self.natural_vector_size(F32)
        self.output.bound(c, 0, 3).split(y, yo, y, 32, tail).reorder(x, c, y, yo).parallel(yo)
        self.output.vectorize(x, lanes, tail)


class _Trust:
    """How far a frame can be believed, 0..255: where the guides differ by what noise and edges explain.

    `reference`, `frame`: guides as merge_guide makes them, that of the frame with a border of MARGIN / 2 cells, or
    halved ones without; `rates` (3, h, w): of the reference, as merge_rates makes them; `flow` (2, blocks y, blocks x)
    displacement in pixels; `ramp` (4,): slope and bias of trust over the mean squared difference, for weak and for
    strong doubts.
    """

    reference = hl.InputBuffer(U16, 3)
    rates = hl.InputBuffer(U16, 3)
    frame = hl.InputBuffer(U16, 3)
    flow = hl.InputBuffer(F32, 3)
    ramp = hl.InputBuffer(F32, 1)
    output = hl.OutputBuffer(U8, 2)

    def believed(self, cells, beyond):
        """Trust in a cell, with `cells` per side of a block: `beyond` the frame; no objection beyond the reference."""
        margin = MARGIN // 2 if cells == BLOCK // 2 else 0
        wide, high = self.frame.dim(0).extent() - 2 * margin, self.frame.dim(1).extent() - 2 * margin
        bx = hl.clamp(x / cells, 0, self.flow.dim(0).extent() - 1)
        by = hl.clamp(y / cells, 0, self.flow.dim(1).extent() - 1)
        u, v = (hl.f32(cells / BLOCK) * self.flow[bx, by, k] for k in (0, 1))
        x1, y1 = x + u, y + v
        inside = (x1 >= 0) & (y1 >= 0) & (x1 <= wide - 1) & (y1 <= high - 1)
        iu, iv = hl.cast(I32, hl.floor(u)), hl.cast(I32, hl.floor(v))
        if margin:  # a block that lies in the frame with any cell lies whole within the border: loads stay dense
            x2 = hl.clamp(bx * cells + iu, 2 - margin, wide + margin - cells - 4) + margin + x - bx * cells
            y2 = hl.clamp(by * cells + iv, 2 - margin, high + margin - cells - 4) + margin + y - by * cells
            x2, y2 = (hl.unsafe_promise_clamped(at, 0, size + 2 * margin - 2) for at, size in ((x2, wide), (y2, high)))
            place = (x2, y2, u - hl.floor(u), v - hl.floor(v))
        else:
            x2, y2 = hl.clamp(x + iu, 0, wide - 2), hl.clamp(y + iv, 0, high - 2)
            place = (x2, y2, hl.clamp(x1 - x2, 0.0, 1.0), hl.clamp(y1 - y2, 0.0, 1.0))
        edged, rates = (hl.BoundaryConditions.repeat_edge(f) for f in (self.reference, self.rates))
        excess = hl.f32(0.0)
        for p in (1, 2, 3):
            away = hl.cast(F32, hl.absd(self.moved(place, p), edged[x, y, p])) * hl.cast(F32, rates[x, y, p - 1])
            excess += away * away
        outside = (x < 0) | (y < 0) | (x >= self.reference.dim(0).extent()) | (y >= self.reference.dim(1).extent())
        ramps = [hl.clamp(excess * self.ramp[k] + self.ramp[k + 1], 0.0, 1.0) for k in (0, 2)]
        weak, strong = (hl.cast(U8, hl.select(inside, r, beyond) * 255.0 + 0.5) for r in ramps)
        return hl.select(outside, U8_ALL, weak), hl.select(outside, U8_ALL, strong)

    def moved(self, place, p):
        """The frame's colour `p` between its cells, within a code. In 16 bits: the high halves of products."""
        at_x, at_y, *parts = place
        (left, right), (upper, lower) = (
            (hl.cast(U16, 65535) - part, part) for part in (hl.cast(U16, hl.min(f * 65536.0, 65535.0)) for f in parts)
        )

        def between(a, b, near, far):
            high = [hl.mul_shift_right(value, part, hl.cast(U16, 16)) for value, part in ((a, near), (b, far))]
            return high[0] + high[1] + hl.cast(U16, 1)  # a half is cut off from each, and a little by 65535

        rows = [between(*(self.frame[at_x + m, at_y + k, p] for m in (0, 1)), left, right) for k in (0, 1)]
        return between(*rows, upper, lower)

    def low(self, raw):
        """Trust of a cell and its neighbours from (weak, strong): a weak doubt counts where a square of 2x2 has it."""
        shared, down, least = hl.Func("shared"), hl.Func("down"), hl.Func("least")
        square = [raw[x + i, y + j][0] for j in (0, 1) for i in (0, 1)]
        shared[x, y] = hl.max(hl.max(square[0], square[1]), hl.max(square[2], square[3]))
        rows = [shared[x, y + j] for j in (-2, -1, 0, 1)] + [raw[x, y + j][1] for j in (-1, 0, 1)]
        down[x, y] = (functools.reduce(hl.min, rows[:4]), functools.reduce(hl.min, rows[4:]))
        near = [down[x + i, y][0] for i in (-2, -1, 0, 1)] + [down[x + i, y][1] for i in (-1, 0, 1)]
        least[x, y] = functools.reduce(hl.min, near)
        return least, [shared, down]


@hl.generator(name="merge_trust_coarse")
class TrustCoarse(_Trust):
    """On guides that are halved twice, cells of 8x8 pixels: large weak differences. Output (h, w)."""

    def generate(self):
        raw = hl.Func("raw")
        raw[x, y] = self.believed(BLOCK // 8, 1.0)
        least, between = self.low(raw)
        self.output[x, y] = least[x, y]
        yo, tail = hl.Var("yo"), hl.TailStrategy.GuardWithIf
        # CPU time 0.2 ms/MP, of the whole picture: one thread of a busy Xeon, AVX-512.
        self.output.split(y, yo, y, 32, tail).parallel(yo)
        for f in (raw, *between):
            f.compute_at(self.output, yo).vectorize(x, 8)


@hl.generator(name="merge_trust")
class Trust(_Trust):
    """On guides, cells of 2x2 pixels, and no more than `coarse` allows: (cells y, cells x)."""

    coarse = hl.InputBuffer(U8, 2)

    def generate(self):
        half, raw = BLOCK // 2, hl.Func("raw")
        cx = hl.clamp(x / 4, 0, self.coarse.dim(0).extent() - 1)
        cy = hl.clamp(y / 4, 0, self.coarse.dim(1).extent() - 1)
        raw[x, y] = self.believed(half, 0.0)
        (least, between), allowed = self.low(raw), hl.Func("allowed")
        allowed[x, y] = self.coarse[cx, cy]
        self.output[x, y] = hl.min(least[x, y], allowed[x, y])
        for k in (0, 1):
            self.output.output_buffer().dim(k).set_min(0)
        yo, tail = hl.Var("yo"), hl.TailStrategy.GuardWithIf
        # CPU time 0.9 ms/MP: one thread of a busy Xeon, AVX-512. Half of it is waiting for three guides.
        self.output.split(y, yo, y, 32, tail).parallel(yo).vectorize(x, 32, tail)
        raw.compute_at(self.output, yo).align_bounds(x, half).vectorize(x, half)
        for f in between:
            f.compute_at(self.output, yo).vectorize(x, 32)


@hl.generator(name="merge_done")
class Done:
    """Mean codes (3, H, W) → codes as light averaged would have them; `output` may be `mean` itself.

    `total` (cells y, cells x): sum of weights, of which `certain` is that of the reference. `lift` (3,): noise power of
    a code; a mean of roots is too low by the part of it that was averaged away.
    """

    mean = hl.InputBuffer(U16, 3)
    total = hl.InputBuffer(U16, 2)
    lift = hl.InputBuffer(F32, 1)
    certain = hl.InputScalar(F32)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        gone, value = hl.Func("gone"), hl.cast(F32, self.mean[x, y, c])
        gone[x, y] = 1.0 - self.certain / hl.cast(F32, self.total[x / 2, y / 2])
        code = hl.sqrt(value * value + self.lift[c] * gone[x, y])
        self.output[x, y, c] = hl.cast(U16, hl.min(code + 0.5, 65535.0))
        yo, tail, lanes = hl.Var("yo"), hl.TailStrategy.GuardWithIf, self.natural_vector_size(F32)
        self.output.bound(c, 0, 3).split(y, yo, y, 32, tail).reorder(x, c, y, yo).parallel(yo)
        self.output.vectorize(x, lanes, tail)
        gone.compute_at(self.output, y).vectorize(x, lanes, tail)


if __name__ == "__main__":
    hl.main()
