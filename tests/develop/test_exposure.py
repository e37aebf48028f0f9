"""Exposure: the key of a picture is where a photographer would put it, and the mood of the light is kept."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild import recipe
from lichtbild.develop import exposure
from lichtbild.stage import find, params
from lichtbild.types import Exposure, LichtbildError

VALUES = {name: p.default for name, p in params(find("exposure")).items()}
SUN = Exposure(iso=100, time_s=1 / 250, aperture=8.0)
LAMP = Exposure(iso=6400, time_s=1 / 8, aperture=1.8)


def even(light: float, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    return np.full((3, *shape), light, np.float32)


@pytest.mark.parametrize("light", [0.01, 0.18, 0.9])
def test_key_brings_an_even_scene_to_mid_grey(light):
    assert 2 ** exposure.measure(even(light)).ev * light == pytest.approx(0.18, rel=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (641, 479)])
def test_key_moves_with_the_exposure(shape, rng):
    scene = np.exp2(rng.normal(-3, 2, (3, *shape))).astype(np.float32)
    assert exposure.measure(scene * 4).ev == pytest.approx(exposure.measure(scene).ev - 2, abs=2e-3)


def test_a_white_sky_darkens_no_more_than_its_area(rng):
    scene = np.exp2(rng.normal(-3.5, 0.5, (3, 60, 80))).astype(np.float32)
    without = exposure.measure(scene).ev
    scene[:, :15] = 1.0
    bright = exposure.measure(scene).ev
    scene[:, :15] = 100.0
    assert without - 1.0 < bright < without
    assert exposure.measure(scene).ev == pytest.approx(bright, abs=0.25)


def test_nan_and_negative_light_count_as_darkness():
    scene = even(0.18)
    scene[:, :30] = np.nan
    dark = even(0.18)
    dark[:, :30] = -1.0
    assert exposure.measure(scene) == exposure.measure(dark)


def test_bounds_and_trust_around_the_cameras_exposure():
    night = exposure.prepare(exposure.measure(even(1e-4)), VALUES, baseline_ev=0.5)
    assert night.ev == pytest.approx(3.5)
    snow = exposure.prepare(exposure.measure(even(50.0)), VALUES, baseline_ev=0.5)
    assert snow.ev == pytest.approx(-0.5)
    usual = exposure.prepare(exposure.measure(even(0.09)), VALUES)
    assert usual.ev == pytest.approx(0.8, abs=0.01)


def test_fixed_is_the_baseline_and_hand_adds():
    values = VALUES | {"mode": "fixed", "ev": -1.25}
    table = exposure.prepare(exposure.measure(even(0.01)), values, baseline_ev=0.3, exposure=LAMP)
    assert table.ev == pytest.approx(-0.95) and table.mood_ev == 0


def test_a_dim_scene_stays_darker_than_a_bright_one():
    key = exposure.measure(even(0.1))
    day, night = (exposure.prepare(key, VALUES, exposure=e) for e in (SUN, LAMP))
    assert day.mood_ev == 0 and 0.5 < night.mood_ev <= 1.5
    assert day.ev - night.ev == pytest.approx(0.8 * night.mood_ev, abs=1e-6)


def test_the_mood_of_a_dim_scene_is_the_photographers_choice():
    key = exposure.measure(even(0.1))
    lifted, felt, darker = (exposure.prepare(key, VALUES | {"mood": m}, exposure=LAMP) for m in (0.0, 1.0, 2.0))
    assert lifted.mood_ev == 0 and darker.mood_ev == 2 * felt.mood_ev and lifted.ev > felt.ev > darker.ev
    assert exposure.prepare(key, VALUES | {"mood": 0.0}, exposure=SUN) == exposure.prepare(key, VALUES, exposure=SUN)


def test_luminance_of_sunlit_white_and_of_unknown_settings():
    # A frame of 18 % grey at EV 15, ISO 100: the meter's 4000 cd/m² within a third of a stop.
    light = exposure.luminance_cd_m2(Exposure(iso=100, time_s=1 / 512, aperture=8.0), np.log2(0.127 / 0.18))
    assert light == pytest.approx(4096 * 1.25, rel=0.25)
    for bad in (Exposure(), Exposure(100, 0.0, 2.8), Exposure(100, float("nan"), 2.8)):
        assert exposure.luminance_cd_m2(bad, 0.0) is None


def test_apply_is_one_factor(rng):
    rgb = rng.uniform(-0.1, 2, (3, 7, 5)).astype(np.float32)
    np.testing.assert_array_equal(exposure.apply(rgb, exposure.ExposureTable(2.0)), rgb * 4)


def test_mood_is_found_under_night() -> None:
    for sets in (["night.mood=0.3"], {"night.mood": 0.3}):
        assert recipe.resolve("night", sets=sets).values["exposure"]["mood"] == 0.3
    with pytest.raises(LichtbildError, match="night"):
        recipe.resolve("night", sets=["night.moody=1"])
