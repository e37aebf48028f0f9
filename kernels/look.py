"""Look — scene light to encoded display values by a polynomial and harmonics; see lichtbild/look/tables.py.

The numbers DEGREE, HARMONICS, OFFSET, WEIGHTS and KNEE stand there too; tests/look/test_tables.py holds them together.
"""

import halide as hl

from _light import c, mat3, x, y
from tone import log2_fast

DEGREE = 10
HARMONICS = 3
ROWS = 8 + 2 * HARMONICS
DARKEST = 0.5
OFFSET = 2.0**-8
WEIGHTS = (0.30, 0.55, 0.15)
KNEE = 0.85
SCALE, SHIFT, TOP, PEAK, CEILING = (3 * (DEGREE + 1) + i for i in range(5))  # behind the coefficients in `curve`


def tone_curve(value, curve, channel):
    """Rendering light of one channel → encoded value in 0..peak; `curve` is LookTables.curve."""
    first = channel * (DEGREE + 1)
    # Held where u = 1, x_max: two looks of one light share the logarithm.
    u = hl.min(curve[SCALE] * log2_fast(hl.max(value, 0.0) + hl.f32(OFFSET)) + curve[SHIFT], 1.0)
    # Even and odd powers apart: two short chains of multiply-adds instead of one long one.
    square = u * u
    even, odd = curve[first], curve[first + 1]
    for i in range(first + 2, first + DEGREE, 2):
        even, odd = even * square + curve[i], odd * square + curve[i + 1]
    total = (even * square + curve[first + DEGREE]) + odd * u
    return hl.clamp(total, 0.0, curve[PEAK])


def _sums(table, a, b, chroma, per_chroma, lightness):
    """The three rows of LookTables.moves times the basis `harmonics` of lichtbild/look/tables.py."""
    cosine, sine = a * per_chroma, b * per_chroma
    rows, ck, sk = [cosine, sine], cosine, sine
    for _ in range(HARMONICS - 1):
        ck, sk = ck * cosine - sk * sine, sk * cosine + ck * sine
        rows += [ck, sk]
    level = hl.min(lightness, 1.0)
    rows += [level, level * cosine, level * sine, level * level, chroma, a, b]
    sums = []
    for k in range(3):
        total = table[0, k]
        for i, row in enumerate(rows):
            total += table[i + 1, k] * row
        sums.append(total)
    return sums


def moves(rgb, table, peak, ceiling):
    """Encoded rendering RGB → encoded display RGB in 0..peak: hues, chroma and lightness moved, gamut fitted."""
    r, g, b = rgb
    lightness = WEIGHTS[0] * r + WEIGHTS[1] * g + WEIGHTS[2] * b
    red, blue = r - g, b - 0.5 * (r + g)
    per_chroma = hl.fast_inverse_sqrt(red * red + blue * blue + 1e-9)
    chroma = (red * red + blue * blue) * per_chroma
    more, turn, density = _sums(table, red, blue, chroma, per_chroma, lightness)
    red2, blue2 = red + red * more - blue * turn, blue + blue * more + red * turn
    middle = hl.clamp(hl.max(lightness + chroma * density, DARKEST * lightness), 1e-6, peak - 1e-6)
    green = -WEIGHTS[0] * red2 - WEIGHTS[2] * (blue2 + 0.5 * red2)
    return fit_to_gamut([green + red2, green, blue2 + green + 0.5 * red2], middle, peak, ceiling)


def fit_to_gamut(offsets, middle, peak, ceiling):
    """Grey `middle` plus colour `offsets`, drawn straight towards the grey so that all lie in 0..peak and none clips.

    Distances to the edge keep their order: up to k = KNEE·ceiling nothing changes, from there they come nearer and
    nearer to the ceiling c: d → (k(c-k) + c·u) / (c-k+u), u = d - k.
    """
    low = -hl.min(offsets[0], hl.min(offsets[1], offsets[2]))
    high = hl.max(offsets[0], hl.max(offsets[1], offsets[2]))
    distance = hl.max(low * (peak - middle), high * middle) * hl.fast_inverse(middle * (peak - middle))
    knee = ceiling * hl.f32(KNEE)
    room = ceiling - knee
    held = hl.max(distance, knee)
    beyond = held - knee
    keep = (knee * room + ceiling * beyond) * hl.fast_inverse((room + beyond) * held)
    keep = hl.select(distance > knee, keep, 1.0)
    return [hl.clamp(middle + keep * v, 0.0, peak) for v in offsets]


def algorithm(rendering, curve, table):
    """Rendering light (three expressions, already in the inset primaries) → encoded display values."""
    toned = [tone_curve(v, curve, i) for i, v in enumerate(rendering)]
    return moves(toned, table, curve[PEAK], curve[CEILING])


def bound_tables(curve, table):
    """Say the sizes of the tables, so that their numbers are read without a stride."""
    curve.dim(0).set_bounds(0, 3 * (DEGREE + 1) + 5)
    table.dim(0).set_bounds(0, ROWS)
    table.dim(1).set_bounds(0, 3)
    table.dim(1).set_stride(ROWS)


@hl.generator(name="look")
class Look:
    rgb = hl.InputBuffer(hl.Float(32), 3)  # linear Rec.2020
    inset = hl.InputBuffer(hl.Float(32), 2)
    curve = hl.InputBuffer(hl.Float(32), 1)
    moves = hl.InputBuffer(hl.Float(32), 2)
    output = hl.OutputBuffer(hl.Float(32), 3)  # encoded display values

    def generate(self):
        scene = [self.rgb[x, y, i] for i in range(3)]
        self.output[x, y, c] = hl.mux(c, algorithm(mat3(self.inset, scene), self.curve, self.moves))
        self.rgb.dim(2).set_bounds(0, 3)
        bound_tables(self.curve, self.moves)
        width = self.natural_vector_size(hl.Float(32))
        self.output.bound(c, 0, 3).reorder(c, x, y).unroll(c)
        self.output.vectorize(x, width, hl.TailStrategy.GuardWithIf).parallel(y, 16, hl.TailStrategy.GuardWithIf)


if __name__ == "__main__":
    hl.main()
