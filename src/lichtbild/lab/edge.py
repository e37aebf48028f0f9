"""Sharpness from a slanted edge: the modulation transfer function (MTF) along the edge's normal, after ISO 12233.

The standard's e-SFR sorts pixels into bins by their distance from the edge; here the edge profile is a cubic spline
fitted to all pixels at once, and the edge's place is refined with it (Gauss-Newton), so that neither binning nor an
edge half a pixel off costs anything. The line spread is the spline's derivative and its transform is known in closed
form. `slanted` renders edges whose MTF is known exactly.
Source: [ISO12233] for what is measured; the estimator is ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import F64, LichtbildError

_KNOT_PX = 0.25  # of the spline: its own transfer is 1 to four times the pixels' limit
_ROUNDS = 12
_CLOSE_PX = 1e-7
_STEEPEST_DEG = 44.0
_BELL = np.exp(-0.5 * (np.arange(-8, 9) * _KNOT_PX / 0.6) ** 2)
_BELL /= _BELL.sum()
_FLAT = 0.2  # of the steepest slope
_CALM = 1e-7  # weight of the spline's roughness against all pixels: only fills gaps that no pixel reaches


class EdgeError(LichtbildError):
    """A region in which no single straight edge can be measured."""


@dataclass(frozen=True)
class Edge:
    """What a slanted edge says. Its normal points `angle_deg` from the rows' direction, turned towards rising rows.

    `low`, `high`: light of the two sides. `knots` (n,) px along the normal, `spread` (n,): the line spread's
    B-spline weights, whose sum times the distance of knots is 1.
    """

    angle_deg: float
    low: float
    high: float
    knots: F64
    spread: F64

    def mtf(self, frequency: NDArray[Any] | float) -> F64:
        """Modulation transfer at `frequency` in cycles/px along the normal: the lens times the pixels' aperture."""
        f = np.atleast_1d(np.asarray(frequency, np.float64))
        waves = np.exp(-2j * np.pi * np.multiply.outer(f, self.knots))
        return np.asarray(np.abs(waves @ self.spread) * _KNOT_PX * np.abs(np.sinc(f * _KNOT_PX)) ** 3)

    def mtf_at(self, level: float) -> float:
        """The first frequency in cycles/px (up to 2) at which the MTF falls to `level`; 0.5 gives MTF50.

        Raises EdgeError where it never does.
        """
        f = np.linspace(0, 2, 2001)
        below = np.flatnonzero(self.mtf(f) < level)
        if not len(below):
            raise EdgeError(f"edge: its MTF stays above {level:g}: not a picture of an edge")
        i = int(below[0])
        a, b = self.mtf(f[i - 1 : i + 1])
        return float(f[i - 1] + (f[i] - f[i - 1]) * (a - level) / (a - b))


def slanted(
    height: int, width: int, angle_deg: float, sigma_px: float = 0.0, shift_px: float = 0.0,
    low: float = 0.0, high: float = 1.0,
) -> F64:  # fmt: skip
    """(height, width): an edge through the middle, blurred by a Gaussian and collected by square pixels; exact.

    Its normal points `angle_deg` from the rows' direction; the edge lies `shift_px` along it.
    Its MTF is exp(-2π²σ²f²)·|sinc(f·cos)·sinc(f·sin)|. A pixel's mean is the second difference, along the pixel's two
    sides, of the twice integrated profile.
    """
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    x, y = np.arange(width) - (width - 1) / 2, np.arange(height)[:, None] - (height - 1) / 2
    d = c * x + s * y - shift_px
    u, v = max(abs(c), 1e-6), max(abs(s), 1e-6)
    total = sum(i * j * _twice(d + (i * u + j * v) / 2, sigma_px) for i in (1, -1) for j in (1, -1)) / (u * v)
    return np.asarray(low + (high - low) * total)


def _twice(x: F64, sigma: float) -> F64:
    """Twice integrated step, blurred."""
    if sigma <= 0:
        return np.asarray(np.square(np.maximum(x, 0)) / 2)
    t = x / sigma
    bell = np.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    cumulated = 0.5 * np.vectorize(math.erfc, otypes=[np.float64])(-t / math.sqrt(2))
    return np.asarray((x * x + sigma * sigma) / 2 * cumulated + sigma * x / 2 * bell)


def measure(region: NDArray[Any], reach_px: float = 32.0) -> Edge:
    """Measure the one straight edge in `region` (H, W), linear light, at least 16x16.

    `reach_px`: how far from the edge its spread is looked at; farther means less noise is kept out but wide skirts are
    kept in. Raises EdgeError in one line where there is no such edge.
    """
    light = np.asarray(region, np.float64)
    if light.ndim != 2 or min(light.shape) < 16:
        raise EdgeError(f"edge: expected a region (H, W) of at least 16x16 pixels, got {light.shape}")
    if not np.isfinite(light).all():
        raise EdgeError("edge: the region holds values that are not numbers")
    turned = np.abs(np.diff(light, axis=0)).sum() > np.abs(np.diff(light, axis=1)).sum()
    light = light.T if turned else light
    offset, slope = _start(light)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]].astype(np.float64)
    y -= (light.shape[0] - 1) / 2
    for _ in range(_ROUNDS):
        scale = math.cos(math.atan(slope))
        d = (x - offset - slope * y) * scale
        first, weights = _profile(d, light, reach_px)
        step = _refine(d, y, light, first, weights, scale, reach_px)
        offset, slope = offset + step[0], slope + step[1]
        if abs(step[0]) + abs(step[1]) * light.shape[0] < _CLOSE_PX:
            break
    if abs(math.degrees(math.atan(slope))) > _STEEPEST_DEG + 2:
        raise EdgeError("edge: the edge runs from corner to corner; take a region along it")
    rise = np.diff(weights)
    height = float(rise.sum())
    knots = np.asarray(first + (np.arange(len(rise)) - 0.5) * _KNOT_PX, np.float64)
    angle = -math.degrees(math.atan(slope))
    if turned:
        angle = 90 - angle
    low, high = float(weights[0]), float(weights[-1])
    return Edge(angle if height > 0 else angle - 180, min(low, high), max(low, high), knots, rise / height / _KNOT_PX)


