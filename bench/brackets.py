"""Brackets: what a long exposure beside a short one gains, and that nothing clipped is left. `python -m bench.brackets`

A simulated room with a bright window, 0 / -3 EV, hand-held, nothing of the truth given to the merge. Against it stand
the short frame alone and as many short frames as take the same time: 9 for each pair. `shadows`: where the short frame
has less light than its read noise; `clipped`: where the long one clips. Errors are those after denoise.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from scipy import ndimage

from lichtbild import difference, recipe
from lichtbild.develop import burst, colour, denoise, front, highlights, noise, shading, white
from lichtbild.simulate import simulate
from lichtbild.types import F32, Frame

from . import clock

VALUES = {**recipe.resolve("night").values, "detail": {"amount": 0.0}}
SIZE = {"width": 1024, "height": 768, "seed": 1}
LIGHT = {"ISO 400": {"exposure_s": 1 / 1000, "iso": 400.0}, "ISO 3200": {"exposure_s": 1 / 8000, "iso": 3200.0}}
PAIR_S = 9 / 8  # of the long exposure


def scene_light(frames: list[Frame], truth: F32) -> tuple[F32, F32, F32]:
    """The merged burst, the same without denoise, and the truth of its first frame: linear Rec.2020."""
    first = frames[0]
    even = shading.prepare(first, VALUES["shading"]["strength"])
    proxy = front.proxy(first, VALUES, even)
    balance = white.prepare(first.colour, proxy, VALUES["white"], [])
    table = colour.prepare(first.colour, balance, VALUES["colour"])
    light = highlights.measure(proxy, balance, VALUES["highlights"])
    made = burst.run(frames, balance, noise.measure(first), VALUES, even)
    clean = denoise.run(made.code.copy(), made.encoding, made.noise, VALUES, share=made.share)
    bias = denoise.unbias(made.encoding, made.noise, VALUES)[:, None, None].astype(np.float32)

    def rendered(balanced: F32) -> F32:
        return colour.apply(highlights.apply(np.ascontiguousarray(balanced, np.float32), light), table)

    exact = colour.apply(np.ascontiguousarray(white.apply(truth, balance)), table)
    return rendered(made.encoding.decode(clean) + bias), rendered(made.encoding.decode(made.code) + bias), exact


def row(frames: list[Frame], truth: F32, dark: Any, clipped: Any) -> dict[str, float]:
    """Errors of one burst."""
    clean, plain, exact = scene_light(frames, truth)
    shadow, bare = (10 * np.log10(np.square((p - exact)[:, dark]).mean()) for p in (clean, plain))
    level = float(np.percentile(exact[1][clipped], 99))
    away = difference.delta_e_2000(*(difference.lab(p[:, clipped] / level) for p in (clean, exact)))
    found, there = ((p[0] > 1.1 * p[1] + 0.02 * level) & (p[2] > 1.1 * p[1] + 0.02 * level) for p in (clean, exact))
    magenta = int((found & ~ndimage.binary_dilation(there, iterations=2) & clipped).sum())
    return {"shadows dB": round(float(shadow), 2), "not denoised dB": round(float(bare), 2),
            "ΔE2000 clipped": round(float(away.mean()), 2), "95 %": round(float(np.percentile(away, 95)), 2),
            "magenta px": magenta}  # fmt: skip


def table(shot: dict[str, float], pairs: int = 2) -> dict[str, Any]:
    """One row per burst; `pairs` of exposures."""
    short = shot | {"exposure_s": shot["exposure_s"] / 8}
    bracket, truth = simulate("interior", frames=2 * pairs, bracket_ev="-3,0", **SIZE, **shot)
    even, exact = simulate("interior", frames=9 * pairs, **SIZE, **short)
    inner = np.zeros(truth.rgb.shape[1:], bool)
    inner[32:-32, 32:-32] = True
    profile = bracket.frames[0].noise
    assert profile is not None
    rows = {}
    for name, frames, light in (("0 / -3 EV", bracket.frames, truth.rgb), ("short, one", even.frames[:1], exact.rgb),
                                ("short, equal time", even.frames, exact.rgb)):  # fmt: skip
        dark = inner & (light.max(0) < profile.offset[1] / profile.scale[1])
        rows[name] = {"frames": len(frames)} | row(list(frames), light, dark, inner & (light.max(0) > 1 / 8))
        rows[name] |= {"dark part": round(float(dark.mean()), 3)}
    return rows


def run() -> dict[str, Any]:
    """A table for each light."""
    return {f"brackets, {name}": table(shot) for name, shot in LIGHT.items()}


if __name__ == "__main__":
    made = run()
    for title, rows in made.items():
        clock.table(title, rows)
    print(json.dumps(made))
