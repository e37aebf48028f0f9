"""The commands on the real pipeline: every documented flag, what the README says, and a recipe that travels."""

from __future__ import annotations

import io
import os
import pathlib
import re
import shlex
import subprocess
import sys

import imagecodecs
import numpy as np
import pytest
import simplejpeg
import tifffile
from apps.test_cli import call, objects
from conftest import ROOT
from PIL import Image
from virtual import expose

import lichtbild
from lichtbild import export, raw
from lichtbild.apps.cli import demo
from lichtbild.export import dng
from lichtbild.scene import lake as scene

SIZE = (120, 176)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("lake") / "lake.dng"
    dng.write_frame(path, expose(scene.render(*SIZE), 0.45))
    return path.read_bytes()


@pytest.fixture(autouse=True)
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, lake: bytes) -> pathlib.Path:
    """A folder with two raw files that were taken years apart, so that they are no burst."""
    monkeypatch.chdir(tmp_path)
    earlier = re.sub(rb"\d{4}(:\d\d:\d\d \d\d:\d\d:\d\d)", rb"2001\1", lake)
    assert earlier != lake
    (tmp_path / "a.dng").write_bytes(lake)
    (tmp_path / "b.dng").write_bytes(earlier)
    return tmp_path


def pixels(name: str) -> np.ndarray:
    """A photograph as somebody else's reader sees it."""
    data = pathlib.Path(name).read_bytes()
    if name.endswith((".tif", ".dng")):
        return tifffile.imread(name)
    decoders = {"jpg": simplejpeg.decode_jpeg, "png": imagecodecs.png_decode, "avif": imagecodecs.avif_decode}
    return np.asarray(decoders.get(name.rpartition(".")[2], imagecodecs.jpegxl_decode)(data))


def develop(*words: str) -> None:
    result = call("develop", *words)
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "avif", "jxl", "dng"])
def test_a_photograph_is_a_recipe_that_makes_the_same_pixels(kind: str) -> None:
    other_values = ("--look", "neutral", "--set", "tone.shadows=0.4", "--set", "exposure.ev=-0.5")
    develop("a.dng", "-o", f"first.{kind}", *other_values)
    develop("b.dng", "-o", f"again.{kind}", "--recipe", f"first.{kind}")
    develop("b.dng", "-o", f"other.{kind}")
    first, again, other = (pixels(f"{name}.{kind}") for name in ("first", "again", "other"))
    assert first.shape[:2] == SIZE if kind != "dng" else first.size
    np.testing.assert_array_equal(first, again)
    if kind != "dng":  # which holds the light before colour and tone
        assert np.abs(first.astype(float) - other).mean() > 0.01 * first.max()
    else:
        assert export.read_recipe("first.dng") != export.read_recipe("other.dng")


def test_several_inputs_a_pattern_and_json() -> None:
    result = call("develop", "a.dng", "b.dng", "-o", "out/{n}-{stem}.png", "--json", "--jobs", "1", "--threads", "1")
    first, second = objects(result)
    assert result.exit_code == 0 and result.stderr == ""
    assert [first["output"], second["output"]] == ["out/0001-a.png", "out/0002-b.png"]
    assert set(first["steps"]) == {"decode", "pixels", "encode"} and first["look"] == "classic"
    assert first["chosen"] and first["error"] is None
    np.testing.assert_array_equal(pixels("out/0001-a.png"), pixels("out/0002-b.png"))
    develop("a.dng", "-o", "out/free.png")
    np.testing.assert_array_equal(pixels("out/free.png"), pixels("out/0001-a.png"))  # threads change nothing


def test_overwrite_and_skip() -> None:
    develop("a.dng")
    before = pathlib.Path("a.jpg").read_bytes()
    assert call("develop", "a.dng", "--set", "exposure.ev=1").exit_code == 1
    assert call("develop", "a.dng", "--set", "exposure.ev=1", "--skip-existing").exit_code == 0
    assert pathlib.Path("a.jpg").read_bytes() == before
    develop("a.dng", "--set", "exposure.ev=1", "--overwrite")
    assert pixels("a.jpg").mean() > simplejpeg.decode_jpeg(before).mean() + 5
    assert {p.name for p in pathlib.Path().iterdir()} == {"a.dng", "b.dng", "a.jpg"}


def test_one_bad_file_leaves_the_others_alone() -> None:
    pathlib.Path("b.dng").write_bytes(pathlib.Path("b.dng").read_bytes()[:5000])
    result = call("develop", "b.dng", "a.dng", "--json")
    assert result.exit_code == 1 and [o["error"] is None for o in objects(result)] == [False, True]
    assert not pathlib.Path("b.jpg").exists() and pathlib.Path("a.jpg").exists()


def test_sdr_quality_and_space() -> None:
    develop("a.dng")
    develop("a.dng", "-o", "plain.jpg", "--sdr", "--quality", "60")
    develop("a.dng", "-o", "wide.jpg", "--sdr", "--space", "p3")
    hdr, plain = (pathlib.Path(name).read_bytes() for name in ("a.jpg", "plain.jpg"))
    assert b"hdrgm:Version" in hdr and b"21496" in hdr and b"hdrgm" not in plain and b"21496" not in plain
    assert len(plain) < 0.7 * len(hdr)
    with Image.open("wide.jpg") as wide, Image.open("plain.jpg") as narrow:
        assert b"Display P3" in wide.info["icc_profile"].replace(b"\0", b"")
        assert b"Display P3" not in narrow.info["icc_profile"].replace(b"\0", b"")


