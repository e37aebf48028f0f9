"""Lens: what forming an image costs, and how right its sharpness is. `python -m bench.lens`

Cost is that of 12.6 megapixels with more light around the frame than the lens asks for. Sharpness is the MTF of a
slanted edge in the middle of the field, measured behind the kernels, less the closed form: diffraction x Gaussian x
pixel; the largest error up to 0.45 and up to 0.5 cycles/px, on the sensor's own grid and drawn twice as fine.
"""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np

from lichtbild import lens
from lichtbild.lab import edge
from lichtbild.lens import spec

from . import clock

HEIGHT, WIDTH, PITCH_UM = 3072, 4096, 3.2
CASES = (("phone-main", 3.2), ("phone-main", 1.6), ("phone-half", 0.8), ("ideal", 1.6))


def cost(name: str, runs: int = 10) -> dict[str, float]:
    """Milliseconds per megapixel of one image, tables already made."""
    glass = lens.load(name)
    plane = lens.Plane(HEIGHT, WIDTH, min(PITCH_UM, 0.99 * glass.image_mm / math.hypot(HEIGHT, WIDTH) * 1e3))
    m = lens.reach(glass, plane)
    light = np.random.default_rng(1).uniform(0, 100, (3, HEIGHT + 2 * m, WIDTH + 2 * m)).astype(np.float32)
    out = np.empty((3, HEIGHT, WIDTH), np.float32)
    return clock.best(lambda: lens.apply(light, glass, plane, out), runs, HEIGHT * WIDTH / 1e6)


def sharpness(name: str, pitch_um: float, fine: int, size: int = 320, angle_deg: float = 5.0) -> list[float]:
    """Largest error of the MTF up to 0.45 and up to 0.5 cycles/px."""
    none = {"distortion": spec.Distortion(), "lateral": spec.Lateral(), "shading": spec.Shading(0.0)}
    glass = dataclasses.replace(lens.load(name), glare=spec.Glare(), **none)
    plain = lens.Plane(size, size, pitch_um)
    plane = plain.finer(fine) if fine > 1 else plain
    m = lens.reach(glass, plane) + 20 * fine
    light = edge.slanted(plane.height + 2 * m, plane.width + 2 * m, angle_deg, 0.0, 0.0, 1.0, 100.0)
    found = lens.apply(np.stack([light.astype(np.float32)] * 3), glass, plane)[1]
    measured = edge.measure(lens.summed(found, fine), reach_px=size / 2 - 16)
    f, (c, s) = np.linspace(0.01, 0.5, 50), (math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg)))
    exact = glass.spread.otf(1, 0.0, 0.0, f * c / pitch_um * 1e3, f * s / pitch_um * 1e3)
    error = np.abs(measured.mtf(f) - exact * np.abs(np.sinc(f * c) * np.sinc(f * s)))
    return [round(float(error[f <= limit].max()), 4) for limit in (0.45, 0.5)]


def run() -> dict[str, Any]:
    """Everything, for the JSON of the bench."""
    sharp = {f"{n}, {p} um, x{fine}": sharpness(n, p, fine) for n, p in CASES for fine in (1, 2)}
    return {"cost": {name: cost(name) for name in ("phone-main", "phone-wide")}, "mtf_error": sharp}


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
