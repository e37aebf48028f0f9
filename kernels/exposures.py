"""Exposures — what frames of other exposures need on their way into a merge; the why stands in merge/exposures.py."""

import functools

import halide as hl

from _light import c, x, y
from align import F32, U16

U8 = hl.UInt(8)
# Cells of 2x2 pixels: as far as the fast demosaic, or the others, and moving the frame carry a clipped sample, less
# the two by which doubt reaches farther. One more gained nothing, and left rings of noise around lamps.
REACH = (0, 2)
# Noise power in a difference of guides, as a part of that of a code: what has just been doubted differs by no more.
DOUBT = 0.1
BLIND = (32768, 0, 65535, 0)  # grey, R, G, B of a guide that agrees with nothing: no sensor sees so green a light


@hl.generator(name="merge_blind")
class Blind:
    """Cells of the guide (4, h, w) near which a sample of `raw` (H, W) reaches `limit` agree with nothing afterwards.

    `guide` is changed in place. `wide`: whether more than the fast demosaic has to be feared.
    """

    raw = hl.InputBuffer(U16, 2)
    limit = hl.InputScalar(U16)
    wide = hl.InputScalar(hl.Bool())
    guide = hl.OutputBuffer(U16, 3)

    def generate(self):
        raw, cell, across, near = (hl.Func(n) for n in ("edged", "cell", "across", "near"))
        edged = hl.BoundaryConditions.repeat_edge(self.raw)
        raw[x, y] = edged[x, y]
        cell[x, y] = functools.reduce(hl.max, [raw[2 * x + i, 2 * y + j] for j in (0, 1) for i in (0, 1)])
        spans = [range(-reach, reach + 1) for reach in REACH]
        across[x, y] = tuple(functools.reduce(hl.max, [cell[x + i, y] for i in span]) for span in spans)
        least, most = (functools.reduce(hl.max, [across[x, y + j][k] for j in span]) for k, span in enumerate(spans))
        near[x, y] = hl.select(self.wide, most, least)
        self.guide[x, y, c] = hl.undef(U16)
        blind = hl.mux(c, [hl.cast(U16, v) for v in BLIND])
        self.guide[x, y, c] = hl.select(near[x, y] >= self.limit, blind, self.guide[x, y, c])
        lanes, yo, tail = self.natural_vector_size(U16), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        update = self.guide.bound(c, 0, 4).update()
        update.split(y, yo, y, 64, tail).reorder(x, c, y, yo).unroll(c).parallel(yo).vectorize(x, lanes, tail)
        for f in (cell, across):
            f.store_at(self.guide, yo).compute_at(self.guide, y).vectorize(x, lanes).fold_storage(y, 16)
        near.compute_at(self.guide, y).vectorize(x, lanes)


@hl.generator(name="merge_weigh")
class Weigh:
    """Trust R (cells y, cells x) of a frame → its weight, in place: unit·R / (v·R + d·(1 - R)), 1 at least if R is 1.

    `level` (h, w): codes of cells of 8x8 pixels, green; `noise` (256,): v, noise power of the frame in units of the
    reference's, for codes of 256·i; d = v, but DOUBT at least and 1 at most; `unit`: the weight of the reference.
    """

    level = hl.InputBuffer(U16, 2)
    noise = hl.InputBuffer(F32, 1)
    unit = hl.InputScalar(F32)
    trust = hl.OutputBuffer(U8, 2)

    def generate(self):
        power = hl.Func("power")
        cx = hl.clamp(x, 0, self.level.dim(0).extent() - 1)
        cy = hl.clamp(y, 0, self.level.dim(1).extent() - 1)
        power[x, y] = self.noise[hl.clamp(hl.cast(hl.Int(32), self.level[cx, cy] >> 8), 0, 255)]
        self.trust[x, y] = hl.undef(U8)
        r = hl.cast(F32, self.trust[x, y]) * (1.0 / 255.0)
        v = power[x / 4, y / 4]
        weight = self.unit * r / (v * r + hl.clamp(v, DOUBT, 1.0) * (1.0 - r))
        self.trust[x, y] = hl.cast(U8, hl.clamp(weight + 0.5, hl.select(r >= 1.0, 1.0, 0.0), 255.0))
        for k in (0, 1):
            self.trust.output_buffer().dim(k).set_min(0)
        lanes, yo, tail = self.natural_vector_size(F32), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        update = self.trust.update()
        update.split(y, yo, y, 32, tail).parallel(yo).vectorize(x, lanes, tail)
        power.compute_at(self.trust, yo)


@hl.generator(name="merge_settle")
class Settle:
    """Trust (cells y, cells x), in place, is moved towards `alone`, as large, where doubt has no `company` (h, w) in
    0..1, per cell of 8x8 pixels."""

    alone = hl.InputBuffer(U8, 2)
    company = hl.InputBuffer(F32, 2)
    trust = hl.OutputBuffer(U8, 2)

    def generate(self):
        part = hl.Func("part")
        part[x, y] = self.company[x, y]
        self.trust[x, y] = hl.undef(U8)
        alone = hl.cast(F32, self.alone[x, y])
        settled = alone + (hl.cast(F32, self.trust[x, y]) - alone) * part[x / 4, y / 4]
        self.trust[x, y] = hl.cast(U8, hl.clamp(settled + 0.5, 0.0, 255.0))
        for k in (0, 1):
            self.trust.output_buffer().dim(k).set_min(0)
        lanes, yo, tail = self.natural_vector_size(F32), hl.Var("yo"), hl.TailStrategy.GuardWithIf
        update = self.trust.update()
        update.split(y, yo, y, 32, tail).parallel(yo).vectorize(x, lanes, tail)


if __name__ == "__main__":
    hl.main()
