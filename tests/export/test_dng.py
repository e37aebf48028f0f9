"""DNG: bit for bit through our own and foreign readers, with right colours in foreign converters."""

import pathlib
import shutil
import struct
import subprocess

import numpy as np
import pytest
import rawpy
import tifffile
from PIL import Image

from lichtbild import types
from lichtbild.export import dng, opcodes

MATRIX = np.array([[0.7034, -0.0804, -0.1014], [-0.4420, 1.2564, 0.2058], [-0.0851, 0.1994, 0.5758]])


def frame(rng=None, size=(480, 640), cfa="RGGB", orientation=1):
    """A grey wedge under a warm light: flat patches whose colour is known, 14 bits over a black of 512."""
    height, width = size
    neutral = np.array([0.5, 1.0, 0.6])
    patches = np.linspace(0.05, 0.4, 6)[np.minimum(np.arange(width) * 6 // width, 5)]
    rgb = patches[None, :, None] * neutral * np.ones((height, 1, 1))
    y, x = np.mgrid[:height, :width]
    index = np.array([["RGB".index(c) for c in cfa[:2]], ["RGB".index(c) for c in cfa[2:]]])[y % 2, x % 2]
    mosaic = 512 + np.take_along_axis(rgb, index[..., None], 2)[..., 0] * 15000
    if rng is not None:
        mosaic = mosaic + rng.normal(0, 20, size)
    gains = np.linspace(1, 1.5, 12, dtype=np.float32).reshape(3, 4, 1)
    shading = types.GainMap(0, 0, height, width, 0, 1, 2, 2, (0.5, 1 / 3), (0.0, 0.0), gains)
    return types.Frame(
        path=pathlib.Path("a.dng"), cfa=cfa, mosaic=np.clip(mosaic, 0, 15512).astype(np.uint16), rgb=None,
        black=np.array([[512, 513], [514, 511.5]], np.float32)[..., None], white=(15512.0,),
        crop=(8, 6, height - 16, width - 12), orientation=orientation,
        colour=types.CameraColour(
            (types.Calibration(17, MATRIX), types.Calibration(21, MATRIX * 1.1, forward_matrix=np.eye(3) * 0.6)),
            as_shot_neutral=(0.5, 1.0, 0.6),
        ),
        noise=types.Noise((1e-4, 2e-4, 3e-4), (1e-7, 2e-7, 3e-7)), baseline_exposure_ev=-0.25,
        gain_maps=(shading,), bad_pixels=np.array([[3, 5], [7, 11]], np.int32),
        vignettes=(types.Vignette((0.1, 0, 0, 0, 0), (0.5, 0.5)),),
        warps=(types.Warp(np.array([[1.0, 0.01, 0, 0, 0, 0]]), (0.5, 0.5)),),
        make="Maker", model="Model", exposure=types.Exposure(400, 1 / 455, 1.8, 4.25, "2026-01-02T03:04:05"),
    )  # fmt: skip


def sos(data):
    """Components and predictor of every scan header of a lossless JPEG in a file."""
    found, at = set(), data.find(b"\xff\xc3")
    while at >= 0:
        scan = data.index(b"\xff\xda", at)
        components = data[scan + 4]
        found.add((components, data[scan + 5 + 2 * components]))
        at = data.find(b"\xff\xc3\x00", scan)
    return found


@pytest.mark.parametrize("cfa", types.BAYER)
@pytest.mark.parametrize("size", [(40, 36), (479, 641), (1040, 530)])
def test_mosaic_through_librw_and_tifffile(rng, tmp_path, cfa, size):
    f = types.replace(frame(rng, size, cfa), crop=None)
    dng.write_frame(tmp_path / "a.dng", f)
    with tifffile.TiffFile(tmp_path / "a.dng") as file:
        assert np.array_equal(file.pages[0].asarray(), f.mosaic)
    with rawpy.imread(str(tmp_path / "a.dng")) as raw:
        assert np.array_equal(raw.raw_image, f.mosaic)
        assert "".join("RGBG"[i] for i in raw.raw_pattern.ravel()) == cfa
        assert raw.white_level == 15512
        assert np.array(raw.camera_whitebalance)[[0, 2]] == pytest.approx([2, 1 / 0.6], rel=1e-4)
    assert sos((tmp_path / "a.dng").read_bytes()) == {(2, 1)}


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (16, 16)])
def test_tiny(tmp_path, size):
    f = types.replace(frame(None, (32, 32)), crop=None)
    f = types.replace(f, mosaic=np.ascontiguousarray(f.mosaic[: size[0], : size[1]]))
    dng.write_frame(tmp_path / "a.dng", f)
    assert np.array_equal(tifffile.imread(tmp_path / "a.dng"), f.mosaic)


def test_linear_integer_and_float(rng, tmp_path):
    like = frame()
    codes = rng.integers(0, 65535, (3, 300, 530)).astype(np.uint16)
    dng.write_linear(tmp_path / "a.dng", codes, like)
    assert np.array_equal(np.moveaxis(tifffile.imread(tmp_path / "a.dng"), -1, 0), codes)
    assert sos((tmp_path / "a.dng").read_bytes()) == {(3, 1)}
    light = rng.normal(0.5, 1, (3, 300, 530)).astype(np.float32)
    dng.write_linear(tmp_path / "b.dng", light, like)
    assert np.array_equal(np.moveaxis(tifffile.imread(tmp_path / "b.dng"), -1, 0), light)
    for name in "ab":
        with rawpy.imread(str(tmp_path / f"{name}.dng")) as raw:
            assert raw.postprocess(use_camera_wb=True).shape == (300, 530, 3)


