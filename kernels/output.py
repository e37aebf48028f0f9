"""Output — encoded display values to integers, with a dither that depends on nothing but the pixel's position."""

import halide as hl

from _light import c, x, y

# Steps of the R2 sequence, 1/p and 1/p² of the plastic number p, as parts of 2^32; the channels start a third apart.
STEP_X, STEP_Y = 3242174889, 2447445414
STEP_CHANNEL = 1431655765


def threshold(column, row, channel, dither):
    """What is added before rounding down: 0.5 without dither, else evenly spread over 0..1 from pixel to pixel.

    Neighbours get thresholds far apart (an additive low-discrepancy sequence), so the noise is fine and the mean of
    a few pixels already is the value between two codes. Source: [Roberts2018].
    """
    place = hl.cast(hl.UInt(32), column) * hl.u32(STEP_X) + hl.cast(hl.UInt(32), row) * hl.u32(STEP_Y)
    place += hl.u32(STEP_CHANNEL * channel % 2**32)
    # 23 bits become the mantissa of a float in 1..2.
    spread = hl.reinterpret(hl.Float(32), (place >> 9) | hl.u32(0x3F800000)) - 1.5
    return 0.5 + dither * spread


def quantise(value, bits, column, row, channel, dither):
    """Encoded value in 0..1 → code of 8 or 16 bits; `dither` 0..1 scales the noise."""
    code = value * hl.f32(2**bits - 1) + threshold(column, row, channel, dither)
    # White plus almost one rounds up to the next power of two.
    return hl.cast(hl.UInt(bits), hl.min(code, hl.f32(2**bits - 1)))


def weave(output, codes, lanes, mirror=None):
    """Write three integer expressions of x, y as the channels of an interleaved `output`; returns the Var of its rows.

    Where `mirror` (a boolean expression) holds, rows are written from right to left.

    A strip of pixels is computed first, each pixel as one packed integer, then unpacked in the order of the output.
    Packed, because three stores would be three computations of everything that the channels share.
    """
    bits = codes[0].type().bits()
    packed = hl.UInt(4 * bits)
    pixel, strip, tail = hl.Func("pixel"), 4 * lanes, hl.TailStrategy.GuardWithIf
    red, green, blue = (hl.cast(packed, code) for code in codes)
    pixel[x, y] = red | (green << bits) | (blue << (2 * bits))
    target = output.output_buffer()
    u = x if mirror is None else hl.select(mirror, target.dim(1).extent() - 1 - x, x)
    output[c, x, y] = hl.cast(hl.UInt(bits), hl.mux(c, [pixel[u, y] >> (bits * i) for i in range(3)]))

    xo, xi, yo, yi = (hl.Var(n) for n in ("xo", "xi", "yo", "yi"))
    target.dim(0).set_bounds(0, 3)
    target.dim(0).set_stride(1)
    target.dim(1).set_stride(3)
    output.bound(c, 0, 3)
    # Pictures at least a strip wide end with a full strip that overlaps the one before.
    wide_enough = output.specialize(target.dim(1).extent() >= strip)
    parts = [(wide_enough, hl.TailStrategy.ShiftInwards), (output, tail)]
    if mirror is not None:
        parts.insert(0, (wide_enough.specialize(mirror), hl.TailStrategy.ShiftInwards))
    for part, end in parts:
        part.reorder(c, x, y).split(y, yo, yi, 32, tail).parallel(yo)
        part.split(x, xo, xi, strip, end).reorder(c, xi, xo, yi).unroll(c).vectorize(xi)
    # Four vectors side by side: a pixel is one long chain of operations, and they fill each other's waits.
    pixel.compute_at(output, xo).vectorize(x, 4 * lanes, tail)
    return yi


def output_of(generator, bits):
    """The stand-alone stage: encoded (3, H, W) float32 → (H, W, 3)."""
    g = generator
    codes = [quantise(hl.clamp(g.encoded[x, y, i], 0.0, 1.0), bits, x, y, i, g.dither) for i in range(3)]
    weave(g.output, codes, g.natural_vector_size(hl.Float(32)))
    g.encoded.dim(2).set_bounds(0, 3)


class _Output:
    """An encoded picture."""

    encoded = hl.InputBuffer(hl.Float(32), 3)
    dither = hl.InputScalar(hl.Float(32))


@hl.generator(name="output_u8")
class OutputU8(_Output):
    output = hl.OutputBuffer(hl.UInt(8), 3)

    def generate(self):
        output_of(self, 8)


@hl.generator(name="output_u16")
class OutputU16(_Output):
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        output_of(self, 16)


if __name__ == "__main__":
    hl.main()
