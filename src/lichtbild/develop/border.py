"""Border — paper around the finished picture, and a line on it that says how it was taken.

in    sdr (H, W, 3) uint8 | uint16, and the gain map of its HDR rendition where there is one
out   both, larger by the paper; on the paper the gain is 1, so it is white and no lamp
All lengths are parts of the picture's size, the root of its area, so that a border looks the same on every export.
What the file does not say is left out. The font is the one that Pillow brings along; it has the letters of English,
so accents are taken off, and letters that it lacks are left out; `font` names one that has more.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..stage import Stage, param, stage
from ..types import F32, U8, Exposure, Frame, LichtbildError

if TYPE_CHECKING:
    from ..export import GainMapMeta

_LETTERS = 0.017  # height of the letters, in sizes of the picture
_SECOND = 0.8  # height of the letters of a second line, in those of the first
_LEADING, _MARGIN = 0.65, 1.1  # between lines; above and below them: heights of letters
_INK = {"white": (0.13, 0.45), "black": (0.85, 0.55)}  # encoded value of the first line and of the second
_CAPITALS = 0.72  # height of capitals in sizes of a font
_LONG_S = 0.3  # times from here on are written as decimals, shorter ones as fractions


@stage("border", "paper around the picture, and how it was taken")
class Border(Stage):
    """Parameters of the border."""

    paper: str = param("none", doc="colour of the paper; none = no border", choices=("none", "white", "black"))
    width: float = param(3.0, 0.0, 25.0, "%", "how wide it is, in parts of the picture's size")
    caption: bool = param(True, doc="camera, lens, exposure and date below the picture, as far as the file says them")
    title: str = param("", doc="text in place of the camera's name")
    font: str = param("", doc="file of a TrueType or OpenType font; none = the one that Pillow brings")


def apply(
    sdr: Any, gain: U8 | None, meta: GainMapMeta | None, frame: Frame, values: Mapping[str, Any]
) -> tuple[Any, U8 | None]:
    """Picture and gain map (whose codes `meta` explains) with their border.

    Raises LichtbildError for a font that cannot be read.
    """
    if values["paper"] == "none":
        return sdr, gain
    height, width = sdr.shape[:2]
    size = math.sqrt(height * width)
    # Even numbers: a pixel of the gain map stands for two of the picture.
    side = 2 * round(size * values["width"] / 200)
    foot = caption(frame, values) if values["caption"] else ([], [])
    text_px = max(round(size * _LETTERS), 4)
    below = side if not any(foot) else max(side, 2 * round(_height(2, text_px) / 2))
    top = np.iinfo(sdr.dtype).max
    bare = 1.0 if values["paper"] == "white" else 0.0
    paper = np.full((side + height + below, width + 2 * side, 3), bare * top, sdr.dtype)
    paper[side : side + height, side : side + width] = sdr
    if any(foot):
        margin = max(side, text_px)
        strip = write(foot, (below, paper.shape[1]), margin, text_px, values)
        paper[side + height :] = np.rint(strip * top).astype(sdr.dtype)[..., None]
    if gain is None or meta is None:
        return paper, None
    low, high = meta.gain_min[0], meta.gain_max[0]
    no_gain = round(255 * (-low / (high - low)) ** meta.gamma[0])
    rows, columns = gain.shape[:2]
    around = np.full((rows + (side + below) // 2, columns + side, 3), no_gain, np.uint8)
    around[side // 2 : side // 2 + rows, side // 2 : side // 2 + columns] = gain
    return paper, around


def caption(frame: Frame, values: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Lines on the left (camera, lens) and on the right (exposure, date), each only where it is known."""
    left = [values["title"] or camera(frame.make, frame.model), frame.exposure.lens or ""]
    taken = frame.exposure.taken or ""
    right = [settings(frame.exposure), taken[:16].replace("T", " ")]
    left = [" ".join("".join(c if c.isprintable() else " " for c in line).split()) for line in left]
    if not values["font"]:
        left = [_plain(line) for line in left]
    return [line for line in left if line], [line for line in right if line]


def camera(make: str, model: str) -> str:
    """Maker and model in one; many models repeat their maker."""
    make, model = " ".join(make.split()), " ".join(model.split())
    repeated = make and model.lower().startswith(make.lower().split()[0])
    return model if repeated else f"{make} {model}".strip()


def settings(exposure: Exposure) -> str:
    """Focal length (on 35 mm film where the file says it), aperture, time and ISO."""
    words = []
    if focal := exposure.focal_35mm or exposure.focal_mm:
        words.append(f"{_number(focal)} mm")
    if exposure.aperture:
        words.append(f"f/{_number(exposure.aperture)}")
    if time := exposure.time_s:
        words.append(f"{_number(time)} s" if time >= _LONG_S else f"1/{1 / time:.0f} s")
    if exposure.iso:
        words.append(f"ISO {exposure.iso:.0f}")
    return "   ".join(words)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _plain(text: str) -> str:
    """`text` in the letters that the font of Pillow has."""
    return " ".join(unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().split())


def _height(lines: int, text_px: int) -> float:
    return text_px * (2 * _MARGIN + 1 + (lines - 1) * (_LEADING + _SECOND))


def write(
    foot: tuple[list[str], list[str]], shape: tuple[int, int], margin: int, text_px: int, values: Mapping[str, Any]
) -> F32:
    """The strip of paper (rows, columns) below the picture with its text, encoded values in 0..1."""
    from PIL import Image, ImageDraw

    rows, columns = shape
    ink, bare = _INK[values["paper"]], 1.0 if values["paper"] == "white" else 0.0
    # Letters become smaller where two columns would meet in a narrow picture.
    wide = max(sum(_font(values["font"], 100).getlength(line) for line in pair) for pair in _pairs(foot))
    text_px = min(text_px, max(math.floor(100 * max(columns - 3 * margin, 1) / max(wide, 1)), 1))
    strip = np.full(shape, bare, np.float32)
    for lines, right in zip(foot, (False, True), strict=True):
        at = (rows - _height(len(lines), text_px)) / 2 + _MARGIN * text_px
        for n, line in enumerate(lines):
            high = text_px * (_SECOND if n else 1.0)
            mask = Image.new("L", (columns, rows), 0)
            place = (columns - margin if right else margin, at + high)
            font = _font(values["font"], high / _CAPITALS)
            ImageDraw.Draw(mask).text(place, line, 255, font, anchor="rs" if right else "ls")
            strip += np.asarray(mask, np.float32) / 255 * (ink[n] - bare)
            at += high + _LEADING * text_px
    return strip


def _pairs(foot: tuple[list[str], list[str]]) -> list[list[str]]:
    """What stands beside each other."""
    return [[lines[n] for lines in foot if n < len(lines)] for n in range(max(map(len, foot)))]


def _font(file: str, size: float) -> Any:
    from PIL import ImageFont

    try:
        return ImageFont.truetype(file, size) if file else ImageFont.load_default(size)
    except (OSError, ImportError) as error:
        raise LichtbildError(f"border.font: {file or 'Pillow'}: cannot be used as a font ({error})") from None
