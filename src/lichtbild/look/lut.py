"""Tables of colours, .cube and HaldCLUT: read, written, applied.

A table here maps encoded display values to encoded display values. A .cube file may say its domain; what spaces it was
made for it cannot say, so both ends are taken for the display's own (sRGB unless another is asked for).
Sources: [Cube1] the .cube format; a HaldCLUT of level L is a picture of L³ x L³ pixels that holds a table of edge L²,
red fastest [HaldCLUT]; [Kasson1995] interpolation in tetrahedra.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..types import F32, F64, U8, U16, U32
from .spec import LookError

Triple = tuple[float, float, float]
MOST = 256  # the largest edge that is read: 200 MB as float32
_MOST_CURVE = 65536
_HALD_LEVELS = range(2, 17)
_FINER = 65  # points an edge of a table that takes a curve in
_ROUGHEST = 2.5  # mean rise and fall along an edge of a table; an identity has 1, a photograph some 10


@dataclass(frozen=True, eq=False)
class Table:
    """`values` (n, n, n, 3) float32, indexed blue, green, red; input from `low` to `high` per channel.

    `curve` (m, 3): what each channel goes through before, over `curve_low` to `curve_high`.
    """

    values: F32
    low: Triple = (0.0, 0.0, 0.0)
    high: Triple = (1.0, 1.0, 1.0)
    curve: F64 | None = None
    curve_low: Triple = (0.0, 0.0, 0.0)
    curve_high: Triple = (1.0, 1.0, 1.0)

    @property
    def size(self) -> int:
        """Points along an edge."""
        return len(self.values)


def read(path: pathlib.Path) -> Table:
    """The table of a .cube file or of a HaldCLUT picture. Raises LookError in one line."""
    try:
        if path.suffix.lower() == ".cube":
            return read_cube(path.read_text("utf-8-sig"), str(path))
        return _read_hald(path)
    except UnicodeDecodeError:
        raise LookError(f"{path}: not a text file in UTF-8, as .cube files are") from None
    except OSError as error:
        raise LookError(f"{path}: {error.strerror or error}") from None


def read_cube(text: str, where: str) -> Table:
    """The table of the text of a .cube file: of one dimension, of three, or a curve before one. Raises LookError."""
    size, curve, rows = 0, 0, list[str]()
    bounds: dict[str, Triple] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words, at = line.split(), f"{where}: line {number}"
        if not words or words[0].startswith("#") or words[0] == "TITLE":
            continue
        if words[0] == "LUT_3D_SIZE":
            size = _edge(words, at, MOST)
        elif words[0] == "LUT_1D_SIZE":
            curve = _edge(words, at, _MOST_CURVE)
        elif words[0] in ("DOMAIN_MIN", "DOMAIN_MAX"):
            bounds[words[0]] = _triple(words[1:], at)
        elif words[0] in ("LUT_1D_INPUT_RANGE", "LUT_3D_INPUT_RANGE") and len(words) == 3:
            low, high = (_triple([w] * 3, at) for w in words[1:])
            bounds |= {f"{words[0][:6]} low": low, f"{words[0][:6]} high": high}
        elif words[0][0].isalpha() and words[0].lower() not in ("nan", "inf", "infinity"):
            raise LookError(f"{at}: unknown word '{words[0][:40]}'")
        elif len(words) != 3:
            raise LookError(f"{at}: expected three numbers, got {len(words)}")
        else:
            rows.append(line)
    if not (size or curve):
        raise LookError(f"{where}: not a .cube table: LUT_3D_SIZE is missing")
    if len(rows) != curve + size**3:
        sizes = f"LUT_1D_SIZE {curve}" if not size else f"LUT_3D_SIZE {size}"
        raise LookError(f"{where}: expected {curve + size**3} lines of colours for {sizes}, got {len(rows)}")
    return _assemble(_values(rows, where), size, curve, bounds, where)


def _assemble(values: F32, size: int, curve: int, bounds: dict[str, Triple], where: str) -> Table:
    first, last = bounds.get("DOMAIN_MIN", (0.0, 0.0, 0.0)), bounds.get("DOMAIN_MAX", (1.0, 1.0, 1.0))
    for key in ("LUT_1D", "LUT_3D"):
        low, high = bounds.get(f"{key} low", first), bounds.get(f"{key} high", last)
        if not all(a < b for a, b in zip(low, high, strict=True)):
            raise LookError(f"{where}: DOMAIN_MIN {low} must lie below DOMAIN_MAX {high}")
    low, high = bounds.get("LUT_3D low", first), bounds.get("LUT_3D high", last)
    table = values[curve:].reshape(size, size, size, 3)
    if not curve:
        return Table(table, low, high)
    before = values[:curve].astype(np.float64)
    if not size:  # behind the curve nothing happens
        low, high = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        table = grid(2).astype(np.float32).reshape(2, 2, 2, 3)
    return Table(table, low, high, before, bounds.get("LUT_1D low", first), bounds.get("LUT_1D high", last))


def _values(rows: list[str], where: str) -> F32:
    try:
        values = np.array(" ".join(rows).split(), np.float32)
    except ValueError as error:
        raise LookError(f"{where}: {error}") from None
    if not np.isfinite(values).all():
        raise LookError(f"{where}: a colour is no finite number")
    return values.reshape(-1, 3)


def _edge(words: list[str], where: str, most: int) -> int:
    if len(words) != 2 or not words[1].isdigit() or not 2 <= int(words[1][:9]) <= most:
        raise LookError(f"{where}: {words[0]}: expected a whole number 2..{most}, got '{' '.join(words[1:])[:40]}'")
    return int(words[1])


def _triple(words: list[str], where: str) -> Triple:
    try:
        r, g, b = (float(w) for w in words)
    except ValueError:
        raise LookError(f"{where}: expected three numbers, got '{' '.join(words)[:40]}'") from None
    if not np.isfinite([r, g, b]).all():
        raise LookError(f"{where}: expected finite numbers, got '{' '.join(words)[:40]}'")
    return r, g, b


def _read_hald(path: pathlib.Path) -> Table:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            width, height = picture.size
            level = round(width ** (1 / 3))
            if width != height or level**3 != width or level not in _HALD_LEVELS:
                raise LookError(f"{path}: not a HaldCLUT: expected a square of 8, 27, 64 … 4096 pixels, "
                                f"got {width} x {height}")  # fmt: skip
            picture.load()  # all of it is there; but Pillow has no 16-bit RGB
        rgb = _pixels(path)
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        first = next(iter(str(error).splitlines()), "damaged")  # a decoder may list all that it has tried
        raise LookError(f"{path}: not a picture that can be read as a HaldCLUT: {first}") from None
    edge = level * level
    values = rgb.reshape(edge, edge, edge, 3)
    ways = [float(np.abs(np.diff(values, axis=k)).sum(axis=k).mean()) for k in range(3)]
    if max(ways) > _ROUGHEST:
        raise LookError(f"{path}: not a HaldCLUT but another picture: neighbouring colours have nothing in common")
    return Table(values)


def _pixels(path: pathlib.Path) -> F32:
    """(H, W, 3) in 0..1 of a PNG or TIFF with 8 or 16 bits."""
    import imagecodecs

    coded = np.asarray(imagecodecs.imread(path))
    if coded.ndim == 2:
        coded = np.repeat(coded[..., None], 3, axis=2)
    if coded.ndim != 3 or coded.shape[2] < 3 or coded.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected RGB in 8 or 16 bits, got {coded.dtype} {coded.shape}")
    return np.asarray(coded[..., :3], np.float32) / np.float32(np.iinfo(coded.dtype).max)


def cube_text(values: F32, title: str, notes: list[str]) -> str:
    """The text of a .cube file; `values` (n, n, n, 3) indexed blue, green, red, `notes` become comments."""
    head = [f'TITLE "{title}"', *(f"# {note}" for note in notes), f"LUT_3D_SIZE {len(values)}"]
    return "\n".join([*head, *(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in values.reshape(-1, 3).tolist()), ""])


def hald_picture(values: F32) -> U16:
    """The HaldCLUT (L³, L³, 3) uint16 of a table of edge L². Raises ValueError for another edge."""
    level = round(len(values) ** 0.5)
    if level * level != len(values):
        raise ValueError(f"a HaldCLUT has an edge of 4, 9, 16 … points, not {len(values)}")
    coded = np.clip(values, 0, 1) * 65535 + 0.5
    return coded.astype(np.uint16).reshape(level**3, level**3, 3)


def grid(size: int) -> F64:
    """The inputs (size³, 3) of a table, red fastest."""
    axis = np.linspace(0.0, 1.0, size)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return np.stack([red, green, blue], axis=-1).reshape(-1, 3)


def twin(encoded: NDArray[Any], table: Table) -> F64:
    """The table applied to values (..., 3), in NumPy float64: interpolated in tetrahedra."""
    n = table.size
    low, high = np.array(table.low), np.array(table.high)
    place = np.clip((curved(np.asarray(encoded, np.float64), table) - low) / (high - low), 0.0, 1.0) * (n - 1)
    cell = np.minimum(place.astype(np.int64), n - 2)
    part = place - cell
    order = np.argsort(-part, axis=-1, kind="stable")
    sizes = np.take_along_axis(part, order, axis=-1)
    steps = np.array([1, n, n * n])[order]
    at = cell @ np.array([1, n, n * n])
    flat = table.values.reshape(-1, 3).astype(np.float64)
    out = flat[at] * (1.0 - sizes[..., :1])
    for k in range(3):
        at = at + steps[..., k]
        out += flat[at] * (sizes[..., k, None] - (sizes[..., k + 1, None] if k < 2 else 0.0))
    return np.asarray(out, np.float64)


def curved(values: F64, table: Table) -> F64:
    """Values (..., 3) behind the table's curve; linear between its points."""
    if table.curve is None:
        return values
    ends = zip(table.curve_low, table.curve_high, table.curve.T, strict=True)
    return np.stack([np.interp(values[..., i], np.linspace(low, high, len(rows)), rows)
                     for i, (low, high, rows) in enumerate(ends)], axis=-1)  # fmt: skip


