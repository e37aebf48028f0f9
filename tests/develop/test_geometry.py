"""Geometry: the kernel against its twin, the warp against the standard's formula, and identity."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from lichtbild.develop import geometry
from lichtbild.types import Frame, Warp, replace


def frame(shape: tuple[int, int], *warps: Warp) -> Frame:
    return Frame(pathlib.Path("x.dng"), "RGGB", np.zeros(shape, np.uint16), None, np.zeros((1, 1, 1), np.float32), (1,),
                 warps=warps)  # fmt: skip


BARREL = Warp(np.array([[0.97, 0.03, -0.01, 0.002, 0.001, -0.0005]]), (0.5, 0.48))
LATERAL = Warp(np.array([[1.001, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0.999, 0.0005, 0, 0, 0, 0]]), (0.5, 0.5))
STRONG = Warp(np.array([[0.7, 0.2, 0.3, -0.1, 0.01, 0.02]]), (0.5, 0.5))  # pixels of a block move apart by up to 5


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (479, 641)])
@pytest.mark.parametrize("warps", [(BARREL,), (LATERAL,), (BARREL, LATERAL), (STRONG,)])
def test_kernel_equals_twin(shape: tuple[int, int], warps: tuple[Warp, ...], rng: np.random.Generator) -> None:
    grid = geometry.prepare(frame(shape, *warps), {"correct": True, "fill": False})
    assert grid is not None
    code = rng.integers(0, 65536, (3, *shape), dtype=np.uint16)
    wide = np.zeros((3, shape[0], shape[1] + 5), np.uint16)
    wide[:, :, : shape[1]] = code
    expected = geometry.twin(code, grid).astype(int)
    got = geometry.apply(wide[:, :, : shape[1]], grid)
    # float32 coordinates against float64 ones on white noise: a 1e-4 px difference is a few codes of 65535.
    assert np.abs(got - expected).max() <= 40
    assert np.abs(got - expected).mean() < 2


def test_no_warp_or_switched_off_is_no_pass() -> None:
    assert geometry.prepare(frame((9, 9)), {"correct": True, "fill": False}) is None
    assert geometry.prepare(frame((9, 9), BARREL), {"correct": False, "fill": False}) is None


def test_unit_warp_is_identity(rng: np.random.Generator) -> None:
    unit = Warp(np.array([[1.0, 0, 0, 0, 0, 0]]), (0.5, 0.5))
    grid = geometry.prepare(frame((60, 80), unit), {"correct": True, "fill": False})
    assert grid is not None
    code = rng.integers(0, 65536, (3, 60, 80), dtype=np.uint16)
    assert np.abs(geometry.apply(code, grid).astype(int) - code).max() <= 12


def test_radial_term_moves_the_corner_as_the_standard_says() -> None:
    warp = Warp(np.array([[0.9, 0.1, 0, 0, 0, 0]]), (0.5, 0.5))
    x, y = geometry.bend(warp, 0, np.array([100.0, 50.0]), np.array([100.0, 50.0]), (101, 101))
    # r = 1 at the corner: 0.9 + 0.1 leaves it in place; the centre never moves.
    assert np.allclose(x, [100, 50]) and np.allclose(y, [100, 50])


def test_grid_is_fine_enough() -> None:
    shape = (3000, 4000)
    grid = geometry.prepare(frame(shape, BARREL), {"correct": True, "fill": False})
    assert grid is not None
    x, y = np.array([1237.0, 3991.0, 8.0]), np.array([2993.0, 5.0, 1504.0])
    exact = geometry.bend(BARREL, 0, x, y, shape)
    gy, gx = (y // 16).astype(int), (x // 16).astype(int)
    fy, fx = y % 16 / 16, x % 16 / 16
    for k in (0, 1):
        g = grid[0, k].astype(float)
        between = (g[gy, gx] * (1 - fx) + g[gy, gx + 1] * fx) * (1 - fy) + (
            g[gy + 1, gx] * (1 - fx) + g[gy + 1, gx + 1] * fx
        ) * fy
        assert np.abs(between - exact[k]).max() < 1e-3


@pytest.mark.parametrize("warps", [(), (BARREL,)])
def test_cells_of_a_bent_map_are_found_in_the_straight_picture(warps: tuple[Warp, ...]) -> None:
    shape = (600, 800)
    grid = geometry.prepare(frame(shape, *warps), {"correct": True, "fill": False})
    rows, columns = geometry.cells((75, 100), (150, 200), grid)
    x, y = np.broadcast_arrays(columns * 4.0 + 2, rows * 4.0 + 2)
    if warps:
        x, y = geometry.bend(BARREL, 0, x, y, shape)
    away = np.hypot(y - (np.arange(75)[:, None] * 8 + 4), x - (np.arange(100) * 8 + 4))
    assert away[3:-3, 3:-3].max() < 4, "half a cell"


# The simulator's lenses ask for pixels beyond the frame: their straightened borders were streaks of its edge.
PINCUSHION = Warp(np.array([[1.0, 0.02, 0, 0, 0.001, 0]]), (0.5, 0.48))
TURNED = Warp(np.array([[1.001, 0.005, 0, 0, 0, 0], [1, 0.005, 0, 0, 0, 0]]), (0.5, 0.5))


@pytest.mark.parametrize("warps", [(PINCUSHION,), (TURNED,), (PINCUSHION, TURNED)])
@pytest.mark.parametrize("shape", [(480, 640), (49, 1041)])
def test_a_straightened_picture_is_filled(warps: tuple[Warp, ...], shape: tuple[int, int]) -> None:
    beyond = []
    for fill in (False, True):
        grid = geometry.prepare(frame(shape, *warps), {"correct": True, "fill": fill})
        assert grid is not None
        seen = grid[:, :, :-1, :-1]  # the last points lie outside the picture
        beyond.append(max(-seen.min(), seen[:, 0].max() - shape[1] + 1, seen[:, 1].max() - shape[0] + 1))
    assert beyond[0] > 0.5 >= beyond[1]


def test_a_small_copy_is_enlarged_as_the_frame_is() -> None:
    values, whole = {"correct": True, "fill": True}, frame((480, 640), PINCUSHION)
    large, small = geometry.prepare(whole, values), geometry.prepare(whole, values, (120, 160))
    assert large is not None and small is not None
    assert np.abs(large[:, :, ::4, ::4][:, :, :7, :9] / 4 - small[:, :, :7, :9]).max() < 0.6  # of its pixels


def test_a_picture_that_is_whole_is_not_enlarged() -> None:
    shape = (480, 640)
    inner = replace(frame(shape, PINCUSHION), crop=(60, 80, 360, 480))
    for whole in (frame(shape, BARREL), inner):
        plain, filled = (geometry.prepare(whole, {"correct": True, "fill": fill}) for fill in (False, True))
        assert plain is not None and np.array_equal(plain, filled)
