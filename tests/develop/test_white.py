"""White: temperatures against an independent implementation, as-shot and estimated lights, absurd files."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild.develop import _camera, _illuminant, colour, white
from lichtbild.light import WHITE_D50, WHITE_D65
from lichtbild.types import CameraColour

CAMERA = _camera.GENERIC
READ = _camera.read(CAMERA)


def grey_world(light_k: float, rng: np.random.Generator, spread: float = 0.25) -> np.ndarray:
    """(3, 60, 80): camera light of many surfaces, on average grey, under a light on the locus."""
    surfaces = 0.25 * np.exp(rng.normal(0, spread, (3, 60, 80)) + rng.normal(0, 0.7, (60, 80)))
    neutral = READ.neutral(_illuminant.cct_to_xy(light_k))
    return np.minimum(surfaces * neutral[:, None, None], 1).astype(np.float32)


@pytest.mark.parametrize("kelvin", [2000, 2856, 4000, 5500, 6504, 9000, 12000])
@pytest.mark.parametrize("duv", [-0.01, 0.0, 0.012])
def test_temperature_and_tint_go_there_and_back(kelvin, duv):
    found = _illuminant.xy_to_cct(_illuminant.cct_to_xy(kelvin, duv))
    assert found[0] == pytest.approx(kelvin, rel=2e-4)
    assert found[1] == pytest.approx(duv, abs=2e-6)


def test_the_locus_agrees_with_an_independent_implementation():
    science = pytest.importorskip("colour")
    for kelvin in (2000, 3000, 5000, 8000):
        theirs = science.temperature.CCT_to_uv_Ohno2013(np.array([kelvin, 0.003]))
        ours = _illuminant.xy_to_uv(_illuminant.cct_to_xy(kelvin, 0.003))
        np.testing.assert_allclose(ours, theirs, atol=3e-5)


def test_known_lights():
    assert _illuminant.xy_to_cct(WHITE_D65)[0] == pytest.approx(6504, abs=5)
    assert _illuminant.xy_to_cct(WHITE_D50)[0] == pytest.approx(5001, abs=6)
    np.testing.assert_allclose(_illuminant.daylight_xy(6504), WHITE_D65, atol=3e-4)


@pytest.mark.parametrize("xy", [WHITE_D65, WHITE_D50, (0.4476, 0.4074), (0.30, 0.33)])
def test_neutral_and_chromaticity_are_inverse(xy):
    np.testing.assert_allclose(READ.white(READ.neutral(xy)), xy, atol=1e-6)


def test_as_shot_neutral_becomes_gains_of_at_least_one():
    found = white.prepare(CameraColour(CAMERA.calibrations, as_shot_neutral=(0.5, 1.0, 0.625)))
    np.testing.assert_allclose(found.gains, (2.0, 1.0, 1.6))
    assert found.origin == "as shot"


@pytest.mark.parametrize("neutral", [(1.0, 1.0, 1.0), (float("nan"), 1.0, 1.0), (0.0, 1.0, 0.5), (-1.0, 1.0, 0.5)])
def test_an_unknown_or_absurd_neutral_is_estimated_and_told(neutral, rng):
    said: list[str] = []
    colour = CameraColour(CAMERA.calibrations, as_shot_neutral=neutral)
    found = white.prepare(colour, grey_world(5000, rng), None, said)
    assert found.origin == "auto" and len(said) == 1 and "estimated" in said[0]


@pytest.mark.parametrize("kelvin", [2600, 3200, 4000, 5000, 6500, 8000])
def test_auto_finds_most_of_the_way_to_the_light_of_an_average_world(kelvin, rng):
    found = white.prepare(CAMERA, grey_world(kelvin, rng, 0.1), {"mode": "auto"})
    truth = 1 / READ.neutral(_illuminant.cct_to_xy(kelvin))
    off = white.angle_deg(1 / READ.neutral(_illuminant.cct_to_xy(5300)), truth)
    # It is drawn a little to daylight on purpose: a tungsten picture keeps some of its warmth.
    assert white.angle_deg(found.gains, truth) < max(3.0, 0.4 * off)


def test_auto_never_takes_a_lawn_for_a_green_light(rng):
    lawn = grey_world(5500, rng) * np.array([0.55, 1.0, 0.35], np.float32)[:, None, None]
    found = white.prepare(CAMERA, lawn, {"mode": "auto"})
    assert abs(found.tint) < 15, "no lamp is as green as grass"


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_nothing_to_see_is_daylight_and_told(level):
    said: list[str] = []
    found = white.prepare(CAMERA, np.full((3, 20, 30), level, np.float32), {"mode": "auto"}, said)
    assert found.origin == "assumed" and found.cct_k == pytest.approx(5500, rel=0.02) and said


def test_kelvin_is_obeyed_and_tint_turns_the_picture_to_magenta():
    plain = white.prepare(CAMERA, None, {"mode": "kelvin", "kelvin": 4000.0})
    assert plain.cct_k == pytest.approx(4000, rel=1e-3) and plain.tint == pytest.approx(0, abs=0.01)
    green_light = white.prepare(CAMERA, None, {"mode": "kelvin", "kelvin": 4000.0, "tint": 15.0})
    r, g, b = (new / old for new, old in zip(green_light.gains, plain.gains, strict=True))
    assert g < r and g < b, "for a greener light green is held back"


def test_warmer_light_asks_for_less_red_and_more_blue():
    gains = [white.prepare(CAMERA, None, {"mode": "kelvin", "kelvin": float(k)}).gains for k in (2500, 5000, 9000)]
    ratios = [r / b for r, _, b in gains]
    assert ratios == sorted(ratios)


@pytest.mark.parametrize("neutral", [(1.0, 1.0, 1.0), (0.75, 1.0, 1.0), (1.0, 0.95, 0.8), (0.5, 1.0, 0.65)])
def test_an_uncalibrated_camera_may_have_any_gains(neutral, rng):
    """Raws of development boards come balanced, half balanced or not at all."""
    surfaces = 0.25 * np.exp(rng.normal(0, 0.1, (3, 60, 80)) + rng.normal(0, 0.6, (60, 80)))
    proxy = np.minimum(surfaces * np.array(neutral)[:, None, None], 1).astype(np.float32)
    found = white.prepare(CameraColour(), proxy)
    assert found.origin == "auto"
    assert white.angle_deg(found.gains, 1 / np.array(neutral)) < 4.0
    assert 2000 < found.cct_k < 12000 and abs(found.tint) <= 20, "the light is one that exists, whatever the gains"
    rendered = colour.prepare(CameraColour(), found).matrix
    assert np.abs(rendered).max() < 2.5, "and the matrix is the generic sensor's under it"


def test_in_the_dark_warm_lamps_are_probable(rng):
    proxy = grey_world(4000, rng)
    found = [
        white.prepare(CAMERA, proxy, {"mode": "auto"}, None, level).cct_k for level in (None, 100.0, 9.0, 1.0, 0.0)
    ]
    assert found[0] == found[1] > found[2] > found[3] == found[4], "day, dusk, night"
    lamp = grey_world(2600, rng)
    truth = 1 / READ.neutral(_illuminant.cct_to_xy(2600))
    day, night = (white.prepare(CAMERA, lamp, {"mode": "auto"}, None, level).gains for level in (None, 1.0))
    assert white.angle_deg(night, truth) < white.angle_deg(day, truth)
