"""Front — the first pass: raw numbers in, three planes of square-root codes out.

black → scale, shading and white gain (one table) → square-root code → clipped → defects (as far as that: quads.py) →
demosaic.
The root is taken once per pixel of the mosaic and not once per colour; everything behind it sees noise of one strength.
"""

import halide as hl

from _quad import U16, c, join, schedule, x, y
from black import black
from demosaic import directional, fast, full, smooth
from shading import gain

BORDER = 12  # quads around the picture: what any method sees of them
BEFORE = BORDER + 36  # quads before it in a row: vectors that are longer than a tiny picture begin there


class Coded:
    """How raw numbers become codes: levels of black, gains of shading and white, the code's offset."""

    levels = hl.InputBuffer(hl.Float(32), 3)
    per_row = hl.InputBuffer(hl.Float(32), 1)
    gains = hl.InputBuffer(hl.Float(32), 3)
    row = hl.InputBuffer(hl.Int(32), 1)
    weight = hl.InputBuffer(hl.Float(32), 1)
    offset = hl.InputBuffer(hl.Float(32), 2)


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


class _Method:
    """Quads of half codes (4, h, w), as front_quads makes them, with BORDER above and BEFORE left of the picture, and
    room for vectors behind it → codes (3, H, W). `tops`: highest codes (R, G, B).
    """

    quads = hl.InputBuffer(hl.UInt(16), 3)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    tops = hl.InputBuffer(hl.UInt(16), 1)
    eps = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def build(self, method):
        quads, last = hl.Func("quads"), self.quads.dim(1).extent() - 1
        quads[x, y] = tuple(self.quads[x + BEFORE, hl.clamp(y + BORDER, 0, last), p] for p in range(4))
        triples, funcs = method(quads, self.eps)
        joined = join(full(triples, [self.tops[i] for i in range(3)]))
        self.output[x, y, c] = joined[x + self.dx, y + self.dy, c]
        # Read into tiles once: what reads them many times compiles in half the time, and runs as fast.
        schedule(self.output, joined, [(quads, 16), *funcs], self.natural_vector_size(U16))


@hl.generator(name="front_directional")
class Directional(_Method):
    """The default. CPU time 2.9 ms/MP, one thread of a busy Xeon, AVX-512."""

    def generate(self):
        self.build(directional)


@hl.generator(name="front_smooth")
class Smooth(_Method):
    """For strong noise."""

    def generate(self):
        self.build(smooth)


@hl.generator(name="front_fast")
class Fast(_Method):
    """For previews."""

    def generate(self):
        self.build(fast)


@hl.generator(name="front_mono")
class Mono(_Method):
    """One plane of grey in, three equal planes out."""

    def generate(self):
        self.build(grey)


@hl.generator(name="front_rgb")
class Rgb(Coded):
    """LinearRaw: three planes that need no demosaic; each pixel is coded for itself."""

    raw = hl.InputBuffer(hl.UInt(16), 3)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        self.output[x, y, c] = integer(coded(self, 3)[x, y, c], 65535)
        tail, yo = hl.TailStrategy.GuardWithIf, hl.Var("yo")
        self.output.bound(c, 0, 3).split(y, yo, y, 32, tail).reorder(x, y, c, yo).parallel(yo)
        self.output.vectorize(x, 2 * self.natural_vector_size(hl.Float(32)), tail)


if __name__ == "__main__":
    hl.main()
