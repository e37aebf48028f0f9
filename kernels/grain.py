"""Grain — noise of density on a finished picture, a function of place alone; see lichtbild/look/grain.py."""

import halide as hl

from _light import x, y
from output import quantise, weave

RADIUS = 3  # of the filter that makes clumps
COLOUR = 0.35  # of the grain that red has more and blue has less: layers of film do not share all of it


def scramble(value):
    """A 32-bit word whose bits all depend on all bits of `value`. Source: constants of [Wellons2018]."""
    value = (value ^ (value >> 16)) * hl.u32(0x7FEB352D)
    value = (value ^ (value >> 15)) * hl.u32(0x846CA68B)
    return value ^ (value >> 16)


def white(column, row, seed):
    """Noise of mean 0 and variance 1 at a place: the sum of the four bytes of a word, nearly normal."""
    word = scramble(hl.cast(hl.UInt(32), column) * hl.u32(0x9E3779B1) ^ scramble(hl.cast(hl.UInt(32), row) + seed))
    low = (word & hl.u32(0x00FF00FF)) + ((word >> 8) & hl.u32(0x00FF00FF))
    total = (low & hl.u32(0xFFFF)) + (low >> 16)
    return (hl.cast(hl.Float(32), hl.cast(hl.Int(32), total)) - 510.0) * hl.f32(1 / 147.7994)


def amplitude(value, shape):
    """How strong grain is at an encoded value: sqrt(v·(1-v)) times a polynomial; `shape` highest power first."""
    power = shape[0]
    for i in range(1, 4):
        power = power * value + shape[i]
    return hl.sqrt(hl.max(value * (1.0 - value), 0.0)) * power


def add(g, bits):
    """Write the picture `g.image` (c, x, y) with grain into `g.output`.

    Schedule: noise is made per strip of rows and filtered along rows, then down, as the output needs it.
    """
    noise, across, clump = hl.Func("noise"), hl.Func("across"), hl.Func("clump")
    k = hl.Var("k")
    noise[x, y, k] = white(x, y, g.seed + hl.cast(hl.UInt(32), k) * hl.u32(0x85EBCA6B))
    taps = range(-RADIUS, RADIUS + 1)
    across[x, y, k] = sum(g.taps[abs(i)] * noise[x + i, y, k] for i in taps)
    clump[x, y, k] = sum(g.taps[abs(i)] * across[x, y + i, k] for i in taps)
    light = [hl.cast(hl.Float(32), g.image[i, x, y]) * hl.f32(1 / 65535) for i in range(3)]
    shared, apart = clump[x, y, 0], g.colour * clump[x, y, 1]
    each = [shared + apart, shared, shared - apart]
    grained = [hl.clamp(v + amplitude(v, g.shape) * n, 0.0, 1.0) for v, n in zip(light, each, strict=True)]
    codes = [quantise(grained[i], bits, x, y, i, g.dither) for i in range(3)]
    lanes = g.natural_vector_size(hl.Float(32))
    rows = weave(g.output, codes, lanes)

    g.image.dim(0).set_bounds(0, 3)
    g.image.dim(0).set_stride(1)
    g.image.dim(1).set_stride(3)
    g.taps.dim(0).set_bounds(0, RADIUS + 1)
    g.shape.dim(0).set_bounds(0, 4)
    tail = hl.TailStrategy.RoundUp
    clump.compute_at(g.output, rows).bound(k, 0, 2).unroll(k).vectorize(x, lanes, tail)
    across.compute_at(g.output, rows).store_at(g.output, hl.Var("yo")).fold_storage(y, 8)
    across.bound(k, 0, 2).unroll(k).vectorize(x, lanes, tail)
    noise.compute_at(across, y).bound(k, 0, 2).unroll(k).vectorize(x, lanes, tail)


@hl.generator(name="grain_u8")
class GrainU8:
    image = hl.InputBuffer(hl.UInt(16), 3)
    taps = hl.InputBuffer(hl.Float(32), 1)
    shape = hl.InputBuffer(hl.Float(32), 1)
    colour = hl.InputScalar(hl.Float(32))
    seed = hl.InputScalar(hl.UInt(32))
    dither = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(8), 3)

    def generate(self):
        add(self, 8)


@hl.generator(name="grain_u16")
class GrainU16:
    image = hl.InputBuffer(hl.UInt(16), 3)
    taps = hl.InputBuffer(hl.Float(32), 1)
    shape = hl.InputBuffer(hl.Float(32), 1)
    colour = hl.InputScalar(hl.Float(32))
    seed = hl.InputScalar(hl.UInt(32))
    dither = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        add(self, 16)


if __name__ == "__main__":
    hl.main()
