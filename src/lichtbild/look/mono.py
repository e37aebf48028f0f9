"""Black and white: which grey a film gives to a colour, as three weights on linear Rec.2020.

A film's sensitivity and a filter's transmittance are smooth curves of wavelength. Their product under daylight gives
the exposure that any reflectance makes; the weights are those with which R, G and B come nearest to it over a set of
smooth reflectances (edges and bands at all wavelengths: what paints, skins and leaves are made of).
Sources: [Wyman2013] for the observer; daylight is Planck's law at 6500 K; edges of sensitivities and filters are our
own round numbers for the classes that every maker has.
"""

from __future__ import annotations

import functools

import numpy as np

from .. import light
from ..types import F64

_NM = np.arange(390.0, 731.0, 10.0)
_EDGE_NM = {"pan": 645.0, "ortho": 590.0, "red": 715.0}  # where the film goes blind
# Filters: from where to where they let light pass; the slope of an edge is _SOFT_NM.
_BAND_NM = {
    "none": (300.0, 900.0), "yellow": (495.0, 900.0), "orange": (550.0, 900.0), "red": (600.0, 900.0),
    "green": (485.0, 595.0), "blue": (300.0, 490.0),
}  # fmt: skip
_SOFT_NM = 8.0
_LEAST = -0.15  # a more negative weight would come nearer to a red filter, and make noise and black leaves


def _rise(at: float | F64, soft_nm: float = _SOFT_NM) -> F64:
    return np.asarray(1.0 / (1.0 + np.exp(-(_NM - at) / soft_nm)), np.float64)


def _lobe(height: float, centre: float, left: float, right: float) -> F64:
    return np.asarray(height * np.exp(-0.5 * ((_NM - centre) * np.where(centre > _NM, left, right)) ** 2), np.float64)


def observer() -> F64:
    """(3, n) colour matching functions x, y, z of the 2° observer, as sums of lobes. Source: [Wyman2013]."""
    x = _lobe(0.362, 442.0, 0.0624, 0.0374) + _lobe(1.056, 599.8, 0.0264, 0.0323) - _lobe(0.065, 501.1, 0.0490, 0.0382)
    y = _lobe(0.821, 568.8, 0.0213, 0.0247) + _lobe(0.286, 530.9, 0.0613, 0.0322)
    z = _lobe(1.217, 437.0, 0.0845, 0.0278) + _lobe(0.681, 459.0, 0.0385, 0.0725)
    return np.stack([x, y, z])


def _daylight() -> F64:
    return np.asarray(1e14 / _NM**5 / np.expm1(1.4388e7 / (_NM * 6500.0)), np.float64)


def sensitivity(film: str, filter_: str = "none") -> F64:
    """Relative sensitivity (n,) of a film behind a filter."""
    low, high = _BAND_NM[filter_]
    return (1.0 - _rise(_EDGE_NM[film], 10.0)) * _rise(low) * (1.0 - _rise(high))


def reflectances() -> F64:
    """(m, n): smooth edges, bands and gaps over the spectrum, between 4 and 90 %, and an even grey."""
    edges = [_rise(at, soft) for at in np.arange(440.0, 680.0, 20.0) for soft in (8.0, 20.0, 40.0)]
    bands = [
        np.exp(-0.5 * ((_NM - at) / wide) ** 2) for at in np.arange(420.0, 700.0, 20.0) for wide in (25.0, 45.0, 80.0)
    ]
    shapes = np.array([*edges, *bands, np.ones_like(_NM)])
    return np.concatenate([low + (high - low) * shapes for low, high in ((0.04, 0.9), (0.9, 0.04), (0.2, 0.5))])


def rec2020(reflectance: F64) -> F64:
    """Linear Rec.2020 (m, 3) of reflectances (m, n) in daylight; white is (1, 1, 1)."""
    lit = observer() * _daylight()
    rgb = reflectance @ lit.T @ np.linalg.inv(light.rgb_to_xyz("rec2020")).T
    white = lit.sum(axis=1) @ np.linalg.inv(light.rgb_to_xyz("rec2020")).T
    return np.asarray(rgb / white, np.float64)


def exposure(film: str, filter_: str, reflectance: F64) -> F64:
    """What the film receives (m,) from reflectances (m, n) in daylight; white gives 1."""
    seen = sensitivity(film, filter_) * _daylight()
    return np.asarray(reflectance @ seen / seen.sum(), np.float64)


@functools.cache
def weights(film: str, filter_: str = "none") -> tuple[float, float, float]:
    """Weights of linear Rec.2020 R, G, B, summing to 1, that come nearest to what the film sees."""
    paints = reflectances()
    rgb, wanted = rec2020(paints), exposure(film, filter_, paints)
    # relative to green, whose weight is what the others leave
    system = np.stack([rgb[:, 0] - rgb[:, 1], rgb[:, 2] - rgb[:, 1]], axis=1)
    red, blue = np.linalg.lstsq(system, wanted - rgb[:, 1], rcond=None)[0]
    held = np.maximum([red, 1 - red - blue, blue], _LEAST)
    held /= held.sum()
    return float(held[0]), float(held[1]), float(held[2])
