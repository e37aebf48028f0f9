"""Begin a stage: its module, its generator and its test, which build and pass as they are. `make stage NAME=fog`

What is written multiplies light by a gain; put the stage's own algorithm in its place. CONTRIBUTING.md says the rest.
"""

from __future__ import annotations

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

MODULE = '''"""NAME_: what this stage does to light, in one line.

in    scene light (3, H, W) float32, linear Rec.2020, 1.0 = diffuse white
out   the same
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import kernels
from ..stage import Stage, param, stage
from ..types import F32


@stage("NAME", "light is multiplied by a gain")
class NAME_(Stage):
    """Parameters of NAME."""

    strength: float = param(0.0, -4.0, 4.0, "EV", "how much lighter")


@dataclass(frozen=True)
class NAME_Table:
    """What the kernel reads: `gain`, a factor."""

    gain: float


def prepare(strength: float) -> NAME_Table:
    """The table of a strength in EV."""
    return NAME_Table(2.0**strength)


def apply(light: F32, table: NAME_Table) -> F32:
    """Light (3, H, W) after the stage."""
    out = np.empty(light.shape, np.float32)
    kernels.call("NAME", light=light, gain=np.array([table.gain], np.float32), output=out)
    return out


def twin(light: F32, table: NAME_Table) -> F32:
    """The same in NumPy."""
    return light * np.float32(table.gain)
'''

GENERATOR = '''"""NAME_ — what this stage does to light, in one line."""

import halide as hl

from _quad import c, x, y


def NAME(light, gain):
    """`light` (Func of x, y, c), `gain` (1) → float32 Func."""
    out = hl.Func("NAME_light")
    out[x, y, c] = light[x, y, c] * gain[0]
    return out


@hl.generator(name="NAME")
class NAME_:
    """Light (3, H, W) float32 → the same, times a gain."""

    light = hl.InputBuffer(hl.Float(32), 3)
    gain = hl.InputBuffer(hl.Float(32), 1)
    output = hl.OutputBuffer(hl.Float(32), 3)

    def generate(self):
        self.output[x, y, c] = NAME(self.light, self.gain)[x, y, c]
        tail, yo = hl.TailStrategy.GuardWithIf, hl.Var("yo")
        self.output.split(y, yo, y, 32, tail).reorder(x, y, c, yo).parallel(yo)
        self.output.vectorize(x, self.natural_vector_size(hl.Float(32)), tail)


if __name__ == "__main__":
    hl.main()
'''

TEST = '''"""NAME_: kernel and twin, and what must be true of it."""

from __future__ import annotations

import numpy as np
import pytest
from mosaics import SIZES

from lichtbild.develop import NAME


@pytest.mark.parametrize("size", SIZES)
def test_kernel_is_twin(size: tuple[int, int], rng: np.random.Generator) -> None:
    light = rng.uniform(0, 4, (3, *size)).astype(np.float32)
    table = NAME.prepare(0.7)
    np.testing.assert_allclose(NAME.apply(light, table), NAME.twin(light, table), rtol=1e-6)


def test_nothing_is_nothing(rng: np.random.Generator) -> None:
    light = rng.uniform(0, 4, (3, 8, 8)).astype(np.float32)
    np.testing.assert_array_equal(NAME.apply(light, NAME.prepare(0.0)), light)
'''

FILES = {"src/lichtbild/develop/{}.py": MODULE, "kernels/{}.py": GENERATOR, "tests/develop/test_{}.py": TEST}


def begin(name: str, root: pathlib.Path = ROOT) -> list[pathlib.Path]:
    """Write the three files of a stage `name`; returns them. Raises SystemExit where the name is taken or unfit."""
    if not (name.isidentifier() and name.islower()):
        raise SystemExit(f"stage: expected NAME=word in small letters, got '{name}'")
    paths = {root / path.format(name): text for path, text in FILES.items()}
    for path in paths:
        if path.exists():
            raise SystemExit(f"stage: {path.relative_to(root)} exists; choose another name")
    for path, text in paths.items():
        path.write_text(text.replace("NAME_", name.capitalize()).replace("NAME", name), "utf-8")
    return list(paths)


if __name__ == "__main__":
    for path in begin(sys.argv[1] if len(sys.argv) > 1 else ""):
        print(path.relative_to(ROOT))
    print("next: ORDER in develop/__init__.py, modes/*.toml, develop/pipeline.py; see CONTRIBUTING.md")
