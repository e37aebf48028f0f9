"""Simulated raws in other converters: a grey chart by day is grey. Under lamps the camera leaves some warmth."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from export.test_dng import converter
from PIL import Image

import lichtbild
from lichtbild.simulate import plan, write


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["darktable-cli", "rawtherapee-cli"])
@pytest.mark.parametrize(
    ("light", "chip"), [("daylight", "phone-1-inch"), ("overcast", "phone-1-inch"), ("daylight", "apsc-x-trans")]
)
def test_a_grey_chart_is_grey(tmp_path: pathlib.Path, peer: str, light: str, chip: str) -> None:
    if shutil.which(peer) is None:
        pytest.skip(f"{peer} is not installed")
    spec = {"name": "chart", "kind": "flat", "light": light, "lux": 400.0, "level": 0.4}
    (raw,) = write(plan(spec, "off", frames=1, sensor=chip, width=640, height=480), tmp_path / "burst", "none")
    subprocess.run(converter(raw, tmp_path / "o.jpg")[peer], check=True, capture_output=True, timeout=300)
    with Image.open(tmp_path / "o.jpg") as file:
        seen = np.asarray(file).astype(float)
    h, w, _ = seen.shape
    for rows, columns in ((0.5, 0.5), (0.15, 0.15), (0.85, 0.5)):
        y, x = int(rows * h), int(columns * w)
        patch = seen[y - 30 : y + 30, x - 30 : x + 30].mean((0, 1))
        assert 40 < patch.mean() < 245 and np.ptp(patch) < 7, f"not grey: {np.round(patch)}"


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["phone-1-inch:full", "phone-nona:full", "apsc-x-trans", "mono"])
def test_files_of_all_patterns_are_valid_and_ours_are_grey(tmp_path: pathlib.Path, chip: str) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    spec = {"name": "chart", "kind": "flat", "light": "daylight", "lux": 400.0, "level": 0.4}
    (raw,) = write(plan(spec, "off", frames=1, sensor=chip, width=640, height=480), tmp_path / "burst", "none")
    said = subprocess.run(["exiftool", "-validate", "-warning", "-a", raw], check=True, capture_output=True, text=True)
    assert "OK" in said.stdout and "Warning" not in said.stdout, said.stdout
    photo = lichtbild.develop(lichtbild.open(raw), look="neutral", set={"grade.falloff": 0.0}).array
    seen = np.asarray(photo, float).reshape(-1, 3) * (255 / np.iinfo(photo.dtype).max)
    assert np.ptp(seen.mean(0)) < 3 and seen.std(0).max() < 6, f"{seen.mean(0)} ± {seen.std(0)}"
