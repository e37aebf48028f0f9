"""TIFF, PNG, AVIF and JPEG XL: pixels and colour space as foreign readers see them."""

import imagecodecs
import numpy as np
import OpenImageIO
import pytest
import tifffile
from PIL import Image, ImageCms

from lichtbild import export, light
from lichtbild.export import Options, Rendition, bmff, jxl_header, png

SIZES = [(1, 1), (7, 5), (479, 641), (700, 900)]


def smooth(height, width):
    y, x = np.mgrid[:height, :width]
    planes = [8000 + 48000 * x / max(width, 2), 8000 + 48000 * y / max(height, 2), 30000 + 20000 * np.sin((x + y) / 40)]
    return np.stack(planes, -1).astype(np.uint16)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lossless_formats(rng, tmp_path, monkeypatch, size, dtype):
    monkeypatch.setattr(png, "_STRIPE_BYTES", 200_000)
    pixels = rng.integers(0, np.iinfo(dtype).max, (*size, 3)).astype(dtype)
    for kind in ("tif", "png"):
        export.write(tmp_path / f"a.{kind}", Rendition(pixels, "p3"))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert np.array_equal(file.asarray().reshape(pixels.shape), pixels)
        assert file.pages[0].iccprofile
    assert np.array_equal(imagecodecs.png_decode((tmp_path / "a.png").read_bytes()), pixels)
    for kind in ("tif", "png"):
        file = OpenImageIO.ImageInput.open(str(tmp_path / f"a.{kind}"))
        assert np.array_equal(file.read_image(str(np.dtype(dtype))), pixels)
        file.close()
        with Image.open(tmp_path / f"a.{kind}") if dtype == np.uint8 or kind == "png" else _none() as picture:
            if picture is not None:
                assert ImageCms.getOpenProfile(picture_profile(picture)).profile.profile_description == "Display P3"


def picture_profile(picture):
    import io

    return io.BytesIO(picture.info["icc_profile"])


def _none():
    import contextlib

    return contextlib.nullcontext()


@pytest.mark.parametrize("space", ["srgb", "p3"])
@pytest.mark.parametrize("size", SIZES)
def test_avif(tmp_path, size, space):
    pixels = smooth(*size)
    export.write(tmp_path / "a.avif", Rendition(pixels, space), Options(quality=95))
    seen = imagecodecs.avif_decode((tmp_path / "a.avif").read_bytes())
    assert seen.dtype == np.uint16 and seen.max() < 1024
    assert np.abs(seen / 1023 - pixels / 65535).mean() < (0.004 if min(size) > 10 else 0.01)
    with Image.open(tmp_path / "a.avif") as file:
        assert file.getexif()[0x0131].startswith("lichtbild")
        assert b"lichtbild" in file.info["xmp"]
    assert b"nclx" + bytes((0, 1 if space == "srgb" else 12, 0, 13, 0, 6)) in (tmp_path / "a.avif").read_bytes()


@pytest.mark.parametrize("space", ["srgb", "p3"])
@pytest.mark.parametrize("size", SIZES)
def test_jxl(tmp_path, size, space):
    pixels = smooth(*size)
    export.write(tmp_path / "a.jxl", Rendition(pixels, space), Options(quality=98))
    seen = imagecodecs.jpegxl_decode((tmp_path / "a.jxl").read_bytes())
    assert seen.dtype == np.uint16
    assert np.abs(seen / 65535 - pixels / 65535).mean() < (0.004 if min(size) > 10 else 0.01)
    file = OpenImageIO.ImageInput.open(str(tmp_path / "a.jxl"))
    name = file.spec().getattribute("oiio:ColorSpace")
    file.close()
    assert name == {"srgb": "srgb_rec709_scene", "p3": "srgb_p3d65_scene"}[space]


def test_jxl_keeps_colours_outside_srgb(tmp_path):
    red = np.broadcast_to(np.uint16([65535, 0, 0]), (64, 64, 3))
    assert (light.convert("p3", "srgb") @ [1, 0, 0] < 0).any()
    export.write(tmp_path / "a.jxl", Rendition(red, "p3"), Options(quality=98))
    seen = imagecodecs.jpegxl_decode((tmp_path / "a.jxl").read_bytes()).astype(float) / 65535
    assert np.abs(seen.mean((0, 1)) - [1, 0, 0]).max() < 0.03


def test_foreign_layouts_are_refused():
    with pytest.raises(ValueError, match="not a JPEG XL"):
        jxl_header.recolour(b"\xff\xd8" + bytes(80), "p3")
    lossless = imagecodecs.jpegxl_encode(np.zeros((8, 8, 3), np.float32), lossless=True, usecontainer=False)
    lossless = lossless[lossless.index(b"\xff\x0a") :]
    with pytest.raises(ValueError, match="not expected"):
        jxl_header.recolour(lossless, "p3")
    with pytest.raises(ValueError, match="cut off"):
        bmff.boxes(b"\0\0\0")


def test_depth_follows_the_format():
    assert [export.depth(f"a.{e}") for e in ("jpg", "JPEG", "tif", "png", "avif", "jxl")] == [8, 8, 16, 16, 16, 16]
