"""Pairs of pictures for `look fit`: what stood before the look, and what stood after it, as colours."""

from __future__ import annotations

import pathlib

import numpy as np

from ...types import F64, LichtbildError

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_WIDE = 48  # means of so many columns: an error of alignment of some pixels does not matter


def colours(names: list[pathlib.Path]) -> tuple[F64, F64]:
    """Encoded sRGB colours (n, 3) before and after, of files that alternate. Raises LichtbildError in one line."""
    before, after = [], []
    for one, two in zip(names[::2], names[1::2], strict=True):
        plain, wanted = _picture(one), _picture(two)
        ratio = [p.shape[1] / p.shape[0] for p in (plain, wanted)]
        if not 0.97 < ratio[0] / ratio[1] < 1.03:
            said = f"its sides are {ratio[1]:.2f}:1, those of {one} {ratio[0]:.2f}:1"
            raise LichtbildError(f"{two}: {said}: not one picture")
        small = [_means(p) for p in (plain, wanted)]
        clear = (small[0].max(1) < 0.98) & (small[1].max(1) < 0.98)
        before.append(small[0][clear])
        after.append(small[1][clear])
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
    from ... import photo, shot

    plain = {"tone.strength": 0.0, "grade.falloff": 0.0}
    return np.asarray(photo.develop(shot.open(path), look="neutral", set=plain).array, np.float64) / 255.0


def _means(picture: F64) -> F64:
    """Colours (n, 3) of a grid of blocks; the outermost ring is left out, where crops differ."""
    height, width, _ = picture.shape
    columns = min(_WIDE, width)
    rows = max(1, min(height, round(columns * height / width)))
    y, x = (np.linspace(0, n, m + 1).astype(int) for n, m in ((height, rows), (width, columns)))
    sums = np.add.reduceat(np.add.reduceat(picture, y[:-1], axis=0), x[:-1], axis=1)
    means = sums / (np.diff(y)[:, None] * np.diff(x))[..., None]
    inner = means[1:-1, 1:-1] if min(rows, columns) > 4 else means
    return np.asarray(inner.reshape(-1, 3), np.float64)
