"""How near a picture is to the truth: CPSNR, SSIM, MS-SSIM.

Pictures are (3, H, W) or (H, W), any float or integer type; `peak` is what white is in them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..light import oetf
from ..types import F64

Picture = NDArray[Any]
Mask = NDArray[np.bool_]

_WINDOW = 11  # pixels of SSIM's Gaussian window
_SIGMA = 1.5
_K = (0.01, 0.03)
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # [Wang2003] table 1


def srgb(light: Picture) -> F64:
    """Linear light 0..1 → sRGB code 0..1, held to that range. Source: [IEC61966-2-1]."""
    return np.asarray(oetf(np.clip(np.asarray(light, np.float64), 0, 1)), np.float64)


def cpsnr(
    found: Picture, truth: Picture, *, gamma: bool = False, peak: float = 1.0, border: int = 0,
    where: Mask | None = None,
) -> float:  # fmt: skip
    """Composite peak signal-to-noise ratio in dB: one mean squared error over all channels; inf where nothing differs.

    Both are held to 0..peak, for no display shows more. `gamma`: both are sRGB-encoded first. `border` pixels on
    each side are left out; `where` (H, W) says which of all pixels count. Raises ValueError on sizes that do not fit.
    """
    a, b = _pair(found, truth)
    if gamma:
        a, b = srgb(a / peak), srgb(b / peak)
    else:
        a, b = np.clip(a / peak, 0, 1), np.clip(b / peak, 0, 1)
    keep = np.zeros(a.shape[-2:], bool)
    keep[border : a.shape[-2] - border, border : a.shape[-1] - border] = True
    if where is not None:
        keep &= where
    if not keep.any():
        raise ValueError("cpsnr: no pixels are left; expected a smaller border or another mask")
    error = float(np.mean(np.square(a - b)[..., keep]))
    return -10 * math.log10(error) if error else math.inf


def ssim(found: Picture, truth: Picture, *, peak: float = 1.0) -> float:
    """Structural similarity, mean over channels and places where the window fits. Source: [Wang2004]."""
    luminance, structure = _similarity(*_pair(found, truth), peak)
    return float(np.mean(luminance * structure))


def ms_ssim(found: Picture, truth: Picture, *, peak: float = 1.0) -> float:
    """Structural similarity over five scales, mean over channels. Needs 176 pixels in height and width.

    Source: [Wang2003]. A negative mean of a scale (a picture unlike the truth) counts as 0.
    """
    a, b = _pair(found, truth)
    if min(a.shape[-2:]) < (_WINDOW << len(_SCALES) - 1):
        raise ValueError(f"ms_ssim: expected at least {_WINDOW << len(_SCALES) - 1} pixels, got {a.shape[-2:]}")
    out = np.ones(a.shape[0])
    for scale, weight in enumerate(_SCALES):
        luminance, structure = _similarity(a, b, peak)
        last = scale == len(_SCALES) - 1
        share = np.mean(luminance * structure if last else structure, axis=(1, 2))
        out *= np.maximum(share, 0) ** weight
        a, b = _halved(a), _halved(b)
    return float(np.mean(out))


def _pair(found: Picture, truth: Picture) -> tuple[F64, F64]:
    if found.shape != truth.shape or found.ndim not in (2, 3):
        raise ValueError(f"expected two pictures (3, H, W) or (H, W) of one size, got {found.shape} and {truth.shape}")
    a, b = np.asarray(found, np.float64), np.asarray(truth, np.float64)
    return (a[None], b[None]) if a.ndim == 2 else (a, b)


def _similarity(a: F64, b: F64, peak: float) -> tuple[F64, F64]:
    """Maps of the luminance term and of the contrast-and-structure term."""
    c1, c2 = ((k * peak) ** 2 for k in _K)
    ma, mb = _window(a), _window(b)
    va, vb, cov = _window(a * a) - ma * ma, _window(b * b) - mb * mb, _window(a * b) - ma * mb
    return (2 * ma * mb + c1) / (ma * ma + mb * mb + c1), (2 * cov + c2) / (va + vb + c2)


def _window(x: F64) -> F64:
    """Gaussian mean where the window fits. Raises ValueError on pictures smaller than the window."""
    if min(x.shape[-2:]) < _WINDOW:
        raise ValueError(f"ssim: expected at least {_WINDOW}x{_WINDOW} pixels, got {x.shape[-2:]}")
    t = np.arange(_WINDOW) - _WINDOW // 2
    g = np.exp(-(t**2) / (2 * _SIGMA**2))
    g /= g.sum()
    for axis in (-2, -1):
        n = x.shape[axis] - _WINDOW + 1
        x = sum((w * np.take(x, range(k, k + n), axis) for k, w in enumerate(g)), np.zeros(()))
    return x


def _halved(x: F64) -> F64:
    """Means of 2x2 pixels; an odd last row or column is left out."""
    h, w = x.shape[-2] // 2 * 2, x.shape[-1] // 2 * 2
    return np.asarray(x[..., :h, :w].reshape(*x.shape[:-2], h // 2, 2, w // 2, 2).mean((-3, -1)))
