"""Highlights — rebuild clipped channels of white-balanced camera light; the why stands in develop/highlights.py."""

import halide as hl

from _light import c, x, y


def algorithm(rgb, table):
    """Three expressions of white-balanced camera light → three, with clipped channels rebuilt.

    `table` is HighlightTable.array, (4, 3) float32, halide order (channel, row): row 0 slope and row 1 bias of the
    ramp that says how surely a channel is clipped, row 2 the weight of channel c+1 against c+2 in a rebuilt channel c,
    row 3 (level, strength, 0): light above `level` is kept to the part `strength`.

    A neutral stays neutral through all three clip levels, whatever the weights are, because a clipped neighbour is
    itself raised to the other one before it is used. Only min, max, + and ·: about 40 operations per pixel.
    """
    ramp = [hl.clamp(rgb[i] * table[i, 0] + table[i, 1], 0.0, 1.0) for i in range(3)]
    sure = [r * r * (3.0 - 2.0 * r) for r in ramp]
    level, strength = table[0, 3], table[1, 3]
    out = []
    for i in range(3):
        p, q = (i + 1) % 3, (i + 2) % 3
        first = rgb[p] + sure[p] * hl.max(rgb[q] - rgb[p], 0.0)
        second = rgb[q] + sure[q] * hl.max(rgb[p] - rgb[q], 0.0)
        guess = second + table[i, 2] * (first - second)
        full = rgb[i] + sure[i] * hl.max(guess - rgb[i], 0.0)
        out.append(hl.min(full, level) + strength * hl.max(full - level, 0.0))
    return out


@hl.generator(name="highlights")
class Highlights:
    rgb = hl.InputBuffer(hl.Float(32), 3)  # white-balanced camera light
    table = hl.InputBuffer(hl.Float(32), 2)
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        rebuilt = algorithm([self.rgb[x, y, i] for i in range(3)], self.table)
        self.output[x, y, c] = hl.mux(c, rebuilt)
        self.rgb.dim(2).set_bounds(0, 3)
        self.table.dim(0).set_bounds(0, 3)
        self.table.dim(1).set_bounds(0, 4)
        self.output.bound(c, 0, 3).reorder(c, x, y).unroll(c)
        width = self.natural_vector_size(hl.Float(32))
        self.output.vectorize(x, width, hl.TailStrategy.GuardWithIf).parallel(y, 16, hl.TailStrategy.GuardWithIf)


if __name__ == "__main__":
    hl.main()
