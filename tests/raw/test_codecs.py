"""Every coding of samples that a DNG may use, from files made here; odd sizes, both byte orders, tiles and strips."""

from __future__ import annotations

import pathlib
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from raw.dngs import FLOAT, LONG, SHORT, dng, packed

from lichtbild import raw
from lichtbild.types import Frame, RawError

H, W = 37, 50


def opened(tmp_path: pathlib.Path, data: bytes) -> Frame:
    path = tmp_path / "a.dng"
    path.write_bytes(data)
    return raw.open(path)


def noise(rng: np.random.Generator, bits: int, shape: tuple[int, ...] = (H, W)) -> np.ndarray[Any, np.dtype[np.uint16]]:
    return rng.integers(0, 1 << bits, shape).astype(np.uint16)


def tiles(image: np.ndarray[Any, Any], high: int, wide: int) -> list[np.ndarray[Any, Any]]:
    """Tiles, padded with zeros at the edges."""
    full = np.zeros(
        (-(-image.shape[0] // high) * high, -(-image.shape[1] // wide) * wide, *image.shape[2:]), image.dtype
    )
    full[: image.shape[0], : image.shape[1]] = image
    return [
        np.ascontiguousarray(full[y : y + high, x : x + wide])
        for y in range(0, full.shape[0], high)
        for x in range(0, full.shape[1], wide)
    ]


def smooth(
    rng: np.random.Generator, bits: int, shape: tuple[int, ...] = (H, W)
) -> np.ndarray[Any, np.dtype[np.uint16]]:
    y, x = np.mgrid[: shape[0], : shape[1]]
    wave = (0.5 + 0.3 * np.sin(x / 9) * np.cos(y / 7)) * ((1 << bits) - 1)
    wave = wave if len(shape) == 2 else np.repeat(wave[..., None], shape[2], axis=2)
    return np.clip(wave + rng.normal(0, 3, shape), 0, (1 << bits) - 1).astype(np.uint16)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_uncompressed_strips(
    tmp_path: pathlib.Path, rng: np.random.Generator, bits: int, order: str, big: bool
) -> None:
    image = noise(rng, bits)
    cut = [image[:16], image[16:32], image[32:]]
    if bits == 16:
        data = [c.astype(f"{order}u2").tobytes() for c in cut]
    else:
        data = [packed(c, bits) for c in cut]
    frame = opened(tmp_path, dng(data, (H, W), bits=bits, rows=16, order=order, big=big))
    np.testing.assert_array_equal(frame.mosaic, image)
    assert frame.white == (2**bits - 1,) and frame.facts["bits"] == bits
    assert frame.facts["segments"] == {"kind": "strips", "size": [W, 16], "count": 3}


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("layout", ["plain", "pairs", "wide"])
def test_lossless_jpeg(tmp_path: pathlib.Path, rng: np.random.Generator, predictor: int, layout: str) -> None:
    image = smooth(rng, 14)

    def code(t: np.ndarray[Any, Any]) -> bytes:
        shape = {"plain": (16, 32), "pairs": (16, 16, 2), "wide": (8, 64)}[layout]
        return bytes(imagecodecs.jpeg8_encode(t.reshape(shape), lossless=True, predictor=predictor, bitspersample=14))

    data = dng([code(t) for t in tiles(image, 16, 32)], (H, W), bits=14, compression=7, tile=(16, 32))
    np.testing.assert_array_equal(opened(tmp_path, data).mosaic, image)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("samples", [1, 3])
def test_one_long_strip(tmp_path: pathlib.Path, rng: np.random.Generator, bits: int, samples: int) -> None:
    """It is read in pieces; each plane of its own may be one."""
    high, wide = 600, 22
    planes = noise(rng, bits, (samples, high, wide))
    coded = [p.astype("<u2").tobytes() if bits == 16 else packed(p, bits) for p in planes]
    extra = {284: (SHORT, 2)} if samples > 1 else None
    frame = opened(tmp_path, dng(coded, (high, wide), bits=bits, samples=samples, extra=extra))
    np.testing.assert_array_equal(frame.mosaic if samples == 1 else frame.rgb, planes[0] if samples == 1 else planes)
    assert frame.facts["segments"]["count"] == 1
    with pytest.raises(RawError, match="cut short"):
        opened(tmp_path, dng([*coded[:-1], coded[-1][:-2]], (high, wide), bits=bits, samples=samples, extra=extra))


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_lossless_jpeg_of_other_precisions(tmp_path: pathlib.Path, rng: np.random.Generator, bits: int) -> None:
    image = noise(rng, bits)  # noise over the whole range: every difference, 16 bits long ones too
    codes = [
        bytes(imagecodecs.ljpeg_encode(t, bitspersample=bits)) if bits > 8 else
        bytes(imagecodecs.jpeg8_encode(t.astype(np.uint8), lossless=True, predictor=1))
        for t in tiles(image, 16, 32)
    ]  # fmt: skip
    data = dng(codes, (H, W), bits=bits, compression=7, tile=(16, 32))
    np.testing.assert_array_equal(opened(tmp_path, data).mosaic, image)


def test_lossless_jpeg_of_three_planes(tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    image = smooth(rng, 12, (H, W, 3))
    codes = [
        bytes(imagecodecs.jpeg8_encode(t, lossless=True, predictor=1, bitspersample=12, colorspace="RGB",
                                       outcolorspace="RGB"))
        for t in tiles(image, 16, 32)
    ]  # fmt: skip
    frame = opened(tmp_path, dng(codes, (H, W), bits=12, compression=7, tile=(16, 32), samples=3))
    assert frame.cfa == "RGB" and frame.mosaic is None and frame.rgb is not None
    np.testing.assert_array_equal(frame.rgb, image.transpose(2, 0, 1))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("predictor", "step"), [(1, 0), (2, 1), (34892, 2), (34893, 4)])
@pytest.mark.parametrize("compression", [8, 32946])
def test_deflate(
    tmp_path: pathlib.Path, rng: np.random.Generator, compression: int, predictor: int, step: int, order: str
) -> None:
    image = smooth(rng, 16)
    codes = []
    for t in tiles(image, 16, 32):
        d = t.copy()
        if step:
            d[:, step:] = t[:, step:] - t[:, :-step]
        codes.append(bytes(imagecodecs.zlib_encode(d.astype(f"{order}u2").tobytes())))
    extra = {317: (SHORT, predictor)}
    data = dng(codes, (H, W), compression=compression, tile=(16, 32), order=order, extra=extra)
    np.testing.assert_array_equal(opened(tmp_path, data).mosaic, image)


@pytest.mark.parametrize(("size", "tolerance"), [(2, 3e-4), (4, 1e-5)])
def test_floating_point(tmp_path: pathlib.Path, rng: np.random.Generator, size: int, tolerance: float) -> None:
    """tifffile's own predictor 3; light above white clips, as the guess says."""
    light = rng.uniform(0, 1.1, (32, 48, 3)).astype(f"f{size}")
    path = tmp_path / "f.dng"
    tags = [(50706, 1, 4, bytes([1, 4, 0, 0]), True), (50717, 11, 3, (1.0, 1.0, 1.0), True)]
    tifffile.imwrite(path, light, photometric=34892, compression=8, predictor=3, tile=(16, 16), extratags=tags)
    frame = raw.open(path)
    assert frame.rgb is not None and any("floating" in g for g in frame.guesses)
    got = (frame.rgb.transpose(1, 2, 0) - frame.black[0, 0]) / np.array(frame.white)
    np.testing.assert_allclose(got, np.minimum(light.astype(np.float64), 1), atol=tolerance)


def test_float24(tmp_path: pathlib.Path) -> None:
    """0x3F0000 is 1.0, 0x3E8000 is 0.75, 0x3D0000 is 0.25, 0 is 0."""
    words = [0x3F0000, 0x3E8000, 0x3D0000, 0x000000]
    data = b"".join(w.to_bytes(3, "big") for w in words * 2)
    extra = {339: (SHORT, 3), 50717: (FLOAT, 1.0)}
    frame = opened(tmp_path, dng([data], (2, 4), bits=24, order=">", extra=extra))
    np.testing.assert_array_equal(frame.mosaic, [[65535, 49151, 16384, 0]] * 2)


def test_lossy_jpeg(tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    image = (smooth(rng, 8, (48, 64))[..., None] // np.array([1, 2, 3])).astype(np.uint8)
    codes = [bytes(imagecodecs.jpeg8_encode(t, level=98)) for t in tiles(image, 16, 32)]
    frame = opened(tmp_path, dng(codes, (48, 64), bits=8, compression=34892, tile=(16, 32), samples=3))
    assert frame.rgb is not None
    assert np.abs(frame.rgb.transpose(1, 2, 0).astype(int) - image).mean() < 2


@pytest.mark.parametrize("samples", [1, 3])
def test_jpeg_xl(tmp_path: pathlib.Path, rng: np.random.Generator, samples: int) -> None:
    image = smooth(rng, 16, (H, W) if samples == 1 else (H, W, 3))
    codes = [bytes(imagecodecs.jpegxl_encode(t, lossless=True, effort=1)) for t in tiles(image, 16, 32)]
    frame = opened(tmp_path, dng(codes, (H, W), compression=52546, tile=(16, 32), samples=samples))
    got = frame.mosaic if samples == 1 else frame.rgb
    np.testing.assert_array_equal(got, image if samples == 1 else image.transpose(2, 0, 1))


def test_planar_samples(tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    image = noise(rng, 16, (3, H, W))
    data = [plane[y : y + 20].astype("<u2").tobytes() for plane in image for y in (0, 20)]
    frame = opened(tmp_path, dng(data, (H, W), samples=3, rows=20, extra={284: (SHORT, 2)}))
    np.testing.assert_array_equal(frame.rgb, image)


def test_interleaved_fields(tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    """Row- and ColumnInterleaveFactor 2: the four phases of the mosaic lie apart in the file."""
    image = noise(rng, 16)
    stored = np.concatenate([image[0::2], image[1::2]])
    stored = np.concatenate([stored[:, 0::2], stored[:, 1::2]], axis=1)
    extra = {50975: (LONG, 2), 52547: (LONG, 2)}
    frame = opened(tmp_path, dng([stored.astype("<u2").tobytes()], (H, W), extra=extra))
    np.testing.assert_array_equal(frame.mosaic, image)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"compression": 9}, "VC-5"),
        ({"compression": 5}, "compression 5"),
        ({"bits": 32}, "32 bits"),
        ({"bits": 4}, "4 bits"),
    ],
)
def test_what_is_not_read_is_said(tmp_path: pathlib.Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(RawError, match=words):
        opened(tmp_path, dng([bytes(4 * H * W)], (H, W), **change))
