"""Black — what the sensor reads without light is taken away, per place of the pattern, column and row."""

import halide as hl

from _quad import c, x, y


def black(raw, levels, per_row):
    """`raw` (Func of x, y, c), `levels` (W, rows, planes) repeating down, `per_row` (H) → float32 Func, in DN."""
    dark = hl.Func("dark")
    dark[x, y, c] = hl.cast(hl.Float(32), raw[x, y, c]) - (levels[x, y % levels.dim(1).extent(), c] + per_row[y])
    return dark


@hl.generator(name="black")
class Black:
    """Raw numbers (planes, H, W) uint16 → numbers above black (planes, H, W) float32."""

    raw = hl.InputBuffer(hl.UInt(16), 3)
    levels = hl.InputBuffer(hl.Float(32), 3)
    per_row = hl.InputBuffer(hl.Float(32), 1)
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        self.output[x, y, c] = black(self.raw, self.levels, self.per_row)[x, y, c]
        tail, yo = hl.TailStrategy.GuardWithIf, hl.Var("yo")
        self.output.split(y, yo, y, 32, tail).reorder(x, y, c, yo).parallel(yo)
        self.output.vectorize(x, self.natural_vector_size(hl.Float(32)), tail)


if __name__ == "__main__":
    hl.main()
