"""Lossless JPEG — Huffman-coded differences and their prediction, several tiles at a time.

Each code begins where the one before it ended: a chain of load, shift, look-up and add that leaves most of a core idle.
Four tiles decoded in one loop fill it; what counts then is how many instructions a sample takes. So the next bits of
the stream are looked up in a table of whole differences, and the few that are longer, or not in it, take a second step,
which is skipped else. The stream comes as bytes, unstuffed; eight of them at once are one load. All outputs but the
first come with strides of 0, one value a tile: its place in the stream, in bits; how many the last sample took, 0 where
the code is not in the table; and what is left of the window.

Encoding is the other way round: what a sample becomes is known at once, and only where it lies is a chain, of one
addition. The codes of two samples are at most 62 bits and are laid into the stream together. Predictor 1, 16 bits.
Source: [T81] annexes F and H.
"""

import halide as hl

x, y, t, to, ti = (hl.Var(n) for n in ("x", "y", "t", "to", "ti"))
LANES = 4
ROOM = 16  # bytes behind the last place that is looked at: a window behind the longest code
CHUNK = 32
PEEK = 13  # bits that are looked up; 12 leave 8 % of the samples of a noisy frame to the second step, 13 leave 1 %


def u64(e):
    return hl.cast(hl.UInt(64), e)


def i32(e):
    return hl.cast(hl.Int(32), e)


def window(coded, position):
    """The 57 bits or more behind a bit position of the stream, highest first."""
    at = hl.unsafe_promise_clamped(position >> 3, 0, coded.dim(0).extent() - 8)
    bits = u64(0)
    for i in range(8):
        bits = bits | (u64(coded[at + i]) << u64(56 - 8 * i))
    return bits << u64(position & 7)


def short(table, bits, component, tile):
    """The difference that is coded in the first of these bits, and how many it took; 0 where it is not in the table."""
    index = hl.unsafe_promise_clamped(i32(bits >> u64(64 - PEEK)), 0, (1 << PEEK) - 1)
    entry = table[index, component, tile]
    return i32(hl.cast(hl.Int(16), entry) >> 4), i32(entry & 15)


def long(table, bits, peek, component, tile):
    """The same for any code, of `peek` bits at most."""
    index = hl.unsafe_promise_clamped(i32(bits >> u64(64 - peek)), 0, table.dim(0).extent() - 1)
    entry = table[index, component, tile]
    length, size = entry & 31, (entry >> 5) & 31
    rest = bits << u64(length)
    value = i32((rest >> 1) >> u64(63 - size))
    # A leading 0 means a negative difference, counted from -(2^size - 1).
    negative = i32(hl.cast(hl.Int(64), rest) >> 63) ^ -1
    d = value - (negative & i32((hl.u32(1) << size) - 1))
    return d + i32(entry & (1 << 15)), i32((entry >> 10) & 31)


