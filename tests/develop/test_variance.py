"""Variance: what a merge says of its noise is what is measured on flat light."""

from __future__ import annotations

import numpy as np
import pytest
from bench import night, sb1

from lichtbild import recipe, types
from lichtbild.develop import composite, front, variance
from lichtbild.types import Encoding, Noise

VALUES = recipe.resolve("night").values


@pytest.mark.parametrize("iso", [100, 1600, 6400])
@pytest.mark.parametrize("cfa", ["RGGB", "MONO"])
def test_the_profile_of_a_merged_raw_is_what_is_measured(iso, cfa):
    noise = night.noise_at(iso)
    shot, _ = sb1.make(np.full((3, 416, 416), 0.5, np.float32), 6, noise=noise, disc=False, shift_px=4.0)
    made, _ = composite.as_frame([types.replace(f, cfa=cfa) for f in shot.frames], VALUES)
    light = (made.rgb[:, 32:-32, 32:-32].astype(np.float64) - 2048) / (65535 - 2048)
    said = np.array(made.noise.scale) * light.mean((1, 2)) + made.noise.offset
    assert np.allclose(light.var((1, 2)) / said, 1, atol=0.1)


def test_the_reference_alone_has_the_noise_of_its_demosaic():
    one, none = np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)
    alone = variance.left(one, none, "directional", "fast")
    assert alone.shape == (3, 2, 3) and np.allclose(alone[:, 0, 0], (0.905, 0.828, 0.905))
    many = variance.left(none, 0.01 * one, "directional", "fast")
    assert np.allclose(many[:, 0, 0] / 0.01, (0.832, 0.64, 0.832))
    assert variance.method("RGGB", "smooth") == "smooth" and variance.method("MONO", "fast") == "none"


def test_weak_noise_is_what_the_model_says(rng):
    noise = Noise((1e-5, 2e-5, 3e-5), (1e-7,) * 3)
    code = front.encoding(night.EVEN, noise, 1.0)
    light = rng.uniform(0.01, 0.9, (3, 40, 50)).astype(np.float32)
    some = light[:, 0].astype(np.float64)
    model = np.array(noise.scale)[:, None] * some + 1e-7
    assert np.allclose(variance.of_light(some, noise, code, -0.07) / model, 1, atol=0.002)
    left = variance.left(np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32), "directional", "fast")
    profile = variance.profile(noise, left, code, light, -0.07)
    assert np.allclose(profile.scale, np.array((0.905, 0.828, 0.905)) * noise.scale, rtol=0.01)
    assert np.allclose(profile.offset, np.array((0.905, 0.828, 0.905)) * noise.offset, rtol=0.01)


@pytest.mark.parametrize("level", [0.0, 0.06, 0.4])
def test_strong_noise_is_what_cutting_and_the_root_make_of_it(rng, level):
    noise = night.noise_at(6400)
    code = Encoding(1.0, (0.25,) * 3, (1.0,) * 3)
    spread = np.sqrt(noise.scale[0] * level + noise.offset[0])
    roots = np.sqrt(np.maximum(level + spread * rng.standard_normal((100, 40000)), -0.07) + 0.25)
    light = np.square(roots.mean(0))  # a mean of a hundred frames
    said = variance.of_light(np.full((3, 1), level), noise, code, -0.07)[0, 0]
    assert abs(100 * light.var() / said - 1) < 0.03
    assert (said < 0.8 * spread**2) == (level < 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("iso", [100, 1600, 3200, 6400, 12800])
def test_variance_is_foretold_tile_by_tile(iso):
    found = night.foretold(iso)
    assert found["tiles within 10 %"] >= 0.95
