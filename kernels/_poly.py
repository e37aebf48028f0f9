"""What denoise and detail share: planes as 2x2 blocks, opponent colours, and the schedule that slides along rows.

A "polyphase" Func holds the pixel (2x + i, 2y + j) at (x, y, i, j): neighbours are plain loads, block sums are
free, and rows are interleaved only by the last store.
"""

import halide as hl

from _light import c, x, y

i, j, b = hl.Var("i"), hl.Var("j"), hl.Var("b")
XO, YO, XI, YI = hl.Var("xo"), hl.Var("yo"), hl.Var("xi"), hl.Var("yi")
GUARD, INWARDS = hl.TailStrategy.GuardWithIf, hl.TailStrategy.ShiftInwards


def opponent(red, green, blue):
    """Green-weighted luma (R + 2G + B) / 4 and the differences R - G, B - G."""
    return [(red + 2.0 * green + blue) * 0.25, red - green, blue - green]


def primaries(name, luma, red_green, blue_green):
    """The inverse of `opponent`, as a polyphase Func of 16-bit codes [x, y, i, j, c]."""
    green = luma - (red_green + blue_green) * 0.25
    rgb = hl.Func(name)
    triple = [red_green + green, green, blue_green + green]
    rgb[x, y, i, j, c] = hl.mux(c, [hl.cast(hl.UInt(16), hl.clamp(v + 0.5, 0.0, 65535.0)) for v in triple])
    return rgb


def interleaved(flat, poly):
    """Define `flat[x, y, c]`, the plain planes of a polyphase Func."""
    flat[x, y, c] = poly[x // 2, y // 2, x % 2, y % 2, c]


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


def energy_of(f, *rest):
    """Sum of squares over the 2x2 pixels of a block."""
    terms = [f[(x, y, m, n, *rest)] * f[(x, y, m, n, *rest)] for n in (0, 1) for m in (0, 1)]
    return terms[0] + terms[1] + (terms[2] + terms[3])


def unrolled(f, count=1):
    """Bound and unroll the short dimensions of a Func; `count` is the number of bands."""
    names = [a.name() for a in f.args()]
    short = [(v, n) for v, n in ((i, 2), (j, 2), (b, count), (c, 3)) if v.name() in names]
    for v, n in short:
        f.bound(v, 0, n).unroll(v)
    f.reorder(*[v for v, _ in short], x, y)


def place(f, flat, poly, vector, count=1):
    """Compute `f` row of blocks by row of blocks as `poly` needs it; rows slide, eight rows are kept."""
    unrolled(f, count)
    f.compute_at(poly, y).store_at(flat, XO).fold_storage(y, 8).vectorize(x, vector, INWARDS)


def place_rows(flat, poly, vector, width=512, height=64):
    """Tile `flat`, strips in parallel; `poly` is computed per tile with its phases side by side in memory."""
    flat.bound(c, 0, 3).tile(x, y, XO, YO, XI, YI, width, height, GUARD).reorder(XI, YI, c, XO, YO)
    flat.parallel(YO).vectorize(XI, vector, GUARD)
    unrolled(poly)
    poly.compute_at(flat, XO).hoist_storage(flat, YO).reorder_storage(i, x, j, y, c)
    poly.vectorize(x, vector, INWARDS)
