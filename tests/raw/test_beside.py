"""Metadata beside a DNG, and matrices that are placeholders: what small cameras leave out."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pytest
from raw.dngs import FLOAT, LONG, RATIONAL, SHORT, SRATIONAL, dng

from lichtbild import raw
from lichtbild.develop import colour, white
from lichtbild.light import rgb_to_xyz

CCM = [1.8, -0.6, -0.2, -0.4, 1.7, -0.3, -0.05, -0.55, 1.6]
SAID = {
    "ColourGains": [1.6, 2.0], "ColourCorrectionMatrix": CCM, "SensorBlackLevels": [4100, 4096, 4096, 4092],
    "ExposureTime": 1234567, "AnalogueGain": 2.5, "Lux": 40.0, "SensorTimestamp": 1,
}  # fmt: skip


def opened(folder: pathlib.Path, said: Any, **extra: Any) -> Any:
    path = folder / "IMG.dng"
    image = np.full((8, 10), 900, np.uint16)
    tags = {50717: (LONG, 4095), 50721: None, 50728: None} | {int(k[1:]): v for k, v in extra.items()}
    path.write_bytes(dng([image.tobytes()], image.shape, extra=tags))
    if said is not None:
        path.with_suffix(".json").write_text(said if isinstance(said, str) else json.dumps(said))
    return raw.open(path)


def test_what_the_dng_lacks_is_taken(tmp_path):
    frame = opened(tmp_path, SAID)
    np.testing.assert_allclose(frame.colour.as_shot_neutral, (1 / 1.6, 1, 1 / 2.0))
    np.testing.assert_allclose(frame.black[..., 0], np.array([[4100, 4096], [4096, 4092]]) / 16)
    assert (frame.exposure.time_s, frame.exposure.iso) == (pytest.approx(1.234567), 250)
    assert frame.facts["metadata beside it"] == "black, white, matrix, exposure"


def test_colours_come_out_as_the_camera_itself_made_them(tmp_path):
    found = opened(tmp_path, SAID).colour
    table = colour.prepare(found, white.prepare(found))
    to_srgb = np.linalg.inv(rgb_to_xyz("srgb")) @ rgb_to_xyz("rec2020") @ table.matrix
    np.testing.assert_allclose(to_srgb, np.reshape(CCM, (3, 3)), atol=2e-3)


def test_what_the_dng_says_itself_stays(tmp_path):
    frame = opened(
        tmp_path, SAID, t50714=(RATIONAL, [(200, 1)]), t50728=(RATIONAL, [(1, 2), (1, 1), (1, 3)]),
        t50721=(SRATIONAL, [(v, 10) for v in (10, -3, -1, -4, 12, 2, -1, 2, 6)]), t34855=(SHORT, 800),
    )  # fmt: skip
    assert frame.black.max() == 200 and frame.colour.as_shot_neutral == pytest.approx((0.5, 1, 1 / 3))
    assert frame.colour.calibrations[0].color_matrix[0, 1] == pytest.approx(-0.3)


def test_a_rounded_black_level_is_made_exact(tmp_path):
    frame = opened(tmp_path, SAID, t50714=(SHORT, 256))
    assert frame.black.ravel().tolist() == [256.25, 256, 256, 255.75]


@pytest.mark.parametrize("said", [None, "", "{", "[1]", "null", '{"a": 1}', "[" * 100_000])
def test_another_json_changes_nothing(tmp_path, said):
    frame = opened(tmp_path, said)
    assert frame.colour.as_shot_neutral is None and "metadata beside it" not in frame.facts


@pytest.mark.parametrize("key", [k for k in SAID if k[0] != "L" and k != "SensorTimestamp"])
@pytest.mark.parametrize("value", ["x", [], [0, 0], [-1, 1], float("nan"), [1e308] * 9, [[1]] * 9, None, True])
def test_absurd_values_are_left_out(tmp_path, key, value):
    frame = opened(tmp_path, SAID | {key: value})
    assert np.isfinite(frame.black).all() and (frame.exposure.time_s or 1) > 0
    assert frame.colour.as_shot_neutral is None or np.isfinite(frame.colour.as_shot_neutral).all()


def test_the_matrix_of_srgb_is_no_calibration(tmp_path):
    inverse = np.round(np.linalg.inv(rgb_to_xyz("srgb")), 3)
    frame = opened(tmp_path, None, t50721=(FLOAT, inverse.ravel().tolist()))
    assert not frame.colour.calibrations
    assert any("sRGB" in g for g in frame.guesses)
