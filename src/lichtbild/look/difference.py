"""How far apart two colours look: CIEDE2000 on what an sRGB or P3 display shows. Source: [Sharma2005]."""

from __future__ import annotations

import numpy as np

from .. import light
from ..types import F64
from .curve import eotf


def lab(encoded: F64, space: str = "srgb") -> F64:
    """CIELAB (..., 3) under D65 of encoded display values."""
    xyz = eotf(encoded) @ light.rgb_to_xyz(space).T / light.xyz(light.WHITES[space])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(np.maximum(xyz, 1e-9)), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def delta_e(one: F64, two: F64) -> F64:
    """CIEDE2000 (...,) between CIELAB colours (..., 3)."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(two, -1, 0)
    mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    more = 1.5 - 0.5 * np.sqrt(mean7 / (mean7 + 25.0**7))
    c1, c2 = np.hypot(more * a1, b1), np.hypot(more * a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, more * a1)) % 360, np.degrees(np.arctan2(b2, more * a2)) % 360
    colourless = c1 * c2 == 0
    turn = np.where(colourless, 0.0, (h2 - h1 + 180) % 360 - 180)
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    level, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = np.where(colourless, h1 + h2, h1 + turn / 2) % 360
    t = (
        1 - 0.17 * np.cos(np.radians(hue - 30)) + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6)) - 0.20 * np.cos(np.radians(4 * hue - 63))
    )  # fmt: skip
    sl = 1 + 0.015 * (level - 50) ** 2 / np.sqrt(20 + (level - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    around = np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))
    rt = -np.sin(around) * 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    squares = (dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * (dc / sc) * (dh / sh)
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), np.float64)
