"""`lichtbild look`: which looks there are, and what one is made of."""

from __future__ import annotations

import tomllib

from ... import recipe, stage
from .words import Usage, emit


def names(json: bool) -> int:
    """Print each look with its one line of text."""
    folder = recipe.HOME.looks
    found = {n: str(tomllib.loads((folder / f"{n}.toml").read_text("utf-8")).get("title", "")) for n in recipe.looks()}
    if json:
        emit(found, indent=2)
        return 0
    wide = max(map(len, found), default=0)
    for name, doc in found.items():
        print(f"{name:<{wide}}  {doc}".rstrip())
    return 0


def show(name: str | None) -> int:
    """Print the file of a look."""
    known = recipe.looks()
    if name is None:
        raise Usage(f"look show: which one? {', '.join(known)}")
    if name not in known:
        raise Usage(f"unknown look '{name}': {stage.nearest(name, known)}")
    print((recipe.HOME.looks / f"{name}.toml").read_text("utf-8").rstrip())
    return 0
