"""What the commands say to people: one line on stderr, a bar in a terminal, JSON where a program listens."""

from __future__ import annotations

import json
import sys
from typing import Any

from ...types import LichtbildError


class Usage(LichtbildError):
    """The command line asks for something that cannot be: exit code 2, before any work."""


def complain(text: str) -> None:
    """One line on stderr."""
    print(f"lichtbild: {text}", file=sys.stderr, flush=True)


def emit(found: Any, indent: int | None = None) -> None:
    """One JSON value on stdout; what JSON does not know (arrays, paths, NaN) becomes lists, text and null."""
    print(json.dumps(_plain(found), indent=indent, ensure_ascii=False), flush=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return value if value is None or isinstance(value, bool | int) else str(value).encode("utf-8", "replace").decode()


class Bar:
    """Progress on stderr: a bar in a terminal, nothing in a pipe."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.shown = sys.stderr.isatty()

    def show(self, name: str) -> None:
        """Draw the bar, with the file that is being waited for."""
        if self.shown:
            full = 24 * self.done // max(self.total, 1)
            self._write(f"[{'#' * full}{'.' * (24 - full)}] {self.done}/{self.total} {name}")

    def line(self, text: str) -> None:
        """A line above the bar, in a terminal only."""
        if self.shown:
            self._write(f"{text}\n")

    def clear(self) -> None:
        """Take the bar away."""
        if self.shown:
            self._write("")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
