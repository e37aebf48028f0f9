"""A photograph saved as a DNG: linear camera light that our own and foreign readers develop like the raw itself."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import rawpy
from PIL import Image
from virtual import expose

import lichtbild
from lichtbild import raw
from lichtbild.export import dng
from lichtbild.scene import lake
from lichtbild.types import replace


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("light") / "lake.dng"
    dng.write_frame(path, replace(expose(lake.render(320, 480), 0.45), orientation=6))
    return path


@pytest.fixture(scope="module")
def saved(taken: pathlib.Path) -> pathlib.Path:
    return lichtbild.develop(taken, set={"exposure.mode": "fixed"}).save(taken.with_name("light.dng"))


def test_what_is_done_is_not_asked_for_again(taken: pathlib.Path, saved: pathlib.Path) -> None:
    before, after = raw.open(taken), raw.open(saved)
    assert (after.cfa, after.shape, after.orientation) == ("RGB", before.shape, 6)
    assert not after.gain_maps and after.noise is None and not after.black.any()
    np.testing.assert_allclose(after.colour.as_shot_neutral, before.colour.as_shot_neutral, rtol=1e-5)


def test_developed_again_it_is_the_same_photograph(taken: pathlib.Path, saved: pathlib.Path) -> None:
    still = {"exposure.mode": "fixed", "tone.strength": 0}
    first = lichtbild.develop(taken, set=still).array.astype(float)
    again = lichtbild.develop(saved, set={**still, "denoise.luma": 0, "denoise.chroma": 0, "detail.amount": 0}).array
    difference = np.abs(first - again)
    assert difference.mean() < 0.6 and np.percentile(difference, 99.9) < 6


def test_libraw_sees_its_colours_and_white_where_all_is_clipped(saved: pathlib.Path) -> None:
    with rawpy.imread(str(saved)) as r:
        seen = r.postprocess(use_camera_wb=True, no_auto_bright=True, user_flip=0).astype(float)
    ours = raw.open(saved)
    white = np.array(ours.colour.as_shot_neutral)[:, None, None]
    light = ours.rgb / 65535 / white
    bright = light.min(0) > 0.85 * light.min(0).max()
    assert bright.sum() > 20
    chroma = np.ptp(seen[bright], axis=1)
    assert np.median(chroma) < 25, "clipped light is not magenta"


def test_the_preview_stands_upright_and_the_recipe_is_kept(taken: pathlib.Path, saved: pathlib.Path) -> None:
    again = lichtbild.develop(taken, recipe=saved)
    assert again.recipe.values["exposure"]["mode"] == "fixed"
    with Image.open(saved) as preview:  # Pillow turns a TIFF upright by its orientation
        shown = np.asarray(preview.convert("RGB")).astype(float)
    assert np.abs(shown - again.array).mean() < 3
