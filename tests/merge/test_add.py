"""Add: kernels equal twins at odd sizes; still light is believed and averaged, what moved is not."""

from __future__ import annotations

import numpy as np
import pytest
from bench import sb1

from lichtbild import recipe
from lichtbild.develop import defects, front, shading
from lichtbild.light import WHITE_D65
from lichtbild.merge import add, twins
from lichtbild.types import BAYER, White

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
    view = add.Planes(1, (40, 50)).room(0)
    view[:] = codes(rng, (40, 50))
    assert np.array_equal(add.guide(view).fine, add.guide(np.ascontiguousarray(view)).fine)


@pytest.mark.parametrize("shape", [(7, 5), (33, 20), (97, 131)])
@pytest.mark.parametrize("most", [0.0, 6.0, 400.0])
def test_trust_equals_its_twin(rng, shape, most):
    a, b, by = add.guide(codes(rng, shape)), add.guide(codes(rng, shape)), flow(rng, shape, most)
    noise = np.geomspace(1.0, 2.0, 256).astype(np.float32)
    found = add.trust(a, b, by, add.rates(a, SIGMA, add.Doubt(), noise), add.Doubt())
    expected = twins.trust(a, b, by, SIGMA, add.Doubt(), noise)
    assert found.shape == expected.shape == tuple(add.whole(n) // 2 for n in shape)
    # The frame is interpolated to a code, and a code is a hundredth of the noise.
    assert np.abs(found.astype(int) - expected).max() <= 4


def mean_of(rng, shape, count):
    """Codes so far, how much they count, and how further frames lie and count."""
    total = rng.integers(255, 3000, tuple(add.whole(n) // 2 for n in shape), dtype=np.uint16)
    by = np.stack([flow(rng, shape, m) for m in (0.0, 6.0, 90.0)[:count]])
    return codes(rng, shape), total, by, rng.integers(0, 256, (count, *total.shape), dtype=np.uint8)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mean_equals_its_twin(rng, shape):
    rooms = add.Planes(3, shape)
    for k in range(3):
        rooms.room(k)[:] = codes(rng, shape)
    found, total, by, weight = mean_of(rng, shape, 3)
    expected = twins.add(found, total, rooms.codes, by, weight)
    rooms.add(found, total, by, weight, [None] * 3)
    assert np.abs(found - expected).max() <= 8 and abs(float((found - expected).mean())) < 3


def harsh(rng, shape):
    """Raw numbers of noise, some of it clipped."""
    top = 1023 - 900 * (np.indices(shape).sum(0) // 40 % 3 > 0)
    return np.minimum(rng.integers(64, 1024, shape), top)


def filled(numbers, cfa):
    """A frame in three colours, by the fast demosaic, and as quads."""
    shape = numbers.shape
    values = recipe.resolve("night", sets=("demosaic.method=fast",)).values
    frame = sb1.frame(numbers.astype(np.uint16), sb1.NOISE, 0)
    frame.cfa = cfa
    white = White((1.9, 1.0, 1.5), WHITE_D65, 5000.0, 0.0, "")
    even = shading.prepare(frame, 1.0)
    planes, encoding = front.run(frame, white, sb1.NOISE, values, even)
    quads = add.Quads(1, shape, defects.phase(cfa), front.tops(white, encoding, even, frame))
    front.quads(frame, white, sb1.NOISE, values, even, quads.room(0), quads.BORDER)
    return planes, quads


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (97, 131), (641, 479)])
def test_quads_become_what_their_twin_makes_of_them(rng, shape, cfa):
    _, quads = filled(harsh(rng, shape), cfa)
    assert np.array_equal(quads.guide(0, None).fine, twins.guide_quads(quads))
    for most in (0.0, 6.0, 90.0):
        mean, total, _, weight = mean_of(rng, shape, 1)
        by = flow(rng, shape, most)[None]
        expected = twins.add_quads(mean, total, quads, by, weight)
        quads.add(mean, total, by, weight, [None])
        assert np.abs(mean - expected).max() <= 8 and abs(float((mean - expected).mean())) < 3


@pytest.mark.parametrize("cfa", BAYER)
def test_guides_of_quads_lie_on_those_of_what_is_demosaiced(cfa):
    y, x = np.mgrid[:120, :150]
    planes, quads = filled(300 + 150 * np.sin(x / 5) * np.cos(y / 7), cfa)
    inner = np.s_[:, 4:-4, 4:-4]
    found, expected = (g.fine[inner].astype(int) for g in (quads.guide(0, None), add.guide(planes)))
    for plane, other in zip(found, expected, strict=True):
        for step in np.gradient(other.astype(float)):
            assert abs(np.mean((plane - other) * step) / np.mean(step * step)) < 0.01  # cells, as Lucas-Kanade sees it


@pytest.mark.parametrize("shape", [(97, 131)])
def test_green_of_quads_is_that_of_the_fast_demosaic(rng, shape):
    planes, quads = filled(harsh(rng, shape), "GRBG")
    rooms = add.Planes(1, shape)
    rooms.room(0)[:] = planes
    mean, total, by, weight = mean_of(rng, shape, 1)
    by[:], other = 0, mean.copy()
    for r, m in ((rooms, mean), (quads, other)):
        r.add(m, total, by, weight, [None])
    assert np.abs(mean[1].astype(int) - other[1]).max() <= 2


@pytest.mark.parametrize("shape", SHAPES)
def test_the_end_equals_its_twin(rng, shape):
    mean, total, *_ = mean_of(rng, shape, 1)
    expected = twins.done(mean, total, (1e6, 2e6, 3e6))
    add.done(mean, total, (1e6, 2e6, 3e6))
    assert np.abs(mean.astype(int) - expected).max() <= 1


def noisy(rng, light, sigma=1000.0):
    return np.clip(light + sigma * rng.standard_normal((3, *light.shape[-2:])), 0, 65535).astype(np.uint16)


def test_still_light_is_believed_and_what_moved_is_not(rng):
    light = np.full((160, 160), 20000.0)
    other = light.copy()
    other[60:100, 60:100] += 4000
    still = np.zeros((2, 10, 10), np.float32)
    a = add.guide(noisy(rng, light))
    # White noise in all three colours: less correlated than that of a demosaic, for which the limits are made.
    known = add.rates(a, (1300.0, 1900.0, 1300.0), add.Doubt())
    believed = add.trust(a, add.guide(noisy(rng, light)), still, known, add.Doubt())
    assert (believed == 255).mean() > 0.97
    believed = add.trust(a, add.guide(noisy(rng, other)), still, known, add.Doubt()).repeat(2, 0).repeat(2, 1)
    assert believed[64:96, 64:96].max() == 0 and (believed[:40] == 255).mean() > 0.97


def test_nothing_beyond_the_frame_is_believed(rng):
    a = add.guide(np.full((3, 64, 64), 20000, np.uint16))
    by = np.full((2, 4, 4), 0.0, np.float32)
    by[0] = 20.0
    believed = add.trust(a, a, by, add.rates(a, SIGMA, add.Doubt()), add.Doubt())
    assert believed[:, 23:].max() == 0 and believed[:, :20].min() == 255
