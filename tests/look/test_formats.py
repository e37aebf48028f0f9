"""Formats of exchange: what we write other programs read as we mean it, and what they write we read, or refuse."""

from __future__ import annotations

import pathlib
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from lichtbild import look
from lichtbild.develop._camera import GENERIC
from lichtbild.look import bake, clf, dcp, foreign, icc, lint, lut, xmp
from lichtbild.look.difference import delta_e, lab
from lichtbild.raw.tiff import Tiff

CAMERA = bake.Camera("Own Test 1", GENERIC)
SMALL = {".cube": 17, ".png": 16, ".clf": 17, ".ctf": 17, ".icc": 17, ".xmp": 17, ".dcp": None}
IDENTITY = lut.grid(3).astype(np.float32).reshape(3, 3, 3, 3)


def bent(size: int) -> np.ndarray:
    """A table (size, size, size, 3) that mixes no two channels up."""
    r, g, b = np.moveaxis(lut.grid(size).astype(np.float32).reshape(size, size, size, 3), -1, 0)
    return np.stack([r**1.3 * (0.9 + 0.1 * b), g**0.8, 0.8 * b + 0.2 * r * g], -1).astype(np.float32)


def delta(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    return delta_e(lab(one), lab(two))


@pytest.mark.parametrize("kind", SMALL)
def test_each_says_its_loss_and_reads_back(kind: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / f"x{kind}"
    baked = bake.bake(look.load("classic"), path, SMALL[kind], camera=CAMERA)
    assert baked.nature.mean < 0.6 and baked.nature.p99 < 4
    assert baked.nature.mean <= baked.nature.p95 <= baked.nature.p99 <= baked.nature.most
    found = foreign.read(path)
    assert found.takes_light == (kind in (".clf", ".ctf", ".dcp"))
    plain, classic = (look.compile(look.load(name)) for name in ("neutral", "classic"))
    scene = lint.nature(800)
    over = lut.twin(look.display(plain, scene), foreign.table(path))
    # A camera profile comes back with the mid grey of neutral, a tenth of a stop above that of classic.
    assert delta(over, look.display(classic, scene)).mean() < (2.0 if kind == ".dcp" else 0.6)
    assert look.load(path).lut.file == str(path)


@pytest.mark.parametrize("kind", [".cube", ".clf", ".ctf"])
def test_opencolorio_reads_them(kind: str, tmp_path: pathlib.Path) -> None:
    ocio = pytest.importorskip("PyOpenColorIO")
    path, made = tmp_path / f"x{kind}", look.compile(look.load("classic"))
    bake.bake(look.load("classic"), path, 33)
    scene = lint.nature(500)
    asked = look.display(look.compile(look.load("neutral")), scene) if kind == ".cube" else scene
    transform = ocio.FileTransform(str(path), interpolation=ocio.INTERP_TETRAHEDRAL)
    got = np.array(asked, np.float32)
    ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor().applyRGB(got)
    assert np.abs(got - foreign.read(path).apply(asked)).max() < 1e-4
    assert delta(got, look.display(made, scene)).mean() < 0.25


def test_we_read_what_opencolorio_writes(tmp_path: pathlib.Path) -> None:
    ocio = pytest.importorskip("PyOpenColorIO")
    curve = ocio.Lut1DTransform(1024, False)
    for i, v in enumerate(np.linspace(0, 1, 1024) ** 0.7):
        curve.setValue(i, v, v, v)
    table = ocio.Lut3DTransform(9)
    table.setInterpolation(ocio.INTERP_TETRAHEDRAL)
    table.setData(bent(9).transpose(2, 1, 0, 3).ravel())
    log = ocio.LogCameraTransform(linSideBreak=(0.01,) * 3, base=2.0, logSideSlope=(0.1,) * 3, logSideOffset=(0.7,) * 3)
    matrix = ocio.MatrixTransform((0.9, 0.1, 0, 0, 0, 1, 0, 0, 0.05, 0, 0.95, 0, 0, 0, 0, 1), (0.01, 0, 0.02, 0))
    group = ocio.GroupTransform([matrix, log, ocio.RangeTransform(0, 1, 0.0, 0.9), curve, table])
    asked = np.random.default_rng(2).uniform(0, 1.2, (400, 3))
    for form, suffix in (("Academy/ASC Common LUT Format", ".clf"), ("Color Transform Format", ".ctf")):
        path = tmp_path / f"theirs{suffix}"
        group.write(form, str(path), config=ocio.Config.CreateRaw())
        got = np.array(asked, np.float32)
        transform = ocio.FileTransform(str(path))
        ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor().applyRGB(got)
        assert np.abs(foreign.read(path).apply(asked) - got).max() < 2e-3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<x", "not XML"),
        ("<!DOCTYPE x><ProcessList/>", "document type"),
        ("<Other/>", "its root is 'Other'"),
        ("<ProcessList/>", "expected 1..32 steps, got 0"),
        ("<ProcessList><Fog/></ProcessList>", "the step 'Fog' cannot be read"),
        ("<ProcessList><Matrix/></ProcessList>", "expected an Array"),
        ("<ProcessList><Matrix><Array dim='3 3'>1 2</Array></Matrix></ProcessList>", "3 x 3"),
        (
            "<ProcessList><LUT3D><Array dim='999999 999999 999999 3'>1</Array></LUT3D></ProcessList>",
            "three equal edges",
        ),
        ("<ProcessList><LUT3D><Array dim='2 2 2 3'>1 nan</Array></LUT3D></ProcessList>", "not finite"),
        ("<ProcessList><LUT1D><Array dim='2 3'>0 0 0 1 1</Array></LUT1D></ProcessList>", "2 x 3 numbers, got 5"),
        ("<ProcessList><Log style='linToLog'><LogParams base='1'/></Log></ProcessList>", "no logarithm"),
        ("<ProcessList><Log style='cubic'/></ProcessList>", "known style"),
        ("<ProcessList><Matrix inBitDepth='9i'><Array dim='1 1'>1</Array></Matrix></ProcessList>", "3 x 3"),
    ],
)
def test_bad_process_lists(body: str, words: str) -> None:
    with pytest.raises(look.LookError, match=r"^x\.clf: ") as error:
        clf.read(body, "x.clf")
    assert words in str(error.value) and "\n" not in str(error.value)


