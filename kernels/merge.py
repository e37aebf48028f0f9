"""Merge — several frames become one picture in three colours; the why stands in merge/__init__.py.

All frames are mosaics of half codes (15-bit square-root codes, noise equally strong everywhere), kept with a border of
MARGIN pixels on each side, so that a block that is moved over the edge still lies in memory. A displacement is constant
over a block of BLOCK² pixels: loads are dense.
"""

import halide as hl

from _quad import F32, HALF_MAX, U16, c, join, mirrored, split, x, y
from align import I32
from defects import repair
from front import coded, integer

BLOCK = 16
MARGIN = 32
n = hl.Var("n")
U8 = hl.UInt(8)


@hl.generator(name="merge_code")
class Code:
    """Raw numbers of a mosaic → repaired half codes (H, W); arguments as those of the front pass."""

    raw = hl.InputBuffer(U16, 2)
    levels = hl.InputBuffer(F32, 3)
    per_row = hl.InputBuffer(F32, 1)
    gains = hl.InputBuffer(F32, 3)
    row = hl.InputBuffer(hl.Int(32), 1)
    weight = hl.InputBuffer(F32, 1)
    offset = hl.InputBuffer(F32, 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    knobs = hl.InputBuffer(U16, 1)  # limits of defects (R, G, B) in half codes, their strength in 1/32767
    output = hl.OutputBuffer(U16, 2)

    def generate(self):
        width, height = self.raw.dim(0).extent(), self.raw.dim(1).extent()
        code, half, whole = coded(self, 1), hl.Func("half"), hl.Func("whole")
        half[x, y] = integer(code[x, y, 0], HALF_MAX)
        edged = mirrored(half, width, height)
        quads = split(edged, self.dx, self.dy)
        fixed = repair(quads, [self.knobs[i] for i in range(3)], hl.cast(hl.Int(16), self.knobs[3]))
        joined = join([(fixed[x, y][p],) * 3 for p in range(4)])
        whole[x, y] = joined[x, y, 0]
        self.output[x, y] = whole[x + self.dx, y + self.dy]
        self.knobs.dim(0).set_bounds(0, 4)
        tail, yo, yq, y2, xq, x2 = hl.TailStrategy.GuardWithIf, *(hl.Var(v) for v in ("yo", "yq", "y2", "xq", "x2"))
        lanes = self.natural_vector_size(U16)
        self.output.split(y, yo, y, 64, tail).parallel(yo).vectorize(x, lanes, tail)
        whole.compute_at(self.output, yo).align_bounds(x, 2).align_bounds(y, 2)
        whole.split(y, yq, y2, 2).split(x, xq, x2, 2).reorder(x2, y2, xq, yq)
        whole.unroll(x2).unroll(y2).vectorize(xq, lanes)
        for f, rows in ((edged, 0), (quads, 8), (fixed, 0)):
            f.store_at(self.output, yo).compute_at(whole, yq).vectorize(x, lanes)
            if rows:
                f.fold_storage(y, rows)


@hl.generator(name="merge_guide")
class Guide:
    """Half codes (H, W) → (4, ceil(H/2), ceil(W/2)): grey of each 2x2 cell, and R, G, B of cells blurred by 1 2 1."""

    codes = hl.InputBuffer(U16, 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        plain, cells = hl.Func("plain"), hl.Func("cells")
        plain[x, y] = self.codes[x, y]
        edged = mirrored(plain, self.codes.dim(0).extent(), self.codes.dim(1).extent())
        cell = [hl.cast(U16, edged[2 * x + i, 2 * y + j]) for j in (0, 1) for i in (0, 1)]

        def mean(a, b):
            return hl.rounding_halving_add(a, b)

        def site(i, j):
            return hl.select(j == 0, hl.select(i == 0, cell[0], cell[1]), hl.select(i == 0, cell[2], cell[3]))

        red, blue = site(self.dx, self.dy), site(1 - self.dx, 1 - self.dy)
        green = mean(site(1 - self.dx, self.dy), site(self.dx, 1 - self.dy))
        cells[x, y] = (mean(mean(red, blue), green), red, green, blue)
        across, blurred = hl.Func("across"), hl.Func("blurred")
        across[x, y] = tuple(mean(mean(cells[x - 1, y][p], cells[x + 1, y][p]), cells[x, y][p]) for p in (1, 2, 3))
        blurred[x, y] = tuple(mean(mean(across[x, y - 1][p], across[x, y + 1][p]), across[x, y][p]) for p in range(3))
        self.output[x, y, c] = hl.mux(c, [cells[x, y][0], *(blurred[x, y][p] for p in range(3))])
        lanes, yo, tail = self.natural_vector_size(U16), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.bound(c, 0, 4).split(y, yo, y, 32, tail).parallel(yo)
        self.output.reorder(c, x, y, yo).unroll(c).vectorize(x, lanes, tail)
        for f, rows in ((cells, 4), (across, 4)):
            f.store_at(self.output, yo).compute_at(self.output, y).vectorize(x, lanes).fold_storage(y, rows)


@hl.generator(name="merge_trust")
class Trust:
    """How far a frame can be believed, 0..255, per cell of 2x2 pixels and doubled along x: (rows of cells, W).

    `reference`, `frame`: guides as merge_guide makes them; `flow` (2, blocks y, blocks x) displacement in pixels;
    `power` (4,): 1 / variance of the difference of two guides by noise for R, G, B, and the part of the local
    variance of the reference that is tolerated; `ramp` (2,): slope and bias of trust over the mean squared difference.
    """

    reference = hl.InputBuffer(U16, 3)
    frame = hl.InputBuffer(U16, 3)
    flow = hl.InputBuffer(F32, 3)
    power = hl.InputBuffer(F32, 1)
    ramp = hl.InputBuffer(F32, 1)
    output = hl.OutputBuffer(U8, 2)

    def generate(self):
        half = BLOCK // 2
        wide, high = self.frame.dim(0).extent(), self.frame.dim(1).extent()
        edged = hl.BoundaryConditions.repeat_edge(self.reference)
        bx = hl.clamp(x / half, 0, self.flow.dim(0).extent() - 1)
        by = hl.clamp(y / half, 0, self.flow.dim(1).extent() - 1)
        u, v = 0.5 * self.flow[bx, by, 0], 0.5 * self.flow[bx, by, 1]
        iu, iv = hl.floor(u), hl.floor(v)
        fu, fv = u - iu, v - iv
        x1, y1 = x + hl.cast(I32, iu), y + hl.cast(I32, iv)
        inside = (x1 >= 0) & (y1 >= 0) & (x1 + 1 < wide) & (y1 + 1 < high)
        x2, y2 = hl.clamp(x1, 0, wide - 2), hl.clamp(y1, 0, high - 2)

        def near(dx, dy, p):
            return hl.cast(F32, edged[x + dx, y + dy, p])

        excess = hl.f32(0.0)
        for p in (1, 2, 3):

            def row(dy, p=p):
                left, right = (hl.cast(F32, self.frame[x2 + m, y2 + dy, p]) for m in (0, 1))
                return left + fu * (right - left)

            d = row(0) + fv * (row(1) - row(0)) - near(0, 0, p)
            gx, gy = near(1, 0, p) - near(-1, 0, p), near(0, 1, p) - near(0, -1, p)
            noise = self.power[p - 1]
            excess += d * d * noise / (1.0 + noise * self.power[3] * (gx * gx + gy * gy))
        raw, low, trust = hl.Func("raw"), hl.Func("low"), hl.Func("trust")
        certain = hl.clamp(excess * self.ramp[0] + self.ramp[1], 0.0, 1.0)
        raw[x, y] = hl.cast(U8, hl.select(inside, certain, 0.0) * 255.0 + 0.5)
        low[x, y] = hl.min(hl.min(raw[x, y - 1], raw[x, y + 1]), raw[x, y])
        trust[x, y] = hl.min(hl.min(low[x - 1, y], low[x + 1, y]), low[x, y])
        self.output[x, y] = trust[x / 2, y]
        yo, tail = hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.split(y, yo, y, 32, tail).parallel(yo).vectorize(x, 64, tail)
        self.output.output_buffer().dim(0).set_min(0)
        self.output.output_buffer().dim(1).set_min(0)
        raw.compute_at(self.output, yo).align_bounds(x, half).vectorize(x, half)
        trust.compute_at(self.output, y).vectorize(x, 32)


@hl.generator(name="merge_add")
class Add:
    """Add frames to sums by kernel regression: num += R·w·code, den += R·w for R, G, B.

    `codes` (n, H + 2·MARGIN, W + 2·MARGIN); `flow` (n, 2, blocks y, blocks x) in pixels; `trust` (n, rows of cells, W)
    with R = trust / 255; `shape` (3, rows of cells, W): the reference's (a, b, c) of the ellipse q = a·dx² + 2b·dx·dy
    + c·dy² around each pixel, inside which a sample has the weight w = (1 - q)². sums (6, H, W): num R, G, B, den R, G, B,
    H and W multiples of BLOCK. Over a window of 4x4 samples each colour is found at least four times, wherever it lies.
    """

    codes = hl.InputBuffer(U16, 3)
    flow = hl.InputBuffer(F32, 4)
    trust = hl.InputBuffer(U8, 3)
    shape = hl.InputBuffer(F32, 3)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    sums = hl.OutputBuffer(F32, 3)

    def generate(self):
        # Parities out of memory: from an expression Halide would split all vectors into even and odd lanes, 6x slower.
        self.odd, part = hl.Func("odd"), hl.Func("part")
        self.odd[x] = x % 2
        self.odd.compute_root()
        part[x, y, n] = tuple(self.one(n))
        frames = hl.RDom([(0, self.codes.dim(2).extent())], "frames")
        self.sums[x, y, c] = hl.undef(F32)
        self.sums[x, y, c] += hl.mux(c, [part[x, y, frames][k] for k in range(6)])

        for k in (0, 1):
            self.sums.output_buffer().dim(k).set_min(0)
        xi, yi, xo, yo = hl.Var("xi"), hl.Var("yi"), hl.Var("xo"), hl.Var("yo")
        lanes = min(self.natural_vector_size(F32), BLOCK)
        update = self.sums.bound(c, 0, 6).update()
        update.tile(x, y, xo, yo, xi, yi, BLOCK, BLOCK, hl.TailStrategy.RoundUp)
        update.reorder(xi, c, yi, frames.x, xo, yo).unroll(c).parallel(yo).vectorize(xi, lanes)
        part.compute_at(self.sums, yi).align_bounds(x, BLOCK).vectorize(x, lanes)

    def one(self, n):
        """What frame `n` adds at (x, y): num R, G, B, den R, G, B."""
        bx, by = x / BLOCK, y / BLOCK
        u, v = self.flow[bx, by, 0, n], self.flow[bx, by, 1, n]
        iu, iv = hl.floor(u), hl.floor(v)
        fu, fv = u - iu, v - iv
        iu, iv = hl.cast(I32, iu), hl.cast(I32, iv)
        # First pixel of the block in the padded frame; where it had to be held back, nothing is trusted.
        left = hl.clamp(bx * BLOCK + iu + MARGIN, 1, self.codes.dim(0).extent() - BLOCK - 2)
        top = hl.clamp(by * BLOCK + iv + MARGIN, 1, self.codes.dim(1).extent() - BLOCK - 2)
        a, b, k = (self.shape[x, y / 2, p] for p in range(3))
        across = [float(i) - fu for i in range(-1, 3)]
        down = [float(j) - fv for j in range(-1, 3)]
        near = [1.0 - a * d * d for d in across]
        far = [k * d * d for d in down]
        tilt = [2.0 * b * d for d in across]
        num, den = {}, {}
        for j in range(4):
            for i in range(4):
                value = hl.cast(F32, self.codes[left + x % BLOCK + i - 1, top + y % BLOCK + j - 1, n])
                inner = hl.max(near[i] - far[j] - tilt[i] * down[j], 0.0)
                w, place = inner * inner, ((i + 1) % 2, (j + 1) % 2)
                num[place] = num[place] + w * value if place in num else w * value
                den[place] = den[place] + w if place in den else w
        # Which sample of the window is red: parity of its place in the frame against that of red.
        sx, sy = self.odd[x % BLOCK + (iu + self.dx) % 2], (y + iv + self.dy) % 2
        believed = hl.cast(F32, self.trust[x, y / 2, n]) * hl.f32(1.0 / 255)

        def by_colour(s):
            rows = [[hl.select(sy == 0, s[i, j], s[i, 1 - j]) for j in (0, 1)] for i in (0, 1)]
            red = hl.select(sx == 0, rows[0][0], rows[1][0])
            blue = hl.select(sx == 0, rows[1][1], rows[0][1])
            green = hl.select(sx == 0, rows[0][1] + rows[1][0], rows[1][1] + rows[0][0])
            return [red, green, blue]

        return [believed * s for s in (*by_colour(num), *by_colour(den))]


@hl.generator(name="merge_done")
class Done:
    """Sums (6, h, w) and codes of the reference (3, H, W) → codes (3, H, W).

    The reference counts as one frame: in each colour what the kernel of `shape` (its last plane: the volume of the
    kernel) would have given it. `lift` (3,): noise power of a code; a mean of roots is too low by what was averaged away.
    """

    sums = hl.InputBuffer(F32, 3)
    reference = hl.InputBuffer(U16, 3)
    shape = hl.InputBuffer(F32, 3)
    lift = hl.InputBuffer(F32, 1)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        own = self.shape[x, y / 2, 3] * hl.select(c == 1, 0.5, 0.25)
        den = self.sums[x, y, c + 3] + own
        mean = (2.0 * self.sums[x, y, c] + own * hl.cast(F32, self.reference[x, y, c])) / den
        lifted = mean * mean + self.lift[c] * (1.0 - own / den)
        self.output[x, y, c] = integer(hl.sqrt(lifted), 65535)
        yo, tail = hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.bound(c, 0, 3).split(y, yo, y, 32, tail).reorder(x, c, y, yo).parallel(yo).unroll(c)
        self.output.vectorize(x, self.natural_vector_size(F32), tail)


if __name__ == "__main__":
    hl.main()
