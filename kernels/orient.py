"""Orient — turn and mirror an interleaved picture the way the camera was held.

The eight EXIF orientations are three bits: swap the axes first, then mirror columns, then rows.
"""

import halide as hl

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")


def orient(image, swap, mirror_x, mirror_y, output):
    """Write into `output` the turned `image`; both interleaved, halide order (c, x, y)."""
    target = output.output_buffer()
    width, height = target.dim(1).extent(), target.dim(2).extent()
    u = hl.select(mirror_x, width - 1 - x, x)
    v = hl.select(mirror_y, height - 1 - y, y)
    # Both branches are evaluated for bounds, so each is held inside the image that it reads.
    columns, rows = image.dim(1).extent() - 1, image.dim(2).extent() - 1
    swapped = image[c, hl.clamp(v, 0, columns), hl.clamp(u, 0, rows)]
    upright = image[c, hl.clamp(u, 0, columns), hl.clamp(v, 0, rows)]
    output[c, x, y] = hl.select(swap, swapped, upright)

    for buffer in (image, target):
        buffer.dim(0).set_bounds(0, 3)
        buffer.dim(0).set_stride(1)
        buffer.dim(1).set_stride(3)
    # 64x64 tiles keep both the rows read and the rows written in L1 when the axes are swapped.
    xo, yo, xi, yi = hl.Var("xo"), hl.Var("yo"), hl.Var("xi"), hl.Var("yi")
    output.bound(c, 0, 3).reorder(c, x, y).unroll(c)
    output.tile(x, y, xo, yo, xi, yi, 64, 64, hl.TailStrategy.GuardWithIf).parallel(yo)
    output.specialize(~swap & ~mirror_x)
    output.specialize(~swap & mirror_x)
    output.specialize(swap)


@hl.generator(name="orient_u8")
class OrientU8:
    image = hl.InputBuffer(hl.UInt(8), 3)
    swap = hl.InputScalar(hl.Bool())
    mirror_x = hl.InputScalar(hl.Bool())
    mirror_y = hl.InputScalar(hl.Bool())
    output = hl.OutputBuffer(hl.UInt(8), 3)

    def generate(self):
        orient(self.image, self.swap, self.mirror_x, self.mirror_y, self.output)


@hl.generator(name="orient_u16")
class OrientU16:
    image = hl.InputBuffer(hl.UInt(16), 3)
    swap = hl.InputScalar(hl.Bool())
    mirror_x = hl.InputScalar(hl.Bool())
    mirror_y = hl.InputScalar(hl.Bool())
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        orient(self.image, self.swap, self.mirror_x, self.mirror_y, self.output)


if __name__ == "__main__":
    hl.main()
