"""Stuck pixels: weak defects are found across frames that moved; stars, texture and tripods are left in peace."""

from __future__ import annotations

import numpy as np
import pytest
from bench import sb1

from lichtbild import kernels, recipe, types
from lichtbild.develop import burst, shading, stuck
from lichtbild.light import WHITE_D65
from lichtbild.types import Noise, White

NOISE = Noise((1e-3,) * 3, (1e-4,) * 3)
SIGMA_DN = 959 * np.sqrt(1e-3 * 0.11 + 1e-4)
EVEN = White((1.0, 1.0, 1.0), WHITE_D65, 6504.0, 0.0, "even")


def night(size=(496, 596)):
    """Dim light with soft texture, and stars that the lens spreads."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    grey = 0.1 + 0.04 * np.sin(x / 31.0) * np.sin(y / 23.0) + 0.03 * ((x // 41 + y // 37) % 2)
    for cy, cx in np.random.default_rng(9).uniform(80, 400, (20, 2)):
        grey += 0.7 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * 0.7**2))
    return np.stack([grey] * 3)


def taken(shift_px=6.0, hot=0.0, count=60, frames=3):
    """A burst with defects `hot` standard deviations above what is there, and their places."""
    shot, _ = sb1.make(night(), frames, exposure=1.0, noise=NOISE, disc=False, shift_px=shift_px, turn_deg=0.0)
    rng = np.random.default_rng(3)
    at = np.stack([rng.permutation(np.arange(20, 380, 5))[:count], rng.permutation(np.arange(20, 480, 5))[:count]], 1)
    frames = []
    for frame in shot.frames:
        numbers = frame.mosaic.astype(float)
        numbers[tuple(at.T)] += hot * SIGMA_DN
        frames.append(types.replace(frame, mosaic=numbers.round().clip(0, 1023).astype(np.uint16)))
    return frames, {tuple(p) for p in at.tolist()}


@pytest.mark.parametrize("frames", [2, 3])
def test_weak_defects_are_found_and_nothing_else(frames):
    shot, there = taken(hot=8.0, frames=frames)
    found = {tuple(p) for p in stuck.find(shot, NOISE).tolist()}
    assert len(found & there) >= 0.85 * len(there) and len(found - there) <= 2


def test_stars_texture_and_noise_stay():
    assert len(stuck.find(taken()[0], NOISE)) <= 2


def test_a_tripod_tells_nothing():
    shot, _ = taken(shift_px=0.0, hot=20.0)
    assert len(stuck.find(shot, NOISE)) == 0


def test_what_cannot_be_compared_tells_nothing():
    shot, _ = taken(hot=8.0)
    small = types.replace(shot[1], mosaic=shot[1].mosaic[:100])
    tiny = [types.replace(f, mosaic=f.mosaic[:3, :5]) for f in shot]
    for frames in (shot[:1], [shot[0], small], tiny):
        assert stuck.find(frames, NOISE).shape == (0, 2)


def test_a_merged_burst_has_no_trails_of_hot_pixels():
    values = recipe.resolve("night").values
    shot, there = taken(hot=9.0, frames=4)
    clean, _ = taken(frames=4)
    blind = {**values, "defects": {**values["defects"], "strength": 0.0}}
    found, left, never = (
        burst.run(frames, EVEN, NOISE, v, shading.prepare(frames[0], 1.0)).code[1].astype(float)
        for frames, v in ((shot, values), (shot, blind), (clean, values))
    )
    rows, columns = np.array(sorted(there)).T
    assert np.abs(found - never)[rows, columns].mean() < 0.4 * np.abs(left - never)[rows, columns].mean()


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 79)])
def test_kernel_equals_twin(size):
    rng = np.random.default_rng(2)
    raws = [rng.integers(60, 120, size).astype(np.uint16) for _ in range(3)]
    raws[0][rng.random(size) < 0.05] = 400
    total = np.sum(raws, 0, dtype=np.int64)
    wide = np.pad(total, 2, mode="edge")
    ring = np.array([wide[2 + j : 2 + j + size[0], 2 + i : 2 + i + size[1]]
                     for j in (-2, 0, 2) for i in (-2, 0, 2) if (j, i) != (0, 0)])  # fmt: skip
    high, low = ring.max(0), ring.min(0)

    def beyond(by, level):
        return (by > 9) & (by > 4 * np.sqrt(0.5 * np.maximum(level - 180, 0) + 3))

    expected = np.where(beyond(total - high, high), 1, np.where(beyond(low - total, low), 2, 0))
    out = np.full((size[0], -(-size[1] // 8) * 8), 9, np.uint8)
    kernels.call("stuck", first=raws[0], second=raws[1], third=raws[2], black=180.0, scale=0.5, offset=3.0, limit=4.0,
                 least=9.0, output=out)  # fmt: skip
    assert np.array_equal(out[:, : size[1]], expected) and not out[:, size[1] :].any()
