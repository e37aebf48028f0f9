"""Processor levels: each photograph-making kernel gives the same on every level that the library holds."""

from __future__ import annotations

import ctypes
import os
import pathlib
import pickle
import subprocess
import sys
from typing import Any, cast

import pytest
import replay
from conftest import ROOT

from lichtbild import kernels
from lichtbild.types import LichtbildError

AGAIN = """
import pickle, sys
sys.path[:0] = sys.argv[1:3]
import replay
with open(sys.argv[3], "rb") as file:
    replay.again(pickle.load(file))
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("levels") / "calls"
    made = replay.record()
    assert len({call.kernel for call in made}) > 15
    path.write_bytes(pickle.dumps(made))
    return path


@pytest.mark.parametrize("level", ["avx512", "avx2", "baseline"])
def test_levels_agree(calls: pathlib.Path, level: str) -> None:
    line = [sys.executable, "-c", AGAIN, str(ROOT / "tests"), str(ROOT / "src"), str(calls)]
    done = subprocess.run(line, env={**os.environ, "LICHTBILD_LEVEL": level}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


class Library:
    """A library whose processor can do everything; it remembers who chooses."""

    def halide_default_can_use_target_features(self, count: int, words: Any) -> int:
        return 1

    def halide_set_custom_can_use_target_features(self, chooser: Any) -> None:
        self.chooser = chooser


@pytest.mark.parametrize(
    ("level", "taken"), [("avx512", [True] * 3), ("avx2", [False, True, True]), ("baseline", [False, False, True])]
)
def test_a_level_takes_nothing_above_it(monkeypatch: pytest.MonkeyPatch, level: str, taken: list[bool]) -> None:
    halide = pytest.importorskip("halide")
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import build_kernels

    library = Library()
    kernels._hold(cast(ctypes.CDLL, library), level)
    found = []
    for features in build_kernels.LEVELS["x86-64-linux"]:
        target = halide.Target("-".join(filter(None, ("x86-64-linux", features))))
        bits = sum(1 << int(f) for f in halide.TargetFeature.__members__.values() if _has(target, f))
        words = (ctypes.c_uint64 * 2)(bits & (1 << 64) - 1, bits >> 64)
        found.append(bool(library.chooser(2, words)))
    assert found == taken


def _has(target: Any, feature: Any) -> bool:
    return int(feature) < 128 and target.has_feature(feature)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(LichtbildError, match="LICHTBILD_LEVEL=avx3: expected one of avx512, avx2, baseline"):
        kernels._hold(cast(ctypes.CDLL, Library()), "avx3")
