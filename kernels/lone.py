"""Lone — pixels that few frames have seen are averaged with what is like them; the why stands in merge/lone.py."""

import halide as hl

from _light import c, x, y
from align import F32, I32, U16

REACH = 3  # pixels
CELL = 8  # pixels of the map
UNLIKE = 9.0  # mean squared difference, in units of noise, of pixels that have nothing to say to each other
LEFT = 0.08  # of the noise power, about; a mean of roots is too low by the rest
FROM, TO = 3.0, 6.0  # noise power, in units of the usual, from where pixels are averaged, and wholly


@hl.generator(name="merge_lone")
class Lone:
    """Codes (3, H, W) → `output`, its part whose first row is `top`.

    `share` (h, w): noise power of cells of 8x8 pixels in units of the usual; `power` (3,): a third of the inverse of
    the usual noise power of codes.
    """

    codes = hl.InputBuffer(U16, 3)
    share = hl.InputBuffer(F32, 2)
    power = hl.InputBuffer(F32, 1)
    top = hl.InputScalar(I32)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        edged, cells = (hl.BoundaryConditions.repeat_edge(b) for b in (self.codes, self.share))
        code, noise, mean = hl.Func("code"), hl.Func("noise"), hl.Func("mean")
        code[x, y, c] = hl.cast(F32, edged[x, y, c])
        noise[x, y] = cells[x / CELL, y / CELL]
        window = hl.RDom([(-REACH, 2 * REACH + 1), (-REACH, 2 * REACH + 1)])
        at = (x + window.x, y + window.y)
        there = [code[at[0], at[1], k] for k in range(3)]
        apart = hl.f32(0)
        for k in range(3):
            step = there[k] - code[x, y, k]
            apart += step * step * self.power[k]
        alike = hl.max(1.0 - apart * (1.0 / UNLIKE) / (noise[x, y] + noise[at[0], at[1]]), 0.0)
        weight = alike * alike / noise[at[0], at[1]]
        mean[x, y] = tuple(hl.f32(0) for _ in range(4))
        mean[x, y] = (*(mean[x, y][k] + weight * there[k] for k in range(3)), mean[x, y][3] + weight)
        row = y + self.top
        part = hl.clamp((noise[x, row] - FROM) * (1.0 / (TO - FROM)), 0.0, 1.0)
        found = hl.mux(c, [mean[x, row][k] for k in range(3)]) / mean[x, row][3]
        gone = (1.0 - LEFT) / 3.0 * noise[x, row] / self.power[c]
        here, lifted = code[x, row, c], hl.sqrt(found * found + gone)
        self.output[x, y, c] = hl.cast(U16, hl.clamp(here + part * (lifted - here) + 0.5, 0.0, 65535.0))

        # CPU time 60 ms/MP, 2 cores of a Xeon, AVX-512; only strips of brackets that need it come here.
        lanes, yo, yi, tail = self.natural_vector_size(F32), hl.Var("yo"), hl.Var("yi"), hl.TailStrategy.GuardWithIf
        self.output.bound(c, 0, 3).split(y, yo, yi, CELL, tail).reorder(x, c, yi, yo).parallel(yo)
        self.output.unroll(c).vectorize(x, lanes, tail)
        mean.compute_at(self.output, yi).vectorize(x, lanes).update().reorder(x, window.x, window.y).vectorize(x, lanes)
        for f in (code, noise):
            f.compute_at(self.output, yo).vectorize(x, lanes)


if __name__ == "__main__":
    hl.main()
