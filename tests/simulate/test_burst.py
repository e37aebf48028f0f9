"""A whole burst: the same bytes again, files that others read, and nothing left behind by an error."""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import subprocess
import tomllib
from typing import Any

import numpy as np
import pytest
import rawpy
import tifffile

import lichtbild
from lichtbild import kernels, scene, sensor
from lichtbild.lens import LensError
from lichtbild.scene import SceneError
from lichtbild.sensor import SensorError
from lichtbild.simulate import SimulateError, cache, folder, meter, plan, simulate, write

SMALL: dict[str, Any] = {"width": 96, "height": 64, "frames": 2, "cache": "off"}


def files(home: pathlib.Path) -> dict[str, str]:
    """Every file below a folder and the hash of its bytes."""
    found = sorted(p for p in home.rglob("*") if p.is_file())
    return {str(p.relative_to(home)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


@pytest.fixture
def burst(tmp_path: pathlib.Path) -> pathlib.Path:
    write(plan({"name": "lake", "lux": 3.0}, "off", width=96, height=64, frames=3, seed=5), tmp_path / "burst")
    return tmp_path / "burst"


def test_same_seed_same_bytes_on_any_number_of_threads(burst: pathlib.Path) -> None:
    again = burst.parent / "again"
    kernels.set_threads(1)
    try:
        write(plan({"name": "lake", "lux": 3.0}, "off", width=96, height=64, frames=3, seed=5), again)
    finally:
        kernels.set_threads(0)
    assert files(burst) == files(again)
    assert {p.name for p in burst.parent.iterdir()} == {"burst", "again"}
    other, _ = simulate("lake", seed=6, **SMALL)
    assert not np.array_equal(other.frames[0].mosaic, lichtbild.open(burst / "00.dng").reference.mosaic)


def test_a_folder_holds_what_a_camera_writes_and_the_truth(burst: pathlib.Path) -> None:
    shot = lichtbild.open(burst)
    assert [f.path.name for f in shot.frames] == ["00.dng", "01.dng", "02.dng"]
    kept, truth = simulate({"name": "lake", "lux": 3.0}, **SMALL | {"frames": 3, "seed": 5})
    facts = tomllib.loads((burst / "truth" / "shot.toml").read_text("utf-8"))
    for frame, memory, told in zip(shot.frames, kept.frames, facts["frame"], strict=True):
        assert np.array_equal(frame.opened().mosaic, memory.mosaic)
        assert frame.noise is not None and memory.noise is not None
        assert np.allclose(frame.noise.scale, memory.noise.scale) and len(frame.colour.calibrations) == 2
        assert frame.exposure.time_s == pytest.approx(told["exposure_s"], rel=1e-3)
        assert len(frame.gain_maps) == 4 and frame.colour.as_shot_neutral is not None
    home = burst / "truth"
    assert np.array_equal(tifffile.imread(home / "rgb.tif"), truth.rgb)
    assert np.allclose(tifffile.imread(home / "flow-02.tif"), truth.flow(2), atol=6e-4)
    assert np.array_equal(tifffile.imread(home / "hidden-02.tif") > 0, truth.hidden(2))
    assert np.array_equal(tifffile.imread(home / "owner-01.tif"), truth.owner[1])
    assert np.array_equal(tifffile.imread(home / "mosaic.tif"), truth.mosaic)
    assert np.array_equal(tifffile.imread(home / "depth.tif"), truth.extra["depth_m"])
    assert np.load(home / "maps.npy").shape == (3, 1, 64, 3, 3)
    assert facts["camera"]["sensor"] == "phone-1-inch" and facts["shot"]["seed"] == 5


def test_libraw_reads_the_numbers_bit_for_bit(burst: pathlib.Path) -> None:
    with rawpy.imread(str(burst / "01.dng")) as raw:
        mine = lichtbild.open(burst / "01.dng").reference
        assert mine.mosaic is not None
        assert np.array_equal(raw.raw_image, mine.mosaic)
        assert raw.black_level_per_channel[0] == mine.black[0, 0, 0] and raw.white_level == mine.white[0]


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not on this machine")
def test_exiftool_has_nothing_to_say(burst: pathlib.Path) -> None:
    said = subprocess.run(["exiftool", "-validate", "-warning", "-a", "-SubSecDateTimeOriginal", burst / "02.dng"],
                          capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert "OK" in said and "Warning" not in said and "2026:01:01 12:00:00." in said


def test_truth_is_the_mean_of_many_noisy_frames() -> None:
    still = SMALL | {"shake": 0.0, "lens": "ideal", "exposure_s": 0.02, "iso": 400, "frames": 40}
    shot, truth = simulate({"name": "lake", "lux": 200.0}, **still)
    stack = np.stack([np.asarray(f.mosaic, np.float64) for f in shot.frames])
    clean = truth.mosaic
    assert clean is not None and shot.reference.bad_pixels is None
    clear = (clean < 0.9 * shot.reference.white[0]) & (clean > 1200)
    # Besides temporal noise the frames share PRNU (0.3 %) and DSNU (0.8 electrons, 2.2 DN), which truth has not.
    expected = np.sqrt(stack.var(0) / 40 + (0.003 * (clean - 1024)) ** 2 + 2.2**2)
    off = ((stack.mean(0) - clean) / expected)[clear]
    assert clear.sum() > 3000 and abs(off.mean()) < 5 / np.sqrt(off.size) and 0.8 < off.std() < 1.2


def test_brackets_take_turns_by_time() -> None:
    shot, _ = simulate("lake", **SMALL | {"frames": 4}, bracket_ev=(0, -3), exposure_s=0.016, iso=100)
    assert [f.exposure.time_s for f in shot.frames] == [0.016, 0.002, 0.016, 0.002]
    light = [float(np.mean(f.mosaic) - f.black[0, 0, 0]) for f in shot.frames if f.mosaic is not None]
    assert light[1] / light[0] < 0.2
    assert plan("lake", "off", width=32, height=32, bracket_ev="0,-2,-4").settings.frames == 3


def test_meter_keeps_lights_and_program_is_monotone() -> None:
    grey = np.full((3, 50, 50), 100.0, np.float32)
    assert meter.wanted(grey) * 100 == pytest.approx(meter.KEY)
    lamps = grey.copy()
    lamps[:, :10] = 1e4  # a fifth of the picture
    assert meter.wanted(lamps) * 1e4 <= 1
    last = (0.0, 0.0)
    for product in np.geomspace(1e-3, 1e4, 60):
        time_s, iso = meter.share(float(product), 50, 12800)
        assert time_s >= last[0] and iso >= last[1] and 50 <= iso <= 12800
        if 1 < product < 500:
            assert time_s * iso == pytest.approx(product)
        last = (time_s, iso)


def test_a_cached_scene_is_the_drawn_one(tmp_path: pathlib.Path) -> None:
    spec, size = {"name": "street"}, (48, 64)
    drawn = cache.render(spec, size, 1, 8, tmp_path)
    found = cache.render(spec, size, 1, 8, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert isinstance(found.layers[0].light, np.memmap) and len(found.layers) == len(drawn.layers) > 1
    for a, b in zip(drawn.layers, found.layers, strict=True):
        assert np.array_equal(a.light, b.light) and (a.motion, a.name, a.top, a.left) == (
            b.motion,
            b.name,
            b.top,
            b.left,
        )
        assert (a.alpha is None) == (b.alpha is None)
    (next(tmp_path.iterdir()) / "scene.json").write_text("{")
    assert np.array_equal(cache.render(spec, size, 1, 8, tmp_path).layers[0].light, drawn.layers[0].light)


@pytest.mark.parametrize("name", [n for n in sensor.names() if sensor.load(n).cfa != "X-TRANS"])
def test_every_sensor_that_a_raw_file_can_hold_takes_a_burst(name: str) -> None:
    shot, truth = simulate("lake", **SMALL | {"frames": 1}, sensor=name)
    assert shot.reference.shape == (64, 96) and truth.rgb.shape == (3, 64, 96)
    assert 0.01 < float(np.mean(truth.rgb)) < 1


@pytest.mark.parametrize(
    ("toml", "error", "said"),
    [
        ('[scene]\nname = "lake"\nlax = 3', SceneError, "did you mean 'lux'"),
        ('[scene]\nname = "leke"', SceneError, "did you mean 'lake'"),
        ('[scene]\nname = "lake"\n[shot]\nframs = 3', SimulateError, "did you mean 'frames'"),
        ('[scene]\nname = "lake"\n[shit]\n', SimulateError, "did you mean 'shot'"),
        ('[scene]\nname = "lake"\n[shot]\nframes = 0', SimulateError, "1..200"),
        ('[scene]\nname = "lake"\n[shot]\nwidth = 64', SimulateError, "width and height"),
        ('[scene]\nname = "lake"\n[shot]\nwidth = 64\nheight = 1', SimulateError, "at least 2 px"),
        ('[scene]\nname = "lake"\n[shot]\nbracket_ev = "0;3"', SimulateError, "bracket_ev"),
        ('[scene]\nname = "lake"\n[shot]\nsensor = "phone"', SensorError, "phone"),
        ('[scene]\nname = "lake"\n[shot]\nlens = "fone-main"', LensError, "phone-main"),
        ('[scene]\nname = "lake"\n[shot]\nlens = "none.toml"', LensError, "none.toml"),
        ('[scene]\nname = "lake"\n[shot]\niso = 3', SensorError, "ISO 3"),
        ('[scene]\nname = "lake"\n[shot]\nwidth = 9000\nheight = 20', SimulateError, "4096x3072"),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_nothing(
    tmp_path: pathlib.Path, toml: str, error: type[Exception], said: str
) -> None:
    path = tmp_path / "scene.toml"
    path.write_text(toml)
    small = {"width": 40, "height": 30} if "width" not in toml else {}
    with pytest.raises(error, match=said) as caught:
        write(plan(path, "off", **small), tmp_path / "burst")
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["scene.toml"]


def test_light_that_cannot_be_is_refused() -> None:
    size = (24, 32)
    light = np.ones((3, size[0] + 200, size[1] + 200), np.float32)
    light[0, 3, 3] = -1
    bad = scene.Scene("odd", (scene.Layer("wall", light, np.ones((1, 1), np.float32)),), 100,
                      np.ones((3, 1, 1), np.float32), 1.0)  # fmt: skip
    with pytest.raises(SceneError, match="'wall' holds negative light"):
        simulate(bad, frames=1, exposure_s=0.01, iso=100)


def test_an_error_midway_leaves_the_old_burst(burst: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(burst)
    made = plan("lake", "off", width=40, height=30, frames=2)
    with pytest.raises(SimulateError, match="--overwrite"):
        write(made, burst)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(folder, "tiff", full)
        with pytest.raises(SimulateError, match="No space left"):
            write(made, burst, overwrite=True)
    assert files(burst) == before and [p.name for p in burst.parent.iterdir()] == ["burst"]
    write(made, burst, overwrite=True, truth="none")
    assert sorted(p.name for p in burst.iterdir()) == ["00.dng", "01.dng"]
    assert [p.name for p in burst.parent.iterdir()] == ["burst"]


def test_other_peoples_folders_are_left_alone(tmp_path: pathlib.Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(SimulateError, match="other things"):
        write(plan("lake", "off", width=40, height=30, frames=1), tmp_path, overwrite=True)
