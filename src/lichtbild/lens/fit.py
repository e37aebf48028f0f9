"""Short kernels that run over pictures, fitted to the optical transfer function of a lens.

A kernel of TAPS x TAPS pixels cannot hold the far skirts of diffraction (3 % of the light of an f/1.9 lens falls more
than six pixels of 1.6 µm away). So a spread is fitted by such a kernel and a share of skirt, in one least-squares
problem over the frequencies that pixels can hold. Both are linear in the transfer function: the fit is one matrix.
"""

from __future__ import annotations

import functools

import numpy as np

from ..types import F32, F64
from .plane import Plane
from .spec import Lens

TAPS = 11
_SAMPLES = 24  # of the frequency axis from 0 to 0.5 cycles/px
_DC = 1e3  # weight of frequency 0: all light arrives
_CORNER = 0.45  # cycles/px; beyond it, where hardly any light of a scene is left, the fit weighs a tenth


def _frequencies() -> tuple[F64, F64]:
    """Half of the plane of frequencies, cycles/px: the other half is its conjugate."""
    positive = (np.arange(_SAMPLES + 1)) / (2 * _SAMPLES)
    fx, fy = np.meshgrid(np.concatenate([-positive[:0:-1], positive]), positive)
    return fx.ravel(), fy.ravel()


@functools.cache
def _matrix() -> F64:
    """(TAPS² + 1, 2n): real and imaginary parts of a transfer function → kernel and share of the skirt."""
    fx, fy = _frequencies()
    i = np.arange(TAPS) - TAPS // 2
    phase = 2 * np.pi * (fx[:, None] * np.tile(i, TAPS) + fy[:, None] * np.repeat(i, TAPS))
    skirt = skirt_transfer(np.hypot(fx, fy))
    basis = np.vstack([np.column_stack([np.cos(phase), skirt]), np.column_stack([-np.sin(phase), np.zeros_like(fx)])])
    weight = np.where(np.maximum(np.abs(fx), fy) > _CORNER, 0.1, 1.0)
    weight[np.hypot(fx, fy) == 0] = _DC
    weight = np.tile(weight, 2)
    return np.asarray(np.linalg.pinv(basis * weight[:, None]) * weight)


def skirt_transfer(frequency: F64) -> F64:
    """Transfer function of the skirt, frequency in cycles/px."""
    return np.where(frequency == 0, 1.0, 0.0)


def kernels(lens: Lens, plane: Plane, places: tuple[int, int]) -> F32:
    """(3, rows, columns, TAPS² + 1): kernels for `places` evenly over the frame, each followed by its skirt's share."""
    fx, fy = (f / (plane.pitch_um * 1e-3) for f in _frequencies())
    out = np.empty((3, *places, TAPS * TAPS + 1), np.float32)
    for row, y in enumerate(np.linspace(0, plane.height - 1, places[0])):
        for column, x in enumerate(np.linspace(0, plane.width - 1, places[1])):
            dx, dy = (float(d) * plane.pitch_um * 1e-3 for d in plane.off_axis(x, y))
            for c in range(3):
                otf = lens.spread.otf(c, dx, dy, fx, fy)
                out[c, row, column] = _matrix() @ np.concatenate([otf.real, otf.imag])
    return out
