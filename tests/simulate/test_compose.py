"""Layers moved and laid over each other: the kernels against every pixel's own way."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild.scene import Layer, Motion, Scene
from lichtbild.simulate import compose
from lichtbild.simulate.shake import hand
from lichtbild.simulate.ways import Camera, Take

MARGIN = 30


def scene(height: int, width: int, flicker_hz: float = 0.0) -> Scene:
    """White noise, over it a sheet that slides and one that turns and grows."""
    rng = np.random.default_rng(1)
    h, w = height + 2 * MARGIN, width + 2 * MARGIN
    size = (h // 2, w // 3)
    depth = np.full((1, 1), 3.0, np.float32)

    def light(*shape: int) -> np.ndarray:
        return rng.random(shape, np.float32)

    slides, turns = (
        Motion((200.0, -60.0)),
        Motion((20.0, -60.0), angular_deg_s=200, growth_s=0.5, pivot_px=(w / 2, h / 2)),
    )
    layers = (
        Layer("far", light(3, h, w), depth * 7, flicker_hz=flicker_hz),
        Layer("slides", light(3, *size), depth, light(*size), slides, 0.0, h // 4, w // 4),
        Layer("turns", light(3, *size), depth, light(*size), turns, 0.0, h // 4, w // 4),
    )
    return Scene("test", layers, MARGIN, np.ones((3, 1, 1), np.float32), 100.0)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (479, 641)])
def test_kernel_equals_twin(size: tuple[int, int]) -> None:
    stack = compose.sheets(scene(*size))
    camera, take = Camera(size, 600.0, MARGIN, hand(3, 3.0)), Take(0.13, 0.002, 2e-5)
    wide = np.empty((4, size[0], size[1] + 5), np.float32)
    got = wide[:, :, :-5]
    counts = compose.frame(stack, camera, take, got)
    assert size[0] < 100 or counts[2] > 1
    expected = compose.twin(stack, camera, take, counts)
    # White noise changes by some 1 per pixel: affine tiles are right to 0.01 px where a camera with a very
    # wide lens turns, and to 0.02 px in a sheet that turns by 200 deg/s while the rows are read.
    assert np.abs(got[:3] - expected[:3]).max() < 0.025
    assert np.abs(got[:3] - expected[:3]).mean() < (2e-3 if size[0] > 100 else 0.006)
    assert np.mean(got[3] != expected[3]) < 1e-3


def test_tripod_shows_the_scene_as_it_was_drawn() -> None:
    drawn = scene(64, 80)
    still = Scene("still", drawn.layers[:1], MARGIN, drawn.illuminant, drawn.lux)
    out = np.empty((4, 64, 80), np.float32)
    compose.frame(compose.sheets(still), Camera((64, 80), 600.0, MARGIN, hand(3, 0.0)), Take(0.5, 0.1, 2e-5), out)
    assert np.abs(out[:3] - still.cropped()).max() < 1e-6
    assert not out[3].any()


def test_lamps_flicker_in_bands() -> None:
    lit = scene(400, 16, flicker_hz=100.0)
    flat = Layer("far", np.ones_like(lit.layers[0].light), lit.layers[0].depth_m, flicker_hz=100.0)
    out = np.empty((4, 400, 16), np.float32)
    camera = Camera((400, 16), 600.0, MARGIN, hand(3, 0.0))
    stack = compose.sheets(Scene("flat", (flat,), MARGIN, lit.illuminant, 1.0))
    for time_s, expected in ((1e-5, 0.35), (0.01, 0.0)):  # a whole period of the lamps has no bands
        compose.frame(stack, camera, Take(0.0, time_s, 5e-5), out)
        assert (out[0].max() - out[0].min()) / 2 == pytest.approx(expected, abs=0.003)
        assert np.abs(np.diff(out[0], axis=0)).max() < 0.02  # no steps between tiles
