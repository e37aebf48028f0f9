"""Sensor: what a frame costs from light to numbers, per megapixel, and what its metadata cost.

python -m bench.sensor
"""

from __future__ import annotations

import json

import numpy as np

from lichtbild import sensor
from lichtbild.types import Exposure

from . import clock

HEIGHT, WIDTH = 3072, 4096


def run(runs: int = 10) -> dict[str, dict[str, float]]:
    """CPU and wall milliseconds per megapixel of 12.6 MP frames, by day and by night."""
    mp = HEIGHT * WIDTH / 1e6
    s, shot = sensor.load("phone-1-inch"), Exposure(400, 1 / 50, 1.9)
    ramp = np.linspace(0, 1, WIDTH, dtype=np.float32) * np.ones((3, HEIGHT, 1), np.float32)
    day = np.full_like(ramp, 50)
    mosaic = sensor.expose(ramp, s, shot)
    return {
        "expose, day": clock.best(lambda: sensor.expose(day, s, shot), runs, mp),
        "expose, night": clock.best(lambda: sensor.expose(ramp, s, shot), runs, mp),
        "frame": clock.best(lambda: sensor.frame(mosaic, s, shot), runs, mp),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
