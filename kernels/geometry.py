"""Geometry — one bicubic resampling along a coarse grid of source coordinates."""

import halide as hl

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")

STEP = 16  # pixels between grid points; lichtbild.develop.geometry lays the grid with the same step


def keys(t):
    """Weights of the four neighbours for a fraction t in 0..1. Source: [Keys1981], a = -1/2."""
    t2, t3 = t * t, t * t * t
    return [
        -0.5 * t3 + t2 - 0.5 * t,
        1.5 * t3 - 2.5 * t2 + 1.0,
        -1.5 * t3 + 2.0 * t2 + 0.5 * t,
        0.5 * t3 - 0.5 * t2,
    ]


@hl.generator(name="geometry")
class Geometry:
    """code (3, H, W) → code (3, H, W); `grid` (P, 2, gh, gw): source x and y of every STEP-th pixel, P = 1 or 3."""

    code = hl.InputBuffer(hl.UInt(16), 3)
    grid = hl.InputBuffer(hl.Float(32), 4)
    output = hl.OutputBuffer(hl.UInt(16), 3)

    def generate(self):
        g = self
        width, height = g.code.dim(0).extent(), g.code.dim(1).extent()
        edged = hl.BoundaryConditions.repeat_edge(g.code)

        # Rows first: one interpolated row of coordinates per row of pixels, then along the row.
        row, source = hl.Func("row"), hl.Func("source")
        i, k, p = hl.Var("i"), hl.Var("k"), hl.Var("p")
        gy, fy = y / STEP, hl.cast(hl.Float(32), y % STEP) * (1.0 / STEP)
        row[i, k, p, y] = g.grid[i, gy, k, p] * (1.0 - fy) + g.grid[i, gy + 1, k, p] * fy
        gx, fx = x / STEP, hl.cast(hl.Float(32), x % STEP) * (1.0 / STEP)
        plane = hl.min(c, g.grid.dim(3).extent() - 1)
        source[x, y, k, c] = row[gx, k, plane, y] * (1.0 - fx) + row[gx + 1, k, plane, y] * fx

        u = hl.clamp(source[x, y, 0, c], -2.0, hl.cast(hl.Float(32), width) + 1.0)
        v = hl.clamp(source[x, y, 1, c], -2.0, hl.cast(hl.Float(32), height) + 1.0)
        iu, iv = hl.cast(hl.Int(32), hl.floor(u)), hl.cast(hl.Int(32), hl.floor(v))
        wu, wv = keys(u - hl.floor(u)), keys(v - hl.floor(v))
        total = hl.f32(0.0)
        for j in range(4):
            line = hl.f32(0.0)
            for n in range(4):
                at = edged[hl.clamp(iu + n - 1, 0, width - 1), hl.clamp(iv + j - 1, 0, height - 1), c]
                line += wu[n] * hl.cast(hl.Float(32), at)
            total += wv[j] * line
        g.output[x, y, c] = hl.cast(hl.UInt(16), hl.clamp(total + 0.5, 0.0, 65535.0))

        lanes = g.natural_vector_size(hl.Float(32))
        yo, yi = hl.Var("yo"), hl.Var("yi")
        g.output.reorder(x, c, y).split(y, yo, yi, 32, hl.TailStrategy.GuardWithIf).parallel(yo)
        g.output.vectorize(x, lanes, hl.TailStrategy.GuardWithIf)
        row.compute_at(g.output, yi).vectorize(i, lanes, hl.TailStrategy.GuardWithIf)


if __name__ == "__main__":
    hl.main()
