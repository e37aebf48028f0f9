"""Measure and fit the tables of denoise: `python -m bench.shrink > src/lichtbild/develop/_denoise_tables.py`

Sizes of coefficients, what demosaicing leaves of the noise, and the noise of detail's high-pass are measured on
white noise through our directional demosaic, and again after our merge of eight shaken frames. The weights of the
signal-to-noise estimate are fitted to the least squared error on photographs (folder LICHTBILD_KODAK, default
../shared/data/scenes_ldr/kodak), as they are and halved, under the noise of a phone at ISO 400, 1600 and 6400. Needs
SciPy and two minutes; the seed is fixed.
"""

from __future__ import annotations

import os
import pathlib
import sys
import textwrap
from typing import Any

import numpy as np

from lichtbild import recipe
from lichtbild.develop import _denoisetwin as twin
from lichtbild.develop import burst, demosaic, detail, front, noise, shading
from lichtbild.light import WHITE_D65
from lichtbild.types import White, replace

from . import sb1

FOLDER = pathlib.Path(os.environ.get("LICHTBILD_KODAK", "../shared/data/scenes_ldr/kodak"))
EVERY = 4  # of the photographs
ISOS = (400, 1600, 6400)
EXPOSURE = 0.46
SIGMA, LEVEL, SIDE = 400.0, 20000.0, 2048  # codes, pixels: the flat field
STRIP = 300  # rows of it that are not flat, in a burst
BY_DAYLIGHT = White((1.0,) * 3, WHITE_D65, 6504.0, 0.0, "as shot")
INNER = np.s_[..., 8:-8, 8:-8]  # of a map of blocks: without the margin and what it reaches


def rests(planes: list[Any]) -> list[list[Any]]:
    """[plane: luma, R - G, B - G][step, fine first]: the rest that each step of denoise transforms."""
    pyramid = [planes]
    for _ in range(5):
        pyramid.append([twin.halved(p) for p in pyramid[-1]])
    return [[twin.rest_of(pyramid[f][k], pyramid[f + 2][k]) for f in ((0, 2) if k == 0 else (1, 3))] for k in range(3)]


def sites(light: Any) -> Any:
    """RGGB mosaic (H, W) of planes (3, H, W)."""
    out = light[1].copy()
    out[::2, ::2], out[1::2, 1::2] = light[0, ::2, ::2], light[2, 1::2, 1::2]
    return out


def flat(rng: Any, amounts: tuple[float, float, float], side: int = SIDE) -> Any:
    """Codes (3, H, W) of a grey field with white noise of `amounts`·SIGMA at red, green and blue sites."""
    strength = sites(np.broadcast_to(np.reshape(amounts, (3, 1, 1)), (3, side, side)))
    half = (LEVEL + SIGMA * strength * rng.standard_normal((side, side))) / 2
    return demosaic.apply(np.rint(half).astype(np.uint16), "RGGB", "directional", demosaic.epsilon(SIGMA / 2))


