"""Local Laplacian — the measuring half of `tone`: a proxy of the picture → coarse maps a, b of its local gain.

A curve T says what the large-scale log2 luma becomes. Around each of a few reference levels g the picture is remapped
so that small differences from g survive unharmed while large ones follow T; every level of the Laplacian pyramid of
the result is interpolated between the two nearest g. A linear fit of the gain to log2 luma in small windows (guided
filter) makes the maps fit for upsampling. Sources: [Paris2011], [Aubry2014], [He2015].
"""

import halide as hl

from _light import c, x, y
from tone import log2_fast

LEVELS = 7  # a step of the coarsest level spans 128 proxy pixels: an eighth of a 12-megapixel photograph
KNEES = 3  # bends of the curve

k, u, p = hl.Var("k"), hl.Var("u"), hl.Var("p")


def bend(knees, value):
    """T at log2 luma `value`: value + Σ gain·S((value - at)/width), S rising from slope 0 to slope 1 within 0..1.

    `knees` (3, KNEES + 1): at, 1 / width, gain·width; the last row holds only a constant, in `at`.
    """
    total = value + knees[0, KNEES]
    for n in range(KNEES):
        t = (value - knees[0, n]) * knees[1, n]
        inside = hl.clamp(t, 0.0, 1.0)
        # The integral of the smoothstep 3t² - 2t³, and its continuation with slope 1.
        total += knees[2, n] * (inside * inside * inside * (1.0 - 0.5 * inside) + hl.max(t - 1.0, 0.0))
    return total


def remap(value, mapped, level, mapped_level, reach, detail):
    """Log2 luma `value` as seen from `level`: T(level) + detail·difference nearby, T(value) = `mapped` from afar."""
    d = value - level
    near = hl.max(1.0 - (d * reach) * (d * reach), 0.0)
    return mapped + near * near * (mapped_level + detail * d - mapped)


def halve(fine, name, *more):
    """Next level of a Gaussian pyramid, [1 3 3 1]/8 each way → (down, both); sample i lies between 2i and 2i + 1."""
    down, both = hl.Func(f"{name}_down"), hl.Func(name)

    def mean(s):
        return 0.125 * (s[0] + s[3]) + 0.375 * (s[1] + s[2])

    down[x, y, *more] = mean([fine[x, 2 * y + i, *more] for i in (-1, 0, 1, 2)])
    both[x, y, *more] = mean([down[2 * x + i, y, *more] for i in (-1, 0, 1, 2)])
    return down, both


def double(coarse, column, phase, row, *more):
    """Bilinear ×2 of `coarse` at x = 2·column + phase and y = row."""
    j, toward = row / 2, 2 * (row % 2) - 1

    def at(i):
        return 0.75 * coarse[i, j, *more] + 0.25 * coarse[i, j + toward, *more]

    return 0.75 * at(column) + 0.25 * at(column - 1 + 2 * phase)


def smooth(source, name, n):
    """Mean over 5x5, [1 2 3 2 1]/9 each way, of a Tuple Func of `n` parts, separably → (down, both)."""
    down, both = hl.Func(f"{name}_down"), hl.Func(name)

    def mean(s):
        return hl.f32(1 / 9) * (s[0] + s[4]) + hl.f32(2 / 9) * (s[1] + s[3]) + hl.f32(3 / 9) * s[2]

    down[x, y] = tuple(mean([source[x, y + i][m] for i in (-2, -1, 0, 1, 2)]) for m in range(n))
    both[x, y] = tuple(mean([down[x + i, y][m] for i in (-2, -1, 0, 1, 2)]) for m in range(n))
    return down, both


