"""Shading: kernel and twin, and the formula of the DNG specification pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from mosaics import SIZES, frame, gain_map

from lichtbild.develop import shading
from lichtbild.types import Frame, GainMap, Vignette, replace


def formula(m: GainMap, y: int, x: int, shape: tuple[int, int], layer: int = 0) -> float:
    """The gain of one pixel, as the specification words it."""
    place = []
    for value, size, origin, spacing, count in zip(
        (y, x), shape, m.origin, m.spacing, m.gains.shape[:2], strict=True
    ):  # fmt: skip
        position = ((value + 0.5) / size - origin) / spacing
        place.append(min(max(position, 0.0), count - 1.0))
    v, h = place
    i, j = min(int(v), m.gains.shape[0] - 2), min(int(h), m.gains.shape[1] - 2)
    g = m.gains[:, :, layer].astype(float)
    above = g[i, j] + (g[i, j + 1] - g[i, j]) * (h - j)
    below = g[i + 1, j] + (g[i + 1, j + 1] - g[i + 1, j]) * (h - j)
    return float(above + (below - above) * (v - i))


def light(shot: Frame) -> np.ndarray:
    return np.ones((1 if shot.rgb is None else 3, *shot.shape), np.float32)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("planes", [1, 3])
def test_kernel_is_twin(size: tuple[int, int], planes: int, rng: np.random.Generator) -> None:
    shot = frame(np.zeros(size, np.uint16), vignettes=(Vignette((0.3, 0.2, 0.1, 0, 0), (0.45, 0.55)),))
    if planes == 3:
        shot = replace(shot, cfa="RGB", mosaic=None, rgb=np.zeros((3, *size), np.uint16))
    shot = replace(shot, gain_maps=(gain_map(rng, (0, 0, *size), 1, planes),))
    table = shading.prepare(shot)
    values = rng.uniform(0, 1, (planes, *size)).astype(np.float32)
    np.testing.assert_allclose(shading.apply(values, table), shading.twin(values, table), rtol=1e-5)


def test_four_maps_one_per_site(rng: np.random.Generator) -> None:
    size = (61, 83)
    maps = tuple(gain_map(rng, (top, left, *size), 2) for top in (0, 1) for left in (0, 1))
    shot = frame(np.zeros(size, np.uint16), gain_maps=maps)
    gains = shading.apply(light(shot), shading.prepare(shot))[0]
    for y, x in ((0, 0), (13, 8), (30, 41), (60, 82), (5, 80), (59, 1)):
        assert gains[y, x] == pytest.approx(formula(maps[2 * (y % 2) + x % 2], y, x, size), rel=1e-5)


def test_part_of_the_picture(rng: np.random.Generator) -> None:
    size, region = (60, 70), (11, 20, 43, 51)
    m = gain_map(rng, region, 1)
    shot = frame(np.zeros(size, np.uint16), gain_maps=(m,))
    gains = shading.apply(light(shot), shading.prepare(shot))[0]
    for y in range(60):
        for x in (0, 19, 20, 33, 50, 51, 69):
            inside = 11 <= y < 43 and 20 <= x < 51
            assert gains[y, x] == pytest.approx(formula(m, y, x, size) if inside else 1.0, rel=1e-5)


def test_planes_of_linear_light(rng: np.random.Generator) -> None:
    size = (33, 40)
    m = gain_map(rng, (0, 0, *size), 1, 3)
    shot = replace(
        frame(np.zeros(size, np.uint16)), cfa="RGB", mosaic=None, rgb=np.zeros((3, *size), np.uint16), gain_maps=(m,)
    )
    gains = shading.apply(light(shot), shading.prepare(shot))
    for c in range(3):
        assert gains[c, 17, 9] == pytest.approx(formula(m, 17, 9, size, c), rel=1e-5)


@pytest.mark.parametrize("pitch", [3, 4])
def test_odd_pitches(pitch: int, rng: np.random.Generator) -> None:
    size = (41, 37)
    m = gain_map(rng, (2, 1, *size), pitch)
    shot = frame(np.zeros(size, np.uint16), gain_maps=(m,))
    gains = shading.apply(light(shot), shading.prepare(shot))[0]
    for y in range(41):
        for x in range(37):
            on = y >= 2 and x >= 1 and (y - 2) % pitch == 0 and (x - 1) % pitch == 0
            assert gains[y, x] == pytest.approx(formula(m, y, x, size) if on else 1.0, rel=1e-5)


def test_vignette_and_strength() -> None:
    size = (101, 151)
    v = Vignette((0.5, 0.25, 0.0, 0.0, 0.125), (0.5, 0.5))
    shot = frame(np.zeros(size, np.uint16), vignettes=(v,))
    full = shading.apply(light(shot), shading.prepare(shot))[0]
    assert full[50, 75] == pytest.approx(1.0)
    assert full[0, 0] == pytest.approx(1.875, rel=1e-4)
    r2 = (40**2 + 60**2) / (50**2 + 75**2)
    assert full[10, 135] == pytest.approx(1 + 0.5 * r2 + 0.25 * r2**2 + 0.125 * r2**5, rel=1e-3)
    half = shading.apply(light(shot), shading.prepare(shot, 0.5))[0]
    np.testing.assert_allclose(half - 1, 0.5 * (full - 1), atol=1e-4)
    assert shading.prepare(shot, 0.0).peak == 1.0


def test_without_maps_nothing_changes(rng: np.random.Generator) -> None:
    values = rng.uniform(-1, 1, (1, 9, 11)).astype(np.float32)
    shot = frame(np.zeros((9, 11), np.uint16))
    np.testing.assert_array_equal(shading.apply(values, shading.prepare(shot)), values)
