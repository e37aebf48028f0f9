"""Front — the first pass: raw numbers in, three planes of square-root codes out.

black → scale, shading and white gain (one table) → square-root code → defects → demosaic, in one sweep over the mosaic.
The root is taken once per pixel of the mosaic and not once per colour; everything behind it sees noise of one strength.
"""

import halide as hl

from _quad import HALF_MAX, I16, U16, c, join, mirrored, schedule, split, x, y
from black import black
from defects import repair
from demosaic import directional, fast, full, smooth
from shading import gain


def coded(front, planes, rows=2):
    """Raw numbers → codes (Func x, y, c). `gains` and `offset` hold the square of the code's scale already.

    A mosaic (planes = 1) takes gains and offset of its row in the pattern of so many `rows`, LinearRaw of its plane.
    """
    raw = hl.Func("raw")
    raw[x, y, c] = front.raw[x, y, c] if planes == 3 else front.raw[x, y]
    dark = black(raw, front.levels, front.per_row)
    plane = c if planes == 3 else y % rows
    lit = dark[x, y, c] * gain(front.gains, front.row, front.weight, plane) + front.offset[x, plane]
    code = hl.Func("code")
    code[x, y, c] = hl.sqrt(hl.max(lit, 0.0))
    return code


def integer(value, top):
    """Rounded code, held within 0..top."""
    return hl.cast(U16, hl.min(value + 0.5, float(top)))


def grey(quads, _eps):
    """The method of a monochrome sensor: every pixel is all three."""
    return [(quads[x, y][p],) * 3 for p in range(4)], []


class _Mosaic:
    """What the passes over a mosaic share.

    `knobs`: limits of defects (R, G, B) in half codes, their strength in 1/32767, highest codes (R, G, B).
    """

    def build(self, method):
        width, height = self.raw.dim(0).extent(), self.raw.dim(1).extent()
        code, half = coded(self, 1), hl.Func("half")
        half[x, y] = integer(code[x, y, 0], HALF_MAX)
        edged = mirrored(half, width, height)
        quads = split(edged, self.dx, self.dy)
        knob = [self.knobs[i] for i in range(7)]
        fixed = repair(quads, knob[:3], hl.cast(I16, knob[3]))
        triples, funcs = method(fixed, self.eps)
        joined = join(full(triples, knob[4:7]))
        self.output[x, y, c] = joined[x + self.dx, y + self.dy, c]

        self.knobs.dim(0).set_bounds(0, 7)
        funcs = [(edged, 0), (quads, 8), (fixed, 16), *funcs]
        schedule(self.output, joined, funcs, self.natural_vector_size(U16))


