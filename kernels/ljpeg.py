"""Lossless JPEG — Huffman-coded differences and their prediction, several tiles at a time.

Each code begins where the one before it ended: a chain of load, shift, look-up and add that leaves most of a core idle.
Four tiles decoded in one loop fill it. The stream comes unstuffed, as big-endian 32-bit words; the second output is the
bit position behind each sample (the caller gives it rows of stride 0: only the last one counts), which says whether
the data held what it promised. Source: [T81] annexes F and H.
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


if __name__ == "__main__":
    hl.main()
