"""Film — what a look does besides tone and colour: light falls off, tables of others are applied, grain is laid on.

Falloff is that of a lens: light times (1 + k²r²)^-2, r = 1 in the corners of the picture, so that the corner loses what
the look says in EV. Beside or instead of it a part of the real lens's falloff may stay, without its cast. Both are laid
into the coarse map of the local tone gain: no pixel is touched for them.
Halation is light that went through the film and came back from behind it: what is brighter than white spreads, red most
because that layer lies deepest. It is added to the light before highlights are rebuilt, so it is exposed as all light.
Lengths are those on a frame of 36 mm, whatever the sensor.
Source: the natural falloff of an ideal lens, cos⁴ of the field angle, is this function.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import kernels
from ..look import Look, LookError, LookTables, foreign, grain, lut
from ..types import F32, U8, U16, Values
from . import finish, shading
from .finish import Negative
from .shading import ShadingTable
from .tone import ToneMap

if TYPE_CHECKING:
    from ..export import GainMapMeta

__all__ = ["falloff", "gain_map", "halation", "picture"]

_STEP = 4  # picture pixels per sample of the tone map and of the halo
_RADIUS = 12  # of the halo's filter, in samples
_SHARES = (0.10, 0.025, 0.005)  # of the light beyond white that comes back, in R, G, B, for halation 1
_LAMP = 0.5  # camera light that counts as brighter than white even where a night picture is printed darker
_SECOND = 0.3  # of it comes from a second reflection and reaches twice as far


def falloff(negative: Negative, look: Look, factor: float = 1.0, lens: ShadingTable | None = None) -> Negative:
    """The negative with the look's vignette, times `factor`, laid over its tone map.

    `lens`: what was evened of the real lens's falloff, of which a look may keep a part.
    """
    corner_ev, kept = look.spatial.vignette_ev * factor, look.spatial.retain_lens * factor
    if corner_ev == 0.0 and (kept == 0.0 or lens is None):
        return negative
    rows, columns = (-(-n // _STEP) for n in negative.code.shape[1:])
    flat = np.zeros((rows, columns), np.float32)
    tone = negative.tone or ToneMap(flat, flat, 1.0, 0.0, 0.0)
    light = _falloff_ev((rows, columns), negative.window, corner_ev)
    least = corner_ev
    if kept and lens is not None:
        own = kept * shading.taken_ev(lens, (rows, columns))
        light, least = light - own, least - float(own.max())
    laid = dataclasses.replace(tone, b=tone.b + light, low=tone.low + least)
    return dataclasses.replace(negative, tone=laid)


def _falloff_ev(samples: tuple[int, int], window: tuple[int, int, int, int], corner_ev: float) -> F32:
    """Stops (rows, columns), 0 in the middle of the window and `corner_ev` in its corners."""
    k2 = 2.0 ** (-corner_ev / 2) - 1.0
    top, left, height, width = window
    half = math.hypot(height, width) / 2
    y, x = (np.arange(n, dtype=np.float32) * _STEP + (_STEP - 1) / 2 for n in samples)
    y2 = ((y - (top + (height - 1) / 2)) / half) ** 2
    x2 = ((x - (left + (width - 1) / 2)) / half) ** 2
    return np.asarray(-2.0 * np.log2(1.0 + k2 * (y2[:, None] + x2)), np.float32)


def halation(negative: Negative, look: Look, factor: float = 1.0) -> Negative:
    """The negative with the look's red light around what is brighter than white, times `factor`."""
    amount = look.spatial.halation * factor
    if amount == 0.0:
        return negative
    n = negative
    shared = {"code": n.code, "scale": n.encoding.scale, "offset": np.add(n.encoding.offset, n.bias).astype(np.float32)}
    rows, columns = (-(-k // _STEP) for k in n.code.shape[1:])
    halo = np.empty((rows, columns), np.float32)
    sample_um = grain.FRAME_UM / max(n.window[2:]) * _STEP
    taps = _halo_taps(look.spatial.halation_um / sample_um)
    kernels.call("halo", **shared, level=min(2.0**-n.ev, _LAMP), taps=taps, output=halo)
    out = np.empty_like(n.code)
    share = np.multiply(_SHARES, amount).astype(np.float32)
    kernels.call("halate", **shared, halo=halo, share=share, output=out)
    return dataclasses.replace(n, code=out)


def _halo_taps(sigma: float) -> F32:
    """Half of a filter of sum 1 whose standard deviation is `sigma` samples, and twice that in part."""
    at = np.arange(_RADIUS + 1) / max(sigma, 0.3)
    half = (1 - _SECOND) * np.exp(-0.5 * at**2) + _SECOND / 2 * np.exp(-0.125 * at**2)
    return np.asarray(half / (half[0] + 2 * half[1:].sum()), np.float32)


def picture(negative: Negative, look: Look, tables: LookTables, values: Values, bits: int = 8) -> U8 | U16:
    """The finished picture (height, width, 3), upright: `finish.run`, then the look's table and its grain.

    These work on 16 bits, and only where the look has them. Raises LookError where a table is asked for on a display
    that it was not made for.
    """
    dither, strength = values["output"]["dither"], values["grade"]["grain"]
    file, grainy = look.lut.file, look.spatial.grain * strength > 0
    if not (file or grainy):
        return finish.run(negative, tables, bits, dither)
    if file and tables.space != "srgb":
        raise LookError(f"look '{look.name}': its table {file} is made for sRGB: leave out --space {tables.space}")
    done: Any = finish.run(negative, tables, 16, 0.0)
    if file:
        table = foreign.table(pathlib.Path(file))
        done = lut.apply(done, table, look.lut.strength, 16 if grainy else bits, 0.0 if grainy else dither)
    return grain.apply(done, look, strength, bits, dither) if grainy else done


def gain_map(negative: Negative, look: Look, sdr: LookTables, hdr: LookTables) -> tuple[U8, GainMapMeta]:
    """`finish.gain_map`; of a look that is a table, for all channels the same.

    Such a table knows nothing of light beyond white. Its colours stay as they are, and light is given back on top of
    them as the look below it (`neutral`, or what the file extends) gives it: none below mid grey, more towards white.
    """
    gain, meta = finish.gain_map(negative, sdr, hdr)
    if look.lut.file:
        gain[:] = gain.mean(axis=2, keepdims=True)
    return gain, meta