def words(values: F64) -> U32:
    """(n³, 2): what kernels look up, four 16-bit numbers a colour, the last one 0. `values` (n³, 3) in 0..1."""
    packed = np.zeros((len(values), 4), np.uint16)
    packed[:, :3] = values * 65535 + 0.5
    return packed.view(np.uint32)


def apply(image: U16, table: Table, strength: float = 1.0, bits: int = 8, dither: float = 1.0) -> U8 | U16:
    """A finished picture (H, W, 3) uint16 through the table, in 8 or 16 bits; `strength` mixes in the original."""
    if table.curve is not None:
        return _apply_curved(image, table, strength, bits, dither)
    values = np.clip(table.values.reshape(-1, 3), 0.0, 1.0).astype(np.float64)
    low, high = np.array(table.low, np.float64), np.array(table.high, np.float64)
    if strength != 1.0:
        values = strength * values + (1.0 - strength) * np.clip(low + grid(table.size) * (high - low), 0.0, 1.0)
    out = np.empty(image.shape, np.uint8 if bits == 8 else np.uint16)
    scale, shift = 1 / (high - low), -low / (high - low)
    kernels.call(
        f"lut_u{bits}", image=image, table=words(values), size=table.size, scale=(scale / 65535).astype(np.float32),
        shift=shift.astype(np.float32), dither=dither, output=out,
    )  # fmt: skip
    return out


def _apply_curved(image: U16, table: Table, strength: float, bits: int, dither: float) -> U8 | U16:
    """A table behind a curve: the curve becomes part of a finer table over 0..1."""
    finer = max(table.size, _FINER)
    values = twin(grid(finer), table).astype(np.float32).reshape(finer, finer, finer, 3)
    return apply(image, Table(values), strength, bits, dither)
