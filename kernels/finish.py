"""Finish — one pass from square-root codes to the finished picture: highlights, colour, tone, look, output.

Codes → camera light → highlights → `render` (camera to rendering primaries, exposure included; and a row for luma)
→ local gain → look → display codes. The few files that hold DNG hue/saturation tables go through `profile` before.
"""

import halide as hl

import colour as colour_stage
import highlights as highlight_stage
import look as look_stage
from _light import c, decode, encode, x, y
from output import quantise, weave
from tone import local_gain, schedule_upsample, upsample


def camera_light(code, scale, offset, table):
    """Three codes → three expressions of white-balanced camera light, highlights rebuilt."""
    light = [decode(code[i], scale, offset[i]) for i in range(3)]
    return highlight_stage.algorithm(light, table)


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
    light = camera_light([g.code[column, row, i] for i in range(3)], g.scale, g.offset, g.highlight)
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


@hl.generator(name="finish_u8")
class FinishU8:
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
    curve = hl.InputBuffer(hl.Float(32), 1)
    moves = hl.InputBuffer(hl.Float(32), 2)
    dither = hl.InputScalar(hl.Float(32))
    mirror = hl.InputScalar(hl.Bool())
    left = hl.InputScalar(hl.Int(32))
    top = hl.InputScalar(hl.Int(32))
    output = hl.OutputBuffer(hl.UInt(8), 3)

    def generate(self):
        finish(self, 8)


@hl.generator(name="finish_u16")
class FinishU16:
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
    curve = hl.InputBuffer(hl.Float(32), 1)
    moves = hl.InputBuffer(hl.Float(32), 2)
    dither = hl.InputScalar(hl.Float(32))
    mirror = hl.InputScalar(hl.Bool())
    left = hl.InputScalar(hl.Int(32))
    top = hl.InputScalar(hl.Int(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        finish(self, 16)


@hl.generator(name="scene_f32")
class SceneF32:
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
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        lit, maps = tone_mapped(self)
        self.output[x, y, c] = hl.mux(c, lit)
        lanes, tail, yo = self.natural_vector_size(hl.Float(32)), hl.TailStrategy.GuardWithIf, hl.Var("yo")
        self.output.bound(c, 0, 3).reorder(c, x, y).split(y, yo, y, 32, tail).parallel(yo)
        self.output.unroll(c).vectorize(x, lanes, tail)
        schedule_upsample(*maps, self.output, y, lanes)


@hl.generator(name="profile")
class Profile:
    """Codes of camera light → codes of Rec.2020 behind highlights, matrix and the DNG tables of hue and saturation."""

    code = hl.InputBuffer(hl.UInt(16), 3)
    scale = hl.InputScalar(hl.Float(32))
    offset = hl.InputBuffer(hl.Float(32), 1)
    highlight = hl.InputBuffer(hl.Float(32), 2)
    matrix = hl.InputBuffer(hl.Float(32), 2)
    hue_sat = hl.InputBuffer(hl.Float(32), 4)  # any (1, 1, 1, 3) where has_hue_sat is false
    has_hue_sat = hl.InputScalar(hl.Bool())
    hue_sat_srgb = hl.InputScalar(hl.Bool())
    look = hl.InputBuffer(hl.Float(32), 4)
    has_look = hl.InputScalar(hl.Bool())
    look_srgb = hl.InputScalar(hl.Bool())
    new_scale = hl.InputScalar(hl.Float(32))
    new_offset = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        g = self
        light = camera_light([g.code[x, y, i] for i in range(3)], g.scale, g.offset, g.highlight)
        # Each step is a Func of its own, computed per vector: inlined into one expression they take minutes to compile.
        steps = [hl.Func("linear")]
        steps[0][x, y] = tuple(colour_stage.algorithm(light, g.matrix))
        for table, has, srgb in ((g.hue_sat, g.has_hue_sat, g.hue_sat_srgb), (g.look, g.has_look, g.look_srgb)):
            before = [steps[-1][x, y][i] for i in range(3)]
            mapped = colour_stage.hue_sat_map(before, table, srgb)
            steps.append(hl.Func("mapped"))
            steps[-1][x, y] = tuple(hl.select(has, mapped[i], before[i]) for i in range(3))
            table.dim(0).set_bounds(0, 3)
        coded = [encode(steps[-1][x, y][i], g.new_scale, g.new_offset) for i in range(3)]
        g.output[x, y, c] = hl.mux(c, coded)

        g.code.dim(2).set_bounds(0, 3)
        lanes, tail = g.natural_vector_size(hl.Float(32)), hl.TailStrategy.GuardWithIf
        xo, xi = hl.Var("xo"), hl.Var("xi")
        g.output.bound(c, 0, 3).split(x, xo, xi, lanes, tail)
        g.output.reorder(c, xi, xo, y).unroll(c).vectorize(xi).parallel(y, 16, tail)
        for step in steps:
            step.compute_at(g.output, xo).vectorize(x, lanes, tail)


if __name__ == "__main__":
    hl.main()
