"""Black: kernel and twin, the tags it is made of."""

from __future__ import annotations

import numpy as np
import pytest
from mosaics import SIZES, frame

from lichtbild.develop import black
from lichtbild.types import replace


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("planes", [1, 3])
def test_kernel_is_twin(size: tuple[int, int], planes: int, rng: np.random.Generator) -> None:
    numbers = rng.integers(0, 65536, (planes, *size), dtype=np.uint16)
    pattern = rng.uniform(0, 512, (3, 2, planes)).astype(np.float32)
    rows, columns = (rng.normal(0, 3, n).astype(np.float32) for n in size)
    shot = frame(numbers[0], black=pattern, black_row=rows, black_column=columns)
    shot = shot if planes == 1 else replace(shot, cfa="RGB", mosaic=None, rgb=numbers)
    table = black.prepare(shot, shift=2.0)
    np.testing.assert_allclose(black.apply(numbers, table), black.twin(numbers, table), atol=1e-2)


def test_views_with_strides(rng: np.random.Generator) -> None:
    numbers = rng.integers(0, 4096, (1, 40, 64), dtype=np.uint16)[:, 3::2, 5:50]
    table = black.prepare(frame(numbers[0]))
    np.testing.assert_array_equal(black.apply(numbers, table), black.twin(numbers, table))


def test_level_is_pattern_plus_row_plus_column() -> None:
    pattern = np.array([[10, 20], [30, 40]], np.float32)[:, :, None]
    shot = frame(
        np.zeros((4, 6), np.uint16), black=pattern, black_row=np.arange(4, dtype=np.float32),
        black_column=np.arange(6, dtype=np.float32) * 100,
    )  # fmt: skip
    dark = black.apply(black.raw(shot), black.prepare(shot))[0]
    assert dark[2, 3] == -(20 + 2 + 300)
    assert dark[3, 4] == -(30 + 3 + 400)
