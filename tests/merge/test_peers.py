"""Merged DNGs in other programs: readable, without a warning, and grey where the scene is grey."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import rawpy
from export.test_dng import converter
from PIL import Image

from lichtbild.apps.cli.main import run
from lichtbild.simulate import plan, write

KINDS = {"linear": [], "cfa": ["--cfa"], "zoomed": ["--zoom", "2"]}


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    """A burst of a grey chart by day, merged in each way."""
    folder = tmp_path_factory.mktemp("peers")
    spec = {"name": "chart", "kind": "flat", "light": "daylight", "lux": 400.0, "level": 0.4}
    write(plan(spec, "off", frames=3, width=640, height=480), folder / "burst", "none")
    for kind, words in KINDS.items():
        assert run(["merge", str(folder / "burst"), "-o", str(folder / f"{kind}.dng"), *words]) == 0
    return {kind: folder / f"{kind}.dng" for kind in KINDS}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_merged_files_are_valid_and_libraw_reads_them(merged: dict[str, pathlib.Path], kind: str) -> None:
    with rawpy.imread(str(merged[kind])) as raw:
        seen = raw.postprocess(use_camera_wb=True, no_auto_bright=True).astype(float)
    size = (960, 1280) if kind == "zoomed" else (480, 640)
    patch = seen[200:280, 280:360].mean((0, 1))
    assert seen.shape[:2] == size and np.ptp(patch) < 5, f"not grey: {np.round(patch)}"
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    said = subprocess.run(["exiftool", "-validate", "-warning", "-error", "-a", str(merged[kind])], check=True,
                          capture_output=True, text=True)  # fmt: skip
    assert said.stdout.split(":")[-1].strip() == "OK", said.stdout


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["darktable-cli", "rawtherapee-cli"])
@pytest.mark.parametrize("kind", KINDS)
def test_peers_see_merged_grey_as_grey(
    tmp_path: pathlib.Path, merged: dict[str, pathlib.Path], peer: str, kind: str
) -> None:
    if shutil.which(peer) is None:
        pytest.skip(f"{peer} is not installed")
    told = subprocess.run(converter(merged[kind], tmp_path / "o.jpg")[peer], check=True, capture_output=True,
                          text=True, timeout=300)  # fmt: skip
    with Image.open(tmp_path / "o.jpg") as file:
        seen = np.asarray(file).astype(float)
    assert "error" not in (told.stdout + told.stderr).lower()
    h, w, _ = seen.shape
    for rows, columns in ((0.5, 0.5), (0.2, 0.2), (0.8, 0.5)):
        y, x = int(rows * h), int(columns * w)
        patch = seen[y - 30 : y + 30, x - 30 : x + 30].mean((0, 1))
        assert 40 < patch.mean() < 250 and np.ptp(patch) < 7, f"not grey: {np.round(patch)}"
