"""Simulate — a layer of light, moved and laid over what lies behind it: one frame of a shaken burst.

A frame is cut into tiles. Within one, the way from a pixel to its place in the layer is affine, given by the whole
pixels `base` and the small rest `way`; so that loads are dense, the layer is resampled first along rows, then down
columns [Catmull1980], with the bicubic of [Keys1981]. A layer that turns or grows beyond what a tile bears is read
place by place. An exposure is the mean over several moments, each with its own ways.

Layers carry PAD empty pixels on each side (the farthest: its border repeated), so that nothing is clamped but the base
of a tile. All sums are strict: the same bytes on every processor.
"""

import halide as hl

from _quad import F32, c, total, x, y

TILE = 64, 16  # columns and rows; lichtbild.simulate.ways lays them with the same numbers
PAD = 80  # more than a tile and the taps on both sides of it
TAPS = range(-2, 4)  # rests of -1..2 are read by four of these six
A0, A1, A2, B0, B1, B2, G0, G1 = range(8)  # columns of `way`
xi, yi, tx, ty = (hl.Var(n) for n in ("xi", "yi", "tx", "ty"))


def strict(value):
    """`value` in exactly these operations: no fused multiply-add, which some processors lack."""
    return hl.strict_float(value)


def keys(t):
    """Weights of the four neighbours for a fraction t in 0..1. Source: [Keys1981], a = -1/2.

    The outer two are -t(1 - t)²/2 and -t²(1 - t)/2; the inner ones follow, for the sum of all is 1, their centre t.
    """
    rest = strict(1.0 - t)
    both = strict(t * rest * -0.5)
    first, last = strict(both * rest), strict(both * t)
    third = strict((t + first) - (last + last))
    return [first, strict((1.0 - third) - (first + last)), third, last]


def six(rest):
    """Weights of the six neighbours TAPS for a rest in -1..2: the four of `keys`, in their places."""
    whole = hl.clamp(hl.floor(rest), -1.0, 1.0)
    four = keys(rest - whole)

    def weight(i):
        return four[i] if 0 <= i < 4 else hl.f32(0.0)

    # Tap k is the neighbour k - whole, whose weight is four[k - whole + 1].
    return [hl.select(whole < 0.0, weight(k + 2), hl.select(whole > 0.0, weight(k), weight(k + 1))) for k in TAPS]


