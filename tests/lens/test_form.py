"""Forming the image: kernels equal twins, light lands where and as bright and as sharp as the lens says."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from lichtbild import kernels, lens, sensor
from lichtbild.lab import edge
from lichtbild.lens import Plane, form, polynomials, stray
from lichtbild.lens.plane import bent_in
from lichtbild.lens.spec import Distortion, Glare, Lateral, LensError, Shading
from lichtbild.lens.spread import psf
from lichtbild.lens.tables import prepare
from lichtbild.lens.twin import twin
from lichtbild.simulate.camera import lens_for


def bare(name: str, **changes: object) -> lens.Lens:
    """A lens that only blurs."""
    nothing = {"distortion": Distortion(), "lateral": Lateral(), "shading": Shading(0.0), "glare": Glare()}
    return dataclasses.replace(lens.load(name), **{**nothing, **changes})


def smooth(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(3, height, width) float32: noise of grains four pixels wide, 0..100."""
    coarse = rng.uniform(0, 100, (3, height // 4 + 3, width // 4 + 3)).repeat(4, 1).repeat(4, 2)
    for axis in (1, 2):
        coarse = sum(np.roll(coarse, k, axis) for k in range(4)) / 4
    return coarse[:, 4 : 4 + height, 4 : 4 + width].astype(np.float32)


@pytest.mark.parametrize(
    ("name", "size"),
    [("ideal", (1, 1)), ("ideal", (5, 7)), ("phone-main", (1, 1)), ("phone-wide", (5, 7)), ("phone-main", (479, 641)),
     ("phone-wide", (479, 641))],
)  # fmt: skip
def test_kernel_equals_twin(name, size, rng):
    glass = lens.load(name)
    plane = Plane(*size, min(6.0, 0.97 * glass.image_mm / math.hypot(*size) * 1e3), (0.25, -0.5))
    m = lens.reach(glass, plane)
    light = smooth(rng, size[0] + 2 * m, size[1] + 2 * m)
    tables = prepare(glass, plane)
    expected = twin(light, tables, plane, *form.glow(light, glass, plane, tables))
    off = np.abs(lens.apply(light, glass, plane) - expected)
    # Where a place lies within float32 of a whole pixel, both may take another six neighbours: rare, and harmless.
    assert np.quantile(off, 0.999) < 1e-4 and off.max() < 0.2


def test_the_wide_lens_bends_too_much_for_shared_bases():
    glass = lens.load("phone-wide")
    assert not prepare(glass, Plane(479, 641, 6.0)).dense
    assert prepare(lens.load("phone-main"), Plane(479, 641, 6.0)).dense


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (97, 131)])
def test_skirt_kernels_equal_twins(size, rng):
    light = smooth(rng, *size)
    small = stray.reduced(light)
    np.testing.assert_allclose(small, stray.reduced_twin(light), rtol=1e-5)
    u, v = rng.uniform(-20, 150, (2, 3, 13, 11)).astype(np.float32)
    np.testing.assert_allclose(stray.at_nodes(small, u, v), stray.at_nodes_twin(small, u, v), rtol=1e-5)


def test_threads_views_and_given_arrays_change_nothing(rng):
    glass, plane = lens.load("phone-main"), Plane(150, 600, 12.0)
    m = lens.reach(glass, plane)
    light = smooth(rng, 150 + 2 * m, 600 + 2 * m)
    expected = lens.apply(light, glass, plane)
    wide = np.zeros((3, light.shape[1] + 4, light.shape[2] + 9), np.float32)
    wide[:, 2:-2, 3:-6] = light
    out = np.empty_like(expected)
    try:
        kernels.set_threads(1)
        assert lens.apply(wide[:, 2:-2, 3:-6], glass, plane, out) is out
    finally:
        kernels.set_threads(0)
    np.testing.assert_array_equal(out, expected)


def test_an_even_scene_becomes_the_shading(rng):
    glass, plane = lens.load("phone-main"), Plane(480, 640, 20.0)
    m = lens.reach(glass, plane)
    found = lens.apply(np.full((3, 480 + 2 * m, 640 + 2 * m), 100, np.float32), glass, plane)
    x, y = np.arange(640), np.arange(480)[:, None]
    lux = np.stack([lens.shading(glass, plane, c, x, y) for c in range(3)]) * glass.illuminance(100.0)
    veil = glass.glare.veil
    expected = (1 - veil) * lux + veil * lux.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=1.5e-3)  # linear between nodes 16 px apart, on a frame this small


