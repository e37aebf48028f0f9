"""Short kernels that run over pictures, fitted to the optical transfer function of a lens.

A kernel of 11 x 11 pixels cannot hold the far skirts of diffraction (2 % of the light of an f/1.9 lens falls more
than five pixels of 1.6 µm away). So a spread is fitted by such a kernel and a share of a skirt, in one least-squares
problem over the frequencies that pixels can hold. Light is nowhere negative, and neither is a kernel: beside a lamp a
thousand times brighter than its surroundings, 1 % of ringing would be a black ring. That costs accuracy where pixels
are coarse: near the axes 0.002 up to 0.45 cycles/px for the main lens of the house at 1.6 µm, 0.026 at 3.2 µm: a
transfer function has a crease at Nyquist's frequency, where that of pixels is level. Who needs more draws the scene
twice as fine and sums pixels (`Plane.finer`, `form.summed`): with kernels of 17 x 17 that is right to 0.002 up to 0.5
of the sensor, for every lens and sensor of the house.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from ..types import F32, F64
from . import stray
from .plane import Plane
from .spec import Lens

_SAMPLES = 16  # of the frequency axis from 0 to 0.5 cycles/px
_FINE = (0.0, 0.004, 0.008, 0.016, 0.032, 0.048, 0.064, 0.08)  # where skirts count
_DC = 10.0  # weight of frequency 0; afterwards kernels are scaled so that all light arrives
# cycles/px; beyond it a transfer function has a crease that short kernels cannot follow, or nobody asks
_CORNER, _FINE_CORNER, _CORNER_WEIGHT = 0.45, 0.3, 0.2
_MEAN_UM = 0.535
_ROUNDS, _CLOSE = 300, 1e-6
_GRAIN = 2.0**-20  # weights are rounded to this, so that another machine's linear algebra makes the same


def mixture(lens: Lens, plane: Plane) -> F64:
    """What skirts consist of: diffraction beyond the kernel's radius (its share there is 2/π² · λN/r), and halos."""
    far = 2 / math.pi**2 * _MEAN_UM * lens.f_number / (plane.taps / 2 * plane.pitch_um)
    return stray.mixture(far, lens.glare.halo)


def frequencies() -> tuple[F64, F64]:
    """Half of the plane of frequencies, cycles/px: the other half is its conjugate."""
    positive = np.concatenate([_FINE, np.arange(3, _SAMPLES + 1) / (2 * _SAMPLES)])
    fx, fy = np.meshgrid(np.concatenate([-positive[:0:-1], positive]), positive)
    return fx.ravel(), fy.ravel()


def waves(fx: F64, fy: F64, taps: int) -> F64:
    """(n, taps²): phase of each tap at each frequency."""
    i = np.arange(taps) - taps // 2
    return np.asarray(2 * np.pi * (np.multiply.outer(fx, np.tile(i, taps)) + np.multiply.outer(fy, np.repeat(i, taps))))


@functools.cache
def _problem(weights: tuple[float, ...], taps: int, corner: float) -> tuple[F64, F64]:
    """Normal matrix (taps² + 1)² and what turns a transfer function (2n,) into the right side of the equations."""
    fx, fy = frequencies()
    phase, skirt = waves(fx, fy, taps), stray.transfer(fx, fy, np.array(weights))
    basis = np.vstack([np.column_stack([np.cos(phase), skirt]), np.column_stack([-np.sin(phase), 0 * fx])])
    weight = np.where(np.maximum(np.abs(fx), fy) > corner, _CORNER_WEIGHT, 1.0)
    weight[np.hypot(fx, fy) == 0] = _DC
    right = basis.T * np.square(np.tile(weight, 2))
    return right @ basis, right


def _solve(normal: F64, right: F64) -> F64:
    """(m, n): the solutions x ≥ 0 of min x·normal·x / 2 - right·x, row by row: accelerated projected gradients.

    Source: [Beck2009], with restarts where the way back leads uphill [ODonoghue2015].
    """
    step = 1 / float(np.linalg.eigvalsh(normal)[-1])
    x: F64 = np.maximum(np.linalg.solve(normal, right.T).T, 0)
    ahead, pace = x, 1.0
    for _ in range(_ROUNDS):
        new: F64 = np.maximum(ahead - step * (ahead @ normal - right), 0)
        if np.abs(new - x).max() < _CLOSE:
            break
        if float(np.sum((ahead - new) * (new - x))) > 0:
            pace = 1.0
        faster = (1 + math.sqrt(1 + 4 * pace * pace)) / 2
        ahead, x, pace = new + (pace - 1) / faster * (new - x), new, faster
    return x


def kernels(lens: Lens, plane: Plane, places: tuple[int, int]) -> F32:
    """(3, rows, columns, taps² + 1): kernels for `places` evenly over the frame, each followed by its skirt's share.

    What the veil takes is missing in both.
    """
    fx, fy = (f / (plane.pitch_um * 1e-3) for f in frequencies())
    corner = _FINE_CORNER if plane.fine else _CORNER
    normal, right = _problem(tuple(mixture(lens, plane).tolist()), plane.taps, corner)
    otf = np.empty((3, *places, 2 * len(fx)))
    for row, y in enumerate(np.linspace(0, plane.height - 1, places[0])):
        for column, x in enumerate(np.linspace(0, plane.width - 1, places[1])):
            dx, dy = (float(d) * plane.pitch_um * 1e-3 for d in plane.off_axis(x, y))
            for c in range(3):
                found = lens.spread.otf(c, dx, dy, fx, fy)
                otf[c, row, column] = np.concatenate([found.real, found.imag])
    out = _solve(normal, otf.reshape(-1, otf.shape[-1]) @ right.T).reshape(3, *places, -1)
    out *= (1 - lens.glare.halo) / out.sum(-1, keepdims=True)
    out[..., -1] += lens.glare.halo
    return np.ascontiguousarray(np.round((1 - lens.glare.veil) * out / _GRAIN) * _GRAIN, np.float32)
