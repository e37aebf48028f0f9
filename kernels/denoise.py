"""Denoise — shrink what the noise model explains, in octaves of the stabilised opponent planes, luma apart from chroma.

Each octave splits a plane into the bilinear prediction from the next coarser plane and a rest. Luma's rest goes through
an undecimated 2x2 Haar transform (four bands), chroma's is one band. Every band is weighted by S / (S + 1), where S is
a signal-to-noise estimate from the band's own energy, its siblings' and the coarser octave's.

Work happens on the lattice of 2x2 blocks: a "polyphase" Func holds the pixel (2x + i, 2y + j) at (x, y, i, j), so that
energies and weights cost a quarter and nothing is interleaved before the last store.
"""

import halide as hl

from _light import c, x, y

i, j, b = hl.Var("i"), hl.Var("j"), hl.Var("b")
LEVELS = 4
# Columns of the table of a band.
PRECISION, OWN, PARENT, SIBLINGS, BIAS, FLOOR = range(6)


def opponent(red, green, blue):
    """Green-weighted luma (R + 2G + B) / 4 and the differences R - G, B - G."""
    return [(red + 2.0 * green + blue) * 0.25, red - green, blue - green]


def primaries(luma, red_green, blue_green):
    """The inverse of `opponent`."""
    green = luma - (red_green + blue_green) * 0.25
    return [red_green + green, green, blue_green + green]


def halve(plane, name):
    """Next coarser plane: [1 3 3 1] / 8 in both directions, every second sample. Returns (helper, plane)."""
    rows, small = hl.Func(f"{name}_rows"), hl.Func(name)
    rows[x, y, c] = (plane[x, 2 * y - 1, c] + plane[x, 2 * y + 2, c]) * 0.125 + (
        plane[x, 2 * y, c] + plane[x, 2 * y + 1, c]
    ) * 0.375
    small[x, y, c] = (rows[2 * x - 1, y, c] + rows[2 * x + 2, y, c]) * 0.125 + (
        rows[2 * x, y, c] + rows[2 * x + 1, y, c]
    ) * 0.375
    return rows, small


def bilinear(coarse, name):
    """Polyphase prediction of a plane from the coarser one: weights 3/4 and 1/4. Returns (helper, plane)."""
    rows, up = hl.Func(f"{name}_rows"), hl.Func(name)
    rows[x, y, j, c] = coarse[x, y, c] * 0.75 + coarse[x, y + 2 * j - 1, c] * 0.25
    up[x, y, i, j, c] = rows[x, y, j, c] * 0.75 + rows[x + 2 * i - 1, y, j, c] * 0.25
    return rows, up


def right(f, *rest):
    """The pixel right of (x, y, i, j) in a polyphase Func, as a select over the column phase."""
    return hl.select(i == 0, hl.Expr(f[(x, y, 1, j, *rest)]), hl.Expr(f[(x + 1, y, 0, j, *rest)]))


def left(f, *rest):
    """The pixel left of (x, y, i, j)."""
    return hl.select(i == 0, hl.Expr(f[(x - 1, y, 1, j, *rest)]), hl.Expr(f[(x, y, 0, j, *rest)]))


def below(f, *rest):
    """The pixel below (x, y, i, j)."""
    return hl.select(j == 0, hl.Expr(f[(x, y, i, 1, *rest)]), hl.Expr(f[(x, y + 1, i, 0, *rest)]))


def above(f, *rest):
    """The pixel above (x, y, i, j)."""
    return hl.select(j == 0, hl.Expr(f[(x, y - 1, i, 1, *rest)]), hl.Expr(f[(x, y, i, 0, *rest)]))


def smooth3(f, name, *rest):
    """Sum over 3x3 blocks. Returns (helper, Func)."""
    rows, box = hl.Func(f"{name}_rows"), hl.Func(name)
    rows[(x, y, *rest)] = f[(x, y - 1, *rest)] + f[(x, y, *rest)] + f[(x, y + 1, *rest)]
    box[(x, y, *rest)] = rows[(x - 1, y, *rest)] + rows[(x, y, *rest)] + rows[(x + 1, y, *rest)]
    return rows, box


def weight(table, band, level, plane, own, parent, siblings):
    """Weight of a band: S / (S + 1) with a floor."""
    t = [table[k, band, level, plane] for k in range(6)]
    s = hl.max(t[OWN] * own + t[PARENT] * parent + t[SIBLINGS] * siblings - t[BIAS], 0.0)
    return t[FLOOR] + (1.0 - t[FLOOR]) * s * hl.fast_inverse(s + 1.0)


def energy_of(f, *rest):
    """Sum of squares over the 2x2 pixels of a block."""
    return sum((f[(x, y, m, n, *rest)] * f[(x, y, m, n, *rest)] for n in (0, 1) for m in (0, 1)), hl.f32(0.0))


