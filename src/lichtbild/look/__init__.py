"""Looks: from a file of targets to the picture's tone and colour. Read spec, curve, colour, tables, stage, lint."""

from .spec import Look, LookError, load, names
from .stage import LookTrim, apply, twin
from .tables import LookTables, compile, display

__all__ = [
    "Look",
    "LookError",
    "LookTables",
    "LookTrim",
    "apply",
    "compile",
    "display",
    "load",
    "names",
    "twin",
]
