"""JPEG in stripes is the JPEG in one piece; the container holds what readers look for."""

import dataclasses
import io

import imagecodecs
import numpy as np
import OpenImageIO
import pytest
import simplejpeg
from PIL import Image

from lichtbild import export
from lichtbild.export import ExportError, Options, Rendition, stripes


def picture(rng, height, width):
    """Smooth colour with some noise: every coefficient gets used."""
    y, x = np.mgrid[:height, :width]
    base = np.stack([x * 255 / max(width, 1), y * 255 / max(height, 1), (x + y) % 256], -1)
    return np.clip(base + rng.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("subsampling", ["420", "422", "444"])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (479, 641), (1031, 1500)])
def test_stripes_decode_like_one_piece(rng, size, subsampling):
    pixels = picture(rng, *size)
    ours = stripes.SOI + stripes.encode(pixels, 92, subsampling, 2)
    whole = simplejpeg.encode_jpeg(pixels, quality=92, colorsubsampling=subsampling, fastdct=False)
    assert (size[0] > 400) == (b"\xff\xdd\x00\x04" in ours), "a large picture has restarts, a small one has none"
    for decode in (lambda b: np.asarray(Image.open(io.BytesIO(b))), imagecodecs.jpeg8_decode):
        assert np.array_equal(decode(ours), decode(whole))


def test_grey_and_more_than_eight_restarts(rng, monkeypatch):
    monkeypatch.setattr(stripes, "_STRIPE_PIXELS", 1600)
    pixels = np.ascontiguousarray(picture(rng, 333, 100)[..., 0])
    ours = stripes.SOI + stripes.encode(pixels, 90, "grey", 2)
    whole = simplejpeg.encode_jpeg(
        pixels[..., None], quality=90, colorspace="GRAY", colorsubsampling="Gray", fastdct=False
    )
    assert np.array_equal(imagecodecs.jpeg8_decode(ours), imagecodecs.jpeg8_decode(whole))


def test_restart_interval_fits_into_16_bits():
    for width in (1, 4000, 65535):
        for name, (_, columns) in stripes._MCU.items():
            rows = stripes.stripe_rows(65535, width, name)
            assert 0 < rows // stripes._MCU[name][0] * -(-width // columns) <= 65535


def test_oiio_reads_the_same_pixels(rng, tmp_path):
    pixels = picture(rng, 600, 900)
    export.write(tmp_path / "a.jpg", Rendition(pixels, "p3"))
    file = OpenImageIO.ImageInput.open(str(tmp_path / "a.jpg"))
    theirs = file.read_image(0, 0, 0, 3, "uint8")
    assert len(file.spec().getattribute("ICCProfile")) > 400
    file.close()
    with Image.open(tmp_path / "a.jpg") as mine:
        assert np.abs(np.asarray(mine).astype(int) - theirs).max() <= 1


def test_sixteen_bits_are_rounded():
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, 2)
    assert np.array_equal(Rendition(codes).bits8()[..., 0], np.round(codes[..., 0] / 257).astype(np.uint8))


def test_too_large_is_refused():
    with pytest.raises(ExportError, match="65535"):
        stripes.encode(np.zeros((1, 65536, 3), np.uint8), 90, "444")


def test_bad_arguments():
    pixels = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="sdr"):
        Rendition(pixels[..., 0])
    with pytest.raises(ValueError, match="space"):
        Rendition(pixels, "rec709")
    with pytest.raises(ValueError, match="both"):
        Rendition(pixels, gain=pixels)
    with pytest.raises(ExportError, match="quality"):
        Options(quality=0)
    with pytest.raises(ValueError, match="gamma"):
        dataclasses.replace(export.GainMapMeta(), gamma=(1.0, 0.0, 1.0))


def test_unknown_format_and_missing_folder_leave_nothing(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ExportError, match=r"a\.bmp: cannot write '\.bmp'"):
        export.write(tmp_path / "a.bmp", Rendition(pixels))
    with pytest.raises(ExportError, match="cannot be written"):
        export.write(tmp_path / "no" / "a.jpg", Rendition(pixels))
    with pytest.raises(RuntimeError, match="half way"):
        export.write_bytes(tmp_path / "a.jpg", _broken())
    assert list(tmp_path.iterdir()) == []


def _broken():
    yield b"first half"
    raise RuntimeError("half way")
