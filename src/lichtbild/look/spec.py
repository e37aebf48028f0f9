"""A look as its author writes it: a TOML file of measurable targets, read and checked.

Every field has a range, a unit and one line of text; unknown keys, words that are no numbers and values out of range
are errors that name the file and the key. `extends = "classic"` starts from another look: tables are laid over its
tables key by key, and hue nodes over its nodes by their angle.
"""

from __future__ import annotations

import dataclasses
import math
import os
import pathlib
import tomllib
from dataclasses import dataclass, field
from typing import Any

from ..stage import nearest, param
from ..types import LichtbildError

DATA = pathlib.Path(__file__).with_name("data")
TABLE_FILES = (".cube", ".png", ".clf", ".ctf", ".icc", ".icm", ".xmp", ".dcp")
HUE_STEP_DEG = 30
_DEEPEST = 8  # looks that extend each other


class LookError(LichtbildError):
    """A look that does not exist or whose file asks for something impossible."""


@dataclass(frozen=True)
class Trim:
    """What is done to the light before the look."""

    exposure_ev: float = param(0.0, -3.0, 3.0, "EV", "light given or taken")
    warmth_mired: float = param(0.0, -100.0, 100.0, "mired", "white made warmer (positive) or cooler")
    tint: float = param(0.0, -30.0, 30.0, "1000 Duv", "white made greener (positive) or more magenta")


@dataclass(frozen=True)
class Tone:
    """Slopes of log2 display light over log2 scene light, EV counted from mid grey (0.18 of diffuse white)."""

    mid_ev: float = param(0.0, -1.0, 1.0, "EV", "display light of mid grey, above 0.18")
    slope: float = param(1.3, 0.5, 2.5, "", "slope at mid grey")
    slope_dim: float = param(0.0, 0.0, 3.0, "", "slope one stop below; 0 = smoothly between its neighbours")
    slope_shadow: float = param(1.4, 0.5, 3.0, "", "slope three stops below")
    slope_deep: float = param(1.5, 0.5, 4.0, "", "slope six stops below and farther")
    slope_light: float = param(0.0, 0.0, 2.5, "", "slope a quarter of the way to white; 0 = smoothly between")
    white_ev: float = param(3.5, 2.0, 8.0, "EV", "scene light that becomes display white")
    white: float = param(1.0, 0.8, 1.0, "", "display light of white: the paper of a print")
    dmin: float = param(0.0, 0.0, 0.05, "", "display light of black: the base of a film or the matte of a print")


@dataclass(frozen=True)
class Primaries:
    """The primaries in which the curve works: that pure colours pale as they become light."""

    inset: float = param(0.15, 0.0, 0.5, "", "part of each channel that is mixed with the mean of all before the curve")
    outset: float = param(0.15, 0.0, 0.5, "", "how much of such a mixture is undone after the curve")
    turn_red_deg: float = param(
        0.0, -20.0, 20.0, "°", "red primary turned about white in u'v' before the curve, + to yellow"
    )
    turn_green_deg: float = param(0.0, -20.0, 20.0, "°", "green primary, + to cyan")
    turn_blue_deg: float = param(0.0, -20.0, 20.0, "°", "blue primary, + to magenta")


@dataclass(frozen=True)
class Chroma:
    """Colourfulness, as factors on Oklab chroma."""

    scale: float = param(1.0, 0.0, 2.0, "", "factor everywhere")
    shadows: float = param(1.0, 0.0, 2.0, "", "factor at black; it runs smoothly to that of white")
    highlights: float = param(1.0, 0.0, 2.0, "", "factor at white")
    density: float = param(0.0, -0.3, 0.3, "", "Oklab lightness that a colour loses per chroma, as more dye would")
    ceiling: float = param(1.0, 0.3, 1.0, "", "how far colours come on the way from grey to the edge of the gamut")


@dataclass(frozen=True)
class Tint:
    """Oklab a (green to red) and b (blue to yellow) of greys; black and white themselves stay clean."""

    shadow_a: float = param(0.0, -0.05, 0.05, "", "a of dark greys")
    shadow_b: float = param(0.0, -0.05, 0.05, "", "b of dark greys")
    highlight_a: float = param(0.0, -0.05, 0.05, "", "a of light greys")
    highlight_b: float = param(0.0, -0.05, 0.05, "", "b of light greys")


@dataclass(frozen=True)
class Skin:
    """Care for the hues of skin: within about 24° of Oklab hue 50°."""

    lock: float = param(0.0, 0.0, 1.0, "", "how much of all hue moves is held back there")
    equity: float = param(0.0, 0.0, 1.0, "", "how evenly skins of all depths keep their own saturation C/L")


