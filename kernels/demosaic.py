"""Demosaic — three colours at every pixel of a Bayer mosaic, found in the square-root domain.

All methods take quads of half codes (see _quad) and give an (r, g, b) of half codes for the four pixels of a quad.
Working on square-root codes rather than on linear light gains 2 to 5 dB: errors at edges are weighted as eyes do, and
noise is equally strong everywhere.

directional  colour differences along both axes, five taps to each of the four sides, weighted by the inverse of the
             gradients of these differences on that side. Source: [Pekkucuksen2010].
smooth       the same with calmed differences, for strong noise.
fast         linear 5x5 filters. Source: [Malvar2004].
"""

import halide as hl

from _quad import (
    F32,
    GB,
    GR,
    HALF_MAX,
    I16,
    U16,
    B,
    R,
    at,
    c,
    join,
    mean,
    mirrored,
    schedule,
    split,
    total,
    x,
    y,
)  # fmt: skip

BIAS = 32768  # differences are kept as uint16 around it, so that the averages of unsigned numbers serve them too
SHIFT = 2  # gradients are summed in quarters, with saturation: a mean gradient of 1/3 of all codes is the largest


def differences(quads, eps):
    """Green minus red at R, green minus blue at B, + BIAS: a Func of Tuples, and (Func, rows kept) up to it in order.

    `eps`: Expr, the sum of 25 quartered gradients below which directions are not told apart.
    """
    dh, dv, gh, gv = (hl.Func(n) for n in ("diff_h", "diff_v", "grad_h", "grad_v"))
    dh[x, y] = tuple(_difference(quads, p, 1, 0) for p in range(4))
    dv[x, y] = tuple(_difference(quads, p, 0, 1) for p in range(4))
    gh[x, y] = tuple(hl.absd(at(dh, p, 1, 0), at(dh, p, -1, 0)) >> SHIFT for p in range(4))
    gv[x, y] = tuple(hl.absd(at(dv, p, 0, 1), at(dv, p, 0, -1)) >> SHIFT for p in range(4))
    line_h, line_v, box = hl.Func("line_h"), hl.Func("line_v"), hl.Func("box")
    line_h[x, y] = tuple(_five(gh, p, 0, 1) for p in range(4))
    line_v[x, y] = tuple(_five(gv, p, 0, 1) for p in range(4))
    box[x, y] = tuple(_five(f, p, 1, 0) for f in (line_h, line_v) for p in (R, B))  # h at R, h at B, v at R, v at B

    green = hl.Func("green")
    green[x, y] = tuple(_weighted(dh, dv, box, k, p, eps) for k, p in enumerate((R, B)))
    return green, [(dh, 8), (dv, 8), (gh, 4), (gv, 4), (line_h, 0), (line_v, 0), (box, 8), (green, 8)]


def _difference(quads, p, i, j):
    """Green minus the colour of the line at pixel `p`, + BIAS, from five pixels along (i, j)."""
    n = [at(quads, p, i * k, j * k) for k in (-2, -1, 0, 1, 2)]
    other, own = mean(n[1], n[3]), mean(n[2], mean(n[0], n[4]))
    green, colour = (other, own) if p in (R, B) else (own, other)
    return green - colour + hl.cast(U16, BIAS)


def _five(f, p, i, j):
    n = [at(f, p, i * k, j * k) for k in (-2, -1, 0, 1, 2)]
    result = n[0]
    for v in n[1:]:
        result = hl.saturating_add(result, v)
    return result


def _weighted(dh, dv, box, k, p, eps):
    """Mean of the differences towards west, east, north and south, weighted by 1 / (gradients there)²."""
    near = (box[x - 1, y][k], box[x + 1, y][k], box[x, y - 1][2 + k], box[x, y + 1][2 + k])
    w, e, n, s = (hl.cast(F32, b) + eps for b in near)
    w, e, n, s = w * w, e * e, n * n, s * s
    we, ns = w * e, n * s
    weights = (e * ns, w * ns, s * we, n * we)
    means = [_side(d, p, i, j) for d, i, j in ((dh, -1, 0), (dh, 1, 0), (dv, 0, -1), (dv, 0, 1))]
    value = total(a * hl.cast(F32, b) for a, b in zip(weights, means, strict=True)) / total(weights)
    return hl.cast(U16, value + 0.5)


