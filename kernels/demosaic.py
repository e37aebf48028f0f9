"""Demosaic — three colours at every pixel of a Bayer mosaic, found in the square-root domain.

All three methods take quads (see _quad) of codes and give an (r, g, b) for each of the four pixels of a quad.
Working on square-root codes rather than on linear light gains 2 to 5 dB: errors at edges are weighted as eyes do, and
noise is equally strong everywhere, so one `eps` tells structure from noise.

directional  colour differences along both axes, five taps to each of the four sides, weighted by the inverse of the
             gradients of these differences on that side. Source: [Pekkucuksen2010].
smooth       the same with calmed differences, for strong noise.
fast         linear 5x5 filters. Source: [Malvar2004].
"""

import halide as hl

from _quad import GB, GR, B, R, at, c, join, mirrored, split, x, y

# Parts of the five differences from the pixel towards one side; own choice, +0.03 dB over the flat one (Kodak).
TAPS = (0.25, 0.25, 0.25, 0.125, 0.125)


def total(terms):
    """Sum of Exprs without a leading zero."""
    terms = list(terms)
    result = terms[0]
    for t in terms[1:]:
        result = result + t
    return result


def difference(quads, p, along):
    """Green minus the colour of the line at pixel `p`, from the five pixels of its line; along = (dx, dy)."""
    n = [at(quads, p, along[0] * i, along[1] * i) for i in (-2, -1, 0, 1, 2)]
    d = 0.5 * (n[1] + n[3] - n[2]) - 0.25 * (n[0] + n[4])
    return d if p in (R, B) else -d


def differences(quads, eps):
    """Green minus red at R, green minus blue at B: a Func of Tuples, and all Funcs up to it in their order.

    `eps`: Expr, the sum of 25 gradients below which directions are not told apart.
    """
    dh, dv, gh, gv = (hl.Func(n) for n in ("diff_h", "diff_v", "grad_h", "grad_v"))
    dh[x, y] = tuple(difference(quads, p, (1, 0)) for p in range(4))
    dv[x, y] = tuple(difference(quads, p, (0, 1)) for p in range(4))
    gh[x, y] = tuple(hl.abs(at(dh, p, 1, 0) - at(dh, p, -1, 0)) for p in range(4))
    gv[x, y] = tuple(hl.abs(at(dv, p, 0, 1) - at(dv, p, 0, -1)) for p in range(4))
    five = (-2, -1, 0, 1, 2)
    line_h, line_v, box = hl.Func("line_h"), hl.Func("line_v"), hl.Func("box")
    line_h[x, y] = tuple(total(at(gh, p, 0, i) for i in five) for p in range(4))
    line_v[x, y] = tuple(total(at(gv, p, 0, i) for i in five) for p in range(4))
    boxes = [total(at(f, p, i, 0) for i in five) + eps for f in (line_h, line_v) for p in (R, B)]
    box[x, y] = tuple(b * b for b in boxes)  # h at R, h at B, v at R, v at B

    green = hl.Func("green")  # green minus red at R, green minus blue at B
    sides = []
    for k, p in enumerate((R, B)):
        w, e, n, s = box[x - 1, y][k], box[x + 1, y][k], box[x, y - 1][2 + k], box[x, y + 1][2 + k]
        we, ns = w * e, n * s
        weights = (e * ns, w * ns, s * we, n * we)
        means = [
            total(TAPS[i] * at(d, p, i * a, i * b) for i in range(5))
            for d, a, b in ((dh, -1, 0), (dh, 1, 0), (dv, 0, -1), (dv, 0, 1))
        ]
        sides.append(total(a * b for a, b in zip(weights, means, strict=True)) / total(weights))
    green[x, y] = tuple(sides)
    return green, [dh, dv, gh, gv, line_h, line_v, box, green]


def directional(quads, eps):
    """(triples, funcs to be computed per row of quads in this order). `eps`: Expr, see `differences`."""
    green, funcs = differences(quads, eps)
    cross = opposite(green)
    return colours(quads, green, cross), [*funcs, cross]


def smooth(quads, eps):
    """The same with the differences averaged over 3x3 quads: less noise of colour and of green at red and blue."""
    green, funcs = differences(quads, eps)
    down, calm = hl.Func("down"), hl.Func("calm")
    down[x, y] = tuple(0.25 * (green[x, y - 1][k] + green[x, y + 1][k]) + 0.5 * green[x, y][k] for k in range(2))
    calm[x, y] = tuple(0.25 * (down[x - 1, y][k] + down[x + 1, y][k]) + 0.5 * down[x, y][k] for k in range(2))
    cross = opposite(calm)
    return colours(quads, calm, cross), [*funcs, down, calm, cross]


def opposite(green):
    """Green minus red at B, green minus blue at R, from the twelve nearest sites. Source: [Pekkucuksen2010]."""
    cross = hl.Func("cross")

    def mean(k, ox, oy):
        near = total(green[x + i, y + j][k] for i in (ox, ox + 1) for j in (oy, oy + 1))
        far = total(green[x + i, y + j][k] for i in (ox, ox + 1) for j in (oy - 1, oy + 2))
        far = far + total(green[x + i, y + j][k] for i in (ox - 1, ox + 2) for j in (oy, oy + 1))
        return (10.0 / 32.0) * near - (1.0 / 32.0) * far

    cross[x, y] = (mean(0, 0, 0), mean(1, -1, -1))
    return cross


