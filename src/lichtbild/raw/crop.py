"""The part of a DNG that is the picture: the default crop, and what the camera's user chose of it. [DNG1.7.1]"""

from __future__ import annotations

import numpy as np

from ..types import Frame
from . import tags
from .tiff import Ifd


def default(frame: Frame, raw: Ifd) -> None:
    """DefaultCropOrigin and -Size, held to the frame."""
    trimmed = frame.crop
    origin, size = raw.numbers(tags.CROP_ORIGIN), raw.numbers(tags.CROP_SIZE)
    if origin is None or size is None or len(origin) != 2 or len(size) != 2:
        return
    height, width = frame.shape
    sound = np.isfinite([*origin, *size]).all() and (origin >= 0).all() and (size >= 1).all()
    left, top, wide, high = (round(float(v)) for v in (*origin, *size)) if sound else (0, 0, 0, 0)
    if trimmed is not None:
        top, left = top + trimmed[0], left + trimmed[1]
    if not sound or top >= height or left >= width:
        frame.guesses.append("the default crop does not fit the image: the whole image is taken")
        return
    if top + high > height or left + wide > width:
        frame.guesses.append("the default crop is larger than the image: it is cut to the image")
    frame.crop = (top, left, min(high, height - top), min(wide, width - left))


def user(frame: Frame, raw: Ifd) -> None:
    """DefaultUserCrop: the part of the default crop, 0..1 from its top left, that the camera's user has chosen."""
    part = raw.numbers(tags.USER_CROP)
    if part is None:
        return
    if len(part) != 4 or not (0 <= part[0] < part[2] <= 1 and 0 <= part[1] < part[3] <= 1):
        frame.guesses.append("DefaultUserCrop is no part of the image: left out")
        return
    top, left, high, wide = frame.crop or (0, 0, *frame.shape)
    y0, x0, y1, x1 = (round(float(v) * n) for v, n in zip(part, (high, wide, high, wide), strict=True))
    if y0 < y1 and x0 < x1:
        frame.crop = (top + y0, left + x0, y1 - y0, x1 - x0)
