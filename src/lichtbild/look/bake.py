"""Bake: a look as a table that other programs read, and what is lost by it.

A .cube, HaldCLUT, device link (.icc) or creative profile (.xmp) is entered with a finished picture in the look
`neutral`, or one that another converter made in its plainest way, and gives it this look: display-encoded in and out. A
.clf or .ctf holds the whole look, from linear Rec.2020 light. A .dcp holds it for raw converters, on the calibration of
a camera. Each says its spaces, and its loss is measured on the file as it reads back.
Sources: [CLF] the Common LUT Format; the others stand in the modules that write them.
"""

from __future__ import annotations

import pathlib
import struct
import zlib
from typing import NamedTuple

import numpy as np

from .. import light
from ..light import eotf
from ..types import F32, F64, CameraColour
from . import clf, dcp, foreign, icc, lut, xmp
from .curve import MID
from .difference import delta_e, lab
from .lint import nature
from .spec import Look, LookError, load
from .tables import OFFSET, PEAK, TOP, LookTables, apply_moves, compile, display, evaluate

SIZES = {".cube": 33, ".png": 64, ".clf": 65, ".ctf": 65, ".icc": 33, ".xmp": 32, ".dcp": dcp.HUES}
LOW_EV, HIGH_EV = -8.0, 5.0  # light around mid grey over which the loss of what takes light is measured
_CURVE = 4096
_ASKED = 20000  # colours of the whole
_FREE = "No copyright, use freely"


class Loss(NamedTuple):
    """Differences in ΔE2000 between the table and the look."""

    mean: float
    p95: float
    p99: float
    most: float


class Baked(NamedTuple):
    """What was written: over colours of nature, and over everything the table can be asked for."""

    size: int
    spaces: tuple[str, str]
    nature: Loss
    whole: Loss


class Camera(NamedTuple):
    """The camera that a .dcp is for: its name as raw files say it, and its calibrations."""

    name: str
    colour: CameraColour


def bake(
    look: Look, path: pathlib.Path, size: int | None = None, space: str = "srgb", camera: Camera | None = None
) -> Baked:
    """Write `look` as the format of `path` says. Raises LookError for another extension or an impossible size.

    A .dcp needs a `camera`.
    """
    kind = path.suffix.lower()
    if kind not in SIZES:
        raise LookError(f"{path}: a look is baked into {', '.join(SIZES)}, not '{kind}'")
    if kind == ".dcp" and camera is None:
        raise LookError(f"{path}: a camera profile is made for a camera: name a raw file of it")
    size = _size(path, kind, size)
    made = compile(look, space)
    spaces = ends(kind, space)
    again = _put(path, _content(kind, look, made, size, spaces, camera), _scale(made))
    rng, scene = np.random.default_rng(7), nature()
    if again.takes_light:
        whole = MID * 2.0 ** rng.uniform(LOW_EV, HIGH_EV, (_ASKED, 3))
        return Baked(size, spaces, _loss(again, made, scene, scene), _loss(again, made, whole, whole))
    pictures, whole = display(compile(load("neutral"), space), scene), rng.random((_ASKED, 3))
    return Baked(
        size, spaces, _loss(again, made, pictures, scene), _loss(again, made, whole, foreign.behind(whole, space))
    )


def ends(kind: str, space: str) -> tuple[str, str]:
    """The spaces at both ends of such a file, in words."""
    if kind in (".clf", ".ctf"):
        return "linear Rec.2020, D65, 1.0 = diffuse white", f"encoded {space}"
    if kind == ".dcp":
        return "linear ProPhoto RGB of a raw converter, 1.0 = white of the look", f"linear ProPhoto RGB within {space}"
    return f"encoded {space}, a picture in the look neutral", f"encoded {space}"


def _size(path: pathlib.Path, kind: str, size: int | None) -> int:
    size = size or SIZES[kind]
    most = {".xmp": xmp.MOST}.get(kind, 129)
    if kind == ".dcp" and size != dcp.HUES:
        raise LookError(f"{path}: size {size}: a camera profile has a table of {dcp.HUES} hues here")
    if not 2 <= size <= most or (kind == ".png" and round(size**0.5) ** 2 != size):
        squares = " and a square for a HaldCLUT (16, 25, 36, 49, 64, 81, 100, 121)" if kind == ".png" else ""
        raise LookError(f"{path}: size {size}: expected 2..{most}{squares}")
    return size


