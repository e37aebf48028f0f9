"""Frequency: would merging in the frequency domain be better in extreme darkness? `python -m bench.frequency`

Tiles of 16x16 samples of each Bayer plane, half overlapping, are merged by a Wiener shrinkage of their differences to
the reference, frequency by frequency, as [Hasinoff2016] has it, moved by fractions of a pixel in the same domain. Both
merges get the same alignment and the same denoise, which is told several strengths of noise, because what is left of
it differs. The street is lit by 0.3 lux; only what does not clip counts, against a quarter of saturation.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from lichtbild.develop import burst, demosaic, denoise, front, noise, shading
from lichtbild.lab import metrics
from lichtbild.merge import add, align
from lichtbild.simulate import simulate

from . import clock, night

TILE, HALF = 16, 8
TOLD = (1.0, 1.5, 2.5)  # times the noise power that each merge leaves in theory
PARTS = (2.0, 8.0, 25.0)  # how many times the noise a difference may be: 8 by day in [Hasinoff2016]


def merged(mosaics: list[Any], flows: list[Any], sigma: float, part: float) -> Any:
    """Codes (H, W) of mosaics (H, W), the first the reference; `flows` (2, blocks y, blocks x) in pixels."""
    out = np.empty(mosaics[0].shape)
    for dy, dx in np.ndindex(2, 2):
        planes = [np.pad(m[dy::2, dx::2], TILE, mode="reflect") for m in mosaics]
        out[dy::2, dx::2] = _plane(planes, flows, sigma, part)[TILE:-TILE, TILE:-TILE]
    return out


def _plane(planes: list[Any], flows: list[Any], sigma: float, part: float) -> Any:
    height, width = planes[0].shape
    ys, xs = (np.arange(0, n - TILE + 1, HALF) for n in (height, width))
    wave_y, wave_x = np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None]
    base = np.fft.rfft2(_cut(planes[0], ys[:, None], xs[None]))
    total = base.copy()
    for plane, flow in zip(planes[1:], flows, strict=True):
        blocks = [np.clip((v - HALF) * 2 // add.BLOCK, 0, n - 1) for v, n in zip((ys, xs), flow.shape[1:], strict=True)]
        by = flow[:, blocks[0][:, None], blocks[1][None]] / 2
        whole = np.rint(by).astype(int)
        rest = (by - whole)[..., None, None]
        y = np.clip(ys[:, None] + whole[1], 0, height - TILE)
        x = np.clip(xs[None] + whole[0], 0, width - TILE)
        tiles = np.fft.rfft2(_cut(plane, y, x)) * np.exp(2j * np.pi * (wave_y * rest[1] + wave_x * rest[0]))
        away = base - tiles
        power = np.square(np.abs(away))
        total += tiles + away * power / (power + part * 2 * sigma**2 * TILE**2)
    rise = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(TILE) + 0.5) / TILE)
    tiles = np.fft.irfft2(total / len(planes), (TILE, TILE)) * np.outer(rise, rise)
    out = np.zeros((height, width))
    for (row, y), (column, x) in ((a, b) for a in enumerate(ys) for b in enumerate(xs)):
        out[y : y + TILE, x : x + TILE] += tiles[row, column]
    return out


def _cut(plane: Any, y: Any, x: Any) -> Any:
    return np.lib.stride_tricks.sliding_window_view(plane, (TILE, TILE))[y, x]


def samples(frames: list[Any], known: Any, even: Any) -> tuple[list[Any], list[Any]]:
    """Codes (H, W) where a frame has samples, of all frames, and the displacement of all but the first."""
    quick = {**night.VALUES, "demosaic": {"method": "fast"}}
    made = [front.run(f, night.EVEN, known, quick, even) for f in frames]
    codes, sigma = [code for code, _ in made], made[0][1].sigma[1]
    planes = [align.pyramid(add.guide(c).fine[0]) for c in codes]
    flows = [align.blocks(align.estimate(planes[0], p, sigma), frames[0].shape) for p in planes[1:]]
    sites = np.tile(np.array(["RGB".index(c) for c in frames[0].cfa]).reshape(2, 2), [n // 2 for n in frames[0].shape])
    return [np.choose(sites, c.astype(np.float64)) for c in codes], flows


def run() -> dict[str, Any]:
    """CPSNR in dB, linear and encoded, of what stands still and of what moves."""
    shot, truth = simulate(
        {"name": "street", "lux": 0.3}, frames=8, width=832, height=640, exposure_s=1 / 15, iso=12800
    )
    first, known = shot.frames[0], noise.measure(shot.frames[0])
    even, inner = shading.prepare(first, 0.0), np.zeros(first.shape, bool)
    inner[32:-32, 32:-32] = True
    inner &= truth.rgb.max(0) < 0.5
    moving = truth.moving(0)
    still = inner & ~moving & ~np.any([truth.hidden(i) for i in range(1, 8)], 0)

    def row(code: Any, encoding: Any, left: float, share: Any = None) -> dict[str, str]:
        found = {}
        for told in TOLD:
            sigma = tuple(s * (left * told) ** 0.5 for s in encoding.sigma)
            told_of = dataclasses.replace(encoding, sigma=sigma)
            clean = night.light(denoise.run(code.copy(), told_of, known, night.VALUES, share), encoding, known)
            for name, where in (("still", still), ("moving", moving & inner)):
                db = [metrics.cpsnr(clean, truth.rgb, where=where, peak=0.25, gamma=g) for g in (False, True)]
                found[f"{name} x{told:g}"] = f"{db[0]:.2f}/{db[1]:.2f}"
        return found

    one, many = (burst.run(f, night.EVEN, known, night.VALUES, even) for f in (shot.frames[:1], shot.frames))
    rows = {"one frame": row(one.code, one.encoding, 1.0)}
    rows["merge of the house"] = row(many.code, many.encoding, 1.0, many.share)
    encoding = one.encoding
    mosaics, flows = samples(shot.frames, known, even)
    for part in PARTS:
        mean = merged(mosaics, flows, encoding.sigma[1], part)
        half = np.sqrt(np.square(mean) + encoding.sigma[1] ** 2 * (1 - 1 / 8)) / 2 + 0.5
        eps = demosaic.epsilon(0.5 * encoding.sigma[1] / 8**0.5)
        code = demosaic.apply(half.clip(0, 32767).astype(np.uint16), first.cfa, "directional", eps)
        rows[f"frequencies, c = {part:g}"] = row(code, encoding, 1 / 8)
    return {"CPSNR": rows}


if __name__ == "__main__":
    made = run()
    for title, table in made.items():
        clock.table(title, table)
    print(json.dumps(made))