@pytest.mark.parametrize("name", ["phone-main", "phone-wide"])
def test_every_colour_lands_where_the_lens_says(name):
    """Soft spots over the field; their centroids are right to 0.01 px."""
    glass = bare(name, distortion=lens.load(name).distortion, lateral=lens.load(name).lateral)
    plane = Plane(600, 800, 0.97 * glass.image_mm / 1000 * 1e3)
    m = lens.reach(glass, plane)
    y, x = np.mgrid[-m : 600 + m, -m : 800 + m].astype(np.float64)
    places = [(u + 0.3, v + 0.6) for u in range(60, 800, 170) for v in range(50, 600, 125)]
    light = sum(np.exp(-((x - u) ** 2 + (y - v) ** 2) / 12.5) for u, v in places)
    found = lens.apply(np.stack([light] * 3).astype(np.float32), glass, plane)
    for u, v in places:
        for c in range(3):
            cx, cy = (float(a) for a in lens.image(glass, plane, c, u, v))
            i, j = round(cx), round(cy)
            spot = found[c, j - 14 : j + 15, i - 14 : i + 15].astype(np.float64)
            rows, columns = np.mgrid[j - 14 : j + 15, i - 14 : i + 15]
            centre = (spot * columns).sum() / spot.sum(), (spot * rows).sum() / spot.sum()
            # A lens that bends also stretches: the centroid of a stretched spot moves by a fraction of that.
            assert centre == pytest.approx((cx, cy), abs=0.01 if name == "phone-main" else 0.04)


@pytest.mark.parametrize(
    ("frequency", "most"), [(0.0, 1e-6), (0.05, 0.001), (0.1, 0.001), (0.2, 0.005), (0.3, 0.035), (0.35, 0.02)]
)
def test_values_between_pixels(frequency, most):
    """How far a wave is off at its worst place, also where the polynomials are stretched a little beyond theirs."""
    place = np.linspace(-0.3, 1.3, 81)
    found = sum(w * np.exp(2j * np.pi * frequency * (k - 3 - place)) for k, w in enumerate(polynomials.weights(place)))
    assert np.abs(found - 1).max() < most


def pairs() -> list[tuple[str, float]]:
    """Every sensor mode's pixels behind the lens that the simulator takes for it."""
    chips = [sensor.load(name, mode) for name in sensor.names() for mode in sensor.load(name).modes]
    found = dict.fromkeys((lens_for(chip).name, chip.pitch_um) for chip in chips)
    quick = {("phone-main", 3.2), ("phone-half", 0.8)}
    return [p if p in quick else pytest.param(*p, marks=pytest.mark.slow) for p in found]


@pytest.mark.parametrize(("name", "pitch_um"), pairs())
@pytest.mark.parametrize("angle", [5.0, 95.0])
def test_slanted_edge_against_the_closed_form_to_nyquist(name, pitch_um, angle):
    """Scene drawn twice as fine where the lens is sharp, through the kernels, pixels summed: MTF right to 0.002."""
    glass = bare(name)
    soft = float(glass.spread.otf(1, 0.0, 0.0, np.array(500 / pitch_um), np.array(0.0))) < 0.02
    error, _ = edge_error(glass, pitch_um, 1 if soft else 2, angle)
    assert np.abs(error).max() < 0.002


@pytest.mark.parametrize(
    ("name", "pitch_um", "to_045", "to_nyquist"),
    [("phone-main", 1.6, 0.0025, 0.025), ("ideal", 1.6, 0.013, 0.035), ("phone-main", 3.2, 0.03, 0.06)],
)
def test_slanted_edge_at_the_sensor_s_own_grid(name, pitch_um, to_045, to_nyquist):
    """What short kernels without negative weights cost, most where pixels are coarse and the lens sharp."""
    error, frequency = edge_error(bare(name), pitch_um, 0, 5.0)
    assert np.abs(error[frequency <= 0.45]).max() < to_045
    assert np.abs(error).max() < to_nyquist