class _Moved:
    """`base` (J, tiles down, tiles across, 2) i32: x, y; `way` (J, tiles down, tiles across, 8) f32, one J per moment.

    With xi, yi from the corner of a tile: `simulate_*`, rows: x of the source in the row base_y + v of the layer is
    base_x + xi + A0 + A1·xi + A2·v; columns: its y is base_y + yi + B0 + B1·xi + B2·yi. `simulate_turned`: x is
    base_x + A0 + A1·xi + A2·yi, y alike. The light is multiplied by G0 + G1·yi, which includes the moment's share.
    """

    def sums(self, planes, moved):
        """(xi, yi, c, tx, ty): the mean over the moments; `moved(i, j)` is the Func of one."""
        j = hl.RDom([(0, self.way.dim(3).extent())], "j")
        summed = hl.Func("summed")
        summed[xi, yi, c, tx, ty] = hl.f32(0.0)
        summed[xi, yi, c, tx, ty] = strict(summed[xi, yi, c, tx, ty] + moved[xi, yi, c, tx, ty, j.x])
        summed.update().reorder(c, xi, yi, j.x).unroll(c)
        return summed, j

    def mean(self, summed, plane):
        """`summed` at the pixel (x, y), over the moments; alpha, the fourth plane, does not flicker."""
        tile = x / TILE[0], y / TILE[1]
        gain = self.way[G0, *tile, 0] + self.way[G1, *tile, 0] * hl.cast(F32, y % TILE[1])
        share = 1.0 / hl.cast(F32, self.way.dim(3).extent())
        return strict(summed[x % TILE[0], y % TILE[1], plane, *tile] * hl.select(plane == 3, share, gain))

    def at(self, k, j):
        return self.way[k, tx, ty, j]

    def corner(self, axis, j):
        """The base of a tile, where all that it reads lies in the layer."""
        return hl.clamp(self.base[axis, tx, ty, j], 2, self.light.dim(axis).extent() - TILE[axis] - 3)

    def resampled(self, planes):
        """The moved layer at the moment j, in two passes."""
        j = hl.Var("j")
        across, row, moved, column = (hl.Func(n) for n in ("across", "row", "moved", "column"))
        fx, fy = hl.cast(F32, xi), hl.cast(F32, yi)
        row[xi, yi, tx, ty, j] = tuple(six(strict(self.at(A0, j) + self.at(A1, j) * fx + self.at(A2, j) * fy)))
        here = self.corner(0, j) + xi, self.corner(1, j) + yi
        w = row[xi, yi, tx, ty, j]
        across[xi, yi, c, tx, ty, j] = strict(
            total(w[i] * self.light[here[0] + k, here[1], c] for i, k in enumerate(TAPS))
        )
        column[xi, yi, tx, ty, j] = tuple(six(strict(self.at(B0, j) + self.at(B1, j) * fx + self.at(B2, j) * fy)))
        w = column[xi, yi, tx, ty, j]
        moved[xi, yi, c, tx, ty, j] = strict(total(w[i] * across[xi, yi + k, c, tx, ty, j] for i, k in enumerate(TAPS)))
        return moved, (row, across, column)

    def gathered(self, planes):
        """The moved layer at the moment j, place by place."""
        j = hl.Var("j")
        place, moved = hl.Func("place"), hl.Func("moved")
        fx, fy = hl.cast(F32, xi), hl.cast(F32, yi)
        found = []
        for axis, (k0, k1, k2) in enumerate(((A0, A1, A2), (B0, B1, B2))):
            rest = strict(self.at(k0, j) + self.at(k1, j) * fx + self.at(k2, j) * fy)
            whole = hl.floor(rest)
            at = self.base[axis, tx, ty, j] + hl.cast(hl.Int(32), whole)
            found += [hl.clamp(at, 1, self.light.dim(axis).extent() - 3), *keys(rest - whole)]
        place[xi, yi, tx, ty, j] = tuple(found)
        p = place[xi, yi, tx, ty, j]
        lines = [total(p[1 + k] * self.light[p[0] + k - 1, p[5] + n - 1, c] for k in range(4)) for n in range(4)]
        moved[xi, yi, c, tx, ty, j] = strict(total(p[6 + n] * line for n, line in enumerate(lines)))
        return moved, (place,)

    def finish(self, summed, funcs, j, planes):
        """Rows of tiles in parallel; what one moment gives to a tile stays in the nearest caches.

        The farthest layer: 7 ms/MP of processor time and 2.0 for each moment; 2 cores of a Xeon, AVX-512, busy.
        """
        tail = hl.TailStrategy.GuardWithIf
        vector = self.natural_vector_size(F32)
        xo, yo, xv, xw = (hl.Var(n) for n in ("xo", "yo", "xv", "xw"))
        for axis in (0, 1):  # so that a pixel's place in its tile is known when this is compiled
            self.output.output_buffer().dim(axis).set_min(0)
        self.output.bound(c, 0, 4)
        self.output.split(y, yo, y, TILE[1], tail).split(x, xo, x, TILE[0], tail).reorder(x, y, c, xo, yo)
        self.output.vectorize(x, vector, tail).unroll(c).parallel(yo)
        summed.compute_at(self.output, xo).bound(xi, 0, TILE[0]).bound(yi, 0, TILE[1]).bound(c, 0, planes)
        summed.vectorize(xi, vector)
        summed.update().split(xi, xv, xi, vector).reorder(xi, c, xv, yi, j.x).vectorize(xi).unroll(c)
        funcs[-1].compute_at(summed, xv).vectorize(xi)  # weights serve all planes and stay in registers
        if len(funcs) > 1:
            row, across, _ = funcs
            across.compute_at(summed, j.x).bound(xi, 0, TILE[0]).bound(c, 0, planes)
            across.split(xi, xw, xi, vector).reorder(xi, c, xw, yi).vectorize(xi).unroll(c)
            row.compute_at(across, xw).vectorize(xi)


@hl.generator(name="simulate_ground")
class SimulateGround(_Moved):
    """The farthest layer, opaque. `light` (3, h, w) → (4, H, W): light, and the number of the layer seen: 0."""

    light = hl.InputBuffer(hl.Float(32), 3)
    base = hl.InputBuffer(hl.Int(32), 4)
    way = hl.InputBuffer(hl.Float(32), 4)
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        moved, funcs = self.resampled(3)
        summed, j = self.sums(3, moved)
        self.output[x, y, c] = hl.select(c == 3, 0.0, hl.max(self.mean(summed, hl.min(c, 2)), 0.0))
        self.finish(summed, funcs, j, 3)


class _Over(_Moved):
    """A nearer layer over `below` (4, H, W), which may be the output itself.

    `light` (4, h, w): R, G, B multiplied by alpha, and alpha. Where it covers half, the fourth plane is its `number`.
    """

    light = hl.InputBuffer(hl.Float(32), 3)
    below = hl.InputBuffer(hl.Float(32), 3)
    base = hl.InputBuffer(hl.Int(32), 4)
    way = hl.InputBuffer(hl.Float(32), 4)
    number = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        moved, funcs = self.moving(4)
        summed, j = self.sums(4, moved)
        alpha = hl.clamp(self.mean(summed, 3), 0.0, 1.0)
        lit = strict(hl.max(self.mean(summed, c), 0.0) + (1.0 - alpha) * self.below[x, y, c])
        seen = hl.select(alpha >= 0.5, self.number, self.below[x, y, 3])
        self.output[x, y, c] = hl.select(c == 3, seen, lit)
        self.finish(summed, funcs, j, 4)


@hl.generator(name="simulate_over")
class SimulateOver(_Over):
    """A layer that moves as most do."""

    moving = _Moved.resampled


@hl.generator(name="simulate_turned")
class SimulateTurned(_Over):
    """A layer that turns or grows strongly."""

    moving = _Moved.gathered


if __name__ == "__main__":
    hl.main()
