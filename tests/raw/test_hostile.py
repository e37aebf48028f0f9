"""Files that lie, end early or are something else: one line, no other exception, little memory, no waiting."""

from __future__ import annotations

import pathlib
import struct
import time
import tracemalloc
from typing import Any

import imagecodecs
import numpy as np
import pytest
from conftest import SHARED, needs_shared
from raw.dngs import ASCII, BYTE, FLOAT, LONG, RATIONAL, SHORT, SRATIONAL, dng, header, ifd, plain

from lichtbild import raw
from lichtbild.types import RawError

H, W = 24, 36
IMAGE = np.arange(H * W, dtype=np.uint16).reshape(H, W) * 50
GOPRO = SHARED / "raw/gopro_hero6_mural_iso100.dng"


def refuse(path: pathlib.Path, words: str = ".") -> str:
    """Open a file that cannot be opened: within two seconds, 200 MB, one line that begins with its name."""
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(RawError, match=words) as caught:
            raw.open(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    said = str(caught.value)
    assert time.process_time() - started < 2 and peak < 200e6
    assert said.startswith(f"{path}: ") and "\n" not in said and len(said) < len(str(path)) + 200
    return said


def put(tmp_path: pathlib.Path, data: bytes, name: str = "a.dng") -> pathlib.Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_no_file_directory_empty(tmp_path: pathlib.Path) -> None:
    refuse(tmp_path / "nothing.dng", "no such file")
    refuse(tmp_path, "directory")
    refuse(put(tmp_path, b""), "empty")
    refuse(pathlib.Path("/dev/zero"), "regular")


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"Dear diary,\n" * 40, "a.dng", "not a DNG"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "a.jpg", "JPEG"),
        (b"PK\x03\x04" + bytes(100), "a.raw", "ZIP"),
        (b"\x89PNG\r\n\x1a\n", "a_rggb.png", "PNG"),
        (b"no raw file at all" * 9, "a.cr2", "LibRaw"),
        (b"II*\0", "a.dng", "TIFF|directory"),
        (b"II*\0\0\0\0\0", "a.dng", "without directories"),
        (b"II+\0\x07\0\0\0" + bytes(8), "a.dng", "BigTIFF"),
        (b"MM\0*\0\0\x80\0", "a.dng", "beyond the end"),
    ],
)
def test_other_things(tmp_path: pathlib.Path, data: bytes, name: str, words: str) -> None:
    refuse(put(tmp_path, data, name), words)


def test_a_tiff_that_is_no_dng(tmp_path: pathlib.Path) -> None:
    refuse(put(tmp_path, plain(IMAGE, {50706: None})), "no DNG")


@pytest.mark.parametrize("keep", [8, 100, 900, H * W * 2 + 100, -1, -30])
def test_truncated(tmp_path: pathlib.Path, keep: int) -> None:
    refuse(put(tmp_path, plain(IMAGE)[:keep]))


@needs_shared
@pytest.mark.parametrize("part", [0.001, 0.3, 0.9, 0.99999])
@pytest.mark.parametrize("name", ["gopro_hero6_mural_iso100", "canon550d_magiclantern_colorchecker"])
def test_truncated_real_files(tmp_path: pathlib.Path, name: str, part: float) -> None:
    data = (SHARED / f"raw/{name}.dng").read_bytes()
    refuse(put(tmp_path, data[: int(len(data) * part)]))


@pytest.mark.parametrize(
    "tags",
    [
        {256: (LONG, 2**31)},
        {257: (LONG, 2**32 - 1)},
        {256: (LONG, 0)},
        {256: (LONG, 60000), 257: (LONG, 16000)},
        {277: (SHORT, 0)},
        {277: (SHORT, 60000)},
        {258: (SHORT, 0)},
        {258: (SHORT, 65535)},
        {259: (SHORT, 12345)},
        {278: (LONG, 0)},
        {273: (LONG, 2**32 - 1)},
        {273: (LONG, 0)},
        {279: (LONG, 2**32 - 1)},
        {279: (LONG, 0)},
        {273: None},
        {279: None},
        {262: (SHORT, 2)},
        {50714: (LONG, 70000)},
        {50713: (SHORT, [0, 0])},
        {50713: (SHORT, [60000, 60000]), 50714: (LONG, [1, 2])},
        {50717: (LONG, 0)},
        {50829: (LONG, [0, 0, 0, 0])},
        {50712: (SHORT, [])},
        {322: (LONG, 0), 323: (LONG, 0), 324: (LONG, []), 325: (LONG, [])},
        {322: (LONG, 2**31), 323: (LONG, 2**31), 324: (LONG, 8), 325: (LONG, 8)},
        {322: (LONG, 1), 323: (LONG, 1), 324: (LONG, 8), 325: (LONG, 8)},
        {339: (SHORT, 2)},
        {50975: (LONG, 10**6)},
    ],
)
def test_absurd_tags(tmp_path: pathlib.Path, tags: Any) -> None:
    refuse(put(tmp_path, plain(IMAGE, tags)))


@pytest.mark.parametrize("compression", [7, 8, 34892, 52546])
def test_a_small_file_cannot_ask_for_much(tmp_path: pathlib.Path, compression: int) -> None:
    refuse(put(tmp_path, dng([bytes(300)], (30000, 30000), bits=8, compression=compression)), "cannot hold")


