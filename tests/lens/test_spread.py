"""Point spreads: the Airy pattern, Gaussians by field, and what short kernels make of them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from lichtbild import lens
from lichtbild.lens import Plane, fit, stray
from lichtbild.lens.spread import Blur, diffraction, psf


def airy(r_um: np.ndarray, wavelength_um: float, f_number: float) -> np.ndarray:
    """Irradiance of a circular pupil, integral 1: [2·J1(v) / v]²·π / (4·λ²·N²), J1 by Bessel's integral."""
    v = np.pi * r_um / (wavelength_um * f_number)
    t = (np.arange(2000) + 0.5) * np.pi / 2000
    j1 = np.cos(t - np.multiply.outer(v, np.sin(t))).mean(-1)
    return np.where(v == 0, 1, (2 * j1 / np.where(v == 0, 1, v)) ** 2) * np.pi / (4 * (wavelength_um * f_number) ** 2)


def test_diffraction_alone_is_the_airy_pattern():
    blur = Blur(wavelength_nm=(600.0, 550.0, 450.0), f_number=2.0)
    pitch, size = 0.25, 65
    found = psf(blur, 1, (1.0, 2.0), pitch, size, period=16)
    i = (np.arange(size) - size // 2) * pitch
    exact = airy(np.hypot(i, i[:, None]), 0.55, 2.0) * pitch**2
    np.testing.assert_allclose(found, exact, atol=2e-4 * exact.max())


def test_the_spread_is_longer_along_the_radius_wherever_that_points():
    blur = Blur(field=(0.0, 1.0), radial_um=(1.0, 6.0), across_um=(1.0, 3.0), f_number=1.0, radius_mm=4.0)
    for x, y in ((4.0, 0.0), (0.0, -4.0), (2.4, 3.2)):
        found = psf(blur, 1, (x, y), 1.0, 61)
        i = np.arange(61) - 30.0
        along, across = (i * x + i[:, None] * y) / 4, (i * y - i[:, None] * x) / 4
        near = found * (np.hypot(along, across) < 20)
        spread = [math.sqrt((near * d**2).sum() / near.sum()) for d in (along, across)]
        assert spread == pytest.approx([6, 3], rel=0.06)


def test_mtf_of_a_circular_pupil():
    assert diffraction(np.array([0.0, 1e4]), 0.5, 2.0) == pytest.approx([1, 0])
    assert float(diffraction(np.array(500.0), 0.5, 2.0)) == pytest.approx(0.3910, abs=1e-4)  # half of the cut-off


@pytest.mark.parametrize(
    ("name", "pitch_um", "most"),
    [("phone-main", 1.6, 0.006), ("module-3", 1.4, 0.006), ("phone-main", 3.2, 0.06), ("ideal", 1.0, 0.06)],
)
def test_short_kernels_keep_the_transfer_function(name, pitch_um, most):
    """Up to 0.45 cycles/px in all directions, out to 80 % of the field. No kernel digs a hole beside a lamp."""
    glass = lens.load(name)
    glass = dataclasses.replace(glass, glare=lens.spec.Glare())
    width = int(0.78 * min(glass.image_mm, 16) / pitch_um * 1e3)
    plane = Plane(width * 3 // 4, width, pitch_um)
    bank = fit.kernels(glass, plane, (5, 5)).astype(np.float64)
    assert bank.min() >= 0
    mix = fit.mixture(glass, plane)
    f = np.arange(0, 0.4501, 0.01)
    for c in range(3):
        for row, column in ((2, 2), (2, 3), (1, 3), (2, 4)):
            at = plane.off_axis((width - 1) * column / 4, (plane.height - 1) * row / 4)
            place = [float(d) * pitch_um * 1e-3 for d in at]
            for angle in (0, 20, 45, 90, 135):
                fx, fy = f * math.cos(math.radians(angle)), f * math.sin(math.radians(angle))
                wanted = glass.spread.otf(c, *place, fx / pitch_um * 1e3, fy / pitch_um * 1e3)
                kernel = bank[c, row, column]
                found = np.exp(-1j * fit.waves(fx, fy, 11)) @ kernel[:-1] + kernel[-1] * stray.transfer(fx, fy, mix)
                np.testing.assert_allclose(found, wanted, atol=most)
                assert found[0] == pytest.approx(1, abs=1e-4)


def test_a_spread_that_is_not_even_keeps_its_side():
    """Kernels follow any transfer function: here a comet's, twice as far to the right as it could be mirrored."""

    class Comet:
        def otf(self, channel, x_mm, y_mm, fx, fy):
            head = np.exp(-2 * (np.pi * 1.5e-3) ** 2 * (fx**2 + fy**2))
            return head * (0.7 + 0.3 * np.exp(-2j * np.pi * fx * 3e-3))

    glass = dataclasses.replace(lens.load("ideal"), spread=Comet())
    plane = Plane(480, 640, 1.5)
    kernel = fit.kernels(glass, plane, (2, 2))[1, 0, 0, :-1].reshape(plane.taps, plane.taps)
    i = np.arange(plane.taps) - plane.taps // 2
    assert (kernel * i).sum() == pytest.approx(0.3 * 2, abs=0.01)  # 3 µm are two pixels
    assert (kernel * i[:, None]).sum() == pytest.approx(0, abs=1e-3)


def test_skirts_keep_light_and_fall(rng):
    mix = stray.mixture(0.02, 0.01)
    assert mix.sum() == pytest.approx(1) and np.all(np.diff(mix) < 0)
    small = np.full((3, 37, 50), 2.5, np.float32)
    np.testing.assert_allclose(stray.blobs(small, mix), 2.5, rtol=1e-5)
    lamp = np.zeros((3, 65, 65), np.float32)
    lamp[:, 32, 32] = 1
    spread = stray.blobs(lamp, mix)
    row = spread[1, 32, 32:60:3]
    assert np.all(np.diff(row) < 0) and spread.min() > 0


@pytest.mark.parametrize("at", [(0, 0), (3, 5), (7, 2)])
def test_halos_lie_around_their_lamp(at):
    """Wherever a lamp lies among the coarse pixels, the centroid of its skirt is the lamp, to half a pixel."""
    weights = np.array([0.0, 0.0, 0.0, 0.0, 1.0])  # blobs more than a hundred pixels wide
    light = np.zeros((3, 1601, 1601), np.float32)
    light[:, 800 + at[0], 800 + at[1]] = 1
    small = stray.blobs(stray.reduced(light), weights)[1].astype(np.float64)
    middle = (np.arange(small.shape[0]) + 0.5) * stray.SKIRT - 0.5
    centre = (small.sum(1) @ middle / small.sum(), small.sum(0) @ middle / small.sum())
    assert centre == pytest.approx((800 + at[0], 800 + at[1]), abs=0.5)
