"""Real DNGs against foreign readers, and all that a DNG says besides its pixels."""

from __future__ import annotations

import io
import json
import pathlib
import struct
from typing import Any

import numpy as np
import PIL.Image
import pytest
import rawpy
import tifffile
from conftest import SHARED, needs_shared
from raw.dngs import ASCII, BYTE, DOUBLE, FLOAT, LONG, RATIONAL, SHORT, SRATIONAL, UNDEFINED, dng, header, ifd, plain

from lichtbild import raw
from lichtbild.raw import other
from lichtbild.types import Frame, RawError

GOPRO = SHARED / "raw/gopro_hero6_mural_iso100.dng"
CANON = SHARED / "raw/canon550d_magiclantern_colorchecker.dng"
PHONE = SHARED / "raw/lg_g4_sample_1mp_lossy_linear.dng"
H, W = 20, 30
IMAGE = np.arange(H * W, dtype=np.uint16).reshape(H, W) * 50
EYE = [(1, 1), (0, 1), (0, 1), (0, 1), (1, 1), (0, 1), (0, 1), (0, 1), (1, 1)]


def opened(tmp_path: pathlib.Path, tags: Any) -> Frame:
    path = tmp_path / "a.dng"
    path.write_bytes(plain(IMAGE, tags))
    return raw.open(path)


@needs_shared
@pytest.mark.parametrize("path", [GOPRO, CANON], ids=["gopro", "canon"])
def test_bit_exact_with_libraw(path: pathlib.Path) -> None:
    with rawpy.imread(str(path)) as foreign:
        np.testing.assert_array_equal(raw.open(path).mosaic, foreign.raw_image_visible)


@needs_shared
def test_lossy_linear_with_its_polynomials_as_libraw() -> None:
    frame = raw.open(PHONE)
    with rawpy.imread(str(PHONE)) as foreign:
        expected = foreign.raw_image_visible[..., :3].transpose(2, 0, 1).copy()
    assert frame.rgb is not None and frame.white == (65535,) * 3 and (frame.black == 0).all()
    assert np.abs(frame.rgb.astype(int) - expected).max() <= 1
    assert [o["name"] for o in frame.facts["opcodes"][1]] == ["MapPolynomial"] * 3


@needs_shared
def test_what_the_gopro_says() -> None:
    frame = raw.open(GOPRO)
    assert (frame.cfa, frame.white, frame.orientation, frame.crop) == ("RGGB", (16383,), 2, (0, 0, 3000, 4000))
    assert frame.noise is not None and frame.noise.scale[1] == pytest.approx(1.562e-4, rel=1e-4)
    assert [(g.top, g.left, g.gains.shape) for g in frame.gain_maps] == [
        (y, x, (23, 23, 1)) for y in (0, 1) for x in (0, 1)
    ]
    assert [c.illuminant for c in frame.colour.calibrations] == [3, 23]
    assert frame.colour.as_shot_neutral == pytest.approx((0.522449, 1, 0.571429))
    assert frame.exposure.time_s == pytest.approx(1 / 455) and frame.exposure.iso == 100
    assert frame.exposure.aperture == 2.8 and frame.guesses == []


@needs_shared
def test_what_the_canon_says() -> None:
    frame = raw.open(CANON)
    assert frame.shape == (1156, 1734) and (frame.black == 2056).all() and frame.white == (15000,)
    assert frame.exposure.iso is None and any("ColorMatrix1" in g for g in frame.guesses)


@needs_shared
def test_what_the_phone_says() -> None:
    frame = raw.open(PHONE)
    first, second = frame.colour.calibrations
    assert (first.illuminant, second.illuminant) == (21, 17)
    assert first.forward_matrix is not None and second.camera_calibration is not None
    assert frame.exposure.taken is not None and frame.exposure.taken.startswith("2015-06-08T")
    assert b"xmpmeta" in frame.xmp and frame.make == "LG Mobile"


@needs_shared
def test_dng_through_the_door_for_other_makers() -> None:
    frame, own = other.read(CANON, CANON.read_bytes()), raw.open(CANON)
    np.testing.assert_array_equal(frame.mosaic, own.mosaic)
    assert (frame.cfa, frame.white) == (own.cfa, own.white) and (frame.black == 2056).all()
    assert any("LibRaw" in g for g in frame.guesses) and not any("EXIF" in g for g in frame.guesses)
    assert (frame.exif, frame.make, frame.model) == (own.exif, own.make, own.model) and frame.exif and frame.make
    gopro = other.read(GOPRO, GOPRO.read_bytes())
    assert gopro.orientation == 2 and gopro.exposure == raw.open(GOPRO).exposure and gopro.exposure.iso == 100
    a, b = frame.colour.as_shot_neutral, own.colour.as_shot_neutral
    assert a is not None and b is not None
    np.testing.assert_allclose(np.array(a) / a[1], np.array(b) / b[1], rtol=0.01)
    with pytest.raises(RawError, match="LibRaw"):
        other.read(PHONE, PHONE.read_bytes())