@hl.generator(name="front_directional")
class Directional(_Mosaic):
    """The default."""

    raw = hl.InputBuffer(hl.UInt(16), 2)
    levels = hl.InputBuffer(hl.Float(32), 3)
    per_row = hl.InputBuffer(hl.Float(32), 1)
    gains = hl.InputBuffer(hl.Float(32), 3)
    row = hl.InputBuffer(hl.Int(32), 1)
    weight = hl.InputBuffer(hl.Float(32), 1)
    offset = hl.InputBuffer(hl.Float(32), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    knobs = hl.InputBuffer(hl.UInt(16), 1)
    eps = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        self.build(directional)


@hl.generator(name="front_smooth")
class Smooth(_Mosaic):
    """For strong noise."""

    raw = hl.InputBuffer(hl.UInt(16), 2)
    levels = hl.InputBuffer(hl.Float(32), 3)
    per_row = hl.InputBuffer(hl.Float(32), 1)
    gains = hl.InputBuffer(hl.Float(32), 3)
    row = hl.InputBuffer(hl.Int(32), 1)
    weight = hl.InputBuffer(hl.Float(32), 1)
    offset = hl.InputBuffer(hl.Float(32), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    knobs = hl.InputBuffer(hl.UInt(16), 1)
    eps = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        self.build(smooth)


@hl.generator(name="front_fast")
class Fast(_Mosaic):
    """For previews."""

    raw = hl.InputBuffer(hl.UInt(16), 2)
    levels = hl.InputBuffer(hl.Float(32), 3)
    per_row = hl.InputBuffer(hl.Float(32), 1)
    gains = hl.InputBuffer(hl.Float(32), 3)
    row = hl.InputBuffer(hl.Int(32), 1)
    weight = hl.InputBuffer(hl.Float(32), 1)
    offset = hl.InputBuffer(hl.Float(32), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    knobs = hl.InputBuffer(hl.UInt(16), 1)
    eps = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        self.build(fast)


@hl.generator(name="front_mono")
class Mono(_Mosaic):
    """One plane of grey in, three equal planes out."""

    raw = hl.InputBuffer(hl.UInt(16), 2)
    levels = hl.InputBuffer(hl.Float(32), 3)
    per_row = hl.InputBuffer(hl.Float(32), 1)
    gains = hl.InputBuffer(hl.Float(32), 3)
    row = hl.InputBuffer(hl.Int(32), 1)
    weight = hl.InputBuffer(hl.Float(32), 1)
    offset = hl.InputBuffer(hl.Float(32), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    knobs = hl.InputBuffer(hl.UInt(16), 1)
    eps = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        self.build(grey)


@hl.generator(name="front_quads")
class Quads:
    """Raw numbers of a mosaic → its quads of half codes (4, h, w), repaired but not demosaiced.

    `border` quads lie before it in each direction, mirrored, and as many as there is room behind it. `knobs` as for
    the other passes, without the highest codes.
    """

    raw = hl.InputBuffer(hl.UInt(16), 2)
    levels = hl.InputBuffer(hl.Float(32), 3)
    per_row = hl.InputBuffer(hl.Float(32), 1)
    gains = hl.InputBuffer(hl.Float(32), 3)
    row = hl.InputBuffer(hl.Int(32), 1)
    weight = hl.InputBuffer(hl.Float(32), 1)
    offset = hl.InputBuffer(hl.Float(32), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    border = hl.InputScalar(hl.Int(32))
    knobs = hl.InputBuffer(hl.UInt(16), 1)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        code, half = coded(self, 1), hl.Func("half")
        half[x, y] = integer(code[x, y, 0], HALF_MAX)
        edged = mirrored(half, self.raw.dim(0).extent(), self.raw.dim(1).extent())
        quads = split(edged, self.dx, self.dy)
        fixed = repair(quads, [self.knobs[i] for i in range(3)], hl.cast(I16, self.knobs[3]))
        there = fixed[x - self.border, y - self.border]
        self.output[x, y, c] = hl.mux(c, [there[p] for p in range(4)])
        self.knobs.dim(0).set_bounds(0, 4)
        xo, yo, tail, lanes = hl.Var("xo"), hl.Var("yo"), hl.TailStrategy.GuardWithIf, self.natural_vector_size(U16)
        self.output.bound(c, 0, 4).split(y, yo, y, 64, tail).split(x, xo, x, 256, tail)
        self.output.reorder(x, c, y, xo, yo).parallel(yo).unroll(c).vectorize(x, lanes, tail)
        fixed.compute_at(self.output, y).vectorize(x, lanes)
        quads.store_at(self.output, xo).compute_at(self.output, y).vectorize(x, lanes).fold_storage(y, 8)
        edged.store_at(self.output, xo).compute_at(self.output, y).vectorize(x, lanes)


@hl.generator(name="front_rgb")
class Rgb:
    """LinearRaw: three planes that need no demosaic; each pixel is coded for itself."""

    raw = hl.InputBuffer(hl.UInt(16), 3)
    levels = hl.InputBuffer(hl.Float(32), 3)
    per_row = hl.InputBuffer(hl.Float(32), 1)
    gains = hl.InputBuffer(hl.Float(32), 3)
    row = hl.InputBuffer(hl.Int(32), 1)
    weight = hl.InputBuffer(hl.Float(32), 1)
    offset = hl.InputBuffer(hl.Float(32), 2)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        self.output[x, y, c] = integer(coded(self, 3)[x, y, c], 65535)
        tail, yo = hl.TailStrategy.GuardWithIf, hl.Var("yo")
        self.output.bound(c, 0, 3).split(y, yo, y, 32, tail).reorder(x, y, c, yo).parallel(yo)
        self.output.vectorize(x, 2 * self.natural_vector_size(hl.Float(32)), tail)


if __name__ == "__main__":
    hl.main()
