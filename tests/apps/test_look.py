"""`lichtbild look`: list, show, diff, lint, bake, new — what they say, and what they leave on the disk."""

from __future__ import annotations

import json
import pathlib

import pytest

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


def test_a_look_of_ones_own(capsys: pytest.CaptureFixture[str], home: pathlib.Path) -> None:
    code, out, _ = run(capsys, "new", "mine", "bright")
    assert (code, out) == (0, f"{home / 'mine.toml'}\n")
    assert look.load("mine").tone == look.load("bright").tone
    assert "mine" in run(capsys, "list")[1]
    code, _, err = run(capsys, "new", "mine")
    assert code == 2 and "exists" in err


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
