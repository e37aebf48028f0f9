"""Banding: what rows are off is found in the dark, and nothing where there is none or too much light."""

from __future__ import annotations

import numpy as np
import pytest
from mosaics import frame

import lichtbild
from lichtbild import types
from lichtbild.develop import banding
from lichtbild.types import F32, Noise

SIZE = (400, 1600)


def dark(
    row: float, column: float, level: float, rng: np.random.Generator, read: float = 8.0
) -> tuple[types.Frame, F32, F32]:
    rows, columns = rng.normal(0, row, SIZE[0]), rng.normal(0, column, SIZE[1])
    light = 64 + level * np.ones(SIZE) + rows[:, None] + columns + rng.normal(0, 8.0, SIZE)
    shot = frame(np.clip(np.rint(light), 0, 1023).astype(np.uint16))
    return shot, rows.astype(np.float32), columns.astype(np.float32)


NOISE = Noise((1e-6,) * 3, ((8.0 / 959) ** 2,) * 3)


@pytest.mark.parametrize("size", [(64, 64), (73, 65), (641, 479), (80, 1203)])
@pytest.mark.parametrize(("period", "dark", "odd"), [(1, 8 * 500, 2000), (2, 8 * 3000, 900), (8, 8 * 65535, 2**30)])
def test_kernels_equal_their_twin(
    size: tuple[int, int], period: int, dark: int, odd: int, rng: np.random.Generator
) -> None:
    mosaic = rng.integers(0, dark // 4, size).clip(0, 65535).astype(np.uint16)
    for axis in (0, 1):
        made = banding.sums(mosaic, axis, period, dark, odd)
        np.testing.assert_array_equal(made, banding.twin(mosaic, axis, period, dark, odd))
        assert made[0].any() and made[1].any()


def test_rows_and_columns_are_found(rng: np.random.Generator) -> None:
    shot, rows, columns = dark(2.0, 1.5, 3.0, rng)
    made = banding.even(shot, NOISE)
    for found, truth in ((made.black_row, rows), (made.black_column, columns)):
        assert found is not None
        assert np.var(truth - found) < 0.25 * np.var(truth)


def test_without_banding_nothing_is_done(rng: np.random.Generator) -> None:
    shot, _, _ = dark(0.0, 0.0, 3.0, rng)
    assert banding.even(shot, NOISE) is shot


def test_light_is_left_alone(rng: np.random.Generator) -> None:
    shot, _, _ = dark(2.0, 0.0, 300.0, rng)
    assert banding.even(shot, NOISE) is shot


def test_a_slope_out_of_the_dark_stays_what_it_is(rng: np.random.Generator) -> None:
    """What is just dark enough must not be chosen by its noise: columns there were raised by half of their noise."""
    slope = np.linspace(0, 60, SIZE[1])
    shot = frame(np.clip(np.rint(64 + slope + rng.normal(0, 8.0, SIZE)), 0, 1023).astype(np.uint16))
    made = banding.even(shot, NOISE)
    assert made.black_column is None or np.abs(made.black_column).max() < 2.0


def test_upright_things_in_the_dark_are_no_banding(rng: np.random.Generator) -> None:
    """Posts from top to bottom, of several widths, a little lighter than the dark behind them."""
    posts = np.zeros(SIZE[1])
    for left in rng.integers(0, SIZE[1] - 40, 60):
        posts[left : left + rng.integers(6, 30)] += rng.uniform(1, 5)
    shot = frame(np.clip(np.rint(64 + 2 + posts + rng.normal(0, 8.0, SIZE)), 0, 1023).astype(np.uint16))
    assert banding.even(shot, NOISE).black_column is None


def test_structure_of_a_part_of_the_picture_is_left_alone(rng: np.random.Generator) -> None:
    shot, _, _ = dark(0.0, 0.0, 6.0, rng)
    assert shot.mosaic is not None
    boards = shot.mosaic.copy()
    boards[:, : SIZE[1] // 2] += (4 * (np.arange(SIZE[0]) // 3 % 2)).astype(np.uint16)[:, None]
    made = banding.even(types.replace(shot, mosaic=boards), NOISE)
    assert made.black_row is None


def test_what_the_file_says_is_kept(rng: np.random.Generator) -> None:
    shot, rows, _ = dark(2.0, 0.0, 3.0, rng)
    known = np.full(SIZE[0], 5.0, np.float32)
    made = banding.even(types.replace(shot, black_row=known), NOISE)
    assert made.black_row is not None and np.corrcoef(made.black_row, rows)[0, 1] > 0.85
    assert made.black_row.mean() == pytest.approx(5.0, abs=0.5)


def test_what_the_file_says_already_is_not_found_again(rng: np.random.Generator) -> None:
    shot, rows, _ = dark(2.0, 0.0, 3.0, rng)
    once = types.replace(shot, black_row=rows)
    assert banding.even(once, NOISE) is once


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (63, 900), (64, 64)])
def test_small_frames_pass(size: tuple[int, int], rng: np.random.Generator) -> None:
    shot = frame(rng.integers(60, 70, size).astype(np.uint16))
    assert banding.even(shot, NOISE).shape == size


def test_a_night_street_loses_its_bands(rng: np.random.Generator) -> None:
    taken = {"frames": 1, "width": 960, "height": 640, "iso": 800, "exposure_s": 0.04, "sensor": "imx477"}
    shot, _ = lichtbild.simulate({"scene": {"name": "street", "lux": 0.3}, "shot": taken})
    first = shot.frames[0]
    assert first.mosaic is not None and first.noise is not None
    sigma = first.noise.offset[1] ** 0.5 * (first.white[0] - float(first.black.mean()))
    rows = np.rint(rng.normal(0, 0.5 * sigma, first.shape[0]))
    worse = types.replace(first, mosaic=np.clip(first.mosaic + rows[:, None], 0, 4095).astype(np.uint16))
    before, made = banding.even(first, first.noise), banding.even(worse, first.noise)
    own = np.zeros(len(rows)) if before.black_row is None else before.black_row
    assert made.black_row is not None
    dark = np.median(first.mosaic, 1) < first.black.mean() + sigma
    assert np.var((rows + own - made.black_row)[dark]) < 0.3 * np.var(rows[dark])


def test_dark_texture_is_no_banding(rng: np.random.Generator) -> None:
    """Shadows full of brushwork, whose columns agree by chance: 0.5 dB of a painting were lost to false columns."""
    grain = rng.normal(0, 1, (SIZE[0] // 8, SIZE[1] // 2)).repeat(8, 0).repeat(2, 1)
    stripes = rng.normal(0, 1, SIZE[1] // 2).repeat(2)
    light = 64 + 16 + 6 * np.abs(grain) + 1.5 * stripes + rng.normal(0, 8.0, SIZE)
    shot = frame(np.clip(np.rint(light), 0, 1023).astype(np.uint16))
    assert banding.even(shot, NOISE) is shot