@dataclass(frozen=True)
class Mono:
    """Black and white: what the film sees, behind which filter."""

    film: str = param("none", doc="sensitivity of the film; none = colour", choices=("none", "pan", "ortho", "red"))
    filter: str = param("none", doc="filter before it", choices=("none", "yellow", "orange", "red", "green", "blue"))


@dataclass(frozen=True)
class Spatial:
    """What depends on place. Lengths on the film are those of a frame of 36 mm x 24 mm, whatever the sensor."""

    vignette_ev: float = param(0.0, -3.0, 0.0, "EV", "light in the corners")
    retain_lens: float = param(0.0, 0.0, 1.0, "", "part of the real lens's falloff that stays, in stops")
    halation: float = param(0.0, 0.0, 3.0, "", "red light around what is brighter than white, from behind the film")
    halation_um: float = param(65.0, 10.0, 150.0, "µm", "how far it reaches (standard deviation)")
    grain: float = param(0.0, 0.0, 60.0, "", "RMS granularity: 1000 x standard deviation of density 1 in 48 µm")
    grain_um: float = param(5.0, 1.0, 15.0, "µm", "size of the grain's clumps (standard deviation)")


@dataclass(frozen=True)
class Micro:
    """Contrast of textures, by their fineness: periods per mm on a frame of 36 mm (one is a 36th of the long side)."""

    per_mm_1: float = param(1.0, 0.5, 2.0, "", "factor on textures of 1 period per mm; below 0.5 nothing is done")
    per_mm_2: float = param(1.0, 0.5, 2.0, "", "factor at 2 periods per mm")
    per_mm_4: float = param(1.0, 0.5, 2.0, "", "factor at 4 periods per mm")
    per_mm_8: float = param(1.0, 0.5, 2.0, "", "factor at 8 periods per mm and above")


@dataclass(frozen=True)
class Lut:
    """A look of another program (.cube, HaldCLUT, .dcp …), laid over the finished picture (sRGB in, sRGB out)."""

    file: str = param("", doc="its file, beside the look")
    strength: float = param(1.0, 0.0, 1.0, "", "how much of it")


@dataclass(frozen=True)
class Hue:
    """What happens to one hue: a node of a periodic B-spline over Oklab hue, one every 30°."""

    at_deg: float = param(0.0, 0.0, 330.0, "°", "Oklab hue of the node, a multiple of 30")
    turn_deg: float = param(0.0, -30.0, 30.0, "°", "how far the hue turns")
    sat_log2: float = param(0.0, -2.0, 1.0, "stops", "chroma")
    density: float = param(0.0, -0.5, 0.5, "", "Oklab lightness lost per chroma")


@dataclass(frozen=True)
class Look:
    """A look: from scene light to the display."""

    name: str
    title: str
    trim: Trim = field(default_factory=Trim)
    tone: Tone = field(default_factory=Tone)
    primaries: Primaries = field(default_factory=Primaries)
    chroma: Chroma = field(default_factory=Chroma)
    tint: Tint = field(default_factory=Tint)
    skin: Skin = field(default_factory=Skin)
    mono: Mono = field(default_factory=Mono)
    spatial: Spatial = field(default_factory=Spatial)
    micro: Micro = field(default_factory=Micro)
    lut: Lut = field(default_factory=Lut)
    hue: tuple[Hue, ...] = ()
    artistic: bool = False  # its skin need not stay as it is


TABLES: dict[str, Any] = {
    f.name: f.default_factory for f in dataclasses.fields(Look) if isinstance(f.default_factory, type)
}


def names() -> tuple[str, ...]:
    """The looks that come with the house."""
    return tuple(sorted(p.stem for p in DATA.glob("*.toml")))


def own() -> pathlib.Path:
    """The folder of the user's own looks, whether or not it is there."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return pathlib.Path(home).expanduser() / "lichtbild" / "looks"


def files() -> dict[str, pathlib.Path]:
    """Every look that can be asked for by its name: those of the house, and the user's own, which win."""
    return {p.stem: p for folder in (DATA, own()) for p in sorted(folder.glob("*.toml"))}


def path_of(name_or_path: str | pathlib.Path) -> pathlib.Path:
    """The file of a look: by its name, or a path that ends in .toml or one of TABLE_FILES. Raises LookError."""
    path, known = pathlib.Path(name_or_path), files()
    if path.suffix.lower() in (".toml", *TABLE_FILES):
        return path
    if str(name_or_path) not in known:
        raise LookError(f"unknown look '{name_or_path}': {nearest(str(name_or_path), known)}")
    return known[str(name_or_path)]


def load(name_or_path: str | pathlib.Path) -> Look:
    """The look of that name or TOML file; a look of another program is laid over `neutral`.

    Raises LookError naming the nearest look, key or range.
    """
    path = path_of(name_or_path)
    return parse(written(path), str(path))


