"""Denoise — take out what the noise model explains, in blocks of stabilised planes, luma apart from chroma.

denoise_halve   codes → green-weighted luma and two colour differences of half the size
denoise_half    planes → planes of half the size
denoise_coarse  the removal of planes, see _blocks
denoise         the same of luma at full size; codes minus all removals, sharpened (detail)
"""

import halide as hl

from _blocks import COLUMNS, F32, GUARD, I16, ROUND, U16, XI, XO, YB, YI, YO, Shrink, tiles
from _light import c, x, y
from detail import at_origin, luma_of, moved, place, sharpen

edged = hl.BoundaryConditions.repeat_edge
j = hl.Var("j")


def halved(plane, mean, name):
    """[1 3 3 1] / 8 in both directions, every second sample. Returns (rows, Func). `mean` rounds as `plane` needs."""
    rows, small = hl.Func(f"{name}_rows"), hl.Func(name)

    def quarter(a, b, d, e):
        inner, outer = mean[0](b, d), mean[1](a, e)
        return mean[0](inner, mean[1](inner, outer))

    rows[x, y, c] = quarter(*(plane[x, 2 * y + n, c] for n in (-1, 0, 1, 2)))
    small[x, y, c] = quarter(*(rows[2 * x + n, y, c] for n in (-1, 0, 1, 2)))
    return rows, small


class _Half:
    def place(self, rows, vector):
        """Strips in parallel, row by row."""
        out = self.output
        out.split(y, YO, YI, 32, GUARD).reorder(c, x, YI, YO).bound(c, 0, 3).unroll(c)
        out.vectorize(x, vector, GUARD).parallel(YO).never_partition([YI, YO])
        rows.compute_at(out, YI).hoist_storage(out, YO).bound(c, 0, 3).unroll(c)
        rows.reorder(c, x, y).vectorize(x, vector, ROUND)


@hl.generator(name="denoise_halve")
class Halve(_Half):
    """Means of the codes themselves; colours are turned at half size."""

    code = hl.InputBuffer(U16, 3)
    output = hl.OutputBuffer(I16, 3)
    luma = hl.OutputBuffer(I16, 2)

    def generate(self):
        at_origin(self.code, self.output, self.luma)
        rows, small = halved(edged(self.code), [hl.rounding_halving_add] * 2, "small")
        red, green, blue = (hl.cast(I16, small[x, y, n] >> 2) for n in range(3))
        self.output[x, y, c] = hl.mux(c, [luma_of(small), red - green, blue - green])
        self.luma[x, y] = luma_of(self.code)
        vector = self.natural_vector_size(U16)
        # 1 ms/MP on one of 2 cores of a Xeon, AVX-512, most of it memory.
        self.place(rows, vector)
        # Two rows of luma with each of the other: codes are read once. Loops that go together must be split alike.
        self.output.split(YI, YI, j, 1)
        self.luma.split(y, YO, YI, 64, GUARD).split(YI, YI, j, 2, GUARD).vectorize(x, vector, GUARD)
        self.luma.parallel(YO).never_partition([YI, YO]).compute_with(self.output, YI)


@hl.generator(name="denoise_half")
class Half(_Half):
    plane = hl.InputBuffer(I16, 3)
    output = hl.OutputBuffer(I16, 3)

    def generate(self):
        at_origin(self.plane, self.output)
        # Rounded up and down in turn: the means of many octaves do not drift.
        rows, small = halved(edged(self.plane), [hl.rounding_halving_add, hl.halving_add], "small")
        self.output[x, y, c] = small[x, y, c]
        self.place(rows, self.natural_vector_size(U16))


def sampled(cells, step_x, step_y, name, middle=1.0):
    """A coarse map at block (x, y), bilinear between cells; `step`: cells per block. Returns (rows, Func)."""
    rows, found = hl.Func(f"{name}_rows"), hl.Func(name)
    held = edged(cells)
    row, down = _place(y, step_y, cells.dim(1).extent(), middle)
    rows[x, y] = held[x, row] + (held[x, row + 1] - held[x, row]) * down
    column, right = _place(x, step_x, cells.dim(0).extent(), middle)
    found[x, y] = rows[column, y] + (rows[column + 1, y] - rows[column, y]) * right
    return rows, found


def _place(block, step, count, middle):
    """Cell and fraction beyond its centre of the place `middle` of a block, in steps of blocks."""
    at = (hl.cast(F32, block) + middle) * step - 0.5
    cell = hl.clamp(hl.cast(hl.Int(32), hl.floor(at)), -1, count - 1)
    return cell, hl.clamp(at - hl.cast(F32, cell), 0.0, 1.0)


class Left:
    """What noise a merge left in blocks: `calm`, 1 / its share, and `alone`, how far it is that of one frame."""

    def __init__(self, share, alone, step_x, step_y):
        self.share_rows, shared = sampled(share, step_x, step_y, "shared")
        self.alone_rows, self.alone = sampled(alone, step_x, step_y, "alone_here")
        self.calm = hl.Func("calm")
        self.calm[x, y] = hl.fast_inverse(shared[x, y])

    def schedule(self, poly, vector):
        """Row of blocks by row of blocks."""
        for rows, found in ((self.share_rows, self.calm), (self.alone_rows, self.alone)):
            rows.compute_at(poly, YB)
            found.compute_at(poly, YB).vectorize(x, vector, ROUND)


