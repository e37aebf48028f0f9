"""Look — tone and colour of the picture: scene light to display values.

in    scene (3, H, W) float32     linear Rec.2020, 1.0 = diffuse white
out   encoded (3, H, W) float32   display RGB of the wanted space, encoded with the curve of sRGB, 0..1 (0..peak in HDR)
Three channels are mixed a little (inset), bent by one curve, and moved in hue, chroma and lightness; the last step
draws colours beyond the gamut straight towards their grey, so that saturated paint keeps its hue and its shading. What
a look wants stands in look/data/NAME.toml; `compile` fits the numbers that the kernel computes with.
"""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..stage import Stage, param, stage
from ..types import F32
from .tables import LookTables, display


@stage("grade", "tone and colour of the picture, from a file of targets")
class LookTrim(Stage):
    """The photographer's trims; the look itself is chosen by name."""

    contrast: float = param(1.0, 0.6, 1.6, "", "factor on all slopes of the look's curve")
    saturation: float = param(1.0, 0.0, 1.6, "", "factor on chroma")
    grain: float = param(1.0, 0.0, 3.0, "", "factor on the look's grain")
    halation: float = param(1.0, 0.0, 3.0, "", "factor on the look's red light around highlights")
    falloff: float = param(1.0, 0.0, 2.0, "", "factor on the look's loss of light in the corners")
    micro: float = param(1.0, 0.0, 3.0, "", "factor on what the look does to the contrast of textures")


def apply(rgb: F32, tables: LookTables) -> F32:
    """Encoded display values of scene light (3, H, W) by the stage's own kernel."""
    out = np.empty_like(rgb)
    kernels.call("look", rgb=rgb, inset=tables.inset, curve=tables.curve, moves=tables.moves, output=out)
    return out


def twin(rgb: F32, tables: LookTables) -> F32:
    """`apply` in NumPy float64."""
    return np.moveaxis(display(tables, np.moveaxis(rgb.astype(np.float64), 0, -1)), -1, 0).astype(np.float32)
