"""Random numbers: known answers, and distributions against their closed forms."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from lichtbild.sensor import random

# The known answers that come with [Salmon2011]: counter, key, words of Philox4x32-7.
KNOWN = [
    ((0,) * 4, (0, 0), (0x5F6FB709, 0x0D893F64, 0x4F121F81, 0x4F730A48)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x5207DDC2, 0x45165E59, 0x4D8EE751, 0x8C52F662)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
        (0x4DFCCABA, 0x190A87F0, 0xC47362BA, 0xB6B5242A),
    ),
]  # fmt: skip
# All 2^20 numbers whose upper 20 bits differ: a distribution without chance, so that bounds are those of the formula.
EVENLY = (np.arange(1 << 20, dtype=np.uint64) * 4096 + 2048).astype(np.uint32)


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, int], words: tuple[int, ...]) -> None:
    assert tuple(int(w) for w in random.philox(counter, key)) == words


def test_seeds_use_64_bits() -> None:
    assert random.key(5) != random.key(5 + (1 << 32)) and random.key(-1) == (0xFFFFFFFF, 0xFFFFFFFF)


def test_normal_is_the_inverse_of_the_normal_distribution() -> None:
    words = np.concatenate([EVENLY[::997], [0, 1, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF]]).astype(np.uint32)
    p = ((words & 0x7FFFFFFF) + 0.5) / 2.0**32
    exact = np.array([statistics.NormalDist().inv_cdf(v) for v in p]) * np.where(words >> 31 == 1, -1, 1)
    assert np.abs(random.normal(words) - exact).max() < 4e-6


def test_exponential_has_its_moments() -> None:
    v = random.exponential(EVENLY).astype(np.float64)
    assert abs(v.mean() - 1) < 1e-5 and abs(v.var() - 1) < 1e-4


def probabilities(mean: float, count: int) -> np.ndarray:
    """Poisson probabilities of 0..count-1."""
    k = np.arange(count)
    return np.exp(k * math.log(mean) - mean - np.array([math.lgamma(n + 1.0) for n in k]))


@pytest.mark.parametrize("mean", [0.02, 0.5, 3.0, 9.9, 10.1, 14.0, 40.0, 300.0, 5000.0, 40000.0])
def test_poisson_has_its_moments(mean: float) -> None:
    # The quantile over numbers without chance: only the formula's error and the grid's 2^-20 are left, which is felt
    # where a probability is of its size.
    grid = 2e-5 / mean
    z = random.normal(EVENLY)
    k = random.poisson(np.full(EVENLY.shape, mean, np.float32), EVENLY, z).astype(np.float64)
    centred = (k - k.mean()) / k.std()
    assert abs(k.mean() / mean - 1) < 2e-4
    assert abs(k.var() / mean - 1) < 5e-4 + grid
    assert abs((centred**3).mean() - mean**-0.5) < 2e-3 + 20 * grid
    assert abs((centred**4).mean() - 3 - 1 / mean) < 6e-3 + 0.01 / mean  # 1 % of it where few
    if mean < 1000:
        found = np.bincount(k.astype(int)) / k.size
        assert np.abs(found - probabilities(mean, len(found))).sum() / 2 < 4e-4  # total variation


def test_words_are_independent_of_their_neighbours() -> None:
    y, x = np.mgrid[:256, :256].astype(np.uint32)
    z = [random.normal(w) for w in random.philox((x, y, 3, 0), (7, 0))]
    limit = 4.5 / 256  # standard deviations of a correlation of 65536 pairs
    for a in z:
        assert abs((a[1:] * a[:-1]).mean()) < limit and abs((a[:, 1:] * a[:, :-1]).mean()) < limit
    for i in range(4):
        for j in range(i):
            assert abs((z[i] * z[j]).mean()) < limit
