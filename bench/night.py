"""Night: what merging a burst gains, and what it costs. `python -m bench.night [--full]`

The burst is SB-1 (bench/sb1.py): eight shaken frames of the painting Elephants_5640x3172.jpg (Debian's package
mate-backgrounds; LICHTBILD_ELEPHANTS names another place) with a moving disc, its central 1.2 megapixels, here at four
sensitivities. Nothing of the truth is given to the merge. Cost is measured on 12 megapixels with --full, else on 3.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
from typing import Any

import numpy as np

from lichtbild import recipe
from lichtbild.develop import burst, denoise, front, shading, variance
from lichtbild.lab import merged as lab
from lichtbild.lab import metrics
from lichtbild.light import WHITE_D65
from lichtbild.merge import add, align
from lichtbild.types import Encoding, Noise, Shot, White

from . import burst_cost, clock, sb1

PICTURE = pathlib.Path(
    os.environ.get("LICHTBILD_ELEPHANTS", "/usr/share/backgrounds/mate/abstract/Elephants_5640x3172.jpg")
)
ISOS = (100, 400, 1600, 6400)
FORETOLD = (100, 400, 1600, 3200, 6400, 12800)  # where the variance is compared with what is foretold
VALUES = {**recipe.resolve("night").values, "detail": {"amount": 0.0}}
EVEN = White((1.0, 1.0, 1.0), WHITE_D65, 6504.0, 0.0, "even")
# What others reach on the burst of the project's notes: CPSNR linear and gamma, moving disc, ms/MP and frame.
PEERS = {
    "Halide hdr-plus": {"linear": 35.11, "gamma": 29.01, "moving": 28.5, "ms/MP/frame": 11.2},
    "hdrplus-python": {"linear": 34.21, "gamma": 27.90, "moving": 32.9, "ms/MP/frame": 720},
    "hugin + enfuse": {"ms/MP/frame": 640},
}


def noise_at(iso: float) -> Noise:
    """The noise of SB-1 at another sensitivity."""
    k = iso / 1600
    return Noise((2.89e-3 * k,) * 3, (8.18e-4 * k * k,) * 3)


def cpsnr(found: Any, truth: Any, where: Any) -> tuple[float, float]:
    """CPSNR in dB over the pixels `where`, linear and encoded."""
    linear, encoded = (metrics.cpsnr(found, truth, where=where, gamma=gamma) for gamma in (False, True))
    return round(linear, 2), round(encoded, 2)


def light(code: Any, encoding: Encoding, noise: Noise) -> Any:
    """Camera light of codes."""
    return encoding.decode(code) + denoise.unbias(encoding, noise, VALUES)[:, None, None]


def merged(shot: Shot) -> burst.Burst:
    """The burst merged; its first frame is the reference."""
    noise = shot.frames[0].noise
    assert noise is not None
    return burst.run(shot.frames, EVEN, noise, VALUES, shading.prepare(shot.frames[0], 1.0))


def finished(b: burst.Burst) -> Any:
    """Its camera light after denoise."""
    clean = denoise.run(b.code.copy(), b.encoding, b.noise, VALUES, share=b.share, alone=b.alone, slow=b.slow)
    return light(clean, b.encoding, b.noise)


def quality(iso: float, picture: Any) -> dict[str, Any]:
    """One row of the table of quality."""
    part = picture[:, 1000:2096, 2000:3296]
    shot, truth = sb1.make(part, noise=noise_at(iso))
    single, whole = merged(Shot(shot.frames[:1], shot.path)), merged(shot)
    moving, inner = truth.moving(0), np.zeros(truth.rgb.shape[1:], bool)
    inner[32:-32, 32:-32] = True
    others = range(1, len(shot.frames))
    still = inner & ~moving & ~np.any([truth.hidden(i) for i in others], 0)
    alone, clean = finished(single), finished(whole)
    plain = cpsnr(light(whole.code, whole.encoding, whole.noise), truth.rgb, still)
    linear, encoded = cpsnr(clean, truth.rgb, still)
    rows = {"ISO": iso, "merged": plain[0], "merged g": plain[1], "linear": linear, "gamma": encoded}
    rows |= {"single": cpsnr(alone, truth.rgb, still)[0]}
    rows |= {"moving": cpsnr(clean, truth.rgb, moving)[0], "moving single": cpsnr(alone, truth.rgb, moving)[0]}
    uncovered = inner & np.any([truth.moving(i) for i in others], 0) & ~moving
    rows |= {"uncovered": cpsnr(clean, truth.rgb, uncovered)[0],
             "unc. single": cpsnr(alone, truth.rgb, uncovered)[0]}  # fmt: skip
    both = inner & np.any([truth.moving(i) for i in range(len(shot.frames))], 0)
    plain_light = light(whole.code, whole.encoding, whole.noise)
    rows |= {"ghosts %": round(100 * lab.ghost_energy(plain_light, truth.rgb, sb1.apart(part), both), 2)}
    return rows | flow_error(shot, truth)


def flow_error(shot: Shot, truth: Any) -> dict[str, float]:
    """Median and 99th percentile of the error of alignment where nothing moves, in pixels."""
    first, noise = shot.frames[0], shot.frames[0].noise
    assert noise is not None
    even, found = shading.prepare(first, 1.0), []
    quick = {**VALUES, "demosaic": {"method": "fast"}}
    planes, encoding = [], Encoding(1, (0.0,) * 3, (1.0,) * 3)
    for frame in shot.frames:
        code, encoding = front.run(frame, EVEN, noise, quick, even)
        planes.append(align.pyramid(add.guide(code).fine[0]))
    for i in range(1, len(planes)):
        flow = align.blocks(align.estimate(planes[0], planes[i], encoding.sigma[1]), first.shape)
        dense = flow.repeat(16, 1).repeat(16, 2)[:, : first.shape[0], : first.shape[1]]
        still = ~truth.hidden(i) & ~truth.moving(0)
        found.append(np.hypot(*(dense - truth.flow(i)))[still])
    all_of_them = np.concatenate(found)
    return {"EPE px": round(float(np.median(all_of_them)), 3),
            "EPE 99 %": round(float(np.quantile(all_of_them, 0.99)), 2)}  # fmt: skip


def flats(iso: float = 1600) -> dict[str, Any]:
    """By how much the noise of flat light falls, in dB and as a part of that of √N, and if its variance is known."""
    grey, rows = np.full((3, 608, 608), 0.4, np.float32), {}
    for n in (8, 15):
        shot, _ = sb1.make(grey, n, noise=noise_at(iso), disc=False)
        one, many = merged(Shot(shot.frames[:1], shot.path)), merged(shot)
        before, after = (float(np.std(b.code[1, 32:-32, 32:-32].astype(float))) for b in (one, many))
        drop = 20 * np.log10(before / after)
        rows[f"N = {n}"] = {"drop dB": round(drop, 2), "of √N": round(drop / (10 * np.log10(n)), 3),
                            "believed": round(float(np.mean(many.believed)), 3)}  # fmt: skip
    return rows


def foretold(iso: float, bursts: int = 6, count: int = 8) -> dict[str, float]:
    """Measured over predicted variance of merged light, tile by tile of 32x32, on a ramp from 0.05 to 0.5 of
    saturation: its median, and the part of the tiles in which it is 1 within 10 %."""
    ramp = np.broadcast_to(np.linspace(0.09, 0.91, 608, dtype=np.float32), (3, 608, 608))
    noise, inner = noise_at(iso), np.s_[:, 48:-48, 48:-48]
    errors, predicted = [], []
    for seed in range(bursts):
        shot, truth = sb1.make(ramp, count, seed=seed, noise=noise, disc=False)
        many = merged(shot)
        assert many.left is not None
        errors.append((many.encoding.decode(many.code) - truth.rgb)[inner])
        power = many.left.repeat(8, 1).repeat(8, 2)[:, : truth.rgb.shape[1], : truth.rgb.shape[2]]
        once = variance.of_light(truth.rgb[:, 0], noise, many.encoding, -sb1.BLACK / (sb1.WHITE - sb1.BLACK))
        predicted.append((power * once[:, None])[inner])
    off = np.stack(errors) - np.mean(errors, axis=0)  # a ramp has no detail; what is common to all is no noise
    found = lab.variance_ratio(off * np.sqrt(bursts / (bursts - 1)), np.stack(predicted))
    return {"found / foretold": round(float(np.median(found)), 3), "tiles within 10 %": round(lab.foretold(found), 3)}


def run(full: bool = False) -> dict[str, Any]:
    """Everything; what needs the painting is left out with a reason where it is missing."""
    size = (3000, 4000) if full else (1536, 2048)
    results: dict[str, Any] = burst_cost.run(size, VALUES, noise_at(1600), files=full) | {
        "flats": flats(),
        "variance": {f"ISO {iso}": foretold(iso) for iso in FORETOLD},
    }
    if PICTURE.exists():
        picture = sb1.load(PICTURE)
        results["quality"] = {f"ISO {iso}": quality(iso, picture) for iso in ISOS}
    else:
        results["quality"] = {"skipped": {"reason": f"{PICTURE.name} is missing: apt-get install mate-backgrounds"}}
    return results


if __name__ == "__main__":
    made = run("--full" in sys.argv)
    for title, table in made.items():
        clock.table(title, table)
    clock.table("published by others", PEERS)
    print(json.dumps(made))
