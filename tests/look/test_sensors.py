"""One look on several sensors: what a photograph looks like does not hang on who made the sensor."""

from __future__ import annotations

import itertools
import json
import pathlib
from importlib import resources
from typing import Any

import numpy as np
import pytest
from conftest import SHARED, needs_shared

import lichtbild
from lichtbild import simulate
from lichtbild.look.difference import delta_e, lab

SENSORS = ("phone-1-inch", "imx477", "imx708")
INNER = 0.25  # of a patch's sides, left out all around


def patches(sensor: str, light: str, look: str) -> np.ndarray[Any, Any]:
    """Encoded sRGB (24, 3) of the chart's patches in a photograph, falloff aside."""
    scene = {"name": "chart", "kind": "patches", "light": light}
    shot = {"frames": 1, "width": 480, "height": 360, "sensor": sensor, "shake": 0.0}
    plan = simulate.plan({"scene": scene, "shot": shot})
    frame = next(plan.pictures(owners=False)).frame
    photo = lichtbild.develop(lichtbild.types.Shot([frame], frame.path), look=look, set={"grade.falloff": 0.0})
    picture = photo.array / 255.0
    edge = (np.array(plan.scene.frame) - picture.shape[:2]) // 2 + plan.scene.margin  # what the lens needs around it
    found = []
    for top, left, height, width in plan.scene.regions.values():
        y, x = np.array([top, left]) - edge + (INNER * np.array([height, width])).astype(int)
        inner = picture[y : y + height // 2, x : x + width // 2]
        found.append(inner.mean((0, 1)))
    return np.array(found)


def measured(camera: str, folder: pathlib.Path) -> str:
    """A sensor's file with the sensitivities that were measured on a camera."""
    data = json.loads((SHARED / "colour" / "rawtoaces" / "camera" / f"{camera}_380_780_5.json").read_text())
    curves = data["spectral_data"]["data"]["main"]
    rows = [f"{nm},{r * 0.6},{g * 0.6},{b * 0.6}" for nm, (r, g, b) in curves.items()]
    (folder / f"{camera}.csv").write_text("\n".join(rows))
    text = (resources.files("lichtbild.sensor") / "data" / "phone-1-inch.toml").read_text()
    path = folder / f"{camera}.toml"
    path.write_text(text[: text.index("[colour]")] + f'[colour]\ncurves = "{camera}.csv"\n')
    return str(path)


@needs_shared
@pytest.mark.parametrize("light", ["daylight", "tungsten"])
def test_measured_sensors_agree(light: str, tmp_path: pathlib.Path) -> None:
    cameras = ("Canon_EOS_5D_Mark_II", "Nikon_D810", "Sony_ILCE-7M3")
    _agree([lab(patches(measured(camera, tmp_path), light, "classic")) for camera in cameras])


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("portrait", "slide")]


@pytest.mark.parametrize("name", ["classic", *SLOW])
@pytest.mark.parametrize("light", ["daylight", "tungsten"])
def test_sensors_agree(name: str, light: str) -> None:
    _agree([lab(patches(sensor, light, name)) for sensor in SENSORS])


def _agree(seen: list[np.ndarray[Any, Any]]) -> None:
    assert np.ptp(seen[0][:, 0]) > 40  # the chart is seen
    away = np.concatenate([delta_e(a, b) for a, b in itertools.combinations(seen, 2)])
    assert np.median(away) <= 1.0 and np.percentile(away, 95) <= 3.0, (np.median(away), np.percentile(away, 95))
