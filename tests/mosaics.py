"""What tests of the front stages share: small frames, mosaics and gain maps."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from lichtbild.types import Frame, GainMap, replace

SIZES = [(1, 1), (7, 5), (479, 641)]


def frame(mosaic: np.ndarray[Any, Any], **changes: Any) -> Frame:
    """A frame of 10 bits with black at 64."""
    plain = Frame(
        path=pathlib.Path("x.dng"),
        cfa="RGGB",
        mosaic=mosaic,
        rgb=None,
        black=np.full((1, 1, 1), 64, np.float32),
        white=(1023.0,),
    )
    return replace(plain, **changes)


def mosaic(rgb: np.ndarray[Any, Any], cfa: str = "RGGB") -> np.ndarray[Any, Any]:
    """(3, H, W) → (H, W)."""
    out = np.empty(rgb.shape[1:], rgb.dtype)
    for k, letter in enumerate(cfa):
        out[k // 2 :: 2, k % 2 :: 2] = rgb["RGB".index(letter), k // 2 :: 2, k % 2 :: 2]
    return out


def gain_map(rng: np.random.Generator, region: tuple[int, int, int, int], pitch: int, planes: int = 1) -> GainMap:
    """A map of 4 x 5 samples that do not reach the borders."""
    top, left, bottom, right = region
    gains = rng.uniform(1, 3, (4, 5, planes)).astype(np.float32)
    return GainMap(top, left, bottom, right, 0, planes, pitch, pitch, (0.27, 0.21), (0.05, 0.1), gains)
