"""Recipes — the parameters of all stages, laid in layers, each value knowing the layer it came from.

Layers, later wins: defaults → mode → look → camera data → recipe files in order → the sidecar `IMG.lichtbild.toml`
beside the raw file → `--set`. Every file is TOML: one table per stage, plus `mode` and `look` by name. The text of a
resolved recipe goes into the photograph, and a photograph can be given as a recipe: the same pixels come out.
"""

from __future__ import annotations

import json
import math
import pathlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import __version__
from . import stage as stages
from .types import LichtbildError

HOUSE = pathlib.Path(__file__).parent
COMING = ("portrait",)  # modes that are promised and do not exist yet

_MADE = "made"  # the record in a photograph: versions, input hashes; read by people, not by us
_WORDS = ("mode", "look", _MADE)

Layer = dict[str, dict[str, Any]]  # stage → parameter → value, as written


class RecipeError(LichtbildError):
    """A mode, look, recipe file or `--set` that does not exist or does not fit."""


@dataclass(frozen=True)
class Folders:
    """Where the data of the house lies; other folders in tests."""

    modes: pathlib.Path = HOUSE / "modes"
    looks: pathlib.Path = HOUSE / "look" / "data"
    cameras: pathlib.Path = HOUSE / "raw" / "cameras"


HOME = Folders()


@dataclass(frozen=True)
class Recipe:
    """A resolved recipe. `order` is the chain of stages; `values` and `origins` hold every parameter of each."""

    mode: str
    look: str
    order: tuple[str, ...]
    values: dict[str, dict[str, Any]]
    origins: dict[str, dict[str, str]]
    notes: tuple[str, ...] = ()  # why this mode, what differs from the program that wrote a recipe

    def to_toml(self, inputs: Iterable[tuple[str, str]] = ()) -> str:
        """The recipe as TOML; `inputs` are (file name, sha256) of what it was applied to."""
        lines = [f"mode = {_toml(self.mode)}", f"look = {_toml(self.look)}", ""]
        for name in self.order:
            lines += [f"[{name}]", *(f"{key} = {_toml(v)}" for key, v in self.values[name].items()), ""]
        lines += [f"[{_MADE}]", f"lichtbild = {_toml(__version__)}", ""]
        for name, digest in inputs:
            lines += [f"[[{_MADE}.from]]", f"name = {_toml(name)}", f"sha256 = {_toml(digest)}", ""]
        return "\n".join(lines)

    def chosen(self, name: str, key: str, value: Any, why: str) -> Recipe:
        """This recipe where nobody has set `key` of the stage `name`; `value` is what the shot asks for, and why."""
        if self.origins.get(name, {}).get(key) != "default":
            return self
        values = self.values | {name: self.values[name] | {key: value}}
        origins = self.origins | {name: self.origins[name] | {key: "shot"}}
        return replace(self, values=values, origins=origins, notes=(*self.notes, why))

    def stage(self, name: str) -> Any:
        """The stage `name` as its own class, filled with the values of this recipe."""
        return stages.find(name)(**self.values[name])


@dataclass(frozen=True)
class _Written:
    """A recipe as a file has it: the names it asks for, and its tables."""

    origin: str
    mode: str | None
    look: str | None
    tables: Layer
    notes: tuple[str, ...] = ()


@dataclass
class _Pile:
    """Layers while they are being laid."""

    values: Layer
    origins: dict[str, dict[str, str]] = field(default_factory=dict)

    def lay(self, origin: str, tables: Layer, strict: bool = True) -> None:
        """Put `tables` on top. A stage outside the chain is an error, or skipped where not `strict`."""
        for name, table in tables.items():
            for key, value in table.items():
                checked = _checked(origin, name, key, value)
                if name in self.values:
                    self.values[name][key] = checked
                    self.origins[name][key] = origin
                elif strict:
                    raise RecipeError(f"{origin}: stage '{name}' has no place in this mode")


