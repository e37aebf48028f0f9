"""What several kernels share: the square-root code of camera light, borders, and small algebra on expressions."""

import halide as hl

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")


def encode(value, scale, offset):
    """Camera light → 16-bit square-root code; see lichtbild.types.Encoding."""
    code = scale * hl.sqrt(hl.max(value + offset, 0.0))
    return hl.cast(hl.UInt(16), hl.min(code + 0.5, 65535.0))


def decode(code, scale, offset):
    """16-bit square-root code → camera light; the algebraic inverse."""
    root = hl.cast(hl.Float(32), code) * (1.0 / scale)
    return root * root - offset


def mat3(matrix, rgb):
    """3x3 matrix (an input of rank 2, halide order: column, row) times a triple of expressions."""
    return [matrix[0, i] * rgb[0] + matrix[1, i] * rgb[1] + matrix[2, i] * rgb[2] for i in range(3)]


def luminance(rgb):
    """Relative luminance of linear Rec.2020, D65. Source: ITU-R BT.2020."""
    return 0.2627002 * rgb[0] + 0.6779981 * rgb[1] + 0.0593017 * rgb[2]
