"""Looks: from a file of targets to the picture's tone and colour. Read spec, curve, colour, tables, stage."""

from .health import Health, lint
from .spec import Look, LookError, load, names
from .stage import LookTrim, apply, twin
from .tables import LookTables, compile, display

__all__ = [
    "Health",
    "Look",
    "LookError",
    "LookTables",
    "LookTrim",
    "apply",
    "compile",
    "display",
    "lint",
    "load",
    "names",
    "twin",
]
