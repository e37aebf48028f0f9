"""Film — what a look does besides tone and colour: light falls off, tables of others are applied, grain is laid on.

Falloff is that of a lens: light times (1 + k²r²)^-2, r = 1 in the corners of the picture, so that the corner loses what
the look says in EV. It is laid into the coarse map of the local tone gain: no pixel is touched for it.
Source: the natural falloff of an ideal lens, cos⁴ of the field angle, is this function.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
from typing import Any

import numpy as np

from ..look import Look, LookError, LookTables, grain, lut
from ..types import F32, U8, U16, Values
from . import finish
from .finish import Negative
from .tone import ToneMap

__all__ = ["falloff", "picture"]

_STEP = 4  # picture pixels per sample of the tone map


def falloff(negative: Negative, look: Look, factor: float = 1.0) -> Negative:
    """The negative with the look's vignette, times `factor`, laid over its tone map."""
    corner_ev = look.spatial.vignette_ev * factor
    if corner_ev == 0.0:
        return negative
    rows, columns = (-(-n // _STEP) for n in negative.code.shape[1:])
    flat = np.zeros((rows, columns), np.float32)
    tone = negative.tone or ToneMap(flat, flat, 1.0, 0.0, 0.0)
    light = _falloff_ev((rows, columns), negative.window, corner_ev)
    laid = dataclasses.replace(tone, b=tone.b + light, low=tone.low + corner_ev)
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
        table = lut.read(pathlib.Path(file))
        done = lut.apply(done, table, look.lut.strength, 16 if grainy else bits, 0.0 if grainy else dither)
    return grain.apply(done, look, strength, bits, dither) if grainy else done
