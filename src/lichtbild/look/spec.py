"""A look as its author writes it: a TOML file of measurable targets, read and checked."""

from __future__ import annotations

import dataclasses
import math
import pathlib
import tomllib
from dataclasses import dataclass, field
from typing import Any

from ..stage import nearest
from ..types import LichtbildError

DATA = pathlib.Path(__file__).with_name("data")
HUE_STEP_DEG = 30


class LookError(LichtbildError):
    """A look that does not exist or whose file asks for something impossible."""


def _within(lo: float, hi: float, default: float) -> Any:
    return field(default=default, metadata={"lo": lo, "hi": hi})


@dataclass(frozen=True)
class Tone:
    """Slopes of log2 display light over log2 scene light, EV counted from mid grey (0.18 of diffuse white)."""

    mid_ev: float = _within(-1.0, 1.0, 0.0)  # display light of mid grey, stops over 0.18
    slope: float = _within(0.5, 2.5, 1.3)  # at mid grey
    slope_shadow: float = _within(0.5, 3.0, 1.4)  # three stops below
    slope_deep: float = _within(0.5, 4.0, 1.5)  # six stops below and farther
    white_ev: float = _within(2.0, 8.0, 3.5)  # scene light that becomes display white


@dataclass(frozen=True)
class Primaries:
    """How much of each channel is mixed with the mean of all: before the curve (inset) and undone after it (outset)."""

    inset: float = _within(0.0, 0.5, 0.15)
    outset: float = _within(0.0, 0.5, 0.15)


@dataclass(frozen=True)
class Chroma:
    """Factors on Oklab chroma: everywhere, and at black and white; between those it runs smoothly along lightness."""

    scale: float = _within(0.0, 2.0, 1.0)
    shadows: float = _within(0.0, 2.0, 1.0)
    highlights: float = _within(0.0, 2.0, 1.0)


@dataclass(frozen=True)
class Skin:
    """How much of all hue moves is held back around the hues of skin (Oklab hue 50°), 0..1."""

    lock: float = _within(0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Hue:
    """What happens to one hue: a node of a periodic B-spline over Oklab hue, one every 30°."""

    at_deg: float = _within(0.0, 330.0, 0.0)
    turn_deg: float = _within(-30.0, 30.0, 0.0)
    sat_log2: float = _within(-2.0, 1.0, 0.0)  # stops of chroma
    density: float = _within(-0.5, 0.5, 0.0)  # lightness lost per chroma


@dataclass(frozen=True)
class Look:
    """A look: tone and colour from scene light to the display. Spatial parts (grain, vignette) have no place here."""

    name: str
    title: str
    tone: Tone = field(default_factory=Tone)
    primaries: Primaries = field(default_factory=Primaries)
    chroma: Chroma = field(default_factory=Chroma)
    skin: Skin = field(default_factory=Skin)
    hue: tuple[Hue, ...] = ()


_TABLES = {"tone": Tone, "primaries": Primaries, "chroma": Chroma, "skin": Skin}


def names() -> tuple[str, ...]:
    """The looks that come with the house."""
    return tuple(sorted(p.stem for p in DATA.glob("*.toml")))


def load(name_or_path: str | pathlib.Path) -> Look:
    """The look of that name, or of that TOML file. Raises LookError naming the nearest look, key or range."""
    path = pathlib.Path(name_or_path)
    if path.suffix != ".toml":
        if str(name_or_path) not in names():
            raise LookError(f"unknown look '{name_or_path}': {nearest(str(name_or_path), names())}")
        path = DATA / f"{name_or_path}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LookError(f"look '{path}' cannot be read: {error}") from None
    return parse(data, str(path))


def parse(data: dict[str, Any], where: str) -> Look:
    """A Look of parsed TOML; `where` names its origin in errors. Unknown keys raise LookError."""
    known = {"name", "title", "hue", "set", *_TABLES}  # [set.STAGE] is for the recipe, see lichtbild.recipe
    for key in data:
        if key not in known:
            raise LookError(f"{where}: unknown key '{key}': {nearest(key, known)}")
    for key in ("name", "title"):
        if not isinstance(data.get(key), str):
            raise LookError(f"{where}: '{key}' is missing: expected a text")
    tables = {key: _table(kind, data[key], f"{where}: {key}") for key, kind in _TABLES.items() if key in data}
    nodes = data.get("hue", [])
    if not isinstance(nodes, list):
        raise LookError(f"{where}: hue: expected tables [[hue]]")
    hues = tuple(_table(Hue, node, f"{where}: hue") for node in nodes)
    angles = [h.at_deg for h in hues]
    if any(a % HUE_STEP_DEG for a in angles) or len(set(angles)) < len(angles):
        raise LookError(f"{where}: hue.at_deg: expected different multiples of {HUE_STEP_DEG}, got {angles}")
    return Look(name=data["name"], title=data["title"], hue=hues, **tables)


def _table(kind: type[Any], data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise LookError(f"{where}: expected a table")
    known = {f.name: f.metadata for f in dataclasses.fields(kind)}
    for key, value in data.items():
        if key not in known:
            raise LookError(f"{where}: unknown key '{key}': {nearest(key, known)}")
        lo, hi = known[key]["lo"], known[key]["hi"]
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not good or not lo <= value <= hi:
            raise LookError(f"{where}.{key}: expected a number in {lo:g}..{hi:g}, got {value!r}")
    return kind(**{key: float(value) for key, value in data.items()})
