"""Brackets: what a long exposure beside a short one gains, and that nothing clipped is left. `python -m bench.brackets`

A simulated room with a bright window, 0 / -3 EV, hand-held, nothing of the truth given to the merge. Against it stand
the short frame alone, as many short frames, and as many as take the same time: 9 for each pair. `shadows`: where the
short frame has less light than its read noise; `clipped`: where the long one clips. Errors are those after denoise.

`bound`: what the mean with the best weights would leave there without denoise, by the noise model alone; moving frames
by parts of a pixel takes another dB away, and so does what merge/lone.py averages, which counts as not denoised. In
equal time a long frame has read noise once where eight short ones have it eight times, and the same photons: it gains
9 dB where there is no light and nothing where there is much. The second table of each light says so by levels, in units
of the light that is as strong as the read noise of the short frame.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from lichtbild import difference, recipe
from lichtbild.develop import burst, colour, denoise, front, highlights, noise, shading, white
from lichtbild.simulate import simulate
from lichtbild.types import F32, F64, Frame

from . import clock

VALUES = {**recipe.resolve("night").values, "detail": {"amount": 0.0}}
SIZE = {"width": 1024, "height": 768, "seed": 1}
LIGHT = {"ISO 400": {"exposure_s": 1 / 1000, "iso": 400.0}, "ISO 3200": {"exposure_s": 1 / 8000, "iso": 3200.0}}
PAIR_S = 9  # short frames that take as long as a short and a long one
LEVELS = (0, 0.1, 0.3, 1, 3, 10, 30)  # of the light that is as strong as the read noise


@dataclass(frozen=True)
class Made:
    """A burst in linear Rec.2020 (3, H, W): denoised, not denoised, and the truth of its first frame; `bound` (H, W):
    mean power of the error that is to be expected; `light` (H, W): the most of a channel, and what the read noise of
    the first frame is as strong as."""

    clean: F32
    plain: F32
    exact: F32
    bound: F64
    light: F32
    read: float

    def power(self, where: Any) -> tuple[float, float, float]:
        """Error in dB of both, and the bound."""
        found = (np.square((p - self.exact)[:, where]).mean() for p in (self.clean, self.plain))
        clean, plain, bound = (float(10 * np.log10(v)) for v in (*found, self.bound[where].mean()))
        return clean, plain, bound


def make(frames: list[Frame], truth: F32) -> Made:
    """Merge; `truth` (3, H, W) is camera light of the first frame."""
    first = frames[0]
    even = shading.prepare(first, VALUES["shading"]["strength"])
    proxy = front.proxy(first, VALUES, even)
    balance = white.prepare(first.colour, proxy, VALUES["white"], [])
    table = colour.prepare(first.colour, balance, VALUES["colour"])
    light = highlights.measure(proxy, balance, VALUES["highlights"])
    made = burst.run(frames, balance, noise.measure(first), VALUES, even)
    clean = denoise.run(made.code.copy(), made.encoding, made.noise, VALUES, share=made.share, alone=made.alone)
    bias = denoise.unbias(made.encoding, made.noise, VALUES)[:, None, None].astype(np.float32)

    def scene(camera: F32) -> F32:
        return colour.apply(np.ascontiguousarray(white.apply(camera, balance)), table)

    def rendered(balanced: F32) -> F32:
        return colour.apply(highlights.apply(np.ascontiguousarray(balanced, np.float32), light), table)

    mix = scene(np.eye(3, dtype=np.float32)[:, None])[:, 0]
    bound = np.tensordot(np.square(mix, dtype=np.float64).mean(0), _variance(frames, truth), 1)
    known = noise.measure(first)
    return Made(rendered(made.encoding.decode(clean) + bias), rendered(made.encoding.decode(made.code) + bias),
                scene(truth), bound, truth.max(0), known.offset[1] / known.scale[1])  # fmt: skip


def _variance(frames: list[Frame], light: F32) -> F64:
    """(3, H, W): of the mean with the best weights, in camera light of the first frame; shading is left out."""
    known, first = noise.measure(frames[0]), frames[0].exposure.time_s or 1.0
    scale, offset = (np.asarray(v)[:, None, None] for v in (known.scale, known.offset))
    told = np.zeros(light.shape)
    for frame in frames:
        more = (frame.exposure.time_s or 1.0) / first
        told += 1 / (scale * np.maximum(light, 0) / more + offset / more**2)
    return np.asarray(1 / told, np.float64)


def _inner(made: Made) -> Any:
    inside = np.zeros(made.light.shape, bool)
    inside[32:-32, 32:-32] = True
    return inside


def row(made: Made, count: int) -> dict[str, float]:
    """Errors of one burst of `count` frames."""
    dark, clipped = (_inner(made) & where for where in (made.light < made.read, made.light > 1 / 8))
    shadow, bare, bound = made.power(dark)
    level = float(np.percentile(made.exact[1][clipped], 99))
    pair = (made.clean, made.exact)
    away = difference.delta_e_2000(*(difference.lab(p[:, clipped] / level) for p in pair))
    found, there = ((p[0] > 1.1 * p[1] + 0.02 * level) & (p[2] > 1.1 * p[1] + 0.02 * level) for p in pair)
    magenta = int((found & ~ndimage.binary_dilation(there, iterations=2) & clipped).sum())
    return {"frames": count, "shadows dB": round(shadow, 2), "not denoised": round(bare, 2), "bound": round(bound, 2),
            "ΔE clipped": round(float(away.mean()), 2), "95 %": round(float(np.percentile(away, 95)), 2),
            "magenta px": magenta, "dark part": round(float(dark.mean()), 3)}  # fmt: skip


def gains(bracket: Made, even: Made) -> dict[str, Any]:
    """By how many dB the bracket's error is less, level of light by level."""
    rows = {}
    for low, high in itertools.pairwise(LEVELS):
        parts = [_inner(m) & (m.light >= low * m.read) & (m.light < high * m.read) for m in (bracket, even)]
        if min(p.sum() for p in parts) < 200:
            continue
        b, e = (m.power(p) for m, p in zip((bracket, even), parts, strict=True))
        clean, plain, bound = (round(y - x, 2) for x, y in zip(b, e, strict=True))
        rows[f"{low}-{high}"] = {"of the picture": round(float(parts[0].mean()), 3), "denoised dB": clean,
                                 "not denoised": plain, "bound": bound}  # fmt: skip
    return rows


