"""`lichtbild simulate`: what it lists, writes and refuses."""

from __future__ import annotations

import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile
from apps.test_cli import call

import lichtbild

HOUSE = pathlib.Path(lichtbild.__file__).parent


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
        (["lake", "-o", "b", "--frames", "0"], "1..200"),
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


def _changed(source: str, old: str, new: str) -> str:
    """A file of the house with one line changed."""
    text = (HOUSE / source).read_text("utf-8")
    assert old in text
    return text.replace(old, new)


FILES = {
    "key.toml": '[scene]\nname = "lake"\nlax = 3\n',
    "table.toml": '[scene]\nname = "lake"\n[shott]\nframes = 2\n',
    "no-toml.toml": "[scene\n",
    "texture.toml": '[scene]\nname = "picture"\nfile = "none.exr"\n',
    "negative.toml": '[scene]\nname = "picture"\nfile = "negative.tif"\n',
    "no-well.toml": _changed("sensor/data/imx219.toml", "full_well_e = 4866\n", ""),
    "folding.toml": _changed("lens/data/phone-main.toml", "[-0.012, 0.035, -0.015]", "[-0.9, 0.0, 0.0]"),
    "small.toml": _changed("lens/data/phone-main.toml", "image_mm = 16.5", "image_mm = 5.5"),
}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["key.toml"], ["key.toml", "lax", "'lux'"]),
        (["table.toml"], ["table.toml", "shott", "'shot'"]),
        (["no-toml.toml"], ["no-toml.toml", "not TOML"]),
        (["texture.toml"], ["none.exr", "No such file", "name a picture"]),
        (["negative.toml"], ["negative.tif", "negative radiance", "clip = true"]),
        (["lake", "--sensor", "no-well.toml"], ["no-well.toml", "well.full_well_e is missing"]),
        (["lake", "--sensor", "none.toml"], ["none.toml", "No such file"]),
        (["lake", "--lens", "folding.toml", "--size", "4096x3072"], ["folding.toml", "distortion.k", "smaller"]),
        (["lake", "--lens", "small.toml"], ["small.toml", "image_mm", "smaller sensor"]),
        (["lake", "--size", "9999x9999"], ["9999x9999", "phone-1-inch", "4096x3072"]),
        (["lake", "-o", "key.toml/burst"], ["key.toml/burst", "cannot be written"]),
        (["lake", "-o", "key.toml"], ["key.toml", "is a file"]),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(folder: pathlib.Path, words: list[str], said: list[str]) -> None:
    for name, text in FILES.items():
        pathlib.Path(name).write_text(text)
    tifffile.imwrite("negative.tif", np.full((8, 9, 3), -0.5, np.float32), photometric="rgb")
    before = {p.name for p in folder.iterdir()}
    result = call("simulate", "-o", "burst", "--size", "64x48", *words)
    lines = result.stderr.splitlines()
    assert result.exit_code in (1, 2) and len(lines) == 1 and all(word in lines[0] for word in said), result.stderr
    assert {p.name for p in folder.iterdir()} == before


def _started(folder: pathlib.Path, *words: str, most_bytes: int = 0) -> subprocess.Popen[str]:
    """The command in a process of its own, which may write no file above `most_bytes`."""

    def limit() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where a shell runs us behind
        if most_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    path = os.pathsep.join([str(HOUSE.parent), os.environ.get("PYTHONPATH", "")])
    line = [sys.executable, "-m", "lichtbild", "simulate", *words]
    return subprocess.Popen(
        line, cwd=folder, text=True, stderr=subprocess.PIPE, preexec_fn=limit, env=os.environ | {"PYTHONPATH": path}
    )


@pytest.mark.parametrize("most_bytes", [3000, 200_000])
def test_a_full_disk_is_one_line_and_leaves_the_old_burst(folder: pathlib.Path, most_bytes: int) -> None:
    """A limit on the size of files, which the first frame or the light of truth meets, as a full disk would be."""
    assert call("simulate", "lake", "-o", "burst", "--size", "64x48", "--frames", "1", "--truth", "none").exit_code == 0
    before = (folder / "burst" / "00.dng").read_bytes()
    words = ["lake", "-o", "burst", "--size", "256x192", "--frames", "2", "--overwrite"]
    with _started(folder, *words, most_bytes=most_bytes) as run:
        said = run.communicate(timeout=60)[1]
    assert run.returncode == 1 and len(said.splitlines()) == 1 and "burst" in said and "File too large" in said, said
    assert [p.name for p in folder.iterdir()] == ["burst"]
    assert [p.read_bytes() for p in (folder / "burst").iterdir()] == [before]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_burst_leaves_nothing(folder: pathlib.Path, number: int, code: int) -> None:
    with _started(folder, "lake", "-o", "burst", "--size", "256x192", "--frames", "200") as run:
        deadline = time.monotonic() + 60
        while not any(folder.glob(".burst.*/002.dng")):
            assert run.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        run.send_signal(number)
        said = run.communicate(timeout=30)[1]
    assert run.returncode == code and "Traceback" not in said and len(said.splitlines()) <= 1, said
    assert not list(folder.iterdir())
