"""Stuck — pixels that stand out from all eight neighbours of their colour in several frames; why: develop/stuck.py."""

import functools

import halide as hl

from _light import x, y
from align import F32, I32, U16

U8 = hl.UInt(8)


@hl.generator(name="stuck")
class Stuck:
    """Three mosaics (H, W) → 1 where their sum is above that of all eight neighbours two pixels away, 2 where below.

    By more than `least` and `limit` standard deviations at the neighbour's level, where the sum has the variance
    scale·(sum - black) + offset; all in DN. Output (H, wide), 0 elsewhere, also beyond the width of the mosaics.
    """

    first = hl.InputBuffer(U16, 2)
    second = hl.InputBuffer(U16, 2)
    third = hl.InputBuffer(U16, 2)
    black = hl.InputScalar(F32)
    scale = hl.InputScalar(F32)
    offset = hl.InputScalar(F32)
    limit = hl.InputScalar(F32)
    least = hl.InputScalar(F32)
    output = hl.OutputBuffer(U8, 2)

    def generate(self):
        width, height = self.first.dim(0).extent(), self.first.dim(1).extent()
        whole, down = hl.Func("whole"), hl.Func("down")
        u, v = (hl.clamp(at, 0, size - 1) for at, size in ((x, width), (y, height)))
        whole[x, y] = functools.reduce(lambda a, b: a + b, [hl.cast(I32, f[u, v]) for f in self.frames()])
        rows = [whole[x, y + j] for j in (-2, 0, 2)]
        down[x, y] = (functools.reduce(hl.max, rows), functools.reduce(hl.min, rows))
        sides, middle, here = (down[x - 2, y], down[x + 2, y]), (whole[x, y - 2], whole[x, y + 2]), whole[x, y]
        high = functools.reduce(hl.max, [sides[0][0], sides[1][0], *middle])
        low = functools.reduce(hl.min, [sides[0][1], sides[1][1], *middle])

        def beyond(by, level):
            excess = hl.cast(F32, by)
            power = self.scale * hl.max(hl.cast(F32, level) - self.black, 0.0) + self.offset
            return (excess > self.least) & (excess * excess > self.limit * self.limit * power)

        over, under = beyond(here - high, high), beyond(low - here, low)
        flag = hl.select(over, hl.cast(U8, 1), hl.select(under, hl.cast(U8, 2), hl.cast(U8, 0)))
        self.output[x, y] = hl.select(x < width, flag, hl.cast(U8, 0))
        yo, tail, lanes = hl.Var("yo"), hl.TailStrategy.GuardWithIf, self.natural_vector_size(I32)
        self.output.split(y, yo, y, 32, tail).parallel(yo).vectorize(x, lanes, tail)
        whole.store_at(self.output, yo).compute_at(self.output, y).vectorize(x, lanes).fold_storage(y, 8)
        down.compute_at(self.output, y).vectorize(x, lanes)

    def frames(self):
        """The mosaics."""
        return self.first, self.second, self.third


if __name__ == "__main__":
    hl.main()