def shaken(rng: Any) -> Any:
    """A burst without noise: a flat field below a strip of patches by which the frames can be aligned."""
    patches = rng.uniform(0.3, 1.8, (STRIP // 30 + 1, SIDE // 30 + 1)).repeat(30, 0).repeat(30, 1)
    light = np.full((3, SIDE, SIDE), 0.2, np.float32)
    light[:, :STRIP] *= patches[:STRIP, :SIDE]
    return sb1.make(light, noise=noise.assumed(1e-3), disc=False)[0].frames


def merged(
    frames: Any, rng: Any, amounts: tuple[float, float, float], zoom: int = 1
) -> tuple[Any, float]:  # fmt: skip
    """Codes of the merged flat field, and the noise in them if all frames but for their share were one; `amounts` as
    in `flat`, of the noise of the burst sb1."""
    shape = frames[0].mosaic.shape
    strength = sites(np.broadcast_to(np.reshape(amounts, (3, 1, 1)), (3, *shape)))
    deviation = (sb1.WHITE - sb1.BLACK) * np.sqrt(sb1.NOISE.scale[0] * 0.11 + sb1.NOISE.offset[0])
    counts = [f.mosaic + strength * deviation * rng.standard_normal(shape) for f in frames]
    mosaics = [np.rint(c).clip(0, sb1.WHITE).astype(np.uint16) for c in counts]
    noisy = [replace(f, noise=sb1.NOISE, mosaic=m) for f, m in zip(frames, mosaics, strict=True)]
    values = recipe.resolve("night", sets=[f"merge.zoom={zoom}"]).values
    even = shading.prepare(noisy[0], values["shading"]["strength"])
    found = burst.run(noisy, BY_DAYLIGHT, sb1.NOISE, values, even)
    return found.code[:, zoom * (STRIP + 64) : -64 * zoom, 64 * zoom : -64 * zoom], found.encoding.sigma[1]


def measured(code: Any, sigma: float = SIGMA) -> tuple[Any, Any, Any, Any]:
    """Of a flat field, in SIGMA²: squared sizes (3, 2, 16), powers of channels, of finest colours, of detail's h."""
    planes = [p - p.mean() for p in twin.planes_of(code)]
    size: Any = [[twin.sizes(twin.blocks(r))[INNER].mean((1, 2)) * twin.UNIT for r in pair] for pair in rests(planes)]
    fine: Any = [np.var(p - twin.stretched(twin.halved(p), 2, p.shape)) for p in planes[1:]]
    high = planes[0] - detail._binomial(planes[0])
    size, whole, fine, high = np.square(size), np.var(code, (1, 2)), np.array(fine), np.var(high)
    return size / sigma**2, whole / sigma**2, fine / sigma**2, high / sigma**2


def flat_tables(make: Any) -> tuple[Any, Any, Any, Any]:
    """The same with a last axis for the colour of the site, scaled to be right where all have equal noise.

    `make` takes amounts of noise at red, green and blue sites and returns what `measured` takes.
    """
    parts = [measured(*make(tuple(np.eye(3)[k]))) for k in range(3)]
    whole = measured(*make((1.0, 1.0, 1.0)))
    found = []
    for n, total in enumerate(whole):
        each = np.stack([p[n] for p in parts], -1)
        found.append(each * (np.asarray(total) / each.sum(-1))[..., None])
    return found[0], whole[1], found[2], found[3]


def photographs() -> list[Any]:
    """Camera light (3, H, W) of photographs, as they are and halved by area."""
    from PIL import Image

    found = []
    for path in sorted(FOLDER.glob("*.png"))[::EVERY]:
        v = np.asarray(Image.open(path).convert("RGB"), np.float64).transpose(2, 0, 1) / 255
        v = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4) * EXPOSURE
        _, height, width = v.shape
        found += [v, v.reshape(3, height // 2, 2, width // 2, 2).mean((2, 4))]
    return found


def pair(rng: Any, light: Any, iso: float) -> tuple[Any, Any, Any]:
    """Noisy and true codes (3, H, W) of a photograph, and how they are coded."""
    model = noise.assumed(iso)
    code = front.encoding(BY_DAYLIGHT, model, 1.0)
    clean = sites(light)
    noisy = clean + rng.standard_normal(clean.shape) * np.sqrt(model.scale[0] * clean + model.offset[0])
    half = 0.5 * code.scale * np.sqrt(np.clip(noisy + code.offset[1], 0, 1))
    found = demosaic.apply(np.rint(half).astype(np.uint16), "RGGB", "directional", demosaic.epsilon(code.sigma[1] / 2))
    true = code.scale * np.sqrt(np.maximum(light + code.offset[1] - (code.sigma[1] / code.scale) ** 2, 0))
    return found, true, code


def sample(noisy: Any, true: Any, unit: Any, every: int) -> list[Any]:
    """Of one rest: own power (16, n), all power (n) and the moments of noisy and true coefficients (16, n each)."""
    b, t = twin.blocks(noisy), twin.blocks(true)
    power = np.square(twin.sizes(b) / unit[:, None, None])
    counts = np.array([len(g) for g in twin.GROUPS])[:, None, None] * np.square(4 * twin.UNIT * unit[:, None, None])
    moments = [np.stack([np.sum(p[g] * q[g], 0) for g in twin.GROUPS]) / counts for p, q in ((b, b), (b, t), (t, t))]
    return [a[INNER].reshape(*a.shape[:-2], -1)[..., ::every] for a in (power, power.sum(0), *moments)]


def samples(size: Any) -> list[list[list[Any]]]:
    """[plane][step]: what `sample` takes from every photograph at every ISO."""
    rng = np.random.default_rng(7)
    kept: list[list[list[Any]]] = [[[], []] for _ in range(3)]
    for light in photographs():
        for iso in ISOS:
            noisy, true, code = pair(rng, light, iso)
            both = rests(twin.planes_of(noisy)), rests(twin.planes_of(true))
            for k, step in np.ndindex(3, 2):
                unit = np.sqrt(size[k, step] @ np.square(code.sigma)) / twin.UNIT
                kept[k][step].append(sample(both[0][k][step], both[1][k][step], unit, 1 if k or step else 3))
    return kept


def fit(own: Any, total: Any, noisy: Any, cross: Any, true: Any) -> Any:
    """Weights of own and total power and bias with the least squared error of the shrunk coefficients."""
    from scipy.optimize import minimize

    def loss(q: Any) -> float:
        s = np.maximum(abs(q[0]) * own + abs(q[1]) * total - abs(q[2]), 0)
        w = s / (s + 1)
        return float(np.mean(w * w * noisy - 2 * w * cross + true))

    starts = ([0.5, 0.02, 0.6], [0.1, 0.04, 0.6])
    options = {"maxiter": 200, "xatol": 1e-3, "fatol": 1e-5}
    return np.abs(min((minimize(loss, s, method="Nelder-Mead", options=options) for s in starts),
                      key=lambda r: r.fun).x)  # fmt: skip


def shrink(size: Any) -> Any:
    """(3, 2, 16, 3) the fitted weights."""
    out = np.empty((3, 2, 16, 3))
    for k, steps in enumerate(samples(size)):
        for step, parts in enumerate(steps):
            own, total, *moments = (np.concatenate([p[n] for p in parts], -1) for n in range(5))
            for g in range(16):
                out[k, step, g] = fit(own[g], total, *(m[g] for m in moments))
            print(k, step, out[k, step].round(3).tolist(), file=sys.stderr, flush=True)
    return out


def table(name: str, note: str, values: Any, digits: int = 3) -> str:
    """A table in the tables' file, as many rows to a line as fit."""

    def inline(a: Any) -> str:
        return f"({', '.join(map(inline, a))})" if np.ndim(a) else f"{a:.{digits}g}"

    def rows(a: Any, depth: int) -> str:
        pad = "    " * depth
        if len(pad + inline(a)) < 118 or np.ndim(a) == 1:
            return f"{pad}{inline(a)},"
        if np.ndim(a) == 2:
            inner = ", ".join(map(inline, a)).replace(" ", "_").replace("),_", "), ")  # broken between rows alone
            lines = textwrap.wrap(inner + ",", 118, initial_indent=pad + "    ", subsequent_indent=pad + "    ")
            return "\n".join([f"{pad}(", *(line.replace("_", " ") for line in lines), f"{pad}),"])
        return "\n".join([f"{pad}(", *(rows(v, depth + 1) for v in a), f"{pad}),"])

    return f"# {note}\n{name} = {rows(np.asarray(values), 0)[:-1]}\n"


def main() -> None:
    """Print the tables' file."""
    rng = np.random.default_rng(1)
    size, left, fine, high = flat_tables(lambda amounts: (flat(rng, amounts),))
    frames = shaken(rng)
    merged_size, _, merged_fine, merged_high = flat_tables(lambda amounts: merged(frames, rng, amounts))
    print(
        '"""Measured and fitted numbers of denoise and detail, printed by `python -m bench.shrink`."""\n\n# fmt: off\n'
    )
    print(
        table("LEFT", "Part of the noise power of red, green and blue sites that demosaicing leaves in a code.", left)
    )
    both = (high, merged_high)
    print(table("HIGH", "Noise power of detail's high-pass per unit of noise power at red, green and blue sites:\n"
                "# [one frame, several merged].", both))  # fmt: skip
    note = "The same of R - G and B - G against what half the size predicts: [one frame, several merged]."
    print(table("FINE", note, (fine, merged_fine)))
    both = (size, merged_size)
    note = ("Squared mean size of a group of coefficients under noise, per unit of noise power at red,\n"
            "# green and blue sites: [one, merged][plane: luma, R - G, B - G][step, fine first][group].")  # fmt: skip
    print(table("SIZE", note, both))
    zoomed, _, _, zoomed_high = flat_tables(lambda amounts: merged(frames, rng, amounts, 2))
    print(table("HIGH_ZOOMED", "HIGH of several merged to twice the pixels each way.", zoomed_high))
    print(table("SIZE_ZOOMED", "SIZE of several merged to twice the pixels each way.", zoomed))
    signal = "(own, all, bias): signal-to-noise = own·power + all·total power - bias; [plane][step][group]."
    print(table("SHRINK", signal, shrink(size)))


if __name__ == "__main__":
    main()