@hl.generator(name="ljpeg")
class LosslessJpeg:
    coded = hl.InputBuffer(hl.UInt(8), 1)
    # (next bits of the stream, component, tile). Short: difference << 4 | bits it takes; 0 = look into the long one:
    # 32768 | bits it takes << 10 | size of the difference << 5 | code length.
    short = hl.InputBuffer(hl.UInt(16), 3)
    long = hl.InputBuffer(hl.UInt(32), 3)
    bits = hl.InputScalar(hl.Int(32))  # of an index into the long table
    components = hl.InputScalar(hl.Int(32))
    first = hl.InputScalar(hl.Int(32))  # prediction of the first sample
    predictor = hl.InputScalar(hl.Int(32))
    # (x with components interleaved, y, tile)
    samples = hl.OutputBuffer([hl.UInt(16), hl.Int(32), hl.Int(32), hl.UInt(64)], 3)

    def generate(self):
        out, n = self.samples, self.components
        target = out.output_buffers()[0]
        width = target.dim(0).extent()
        # Samples that share one window: it holds what up to four need that are in the short table.
        together = hl.select((n == 1) & (width % 2 == 0), 2, n)
        r = hl.RDom([(0, 2), (0, together), (0, width // together), (0, target.dim(1).extent())])
        step, place, row = r[0], r[1], r[3]
        at = r[2] * together + place
        out[x, y, t] = tuple(hl.undef(k) for k in (hl.UInt(16), hl.Int(32), hl.Int(32), hl.UInt(64)))
        here, held, took, rest = (out[at, row, t][i] for i in range(4))
        r.where((step == 0) | (took == 0))

        going = (step == 0) & (place > 0)
        # In a damaged stream codes go on behind its end.
        position = hl.select(going, held, hl.min(held, (self.coded.dim(0).extent() - ROOM) * 8))
        coming = hl.select(going, rest, window(self.coded, position))
        which = hl.min(place, self.short.dim(1).extent() - 1)
        quick, bits = short(self.short, coming, which, t)
        slow, more = long(self.long, coming, self.bits, which, t)
        value = hl.select(step == 0, self.predicted(at, r[2], row) + quick, i32(here) + slow)
        used = hl.select(step == 0, bits, more)
        after = hl.select(together == 1, rest, step == 0, coming << u64(bits), window(self.coded, position + used))
        out[at, row, t] = (hl.cast(hl.UInt(16), value), position + used, used, after)
        self.schedule(r)

    def predicted(self, at, column, row):
        """What a sample is predicted to be, from those to the left, above, and at the corner between them."""
        out, p, above = self.samples, self.predictor, hl.max(row - 1, 0)
        before = hl.max(at - self.components, 0)
        left, up, corner = (i32(out[i, j, t][0]) for i, j in ((before, row), (at, above), (before, above)))
        inner = hl.select(
            (p == 1) | (row == 0), left, p == 2, up, p == 3, corner, p == 4, left + up - corner,
            p == 5, left + ((up - corner) >> 1), p == 6, up + ((left - corner) >> 1), (left + up) >> 1,
        )  # fmt: skip
        return hl.select(column > 0, hl.likely(inner), at >= self.components, inner, row > 0, up, self.first)

    def schedule(self, r):
        target, *states = self.samples.output_buffers()
        tables = self.short.dim(1).extent()
        for i in range(3):
            target.dim(i).set_min(0)
            for b in states:
                b.dim(i).set_stride(int(i == 2))
        self.coded.dim(0).set_min(0)
        self.short.dim(0).set_bounds(0, 1 << PEEK)
        self.short.dim(1).set_min(0).set_stride(1 << PEEK)
        self.short.dim(2).set_min(0).set_stride(tables << PEEK)
        # 1.7 ms/MP of one core of a Xeon, AVX-512, at 9 bits a sample
        loop = self.samples.update(0)
        loop.split(t, to, ti, LANES, hl.TailStrategy.GuardWithIf)
        loop.reorder(r[0], ti, r[1], r[2], r[3], to).unroll(ti).unroll(r[0])
        usual = (target.dim(2).extent() == LANES) & (tables == 1) & (target.dim(0).extent() % 2 == 0)
        for n, p in ((2, 1), (1, 1), (1, 6), (3, 1)):
            loop.specialize((self.components == n) & (self.predictor == p) & usual).unroll(r[1])


@hl.generator(name="ljpeg_unstuff")
class LosslessJpegUnstuff:
    """The stream of one tile without what follows each 0xFF, and how many bytes that were before each CHUNK of them.

    The few pieces that hold one are copied byte by byte, all others at once.
    """

    coded = hl.InputBuffer(hl.UInt(8), 1)
    dropped = hl.OutputBuffer(hl.Int(32), 1)  # one for each CHUNK bytes, and one behind them
    plain = hl.OutputBuffer(hl.UInt(8), 1)  # at least CHUNK bytes longer than what is written

    def generate(self):
        stuffed, count, before = hl.Func("stuffed"), hl.Func("count"), hl.Func("before")
        data = hl.BoundaryConditions.constant_exterior(self.coded, hl.u8(0))
        stuffed[x, y] = hl.cast(hl.UInt(8), data[CHUNK * y + x - 1] == 255)
        each = hl.RDom([(0, CHUNK)])
        count[y] = hl.u8(0)
        count[y] += stuffed[each, y]
        pieces = self.dropped.output_buffer().dim(0).extent() - 1
        c = hl.RDom([(0, pieces)])
        self.dropped[y] = 0
        self.dropped[c + 1] = self.dropped[c] + i32(count[c])

        room = self.plain.output_buffer().dim(0).extent()
        r = hl.RDom([(0, CHUNK), (0, pieces)])
        start = CHUNK * r.y - self.dropped[r.y]
        self.plain[x] = hl.undef(hl.UInt(8))
        self.plain[hl.unsafe_promise_clamped(start, 0, room - CHUNK) + r.x] = data[CHUNK * r.y + r.x]

        s = hl.RDom([(0, CHUNK)])
        s.where(count[y] > 0)
        before[x, y] = hl.undef(hl.Int(32))
        before[s, y] = hl.select(s > 0, before[hl.max(s - 1, 0), y], 0) + i32(stuffed[s, y])
        some = hl.RDom([(0, CHUNK), (0, pieces)])
        some.where((count[some.y] > 0) & (stuffed[some.x, some.y] == 0))
        place = CHUNK * some.y - self.dropped[some.y] + some.x - before[some.x, some.y]
        self.plain[hl.unsafe_promise_clamped(place, 0, room - 1)] = data[CHUNK * some.y + some.x]

        # 0.4 ms/MP of one core of a Xeon, AVX-512, at 9 bits a sample
        self.coded.dim(0).set_min(0)
        self.plain.output_buffer().dim(0).set_min(0)
        self.dropped.output_buffer().dim(0).set_min(0)
        count.compute_root()
        count.update().atomic().vectorize(each)
        self.plain.update(0).allow_race_conditions().vectorize(r.x)
        self.plain.update(1).unscheduled()
        before.compute_at(self.plain, some.y)


def predicted_left(samples, n):
    """Each sample minus its prediction by predictor 1, modulo 2^16: (x, y) int16."""
    here = samples[x, y]
    above = hl.select(y > 0, samples[x, hl.max(y - 1, 0)], hl.u16(1 << 15))
    left = hl.select(x >= n, samples[hl.max(x - n, 0), y], above)
    return hl.cast(hl.Int(16), here - left)


def size_of(d):
    """How many bits a difference takes: 0..16."""
    return hl.cast(hl.Int(32), 16 - hl.count_leading_zeros(hl.abs(d)))


@hl.generator(name="ljpeg_count")
class LosslessJpegCount:
    """How many differences of one tile take 0, 1, … 16 bits."""

    samples = hl.InputBuffer(hl.UInt(16), 2)  # (x with components interleaved, y)
    components = hl.InputScalar(hl.Int(32))
    counts = hl.OutputBuffer(hl.Int(32), 1)

    def generate(self):
        size = hl.Func("size")
        size[x, y] = size_of(predicted_left(self.samples, self.components))
        r = hl.RDom([(0, self.samples.dim(0).extent()), (0, self.samples.dim(1).extent())])
        self.counts[x] = 0
        self.counts[x] += hl.cast(hl.Int(32), size[r.x, r.y] == x)
        # 1.0 ms/MP of one core of a Xeon, AVX-512
        lanes, tail = self.natural_vector_size(hl.Int(32)), hl.TailStrategy.GuardWithIf
        self.counts.output_buffer().dim(0).set_bounds(0, 17)
        self.counts.update().reorder(x, r.x, r.y).unroll(x)
        size.compute_at(self.counts, r.y).vectorize(x, lanes, tail)


@hl.generator(name="ljpeg_encode")
class LosslessJpegEncode:
    """The differences of one tile as a stream of bits, in 64-bit words, highest bit first."""

    samples = hl.InputBuffer(hl.UInt(16), 2)  # (x with components interleaved, y)
    components = hl.InputScalar(hl.Int(32))
    codes = hl.InputBuffer(hl.UInt(32), 1)  # (17,): length of code and difference << 16 | code
    words = hl.OutputBuffer(hl.UInt(64), 1)

    def generate(self):
        width, height = self.samples.dim(0).extent(), self.samples.dim(1).extent()
        item, pair, end = hl.Func("item"), hl.Func("pair"), hl.Func("end")
        d = predicted_left(self.samples, self.components)
        size = size_of(d)
        entry = self.codes[hl.unsafe_promise_clamped(size, 0, 16)]
        low = hl.cast(hl.UInt(32), hl.cast(hl.Int(32), d) + (hl.cast(hl.Int(32), d) >> 31))
        mask = (hl.u32(1) << hl.cast(hl.UInt(32), size)) - 1
        length = hl.cast(hl.Int(32), entry >> 16)
        # A difference of 16 bits is always 32768 and takes no bits beside its code.
        bits = hl.select(size == 16, entry & 0xFFFF, ((entry & 0xFFFF) << hl.cast(hl.UInt(32), size)) | (low & mask))
        item[x, y] = (bits, length)

        first, more = item[2 * x, y], 2 * x + 1 < width
        second = item[hl.min(2 * x + 1, width - 1), y]
        second_length = hl.select(more, second[1], 0)
        both = (u64(first[0]) << u64(second_length)) | hl.select(more, u64(second[0]), hl.u64(0))
        pair[x, y] = (both, first[1] + second_length)

        across = (width + 1) // 2
        r = hl.RDom([(0, across), (0, height)])
        before = end[hl.select(r.x > 0, r.x - 1, across - 1), hl.select(r.x > 0, r.y, hl.max(r.y - 1, 0))]
        end[x, y] = hl.undef(hl.Int(32))
        end[r.x, r.y] = hl.select((r.x > 0) | (r.y > 0), before, 0) + pair[r.x, r.y][1]

        r = hl.RDom([(0, 2), (0, across), (0, height)])
        code, taken = pair[r.y, r.z][0], pair[r.y, r.z][1]
        start = end[r.y, r.z] - taken
        top, shift = code << u64(64 - taken), u64(start & 63)
        at = hl.unsafe_promise_clamped((start >> 6) + r.x, 0, self.words.output_buffer().dim(0).extent() - 1)
        self.words[x] = hl.u64(0)
        self.words[at] = self.words[at] | hl.select(r.x == 0, top >> shift, (top << 1) << (63 - shift))
        self.schedule(item, pair, end, r)

    def schedule(self, item, pair, end, r):
        # 4.6 ms/MP of one core of a Xeon, AVX-512
        lanes, tail = self.natural_vector_size(hl.Int(32)), hl.TailStrategy.GuardWithIf
        self.samples.dim(0).set_min(0)
        self.samples.dim(1).set_min(0)
        self.words.update().unroll(r.x)
        pair.compute_root().vectorize(x, lanes, tail)
        item.compute_at(pair, y).vectorize(x, lanes, tail)
        end.compute_root()


if __name__ == "__main__":
    hl.main()
