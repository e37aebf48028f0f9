"""The Python face: open, develop, save."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from toyhouse import toy_house  # noqa: F401

import lichtbild as sl
from lichtbild import photo as photos
from lichtbild import raw
from lichtbild.wanted import Wanted

Make = Callable[..., pathlib.Path]


def test_the_public_face_is_small_and_complete() -> None:
    assert dir(sl) == ["LichtbildError", "Photo", "Shot", "__version__", "develop", "open", "set_threads", "simulate"]
    for name in dir(sl):
        assert getattr(sl, name) is not None
    with pytest.raises(AttributeError, match="blend"):
        sl.blend  # noqa: B018
    assert callable(sl.develop) and sl.develop.__name__ == "lichtbild.develop"


def test_the_version_is_that_of_the_package() -> None:
    text = (pathlib.Path(__file__).parents[1] / "pyproject.toml").read_text()
    assert f'\nversion = "{sl.__version__}"\n' in text


def test_open_takes_a_file_several_or_a_folder(toys: Make) -> None:
    for name in ("burst/b.dng", "burst/a.dng", "burst/notes.txt"):
        toys(name)
    assert [f.path.name for f in sl.open("burst").frames] == ["a.dng", "b.dng"]
    assert sl.open("burst/b.dng").reference.path.name == "b.dng"
    assert [f.path.name for f in sl.open(["burst/b.dng", pathlib.Path("burst/a.dng")]).frames] == ["b.dng", "a.dng"]
    pathlib.Path("empty").mkdir()
    for wrong, said in (("empty", "no raw file"), ([], "expected"), ("nowhere.dng", "no such file")):
        with pytest.raises(sl.LichtbildError, match=said):
            sl.open(wrong)


def test_several_frames_go_to_the_pipeline_together(toys: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("burst/a.dng", "burst/b.dng"):
        toys(name)
    toys("burst/c.dng", b"BAD")
    plain, seen = photos.render, list[Any]()

    def watching(frame: Any, recipe: Any, want: Wanted, frames: Any = ()) -> Any:
        seen.append([f.path.name for f in frames])
        return plain(frame, recipe, want)

    monkeypatch.setattr(photos, "render", watching)
    shot = sl.open("burst")
    assert sl.develop(shot, "snapshot").array.shape == (6, 8, 3)
    assert seen == [["a.dng", "b.dng"]]
    assert shot.remarks == ["burst/c.dng: not a raw file: left out"]


def test_develop_save_and_array_share_the_pixels(toys: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    toys("a.dng")
    asked: list[Wanted] = []
    plain = photos.render

    def counting(frame: Any, recipe: Any, want: Wanted) -> Any:
        asked.append(want)
        return plain(frame, recipe, want)

    monkeypatch.setattr(photos, "render", counting)
    photo = sl.develop("a.dng", set={"paint.level": 0.25})
    assert not asked and photo.recipe.origins["paint"]["level"] == "--set"
    assert photo.save("a.jpg") == pathlib.Path("a.jpg")
    assert photo.array.shape == (6, 8, 3) and photo.array.dtype == np.uint8
    assert asked == [Wanted(8, "srgb", True)]
    photo.save("a.tif", space="p3")
    assert asked[1:] == [Wanted(16, "p3", False)]
    photo.save("plain.jpg", sdr=True, quality=50, private=True)
    assert asked[2:] == [Wanted(8, "srgb", False)]
    with Image.open("plain.jpg") as image:
        assert abs(float(np.asarray(image).mean()) - 64) < 4


def test_save_refuses_what_exists_and_what_it_cannot_write(toys: Make) -> None:
    toys("a.dng")
    photo = sl.develop(sl.open("a.dng"))
    pathlib.Path("a.jpg").write_text("mine")
    for name, more, said in (
        ("a.jpg", {}, "exists"),
        ("a.xyz", {}, "xyz"),
        ("b.jpg", {"space": "p4"}, "p3"),
        ("b.jpg", {"quality": 0}, "1..100"),
    ):
        with pytest.raises(sl.LichtbildError, match=said):
            photo.save(name, **more)
    assert pathlib.Path("a.jpg").read_text() == "mine" and not pathlib.Path("b.jpg").exists()
    photo.save("a.jpg", overwrite=True)
    photo.save("new/folder/a.png")
    assert pathlib.Path("new/folder/a.png").is_file()


def test_the_text_in_a_photograph_names_its_input(toys: Make) -> None:
    toys("a.dng", b"abc")
    text = sl.develop("a.dng").text
    made = sl.develop("a.dng")
    assert [h.result()[:8] for h in made.begin_hashes()] == ["ba7816bf"] and made.text == text
    assert 'name = "a.dng"' in text and "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" in text


def test_the_face_is_found_where_the_house_is_read(toys: Make) -> None:
    assert raw.open is not sl.open