def test_the_largest_full_image_is_taken(tmp_path: pathlib.Path) -> None:
    """A preview in the first directory, a mask and the raw image in sub-directories."""
    pixels = IMAGE.astype("<u2").tobytes()
    at = 8 + len(pixels)
    shape = {256: (LONG, W), 257: (LONG, H), 258: (SHORT, 16), 259: (SHORT, 1), 262: (SHORT, 32803), 277: (SHORT, 1),
             273: (LONG, 8), 278: (LONG, H), 279: (LONG, len(pixels)), 33421: (SHORT, [2, 2]),
             33422: (BYTE, [0, 1, 1, 2])}  # fmt: skip
    small = ifd(shape | {254: (LONG, 1), 256: (LONG, W // 2)}, at)
    full = ifd(shape | {254: (LONG, 0)}, at + len(small))
    subs = [at, at + len(small)]
    first = ifd({254: (LONG, 1), 262: (SHORT, 2), 330: (LONG, subs), 50706: (BYTE, [1, 4, 0, 0]), 274: (SHORT, 6)},
                subs[1] + len(full))  # fmt: skip
    path = tmp_path / "a.dng"
    path.write_bytes(header(subs[1] + len(full)) + pixels + small + full + first)
    frame = raw.open(path)
    np.testing.assert_array_equal(frame.mosaic, IMAGE)
    assert frame.orientation == 6


def test_three_illuminants_and_their_tables(tmp_path: pathlib.Path) -> None:
    table = np.arange(2 * 3 * 4 * 3, dtype=np.float32)
    xy = struct.pack("<H4I", 0, 3127, 10000, 3290, 10000)
    nm = np.arange(380, 781, 5)
    planck = nm**-5.0 / (np.exp(1.4388e7 / (nm * 2856.0)) - 1)
    curve = struct.pack("<H5I", 1, len(nm), 380, 1, 5, 1)
    curve += b"".join(struct.pack("<2I", int(p / planck.max() * 1e6), 1000000) for p in planck)
    frame = opened(tmp_path, {
        50722: (SRATIONAL, EYE), 52531: (SRATIONAL, EYE), 50964: (SRATIONAL, EYE), 52532: (SRATIONAL, EYE),
        50778: (SHORT, 255), 50779: (SHORT, 255), 52529: (SHORT, 23), 52533: (UNDEFINED, xy), 52534: (UNDEFINED, curve),
        50937: (LONG, [3, 4, 2]), 50939: (FLOAT, table), 51107: (LONG, 1), 50981: (LONG, [2, 2, 1]),
        50982: (FLOAT, [0.0] * 12),
    })  # fmt: skip
    one, two, three = frame.colour.calibrations
    assert one.white_xy == (0.3127, 0.329) and three.illuminant == 23 and three.white_xy is None
    assert two.white_xy == pytest.approx((0.4476, 0.4074), abs=0.002)  # illuminant A is Planckian, 2856 K
    assert two.hue_sat_map is not None and two.hue_sat_map.srgb_value
    np.testing.assert_array_equal(two.hue_sat_map.table, table.reshape(2, 3, 4, 3))
    assert one.forward_matrix is not None and two.forward_matrix is None
    assert frame.colour.look_table is not None and frame.colour.look_table.table.shape == (1, 2, 2, 3)


@pytest.mark.parametrize(("profile", "kept"), [(b"same\0", True), (b"other\0", False)])
def test_calibration_needs_its_profile(tmp_path: pathlib.Path, profile: bytes, kept: bool) -> None:
    tags = {50723: (SRATIONAL, EYE), 50931: (ASCII, b"same\0"), 50932: (ASCII, profile)}
    assert (opened(tmp_path, tags).colour.calibrations[0].camera_calibration is not None) == kept


def test_white_as_xy_and_balance(tmp_path: pathlib.Path) -> None:
    frame = opened(
        tmp_path, {50728: None, 50729: (RATIONAL, [(3, 10), (1, 3)]), 50727: (RATIONAL, [(1, 1), (2, 1), (1, 2)])}
    )
    assert frame.colour.as_shot_xy == (0.3, 1 / 3) and frame.colour.analog_balance == (1, 2, 0.5)


@pytest.mark.parametrize("pairs", [1, 3, 4])
def test_noise_profiles(tmp_path: pathlib.Path, pairs: int) -> None:
    values = [v for i in range(pairs) for v in (1e-4 * (i + 1), 1e-6 * (i + 1))]
    noise = opened(tmp_path, {51041: (DOUBLE, values)}).noise
    assert noise is not None
    expected = {1: (1, 1, 1), 3: (1, 2, 3), 4: (1, 2.5, 4)}[pairs]
    np.testing.assert_allclose(noise.scale, np.array(expected) * 1e-4)
    np.testing.assert_allclose(noise.offset, np.array(expected) * 1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_travels(tmp_path: pathlib.Path, order: str) -> None:
    """Pillow reads our block: exposure kept in either byte order, maker note left out."""
    shot = {33434: (RATIONAL, [(1, 30)]), 34855: (SHORT, 65535), 34866: (LONG, 102400),
            36867: (ASCII, b"2024:02:03 04:05:06\0"),
            36881: (ASCII, b"+01:00\0"), 37386: (RATIONAL, [(47, 10)]), 37500: (UNDEFINED, b"secret" * 9)}  # fmt: skip
    place = {1: (ASCII, b"N\0"), 2: (RATIONAL, [(48, 1), (8, 1), (0, 0)])}
    data = dng([IMAGE.astype(f"{order}u2").tobytes()], (H, W), order=order, extra={34665: (LONG, 0), 34853: (LONG, 0)})
    exif = ifd(shot, len(data), order)
    gps = ifd(place, len(data) + len(exif), order)
    extra = {34665: (LONG, len(data)), 34853: (LONG, len(data) + len(exif)), 700: (BYTE, b"<x:xmpmeta/>")}
    whole = dng([IMAGE.astype(f"{order}u2").tobytes()], (H, W), order=order, extra=extra)
    shift = len(whole) - len(data)
    extra |= {34665: (LONG, len(data) + shift), 34853: (LONG, len(data) + shift + len(exif))}
    whole = dng([IMAGE.astype(f"{order}u2").tobytes()], (H, W), order=order, extra=extra)
    whole += ifd(shot, len(whole), order)
    whole += ifd(place, len(whole), order)
    assert len(gps) + len(exif) + shift + len(data) == len(whole)
    path = tmp_path / "a.dng"
    path.write_bytes(whole)
    frame = raw.open(path)
    assert frame.exposure.time_s == pytest.approx(1 / 30) and frame.exposure.iso == 102400
    assert frame.exposure.taken == "2024-02-03T04:05:06+01:00" and frame.exposure.aperture is None
    assert frame.xmp == b"<x:xmpmeta/>" and b"secret" not in frame.exif
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (8, 8)).save(buffer, "JPEG", exif=frame.exif)
    back = PIL.Image.open(buffer).getexif()
    assert back[271] == "Make" and back.get_ifd(34665)[33434] == pytest.approx(1 / 30)
    assert back.get_ifd(34665)[36881] == "+01:00" and back.get_ifd(34853)[1] == "N"
    assert 37500 not in back.get_ifd(34665) and 256 not in back


def test_description_is_plain_json(tmp_path: pathlib.Path) -> None:
    frame = opened(tmp_path, {50728: (RATIONAL, [(0, 0)] * 3)})
    said = raw.describe(frame)
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert said["size"] == [W, H] and said["compression"] == "uncompressed" and said["bits"] == 16
    assert said["colour"]["as_shot_neutral"] is None and any("50728" in g for g in said["guesses"])


def test_files_of_tifffile(tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    """A foreign writer: tiles, both byte orders, BigTIFF."""
    image = rng.integers(0, 65535, (100, 130)).astype(np.uint16)
    tags = [
        (50706, 1, 4, bytes([1, 4, 0, 0]), True),
        (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, bytes([1, 0, 2, 1]), True),
    ]
    for order, big in (("<", False), (">", False), ("<", True), (">", True)):
        path = tmp_path / "t.dng"
        tifffile.imwrite(path, image, photometric=32803, tile=(32, 48), extratags=tags, byteorder=order, bigtiff=big)
        frame = raw.open(path)
        np.testing.assert_array_equal(frame.mosaic, image)
        assert frame.cfa == "GRBG"
