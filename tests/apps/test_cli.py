"""The commands: what they print, what they write, what they refuse and with which exit code."""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from conftest import SHARED, needs_shared
from PIL import Image
from toyhouse import toy_house  # noqa: F401

import lichtbild
from lichtbild import photo
from lichtbild.apps.cli.main import run

Make = Callable[..., pathlib.Path]


class Result(NamedTuple):
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def call(*words: str) -> Result:
    """Run the command in this process; a traceback is a failed test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run(words)
        except SystemExit as e:
            code = e.code if isinstance(e.code, int) else 1
    assert "Traceback" not in err.getvalue()
    return Result(code, out.getvalue(), err.getvalue())


def objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def level(path: str) -> float:
    with Image.open(path) as image:
        return float(np.asarray(image).mean()) / 255


def test_develop_writes_a_photograph_and_stays_silent(toys: Make) -> None:
    toys("a.dng")
    result = call("develop", "a.dng")
    assert (result.exit_code, result.output) == (0, "")
    assert level("a.jpg") == pytest.approx(0.5, abs=0.02)
    assert {p.name for p in pathlib.Path().iterdir()} == {"a.dng", "a.jpg"}


def test_json_has_one_object_per_photograph(toys: Make) -> None:
    toys("a.dng", b"GUESS")
    toys("b.dng", b"BAD")
    result = call("develop", "a.dng", "b.dng", "nowhere.dng", "--json")
    first, second, third = objects(result)
    assert result.exit_code == 1
    assert (first["input"], first["output"], first["error"]) == ("a.dng", "a.jpg", None)
    assert first["guesses"] == ["white balance: daylight assumed"] and first["seconds"] > 0
    assert (first["mode"], first["look"], first["chosen"]) == ("snapshot", "classic", {"paint": "flat", "level": 0.5})
    assert (second["output"], second["error"]) == (None, "not a raw file")
    assert third["error"] == "no such file"
    assert "lichtbild: b.dng: not a raw file" in result.stderr and "nowhere.dng: no such file" in result.stderr
    assert not pathlib.Path("b.jpg").exists()


def test_an_unexpected_error_is_one_line(toys: Make) -> None:
    toys("a.dng", b"BUG")
    result = call("develop", "a.dng")
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert "lichtbild: a.dng: internal error, please report: ZeroDivisionError" in result.stderr


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("out/{stem}.jpg", "out/a.jpg"),
        ("out/", "out/a.jpg"),
        ("there", "there/a.jpg"),
        ("one.png", "one.png"),
        ("{folder}-{n}.tif", "in-0001.tif"),
        ("{stem}.JPEG", "a.JPEG"),
    ],
)
def test_names_of_photographs(toys: Make, output: str, found: str) -> None:
    toys("in/a.dng")
    pathlib.Path("there").mkdir()
    assert call("develop", "in/a.dng", "-o", output).exit_code == 0
    assert pathlib.Path(found).is_file()


def test_a_folder_is_each_raw_file_in_it(toys: Make) -> None:
    for name in ("roll/b.DNG", "roll/a.cr2", "roll/notes.txt", "roll/c.png", "roll/d.raw", "roll/d.json"):
        toys(name)
    result = call("develop", "roll", "--json")
    assert [o["input"] for o in objects(result)] == ["roll/a.cr2", "roll/b.DNG", "roll/d.raw"]
    pathlib.Path("empty").mkdir()
    result = call("develop", "empty", "roll/a.cr2", "--overwrite")
    assert result.exit_code == 1 and "empty: no raw file" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.dng", "-o", "x.gif"], "x.gif"),
        (["a.dng", "-o", "x"], "x"),
        (["a.dng", "-o", "{stam}.jpg"], "did you mean 'stem'"),
        (["a.dng", "b.dng", "-o", "x.jpg"], "{stem}"),
        (["a.dng", "a.dng"], "{n}"),
        (["a.dng", "--mode", "portrait"], "not there yet"),
        (["a.dng", "--mode", "snapshto"], "did you mean 'snapshot'"),
        (["a.dng", "--look", "clasic"], "did you mean 'classic'"),
        (["a.dng", "--set", "paint.level=2"], "0..1"),
        (["a.dng", "--set", "paint.levl=1"], "did you mean 'level'"),
        (["a.dng", "--recipe", "none.toml"], "none.toml"),
        (["a.dng", "--space", "p4"], "p3"),
        (["a.dng", "--quality", "0"], "quality"),
        (["a.dng", "--jobs", "0"], "jobs"),
        (["a.dng", "--overwrite", "--skip-existing"], "exclude"),
        (["a.dng", "--overwite"], "did you mean --overwrite"),
        ([], "FILE"),
    ],
)
def test_wrong_usage_is_refused_before_any_work(toys: Make, words: list[str], said: str) -> None:
    toys("a.dng")
    toys("b.dng")
    result = call("develop", *words)
    assert result.exit_code == 2 and said in result.stderr
    assert {p.name for p in pathlib.Path().iterdir()} == {"a.dng", "b.dng"}


def test_a_photograph_may_never_replace_its_raw_file(toys: Make) -> None:
    path = toys("scan.png", b"RAW")
    toys("scan.json")
    result = call("develop", "scan.png", "-o", "./scan.png", "--overwrite")
    assert result.exit_code == 2 and path.read_bytes() == b"RAW"


def test_what_exists_is_kept_skipped_or_replaced_as_asked(toys: Make) -> None:
    toys("a.dng")
    toys("b.dng")
    pathlib.Path("a.jpg").write_text("mine")
    result = call("develop", "a.dng", "b.dng", "--json")
    assert result.exit_code == 1 and "--overwrite" in result.stderr and pathlib.Path("a.jpg").read_text() == "mine"
    assert pathlib.Path("b.jpg").is_file() and len(objects(result)) == 2
    result = call("develop", "a.dng", "b.dng", "--skip-existing")
    assert (result.exit_code, result.output) == (0, "") and pathlib.Path("a.jpg").read_text() == "mine"
    assert call("develop", "a.dng", "--overwrite").exit_code == 0
    assert level("a.jpg") == pytest.approx(0.5, abs=0.02)


def test_values_reach_the_pixels_and_a_photograph_is_a_recipe(toys: Make) -> None:
    toys("a.dng")
    toys("b.dng")
    pathlib.Path("r.toml").write_text("[paint]\nlevel = 0.25\n")
    pathlib.Path("b.lichtbild.toml").write_text("[paint]\nlevel = 0.75\n")
    assert call("develop", "a.dng", "b.dng", "--recipe", "r.toml", "-o", "{stem}.png").exit_code == 0
    with Image.open("a.png") as a, Image.open("b.png") as b:
        levels = [float(np.asarray(x).mean()) / 255 for x in (a, b)]
    assert levels == pytest.approx([0.25, 0.75], abs=0.02)
    assert call("develop", "a.dng", "--recipe", "b.png", "-o", "again.png").exit_code == 0
    assert level("again.png") == pytest.approx(0.75, abs=0.02)
    assert call("develop", "a.dng", "--recipe", "b.png", "--set", "paint.level=0", "-o", "0.png").exit_code == 0
    assert level("0.png") == 0
    Image.new("RGB", (4, 4)).save("plain.jpg")
    result = call("develop", "a.dng", "--recipe", "plain.jpg", "-o", "no.png")
    assert result.exit_code == 2 and "holds no recipe" in result.stderr


def test_a_bad_sidecar_fails_its_own_photograph_only(toys: Make) -> None:
    toys("a.dng")
    toys("b.dng")
    pathlib.Path("a.lichtbild.toml").write_text("[paint]\nlevel = 7\n")
    result = call("develop", "a.dng", "b.dng")
    assert result.exit_code == 1 and "a.lichtbild.toml" in result.stderr and pathlib.Path("b.jpg").is_file()


def test_explain_names_each_origin(toys: Make) -> None:
    toys("a.dng")
    pathlib.Path("r.toml").write_text("[paint]\nlevel = 0.25\n")
    text = call("explain", "a.dng", "--recipe", "r.toml").stdout
    assert "paint.level" in text and "0.25" in text and "recipe r.toml" in text and "auto" in text
    found = json.loads(call("explain", "a.dng", "--set", "paint.level=1", "--json").stdout)
    assert found["values"]["paint.level"]["origin"] == "--set" and found["values"]["paint.level"]["value"] == 1.0
    assert found["stages"] == ["paint"] and found["look"] == "classic"
    assert call("explain", "a.dng", "--mode", "portrait").exit_code == 2
    assert call("explain", "nowhere.dng").exit_code == 1


def test_version_and_help() -> None:
    assert call("--version").stdout == f"lichtbild {lichtbild.__version__}\n"
    text = call("--help").stdout
    assert all(word in text for word in ("develop", "info", "explain", "look", "demo", "bench"))
    assert all(word in text for word in ("simulate", "merge", "postprocess"))
    assert all(call(name, "--help").exit_code == 0 for name in ("develop", "info", "explain", "look", "demo", "bench"))
    result = call("develope")
    assert result.exit_code == 2 and "did you mean develop" in result.stderr
    assert call().exit_code == 2


def test_an_interrupt_ends_with_130_and_leaves_nothing(toys: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        toys(f"{name}.dng")

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("lichtbild.apps.runner._finish", interrupted)
    monkeypatch.setattr(photo, "render", lambda *_: time.sleep(0.05))
    result = call("develop", "a.dng", "b.dng", "c.dng", "d.dng")
    assert result.exit_code == 130 and "interrupted" in result.stderr
    assert {p.suffix for p in pathlib.Path().iterdir()} == {".dng"}


def _fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_and_help_load_nothing_heavy() -> None:
    heavy = "{'numpy', 'PIL', 'tifffile', 'imagecodecs', 'rawpy', 'rich.table'} & set(sys.modules)"
    assert _fresh(f"import sys, lichtbild; print({heavy})") == "set()\n"
    assert _fresh(f"import sys, lichtbild.apps.cli.main; print({heavy})") == "set()\n"


def test_help_answers_in_less_than_a_third_of_a_second() -> None:
    code = "import sys; sys.argv = ['lichtbild', '--help']; from lichtbild.apps.cli.main import main; main()"
    took = []
    for _ in range(5):
        start = time.perf_counter()
        _fresh(code)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.3


@needs_shared
def test_info_and_explain_on_a_real_file() -> None:
    file = str(SHARED / "raw" / "gopro_hero6_mural_iso100.dng")
    text = call("info", file).stdout
    assert "HERO6 Black" in text and "lossless JPEG" in text and "GainMap" in text
    result = call("info", file, "nowhere.dng", "--json")
    first, second = objects(result)
    assert result.exit_code == 1 and first["model"] == "HERO6 Black" and first["guesses"] == []
    assert second == {"file": "nowhere.dng", "error": "no such file"}
    assert "white.mode" in call("explain", file).stdout