def test_littlecms_reads_the_device_link(tmp_path: pathlib.Path) -> None:
    """Through Pillow, which takes two profiles: the second is a link that changes nothing."""
    path, same = tmp_path / "x.icc", tmp_path / "same.icc"
    bake.bake(look.load("classic"), path, 33)
    same.write_bytes(icc.write(IDENTITY, "nothing", ("sRGB", "sRGB")))
    link = ImageCms.ImageCmsProfile(str(path))
    assert "lichtbild classic" in ImageCms.getProfileDescription(link)
    assert link.profile.device_class == "link"
    through = ImageCms.buildTransform(link, str(same), "RGB", "RGB", flags=ImageCms.Flags.NOOPTIMIZE)
    asked = (np.random.default_rng(3).random((40, 50, 3)) * 255 + 0.5).astype(np.uint8)
    with Image.fromarray(asked) as picture:
        got = np.array(ImageCms.applyTransform(picture, through))
    wanted = foreign.read(path).apply(asked.reshape(-1, 3) / 255).reshape(asked.shape)
    assert np.abs(got / 255 - wanted).max() < 1.01 / 255


def test_device_links_of_8_bits_and_damaged_ones() -> None:
    whole = icc.write(bent(5), "mine", ("here", "there"))
    before, table, behind = icc.read(whole, "x.icc")
    np.testing.assert_allclose(table.values, bent(5), atol=1e-5)
    np.testing.assert_allclose(before, [[0, 0, 0], [1, 1, 1]])
    np.testing.assert_allclose(behind, before)
    axis = np.arange(256, dtype=np.uint8)
    body = b"mft1" + struct.pack(">I4B", 0, 3, 3, 3, 0) + bytes(36) + 3 * axis.tobytes()
    body += (IDENTITY.transpose(2, 1, 0, 3) * 255).astype(np.uint8).tobytes() + 3 * axis.tobytes()
    at = whole.index(b"A2B0")
    small = whole[: at + 4] + struct.pack(">II", len(whole), len(body)) + whole[at + 12 :] + body
    np.testing.assert_allclose(icc.read(small, "x")[1].values, IDENTITY, atol=3e-3)
    start = whole.index(b"mft2")
    for bad, words in (
        (b"", "not an ICC profile"),
        (whole[:16] + b"CMYK" + whole[20:], "from 'CMYK' to 'RGB'"),
        (whole.replace(b"A2B0", b"A2B7"), "no table A2B0"),
        (whole.replace(b"mft2", b"mAB "), "type 'mAB'"),
        (whole[: start + 10] + b"\0" + whole[start + 11 :], "0 points an edge"),
        (whole[:-30], "cut short"),
    ):
        with pytest.raises(look.LookError, match=r"^x\.icc: ") as error:
            icc.read(bad, "x.icc")
        assert words in str(error.value)


