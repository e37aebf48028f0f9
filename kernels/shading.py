"""Shading — a gain for every pixel: a table of full rows at coarse steps, interpolated down."""

import halide as hl

from _quad import c, x, y


def gain(gains, row, weight, plane):
    """Gain of the pixel (x, y): `gains` (W, steps, planes) between its steps row[y] and row[y] + 1."""
    step = hl.clamp(row[y], 0, gains.dim(1).extent() - 2)
    above, below = gains[x, step, plane], gains[x, step + 1, plane]
    return above + weight[y] * (below - above)


@hl.generator(name="shading")
class Shading:
    """Light (planes, H, W) → evened light. One plane: a mosaic, whose rows take turns in two planes of gains."""

    light = hl.InputBuffer(hl.Float(32), 3)
    gains = hl.InputBuffer(hl.Float(32), 3)
    row = hl.InputBuffer(hl.Int(32), 1)
    weight = hl.InputBuffer(hl.Float(32), 1)
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        plane = hl.select(self.light.dim(2).extent() == 1, y % 2, c)
        plane = hl.clamp(plane, 0, self.gains.dim(2).extent() - 1)
        self.output[x, y, c] = self.light[x, y, c] * gain(self.gains, self.row, self.weight, plane)
        tail, yo = hl.TailStrategy.GuardWithIf, hl.Var("yo")
        self.output.split(y, yo, y, 32, tail).reorder(x, y, c, yo).parallel(yo)
        self.output.vectorize(x, self.natural_vector_size(hl.Float(32)), tail)


if __name__ == "__main__":
    hl.main()
