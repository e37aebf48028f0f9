"""Other makers' raw files, through LibRaw: mosaic, levels, colour matrix and the camera's white balance.

What the file says in EXIF and XMP we read ourselves, in `words`.
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from ..types import Calibration, CameraColour, Exposure, Frame, RawError
from . import levels, words
from .tiff import Buffer

_D65 = 21
# LibRaw's `flip` → EXIF orientation.
_FLIP = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}


def read(path: pathlib.Path, data: Buffer) -> Frame:
    """Read any raw file that LibRaw knows; `data` is its bytes.

    Raises RawError where it does not know it, or where the mosaic is not ours yet.
    """
    import rawpy

    try:
        with rawpy.imread(str(path)) as raw:
            frame = _frame(path, raw)
    except rawpy.LibRawError as e:
        said = e.args[0].decode(errors="replace") if e.args and isinstance(e.args[0], bytes) else str(e)
        raise RawError(f"is no raw file that LibRaw can read ({said}); convert it to DNG") from None
    _say(frame, words.read(data, frame.guesses))
    return frame


def _say(frame: Frame, said: words.Words) -> None:
    """Put the words of the file into the frame; LibRaw's exposure stays where the file's own is not found."""
    frame.make, frame.model, frame.exif, frame.xmp = said.make, said.model, said.exif, said.xmp
    if said.exposure != Exposure():
        frame.exposure = said.exposure


def _frame(path: pathlib.Path, raw: object) -> Frame:
    import rawpy

    assert isinstance(raw, rawpy.RawPy)
    guesses: list[str] = []
    if raw.raw_type != rawpy.RawType.Flat or raw.raw_pattern is None:
        raise RawError("holds finished colours or an unknown mosaic, which cannot be read through LibRaw yet")
    letters = raw.color_desc.decode("ascii", "replace")
    try:
        codes = np.vectorize(lambda i: "RGB".index(letters[i]))(raw.raw_pattern)
    except (ValueError, IndexError):
        raise RawError(f"has a mosaic of the colours {letters}, which lichtbild cannot develop yet") from None
    cfa = levels.named(codes)
    # The mosaic belongs to LibRaw and goes when the file is closed.
    mosaic = np.array(raw.raw_image_visible, np.uint16)
    per_colour = np.asarray(raw.black_level_per_channel, np.float32)
    black = (
        per_colour[raw.raw_pattern % len(per_colour)][:, :, None] if cfa != "MONO" else per_colour[:1].reshape(1, 1, 1)
    )
    white = float(raw.white_level or mosaic.max())
    if white <= black.max():
        raise RawError(f"its white level {white:g} is not above its black level {black.max():g}; the file is damaged")
    frame = Frame(path, cfa, mosaic, None, black.astype(np.float32), (white,), guesses=guesses)
    frame.orientation = _FLIP.get(raw.sizes.flip, 1)
    frame.colour = _colour(raw, guesses)
    _other(frame, raw)
    guesses.append("read through LibRaw: lens corrections of the file are not used")
    frame.facts = {"format": f"{path.suffix[1:].upper()} through LibRaw", "bits": int(white).bit_length()}
    return frame


def _other(frame: Frame, raw: object) -> None:
    """Exposure, where this version of rawpy tells it."""
    other = getattr(raw, "other", None)
    if other is not None:
        known = [float(v) if v and v > 0 else None for v in
                 (getattr(other, n, 0) for n in ("iso_speed", "shutter", "aperture", "focal_len"))]  # fmt: skip
        frame.exposure = Exposure(known[0], known[1], known[2], known[3])


def _colour(raw: Any, guesses: list[str]) -> CameraColour:
    matrix = np.asarray(raw.rgb_xyz_matrix, np.float64)[:3]
    calibrations: tuple[Calibration, ...] = ()
    if np.isfinite(matrix).all() and abs(np.linalg.det(matrix)) > 1e-9:
        calibrations = (Calibration(_D65, matrix),)
    else:
        guesses.append("LibRaw knows no colour matrix of this camera: a generic sensor is assumed")
    gains = np.asarray(raw.camera_whitebalance, np.float64)[:3]
    if np.isfinite(gains).all() and (gains > 0).all() and gains.min() < gains.max():
        neutral = gains[1] / gains
        return CameraColour(calibrations, as_shot_neutral=(float(neutral[0]), 1.0, float(neutral[2])))
    guesses.append("the file does not say what was white")
    return CameraColour(calibrations)
