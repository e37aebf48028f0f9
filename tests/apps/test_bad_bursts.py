"""Bad bursts through the command: a sensible picture of the reference, or one clear line; never a ghost."""

from __future__ import annotations

import json

import numpy as np
import pytest
from bench import sb1
from PIL import Image

from lichtbild import cfa as patterns
from lichtbild import types
from lichtbild.apps.cli.main import run


def light(seed=1, size=(336, 416)):
    """A table of things: edges, texture and colours."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    made = np.full((3, *size), 0.2)
    for _ in range(25):
        top, left, high, wide = rng.integers(0, size[0]), rng.integers(0, size[1]), *rng.integers(30, 120, 2)
        made[:, top : top + high, left : left + wide] = rng.uniform(0.05, 0.9, 3)[:, None, None]
    return (made * (1 + 0.15 * np.sin(x / 3.0) * np.sin(y / 4.0))).astype(np.float32)


def frames(count=4, seed=1, **more):
    return sb1.make(light(), count, seed=seed, disc=False, **{"shift_px": 3.0, **more})[0].frames


def developed(folder, capsys, *words):
    """Exit status, what was said, the facts and the picture of `develop` on a folder `burst`."""
    out = folder / "a.jpg"
    status = run(["develop", str(folder / "burst"), "--mode", "night", "-o", str(out), "--json", "--sdr", *words])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    facts = json.loads(said.out.splitlines()[0]) if said.out else {}
    return status, said.err, facts, np.asarray(Image.open(out)).astype(float) if out.exists() else None


def alone(folder, frame, capsys):
    """What the reference by itself becomes."""
    (folder / "one").mkdir()
    sb1.write([frame], folder / "one" / "burst", (0,))
    return developed(folder / "one", capsys)[3]


@pytest.mark.parametrize("odd", ["size", "mosaic"])
def test_a_frame_that_does_not_belong_is_left_out_and_told(tmp_path, capsys, odd):
    burst = frames()
    burst[2] = {
        "size": lambda: types.replace(burst[2], mosaic=np.ascontiguousarray(burst[2].mosaic[:-2])),
        "mosaic": lambda: types.replace(burst[2], cfa="GBRG"),
    }[odd]()
    sb1.write(burst, tmp_path / "burst", (0,) * 4)
    status, said, facts, picture = developed(tmp_path, capsys)
    assert status == 0 and f"2.dng is left out: another {odd}" in said and said.count("\n") == 1
    assert facts["chosen"]["merge"]["frames"] == 3 and picture.shape == (*burst[0].shape, 3)


def test_another_camera_begins_another_burst(tmp_path, capsys):
    burst = frames()
    burst[3] = types.replace(burst[3], model="another")
    sb1.write(burst, tmp_path / "burst", (0,) * 4)
    status, said, _, _ = developed(tmp_path, capsys)
    assert status == 2 and said.count("\n") <= 2 and "a.jpg" in said
    assert run(["develop", str(tmp_path / "burst"), "--mode", "night", "-o", str(tmp_path / "{stem}.jpg")]) == 0
    assert sorted(p.name for p in tmp_path.glob("*.jpg")) == ["0.jpg", "3.jpg"]


def test_of_two_scenes_there_is_one(tmp_path, capsys):
    """Three frames of another scene follow the first."""
    burst = frames(1) + sb1.make(light(9), 3, seed=5, disc=False)[0].frames
    sb1.write(burst, tmp_path / "burst", (0,) * 4)
    status, _, facts, picture = developed(tmp_path, capsys)
    chosen = facts["chosen"]["merge"]
    reference = burst[int(chosen["reference"][0])]
    assert status == 0 and (min(chosen["believed"]) < 0.1 or chosen["reference"] == "0.dng")
    assert np.abs(picture - alone(tmp_path, reference, capsys)).mean() < 8


@pytest.mark.parametrize(("level", "low", "high"), [(0, 0, 20), (sb1.BLACK, 0, 20), (sb1.WHITE, 180, 255)])
def test_nothing_but_black_or_clipped_frames(tmp_path, capsys, level, low, high):
    """At black with its noise, as behind a lens cap; black and white beyond what the sensor can say have none."""
    rng, burst = np.random.default_rng(3), frames()
    noise = (level == sb1.BLACK) * sb1.NOISE.offset[0] ** 0.5 * (sb1.WHITE - sb1.BLACK)
    for k, f in enumerate(burst):
        numbers = np.rint(level + noise * rng.standard_normal(f.shape)).clip(0, sb1.WHITE)
        burst[k] = types.replace(f, mosaic=numbers.astype(np.uint16))
    sb1.write(burst, tmp_path / "burst", (0,) * 4)
    status, _, _, picture = developed(tmp_path, capsys)
    centre = picture[60:-60, 80:-80]  # looks let the corners fall off
    assert status == 0 and low <= centre.mean() <= high and np.ptp(centre.mean((0, 1))) < 3


def test_a_burst_of_one_is_that_frame(tmp_path, capsys):
    sb1.write(frames(1), tmp_path / "burst", (0,))
    status, said, facts, picture = developed(tmp_path, capsys)
    assert status == 0 and not said and "merge" not in facts["chosen"] and picture.std() > 10


def test_one_corrupt_frame_among_good_ones(tmp_path, capsys):
    sb1.write(frames(), tmp_path / "burst", (0,) * 4)
    path = tmp_path / "burst/2.dng"
    path.write_bytes(path.read_bytes()[:3000])
    status, said, facts, _ = developed(tmp_path, capsys)
    assert status == 0 and "2.dng" in said and "left out" in said and said.count("\n") == 1
    assert facts["chosen"]["merge"]["frames"] == 3


def test_thirty_frames_with_huge_motion(tmp_path, capsys):
    """Up to a third of the picture and 2 degrees from one to the next: the reference's picture, with less noise."""
    burst = frames(30, shift_px=60.0, turn_deg=1.0)
    sb1.write(burst, tmp_path / "burst", (0,) * 30)
    status, _, facts, picture = developed(tmp_path, capsys)
    assert status == 0 and len(facts["chosen"]["merge"]["believed"]) == 29
    reference = burst[int(facts["chosen"]["merge"]["reference"].split(".")[0])]
    assert np.abs(picture - alone(tmp_path, reference, capsys)).mean() < 8


def test_a_quad_burst_with_an_odd_frame(tmp_path, capsys):
    burst = frames(4, cfa=patterns.word(np.kron([[0, 1], [1, 2]], np.ones((2, 2), int))))
    burst[1] = types.replace(burst[1], cfa="RGGB")
    sb1.write(burst, tmp_path / "burst", (0,) * 4)
    status, said, _, picture = developed(tmp_path, capsys)
    assert status == 0 and "1.dng is left out: another mosaic" in said
    assert picture.shape == (burst[0].shape[0] // 2, burst[0].shape[1] // 2, 3)
