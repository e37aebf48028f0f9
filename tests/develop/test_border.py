"""Border: paper around the picture and the words on it; nothing is said that the file does not say."""

from __future__ import annotations

import io
import pathlib
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image
from virtual import expose

import lichtbild
from lichtbild import types
from lichtbild.develop import border
from lichtbild.export import GainMapMeta, dng
from lichtbild.export.ifd import EXIF, numbers
from lichtbild.export.ifd import read as read_exif
from lichtbild.scene import lake
from lichtbild.types import Exposure

KNOWN = Exposure(100.0, 1 / 455, 2.8, 8.7, "2024-05-17T18:03:11+02:00", 23.0, "Summer 8.7 mm f/1.9")
META = GainMapMeta((-1.0,) * 3, (2.0,) * 3, headroom=2.0)


def frame(exposure: Exposure = KNOWN, make: str = "Acme", model: str = "X1 Pro") -> types.Frame:
    shot = expose(np.full((3, 4, 6), 0.5, np.float32), 0.4)
    return types.replace(shot, exposure=exposure, make=make, model=model)


def values(**changes: Any) -> dict[str, Any]:
    return {"paper": "white", "width": 3.0, "caption": True, "title": "", "font": "", **changes}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(300, 400), (401, 299), (41, 641), (7, 5), (1, 1)])
