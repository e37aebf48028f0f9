"""ICC, EXIF and XMP: true of the finished photograph, and readable by others."""

import hashlib
import io
import json
import re
import shutil
import struct
import subprocess

import numpy as np
import pytest
from export.test_dng import frame
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from lichtbild import export, types
from lichtbild.export import Options, Rendition, dng, exif, icc, ifd, xmp

FORMATS = ["jpg", "tif", "png", "avif", "jxl"]
PIXELS = np.random.default_rng(5).integers(0, 255, (40, 60, 3)).astype(np.uint8)


def raw_exif(order="<", place=True):
    """A camera's block: sideways, with place, serial number, maker note and an exposure of 0/0."""
    block = Image.Exif()
    block.endian = order
    block[0x010F], block[0x0110], block[0x0112], block[0x013B] = "Maker", "Model", 6, "Jane"
    shot = block.get_ifd(0x8769)
    shot[0x829A], shot[0x8827], shot[0x927C] = IFDRational(1, 455), 400, b"secret" * 20
    shot[0xA431] = "SN-123"
    if place:
        block.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 0.5)})
    return block.tobytes()


def raw_xmp():
    return (
        b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about="" '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:Make="Maker" '
        b'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="48,8N">'
        b'<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">M\xc3\xbchle</dc:title>'
        b"</r:Description></r:RDF></x:xmpmeta><?xpacket end='w'?>"
    )


@pytest.mark.parametrize("space", ["srgb", "p3"])
def test_profiles_mean_what_they_say(space):
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc.profile(space)))
    ramp = Image.fromarray(np.random.default_rng(1).integers(40, 216, (64, 64, 3)).astype(np.uint8))
    seen = ImageCms.profileToProfile(ramp, profile, ImageCms.createProfile("sRGB"), renderingIntent=1)
    error = np.abs(np.asarray(seen).astype(int) - np.asarray(ramp))
    assert error.max() <= 1 if space == "srgb" else error.max() > 5
    grey = Image.new("RGB", (4, 4), (128, 128, 128))
    seen = ImageCms.profileToProfile(grey, profile, ImageCms.createProfile("sRGB"), renderingIntent=1)
    assert np.abs(np.asarray(seen).astype(int) - 128).max() <= 1


def test_p3_red_is_far_out():
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc.profile("p3")))
    # XYZ of the red colorant under D50 of Display P3, as its owners publish it.
    assert profile.profile.red_colorant[0] == pytest.approx((0.515, 0.241, -0.001), abs=1e-3)


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_is_corrected_and_private(order):
    kept = exif.directory(raw_exif(order), (30, 40), "p3")
    assert ifd.numbers(kept[0x0112]) == [1]
    assert ifd.text(kept[0x010F]) == "Maker"
    shot = kept[ifd.EXIF]
    assert ifd.numbers(shot[0x829A])[0] == pytest.approx(1 / 455, rel=1e-4)
    assert [ifd.numbers(shot[t])[0] for t in (0xA001, 0xA002, 0xA003)] == [0xFFFF, 40, 30]
    assert 0x927C not in shot and ifd.text(shot[0xA431]) == "SN-123"
    assert ifd.numbers(kept[ifd.GPS][2])[0] == 48
    private = exif.directory(raw_exif(order), (30, 40), "p3", private=True)
    assert ifd.GPS not in private and 0xA431 not in private[ifd.EXIF] and 0x013B not in private


def test_undefined_fractions_survive():
    entry = (ifd.RATIONAL, 1, struct.pack("<II", 0, 0))
    again = ifd.read(ifd.block({0x829A: entry}))
    assert again[0x829A] == entry
    assert np.isnan(ifd.numbers(again[0x829A])).all()


def test_broken_exif_never_raises(rng):
    good = raw_exif()
    for _ in range(300):
        bad = bytearray(good[: rng.integers(0, len(good))])
        for _ in range(rng.integers(1, 6)):
            if bad:
                bad[rng.integers(0, len(bad))] = rng.integers(0, 256)
        exif.directory(bytes(bad), (4, 4))


def test_xmp_keeps_what_is_true():
    packet, reason = xmp.packet("a = 1\n", {"Look": "classic"}, "", raw_xmp())
    assert reason == ""
    assert "Mühle".encode() in packet and b"tiff:Make" in packet and b"GPSLatitude" in packet
    assert b"Orientation" not in packet
    assert xmp.recipe(packet) == "a = 1\n"
    private, _ = xmp.packet("a = 1\n", {}, "", raw_xmp(), private=True)
    assert b"GPSLatitude" not in private


@pytest.mark.parametrize(
    "bad", [b"<x", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"\xff\xfe\x00", b"<a/>", b"x" * (2 << 20)]
)
def test_broken_foreign_xmp_is_left_out_and_reported(bad):
    packet, reason = xmp.packet("a = 1", {}, "", bad)
    assert "left out" in reason
    assert xmp.recipe(packet) == "a = 1"


def long_xmp():
    return raw_xmp().replace(b"M\xc3\xbchle", b"M\xc3\xbchle " + b"m" * 150_000)


def extended(data):
    """The extended XMP of a JPEG put together again, and the name that its segments bear."""
    found = re.findall(rb"http://ns.adobe.com/xmp/extension/\0([0-9A-F]{32})(.{4})(.{4})", data, re.S)
    places = [m.end() for m in re.finditer(rb"http://ns.adobe.com/xmp/extension/\0.{40}", data, re.S)]
    out, whole = b"", 0
    for (_, total, at), start in zip(found, places, strict=True):
        whole, offset = int.from_bytes(total, "big"), int.from_bytes(at, "big")
        assert offset == len(out)
        out += data[start : start + min(65400, whole - offset)]
    assert len(out) == whole
    return out, {name.decode() for name, _, _ in found}


