"""`lichtbild info`: what a raw file says, and every guess that was made."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

from ... import raw, shot
from ..runner import reason
from .words import complain, emit


def run(files: Sequence[str], json: bool) -> int:
    """Print what each file says, as text or as one JSON object per file; 1 if one of them could not be read."""
    bad = False
    for i, file in enumerate(files):
        try:
            found = raw.describe(shot.open([file]).reference)
        except Exception as e:
            bad = True
            why = reason(e, pathlib.Path(file))
            complain(f"{file}: {why}")
            if json:
                emit({"file": file, "error": why})
            continue
        if json:
            emit(found)
        else:
            print("\n".join([""] * (i > 0) + lines(found)))
    return 1 if bad else 0


def lines(found: dict[str, Any], depth: int = 0) -> list[str]:
    """Nested facts as indented lines; what is empty is left out."""
    out = []
    for key, value in found.items():
        name = "  " * depth + str(key).replace("_", " ")
        if value is None or value == [] or value == {} or value == "":
            continue
        if isinstance(value, dict):
            out += [name, *lines(value, depth + 1)]
        elif isinstance(value, list | tuple) and value and all(isinstance(v, dict) for v in value):
            for i, v in enumerate(value):
                out += [f"{name} {i + 1}", *lines(v, depth + 1)]
        elif isinstance(value, list | tuple) and any(isinstance(v, str) and " " in v for v in value):
            out += [name, *("  " * (depth + 1) + str(v) for v in value)]
        else:
            out.append(f"{name:<28}  {_text(value)}")
    return out


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return "  ".join(_text(v) for v in value if v != [])
    if isinstance(value, dict):  # as an opcode: its name, and what is true of it
        return " ".join([str(value.get("name", "")), *(f"({k})" for k, v in value.items() if v is True)]).strip()
    return str(value)
