"""Zoom — a burst becomes a picture of twice as many pixels each way; the why stands in merge/zoom.py.

The fine picture is kept as four pictures of the size of a frame, one for each place (x and y at -1/4 and +1/4) in a
pixel: all loads are dense, and what depends on the place is constant over a block.
"""

import functools
import operator

import halide as hl

from _blocks import product
from _light import c, x, y
from align import F32, I32, U16
from geometry import keys
from merge import BLOCK, MARGIN

SAMPLES = 2 * BLOCK  # of a frame, at most, that whole vectors of a block read, each way
EVEN = 500.0**2  # half codes: colours darker than that tell little about relative steps
LANCZOS = (0.0074, -0.0680, 0.2710, 0.8928, -0.1333, 0.0301)  # three lobes, for a place a quarter of a pixel back
CLOSE = (0.03, 0.255, 0.43, 0.255, 0.03)  # of the fine picture: what kernel and pixel's aperture blur a step with
FULL = (0.85, 0.95)  # of the code that clips: from here on to there steps fade
MOST = 0.5  # of a code: no step that is added is larger
ONE = 65534.0  # by which steps are scaled to int16
i, j, k, n, p, q, t, bx, by = (hl.Var(v) for v in ("i", "j", "k", "n", "p", "q", "t", "bx", "by"))
I16 = hl.Int(16)
U8 = hl.UInt(8)


def mixed(samples, weights):
    """Sum of four int16 with weights of 1 / 32768, within what int16 holds."""
    return functools.reduce(hl.saturating_add, (product(s, w) for s, w in zip(samples, weights, strict=True)))


@hl.generator(name="zoom_shape")
class Shape:
    """Codes (3, H, W) → (4, H, W): a, b, c of a·dx² + 2·b·dx·dy + c·dy², how far a sample lies, and what stands out.

    `widths`: standard deviation of the kernel across edges, and along them, px; `power`: of a gradient by noise;
    `tops` (3,): codes near which samples clip: nothing stands out there, for clipped samples are guesses.
    """

    code = hl.InputBuffer(U16, 3)
    widths = hl.InputBuffer(F32, 1)
    power = hl.InputScalar(F32)
    tops = hl.InputBuffer(F32, 1)
    output = hl.OutputBuffer(F32, 3)

    def generate(self):
        edged = hl.BoundaryConditions.repeat_edge(self.code)
        grey, smooth, rows = hl.Func("grey"), hl.Func("smooth"), hl.Func("rows")
        full, high = hl.Func("full"), hl.Func("high")
        red, green, blue = (hl.cast(F32, edged[x, y, n]) for n in range(3))
        full[x, y] = hl.max(red / self.tops[0], hl.max(green / self.tops[1], blue / self.tops[2]))
        high[x, y] = hl.max(full[x, y - 1], hl.max(full[x, y], full[x, y + 1]))
        near = hl.max(high[x - 1, y], hl.max(high[x, y], high[x + 1, y]))
        sure = hl.clamp((FULL[1] - near) / (FULL[1] - FULL[0]), 0.0, 1.0)
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
        shape = [mean + half * (xx - yy), 2.0 * half * xy, mean - half * (xx - yy)]
        shape.append(sure * trace / (trace + self.power))
        self.output[x, y, c] = hl.mux(c, shape)

        # 1.3 ms/MP, 2 cores of a Xeon, AVX-512.
        lanes, yo, tail = self.natural_vector_size(F32), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.bound(c, 0, 4).split(y, yo, y, 32, tail).reorder(c, x, y, yo).unroll(c).parallel(yo)
        self.output.vectorize(x, lanes, tail)
        for f in (grey, rows, smooth, down, full, high):
            f.store_at(self.output, yo).compute_at(self.output, y).vectorize(x, lanes)


