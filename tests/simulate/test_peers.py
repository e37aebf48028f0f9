"""Simulated raws in other converters: a grey chart by day is grey. Under lamps the camera leaves some warmth."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from export.test_dng import converter
from PIL import Image

from lichtbild.simulate import plan, write


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["darktable-cli", "rawtherapee-cli"])
@pytest.mark.parametrize("light", ["daylight", "overcast"])
def test_a_grey_chart_is_grey(tmp_path: pathlib.Path, peer: str, light: str) -> None:
    if shutil.which(peer) is None:
        pytest.skip(f"{peer} is not installed")
    spec = {"name": "chart", "kind": "flat", "light": light, "lux": 400.0, "level": 0.4}
    (raw,) = write(plan(spec, "off", frames=1, width=640, height=480), tmp_path / "burst", "none")
    subprocess.run(converter(raw, tmp_path / "o.jpg")[peer], check=True, capture_output=True, timeout=300)
    with Image.open(tmp_path / "o.jpg") as file:
        seen = np.asarray(file).astype(float)
    h, w, _ = seen.shape
    for rows, columns in ((0.5, 0.5), (0.15, 0.15), (0.85, 0.5)):
        y, x = int(rows * h), int(columns * w)
        patch = seen[y - 30 : y + 30, x - 30 : x + 30].mean((0, 1))
        assert 40 < patch.mean() < 245 and np.ptp(patch) < 7, f"not grey: {np.round(patch)}"