def colours(quads, green, cross):
    """(r, g, b) of the four pixels, from green at R and B and the differences there."""
    q = [quads[x, y][p] for p in range(4)]
    g_r, g_b = q[R] + green[x, y][0], q[B] + green[x, y][1]

    def beside(here, i, j):
        return here(x, y) + here(x + i, y + j)

    def red_r(u, v):
        return green[u, v][0]

    def red_b(u, v):
        return cross[u, v][0]

    def blue_b(u, v):
        return green[u, v][1]

    def blue_r(u, v):
        return cross[u, v][1]

    return [
        (q[R], g_r, g_r - cross[x, y][1]),
        (
            q[GR] - 0.25 * (beside(red_r, 1, 0) + beside(red_b, 0, -1)),
            q[GR],
            q[GR] - 0.25 * (beside(blue_r, 1, 0) + beside(blue_b, 0, -1)),
        ),
        (
            q[GB] - 0.25 * (beside(red_r, 0, 1) + beside(red_b, -1, 0)),
            q[GB],
            q[GB] - 0.25 * (beside(blue_r, 0, 1) + beside(blue_b, -1, 0)),
        ),
        (g_b - cross[x, y][0], g_b, q[B]),
    ]


def fast(quads):
    """Returns (triples, []). Gains 1/2, 5/8 and 3/4 of the Laplacian. Source: [Malvar2004]."""

    def near(p, offsets):
        return total(at(quads, p, *o) for o in offsets)

    sides, corners = [(-1, 0), (1, 0), (0, -1), (0, 1)], [(-1, -1), (1, -1), (-1, 1), (1, 1)]
    h1, v1 = sides[:2], sides[2:]
    h2, v2 = [(-2, 0), (2, 0)], [(0, -2), (0, 2)]
    triples = []
    for p in range(4):
        here = at(quads, p, 0, 0)
        if p in (R, B):
            green = 0.5 * here + 0.25 * near(p, sides) - 0.125 * near(p, h2 + v2)
            other = 0.75 * here + 0.25 * near(p, corners) - 0.1875 * near(p, h2 + v2)
            triples.append((here, green, other) if p == R else (other, green, here))
            continue
        base = 0.625 * here - 0.125 * near(p, corners)
        along_h = base + 0.5 * near(p, h1) - 0.125 * near(p, h2) + 0.0625 * near(p, v2)
        along_v = base + 0.5 * near(p, v1) - 0.125 * near(p, v2) + 0.0625 * near(p, h2)
        triples.append((along_h, here, along_v) if p == GR else (along_v, here, along_h))
    return triples, []


def schedule(output, joined, funcs, vector, strip=64, width=512):
    """Strips of rows in parallel, tiles in them; within a tile every Func slides down by rows of quads."""
    xo, yo, yq, y2, xq, x2 = (hl.Var(n) for n in ("xo", "yo", "yq", "y2", "xq", "x2"))
    tail = hl.TailStrategy.GuardWithIf
    output.bound(c, 0, 3).split(y, yo, y, strip, tail).split(x, xo, x, width, tail)
    output.reorder(x, y, c, xo, yo).vectorize(x, 2 * vector, tail).parallel(yo)
    # The rows of `joined` are always whole quads, so that the loop over them can be slid along.
    joined.compute_at(output, xo).align_bounds(x, 2).align_bounds(y, 2)
    joined.split(y, yq, y2, 2).split(x, xq, x2, 2).reorder(x2, c, y2, xq, yq)
    joined.unroll(x2).unroll(c).unroll(y2).vectorize(xq, vector)
    for f in funcs:
        f.store_at(output, xo).compute_at(joined, yq).vectorize(x, vector)


class _Method:
    def build(self, pick):
        width, height = self.mosaic.dim(0).extent(), self.mosaic.dim(1).extent()
        plain = hl.Func("plain")
        plain[x, y] = self.mosaic[x, y]
        edged = mirrored(plain, width, height)
        quads = split(edged, self.dx, self.dy)
        triples, funcs = pick(quads)
        joined = join(triples)
        self.output[x, y, c] = joined[x + self.dx, y + self.dy, c]
        vector = self.natural_vector_size(hl.Float(32))
        schedule(self.output, joined, [edged, quads, *funcs], vector)


@hl.generator(name="demosaic_directional")
class Directional(_Method):
    mosaic = hl.InputBuffer(hl.Float(32), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    eps = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        self.build(lambda quads: directional(quads, self.eps))


@hl.generator(name="demosaic_smooth")
class Smooth(_Method):
    """Calmed differences."""

    mosaic = hl.InputBuffer(hl.Float(32), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    eps = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        self.build(lambda quads: smooth(quads, self.eps))


@hl.generator(name="demosaic_fast")
class Fast(_Method):
    mosaic = hl.InputBuffer(hl.Float(32), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        self.build(fast)


if __name__ == "__main__":
    hl.main()