def _content(
    kind: str, look: Look, made: LookTables, size: int, spaces: tuple[str, str], camera: Camera | None
) -> bytes:
    """The bytes of the file."""
    if kind in (".clf", ".ctf"):
        return clf.write(steps(made, size), look.name, look.title, spaces, ctf=kind == ".ctf").encode()
    if kind == ".dcp" and camera is not None:
        profile = dcp.make(_linear(made), _scale(made), f"lichtbild {look.name}", camera.name)
        return dcp.write(profile, camera.colour, f"{_FREE}. In: {spaces[0]}; out: {spaces[1]}")
    points = lut.grid(size)
    values = display(made, foreign.behind(points, made.space)).astype(np.float32).reshape(size, size, size, 3)
    notes = [f"look {look.name}: {look.title}", f"in: {spaces[0]}", f"out: {spaces[1]}"]
    if kind == ".cube":
        return lut.cube_text(values, look.name, notes).encode()
    if kind == ".icc":
        return icc.write(values, f"lichtbild {look.name}: {spaces[0]} to {spaces[1]}", spaces)
    if kind == ".xmp":
        return xmp.write(values, f"lichtbild {look.name}", look.title, made.space).encode()
    return _png(values, "; ".join(notes))


def _png(values: F32, words: str) -> bytes:
    import imagecodecs

    data = bytes(imagecodecs.png_encode(lut.hald_picture(values)))
    body = b"Description\0" + words.encode("latin-1", "replace")
    chunk = struct.pack(">I", len(body)) + b"tEXt" + body + struct.pack(">I", zlib.crc32(b"tEXt" + body))
    header = 8 + 25  # signature and IHDR
    return data[:header] + chunk + data[header:]


def steps(made: LookTables, size: int) -> tuple[clf.Matrix, clf.Log, clf.Curve, clf.Cube]:
    """A look as it is computed: into the rendering primaries, a logarithm in 0..1, the curve, moves and gamut."""
    matrix = np.zeros((3, 4))
    matrix[:, :3] = made.inset
    top, peak = float(made.curve[TOP]), float(made.curve[PEAK])
    low = np.log2(OFFSET)
    slope = 1.0 / (np.log2(top + OFFSET) - low)
    log = clf.Log(slope, -low * slope, 1.0, OFFSET)
    at = np.exp2(np.linspace(0.0, 1.0, _CURVE) / slope + low) - OFFSET
    curve = evaluate(made.curve, np.repeat(at[:, None], 3, axis=1)) / peak
    values = apply_moves(made, lut.grid(size) * peak).astype(np.float32)
    return clf.Matrix(matrix), log, clf.Curve(curve), clf.Cube(lut.Table(values.reshape(size, size, size, 3)))


def _linear(made: LookTables) -> dcp.Display:
    """The look as display light in Rec.2020."""
    into = light.convert(made.space, "rec2020").T
    return lambda scene: eotf(display(made, scene)) @ into


def _scale(made: LookTables) -> float:
    """The scene light that is white."""
    return float(made.curve[TOP] / made.inset.astype(np.float64).sum(axis=1).max())


def _put(path: pathlib.Path, content: bytes, white: float) -> foreign.Foreign:
    """Write the file, by way of one beside it, and read it back."""
    beside = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        beside.write_bytes(content)
        again = foreign.read(beside, white)
        beside.replace(path)
    except OSError as error:
        raise LookError(f"{path}: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)
    return again


def _loss(again: foreign.Foreign, made: LookTables, asked: F64, scene: F64) -> Loss:
    """What the file makes of `asked`, beside what the look makes of the light that it stands for."""
    error = delta_e(lab(again.apply(asked), made.space), lab(display(made, scene), made.space))
    return Loss(*(float(v) for v in (error.mean(), *np.percentile(error, [95, 99]), error.max())))
