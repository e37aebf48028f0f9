"""Denoise — shrink what the noise model explains, in octaves of the stabilised opponent planes, luma apart from chroma.

Each octave splits a plane into the bilinear prediction from the next coarser plane and a rest. Luma's rest goes through
an undecimated 2x2 Haar transform (four bands), chroma's is one band. Every band is weighted by S / (S + 1), where S is
a signal-to-noise estimate from the band's own energy, its siblings' and the coarser octave's.

Work happens on the lattice of 2x2 blocks: a "polyphase" Func holds the pixel (2x + i, 2y + j) at (x, y, i, j), so that
energies and weights cost a quarter and nothing is interleaved before the last store.
"""

import halide as hl

from _light import c, x, y
from _poly import (
    GUARD,
    INWARDS,
    XI,
    XO,
    YI,
    YO,
    above,
    b,
    below,
    energy_of,
    i,
    interleaved,
    j,
    left,
    opponent,
    place,
    place_rows,
    primaries,
    right,
    smooth3,
    unrolled,
)  # fmt: skip
from detail import sharpen

LEVELS = 4
# Columns of the table of a band.
PRECISION, OWN, PARENT, SIBLINGS, BIAS, FLOOR = range(6)


def halve(plane, name):
    """Next coarser plane: [1 3 3 1] / 8 in both directions, every second sample. Returns (helper, plane)."""
    rows, small = hl.Func(f"{name}_rows"), hl.Func(name)
    near, far = plane[2 * x + i, 2 * y, c] + plane[2 * x + i, 2 * y + 1, c], plane[2 * x + i, 2 * y - 1, c]
    rows[x, y, i, c] = near * 0.375 + (far + plane[2 * x + i, 2 * y + 2, c]) * 0.125
    inner, outer = rows[x, y, 0, c] + rows[x, y, 1, c], rows[x - 1, y, 1, c] + rows[x + 1, y, 0, c]
    small[x, y, c] = inner * 0.375 + outer * 0.125
    return rows, small


def bilinear(coarse, name, *rest):
    """Polyphase prediction of a plane from the coarser one: weights 3/4 and 1/4. Returns (helper, plane)."""
    rows, up = hl.Func(f"{name}_rows"), hl.Func(name)
    rows[(x, y, j)] = coarse[(x, y, *rest)] * 0.75 + coarse[(x, y + 2 * j - 1, *rest)] * 0.25
    up[x, y, i, j] = rows[x, y, j] * 0.75 + rows[x + 2 * i - 1, y, j] * 0.25
    return rows, up


def weight(table, band, level, plane, own, parent, siblings):
    """Weight of a band: S / (S + 1) with a floor."""
    t = [table[k, band, level, plane] for k in range(6)]
    s = hl.max(t[OWN] * own + t[PARENT] * parent + t[SIBLINGS] * siblings - t[BIAS], 0.0)
    return 1.0 - (1.0 - t[FLOOR]) * hl.fast_inverse(s + 1.0)


class Bands:
    """Undecimated 2x2 Haar of a polyphase plane: `f[x, y, i, j, b]`, b = mean, columns, rows, diagonal."""

    def __init__(self, rest, name):
        sums, differences, self.f = hl.Func(f"{name}_sums"), hl.Func(f"{name}_differences"), hl.Func(f"{name}_bands")
        sums[x, y, i, j] = (rest[x, y, i, j] + right(rest)) * 0.5
        differences[x, y, i, j] = (rest[x, y, i, j] - right(rest)) * 0.5
        low, high = sums[x, y, i, j], differences[x, y, i, j]
        low_below, high_below = below(sums), below(differences)
        found = [low + low_below, high + high_below, low - low_below, high - high_below]
        self.f[x, y, i, j, b] = hl.mux(b, found) * 0.5
        self.inside = [rest, sums, differences]


