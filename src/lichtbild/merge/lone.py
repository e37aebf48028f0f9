"""Lone: pixels of a bracket that few frames have seen borrow from what is like them around.

Around a lamp the longer frames are clipped, and where something moves they show something else: the shortest stands
alone there, with fifty times the noise power of its surroundings. Denoise, which asks how much there is of a frequency,
takes a lamp's for the dark's beside it, and left rings of black specks. So first each such pixel is averaged with those
within three pixels that differ from it by no more than noise does; precise ones count more.
Source: [Tomasi1998] for the mean over what is near and alike.
"""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..types import F32, U16

_CELL = 8  # pixels of the map of noise
_LONE = 3.0  # of the usual noise power: from here on a pixel is averaged, as in kernels/lone.py
_STRIP = 4  # rows of cells that are looked at in one go
# Of the noise power that is told to denoise afterwards, as in kernels/lone.py: of what is like nothing all is left.
_LEFT = 0.08


def calm(code: U16, share: F32, sigma: tuple[float, float, float]) -> F32:
    """Codes (3, H, W), in place; returns the map of noise that is left.

    `share` (h, w): noise power of cells of 8x8 pixels, in units of the usual one, of which `sigma` are the roots in
    codes for R, G, B.
    """
    rows = np.flatnonzero(share.max(1) > _LONE) // _STRIP
    if not len(rows):
        return share
    before = code.copy()
    power = np.array([1 / (3 * max(s, 1.0) ** 2) for s in sigma], np.float32)
    held = np.maximum(share, np.float32(1e-3))
    for top in np.unique(rows) * (_STRIP * _CELL):
        part = code[:, top : top + _STRIP * _CELL]
        kernels.call("merge_lone", codes=before, share=held, power=power, top=int(top), output=part)
    return np.where(share > _LONE, np.maximum(share * np.float32(_LEFT), np.float32(1)), share)
