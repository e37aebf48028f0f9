"""Register: two pictures of one view are laid on each other whatever size, crop and look they have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

import lichtbild
from lichtbild import look
from lichtbild.look import fit, register

Picture = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def plain() -> Picture:
    shot, _ = lichtbild.simulate("foliage", frames=1, width=720, height=480)
    photo = lichtbild.develop(shot, look="neutral", set={"grade.falloff": 0.0, "tone.strength": 0.0})
    return np.asarray(photo.array, np.float64) / 255.0


def _turned(picture: Picture, scale: float, shift: tuple[float, float], bend: float, size: tuple[int, int]) -> Picture:
    """The picture `scale` times as large, from `shift` on, with a lens that bends by a part `bend` in the corner."""
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float64)
    middle = [n / 2 for n in size]
    away = (np.square(x - middle[0]) + np.square(y - middle[1])) / (middle[0] ** 2 + middle[1] ** 2)
    u = (middle[0] + (x - middle[0]) * (1 + bend * away)) / scale + shift[0]
    v = (middle[1] + (y - middle[1]) * (1 + bend * away)) / scale + shift[1]
    u1, v1 = (np.clip(np.floor(a).astype(int), 0, n - 2) for a, n in ((u, picture.shape[1]), (v, picture.shape[0])))
    fu, fv = (u - u1)[..., None], (v - v1)[..., None]
    top = picture[v1, u1] * (1 - fu) + picture[v1, u1 + 1] * fu
    return np.asarray(top * (1 - fv) + (picture[v1 + 1, u1] * (1 - fu) + picture[v1 + 1, u1 + 1] * fu) * fv)


@pytest.mark.parametrize(
    ("scale", "shift", "bend", "size"),
    [
        (0.9, (30, 20), 0.01, (560, 360)),
        pytest.param(1.0, (0, 0), 0.0, (720, 480), marks=pytest.mark.slow),
        pytest.param(1.15, (45, 18), -0.01, (700, 460), marks=pytest.mark.slow),
    ],
)
def test_colours_of_the_same_things(
    plain: Picture, scale: float, shift: tuple[float, float], bend: float, size: tuple[int, int]
) -> None:
    wanted = _turned(plain, scale, shift, bend, size)
    before, after = register.colours(plain, wanted)
    assert len(before) > 300
    apart = np.abs(before - after).max(1)
    assert np.median(apart) < 0.01 and np.percentile(apart, 90) < 0.05


def test_a_look_is_found_through_crop_and_size(plain: Picture) -> None:
    shown = look.display(look.compile(look.load("slide")), fit.scene_of(plain.reshape(-1, 3))).reshape(plain.shape)
    found = fit.of_colours(*register.colours(plain, _turned(shown, 0.9, (30, 20), 0.01, (560, 360))), "mine")
    assert found.mean < 1.5


def test_black_and_white_is_found_too(plain: Picture) -> None:
    grey = np.repeat((plain @ [0.3, 0.55, 0.15])[..., None], 3, -1) ** 1.4
    before, after = register.colours(plain, _turned(grey, 1.1, (20, 30), 0.0, (640, 400)))
    assert np.median(np.abs((before @ [0.3, 0.55, 0.15]) ** 1.4 - after[:, 0])) < 0.015


def test_another_view_is_refused(plain: Picture, rng: np.random.Generator) -> None:
    other = np.asarray(Image.fromarray(rng.integers(0, 255, (12, 18, 3), dtype=np.uint8)).resize((720, 480))) / 255.0
    for wrong in (other, np.full((480, 720, 3), 0.5)):
        with pytest.raises(look.LookError, match="not one view"):
            register.colours(plain, wrong)
