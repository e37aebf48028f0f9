"""Pairs of pictures for `look fit`: what stood before the look, and what stood after it, as colours."""

from __future__ import annotations

import pathlib
from collections import defaultdict

import numpy as np

from ... import shot
from ...look import register
from ...types import F64, LichtbildError

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


def of_folder(folder: pathlib.Path) -> list[pathlib.Path]:
    """The files of a folder that stand in pairs of one name, raw file and picture, as before, after, before, …

    Raises LichtbildError where there is no such pair.
    """
    named: dict[str, list[pathlib.Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        named[path.stem].append(path)
    found = []
    for paths in named.values():
        raws = [p for p in paths if p.suffix.lower() in shot.RAW]
        pictures = [p for p in paths if p.suffix.lower() in _PICTURES]
        if len(raws) == 1 and len(pictures) == 1:
            found += [*raws, *pictures]
    if not found:
        raise LichtbildError(f"{folder}: no raw file beside a picture of the same name, as a.dng and a.jpg")
    return found


def colours(names: list[pathlib.Path]) -> tuple[F64, F64]:
    """Encoded sRGB colours (n, 3) before and after, of files that alternate. Raises LichtbildError in one line."""
    before, after = [], []
    for one, two in zip(names[::2], names[1::2], strict=True):
        plain, wanted = _picture(one), _picture(two)
        try:
            found, meant = register.colours(plain, wanted)
        except LichtbildError as error:
            raise LichtbildError(f"{two} beside {one}: {error}") from None
        before.append(found)
        after.append(meant)
    return np.concatenate(before), np.concatenate(after)


def _picture(path: pathlib.Path) -> F64:
    """(H, W, 3) in 0..1; a raw file is developed in the look neutral, without local tone and falloff."""
    if path.suffix.lower() in _PICTURES:
        from PIL import Image, ImageOps, UnidentifiedImageError

        try:
            with Image.open(path) as picture:
                return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"), np.float64) / 255.0
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise LichtbildError(f"{path}: cannot be read as a picture: {error}") from None
    from ... import photo

    plain = {"tone.strength": 0.0, "grade.falloff": 0.0}
    return np.asarray(photo.develop(shot.open(path), look="neutral", set=plain).array, np.float64) / 255.0
