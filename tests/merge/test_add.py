"""Add: kernels equal twins at odd sizes; still light is believed and averaged, what moved is not."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild.merge import add, twins

SIGMA = (900.0, 1100.0, 1000.0)
SHAPES = [(1, 1), (7, 5), (33, 20), (97, 131)]


def codes(rng, shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    base = 15000 + 30 * x + 20 * y + 9000 * ((x // 9 + y // 14) % 2)
    return np.clip(base + 900 * rng.standard_normal((3, *shape)), 0, 65535).astype(np.uint16)


def flow(rng, shape, most=6.0):
    return rng.uniform(-most, most, (2, add.whole(shape[0]) // 16, add.whole(shape[1]) // 16)).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_guides_equal_their_twin(rng, shape):
    assert np.array_equal(add.guide(codes(rng, shape)).fine, twins.guide(codes(np.random.default_rng(1), shape)))


def test_guides_take_views(rng):
    frame = add.padded(1, (40, 50))[0]
    view = add.inner(frame, (40, 50))
    view[:] = codes(rng, (40, 50))
    assert np.array_equal(add.guide(view).fine, add.guide(np.ascontiguousarray(view)).fine)


@pytest.mark.parametrize("shape", [(7, 5), (33, 20), (97, 131)])
@pytest.mark.parametrize("most", [0.0, 6.0, 400.0])
def test_trust_equals_its_twin(rng, shape, most):
    a, b, by = add.guide(codes(rng, shape)), add.guide(codes(rng, shape)), flow(rng, shape, most)
    found, expected = (f(a, b, by, SIGMA, add.Doubt()) for f in (add.trust, twins.trust))
    assert found.shape == expected.shape == (add.whole(shape[0]) // 2, add.whole(shape[1]))
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_sums_equal_their_twin(rng):
    shape = (45, 70)
    frames, by = add.padded(3, shape), np.stack([flow(rng, shape, m) for m in (0.0, 6.0, 90.0)])
    for f in frames:
        add.inner(f, shape)[:] = codes(rng, shape)
    believed = rng.integers(0, 256, (3, 24, 80), dtype=np.uint8)
    found = rng.uniform(0, 1e6, (3, 48, 80)).astype(np.float32)
    expected = twins.add(found, frames, by, believed)
    add.add(found, frames, by, believed)
    assert np.allclose(found, expected, rtol=1e-5, atol=8)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_end_equals_its_twin(rng, shape):
    sums = rng.uniform(0, 3e7, add.sums(shape).shape).astype(np.float32)
    total = rng.integers(0, 2000, (add.whole(shape[0]) // 2, add.whole(shape[1])), dtype=np.uint16)
    found, expected = (
        f(sums, total, codes(np.random.default_rng(2), shape), (1e6, 2e6, 3e6)) for f in (add.done, twins.done)
    )
    assert np.abs(found.astype(int) - expected).max() <= 1


def noisy(rng, light, sigma=1000.0):
    return np.clip(light + sigma * rng.standard_normal((3, *light.shape[-2:])), 0, 65535).astype(np.uint16)


def test_still_light_is_believed_and_what_moved_is_not(rng):
    light = np.full((160, 160), 20000.0)
    other = light.copy()
    other[60:100, 60:100] += 4000
    still = np.zeros((2, 10, 10), np.float32)
    a = add.guide(noisy(rng, light))
    # White noise in all three colours: less correlated than that of a demosaic, for which the limits are made.
    sigma = (1300.0, 1900.0, 1300.0)
    believed = add.trust(a, add.guide(noisy(rng, light)), still, sigma, add.Doubt())
    assert (believed == 255).mean() > 0.97
    believed = add.trust(a, add.guide(noisy(rng, other)), still, sigma, add.Doubt()).repeat(2, 0)
    assert believed[64:96, 64:96].max() == 0 and (believed[:40] == 255).mean() > 0.97


def test_nothing_beyond_the_frame_is_believed(rng):
    a = add.guide(np.full((3, 64, 64), 20000, np.uint16))
    by = np.full((2, 4, 4), 0.0, np.float32)
    by[0] = 20.0
    believed = add.trust(a, a, by, SIGMA, add.Doubt())
    assert believed[:, 46:].max() == 0 and believed[:, :40].min() == 255
