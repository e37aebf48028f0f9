"""Lossless JPEG — Huffman-coded differences and their prediction, several tiles at a time.

Each code begins where the one before it ended: a chain of load, shift, look-up and add that leaves most of a core idle.
Four tiles decoded in one loop fill it. The stream comes unstuffed, as big-endian 32-bit words; the second output is the
bit position behind each sample (the caller gives it rows of stride 0: only the last one counts), which says whether
the data held what it promised.

Encoding is the other way round: what a sample becomes is known at once, and only where it lies is a chain, of one
addition. The codes of two samples are at most 62 bits and are laid into the stream together. Predictor 1, 16 bits.
Source: [T81] annexes F and H.
"""

import halide as hl

x, y, t, to, ti = (hl.Var(n) for n in ("x", "y", "t", "to", "ti"))
LANES = 4


def u64(e):
    return hl.cast(hl.UInt(64), e)


def difference(words, table, start, position, component, tile, bits):
    """The difference coded at a bit position of the stream, and how many bits it took."""
    word = hl.clamp(start + (position >> 5), 0, words.dim(0).extent() - 2)
    window = ((u64(words[word]) << 32) | u64(words[word + 1])) << u64(position & 31)
    index = hl.cast(hl.Int(32), window >> u64(64 - bits))
    entry = table[hl.unsafe_promise_clamped(index, 0, table.dim(0).extent() - 1), component, tile]
    length, size = entry & 31, (entry >> 5) & 31
    rest = window << u64(length)
    value = hl.cast(hl.Int(32), (rest >> 1) >> u64(63 - size))
    # A leading 0 means a negative difference, counted from -(2^size - 1).
    negative = hl.cast(hl.Int(32), hl.cast(hl.Int(64), rest) >> 63) ^ -1
    return value - (negative & hl.cast(hl.Int(32), (hl.u32(1) << size) - 1)), hl.cast(hl.Int(32), entry >> 10)


@hl.generator(name="ljpeg")
class LosslessJpeg:
    words = hl.InputBuffer(hl.UInt(32), 1)
    starts = hl.InputBuffer(hl.Int(32), 1)  # first word of each tile
    # (index, component, tile): next bits of the stream → bits used << 10 | size of the difference << 5 | code length
    table = hl.InputBuffer(hl.UInt(32), 3)
    bits = hl.InputScalar(hl.Int(32))  # of an index into the table
    components = hl.InputScalar(hl.Int(32))
    first = hl.InputScalar(hl.Int(32))  # prediction of the first sample
    predictor = hl.InputScalar(hl.Int(32))
    samples = hl.OutputBuffer([hl.UInt(16), hl.Int(32)], 3)  # (x with components interleaved, y, tile)

    def generate(self):
        out = self.samples
        target = out.output_buffers()[0]
        width, height = target.dim(0).extent(), target.dim(1).extent()
        r = hl.RDom([(0, width), (0, height)])
        n = self.components
        out[x, y, t] = (hl.undef(hl.UInt(16)), hl.undef(hl.Int(32)))

        inner = hl.likely(r.x >= n)
        left = hl.cast(hl.Int(32), out[hl.max(r.x - n, 0), r.y, t][0])
        up_row = hl.max(r.y - 1, 0)
        up = hl.cast(hl.Int(32), out[r.x, up_row, t][0])
        corner = hl.cast(hl.Int(32), out[hl.max(r.x - n, 0), up_row, t][0])
        p = self.predictor
        mixed = hl.select(
            p == 1, left, p == 2, up, p == 3, corner, p == 4, left + up - corner, p == 5, left + ((up - corner) >> 1),
            p == 6, up + ((left - corner) >> 1), (left + up) >> 1,
        )  # fmt: skip
        below = hl.select(inner, mixed, up)
        begin = hl.select(r.x >= n, left, self.first)
        predicted = hl.select(r.y > 0, below, begin)

        before = hl.select(hl.likely(r.x > 0), hl.max(r.x - 1, 0), width - 1)
        behind = out[before, hl.select(hl.likely(r.x > 0), r.y, up_row), t][1]
        position = hl.select((r.x > 0) | (r.y > 0), behind, 0)
        component = r.x % n
        d, used = difference(self.words, self.table, self.starts[t], position, component, t, self.bits)
        out[r.x, r.y, t] = (hl.cast(hl.UInt(16), predicted + d), position + used)

        for i in range(3):
            target.dim(i).set_min(0)
        loop = out.update(0)
        loop.split(t, to, ti, LANES, hl.TailStrategy.GuardWithIf).reorder(ti, r.x, r.y, to).unroll(ti)
        for value in (1, 6):
            loop.specialize((n == 1) & (p == value) & (target.dim(2).extent() == LANES))


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
