"""Damaged looks, tables, lenses, sensors and pictures of scenes: read, or refused in one line, and nothing else."""

from __future__ import annotations

import pathlib
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scene.test_picture import exr

import lichtbild
from lichtbild import lens, look, scene, sensor
from lichtbild.develop._camera import GENERIC
from lichtbild.look import bake, foreign, lut
from lichtbild.types import LichtbildError

HOUSE = pathlib.Path(lichtbild.__file__).parent
MUTANTS = 120
SIZES = {"table": 5, "hald": 16, "clf": 5, "icc": 5, "xmp": 5, "dcp": None}  # of what is baked


def mutant(data: bytes, seed: int) -> bytes:
    """`data` with bytes changed, removed or put in, or cut short."""
    rng, found = random.Random(seed), bytearray(data)
    for _ in range(rng.choice((1, 2, 8))):
        at, how = rng.randrange(len(found)), rng.random()
        if how < 0.5:
            found[at] = rng.randrange(256)
        elif how < 0.7:
            del found[at : at + rng.randrange(1, 40)]
        elif how < 0.85:
            found[at:at] = bytes(rng.choice(b"0123456789eE+-.naif ") for _ in range(rng.randrange(1, 12)))
        else:
            del found[max(1, at) :]
        found = found or bytearray(b"x")
    return bytes(found)


def drawn(path: pathlib.Path) -> Any:
    return scene.render({"name": "picture", "file": str(path), "clip": True}, (16, 24), 1)


def compiled(path: pathlib.Path) -> Any:
    return look.compile(look.load(path))


READERS: dict[str, tuple[str, Callable[[pathlib.Path], Any]]] = {
    "table": (".cube", lut.read), "hald": (".png", lut.read), "look": (".toml", compiled),
    "clf": (".clf", foreign.read), "icc": (".icc", foreign.read), "xmp": (".xmp", foreign.read),
    "dcp": (".dcp", foreign.read), "lens": (".toml", lens.load), "sensor": (".toml", sensor.load),
    "exr": (".exr", drawn), "exr zip": (".exr", drawn),
}  # fmt: skip


def sound(kind: str, folder: pathlib.Path) -> bytes:
    """A file of this kind with nothing wrong in it."""
    if kind in SIZES:
        path = folder / f"a{READERS[kind][0]}"
        bake.bake(look.load("bright"), path, SIZES[kind], camera=bake.Camera("x", GENERIC))
        return path.read_bytes()
    if kind.startswith("exr"):
        return exr(np.linspace(0, 1, 3 * 14 * 20).reshape(14, 20, 3).astype(np.float32), 3 if "zip" in kind else 0)
    names = {"look": "look/data/classic", "lens": "lens/data/phone-main", "sensor": "sensor/data/imx477"}
    return (HOUSE / f"{names[kind]}.toml").read_bytes()


@pytest.mark.filterwarnings("ignore")  # of numbers that overflow: what comes of them is checked
@pytest.mark.parametrize("kind", READERS)
def test_mutants_are_read_or_refused(kind: str, tmp_path: pathlib.Path) -> None:
    suffix, read = READERS[kind]
    data, path = sound(kind, tmp_path), tmp_path / f"mutant{suffix}"
    path.write_bytes(data)
    read(path)
    refused = 0
    for seed in range(MUTANTS):
        path.write_bytes(mutant(data, seed))
        start = time.perf_counter()
        try:
            read(path)
        except LichtbildError as e:
            refused += 1
            assert len(str(e).splitlines()) == 1, f"seed {seed}: {e}"
        assert time.perf_counter() - start < 2, f"seed {seed} took too long"
    assert refused > 0


def test_an_offset_beyond_all_memory_is_refused(tmp_path: pathlib.Path) -> None:
    data = bytearray(exr(np.ones((4, 5, 3), np.float32), 3))
    at = data.index(b"box2i\0") + 6 + 4 + 16 + 1  # behind the last attribute and the header's end: the offsets
    data[at : at + 8] = b"\xff" * 8
    path = tmp_path / "a.exr"
    path.write_bytes(data)
    with pytest.raises(scene.SceneError, match="OpenEXR"):
        drawn(path)
