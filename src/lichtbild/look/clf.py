"""CLF and CTF: a look as a list of steps in XML, read and written.

A look is written as it is computed: a matrix into the rendering primaries, a logarithm, a curve per channel and a table
of colours. So the table holds only moves of hue and chroma, which are smooth, and 33 points an edge lose less than 65
do behind a logarithm alone. CTF says the same steps in the words of its version 2. Read are Matrix, Range, Log, LUT1D
and LUT3D of any bit depth; others are refused by name. Sources: [CLF]; CTF as OpenColorIO's documentation has it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..types import F64
from .lut import MOST, Table, twin
from .spec import LookError

_DEPTHS = {"8i": 255.0, "10i": 1023.0, "12i": 4095.0, "16i": 65535.0, "16f": 1.0, "32f": 1.0}
_MOST_STEPS, _MOST_ENTRIES, _TINY = 32, 1 << 17, float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class Matrix:
    """`values` (3, 4): three columns for R, G, B and an offset."""

    values: F64

    def apply(self, values: F64) -> F64:
        """Matrix times values, plus offset."""
        return np.asarray(values @ self.values[:, :3].T + self.values[:, 3], np.float64)

    def text(self) -> str:
        """Three rows of three numbers; an offset is never written."""
        rows = "\n".join(" ".join(f"{v:.9g}" for v in row[:3]) for row in self.values)
        return f'<Matrix inBitDepth="32f" outBitDepth="32f">\n<Array dim="3 3">\n{rows}\n</Array>\n</Matrix>'


@dataclass(frozen=True)
class Log:
    """log_side = slope·log2(lin_slope·x + lin_offset) + offset, or its inverse; linear below `at`, if there is one."""

    slope: float
    offset: float
    lin_slope: float = 1.0
    lin_offset: float = 0.0
    at: float | None = None
    inverse: bool = False

    def apply(self, values: F64) -> F64:
        """The logarithm of what is positive, or its inverse."""
        if self.inverse:
            curved: F64 = (np.exp2((values - self.offset) / self.slope) - self.lin_offset) / self.lin_slope
        else:
            positive = np.maximum(self.lin_slope * values + self.lin_offset, _TINY)
            curved = self.slope * np.log2(positive) + self.offset
        if self.at is None:
            return curved
        inside = self.lin_slope * self.at + self.lin_offset
        rise, start = self.slope * self.lin_slope / (inside * np.log(2)), self.slope * np.log2(inside) + self.offset
        if self.inverse:
            return np.where(values <= start, (values - start) / rise + self.at, curved)
        return np.where(values <= self.at, rise * (values - self.at) + start, curved)

    def text(self) -> str:
        """Written in one direction: light to logarithm, without a linear part."""
        return (
            '<Log inBitDepth="32f" outBitDepth="32f" style="linToLog">\n'
            f'<LogParams base="2" logSideSlope="{self.slope:.9g}" logSideOffset="{self.offset:.9g}" '
            f'linSideSlope="{self.lin_slope:.9g}" linSideOffset="{self.lin_offset:.9g}" />\n</Log>'
        )


@dataclass(frozen=True, eq=False)
class Curve:
    """`values` (n, 3): a curve per channel over 0..1; with `half` over all 65536 numbers of 16-bit floats."""

    values: F64
    half: bool = False

    def apply(self, values: F64) -> F64:
        """Linear between the entries."""
        at, rows = np.linspace(0.0, 1.0, len(self.values)), self.values
        if self.half:
            numbers = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float64)
            order = np.argsort(numbers)
            order = order[np.isfinite(numbers[order])]
            at, rows = numbers[order], self.values[order]
        return np.stack([np.interp(v, at, row) for v, row in zip(values.T, rows.T, strict=True)], axis=-1)

    def text(self) -> str:
        """One line per entry."""
        rows = "\n".join(f"{r:.7g} {g:.7g} {b:.7g}" for r, g, b in self.values.tolist())
        return (
            '<LUT1D inBitDepth="32f" outBitDepth="32f" interpolation="linear">\n'
            f'<Array dim="{len(self.values)} 3">\n{rows}\n</Array>\n</LUT1D>'
        )


@dataclass(frozen=True, eq=False)
class Range:
    """x·scale + offset, held between `low` and `high`."""

    scale: float
    offset: float
    low: float
    high: float

    def apply(self, values: F64) -> F64:
        """Scaled and held."""
        return np.clip(values * self.scale + self.offset, self.low, self.high)


@dataclass(frozen=True, eq=False)
class Cube:
    """A table of colours."""

    table: Table

    def apply(self, values: F64) -> F64:
        """In tetrahedra."""
        return twin(values, self.table)

    def text(self) -> str:
        """One line per colour, blue fastest."""
        n = self.table.size
        rows = self.table.values.transpose(2, 1, 0, 3).reshape(-1, 3).tolist()
        lines = "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in rows)
        return (
            '<LUT3D inBitDepth="32f" outBitDepth="32f" interpolation="tetrahedral">\n'
            f'<Array dim="{n} {n} {n} 3">\n{lines}\n</Array>\n</LUT3D>'
        )


Written = Matrix | Log | Curve | Cube
Step = Written | Range


def run(steps: Sequence[Step], values: F64) -> F64:
    """All steps, one after the other."""
    for step in steps:
        values = step.apply(values)
    return values


def write(steps: Sequence[Written], name: str, title: str, spaces: tuple[str, str], ctf: bool = False) -> str:
    """The steps as a CLF, or as a CTF; `spaces` says what goes in and what comes out."""
    from xml.sax.saxutils import escape, quoteattr  # late: it brings a web client along, 15 ms

    version = 'version="2.0"' if ctf else 'compCLFversion="3.0"'
    return "\n".join([
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<ProcessList id={quoteattr(name)} name={quoteattr(title)} {version}>",
        f"<InputDescriptor>{escape(spaces[0])}</InputDescriptor>",
        f"<OutputDescriptor>{escape(spaces[1])}</OutputDescriptor>",
        *(step.text() for step in steps),
        "</ProcessList>", "",
    ])  # fmt: skip


def read(text: str, where: str) -> tuple[list[Step], str]:
    """The steps of a CLF or CTF file, and what it says of its input. Raises LookError in one line."""
    if re.search(r"<!(DOCTYPE|ENTITY)", text):
        raise LookError(f"{where}: declares a document type, which no CLF or CTF file does")
    try:
        root = xml.fromstring(text)
    except (xml.ParseError, ValueError, LookupError) as error:
        raise LookError(f"{where}: not XML: {error}") from None
    if _name(root) != "ProcessList":
        raise LookError(f"{where}: not a CLF or CTF file: its root is '{_name(root)[:40]}', not ProcessList")
    found = [node for node in root if _name(node) not in ("Description", "InputDescriptor", "OutputDescriptor", "Info")]
    if not 0 < len(found) <= _MOST_STEPS:
        raise LookError(f"{where}: expected 1..{_MOST_STEPS} steps, got {len(found)}")
    try:
        steps = [_step(node) for node in found if node.get("bypass", "false") != "true"]
    except (ValueError, TypeError, OverflowError) as error:
        raise LookError(f"{where}: {' '.join(str(error).split())[:200]}") from None
    said = _child(root, "InputDescriptor")
    return steps, (said.text or "") if said is not None else ""


def _name(node: xml.Element) -> str:
    return node.tag.rsplit("}", 1)[-1]


def _child(node: xml.Element, name: str) -> xml.Element | None:
    return next((child for child in node if _name(child) == name), None)


def _step(node: xml.Element) -> Step:
    kinds: dict[str, Callable[[xml.Element], Step]] = {
        "Matrix": _matrix, "Log": _log, "LUT1D": _curve, "LUT3D": _cube, "Range": _range,
    }  # fmt: skip
    kind = _name(node)
    if kind not in kinds:
        raise ValueError(f"the step '{kind[:40]}' cannot be read: known are {', '.join(kinds)}")
    return kinds[kind](node)


def _scale(node: xml.Element, side: str) -> float:
    depth = node.get(side, "32f")
    if depth not in _DEPTHS:
        raise ValueError(f"{_name(node)}: {side}: expected one of {', '.join(_DEPTHS)}, got '{depth[:20]}'")
    return _DEPTHS[depth]


def _array(node: xml.Element, ranks: tuple[int, ...]) -> tuple[list[int], F64]:
    array = _child(node, "Array")
    dim = [int(v[:9]) for v in (array.get("dim", "") if array is not None else "").split()]
    if array is None or len(dim) not in ranks or min(dim, default=0) < 1:
        raise ValueError(f"{_name(node)}: expected an Array with its dim")
    if len(dim) == 4 and not (dim[0] == dim[1] == dim[2] and 2 <= dim[0] <= MOST):
        raise ValueError(f"LUT3D: expected three equal edges of 2..{MOST}, got {dim[:3]}")
    values = np.array((array.text or "").split(), np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{_name(node)}: a number is not finite")
    return dim, values


def _matrix(node: xml.Element) -> Matrix:
    dim, values = _array(node, (2, 3))
    if dim[0] != 3 or dim[1] not in (3, 4) or len(values) != 3 * dim[1]:
        raise ValueError(f"Matrix: expected 3 x 3 or 3 x 4 numbers, got dim {dim} and {len(values)} of them")
    full = np.zeros((3, 4))
    full[:, : dim[1]] = values.reshape(3, dim[1])
    full[:, :3] *= _scale(node, "inBitDepth")
    return Matrix(full / _scale(node, "outBitDepth"))


def _curve(node: xml.Element) -> Curve:
    (count, channels), values = _array(node, (2,))
    half = node.get("halfDomain", "false") == "true"
    if node.get("rawHalfs", "false") == "true":
        values = np.asarray(np.clip(values, 0, 65535).astype(np.uint16).view(np.float16), np.float64)
    if not 2 <= count <= _MOST_ENTRIES or channels not in (1, 3) or len(values) != count * channels:
        raise ValueError(f"LUT1D: expected {count} x {channels} numbers, got {len(values)}")
    if half and count != 65536:
        raise ValueError(f"LUT1D: a half domain has 65536 entries, not {count}")
    rows = values.reshape(count, channels) / _scale(node, "outBitDepth")
    return Curve(np.repeat(rows, 3 // channels, axis=1), half)


def _cube(node: xml.Element) -> Cube:
    (n, _, _, channels), values = _array(node, (4,))
    if channels != 3 or len(values) != 3 * n**3:
        raise ValueError(f"LUT3D: expected {n}³ x 3 numbers, got {len(values)}")
    cube = values.reshape(n, n, n, 3).transpose(2, 1, 0, 3) / _scale(node, "outBitDepth")
    return Cube(Table(np.ascontiguousarray(cube, np.float32)))


def _number(node: xml.Element | None, name: str, default: float | None = None) -> float:
    text = node.get(name) if node is not None else None
    if text is None and node is not None and (child := _child(node, name)) is not None:
        text = child.text
    value = default if text is None else float(text)
    if value is None or not np.isfinite(value):
        raise ValueError(f"{name}: expected a finite number")
    return value


def _range(node: xml.Element) -> Range:
    into, out = _scale(node, "inBitDepth"), _scale(node, "outBitDepth")
    has = {
        name for name in ("minInValue", "maxInValue", "minOutValue", "maxOutValue") if _child(node, name) is not None
    }
    low_in, high_in = (_number(node, f"{end}InValue", 0.0) / into for end in ("min", "max"))
    low, high = (_number(node, f"{end}OutValue", 0.0) / out for end in ("min", "max"))
    if node.get("style", "Clamp") == "noClamp":
        held = (-np.inf, np.inf)
    else:
        held = (low if "minOutValue" in has else -np.inf, high if "maxOutValue" in has else np.inf)
    if not {"minInValue", "maxInValue", "minOutValue", "maxOutValue"} <= has:
        return Range(1.0, 0.0, *held)
    if not high_in > low_in or not high >= low:
        raise ValueError("Range: its ends are in the wrong order")
    scale = (high - low) / (high_in - low_in)
    return Range(scale, low - low_in * scale, *held)


def _log(node: xml.Element) -> Log:
    style = node.get("style", "")
    plain = {"log10": np.log10(2.0), "log2": 1.0, "antiLog10": np.log10(2.0), "antiLog2": 1.0}
    if style in plain:
        return Log(float(plain[style]), 0.0, inverse=style.startswith("anti"))
    params = [child for child in node if _name(child) == "LogParams"]
    if style not in ("linToLog", "logToLin", "cameraLinToLog", "cameraLogToLin") or len(params) != 1:
        raise ValueError(f"Log: expected a known style and one LogParams, got '{style[:40]}' and {len(params)}")
    base = _number(params[0], "base", 2.0)
    if base <= 0 or base == 1:
        raise ValueError(f"Log: no logarithm has the base {base:g}")
    slope = _number(params[0], "logSideSlope", 1.0) / float(np.log2(base))
    at = _number(params[0], "linSideBreak") if style.startswith("camera") else None
    found = Log(slope, _number(params[0], "logSideOffset", 0.0), _number(params[0], "linSideSlope", 1.0),
                _number(params[0], "linSideOffset", 0.0), at, style.endswith("ToLin"))  # fmt: skip
    if not found.slope or not found.lin_slope or (at is not None and found.lin_slope * at + found.lin_offset <= 0):
        raise ValueError("Log: its slopes must not be 0, and its break must lie where there is a logarithm")
    return found
