"""Lint: every look of the house is healthy, and each fault that it knows is found where it is made."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable

import numpy as np
import pytest

from lichtbild import light, look
from lichtbild.light import oetf
from lichtbild.look import lint, sheet, tables
from lichtbild.look.difference import delta_e, lab
from lichtbild.types import F64

SHIPPED = look.names()
GREY = np.full((3, 3), 1 / 3)


def plain(scene: F64) -> F64:
    """A rendering without faults: light as it is, cut where sRGB ends."""
    return oetf(np.clip(scene @ light.convert("rec2020", "srgb").T, 0, 1))


@pytest.mark.parametrize("name", SHIPPED)
def test_looks_of_the_house_are_healthy(name: str) -> None:
    assert lint.lint(look.load(name)).problems == ()


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("space", ["srgb", "p3", "rec2020"])
@pytest.mark.parametrize("headroom_ev", [0.0, 2.0])
def test_they_stay_whole_on_other_displays_and_with_trims(name: str, space: str, headroom_ev: float) -> None:
    for contrast, saturation in ((1.0, 1.0), (0.8, 0.7), (1.2, 1.25)):
        made = look.compile(look.load(name), space, headroom_ev, contrast, saturation)
        health = lint.lint(look.load(name), made)
        assert health.folds < 0.005, health
        assert health.falls < 0.01, health
        assert health.grey < 0.01, health


def test_plain_light_is_healthy() -> None:
    health = lint.examine(plain, 1.0)
    assert health.problems == ()
    assert (health.folds, health.falls) == (0.0, 0.0)
    assert health.skin_equity == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda v: v[:, [0, 2, 1]], "colours fold"),
        (lambda v: v - 1.5 * np.maximum(v - 0.7, 0), "darkens"),
        (lambda v: np.round(v * 20) / 20, "roughly"),
        (lambda v: np.round(v * 60) / 60, "band"),
        (lambda v: v * [1.0, 0.95, 0.9], "greys are coloured"),
        (lambda v: v @ np.array([[0.8, 0, 0.2], [0.2, 0.8, 0], [0, 0.2, 0.8]]), "skin changes its hue"),
        (lambda v: v @ (0.7 * GREY + 0.3 * np.eye(3)), "saturation"),
        (lambda v: v * np.nan, "not finite"),
    ],
)
def test_each_fault_is_found(fault: Callable[[F64], F64], words: str) -> None:
    health = lint.examine(lambda scene: fault(plain(scene)), 1.0)
    assert any(words in problem for problem in health.problems), health


def test_an_uneven_hand_with_skin_is_found() -> None:
    """A steep curve on each channel deepens the colour of dark skin more than that of light skin."""
    bare = dataclasses.replace(look.load("classic"), skin=look.spec.Skin())
    assert any("uneven" in problem for problem in lint.lint(bare).problems)


def test_tables_that_were_broken_are_found() -> None:
    made = look.compile(look.load("classic"))
    curve = made.curve.copy()
    curve[: tables.SCALE] *= -1
    assert lint.lint(look.load("classic"), dataclasses.replace(made, curve=curve)).problems


def test_difference_of_published_pairs() -> None:
    """Four pairs of the test data of [Sharma2005]: blues, a grey, large differences."""
    one = np.array([[50.0, 2.6772, -79.7751], [50.0, 0.0, 0.0], [50.0, 2.5, 0.0], [2.0776, 0.0795, -1.1350]])
    two = np.array([[50.0, 0.0, -82.7485], [50.0, -1.0, 2.0], [58.0, 24.0, 15.0], [0.9033, -0.0636, -0.5514]])
    np.testing.assert_allclose(delta_e(one, two), [2.0425, 2.3669, 19.4535, 0.9082], atol=1e-4)


def test_lab_of_white_and_black() -> None:
    np.testing.assert_allclose(lab(np.array([[1.0, 1, 1], [0, 0, 0]])), [[100, 0, 0], [0, 0, 0]], atol=1e-6)


def test_the_sheet_shows_where_light_falls(tmp_path: pathlib.Path) -> None:
    sound = sheet.draw(plain, 1.0)
    assert sound.shape == (32 + 30 * 3 + 120 * 6, 192 * 4, 3)
    assert (np.diff(sound[16].astype(int), axis=0) >= 0).all()  # greys grow without a mark
    faulty = sheet.draw(lambda scene: plain(scene) - 1.5 * np.maximum(plain(scene) - 0.7, 0), 1.0)
    assert (sound[16] > 5).all() and (faulty[16].min(axis=0) == 0).all()  # a black dot on the ramp of greys
    sheet.write("bw", tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 5000
    with pytest.raises(look.LookError, match=r"is a \.png"):
        sheet.write("bw", tmp_path / "x.jpg")
