"""Rendered scenes, kept between runs: a scene of 12 MP takes seconds to draw and no time to read.

One folder per scene, named by a hash of all that it depends on, the code that draws it included. Arrays are .npy files,
which are mapped into memory instead of being read. A folder is made beside and renamed into place; two processes that
draw the same scene at once keep the work of one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import mmap
import os
import pathlib
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import scene
from ..scene import Layer, Motion, Scene, Sway

LIMIT_BYTES = 8 << 30  # of all scenes together; the least lately used go first
_ARRAYS = ("light", "depth_m", "alpha")


def folder(where: str | os.PathLike[str] | None = None) -> pathlib.Path | None:
    """Where scenes are kept: `where`, $LICHTBILD_CACHE, or the user's own cache; None for the word "off"."""
    where = where or os.environ.get("LICHTBILD_CACHE")
    if where:
        return None if str(where) == "off" else pathlib.Path(where)
    home = os.environ.get("XDG_CACHE_HOME")
    return (pathlib.Path(home) if home else pathlib.Path.home() / ".cache") / "lichtbild" / "scenes"


def render(spec: Mapping[str, Any], size: tuple[int, int], seed: int, margin: int,
           where: pathlib.Path | None) -> Scene:  # fmt: skip
    """The scene, from the cache if it is there; else drawn and kept. A cache that cannot be written is no error.

    What was kept is handed out as it lies in the cache: mapped, so that it takes memory only while it is looked at.
    """
    if where is None:
        return scene.render(spec, size, seed, margin)
    home = where / _key(spec, size, seed, margin)
    found = _found(home)
    if found is None:
        made = scene.render(spec, size, seed, margin)
        with contextlib.suppress(OSError):
            _store(made, home)
            _trim(where)
        found = _found(home) or made
    return found


def _found(home: pathlib.Path) -> Scene | None:
    """What lies in the cache; a damaged entry is as good as none."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = _load(home)
        os.utime(home)
        return found
    return None


def forget(array: Any) -> None:
    """Let go of the memory that an array of the cache takes, until it is looked at again; leaves others alone."""
    mapped = getattr(array, "_mmap", None)
    if mapped is not None and hasattr(mapped, "madvise"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _key(spec: Mapping[str, Any], size: tuple[int, int], seed: int, margin: int) -> str:
    words = hashlib.sha256(json.dumps([dict(spec), size, seed, margin], sort_keys=True, default=str).encode())
    here = pathlib.Path(scene.__file__).parent
    for source in sorted([*here.glob("*.py"), here.parent / "light.py"]):
        words.update(source.read_bytes())
    words.update(np.__version__.encode())
    if isinstance(spec.get("file"), str):
        with contextlib.suppress(OSError):
            words.update(pathlib.Path(spec["file"]).read_bytes())
    return f"{spec.get('name')}-{words.hexdigest()[:24]}"


def _store(made: Scene, home: pathlib.Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    part = pathlib.Path(tempfile.mkdtemp(dir=home.parent, prefix=".part-"))
    try:
        facts = {k: getattr(made, k) for k in ("name", "margin", "lux")} | {"regions": dict(made.regions), "layers": []}
        np.save(part / "illuminant.npy", made.illuminant)
        for name, table in made.spectra.items():
            np.save(part / f"spectrum-{name}.npy", table)
        for i, layer in enumerate(made.layers):
            plain = {f.name: getattr(layer, f.name) for f in dataclasses.fields(layer) if f.name not in _ARRAYS}
            facts["layers"].append(plain | {"motion": dataclasses.asdict(layer.motion)})
            for name in _ARRAYS:
                if (array := getattr(layer, name)) is not None:
                    np.save(part / f"{i}-{name}.npy", array)
        (part / "scene.json").write_text(json.dumps(facts))
        with contextlib.suppress(OSError):  # another process was faster
            part.rename(home)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _load(home: pathlib.Path) -> Scene:
    facts = json.loads((home / "scene.json").read_text())

    def array(name: str) -> Any:
        path = home / f"{name}.npy"
        return np.load(path, mmap_mode="r", allow_pickle=False) if path.exists() else None

    layers = []
    for i, plain in enumerate(facts["layers"]):
        moves = dict(plain.pop("motion"))
        sway = Sway(**_tuples(moves.pop("sway")))
        arrays = {name: array(f"{i}-{name}") for name in _ARRAYS}
        layers.append(Layer(**plain, **arrays, motion=Motion(sway=sway, **_tuples(moves))))
    spectra = {p.stem.removeprefix("spectrum-"): array(p.stem) for p in home.glob("spectrum-*.npy")}
    regions = {k: (int(a), int(b), int(c), int(d)) for k, (a, b, c, d) in facts["regions"].items()}
    return Scene(facts["name"], tuple(layers), facts["margin"], array("illuminant"), facts["lux"], spectra, regions)


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}


def _trim(where: pathlib.Path) -> None:
    """Take away the least lately used scenes until the rest fits LIMIT_BYTES."""
    homes = sorted((h for h in where.iterdir() if (h / "scene.json").is_file()), key=lambda h: -h.stat().st_mtime)
    total = 0
    for home in homes:
        total += sum(p.stat().st_size for p in home.iterdir())
        if total > LIMIT_BYTES:
            shutil.rmtree(home, ignore_errors=True)
