"""Align — where the tiles of one picture lie in another; how candidates are chosen stands in merge/align.py.

Everything works on one plane of half codes, in which noise is equally strong everywhere. A displacement is constant
over a tile of 16x16 pixels, so all loads are dense.
"""

import halide as hl

from _quad import total

x, y, t, k, i = hl.Var("x"), hl.Var("y"), hl.Var("t"), hl.Var("k"), hl.Var("i")
TILE = 16
F32, I32, U16, U32 = hl.Float(32), hl.Int(32), hl.UInt(16), hl.UInt(32)


def origin(tile, size):
    """First pixel of a tile, held so that it and a border of one pixel lie inside."""
    return hl.clamp(tile * TILE, 1, size - TILE - 1)


def halved(plane, size, *more):
    """Means over 2x2 of `plane` (x, y, *more), `size` = (width, height), with the weights 1 3 3 1; and down alone.

    Beyond the border its last values go on. They are copied, which spares gathering where vectors meet the border.
    """
    (width, height), down, both = size, hl.Func("down"), hl.Func("halved")

    def weighed(a, b, c, d):
        inner = hl.rounding_halving_add(b, c)
        return hl.rounding_halving_add(hl.rounding_halving_add(hl.rounding_halving_add(a, d), inner), inner)

    across, beyond = hl.RDom([(0, width)], "across"), hl.RDom([(0, 3)], "beyond")
    down[x, y, *more] = hl.undef(U16)
    rows = [plane[across, hl.clamp(2 * y + n, 0, height - 1), *more] for n in (-1, 0, 1, 2)]
    down[across, y, *more] = weighed(*rows)
    place = hl.select(beyond == 2, -1, width + beyond)
    down[place, y, *more] = down[hl.clamp(place, 0, width - 1), y, *more]
    both[x, y, *more] = weighed(*(down[2 * x + n, y, *more] for n in (-1, 0, 1, 2)))
    return both, (down, across)


def schedule_down(down, consumer, lanes):
    """The rows of `halved` that a row of `consumer` needs."""
    func, across = down
    func.compute_at(consumer, y).update(0).vectorize(across, lanes)
    func.update(1).unscheduled()


def in_strips(output):
    """Eight rows of tiles at a time: waking a thread for one row of a coarse plane takes longer than the row."""
    yo = hl.Var("yo")
    output.split(y, yo, y, 8, hl.TailStrategy.GuardWithIf).parallel(yo)


@hl.generator(name="align_halve")
class Halve:
    """Plane (H, W) uint16 → means over 2x2 with the weights 1 3 3 1, (ceil(H/2), ceil(W/2))."""

    plane = hl.InputBuffer(U16, 2)
    output = hl.OutputBuffer(U16, 2)

    def generate(self):
        both, down = halved(self.plane, [self.plane.dim(n).extent() for n in (0, 1)])
        self.output[x, y] = both[x, y]
        # 0.05 ms/MP of input, 2 cores of a Xeon, AVX-512.
        lanes, yo, tail = self.natural_vector_size(U16), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.split(y, yo, y, 16, tail).parallel(yo).vectorize(x, lanes, tail)
        schedule_down(down, self.output, lanes)


@hl.generator(name="align_quarter")
class Quarter:
    """Planes (k, H, W) uint16 → what align_halve makes of what it makes of each, (k, ceil(H/4), ceil(W/4))."""

    planes = hl.InputBuffer(U16, 3)
    output = hl.OutputBuffer(U16, 3)

    def generate(self):
        size = [self.planes.dim(n).extent() for n in (0, 1)]
        half, first = halved(self.planes, size, k)
        quarter, second = halved(half, [(n + 1) / 2 for n in size], k)
        self.output[x, y, k] = quarter[x, y, k]
        # 0.06 ms/MP of input, one thread of a busy Xeon, AVX-512.
        lanes, yo, tail = self.natural_vector_size(U16), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        self.output.split(y, yo, y, 16, tail).fuse(yo, k, yo).parallel(yo).vectorize(x, lanes, tail)
        schedule_down(second, self.output, lanes)
        half.store_at(self.output, yo).compute_at(self.output, y).vectorize(x, lanes, hl.TailStrategy.RoundUp)
        schedule_down(first, half, lanes)


