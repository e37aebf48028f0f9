"""Detail — capture sharpening of stabilised luma: two terms of the series that undoes a small blur.

With B the 3x3 binomial and h = Y - B·Y, Y + first·h + second·(h - B·h) is a van Cittert deconvolution of two steps. It
is faded out where the size of h is what noise leaves, and held to the local minimum and maximum plus a small part of
their distance, so that edges get steeper but no halo stands beside them. Luma is int16 in quarters of a code, 0..16383.
"""

import functools

import halide as hl

from _blocks import I16, ROUND, U16, XI, XO, YI, YO, product, tiles
from _light import c, x, y

GAIN = 8  # the table holds factors of h and B·h in 1 / GAIN
BOTH, SECOND, START, WIDTH, SLOPE, ALLOWANCE = range(6)


def at_origin(*buffers):
    """Say that planes begin at (0, 0): then phases of pixels are known when the kernel is compiled."""
    for given in buffers:
        buffer = given.output_buffer() if isinstance(given, hl.Func) else given
        buffer.dim(0).set_min(0)
        buffer.dim(1).set_min(0)


def luma_of(code):
    """Green-weighted luma in quarters of a code."""
    red, green, blue = (code[x, y, n] for n in range(3))
    return hl.cast(I16, hl.rounding_halving_add(hl.rounding_halving_add(red, blue), green) >> 2)


def binomial(f, name):
    """[1 2 1]² / 16 of a Func of uint16. Returns (rows, Func)."""
    rows, smooth = hl.Func(f"{name}_rows"), hl.Func(name)
    mean = hl.rounding_halving_add
    rows[x, y] = mean(mean(f[x, y - 1], f[x, y + 1]), f[x, y])
    smooth[x, y] = mean(mean(rows[x - 1, y], rows[x + 1, y]), rows[x, y])
    return rows, smooth


def extreme(f, pick, name):
    """`pick` (hl.min, hl.max) over 3x3 pixels. Returns (rows, Func)."""
    rows, found = hl.Func(f"{name}_rows"), hl.Func(name)
    rows[x, y] = functools.reduce(pick, [f[x, y + n] for n in (-1, 0, 1)])
    found[x, y] = functools.reduce(pick, [rows[x + n, y] for n in (-1, 0, 1)])
    return rows, found


def sharpen(luma, table):
    """What to add to luma. `luma`: Func of int16 ≥ 0; `table`: six int16. Returns (helpers, Func)."""
    level, size = hl.Func("detail_level"), hl.Func("detail_size")
    level[x, y] = hl.cast(U16, luma[x, y])
    once_rows, once = binomial(level, "detail_once")
    twice_rows, twice = binomial(once, "detail_twice")
    high = luma[x, y] - hl.cast(I16, once[x, y])
    size[x, y] = hl.cast(U16, hl.abs(high))
    near_rows, near = binomial(size, "detail_near")
    around_rows, around = binomial(near, "detail_around")
    sure = hl.min(hl.saturating_sub(around[x, y], hl.cast(U16, table[START])), hl.cast(U16, table[WIDTH]))
    mask = hl.cast(I16, sure * hl.cast(U16, table[SLOPE]))
    smooth = hl.cast(I16, once[x, y]) - hl.cast(I16, twice[x, y])
    both, second = (product(_eightfold(a), table[n]) for a, n in ((high, BOTH), (smooth, SECOND)))
    low_rows, low = extreme(luma, hl.min, "detail_low")
    top_rows, top = extreme(luma, hl.max, "detail_top")
    room = product(top[x, y] - low[x, y], table[ALLOWANCE])
    wanted = luma[x, y] + product(hl.saturating_sub(both, second), mask)
    added = hl.Func("detail_added")
    added[x, y] = hl.clamp(wanted, low[x, y] - room, top[x, y] + room) - luma[x, y]
    return [once_rows, once, twice_rows, size, near_rows, near, around_rows, low_rows, top_rows, added], added


def _eightfold(a):
    twofold = hl.saturating_add(a, a)
    fourfold = hl.saturating_add(twofold, twofold)
    return hl.saturating_add(fourfold, fourfold)


def moved(code, step):
    """uint16 code plus four times an int16, held to 0..65535."""
    signed = hl.reinterpret(I16, code ^ hl.cast(U16, 32768))
    twofold = hl.saturating_add(step, step)
    found = hl.saturating_add(signed, hl.saturating_add(twofold, twofold))
    return hl.reinterpret(U16, found) ^ hl.cast(U16, 32768)


def place(output, helpers, vector, columns):
    """Tiles of `output`; helpers slide down row by row, eight rows of each are kept."""
    tiles(output, vector, columns)
    output.bound(c, 0, 3).reorder(c, XI, YI, XO, YO).unroll(c).parallel(YO)
    for f in helpers:
        f.store_at(output, XO).compute_at(output, YI).fold_storage(y, 8).vectorize(x, vector, ROUND)
        f.never_partition([y])


@hl.generator(name="detail")
class Detail:
    code = hl.InputBuffer(hl.UInt(16), 3)
    sharpening = hl.InputBuffer(hl.Int(16), 1)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        at_origin(self.code, self.output)
        held = hl.BoundaryConditions.repeat_edge(self.code)
        luma = hl.Func("luma")
        luma[x, y] = luma_of(held)
        helpers, added = sharpen(luma, self.sharpening)
        self.output[x, y, c] = moved(self.code[x, y, c], added[x, y])
        place(self.output, [luma, *helpers], self.natural_vector_size(U16), 1024)


if __name__ == "__main__":
    hl.main()
