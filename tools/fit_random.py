"""Fit the polynomials by which the simulator makes its random numbers, and print them with their errors.

    python tools/fit_random.py

They stand in src/lichtbild/sensor/random.py and, the same digits, in kernels/_random.py. Lawson's iteration:
least squares whose weights grow where the error is large, until it is equally large everywhere [Lawson1961].
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

import numpy as np

QUANTILE = statistics.NormalDist().inv_cdf
POINTS, ROUNDS = 2000, 80


def log_over(f: float) -> float:
    """ln(1 + f) / f."""
    return math.log1p(f) / f if f else 1.0


def slope(w: float) -> float:
    """z / x of the normal quantile z(1/2 + x/2), where w = -ln(1 - x²)."""
    x = math.sqrt(-math.expm1(-w))
    return -QUANTILE(math.exp(-w) / (2 * (1 + x))) / x


def fit(f: Callable[[float], float], lo: float, hi: float, degree: int) -> None:
    """Print coefficients, lowest first, of a polynomial in t = (x - lo) / (hi - lo) * 2 - 1 that is near f(x)."""
    t = np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)
    y = np.array([f((v + 1) / 2 * (hi - lo) + lo) for v in t])
    powers = t[:, None] ** np.arange(degree + 1)
    weight = np.ones(POINTS)
    for _ in range(ROUNDS):
        c = np.linalg.lstsq(powers * weight[:, None] ** 0.5, y * weight**0.5, rcond=None)[0]
        error = np.abs(powers @ c - y)
        weight *= (error / error.max() + 1e-3) ** 0.5
        weight /= weight.mean()
    print(f"{f.__name__} {lo:g}..{hi:g}: error {error.max():.1e}\n  {[float(f'{v:.8g}') for v in c]}")


def falling(x: float) -> float:
    """exp(-x)."""
    return math.exp(-x)


def tail(root: float) -> float:
    """`slope` over the square root of w."""
    return slope(root * root)


if __name__ == "__main__":
    fit(log_over, -0.3, 0.42, 7)
    fit(slope, 1e-9, 5.0, 7)
    fit(tail, 5.0**0.5, 4.8, 7)
    fit(falling, 0.0, 1.25, 6)
