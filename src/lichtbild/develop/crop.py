"""Crop — the largest part of the picture that has the proportions asked for.

in    window     top, left, height and width of the picture within the frame, orientation of the sensor
out   window     as large as fits, with those proportions: the long side lies along the long side of the picture
It stands in the middle, or as far off it as `x` and `y` say. What a look measures in a picture (its corners, its 36 mm
of film) is that of the cropped one. A DNG keeps the whole frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..stage import Stage, param, stage
from . import orient

Window = tuple[int, int, int, int]

ASPECTS = {"3:2": 3 / 2, "4:3": 4 / 3, "1:1": 1.0, "16:9": 16 / 9, "65:24": 65 / 24}


@stage("crop", "proportions of the finished picture")
class Crop(Stage):
    """Parameters of the crop."""

    aspect: str = param("whole", doc="long side to short side; whole = no crop", choices=("whole", *ASPECTS))
    x: float = param(0.0, -1.0, 1.0, "", "which part is kept: -1 = the left one, 0 = the middle, 1 = the right one")
    y: float = param(0.0, -1.0, 1.0, "", "the same from the top (-1) to the bottom (1) of the upright picture")


def window(whole: Window, orientation: int, values: Mapping[str, Any]) -> Window:
    """The part of `whole` that is kept. `orientation`: EXIF's, because `x` and `y` are those of the upright picture."""
    if values["aspect"] == "whole":
        return whole
    top, left, height, width = whole
    ratio = ASPECTS[values["aspect"]]
    wide = ratio if width >= height else 1 / ratio
    kept_h, kept_w = min(height, max(round(width / wide), 1)), min(width, max(round(height * wide), 1))
    columns, rows, swap = orient.ways(orientation)
    x, y = (values["y"], values["x"]) if swap else (values["x"], values["y"])
    x, y = -x if columns else x, -y if rows else y
    return (
        top + round((height - kept_h) * (1 + y) / 2),
        left + round((width - kept_w) * (1 + x) / 2),
        kept_h,
        kept_w,
    )