def resolve(
    mode: str = "auto", look: str | None = None, recipes: Sequence[str | pathlib.Path] = (),
    sets: Mapping[str, Any] | Iterable[str] = (), raw: pathlib.Path | None = None, make: str = "", model: str = "",
    folders: Folders | None = None, auto: tuple[str, str] = ("snapshot", "a single frame is a snapshot"),
) -> Recipe:  # fmt: skip
    """Lay all layers for one raw file; without `raw`, `make` and `model`, those that are the same for all files.

    A `mode` other than "auto" and a `look` that is given win over the names in files; `auto` is the mode that the shot
    itself asks for, and why. `sets` are "stage.key=value" lines or a mapping {"stage.key": value}. Raises RecipeError
    or ParamError naming file, key and the nearest known.
    """
    load_stages()
    folders = folders or HOME
    files = [_read(pathlib.Path(r)) for r in recipes]
    beside = sidecar(raw)
    if beside is not None and beside.is_file():
        files.append(_read(beside, "sidecar"))
    mode, why = _choose_mode(mode, files, auto)
    order, of_mode = _read_mode(mode, folders)
    look = look or next((f.look for f in reversed(files) if f.look), None) or "classic"
    pile = _defaults(order)
    pile.lay(f"mode {mode}", of_mode)
    pile.lay(f"look {look}", _read_look(look, folders), strict=False)
    pile.lay(*_read_camera(make, model, folders), strict=False)
    for f in files:
        pile.lay(f.origin, f.tables)
    pile.lay("--set", _read_sets(sets))
    notes = (why, *(n for f in files for n in f.notes))
    return Recipe(mode, look, order, pile.values, pile.origins, notes)


def load_stages() -> None:
    """Import the modules of all stages, so that the registry knows them."""
    from . import develop  # noqa: F401


def modes(folders: Folders | None = None) -> list[str]:
    """Names of the modes that exist."""
    return sorted(p.stem for p in (folders or HOME).modes.glob("*.toml"))


def sidecar(raw: pathlib.Path | None) -> pathlib.Path | None:
    """The recipe that lies beside a raw file, whether or not it is there."""
    return None if raw is None else raw.with_name(f"{raw.stem}.lichtbild.toml")


def parse(text: str, origin: str) -> _Written:
    """Read the TOML of a recipe. Raises RecipeError naming `origin`."""
    tables = _load(text, origin)
    names = {word: tables.pop(word, None) for word in ("mode", "look")}
    for word, name in names.items():
        if not (name is None or isinstance(name, str)):
            raise RecipeError(f"{origin}: {word}: expected a name, got '{name}'")
    made = tables.pop(_MADE, {})
    version = made.get("lichtbild", __version__) if isinstance(made, dict) else __version__
    notes = () if version == __version__ else (f"{origin} was written by lichtbild {version}, this is {__version__}",)
    return _Written(origin, names["mode"], names["look"], _tables(tables, origin), notes)


