"""Gain map — how much brighter each part of the picture may be on a display with headroom, at half size.

Light is averaged over 2x2 pixels first, then both renditions are made from it with the algorithms of the finish pass.
"""

import halide as hl

import highlights as highlight_stage
import look as look_stage
from _light import decode, x, y
from finish import Toned, bound_inputs, sum_row
from output import weave
from tone import local_gain, log2_fast, schedule_upsample, upsample

STEP = 2  # lichtbild.develop.finish.MAP_STEP
OFFSET = 1.0 / 64.0
_LIT = (-0.005341957, 0.05088415, -0.2006736, 0.5781445, 0.5471472, 0.029624, 0.01664048)  # highest power first


def lit(code):
    """Encoded value in 0..3.3 → display light by the curve of sRGB continued above 1, plus OFFSET.

    Own minimax fit of the curve's power to 0.0012 stops, a tenth of a step of the map. Source: [IEC61966-2-1].
    """
    power = hl.f32(_LIT[0])
    for k in _LIT[1:]:
        power = power * code + hl.f32(k)
    return hl.select(code <= 0.04045, code * (1.0 / 12.92) + OFFSET, power)


def gain_code(sdr, hdr, low, high):
    """Code 0..255 of log2((hdr + OFFSET) / (sdr + OFFSET)) between `low` and `high`. Source: [ISO21496-1]."""
    gain = log2_fast(lit(hdr) * hl.fast_inverse(lit(sdr)))
    part = hl.clamp((gain - low) * (255.0 / (high - low)), 0.0, 255.0)
    return hl.cast(hl.UInt(8), part + 0.5)


@hl.generator(name="gainmap")
class GainMap(Toned):
    curve = hl.InputBuffer(hl.Float(32), 1)
    moves = hl.InputBuffer(hl.Float(32), 2)
    hdr_curve = hl.InputBuffer(hl.Float(32), 1)
    hdr_moves = hl.InputBuffer(hl.Float(32), 2)
    gain_min = hl.InputScalar(hl.Float(32))
    gain_max = hl.InputScalar(hl.Float(32))
    mirror = hl.InputScalar(hl.Bool())
    output = hl.OutputBuffer(hl.UInt(8), 3)

    def generate(self):
        g = self
        edged = hl.BoundaryConditions.repeat_edge(g.code)
        light = []
        for i in range(3):
            total = hl.f32(0.0)
            for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
                total += decode(edged[x * STEP + dx + g.left, y * STEP + dy + g.top, i], g.scale, g.offset[i])
            light.append(total * 0.25)
        light = highlight_stage.algorithm(light, g.highlight)
        *rendering, luma = [sum_row(g.render, light, i) for i in range(4)]
        rows, up = upsample(g.a, g.b)
        # The gain of the block is that of its second pixel: the maps change slowly, 4 pixels a sample.
        maps = up[x * STEP + 1 + g.left, y * STEP + 1 + g.top]
        gain = local_gain(luma, maps[0], maps[1], g.floor, g.low, g.high)
        toned = [v * gain for v in rendering]
        sdr = look_stage.algorithm(toned, g.curve, g.moves)
        hdr = look_stage.algorithm(toned, g.hdr_curve, g.hdr_moves)
        codes = [gain_code(s, h, g.gain_min, g.gain_max) for s, h in zip(sdr, hdr, strict=True)]

        bound_inputs(g)
        look_stage.bound_tables(g.curve, g.moves)
        look_stage.bound_tables(g.hdr_curve, g.hdr_moves)
        lanes = g.natural_vector_size(hl.Float(32))
        schedule_upsample(rows, up, g.output, weave(g.output, codes, lanes, g.mirror), lanes)


if __name__ == "__main__":
    hl.main()