def test_preview_comes_first(tmp_path, rng):
    f = types.replace(frame(rng), crop=None)
    dng.write_frame(tmp_path / "a.dng", f, preview=np.full((60, 80, 3), 128, np.uint8))
    with tifffile.TiffFile(tmp_path / "a.dng") as file:
        assert file.pages[0].asarray().shape == (60, 80, 3)
        assert np.array_equal(file.pages[0].pages[0].asarray(), f.mosaic)
    with rawpy.imread(str(tmp_path / "a.dng")) as raw:
        assert np.array_equal(raw.raw_image, f.mosaic)


def test_opcode_lists_are_as_long_as_they_say():
    f = frame()
    for make, codes in ((opcodes.before_linear, [5]), (opcodes.on_linear, [9]), (opcodes.after_demosaic, [3, 1])):
        data, at, seen = make(f), 4, []
        for _ in range(struct.unpack_from(">I", data)[0]):
            code, _, _, size = struct.unpack_from(">I4sII", data, at)
            seen.append(code)
            at += 16 + size
        assert seen == codes and at == len(data)


def test_our_reader_gets_the_frame_back(tmp_path, rng):
    raw = pytest.importorskip("lichtbild.raw")
    if not hasattr(raw, "open"):
        pytest.skip("the reader is not there yet")
    f = frame(rng, orientation=6)
    dng.write_frame(tmp_path / "a.dng", f)
    g = raw.open(tmp_path / "a.dng")
    assert np.array_equal(g.mosaic, f.mosaic)
    assert (g.cfa, g.orientation, g.crop, g.make, g.model) == (f.cfa, 6, f.crop, f.make, f.model)
    assert np.allclose(g.black.reshape(-1), f.black.reshape(-1)) and tuple(g.white) == f.white
    assert g.baseline_exposure_ev == -0.25
    assert g.noise.scale == f.noise.scale and g.noise.offset == f.noise.offset
    assert np.allclose(g.colour.as_shot_neutral, f.colour.as_shot_neutral)
    for ours, back in zip(f.colour.calibrations, g.colour.calibrations, strict=True):
        assert ours.illuminant == back.illuminant and np.allclose(ours.color_matrix, back.color_matrix, atol=1e-6)
    assert np.array_equal(g.gain_maps[0].gains, f.gain_maps[0].gains)
    assert g.vignettes == f.vignettes and np.array_equal(g.warps[0].coefficients, f.warps[0].coefficients)
    assert np.array_equal(g.bad_pixels, f.bad_pixels)
    assert g.exposure.time_s == pytest.approx(1 / 455) and g.exposure.iso == 400


def test_contradictions_are_refused(tmp_path):
    f = frame()
    with pytest.raises(ValueError, match="either"):
        dng.write_frame(tmp_path / "a.dng", types.replace(f, mosaic=None))
    with pytest.raises(ValueError, match="expected"):
        dng.write_cfa(tmp_path / "a.dng", f.mosaic[1:], f)
    with pytest.raises(ValueError, match="uint16 or float32"):
        dng.write_linear(tmp_path / "a.dng", np.zeros((3, 4, 4)), f)
    assert list(tmp_path.iterdir()) == []


def converter(path, out):
    """Command lines of the peers, each developing `path` into `out`."""
    home = out.parent / "darktable"
    dark = [
        "darktable-cli",
        str(path),
        str(out),
        "--core",
        "--configdir",
        str(home),
        "--disable-opencl",
        "--library",
        ":memory:",
    ]
    return {
        "darktable-cli": dark,
        "rawtherapee-cli": ["rawtherapee-cli", "-Y", "-o", str(out), "-d", "-j92", "-c", str(path)],
    }


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["darktable-cli", "rawtherapee-cli"])
@pytest.mark.parametrize("kind", ["cfa", "linear"])
def test_peers_see_grey_as_grey(tmp_path, rng, peer, kind):
    if shutil.which(peer) is None:
        pytest.skip(f"{peer} is not installed")
    f = types.replace(
        frame(rng), crop=None, vignettes=(), warps=(), gain_maps=(), bad_pixels=None, baseline_exposure_ev=0.0
    )
    path = tmp_path / "a.dng"
    if kind == "cfa":
        dng.write_frame(path, f)
    else:
        patches = np.linspace(0.05, 0.4, 6)[np.arange(640) * 6 // 640]
        rgb = np.array([0.5, 1.0, 0.6])[:, None, None] * patches * np.ones((3, 480, 1)) * 65535
        dng.write_linear(path, rgb.astype(np.uint16), f)
    subprocess.run(converter(path, tmp_path / "o.jpg")[peer], check=True, capture_output=True, timeout=300)
    with Image.open(tmp_path / "o.jpg") as file:
        seen = np.asarray(file).astype(float)
    centres = [seen[200:280, int((i + 0.3) * 640 / 6) : int((i + 0.7) * 640 / 6)].mean((0, 1)) for i in range(6)]
    assert np.ptp(centres, axis=1).max() < 6, f"not grey: {np.round(centres)}"
    assert (np.diff(np.mean(centres, axis=1)) > 3).all(), "brighter patches are brighter"
