"""Zoom — a burst becomes a picture of twice as many pixels each way; the why stands in merge/zoom.py.

The fine picture is kept as four pictures of the size of a frame, one for each place (x and y at -1/4 and +1/4) in a
pixel: all loads are dense, and what depends on the place is constant over a block.
"""

import halide as hl

from _light import c, x, y
from align import F32, I32, U16
from geometry import keys
from merge import BLOCK, MARGIN

SAMPLES = 2 * BLOCK  # of a frame, at most, that whole vectors of a block read, each way
EVEN = 1000.0**2  # code: colours darker than that tell little about relative steps
LANCZOS = (0.0074, -0.0680, 0.2710, 0.8928, -0.1333, 0.0301)  # three lobes, for a place a quarter of a pixel back
CLOSE = (0.03, 0.255, 0.43, 0.255, 0.03)  # of the fine picture: what kernel and pixel's aperture blur a step with
MOST = 0.5  # of a code: no step that is added is larger
i, j, k, p, q, t, bx, by = (hl.Var(v) for v in ("i", "j", "k", "p", "q", "t", "bx", "by"))
U8 = hl.UInt(8)


@hl.generator(name="zoom_shape")
class Shape:
    """Codes (3, H, W) → (4, H, W): a, b, c of a·dx² + 2·b·dx·dy + c·dy², how far a sample lies, and what stands out.

    `widths`: standard deviation of the kernel across edges, and along them, px; `power`: of a gradient by noise.
    """

    code = hl.InputBuffer(U16, 3)
    widths = hl.InputBuffer(F32, 1)
    power = hl.InputScalar(F32)
    output = hl.OutputBuffer(F32, 3)

    def generate(self):
        edged = hl.BoundaryConditions.repeat_edge(self.code)
        grey, smooth, rows = hl.Func("grey"), hl.Func("smooth"), hl.Func("rows")
        red, green, blue = (hl.cast(F32, edged[x, y, n]) for n in range(3))
        grey[x, y] = 0.25 * (red + blue) + 0.5 * green
        rows[x, y] = 0.25 * (grey[x, y - 1] + grey[x, y + 1]) + 0.5 * grey[x, y]
        smooth[x, y] = 0.25 * (rows[x - 1, y] + rows[x + 1, y]) + 0.5 * rows[x, y]
        products, down, tensor = hl.Func("products"), hl.Func("down"), hl.Func("tensor")
        gx, gy = 0.5 * (smooth[x + 1, y] - smooth[x - 1, y]), 0.5 * (smooth[x, y + 1] - smooth[x, y - 1])
        products[x, y] = (gx * gx, gx * gy, gy * gy)

        def five(at):
            return tuple((at(-2)[n] + at(2)[n] + 4.0 * (at(-1)[n] + at(1)[n]) + 6.0 * at(0)[n]) / 16.0
                         for n in range(3))  # fmt: skip

        down[x, y] = five(lambda n: products[x, y + n])
        tensor[x, y] = five(lambda n: down[x + n, y])
        xx, xy, yy = (tensor[x, y][n] for n in range(3))
        trace, step = xx + yy, hl.sqrt((xx - yy) * (xx - yy) + 4.0 * xy * xy)
        wide = self.widths[0] + (self.widths[1] - self.widths[0]) * step / (trace + 2.0 * self.power)
        across, along = 1.0 / (self.widths[0] * self.widths[0]), 1.0 / (wide * wide)
        mean, half = 0.5 * (across + along), 0.5 * (across - along) / (step + 1e-3)
        shape = [mean + half * (xx - yy), 2.0 * half * xy, mean - half * (xx - yy), trace / (trace + self.power)]
        self.output[x, y, c] = hl.mux(c, shape)

        # 1.3 ms/MP, 2 cores of a Xeon, AVX-512.
        lanes, yo, tail = self.natural_vector_size(F32), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.bound(c, 0, 4).split(y, yo, y, 32, tail).reorder(c, x, y, yo).unroll(c).parallel(yo)
        self.output.vectorize(x, lanes, tail)
        for f in (grey, rows, smooth, down):
            f.store_at(self.output, yo).compute_at(self.output, y).vectorize(x, lanes)