@hl.generator(name="denoise_coarse")
class Coarse:
    plane = hl.InputBuffer(I16, 3)
    coarse = hl.InputBuffer(I16, 3)
    removed = hl.InputBuffer(I16, 3)
    table = hl.InputBuffer(F32, 3)
    share = hl.InputBuffer(F32, 2)
    alone = hl.InputBuffer(F32, 2)
    step_x = hl.InputScalar(F32)
    step_y = hl.InputScalar(F32)
    whole = hl.InputScalar(hl.Bool())  # the clean plane is wanted, not the removal
    output = hl.OutputBuffer(I16, 3)

    def generate(self):
        at_origin(self.plane, self.coarse, self.removed, self.output)
        left = Left(self.share, self.alone, self.step_x, self.step_y)
        held, noisy = edged(self.plane), hl.Func("noisy")
        noisy[x, y, c] = held[x, y, c]
        shrink = Shrink(noisy, edged(self.coarse), edged(self.removed), self.table, left.calm, left.alone)
        noise = shrink.flat[x, y, c]
        self.output[x, y, c] = hl.select(self.whole, self.plane[x, y, c] - noise, noise)

        # 2.9 ms per megapixel of a plane on one of 2 cores of a Xeon, AVX-512.
        vector = self.natural_vector_size(U16)
        tiles(self.output, vector, COLUMNS)
        self.output.reorder(XI, YI, XO, YO, c).fuse(YO, c, YO).parallel(YO)
        shrink.schedule(self.output, vector)
        left.schedule(shrink.poly, vector)
        noisy.compute_at(self.output, XO).vectorize(x, vector, ROUND).never_partition([y])


def doubled(plane, name):
    """Bilinear prediction of twice the size. Returns (rows, poly, Func)."""
    rows, poly, flat = hl.Func(f"{name}_rows"), hl.Func(f"{name}_poly"), hl.Func(name)
    here, aside = plane[x, y // 2, c], plane[x, y // 2 + 2 * (y % 2) - 1, c]
    rows[x, y, c] = here + ((aside - here) >> 2)
    aside = hl.mux(j, [rows[x - 1, y, c], rows[x + 1, y, c]])
    poly[x, y, j, c] = rows[x, y, c] + ((aside - rows[x, y, c]) >> 2)
    flat[x, y, c] = poly[x // 2, y, x % 2, c]
    return rows, poly, flat


@hl.generator(name="denoise")
class Denoise:
    """`output` may be `code` itself: a pixel of it is read last where it is written."""

    code = hl.InputBuffer(U16, 3)
    luma = hl.InputBuffer(I16, 2)
    coarse = hl.InputBuffer(I16, 3)  # luma of a quarter of the size
    removed = hl.InputBuffer(I16, 3)  # what was taken from it
    differences = hl.InputBuffer(I16, 3)  # clean, of half the size
    table = hl.InputBuffer(F32, 3)
    share = hl.InputBuffer(F32, 2)
    alone = hl.InputBuffer(F32, 2)
    step_x = hl.InputScalar(F32)
    step_y = hl.InputScalar(F32)
    core = hl.InputBuffer(F32, 2)  # square of the most that is taken from a colour difference, see Tables
    sharpening = hl.InputBuffer(I16, 1)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        at_origin(self.code, self.luma, self.coarse, self.removed, self.differences, self.output)
        held, noisy, luma = edged(self.luma), hl.Func("noisy"), hl.Func("clean_luma")
        noisy[x, y, c] = held[x, y]
        left = Left(self.share, self.alone, self.step_x, self.step_y)
        shrink = Shrink(noisy, edged(self.coarse), edged(self.removed), self.table, left.calm, left.alone)
        luma[x, y] = hl.max(noisy[x, y, 0] - shrink.flat[x, y, 0], hl.cast(I16, 0))
        helpers, added = sharpen(luma, self.sharpening)
        rows, poly, clean = doubled(edged(self.differences), "clean")
        red, green, blue = (hl.cast(I16, self.code[x, y, n] >> 2) for n in range(3))
        # Four pixels have one reach, so that it is loaded in whole vectors.
        places = [sampled(a, self.step_x, self.step_y, f"{a.name()}_near", 0.5) for a in (self.share, self.alone)]
        shared, single = (found[x, y] for _, found in places)
        reach = hl.Func("reach")
        power = shared * (self.core[c, 0] + single * self.core[c, 1])
        reach[x, y, j, c] = hl.cast(I16, hl.min(hl.sqrt(power), 32767.0))
        most = [reach[x // 4, y // 4, x % 4, n] for n in range(2)]
        off = [
            hl.clamp(hl.saturating_sub(clean[x, y, n], other - green), -most[n], most[n])
            for n, other in enumerate((red, blue))
        ]
        step = added[x, y] - shrink.flat[x, y, 0] - hl.halving_add(off[0], off[1]) / 2
        steps = hl.mux(c, [step + off[0], step, step + off[1]])
        self.output[x, y, c] = moved(self.code[x, y, c], steps)

        # 5 ms/MP on one of 2 cores of a Xeon, AVX-512: blocks 2.3, sharpening 1.3, codes read and written 0.9.
        vector = self.natural_vector_size(U16)
        place(self.output, [luma, *helpers], vector, COLUMNS - 16)
        shrink.schedule(self.output, vector)
        left.schedule(shrink.poly, vector)
        for f in (f for two in places for f in two):
            f.compute_at(self.output, XO)
        reach.compute_at(self.output, XO).bound(c, 0, 2).reorder(j, x, y, c).reorder_storage(j, x, y, c)
        reach.bound(j, 0, 4).unroll(j).vectorize(x, vector, ROUND)
        noisy.compute_at(self.output, XO).bound(c, 0, 1).vectorize(x, vector, ROUND).never_partition([y])
        for f in (rows, poly):
            f.compute_at(self.output, YI).hoist_storage(self.output, XO).bound(c, 0, 2)
            f.vectorize(x, vector, ROUND)
        rows.never_partition([y, c])
        poly.bound(j, 0, 2).reorder(j, x, y, c).unroll(j).reorder_storage(j, x, y, c)


if __name__ == "__main__":
    hl.main()
