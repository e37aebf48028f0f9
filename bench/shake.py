"""Alignment of strongly shaken frames, by distance from the middle: `python -m bench.shake`

Simulated bursts of 1.1 MP behind a real lens (distortion, rolling shutter), 1 to 15 times the shake of a hand, exposed
so shortly that frames are sharp: errors in pixels where nothing moves or is hidden, that tell how far the motion of the
whole is followed to the corners. (What is blurred has no one place.) Near things of `interior` move by parallax.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import lichtbild
from lichtbild import recipe
from lichtbild.develop import front, shading
from lichtbild.light import WHITE_D65
from lichtbild.merge import add, align
from lichtbild.types import White

from . import clock

SIZE = (900, 1200)
EVEN = White((1.0, 1.0, 1.0), WHITE_D65, 6504.0, 0.0, "even")
# Scene, shake, exposure in seconds.
TAKEN = (
    ({"name": "street", "lux": 50.0}, 1.0, 0.002), ({"name": "street", "lux": 50.0}, 5.0, 0.002),
    ({"name": "street", "lux": 50.0}, 15.0, 0.001), ({"name": "interior"}, 10.0, 0.004),
)  # fmt: skip
RINGS = {"to half way": (0.0, 0.5), "to 0.8": (0.5, 0.8), "corners": (0.8, 1.1)}  # 1 = the corner


def errors(scene: dict[str, Any], shake: float, exposure_s: float, frames: int = 3) -> dict[str, Any]:
    """Median and 95 % of the error in each ring, over the further frames."""
    taken = {"frames": frames, "width": SIZE[1], "height": SIZE[0], "shake": shake, "exposure_s": exposure_s}
    shot, truth = lichtbild.simulate({"scene": scene, "shot": taken})
    values = recipe.resolve("night", sets={"demosaic.method": "fast"}).values
    noise, even = shot.reference.noise, shading.prepare(shot.reference, 1.0)
    assert noise is not None
    seen = [front.run(f.opened(), EVEN, noise, values, even) for f in shot.frames]
    planes = [align.pyramid(add.guide(code).fine[0]) for code, _ in seen]
    y, x = np.mgrid[: SIZE[0] : 16, : SIZE[1] : 16]
    far = np.hypot(2 * y / SIZE[0] - 1, 2 * x / SIZE[1] - 1) / np.sqrt(2)
    found: dict[str, list[Any]] = {name: [] for name in RINGS}
    moved = 0.0
    for k in range(1, frames):
        flow = align.blocks(align.estimate(planes[0], planes[k], seen[0][1].sigma[1]), SIZE)
        true = truth.flow(k, 16)
        still = ~truth.hidden(k)[::16, ::16] & ~truth.moving(0)[::16, ::16]
        moved = max(moved, float(np.hypot(*true).max()))
        for name, (low, high) in RINGS.items():
            found[name].append(np.hypot(*(flow - true))[still & (far >= low) & (far < high)])
    row: dict[str, Any] = {"moved px": round(moved, 1)}
    for name, parts in found.items():
        whole = np.concatenate(parts)
        row[name] = f"{np.median(whole):.2f}, {np.quantile(whole, 0.95):.2f}"
    return row


if __name__ == "__main__":
    clock.table(
        "error of alignment in px, median and 95 %",
        {f"{scene['name']}, {shake:g} x a hand": errors(scene, shake, time) for scene, shake, time in TAKEN},
    )
