"""Highlights — rebuild clipped channels of white-balanced camera light; the why stands in develop/highlights.py."""

import halide as hl

from _light import c, decode, x, y


def smooth(ramp):
    """0 → 1 without a corner at either end."""
    r = hl.clamp(ramp, 0.0, 1.0)
    return r * r * (3.0 - 2.0 * r)


def algorithm(rgb, table):
    """Three expressions of white-balanced camera light → three, with clipped channels rebuilt.

    `table` is HighlightTable.array, (4, 3) float32, halide order (channel, row): row 0 slope and row 1 bias of the
    ramp that says how surely a channel is clipped, row 2 the weight of channel c+1 against c+2 in a rebuilt channel c,
    row 3 (level, strength, pale): light above `level` is kept to the part `strength`; `pale` is the slope of the wide
    ramp of paling, against that of certainty.

    A neutral stays neutral through all three clip levels, whatever the weights are, because a clipped neighbour is
    itself raised to the other one before it is used. Only min, max, + and ·: about 55 operations per pixel.
    """
    ramp = [rgb[i] * table[i, 0] + table[i, 1] for i in range(3)]
    sure = [smooth(r) for r in ramp]
    level, strength, pale_slope = table[0, 3], table[1, 3], table[2, 3]
    full = []
    for i in range(3):
        p, q = (i + 1) % 3, (i + 2) % 3
        first = rgb[p] + sure[p] * hl.max(rgb[q] - rgb[p], 0.0)
        second = rgb[q] + sure[q] * hl.max(rgb[p] - rgb[q], 0.0)
        guess = second + table[i, 2] * (first - second)
        full.append(rgb[i] + sure[i] * hl.max(guess - rgb[i], 0.0))
    darkest = hl.min(hl.min(ramp[0], ramp[1]), ramp[2])
    pale = hl.max(hl.max(sure[0], sure[1]), sure[2]) * smooth(1.0 + pale_slope * (darkest - 1.0))
    brightest = hl.max(hl.max(full[0], full[1]), full[2])
    white = [v + pale * (brightest - v) for v in full]
    return [hl.min(v, level) + strength * hl.max(v - level, 0.0) for v in white]


def decoded(code, scale, offset, table):
    """Three codes → three expressions of white-balanced camera light, highlights rebuilt."""
    return algorithm([decode(code[i], scale, offset[i]) for i in range(3)], table)


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
