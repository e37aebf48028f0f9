"""Colour differences as people see them: ΔE2000 for surfaces beside each other, ΔE ITP for displayed light."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .light import WHITE_D65, rgb_to_xyz, xyz
from .types import F64

_EPSILON, _KAPPA = 216 / 24389, 24389 / 27  # [CIE15]
_PQ = (2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32)  # m1 m2 c1 c2 c3, [BT2100]
_TO_LMS = np.array([[1688, 2146, 262], [683, 2951, 462], [99, 309, 3688]]) / 4096
_TO_ITP = np.array([[2048, 2048, 0], [6610, -13613, 7003], [17933, -17390, -543]]) / 4096


def lab(rgb: NDArray[Any], white: float = 1.0, space: str = "rec2020") -> F64:
    """CIE L*a*b* (3, …) of linear `rgb` (3, …), both under D65; neutral light of `white` has L* = 100."""
    relative = np.tensordot(rgb_to_xyz(space) / xyz(WHITE_D65)[:, None], np.asarray(rgb, np.float64), 1) / white
    f = np.where(relative > _EPSILON, np.cbrt(relative), (_KAPPA * relative + 16) / 116)
    return np.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def delta_e_2000(lab1: NDArray[Any], lab2: NDArray[Any]) -> F64:
    """ΔE2000 (…) of two arrays of L*a*b* (3, …); 1 is about what is just seen. Source: [Sharma2005]."""
    (l1, a1, b1), (l2, a2, b2) = np.asarray(lab1, np.float64), np.asarray(lab2, np.float64)
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean**7 / (mean**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = np.where(grey, h1 + h2, (h1 + h2) / 2 + np.where(np.abs(h1 - h2) > 180, 180, 0)) % 360
    t = 1 + sum(w * np.cos(np.radians(n * hm + p)) for w, n, p in _HUES)
    sl = 1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    twist = 2 * np.sqrt(cm**7 / (cm**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((hm - 275) / 25) ** 2))))
    light, chroma, hue = dl / sl, dc / sc, dh / sh
    return np.asarray(np.sqrt(np.maximum(light**2 + chroma**2 + hue**2 - twist * chroma * hue, 0)))


_HUES = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))  # weight, multiple, phase in degrees


def pq(luminance: NDArray[Any]) -> F64:
    """cd/m² → PQ signal 0..1; negative light counts as none. Source: [BT2100] table 4."""
    m1, m2, c1, c2, c3 = _PQ
    y = np.maximum(np.asarray(luminance, np.float64) / 10000, 0) ** m1
    return np.asarray(((c1 + c2 * y) / (1 + c3 * y)) ** m2)


def itp(rgb: NDArray[Any]) -> F64:
    """I, T, P (3, …) of displayed Rec.2020 light (3, …) in cd/m². Source: [BT2124]."""
    ictcp = np.tensordot(_TO_ITP, pq(np.tensordot(_TO_LMS, np.asarray(rgb, np.float64), 1)), 1)
    ictcp[1] *= 0.5
    return np.asarray(ictcp)


def delta_e_itp(rgb1: NDArray[Any], rgb2: NDArray[Any]) -> F64:
    """ΔE ITP (…) of two pictures (3, …) of displayed Rec.2020 light in cd/m²; 1 is just seen. Source: [BT2124]."""
    return np.asarray(720 * np.sqrt(np.square(itp(rgb1) - itp(rgb2)).sum(0)))
