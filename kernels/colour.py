"""Colour — white-balanced camera light to linear Rec.2020, then the DNG tables of hue and saturation."""

import halide as hl

from _light import c, mat3, x, y

# lichtbild.light.convert("rec2020", "prophoto") and back; tests/develop/test_colour.py holds them to that.
TO_PROPHOTO = (
    (0.835187333, 0.048868849, 0.115943818),
    (0.054033245, 0.928918409, 0.017048346),
    (-0.002342039, 0.036332153, 0.966009886),
)
FROM_PROPHOTO = (
    (1.200659330, -0.057568054, -0.143091276),
    (-0.069941550, 1.080617898, -0.010676348),
    (0.005541473, -0.040782193, 1.035240720),
)


def algorithm(rgb, matrix):
    """Three expressions of white-balanced camera light → linear Rec.2020; `matrix` is ColourTable.matrix (3, 3)."""
    return mat3(matrix, rgb)


def _turn(rows, rgb):
    return [sum(hl.f32(row[i]) * rgb[i] for i in range(3)) for row in rows]


def _to_hsv(rgb):
    """Hue 0..6, saturation (above 1 where a component is negative), value."""
    r, g, b = rgb
    value = hl.max(r, g, b)
    gap = value - hl.min(r, g, b)
    per_gap = hl.select(gap > 0.0, 1.0 / gap, 0.0)
    red = (g - b) * per_gap
    hue = hl.select(
        r == value, hl.select(red < 0.0, red + 6.0, red), g == value, (b - r) * per_gap + 2.0, (r - g) * per_gap + 4.0
    )
    return hue, hl.select(value > 0.0, gap / value, 0.0), value


def _from_hsv(hue, saturation, value):
    """The inverse of _to_hsv for a hue in 0..6: each component falls from `value` with its distance from its hue."""
    chroma = value * saturation
    red = hl.clamp(hl.abs(hue - 3.0) - 1.0, 0.0, 1.0)
    green = hl.clamp(2.0 - hl.abs(hue - 2.0), 0.0, 1.0)
    blue = hl.clamp(2.0 - hl.abs(hue - 4.0), 0.0, 1.0)
    return [value - chroma * (1.0 - part) for part in (red, green, blue)]


def _srgb_encode(v):
    return hl.select(v <= 0.0031308, 12.92 * v, 1.055 * hl.pow(hl.max(v, 0.0031308), 1.0 / 2.4) - 0.055)


def _srgb_decode(v):
    return hl.select(v <= 0.04045, v * (1.0 / 12.92), hl.pow((hl.max(v, 0.04045) + 0.055) * (1.0 / 1.055), 2.4))


def _nodes(position, last):
    """Lower node, upper node and fraction between nodes 0..last."""
    held = hl.clamp(position, 0.0, hl.cast(hl.Float(32), last))
    low = hl.clamp(hl.cast(hl.Int(32), held), 0, hl.max(last - 1, 0))
    return low, hl.min(low + 1, last), held - hl.cast(hl.Float(32), low)


def _look_up(table, hue, saturation, value):
    """Hue shift, saturation scale and value scale, linear between the nodes; hues wrap around."""
    hues = table.dim(2).extent()
    s0, s1, fs = _nodes(saturation * hl.cast(hl.Float(32), table.dim(1).extent() - 1), table.dim(1).extent() - 1)
    v0, v1, fv = _nodes(value * hl.cast(hl.Float(32), table.dim(3).extent() - 1), table.dim(3).extent() - 1)
    turn = hue * (hl.cast(hl.Float(32), hues) * (1.0 / 6.0))
    h0 = hl.clamp(hl.cast(hl.Int(32), turn), 0, hues - 1)
    h1 = hl.clamp(hl.select(h0 + 1 == hues, 0, h0 + 1), 0, hues - 1)
    fh = turn - hl.cast(hl.Float(32), h0)

    def at(k, h, v):
        low = table[k, s0, h, v]
        return low + fs * (table[k, s1, h, v] - low)

    def plane(k, v):
        low = at(k, h0, v)
        return low + fh * (at(k, h1, v) - low)

    found = []
    for k in range(3):
        low = plane(k, v0)
        found.append(low + fv * (plane(k, v1) - low))
    return found


def hue_sat_map(rgb, table, srgb):
    """Apply a DNG hue/saturation table to three expressions of linear Rec.2020; returns linear Rec.2020.

    `table` (values, hues, sats, 3) float32, halide order (3, sats, hues, values): shift in degrees, two scales.
    `srgb` (a Bool expression): values are looked up and scaled in sRGB encoding. Light above 1 is looked up at 1 and
    keeps its scale. It gathers 36 numbers: a pass of its own, for the files that have a table.
    Source: [DNG1.7.1] chapter 6, "Hue/Saturation/Value Mapping Table".
    """
    prophoto = _turn(TO_PROPHOTO, rgb)
    hue, saturation, value = _to_hsv(prophoto)
    held = hl.clamp(value, 0.0, 1.0)
    shown = hl.select(srgb, _srgb_encode(held), held)
    shift, more, brighter = _look_up(table, hue, saturation, shown)
    turned = hue + shift * (1.0 / 60.0)
    turned -= 6.0 * hl.floor(turned * (1.0 / 6.0))
    encoded = value * _srgb_decode(shown * brighter) / hl.max(held, 1e-12)
    scaled = hl.select(srgb & (held > 0.0), encoded, value * brighter)
    mapped = _from_hsv(turned, hl.min(saturation * more, hl.max(saturation, 1.0)), scaled)
    back = _turn(FROM_PROPHOTO, mapped)
    return [hl.select(value > 0.0, back[i], rgb[i]) for i in range(3)]


def mapped(light, matrix, table, srgb):
    """Light → Rec.2020 by `matrix` → `table`. Returns (expressions at x, y, the Funcs to compute per vector).

    Each step is a Func of its own: inlined into one expression they take minutes to compile.
    """
    linear, turned = hl.Func("linear"), hl.Func("mapped")
    linear[x, y] = tuple(algorithm(light, matrix))
    turned[x, y] = tuple(hue_sat_map([linear[x, y][i] for i in range(3)], table, srgb))
    table.dim(0).set_bounds(0, 3)
    return [turned[x, y][i] for i in range(3)], (linear, turned)


def schedule_mapped(output, steps, lanes):
    """Vectors of pixels, the steps per vector, rows in parallel."""
    tail, xo, xi = hl.TailStrategy.GuardWithIf, hl.Var("xo"), hl.Var("xi")
    output.bound(c, 0, 3).split(x, xo, xi, lanes, tail)
    output.reorder(c, xi, xo, y).unroll(c).vectorize(xi).parallel(y, 16, tail)
    for step in steps:
        step.compute_at(output, xo).vectorize(x, lanes, tail)


@hl.generator(name="colour")
class Colour:
    """White-balanced camera light → linear Rec.2020 → behind one table of the camera's profile."""

    rgb = hl.InputBuffer(hl.Float(32), 3)
    matrix = hl.InputBuffer(hl.Float(32), 2)
    table = hl.InputBuffer(hl.Float(32), 4)
    srgb = hl.InputScalar(hl.Bool())
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        found, steps = mapped([self.rgb[x, y, i] for i in range(3)], self.matrix, self.table, self.srgb)
        self.output[x, y, c] = hl.mux(c, found)
        self.rgb.dim(2).set_bounds(0, 3)
        schedule_mapped(self.output, steps, self.natural_vector_size(hl.Float(32)))


if __name__ == "__main__":
    hl.main()
