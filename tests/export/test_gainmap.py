"""Ultra HDR files are what libultrahdr and OpenImageIO think they are."""

import io
import struct

import imagecodecs
import numpy as np
import OpenImageIO
import pytest
from PIL import Image

from lichtbild import export
from lichtbild.export import GainMapMeta, Options, Rendition, gainmap

META = GainMapMeta((0.0, -0.2, 0.1), (2.0, 2.5, 1.5), (1.0, 1.2, 0.8), (1 / 64, 1 / 32, 1 / 64), (1 / 64,) * 3, 2.5)


def rendition(height=480, width=640, meta=META, space="srgb"):
    y, x = np.mgrid[:height, :width]
    sdr = np.stack([40 + 180 * x / width, 60 + 150 * y / height, 200 - 120 * x / width], -1).astype(np.uint8)
    v, h = np.mgrid[: -(-height // 2), : -(-width // 2)]
    gain = np.stack([v * 255 / v.max(), h * 255 / h.max(), 255 - v * 200 / v.max()], -1).astype(np.uint8)
    return Rendition(sdr, space, gain, meta, recipe="[tone]\nstrength = 0.5\n")


def linear(code):
    x = code / 255
    return np.where(x > 0.04045, ((x + 0.055) / 1.055) ** 2.4, x / 12.92)


def hdr(r):
    """Linear light from the formula in GainMapMeta's docstring, full boost, at the pixels 1:-1 of the block grid."""
    m = r.meta
    g = np.asarray(Image.fromarray(r.gain).resize(r.sdr.shape[1::-1], Image.Resampling.BILINEAR)) / 255
    low, high, gamma = (np.array(v) for v in (m.gain_min, m.gain_max, m.gamma))
    return (linear(r.sdr) + m.offset_sdr) * 2 ** (low + (high - low) * g ** (1 / gamma)) - m.offset_hdr


def test_libultrahdr_shows_what_the_formula_says(tmp_path):
    r = rendition()
    export.write(tmp_path / "a.jpg", r, Options(quality=97, subsampling="444"))
    seen = imagecodecs.ultrahdr_decode((tmp_path / "a.jpg").read_bytes(), boost=16.0)[..., :3].astype(float)
    expected = hdr(r)
    ratio = np.abs(seen / seen.mean() * expected.mean() / expected - 1)[8:-8, 8:-8]
    assert np.median(ratio) < 0.02
    assert np.percentile(ratio, 99) < 0.1
    # libultrahdr gives 1.0 for SDR white, as we do.
    assert seen.mean() == pytest.approx(expected.mean(), rel=0.03)


def test_boost_of_one_is_the_base(tmp_path):
    r = rendition()
    export.write(tmp_path / "a.jpg", r, Options(quality=97, subsampling="444"))
    seen = imagecodecs.ultrahdr_decode((tmp_path / "a.jpg").read_bytes(), boost=1.0)[..., :3].astype(float)
    assert np.median(np.abs(seen / linear(r.sdr) - 1)) < 0.03


def test_oiio_sees_hdr(tmp_path):
    export.write(tmp_path / "a.jpg", rendition())
    file = OpenImageIO.ImageInput.open(str(tmp_path / "a.jpg"))
    assert str(file.spec().format) == "half"
    assert file.read_image("float")[..., :3].max() > 2
    file.close()


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (479, 641)])
def test_odd_sizes(tmp_path, size):
    y, x = -(-size[0] // 2), -(-size[1] // 2)
    gain = np.full((y, x, 3), 128, np.uint8)
    export.write(tmp_path / "a.jpg", Rendition(np.full((*size, 3), 99, np.uint8), "p3", gain, META))
    with Image.open(tmp_path / "a.jpg") as file:
        assert file.size == size[::-1]
        file.load()
    data = (tmp_path / "a.jpg").read_bytes()
    at = data.index(b"MPF\0") + 4
    second = at + struct.unpack_from(">I", data, at + 50 + 16 + 8)[0]
    with Image.open(io.BytesIO(data[second:])) as file:
        assert file.size == (x, y)
        file.load()


def test_metadata_survives_beside_the_map(tmp_path):
    export.write(tmp_path / "a.jpg", rendition(space="p3"))
    with Image.open(tmp_path / "a.jpg") as file:
        assert file.getexif()[0x0112] == 1
        assert len(file.info["icc_profile"]) > 400
        assert b"GainMap" in file.info["xmp"]
    assert export.read_recipe(tmp_path / "a.jpg") == "[tone]\nstrength = 0.5\n"


def test_sdr_has_no_map(tmp_path):
    export.write(tmp_path / "a.jpg", rendition(), Options(hdr=False))
    data = (tmp_path / "a.jpg").read_bytes()
    assert b"MPF\0" not in data and b"hdrgm" not in data and gainmap.ISO not in data


def test_one_set_of_numbers_is_said_once():
    plain = GainMapMeta()
    assert len(gainmap.iso(plain)) == len(gainmap.ISO) + 5 + 16 + 40
    assert len(gainmap.iso(META)) == len(gainmap.ISO) + 5 + 16 + 3 * 40
    assert gainmap.iso(plain)[len(gainmap.ISO) + 4] == 0x40
    assert gainmap.iso(META)[len(gainmap.ISO) + 4] == 0xC0
    grey = np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8, 1), 3, 2)
    for meta, mode in ((plain, "L"), (META, "RGB")):
        with Image.open(io.BytesIO(gainmap.image(grey, meta))) as file:
            assert file.mode == mode


def test_xmp_fallback_carries_the_same_numbers():
    import xml.etree.ElementTree as ElementTree

    ns = "{http://ns.adobe.com/hdr-gain-map/1.0/}"
    node = ElementTree.fromstring(gainmap.hdrgm(META))[0][0]
    seq = [float(li.text) for li in node.find(f"{ns}GainMapMax")[0]]
    assert seq == pytest.approx(META.gain_max)
    assert float(node.get(f"{ns}HDRCapacityMax")) == META.headroom
    assert float(node.get(f"{ns}OffsetHDR")) == META.offset_hdr[0]
