"""Colour: the DNG model against closed forms, the hue tables against their twin, and files that say absurd things."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild.develop import _camera, colour, white
from lichtbild.light import WHITE_D50, WHITE_D65, adapt, convert, rgb_to_xyz, xyz
from lichtbild.types import Calibration, CameraColour, HueSatMap, White

WARM, COLD = _camera.GENERIC.calibrations
D65 = CameraColour((COLD,), as_shot_xy=WHITE_D65)


def balance(camera: CameraColour, **values: object) -> White:
    return white.prepare(camera, None, values or None)


def hue_table(rng: np.random.Generator, shape: tuple[int, int, int] = (3, 12, 5)) -> np.ndarray:
    table = np.empty((*shape, 3), np.float32)
    table[..., 0] = rng.uniform(-40, 40, shape)
    table[..., 1:] = rng.uniform(0.5, 1.5, (*shape, 2))
    return table


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (479, 641)])
@pytest.mark.parametrize("hue_sat", [False, True])
@pytest.mark.parametrize("look", [False, True])
@pytest.mark.parametrize("srgb", [False, True])
def test_kernel_equals_twin(rng, size, hue_sat, look, srgb):
    matrix = colour.prepare(D65, balance(D65)).matrix
    first, second = (hue_table(rng) if on else None for on in (hue_sat, look))
    table = colour.ColourTable(matrix, first, srgb, second, srgb)
    rgb = rng.uniform(-0.05, 1.6, (3, *size)).astype(np.float32)
    got, want = colour.apply(rgb, table), colour.twin(rgb, table)
    # At the seam of hues, and where two components tie, one ulp decides between nodes: a handful may differ more.
    assert np.quantile(np.abs(got - want), 0.9995) < 2e-4
    assert np.median(np.abs(got - want)) < 2e-6


def test_views_with_strides_are_taken(rng):
    table = colour.ColourTable(colour.prepare(D65, balance(D65)).matrix, hue_table(rng))
    rgb = rng.uniform(0, 1, (3, 40, 60)).astype(np.float32)
    whole = colour.apply(rgb, table)[:, 3:20, 5:41]
    # The ends of rows are computed by other instructions: the last bit may differ.
    np.testing.assert_allclose(colour.apply(rgb[:, 3:20, 5:41], table), whole, atol=2e-6)


def test_a_camera_whose_matrix_is_that_of_srgb_is_converted_exactly():
    to_camera = np.linalg.inv(rgb_to_xyz("srgb"))
    camera = CameraColour((Calibration(21, to_camera),), as_shot_xy=WHITE_D65)
    table = colour.prepare(camera, balance(camera))
    # By way of D50 and back, as the format asks: Bradford there and back is nothing.
    np.testing.assert_allclose(table.matrix, convert("srgb", "rec2020"), atol=1e-5)


def test_a_forward_matrix_is_followed_and_can_be_left_out():
    forward = adapt(WHITE_D65, WHITE_D50) @ rgb_to_xyz("srgb")
    camera = CameraColour((Calibration(21, COLD.color_matrix, forward_matrix=forward),), as_shot_xy=WHITE_D65)
    light = balance(camera)
    np.testing.assert_allclose(colour.prepare(camera, light).matrix, convert("srgb", "rec2020"), atol=2e-4)
    without = CameraColour((COLD,), as_shot_xy=WHITE_D65)
    np.testing.assert_array_equal(
        colour.prepare(camera, light, {"matrix": "color"}).matrix, colour.prepare(without, light).matrix
    )


@pytest.mark.parametrize("kelvin", [2200, 2850, 4000, 5500, 6504, 9000])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_neutral_stays_neutral_under_every_light(kelvin, count):
    third = Calibration(13, (WARM.color_matrix + COLD.color_matrix) / 2)
    camera = CameraColour((WARM, COLD, third)[:count])
    table = colour.prepare(camera, balance(camera, mode="kelvin", kelvin=kelvin))
    grey = np.full((3, 1, 1), 0.18, np.float32)
    assert np.ptp(colour.apply(grey, table)) < 1e-7


def test_two_calibrations_mix_linearly_in_mired_and_hold_at_the_ends():
    camera = _camera.read(CameraColour((WARM, COLD)))
    for kelvin, part in ((2000, 1.0), (2850, 1.0), (1e6 / ((1e6 / 2850 + 1e6 / 6500) / 2), 0.5), (9000, 0.0)):
        light = white.prepare(CameraColour((WARM, COLD)), None, {"mode": "kelvin", "kelvin": kelvin})
        np.testing.assert_allclose(camera.weights(light.xy), [part, 1 - part], atol=2e-3)


def test_each_of_three_calibrations_rules_under_its_own_light():
    third = Calibration(23, (WARM.color_matrix + COLD.color_matrix) / 2)
    camera = _camera.read(CameraColour((WARM, COLD, third)))
    for n, (_, place) in enumerate(camera.lights):
        assert camera.weights(place)[n] > 0.99


def test_a_table_of_ones_changes_nothing(rng):
    matrix = colour.prepare(D65, balance(D65)).matrix
    idle = np.zeros((2, 6, 3, 3), np.float32)
    idle[..., 1:] = 1
    rgb = rng.uniform(0, 1.2, (3, 30, 40)).astype(np.float32)
    plain = colour.apply(rgb, colour.ColourTable(matrix))
    np.testing.assert_allclose(colour.apply(rgb, colour.ColourTable(matrix, idle, True, idle)), plain, atol=3e-5)


def test_saturation_zero_makes_grey_and_a_turn_by_120_degrees_moves_red_to_green():
    grey, turn = (np.zeros((1, 6, 2, 3), np.float32) for _ in range(2))
    grey[..., 2], turn[..., 0], turn[..., 1:] = 1, 120, 1
    red = (convert("prophoto", "rec2020") @ np.array([0.8, 0.1, 0.1])).astype(np.float32).reshape(3, 1, 1)
    unit = np.eye(3, dtype=np.float32)
    to_prophoto = convert("rec2020", "prophoto")
    without = to_prophoto @ colour.apply(red, colour.ColourTable(unit, grey))[:, 0, 0]
    np.testing.assert_allclose(without, 0.8, atol=1e-5)
    turned = to_prophoto @ colour.apply(red, colour.ColourTable(unit, turn))[:, 0, 0]
    np.testing.assert_allclose(turned, [0.1, 0.8, 0.1], atol=1e-5)


def test_tables_are_mixed_like_matrices(rng):
    first, second = HueSatMap(hue_table(rng)), HueSatMap(hue_table(rng))
    pair = CameraColour(
        (Calibration(17, WARM.color_matrix, hue_sat_map=first), Calibration(21, COLD.color_matrix, hue_sat_map=second))
    )
    light = balance(pair, mode="kelvin", kelvin=1e6 / ((1e6 / 2850 + 1e6 / 6500) / 2))
    np.testing.assert_allclose(colour.prepare(pair, light).hue_sat, (first.table + second.table) / 2, atol=0.2)
    assert colour.prepare(pair, light, {"hue_sat": False}).hue_sat is None


@pytest.mark.parametrize(
    "matrix", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.ones((3, 3)), -np.eye(3), np.eye(3) * 1e6]
)
def test_an_absurd_matrix_is_replaced_and_told(matrix):
    camera = CameraColour((Calibration(21, matrix),), as_shot_neutral=(0.5, 1.0, 0.6))
    table = colour.prepare(camera, balance(camera))
    assert any("generic sensor" in g for g in table.guesses)
    assert np.isfinite(table.matrix).all() and np.abs(table.matrix.sum(1) - 1).max() < 1e-6


def test_an_absurd_forward_matrix_and_table_are_left_out_and_told(rng):
    bad = Calibration(21, COLD.color_matrix, np.eye(3) * 7, hue_sat_map=HueSatMap(hue_table(rng) * np.float32(np.nan)))
    camera = CameraColour((bad,), as_shot_xy=WHITE_D65, look_table=HueSatMap(-hue_table(rng)))
    table = colour.prepare(camera, balance(camera))
    assert table.hue_sat is None and table.look is None
    told = " ".join(table.guesses)
    assert all(name in told for name in ("ForwardMatrix1", "ProfileHueSatMapData1", "ProfileLookTableData"))


def test_a_monochrome_light_is_not_amplified_into_nonsense():
    camera = CameraColour((WARM, COLD))
    table = colour.prepare(camera, balance(camera, mode="kelvin", kelvin=2000))
    assert np.abs(table.matrix).max() < 10


def test_bradford_agrees_with_an_independent_implementation():
    science = pytest.importorskip("colour")
    theirs = science.adaptation.matrix_chromatic_adaptation_VonKries(xyz(WHITE_D65), xyz(WHITE_D50), "Bradford")
    np.testing.assert_allclose(adapt(WHITE_D65, WHITE_D50), theirs, atol=1e-6)
