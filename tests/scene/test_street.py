"""The street: people and a car before what they hide, light that falls off, a mirror on the ground."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild import scene
from lichtbild.scene import _street_ground
from lichtbild.scene._grid import exp, power, sample, sin
from lichtbild.scene._lamps import Lamps, kelvin
from lichtbild.scene._street_things import letters


def test_every_walker_is_a_layer_before_what_it_hides() -> None:
    found = scene.render({"name": "street", "people": 3}, (90, 120), 1)
    names = [layer.name for layer in found.layers]
    assert names.count("walker") == 3 and names.count("car") == 1
    depths = [float(layer.depth_m.max()) for layer in found.layers[1:]]
    assert depths == sorted(depths, reverse=True)
    assert not any(layer.motion.still for layer in found.layers[1:])


def test_a_car_that_comes_grows_about_the_vanishing_point() -> None:
    car = next(layer for layer in scene.render({"name": "street"}, (90, 120), 1).layers if layer.name == "car")
    a, b = car.motion.path(0.0), car.motion.path(1.0)
    assert np.allclose(a, [[1, 0, 0], [0, 1, 0]])
    assert b[0, 0] > 1.1
    assert np.allclose(b @ [*car.motion.pivot_px, 1], car.motion.pivot_px)


def test_a_texture_is_nothing_outside_and_letters_no_more_than_ink() -> None:
    far = np.array([[-9.0, -0.1, 1.2, 1e4]], np.float32)
    assert not sample(np.ones((5, 7), np.float32), far, np.full_like(far, 0.5)).any()
    assert not sample(np.ones((5, 7), np.float32), np.full_like(far, 0.5), far).any()
    u, v = np.linspace(0, 1, 99, dtype=np.float32)[None, :], np.linspace(0, 1, 600, dtype=np.float32)[:, None]
    for high in (4.0, 15.0, 40.0, 160.0):
        ink = letters("BOOKS", u, v, True, high)
        assert ink.min() >= 0 and 0.5 < ink.max() <= 1


@pytest.mark.parametrize("size", [(60, 80), (400, 20), (17, 200)])
def test_no_light_is_negative_at_any_size(size: tuple[int, int]) -> None:
    for seed in range(4):
        for layer in scene.render({"name": "street"}, size, seed).layers:
            assert layer.light.min() >= 0 and np.isfinite(layer.light).all()


def test_a_dry_street_mirrors_nothing() -> None:
    wet, dry = (scene.render({"name": "street", "wet": w, "people": 0, "car": False}, (90, 120), 1) for w in (1.0, 0.0))
    low = (slice(None), slice(70, 90), slice(40, 80))
    assert wet.cropped()[low].std() > 2 * dry.cropped()[low].std()
    assert np.array_equal(wet.cropped()[:, :20], dry.cropped()[:, :20])


def test_water_mirrors_as_fresnel_says() -> None:
    upright, flat = _street_ground.fresnel(np.array([1.0, 1e-4]))
    assert abs(upright - ((1.33 - 1) / (1.33 + 1)) ** 2) < 1e-6
    assert flat > 0.99


def test_light_falls_with_the_square_of_the_distance() -> None:
    lamp = Lamps.of([((0.0, 10.0, 0.0), (0.0, -1.0, 0.0), kelvin(2700.0) * 100, 0.0, 0.0)])
    at = np.zeros((1, 1), np.float32)
    near, far = (lamp.illuminance(at, at + y, at, (0.0, 1.0, 0.0))[:, 0, 0] for y in (9.0, 8.0))
    assert np.allclose(near, 4 * far, rtol=1e-5)
    assert np.allclose(far, kelvin(2700.0) * 25, rtol=1e-5)


def test_our_exp_power_and_sine_are_those_of_mathematics() -> None:
    x = np.linspace(-30, 30, 4001, dtype=np.float32)
    assert np.allclose(exp(x), np.exp(x.astype(float)), rtol=3e-7)
    y = np.geomspace(1e-6, 1e3, 2001)
    assert np.allclose(power(y, -1.45), y**-1.45, rtol=1e-12) and power(np.zeros(1), -1.0)[0] == 0
    assert np.abs(sin(x) - np.sin(x.astype(float))).max() < 2e-5
