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


def test_granularity_is_what_the_look_says() -> None:
    """At density 1 a hole of 48 µm sees G/1000 of density, on a small export and on a large one."""
    for long_side in (1500, 3000, 6000):
        mine = film(20.0, 6.0, "bw")
        image = np.full((700, long_side, 3), round(grain._AT_DENSITY_1 * 65535), np.uint16)
        value = grain.apply(image, mine, 1.0, 16, 0.0)[..., 0] / 65535
        density = -2.4 * np.log10(value)
        pixel_um = grain.FRAME_UM / long_side
        y, x = np.mgrid[-24 / pixel_um : 24 / pixel_um : 1, -24 / pixel_um : 24 / pixel_um : 1] * pixel_um
        hole = (np.hypot(x, y) <= 24).astype(float)
        hole /= hole.sum()
        spectrum = np.fft.rfft2(density - density.mean()) * np.fft.rfft2(hole, density.shape)
        seen = np.fft.irfft2(spectrum, density.shape).std()
        assert seen * 1000 == pytest.approx(20.0, rel=0.15)


def test_strength_over_lightness_is_that_of_thrown_discs(rng: np.random.Generator) -> None:
    """Discs of radius 2 px thrown on 490 x 490 points: the variance of means over 35 x 35 blocks, per disc area."""
    size, radius, block = 490, 2.0, 35
    for share in (0.1, 0.5, 0.85):
        count = -math.log(1 - share) / (math.pi * radius**2)
        covered = np.zeros((size, size), bool)
        reach = np.arange(-3, 4)
        for cy, cx in rng.uniform(0, size, (rng.poisson(count * size * size), 2)).tolist():
            ys, xs = int(cy) + reach, int(cx) + reach
            near = (ys[:, None] + 0.5 - cy) ** 2 + (xs + 0.5 - cx) ** 2 <= radius**2
            covered[np.ix_(ys % size, xs % size)] |= near
        means = covered.reshape(size // block, block, size // block, block).mean((1, 3))
        measured = means.var() * block**2 / (math.pi * radius**2)
        wanted = grain.covariance_area(np.array([covered.mean()]))[0]
        assert measured == pytest.approx(wanted, rel=0.35)  # 196 blocks: 10 % of one standard error, and edges


def test_the_polynomial_follows_the_model() -> None:
    powers, _ = grain._shape()
    v = np.linspace(0.05, 0.95, 50)
    fitted = np.sqrt(v * (1 - v)) * np.polyval(powers, v)
    np.testing.assert_allclose(fitted, np.sqrt(grain.covariance_area(v)), rtol=0.03)
