"""Defects — single pixels that differ from all eight neighbours of their colour by more than noise are replaced.

On square-root codes noise is equally strong everywhere, so a threshold is one number per colour. A star or a far lamp
is small too, but the lens spreads its light over the pixels beside it, which are of other colours: a pixel beside which
there is light of its own kind is left alone. Among texture a pixel must stand out by more.
"""

import functools

import halide as hl

from _quad import GB, GR, I16, U16, B, R, at, mean, plain, x, y

# A pixel is light, and no defect, when its four direct neighbours rise by 1/2^SHARED of its excess. A point spread
# over 0.7 px (standard deviation) gives them 0.36 of its height; confessed choice.
SHARED = 3
COLOUR = {R: 0, GR: 1, GB: 1, B: 2}  # of the four pixels of a quad


def repair(quads, limits, strength):
    """Quads of half codes → repaired ones. `limits`: uint16 Exprs for R, G, B; `strength`: int16 Expr, 32767 = all."""
    fixed = hl.Func("fixed")
    fixed[x, y] = tuple(_pixel(quads, p, limits[COLOUR[p]], strength) for p in range(4))
    return fixed


def doubt(here, highest, lowest, limit):
    """By how much a pixel leaves the range of its ring by more than `limit` and the texture there: 0 for most."""
    spread = highest - lowest
    texture = spread + (spread >> 1)  # confessed choice: at 1.5 the loss on clean Kodak pictures is 0.03 dB
    return hl.saturating_sub(_beyond(here, highest, lowest), hl.saturating_add(limit, texture))


def _beyond(here, highest, lowest):
    return hl.max(hl.saturating_sub(here, highest), hl.saturating_sub(lowest, here))


def _pixel(quads, p, limit, strength):
    here = at(quads, p, 0, 0)
    pairs = [(at(quads, p, -2 * i, -2 * j), at(quads, p, 2 * i, 2 * j)) for i, j in ((1, 0), (0, 1), (1, 1), (-1, 1))]
    ring = [n for pair in pairs for n in pair]
    highest, lowest = functools.reduce(hl.max, ring), functools.reduce(hl.min, ring)
    over, beyond = hl.saturating_sub(here, highest), _beyond(here, highest, lowest)

    # Light beside the pixel, against the same colours two pixels further out.
    sides = ((1, 0), (-1, 0), (0, 1), (0, -1))
    near = mean(*(at(quads, p, i, j) for i, j in sides))
    far = mean(*(at(quads, p, 3 * i, 3 * j) for i, j in sides))
    beside = hl.select(over > 0, hl.saturating_sub(near, far), hl.saturating_sub(far, near))

    flattest, value = None, None
    for a, b in pairs:
        step, middle = hl.absd(a, b), mean(a, b)
        value = middle if flattest is None else hl.select(step < flattest, middle, value)
        flattest = step if flattest is None else hl.min(step, flattest)
    wrong = (doubt(here, highest, lowest, limit) > 0) & ((beyond >> SHARED) > beside)
    change = hl.rounding_mul_shift_right(hl.cast(I16, value) - hl.cast(I16, here), strength, hl.cast(U16, 15))
    return hl.select(wrong, hl.cast(U16, hl.cast(I16, here) + change), here)


@hl.generator(name="defects")
class Defects:
    """Half codes of a mosaic (H, W) uint16 → repaired ones."""

    mosaic = hl.InputBuffer(hl.UInt(16), 2)
    dx = hl.InputScalar(hl.Int(32))
    dy = hl.InputScalar(hl.Int(32))
    limit_r = hl.InputScalar(hl.UInt(16))
    limit_g = hl.InputScalar(hl.UInt(16))
    limit_b = hl.InputScalar(hl.UInt(16))
    strength = hl.InputScalar(hl.Int(16))
    output = hl.OutputBuffer(hl.UInt(16), 2)

    def generate(self):
        limits = (self.limit_r, self.limit_g, self.limit_b)
        plain(
            self.mosaic, lambda quads: repair(quads, limits, self.strength), self.dx, self.dy, self.output,
            self.natural_vector_size(U16),
        )  # fmt: skip


if __name__ == "__main__":
    hl.main()
