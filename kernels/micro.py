"""Micro — contrast of textures octave by octave; see lichtbild/develop/micro.py, which calls these level by level."""

import functools

import halide as hl

from _light import c, x, y
from local_laplacian import halve, smooth
from tone import log2_fast

REACH = 3  # samples around one, each way, in which an edge silences its octave


def rows(f, vector, *more):
    """Strips of 16 rows in parallel; `more` are computed row by row, each row once per strip."""
    yo, yi, tail = hl.Var("yo"), hl.Var("yi"), hl.TailStrategy.GuardWithIf
    f.split(y, yo, yi, 16, tail).parallel(yo).vectorize(x, vector, tail)
    for g in more:
        g.store_at(f, yo).compute_at(f, yi).vectorize(x, vector, hl.TailStrategy.RoundUp)
    return yi


@hl.generator(name="micro_light")
class MicroLight:
    """Proxy (3, h, w) → log2 luma (h, w); luma is the sum of weight·channel, at least `floor`."""

    proxy = hl.InputBuffer(hl.Float(32), 3)
    weight_r = hl.InputScalar(hl.Float(32))
    weight_g = hl.InputScalar(hl.Float(32))
    weight_b = hl.InputScalar(hl.Float(32))
    floor = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.Float(32), 2)

    def generate(self):
        weights = (self.weight_r, self.weight_g, self.weight_b)
        luma = sum(w * self.proxy[x, y, n] for n, w in enumerate(weights))
        self.output[x, y] = log2_fast(hl.max(luma, self.floor))
        self.proxy.dim(2).set_bounds(0, 3)
        rows(self.output, self.natural_vector_size(hl.Float(32)))


@hl.generator(name="micro_halve")
class MicroHalve:
    """(h, w) → (ceil(h/2), ceil(w/2)), the next level of a Gaussian pyramid."""

    fine = hl.InputBuffer(hl.Float(32), 2)
    output = hl.OutputBuffer(hl.Float(32), 2)

    def generate(self):
        down, both = halve(hl.BoundaryConditions.repeat_edge(self.fine), "half")
        self.output[x, y] = both[x, y]
        rows(self.output, self.natural_vector_size(hl.Float(32)), down)


@hl.generator(name="micro_add")
class MicroAdd:
    """What is added to a level: `octave` of its own detail, where it is calm, and what is added to the coarser one."""

    fine = hl.InputBuffer(hl.Float(32), 2)
    coarse = hl.InputBuffer(hl.Float(32), 2)
    more = hl.InputBuffer(hl.Float(32), 2)  # as large as `coarse`
    octave = hl.InputScalar(hl.Float(32))
    edge = hl.InputScalar(hl.Float(32))  # spread, in EV, at which half of an octave is left
    output = hl.OutputBuffer(hl.Float(32), 2)

    def generate(self):
        fine, coarse, more = (hl.BoundaryConditions.repeat_edge(b) for b in (self.fine, self.coarse, self.more))
        around = range(-REACH, REACH + 1)
        ends, down, up = hl.Func("ends"), hl.Func("down"), hl.Func("up")
        ends[x, y] = tuple(functools.reduce(f, [fine[x, y + i] for i in around]) for f in (hl.min, hl.max))
        least, most = (functools.reduce(f, [ends[x + i, y][k] for i in around]) for k, f in enumerate((hl.min, hl.max)))
        apart = (most - least) / self.edge
        calm = 1.0 / (1.0 + apart * apart * apart * apart)
        # Bilinear doubling of both: light less its own detail goes down first, then across.
        j, toward = y / 2, 2 * (y % 2) - 1
        down[x, y] = tuple(0.75 * f[x, j] + 0.25 * f[x, j + toward] for f in (coarse, more))
        side = x / 2 - 1 + 2 * (x % 2)
        up[x, y] = tuple(0.75 * down[x / 2, y][k] + 0.25 * down[side, y][k] for k in (0, 1))
        self.output[x, y] = self.octave * calm * (fine[x, y] - up[x, y][0]) + up[x, y][1]

        vector, xo, phase = self.natural_vector_size(hl.Float(32)), hl.Var("xo"), hl.Var("phase")
        yi = rows(self.output, vector, ends)
        down.compute_at(self.output, yi).vectorize(x, vector, hl.TailStrategy.RoundUp)
        up.compute_at(self.output, yi).align_bounds(x, 2).split(x, xo, phase, 2).vectorize(xo, vector)
        up.reorder(phase, xo, y).unroll(phase)


@hl.generator(name="micro_fit")
class MicroFit:
    """Log2 luma and its gain (h, w) → (2, h, w): the gain as a·luma + b, least squares in 5x5 windows, then a mean."""

    light = hl.InputBuffer(hl.Float(32), 2)
    gain = hl.InputBuffer(hl.Float(32), 2)
    epsilon = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        size = [(0, self.light.dim(0).extent()), (0, self.light.dim(1).extent())]
        moments, line = hl.Func("moments"), hl.Func("line")
        light, gain = self.light[x, y], self.gain[x, y]
        moments[x, y] = (light, gain, light * light, light * gain)
        mean_down, mean = smooth(hl.BoundaryConditions.repeat_edge(moments, size), "mean", 4)
        m = [mean[x, y][i] for i in range(4)]
        slope = (m[3] - m[0] * m[1]) / (hl.max(m[2] - m[0] * m[0], 0.0) + self.epsilon)
        line[x, y] = (slope, m[1] - slope * m[0])
        maps_down, maps = smooth(hl.BoundaryConditions.repeat_edge(line, size), "maps", 2)
        self.output[x, y, c] = hl.select(c == 0, maps[x, y][0], maps[x, y][1])
        vector, tail = self.natural_vector_size(hl.Float(32)), hl.TailStrategy.GuardWithIf
        yo, yi = hl.Var("yo"), hl.Var("yi")
        self.output.output_buffer().dim(2).set_bounds(0, 2)
        self.output.bound(c, 0, 2).reorder(c, x, y).unroll(c).split(y, yo, yi, 64, tail).parallel(yo)
        self.output.vectorize(x, vector, tail)
        for f in (maps_down, line, mean_down):
            f.store_at(self.output, yo).compute_at(self.output, yi).vectorize(x, vector, hl.TailStrategy.RoundUp)
            f.never_partition([y])  # rows at the edges go the way of all others: a tenth of the code
        self.output.never_partition([yo, yi])


if __name__ == "__main__":
    hl.main()