@hl.generator(name="zoom_add")
class Add:
    """Add the samples of a frame to the sums of the fine picture: relative steps against what is known already.

    `codes` (3, H + 2·MARGIN, W + 2·MARGIN) with `sites` (3, kinds, W + 2·MARGIN): 1 where a sample of a colour is taken
    in a row of a kind, which `rows` (H + 2·MARGIN,) tells; `seen`: of the size of `codes`, the known picture as a pixel
    of the frame would see it; `flow` (2, blocks y, blocks x) in pixels; `trust` (H / 2, W); `shape` as zoom_shape makes
    it. sums (8, H, W), those of steps and of weights in turn for the four places; sizes are multiples of BLOCK.
    """

    codes = hl.InputBuffer(U16, 3)
    sites = hl.InputBuffer(F32, 3)
    rows = hl.InputBuffer(I32, 1)
    seen = hl.InputBuffer(U16, 3)
    flow = hl.InputBuffer(F32, 3)
    trust = hl.InputBuffer(U8, 2)
    shape = hl.InputBuffer(F32, 3)
    sums = hl.OutputBuffer(F32, 3)

    def generate(self):
        u, v = (self.flow[bx, by, n] for n in (0, 1))
        parts = u - hl.floor(u), v - hl.floor(v)
        place, weight = hl.Func("place"), hl.Func("weight")
        wide, high = self.codes.dim(0).extent(), self.codes.dim(1).extent()
        # The first pixel of the block in the padded frame; where it had to be held back, nothing is trusted.
        place[bx, by] = (hl.clamp(bx * BLOCK + hl.cast(I32, hl.floor(u)) + MARGIN, 1, wide - SAMPLES),
                         hl.clamp(by * BLOCK + hl.cast(I32, hl.floor(v)) + MARGIN, 1, high - SAMPLES))  # fmt: skip
        weight[bx, by] = (*keys(1.0 - parts[0]), *keys(1.0 - parts[1]))
        step = self.step(place, weight)
        near, far = self.offsets(parts)
        weights, fine = self.fine(step, near, far)
        self.sums[x, y, c] = hl.undef(F32)
        block = fine[x % BLOCK, y % BLOCK, c / 2, x / BLOCK, y / BLOCK]
        self.sums[x, y, c] += hl.select(c % 2 == 0, block[0], block[1])

        # ms/MP and frame, 2 cores of a Xeon, AVX-512.
        for n in (0, 1):
            self.sums.output_buffer().dim(n).set_min(0)
        xi, yi, xo, yo = (hl.Var(n) for n in ("xi", "yi", "xo", "yo"))
        lanes = min(self.natural_vector_size(F32), BLOCK)
        update = self.sums.bound(c, 0, 8).update()
        update.tile(x, y, xo, yo, xi, yi, BLOCK, BLOCK, hl.TailStrategy.RoundUp)
        update.reorder(xi, c, yi, xo, yo).unroll(c).vectorize(xi, lanes).parallel(yo)
        fine.compute_at(self.sums, xo).reorder(p, k, q).bound(k, 0, 4).unroll(k).vectorize(p, lanes)
        weights.compute_at(fine, k).bound(t, 0, 9).unroll(t).vectorize(p, lanes)
        step.compute_at(self.sums, xo).vectorize(i, lanes, hl.TailStrategy.RoundUp)
        near.compute_at(self.sums, xo)
        far.compute_at(self.sums, xo).bound(k, 0, 4).bound(t, 0, 9)
        for f in (place, weight):
            f.compute_at(self.sums, xo)

    def offsets(self, parts):
        """Per block and place k: the nearest sample, and dx², 2·dx·dy, dy² of it and its neighbours t."""
        near, far = hl.Func("near"), hl.Func("far")
        # Of the places -1/4 and +1/4 of a pixel, moved by the part of the flow.
        to = [part + 0.5 * hl.cast(F32, odd) - 0.25 for part, odd in zip(parts, (k % 2, k / 2), strict=True)]
        whole = [hl.clamp(hl.cast(I32, hl.floor(at + 0.5)), 0, 1) for at in to]
        near[k, bx, by] = tuple(whole)
        dx, dy = (hl.cast(F32, near[k, bx, by][n] + at - 1) - to[n] for n, at in ((0, t % 3), (1, t / 3)))
        far[t, k, bx, by] = (dx * dx, 2.0 * dx * dy, dy * dy)
        return near, far

    def step(self, place, weight):
        """(relative step, weight) of the samples i, j of a block, the first being one pixel before it."""
        left, top = (place[bx, by][n] for n in (0, 1))
        wx, wy = [weight[bx, by][n] for n in range(4)], [weight[bx, by][n] for n in range(4, 8)]
        across, known = hl.Func("across"), hl.Func("known")
        at_x, at_y = bx * BLOCK + i + MARGIN, by * BLOCK + j + MARGIN
        line = [hl.cast(F32, self.seen[at_x + n - 2, at_y, c]) for n in range(4)]
        across[i, j, c, bx, by] = wx[0] * line[0] + wx[1] * line[1] + wx[2] * line[2] + wx[3] * line[3]
        down = [across[i, j + n - 2, c, bx, by] for n in range(4)]
        known[i, j, c, bx, by] = wy[0] * down[0] + wy[1] * down[1] + wy[2] * down[2] + wy[3] * down[3]
        row = hl.clamp(self.rows[top + j], 0, self.sites.dim(1).extent() - 1)
        total, steps, power = hl.f32(EVEN), hl.f32(0.0), hl.f32(0.0)
        for n in range(3):
            own = known[i, j, n, bx, by]
            site = self.sites[left + i, row, n]
            total += own * own
            steps += site * (hl.cast(F32, self.codes[left + i, top + j, n]) - own) * own
            power += site * own * own
        scale, step = hl.fast_inverse(total / 3.0), hl.Func("step")
        step[i, j, bx, by] = (steps * scale, power * scale)
        lanes = min(self.natural_vector_size(F32), BLOCK)
        for f in (across, known):
            f.compute_at(step, bx).vectorize(i, lanes)
        return step

    def fine(self, step, near, far):
        """Sums of (steps, weights) at the place k of the pixels p, q of a block."""
        at_x, at_y = bx * BLOCK + p, by * BLOCK + q
        a, b, d = (self.shape[at_x, at_y, n] for n in range(3))
        weights, fine = hl.Func("weights"), hl.Func("fine")
        xx, xy, yy = (far[t, k, bx, by][n] for n in range(3))
        # To the eighth it is nearly exp(-far / 2); it stays above what the processor has no fast numbers for.
        w = hl.max(1.0 - (a * xx + b * xy + d * yy) * (1.0 / 16), hl.f32(1e-4))
        w = w * w
        w = w * w
        weights[p, t, q, k, bx, by] = w * w
        whole = [hl.f32(0.0), hl.f32(0.0)]
        near_x, near_y = (near[k, bx, by][n] for n in (0, 1))
        for n in range(9):
            taken = step[p + near_x + n % 3 - 1, q + near_y + n // 3 - 1, bx, by]
            whole = [total + weights[p, n, q, k, bx, by] * taken[m] for m, total in enumerate(whole)]
        believed = hl.cast(F32, self.trust[at_x, at_y / 2]) * hl.f32(1 / 255)
        fine[p, q, k, bx, by] = tuple(believed * total for total in whole)
        return weights, fine


@hl.generator(name="zoom_done")
class Done:
    """Codes (3, H, W), the sums and shapes → codes (3, 2·H, 2·W).

    `least`: weight that holds to the codes; `sharp`: how much of what kernel and pixels blurred is given back.
    """

    code = hl.InputBuffer(U16, 3)
    sums = hl.InputBuffer(F32, 3)
    shape = hl.InputBuffer(F32, 3)
    least = hl.InputScalar(F32)
    sharp = hl.InputScalar(F32)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        width, height = self.code.dim(0).extent(), self.code.dim(1).extent()
        edged = hl.BoundaryConditions.repeat_edge(self.code)
        step, rows, close, more = (hl.Func(n) for n in ("step", "rows", "close", "more"))
        cx, cy = hl.clamp(x, 0, 2 * width - 1), hl.clamp(y, 0, 2 * height - 1)
        place = 2 * (cx % 2 + 2 * (cy % 2))
        weight = self.sums[cx / 2, cy / 2, place + 1]
        ratio = self.sums[cx / 2, cy / 2, place] / (weight + self.least)
        step[x, y] = hl.clamp(ratio, -MOST, MOST)

        def five(at):
            outer, inner, middle = (hl.f32(CLOSE[n]) for n in range(3))
            return outer * (at(-2) + at(2)) + inner * (at(-1) + at(1)) + middle * at(0)

        rows[x, y] = five(lambda n: step[x, y + n])
        close[x, y] = five(lambda n: rows[x + n, y])
        more[x, y] = 1.0 + self.shape[x / 2, y / 2, 3] * (step[x, y] + self.sharp * (step[x, y] - close[x, y]))
        down, up = hl.Func("down"), hl.Func("up")

        def six(at, odd):
            taps = [n - 3 for n in range(6)]
            low = sum((hl.f32(LANCZOS[n]) * at(t) for n, t in enumerate(taps)), hl.f32(0.0))
            high = sum((hl.f32(LANCZOS[n]) * at(-t) for n, t in enumerate(taps)), hl.f32(0.0))
            return hl.select(odd, high, low)

        down[x, y, c] = six(lambda n: hl.cast(F32, edged[x, y / 2 + n, c]), y % 2 == 1)
        up[x, y, c] = six(lambda n: down[x / 2 + n, y, c], x % 2 == 1)
        self.output[x, y, c] = hl.cast(U16, hl.clamp(up[x, y, c] * more[x, y] + 0.5, 0.0, 65535.0))

        lanes, yo, tail = self.natural_vector_size(F32), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.bound(c, 0, 3).split(y, yo, y, 32, tail).reorder(x, c, y, yo).parallel(yo)
        self.output.vectorize(x, lanes, tail)
        more.compute_at(self.output, y).vectorize(x, lanes, tail)
        for f in (step, rows):
            f.store_at(self.output, yo).compute_at(self.output, y).vectorize(x, lanes, tail)
        down.compute_at(self.output, c).vectorize(x, lanes, tail)


@hl.generator(name="zoom_fit")
class Fit:
    """Codes (3, H, W) → (3, h, w): the samples from `first` on, clamped to the picture, times `weight` (8, h or w)."""

    code = hl.InputBuffer(U16, 3)
    first_x = hl.InputBuffer(I32, 1)
    weight_x = hl.InputBuffer(F32, 2)
    first_y = hl.InputBuffer(I32, 1)
    weight_y = hl.InputBuffer(F32, 2)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        width, height = self.code.dim(0).extent(), self.code.dim(1).extent()
        rows, total = hl.Func("rows"), hl.f32(0.0)
        for n in range(8):
            at = hl.clamp(self.first_y[y] + n, 0, height - 1)
            total += self.weight_y[y, n] * hl.cast(F32, self.code[x, at, c])
        rows[x, y, c] = total
        total = hl.f32(0.0)
        for n in range(8):
            total += self.weight_x[x, n] * rows[hl.clamp(self.first_x[x] + n, 0, width - 1), y, c]
        self.output[x, y, c] = hl.cast(U16, hl.clamp(total + 0.5, 0.0, 65535.0))
        lanes, yo, tail = self.natural_vector_size(F32), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.bound(c, 0, 3).split(y, yo, y, 32, tail).reorder(x, c, y, yo).parallel(yo)
        self.output.vectorize(x, lanes, tail)
        rows.compute_at(self.output, c).vectorize(x, lanes, tail)


if __name__ == "__main__":
    hl.main()
