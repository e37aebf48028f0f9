"""The garden: leaves that hide what is behind them and sway, a fence of known pitch, light of a summer's noon."""

from __future__ import annotations

import math

import numpy as np

from lichtbild import scene
from lichtbild.scene import _leaves, foliage


def test_leaves_are_layers_that_sway_and_come_back() -> None:
    found = scene.render({"name": "foliage"}, (90, 120), 1)
    groups = [layer for layer in found.layers if layer.name.startswith("leaves")]
    assert len(groups) == 3 and all(layer.alpha is not None and layer.alpha.max() > 0.9 for layer in groups)
    for layer in groups:
        sway = layer.motion.sway
        assert np.allclose(layer.motion.path(0.0), layer.motion.path(1 / sway.frequency_hz), atol=1e-6)
        assert np.abs(layer.motion.path(0.25 / sway.frequency_hz)[:, 2]).max() > 0.01
    still = scene.render({"name": "foliage", "wind": 0.0}, (90, 120), 1)
    assert all(np.allclose(layer.motion.path(0.7), layer.motion.path(0.0)) for layer in still.layers)


def test_a_leaf_lights_up_on_either_side() -> None:
    toward = (0.0, 0.0, -1.0)  # its face to the camera, lit
    away = (0.0, 0.0, 1.0)  # its back to the camera: the sun is behind the camera, so its back is lit
    bright = _leaves._leaf_light(_leaves.Leaf(0, 0, 0.02, 0.3, toward, 1.0, 1.0), 0.0)
    dark = _leaves._leaf_light(_leaves.Leaf(0, 0, 0.02, 0.3, toward, 0.0, 1.0), 0.0)
    through = _leaves._leaf_light(_leaves.Leaf(0, 0, 0.02, 0.3, away, 1.0, 1.0), 0.0)
    assert (bright > dark).all()
    assert through[1] > through[2] and bright[1] > bright[2]  # green


def test_bricks_repeat_as_bricks_do() -> None:
    a, b = np.linspace(0, 2.35, 941)[None, :], np.full((1, 1), 0.5 * 0.077)
    albedo, _ = foliage.bricks(a + 0 * b, b + 0 * a, np.full((1, 1), 0.0025), np.full((1, 1), 0.0025))
    brick = albedo[2, 0, :940].reshape(10, 94).mean(axis=0)  # 2.35 m are ten bricks
    assert brick[[0, -1]].mean() > 1.4 * brick[20:70].mean()


def test_noon_is_noon_and_dusk_is_dusk() -> None:
    noon, dusk = (scene.render({"name": "foliage", "sun": s}, (60, 80), 1) for s in (1.0, 0.01))
    assert 40_000 < noon.lux < 110_000
    assert math.isclose(dusk.lux, noon.lux / 100, rel_tol=1e-6)
    assert np.allclose(dusk.cropped(), noon.cropped() / 100, rtol=1e-4)
