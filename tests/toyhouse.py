"""A small house for the doors: toy stages, frames without content and a pipeline that paints."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lichtbild import photo, raw, recipe, stage
from lichtbild.stage import Stage, param
from lichtbild.types import Frame, RawError
from lichtbild.wanted import Developed, Wanted

recipe.load_stages()  # the real ones register now, not while the toys are in their place


class Paint:
    level: float = param(0.5, 0.0, 1.0, "", "how bright")


def read(path: pathlib.Path) -> Frame:
    """A frame for any file whose bytes do not say BAD."""
    if not path.exists():
        raise RawError(f"{path}: no such file")
    data = path.read_bytes()
    if data.startswith(b"BAD"):
        raise RawError(f"{path}: not a raw file")
    if data.startswith(b"BUG"):
        raise ZeroDivisionError("a fault of ours")
    mosaic = np.zeros((6, 8), np.uint16)
    guesses = ["white balance: daylight assumed"] if data.startswith(b"GUESS") else []
    return Frame(path, "RGGB", mosaic, None, np.zeros((1, 1, 1), np.float32), (1023.0,), guesses=guesses)


def render(frame: Frame, made: recipe.Recipe, want: Wanted) -> Developed:
    """A flat picture of the level of [paint]."""
    kind: Any = np.uint8 if want.bits == 8 else np.uint16
    flat = np.full((6, 8, 3), made.values["paint"]["level"] * np.iinfo(kind).max, kind)
    return Developed(flat, chosen={"paint": "flat", "level": np.float32(0.5)})


def furnish(house: pathlib.Path, put: Callable[[Any, str, Any], None]) -> None:
    """Put the toys in place of the house, by `put(module, name, value)`."""
    put(stage, "REGISTRY", {})
    put(recipe, "load_stages", lambda: None)
    stage.stage("paint", "the paint")(type("Paint", (Stage,), dict(Paint.__dict__)))
    folders = recipe.Folders(house / "modes", house / "looks", house / "cameras")
    for folder in (folders.modes, folders.looks, folders.cameras):
        folder.mkdir(parents=True)
    (folders.modes / "snapshot.toml").write_text('chain = ["paint"]')
    (folders.looks / "classic.toml").write_text('title = "the usual"')
    put(recipe, "HOME", folders)
    put(raw, "open", read)
    put(raw, "glance", read)
    put(photo, "render", render)


@pytest.fixture(name="toys")
def toy_house(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pathlib.Path]:
    """Work in an empty folder with the toys in place of the house; returns a maker of raw files."""
    furnish(tmp_path / "house", lambda where, name, value: monkeypatch.setattr(where, name, value, raising=False))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def make(name: str, data: bytes = b"RAW") -> pathlib.Path:
        path = pathlib.Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return make
