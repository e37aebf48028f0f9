"""`lichtbild simulate`: what it lists, writes and refuses."""

from __future__ import annotations

import json
import pathlib

import pytest
from apps.test_cli import call

import lichtbild


@pytest.fixture(autouse=True)
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LICHTBILD_CACHE", "off")
    return tmp_path


def test_list_names_what_can_be_chosen() -> None:
    found = json.loads(call("simulate", "--list", "--json").stdout)
    assert {"lake", "street"} <= found["scenes"].keys() and "phone-main" in found["lenses"]
    assert "imx477" in found["sensors"] and all(doc for kind in found.values() for doc in kind.values())
    assert "street.wet = 1.0" in call("simulate", "--list").stdout


def test_a_scene_file_becomes_a_burst_that_can_be_developed() -> None:
    pathlib.Path("s.toml").write_text('[scene]\nname = "lake"\n[shot]\nframes = 3\nsensor = "imx477"\niso = 400\n')
    result = call("simulate", "s.toml", "-o", "in/burst", "--size", "64x48", "--frames", "2", "--seed", "3")
    assert (result.exit_code, result.output) == (0, "")
    shot = lichtbild.open("in/burst")
    assert [f.shape for f in shot.frames] == [(48, 64)] * 2 and shot.reference.model == "virtual imx477"
    assert [f.exposure.iso for f in shot.frames] == [400, 400]
    assert call("develop", "in/burst", "-o", "{stem}.jpg", "--single").exit_code == 0
    assert pathlib.Path("00.jpg").is_file() and pathlib.Path("01.jpg").is_file()
    again = call("simulate", "s.toml", "-o", "in/burst", "--size", "64x48")
    assert again.exit_code == 1 and "--overwrite" in again.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--list"),
        (["lake"], "where to"),
        (["leke", "-o", "b"], "did you mean 'lake'"),
        (["none.toml", "-o", "b"], "none.toml"),
        (["lake", "-o", "b", "--size", "64"], "WIDTHxHEIGHT"),
        (["lake", "-o", "b", "--frames", "many"], "1..200"),
        (["lake", "-o", "b", "--iso", "-5"], "iso"),
        (["lake", "-o", "b", "--bracket-ev", "x"], "bracket_ev"),
        (["lake", "-o", "b", "--lense", "x"], "did you mean --lens"),
        (["lake", "-o", "b", "--truth", "half"], "truth"),
    ],
)
def test_wrong_usage(folder: pathlib.Path, words: list[str], said: str) -> None:
    result = call("simulate", *words)
    assert result.exit_code == 2 and said in result.stderr
    assert not list(folder.iterdir())
