"""The kernel against its twin, to the last bit: everywhere, in any crop, with any number of threads."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import replay
import test_arm
from conftest import ROOT

from lichtbild import kernels, sensor
from lichtbild.sensor import exposure, filters
from lichtbild.types import F32, Exposure

SHOT = Exposure(iso=500, time_s=1 / 30, aperture=2.0)


def scene(shape: tuple[int, int], seed: int = 1) -> F32:
    """Light from nothing to beyond saturation."""
    light = np.random.default_rng(seed).random((3, *shape), np.float32)
    return np.asarray(light**6 * np.float32(400), np.float32)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (479, 641)])
@pytest.mark.parametrize("name", ["imx219", "phone-tele", "apsc-x-trans", "mono", "phone-1-inch", "phone-nona"])
def test_kernel_equals_twin(name: str, shape: tuple[int, int]) -> None:
    table = exposure.prepare(sensor.load(name), SHOT, shape, seed=7, frame=3, at=(11, 17))
    light = scene(shape)
    assert np.array_equal(exposure.apply(light, table), exposure.twin(light, table))


@pytest.mark.parametrize("level", ["avx512", "avx2", "baseline"])
def test_every_processor_gives_the_same(level: str) -> None:
    code = "import test_exposure; test_exposure.test_kernel_equals_twin('phone-tele', (479, 641))"
    env = {**os.environ, "LICHTBILD_LEVEL": level, "PYTHONPATH": f"{ROOT}/src:{ROOT}/tests:{ROOT}/tests/sensor"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("qemu-aarch64"), reason="qemu-aarch64 (package qemu-user) is not installed")
def test_aarch64_gives_the_same(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("halide")
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    program = test_arm.link(tmp_path, "sensor")
    for name in ("phone-tele", "apsc-x-trans"):
        with replay._listening() as calls:
            sensor.expose(scene((201, 333)), sensor.load(name), SHOT)
        assert np.array_equal(test_arm.emulate(program, calls[0])["output"], calls[0].after["output"].array())


def test_threads_do_not_matter() -> None:
    table = exposure.prepare(sensor.load("imx477"), SHOT, (300, 500))
    light = scene((300, 500))
    many = exposure.apply(light, table)
    kernels.set_threads(1)
    try:
        one = exposure.apply(light, table)
    finally:
        kernels.set_threads(0)
    assert np.array_equal(one, many)


def test_a_crop_is_the_same_pixels() -> None:
    s, light = sensor.load("phone-tele"), scene((120, 160))
    whole = sensor.expose(light, s, SHOT)
    crop = sensor.expose(np.ascontiguousarray(light[:, 33:97, 21:150]), s, SHOT, at=(33, 21))
    assert np.array_equal(crop, whole[33:97, 21:150])


def test_views_with_strides() -> None:
    s, light = sensor.load("imx708"), scene((64, 200))
    view = light[:, ::2, 10:110]
    assert np.array_equal(sensor.expose(view, s, SHOT), sensor.expose(np.ascontiguousarray(view), s, SHOT))


def test_frames_and_seeds_differ_but_not_the_specimen() -> None:
    s = sensor.load("imx219")
    dark = np.zeros((3, 200, 200), np.float32)
    a, b, c = (sensor.expose(dark, s, SHOT, seed, frame) for seed, frame in ((1, 0), (1, 1), (2, 0)))
    assert (a != b).mean() > 0.5 and (a != c).mean() > 0.5
    # The mean of many frames shows the same pattern for every seed.
    means = [np.mean([sensor.expose(dark, s, SHOT, seed, f) for f in range(40)], 0) for seed in (1, 2)]
    assert np.corrcoef(means[0].ravel(), means[1].ravel())[0, 1] > 0.5


def test_expected_is_the_mean() -> None:
    s = sensor.load("phone-1-inch")
    light = np.full((3, 512, 512), 3.0, np.float32) * np.float32([1.2, 1.0, 0.6])[:, None, None]
    mosaic, mean = sensor.expose(light, s, SHOT), sensor.expected(light, s, SHOT)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        plane, clean = mosaic[row::2, column::2], mean[row::2, column::2]
        assert np.ptp(clean) < 1e-3
        assert abs(plane.mean() - clean[0, 0]) < 5 * plane.std() / plane.size**0.5 + 0.1


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (479, 641)])
def test_expected_equals_its_closed_form(shape: tuple[int, int]) -> None:
    s, light = sensor.load("phone-nona", "full"), scene(shape)
    table = exposure.prepare(s, SHOT, shape)
    charge = np.minimum(exposure._charge(light, table), s.stage(500).full_well_e)
    made = np.minimum(s.black_dn + s.gain(500) * charge, s.white_dn)
    assert sensor.expected(light, s, SHOT) == pytest.approx(made, rel=1e-6)


def test_exposure_counts_photons() -> None:
    # 555 nm: 1 lux·s is 1/683 J/m², 4.0905e15 photons/m². By hand for a white of D65: see the spectra's own test.
    s = sensor.load("mono")
    light = np.full((3, 64, 64), 10.0, np.float32)
    shot = Exposure(iso=s.base_iso, time_s=0.01, aperture=2.0)
    lux_s = np.pi / 4 * 10 * 0.01 / 4
    per_lux_s = sensor.electrons(s, _d65())[0]
    got = (sensor.expected(light, s, shot)[0, 0] - s.black_dn) / s.gain(s.base_iso)
    assert got == pytest.approx(lux_s * per_lux_s, rel=1e-3)


def _d65() -> np.ndarray:
    from lichtbild import spectra

    return spectra.daylight(6504)


def test_focus_pixels_see_less() -> None:
    s = sensor.load("phone-tele")
    assert s.pdaf is not None
    mean = sensor.expected(np.full((3, 32, 32), 4.0, np.float32), s, SHOT)
    table = exposure.prepare(s, SHOT, (32, 32))
    assert (filters.classes(s) == filters.FOCUS).sum() == 2 and (table.classes == filters.FOCUS).sum() == 4
    flats = np.mean([sensor.expose(np.full((3, 32, 32), 4.0, np.float32), s, SHOT, 1, f) for f in range(50)], 0)
    green = mean[0, 0] - s.black_dn
    assert flats[5, 4] - s.black_dn == pytest.approx(s.pdaf.response * green, rel=0.1)


def test_patterns() -> None:
    x_trans = filters.PATTERNS["X-TRANS"]
    assert all(set(line) == {0, 1, 2} for line in [*x_trans, *x_trans.T]) and (x_trans == 1).sum() == 20
    assert filters.PATTERNS["QUAD-RGGB"].tolist() == [[0, 0, 1, 1]] * 2 + [[1, 1, 2, 2]] * 2
    assert filters.PATTERNS["NONA-GBRG"].shape == (6, 6) and len(filters.PATTERNS) == 14
