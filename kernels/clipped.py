"""Clipped — clipped samples of a mosaic are raised to their neighbours; the why stands in develop/highlights.py."""

import functools
import operator

import halide as hl

from _quad import GB, GR, HALF_MAX, U16, at, mean, plain, x, y

FLAG = 15  # the bit beside a half code that says: this sample is clipped


def flagged(half, raw, limit):
    """Half code with the flag set where the raw number reaches `limit`."""
    return half | (hl.cast(U16, raw >= limit) << FLAG)


def raised(quads):
    """Quads of flagged half codes → half codes without flags."""
    out = hl.Func("raised")
    out[x, y] = tuple(_pixel(quads, p) for p in range(4))
    return out


def _pixel(quads, p):
    def code(i, j):
        return at(quads, p, i, j) & hl.cast(U16, HALF_MAX)

    rows, columns = mean(code(-1, 0), code(1, 0)), mean(code(0, -1), code(0, 1))
    corners = ((-1, -1), (1, -1), (-1, 1), (1, 1))
    if p in (GR, GB):
        alike, guess = corners, mean(rows, columns)
    else:
        alike = ((-2, 0), (2, 0), (0, -2), (0, 2))
        guess = mean(mean(rows, columns), mean(*(code(*o) for o in corners)))
    beside = functools.reduce(operator.add, (at(quads, p, *o) >> FLAG for o in alike))
    here = code(0, 0)
    rise = hl.saturating_sub(guess, here)
    rise = hl.select(beside >= 2, rise, beside == 1, rise >> 1, hl.cast(U16, 0))
    return hl.select(at(quads, p, 0, 0) > HALF_MAX, here + rise, here)


@hl.generator(name="clipped")
class Clipped:
    """Flagged half codes of a mosaic (H, W) uint16 → half codes."""

    mosaic = hl.InputBuffer(hl.UInt(16), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    output = hl.OutputBuffer(hl.UInt(16), 2)

    def generate(self):
        plain(self.mosaic, raised, self.dx, self.dy, self.output, self.natural_vector_size(U16))


if __name__ == "__main__":
    hl.main()
