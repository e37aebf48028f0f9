"""Point spread: what becomes of a point of light, as an optical transfer function over the field.

A lens says its optical transfer function (OTF) at any place, channel and spatial frequency. Everything else follows:
`psf` samples the spread itself, `lichtbild.lens.fit` makes the short kernels that run over pictures.
Source: [Goodman2005] chapter 6 for the circular pupil.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..stage import param
from ..types import F64


class PointSpread(Protocol):
    """What a lens must answer: parametric, ray-traced or measured."""

    def otf(self, channel: int, x_mm: float, y_mm: float, fx: F64, fy: F64) -> NDArray[Any]:
        """Optical transfer at (x, y) mm from the axis (right, down), frequencies in cycles/mm; 1 at frequency 0.

        Real for a spread that is even, else complex: the Fourier transform of the spread.
        """
        ...


def diffraction(frequency: F64, wavelength_um: float, f_number: float) -> F64:
    """MTF of a circular pupil without aberrations, `frequency` in cycles/mm. Source: [Goodman2005] 6-32."""
    v = np.minimum(np.abs(frequency) * (wavelength_um * 1e-3 * f_number), 1)
    return np.asarray(2 / math.pi * (np.arccos(v) - v * np.sqrt(1 - v * v)))


@dataclass(frozen=True)
class Blur:
    """Diffraction of a circular pupil at one wavelength per channel, convolved with a Gaussian for the aberrations.

    The Gaussian has one width along the radius of the field and one across, linear between the places in `field`.
    """

    wavelength_nm: tuple[float, ...] = param((605.0, 535.0, 460.0), 300.0, 1100.0, "nm", "of red, green and blue")
    field: tuple[float, ...] = param((0.0,), 0.0, 1.0, "", "places on the radius, rising")
    radial_um: tuple[float, ...] = param((0.0,), 0.0, 50.0, "µm", "standard deviation along the radius")
    across_um: tuple[float, ...] = param((0.0,), 0.0, 50.0, "µm", "standard deviation across the radius")
    channel: tuple[float, ...] = param((1.0, 1.0, 1.0), 0.0, 10.0, "", "factors on both for red, green and blue")
    f_number: float = 1.9
    radius_mm: float = 8.0  # of the image circle, where the field is 1

    def __post_init__(self) -> None:
        for key in ("wavelength_nm", "channel"):
            if len(getattr(self, key)) != 3:
                raise ValueError(f"{key}: expected 3 numbers, got {len(getattr(self, key))}")
        for key in ("radial_um", "across_um"):
            if len(getattr(self, key)) != len(self.field):
                raise ValueError(f"{key}: expected as many numbers as 'field' has, {len(self.field)}")
        if any(b <= a for a, b in zip(self.field, self.field[1:], strict=False)):
            raise ValueError(f"field: expected rising numbers, got {list(self.field)}")

    def sigma_um(self, channel: int, x_mm: float, y_mm: float) -> tuple[float, float]:
        """Standard deviations of the Gaussian along the radius and across it."""
        at = math.hypot(x_mm, y_mm) / self.radius_mm
        along, across = (float(np.interp(at, self.field, v)) for v in (self.radial_um, self.across_um))
        return along * self.channel[channel], across * self.channel[channel]

    def otf(self, channel: int, x_mm: float, y_mm: float, fx: F64, fy: F64) -> F64:
        """As PointSpread asks; real, for this spread is even."""
        along, across = self.sigma_um(channel, x_mm, y_mm)
        radius = math.hypot(x_mm, y_mm)
        c, s = (x_mm / radius, y_mm / radius) if radius else (1.0, 0.0)
        u, v = c * fx + s * fy, c * fy - s * fx
        gauss = np.exp(-2 * (math.pi * 1e-3) ** 2 * ((along * u) ** 2 + (across * v) ** 2))
        return np.asarray(gauss * diffraction(np.hypot(fx, fy), self.wavelength_nm[channel] * 1e-3, self.f_number))


def psf(
    spread: PointSpread, channel: int, place_mm: tuple[float, float], pitch_um: float, size: int, period: int = 4
) -> F64:
    """(size, size): the spread at `place_mm` (x, y), sampled every `pitch_um`, its sum near 1; `size` is odd.

    Exact where the OTF ends before the sampling's own limit, 500 / pitch_um cycles/mm; beyond it is cut off there.
    `period`: the transform is that of a spread repeated every `period`·size samples.
    """
    n = period * size
    f = np.fft.fftfreq(n, pitch_um * 1e-3)
    fx, fy = np.meshgrid(f, f)
    whole = np.fft.fftshift(np.fft.ifft2(spread.otf(channel, *place_mm, fx, fy)).real)
    first = n // 2 - size // 2
    return np.asarray(whole[first : first + size, first : first + size])
