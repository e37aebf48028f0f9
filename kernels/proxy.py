"""Proxy — the picture in small: means over 4x4 pixels, in linear camera light without white balance.

Everything that is measured (white, exposure, tone) is measured on it. Black and shading vary slowly, so their own means
over the block are applied to the block's mean, which saves them from being touched per pixel.
"""

import functools
import operator

import halide as hl

from _quad import c, mirrored, x, y

SIZE = 4


def total(terms):
    return functools.reduce(operator.add, terms)


def evened(proxy, mean, plane):
    """(mean - black) · gain of a block; `level` (w, planes), `line` (h, planes), `gains` (w, h', planes)."""
    step = hl.clamp(proxy.row[y], 0, proxy.gains.dim(1).extent() - 2)
    above, below = proxy.gains[x, step, plane], proxy.gains[x, step + 1, plane]
    gain = above + proxy.weight[y] * (below - above)
    return (mean - proxy.level[x, plane] - proxy.line[y, plane]) * gain


def schedule(output, sums, vector):
    yo, tail = hl.Var("yo"), hl.TailStrategy.GuardWithIf
    output.bound(c, 0, 3).split(y, yo, y, 8, tail).reorder(x, c, y, yo).parallel(yo)
    output.vectorize(x, vector, tail)
    for f in sums:
        f.compute_at(output, y).vectorize(x, vector)


class _Proxy:
    """What makes even light of means of raw numbers."""

    level = hl.InputBuffer(hl.Float(32), 2)
    line = hl.InputBuffer(hl.Float(32), 2)
    gains = hl.InputBuffer(hl.Float(32), 3)
    row = hl.InputBuffer(hl.Int(32), 1)
    weight = hl.InputBuffer(hl.Float(32), 1)
    output = hl.OutputBuffer(hl.Float(32), 3)


@hl.generator(name="proxy")
class Proxy(_Proxy):
    """Mosaic (H, W) → (3, ceil(H/4), ceil(W/4)); (dx, dy) is the place of R modulo 2."""

    raw = hl.InputBuffer(hl.UInt(16), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))

    def generate(self):
        plain = hl.Func("plain")
        plain[x, y] = self.raw[x, y]
        edged = mirrored(plain, self.raw.dim(0).extent(), self.raw.dim(1).extent())
        down, block = hl.Func("down"), hl.Func("block")

        def pair(p):
            return hl.cast(hl.UInt(32), edged[x, SIZE * y + p]) + hl.cast(hl.UInt(32), edged[x, SIZE * y + p + 2])

        down[x, y] = (pair(0), pair(1))
        block[x, y] = tuple(
            hl.cast(hl.Float(32), down[SIZE * x + i, y][j] + down[SIZE * x + i + 2, y][j])
            for j in (0, 1) for i in (0, 1)
        )  # fmt: skip

        def site(i, j):
            left = hl.select(j == 0, block[x, y][0], block[x, y][2])
            right = hl.select(j == 0, block[x, y][1], block[x, y][3])
            return hl.select(i == 0, left, right)

        red, blue = site(self.dx, self.dy), site(1 - self.dx, 1 - self.dy)
        green = site(1 - self.dx, self.dy) + site(self.dx, 1 - self.dy)
        mean = hl.select(c == 0, 0.25 * red, c == 1, 0.125 * green, 0.25 * blue)
        self.output[x, y, c] = evened(self, mean, c)
        self.output.unroll(c)
        schedule(self.output, [edged, down, block], self.natural_vector_size(hl.Float(32)))


@hl.generator(name="proxy_pattern")
class ProxyPattern(_Proxy):
    """Mosaic of any pattern → (3, ceil(H/4), ceil(W/4)). A block is the mean of whole periods around its middle.

    `kind` (W, rows): 0 red, 1 green, 2 blue; `across` (w, n), `down` (h, m): columns and rows that a block sees.
    """

    raw = hl.InputBuffer(hl.UInt(16), 2)
    kind = hl.InputBuffer(hl.UInt(8), 2)
    across = hl.InputBuffer(hl.Int(32), 2)
    down = hl.InputBuffer(hl.Int(32), 2)

    def generate(self):
        width, height = (self.raw.dim(k).extent() for k in (0, 1))
        column, block = hl.Func("column"), hl.Func("block")
        r, s = hl.RDom([(0, self.down.dim(1).extent())]), hl.RDom([(0, self.across.dim(1).extent())])
        v, u = hl.clamp(self.down[y, r], 0, height - 1), self.across[hl.min(x, self.across.dim(0).extent() - 1), s]
        u = hl.clamp(u, 0, width - 1)
        here = hl.clamp(x, 0, width - 1)
        own = hl.cast(hl.Int(32), self.kind[here, v % self.kind.dim(1).extent()]) == c
        seen = hl.cast(hl.Float(32), self.raw[here, v])
        column[x, y, c] = (hl.f32(0.0), hl.f32(0.0))
        old = column[x, y, c]
        column[x, y, c] = (old[0] + hl.select(own, seen, 0.0), old[1] + hl.select(own, hl.f32(1.0), 0.0))
        block[x, y, c] = (hl.f32(0.0), hl.f32(0.0))
        old, new = block[x, y, c], column[u, y, c]
        block[x, y, c] = (old[0] + new[0], old[1] + new[1])
        sums = block[x, y, c]
        self.output[x, y, c] = evened(self, sums[0] / hl.max(sums[1], 1.0), c)
        schedule(self.output, [column, block], self.natural_vector_size(hl.Float(32)))
        for f, around in ((column, r), (block, s)):
            f.update().reorder(x, around, c, y).vectorize(x, self.natural_vector_size(hl.Float(32)))


@hl.generator(name="proxy_rgb")
class ProxyRgb(_Proxy):
    """LinearRaw (3, H, W) → (3, ceil(H/4), ceil(W/4))."""

    raw = hl.InputBuffer(hl.UInt(16), 3)

    def generate(self):
        plain, down, block = hl.Func("plain"), hl.Func("down"), hl.Func("block")
        plain[x, y, c] = self.raw[x, y, c]
        edged = hl.BoundaryConditions.mirror_interior(
            plain, [(0, self.raw.dim(0).extent()), (0, self.raw.dim(1).extent())]
        )
        down[x, y, c] = total(hl.cast(hl.UInt(32), edged[x, SIZE * y + j, c]) for j in range(SIZE))
        block[x, y, c] = hl.cast(hl.Float(32), total(down[SIZE * x + i, y, c] for i in range(SIZE)))
        self.output[x, y, c] = evened(self, block[x, y, c] * (1.0 / SIZE**2), c)
        schedule(self.output, [edged, down, block], self.natural_vector_size(hl.Float(32)))


if __name__ == "__main__":
    hl.main()
