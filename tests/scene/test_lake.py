"""The lake: the same for the same seed, positive, and with the range that a photograph has to cope with."""

from __future__ import annotations

import numpy as np

from lichtbild.scene import lake


def test_same_seed_same_scene_and_another_seed_another() -> None:
    a, b, other = lake.render(60, 90), lake.render(60, 90), lake.render(60, 90, seed=2)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, other)


def test_range() -> None:
    light = lake.render(120, 180)
    assert light.shape == (3, 120, 180) and light.dtype == np.float32
    assert np.isfinite(light).all() and light.min() > 0
    y = light.mean(axis=0)
    assert np.log2(y.max() / np.percentile(y, 1)) > 9  # EV


def test_the_water_begins_on_a_whole_row() -> None:
    """At 896 rows its first one over the height, times the height, is a hair less than itself."""
    assert lake.render(896, 16).shape == (3, 896, 16)
