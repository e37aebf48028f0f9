"""Profile — codes of camera light → codes of Rec.2020 behind highlights, matrix and a DNG table of hue and saturation.

A pass before `finish` for the few files that hold such tables; a second table is a second pass.
"""

import halide as hl

import colour as colour_stage
import highlights as highlight_stage
from _light import c, encode, x, y


@hl.generator(name="profile")
class Profile:
    code = hl.InputBuffer(hl.UInt(16), 3)
    scale = hl.InputScalar(hl.Float(32))
    offset = hl.InputBuffer(hl.Float(32), 1)
    highlight = hl.InputBuffer(hl.Float(32), 2)
    matrix = hl.InputBuffer(hl.Float(32), 2)
    table = hl.InputBuffer(hl.Float(32), 4)
    srgb = hl.InputScalar(hl.Bool())
    new_scale = hl.InputScalar(hl.Float(32))
    new_offset = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        g = self
        light = highlight_stage.decoded([g.code[x, y, i] for i in range(3)], g.scale, g.offset, g.highlight)
        found, steps = colour_stage.mapped(light, g.matrix, g.table, g.srgb)
        g.output[x, y, c] = hl.mux(c, [encode(v, g.new_scale, g.new_offset) for v in found])
        g.code.dim(2).set_bounds(0, 3)
        colour_stage.schedule_mapped(g.output, steps, g.natural_vector_size(hl.Float(32)))


if __name__ == "__main__":
    hl.main()
