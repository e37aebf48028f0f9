"""How hands shake a camera: rotation and translation as functions of time, correlated in time as hands are.

Each of the six motions is a sum of sinusoids with random phases, so that it is known exactly at any moment. Its rate
has the power spectrum of [Gavant2011]: a drift that falls as 1/f, and the physiological tremor of hands at 8-12 Hz.
The strengths lie in the range measured for people who stand and hold a phone in both hands, 0.3-1 °/s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..types import F64

BAND_HZ = (0.1, 20.0)
TREMOR_HZ, TREMOR_WIDTH_HZ = 10.0, 1.5
DRIFT_DEG_S, TREMOR_DEG_S = 0.45, 0.35  # rms of the rate of yaw and pitch; of roll and translation as below
DRIFT_M_S, TREMOR_M_S = 0.006, 0.003  # of x and y
PARTS = (1.0, 1.0, 0.6, 1.0, 1.0, 0.5)  # yaw, pitch, roll, x, y, z: phones are held at both ends
_WAVES = 160


@dataclass(frozen=True)
class Shake:
    """Waves (6, n) of yaw, pitch, roll in rad and x, y, z in m: amplitude, frequency in Hz, phase in rad."""

    amplitude: F64
    frequency: F64
    phase: F64

    def pose(self, t_s: F64) -> F64:
        """(..., 6): where the camera has moved since t = 0; x right, y down, z forwards."""
        t = np.asarray(t_s, np.float64)
        out = np.empty((*t.shape, 6))
        for i in range(6):
            angle = math.tau * self.frequency[i] * t[..., None] + self.phase[i]
            out[..., i] = (np.sin(angle) - np.sin(self.phase[i])) @ self.amplitude[i]
        return out


def rate_spectrum(f_hz: F64, drift: float, tremor: float) -> F64:
    """One-sided power spectrum of a rate whose drift and tremor have these rms values in BAND_HZ."""
    low, high = BAND_HZ
    fall = drift**2 / (math.log(high / low) * f_hz)
    peak = np.exp(-0.5 * ((f_hz - TREMOR_HZ) / TREMOR_WIDTH_HZ) ** 2)
    return np.asarray(fall + tremor**2 * peak / (TREMOR_WIDTH_HZ * math.sqrt(math.tau)))


def hand(seed: int, strength: float = 1.0) -> Shake:
    """The shake of one press of the button; `strength` 1 is a person standing, 0 a tripod."""
    rng = np.random.default_rng([seed, 0x5A4E])
    low, high = BAND_HZ
    edges = np.geomspace(low, high, _WAVES + 1)
    frequency = edges[:-1] * (edges[1:] / edges[:-1]) ** rng.random((6, _WAVES))
    amplitude = np.empty((6, _WAVES))
    for i, part in enumerate(PARTS):
        turn = math.radians(1) if i < 3 else 1.0
        drift, tremor = (DRIFT_DEG_S, TREMOR_DEG_S) if i < 3 else (DRIFT_M_S, TREMOR_M_S)
        power = rate_spectrum(frequency[i], drift, tremor) * np.diff(edges)
        amplitude[i] = strength * part * turn * np.sqrt(2 * power) / (math.tau * frequency[i])
    return Shake(amplitude, frequency, rng.uniform(0, math.tau, (6, _WAVES)))