def written(path: pathlib.Path, depth: int = 0) -> dict[str, Any]:
    """What the file says, laid over what it extends. Raises LookError."""
    if path.suffix.lower() in TABLE_FILES:
        only = ": its look alone, for the camera is another" if path.suffix.lower() == ".dcp" else ""
        words = {"name": path.stem, "title": f"{path.name} over neutral{only}", "artistic": True}
        return overlay(written(DATA / "neutral.toml"), {**words, "lut": {"file": str(path)}})
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LookError(f"look '{path}' cannot be read: {error}") from None
    below = data.pop("extends", None)
    if isinstance(lut := data.get("lut"), dict) and isinstance(file := lut.get("file"), str) and file:
        lut["file"] = str(path.parent / file)
    if below is None:
        return data
    if not isinstance(below, str):
        raise LookError(f"{path}: extends: expected the name of a look or of a .toml file, got {below!r}")
    if depth >= _DEEPEST:
        raise LookError(f"{path}: extends '{below}': looks extend each other in a circle, or more than {_DEEPEST} deep")
    base = path.parent / below if below.endswith(".toml") else path_of(below)
    return overlay(written(base, depth + 1), data)


def overlay(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`: tables key by key, hue nodes by their angle."""
    merged = dict(below)
    for key, value in above.items():
        old = below.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            merged[key] = overlay(old, value)
        elif key == "hue" and isinstance(value, list) and isinstance(old, list):
            merged[key] = _hues(old, value)
        else:
            merged[key] = value
    return merged


def _hues(below: list[Any], above: list[Any]) -> list[Any]:
    tables = all(isinstance(node, dict) for node in [*below, *above])
    again = {node.get("at_deg", 0.0): node for node in above} if tables else {}
    if len(again) < len(above):
        return above  # `parse` says what is wrong
    kept = [{**node, **again.pop(node.get("at_deg", 0.0), {})} for node in below]
    return kept + [node for node in above if node.get("at_deg", 0.0) in again]


def parse(data: dict[str, Any], where: str) -> Look:
    """A Look of parsed TOML; `where` names its origin in errors. Unknown keys raise LookError."""
    known = {"name", "title", "artistic", "hue", "set", *TABLES}  # [set.STAGE] is for the recipe, see lichtbild.recipe
    for key in data:
        if key not in known:
            raise LookError(f"{where}: unknown key '{key}': {nearest(key, known)}")
    for key in ("name", "title"):
        if not isinstance(data.get(key), str):
            raise LookError(f"{where}: '{key}' is missing: expected a text")
    artistic = data.get("artistic", False)
    if not isinstance(artistic, bool):
        raise LookError(f"{where}: artistic: expected true or false, got {artistic!r}")
    tables = {key: _table(kind, data[key], f"{where}: {key}") for key, kind in TABLES.items() if key in data}
    nodes = data.get("hue", [])
    if not isinstance(nodes, list):
        raise LookError(f"{where}: hue: expected tables [[hue]]")
    hues = tuple(_table(Hue, node, f"{where}: hue") for node in nodes)
    angles = [h.at_deg for h in hues]
    if any(a % HUE_STEP_DEG for a in angles) or len(set(angles)) < len(angles):
        raise LookError(f"{where}: hue.at_deg: expected different multiples of {HUE_STEP_DEG}, got {angles}")
    return Look(data["name"], data["title"], hue=hues, artistic=artistic, **tables)


def fields(kind: type[Any]) -> dict[str, dict[str, Any]]:
    """What is known of each field of a table: its default, range, unit, text and choices."""
    return {f.name: {**f.metadata, "default": f.default} for f in dataclasses.fields(kind)}


def _table(kind: type[Any], data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise LookError(f"{where}: expected a table")
    known = fields(kind)
    for key, value in data.items():
        if key not in known:
            raise LookError(f"{where}: unknown key '{key}': {nearest(key, known)}")
        if problem := _wrong(known[key], value):
            raise LookError(f"{where}.{key}: expected {problem}, got {value!r}")
    return kind(**{k: float(v) if isinstance(v, int) else v for k, v in data.items()})


def _wrong(known: dict[str, Any], value: Any) -> str:
    """What was expected where `value` does not fit, else nothing."""
    if isinstance(known["default"], str):
        if isinstance(value, str) and (not known["choices"] or value in known["choices"]):
            return ""
        return f"one of {', '.join(known['choices'])}" if known["choices"] else "a text"
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if good and known["lo"] <= value <= known["hi"]:
        return ""
    return f"a number in {known['lo']:g}..{known['hi']:g}" + (f" {known['unit']}" if known["unit"] else "")
