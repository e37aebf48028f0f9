"""The room: a range no sensor holds, two kinds of light and the map of both, shadows where things stand."""

from __future__ import annotations

import numpy as np

from lichtbild import scene
from lichtbild.light import REC2020_LUMA
from lichtbild.scene import _furniture, _room
from lichtbild.scene._lamps import Lamps
from lichtbild.types import F32


def luminance(light: F32) -> F32:
    return np.asarray(sum(w * light[c] for c, w in enumerate(REC2020_LUMA)), np.float32)


def test_more_than_sixteen_stops() -> None:
    y = luminance(scene.render({"name": "interior"}, (240, 320), 1).cropped())
    assert np.log2(y.max() / np.percentile(y, 0.05)) > 16


def test_the_map_of_the_illuminant_tells_lamp_from_window() -> None:
    day, night = (scene.render({"name": "interior", "day": d}, (120, 160), 1) for d in (1.0, 0.0))
    warm = night.illuminant[0] / np.maximum(night.illuminant[2], 1e-6)
    assert np.median(warm) > 3  # 2700 K and walls that make it warmer still
    ratio = day.illuminant[0] / day.illuminant[2]
    assert np.percentile(ratio, 95) > 1.6 * np.percentile(ratio, 5)  # both are in it
    assert luminance(night.cropped()).max() > 20 * np.median(luminance(night.cropped()))


def test_a_box_blocks_what_it_stands_before() -> None:
    at = np.zeros((1, 1), np.float32)
    box = (-0.5, 0.5, -0.5, 0.5, 1.0, 1.2)
    assert _room.blocked(at, at, at, (0.0, 0.0, 2.0), [box])[0, 0]
    assert not _room.blocked(at + 0.6, at, at, (0.6, 0.0, 2.0), [box])[0, 0]
    assert not _room.blocked(at, at, at, (0.0, 0.0, 0.9), [box])[0, 0]


def test_a_large_window_lights_as_the_closed_form_of_a_disc_says() -> None:
    rng = np.random.default_rng(1)
    r, d, n = 0.5, 2.0, 4000
    radius, angle = r * np.sqrt(rng.random(n)), rng.uniform(0, 2 * np.pi, n)
    spots = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(n, d)], 1).astype(np.float32)
    pane = _room.Pane(spots, (0.0, 0.0, -1.0), np.ones((n, 3), np.float32), np.pi * r * r / n)
    at = np.zeros((1, 1), np.float32)
    lux = _room.daylight(at, at, at, (0.0, 0.0, 1.0), [pane], [])[0, 0, 0]
    assert abs(lux / (np.pi * r * r / (r * r + d * d)) - 1) < 0.01


def test_bounced_light_is_not_more_than_fell_on_the_walls() -> None:
    wall = _room.Face("z", 3.0, (-1.0, 1.0), (-1.0, 1.0), -1, lambda a, b, pa, pb: np.ones((3, 1, 1)))
    wall.lux = np.full((3, 2, 2), 100.0, np.float32)
    sources = _room.bounce([wall], [np.ones(3, np.float32)])
    assert isinstance(sources, Lamps)
    assert np.allclose(sources.candela.sum(axis=0), 100 * 4 / np.pi, rtol=1e-5)  # π·I = flux of a matt wall


def test_the_suns_image_has_the_windows_bars() -> None:
    x0, x1, y0, y1 = _furniture.WINDOW
    x, y = np.linspace(x0 - 0.1, x1 + 0.1, 400)[None, :], np.full((1, 1), (y0 + y1) / 2)
    share = _furniture.glass(x, y, np.full((1, 1), 0.01))[0]
    assert share[0] == share[-1] == 0 and share.max() == 1
    assert np.count_nonzero(np.diff((share > 0.5).astype(int)) == 1) == 4
