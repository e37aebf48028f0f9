"""Sensor — light to digital numbers in one pass; the why stands in sensor/exposure.py, the chain in sensor/types.py.

Per pixel: 2 x 7 rounds of Philox, four normal numbers, one of Poisson. All float32 is strict, in the order of the twin.
"""

import halide as hl

import _chance as chance
from _chance import F32, I32
from _light import x, y

PIXEL, SPECIMEN = 0, 1  # streams
MOST_E = 1e8
k = hl.Var("k")


def seen(light, classes, mix, period):
    """Electrons of light at a pixel, by its class in a pattern of `period` rows."""
    kind = classes[x, y % period]
    rgb = [light[x, y, i] for i in range(3)]
    sums = [mix[0, n] * rgb[0] + mix[1, n] * rgb[1] + mix[2, n] * rgb[2] for n in range(4)]
    chosen = hl.select(kind == 0, sums[0], hl.select(kind == 1, sums[1], hl.select(kind == 2, sums[2], sums[3])))
    return hl.clamp(chosen, hl.f32(0), hl.f32(MOST_E))


@hl.generator(name="sensor")
class Sensor:
    light = hl.InputBuffer(hl.Float(32), 3)  # Rec.2020, cd/m²
    mix = hl.InputBuffer(hl.Float(32), 2)  # (4, 3): electrons for red, green, blue and focus pixels
    classes = hl.InputBuffer(hl.UInt(8), 2)  # (period, W)
    row = hl.InputBuffer(hl.Float(32), 1)  # DN
    column = hl.InputBuffer(hl.Float(32), 1)  # DN
    top = hl.InputScalar(hl.Int(32))
    left = hl.InputScalar(hl.Int(32))
    frame = hl.InputScalar(hl.UInt(32))
    seed_low = hl.InputScalar(hl.UInt(32))
    seed_high = hl.InputScalar(hl.UInt(32))
    serial_low = hl.InputScalar(hl.UInt(32))
    serial_high = hl.InputScalar(hl.UInt(32))
    dead_below = hl.InputScalar(hl.UInt(32))
    hot_below = hl.InputScalar(hl.UInt(32))
    prnu = hl.InputScalar(hl.Float(32))
    dark_e = hl.InputScalar(hl.Float(32))
    hot_e = hl.InputScalar(hl.Float(32))
    full_well_e = hl.InputScalar(hl.Float(32))
    gain = hl.InputScalar(hl.Float(32))
    dsnu_dn = hl.InputScalar(hl.Float(32))
    read_dn = hl.InputScalar(hl.Float(32))
    offset_dn = hl.InputScalar(hl.Float(32))
    white_dn = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(16), 2)

    def generate(self):
        self.words()
        self.normals()
        self.electrons()
        zero = hl.f32(0)
        column = hl.BoundaryConditions.repeat_edge(self.column, [(0, self.column.dim(0).extent())])
        charge = hl.min(self.charge[x, y], self.full_well_e)
        pattern = self.dsnu_dn * self.z[x, y, 1] + (self.row[y] + column[x])
        value = charge * self.gain + (pattern + (self.read_dn * self.z[x, y, 3] + self.offset_dn))
        number = hl.strict_float(hl.clamp(value + hl.f32(0.5), zero, self.white_dn))
        self.output[x, y] = hl.cast(hl.UInt(16), hl.cast(I32, number))
        self.schedule()

    def words(self):
        """Six words: response, offset, defect and its strength of the specimen; charge and reading of the frame."""
        place = (x + self.left, y + self.top)
        self.fixed, self.drawn = hl.Func("fixed"), hl.Func("drawn")
        serial, seed = (self.serial_low, self.serial_high), (self.seed_low, self.seed_high)
        self.fixed[x, y] = chance.philox((*place, hl.u32(0), hl.u32(SPECIMEN)), serial)
        self.drawn[x, y] = chance.philox((*place, self.frame, hl.u32(PIXEL)), seed)[:2]

    def normals(self):
        """Four normal numbers from the words."""
        self.word, self.fall, self.z = hl.Func("word"), hl.Func("fall"), hl.Func("z")
        fixed, drawn = self.fixed[x, y], self.drawn[x, y]
        self.word[x, y, k] = hl.mux(k, [fixed[0], fixed[1], drawn[0], drawn[1]])
        word = self.word[x, y, k]
        p = chance.half(word)
        self.fall[x, y, k] = hl.strict_float(chance.fall(p))
        self.z[x, y, k] = hl.strict_float(chance.normal_of(word, p, self.fall[x, y, k]))

    def electrons(self):
        """Electrons of light by the pixel's class, of the dark, and the Poisson number of both."""
        zero = hl.f32(0)
        across = (0, self.light.dim(0).extent())
        classes = hl.BoundaryConditions.repeat_edge(self.classes, [across, (hl.Expr(), hl.Expr())])
        edged = hl.BoundaryConditions.repeat_edge(self.light, [across, (0, self.light.dim(1).extent())])
        charge = seen(edged, classes, self.mix, self.classes.dim(1).extent())
        response = hl.max(hl.f32(1) + self.prnu * self.z[x, y, 0], zero)
        defect = self.fixed[x, y][2]
        dead, hot = defect < self.dead_below, defect < self.hot_below
        lit = hl.select(dead, zero, charge * response)
        warm = hl.select(hot & ~dead, self.hot_e * chance.exponential(self.fixed[x, y][3]), zero)
        self.mean, self.none, self.few, self.charge = (hl.Func(n) for n in ("mean", "none", "few", "charge"))
        self.mean[x, y] = hl.strict_float(lit + self.dark_e + warm)
        mean = self.mean[x, y]
        eighth, fourth, half = hl.Func("eighth"), hl.Func("fourth"), hl.Func("half")
        eighth[x, y] = hl.strict_float(chance.none_at_all(mean))
        fourth[x, y] = hl.strict_float(eighth[x, y] * eighth[x, y])
        half[x, y] = hl.strict_float(fourth[x, y] * fourth[x, y])
        self.none[x, y] = hl.strict_float(half[x, y] * half[x, y])
        self.inline = (eighth, fourth, half)
        self.count()
        small = mean < hl.f32(chance.POISSON_LARGE)
        self.charge[x, y] = hl.strict_float(hl.select(small, self.few[x, y][0], chance.many(mean, self.z[x, y, 2])))

    def count(self):
        """Few electrons: how many probabilities a uniform number exceeds. (count, total, term)."""
        self.r = hl.RDom([(1, chance.POISSON_TERMS)])
        # In this order each element is read before it is written: Halide 21 writes tuples one by one where strict
        # floats hide from it that they are read.
        self.few[x, y] = (hl.f32(0), self.none[x, y], self.none[x, y])
        count, total, term = (self.few[x, y][n] for n in range(3))
        exceeds = (chance.uniform(self.drawn[x, y][0]) > total) & (term > hl.f32(chance.POISSON_LEAST))
        held = hl.min(self.mean[x, y], hl.f32(chance.POISSON_LARGE))
        share = hl.mux(self.r.x, [hl.f32(1 / max(n, 1)) for n in range(chance.POISSON_TERMS + 1)])
        following = term * (held * share)
        self.few[x, y] = (
            hl.strict_float(count + hl.select(exceeds, hl.f32(1), hl.f32(0))),
            hl.strict_float(total + following),
            hl.strict_float(following),
        )

    def schedule(self):
        # 12.6 MP, 2 cores of a Xeon: 6.2 ms/MP with AVX-512, 9.2 with AVX2, 17 at baseline; as many for few electrons.
        # Funcs of 128 pixels stay in the first cache; the sum over probabilities stays in registers.
        vector = self.natural_vector_size(F32)
        tail = hl.TailStrategy.GuardWithIf
        xo, xv = hl.Var("xo"), hl.Var("xv")
        self.output.split(x, xo, x, 128, tail).vectorize(x, vector, tail).parallel(y, 8, tail)
        for f in (self.fixed, self.drawn, self.word, self.fall, self.z, self.mean, self.none):
            f.compute_at(self.output, xo).vectorize(x, vector)
        self.charge.compute_at(self.output, xo).split(x, xv, x, vector).vectorize(x)
        self.few.compute_at(self.charge, xv)
        for f in (self.word, self.fall, self.z):
            f.bound(k, 0, 4).unroll(k)
        self.few.vectorize(x, vector)
        self.few.update().reorder(self.r.x, x).vectorize(x, vector).unroll(self.r.x)
        self.light.dim(2).set_bounds(0, 3)
        self.mix.dim(0).set_bounds(0, 3)
        self.mix.dim(1).set_bounds(0, 4)


