"""Front — the first pass: raw numbers in, three planes of square-root codes out.

black → scale, shading and white gain (one table) → square-root code → clipped → defects → demosaic, in one sweep over
the mosaic.
The root is taken once per pixel of the mosaic and not once per colour; everything behind it sees noise of one strength.
"""

import halide as hl

from _quad import HALF_MAX, I16, U16, c, join, mirrored, schedule, split, x, y
from black import black
from clipped import flagged, raised
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


def repaired(front):
    """Half codes with their flags over all pixels; as quads; without flags, clipped ones raised; without defects."""
    half, knob = hl.Func("half"), [front.knobs[i] for i in range(5)]
    half[x, y] = flagged(integer(coded(front, 1)[x, y, 0], HALF_MAX), front.raw[x, y], knob[4])
    edged = mirrored(half, front.raw.dim(0).extent(), front.raw.dim(1).extent())
    quads = split(edged, front.dx, front.dy)
    lifted = raised(quads)
    return edged, quads, lifted, repair(lifted, knob[:3], hl.cast(I16, knob[3]))


def grey(quads, _eps):
    """The method of a monochrome sensor: every pixel is all three."""
    return [(quads[x, y][p],) * 3 for p in range(4)], []


class _Mosaic:
    """What the passes over a mosaic share.

    `knobs`: limits of defects (R, G, B) in half codes, their strength in 1/32767, the raw number from which a sample
    counts as clipped, highest codes (R, G, B).
    """

    def build(self, method):
        edged, quads, lifted, fixed = repaired(self)
        triples, funcs = method(fixed, self.eps)
        joined = join(full(triples, [self.knobs[i] for i in range(5, 8)]))
        self.output[x, y, c] = joined[x + self.dx, y + self.dy, c]

        self.knobs.dim(0).set_bounds(0, 8)
        funcs = [(edged, 0), (quads, 8), (lifted, 8), (fixed, 16), *funcs]
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