@hl.generator(name="align_cost")
class Cost:
    """Sum of absolute differences of each tile of `reference` and `frame` moved by whole pixels.

    `moves` (k, 2, tiles y, tiles x) int32: displacements (x, y) to try. output (k, tiles y, tiles x) uint32.
    """

    reference = hl.InputBuffer(U16, 2)
    frame = hl.InputBuffer(U16, 2)
    moves = hl.InputBuffer(I32, 4)
    output = hl.OutputBuffer(U32, 3)

    def generate(self):
        width, height = self.reference.dim(0).extent(), self.reference.dim(1).extent()
        wide, high = self.frame.dim(0).extent(), self.frame.dim(1).extent()
        x0, y0 = origin(x, width), origin(y, height)
        x1 = hl.clamp(x0 + self.moves[x, y, 0, k], 0, wide - TILE)
        y1 = hl.clamp(y0 + self.moves[x, y, 1, k], 0, high - TILE)
        r, part, own = hl.RDom([(0, TILE)], "r"), hl.Func("part"), hl.Func("own")
        # Most tiles have nothing new to try beside the first: neighbours move alike.
        same = (self.moves[x, y, 0, k] == self.moves[x, y, 0, 0]) & (self.moves[x, y, 1, k] == self.moves[x, y, 1, 0])
        r.where((k == 0) | ~same)
        part[i, x, y, k] = hl.cast(U32, 0)
        part[i, x, y, k] += hl.cast(U32, hl.absd(self.reference[x0 + i, y0 + r], self.frame[x1 + i, y1 + r]))
        s = hl.RDom([(0, TILE)], "s")
        own[x, y, k] = hl.cast(U32, 0)
        own[x, y, k] += part[s, x, y, k]
        self.output[x, y, k] = hl.select(same, own[x, y, 0], own[x, y, k])
        in_strips(self.output.reorder(k, x, y))
        own.compute_at(self.output, x).update().reorder(s.x, k).atomic().vectorize(s.x)
        part.compute_at(own, k).bound(i, 0, TILE).vectorize(i)
        part.update().reorder(i, r).vectorize(i).unroll(r, 4)


@hl.generator(name="align_step")
class Step:
    """Normal equations of one step of inverse-compositional Lucas-Kanade per tile. Source: [Baker2004].

    `flow` (2, tiles y, tiles x): displacement (x, y) so far, in pixels. output (6, tiles y, tiles x): sums over the
    tile of gx², gx·gy, gy², gx·d, gy·d, d², where g is the gradient of the reference and d what `frame`, displaced,
    lies above it.
    """

    reference = hl.InputBuffer(U16, 2)
    frame = hl.InputBuffer(U16, 2)
    flow = hl.InputBuffer(F32, 3)
    output = hl.OutputBuffer(F32, 3)

    def generate(self):
        width, height = self.reference.dim(0).extent(), self.reference.dim(1).extent()
        wide, high = self.frame.dim(0).extent(), self.frame.dim(1).extent()
        u, v = self.flow[x, y, 0], self.flow[x, y, 1]
        iu, iv = hl.floor(u), hl.floor(v)
        fu, fv = u - iu, v - iv
        x0, y0 = origin(x, width), origin(y, height)
        x1 = hl.clamp(x0 + hl.cast(I32, iu), 0, wide - TILE - 1)
        y1 = hl.clamp(y0 + hl.cast(I32, iv), 0, high - TILE - 1)

        r, part = hl.RDom([(0, TILE)], "r"), hl.Func("part")

        def ref(dx, dy):
            return hl.cast(F32, self.reference[x0 + i + dx, y0 + r + dy])

        def row(dy):
            left, right = (hl.cast(F32, self.frame[x1 + i + n, y1 + r + dy]) for n in (0, 1))
            return left + fu * (right - left)

        gx, gy = 0.5 * (ref(1, 0) - ref(-1, 0)), 0.5 * (ref(0, 1) - ref(0, -1))
        d = row(0) + fv * (row(1) - row(0)) - ref(0, 0)
        terms = (gx * gx, gx * gy, gy * gy, gx * d, gy * d, d * d)
        part[i, x, y] = (hl.f32(0.0),) * len(terms)
        part[i, x, y] = tuple(part[i, x, y][n] + term for n, term in enumerate(terms))
        folded, sums = hl.Func("folded"), hl.Func("sums")  # sixteen lanes are four, and then one
        every = range(len(terms))
        folded[i, x, y] = tuple(total(part[i + n, x, y][m] for n in (0, 4, 8, 12)) for m in every)
        sums[x, y] = tuple(total(folded[n, x, y][m] for n in range(4)) for m in every)
        self.output[x, y, k] = hl.mux(k, [sums[x, y][n] for n in every])
        in_strips(self.output.bound(k, 0, len(terms)).reorder(k, x, y).unroll(k))
        sums.compute_at(self.output, x)
        folded.compute_at(self.output, x).bound(i, 0, TILE // 4).vectorize(i)
        part.compute_at(self.output, x).bound(i, 0, TILE).vectorize(i)
        part.update().reorder(i, r).vectorize(i).unroll(r, 4)


if __name__ == "__main__":
    hl.main()
