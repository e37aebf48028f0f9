"""The whole way of light: one raw in, one photograph out, again and again the same."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from conftest import SHARED, needs_shared
from virtual import expose

import lichtbild
from lichtbild import recipe, types
from lichtbild.develop import pipeline
from lichtbild.export import dng
from lichtbild.scene import lake
from lichtbild.wanted import Wanted


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("raw") / "lake.dng"
    dng.write_frame(path, expose(lake.render(160, 240), 0.45))
    return path


def test_photograph_again_from_the_recipe_it_carries(raw: pathlib.Path, tmp_path: pathlib.Path) -> None:
    first = lichtbild.develop(lichtbild.open(raw), look="neutral", set={"exposure.ev": 0.7, "white.mode": "auto"})
    path = first.save(tmp_path / "a.jpg")
    again = lichtbild.develop(lichtbild.open(raw), recipe=path)
    assert again.recipe.values == first.recipe.values and again.recipe.look == "neutral"
    assert np.array_equal(first.array, again.array)


def test_a_grey_card_is_grey_and_has_no_noise_left_to_see(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "grey.dng"
    dng.write_frame(path, expose(np.full((3, 200, 300), 0.5, np.float32), 0.4))
    photo = lichtbild.develop(lichtbild.open(path), set={"grade.falloff": 0}).array.astype(float)
    centre = photo[20:-20, 20:-20]
    assert np.ptp(centre.mean(axis=(0, 1))) < 1.5  # codes between the channels
    assert centre.std(axis=(0, 1)).max() < 3
    # Shading of -0.86 EV in the corners is evened.
    assert abs(photo[:16, :16].mean() - photo[92:108, 142:158].mean()) < 3


@pytest.mark.parametrize("count", [1, 3])
def test_black_without_noise_is_neutral_black(count: int) -> None:
    frame = expose(np.zeros((3, 60, 90), np.float32), 0.4, iso=3200)
    assert frame.mosaic is not None
    still = types.replace(frame, mosaic=np.full_like(frame.mosaic, round(float(frame.black.flat[0]))))
    for noise in (None, frame.noise, types.Noise((6e-3,) * 3, (3e-3,) * 3)):
        frames = [types.replace(still, noise=noise)] * count
        photo = pipeline.render(frames[0], recipe.resolve("night"), Wanted(8, "srgb", False), frames)
        assert photo.sdr.max() <= 1 and photo.sdr.mean() < 0.01  # dither


# What the eight EXIF orientations do to a picture (H, W, 3), each said in its own way.
UPRIGHT = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: np.rot90(p, 2),
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(p, 2).transpose(1, 0, 2),
    8: lambda p: np.rot90(p, 1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_every_orientation_is_a_turned_picture(raw: pathlib.Path, orientation: int, bits: int) -> None:
    frame, made, want = lichtbild.open(raw).reference, recipe.resolve(), Wanted(bits, "srgb", True)
    lying = pipeline.render(frame, made, want)
    turned = pipeline.render(types.replace(frame, orientation=orientation), made, want)
    assert np.array_equal(turned.sdr, UPRIGHT[orientation](lying.sdr))
    assert np.array_equal(turned.gain, UPRIGHT[orientation](lying.gain))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5)])
@pytest.mark.parametrize("cfa", [*types.BAYER, "MONO"])
def test_tiny_frames(size: tuple[int, int], cfa: str) -> None:
    frame = expose(np.full((3, *size), 0.5, np.float32), 0.4)
    photo = pipeline.render(types.replace(frame, cfa=cfa), recipe.resolve(), Wanted(8, "p3", True))
    assert photo.sdr.shape == (*size, 3) and photo.gain is not None


@needs_shared
def test_the_mural_has_white_clouds_and_saturated_paint() -> None:
    photo = lichtbild.develop(lichtbild.open(SHARED / "raw/gopro_hero6_mural_iso100.dng")).array.astype(float)
    assert photo.shape == (3000, 4000, 3)
    sky = photo[300:420, 2400:2560].reshape(-1, 3)
    assert np.ptp(sky.mean(axis=0)) < 14  # no magenta where the sensor clipped
    assert 90 < photo.mean() < 150
