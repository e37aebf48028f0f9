"""LUT — a table of colours applied to a finished picture by tetrahedra; the why stands in lichtbild/look/lut.py."""

import halide as hl

from _light import x, y
from output import quantise, weave

half = hl.Var("half")


def f32(value):
    """The value as a float."""
    return hl.cast(hl.Float(32), value)


class Lookup:
    """Three expressions of x, y in 0..1 → three in 0..65535 (`values`), by tetrahedra [Kasson1995].

    `table` (size³,) of 64-bit words holds R, G, B in 16 bits each. A strip of pixels is handled in three loops: corners
    and weights in vectors, then one plain load a corner, then sums in vectors. Compilers make of a gather as many
    loads, each with an index pulled out of a vector and a word put into one: that is what the loops save. Measured
    with what surrounds it 3.1 ms/MP, where gathers take 3.8 (2 cores of a Xeon, AVX-512; bench/look.py).
    """

    def __init__(self, rgb, table, size):
        self.corners, self.words = hl.Func("corners"), hl.Func("words")
        i32 = hl.Int(32)
        place = [hl.clamp(v, 0.0, 1.0) * f32(size - 1) for v in rgb]
        cell = [f32(hl.clamp(hl.cast(i32, p), 0, hl.max(size - 2, 0))) for p in place]  # whatever becomes of NaN
        fr, fg, fb = [p - k for p, k in zip(place, cell, strict=True)]
        plane, all_ = size * size, 1 + size + size * size
        longest = hl.select((fr >= fg) & (fr >= fb), 1, hl.select(fg >= fb, size, plane))
        shortest = hl.select((fr < fg) & (fr < fb), 1, hl.select(fg < fb, size, plane))
        high, low = hl.max(fr, hl.max(fg, fb)), hl.min(fr, hl.min(fg, fb))
        middle = fr + fg + fb - high - low
        first = hl.cast(i32, cell[0] + cell[1] * f32(size) + cell[2] * f32(plane))
        # Reinterpreted, so that Halide knows nothing of their range and does not clamp every one once more.
        ends = [hl.reinterpret(i32, hl.cast(hl.UInt(32), i)) for i in (first, first + longest, first + all_ - shortest)]
        self.corners[x, y] = (*ends, high, middle, low)
        one, two, three, high, middle, low = (self.corners[x, y][i] for i in range(6))
        last = size * plane - 1
        self.words[half, x, y] = tuple(
            table[half, hl.unsafe_promise_clamped(i, 0, last)] for i in (one, two, three, one + all_)
        )
        words = [_channels(self.words[0, x, y][i], self.words[1, x, y][i]) for i in range(4)]
        parts = [1.0 - high, high - middle, middle - low, low]
        self.values = [sum(p * word[i] for p, word in zip(parts, words, strict=True)) for i in range(3)]
        table.dim(0).set_bounds(0, 2)
        table.dim(1).set_min(0).set_stride(2)

    def schedule(self, output, strip, lanes):
        """Compute a strip at the loop `strip` of `output`."""
        self.corners.compute_at(output, strip).vectorize(x, lanes, hl.TailStrategy.GuardWithIf)
        self.words.compute_at(output, strip).bound(half, 0, 2).vectorize(half)


def _channels(low, high):
    """The three channels, 0..65535, of the two halves of a word, as floats."""
    return [f32(hl.cast(hl.Int(32), v)) for v in (low & 0xFFFF, low >> 16, high)]


def apply_table(g, bits):
    """Write the picture `g.image` (c, x, y) through the table into `g.output`."""
    scaled = [f32(g.image[i, x, y]) * g.scale[i] + g.shift[i] for i in range(3)]
    found, lanes = Lookup(scaled, g.table, g.size), g.natural_vector_size(hl.Float(32))
    codes = [quantise(v * hl.f32(1 / 65535), bits, x, y, i, g.dither) for i, v in enumerate(found.values)]
    weave(g.output, codes, lanes)
    found.schedule(g.output, hl.Var("xo"), lanes)
    g.image.dim(0).set_bounds(0, 3)
    g.image.dim(0).set_stride(1)
    g.image.dim(1).set_stride(3)
    for v in (g.scale, g.shift):
        v.dim(0).set_bounds(0, 3)


class _Lut:
    """A picture and a packed table."""

    image = hl.InputBuffer(hl.UInt(16), 3)
    table = hl.InputBuffer(hl.UInt(32), 2)
    size = hl.InputScalar(hl.Int(32))
    scale = hl.InputBuffer(hl.Float(32), 1)
    shift = hl.InputBuffer(hl.Float(32), 1)
    dither = hl.InputScalar(hl.Float(32))


@hl.generator(name="lut_u8")
class LutU8(_Lut):
    output = hl.OutputBuffer(hl.UInt(8), 3)

    def generate(self):
        apply_table(self, 8)


@hl.generator(name="lut_u16")
class LutU16(_Lut):
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        apply_table(self, 16)


if __name__ == "__main__":
    hl.main()
