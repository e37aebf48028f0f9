"""Short kernels that run over pictures, fitted to the optical transfer function of a lens.

A kernel of TAPS x TAPS pixels cannot hold the far skirts of diffraction (2 % of the light of an f/1.9 lens falls more
than five pixels of 1.6 µm away). So a spread is fitted by such a kernel and a share of a skirt, in one least-squares
problem over the frequencies that pixels can hold. Both are linear in the transfer function: the fit is one matrix.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from ..types import F32, F64
from . import stray
from .plane import Plane
from .spec import Lens

TAPS = 11  # the same as in kernels/lens.py
_SAMPLES = 16  # of the frequency axis from 0 to 0.5 cycles/px
_FINE = (0.0, 0.004, 0.008, 0.016, 0.032, 0.048, 0.064, 0.08)  # where skirts count
_DC = 10.0  # weight of frequency 0; afterwards kernels are scaled so that all light arrives
_CORNER, _CORNER_WEIGHT = (
    0.45,
    0.2,
)  # cycles/px; beyond it a transfer function has a crease that short kernels cannot follow
_MEAN_UM = 0.535
_GRAIN = 2.0**-20  # weights are rounded to this, so that another machine's linear algebra makes the same


def mixture(lens: Lens, plane: Plane) -> F64:
    """What skirts consist of: diffraction beyond the kernel's radius (its share there is 2/π² · λN/r), and halos."""
    far = 2 / math.pi**2 * _MEAN_UM * lens.f_number / (TAPS / 2 * plane.pitch_um)
    return stray.mixture(far, lens.glare.halo)


def frequencies() -> tuple[F64, F64]:
    """Half of the plane of frequencies, cycles/px: the other half is its conjugate."""
    positive = np.concatenate([_FINE, np.arange(3, _SAMPLES + 1) / (2 * _SAMPLES)])
    fx, fy = np.meshgrid(np.concatenate([-positive[:0:-1], positive]), positive)
    return fx.ravel(), fy.ravel()


def waves(fx: F64, fy: F64) -> F64:
    """(n, TAPS²): phase of each tap at each frequency."""
    i = np.arange(TAPS) - TAPS // 2
    return np.asarray(2 * np.pi * (np.multiply.outer(fx, np.tile(i, TAPS)) + np.multiply.outer(fy, np.repeat(i, TAPS))))


@functools.cache
def _matrix(weights: tuple[float, ...]) -> F64:
    """(TAPS² + 1, 2n): real and imaginary parts of a transfer function → kernel and share of the skirt."""
    fx, fy = frequencies()
    phase, skirt = waves(fx, fy), stray.transfer(fx, fy, np.array(weights))
    basis = np.vstack([np.column_stack([np.cos(phase), skirt]), np.column_stack([-np.sin(phase), 0 * fx])])
    weight = np.where(np.maximum(np.abs(fx), fy) > _CORNER, _CORNER_WEIGHT, 1.0)
    weight[np.hypot(fx, fy) == 0] = _DC
    weighted = basis.T * np.square(np.tile(weight, 2))
    return np.asarray(np.linalg.solve(weighted @ basis, weighted))


def kernels(lens: Lens, plane: Plane, places: tuple[int, int]) -> F32:
    """(3, rows, columns, TAPS² + 1): kernels for `places` evenly over the frame, each followed by its skirt's share.

    What the veil takes is missing in both.
    """
    fx, fy = (f / (plane.pitch_um * 1e-3) for f in frequencies())
    matrix = _matrix(tuple(mixture(lens, plane).tolist()))
    otf = np.empty((3, *places, 2 * len(fx)))
    for row, y in enumerate(np.linspace(0, plane.height - 1, places[0])):
        for column, x in enumerate(np.linspace(0, plane.width - 1, places[1])):
            dx, dy = (float(d) * plane.pitch_um * 1e-3 for d in plane.off_axis(x, y))
            for c in range(3):
                found = lens.spread.otf(c, dx, dy, fx, fy)
                otf[c, row, column] = np.concatenate([found.real, found.imag])
    out = (otf.reshape(-1, matrix.shape[1]) @ matrix.T).reshape(3, *places, -1)
    out *= (1 - lens.glare.halo) / out.sum(-1, keepdims=True)
    out[..., -1] += lens.glare.halo
    return np.asarray(np.round((1 - lens.glare.veil) * out / _GRAIN) * _GRAIN, np.float32)
