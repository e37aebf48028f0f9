"""The pipeline: one frame and a resolved recipe become finished pixels.

Measure on the proxy, prepare every stage's tables, then four passes over the pixels: front, denoise (with detail),
geometry where the file asks for it, finish. Between the passes light is a 16-bit square-root code, because memory
traffic is the cost.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from .. import cfa as patterns
from .. import look
from ..light import WHITE_D65
from ..merge import zoom
from ..recipe import Recipe
from ..types import F32, F64, U16, Encoding, Frame, Noise, Values, White
from ..wanted import Developed, Wanted
from . import (
    border,
    burst,
    colour,
    crop,
    demosaic,
    denoise,
    exposure,
    film,
    finish,
    front,
    geometry,
    highlights,
    micro,
    orient,
    shading,
    tone,
    white,
)
from . import noise as noises
from .colour import ColourTable
from .highlights import HighlightTable

Seconds = dict[str, tuple[float, float]]  # pass → wall and CPU seconds
_PROXY = 4  # pixels of the frame per pixel of the proxy, each way


@contextlib.contextmanager
def _clock(seconds: Seconds, name: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    seconds[name] = time.perf_counter() - wall, time.process_time() - cpu


def render(frame: Frame, recipe: Recipe, want: Wanted, frames: Sequence[Frame] = ()) -> Developed:
    """Develop `frame`, or all `frames` of its burst, for what is wanted. `recipe.values` holds every parameter."""
    values, seconds = recipe.values, {}  # type: Values, Seconds
    looks = _begin_looks(recipe, want)
    left_out, guesses = [], []  # type: list[str], list[str]
    several = burst.order(frames, values, left_out) if len(frames) > 1 else [frame]
    frame = several[0]
    with _clock(seconds, "proxy"):
        even = shading.prepare(frame, values["shading"]["strength"])
        proxy = front.proxy(frame, values, even)
    with _clock(seconds, "measure"):
        noise = noises.measure(frame)
        balance, table = _colour(frame, proxy, values, guesses)
        light = highlights.measure(proxy, balance, values["highlights"])
    taken = _take(several, balance, noise, values, even, seconds, left_out)
    code, encoding, noise = taken.code, taken.encoding, taken.noise
    with _clock(seconds, "tone"):
        grid = geometry.prepare(frame, dict(values["geometry"]), code.shape[1:])
        if grid is not None:  # what is measured shall lie where it is used
            proxy = _bent(frame, proxy, encoding, dict(values["geometry"]))
        scene, key, tones = _tones(_scene(proxy, balance, light, table), frame, values, noise, balance)
    with _clock(seconds, "denoise"):
        seen = None if taken.share is None else _seen(taken.share, scene, key.ev, tones, grid)
        code = _clean(taken, values, seen)
    lift = denoise.unbias(encoding, noise, values)
    bare = _camera_light(code, encoding, lift, balance, light) if want.raw else None
    with _clock(seconds, "geometry"):
        code = code if grid is None else geometry.apply(code, grid)
    with _clock(seconds, "textures"):
        tones = _textures(tones, scene, recipe, frame, key.ev)
    tones = tone.enlarged(tones, code.shape[1:], values["merge"]["zoom"])
    bias, window = (-float(lift[0]), -float(lift[1]), -float(lift[2])), _window(frame, code, values, want)
    negative = finish.Negative(code, encoding, light, table, key.ev, tones, bias, window, frame.orientation)
    sdr, gain, meta = _print(negative, recipe, want, seconds, even, looks)
    if not want.raw:
        with _clock(seconds, "border"):
            sdr, gain = border.apply(sdr, gain, meta, frame, values["border"])
    chosen = _decided(frame, noise, values, balance, key) | _said(frame, taken, len(frames))
    chosen["guesses"] = [*frame.guesses, *guesses]
    return Developed(sdr, gain, meta, bare, chosen, seconds, tuple(left_out))


def _window(frame: Frame, code: U16, values: Values, want: Wanted) -> tuple[int, int, int, int]:
    """What of the codes is shown: top, left, height, width."""
    whole = zoom.window(frame.crop or (0, 0, *frame.shape), frame.shape, code.shape[1:])
    return whole if want.raw else crop.window(whole, frame.orientation, values["crop"])


def _clean(taken: burst.Burst, values: Values, seen: F32 | None) -> U16:
    """Codes without noise, in place; of a merged picture by the noise that will be `seen`."""
    code, encoding, noise = taken.code, taken.encoding, taken.noise
    if taken.share is not None and taken.bracket:
        denoise.even_out(code, encoding, noise, values, taken.share)
    return denoise.run(code, encoding, noise, values, into=code, share=seen, alone=taken.alone, slow=taken.slow)


def _decided(frame: Frame, noise: Noise, values: Values, balance: White, key: exposure.ExposureTable) -> dict[str, Any]:
    """What the stages chose for this frame."""
    return {
        "white": {"origin": balance.origin, "cct_k": round(balance.cct_k), "tint": round(balance.tint, 1)},
        "noise": noise.origin, "demosaic": _method(frame, noise, values),
        "exposure_ev": round(key.ev, 2), "exposure": list(key.reasons),
    }  # fmt: skip


def _said(frame: Frame, taken: burst.Burst, count: int) -> dict[str, Any]:
    """What is told of a merge of `count` frames; nothing of a single one."""
    if count < 2:
        return {}
    believed = [round(part, 3) for part in taken.believed]
    return {"merge": {"reference": frame.path.name, "frames": 1 + len(taken.others), "believed": believed}}


def _take(
    frames: list[Frame], balance: White, noise: Noise, values: Values, even: shading.ShadingTable, seconds: Seconds,
    left_out: list[str],
) -> burst.Burst:  # fmt: skip
    """Codes in three colours of one frame, or of several merged, the first being the reference; empties `frames`."""
    if len(frames) > 1 or values["merge"]["zoom"] > 1:
        with _clock(seconds, "merge"):
            return burst.run(burst.handed_out(frames), balance, noise, values, even, left_out)
    with _clock(seconds, "front"):
        code, encoding = front.run(frames[0], balance, noise, values, even)
    return burst.Burst(code, encoding, noise)


def _tones(
    scene: F32, frame: Frame, values: Values, noise: Noise, balance: White
) -> tuple[F32, exposure.ExposureTable, tone.ToneMap]:
    """`scene` itself, the proxy as scene light; how bright the photograph shall be; its local tone."""
    key = _key(scene, frame, values)
    return scene, key, tone.prepare(scene, dict(values["tone"]), key.ev, noise, balance.gains, key.mood_ev)


def _seen(share: F32, scene: F32, ev: float, tones: tone.ToneMap, grid: F32 | None) -> F32:
    """Noise power of a merged picture as it will be seen: where light is raised by local tone, so is its noise.

    `grid`: what will straighten the picture; `scene` and `tones` are straight already.
    """
    at = geometry.cells(share.shape, scene.shape[1:], grid)
    there = replace(tones, a=tones.a[at], b=tones.b[at])
    stops = tone.stops(scene[:, *at] * np.float32(2.0**ev), there)
    return np.asarray(share * np.exp2(2 * np.maximum(stops, 0)), np.float32)


def preview(frame: Frame, recipe: Recipe) -> F32:
    """Scene light (3, h, w) behind exposure and local tone, upright, at a quarter of the size: what a look is shown on.

    It is measured and balanced as `render` does it; what needs all pixels (demosaic, denoise, geometry) is left out.
    """
    values = recipe.values
    proxy = front.proxy(frame, values, shading.prepare(frame, values["shading"]["strength"]))
    balance, table = _colour(frame, proxy, values, [])
    scene = _scene(proxy, balance, highlights.measure(proxy, balance, values["highlights"]), table)
    scene, key, tones = _tones(scene, frame, values, noises.measure(frame), balance)
    tones = _textures(tones, scene, recipe, frame, key.ev)
    lit: F32 = scene * np.float32(2.0**key.ev)
    lit *= np.exp2(tone.stops(lit, tones))
    whole = frame.crop or (0, 0, *frame.shape)
    top, left, height, width = (n // _PROXY for n in crop.window(whole, frame.orientation, values["crop"]))
    lit = lit[:, top : top + max(height, 1), left : left + max(width, 1)]
    columns, rows, swap = orient.ways(frame.orientation)
    lit = lit[:, :: -1 if rows else 1, :: -1 if columns else 1]
    return np.ascontiguousarray(lit.transpose(0, 2, 1) if swap else lit)


def _textures(tones: tone.ToneMap, scene: F32, recipe: Recipe, frame: Frame, ev: float) -> tone.ToneMap:
    """The tone map with what the look does to textures."""
    whole = frame.crop or (0, 0, *frame.shape)
    long_side = max(crop.window(whole, frame.orientation, recipe.values["crop"])[2:])
    return micro.apply(tones, scene, look.load(recipe.look), long_side, ev, recipe.values["grade"]["micro"])


def _method(frame: Frame, noise: Noise, values: Values) -> str:
    """The demosaic method that front takes, in a word."""
    if frame.rgb is not None or frame.cfa == "MONO":
        return "none"
    if not patterns.simple(frame.cfa):
        return "pattern"
    return demosaic.choose(values["demosaic"]["method"], noise)


def _begin_looks(recipe: Recipe, want: Wanted) -> list[Future[look.LookTables]]:
    """The tables of the look, and with headroom where HDR is wanted, made while kernels work: 20 ms."""
    trims, pool = recipe.values["grade"], ThreadPoolExecutor(1, "lichtbild-look")
    headrooms = (0.0, recipe.values["output"]["headroom_ev"]) if want.hdr else (0.0,)
    begun = [
        pool.submit(look.compile, look.load(recipe.look), want.space, ev, trims["contrast"], trims["saturation"])
        for ev in headrooms
    ]
    pool.shutdown(wait=False)
    return begun


def _print(
    negative: finish.Negative, recipe: Recipe, want: Wanted, seconds: Seconds, lens: shading.ShadingTable,
    looks: Sequence[Future[look.LookTables]],
) -> tuple[Any, Any, Any]:  # fmt: skip
    """The picture through the first of the `looks`, and the gain map to the second where one is wanted."""
    trims = recipe.values["grade"]
    chosen = look.load(recipe.look)
    with _clock(seconds, "film"):
        negative = film.falloff(film.halation(negative, chosen, trims["halation"]), chosen, trims["falloff"], lens)
    with _clock(seconds, "look"):
        tables = [coming.result() for coming in looks]
    with _clock(seconds, "finish"):
        sdr = film.picture(negative, chosen, tables[0], recipe.values, want.bits)
    if not want.hdr:
        return sdr, None, None
    with _clock(seconds, "gain map"):
        gain, meta = film.gain_map(negative, chosen, *tables)
    return sdr, gain, meta


def _colour(frame: Frame, proxy: F32, values: Values, guesses: list[str]) -> tuple[White, ColourTable]:
    if frame.cfa == "MONO":
        # One kind of pixel sees no colour: grey stays grey.
        return White((1.0, 1.0, 1.0), WHITE_D65, 6504.0, 0.0, "monochrome"), ColourTable(np.eye(3, dtype=np.float32))
    dim = exposure.luminance_cd_m2(frame.exposure, exposure.mean_ev(proxy[1]))
    balance = white.prepare(frame.colour, proxy, values["white"], guesses, dim)
    table = colour.prepare(frame.colour, balance, values["colour"])
    guesses.extend(g for g in table.guesses if g not in guesses)
    return balance, table


def _scene(proxy: F32, balance: White, light: HighlightTable, table: ColourTable) -> F32:
    """The proxy as scene light: balanced, clipped light rebuilt, linear Rec.2020."""
    return colour.apply(highlights.apply(white.apply(proxy, balance), light), table)


def _key(scene: F32, frame: Frame, values: Values) -> exposure.ExposureTable:
    """How bright the photograph shall be."""
    measured = exposure.measure(scene)
    return exposure.prepare(measured, dict(values["exposure"]), frame.baseline_exposure_ev, frame.exposure)


def _camera_light(code: U16, encoding: Encoding, taken: F64, balance: White, table: HighlightTable) -> F32:
    """What a sensor without noise, mosaic, shading and limit would have seen: light without white balance."""
    balanced = encoding.decode(code)
    balanced += np.asarray(taken, np.float32)[:, None, None]
    light = highlights.apply(balanced, table)
    light /= np.asarray(balance.gains, np.float32)[:, None, None]
    return light


def _bent(frame: Frame, proxy: F32, encoding: Encoding, values: dict[str, Any]) -> F32:
    """The proxy resampled as the picture is, so that what is measured lies where it is used."""
    grid = geometry.prepare(frame, values, (proxy.shape[1], proxy.shape[2]))
    assert grid is not None
    return encoding.decode(geometry.apply(encoding.encode(proxy), grid))


__all__ = ["Noise", "preview", "render"]
