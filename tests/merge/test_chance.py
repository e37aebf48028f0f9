"""Chance: doubts that stand alone are forgiven, those in company are not."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild import kernels
from lichtbild.merge import add, chance


def spotted(part: float, size: tuple[int, int] = (192, 192), seed: int = 3):
    """Trust with spots of 4x4 cells of doubt, that cover about `part` of it."""
    rng = np.random.default_rng(seed)
    small = rng.random((size[0] // 4, size[1] // 4)) < part
    return np.where(small.repeat(4, 0).repeat(4, 1), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("part", [0.03, 0.15])
def test_what_is_doubted_here_and_there_has_no_company_and_what_moves_has(part):
    trust = spotted(part)
    trust[64:128, 64:128] = 0
    found = chance.company(trust)
    inside = np.zeros(found.shape, bool)
    inside[17:31, 17:31] = True
    assert found[inside].min() > 0.75
    away = np.ones(found.shape, bool)
    away[12:36, 12:36] = False
    assert (found[away] < 0.3).mean() > 0.9


def test_where_most_of_the_picture_moves_nothing_is_forgiven():
    assert chance.company(spotted(0.8)).min() > 0.5
    assert np.array_equal(chance.company(np.zeros((8, 8), np.uint8)), np.ones((2, 2)))
    assert np.array_equal(chance.company(np.full((8, 8), 255, np.uint8)), np.zeros((2, 2)))


def test_larger_doubts_are_larger():
    usual = add.Doubt()
    larger = chance.larger(usual)
    assert larger.coarse == usual.coarse  # what differs in the mean of 8x8 pixels is not chance
    for kind in ("fine", "strong"):
        assert getattr(larger, kind)[0] >= getattr(usual, kind)[1]


@pytest.mark.parametrize("size", [(8, 8), (64, 48), (200, 168)])
def test_settle_kernel_equals_twin(size):
    rng = np.random.default_rng(8)
    trust, alone = (rng.integers(0, 256, size).astype(np.uint8) for _ in range(2))
    company = rng.random((size[0] // 4, size[1] // 4)).astype(np.float32)
    part = company.repeat(4, 0).repeat(4, 1)
    expected = alone + (trust.astype(float) - alone) * part
    kernels.call("merge_settle", alone=alone, company=company, trust=trust)
    assert np.abs(trust - expected).max() < 0.51
