"""Mosaics without a header: the JSON file beside them, what a name may say, and what is refused."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import imagecodecs
import numpy as np
import pytest
from conftest import SHARED, needs_shared

from lichtbild import raw
from lichtbild.types import RawError

H, W = 21, 34
SAID = {
    "width": W, "height": H, "dtype": "<u2", "cfa": "GBRG", "bits": 12, "black": 60, "white": 4000,
    "channel_gain": {"r": 2.0, "gr": 1.0, "gb": 1.0, "b": 1.25}, "xyz_to_cam": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}  # fmt: skip


@pytest.fixture
def image(rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint16]]:
    return rng.integers(0, 4096, (H, W)).astype(np.uint16)


def beside(path: pathlib.Path, said: Any) -> pathlib.Path:
    path.with_suffix(".json").write_text(said if isinstance(said, str) else json.dumps(said))
    return path


@pytest.mark.parametrize("order", ["<", ">"])
def test_headerless(tmp_path: pathlib.Path, image: Any, order: str) -> None:
    path = beside(tmp_path / "a.raw", SAID | {"dtype": f"{order}u2"})
    path.write_bytes(image.astype(f"{order}u2").tobytes())
    frame = raw.open(path)
    np.testing.assert_array_equal(frame.mosaic, image)
    assert (frame.cfa, frame.white, float(frame.black[0, 0, 0])) == ("GBRG", (4000,), 60)
    assert frame.colour.as_shot_neutral == (0.5, 1.0, 0.8)
    assert frame.colour.calibrations[0].illuminant == 21


def test_headerless_bytes(tmp_path: pathlib.Path) -> None:
    path = beside(tmp_path / "a.raw", {"width": 4, "height": 2, "dtype": "u1", "cfa": "RGGB", "bits": 8})
    path.write_bytes(bytes(range(8)))
    np.testing.assert_array_equal(raw.open(path).mosaic, np.arange(8).reshape(2, 4))


@pytest.mark.parametrize("channels", [1, 3])
def test_png(tmp_path: pathlib.Path, image: Any, channels: int) -> None:
    path = beside(tmp_path / "a.png", {k: v for k, v in SAID.items() if k != "dtype"})
    path.write_bytes(imagecodecs.png_encode(image if channels == 1 else np.repeat(image[..., None], 3, 2)))
    frame = raw.open(path)
    np.testing.assert_array_equal(frame.mosaic, image)
    assert frame.facts["format"] == "PNG mosaic"


@pytest.mark.parametrize(
    ("name", "cfa", "bits"),
    [("x_grbg.png", "GRBG", 12), ("scene_gbrg8.png", "GBRG", 8), ("dark_10bit_bggr.png", "BGGR", 10)],
)
def test_what_a_name_says_is_a_told_guess(tmp_path: pathlib.Path, image: Any, name: str, cfa: str, bits: int) -> None:
    path = tmp_path / name
    path.write_bytes(imagecodecs.png_encode(image >> (12 - bits) if bits > 8 else (image >> 4).astype(np.uint8)))
    frame = raw.open(path)
    assert frame.cfa == cfa and frame.white == (2**bits - 1,)
    assert any("out of its name" in g for g in frame.guesses)


def test_a_raw_that_says_all_in_its_name(tmp_path: pathlib.Path, image: Any) -> None:
    path = tmp_path / f"a_{W}x{H}_12bit_rggb.raw"
    path.write_bytes(image.tobytes())
    np.testing.assert_array_equal(raw.open(path).mosaic, image)


def test_a_name_that_says_nothing(tmp_path: pathlib.Path, image: Any) -> None:
    for name in ("portrait.png", "spring.raw"):
        path = tmp_path / name
        path.write_bytes(imagecodecs.png_encode(image))
        with pytest.raises(RawError, match="width, height, dtype, cfa, bits, black and white"):
            raw.open(path)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{", "JSON"),
        ("[1]", "JSON"),
        ("[" * 100000, "JSON"),
        (SAID | {"width": "wide"}, "width"),
        (SAID | {"width": 1e9}, "size"),
        (SAID | {"width": 3.5}, "size"),
        (SAID | {"height": -1}, "size"),
        (SAID | {"height": H + 1}, "too few"),
        (SAID | {"dtype": "f8"}, "dtype"),
        (SAID | {"cfa": "XXXX"}, "cfa"),
        (SAID | {"bits": 99}, "bits"),
        (SAID | {"black": 5000}, "black level"),
        (SAID | {"black": None}, "black"),
        (SAID | {"xyz_to_cam": [[0, 0, 0]] * 3}, "colour"),
        (SAID | {"channel_gain": {"r": 1}}, "colour"),
        (SAID | {"channel_gain": {"r": 0, "gr": 1, "gb": 1, "b": 1}}, "colour"),
    ],
)
def test_descriptions_that_are_wrong(tmp_path: pathlib.Path, image: Any, said: Any, words: str) -> None:
    path = beside(tmp_path / "a.raw", said)
    path.write_bytes(image.tobytes())
    with pytest.raises(RawError, match=words):
        raw.open(path)


def test_png_that_is_no_mosaic(tmp_path: pathlib.Path, image: Any) -> None:
    path = beside(tmp_path / "a.png", SAID)
    path.write_bytes(imagecodecs.png_encode(np.stack([image, image, image + 1], 2)))
    with pytest.raises(RawError, match="in colour"):
        raw.open(path)
    path.write_bytes(imagecodecs.png_encode(image[:, :-1]))
    with pytest.raises(RawError, match="says width"):
        raw.open(path)


@needs_shared
@pytest.mark.parametrize(
    ("name", "cfa", "shape", "white"),
    [
        ("nikon_rose_768x512_14bit_rggb.raw", "RGGB", (512, 768), 15520),
        ("oecf36_chart_1920x1080_10bit_rggb.png", "RGGB", (1080, 1920), 1023),
        ("dark_frame_1920x1080_12bit_bggr.png", "BGGR", (1080, 1920), 4095),
        ("surround360_colorchecker24_gbrg8.png", "GBRG", (2048, 2048), 255),
        ("halide_bayer_small_256x344_grbg.png", "GRBG", (344, 256), 959),
    ],
)
def test_real_mosaics(name: str, cfa: str, shape: tuple[int, int], white: float) -> None:
    frame = raw.open(SHARED / "raw" / name)
    assert (frame.cfa, frame.shape, frame.white) == (cfa, shape, (white,))


@pytest.mark.parametrize(("clip", "white"), [(959, 959), (None, 1023)])
def test_a_missing_white_level_is_where_clipped_pixels_pile_up(clip: int | None, white: float, tmp_path, rng) -> None:
    mosaic = rng.gamma(2.0, 130.0, (200, 300)).clip(0, 1023)
    mosaic = mosaic[mosaic < 1000].repeat(2)[:50000].reshape(200, 250) if clip is None else np.minimum(mosaic, clip)
    path = tmp_path / "x_grbg10.png"
    path.write_bytes(imagecodecs.png_encode(mosaic.astype(np.uint16)))
    frame = raw.open(path)
    assert frame.white == (white,)
    assert any("no white level given" in g for g in frame.guesses)