def _side(d, p, i, j):
    """Parts 1/4, 1/4, 1/4, 1/8, 1/8 of the pixel and the four beyond it towards (i, j)."""
    n = [at(d, p, i * k, j * k) for k in range(5)]
    return mean(n[0], n[1], n[2], mean(n[3], n[4]))


def directional(quads, eps):
    """(triples, (Func, rows kept) in order). `eps`: see `differences`."""
    green, funcs = differences(quads, eps)
    cross = opposite(green)
    return colours(quads, green, cross), [*funcs, (cross, 4)]


def smooth(quads, eps):
    """Green as in `directional`; red and blue lie below it by differences averaged over 3x3 quads, also where measured.

    So colour carries little noise, and red and blue share that of green.
    """
    green, funcs = differences(quads, eps)
    down, calm = hl.Func("down"), hl.Func("calm")
    down[x, y] = tuple(mean(green[x, y][k], mean(green[x, y - 1][k], green[x, y + 1][k])) for k in range(2))
    calm[x, y] = tuple(mean(down[x, y][k], mean(down[x - 1, y][k], down[x + 1, y][k])) for k in range(2))
    cross = opposite(calm)
    triples = colours(quads, calm, cross)
    for k, p in enumerate((R, B)):
        g = _more(quads[x, y][p], green[x, y][k])
        own, other = _less(g, calm[x, y][k]), _less(g, cross[x, y][1 - k])
        triples[p] = (own, g, other) if p == R else (other, g, own)
    return triples, [*funcs, (down, 0), (calm, 8), (cross, 4)]


def opposite(green):
    """Green minus red at B, green minus blue at R, from the twelve nearest sites. Source: [Pekkucuksen2010]."""
    cross = hl.Func("cross")

    def sites(k, ox, oy):
        inner = [(i, j) for i in (ox, ox + 1) for j in (oy, oy + 1)]
        outer = [(i, j) for i in (ox, ox + 1) for j in (oy - 1, oy + 2)]
        outer += [(i, j) for i in (ox - 1, ox + 2) for j in (oy, oy + 1)]
        near = mean(*(green[x + i, y + j][k] for i, j in inner))
        far = mean(*(green[x + i, y + j][k] for i, j in outer))
        # 5/4 near - 1/4 far; the difference of two uint16 is halved before it is signed.
        step = hl.cast(I16, (near >> 1)) - hl.cast(I16, (far >> 1))
        return hl.cast(U16, hl.cast(I16, near - hl.cast(U16, BIAS)) + (step >> 1)) + hl.cast(U16, BIAS)

    cross[x, y] = (sites(0, 0, 0), sites(1, -1, -1))
    return cross


def _less(a, difference):
    """Half code `a` minus a biased difference, held within 0..HALF_MAX."""
    signed = hl.cast(I16, difference - hl.cast(U16, BIAS))
    return hl.cast(U16, hl.max(hl.saturating_sub(hl.cast(I16, a), signed), hl.cast(I16, 0)))


def _more(a, difference):
    signed = hl.cast(I16, difference - hl.cast(U16, BIAS))
    return hl.cast(U16, hl.max(hl.saturating_add(hl.cast(I16, a), signed), hl.cast(I16, 0)))


