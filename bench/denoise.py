"""Denoise: quality on a picture with noise of ISO 1600 and cost on 12 megapixels. `python -m bench.denoise`

The picture is the painting Elephants_5640x3172.jpg of Debian's package mate-backgrounds (LICHTBILD_ELEPHANTS or its
place after `apt-get install mate-backgrounds`), halved by area averaging, linear, its central megapixel under noise
2.89e-3·x + 8.18e-4, 10 bits, black 64. At exposure 0.46 the figures of a plain demosaic agree with those published in
the project's notes (28.77 / 22.86 dB); at 0.55, the exposure given there, they do not, so both are printed. Demosaicing
is ours.
"""

from __future__ import annotations

import json
import os
import pathlib
import time
from typing import Any

import numpy as np

from lichtbild.develop import demosaic, denoise, front
from lichtbild.lab import metrics
from lichtbild.light import WHITE_D65, eotf
from lichtbild.types import U16, Encoding, Noise, White

PICTURE = pathlib.Path(
    os.environ.get("LICHTBILD_ELEPHANTS", "/usr/share/backgrounds/mate/abstract/Elephants_5640x3172.jpg")
)
NOISE = Noise((2.89e-3,) * 3, (8.18e-4,) * 3)
OFF = {"detail": {"amount": 0.0}}


def encoding() -> Encoding:
    """The square-root code of NOISE without white balance."""
    return front.encoding(White((1.0,) * 3, WHITE_D65, 6504.0, 0.0, "as shot"), NOISE, 1.0)


def demosaiced(mosaic: Any, code: Encoding, method: str) -> U16:
    """Codes (3, H, W) of an RGGB mosaic of camera light, as the front pass makes them."""
    half = 0.5 * code.scale * np.sqrt(np.maximum(mosaic + code.offset[1], 0))
    return demosaic.apply(np.rint(half).astype(np.uint16), "RGGB", method, demosaic.epsilon(0.5 * code.sigma[1]))


def cpsnr(found: Any, truth: Any) -> tuple[float, float]:
    """CPSNR in dB, linear and after sRGB encoding, light held to 0..1, 16 pixels of border left out."""
    a, b = (v.transpose(2, 0, 1) for v in (found, truth))
    return metrics.cpsnr(a, b, border=16), metrics.cpsnr(a, b, border=16, gamma=True)


def crop(exposure: float) -> tuple[Any, Any]:
    """Truth (H, W, 3) and noisy RGGB mosaic (H, W) in camera light."""
    from PIL import Image

    v = np.asarray(Image.open(PICTURE).convert("RGB"), np.float64) / 255
    v = eotf(v)
    half = v.reshape(v.shape[0] // 2, 2, v.shape[1] // 2, 2, 3).mean((1, 3))[264:1320, 880:1936] * exposure
    clean = np.empty(half.shape[:2])
    for k, (r, c) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        clean[r::2, c::2] = half[r::2, c::2, (0, 1, 1, 2)[k]]
    noisy = clean + np.random.default_rng(1).standard_normal(clean.shape) * np.sqrt(
        NOISE.scale[0] * clean + NOISE.offset[0]
    )
    return half, (np.clip(np.round(64 + noisy * 959), 0, 1023) - 64) / 959


def quality() -> dict[str, Any]:
    """CPSNR without and with denoise; a reason instead where the picture is missing."""
    if not PICTURE.exists():
        return {"skipped": f"{PICTURE.name} is missing: apt-get install mate-backgrounds"}
    e, result = encoding(), {}
    for exposure in (0.46, 0.55):
        truth, mosaic = crop(exposure)
        for method in ("directional", "smooth"):
            code = demosaiced(mosaic, e, method)
            clean = e.decode(denoise.run(code, e, NOISE, OFF)) + denoise.unbias(e, NOISE)[:, None, None]
            found: dict[str, Any] = {"none": e.decode(code), "denoised": clean}
            scores = {name: cpsnr(light.transpose(1, 2, 0), truth) for name, light in found.items()}
            result[f"exposure {exposure}, {method}"] = scores
    return result


def cost(runs: int = 10) -> dict[str, float]:
    """Milliseconds per megapixel of the pass (denoise and detail) on 4000x3000, best of `runs`."""
    code = np.random.default_rng(0).integers(8000, 40000, (3, 3000, 4000), dtype=np.uint16)
    e, wall, cpu = encoding(), [], []
    for _ in range(runs):
        t, c = time.perf_counter(), time.process_time()
        denoise.run(code, e, NOISE, into=code)
        wall.append(time.perf_counter() - t)
        cpu.append(time.process_time() - c)
    return {"wall_ms_per_mp": min(wall) * 1e3 / 12, "cpu_ms_per_mp": min(cpu) * 1e3 / 12}


def run() -> dict[str, Any]:
    """Everything, for the JSON of the bench."""
    return {"quality_db": quality(), "cost": cost()}


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
