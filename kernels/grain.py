"""Grain — noise of density on a finished picture, a function of place alone; see lichtbild/look/grain.py."""

import halide as hl

from _light import x, y
from output import quantise, weave

RADIUS = 6  # of the filter that makes clumps
DEGREE = 4  # of the polynomials of strength
I16, I32, F32 = hl.Int(16), hl.Int(32), hl.Float(32)


def scramble(value):
    """A 32-bit word whose bits all depend on all bits of `value`. Source: constants of [Wellons2018]."""
    value = (value ^ (value >> 16)) * hl.u32(0x7FEB352D)
    value = (value ^ (value >> 15)) * hl.u32(0x846CA68B)
    return value ^ (value >> 16)


def white(column, row, seed):
    """Noise of mean 0 and standard deviation 147.8 at a place: the sum of the four bytes of a word, nearly normal."""
    word = scramble(hl.cast(hl.UInt(32), column) * hl.u32(0x9E3779B1) ^ scramble(hl.cast(hl.UInt(32), row) + seed))
    low = (word & hl.u32(0x00FF00FF)) + ((word >> 8) & hl.u32(0x00FF00FF))
    total = (low & hl.u32(0xFFFF)) + (low >> 16)
    return hl.cast(I16, hl.cast(I32, total) - 510)


def filtered(taps, at, shift):
    """Sum of the half filter `taps` over the int16 expressions at(-RADIUS) … at(RADIUS), in parts of 2^shift."""
    total = hl.cast(I32, at(0)) * hl.cast(I32, taps[0]) + hl.i32(1 << (shift - 1))
    for i in range(1, RADIUS + 1):
        total += hl.cast(I32, at(-i) + at(i)) * hl.cast(I32, taps[i])
    return hl.cast(I16, total >> shift)


def strength(root, shape, row):
    """A polynomial of the root of what a value lacks to white; `shape` (2, DEGREE + 1), highest power first."""
    power = shape[0, row]
    for i in range(1, DEGREE + 1):
        power = power * root + shape[i, row]
    return power


def add(g, bits):
    """Write the picture `g.image` (c, x, y) with grain into `g.output`.

    Schedule: noise is made per strip of rows and filtered along rows, then down, as the output needs it.
    """
    noise, across, clump = hl.Func("noise"), hl.Func("across"), hl.Func("clump")
    k = hl.Var("k")
    noise[x, y, k] = white(x, y, g.seed + hl.cast(hl.UInt(32), k) * hl.u32(0x85EBCA6B))
    # Four times the noise still fits into 16 bits: the filter's squares sum to 1, so its sum is at most 3.6.
    across[x, y, k] = filtered(g.taps, lambda i: noise[x + i, y, k], 12)
    clump[x, y, k] = filtered(g.taps, lambda i: across[x, y + i, k], 14)
    codes = []
    for i, sign in enumerate((1, 0, -1)):
        light = hl.cast(F32, g.image[i, x, y]) * hl.f32(1 / 65535)
        parts = [hl.cast(F32, f[x, y, 0]) + sign * g.colour * hl.cast(F32, f[x, y, 1]) for f in (clump, noise)]
        root = hl.sqrt(hl.max(1.0 - light, 0.0))
        added = strength(root, g.shape, 0) * parts[0] + strength(root, g.shape, 1) * parts[1]
        grained = light + hl.sqrt(light) * root * added
        codes.append(hl.strict_float(quantise(hl.clamp(grained, 0.0, 1.0), bits, x, y, i, g.dither)))
    lanes = g.natural_vector_size(F32)
    rows = weave(g.output, codes, lanes)

    g.image.dim(0).set_bounds(0, 3)
    g.image.dim(0).set_stride(1)
    g.image.dim(1).set_stride(3)
    g.taps.dim(0).set_bounds(0, RADIUS + 1)
    g.shape.dim(0).set_bounds(0, DEGREE + 1)
    g.shape.dim(1).set_bounds(0, 2)
    g.shape.dim(1).set_stride(DEGREE + 1)
    tail = hl.TailStrategy.RoundUp
    clump.compute_at(g.output, rows).bound(k, 0, 2).unroll(k).vectorize(x, lanes, tail)
    across.compute_at(g.output, rows).store_at(g.output, hl.Var("yo")).fold_storage(y, 16)
    across.bound(k, 0, 2).unroll(k).vectorize(x, lanes, tail)
    noise.compute_at(g.output, rows).store_at(g.output, hl.Var("yo")).fold_storage(y, 16)
    noise.bound(k, 0, 2).unroll(k).vectorize(x, lanes, tail)


class _Grain:
    """A picture and how its grain is."""

    image = hl.InputBuffer(hl.UInt(16), 3)
    taps = hl.InputBuffer(hl.Int(16), 1)
    shape = hl.InputBuffer(hl.Float(32), 2)
    colour = hl.InputScalar(hl.Float(32))
    seed = hl.InputScalar(hl.UInt(32))
    dither = hl.InputScalar(hl.Float(32))


@hl.generator(name="grain_u8")
class GrainU8(_Grain):
    output = hl.OutputBuffer(hl.UInt(8), 3)

    def generate(self):
        add(self, 8)


@hl.generator(name="grain_u16")
class GrainU16(_Grain):
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        add(self, 16)


if __name__ == "__main__":
    hl.main()