def table(shot: dict[str, float], pairs: int = 2) -> tuple[dict[str, Any], dict[str, Any]]:
    """One row per burst, and the gains; `pairs` of exposures."""
    short = shot | {"exposure_s": shot["exposure_s"] / 8}
    bracket, truth = simulate("interior", frames=2 * pairs, bracket_ev="-3,0", **SIZE, **shot)
    even, exact = simulate("interior", frames=PAIR_S * pairs, **SIZE, **short)
    made = {"0 / -3 EV": (bracket.frames, truth.rgb), "short, one": (even.frames[:1], exact.rgb),
            "short, as many": (even.frames[: 2 * pairs], exact.rgb),
            "short, equal time": (even.frames, exact.rgb)}  # fmt: skip
    done = {name: make(list(frames), light) for name, (frames, light) in made.items()}
    rows = {name: row(m, len(made[name][0])) for name, m in done.items()}
    return rows, gains(done["0 / -3 EV"], done["short, equal time"])


def run() -> dict[str, Any]:
    """Two tables for each light."""
    found = {}
    for name, shot in LIGHT.items():
        found[f"brackets, {name}"], found[f"gain at equal time by light, {name}"] = table(shot)
    return found


if __name__ == "__main__":
    made = run()
    for title, rows in made.items():
        clock.table(title, rows)
    print(json.dumps(made))