@hl.generator(name="zoom_add")
class Add:
    """Relative steps of the samples of all frames against what is known, on the fine grid: I16 (4, H, W), of 1 / ONE.

    `codes` (frames, H + 2·MARGIN, W + 2·MARGIN): half codes of the samples, with `sites` (3, kinds, W + 2·MARGIN): -1
    where one of a colour is taken in a row of a kind, else 0; `rows` (H + 2·MARGIN,) tells the kind; `seen`: half codes
    of the known picture as a pixel of the frames would see it, with the same border; `flow` (frames, 2, blocks y,
    blocks x) in pixels; `trust` (frames, H / 2, W / 2), and `busy` (frames, blocks y, blocks x): 0 where that is 0;
    `shape` as zoom_shape makes it; `least`: weight that holds to what is known. H and W are multiples of BLOCK.
    """

    codes = hl.InputBuffer(I16, 3)
    sites = hl.InputBuffer(I16, 3)
    rows = hl.InputBuffer(I32, 1)
    seen = hl.InputBuffer(I16, 3)
    flow = hl.InputBuffer(F32, 4)
    trust = hl.InputBuffer(U8, 3)
    busy = hl.InputBuffer(U8, 3)
    shape = hl.InputBuffer(F32, 3)
    least = hl.InputScalar(F32)
    output = hl.OutputBuffer(I16, 3)

    def generate(self):
        u, v = (self.flow[bx, by, m, n] for m in (0, 1))
        parts = u - hl.floor(u), v - hl.floor(v)
        place, weight = hl.Func("place"), hl.Func("weight")
        wide, high = self.codes.dim(0).extent(), self.codes.dim(1).extent()
        # The first pixel of the block in the padded frame; where it had to be held back, nothing is trusted.
        place[n, bx, by] = (hl.clamp(bx * BLOCK + hl.cast(I32, hl.floor(u)) + MARGIN, 1, wide - SAMPLES),
                            hl.clamp(by * BLOCK + hl.cast(I32, hl.floor(v)) + MARGIN, 1, high - SAMPLES))  # fmt: skip
        bicubic = (*keys(1.0 - parts[0]), *keys(1.0 - parts[1]))
        weight[n, bx, by] = tuple(hl.i16_sat(hl.round(32768.0 * w)) for w in bicubic)
        step = self.step(place, weight)
        near, far = self.offsets(parts)
        weights, sums, every = self.sums(step, near, far)
        block = sums[x % BLOCK, y % BLOCK, c, x / BLOCK, y / BLOCK]
        ratio = hl.clamp(block[0] * hl.fast_inverse(block[1] + self.least), -MOST, MOST)
        self.output[x, y, c] = hl.cast(I16, hl.round(ratio * ONE))

        # CPU time 6.4 ms/MP and frame, one thread of a busy Xeon, AVX-512; 25 with sums in memory, frame by frame.
        for m in (0, 1):
            self.output.output_buffer().dim(m).set_min(0)
        xi, yi, xo, yo = (hl.Var(m) for m in ("xi", "yi", "xo", "yo"))
        lanes, wide = min(self.natural_vector_size(F32), BLOCK), min(self.natural_vector_size(I16), SAMPLES)
        out = self.output.bound(c, 0, 4).tile(x, y, xo, yo, xi, yi, BLOCK, BLOCK, hl.TailStrategy.RoundUp)
        out.reorder(xi, c, yi, xo, yo).unroll(c).vectorize(xi, lanes).parallel(yo)
        sums.compute_at(self.output, xo).vectorize(p, lanes).unroll(k)
        sums.update().reorder(p, k, q, every).unroll(k).vectorize(p, lanes)
        weights.compute_at(sums, k).bound(t, 0, 4).unroll(t).vectorize(p, lanes)
        step.compute_at(sums, every).vectorize(i, lanes, hl.TailStrategy.RoundUp)
        self.known.compute_at(step, j).vectorize(i, wide, hl.TailStrategy.RoundUp).unroll(c)
        self.own.compute_at(step, j).vectorize(i, wide, hl.TailStrategy.RoundUp)
        self.across.store_at(sums, every).compute_at(step, j).vectorize(i, wide, hl.TailStrategy.RoundUp).unroll(c)
        self.taken.compute_at(sums, every).vectorize(i, wide, hl.TailStrategy.RoundUp).unroll(j, 4)
        for f in (place, weight, near, far):
            f.compute_at(sums, every)
        for f in (near, far):
            f.bound(k, 0, 4)
        far.bound(t, 0, 4)

    def offsets(self, parts):
        """Per block and place k: the sample before it, and dx², 2·dx·dy, dy² of it and its three neighbours t."""
        near, far = hl.Func("near"), hl.Func("far")
        # Of the places -1/4 and +1/4 of a pixel, moved by the part of the flow.
        to = [part + 0.5 * hl.cast(F32, odd) - 0.25 for part, odd in zip(parts, (k % 2, k / 2), strict=True)]
        whole = [hl.clamp(hl.cast(I32, hl.floor(at)), -1, 1) for at in to]
        near[k, n, bx, by] = tuple(whole)
        dx, dy = (hl.cast(F32, near[k, n, bx, by][m] + at) - to[m] for m, at in ((0, t % 2), (1, t / 2)))
        far[t, k, n, bx, by] = (dx * dx / 16, dx * dy / 8, dy * dy / 16)
        return near, far

    def step(self, place, weight):
        """(relative step, weight) of the samples i, j of a block, the first being one pixel before it."""
        left, top = (place[n, bx, by][m] for m in (0, 1))
        wx, wy = [weight[n, bx, by][m] for m in range(4)], [weight[n, bx, by][m] for m in range(4, 8)]
        self.across, self.known, self.own, step = (hl.Func(m) for m in ("across", "known", "own", "step"))
        # First of all, so that memory is asked for all rows at once: a third of the time was waiting for them.
        self.taken = hl.Func("taken")
        self.taken[i, j, n, bx, by] = self.codes[left + i, top + j, n]
        at_x, at_y = bx * BLOCK + i + MARGIN, by * BLOCK + j + MARGIN
        self.across[i, j, c, n, bx, by] = mixed([self.seen[at_x + m - 2, at_y, c] for m in range(4)], wx)
        self.known[i, j, c, n, bx, by] = mixed([self.across[i, j + m - 2, c, n, bx, by] for m in range(4)], wy)
        row, nought = hl.clamp(self.rows[top + j], 0, self.sites.dim(1).extent() - 1), hl.cast(I16, 0)
        own = functools.reduce(operator.or_, (
            hl.select(self.sites[left + i, row, m] != nought, self.known[i, j, m, n, bx, by], nought) for m in range(3)
        ))  # fmt: skip
        self.own[i, j, n, bx, by] = own
        here = hl.cast(F32, self.own[i, j, n, bx, by])
        total = hl.f32(EVEN / 3)
        for m in range(3):
            one = hl.cast(F32, self.known[i, j, m, n, bx, by])
            total += one * one * hl.f32(1 / 3)
        scale = here * hl.fast_inverse(total)
        step[i, j, n, bx, by] = ((hl.cast(F32, self.taken[i, j, n, bx, by]) - here) * scale, here * scale)
        return step

    def sums(self, step, near, far):
        """Sums of (steps, weights) over `every` frame at the place k of the pixels p, q of a block."""
        at_x, at_y = bx * BLOCK + p, by * BLOCK + q
        a, b, d = (self.shape[at_x, at_y, m] for m in range(3))
        weights, sums = hl.Func("weights"), hl.Func("sums")
        xx, xy, yy = (far[t, k, n, bx, by][m] for m in range(3))
        # To the eighth it is nearly exp(-far / 2); it stays above what the processor has no fast numbers for.
        w = hl.max(1.0 - (a * xx + b * xy + d * yy), hl.f32(1e-4))
        w = w * w
        w = w * w
        weights[p, t, q, k, n, bx, by] = w * w
        frames = hl.RDom([(0, self.codes.dim(2).extent())])
        frames.where(self.busy[bx, by, frames.x] != 0)
        one, whole = frames.x, [hl.f32(0.0), hl.f32(0.0)]
        near_x, near_y = (near[k, one, bx, by][m] for m in (0, 1))
        for m in range(4):
            taken = step[p + near_x + m % 2, q + near_y + m // 2, one, bx, by]
            whole = [whole[part] + weights[p, m, q, k, one, bx, by] * taken[part] for part in (0, 1)]
        believed = hl.cast(F32, self.trust[at_x / 2, at_y / 2, one]) * hl.f32(1 / 255)
        sums[p, q, k, bx, by] = (hl.f32(0.0), hl.f32(0.0))
        before = sums[p, q, k, bx, by]
        sums[p, q, k, bx, by] = tuple(before[m] + believed * whole[m] for m in (0, 1))
        return weights, sums, frames.x


@hl.generator(name="zoom_done")
class Done:
    """Codes (3, H, W), steps as zoom_add makes them and shapes → codes (3, 2·H, 2·W).

    `sharp`: how much of what kernel and pixels blurred is given back.
    """

    code = hl.InputBuffer(U16, 3)
    steps = hl.InputBuffer(I16, 3)
    shape = hl.InputBuffer(F32, 3)
    sharp = hl.InputScalar(F32)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        edged, taken = (hl.BoundaryConditions.repeat_edge(b) for b in (self.code, self.steps))
        step, rows, close, more = (hl.Func(n) for n in ("step", "rows", "close", "more"))
        found = [hl.cast(F32, taken[x / 2, y / 2, y % 2 * 2 + n]) for n in (0, 1)]
        step[x, y] = hl.select(x % 2 == 0, *found)

        def five(at):
            outer, inner, middle = (hl.f32(CLOSE[n] / ONE) for n in range(3))
            return outer * (at(-2) + at(2)) + inner * (at(-1) + at(1)) + middle * at(0)

        rows[x, y] = five(lambda n: step[x, y + n])
        close[x, y] = ONE * five(lambda n: rows[x + n, y])
        more[x, y] = 1.0 + self.shape[x / 2, y / 2, 3] * (
            (1.0 + self.sharp) * step[x, y] / ONE - self.sharp * close[x, y]
        )
        down, up = hl.Func("down"), hl.Func("up")

        def six(at, odd):
            taps = [n - 3 for n in range(6)]
            low = sum((hl.f32(LANCZOS[n]) * at(t) for n, t in enumerate(taps)), hl.f32(0.0))
            high = sum((hl.f32(LANCZOS[n]) * at(-t) for n, t in enumerate(taps)), hl.f32(0.0))
            return hl.select(odd, high, low)

        down[x, y, c] = six(lambda n: hl.cast(F32, edged[x, y / 2 + n, c]), y % 2 == 1)
        up[x, y, c] = six(lambda n: down[x / 2 + n, y, c], x % 2 == 1)
        self.output[x, y, c] = hl.cast(U16, hl.clamp(up[x, y, c] * more[x, y] + 0.5, 0.0, 65535.0))

        # CPU time 10 ms/MP of a frame, one thread of a busy Xeon, AVX-512. Even and odd columns in turn: dense loads
        # of what lies on the coarse grid.
        lanes, yo, tail = self.natural_vector_size(F32), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.bound(c, 0, 3).split(y, yo, y, 32, tail).reorder(x, c, y, yo).parallel(yo)
        self.output.output_buffer().dim(0).set_min(0)
        half, odd, group = hl.Var("half"), hl.Var("odd"), hl.Var("group")
        for f in (self.output, step, more):
            f.split(x, group, half, 2 * lanes, tail).split(half, half, odd, 2).unroll(odd).vectorize(half)
        more.compute_at(self.output, y).align_bounds(x, 2)
        step.store_at(self.output, yo).compute_at(self.output, y).align_bounds(x, 2)
        rows.store_at(self.output, yo).compute_at(self.output, y).vectorize(x, lanes, tail)
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