def edge_error(glass, pitch_um, fine, angle, size=360):
    """Measured minus closed-form MTF in the middle of the field, with frequencies: diffraction, Gaussian, pixels.

    The spread changes over the field: what is measured is its mean along the edge. `fine`: 0 is the plain plane.
    """
    plane = Plane(size, size, pitch_um)
    plane, fine = (plane.finer(fine), fine) if fine else (plane, 1)
    m = lens.reach(glass, plane) + 40 * fine
    light = edge.slanted(plane.height + 2 * m, plane.width + 2 * m, angle, 0.0, 0.0, 1.0, 100.0).astype(np.float32)
    found = lens.summed(lens.apply(np.stack([light] * 3), glass, plane)[1], fine)
    measured = edge.measure(found, reach_px=size / 2 - 16)
    f = np.linspace(0.01, 0.5, 50)
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    along = np.linspace(-0.5, 0.5, 21) * size * pitch_um * 1e-3
    ways = [glass.spread.otf(1, -s * t, c * t, f * c / pitch_um * 1e3, f * s / pitch_um * 1e3) for t in along]
    return measured.mtf(f) - np.mean(ways, 0) * np.abs(np.sinc(f * c) * np.sinc(f * s)), f


def test_a_point_becomes_the_point_spread():
    """Against the exact spread, sampled: within 1.5 % of its peak at every pixel (a short kernel rings at Nyquist)."""
    glass, plane = bare("phone-main"), Plane(65, 65, 1.6)
    m = lens.reach(glass, plane) + 20
    light = np.zeros((3, 65 + 2 * m, 65 + 2 * m), np.float32)
    light[:, m + 32, m + 32] = 1
    found = lens.apply(light, glass, plane)[1] / glass.illuminance()
    exact = psf(glass.spread, 1, (0.0, 0.0), 1.6, 65, period=4)
    np.testing.assert_allclose(found, exact, atol=0.015 * exact.max())
    assert found.sum() == pytest.approx(exact.sum(), abs=0.005)


@pytest.mark.parametrize("name", ["ideal", "phone-main", "phone-wide"])
def test_lamps_dig_no_holes(name):
    """A square lamp a million times brighter than its surroundings: nothing near it is darker than they are."""
    glass, plane = bare(name, distortion=lens.load(name).distortion), Plane(240, 320, 3.2, (500.0, 300.0))
    m = lens.reach(glass, plane)
    light = np.full((3, 240 + 2 * m, 320 + 2 * m), 0.1, np.float32)
    light[:, m + 101 : m + 118, m + 140 : m + 163] = 1e5
    found = lens.apply(light, glass, plane) / glass.illuminance()
    assert found.min() >= 0.1 * (1 - 1e-4)
    assert found.max() < 1.3e5


def test_light_that_goes_astray_is_all_there():
    glare = Glare(veil=0.02, halo=0.03)
    glass, plane = bare("phone-main", glare=glare), Plane(1024, 1024, 3.2)
    m = lens.reach(glass, plane)
    light = np.zeros((3, 1024 + 2 * m, 1024 + 2 * m), np.float32)
    light[:, m + 512, m + 512] = 1e6
    found = lens.apply(light, glass, plane) / (glass.illuminance() * 1e6)
    np.testing.assert_allclose(found.sum((1, 2)), 1, atol=0.01)
    floor = 0.02 / 1024**2
    assert found[1, 0, 0] == pytest.approx(floor, rel=0.2)  # and the halo's last percent
    ring = [found[1, 512, 512 + r] for r in (8, 16, 32, 64, 128, 256)]
    assert np.all(np.diff(ring) < 0) and ring[0] > 100 * floor


def test_light_that_does_not_reach_far_enough_is_refused(rng):
    glass, plane = lens.load("phone-wide"), Plane(240, 320, 17.0)
    need = bent_in(glass, plane)
    with pytest.raises(LensError, match=rf"phone-wide.toml: distortion.k = .* maps outside the image: .* {need} px"):
        lens.apply(smooth(rng, 240 + 2 * need - 2, 320 + 2 * need - 2), glass, plane)
    with pytest.raises(LensError, match="cannot surround a frame of 320x240 px evenly"):
        lens.apply(smooth(rng, 241, 320), glass, plane)
    whole = smooth(rng, 240 + 60, 320 + 60)
    cut = np.ascontiguousarray(whole[:, 30 - need : 270 + need, 30 - need : 350 + need])
    inner = np.s_[:, 12:-12, 12:-12]
    few, enough = (lens.apply(light, glass, plane)[inner] for light in (cut, whole))
    np.testing.assert_allclose(few, enough, atol=0.006)  # what lies beyond is repeated: only skirts differ
