"""Bayer data as quads: the four colours of a 2x2 cell side by side, so that no vector lane is wasted on parity.

A Func of quads is a Tuple of four over (x, y) in quads: 0 = R (even, even), 1 = G on red rows,
2 = G on blue rows, 3 = B.
Other Bayer orders are the same picture moved by (dx, dy) in 0..1, whose mirrored border begins one pixel earlier.
"""

import halide as hl

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")
R, GR, GB, B = 0, 1, 2, 3


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
    joined = hl.Func(name)

    def pick(p):
        return hl.select(c == 0, triples[p][0], c == 1, triples[p][1], triples[p][2])

    whole = hl.Func(name + "_whole")
    whole[x, y, c] = tuple(pick(p) for p in range(4))
    # Halide divides towards minus infinity, so quads left of the picture are found too.
    values = whole[x / 2, y / 2, c]
    even = hl.select(x % 2 == 0, values[0], values[1])
    odd = hl.select(x % 2 == 0, values[2], values[3])
    joined[x, y, c] = hl.select(y % 2 == 0, even, odd)
    return joined


def mirrored(func, width, height):
    """`func` over 0..width-1, 0..height-1 with its border mirrored about the edge pixels, which keeps the parity."""
    return hl.BoundaryConditions.mirror_interior(func, [(0, width), (0, height)])