@pytest.mark.parametrize("compression", [7, 8, 34892, 52546])
def test_noise_for_compressed_data(tmp_path: pathlib.Path, rng: np.random.Generator, compression: int) -> None:
    data = rng.integers(0, 256, 3000, np.uint8).tobytes()
    refuse(put(tmp_path, dng([data], (H, W), bits=8, compression=compression)), "damaged|not read")


def test_a_jpeg_of_another_size(tmp_path: pathlib.Path) -> None:
    for shape in ((H, W + 2), (H * 2, W)):
        code = bytes(imagecodecs.jpeg8_encode(np.zeros(shape, np.uint16), lossless=True, predictor=1, bitspersample=16))
        refuse(put(tmp_path, dng([code], (H, W), compression=7)), "holds a JPEG")
    code = code[:4] + code[4:].replace(struct.pack(">HH", H * 2, W), struct.pack(">HH", 65535, 65535))
    refuse(put(tmp_path, dng([code], (H, W), compression=7)), "holds a JPEG")


def test_a_truncated_tile(tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    noise = rng.integers(0, 65536, (H, W)).astype(np.uint16)
    code = bytes(imagecodecs.jpeg8_encode(noise, lossless=True, predictor=1, bitspersample=16))
    for keep in (50, 300, len(code) - 3):  # in the header, in the codes, before the end marker
        refuse(put(tmp_path, dng([code[:keep]], (H, W), compression=7)), "damaged|cut short")
    four = [code, code, code[:400] + code[-2:], code]
    refuse(put(tmp_path, dng(four, (2 * H, 2 * W), compression=7, tile=(H, W))), "ends too early")


def test_a_deflate_bomb(tmp_path: pathlib.Path) -> None:
    code = bytes(imagecodecs.zlib_encode(bytes(100_000_000)))
    refuse(put(tmp_path, dng([code], (H, W), compression=8)), "damaged")


def test_directories_in_a_circle(tmp_path: pathlib.Path) -> None:
    first = ifd({50706: (BYTE, [1, 4, 0, 0])}, 8, follow=8)
    refuse(put(tmp_path, header(8) + first), "circle")
    nested = ifd({50706: (BYTE, [1, 4, 0, 0]), 330: (LONG, 8)}, 8)
    refuse(put(tmp_path, header(8) + nested), "circle")


def test_ten_thousand_directories(tmp_path: pathlib.Path) -> None:
    size = len(ifd({50706: (BYTE, [1, 4, 0, 0])}, 8))
    chain = b"".join(ifd({50706: (BYTE, [1, 4, 0, 0])}, 8, follow=8 + (i + 1) * size) for i in range(10000))
    refuse(put(tmp_path, header(8) + chain), "directories")


def test_sixty_five_thousand_tags(tmp_path: pathlib.Path) -> None:
    refuse(put(tmp_path, header(8) + struct.pack("<H", 65535) + bytes(65535 * 12)), "does not fit|no DNG")


def test_tiles_upon_each_other(tmp_path: pathlib.Path) -> None:
    n = 900
    tags = {322: (LONG, 16), 323: (LONG, 16), 324: (LONG, [8] * n), 325: (LONG, [512] * n), 257: (LONG, 480),
            256: (LONG, 480)}  # fmt: skip
    refuse(put(tmp_path, plain(IMAGE, tags)), "upon each other")


NAN = [(0, 0)] * 9


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({50721: None}, "no colour matrix"),
        ({50721: (SRATIONAL, NAN)}, "3x3 matrix"),
        ({50721: (SRATIONAL, [(0, 1)] * 9)}, "3x3 matrix"),
        ({50728: (RATIONAL, [(0, 0)] * 3)}, "50728"),
        ({50728: (RATIONAL, [(0, 1)] * 3)}, "50728"),
        ({50728: (RATIONAL, [(1, 1)] * 3)}, "unknown"),
        ({50728: None}, "what was white"),
        ({50714: (RATIONAL, [(0, 0)])}, "BlackLevel"),
        ({50717: (RATIONAL, [(0, 0)])}, "WhiteLevel"),
        ({51041: (12, [float("nan"), 1e-6])}, "NoiseProfile"),
        ({51041: (FLOAT, [1e-4, -1.0])}, "NoiseProfile"),
        ({50715: (RATIONAL, [(0, 0)] * W)}, "DeltaH"),
        ({50937: (LONG, [2**31, 2, 1]), 50938: (FLOAT, [0.0] * 12)}, "hue-saturation"),
        ({34665: (LONG, 2**31)}, "EXIF"),
        ({34853: (LONG, 0)}, ""),
        ({50730: (SRATIONAL, [(0, 0)])}, ""),
        ({306: (ASCII, b"no date\0")}, ""),
        ({270: (ASCII, bytes(40000))}, ""),
    ],
)
def test_what_is_not_a_number_is_missing_and_told(tmp_path: pathlib.Path, tags: Any, words: str) -> None:
    frame = raw.open(put(tmp_path, plain(IMAGE, tags)))
    np.testing.assert_array_equal(frame.mosaic, IMAGE)
    assert any(words in g for g in frame.guesses) or not words
    numbers = [frame.white, frame.black, frame.baseline_exposure_ev, frame.colour.as_shot_neutral or 1.0]
    assert all(np.isfinite(n).all() for n in numbers)
    assert all(np.isfinite(c.color_matrix).all() for c in frame.colour.calibrations)
