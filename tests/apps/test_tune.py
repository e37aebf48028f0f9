"""The tuning session at the command line: sheets on a page, picks from the keyboard, a look that can be used."""

from __future__ import annotations

import io
import pathlib
import re

import numpy as np
import pytest
import virtual

from lichtbild import look, recipe
from lichtbild.apps.cli import tune
from lichtbild.apps.cli.main import run
from lichtbild.develop import pipeline
from lichtbild.export import dng
from lichtbild.scene import lake
from lichtbild.shot import open as open_shot
from lichtbild.types import replace


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("raw") / "lake.dng"
    dng.write_frame(path, virtual.expose(lake.render(160, 240), 0.45))
    return path


def keyboard(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


KNOBS = ("--knob", "tone.slope", "--knob", "chroma.scale")


def test_picks_become_a_look(raw, tmp_path, monkeypatch, capsys):
    keyboard(monkeypatch, "3\n12\nx\n1\nw\n")
    out = tmp_path / "mine.toml"
    assert run(["look", "tune", str(raw), "-o", str(out), *KNOBS]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}\n" and len(re.findall("tone.slope", said.err)) == 2 and "'12': expected" in said.err
    assert look.load(out).name == "mine" and sorted(p.name for p in tmp_path.iterdir()) == ["mine.toml"]
    assert run(["develop", str(raw), "--look", str(out), "-o", str(tmp_path / "a.jpg")]) == 0


@pytest.mark.parametrize("typed", ["q\n", "", "2\nq\n"])
def test_giving_up_leaves_nothing(raw, tmp_path, monkeypatch, typed):
    keyboard(monkeypatch, typed)
    assert run(["look", "tune", str(raw), "-o", str(tmp_path / "mine.toml"), *KNOBS]) == 1
    assert not list(tmp_path.iterdir())


def test_the_page_shows_nine_pictures(raw, tmp_path, monkeypatch):
    pages: list[str] = []
    monkeypatch.setattr(tune, "ask", lambda *_: pages.append((tmp_path / "m-sheet.html").read_text()) or "q")
    tune.run([raw], "classic", ["tone.mid_ev"], tmp_path / "m.toml")
    assert pages[0].count("data:image/jpeg;base64,") == 9 and len(set(re.findall('base64,([^"]+)', pages[0]))) > 5


def test_a_page_of_the_users_own_stays(raw, tmp_path):
    mine = tmp_path / "mine-sheet.html"
    mine.write_text("mine")
    assert run(["look", "tune", str(raw), "-o", str(tmp_path / "mine.toml"), *KNOBS]) == 2
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "m.toml"], "which raw files"), (["X"], "where to"), (["X", "-o", "m.cube"], "where to"),
        (["X", "-o", "m.toml", "--knob", "tone.slop"], "tone.slope"),
        (["X", "-o", "m.toml", "--base", "clasic"], "classic"),
    ],
)  # fmt: skip
def test_wrong_words(raw, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert run(["look", "tune", *(str(raw) if w == "X" else w for w in words)]) == 2
    assert said in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_preview_is_the_photograph_at_a_quarter_of_its_size(raw):
    frame = open_shot(raw).reference
    made = recipe.resolve(look="neutral")
    for orientation in (1, 6):
        turned = replace(frame, orientation=orientation)
        shown = look.apply(pipeline.preview(turned, made), look.compile(look.load("neutral")))
        photo = pipeline.render(turned, made, pipeline.Wanted()).sdr.astype(float) / 255
        small = photo.reshape(photo.shape[0] // 4, 4, photo.shape[1] // 4, 4, 3).mean((1, 3))
        assert shown.shape[1:] == small.shape[:2]
        assert np.abs(np.moveaxis(shown, 0, -1) - small).mean() < 0.02
