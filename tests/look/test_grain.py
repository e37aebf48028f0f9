"""Grain: the same at every place whatever the tile, as strong and as dependent on lightness as the model of it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from lichtbild import kernels, look
from lichtbild.look import grain, spec


def film(strength: float = 17.0, clump_um: float = 6.0, name: str = "negative") -> look.Look:
    return dataclasses.replace(look.load(name), spatial=spec.Spatial(grain=strength, grain_um=clump_um))


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (479, 641)])
def test_kernel_is_twin(shape: tuple[int, int], rng: np.random.Generator) -> None:
    image = rng.integers(0, 65536, (*shape, 3)).astype(np.uint16)
    for name in ("negative", "bw"):
        mine = film(clump_um=90, name=name)
        wanted = grain.twin(image, mine) * 65535
        assert np.abs(grain.apply(image, mine, 1.0, 16, 0.0) - wanted).max() < 1.5


def test_threads_and_tiles_change_nothing() -> None:
    image = np.full((301, 403, 3), 25000, np.uint16)
    mine = film()
    try:
        kernels.set_threads(1)
        one = grain.apply(image, mine)
    finally:
        kernels.set_threads(0)
    np.testing.assert_array_equal(one, grain.apply(image, mine))
    # A place has its grain whatever else is in the picture: the same scale, another height.
    np.testing.assert_array_equal(one[:100], grain.apply(image[:100].copy(), mine))


def test_black_and_white_stay_clean_and_means_stay() -> None:
    mine = film(40)
    for value in (0, 65535):
        assert np.ptp(grain.apply(np.full((64, 64, 3), value, np.uint16), mine, 1.0, 16, 0.0)) == 0
    grey = grain.apply(np.full((600, 900, 3), 30000, np.uint16), mine, 1.0, 16, 0.0).astype(float)
    assert abs(grey.mean() - 30000) < 25
    assert grey.std() > 100


def seen_through_the_hole(field: np.ndarray, pixel_um: float) -> float:
    """Standard deviation of the mean of `field` (periodic) over round holes of 48 µm."""
    reach = math.ceil(24 / pixel_um)
    fine = (np.arange(-10 * reach - 5, 10 * reach + 5) + 0.5) / 10 * pixel_um  # the parts of pixels that it covers
    hole = (np.hypot(fine[:, None], fine) <= 24).reshape(2 * reach + 1, 10, 2 * reach + 1, 10).mean((1, 3))
    spectrum = np.fft.rfft2(field - field.mean()) * np.fft.rfft2(hole / hole.sum(), field.shape)
    return float(np.fft.irfft2(spectrum, field.shape).std())


def test_granularity_is_what_the_look_says() -> None:
    """At density 1 a hole of 48 µm sees G/1000 of density, at any size whose pixels are much smaller than the hole."""
    for long_side, clump_um in ((6000, 4.0), (6000, 9.0), (12000, 6.0)):
        mine = film(20.0, clump_um, "bw")
        image = np.full((700, long_side, 3), round(grain._AT_DENSITY_1 * 65535), np.uint16)
        value = grain.apply(image, mine, 1.0, 16, 0.0)[..., 1] / 65535
        density = -2.4 * np.log10(value)
        assert seen_through_the_hole(density, grain.FRAME_UM / long_side) * 1000 == pytest.approx(20.0, rel=0.03)


def thrown(share: float, radius_px: float, size: int, fine: int, rng: np.random.Generator) -> np.ndarray:
    """The Boolean model itself: discs thrown on a torus, the part of each pixel that they cover (size, size).

    A pixel is sampled at `fine` x `fine` points.
    """
    many, radius = size * fine, radius_px * fine
    covered = np.zeros((many, many), bool)
    count = rng.poisson(-math.log(1 - share) / (math.pi * radius**2) * many * many)
    cy, cx = rng.uniform(0, many, (2, count))
    ry, rx = (np.floor(c).astype(int) for c in (cy, cx))
    reach = range(-math.ceil(radius) - 1, math.ceil(radius) + 2)
    for i in reach:
        for j in reach:
            near = (ry + i + 0.5 - cy) ** 2 + (rx + j + 0.5 - cx) ** 2 <= radius**2
            covered[(ry[near] + i) % many, (rx[near] + j) % many] = True
    return covered.reshape(size, fine, size, fine).mean((1, 3))


def rings(field: np.ndarray) -> np.ndarray:
    """Noise power of a periodic field, averaged over five rings of frequency, the last one being the corners."""
    power = np.abs(np.fft.fft2(field - field.mean())) ** 2 / field.size
    f = np.fft.fftfreq(len(field))
    ring = np.minimum(np.hypot(f[:, None], f) * 8, 4).astype(int)
    ring[0, 0] = 5
    return np.asarray((np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel()))[:5])


@pytest.mark.parametrize(("radius_px", "size", "fine"), [(0.6, 384, 8), (1.1, 448, 6), (2.2, 512, 6)])
def test_grain_is_that_of_thrown_discs(radius_px: float, size: int, fine: int, rng: np.random.Generator) -> None:
    """Variance of pixels within 3 % of a Monte Carlo of the model (their difference is 1 %, the rest is chance), power
    over frequency within 6 % of its peak.
    """
    mine = film(1.0, radius_px * grain.FRAME_UM / size / 2, "bw")
    for share in (0.1, 0.5, 0.85):
        discs = thrown(share, radius_px, size, fine, rng)
        assert discs.mean() == pytest.approx(share, abs=0.01)
        factor = 0.02 / (grain._strength(mine) * discs.std())
        image = np.full((size, size, 3), round(discs.mean() * 65535), np.uint16)  # as much as was covered by chance
        grained = grain.apply(image, mine, factor, 16, 0.0)[..., 1] / 65535
        made = (grained - image[0, 0, 0] / 65535) / (grain._strength(mine) * factor)
        assert made.var() == pytest.approx(discs.var(), rel=0.03)
        np.testing.assert_allclose(rings(made), rings(discs), atol=0.06 * rings(discs).max())


def test_a_large_export_made_small_has_the_grain_of_a_small_one() -> None:
    mine = film(12.0, 5.0, "bw")
    small, large = (
        grain.apply(np.full((600 * n, 2000 * n, 3), 30000, np.uint16), mine, 1.0, 16, 0.0)[..., 1] for n in (1, 3)
    )
    shrunk = large.reshape(600, 3, 2000, 3).mean((1, 3))
    assert shrunk.std() == pytest.approx(small.astype(float).std(), rel=0.03)
    assert rings(shrunk[:, :600]) == pytest.approx(rings(small[:, :600].astype(float)), rel=0.15)


def test_the_polynomials_follow_the_model() -> None:
    """What clumps and white noise add up to, beside the exact integrals, in a pixel and at large scale."""
    v = np.linspace(0.03, 0.97, 50)
    for radius_px in (0.3, 1.0, 4.0):
        taps = grain._filter(radius_px)
        total = float(taps[0] + 2 * taps[1:].sum()) ** 2
        clumps, white = (np.sqrt(v * (1 - v)) * np.polyval(p, np.sqrt(1 - v)) for p in grain._strengths(radius_px))
        variance, power = grain.variances(v, radius_px)
        np.testing.assert_allclose(clumps**2 + 2 * clumps * white * taps[0] ** 2 + white**2, variance, rtol=0.005)
        np.testing.assert_allclose((clumps * total + white) ** 2, power, rtol=0.005)