def colours(quads, green, cross):
    """(r, g, b) of the four pixels, from green at R and B and the differences there."""
    q = [quads[x, y][p] for p in range(4)]
    red_r, blue_b = [lambda i, j, k=k: green[x + i, y + j][k] for k in range(2)]
    red_b, blue_r = [lambda i, j, k=k: cross[x + i, y + j][k] for k in range(2)]
    g_r, g_b = _more(q[R], red_r(0, 0)), _more(q[B], blue_b(0, 0))

    def beside(one, i, j, other, k, m):
        return mean(one(0, 0), one(i, j), other(0, 0), other(k, m))

    on_red = (beside(red_r, 1, 0, red_b, 0, -1), beside(blue_r, 1, 0, blue_b, 0, -1))
    on_blue = (beside(red_r, 0, 1, red_b, -1, 0), beside(blue_r, 0, 1, blue_b, -1, 0))
    return [
        (q[R], g_r, _less(g_r, blue_r(0, 0))),
        (_less(q[GR], on_red[0]), q[GR], _less(q[GR], on_red[1])),
        (_less(q[GB], on_blue[0]), q[GB], _less(q[GB], on_blue[1])),
        (_less(g_b, red_b(0, 0)), g_b, q[B]),
    ]


def fast(quads, _eps=None):
    """(triples, []). Gains 1/2, 5/8 and 3/4 of the Laplacian. Source: [Malvar2004]."""

    def near(p, *offsets):
        return mean(*(at(quads, p, *o) for o in offsets))

    h1, v1, h2, v2 = ((-1, 0), (1, 0)), ((0, -1), (0, 1)), ((-2, 0), (2, 0)), ((0, -2), (0, 2))
    corners = ((-1, -1), (1, -1), (-1, 1), (1, 1))
    triples = []
    for p in range(4):
        here = at(quads, p, 0, 0)
        if p in (R, B):
            bend = _signed(here) - _signed(near(p, *h2, *v2))
            green = _sum(near(p, *h1, *v1), bend >> 1)
            other = _sum(near(p, *corners), bend - (bend >> 2))
            triples.append((here, green, other) if p == R else (other, green, here))
            continue
        base = (_signed(here) - _signed(near(p, *corners))) >> 1
        bend_h, bend_v = (_signed(here) - _signed(near(p, *o)) for o in (h2, v2))
        along_h = _sum(near(p, *h1), hl.saturating_add(base, (bend_h >> 2) - (bend_v >> 3)))
        along_v = _sum(near(p, *v1), hl.saturating_add(base, (bend_v >> 2) - (bend_h >> 3)))
        triples.append((along_h, here, along_v) if p == GR else (along_v, here, along_h))
    return triples, []


def _signed(a):
    return hl.cast(I16, a)


def _sum(a, signed):
    return hl.cast(U16, hl.max(hl.saturating_add(_signed(a), signed), hl.cast(I16, 0)))


def full(triples, tops):
    """Half codes → codes, none above `tops` (three Exprs of uint16 codes)."""
    return [tuple(hl.min(v << 1, top) for v, top in zip(t, tops, strict=True)) for t in triples]


class _Method:
    """What the stand-alone methods share: half codes (H, W) → codes (3, H, W)."""

    mosaic = hl.InputBuffer(hl.UInt(16), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    eps = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def build(self, method):
        plain = hl.Func("plain")
        plain[x, y] = hl.min(self.mosaic[x, y], hl.cast(U16, HALF_MAX))
        edged = mirrored(plain, self.mosaic.dim(0).extent(), self.mosaic.dim(1).extent())
        quads = split(edged, self.dx, self.dy)
        triples, funcs = method(quads, self.eps)
        joined = join(full(triples, [hl.cast(U16, 2 * HALF_MAX)] * 3))
        self.output[x, y, c] = joined[x + self.dx, y + self.dy, c]
        schedule(self.output, joined, [(edged, 0), (quads, 16), *funcs], self.natural_vector_size(U16))


@hl.generator(name="demosaic_directional")
class Directional(_Method):
    """The default."""

    def generate(self):
        self.build(directional)


@hl.generator(name="demosaic_smooth")
class Smooth(_Method):
    """For strong noise."""

    def generate(self):
        self.build(smooth)


@hl.generator(name="demosaic_fast")
class Fast(_Method):
    """For previews; `eps` has no part in it."""

    def generate(self):
        self.build(fast)


if __name__ == "__main__":
    hl.main()