def test_long_xmp_goes_on_in_a_jpeg(tmp_path):
    notes = export.write(tmp_path / "a.jpg", Rendition(PIXELS, xmp=long_xmp(), recipe="a = 1"))
    assert notes == [] and export.read_recipe(tmp_path / "a.jpg") == "a = 1"
    data = (tmp_path / "a.jpg").read_bytes()
    rest, names = extended(data)
    assert names == {hashlib.md5(rest).hexdigest().upper()} and f'HasExtendedXMP="{names.pop()}"'.encode() in data
    assert b"m" * 150_000 in rest and b"Orientation" not in rest and b"GPSLatitude" in rest
    with Image.open(tmp_path / "a.jpg") as image:
        assert np.asarray(image).shape == PIXELS.shape
    export.write(tmp_path / "p.jpg", Rendition(PIXELS, xmp=long_xmp()), Options(private=True))
    assert b"GPSLatitude" not in (tmp_path / "p.jpg").read_bytes()


def test_too_much_xmp_is_reported(tmp_path):
    big = raw_xmp().replace(b"M\xc3\xbchle", b"m" * (1 << 20))
    for kind in ("jpg", "png"):
        notes = export.write(tmp_path / f"a.{kind}", Rendition(PIXELS, xmp=big, recipe="a = 1"))
        assert len(notes) == 1 and "left out" in notes[0]
        assert export.read_recipe(tmp_path / f"a.{kind}") == "a = 1"


def test_a_recipe_too_long_for_a_jpeg_is_refused(tmp_path):
    with pytest.raises(export.ExportError, match=r"does not fit into a JPEG .* use TIFF"):
        export.write(tmp_path / "a.jpg", Rendition(PIXELS, recipe="# " + "x" * 70000))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_recipe_comes_back(tmp_path, kind):
    text = '[tone]\nstrength = 0.5  # <&> "ü" ]]>\n\ttab\n'
    path = tmp_path / f"a.{kind}"
    assert export.write(path, Rendition(PIXELS, exif=raw_exif(), xmp=raw_xmp(), recipe=text)) == []
    assert export.read_recipe(path) == text
    export.write(path, Rendition(PIXELS))
    assert export.read_recipe(path) is None


def test_what_the_camera_said_is_kept_in_every_format(tmp_path):
    for kind in ("jpg", "tif", "png", "avif", "jxl"):
        path = tmp_path / f"a.{kind}"
        export.write(path, Rendition(PIXELS, exif=raw_exif()))
        data = path.read_bytes()
        start = 0 if kind == "tif" else data.index(b"II*\0")
        seen = ifd.read(data[start:])
        assert ifd.text(seen[0x010F]) == "Maker" and ifd.numbers(seen[0x0112]) == [1]
        assert ifd.numbers(seen[ifd.EXIF][0x8827]) == [400] and ifd.text(seen[ifd.EXIF][0xA431]) == "SN-123"
        assert ifd.numbers(seen[ifd.GPS][2])[0] == 48


# What exiftool's validator does not know: deflate in TIFF (it goes by TIFF 6.0) and ISO 21496-1 (before 12.90).
UNKNOWN = {"Invalid value for IFD0 tag 0x0103 Compression", "[minor] Unknown APP2 segment"}


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_exiftool_reads_all_and_warns_of_nothing(tmp_path):
    gain = np.full((20, 30, 3), 90, np.uint8)
    like = frame(None, (40, 60))
    # Without place: the validator wants all 31 tags of GPS where there is one.
    facts = {"exif": raw_exif(place=False), "xmp": raw_xmp(), "recipe": "a = 1"}
    for kind in (*FORMATS, "dng"):
        more = {"light": PIXELS.transpose(2, 0, 1) / np.float32(255), "frame": like} if kind == "dng" else {}
        more |= {"gain": gain, "meta": export.GainMapMeta()} if kind == "jpg" else {}
        export.write(tmp_path / f"a.{kind}", Rendition(PIXELS, "srgb" if kind == "dng" else "p3", **facts, **more))
    export.write(tmp_path / "long.jpg", Rendition(PIXELS, **facts | {"xmp": long_xmp()}))
    dng.write_frame(tmp_path / "frame.dng", types.replace(like, exif=facts["exif"], xmp=raw_xmp()), PIXELS)
    tags = ["-Make", "-Orientation", "-ISO", "-Software", "-CreatorTool", "-Title", "-Warning", "-Error", "-Validate"]
    run = subprocess.run(
        ["exiftool", "-j", "-a", "-G4", "-n", *tags, tmp_path], capture_output=True, text=True, check=True
    )
    seen = json.loads(run.stdout)
    assert len(seen) == 8
    for found in seen:
        said = [(key.rpartition(":")[2], value) for key, value in found.items()]
        assert {value for key, value in said if key in ("Warning", "Error")} <= UNKNOWN, found
        facts = dict(said)
        assert (facts["Make"], facts["ISO"]) == ("Maker", 400) and facts["Title"].startswith("Mühle")
        assert "Validate" in facts
        if not found["SourceFile"].endswith("frame.dng"):
            assert facts["Software"] == facts["CreatorTool"] == exif.SOFTWARE and facts["Orientation"] == 1
