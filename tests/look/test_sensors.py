"""One look on several sensors: what a photograph looks like does not hang on who made the sensor."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

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


@pytest.mark.parametrize("name", ["classic", "portrait", "slide"])
@pytest.mark.parametrize("light", ["daylight", "tungsten"])
def test_sensors_agree(name: str, light: str) -> None:
    seen = [lab(patches(sensor, light, name)) for sensor in SENSORS]
    assert np.ptp(seen[0][:, 0]) > 40  # the chart is seen
    away = np.concatenate([delta_e(a, b) for a, b in itertools.combinations(seen, 2)])
    assert np.median(away) <= 1.0 and np.percentile(away, 95) <= 3.0, (np.median(away), np.percentile(away, 95))
