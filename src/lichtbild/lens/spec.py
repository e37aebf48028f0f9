"""A lens as its author writes it: a TOML file of numbers from a data sheet or a measurement, read and checked.

Lengths on the image side are mm (places) and µm (blur). The field is counted from 0 on the axis to 1 at the edge of
the image circle. Channels are red, green and blue: Rec.2020 or the camera's own, whatever light the caller has.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
import tomllib
from dataclasses import dataclass, field
from typing import Any

from ..stage import nearest, param
from ..types import LichtbildError
from .spread import Blur, PointSpread

DATA = pathlib.Path(__file__).with_name("data")


class LensError(LichtbildError):
    """A lens that does not exist, whose file asks for something impossible, or that does not cover the sensor."""


@dataclass(frozen=True)
class Distortion:
    """Where light lands: radius in the image = ideal radius · (1 + k[0]·r² + k[1]·r⁴ + k[2]·r⁶), r the ideal field."""

    k: tuple[float, ...] = param((0.0,), -1.0, 1.0, "", "negative: barrel")


@dataclass(frozen=True)
class Lateral:
    """Lateral colour: added to `distortion` for one channel, a[0] + a[1]·r² + a[2]·r⁴ + a[3]·r⁶."""

    red: tuple[float, ...] = param((0.0,), -0.05, 0.05, "", "against green")
    blue: tuple[float, ...] = param((0.0,), -0.05, 0.05, "", "against green")


@dataclass(frozen=True)
class Shading:
    """Light over the field: cos(angle)^power · (1 + v[0]·r² + v[1]·r⁴ + …), and per channel 1 + a[0]·r² + a[1]·r⁴ …"""

    power: float = param(4.0, 0.0, 6.0, "", "4 = the natural fall-off, less where the pupil grows with the angle")
    vignetting: tuple[float, ...] = param((0.0,), -1.0, 1.0, "", "what mounts cut off")
    red: tuple[float, ...] = param(
        (0.0,), -1.0, 1.0, "", "colour shading against green: filters and micro-lenses at an angle"
    )
    blue: tuple[float, ...] = param((0.0,), -1.0, 1.0, "", "colour shading against green")


@dataclass(frozen=True)
class Glare:
    """Light that goes astray: a share of all light lies evenly over the frame, another in wide skirts."""

    veil: float = param(0.0, 0.0, 0.2, "", "share spread evenly over the frame")
    halo: float = param(0.0, 0.0, 0.2, "", "share scattered around its place, as much in every doubling of the radius")


@dataclass(frozen=True)
class Lens:
    """A lens. `origin` names its file in errors; `spread` is anything that answers with an optical transfer function.

    A ray-traced lens is this with another `spread`; `blur` is the parametric one.
    """

    name: str
    title: str
    focal_mm: float
    f_number: float  # geometric: depth of field, diffraction
    t_number: float  # photometric: light
    image_mm: float  # diameter of the image circle
    distortion: Distortion = field(default_factory=Distortion)
    lateral: Lateral = field(default_factory=Lateral)
    shading: Shading = field(default_factory=Shading)
    glare: Glare = field(default_factory=Glare)
    spread: PointSpread = field(default_factory=Blur)
    origin: str = "lens"

    @property
    def radius_mm(self) -> float:
        """Radius of the image circle: field 1."""
        return self.image_mm / 2

    def illuminance(self, luminance: float = 1.0) -> float:
        """Lux on the axis of the image plane from a distant surface of `luminance` cd/m². Source: [ISO12232]."""
        return math.pi * luminance / (4 * self.t_number**2)


HEAD = {
    "focal_mm": (0.1, 2000.0, "focal length"),
    "f_number": (0.5, 64.0, "focal length over the pupil's diameter: diffraction"),
    "t_number": (0.5, 128.0, "the f-number of as much light without losses; `f_number` unless given"),
    "image_mm": (0.5, 200.0, "diameter of the circle that is lit"),
}
TABLES: dict[str, type[Any]] = {
    "distortion": Distortion, "lateral": Lateral, "shading": Shading, "glare": Glare, "blur": Blur,
}  # fmt: skip


def names() -> tuple[str, ...]:
    """The lenses that come with the house."""
    return tuple(sorted(p.stem for p in DATA.glob("*.toml")))


def load(name_or_path: str | pathlib.Path) -> Lens:
    """The lens of that name, or of that TOML file. Raises LensError naming file, key and remedy."""
    path = pathlib.Path(name_or_path)
    if path.suffix != ".toml":
        if str(name_or_path) not in names():
            raise LensError(f"unknown lens '{name_or_path}': {nearest(str(name_or_path), names())}")
        path = DATA / f"{name_or_path}.toml"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as e:
        raise LensError(f"{path}: {e.strerror or e}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise LensError(f"{path}: not TOML in UTF-8: {e}") from None
    return parse(data, str(path), path.stem)


def parse(data: dict[str, Any], where: str, name: str = "lens") -> Lens:
    """A Lens of parsed TOML: a table [lens] and those of its parts. `where` names its origin in errors."""
    for key in data:
        if key not in {"lens", *TABLES}:
            raise LensError(f"{where}: unknown table '{key}': {nearest(key, {'lens', *TABLES})}")
    head = data.get("lens")
    if not isinstance(head, dict):
        raise LensError(f"{where}: holds no table [lens]; write [lens], focal_mm, f_number and image_mm")
    numbers = _head(head, where)
    tables = {key: _table(kind, data.get(key, {}), f"{where}: {key}") for key, kind in TABLES.items()}
    blur = dataclasses.replace(tables.pop("blur"), f_number=numbers["f_number"], radius_mm=numbers["image_mm"] / 2)
    return Lens(name, str(head.get("title", name)), spread=blur, origin=where, **numbers, **tables)


def _head(head: dict[str, Any], where: str) -> dict[str, Any]:
    for key in head:
        if key not in {"title", *HEAD}:
            raise LensError(f"{where}: lens: unknown key '{key}': {nearest(key, {'title', *HEAD})}")
    found = {"t_number": head.get("f_number"), **{k: v for k, v in head.items() if k != "title"}}
    for key, (lo, hi, _) in HEAD.items():
        if key not in found:
            raise LensError(f"{where}: lens.{key} is missing: expected a number in {lo:g}..{hi:g}")
        if not _number(found[key], lo, hi):
            raise LensError(f"{where}: lens.{key}: expected a number in {lo:g}..{hi:g}, got {found[key]!r}")
    if found["t_number"] < found["f_number"]:
        raise LensError(f"{where}: lens.t_number: expected at least f_number, {found['f_number']}: glass takes light")
    return {key: float(found[key]) for key in HEAD}


def _number(value: Any, lo: float, hi: float) -> bool:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return good and lo <= value <= hi


def _table(kind: type[Any], data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise LensError(f"{where}: expected a table [{where.rsplit(' ', 1)[-1]}]")
    known = {f.name: f for f in dataclasses.fields(kind) if f.metadata}
    values = {}
    for key, value in data.items():
        if key not in known:
            raise LensError(f"{where}: unknown key '{key}': {nearest(key, known)}")
        lo, hi, several = known[key].metadata["lo"], known[key].metadata["hi"], isinstance(known[key].default, tuple)
        if several and (not isinstance(value, list) or not 1 <= len(value) <= 16):
            raise LensError(f"{where}.{key}: expected a list of 1 to 16 numbers, got {value!r}")
        row = value if several else [value]
        if not all(_number(v, lo, hi) for v in row):
            raise LensError(f"{where}.{key}: expected numbers in {lo:g}..{hi:g}, got {value!r}")
        values[key] = tuple(float(v) for v in row) if several else float(value)
    try:
        return kind(**values)
    except ValueError as e:
        raise LensError(f"{where}.{e}") from None
