"""Halation — red light around what is brighter than white; the why stands in lichtbild/develop/film.py."""

import halide as hl

from _light import c, decode, encode, x, y
from tone import RATIO, schedule_upsample, upsample

RADIUS = 12  # of the filter, in samples of the halo


@hl.generator(name="halo")
class Halo:
    """Codes → what of their light lies above `level`, averaged over 4x4 pixels and spread by `taps` (half a filter)."""

    code = hl.InputBuffer(hl.UInt(16), 3)
    scale = hl.InputScalar(hl.Float(32))
    offset = hl.InputBuffer(hl.Float(32), 1)
    level = hl.InputScalar(hl.Float(32))
    taps = hl.InputBuffer(hl.Float(32), 1)
    output = hl.OutputBuffer(hl.Float(32), 2)

    def generate(self):
        g = self
        width, height = g.code.dim(0).extent(), g.code.dim(1).extent()
        edged = hl.BoundaryConditions.repeat_edge(g.code)
        least = hl.min(edged[x, y, 0], hl.min(edged[x, y, 1], edged[x, y, 2]))
        above, mean, across = hl.Func("above"), hl.Func("mean"), hl.Func("across")
        # The least of the three channels is what white light has in common: a red lamp makes no red halo larger.
        above[x, y] = hl.max(decode(least, g.scale, g.offset[1]) - g.level, 0.0)
        block = [above[x * RATIO + i, y * RATIO + j] for j in range(RATIO) for i in range(RATIO)]
        mean[x, y] = sum(block) * hl.f32(1 / RATIO**2)
        samples = [(0, (width + RATIO - 1) // RATIO), (0, (height + RATIO - 1) // RATIO)]
        still = hl.BoundaryConditions.repeat_edge(mean, samples)
        around = range(-RADIUS, RADIUS + 1)
        across[x, y] = sum(g.taps[abs(i)] * still[x + i, y] for i in around)
        g.output[x, y] = sum(g.taps[abs(i)] * across[x, y + i] for i in around)

        g.code.dim(2).set_bounds(0, 3)
        g.offset.dim(0).set_bounds(0, 3)
        g.taps.dim(0).set_bounds(0, RADIUS + 1)
        lanes, tail, yo = g.natural_vector_size(hl.Float(32)), hl.TailStrategy.GuardWithIf, hl.Var("yo")
        mean.compute_root().vectorize(x, lanes, tail).parallel(y, 8, tail)
        above.compute_at(mean, y).vectorize(x, lanes, hl.TailStrategy.RoundUp)
        g.output.split(y, yo, y, 32, tail).parallel(yo).vectorize(x, lanes, tail)
        across.compute_at(g.output, y).store_at(g.output, yo).fold_storage(y, 32)
        across.vectorize(x, lanes, hl.TailStrategy.RoundUp)


@hl.generator(name="halate")
class Halate:
    """Codes and a halo → codes with `share` (3,) of the halo added to their light. Cost: as a copy with two roots."""

    code = hl.InputBuffer(hl.UInt(16), 3)
    scale = hl.InputScalar(hl.Float(32))
    offset = hl.InputBuffer(hl.Float(32), 1)
    halo = hl.InputBuffer(hl.Float(32), 2)
    share = hl.InputBuffer(hl.Float(32), 1)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        g = self
        rows, up = upsample(g.halo, g.halo)
        light = [decode(g.code[x, y, i], g.scale, g.offset[i]) + g.share[i] * up[x, y][0] for i in range(3)]
        g.output[x, y, c] = hl.mux(c, [encode(light[i], g.scale, g.offset[i]) for i in range(3)])

        g.code.dim(2).set_bounds(0, 3)
        g.offset.dim(0).set_bounds(0, 3)
        g.share.dim(0).set_bounds(0, 3)
        lanes, tail, yo = g.natural_vector_size(hl.Float(32)), hl.TailStrategy.GuardWithIf, hl.Var("yo")
        g.output.bound(c, 0, 3).reorder(c, x, y).split(y, yo, y, 32, tail).parallel(yo)
        g.output.unroll(c).vectorize(x, lanes, tail)
        schedule_upsample(rows, up, g.output, y, lanes)


if __name__ == "__main__":
    hl.main()
