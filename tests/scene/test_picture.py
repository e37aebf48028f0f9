"""Pictures as scenes: the same light from every format, stated primaries, one line for what cannot be a scene."""

from __future__ import annotations

import pathlib
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from conftest import SHARED, needs_shared

from lichtbild import scene
from lichtbild.light import REC2020_LUMA
from lichtbild.types import F32

SIZE = (40, 60)


def picture() -> F32:
    rng = np.random.default_rng(3)
    return rng.uniform(0.05, 1.0, (*SIZE, 3)).astype(np.float32)


def exr(rgb: F32, packing: int = 0, chromaticities: tuple[float, ...] | None = None) -> bytes:
    """A scan-line OpenEXR file, written here so that reader and writer share nothing."""

    def attribute(name: str, kind: str, data: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(data)) + data

    h, w, _ = rgb.shape
    channels = b"".join(c + b"\0" + struct.pack("<4I", 2, 0, 1, 1) for c in (b"B", b"G", b"R")) + b"\0"
    head = struct.pack("<II", 20000630, 2) + attribute("channels", "chlist", channels)
    head += attribute("compression", "compression", bytes([packing]))
    head += attribute("dataWindow", "box2i", struct.pack("<4i", 0, 0, w - 1, h - 1))
    if chromaticities:
        head += attribute("chromaticities", "chromaticities", struct.pack("<8f", *chromaticities))
    head += b"\0"
    lines = 16 if packing == 3 else 1
    blocks = []
    for y in range(0, h, lines):
        raw = b"".join(rgb[row, :, c].astype("<f4").tobytes() for row in range(y, min(y + lines, h)) for c in (2, 1, 0))
        if packing:
            halves = np.frombuffer(raw, np.uint8)
            halves = np.concatenate([halves[0::2], halves[1::2]]).astype(np.int64)
            steps = np.diff(halves, prepend=halves[0]) + 128
            steps[0] = halves[0]
            packed = zlib.compress(steps.astype(np.uint8).tobytes())
            raw = packed if len(packed) < len(raw) else raw
        blocks.append(struct.pack("<iI", y, len(raw)) + raw)
    at = len(head) + 8 * len(blocks)
    table = b""
    for block in blocks:
        table, at = table + struct.pack("<Q", at), at + len(block)
    return head + table + b"".join(blocks)


def write(folder: pathlib.Path, name: str, rgb: F32) -> str:
    path = folder / name
    if path.suffix == ".exr":
        path.write_bytes(exr(rgb, 3 if "zip" in name else 0))
    elif path.suffix == ".hdr":
        path.write_bytes(imagecodecs.rgbe_encode(rgb))
    elif path.suffix == ".png":
        curve = np.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * rgb ** (1 / 2.4) - 0.055)
        path.write_bytes(imagecodecs.png_encode(np.round(curve * 65535).astype(np.uint16)))
    else:
        tifffile.imwrite(path, rgb, photometric="rgb")
    return str(path)


def test_every_format_gives_the_same_light(tmp_path: pathlib.Path) -> None:
    seen = []
    for name in ("a.exr", "zip.exr", "a.hdr", "a.png", "a.tif"):
        spec = {"name": "picture", "file": write(tmp_path, name, picture())}
        seen.append(scene.render(spec, SIZE, 1, margin=0).cropped())
    assert np.array_equal(seen[0], seen[1])
    for other in seen[2:]:
        assert np.allclose(other, seen[0], rtol=0.03, atol=0.01 * seen[0].max())


def test_its_logarithmic_mean_is_that_of_a_grey_card(tmp_path: pathlib.Path) -> None:
    spec = {"name": "picture", "file": write(tmp_path, "a.exr", picture()), "lux": 1000.0}
    light = scene.render(spec, SIZE, 1, margin=0).cropped()
    y = sum(w * light[c] for c, w in enumerate(REC2020_LUMA))
    assert abs(np.exp(np.mean(np.log(y))) / (0.18 * 1000 / np.pi) - 1) < 1e-3


def test_primaries_come_from_the_file_or_are_stated(tmp_path: pathlib.Path) -> None:
    red = np.tile(np.float32([1, 0, 0]), (*SIZE, 1))
    path = tmp_path / "red.exr"
    path.write_bytes(exr(red, chromaticities=(0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329)))
    pure = scene.render({"name": "picture", "file": str(path)}, SIZE, 1).cropped()
    assert pure[1:].max() < 1e-3 * pure[0].min()
    path.write_bytes(exr(red))
    assert scene.render({"name": "picture", "file": str(path)}, SIZE, 1).cropped()[1].min() > 0.05 * pure[0].min()
    stated = scene.render({"name": "picture", "file": str(path), "primaries": "rec2020"}, SIZE, 1).cropped()
    assert stated[1:].max() < 1e-3 * stated[0].min()


def test_what_cannot_be_a_scene_is_refused_in_one_line(tmp_path: pathlib.Path) -> None:
    dark, bad, black = picture(), picture(), np.zeros_like(picture())
    dark[3, 4, 1], bad[0, 0, 0] = -0.5, np.nan
    cases = {"negative radiance": write(tmp_path, "n.exr", dark),
             "infinite or undefined": write(tmp_path, "u.tif", bad),
             "black everywhere": write(tmp_path, "b.exr", black), "No such file": str(tmp_path / "missing.exr"),
             "unknown kind of picture '.txt'": write(tmp_path, "a.tif", picture())[:-4] + ".txt"}  # fmt: skip
    pathlib.Path(cases["unknown kind of picture '.txt'"]).write_text("no picture")
    for message, path in cases.items():
        with pytest.raises(scene.SceneError, match=message) as e:
            scene.render({"name": "picture", "file": path}, SIZE, 1)
        assert str(e.value).startswith(path) and "\n" not in str(e.value)
    with pytest.raises(scene.SceneError, match="picture needs a file"):
        scene.render({"name": "picture"}, SIZE, 1)


@pytest.mark.parametrize("name", ["a.exr", "zip.exr", "a.hdr", "a.png", "a.tif"])
def test_a_broken_file_never_crashes(tmp_path: pathlib.Path, name: str) -> None:
    path = pathlib.Path(write(tmp_path, name, picture()))
    whole = path.read_bytes()
    rng = np.random.default_rng(7)
    for cut in [0, 3, 40, len(whole) // 2, *rng.integers(1, len(whole), 12)]:
        path.write_bytes(whole[:cut])
        with pytest.raises(scene.SceneError):
            scene.render({"name": "picture", "file": str(path)}, SIZE, 1)
    for _ in range(25):
        data = bytearray(whole)
        for at in rng.integers(0, min(len(data), 600), 4):
            data[at] = rng.integers(256)
        path.write_bytes(bytes(data))
        try:
            scene.render({"name": "picture", "file": str(path)}, SIZE, 1)
        except scene.SceneError as e:
            assert "\n" not in str(e)


@needs_shared
@pytest.mark.parametrize("name", ["ilm_Carrots.exr", "nancy_church.hdr"])
def test_real_files(name: str) -> None:
    spec = {"name": "picture", "file": str(SHARED / "scenes_hdr" / name), "clip": True}
    found = scene.render(spec, (60, 80), 1)
    assert found.cropped().min() >= 0 and np.isfinite(found.cropped()).all()


@needs_shared
def test_packings_that_are_not_read_are_named() -> None:
    with pytest.raises(scene.SceneError, match="packed as PIZ is not read; save it as ZIP"):
        scene.render({"name": "picture", "file": str(SHARED / "scenes_hdr" / "ilm_Desk.exr")}, (60, 80), 1)
