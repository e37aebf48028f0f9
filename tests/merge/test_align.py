"""Align: kernels equal twins; known shifts, turns and still pictures are found; tiles without texture follow."""

from __future__ import annotations

import numpy as np
import pytest
from bench import night
from scipy import ndimage

import lichtbild
from lichtbild.develop import front, shading
from lichtbild.merge import add, align, motion, twins

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
    once = twins.halve(plane)
    assert np.array_equal(align.halve(plane), once)
    assert np.array_equal(
        align.quarter(np.stack([once, once // 2])), [twins.halve(twins.halve(p)) for p in (once, once // 2)]
    )


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


@pytest.mark.parametrize("degrees", [1.0, -2.0])
def test_a_turn_is_found(rng, degrees):
    plane = texture(rng, (400, 560))
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    by = np.array([5.0, -8.0]) + np.array([200.0, 280.0]) - turn @ np.array([200.0, 280.0])
    flow = align.estimate(align.pyramid(plane.astype(np.uint16)), align.pyramid(seen(plane, turn, by, rng)), 50.0)
    y, x = np.mgrid[: flow.shape[1], : flow.shape[2]] * 16 + 7.5
    there = np.einsum("ij,jyx->iyx", turn, np.stack([y, x])) + by[:, None, None]
    error = np.hypot(flow[1] - (there[0] - y), flow[0] - (there[1] - x))[1:-1, 1:-1]
    assert np.median(error) < 0.1 and np.quantile(error, 0.95) < 0.3


def test_large_shifts_are_found_with_a_turn(rng):
    plane, turn = texture(rng, (480, 640)), np.array([[np.cos(0.02), np.sin(0.02)], [-np.sin(0.02), np.cos(0.02)]])
    by = np.array([110.0, -170.0]) + np.array([240.0, 320.0]) - turn @ np.array([240.0, 320.0])
    a, b = (align.pyramid(p) for p in (plane.astype(np.uint16), seen(plane, turn, by, rng)))
    flow = align.estimate(a, b, 50.0)
    y, x = np.mgrid[: flow.shape[1], : flow.shape[2]] * 16 + 7.5
    there = np.einsum("ij,jyx->iyx", turn, np.stack([y, x])) + by[:, None, None]
    inside = np.all([(t > 16) & (t < n - 16) for t, n in zip(there, plane.shape, strict=True)], axis=0)
    error = np.hypot(flow[1] - (there[0] - y), flow[0] - (there[1] - x))[inside]
    assert inside.mean() > 0.4 and np.median(error) < 0.1 and np.quantile(error, 0.95) < 0.4


def bend(y, x, by, turn, size):
    """Where (y, x) goes that a camera sees which turns (rad) and shifts (y, x) behind a lens of 4 % distortion."""
    middle, unit = np.array([size[0] - 1, size[1] - 1]) / 2, max(size) / 2
    v, u = (y - middle[0]) / unit, (x - middle[1]) / unit
    far = u * u + v * v
    ideal_v, ideal_u = v * (1 + 0.04 * far), u * (1 + 0.04 * far)
    ideal_v, ideal_u = ideal_v + turn * ideal_u + by[0] / unit, ideal_u - turn * ideal_v + by[1] / unit
    v, u = ideal_v, ideal_u
    for _ in range(20):
        far = u * u + v * v
        v, u = ideal_v / (1 + 0.04 * far), ideal_u / (1 + 0.04 * far)
    return v * unit + middle[0], u * unit + middle[1]


def test_corners_without_texture_follow_a_lens_that_distorts(rng):
    size = (480, 640)
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    plane = texture(rng, size) - 20000
    far = np.hypot((y - 240) / 240, (x - 320) / 320) / np.sqrt(2)
    plane = 20000 + plane * np.clip((0.8 - far) / 0.05, 0, 1)
    back = bend(y, x, (14.0, -22.0), 0.006, size)  # what lies here in the frame came from there
    frame = ndimage.map_coordinates(plane, np.stack(back), order=3, mode="nearest")
    a, b = (np.clip(p + 100 * rng.standard_normal(size), 0, 65535).astype(np.uint16) for p in (plane, frame))
    flow = align.estimate(align.pyramid(a), align.pyramid(b), 200.0)
    ty, tx = np.mgrid[: flow.shape[1], : flow.shape[2]] * 16 + 7.5
    there = np.stack([ty, tx])
    for _ in range(30):  # the way forth from the way back
        there = there + np.stack([ty, tx]) - np.stack(bend(*there, (14.0, -22.0), 0.006, size))
    error = np.hypot(flow[1] - (there[0] - ty), flow[0] - (there[1] - tx))
    outer = np.hypot((ty - 240) / 240, (tx - 320) / 320) / np.sqrt(2) > 0.82
    inside = np.all([(t > 16) & (t < n - 16) for t, n in zip(there, size, strict=True)], axis=0)
    assert np.median(error[inside & ~outer]) < 0.08
    assert (inside & outer).sum() > 40 and np.median(error[inside & outer]) < 0.15


def test_a_hand_that_shakes_while_rows_are_read():
    """The lake behind its lens, ten times the shake of a hand, rolling shutter."""
    taken = {"frames": 2, "width": 640, "height": 480, "shake": 10.0, "exposure_s": 0.004, "readout_ms": 30.0}
    shot, truth = lichtbild.simulate({"scene": {"name": "lake"}, "shot": taken})
    noise, even = shot.frames[0].noise, shading.prepare(shot.frames[0], 1.0)
    codes = [front.run(f, night.EVEN, noise, night.VALUES, even) for f in shot.frames]
    planes = [align.pyramid(add.guide(code).fine[0]) for code, _ in codes]
    flow = align.blocks(align.estimate(*planes, codes[0][1].sigma[1]), (480, 640))
    true = truth.flow(1, 16)
    error = np.hypot(*(flow - true))[~truth.hidden(1)[::16, ::16]]
    assert np.ptp(true[0]) > 2 and np.median(error) < 0.15 and np.quantile(error, 0.95) < 0.4


def test_the_motion_of_the_whole_bends_only_where_that_is_no_chance(rng):
    y, x = ((np.arange(n, dtype=np.float32) - (n - 1) / 2) / n for n in (30, 40))
    y, x = y[:, None], x[None, :]
    plain = np.stack([3 + 0.5 * x + 0.2 * y, 1 - 0.2 * x + 0 * y])
    curved = plain + np.stack([0.9 * x * x + 0 * y, 0.7 * x * y])
    one = np.ones((30, 40), np.float32)
    for true in (plain, curved):
        flow = (true + rng.normal(0, 0.1, true.shape)).astype(np.float32)
        flow[:, 5:12, 5:12] += 6  # what goes its own way
        found = motion.whole(flow, one, True)
        assert np.abs(found - true).max() < 0.06
        assert (np.abs(motion.whole(flow, one) - true).max() < 0.04) == (true is plain)
    noise = (plain + rng.normal(0, 0.3, plain.shape)).astype(np.float32)
    assert np.array_equal(motion.whole(noise, one, True), motion.whole(noise, one))


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