def _start(light: F64) -> tuple[float, float]:
    """Column of the edge in the middle row, and columns per row: from centroids of each row's gradient."""
    low, high = np.percentile(light, (5, 95))
    if not high - low > 1e-9 * max(abs(high), abs(low)):
        raise EdgeError("edge: the region is even; expected an edge between dark and light")
    middle = (light - (low + high) / 2) * (1 if light[:, -4:].mean() > light[:, :4].mean() else -1)
    at = np.array([_crossing(row) for row in middle])
    y = np.arange(len(at)) - (len(at) - 1) / 2
    keep = np.isfinite(at)
    if keep.sum() < 0.5 * len(at):
        raise EdgeError("edge: fewer than half of the rows cross from dark to light; take a region around one edge")
    for _ in range(3):
        slope, offset = np.polyfit(y[keep], at[keep], 1)
        off = np.abs(at - offset - slope * y)
        keep = np.isfinite(at) & (off < max(2.0, 3 * float(np.median(off[keep]))))
    return float(offset), float(slope)


def _crossing(row: F64) -> float:
    """Where a row, smoothed over three pixels, first rises through 0 for good; nan where it does not."""
    smooth = np.convolve(row, np.ones(3) / 3, "valid")
    negative = np.flatnonzero(smooth < 0)
    if not len(negative) or negative[-1] + 1 >= len(smooth):
        return math.nan
    i = int(negative[-1])
    return i + 1 + float(smooth[i] / (smooth[i] - smooth[i + 1]))


def _bspline(t: F64) -> list[F64]:
    """Values of the four cubic B-splines that reach over a place `t` in 0..1 between knots."""
    s = 1 - t
    return [s**3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (3 * s**3 - 6 * s**2 + 4) / 6, t**3 / 6]


def _slopes(t: F64) -> list[F64]:
    """Their derivatives, per knot."""
    s = 1 - t
    return [-(s**2) / 2, (3 * t**2 - 4 * t) / 2, (4 * s - 3 * s**2) / 2, t**2 / 2]


def _located(d: F64, reach: float) -> tuple[NDArray[np.intp], F64, int]:
    at = (np.clip(d, -reach, reach) + reach) / _KNOT_PX
    count = math.ceil(2 * reach / _KNOT_PX)
    i = np.minimum(at.astype(np.intp), count - 1)
    return i, at - i, count + 3


def _profile(d: F64, light: F64, reach: float) -> tuple[float, F64]:
    """Least-squares cubic spline of light over distance: place of its first weight, weights.

    The first three weights are one, and so are the last three: beyond `reach` the profile is flat.
    """
    i, t, n = _located(d.ravel(), reach)
    values, basis, tied = light.ravel(), _bspline(t), np.clip(np.arange(n), 2, n - 3) - 2
    free = n - 4
    right = sum(np.bincount(tied[i + k], b * values, free) for k, b in enumerate(basis))
    normal = np.zeros((free, free))
    for j, a in enumerate(basis):
        for k, b in enumerate(basis):
            np.add.at(normal, (tied[j : n - 3 + j], tied[k : n - 3 + k]), np.bincount(i, a * b, n - 3))
    rough = np.diff(np.eye(free), 2, axis=0)
    normal += _CALM * len(values) / free * (rough.T @ rough)
    return -reach - _KNOT_PX, np.asarray(np.linalg.solve(normal, right)[tied])


def _refine(d: F64, y: F64, light: F64, first: float, weights: F64, scale: float, reach: float) -> F64:
    """Step of offset and slope that explains what the spline leaves.

    Where the profile is flat, its slope is noise: only the rise counts, weighed by the smoothed profile.
    """
    inside = np.abs(d) < reach
    i, t, _ = _located(d[inside], reach)
    left = light[inside] - sum(b * weights[i + k] for k, b in enumerate(_bspline(t)))
    rise = sum(b * weights[i + k] for k, b in enumerate(_slopes(t))) / _KNOT_PX
    smooth = np.convolve(np.gradient(weights) / _KNOT_PX, _BELL, "same")
    smooth[np.abs(smooth) < _FLAT * np.abs(smooth).max()] = 0
    calm = sum(b * smooth[i + k] for k, b in enumerate(_bspline(t)))
    shape = np.stack([np.ones_like(rise), y[inside]]) * -scale
    return np.asarray(np.linalg.solve((calm * shape) @ (rise * shape).T, (calm * shape) @ left))
