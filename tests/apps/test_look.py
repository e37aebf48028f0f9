"""`lichtbild look`: list, show, diff, lint, bake, new — what they say, and what they leave on the disk."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from lichtbild import look
from lichtbild.apps.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main.run(["look", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture(autouse=True)
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A user without looks of his own, in an empty folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home" / "lichtbild" / "looks"


def test_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(look.names())
    assert set(json.loads(run(capsys, "list", "--json")[1])) == set(look.names())
    code, out, _ = run(capsys, "show", "classic")
    assert code == 0 and "tone.slope" in out and "skin.equity" in out and "hue 120°" in out
    assert json.loads(run(capsys, "show", "classic", "--json")[1])["tone"]["slope"] == look.load("classic").tone.slope


def test_diff(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "diff", "classic", "classic")[:2] == (0, "")
    assert "tone.mid_ev" in run(capsys, "diff", "classic", "bright")[1]
    slopes = [look.load(n).tone.slope for n in ("classic", "bright")]
    assert json.loads(run(capsys, "diff", "classic", "bright", "--json")[1])["tone.slope"] == slopes


def test_bake_then_lint_then_use(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "bake", "bw", "-o", "bw.cube", "--size", "9")
    assert code == 0 and "9 points" in out and "ΔE2000" in out
    found = json.loads(run(capsys, "bake", "bw", "-o", "bw.png", "--size", "16", "--json")[1])
    assert found["size"] == 16 and found["nature"]["mean"] < 2
    code, out, _ = run(capsys, "lint", "bw.cube", "classic", "--json")
    assert code == 1 and [json.loads(line)["name"] for line in out.splitlines()] == ["bw.cube", "classic"]
    assert run(capsys, "lint", "classic")[0] == 0
    assert look.load("bw.png").lut.file == "bw.png"
    found = json.loads(run(capsys, "bake", "bw", "-o", "bw.dcp", "--json")[1])
    assert found["camera"] == "generic" and "ProPhoto" in found["in"]
    assert run(capsys, "lint", "bw.dcp")[0] in (0, 1)


def test_what_exists_is_not_replaced_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    kept = pathlib.Path("x.cube")
    kept.write_text("mine")
    for words in (("bake", "bw"), ("lint", "bw")):
        code, _, err = run(capsys, *words, "-o", str(kept))
        assert code == 2 and "exists" in err and kept.read_text() == "mine"
    assert run(capsys, "bake", "bw", "-o", str(kept), "--size", "3", "--overwrite")[0] == 0
    assert kept.read_text() != "mine"


def test_a_look_of_ones_own(capsys: pytest.CaptureFixture[str], home: pathlib.Path) -> None:
    code, out, _ = run(capsys, "new", "mine", "bright")
    assert (code, out) == (0, f"{home / 'mine.toml'}\n")
    assert look.load("mine").tone == look.load("bright").tone
    assert "mine" in run(capsys, "list")[1]
    code, _, err = run(capsys, "new", "mine")
    assert code == 2 and "exists" in err


def test_fit_a_pair_of_pictures(capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    rng = np.random.default_rng(3)
    colours, other = (rng.uniform(0.2, 0.8, (12, 16, 3)).repeat(20, 0).repeat(20, 1) for _ in "ab")
    for name, picture in (("a.png", colours), ("b.png", colours**1.1), ("c.png", other)):
        Image.fromarray((picture * 255).astype(np.uint8)).save(name)
    code, out, err = run(capsys, "fit", "a.png", "b.png", "-o", "mine.toml")
    assert (code, err) == (0, "") and "remain" in out
    assert look.load("mine.toml").name == "mine"
    assert run(capsys, "fit", "a.png", "b.png", "-o", "mine.toml")[0] == 2
    code, _, err = run(capsys, "fit", "a.png", "c.png", "-o", "other.toml")
    assert code == 1 and "c.png beside a.png: not one view" in err
    assert not pathlib.Path("other.toml").exists()
    code, _, err = run(capsys, "fit", str(tmp_path), "-o", "other.toml")
    assert code == 1 and "no raw file beside a picture of the same name" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show",), "expected one of"),
        (("show", "clasic"), "did you mean 'classic'"),
        (("diff", "classic"), "two looks"),
        (("lint",), "which look"),
        (("lint", "none.cube"), "No such file"),
        (("bake", "classic"), "where to?"),
        (("bake", "classic", "-o", "x.jpg"), "baked into"),
        (("fit", "x.cube"), "where to?"),
        (("fit", "x.cube", "-o", "x.toml"), "No such file"),
        (("fit", "a", "b", "c", "-o", "x.toml"), "pairs of files"),
        (("fit", "none.png", "none.png", "-o", "x.toml"), "cannot be read as a picture"),
        (("new", "a/b"), "no name for a look"),
        (("new", "a", "clasic"), "did you mean 'classic'"),
    ],
)
def test_one_line_when_it_cannot_be(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = run(capsys, *words)
    assert code in (1, 2) and out == "" and said in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
