"""Bake: a look as a table that other programs read, and what is lost by it.

A .cube or HaldCLUT is entered with a finished picture in the look `neutral`, or one that another converter made in its
plainest way, and gives it this look: encoded sRGB in, encoded sRGB out. A .clf holds the whole look, from linear
Rec.2020 light through a logarithm that reaches from -8 to +5 EV around mid grey.
Sources: [CLF] the Common LUT Format, SMPTE ST 2136-1.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np

from .. import light
from ..types import F32, F64
from . import colour, lut
from .curve import MID, eotf, tone_curve
from .difference import delta_e, lab
from .lint import nature
from .spec import Look, LookError, load
from .tables import compile, display

SIZES = {".cube": 33, ".png": 64, ".clf": 65}
LOW_EV, HIGH_EV = -8.0, 5.0


class Loss(NamedTuple):
    """Differences in ΔE2000 between the table and the look."""

    mean: float
    p95: float
    p99: float
    most: float


class Baked(NamedTuple):
    """What was written: over colours of nature, and over everything the table can be asked for."""

    size: int
    nature: Loss
    whole: Loss


def bake(look: Look, path: pathlib.Path, size: int | None = None, space: str = "srgb") -> Baked:
    """Write `look` as the format of `path` says. Raises LookError for another extension or an impossible size."""
    kind = path.suffix.lower()
    if kind not in SIZES:
        raise LookError(f"{path}: a look is baked into {', '.join(SIZES)}, not '{kind}'")
    size = size or SIZES[kind]
    if not 2 <= size <= 129 or (kind == ".png" and round(size**0.5) ** 2 != size):
        squares = " and a square for a HaldCLUT (16, 25, 36, 49, 64, 81, 100, 121)" if kind == ".png" else ""
        raise LookError(f"{path}: size {size}: expected 2..129{squares}")
    shown = _scene(look, space) if kind == ".clf" else _picture(look, space)
    table = lut.Table(shown(lut.grid(size)).astype(np.float32).reshape(size, size, size, 3))
    _write(path, look, table.values, space)
    rng = np.random.default_rng(7)
    natural = nature()
    asked = encode(natural) if kind == ".clf" else display(compile(load("neutral"), space), natural)
    return Baked(size, _loss(table, shown, asked, space), _loss(table, shown, rng.random((20000, 3)), space))


def ends(path: pathlib.Path, space: str) -> str:
    """The spaces at both ends of the table in `path`, in words."""
    return f"linear Rec.2020 → encoded {space}" if path.suffix.lower() == ".clf" else f"encoded {space}, as `neutral`"


def _scene(look: Look, space: str) -> Callable[[F64], F64]:
    made = compile(look, space)
    return lambda code: display(made, decode(code))


def _picture(look: Look, space: str) -> Callable[[F64], F64]:
    made, plain = compile(look, space), load("neutral")
    scene, shown = tone_curve(plain)
    to_rendering = colour.mix(plain.primaries.outset) @ light.convert(space, "rec2020")
    back = np.linalg.inv(colour.mix(plain.primaries.inset))

    def render(code: F64) -> F64:
        rendering = np.interp(eotf(code) @ to_rendering.T, shown, scene)
        return display(made, rendering @ back.T)

    return render


def encode(scene: F64) -> F64:
    """Linear light → the logarithm in 0..1 that .clf tables are entered with."""
    return np.clip((np.log2(np.maximum(scene, 1e-9) / MID) - LOW_EV) / (HIGH_EV - LOW_EV), 0.0, 1.0)


def decode(code: F64) -> F64:
    """The inverse of `encode`."""
    return np.asarray(MID * 2.0 ** (LOW_EV + code * (HIGH_EV - LOW_EV)), np.float64)


def _loss(table: lut.Table, shown: Callable[[F64], F64], asked: F64, space: str) -> Loss:
    error = delta_e(lab(lut.twin(asked, table), space), lab(shown(asked), space))
    return Loss(*(float(v) for v in (error.mean(), *np.percentile(error, [95, 99]), error.max())))


def _write(path: pathlib.Path, look: Look, values: F32, space: str) -> None:
    notes = [f"look {look.name}: {look.title}", f"input and output: encoded {space}"]
    if path.suffix.lower() == ".cube":
        content = lut.cube_text(values, look.name, notes).encode()
    elif path.suffix.lower() == ".clf":
        content = _clf(values, look, space).encode()
    else:
        import imagecodecs

        content = bytes(imagecodecs.png_encode(lut.hald_picture(values)))
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise LookError(f"{path}: {error.strerror or error}") from None


def _clf(values: F32, look: Look, space: str) -> str:
    """Logarithm and table as a process list; CLF tables run blue fastest."""
    n = len(values)
    slope = 1.0 / (HIGH_EV - LOW_EV)
    offset = -(np.log2(MID) + LOW_EV) * slope
    rows = values.transpose(2, 1, 0, 3).reshape(-1, 3).tolist()
    return "\n".join([
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<ProcessList id={quoteattr(look.name)} name={quoteattr(look.title)} compCLFversion="3.0">',
        "<InputDescriptor>linear Rec.2020, D65, 1.0 = diffuse white</InputDescriptor>",
        f"<OutputDescriptor>encoded {space}</OutputDescriptor>",
        '<Log inBitDepth="32f" outBitDepth="32f" style="cameraLinToLog">',
        f'<LogParams base="2" logSideSlope="{slope:.9g}" logSideOffset="{offset:.9g}" linSideSlope="1" '
        f'linSideOffset="0" linSideBreak="{MID * 2.0 ** LOW_EV:.9g}" />',
        "</Log>",
        '<LUT3D inBitDepth="32f" outBitDepth="32f" interpolation="tetrahedral">',
        f'<Array dim="{n} {n} {n} 3">',
        *(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in rows),
        "</Array>", "</LUT3D>", "</ProcessList>", "",
    ])  # fmt: skip
