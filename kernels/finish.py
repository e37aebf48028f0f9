"""Finish — one pass from square-root codes to the finished picture: highlights, colour, tone, look, output.

Codes → camera light → highlights → `render` (camera to rendering primaries, exposure included; and a row for luma)
→ local gain → look → display codes. The few files that hold DNG hue/saturation tables go through `profile` before.
"""

import halide as hl

import highlights as highlight_stage
import look as look_stage
from _light import c, x, y
from output import quantise, weave
from tone import local_gain, schedule_upsample, upsample


def sum_row(matrix, rgb, row):
    """One row of a matrix (halide order: column, row) times a triple."""
    return matrix[0, row] * rgb[0] + matrix[1, row] * rgb[1] + matrix[2, row] * rgb[2]


def bound_inputs(g):
    """Sizes of everything that is the same in all passes."""
    g.code.dim(2).set_bounds(0, 3)
    g.offset.dim(0).set_bounds(0, 3)
    for table in (g.highlight, g.render):
        table.dim(0).set_bounds(0, 3)
        table.dim(1).set_stride(3)
    g.render.dim(1).set_bounds(0, 4)


def tone_mapped(g):
    """(three expressions at pixel x, y of the output, the Funcs of the tone map): light behind exposure and local gain.

    With `render` for Rec.2020 that is scene light, else light in the rendering primaries of the look.
    """
    column, row = x + g.left, y + g.top
    light = highlight_stage.decoded([g.code[column, row, i] for i in range(3)], g.scale, g.offset, g.highlight)
    *rendering, luma = [sum_row(g.render, light, i) for i in range(4)]
    rows, up = upsample(g.a, g.b)
    gain = local_gain(luma, up[column, row][0], up[column, row][1], g.floor, g.low, g.high)
    bound_inputs(g)
    return [v * gain for v in rendering], (rows, up)


def finish(g, bits):
    """Write into `g.output` (halide order c, x, y) the crop of `g.code` that begins at (left, top), its rows
    from right to left with `mirror`.

    Schedule: see `weave`. Measured 4.3 ms/MP CPU on a Xeon of 2.7 GHz, AVX-512: highlights 0.85, local gain 0.8, curve
    1.1, moves and gamut 1.1, loads and stores the rest (bench/finish.py).
    """
    lit, maps = tone_mapped(g)
    shown = look_stage.algorithm(lit, g.curve, g.moves)
    codes = [quantise(shown[i], bits, x + g.left, y + g.top, i, g.dither) for i in range(3)]
    look_stage.bound_tables(g.curve, g.moves)
    lanes = g.natural_vector_size(hl.Float(32))
    schedule_upsample(*maps, g.output, weave(g.output, codes, lanes, g.mirror), lanes)


class Toned:
    """Codes of a picture, and what makes scene light of them and raises it."""

    code = hl.InputBuffer(hl.UInt(16), 3)
    scale = hl.InputScalar(hl.Float(32))
    offset = hl.InputBuffer(hl.Float(32), 1)
    highlight = hl.InputBuffer(hl.Float(32), 2)
    render = hl.InputBuffer(hl.Float(32), 2)
    a = hl.InputBuffer(hl.Float(32), 2)
    b = hl.InputBuffer(hl.Float(32), 2)
    floor = hl.InputScalar(hl.Float(32))
    low = hl.InputScalar(hl.Float(32))
    high = hl.InputScalar(hl.Float(32))
    left = hl.InputScalar(hl.Int(32))
    top = hl.InputScalar(hl.Int(32))


class _Shown(Toned):
    """And what makes a shown picture of that."""

    curve = hl.InputBuffer(hl.Float(32), 1)
    moves = hl.InputBuffer(hl.Float(32), 2)
    dither = hl.InputScalar(hl.Float(32))
    mirror = hl.InputScalar(hl.Bool())


@hl.generator(name="finish_u8")
class FinishU8(_Shown):
    output = hl.OutputBuffer(hl.UInt(8), 3)

    def generate(self):
        finish(self, 8)


@hl.generator(name="finish_u16")
class FinishU16(_Shown):
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        finish(self, 16)


@hl.generator(name="scene_f32")
class SceneF32(Toned):
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        lit, maps = tone_mapped(self)
        self.output[x, y, c] = hl.mux(c, lit)
        lanes, tail, yo = self.natural_vector_size(hl.Float(32)), hl.TailStrategy.GuardWithIf, hl.Var("yo")
        self.output.bound(c, 0, 3).reorder(c, x, y).split(y, yo, y, 32, tail).parallel(yo)
        self.output.unroll(c).vectorize(x, lanes, tail)
        schedule_upsample(*maps, self.output, y, lanes)


if __name__ == "__main__":
    hl.main()
