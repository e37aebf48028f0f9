"""The bust: known solids, an outline with alpha, single hairs, skin of ten tones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lichtbild import scene
from lichtbild.light import REC2020_LUMA
from lichtbild.scene import _hair, _head, _sdf

SPEC = {"name": "bust", "place": "garden"}


def test_the_bust_stands_before_its_place_and_its_hair_before_it() -> None:
    found = scene.render(SPEC, (120, 160), 1)
    bust, hair = found.layers[-2:]
    assert (bust.name, hair.name) == ("bust", "hair")
    assert bust.alpha is not None and hair.alpha is not None
    assert bust.depth_m[bust.alpha > 0.9].min() > 1.2 and bust.depth_m.max() < 1.8
    assert 0.1 < (bust.alpha > 0.9).mean() < 0.9
    top, left, h, w = found.regions["face"]
    part = bust.alpha[top - bust.top : top - bust.top + h, left - bust.left : left - bust.left + w]
    assert part.mean() > 0.9


def test_hairs_stand_alone_outside_the_outline() -> None:
    found = scene.render(SPEC, (240, 320), 1)
    bust, hair = found.layers[-2:]
    assert bust.alpha is not None and hair.alpha is not None
    outside = bust.alpha < 0.01
    thin = hair.alpha[outside & (hair.alpha > 0)]
    assert len(thin) > 300 and np.median(thin) < 0.5  # thinner than a pixel


def test_tones_go_from_light_to_dark() -> None:
    y = [sum(w * v for w, v in zip(REC2020_LUMA, _head.skin_tone(tone), strict=True)) for tone in range(1, 11)]
    assert y[0] > 0.5 and y[9] < 0.03
    assert all(b < a * 1.03 for a, b in itertools.pairwise(y))
    with pytest.raises(scene.SceneError, match="tone"):
        scene.render({"name": "bust", "tone": 11}, (48, 64))


def test_a_ray_meets_a_ball_where_it_is() -> None:
    x = np.linspace(-0.12, 0.12, 241).astype(np.float32)
    y = np.zeros_like(x)

    def solid(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        return _sdf.ball((a, b, c), (0.0, 0.0, 0.0), 0.1)

    z, outline = _sdf.march(solid, x, y, -0.2, 0.2)
    met = np.abs(x) < 0.095
    assert np.abs(z[met] + np.sqrt(0.01 - x[met] ** 2)).max() < 1.5e-3
    assert ((outline < 0) == (np.abs(x) < 0.1))[np.abs(np.abs(x) - 0.1) > 1.5e-3].all()
    n = _sdf.normal(solid, x[met], y[met], z[met])
    assert np.abs(n[0] - x[met] / 0.1).max() < 0.02


def test_hair_shines_across_the_light_and_not_along_it() -> None:
    one = np.ones(1, np.float32)
    lamp = [((0.0, 1.0, 0.0), np.ones(3, np.float32))]
    across = _hair.shine(np.full(3, 0.2, np.float32), (one, 0 * one, 0 * one), lamp)
    along = _hair.shine(np.full(3, 0.2, np.float32), (0 * one, one, 0 * one), lamp)
    assert across.min() > 5 * along.max()


def test_points_spread_over_four_pixels_keep_their_weight() -> None:
    total, light = np.zeros((8, 9)), np.zeros((3, 8, 9))
    at = np.array([2.3, 4.75]), np.array([1.6, 5.2])
    _hair.splat(total, light, *at, np.array([0.5, 0.25]), np.full((3, 2), 2.0, np.float32))
    assert np.isclose(total.sum(), 0.75) and np.allclose(light.sum(axis=(1, 2)), 1.5)
    assert np.isclose((total.sum(axis=0) * np.arange(9)).sum() / 0.75, (0.5 * 2.3 + 0.25 * 4.75) / 0.75)