def _load(text: str, origin: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise RecipeError(f"{origin}: not TOML: {e}") from None


def _text(path: pathlib.Path, origin: str) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as e:
        raise RecipeError(f"{origin}: {e.strerror or e}") from None
    except UnicodeDecodeError:
        raise RecipeError(f"{origin}: not a text file in UTF-8") from None


def _read(path: pathlib.Path, kind: str = "recipe") -> _Written:
    origin = f"{kind} {path}"
    if path.suffix.lower() == ".toml" or not path.is_file():
        return parse(_text(path, origin), origin)
    from .export import read_recipe

    text = read_recipe(path)
    if text is None:
        raise RecipeError(f"{origin}: holds no recipe; give a .toml file or a photograph made by lichtbild")
    return parse(text, origin)


def _tables(found: dict[str, Any], origin: str) -> Layer:
    for name, table in found.items():
        if name not in stages.REGISTRY:
            raise RecipeError(f"{origin}: unknown '{name}': {stages.nearest(name, [*stages.REGISTRY, *_WORDS])}")
        if not isinstance(table, dict):
            raise RecipeError(f"{origin}: {name}: expected a table [{name}], got '{table}'")
    return found


def _checked(origin: str, name: str, key: str, value: Any) -> Any:
    try:
        if isinstance(value, dict | list):
            value = json.dumps(value, default=str)  # no parameter is a table or a list: let `check` say what it wants
        return stages.check(name, key, value)
    except stages.ParamError as e:
        raise RecipeError(f"{origin}: {e}") from None


def _choose_mode(asked: str, files: Sequence[_Written], auto: tuple[str, str]) -> tuple[str, str]:
    if asked != "auto":
        return asked, f"mode {asked}: asked for"
    for f in reversed(files):
        if f.mode and f.mode != "auto":
            return f.mode, f"mode {f.mode}: from {f.origin}"
    return auto[0], f"mode {auto[0]}: auto, and {auto[1]}"


def _read_mode(name: str, folders: Folders) -> tuple[tuple[str, ...], Layer]:
    """The chain of a mode and its values."""
    path = folders.modes / f"{name}.toml"
    known = modes(folders)
    if name not in known:
        if name in COMING:
            raise RecipeError(f"mode '{name}' is not there yet; there is: {', '.join(known)}")
        raise RecipeError(f"unknown mode '{name}': {stages.nearest(name, [*known, 'auto'])}")
    origin = f"mode {name}"
    found = _load(_text(path, origin), origin)
    found.pop("doc", None)
    order = found.pop("chain", None)
    if not isinstance(order, list) or not order:
        raise RecipeError(f"{origin}: chain: expected a list of stages")
    for s in order:
        if s not in stages.REGISTRY:
            raise RecipeError(f"{origin}: unknown stage '{s}': {stages.nearest(str(s), stages.REGISTRY)}")
    return tuple(order), _tables(found, origin)


def _read_look(name: str, folders: Folders) -> Layer:
    """What a look sets in the stages: its tables [set.STAGE]. What else it holds is read by `lichtbild.look`."""
    from .look import LookError, spec

    path = folders.looks / f"{name}.toml"
    try:
        found = spec.written(path if path.is_file() else spec.path_of(name))
    except LookError as e:
        raise RecipeError(str(e)) from None
    return _tables(found.get("set", {}), f"look {name}")


def _read_camera(make: str, model: str, folders: Folders) -> tuple[str, Layer]:
    """What is known of this camera: the file `make-model.toml` in small letters, e.g. `acme-x1-pro.toml`."""
    words = re.findall(r"[a-z0-9]+", make.lower())
    more = re.findall(r"[a-z0-9]+", model.lower())
    words += more[len(words) :] if words and more[: len(words)] == words else more  # many models repeat the make
    path = folders.cameras / f"{'-'.join(words)}.toml"
    origin = f"camera {path.stem}"
    if not words or not path.is_file():
        return origin, {}
    found = _load(_text(path, origin), origin)
    found.pop("doc", None)
    return origin, _tables(found, origin)


def _read_sets(sets: Mapping[str, Any] | Iterable[str]) -> Layer:
    if not isinstance(sets, Mapping):
        lines = list(sets)
        if wrong := [line for line in lines if "=" not in line]:
            raise RecipeError(f"--set {wrong[0]}: expected stage.parameter=value")
        sets = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    layer: Layer = {}
    for key, value in ((stages.ALSO.get(k, k), v) for k, v in sets.items()):
        name, dot, parameter = key.partition(".")
        if not dot:
            raise RecipeError(f"--set {key}: expected stage.parameter=value")
        layer.setdefault(name, {})[parameter] = value
    return layer


def _defaults(order: Iterable[str]) -> _Pile:
    known = {name: stages.params(stages.find(name)) for name in order}
    values = {name: {key: p.default for key, p in ps.items()} for name, ps in known.items()}
    return _Pile(values, {name: dict.fromkeys(ps, "default") for name, ps in known.items()})


def _toml(value: Any) -> str:
    """One value as TOML. Text is escaped so that it survives XML as well."""
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    text = json.dumps(str(value).encode("utf-8", "replace").decode("utf-8"), ensure_ascii=False)
    return re.sub("[\x7f-\x9f\ufffe\uffff]", lambda m: f"\\u{ord(m[0]):04x}", text)
