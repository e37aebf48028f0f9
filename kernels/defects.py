"""Defects — single pixels that differ from all eight neighbours of their colour by more than noise are replaced.

On square-root codes noise is equally strong everywhere, so a threshold is one number per colour. A star or a far lamp
is small too, but the lens spreads its light over the pixels beside it, which are of other colours: a pixel beside which
there is light of its own kind is left alone.
"""

import functools

import halide as hl

from _quad import GB, GR, B, at, join, mirrored, split, x, y

# Part of a pixel's excess that the mean of its four direct neighbours must share to be taken for light. A point spread
# over 0.7 px (standard deviation) shares 0.36; confessed choice.
SHARED = 0.15
# A pixel among texture must leave the range of its neighbours by this part of the range more.
RANGE = 1.5


def repair(quads, limits, strength):
    """Quads of codes → repaired quads. `limits`: codes above (below) all neighbours, for R, G, B; strength 0..1."""
    fixed = hl.Func("fixed")
    fixed[x, y] = tuple(_pixel(quads, p, limits[{GR: 1, GB: 1, B: 2}.get(p, 0)], strength) for p in range(4))
    return fixed


def _pixel(quads, p, limit, strength):
    here = at(quads, p, 0, 0)
    pairs = [(at(quads, p, -2 * i, -2 * j), at(quads, p, 2 * i, 2 * j)) for i, j in ((1, 0), (0, 1), (1, 1), (-1, 1))]
    ring = [n for pair in pairs for n in pair]
    highest, lowest = functools.reduce(hl.max, ring), functools.reduce(hl.min, ring)
    over, under = here - highest, lowest - here

    # Light beside the pixel, each neighbour against its own colour two pixels further out.
    beside = hl.f32(0.0)
    for i, j in ((1, 0), (0, 1)):
        beside += at(quads, p, i, j) + at(quads, p, -i, -j) - at(quads, p, 3 * i, 3 * j) - at(quads, p, -3 * i, -3 * j)
    beside = beside * (0.25 / SHARED)
    excess = hl.select(over > under, over - hl.max(beside, 0.0), under + hl.min(beside, 0.0))

    flattest, value = None, None
    for a, b in pairs:
        step, mean = hl.abs(a - b), 0.5 * (a + b)
        value = mean if flattest is None else hl.select(step < flattest, mean, value)
        flattest = step if flattest is None else hl.min(step, flattest)
    wrong = (hl.max(over, under) > limit + RANGE * (highest - lowest)) & (excess > 0.0)
    return hl.select(wrong, here + strength * (value - here), here)


@hl.generator(name="defects")
class Defects:
    """Codes of a mosaic (H, W) float32 → repaired codes."""

    mosaic = hl.InputBuffer(hl.Float(32), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    limit_r = hl.InputScalar(hl.Float(32))
    limit_g = hl.InputScalar(hl.Float(32))
    limit_b = hl.InputScalar(hl.Float(32))
    strength = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.Float(32), 2)

    def generate(self):
        plain = hl.Func("plain")
        plain[x, y] = self.mosaic[x, y]
        edged = mirrored(plain, self.mosaic.dim(0).extent(), self.mosaic.dim(1).extent())
        quads = split(edged, self.dx, self.dy)
        fixed = repair(quads, (self.limit_r, self.limit_g, self.limit_b), self.strength)
        joined = join([(fixed[x, y][p],) * 3 for p in range(4)])
        self.output[x, y] = joined[x + self.dx, y + self.dy, 0]
        tail, yo = hl.TailStrategy.GuardWithIf, hl.Var("yo")
        self.output.split(y, yo, y, 32, tail).parallel(yo)
        self.output.vectorize(x, self.natural_vector_size(hl.Float(32)), tail)
        for f in (quads, fixed):
            f.compute_at(self.output, yo).vectorize(x, self.natural_vector_size(hl.Float(32)))


if __name__ == "__main__":
    hl.main()
