"""`lichtbild explain`: each value of a recipe and the layer it came from."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from ... import photo, recipe, stage
from ...types import LichtbildError
from .words import Usage, complain, emit


def run(file: str, mode: str, look: str | None, sets: Sequence[str], recipes: Sequence[str], json: bool) -> int:
    """Resolve the recipe of `file` and print it: a table in a terminal, lines in a pipe, or JSON."""
    _check_words(mode, look, sets, recipes)
    meant = photo.develop(file, mode, look, sets, recipes)
    made = meant.recipe
    for remark in meant.shot.remarks:
        complain(remark)
    if json:
        emit(facts(made), indent=2)
    elif sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        _table(made)
    else:
        print("\n".join(lines(made)))
    return 0


def _check_words(mode: str, look: str | None, sets: Sequence[str], recipes: Sequence[str]) -> None:
    try:
        recipe.resolve(mode, look, recipes, sets)
    except LichtbildError as e:
        raise Usage(str(e)) from None


def rows(made: recipe.Recipe) -> list[tuple[str, Any, stage.Param, str]]:
    """Name, value, declaration and origin of every parameter, along the way of light."""
    found = []
    for name in made.order:
        for key, p in stage.params(stage.find(name)).items():
            found.append((f"{name}.{key}", made.values[name][key], p, made.origins[name][key]))
    return found


def facts(made: recipe.Recipe) -> dict[str, Any]:
    """The recipe with origins, for JSON."""
    values = {
        name: {"value": v, "unit": p.unit, "default": p.default, "origin": origin, "doc": p.doc}
        for name, v, p, origin in rows(made)
    }
    return {"mode": made.mode, "look": made.look, "notes": made.notes, "stages": made.order, "values": values}


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def lines(made: recipe.Recipe) -> list[str]:
    """The recipe as aligned text."""
    cells = [(name, f"{_text(v)} {p.unit}".rstrip(), origin) for name, v, p, origin in rows(made)]
    wide = [max((len(c[i]) for c in cells), default=0) for i in (0, 1)]
    head = [*made.notes, f"look {made.look}", f"stages {' → '.join(made.order)}", ""]
    return head + [f"{name:<{wide[0]}}  {value:<{wide[1]}}  {origin}" for name, value, origin in cells]


def _table(made: recipe.Recipe) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("parameter", "value", "from", "what it does", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name, v, p, origin in rows(made):
        style = "dim" if origin == "default" else "bold"
        cells = (name, f"{_text(v)} {p.unit}".rstrip(), origin, p.doc)
        table.add_row(*(Text(cell, style="dim" if i == 3 else style) for i, cell in enumerate(cells)))
    console = Console()
    for note in (*made.notes, f"look {made.look}", f"stages {' → '.join(made.order)}"):
        console.print(Text(note))
    console.print(table)
