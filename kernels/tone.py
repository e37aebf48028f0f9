"""Tone — local tone mapping: a gain for every pixel, measured on a small picture, evaluated on the large one.

`tone_map` measures: log2 luma of the proxy (4x4 binned) → two coarse maps a, b.
`upsample` and `local_gain` evaluate: gain = 2^clamp(a·log2(max(Y, floor)) + b, low, high) with the full-size luma Y,
so that edges of the gain lie where edges of the picture lie.
"""

import halide as hl

from _light import luminance

x, y = hl.Var("x"), hl.Var("y")

RATIO = 4  # a coarse sample (i, j) stands for the pixels 4i..4i+3, 4j..4j+3; its centre is 4i + 1.5, 4j + 1.5
# Parts of a coarse step from the left neighbour for x mod 4 = 0..3: (x - 1.5) / 4 modulo 1.
_PART = (0.625, 0.875, 0.125, 0.375)
# Own minimax fits: log2(1 + t) = t + t·(1 - t)·P(t) and 2^t = 1 + t + t·(1 - t)·Q(t), highest power first.
_LOG2 = (-0.04514745, 0.1484242, -0.2671783, 0.4419169)
_EXP2 = (-0.01355572, -0.06558813, -0.3069679)


def log2_fast(value):
    """log2 of positive normal float32; absolute error < 1.7e-5, exact at powers of two."""
    bits = hl.reinterpret(hl.Int(32), value)
    t = hl.reinterpret(hl.Float(32), (bits & 0x7FFFFF) | 0x3F800000) - 1.0
    p = hl.f32(_LOG2[0])
    for k in _LOG2[1:]:
        p = p * t + hl.f32(k)
    return hl.cast(hl.Float(32), (bits >> 23) - 127) + t + t * (1.0 - t) * p


def exp2_fast(value):
    """2^value for -126 ≤ value < 128; relative error < 3.5e-6, exact at integers."""
    whole = hl.floor(value)
    t = value - whole
    p = hl.f32(_EXP2[0])
    for k in _EXP2[1:]:
        p = p * t + hl.f32(k)
    power = hl.reinterpret(hl.Float(32), (hl.cast(hl.Int(32), whole) + 127) << 23)
    return power * (1.0 + t + t * (1.0 - t) * p)


def local_gain(luma, a, b, floor, low, high):
    """Linear gain of a pixel: luma = its linear Y, a and b = `upsample`d maps, the rest scalars of ToneMap.

    Y below `floor` (> 0; the light at which only noise is left) gets the gain of `floor`, so that noise has no say.
    """
    return exp2_fast(hl.clamp(a * log2_fast(hl.max(luma, floor)) + b, low, high))


def upsample(a, b):
    """Bilinear ×4 of two coarse maps (input buffers, rank 2) → (rows, up), both Funcs of Tuples (a, b).

    `rows(i, y)` is interpolated down, at coarse columns; a pixel reads `up[x, y][0]`, `up[x, y][1]`.
    Edges are repeated. Schedule them with `schedule_upsample`; up to 4·w × 4·h pixels may be read.
    """
    border_a, border_b = hl.BoundaryConditions.repeat_edge(a), hl.BoundaryConditions.repeat_edge(b)
    rows, up = hl.Func("tone_rows"), hl.Func("tone_up")
    j = (y + 2) / RATIO - 1
    fy = _mux(y % RATIO)
    rows[x, y] = tuple(m[x, j] + fy * (m[x, j + 1] - m[x, j]) for m in (border_a, border_b))
    i = (x + 2) / RATIO - 1
    fx = _mux(x % RATIO)
    up[x, y] = tuple(rows[i, y][n] + fx * (rows[i + 1, y][n] - rows[i, y][n]) for n in (0, 1))
    return rows, up


def _mux(phase):
    return hl.select(phase == 0, _PART[0], phase == 1, _PART[1], phase == 2, _PART[2], _PART[3])


def schedule_upsample(rows, up, consumer, at, vector):
    """Compute both maps per row of a tile: `at` is the Var of `consumer` that counts rows (inside the tile).

    The four phases of x are unrolled, so that no phase is chosen and no sample gathered at run time; the consumer
    may begin a tile at any x. Cost: about 0.25 ms/MP CPU (2 cores of a Xeon, AVX-512).
    """
    xo, phase = hl.Var("xo"), hl.Var("phase")
    rows.compute_at(consumer, at).vectorize(x, vector)
    up.compute_at(consumer, at).align_bounds(x, RATIO).split(x, xo, phase, RATIO).vectorize(xo, vector)
    up.reorder(phase, xo, y).unroll(phase)


@hl.generator(name="tone")
class Tone:
    """The gain alone: scene light (3, H, W) and the coarse maps (h, w) → mapped scene light."""

    rgb = hl.InputBuffer(hl.Float(32), 3)
    a = hl.InputBuffer(hl.Float(32), 2)
    b = hl.InputBuffer(hl.Float(32), 2)
    floor = hl.InputScalar(hl.Float(32))
    low = hl.InputScalar(hl.Float(32))
    high = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        c, gain = hl.Var("c"), hl.Func("gain")
        rows, up = upsample(self.a, self.b)
        luma = luminance([self.rgb[x, y, n] for n in range(3)])
        gain[x, y] = local_gain(luma, up[x, y][0], up[x, y][1], self.floor, self.low, self.high)
        self.output[x, y, c] = self.rgb[x, y, c] * gain[x, y]

        self.rgb.dim(2).set_bounds(0, 3)
        vector = self.natural_vector_size(hl.Float(32))
        tail = hl.TailStrategy.GuardWithIf
        yo = hl.Var("yo")
        self.output.bound(c, 0, 3).reorder(x, c, y).split(y, yo, y, 32, tail).parallel(yo)
        self.output.vectorize(x, vector, tail)
        gain.compute_at(self.output, y).vectorize(x, vector, tail)
        schedule_upsample(rows, up, self.output, y, vector)


if __name__ == "__main__":
    hl.main()
