"""`lichtbild simulate`: a burst of raw files, and the truth about it, from a scene."""

from __future__ import annotations

import pathlib
import re
from typing import Any

from ... import kernels, scene
from ...simulate import catalogue, folder, plan
from ...simulate.settings import read
from ...types import LichtbildError
from .words import Bar, Usage, emit


def listing(json: bool) -> int:
    """Print the scenes with their parameters, the lenses and the sensors."""
    found = catalogue()
    if json:
        emit(found, indent=2)
        return 0
    for kind, entries in found.items():
        print(f"{kind}:")
        wide = max(map(len, entries), default=0)
        for name, doc in entries.items():
            print(f"  {name:<{wide}}  {doc}")
        if kind == "scenes":
            for name in entries:
                for key, p in scene.parameters(name).items():
                    print(f"    {name}.{key} = {p.default}  {p.doc}" + (f", {p.unit}" if p.unit else ""))
    return 0


def size(word: str | None) -> dict[str, int]:
    """Width and height from "1024x768". Raises Usage."""
    if word is None:
        return {}
    found = re.fullmatch(r"(\d+)[x×](\d+)", word)
    if not found:
        raise Usage(f"--size {word}: expected WIDTHxHEIGHT, as 1024x768")
    return {"width": int(found[1]), "height": int(found[2])}


def run(spec: str, output: str, given: dict[str, Any], cache: str | None, truth: str, overwrite: bool) -> int:
    """Take the burst into the folder `output`. Raises Usage for what cannot be meant so, before any work."""
    if truth not in folder.TRUTHS:
        raise Usage(f"--truth {truth}: expected one of {', '.join(folder.TRUTHS)}")
    try:
        _, settings = read(spec, **given)
    except LichtbildError as e:
        raise Usage(str(e)) from None
    folder.free(pathlib.Path(output), overwrite)
    bar = Bar(settings.frames)
    bar.show("drawing the scene")

    def told(number: int) -> None:
        bar.done = number + 1
        bar.show(output)

    try:
        made = plan(spec, cache, **given)
        kernels.keep_memory()  # now that the scene is drawn: what that took is given back
        folder.write(made, output, truth, overwrite, told)
    finally:
        bar.clear()
    return 0
