"""Finish — one pass over the pixels, from square-root codes to the finished picture.

in    code (3, H, W) uint16       square-root codes of white-balanced camera light
out   (H, W, 3) uint8 | uint16    upright display codes; or linear Rec.2020 float32; or the gain map of Ultra HDR
It fuses the stages highlights, colour, exposure, tone, look and output, and agrees with them run one by one. Where the
file has no hue/saturation tables, colour matrix, exposure and the look's inset become one matrix.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import kernels
from ..light import REC2020_LUMA
from ..look import LookTables
from ..types import F32, F64, U8, U16, Encoding
from . import orient
from .colour import ColourTable
from .highlights import HighlightTable
from .output import TYPES
from .tone import ToneMap

if TYPE_CHECKING:
    from ..export import GainMapMeta

LEAST_GAIN_EV = -1.0  # an HDR colour may be deeper than its SDR rendition in the channel that white needs
MAP_STEP = 2  # picture pixels per pixel of the gain map
OFFSET = 1 / 64  # light added to both renditions under the logarithm of the gain
_UNTOUCHED = HighlightTable((1e4, 1e4, 1e4), (0.5, 0.5, 0.5), 1.0, 0.86)  # light never clips that high


@dataclass(frozen=True, eq=False)  # compared by identity: arrays have no single truth
class Negative:
    """A developed frame before its print: codes, and what each stage has prepared for it.

    `bias` (3,): camera light that denoising has shifted the codes up by; it is taken off. `crop`: top, left, height
    and width of the picture within the frame, None = all of it. `orientation`: EXIF's, obeyed by finished pictures.
    """

    code: U16
    encoding: Encoding
    highlight: HighlightTable
    colour: ColourTable
    ev: float = 0.0
    tone: ToneMap | None = None
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    crop: tuple[int, int, int, int] | None = None
    orientation: int = 1

    @property
    def window(self) -> tuple[int, int, int, int]:
        """Top, left, height and width of the picture."""
        return self.crop or (0, 0, self.code.shape[1], self.code.shape[2])


def run(negative: Negative, look: LookTables, bits: int = 8, dither: float = 1.0) -> U8 | U16:
    """The picture (height, width, 3), upright, with 8 or 16 bits per channel."""
    height, width = negative.window[2:]
    arguments = _shared(negative, look.inset) | {"curve": look.curve, "moves": look.moves, "dither": dither}
    out: U8 | U16 = np.empty((height, width, 3), TYPES[bits])
    out = _upright(f"finish_u{bits}", out, negative.orientation, arguments)
    return out


def scene(negative: Negative) -> F32:
    """Linear Rec.2020 (3, height, width) float32, 1.0 = diffuse white, local tone included."""
    height, width = negative.window[2:]
    out = np.empty((3, height, width), np.float32)
    kernels.call("scene_f32", **_shared(negative, np.eye(3, dtype=np.float32)), output=out)
    return out


def gain_map(negative: Negative, sdr: LookTables, hdr: LookTables) -> tuple[U8, GainMapMeta]:
    """The map (ceil(height/2), ceil(width/2), 3), upright, that leads from rendition `sdr` to `hdr`, and its meaning.

    Both are tables of one look and one space; `hdr` was compiled with headroom.
    """
    from ..export.rendition import GainMapMeta  # late: it brings the encoders of all formats along

    height, width = negative.window[2:]
    out = np.empty((-(-height // MAP_STEP), -(-width // MAP_STEP), 3), np.uint8)
    low, high = LEAST_GAIN_EV, float(hdr.headroom_ev)
    arguments = _shared(negative, sdr.inset) | {
        "curve": sdr.curve, "moves": sdr.moves, "hdr_curve": hdr.curve, "hdr_moves": hdr.moves,
        "gain_min": low, "gain_max": high,
    }  # fmt: skip
    out = _upright("gainmap", out, negative.orientation, arguments)
    return out, GainMapMeta((low,) * 3, (high,) * 3, headroom=high)


def _upright(kernel: str, out: Any, orientation: int, arguments: dict[str, Any]) -> Any:
    """Run a pass into `out` and return it upright."""
    columns, rows, swap = orient.ways(orientation)
    kernels.call(kernel, **arguments, mirror=columns, output=out[::-1] if rows else out)
    return orient.swap(out) if swap else out


def _shared(negative: Negative, inset: F32) -> dict[str, Any]:
    """The arguments that all three passes have in common."""
    n = negative
    rows: F64 = np.vstack([inset.astype(np.float64), REC2020_LUMA]) * 2.0**n.ev
    if n.colour.passes:
        n = profiled(n)
    else:
        rows = rows @ n.colour.matrix.astype(np.float64)
    nothing = np.zeros((1, 1), np.float32)
    tone = n.tone or ToneMap(nothing, nothing, 1.0, 0.0, 0.0)
    top, left, _, _ = n.window
    return {
        "code": n.code, "scale": n.encoding.scale, "offset": np.add(n.encoding.offset, n.bias).astype(np.float32),
        "highlight": n.highlight.array, "render": rows.astype(np.float32),
        "a": tone.a, "b": tone.b, **tone.scalars, "left": left, "top": top,
    }  # fmt: skip


@functools.lru_cache(maxsize=1)
def profiled(negative: Negative) -> Negative:
    """The frame behind highlights, colour matrix and the file's hue/saturation tables, as codes of Rec.2020.

    The last result is kept: picture and gain map of one frame need the same.
    """
    n = negative
    for matrix, table, srgb in n.colour.passes:
        out = np.empty(n.code.shape, np.uint16)
        # A matrix can raise light about threefold and make it a little negative.
        encoding = Encoding(n.encoding.scale / 2 if n is negative else n.encoding.scale, (0.05,) * 3, n.encoding.sigma)
        kernels.call(
            "profile", code=n.code, scale=n.encoding.scale, offset=np.add(n.encoding.offset, n.bias).astype(np.float32),
            highlight=n.highlight.array, matrix=matrix, table=table, srgb=srgb, new_scale=encoding.scale,
            new_offset=encoding.offset[0], output=out,
        )  # fmt: skip
        n = replace(n, code=out, encoding=encoding, highlight=_UNTOUCHED, bias=(0.0, 0.0, 0.0))
    return n