def parent_at(coarser):
    """The coarser octave's mean energy at a block: bilinear between its four nearest blocks."""
    near_x, near_y = hl.select(x % 2 == 0, x // 2 - 1, x // 2 + 1), hl.select(y % 2 == 0, y // 2 - 1, y // 2 + 1)
    row = lambda v: coarser[x // 2, v] * 0.75 + coarser[near_x, v] * 0.25  # noqa: E731
    return row(y // 2) * 0.75 + row(near_y) * 0.25


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
        self.inside = [rest, sums, differences, self.f]


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
        parent = parent_at(coarser) if coarser else mean
        gains[x, y, b] = weight(table, b, level, plane, energies.own[x, y, b], parent, mean)
        shrunk = hl.Func(f"{name}_shrunk")
        shrunk[x, y, i, j, b] = bands[x, y, i, j, b] * gains[x, y, b]
        self.inside = [gains, shrunk, self.f]
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
        self.planes = [hl.Func("planes")]
        self.planes[0][x, y, c] = hl.mux(c, opponent(*[hl.cast(hl.Float(32), held[x, y, k]) for k in range(3)]))
        self.halves = []
        for level in range(LEVELS):
            self.halves.append(halve(self.planes[-1], f"plane{level + 1}"))
            self.planes.append(self.halves[-1][1])
        self.inside, self.predicted, self.cleans, self.roots = {}, {}, {}, []
        coarse, energies = self.planes[LEVELS], [None, None, None]
        for level in reversed(range(LEVELS)):
            coarse, energies = self._octave(level, coarse, energies, table)
        self.clean = coarse

    def _octave(self, level, coarse, means, table):
        fine = self.planes[level]
        clean_rows, clean_up = bilinear(coarse, f"coarse{level}")
        inside = [(clean_rows, 1), (clean_up, 1)]
        parts, energies = [], []
        for k in range(3):
            name = f"level{level}_{k}"
            count = 1 if k else 4
            bands, chain = self._bands(fine, level, k, name)
            if level:
                again, before = self._bands(fine, level, k, f"{name}_e")
                e = Energies(again, count, table, level, k, name)
                self.roots.append((e, before + e.inside))
            else:
                e = Energies(bands, count, table, level, k, name)
                chain += [*e.inside, e.own, e.mean]
            made = Clean(bands, e, means[k], table, level, k, name)
            inside += [(f, count) for f in [*chain, *made.inside]]
            parts.append(made.f[x, y, i, j])
            energies.append(e.mean)
        poly = hl.Func(f"poly{level}")
        poly[x, y, i, j, c] = clean_up[x, y, i, j, c] + hl.mux(c, parts)
        self.inside[level] = inside
        self.cleans[level] = poly
        if level == 0:
            return poly, None
        flat = hl.Func(f"clean{level}")
        flat[x, y, c] = poly[x // 2, y // 2, x % 2, y % 2, c]
        self.predicted[level] = flat
        return flat, energies

    def _bands(self, fine, level, k, name):
        """The rest of a plane against its prediction, in bands. Returns (bands, the Funcs to place inside a tile)."""
        rows, up = bilinear(self.planes[level + 1], f"{name}_noisy")
        rest = hl.Func(f"{name}_rest")
        rest[x, y, i, j] = fine[2 * x + i, 2 * y + j, k] - up[x, y, i, j, k]
        if k:
            one = hl.Func(f"{name}_band")
            one[x, y, i, j, b] = rest[x, y, i, j]
            return one, [rows, rest]
        bands = Bands(rest, name)
        return bands.f, [rows, *bands.inside]


def place(f, at, vector, count=4):
    """Compute `f` inside the loop `at`, whole blocks per lane."""
    f.compute_at(*at).vectorize(x, vector, hl.TailStrategy.RoundUp)
    names = [a.name() for a in f.args()]
    short = [(v, n) for v, n in ((i, 2), (j, 2), (b, count), (c, 3)) if v.name() in names]
    for v, n in short:
        f.bound(v, 0, n).unroll(v)
    f.reorder(*[v for v, _ in short], x, y)


@hl.generator(name="denoise")
class Denoise:
    code = hl.InputBuffer(hl.UInt(16), 3)
    table = hl.InputBuffer(hl.Float(32), 4)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        d = Denoiser(self.code, self.table)
        rgb = hl.Func("rgb")
        clean = [d.clean[x, y, i, j, k] for k in range(3)]
        codes = [hl.cast(hl.UInt(16), hl.clamp(v + 0.5, 0.0, 65535.0)) for v in primaries(*clean)]
        rgb[x, y, i, j, c] = hl.mux(c, codes)
        self.output[x, y, c] = rgb[x // 2, y // 2, x % 2, y % 2, c]

        vector = self.natural_vector_size(hl.Float(32))
        xo, yo, xi, yi = hl.Var("xo"), hl.Var("yo"), hl.Var("xi"), hl.Var("yi")
        guard = hl.TailStrategy.GuardWithIf
        for f, (rows, _) in zip(d.planes[1:], d.halves, strict=True):
            f.compute_root().split(y, yo, yi, 16, guard).reorder(c, x, yi, yo).bound(c, 0, 3).unroll(c)
            f.parallel(yo).vectorize(x, vector, guard)
            rows.compute_at(f, yi).bound(c, 0, 3).reorder(c, x, y).unroll(c).vectorize(x, vector)
        for e, inside in d.roots:
            e.own.compute_root().bound(b, 0, e.count).tile(x, y, xo, yo, xi, yi, 128, 16, guard)
            e.own.reorder(xi, yi, b, xo, yo).vectorize(xi, vector, guard).parallel(yo)
            for f in inside:
                place(f, (e.own, xo), vector, e.count)
            e.mean.compute_root().split(y, yo, yi, 16, guard).parallel(yo).vectorize(x, vector, guard)
        for level in range(LEVELS - 1, -1, -1):
            flat = d.predicted[level] if level else self.output
            flat.bound(c, 0, 3).tile(x, y, xo, yo, xi, yi, 256, 32, guard).reorder(xi, yi, c, xo, yo)
            flat.parallel(yo).vectorize(xi, vector, guard)
            if level:
                flat.compute_root()
            for f, count in [*d.inside[level], (d.cleans[level], 1)]:
                place(f, (flat, xo), vector, count)
            d.cleans[level].reorder_storage(i, x, j, y, c)
        place(rgb, (self.output, xo), vector)
        rgb.reorder_storage(i, x, j, y, c)


if __name__ == "__main__":
    hl.main()