@hl.generator(name="local_laplacian")
class LocalLaplacian:
    """Proxy (3, h, w) → (2, h, w): a, b. Luma is the sum of weight·channel; knees and levels are log2 luma."""

    proxy = hl.InputBuffer(hl.Float(32), 3)
    knees = hl.InputBuffer(hl.Float(32), 2)
    weight_r = hl.InputScalar(hl.Float(32))
    weight_g = hl.InputScalar(hl.Float(32))
    weight_b = hl.InputScalar(hl.Float(32))
    floor = hl.InputScalar(hl.Float(32))
    levels = hl.InputScalar(hl.Int(32))
    first = hl.InputScalar(hl.Float(32))
    step = hl.InputScalar(hl.Float(32))
    reach = hl.InputScalar(hl.Float(32))
    detail = hl.InputScalar(hl.Float(32))
    epsilon = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        width, height = self.proxy.dim(0).extent(), self.proxy.dim(1).extent()
        self.sizes = [(width, height)]
        for _ in range(LEVELS):
            self.sizes.append(tuple((s + 1) / 2 for s in self.sizes[-1]))

        self.light, mapped, self.table = hl.Func("light"), hl.Func("mapped"), hl.Func("table")
        weights = (self.weight_r, self.weight_g, self.weight_b)
        luma = sum(w * self.proxy[x, y, n] for n, w in enumerate(weights))
        self.light[x, y] = log2_fast(hl.max(luma, self.floor))
        mapped[x, y] = bend(self.knees, self.light[x, y])
        self.table[k] = bend(self.knees, self.level(k))
        # Twice the same: once as rows for the pyramid, once inline where the finest detail is taken.
        remapped, finest, mapped2 = hl.Func("remapped"), hl.Func("finest"), hl.Func("mapped2")
        mapped2[x, y] = bend(self.knees, self.light[x, y])
        for f, m in ((remapped, mapped), (finest, mapped2)):
            f[x, y, k] = remap(self.light[x, y], m[x, y], self.level(k), self.table[k], self.reach, self.detail)

        light, stack, self.halved = [self.light], [remapped], []
        for n in range(1, LEVELS + 1):
            for pyramid, name, more in ((light, "light", ()), (stack, "stack", (k,))):
                down, both = halve(self.edged(pyramid[-1], n - 1), f"{name}{n}", *more)
                self.halved.append((n, down, both, bool(more)))
                pyramid.append(both)
        # The rest of the pyramid is interpolated like its details: large scales, too, are remapped edge by edge.
        result, r = hl.Func("residual"), hl.RDom([(0, self.levels)], "r")
        result[x, y] = 0.0
        result[x, y] += self.near(self.place(light[LEVELS][x, y]), r.x) * stack[LEVELS][x, y, r.x]
        result.compute_root()
        self.details = []
        for n in reversed(range(LEVELS)):
            result = self.add_level(n, light[n], stack[n] if n else finest, stack[n + 1], result)
        self.fit(result)
        self.schedule(remapped, mapped, mapped2)

    def level(self, n):
        return self.first + hl.cast(hl.Float(32), n) * self.step

    def place(self, value):
        """Log2 luma counted in reference levels."""
        return hl.clamp((value - self.first) / self.step, 0.0, hl.cast(hl.Float(32), self.levels - 1))

    def near(self, place, n):
        """Weight of reference level `n` in the linear interpolation at `place`."""
        return hl.max(1.0 - hl.abs(place - hl.cast(hl.Float(32), n)), 0.0)

    def edged(self, func, n):
        """`func` of pyramid level `n` with its edge repeated."""
        width, height = self.sizes[n]
        return hl.BoundaryConditions.repeat_edge(func, [(0, width), (0, height)])

    def add_level(self, n, light, fine, coarse, result):
        """`result` one level finer: doubled, plus the detail interpolated between the nearest reference levels."""
        place, total, here = hl.Func(f"place{n}"), hl.Func(f"detail{n}"), hl.Func(f"result{n}")
        r = hl.RDom([(0, self.levels)], f"r{n}")
        # Even and odd columns apart, so that the accumulators stay in registers.
        light, fine = self.edged(light, n), self.edged(fine, n)
        coarse, result = self.edged(coarse, n + 1), self.edged(result, n + 1)
        place[u, p, y] = self.place(light[2 * u + p, y])
        total[u, p, y] = 0.0
        total[u, p, y] += self.near(place[u, p, y], r.x) * (fine[2 * u + p, y, r.x] - double(coarse, u, p, y, r.x))
        here[x, y] = double(result, x / 2, x % 2, y) + total[x / 2, x % 2, y]
        self.details.append((n, r, place, total, here))
        return here

    def fit(self, result):
        """The gain result - light as a·light + b: least squares in 5x5 windows, then a mean of the windows."""
        moments, line = hl.Func("moments"), hl.Func("line")
        light = self.light[x, y]
        gain = result[x, y] - light
        moments[x, y] = (light, gain, light * light, light * gain)
        mean_down, mean = smooth(self.edged(moments, 0), "mean", 4)
        m = [mean[x, y][i] for i in range(4)]
        slope = (m[3] - m[0] * m[1]) / (hl.max(m[2] - m[0] * m[0], 0.0) + self.epsilon)
        line[x, y] = (slope, m[1] - slope * m[0])
        maps_down, maps = smooth(self.edged(line, 0), "maps", 2)
        self.output[x, y, c] = hl.select(c == 0, maps[x, y][0], maps[x, y][1])
        self.fitted = (mean_down, line, maps_down)

    def schedule(self, remapped, mapped, mapped2):
        vector = self.natural_vector_size(hl.Float(32))
        tail = hl.TailStrategy.GuardWithIf
        yo, yi = hl.Var("yo"), hl.Var("yi")
        self.proxy.dim(2).set_bounds(0, 3)
        self.output.output_buffer().dim(2).set_bounds(0, 2)
        self.knees.dim(0).set_bounds(0, 3)
        self.knees.dim(1).set_bounds(0, KNEES + 1)
        # 8 reference levels, 1000x750 proxy: 16 ms CPU, 1.3 ms per megapixel of the 12 MP picture (2 cores of a Xeon,
        # AVX-512); finest detail 30 %, level 1 of the stack 25 %, the fit 25 %.
        self.table.compute_root()
        self.light.compute_root().split(y, yo, yi, 32, tail).parallel(yo).vectorize(x, vector, tail)
        for n, down, both, stacked in self.halved:
            both.compute_root().vectorize(x, vector, tail)
            if stacked and n == 1:
                both.split(y, yo, yi, 32, tail).reorder(x, k, yi, yo).parallel(yo)
                down.compute_at(both, k).vectorize(x, vector, tail)
                remapped.store_at(both, yo).compute_at(both, yi).vectorize(x, vector, tail).reorder(x, k, y)
                mapped.compute_at(remapped, y).vectorize(x, vector, tail)
            elif stacked and n <= 3:
                both.parallel(k)
                down.compute_at(both, y).vectorize(x, vector, tail)
            else:
                down.compute_at(both, y).vectorize(x, vector, tail)
        for n, _, place, total, here in self.details:
            # Whole vectors, so that what is kept between has a size known now and stays in registers.
            here.compute_root().align_bounds(x, 2 * vector).vectorize(x, 2 * vector)
            if n <= 2:
                here.split(y, yo, yi, 32, tail).parallel(yo)
            total.compute_at(here, x).vectorize(u, vector).unroll(p)
            r = total.rvars(0)[0]
            total.update().reorder(u, p, r, y).vectorize(u, vector).unroll(p)
            place.compute_at(here, x).vectorize(u, vector).unroll(p)
        self.schedule_fit(vector, tail)

    def schedule_fit(self, vector, tail):
        yo, yi = hl.Var("yo"), hl.Var("yi")
        mean_down, line, maps_down = self.fitted
        out = self.output
        out.bound(c, 0, 2).reorder(c, x, y).unroll(c).split(y, yo, yi, 64, tail).parallel(yo).vectorize(x, vector, tail)
        for f in (maps_down, line, mean_down):
            f.store_at(out, yo).compute_at(out, yi).vectorize(x, vector, tail)


if __name__ == "__main__":
    hl.main()
