"""LUT — a table of colours applied to a finished picture by tetrahedra; the why stands in lichtbild/look/lut.py."""

import halide as hl

from _light import x, y
from output import quantise, weave


def interpolate(rgb, table, size):
    """Three expressions in 0..1 → three, from `table` (size³,) of 64-bit words that hold R, G, B in 16 bits each.

    One load a vertex: a tetrahedron has four, and of a word each channel is a shift. Source: [Kasson1995].
    """
    top = hl.cast(hl.Float(32), size - 1)
    place = [v * top for v in rgb]
    cell = [hl.clamp(hl.cast(hl.Int(32), p), 0, hl.max(size - 2, 0)) for p in place]
    fr, fg, fb = [p - hl.cast(hl.Float(32), k) for p, k in zip(place, cell, strict=True)]
    plane = size * size
    longest = hl.select((fr >= fg) & (fr >= fb), 1, hl.select(fg >= fb, size, plane))
    shortest = hl.select((fr < fg) & (fr < fb), 1, hl.select(fg < fb, size, plane))
    high, low = hl.max(fr, hl.max(fg, fb)), hl.min(fr, hl.min(fg, fb))
    middle = fr + fg + fb - high - low
    first = cell[0] + cell[1] * size + cell[2] * plane
    last = first + 1 + size + plane
    corners = (first, first + longest, last - shortest, last)
    words = [table[hl.unsafe_promise_clamped(i, 0, size * plane - 1)] for i in corners]
    parts = [1.0 - high, high - middle, middle - low, low]
    return [sum(p * channel(word, i) for p, word in zip(parts, words, strict=True)) for i in range(3)]


def channel(word, i):
    """Channel i of a word, 0..65535, as a float."""
    return hl.cast(hl.Float(32), hl.cast(hl.Int(32), hl.cast(hl.UInt(16), word >> (16 * i))))


def apply_table(g, bits):
    """Write the picture `g.image` (c, x, y) through the table into `g.output`."""
    scaled = [hl.cast(hl.Float(32), g.image[i, x, y]) * g.scale[i] + g.shift[i] for i in range(3)]
    mapped = interpolate([hl.clamp(v, 0.0, 1.0) for v in scaled], g.table, g.size)
    codes = [quantise(mapped[i] * hl.f32(1 / 65535), bits, x, y, i, g.dither) for i in range(3)]
    weave(g.output, codes, g.natural_vector_size(hl.Float(32)))
    g.image.dim(0).set_bounds(0, 3)
    g.image.dim(0).set_stride(1)
    g.image.dim(1).set_stride(3)
    for v in (g.scale, g.shift):
        v.dim(0).set_bounds(0, 3)


@hl.generator(name="lut_u8")
class LutU8:
    image = hl.InputBuffer(hl.UInt(16), 3)
    table = hl.InputBuffer(hl.UInt(64), 1)
    size = hl.InputScalar(hl.Int(32))
    scale = hl.InputBuffer(hl.Float(32), 1)
    shift = hl.InputBuffer(hl.Float(32), 1)
    dither = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(8), 3)

    def generate(self):
        apply_table(self, 8)


@hl.generator(name="lut_u16")
class LutU16:
    image = hl.InputBuffer(hl.UInt(16), 3)
    table = hl.InputBuffer(hl.UInt(64), 1)
    size = hl.InputScalar(hl.Int(32))
    scale = hl.InputBuffer(hl.Float(32), 1)
    shift = hl.InputBuffer(hl.Float(32), 1)
    dither = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        apply_table(self, 16)


if __name__ == "__main__":
    hl.main()
