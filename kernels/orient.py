"""Orient — swap the axes of an interleaved picture. Mirroring is free: the finish pass does it while writing."""

import halide as hl

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")
TILE = 64  # pixels; both the rows read and the rows written of a tile stay in L1


def transpose(image, output):
    """Write into `output` at (c, x, y) what `image` holds at (c, y, x); both interleaved."""
    output[c, x, y] = image[c, y, x]
    for buffer in (image, output.output_buffer()):
        buffer.dim(0).set_bounds(0, 3)
        buffer.dim(0).set_stride(1)
        buffer.dim(1).set_stride(3)
    xo, yo, xi, yi = hl.Var("xo"), hl.Var("yo"), hl.Var("xi"), hl.Var("yi")
    output.bound(c, 0, 3).reorder(c, x, y).unroll(c)
    output.tile(x, y, xo, yo, xi, yi, TILE, TILE, hl.TailStrategy.GuardWithIf).parallel(yo)


@hl.generator(name="transpose_u8")
class TransposeU8:
    image = hl.InputBuffer(hl.UInt(8), 3)
    output = hl.OutputBuffer(hl.UInt(8), 3)

    def generate(self):
        transpose(self.image, self.output)


@hl.generator(name="transpose_u16")
class TransposeU16:
    image = hl.InputBuffer(hl.UInt(16), 3)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        transpose(self.image, self.output)


if __name__ == "__main__":
    hl.main()
