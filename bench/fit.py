"""Fit: how near a fitted look comes to tables of others and to the looks of the house. `python -m bench.fit [TABLE …]`

ΔE2000 over colours of nature that the fit did not see, and over the whole cube; CPU seconds. TABLEs are .cube or
HaldCLUT files; without any, those of ../shared/data/looks, where they are.
"""

from __future__ import annotations

import pathlib
import sys
import time

import numpy as np

from lichtbild import look
from lichtbild.look import fit, lint, lut, search
from lichtbild.look.difference import delta_e, lab
from lichtbild.types import F64

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data" / "looks"
PLAIN = look.compile(look.load("neutral"))


def row(name: str, seen: tuple[F64, F64], unseen: tuple[F64, F64], cube: tuple[F64, F64]) -> None:
    """Fit to the colours `seen`, before and after, and print what is left on others."""
    began = time.process_time()
    found = fit.of_colours(*seen, "mine").look
    took = time.process_time() - began
    left = []
    for before, after in (unseen, cube):
        error = delta_e(lab(search.render(found, fit.scene_of(before))), lab(after))
        left += [error.mean(), np.percentile(error, 95)]
    print(f"{name:26} {left[0]:6.2f} {left[1]:6.2f} {left[2]:9.2f} {left[3]:6.2f} {took:7.1f}")


def main() -> None:
    tables = [pathlib.Path(n) for n in sys.argv[1:]] or sorted(SHARED.glob("*.png"))
    colours = look.display(PLAIN, lint.nature(2400))
    greys = np.repeat(np.linspace(0.0, 1.0, 60)[:, None], 3, 1)
    parts = (np.concatenate([colours[::2], greys]), colours[1::2], lut.grid(9).reshape(-1, 3).astype(np.float64))
    print(f"{'fit to':26} {'mean':>6} {'p95':>6} {'cube mean':>9} {'p95':>6} {'CPU s':>7}")
    for path in tables:
        table = lut.read(path)
        row(path.stem, *((p, np.clip(lut.twin(p, table), 0.0, 1.0)) for p in parts))
    for name in look.names():
        shown = look.compile(look.load(name))
        row(name, *((p, look.display(shown, fit.scene_of(p))) for p in parts))


if __name__ == "__main__":
    main()
