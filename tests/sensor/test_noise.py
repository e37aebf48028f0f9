"""Noise of simulated flats against the closed form, and a photon transfer that finds again what was put in."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from lichtbild import sensor
from lichtbild.sensor import exposure
from lichtbild.sensor.types import QUANTISATION_DN2, Sensor
from lichtbild.types import F64, Exposure, Noise

SIDE = 1024
TIME_S = 1 / 50
ALL = [sensor.load(name, mode) for name in sensor.names() for mode in sensor.load(name).modes]
LEVELS = (0.0, 0.001, 0.02, 0.25, 0.8)  # of saturation


def label(s: Sensor) -> str:
    return f"{s.name}-{s.mode}"


def stops(s: Sensor, step: float = 2.0) -> list[float]:
    """Every full stop of the ISO range, and its end."""
    count = int(math.log(s.max_iso / s.base_iso, step) + 1e-9) + 1
    return sorted({*(s.base_iso * step**n for n in range(count)), s.max_iso})


def flat(s: Sensor, electrons: float, iso: float, frame: int, seed: int = 5, side: int = SIDE) -> F64:
    """A frame of even light that gives `electrons` in every pixel."""
    mix = np.zeros((s.planes, 3))
    mix[:, 0] = electrons
    light = np.ones((3, side, side), np.float32)
    table = exposure.prepare(s, Exposure(iso, TIME_S, 2.0), (side, side), seed, frame, mix=mix)
    return exposure.apply(light, table).astype(np.float64)


def without_defects(s: Sensor) -> Sensor:
    return dataclasses.replace(s, hot_ppm=0.0, dead_ppm=0.0, pdaf=None)


def rounded(variance: float, mean: float, spread: float) -> float:
    """Variance of a normal number after rounding: 1/12 more, and the first harmonic of what 1/12 neglects.

    It matters below 0.7 DN of noise. `spread`: variance of the means that fixed patterns give. Source: [Widrow1996].
    """
    phase = 2 * math.pi * mean
    left = math.exp(-2 * math.pi**2 * variance)
    swing = left * math.cos(phase) * math.exp(-2 * math.pi**2 * spread) * (4 * variance + 1 / math.pi**2)
    swing += left**2 * (1 - math.cos(2 * phase) * math.exp(-8 * math.pi**2 * spread)) / 2 / math.pi**2
    return variance + QUANTISATION_DN2 - swing


def parts(s: Sensor, electrons: float, iso: float) -> tuple[float, float]:
    """Temporal variance of pixels within their rows, and of whole rows, from two frames."""
    difference = (flat(s, electrons, iso, 0) - flat(s, electrons, iso, 1)) / math.sqrt(2)
    rows = difference.mean(1)
    pixel = float(((difference - rows[:, None]) ** 2).sum() / (SIDE * (SIDE - 1)))
    return pixel, float(rows.var() * SIDE / (SIDE - 1)) - pixel / SIDE


def check(s: Sensor, iso: float, level: float) -> None:
    electrons, k = level * s.saturation_e(iso), s.gain(iso)
    total = s.variance_dn2(electrons, iso, TIME_S)
    if level and electrons + 6 * math.sqrt(total) / k > s.saturation_e(iso):
        return  # cut off by saturation
    row = (k * s.row_e) ** 2
    fixed = s.fixed_row_e**2 + s.fixed_column_e**2 + s.dsnu_e**2 + (s.prnu * electrons) ** 2 + s.row_e**2
    expected = rounded(total - row - QUANTISATION_DN2, s.black_dn + k * electrons, k * k * fixed)
    pixel, rows = parts(s, electrons, iso)
    assert abs(pixel / expected - 1) < 0.005, (
        f"{label(s)} ISO {iso:g} level {level}: {pixel:.4g}, not {expected:.4g} DN²"
    )
    # The variance of 1024 rows is known within sqrt(2/1023) of what rows vary by.
    assert abs(rows - row) < 5 * math.sqrt(2 / SIDE) * (row + pixel / SIDE)


@pytest.mark.parametrize("s", ALL, ids=label)
def test_variance_of_flats(s: Sensor) -> None:
    for iso, level in ((s.base_iso, 0.25), (s.base_iso, 0.0), (s.max_iso, 0.02)):
        check(without_defects(s), iso, level)


@pytest.mark.slow
@pytest.mark.parametrize("s", ALL, ids=label)
def test_variance_of_flats_at_every_iso(s: Sensor) -> None:
    for iso in stops(s):
        for level in LEVELS:
            check(without_defects(s), iso, level)


@pytest.mark.parametrize(("name", "iso", "electrons"), [("imx219", 55, 4.0), ("phone-1-inch", 3200, 30.0)])
def test_skew_and_kurtosis(name: str, iso: float, electrons: float) -> None:
    shape(sensor.load(name), iso, electrons)


@pytest.mark.slow
@pytest.mark.parametrize("s", ALL, ids=label)
def test_skew_and_kurtosis_at_every_iso(s: Sensor) -> None:
    for iso in stops(s):
        for electrons in (4.0, 30.0):
            shape(s, iso, electrons)


def shape(s: Sensor, iso: float, electrons: float) -> None:
    # Shot noise alone; a sum of Poisson and normal keeps the third and fourth cumulant of Poisson.
    quiet = dataclasses.replace(without_defects(s), row_e=0.0, prnu=0.0, dsnu_e=0.0, dark_e_s=0.0,
                                fixed_row_e=0.0, fixed_column_e=0.0, dn_per_e=2.0)  # fmt: skip
    quiet = dataclasses.replace(quiet, bits=16, black_dn=8192, white_dn=65535)  # nothing is cut off
    k, n = quiet.gain(iso), SIDE * SIDE
    v = flat(quiet, electrons, iso, 0)
    centred = v - v.mean()
    variance = centred.var()
    shot = k * k * electrons
    skew, kurtosis = (centred**3).mean() / variance**1.5, (centred**4).mean() / variance**2 - 3
    assert abs(skew - k * shot / variance**1.5) < 5 * math.sqrt(6 / n)
    assert abs(kurtosis - k * k * shot / variance**2) < 5 * math.sqrt(24 / n)


def test_fixed_patterns_apart() -> None:
    s = dataclasses.replace(
        without_defects(sensor.load("imx477")), prnu=0.01, dsnu_e=8.0, fixed_row_e=4.0, fixed_column_e=6.0, row_e=3.0
    )
    k, iso, frames, electrons = s.gain(55), 55.0, 16, 4000.0

    def mean(level: float) -> F64:
        return np.asarray(np.mean([flat(s, level, iso, f, side=512) for f in range(frames)], 0) / k)

    dark, bright = mean(0.0), mean(electrons)
    columns, rows = dark.mean(0), dark.mean(1)
    pixels = dark - columns - rows[:, None] + dark.mean()
    left = s.variance_dn2(0.0, iso, TIME_S) / k**2 / frames
    many = 5 * math.sqrt(2 / 512)  # of a variance over 512 lines
    assert columns.var() == pytest.approx(36, rel=many)
    assert rows.var() == pytest.approx(16 + 9 / frames, rel=many)
    assert pixels.var() == pytest.approx(64 + left - 9 / frames, rel=0.03)
    response = (bright - dark) / electrons
    shot = (s.variance_dn2(electrons, iso, TIME_S) + s.variance_dn2(0.0, iso, TIME_S)) / k**2 / frames / electrons**2
    assert response.var() - shot == pytest.approx(1e-4, rel=0.04)
    assert response.mean() == pytest.approx(1, abs=5e-3 / 512 * 5 + 2e-4)


def test_hot_and_dead_pixels() -> None:
    s = dataclasses.replace(sensor.load("imx708"), hot_ppm=2000, hot_e_s=50_000, dead_ppm=1000, dsnu_e=0.0)
    dark, lit = flat(s, 0, s.base_iso, 0), flat(s, 5000, s.base_iso, 0)
    hot = dark > s.black_dn + 12
    dead = lit < s.black_dn + 12
    assert dead.mean() == pytest.approx(1e-3, rel=0.15)
    # 1000 e- on the mean, 0.0908 DN/e-, exponential: beyond 12 DN lie exp(-0.132) of them.
    assert hot.mean() == pytest.approx(2e-3 * math.exp(-12 / (s.gain(s.base_iso) * 50_000 * TIME_S)), rel=0.15)
    listed = sensor.frame(dark.astype(np.uint16), s, Exposure(s.base_iso, TIME_S, 2.0)).bad_pixels
    assert listed is not None
    known = np.zeros(dark.shape, bool)
    known[listed[:, 0], listed[:, 1]] = True
    assert known[dead].all() and known.mean() == pytest.approx(1e-3 + 2e-3 * math.exp(-0.5), rel=0.15)


def test_dark_current_doubles() -> None:
    s = dataclasses.replace(without_defects(sensor.load("phone-1-2-inch")), dark_e_s=50.0)
    assert s.dark_e(2.0, 25) == pytest.approx(100) and s.dark_e(2.0, 25 + 2 * s.dark_doubles_c) == pytest.approx(400)
    shot = Exposure(400, 2.0, 2.0)
    light = np.zeros((3, 512, 512), np.float32)
    a, b = (sensor.expose(light, s, shot, frame=f).astype(float) for f in (0, 1))
    assert abs(a.mean() - s.black_dn) < 0.05  # the covered pixels' mean is taken off
    assert ((a - b) ** 2).mean() / 2 == pytest.approx(s.variance_dn2(0.0, 400, 2.0), rel=0.015)


def test_conversion_gain_switches() -> None:
    s = sensor.load("phone-1-inch")
    low, high = s.stage(199), s.stage(200)
    assert low.full_well_e == 44000 and high.full_well_e == 11000
    assert s.read_dn(200) / s.gain(200) < 0.5 * s.read_dn(199) / s.gain(199)
    full = flat(s, 60_000, 50, 0, side=64)
    assert abs(np.median(full) - s.black_dn - s.gain(50) * 44000) < 3 and s.white(50) < np.median(full)


def darkness(s: Sensor, iso: float) -> float:
    """Temporal variance of pixels in the dark."""
    return parts(s, 0.0, iso)[0]


@pytest.mark.parametrize("s", [x for x in ALL if x.mode == x.modes[0]], ids=label)
def test_photon_transfer(s: Sensor) -> None:
    """K from the slope of variance over mean, read noise from darkness, full well from where nothing more is read."""
    base, iso, well = without_defects(s), s.base_iso, s.stage(s.base_iso).full_well_e
    zero, dark = flat(base, 0.0, iso, 0).mean(), darkness(base, iso)
    slopes = []
    for level in (0.1, 0.3, 0.5, 0.7):
        signal = flat(base, level * well, iso, 0).mean() - zero
        slopes.append((parts(base, level * well, iso)[0] - dark) / signal)
    k = float(np.mean(slopes))
    assert k == pytest.approx(base.gain(iso), rel=0.01)
    top = flat(base, 3 * well, iso, 0).mean() - zero
    assert top / k == pytest.approx(base.saturation_e(iso), rel=0.01)
    # Read noise is measured where it is more than a number: below that, rounding hides it.
    fine = next(i for i in stops(base) if base.read_dn(i) > 0.75)
    read = math.sqrt(darkness(base, fine) - QUANTISATION_DN2 - base.gain(fine) ** 2 * base.dark_e(TIME_S))
    assert read / (k * fine / iso) == pytest.approx(base.read_dn(fine) / base.gain(fine), rel=0.03)


def test_profile_gives_its_noise() -> None:
    noise = Noise((2e-4,) * 3, (3e-7,) * 3)
    s = sensor.with_noise(sensor.load("imx477"), noise, 256, 4095, iso=100)
    made = s.noise(100)
    assert made.scale[1] == pytest.approx(2e-4, rel=0.01) and made.offset[1] == pytest.approx(3e-7, rel=0.03)
    with pytest.raises(sensor.SensorError, match="noise profile"):
        sensor.with_noise(s, Noise((2e-4,) * 3, (0.0,) * 3), 0, 4095)
