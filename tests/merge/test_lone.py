"""Lone: what few frames have seen is averaged with what is like it, and with nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild.merge import lone

SIGMA = (400.0, 500.0, 600.0)


def twin(code, share, reach=3, unlike=9.0):
    """The kernel in NumPy, over the whole picture."""
    height, width = code.shape[1:]
    noise = share.repeat(8, 0).repeat(8, 1)[:height, :width].astype(float)
    sigma = np.array(SIGMA)[:, None, None]
    wide = np.pad(code.astype(float), [(0, 0), (reach, reach), (reach, reach)], mode="edge")
    far = np.pad(noise, reach, mode="edge")
    total, weights = np.zeros(code.shape), np.zeros((height, width))
    for y, x in np.ndindex(2 * reach + 1, 2 * reach + 1):
        there, its = wide[:, y : y + height, x : x + width], far[y : y + height, x : x + width]
        apart = np.square((there - code) / sigma).mean(0) / (noise + its)
        weight = np.square(np.maximum(1 - apart / unlike, 0)) / its
        total, weights = total + weight * there, weights + weight
    found = np.sqrt(np.square(total / weights) + 0.92 * noise * sigma**2)
    part = np.clip((noise - 3) / 3, 0, 1)
    return np.clip(code + part * (found - code), 0, 65535)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (41, 79), (64, 130)])
def test_kernel_equals_twin(size):
    rng = np.random.default_rng(2)
    share = np.exp(rng.normal(1, 1, [-(-n // 8) for n in size])).astype(np.float32)
    code = rng.normal(20000, 1500, (3, *size)).astype(np.uint16)
    expected = twin(code, share)
    changed = code.copy()
    lone.calm(changed, share, SIGMA)
    assert np.abs(changed - expected).max() < 2


def scene(seed=0):
    """Codes of the dark with a bright lamp, and how much noise they have: much around the lamp."""
    rng = np.random.default_rng(seed)
    share = np.ones((16, 16), np.float32)
    share[5:11, 5:11] = 40
    power = share.repeat(8, 0).repeat(8, 1)
    clean = np.full((3, 128, 128), 6000.0)
    clean[:, 60:68, 60:68] = 60000
    noisy = clean + rng.normal(0, 1, clean.shape) * np.array([50.0, 50.0, 50.0])[:, None, None] * np.sqrt(power)
    return clean, noisy.clip(0, 65535).astype(np.uint16), share


def test_the_dark_around_a_lamp_is_calmed_and_the_lamp_stays():
    clean, noisy, share = scene()
    found = noisy.copy()
    left = lone.calm(found, share, (50.0, 50.0, 50.0))
    lamp = clean[0] > 30000
    around = (share.repeat(8, 0).repeat(8, 1) > 1) & ~lamp
    before, after = ((c - clean)[:, around].std() for c in (noisy, found))
    assert after < 0.3 * before
    assert abs((found - clean)[:, around].mean()) < 0.1 * before
    assert np.abs(found - clean)[:, lamp].max() < 4 * before
    quiet = np.ones(lamp.shape, bool)
    quiet[40:88, 40:88] = False
    assert np.array_equal(found[:, quiet], noisy[:, quiet])
    assert left.max() == pytest.approx(3.2) and left.min() == 1


def test_where_all_frames_count_nothing_changes():
    _, noisy, _ = scene()
    share, found = np.full((16, 16), 1.5, np.float32), noisy.copy()
    assert np.array_equal(lone.calm(found, share, SIGMA), share) and np.array_equal(found, noisy)
