"""What is asked of the pipeline, and what it gives back: the two sides of `develop.pipeline.render`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .types import F32, U8, U16

if TYPE_CHECKING:
    from .export import GainMapMeta

SPACES = ("srgb", "p3")


@dataclass(frozen=True)
class Wanted:
    """What the pixels are for. `bits`: 8 or 16 per channel. `space`: one of SPACES. `hdr`: with a gain map. `raw`:
    with the camera light that is left when noise, shading and mosaic are gone.
    """

    bits: int = 8
    space: str = "srgb"
    hdr: bool = False
    raw: bool = False


@dataclass(frozen=True)
class Developed:
    """Finished pixels: `sdr` (H, W, 3) uint8 or uint16 as wanted, upright and encoded for display; `gain` (h, w, 3)
    uint8 with its `meta` where a gain map was wanted and there is light beyond white; `light` (3, h, w) where it was
    wanted: camera light, 1.0 = saturation, without white balance, before geometry and orientation. `chosen` tells what
    the stages decided for this frame (demosaic method, white balance …) in words and numbers that JSON can hold;
    `seconds` the wall and CPU time of each pass; `left_out` which frames of a burst could not be read.
    """

    sdr: U8 | U16
    gain: U8 | None = None
    meta: GainMapMeta | None = None
    light: F32 | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
