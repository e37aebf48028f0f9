"""A sheet that shows what lint measures: greys, skins and hues over exposure, marked where light darkens as it grows.

From left to right light grows, to beyond white. Rows from above: greys; skins of ten depths in three lights; 24 hues at
each of five distances from grey. Dots, white on dark and black on light colours, mark falling lightness. Bands and
turns of hue are for the eye.
"""

from __future__ import annotations

import pathlib

import numpy as np

from ..light import eotf
from ..types import U8
from . import colour, lint
from .spec import LookError

_WIDE, _STEPS = 4, 192  # pixels of an exposure, and how many there are
_GREY, _SKIN, _HUE = 32, 3, 6  # pixels of a row
_LOW_EV, _HIGH_EV = -8.0, 0.75  # around white


def write(name: str, path: pathlib.Path, space: str = "srgb") -> None:
    """The sheet of a look, by its name or file, as a PNG. Raises LookError."""
    if path.suffix.lower() != ".png":
        raise LookError(f"{path}: the sheet is a .png")
    picture = draw(*lint.rendering(name, space), space)
    import imagecodecs

    try:
        path.write_bytes(bytes(imagecodecs.png_encode(picture)))
    except OSError as error:
        raise LookError(f"{path}: {error.strerror or error}") from None


def draw(shown: lint.Shown, white: float, space: str = "srgb") -> U8:
    """The sheet (H, W, 3) of what renders scene light, `white` being the light that it shows as white."""
    light = white * 2.0 ** np.linspace(_LOW_EV, _HIGH_EV, _STEPS)
    hues, skins = lint.rays(space), colour.skins().reshape(-1, 3)
    rows = np.concatenate([hues[:1], skins / skins.max(axis=1, keepdims=True), hues[24:]])  # the first 24 are grey
    heights = [_GREY] + [_SKIN] * len(skins) + [_HUE] * (len(hues) - 24)
    out = np.clip(shown((rows[:, None] * light[:, None]).reshape(-1, 3)).reshape(len(rows), _STEPS, 3), 0.0, 1.0)
    picture = (out * 255 + 0.5).astype(np.uint8).repeat(_WIDE, axis=1).repeat(heights, axis=0)
    lightness = colour.to_oklab(eotf(out), space)[..., 0]
    first = np.cumsum([0, *heights[:-1]])
    for row, step in np.argwhere((np.diff(lightness, axis=1) < -lint.FALL) & (lightness[:, 1:] > 0.1)):
        y, x = first[row] + heights[row] // 2, (step + 1) * _WIDE
        picture[y - 1 : y + 1, x - 1 : x + 1] = 255 if lightness[row, step] < 0.6 else 0
    return np.ascontiguousarray(picture)
