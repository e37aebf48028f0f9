"""`lichtbild bench`: the measurements of a checkout, which the installed package does not carry."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Sequence

from ...types import LichtbildError


def run(arguments: Sequence[str]) -> int:
    """Run `python -m bench` in the checkout this package lies in. Raises LichtbildError where there is none."""
    root = pathlib.Path(__file__).resolve().parents[4]
    if not (root / "bench" / "__main__.py").is_file():
        raise LichtbildError("bench: measuring needs a checkout of the project: clone it and run `make bench`")
    return subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=root, check=False).returncode
