"""ICC, EXIF and XMP: true of the finished photograph, and readable by others."""

import io
import shutil
import struct
import subprocess

import numpy as np
import pytest
from PIL import Image, ImageCms

from lichtbild import export
from lichtbild.export import Rendition, exif, icc, ifd, xmp

FORMATS = ["jpg", "tif", "png", "avif", "jxl"]
PIXELS = np.random.default_rng(5).integers(0, 255, (40, 60, 3)).astype(np.uint8)


def raw_exif(order="<"):
    """A camera's block: sideways, with place, serial number, maker note and an exposure of 0/0."""
    block = Image.Exif()
    block.endian = order
    block[0x010F], block[0x0110], block[0x0112], block[0x013B] = "Maker", "Model", 6, "Jane"
    shot = block.get_ifd(0x8769)
    shot[0x829A], shot[0x8827], shot[0x927C], shot[0xA431] = 1 / 455, 400, b"secret" * 20, "SN-123"
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


def test_too_much_xmp_for_a_jpeg_is_reported(tmp_path):
    big = raw_xmp().replace(b"M\xc3\xbchle", b"m" * 70000)
    notes = export.write(tmp_path / "a.jpg", Rendition(PIXELS, xmp=big, recipe="a = 1"))
    assert len(notes) == 1 and "left out" in notes[0]
    assert export.read_recipe(tmp_path / "a.jpg") == "a = 1"


@pytest.mark.parametrize("kind", FORMATS)
def test_recipe_comes_back(tmp_path, kind):
    text = '[tone]\nstrength = 0.5  # <&> "ü" ]]>\n\ttab\n'
    path = tmp_path / f"a.{kind}"
    assert export.write(path, Rendition(PIXELS, exif=raw_exif(), xmp=raw_xmp(), recipe=text)) == []
    assert export.read_recipe(path) == text
    export.write(path, Rendition(PIXELS))
    assert export.read_recipe(path) is None


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("kind", FORMATS)
def test_exiftool_reads_it(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    export.write(path, Rendition(PIXELS, "p3", exif=raw_exif(), xmp=raw_xmp(), recipe="a = 1"))
    tags = ["-Make", "-Orientation", "-ISO", "-Software", "-CreatorTool", "-Title", "-Warning", "-Error"]
    out = subprocess.run(["exiftool", "-s", "-n", *tags, path], capture_output=True, text=True, check=True).stdout
    seen = dict(line.split(": ", 1) for line in out.splitlines())
    seen = {name.strip(): value for name, value in seen.items()}
    assert seen["Make"] == "Maker" and seen["Orientation"] == "1" and seen["ISO"] == "400"
    assert seen["Software"] == seen["CreatorTool"] == exif.SOFTWARE
    assert seen["Title"] == "Mühle"
    assert "Warning" not in seen and "Error" not in seen
