"""The simple sensor: what it declares of itself is what its numbers show."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild.sensor.virtual import BLACK_DN, WHITE_DN, expose, shading


@pytest.mark.parametrize("iso", [100, 1600])
def test_noise_is_as_declared(iso: float) -> None:
    flat = np.ones((3, 512, 512), np.float32)
    first, second = (expose(flat, 0.3, iso, seed) for seed in (1, 2))
    assert first.mosaic is not None and second.mosaic is not None and first.noise is not None
    gain = shading((512, 512))
    a, b = ((f.mosaic - float(BLACK_DN)) / (WHITE_DN - BLACK_DN) for f in (first, second))
    for row, column, plane in ((0, 0, 0), (0, 1, 1), (1, 1, 2)):
        mean = ((a + b) / 2)[row::2, column::2]
        variance = ((a - b) ** 2 / 2)[row::2, column::2]
        expected = first.noise.scale[plane] * mean + first.noise.offset[plane]
        # The variance of a variance estimate from n pairs is 2/n: five standard deviations.
        assert abs(variance.mean() / expected.mean() - 1) < 5 * np.sqrt(2 / variance.size)
    assert 0.5 < gain.min() < 0.6 and gain.max() <= 1


def test_green_of_a_white_card_is_the_exposure() -> None:
    f = expose(np.ones((3, 256, 256), np.float32), 0.4)
    assert f.mosaic is not None
    centre = f.mosaic[120:136, 121:137:2][::2].mean()
    assert abs((centre - BLACK_DN) / (WHITE_DN - BLACK_DN) - 0.4) < 0.004


def test_same_seed_same_numbers() -> None:
    light = np.full((3, 20, 30), 0.2, np.float32)
    a, b = expose(light, 0.5).mosaic, expose(light, 0.5).mosaic
    assert a is not None and np.array_equal(a, b)
