"""The first bits of a JPEG XL codestream, read and written again: how wide the samples and which colour space.

The encoder at hand takes linear sRGB only. In lossy mode its codes are absolute (XYB), so telling the decoder to come
back to Display P3 is a matter of the header, and light outside sRGB is kept because it goes in below zero.
Source: [ISO18181-1] Annex D: U32, Enum, SizeHeader (D.2), ImageMetadata (D.3), ColourEncoding (E.2).
"""

from __future__ import annotations

_U32_SIZE = (9, 13, 18, 30)
_RGB, _D65, _SRGB_TRANSFER, _RELATIVE = 0, 1, 13, 1
_PRIMARIES = {"srgb": 1, "p3": 11}


class _Bits:
    """Least significant bit first."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.out = data, 0, list[int]()

    def read(self, count: int) -> int:
        value = 0
        for i in range(count):
            value |= (self.data[self.at >> 3] >> (self.at & 7) & 1) << i
            self.at += 1
        return value

    def copy(self, count: int) -> int:
        value = self.read(count)
        self.write(value, count)
        return value

    def write(self, value: int, count: int) -> None:
        self.out += [value >> i & 1 for i in range(count)]

    def enum(self, value: int) -> None:
        """U32(0, 1, 2 + u(4), 18 + u(6)) of `value` below 18."""
        if value < 2:
            self.write(value, 2)
        else:
            self.write(2, 2)
            self.write(value - 2, 4)

    def skip_enum(self) -> int:
        kind = self.read(2)
        return kind if kind < 2 else 2 + self.read(4) if kind == 2 else 18 + self.read(6)

    def packed(self) -> bytes:
        bits = self.out + [0] * (-len(self.out) % 8)
        return bytes(sum(b << i for i, b in enumerate(bits[k : k + 8])) for k in range(0, len(bits), 8))


def recolour(codestream: bytes, space: str) -> bytes:
    """The codestream, declared as 16-bit samples in `space` ("srgb" or "p3") with the sRGB curve.

    Raises ValueError where the header is not one of an XYB picture without extras.
    """
    if codestream[:2] != b"\xff\x0a":
        raise ValueError("not a JPEG XL codestream")
    bits = _Bits(codestream[2:66])
    _size(bits)
    if bits.read(1):
        raise ValueError("a header of defaults only")
    _need(bits.read(1) == 0, "extra fields")
    bits.write(0, 2)  # not all default, no extra fields
    _depth(bits)
    bits.copy(1)  # modular_16_bit_buffers
    _need(bits.copy(2) == 0, "extra channels")
    _need(bits.copy(1) == 1, "a picture that is not XYB")
    _skip_colour(bits)
    bits.write(0b00, 2)  # not all default; no ICC profile
    for value in (_RGB, _D65, _PRIMARIES[space]):
        bits.enum(value)
    bits.write(0, 1)  # no gamma
    bits.enum(_SRGB_TRANSFER)
    bits.enum(_RELATIVE)
    _need(bits.copy(2) == 0, "extensions")
    _need(bits.copy(1) == 1, "another XYB transform")
    rest = (bits.at + 7) // 8
    return b"\xff\x0a" + bits.packed() + codestream[2 + rest :]


def _need(ok: bool, what: str) -> None:
    if not ok:
        raise ValueError(f"JPEG XL header: {what} not expected")


def _size(bits: _Bits) -> None:
    small = bits.copy(1)
    for side in range(2):
        if side and bits.copy(3):  # a ratio stands for the width
            return
        bits.copy(5) if small else bits.copy(_U32_SIZE[bits.copy(2)])


def _depth(bits: _Bits) -> None:
    if bits.read(1):
        if bits.read(2) == 3:
            bits.read(6)
        bits.read(4)
    elif bits.read(2) == 3:
        bits.read(6)
    bits.write(0, 1)
    bits.write(3, 2)
    bits.write(15, 6)  # 1 + 15


def _skip_colour(bits: _Bits) -> None:
    if bits.read(1):
        return
    _need(bits.read(1) == 0, "an ICC profile")
    for _ in range(3):
        _need(bits.skip_enum() in (0, 1), "another colour space")
    if bits.read(1):
        bits.read(24)
    else:
        bits.skip_enum()
    bits.skip_enum()