@hl.generator(name="sensor_expected")
class SensorExpected:
    """The numbers without noise, patterns and rounding, as floats."""

    light = hl.InputBuffer(hl.Float(32), 3)
    mix = hl.InputBuffer(hl.Float(32), 2)
    classes = hl.InputBuffer(hl.UInt(8), 2)
    full_well_e = hl.InputScalar(hl.Float(32))
    gain = hl.InputScalar(hl.Float(32))
    offset_dn = hl.InputScalar(hl.Float(32))
    white_dn = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.Float(32), 2)

    def generate(self):
        charge = hl.min(seen(self.light, self.classes, self.mix, self.classes.dim(1).extent()), self.full_well_e)
        self.output[x, y] = hl.strict_float(hl.min(charge * self.gain + self.offset_dn, self.white_dn))
        # 12.6 MP: 23 ms of one core of a Xeon, AVX-512; memory bounds it
        vector, tail = self.natural_vector_size(F32), hl.TailStrategy.GuardWithIf
        self.output.vectorize(x, vector, tail).parallel(y, 16, tail)
        self.light.dim(2).set_bounds(0, 3)
        self.mix.dim(0).set_bounds(0, 3)
        self.mix.dim(1).set_bounds(0, 4)


@hl.generator(name="sensor_defects")
class SensorDefects:
    """Which pixels of a specimen are dead (1), which hot by more than `listed` of the mean (2)."""

    top = hl.InputScalar(hl.Int(32))
    left = hl.InputScalar(hl.Int(32))
    serial_low = hl.InputScalar(hl.UInt(32))
    serial_high = hl.InputScalar(hl.UInt(32))
    dead_below = hl.InputScalar(hl.UInt(32))
    hot_below = hl.InputScalar(hl.UInt(32))
    listed = hl.InputScalar(hl.Float(32))
    output = hl.OutputBuffer(hl.UInt(8), 2)

    def generate(self):
        place = (x + self.left, y + self.top, hl.u32(0), hl.u32(SPECIMEN))
        words = chance.philox(place, (self.serial_low, self.serial_high))
        hot = (words[2] < self.hot_below) & (hl.strict_float(chance.exponential(words[3])) > self.listed)
        self.output[x, y] = hl.select(words[2] < self.dead_below, hl.u8(1), hot, hl.u8(2), hl.u8(0))
        vector, tail = self.natural_vector_size(F32), hl.TailStrategy.GuardWithIf
        self.output.vectorize(x, vector, tail).parallel(y, 64, tail)


if __name__ == "__main__":
    hl.main()
