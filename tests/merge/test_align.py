"""Align: kernels equal twins; known shifts, turns and still pictures are found; tiles without texture follow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from lichtbild.merge import align, twins

SIGMA = 1200.0  # of codes: ISO 1600 of a phone


def texture(rng, shape, scale=1.5):
    """Codes of a picture with detail at all scales."""
    made = sum(ndimage.gaussian_filter(rng.standard_normal(shape), scale * 2**k) * 2**k for k in range(5))
    return 20000 + 2500 * made / made.std()


def seen(plane, matrix, by, rng, sigma=0.0):
    """`plane` as a frame sees it: what lies at p in the reference lies at matrix @ p + by, (y, x)."""
    back = np.linalg.inv(matrix)
    moved = ndimage.affine_transform(plane, back, -back @ np.asarray(by), order=3, mode="mirror")
    return np.clip(moved + sigma * rng.standard_normal(plane.shape), 0, 65535).astype(np.uint16)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (2, 40), (241, 179)])
def test_halving_equals_its_twin(rng, shape):
    plane = rng.integers(0, 65536, shape, dtype=np.uint16)
    assert np.array_equal(align.halve(plane), twins.halve(plane))


@pytest.mark.parametrize("shape", [(18, 18), (33, 70), (130, 101)])
def test_costs_and_normal_equations_equal_their_twins(rng, shape):
    a, b = (rng.integers(0, 65536, shape, dtype=np.uint16) for _ in range(2))
    tiles = tuple(-(-n // align.TILE) for n in shape)
    moves = rng.integers(-9, 10, (3, 2, *tiles))
    assert np.array_equal(align.cost(a, b, moves), twins.cost(a, b, moves))
    flow = rng.uniform(-9, 9, (2, *tiles)).astype(np.float32)
    assert np.allclose(align.normals(a, b, flow), twins.normals(a, b, flow), rtol=2e-4, atol=2e3)


@pytest.mark.parametrize("by", [(0.0, 0.0), (0.4, -0.7), (13.25, -21.5)])
def test_shifts_are_found_to_a_fraction_of_a_cell(rng, by):
    plane = texture(rng, (300, 420))
    a, b = (seen(plane, np.eye(2), s, rng, SIGMA / 2) for s in ((0, 0), by))
    flow = align.estimate(align.pyramid(a), align.pyramid(b), SIGMA)
    error = np.hypot(flow[0] - by[1], flow[1] - by[0])
    assert np.median(error) < 0.1 and error.max() < 0.5


def test_a_turn_is_found(rng):
    plane = texture(rng, (400, 560))
    angle = np.radians(1.0)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    by = np.array([5.0, -8.0]) + np.array([200.0, 280.0]) - turn @ np.array([200.0, 280.0])
    flow = align.estimate(align.pyramid(plane.astype(np.uint16)), align.pyramid(seen(plane, turn, by, rng)), 50.0)
    y, x = np.mgrid[: flow.shape[1], : flow.shape[2]] * 16 + 7.5
    there = np.einsum("ij,jyx->iyx", turn, np.stack([y, x])) + by[:, None, None]
    error = np.hypot(flow[1] - (there[0] - y), flow[0] - (there[1] - x))[1:-1, 1:-1]
    assert np.median(error) < 0.1 and np.quantile(error, 0.95) < 0.3


def test_tiles_without_texture_follow_the_others(rng):
    plane = texture(rng, (320, 400))
    plane[100:220, 120:300] = 20000
    a, b = (seen(plane, np.eye(2), s, rng, SIGMA / 2) for s in ((0, 0), (3.5, -6.25)))
    flow = align.estimate(align.pyramid(a), align.pyramid(b), SIGMA)
    error = np.hypot(flow[0] + 6.25, flow[1] - 3.5)[8:12, 9:17]
    assert np.median(error) < 0.1 and np.quantile(error, 0.9) < 0.4


def test_what_moves_by_itself_goes_its_own_way(rng):
    plane, thing = texture(rng, (320, 400)), texture(rng, (96, 96)) + 4000
    frames = []
    for shift in (0, 5):
        whole = plane.copy()
        whole[96:192, 128 + shift : 224 + shift] = thing
        frames.append(align.pyramid(np.clip(whole, 0, 65535).astype(np.uint16)))
    flow = align.estimate(*frames, 100.0)
    assert np.abs(flow[0, 7:11, 9:13] - 5).max() < 0.2 and np.abs(flow[0, :4]).max() < 0.1


@pytest.mark.parametrize("shape", [(1, 1), (17, 300), (18, 18), (40, 40)])
@pytest.mark.parametrize("level", [0, 65535])
def test_nothing_to_see_lies_where_it_is(shape, level):
    planes = align.pyramid(np.full(shape, level, np.uint16))
    assert np.abs(align.estimate(planes, planes, SIGMA)).max() == 0


def test_unrelated_pictures_give_finite_moves(rng):
    a, b = (align.pyramid(rng.integers(0, 65536, (200, 300), dtype=np.uint16)) for _ in range(2))
    assert np.isfinite(align.estimate(a, b, SIGMA)).all()


def test_blocks_lie_between_tiles_that_move_alike():
    flow = np.zeros((2, 3, 4), np.float32)
    flow[0] = np.arange(4) * 0.1
    flow[0, 2] = 9.0
    blocks = align.blocks(flow, (90, 120))
    assert blocks.shape == (2, 6, 8)
    assert np.allclose(blocks[0, 0, 1:7], 2 * (np.arange(1, 7) / 2 - 0.25) * 0.1, atol=1e-6)
    assert np.all(blocks[0, 5] == 18)


def test_a_tile_that_errs_is_brought_back_and_one_that_goes_its_own_way_is_not(rng):
    y, x = np.mgrid[:20, :24].astype(float)
    true = np.stack([2 + 0.02 * y + 0.001 * x * x, 0.5 - 0.03 * x])
    for wrong, kept in ((0.6, False), (3.0, True)):
        flow = true + rng.normal(0, 0.02, true.shape)
        flow[0, 9, 7] += wrong
        away = np.abs(align.calm(flow) - true)
        assert (away[0, 9, 7] > 2.5) == kept and np.median(away) < 0.015
        away[0, 9, 7] = 0
        assert away.max() < 0.12