@pytest.mark.parametrize("paper", ["white", "black"])
def test_the_picture_is_untouched_within_paper(shape: tuple[int, int], dtype: type, paper: str) -> None:
    rng = np.random.default_rng(1)
    top = np.iinfo(dtype).max
    picture = rng.integers(0, top, (*shape, 3)).astype(dtype)
    gain = rng.integers(0, 255, (-(-shape[0] // 2), -(-shape[1] // 2), 3)).astype(np.uint8)
    out, around = border.apply(picture, gain, META, frame(), values(paper=paper))
    side = (out.shape[1] - shape[1]) // 2
    assert out.dtype == dtype and side % 2 == 0
    np.testing.assert_array_equal(out[side : side + shape[0], side : side + shape[1]], picture)
    bare = top if paper == "white" else 0
    assert (out[:side] == bare).all() and (out[: side + shape[0], :side] == bare).all()
    # The map covers the same, at half the size, and on the paper its code means 0 stops.
    assert around is not None and around.shape == (-(-out.shape[0] // 2), -(-out.shape[1] // 2), 3)
    half = side // 2
    np.testing.assert_array_equal(around[half : half + gain.shape[0], half : half + gain.shape[1]], gain)
    assert (around[half + gain.shape[0] :] == 85).all()
    assert META.gain_min[0] + 3.0 * 85 / 255 == 0.0


def test_sizes_are_parts_of_the_picture() -> None:
    small, large = (border.apply(np.zeros((3 * n, 4 * n, 3), np.uint8), None, None, frame(), values())[0].shape
                    for n in (200, 800))  # fmt: skip
    for a, b in zip(small[:2], large[:2], strict=True):
        assert 4 * a == pytest.approx(b, abs=8)


def test_no_paper_no_border() -> None:
    picture = np.zeros((30, 40, 3), np.uint8)
    assert border.apply(picture, None, None, frame(), values(paper="none"))[0] is picture


def test_words_of_the_caption() -> None:
    assert border.caption(frame(), values()) == (
        ["Acme X1 Pro", "Summer 8.7 mm f/1.9"],
        ["23 mm   f/2.8   1/455 s   ISO 100", "2024-05-17 18:03"],
    )
    assert border.camera("Canon", "Canon EOS R5") == "Canon EOS R5"
    assert border.camera("NIKON CORPORATION", "NIKON D5") == "NIKON D5"
    assert border.settings(Exposure(64.0, 2.5, 11.0, 50.0)) == "50 mm   f/11   2.5 s   ISO 64"
    assert border.settings(Exposure(time_s=0.5)) == "0.5 s"
    assert border.settings(Exposure(time_s=120.0, focal_mm=1200.0)) == "1200 mm   120 s"
    assert border.settings(Exposure(time_s=1 / 12000, focal_mm=6.86)) == "6.9 mm   1/12000 s"
    assert border.caption(frame(), values(title="  Abend in\nKöln\x01 "))[0][0] == "Abend in Koln"


@pytest.mark.parametrize(
    "exposure", [Exposure(), Exposure(iso=100.0), Exposure(taken="2024-05-17T18:03:11"), Exposure(lens="A lens")]
)
@pytest.mark.parametrize("model", ["", "X1"])
def test_what_is_unknown_is_not_mentioned(exposure: Exposure, model: str) -> None:
    left, right = border.caption(frame(exposure, "", model), values())
    words = [*left, *right]
    assert not any("None" in w or "nan" in w or not w.strip() for w in words)
    assert len(left) == bool(model) + bool(exposure.lens)
    out, _ = border.apply(np.zeros((90, 160, 3), np.uint8), None, None, frame(exposure, "", model), values())
    side = (out.shape[1] - 160) // 2
    foot = out[side + 90 :]
    assert (foot.min() < 128) == bool(words)  # ink
    if not words:
        assert foot.shape[0] == side


def test_letters_keep_to_the_margins_however_long_they_are() -> None:
    long = frame(Exposure(100.0, 0.01, 2.8, 8.7, None, None, "L" * 300))
    out, _ = border.apply(np.zeros((400, 300, 3), np.uint8), None, None, long, values())
    side = (out.shape[1] - 300) // 2
    foot = out[side + 400 :]
    assert foot.min() < 250
    assert (foot[:, : side - 2] == 255).all() and (foot[:, 2 - side :] == 255).all()


def test_a_font_of_ones_own_or_a_clear_error(tmp_path: pathlib.Path) -> None:
    wrong = tmp_path / "no.ttf"
    wrong.write_bytes(b"no font")
    for path in (wrong, tmp_path / "missing.ttf"):
        with pytest.raises(lichtbild.LichtbildError, match=r"border.font: .*\.ttf: cannot be used as a font"):
            border.apply(np.zeros((30, 40, 3), np.uint8), None, None, frame(), values(font=str(path)))


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "avif"])
def test_files_hold_the_bordered_crop_and_say_its_size(ending: str, tmp_path: pathlib.Path) -> None:
    raw = tmp_path / "lake.dng"
    dng.write_frame(raw, types.replace(expose(lake.render(160, 240), 0.45), make="Acme", model="X1"))
    photo = lichtbild.develop(lichtbild.open(raw), set={"crop.aspect": "1:1", "border.paper": "white"})
    path = photo.save(tmp_path / f"a.{ending}")
    with Image.open(path) as image:
        width, height = image.size
        exif = read_exif(image.info.get("exif", b""))
    gain = None
    if ending == "jpg":  # the map is the second image
        data = path.read_bytes()
        index = data.index(b"MPF\0") + 4
        second = index + struct.unpack_from(">I", data, index + 50 + 16 + 8)[0]
        with Image.open(io.BytesIO(data[second:])) as file:
            gain = file.size
    assert photo.pixels(lichtbild.photo.wanted(path)).sdr.shape == (height, width, 3)
    assert width > 160 and height > width
    inner = exif.get(EXIF)
    if ending in ("jpg", "png"):
        assert isinstance(inner, dict)
        assert [numbers(inner[tag]) for tag in (0xA002, 0xA003)] == [[width], [height]]
    assert ending != "jpg" or gain == (-(-width // 2), -(-height // 2))


def test_a_dng_keeps_the_whole_frame(tmp_path: pathlib.Path) -> None:
    raw = tmp_path / "lake.dng"
    dng.write_frame(raw, expose(lake.render(160, 240), 0.45))
    photo = lichtbild.develop(lichtbild.open(raw), set={"crop.aspect": "1:1", "border.paper": "white"})
    again = lichtbild.open(photo.save(tmp_path / "b.dng")).reference
    assert again.shape == (160, 240)
    assert io.BytesIO((tmp_path / "b.dng").read_bytes()).read(2) == b"II"
