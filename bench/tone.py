"""Tone: what measuring (exposure, maps) and the stand-alone gain cost, per megapixel of the full picture.

python -m bench.tone
"""

from __future__ import annotations

import json

import numpy as np

from lichtbild.develop import exposure, tone
from lichtbild.stage import find, params

from . import clock

HEIGHT, WIDTH = 3000, 4000


def scene(height: int, width: int) -> np.ndarray:
    """(3, h, w) scene light like a backlit courtyard: bright sky, deep shade, texture everywhere."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:height, :width] / max(height, width)
    ev = np.where(y < 0.3 + 0.1 * np.sin(9 * x), 3.2 - y, -2.5 + 2 * np.sin(12 * x) * np.cos(7 * y))
    ev = ev + rng.normal(0, 0.3, ev.shape)
    return np.stack([0.18 * np.exp2(ev + d) for d in (0.2, 0.0, -0.2)]).astype(np.float32)


def run(runs: int = 15) -> dict[str, dict[str, float]]:
    """CPU and wall milliseconds per megapixel of a 12 MP picture."""
    mp = HEIGHT * WIDTH / 1e6
    values = {n: {k: p.default for k, p in params(find(n)).items()} for n in ("exposure", "tone")}
    proxy, full = scene(HEIGHT // 4, WIDTH // 4), scene(HEIGHT, WIDTH)
    table = tone.prepare(proxy, values["tone"])
    return {
        "exposure": clock.best(lambda: exposure.prepare(exposure.measure(proxy), values["exposure"]), runs, mp),
        "tone measured": clock.best(lambda: tone.prepare(proxy, values["tone"]), runs, mp),
        "tone applied alone": clock.best(lambda: tone.apply(full, table), runs, mp),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