def test_private_leaves_out_who_and_where(lake: bytes) -> None:
    frame = raw.open("a.dng")
    block = Image.Exif()
    block[0x013B] = "Jane"
    block.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 0.5)})
    frame.exif = block.tobytes()
    from lichtbild.export import dng

    dng.write_frame("where.dng", frame)
    develop("where.dng", "-o", "all.jpg")
    develop("where.dng", "-o", "private.jpg", "--private")
    with Image.open("all.jpg") as image, Image.open("private.jpg") as private:
        assert image.getexif()[0x013B] == "Jane" and image.getexif().get_ifd(0x8825)
        assert 0x013B not in private.getexif() and not private.getexif().get_ifd(0x8825)


def test_a_sidecar_is_found_and_explained() -> None:
    pathlib.Path("a.lichtbild.toml").write_text("[exposure]\nev = -1.0\n")
    develop("a.dng", "b.dng", "-o", "{stem}.png")
    assert pixels("a.png").mean() < 0.8 * pixels("b.png").mean()
    line = next(line for line in call("explain", "a.dng").stdout.splitlines() if line.startswith("exposure.ev"))
    assert "-1" in line and "a.lichtbild.toml" in line
    line = next(line for line in call("explain", "b.dng").stdout.splitlines() if line.startswith("exposure.ev"))
    assert line.endswith("default")


@pytest.mark.parametrize("words", [("develop", "a.dng"), ("merge", "a.dng"), ("explain", "a.dng")])
def test_binning_without_squares_is_said(words: tuple[str, ...]) -> None:
    result = call(*words, "--set", "demosaic.bin=true")
    assert result.exit_code == 0
    assert result.stderr.count("a.dng: demosaic.bin: its mosaic (RGGB) has no squares") == 1


def test_merge_keeps_all_pixels_of_a_quad_unless_told(lake: bytes) -> None:
    frame = raw.open("a.dng")
    from lichtbild import types
    from lichtbild.export import dng

    dng.write_frame("quad.dng", types.replace(frame, cfa="RRGG/RRGG/GGBB/GGBB", gain_maps=()))
    assert call("merge", "quad.dng", "-o", "all.dng").exit_code == 0
    assert call("merge", "quad.dng", "-o", "binned.dng", "--set", "demosaic.bin=true").exit_code == 0
    (h, w), small = raw.open("all.dng").shape, raw.open("binned.dng").shape
    assert (h, w) == frame.shape and small == (h // 2, w // 2)


def test_the_command_as_a_process() -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        home = {**os.environ, "PYTHONPATH": str(pathlib.Path(lichtbild.__file__).parents[1])}
        return subprocess.run([sys.executable, "-m", "lichtbild", *words], capture_output=True, text=True, env=home)

    done = run("develop", "a.dng", "nowhere.dng")
    assert (done.returncode, done.stdout) == (1, "") and done.stderr == "lichtbild: nowhere.dng: no such file\n"
    assert pixels("a.jpg").shape[:2] == SIZE and run("develop", "a.dng", "--nonsense").returncode == 2


def readme() -> str:
    return (ROOT / "README.md").read_text()


def test_what_the_readme_says_to_type(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.dng").rename("IMG.dng")
    (folder / "b.dng").unlink()
    demo.burst(folder / "burst", frames=2, size=SIZE[::-1])
    monkeypatch.setattr("sys.stdin", io.StringIO("3\nw\n"))  # what `look tune` asks for
    typed = [line.partition("#")[0].strip() for line in readme().splitlines() if line.startswith("lichtbild ")]
    assert len(typed) >= 12
    for line in typed:
        words = [w for word in shlex.split(line)[1:] for w in (["IMG.dng"] if word == "*.dng" else [word])]
        words += ["--size", "120x80"] if "--frames" in words else []  # not all of the sensor
        result = call(*words)
        assert result.exit_code == 0 and (result.stderr == "" or "tune" in words), line
    made = ("IMG.jpg", "out/IMG.jpg", "night.jpg", "merged.dng", "classic.cube", "mine.toml", "street/07.dng")
    assert [m for m in made if not (folder / m).exists()] == []


def test_what_the_readme_says_in_python() -> None:
    pathlib.Path("a.dng").rename("IMG.dng")
    (block,) = re.findall(r"```python\n(.*?)```", readme(), re.S)
    exec(compile(block, "README.md", "exec"), {})
    assert pathlib.Path("IMG.jpg").exists()


def test_the_demo_leaves_a_burst_one_frame_of_it_and_the_photograph(tmp_path: pathlib.Path) -> None:
    photo = demo.run(tmp_path / "out", frames=3, size=(240, 160))
    assert sorted(p.name for p in photo.parent.iterdir()) == ["street", "street-one-frame.jpg", "street.jpg"]
    assert len(list((photo.parent / "street").glob("*.dng"))) == 3
    single, merged = (np.asarray(Image.open(photo.with_name(n)), float) for n in ("street-one-frame.jpg", "street.jpg"))
    assert single.shape == merged.shape == (160, 240, 3) and merged.std() > 20
    assert demo.run(tmp_path / "out", frames=2, size=(120, 80)) == photo, "and again, in their place"
