"""Bad files through the command: one clear line, exit 1, nothing written, at once. Odd ones: a photograph, and told."""

from __future__ import annotations

import json
import pathlib
import struct
import time
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from apps.test_cli import call, objects
from PIL import Image
from raw.dngs import BYTE, LONG, RATIONAL, SHORT, SRATIONAL, dng, header, ifd, opcode, oplist, plain

H, W = 24, 36
LIGHT = np.linspace(2000, 60000, H * W).astype(np.uint16).reshape(H, W)
NAN = (0, 0)


NOISE = np.random.default_rng(1).integers(0, 65536, (H, W)).astype(np.uint16)


def tiled(bytes_of_tile: int | None = None, **tags: Any) -> bytes:
    """A DNG of one lossless-JPEG tile, cut after some bytes; `tags` as t256=(kind, values)."""
    code = bytes(imagecodecs.jpeg8_encode(NOISE, lossless=True, predictor=1, bitspersample=16))[:bytes_of_tile]
    extra = {int(k[1:]): v for k, v in tags.items()}
    return dng([code], (H, W), compression=7, tile=(H, W), extra=extra)


BAD: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"Dear diary, today I took no picture.\n" * 30,
    "a JPEG": lambda: b"\xff\xd8\xff\xe0" + bytes(500),
    "cut in the header": lambda: plain(LIGHT)[:6],
    "cut in the pixels": lambda: plain(LIGHT)[: H * W],
    "cut in the directory": lambda: plain(LIGHT)[:-40],
    "a cut tile": lambda: tiled(200),
    "2^31 columns": lambda: plain(LIGHT, {256: (LONG, 2**31)}),
    "2^31 columns in tiles": lambda: tiled(t256=(LONG, 2**31)),
    "2^32 - 1 rows": lambda: plain(LIGHT, {257: (LONG, 2**32 - 1)}),
    "no rows": lambda: plain(LIGHT, {257: (LONG, 0)}),
    "tiles of no size": lambda: tiled(t322=(LONG, 0), t323=(LONG, 0)),
    "no tiles": lambda: tiled(t324=(LONG, []), t325=(LONG, [])),
    "65535 samples": lambda: plain(LIGHT, {277: (SHORT, 65535)}),
    "a list of 2^32 - 1 opcodes": lambda: plain(LIGHT, {51008: oplist(count=2**32 - 1)}),
    "an opcode longer than its list": lambda: plain(LIGHT, {51009: oplist(opcode(9, bytes(20), size=2**31))}),
    "a mandatory opcode of tomorrow": lambda: plain(LIGHT, {51009: oplist(opcode(99, b"1234"))}),
    "a gain map of 2^31 points": lambda: plain(
        LIGHT, {51009: oplist(opcode(9, struct.pack(">10I5d", *[0] * 8, 2**31, 2**31, *[0.1] * 5)))}
    ),
    "black above white": lambda: plain(LIGHT, {50714: (LONG, 65535), 50717: (LONG, 1000)}),
    "white at 0": lambda: plain(LIGHT, {50717: (LONG, 0)}),
    "directories in a circle": lambda: header(8) + ifd({50706: (BYTE, [1, 4, 0, 0])}, 8, follow=8),
    "a directory in itself": lambda: header(8) + ifd({50706: (BYTE, [1, 4, 0, 0]), 330: (LONG, 8)}, 8),
    "an active area beyond the image": lambda: plain(LIGHT, {50829: (LONG, [90, 90, 99, 99])}),
}


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(folder: pathlib.Path, name: str) -> None:
    (folder / "a.dng").write_bytes(BAD[name]())
    for words in (["develop", "a.dng", "-o", "out/a.jpg", "--json"], ["info", "a.dng"], ["explain", "a.dng"]):
        started = time.perf_counter()
        result = call(*words)
        assert time.perf_counter() - started < 2
        assert result.exit_code == 1 and result.stderr.count("\n") == 1, result
        assert result.stderr.startswith("lichtbild: a.dng: ") and "internal error" not in result.stderr
        assert len(result.stderr) < 250
    assert [p.name for p in folder.iterdir()] == ["a.dng"]


@pytest.mark.parametrize("words", [["develop", "-o", "x.jpg"], ["info"], ["explain"]])
def test_what_is_no_file_is_refused_in_one_line(folder: pathlib.Path, words: list[str]) -> None:
    (folder / "there").mkdir()
    for name in ("there", "nowhere.dng", "/dev/null"):
        result = call(words[0], name, *words[1:])
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1) and name in result.stderr, result
    assert [p.name for p in folder.iterdir()] == ["there"]


ODD: dict[str, tuple[dict[int, Any], str]] = {
    "no colour matrix": ({50721: None}, "no colour matrix"),
    "a colour matrix of 0/0": ({50721: (SRATIONAL, [NAN] * 9)}, "3x3 matrix"),
    "a colour matrix of zeros": ({50721: (SRATIONAL, [(0, 1)] * 9)}, "3x3 matrix"),
    "white of 0/0": ({50728: (RATIONAL, [NAN] * 3)}, "50728"),
    "white of 1, 1, 1": ({50728: (RATIONAL, [(1, 1)] * 3)}, "unknown"),
    "black of 0/0": ({50714: (RATIONAL, [NAN])}, "BlackLevel"),
    "white level of 0/0": ({50717: (RATIONAL, [NAN])}, "WhiteLevel"),
    "noise of NaN": ({51041: (12, [float("nan"), float("inf")])}, "NoiseProfile"),
    "a crop of 0/0": ({50719: (RATIONAL, [NAN, NAN]), 50720: (RATIONAL, [NAN, NAN])}, "crop"),
    "an optional opcode of tomorrow": ({51009: oplist(opcode(99, b"1234", optional=True))}, "99"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_files_become_photographs_and_every_guess_is_told(folder: pathlib.Path, name: str) -> None:
    tags, said = ODD[name]
    (folder / "a.dng").write_bytes(plain(LIGHT, tags))
    result = call("develop", "a.dng", "--json")
    assert result.exit_code == 0 and result.stderr == ""
    assert any(said in guess for guess in objects(result)[0]["guesses"])
    with Image.open("a.jpg") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (H, W, 3) and pixels[:4].mean() < pixels[-4:].mean()
    assert said in call("info", "a.dng").stdout
    json.loads(call("info", "a.dng", "--json").stdout, parse_constant=lambda word: pytest.fail(word))


@pytest.mark.parametrize("kind", ["jpg", "tif", "png", "avif", "jxl", "dng"])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5)])
def test_tiny_frames(folder: pathlib.Path, size: tuple[int, int], kind: str) -> None:
    (folder / "a.dng").write_bytes(plain(LIGHT[: size[0], : size[1]].copy()))
    result = call("develop", "a.dng", "-o", f"b.{kind}")
    assert (result.exit_code, result.stderr) == (0, "") and (folder / f"b.{kind}").stat().st_size > 100
