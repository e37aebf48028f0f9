"""Light as a spectrum: the standard observer, standard lights, and smooth reflectances, on one grid of wavelengths.

A spectrum is (…, 81) float64 at 380, 385 … 780 nm. Integrals are sums over this grid, as CIE 15 allows at 5 nm.
Sources: tables of `spectra.csv` and the daylight series [CIE15]; temperature of a light [McCamy1992].
"""

from __future__ import annotations

import functools
import pathlib

import numpy as np
from numpy.typing import ArrayLike

from .light import Xy
from .types import F64

NM: F64 = np.arange(380.0, 781.0, 5.0)
NM.setflags(write=False)
LUMENS_PER_WATT = 683.0  # at 555 nm, by definition
PHOTONS_PER_JOULE_NM = 1e-9 / (6.62607015e-34 * 299792458.0)  # times the wavelength in nm


@functools.cache
def _tables() -> F64:
    """(81, 6): x̄, ȳ, z̄ of the CIE 1931 2° observer and S0, S1, S2 of the daylight series."""
    rows = np.loadtxt(pathlib.Path(__file__).with_suffix(".csv"), delimiter=",", skiprows=1)
    assert np.array_equal(rows[:, 0], NM)
    return np.asarray(rows[:, 1:], np.float64)


def observer() -> F64:
    """(3, 81): colour matching functions x̄, ȳ, z̄ of the CIE 1931 2° observer."""
    return _tables()[:, :3].T


def xyz(spectrum: F64, light: F64 | None = None) -> F64:
    """(…, 3) XYZ of spectra (…, 81). With the `light` they were lit by, relative to Y = 1 of that light."""
    found = spectrum @ observer().T
    return np.asarray(found if light is None else found / (light @ observer()[1]), np.float64)


def photons(light: F64) -> F64:
    """(…, 81): photons per µm² per lux·s and grid step of light with the spectral shape of `light` (…, 81).

    One lux of it is 1 / (683·Σ ȳ·S) of its watts per m² and step; a photon at λ carries h·c/λ.
    """
    lux = LUMENS_PER_WATT * (light @ observer()[1])
    return np.asarray(light * (NM * PHOTONS_PER_JOULE_NM * 1e-12) / lux[..., None], np.float64)


def planck(cct_k: float) -> F64:
    """(81,): spectral power of a black body at `cct_k` kelvin, 1 at 560 nm. Illuminant A is planck(2855.5)."""
    c2 = 1.4388e7  # nm·K

    def power(nm: ArrayLike) -> F64:
        return np.asarray(np.asarray(nm, np.float64) ** -5 / np.expm1(c2 / (np.asarray(nm) * cct_k)), np.float64)

    return power(NM) / power(560.0)


def daylight(cct_k: float) -> F64:
    """(81,): CIE daylight of 4000..25000 K, 100 at 560 nm. D65 is daylight(6504)."""
    if not 4000 <= cct_k <= 25000:
        raise ValueError(f"daylight: expected 4000..25000 K, got {cct_k:g}")
    if cct_k <= 7000:
        x = -4.6070e9 / cct_k**3 + 2.9678e6 / cct_k**2 + 0.09911e3 / cct_k + 0.244063
    else:
        x = -2.0064e9 / cct_k**3 + 1.9018e6 / cct_k**2 + 0.24748e3 / cct_k + 0.237040
    y = -3.0 * x * x + 2.870 * x - 0.275
    m = 0.0241 + 0.2562 * x - 0.7341 * y
    m1, m2 = round((-1.3515 - 1.7703 * x + 5.9114 * y) / m, 3), round((0.0300 - 31.4424 * x + 30.0717 * y) / m, 3)
    s0, s1, s2 = _tables()[:, 3:].T
    return np.asarray(s0 + m1 * s1 + m2 * s2, np.float64)


def cct(xy: Xy) -> float:
    """Colour temperature (K) of a chromaticity near the Planckian locus, within 3 K of 2800..6600 K. [McCamy1992]"""
    n = (xy[0] - 0.3320) / (0.1858 - xy[1])
    return ((449.0 * n + 3525.0) * n + 6823.3) * n + 5520.33


@functools.cache
def reflectances() -> F64:
    """(343, 81): smooth reflectances between 0 and 1 that fill the colours of surfaces: logistic curves over parabolas.

    The family is that of [Jakob2019]; the grid over it is ours: dark to light, blue to red, hollow to humped.
    """
    t = (NM - 560.0) / 160.0
    a, b, c = np.meshgrid(np.linspace(-3, 3, 7), np.linspace(-4, 4, 7), np.linspace(-9, 9, 7), indexing="ij")
    parabola = a.ravel()[:, None] + b.ravel()[:, None] * t + c.ravel()[:, None] * (t * t - 0.25)
    return np.asarray(1 / (1 + np.exp(-parabola)), np.float64)
