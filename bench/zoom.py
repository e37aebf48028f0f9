"""Zoom: how much sharper is a burst than one frame enlarged? `python -m bench.zoom`

A chart (slanted edges, a star of 72 cycles, dead leaves, drawn four times as fine as the frames) through an f/2 lens
that is limited by diffraction, on pixels of 3.2 µm: the frames alias. MTF50 is the mean of an upright and a level edge,
in cycles per pixel of a frame, false colour the root mean square of R - G and B - G in the grey star, in camera light;
CPSNR is against the chart as pixels of half the size would see it. All behind denoise, with and without the sharpening
of `detail`. Frames are moved and turned as a hand does, and their motion is not given.
"""

from __future__ import annotations

import json
import math
import time
from typing import Any

import numpy as np

from lichtbild import recipe
from lichtbild.develop import burst, denoise, shading
from lichtbild.lab import edge, metrics
from lichtbild.lens.spread import diffraction
from lichtbild.light import convert
from lichtbild.scene.chart import Chart
from lichtbild.scene.spec import Canvas

from . import clock, night, sb1

FINE, SIZE = 4, (480, 640)
PITCH_UM, F_NUMBER, WAVES_UM = 3.2, 2.0, (0.605, 0.535, 0.46)
EDGES = ("edge_upright_centre", "edge_level_centre")


def chart() -> tuple[Any, Any]:
    """Light (3, H, W) with sRGB primaries behind the lens, and where its parts lie."""
    margin = sb1.MARGIN * FINE
    drawn = Chart(lux=math.pi).build(Canvas(SIZE[0] * FINE, SIZE[1] * FINE, margin), 1)
    light = np.einsum("ij,jhw->ihw", convert("rec2020", "srgb"), drawn.layers[0].light).clip(0)
    across, down = np.fft.rfftfreq(light.shape[2]), np.fft.fftfreq(light.shape[1])[:, None]
    frequency = np.hypot(across, down) * FINE / PITCH_UM * 1e3
    seen = [np.fft.irfft2(np.fft.rfft2(p) * diffraction(frequency, w, F_NUMBER), p.shape)
            for p, w in zip(light, WAVES_UM, strict=True)]  # fmt: skip
    return np.stack(seen).astype(np.float32), drawn.regions


def part(light: Any, region: Any, border: int = 0) -> Any:
    """A region of the chart in a picture of twice the pixels of a frame."""
    top, left, height, width = (n * 2 // FINE for n in region)
    margin = 2 * sb1.MARGIN
    return light[:, top - margin + border : top - margin + height - border,
                 left - margin + border : left - margin + width - border]  # fmt: skip


def lanczos(code: Any) -> Any:
    """Twice the pixels each way by Lanczos interpolation of three lobes."""
    out = np.asarray(code, np.float64)
    for axis in (1, 2):
        count = out.shape[axis]
        sides = []
        for place in (-0.25, 0.25):
            d = np.arange(-3, 4) - place
            weights = np.where(np.abs(d) < 3, np.sinc(d) * np.sinc(d / 3), 0)
            taps = [np.clip(np.arange(count) + k, 0, count - 1) for k in range(-3, 4)]
            sides.append(sum(w * out.take(t, axis) for w, t in zip(weights / weights.sum(), taps, strict=True)))
        out = np.stack(sides, axis + 1).reshape([n * (1 + (k == axis)) for k, n in enumerate(out.shape)])
    return np.clip(out + 0.5, 0, 65535).astype(np.uint16)


def row(light: Any, truth: Any, regions: Any) -> dict[str, Any]:
    """What is said of a picture."""
    grey = 0.25 * light[:1] + 0.5 * light[1:2] + 0.25 * light[2:]
    mtf = [2 * edge.measure(part(grey, regions[e], 4)[0], 16).mtf_at(0.5) for e in EDGES]
    star, inner = part(light, regions["star"]), np.s_[:, 32:-32, 32:-32]
    false = math.sqrt(float(np.square(star[::2] - star[1]).mean()))
    leaves = metrics.cpsnr(part(light, regions["leaves"]), part(truth, regions["leaves"]))
    return {"MTF50": round(float(np.mean(mtf)), 3), "false colour": round(false, 4), "leaves dB": round(leaves, 2),
            "all dB": round(metrics.cpsnr(light[inner], truth[inner]), 2)}  # fmt: skip


def quality(iso: float) -> dict[str, Any]:
    """A table of one sensitivity."""
    made, regions = chart()
    shot, _ = sb1.make(made, noise=night.noise_at(iso), disc=False, fine=FINE)
    m, half = sb1.MARGIN * FINE, FINE // 2
    cut = made[:, m:-m, m:-m] * 0.55
    truth = cut.reshape(3, 2 * SIZE[0], half, 2 * SIZE[1], half).mean((2, 4))
    rows = {}
    for amount in (0.0, 0.6):
        word = ", detail" if amount else ""
        base = {**recipe.resolve("night").values, "detail": {"amount": amount}}
        for frames, zoom in ((1, 1.0), (8, 1.0), (2, 2.0), (4, 2.0), (8, 2.0)):
            values = {**base, "merge": {**base["merge"], "zoom": zoom}}
            whole = burst.run(shot.frames[:frames], night.EVEN, night.noise_at(iso), values,
                              shading.prepare(shot.frames[0], 1.0))  # fmt: skip
            share = whole.share if frames > 1 else None
            code = denoise.run(whole.code.copy(), whole.encoding, whole.noise, values, share)
            light = whole.encoding.decode(lanczos(code) if zoom == 1 else code)
            light += denoise.unbias(whole.encoding, whole.noise, values)[:, None, None]
            rows[f"{frames} enlarged{word}" if zoom == 1 else f"{frames} zoomed{word}"] = row(light, truth, regions)
    return rows


def cost(side: int = 1024) -> dict[str, Any]:
    """Milliseconds of a frame of a megapixel that is merged to four, beside the merge without zoom."""
    rng = np.random.default_rng(0)
    wide = rng.random((3, side // 8 + 16, side // 8 + 16), np.float32).repeat(8, 1).repeat(8, 2)
    shot, _ = sb1.make(wide[:, : side + 2 * sb1.MARGIN, : side + 2 * sb1.MARGIN], 5, disc=False)
    even, found = shading.prepare(shot.frames[0], 1.0), {}
    for zoom in (1.0, 2.0):
        values = {**night.VALUES, "merge": {**night.VALUES["merge"], "zoom": zoom}}
        wall, cpu = time.perf_counter(), time.process_time()
        burst.run(shot.frames, night.EVEN, sb1.NOISE, values, even)
        scale = 1e9 / side**2 / len(shot.frames)
        found[f"zoom {zoom:g}"] = {"ms/MP/frame": round((time.perf_counter() - wall) * scale, 1),
                                   "CPU ms/MP/frame": round((time.process_time() - cpu) * scale, 1)}  # fmt: skip
    return found


def run() -> dict[str, Any]:
    """Everything."""
    return {"cost": cost(), **{f"ISO {iso}": quality(iso) for iso in (100, 1600)}}


if __name__ == "__main__":
    made = run()
    for title, table in made.items():
        clock.table(title, table)
    print(json.dumps(made))
