"""Bayer data as quads: the four colours of a 2x2 cell side by side, so that no vector lane is wasted on parity.

A Func of quads is a Tuple of four over (x, y) in quads: 0 = R (even, even), 1 = G on red rows, 2 = G on blue rows,
3 = B.
Other Bayer orders are the same picture moved by (dx, dy) in 0..1, whose mirrored border begins one pixel earlier.

Quads hold half codes: square-root codes in 15 bits, kept in uint16. Noise is hundreds of them, and 16-bit lanes carry
twice as many pixels as float32; averages are the processor's own rounding ones, the same on every machine.
"""

import functools
import operator

import halide as hl

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")
R, GR, GB, B = 0, 1, 2, 3
HALF_MAX = 32767
I16, U16, F32 = hl.Int(16), hl.UInt(16), hl.Float(32)


def total(terms):
    """Sum of Exprs."""
    return functools.reduce(operator.add, terms)


def mean(*terms):
    """Rounding mean of 2^n uint16 Exprs, in n rounds."""
    terms = list(terms)
    while len(terms) > 1:
        terms = [hl.rounding_halving_add(a, b) for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]


def at(quads, phase, dx, dy):
    """Value `dx`, `dy` pixels beside the pixel `phase` of quad (x, y)."""
    sx, sy = (phase & 1) + dx, (phase >> 1) + dy
    return quads[x + (sx >> 1), y + (sy >> 1)][(sx & 1) + 2 * (sy & 1)]


def split(mosaic, dx, dy, name="quads"):
    """Mosaic (Func over all integer x, y) → quads; (dx, dy) is the place of R modulo 2."""
    quads = hl.Func(name)
    quads[x, y] = tuple(mosaic[2 * x + (p & 1) - dx, 2 * y + (p >> 1) - dy] for p in range(4))
    return quads


def join(triples, name="joined"):
    """Four (r, g, b) of Exprs over quads → Func (x, y, c) over pixels, R at even places."""
    whole, joined = hl.Func(name + "_whole"), hl.Func(name)
    whole[x, y, c] = tuple(hl.select(c == 0, t[0], c == 1, t[1], t[2]) for t in triples)
    # Halide divides towards minus infinity, so quads left of the picture are found too.
    values = whole[x / 2, y / 2, c]
    even = hl.select(x % 2 == 0, values[0], values[1])
    odd = hl.select(x % 2 == 0, values[2], values[3])
    joined[x, y, c] = hl.select(y % 2 == 0, even, odd)
    return joined


def mirrored(func, width, height):
    """`func` over 0..width-1, 0..height-1 with its border mirrored about the edge pixels, which keeps the parity."""
    down = hl.Func("mirrored_down")
    # Rows are chosen one by one: as a boundary condition this would double the code, and gather in the first and last.
    down[x, y] = func[x, row_within(y, height)]
    return hl.BoundaryConditions.mirror_interior(down, [(0, width)])


def row_within(row, height):
    """The row that a row beyond the edge mirrors."""
    period = hl.max(2 * height - 2, 1)
    place = row % period
    return hl.clamp(hl.min(place, period - place), 0, height - 1)


def plain(mosaic, method, dx, dy, output, lanes):
    """A generator of its own for `method` (quads → quads): half codes of a mosaic (H, W) → those of `output`."""
    codes, whole = hl.Func("codes"), hl.Func("whole")
    codes[x, y] = mosaic[x, y]
    quads = split(mirrored(codes, mosaic.dim(0).extent(), mosaic.dim(1).extent()), dx, dy)
    made = method(quads)
    joined = join([(made[x, y][p],) * 3 for p in range(4)])
    whole[x, y, c] = joined[x + dx, y + dy, c]
    output[x, y] = whole[x, y, 0]
    tail, yo = hl.TailStrategy.GuardWithIf, hl.Var("yo")
    output.split(y, yo, y, 32, tail).parallel(yo).vectorize(x, lanes, tail)
    for f in (quads, made):
        f.compute_at(output, yo).vectorize(x, lanes)


def schedule(output, joined, funcs, vector, strip=128, width=512):
    """Strips of rows in parallel, tiles in them; within a tile every Func slides down by rows of quads.

    `funcs`: (Func, rows of quads that are kept) in their order; `vector`: lanes of 16 bits.
    """
    xo, yo, yq, y2, xq, x2 = (hl.Var(n) for n in ("xo", "yo", "yq", "y2", "xq", "x2"))
    tail = hl.TailStrategy.GuardWithIf
    output.bound(c, 0, 3).split(y, yo, y, strip, tail).split(x, xo, x, width, tail)
    output.reorder(x, y, c, xo, yo).vectorize(x, vector, tail).parallel(yo)
    # The rows of `joined` are always whole quads, so that the loop over them can be slid along.
    joined.compute_at(output, xo).align_bounds(x, 2).align_bounds(y, 2)
    joined.split(y, yq, y2, 2).split(x, xq, x2, 2).reorder(x2, c, y2, xq, yq)
    joined.unroll(x2).unroll(c).unroll(y2).vectorize(xq, vector)
    for f, rows in funcs:
        f.store_at(output, xo).compute_at(joined, yq).vectorize(x, vector)
        if rows:
            f.fold_storage(y, rows)