def test_a_creative_profile_comes_back() -> None:
    table, space = xmp.read(xmp.write(bent(8), "mine & co", "Mine <x>", "p3"), "x.xmp")
    assert space == "p3"
    np.testing.assert_allclose(table.values, bent(8), atol=1e-5)
    for length in range(1, 9):
        data = bytes(range(250, 250 - length, -1))
        assert xmp._decode(xmp._encode(data)) == data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: "", "not XML"),
        (lambda s: s.replace("crs:RGBTable", "crs:Other"), "no table of colours"),
        (lambda s: s.replace('="', '="0', 40), ""),
        (lambda s: s.replace("<x:xmpmeta", "<!DOCTYPE x><x:xmpmeta"), "document type"),
    ],
)
def test_damaged_creative_profiles(change: object, words: str) -> None:
    assert callable(change)
    with pytest.raises(look.LookError, match=r"^x\.xmp: ") as error:
        xmp.read(change(xmp.write(bent(4), "m", "M", "srgb")), "x.xmp")
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_camera_profile_is_what_the_format_asks_for(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.dcp"
    bake.bake(look.load("classic"), path, camera=CAMERA)
    data = path.read_bytes()
    assert data[:4] == b"IIRC"
    ifd = next(Tiff(b"II*\0" + data[4:]).chain())
    assert ifd.text(50708) == "Own Test 1" and ifd.text(50936) == "lichtbild classic"
    for tag, calibration in zip((50721, 50722), GENERIC.calibrations, strict=True):
        np.testing.assert_allclose(ifd.numbers(tag), calibration.color_matrix.ravel(), atol=1e-4)
    table = dcp.read(path).table
    curve = dcp.read(path).curve
    assert table is not None and curve is not None
    assert table.table.shape == (dcp.VALUES, dcp.HUES, dcp.SATS, 3) and table.srgb_value
    assert (table.table[:, :, 0, 2] == 1).all()  # greys keep their value: the curve has it
    np.testing.assert_array_equal(curve[[0, -1]], [[0, 0], [1, 1]])
    assert (np.diff(curve, axis=0) >= 0).all()
    assert ifd.numbers(51109) is not None


def test_camera_profiles_without_a_look(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.dcp"
    bake.bake(look.load("bw"), path, camera=CAMERA)
    whole = path.read_bytes()
    hidden = whole.replace(struct.pack("<H", 50982), struct.pack("<H", 50983), 1)
    path.write_bytes(hidden.replace(struct.pack("<H", 50940), struct.pack("<H", 50941), 1))
    with pytest.raises(look.LookError, match="holds a calibration, no look"):
        foreign.read(path)
    path.write_bytes(hidden)
    assert np.isfinite(foreign.read(path).apply(lint.nature(50))).all()  # a curve alone is a look
    for bad in (b"", b"II*\0" + whole[4:], whole[:60], whole[: len(whole) // 2]):
        path.write_bytes(bad)
        with pytest.raises(look.LookError, match=r"x\.dcp: "):
            foreign.read(path)


def test_a_camera_profile_needs_a_camera(tmp_path: pathlib.Path) -> None:
    with pytest.raises(look.LookError, match="made for a camera"):
        bake.bake(look.load("classic"), tmp_path / "x.dcp")


def test_a_file_larger_than_any_look(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.icc"
    with path.open("wb") as file:
        file.truncate(1 << 30)  # it takes no room on the disk
    with pytest.raises(look.LookError, match="more than any look needs"):
        foreign.read(path)