class Energies:
    """Energy of every band of a plane around a block, in units of its noise: `own[x, y, b]`, and their mean."""

    def __init__(self, bands, count, table, level, plane, name):
        squares, self.own, self.mean = hl.Func(f"{name}_squares"), hl.Func(f"{name}_own"), hl.Func(f"{name}_mean")
        squares[x, y, b] = energy_of(bands, b) * (table[PRECISION, b, level, plane] * hl.f32(1.0 / 36.0))
        rows, box = smooth3(squares, f"{name}_box", b)
        self.own[x, y, b] = box[x, y, b]
        self.mean[x, y] = sum((self.own[x, y, k] for k in range(1, count)), self.own[x, y, 0]) * hl.f32(1.0 / count)
        self.count = count
        self.inside = [squares, rows]


class Clean:
    """The bands weighted and put together again: `f`, polyphase."""

    def __init__(self, bands, energies, coarser, table, level, plane, name):
        gains, self.f = hl.Func(f"{name}_gains"), hl.Func(f"{name}_clean")
        mean = energies.mean[x, y]
        self.inside, self.parents = [gains], []
        parent = mean
        if coarser:
            rows, up = bilinear(coarser, f"{name}_parent")
            parent = up[x // 2, y // 2, x % 2, y % 2]
            self.parents = [rows, up]
        gains[x, y, b] = weight(table, b, level, plane, energies.own[x, y, b], parent, mean)
        shrunk = hl.Func(f"{name}_shrunk")
        shrunk[x, y, i, j, b] = bands[x, y, i, j, b] * gains[x, y, b]
        if energies.count == 1:
            self.f[x, y, i, j] = shrunk[x, y, i, j, 0]
            return
        sums, differences = hl.Func(f"{name}_up_sums"), hl.Func(f"{name}_up_differences")
        sums[x, y, i, j] = shrunk[x, y, i, j, 0] + above(shrunk, 0) + shrunk[x, y, i, j, 2] - above(shrunk, 2)
        differences[x, y, i, j] = shrunk[x, y, i, j, 1] + above(shrunk, 1) + shrunk[x, y, i, j, 3] - above(shrunk, 3)
        both = sums[x, y, i, j] + left(sums) + differences[x, y, i, j] - left(differences)
        self.f[x, y, i, j] = 0.25 * both
        self.inside += [sums, differences]


class Denoiser:
    """The algorithm: pyramid, octaves from coarse to fine, and the clean polyphase opponent planes of the full size."""

    def __init__(self, code, table):
        held = hl.BoundaryConditions.repeat_edge(code)
        self.fine, self.first = hl.Func("fine"), hl.Func("plane1")
        inputs = [hl.cast(hl.Float(32), held[2 * x + i, 2 * y + j, k]) for k in range(3)]
        self.fine[x, y, i, j, c] = hl.mux(c, opponent(*inputs))
        # The pyramid starts from the codes themselves: three loads instead of seven, colours are turned at half size.
        plain = hl.Func("plain")
        plain[x, y, c] = hl.cast(hl.Float(32), held[x, y, c])
        rows, small = halve(plain, "small1")
        self.first[x, y, c] = hl.mux(c, opponent(*[small[x, y, k] for k in range(3)]))
        self.planes, self.halves = [None, self.first], [rows]
        for level in range(1, LEVELS):
            rows, small = halve(self.planes[-1], f"plane{level + 1}")
            self.planes.append(small)
            self.halves.append(rows)
        self.inside, self.parents, self.predicted, self.cleans, self.roots = {}, {}, {}, {}, []
        coarse, energies = self.planes[LEVELS], [None, None, None]
        for level in reversed(range(LEVELS)):
            coarse, energies = self._octave(level, coarse, energies, table)
        self.clean = coarse

    def _octave(self, level, coarse, means, table):
        inside, parents = [], []
        parts, energies = [], []
        for k in range(3):
            name = f"level{level}_{k}"
            count = 1 if k else 4
            bands, chain = self._bands(level, k, name)
            if level:
                again, before = self._bands(level, k, f"{name}_e")
                e = Energies(again, count, table, level, k, name)
                self.roots.append((e, before + e.inside))
            else:
                e = Energies(bands, count, table, level, k, name)
                chain += [*e.inside, e.own, e.mean]
            made = Clean(bands, e, means[k], table, level, k, name)
            rows, up = bilinear(coarse, f"coarse{level}_{k}", k)
            inside += [(f, count) for f in [*chain, *made.inside, rows]]
            parents += made.parents
            parts.append(up[x, y, i, j] + made.f[x, y, i, j])
            energies.append(e.mean)
        poly = hl.Func(f"poly{level}")
        poly[x, y, i, j, c] = hl.mux(c, parts)
        self.inside[level], self.parents[level] = inside, parents
        self.cleans[level] = poly
        if level == 0:
            return poly, None
        flat = hl.Func(f"clean{level}")
        interleaved(flat, poly)
        self.predicted[level] = flat
        return flat, energies

    def _bands(self, level, k, name):
        """The rest of a plane against its prediction, in bands. Returns (bands, the Funcs to place inside a tile)."""
        rows, up = bilinear(self.planes[level + 1], f"{name}_noisy", k)
        rest = hl.Func(f"{name}_rest")
        plane = self.planes[level]
        fine = plane[2 * x + i, 2 * y + j, k] if level else self.fine[x, y, i, j, k]
        rest[x, y, i, j] = fine - up[x, y, i, j]
        if k:
            one = hl.Func(f"{name}_band")
            one[x, y, i, j, b] = rest[x, y, i, j]
            return one, [rows, rest]
        bands = Bands(rest, name)
        return bands.f, [rows, *bands.inside]


@hl.generator(name="denoise")
class Denoise:
    code = hl.InputBuffer(hl.UInt(16), 3)
    table = hl.InputBuffer(hl.Float(32), 4)
    sharpening = hl.InputBuffer(hl.Float(32), 1)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        d = Denoiser(self.code, self.table)
        luma = hl.Func("luma")
        luma[x, y, i, j] = d.clean[x, y, i, j, 0]
        helpers, sharp = sharpen(luma, self.sharpening)
        rgb = primaries("rgb", sharp[x, y, i, j], d.clean[x, y, i, j, 1], d.clean[x, y, i, j, 2])
        interleaved(self.output, rgb)

        vector = self.natural_vector_size(hl.Float(32))
        for f, rows in zip(d.planes[1:], d.halves, strict=True):
            f.compute_root().split(y, YO, YI, 16, GUARD).reorder(c, x, YI, YO).bound(c, 0, 3).unroll(c)
            f.parallel(YO).vectorize(x, vector, GUARD)
            unrolled(rows)
            rows.compute_at(f, YI).vectorize(x, vector)
        for e, inside in d.roots:
            self.schedule_energy(e, inside, vector)
        for level in range(LEVELS - 1, 0, -1):
            flat, poly = d.predicted[level], d.cleans[level]
            flat.compute_root()
            place_rows(flat, poly, vector)
            self.schedule_octave(d, level, flat, poly, vector)
        place_rows(self.output, rgb, vector)
        self.schedule_octave(d, 0, self.output, rgb, vector)
        for f in (d.fine, d.clean, *helpers):
            place(f, self.output, rgb, vector)

    @staticmethod
    def schedule_octave(d, level, flat, poly, vector):
        for f, count in d.inside[level]:
            place(f, flat, poly, vector, count)
        for f in d.parents[level]:
            unrolled(f)
            f.compute_at(flat, XO).hoist_storage(flat, YO).vectorize(x, vector, INWARDS)
            if len(f.args()) == 4:
                f.reorder_storage(i, x, j, y)

    @staticmethod
    def schedule_energy(e, inside, vector):
        """Energies of a coarser octave, whole planes: the next finer octave asks for them, too."""
        e.own.compute_root().bound(b, 0, e.count).tile(x, y, XO, YO, XI, YI, 256, 16, GUARD)
        e.own.reorder(XI, YI, b, XO, YO).vectorize(XI, vector, GUARD).parallel(YO)
        for f in inside:
            unrolled(f, e.count)
            f.compute_at(e.own, XO).hoist_storage(e.own, YO).vectorize(x, vector, INWARDS)
        e.mean.compute_root().split(y, YO, YI, 16, GUARD).parallel(YO).vectorize(x, vector, GUARD)


if __name__ == "__main__":
    hl.main()
