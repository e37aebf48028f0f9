"""Spectral: the patches of a chart reach the sensor as spectra, which it sees with its own eyes.

Rec.2020 light has no spectrum: two sensors would agree about it as real ones never do. Where a scene knows what its
patches reflect and what they are lit by, their light is replaced by that which makes the electrons of their spectrum.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from .. import sensor
from ..light import REC2020_LUMA, Xy
from ..scene import Scene
from ..sensor import Sensor
from ..types import F32, F64

_EDGE = 2  # pixels around a patch, of which the first is shared with it
_LEAST = 1e-12  # squared light, against patches that look like what is around them
_DIGITS = 6  # of what is added: what linear algebra libraries differ in comes after


def seen_by(made: Scene, chip: Sensor, white: Xy) -> Scene:
    """The scene with the light of its patches as `chip`, balanced for `white`, counts it; all else as it was."""
    patches = {int(name[6:]): place for name, place in made.regions.items() if name.startswith("patch_")}
    if not patches or "reflectance" not in made.spectra:
        return made
    light = made.layers[0].light.copy()
    counted = sensor.matrix(chip, white)
    for number, (top, left, height, width) in patches.items():
        spectrum = made.spectra["reflectance"][number] * made.spectra["illuminant"]
        part = light[:, max(top - _EDGE, 0) : top + height + _EDGE, max(left - _EDGE, 0) : left + width + _EDGE]
        _replace(part, counted, sensor.electrons(chip, spectrum))
    layers = (dataclasses.replace(made.layers[0], light=light), *made.layers[1:])
    return dataclasses.replace(made, layers=layers)


def _replace(part: F32, counted: F64, wanted: F64) -> None:
    """Change light (3, h, w) in place: `wanted` (planes,) electrons per lux·s, `counted` (planes, 3) as of Rec.2020."""
    if not part.size:
        return
    middle = part[:, part.shape[1] // 2, part.shape[2] // 2].astype(np.float64)
    away = middle - part[:, 0, 0]  # from what is around the patch
    luminance = float(np.asarray(REC2020_LUMA) @ middle)
    missing = wanted * luminance - counted @ middle
    more = np.linalg.pinv(counted) @ missing / luminance
    along = (away / max(float((away * away).sum()), _LEAST)).astype(np.float32)
    own = sum(a * (plane - plane[:1, :1]) for a, plane in zip(along, part, strict=True)).clip(0, 1)
    part += (np.round(more, _DIGITS) * luminance).astype(np.float32)[:, None, None] * own
