"""Defects: what is wrong goes, what is light stays."""

from __future__ import annotations

import numpy as np
import pytest
from mosaics import SIZES, frame

from lichtbild.develop import defects
from lichtbild.types import BAYER, Encoding

LIMIT = (600, 500, 550)


def grey(rng: np.random.Generator, size: tuple[int, int], sigma: float = 100) -> np.ndarray:
    return np.rint(np.clip(rng.normal(9000, sigma, size), 0, 32767)).astype(np.uint16)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cfa", BAYER)
def test_kernel_is_twin(size: tuple[int, int], cfa: str, rng: np.random.Generator) -> None:
    half = grey(rng, size)
    half[rng.random(size) < 0.01] = 32767
    half[rng.random(size) < 0.01] = 0
    found = defects.apply(half, cfa, LIMIT, 0.8)
    np.testing.assert_array_equal(found, defects.twin(half, cfa, LIMIT, 0.8))


def test_views_with_strides(rng: np.random.Generator) -> None:
    half = grey(rng, (80, 90))[1::2, 7:70]
    half[20, 30] = 30000
    np.testing.assert_array_equal(defects.apply(half, "GRBG", LIMIT), defects.twin(half, "GRBG", LIMIT))


@pytest.mark.parametrize("value", [0, 15000, 32767])
def test_single_pixels_are_repaired(value: int, rng: np.random.Generator) -> None:
    half = grey(rng, (64, 64))
    places = [(9, 12), (0, 33), (40, 63), (31, 30)]
    for place in places:
        half[place] = value
    found = defects.apply(half, "RGGB", LIMIT)
    for place in places:
        assert abs(int(found[place]) - 9000) < 500
    assert np.count_nonzero(found != half) == len(places)


def test_noise_is_left_alone(rng: np.random.Generator) -> None:
    half = grey(rng, (512, 512))
    assert np.count_nonzero(defects.apply(half, "RGGB", LIMIT) != half) <= 2


def test_stars_and_lines_stay() -> None:
    y, x = np.mgrid[:64, :64]
    for cy, cx in ((20.0, 20.0), (40.3, 31.6), (33.0, 50.5)):
        star = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * 0.7**2))
        half = np.rint(32767 * np.sqrt(0.01 + 0.9 * star)).astype(np.uint16)
        np.testing.assert_array_equal(defects.apply(half, "RGGB", LIMIT), half)
    line = np.full((64, 64), 5000, np.uint16)
    line[30], line[:, 17] = 20000, 20000
    np.testing.assert_array_equal(defects.apply(line, "RGGB", LIMIT), line)


def test_strength_and_limits(rng: np.random.Generator) -> None:
    half = grey(rng, (16, 16), 0)
    half[8, 8] = 19000
    assert defects.apply(half, "RGGB", LIMIT, 0.5)[8, 8] == 14000
    assert defects.apply(half, "RGGB", LIMIT, 0.0)[8, 8] == 19000
    assert defects.limits(Encoding(50000, (0, 0, 0), (400, 300, 0)), 5.0) == (1000, 750, 128)


def test_listed_pixels(rng: np.random.Generator) -> None:
    mosaic = grey(rng, (32, 32), 20)
    mosaic[10, 10] = mosaic[10, 12] = mosaic[0, 0] = 0
    shot = frame(mosaic, bad_pixels=np.array([[10, 10], [10, 12], [0, 0], [99, 3]], np.int32))
    found = defects.listed(shot)
    assert mosaic[10, 10] == 0
    for place in ((10, 10), (10, 12), (0, 0)):
        assert abs(int(found[place]) - 9000) < 100
    assert np.count_nonzero(found != mosaic) == 3
    assert defects.listed(frame(mosaic)) is mosaic
