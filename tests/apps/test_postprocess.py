"""The post-processor's contract: the last line is a path that exists, whatever the burst is like."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from PIL import Image
from virtual import expose

from lichtbild.apps.cli.main import run
from lichtbild.export import dng
from lichtbild.scene import lake


@pytest.fixture
def burst(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "megapixels.a1B2c3"
    folder.mkdir()
    for n in range(3):
        dng.write_frame(folder / f"{n}.dng", expose(lake.render(120, 160), 0.45))
    return folder


def answer(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, pathlib.Path]:
    code = run(["postprocess", *map(str, words)])
    return code, pathlib.Path(capsys.readouterr().out.splitlines()[-1])


def is_photograph(path: pathlib.Path) -> bool:
    with Image.open(path) as image:
        return image.size == (160, 120) and float(np.asarray(image).std()) > 10


@pytest.mark.parametrize(("words", "kept"), [((), False), (("0",), False), (("1",), True)])
def test_a_burst_becomes_a_photograph_and_is_cleared_away(burst, tmp_path, capsys, words, kept):
    code, path = answer(capsys, burst, tmp_path / "Pictures/IMG20261121", *words)
    assert (code, path) == (0, tmp_path / "Pictures/IMG20261121.jpg") and is_photograph(path)
    assert not burst.exists() and (tmp_path / "Pictures/IMG20261121.dng").exists() == kept
    assert sorted(p.suffix for p in path.parent.iterdir()) == ([".dng", ".jpg"] if kept else [".jpg"])


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_damaged_frame_does_not_cost_the_photograph(burst, tmp_path, capsys, bad):
    (burst / f"{bad}.dng").write_bytes(b"II*\0garbage")
    code, path = answer(capsys, burst, tmp_path / "x")
    assert code == 0 and is_photograph(path) and not burst.exists()


def test_a_burst_of_one(burst, tmp_path, capsys):
    for n in (1, 2):
        (burst / f"{n}.dng").unlink()
    code, path = answer(capsys, burst, tmp_path / "x", "1")
    assert code == 0 and is_photograph(path) and (tmp_path / "x.dng").exists()


def test_where_nothing_can_be_developed_the_raw_is_saved_and_named(burst, tmp_path, capsys):
    for n in range(3):
        (burst / f"{n}.dng").write_bytes(b"not a raw %d" % n)
    code, path = answer(capsys, burst, tmp_path / "x", "0")
    assert code == 1 and path == tmp_path / "x.dng" and path.read_bytes() == b"not a raw 1"


def test_an_empty_folder_still_answers_with_a_path(tmp_path, capsys):
    assert answer(capsys, tmp_path / "nowhere", tmp_path / "x") == (1, tmp_path / "x.jpg")


def test_nothing_is_replaced_and_strangers_stay(burst, tmp_path, capsys):
    (tmp_path / "x.jpg").write_bytes(b"an older photograph")
    (burst / "notes.txt").write_text("mine")
    code, path = answer(capsys, burst, tmp_path / "x")
    assert (code, path) == (0, tmp_path / "x-2.jpg") and is_photograph(path)
    assert (tmp_path / "x.jpg").read_bytes() == b"an older photograph"
    assert [p.name for p in burst.iterdir()] == ["notes.txt"]


def test_a_burst_is_kept_where_nothing_could_be_saved(burst, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    code, path = answer(capsys, burst, tmp_path / "file/x", "1")
    assert code == 1 and path.name == "x.jpg" and len(list(burst.iterdir())) == 3
