"""What the sensor writes beside its numbers, read back by ourselves and by somebody else."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import pytest
import rawpy

from lichtbild import cfa, raw, sensor
from lichtbild.export import dng
from lichtbild.light import WHITE_D65, rgb_to_xyz, xyz
from lichtbild.types import Exposure

SHOT = Exposure(iso=200, time_s=1 / 100, aperture=2.0, focal_mm=4.5)
A_XY = (0.44758, 0.40745)


@pytest.mark.parametrize("name", ["phone-1-inch", "phone-1-2-inch", "imx708"])
@pytest.mark.parametrize("white", [WHITE_D65, A_XY])
def test_a_grey_card_is_neutral(tmp_path: pathlib.Path, name: str, white: tuple[float, float]) -> None:
    s = sensor.load(name)
    card = np.linalg.solve(rgb_to_xyz("rec2020"), xyz(white)).astype(np.float32)
    light = np.ones((3, 256, 512), np.float32) * card[:, None, None]
    # Half of saturation in the strongest channel.
    electrons = (sensor.matrix(s, white) @ card).max() * sensor.lux_s(SHOT)
    light *= np.float32(0.5 * s.saturation_e(200) / electrons)
    frame = sensor.frame(sensor.expose(light, s, SHOT, white=white), s, SHOT, white)
    path = tmp_path / "card.dng"
    dng.write_frame(path, frame)

    again = raw.open(path)
    assert again.mosaic is not None and np.array_equal(again.mosaic, frame.mosaic)
    assert (again.cfa, again.white, again.exposure.iso) == (frame.cfa, frame.white, 200)
    assert again.noise is not None and again.noise.scale == pytest.approx(s.noise(200).scale, rel=1e-5)
    assert again.bad_pixels is not None and frame.bad_pixels is not None
    assert np.array_equal(again.bad_pixels, frame.bad_pixels)

    with rawpy.imread(str(path)) as theirs:
        assert np.array_equal(theirs.raw_image, frame.mosaic)
        rgb = theirs.postprocess(use_camera_wb=True, output_bps=16, gamma=(1, 1), no_auto_bright=True, half_size=True)
    means = rgb.reshape(-1, 3).mean(0)
    assert means / means.mean() == pytest.approx(np.ones(3), abs=0.002)


def test_crops_and_monochrome() -> None:
    s = sensor.load("imx219")
    frame = sensor.frame(np.full((32, 32), 300, np.uint16), s, SHOT, at=(0, 1))
    assert frame.cfa == "GBRG" and frame.model == "virtual imx219" and frame.colour.as_shot_neutral is not None
    mono = sensor.load("mono")
    grey = sensor.frame(np.full((32, 32), 300, np.uint16), mono, Exposure(500, 0.01, 2.0))
    assert grey.cfa == "MONO" and grey.colour.as_shot_neutral is None


@pytest.mark.parametrize(
    ("name", "mode", "at"),
    [("phone-1-inch", "full", (0, 0)), ("phone-nona", "full", (1, 2)), ("apsc-x-trans", "full", (3, 4))],
)
def test_patterns_beyond_bayer_are_written_and_read(
    tmp_path: pathlib.Path, name: str, mode: str, at: tuple[int, int]
) -> None:
    s = dataclasses.replace(sensor.load(name, mode), dead_ppm=300)
    mosaic = np.random.default_rng(3).integers(s.black_dn, s.white_dn, (130, 520)).astype(np.uint16)
    frame = sensor.frame(mosaic, s, SHOT, at=at)
    dng.write_frame(tmp_path / "a.dng", frame)
    again = raw.open(tmp_path / "a.dng")
    assert again.mosaic is not None and np.array_equal(again.mosaic, mosaic) and again.cfa == frame.cfa
    assert frame.bad_pixels is not None and np.array_equal(again.bad_pixels, frame.bad_pixels)
    with rawpy.imread(str(tmp_path / "a.dng")) as theirs:
        assert np.array_equal(theirs.raw_image_visible, mosaic)
        if s.cfa == "X-TRANS":  # LibRaw knows no other pattern larger than 2x8
            seen = np.array(list(theirs.color_desc.decode().encode()))[theirs.raw_colors_visible]
            assert np.array_equal(seen, np.array(list(b"RGB"))[cfa.at(frame.cfa, mosaic.shape)])
