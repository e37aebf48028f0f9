"""Stage — one step on the way of light, its parameters declared once, and the registry of all of them.

A stage is a class of parameters. What it measures, prepares and applies are functions beside it in its module:

    @stage("tone", "local tone mapping that keeps the mood of the light")
    class Tone(Stage):
        strength: float = param(0.5, 0.0, 1.0, "", "how much of the range is drawn together")

The CLI's `--set tone.strength=0.7`, the check of a recipe, the slider of the web page, the table in the docs and the
property tests all derive from that one line.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, NamedTuple, TypeVar, cast, dataclass_transform

from .types import LichtbildError


class Param(NamedTuple):
    """What is known of one parameter. Numbers have `lo` and `hi`; words have `choices`."""

    name: str
    kind: type
    default: Any
    lo: float | None
    hi: float | None
    unit: str
    doc: str
    choices: tuple[str, ...]


class ParamError(LichtbildError):
    """An unknown stage or parameter, or a value that does not fit."""


def param(
    default: Any, lo: float | None = None, hi: float | None = None, unit: str = "", doc: str = "",
    choices: tuple[str, ...] = (),
) -> Any:  # fmt: skip
    """Declare a parameter: its default, its range (numbers) or its choices (words), its unit and one line of text."""
    return field(default=default, metadata={"lo": lo, "hi": hi, "unit": unit, "doc": doc, "choices": choices})


@dataclass(frozen=True)
class Stage:
    """Base of all stages: a frozen dataclass of parameters, made by the `stage` decorator."""

    name: ClassVar[str]
    doc: ClassVar[str]


S = TypeVar("S", bound=type[Stage])
REGISTRY: dict[str, type[Stage]] = {}
ALSO = {"night.mood": "exposure.mood"}  # what is looked for in another place than where light passes it


@dataclass_transform(frozen_default=True, field_specifiers=(param,))
def _dataclass(cls: S) -> S:
    return cast(S, dataclass(frozen=True)(cls))


def stage(name: str, doc: str) -> Any:
    """Register a class as the stage `name`; a recipe's table [name] sets its parameters."""

    def register(cls: S) -> S:
        made = _dataclass(cls)
        made.name, made.doc = name, doc
        REGISTRY[name] = made
        return made

    return register


def params(cls: type[Stage]) -> dict[str, Param]:
    """The parameters of a stage by name, in the order of their declaration."""
    found = {}
    for f in fields(cls):
        assert f.default is not MISSING, f"{cls.name}.{f.name} has no default"
        found[f.name] = Param(f.name, type(f.default), f.default, **f.metadata)
    return found


def nearest(word: str, known: Any) -> str:
    """The end of an error message: the nearest known word, or all of them."""
    close = difflib.get_close_matches(word, list(known), 1, 0.5)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(sorted(known))}"


def find(name: str) -> type[Stage]:
    """The stage called `name`. Raises ParamError naming the nearest one."""
    if name not in REGISTRY:
        raise ParamError(f"unknown stage '{name}': {nearest(name, REGISTRY)}")
    return REGISTRY[name]


def check(stage_name: str, key: str, value: Any) -> Any:
    """`value` as the type of the parameter; strings (from the command line) are read as what it expects.

    Raises ParamError naming stage, parameter, range and value.
    """
    known = params(find(stage_name))
    if key not in known:
        raise ParamError(f"unknown parameter '{stage_name}.{key}': {nearest(key, known)}")
    return fit(f"{stage_name}.{key}", known[key], value)


def fit(where: str, p: Param, value: Any) -> Any:
    """`value` as what the parameter `p` expects. Raises ParamError naming `where`, range and value."""
    if p.kind is bool:
        words = {
            "true": True,
            "on": True,
            "yes": True,
            "1": True,
            "false": False,
            "off": False,
            "no": False,
            "0": False,
        }
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        if isinstance(value, bool):
            return value
        raise ParamError(f"{where}: expected true or false, got '{value}'")
    if p.kind is str:
        if not isinstance(value, str) or (p.choices and value not in p.choices):
            wanted = f"one of {', '.join(p.choices)}" if p.choices else "a text"
            raise ParamError(f"{where}: expected {wanted}, got '{value}'")
        return value
    return _number(where, p, value)


def _number(where: str, p: Param, value: Any) -> float | int:
    try:
        number = p.kind(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, float) and number != value:  # int() would cut it to a whole number
        number = math.nan
    lo, hi = (-math.inf if p.lo is None else p.lo), (math.inf if p.hi is None else p.hi)
    if not lo <= number <= hi:
        kind = "a whole number" if p.kind is int else "a number"
        raise ParamError(f"{where}: expected {kind} in {lo:g}..{hi:g} {p.unit}".rstrip() + f", got '{value}'")
    return number
