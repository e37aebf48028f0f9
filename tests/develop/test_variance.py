"""Variance: what a merge says of its noise is what is measured on flat light."""

from __future__ import annotations

import numpy as np
import pytest
from bench import night, sb1

from lichtbild import recipe, types
from lichtbild.develop import composite, variance
from lichtbild.types import Noise


@pytest.fixture(scope="module")
def values():
    return recipe.resolve("night").values


@pytest.mark.parametrize("iso", [100, 1600])
@pytest.mark.parametrize("cfa", ["RGGB", "MONO"])
def test_the_profile_of_a_merged_raw_is_what_is_measured(values, iso, cfa):
    noise = night.noise_at(iso)
    shot, _ = sb1.make(np.full((3, 416, 416), 0.5, np.float32), 6, noise=noise, disc=False, shift_px=4.0)
    made, _ = composite.as_frame([types.replace(f, cfa=cfa) for f in shot.frames], values)
    light = (made.rgb[:, 32:-32, 32:-32].astype(np.float64) - 2048) / (65535 - 2048)
    said = np.array(made.noise.scale) * light.mean((1, 2)) + made.noise.offset
    assert np.allclose(light.var((1, 2)) / said, 1, atol=0.1)


def test_the_reference_alone_has_the_noise_of_its_demosaic():
    alone = variance.left(np.ones((2, 3), np.float32), "directional", "fast")
    assert alone.shape == (3, 2, 3) and np.allclose(alone[:, 0, 0], (0.905, 0.828, 0.905))
    many = variance.left(np.full((1, 1), 0.01, np.float32), "directional", "fast")
    assert np.allclose(many[:, 0, 0] / 0.01, (0.832, 0.64, 0.832), rtol=0.01)
    profile = variance.profile(Noise((1e-3,) * 3, (1e-4,) * 3), alone)
    assert np.allclose(profile.scale, np.array((0.905, 0.828, 0.905)) * 1e-3)
    assert variance.method("RGGB", "smooth") == "smooth" and variance.method("MONO", "fast") == "none"


@pytest.mark.slow
@pytest.mark.parametrize("iso", [100, 1600])
def test_variance_is_foretold_tile_by_tile(iso):
    found = night.foretold(iso, 8)
    assert found["tiles within 10 %"] >= 0.95
