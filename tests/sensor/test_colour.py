"""Colour of the sensors: matrices against spectra, real cameras and an independent implementation."""

from __future__ import annotations

import csv
import json
import pathlib
import shutil

import numpy as np
import pytest
from conftest import SHARED, needs_shared

from lichtbild import sensor, spectra
from lichtbild.develop import colour as develop_colour
from lichtbild.develop import white as develop_white
from lichtbild.light import WHITE_D50, WHITE_D65, adapt, rgb_to_xyz, xyz
from lichtbild.sensor import colour
from lichtbild.sensor.file import DATA
from lichtbild.stage import find, params
from lichtbild.types import Exposure

COLOURED = [s for s in (sensor.load(n) for n in sensor.names()) if s.planes == 3]
A_XY = (0.44758, 0.40745)
LIGHTS = (spectra.planck(2855.5), spectra.daylight(6504))
DEFAULTS = {n: {k: p.default for k, p in params(find(n)).items()} for n in ("white", "colour")}
PI = ("imx219", "imx477", "imx708")


@pytest.mark.parametrize("s", COLOURED, ids=lambda s: s.name)
def test_white_is_exact(s: sensor.Sensor) -> None:
    for white, light in ((WHITE_D65, spectra.daylight(6504)), (A_XY, spectra.planck(2855.5))):
        seen = colour.from_xyz(s, white) @ xyz(white)
        assert seen == pytest.approx(sensor.electrons(s, light), rel=2e-3)
    for calibration in sensor.camera_colour(s).calibrations:
        assert calibration.forward_matrix is not None
        assert calibration.forward_matrix @ np.ones(3) == pytest.approx(xyz(WHITE_D50), abs=1e-5)


@pytest.mark.parametrize("white", [WHITE_D65, A_XY, (0.38, 0.377)])
def test_a_reader_gets_the_scene_back(white: tuple[float, float]) -> None:
    """Through matrices and neutral of the frame, by our reader's own model, Rec.2020 comes back, adapted to D65."""
    s = sensor.load("phone-1-inch")
    frame = sensor.frame(np.zeros((4, 4), np.uint16), s, Exposure(100, 0.01, 2.0), white)
    guesses: list[str] = []
    proxy = np.full((3, 8, 8), 0.2, np.float32)
    balance = develop_white.prepare(frame.colour, proxy, DEFAULTS["white"], guesses)
    table = develop_colour.prepare(frame.colour, balance, DEFAULTS["colour"])
    rgb = np.random.default_rng(1).random((50, 3))
    camera = rgb @ sensor.matrix(s, white).T
    camera /= (sensor.matrix(s, white) @ np.linalg.solve(rgb_to_xyz("rec2020"), xyz(white))).max()
    seen = camera.T[:, :, None].astype(np.float32) * np.array(balance.gains, np.float32)[:, None, None]
    made = develop_colour.apply(np.ascontiguousarray(seen), table)[:, :, 0].T
    expected = rgb @ rgb_to_xyz("rec2020").T @ adapt(white, WHITE_D65).T @ np.linalg.inv(rgb_to_xyz("rec2020")).T
    scale = (made * expected).sum() / (expected**2).sum()
    assert made / scale == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("s", COLOURED, ids=lambda s: s.name)
def test_forward_matrices_give_surfaces_their_colours(s: sensor.Sensor) -> None:
    # A sensor is no linear mix of cone responses; a few percent of white is what real cameras leave too.
    d50 = spectra.daylight(5003)
    for calibration, light in zip(sensor.camera_colour(s).calibrations, LIGHTS, strict=True):
        assert calibration.forward_matrix is not None
        surfaces = spectra.reflectances()[::3]
        camera = sensor.reflected(s, surfaces, light) / sensor.electrons(s, light)
        error = camera @ calibration.forward_matrix.T - spectra.xyz(surfaces * d50, d50)
        assert np.sqrt((error**2).mean(0)).max() < 0.06


def test_monochrome() -> None:
    s = sensor.load("mono")
    assert sensor.matrix(s).shape == (1, 3) and sensor.camera_colour(s).calibrations == ()
    with pytest.raises(sensor.SensorError, match="monochrome"):
        sensor.neutral(s)


@pytest.mark.parametrize("name", sensor.names())
def test_iso_is_about_the_saturation_speed(name: str) -> None:
    s = sensor.load(name)
    # Phones call ISO 100 what saturates later than the standard says: phone-1-2-inch has the maker's numbers.
    assert abs(np.log2(sensor.iso_speed(s) / s.base_iso)) < (1.7 if name == "phone-1-2-inch" else 0.4)


def test_lux_seconds() -> None:
    # 1000 cd/m² at f/2 for 1/100 s: π/4·1000·0.01/4.
    assert sensor.lux_s(Exposure(None, 0.01, 2.0)) * 1000 == pytest.approx(1.9635, rel=1e-4)
    with pytest.raises(sensor.SensorError, match="time and an aperture"):
        sensor.lux_s(Exposure(100, None, 2.0))


def test_photons_of_one_wavelength() -> None:
    line = np.where(spectra.NM == 555, 1.0, 0.0)
    # 1 lux·s at 555 nm, where the observer's ȳ is 1: 1/683 J/m², 555 nm·1/(h·c) photons per joule.
    assert spectra.photons(line).sum() == pytest.approx(4090.5, rel=1e-3)


def test_spectra_against_colour_science() -> None:
    reference = pytest.importorskip("colour")
    shape = reference.SpectralShape(380, 780, 5)
    cmfs = reference.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"].copy().align(shape)
    assert pytest.approx(cmfs.values, abs=2e-6) == spectra.observer().T
    for name, made in (("D65", spectra.daylight(6504)), ("A", spectra.planck(2855.5) * 100)):
        known = reference.SDS_ILLUMINANTS[name].copy().align(shape).values
        assert made * (100 / made[36]) == pytest.approx(known, rel=3e-3)
    assert spectra.cct((0.3127, 0.3290)) == pytest.approx(6504, abs=5)
    with pytest.raises(ValueError, match="daylight"):
        spectra.daylight(3000)


@needs_shared
@pytest.mark.parametrize("name", PI)
def test_neutrals_as_the_tuning_measured_them(name: str) -> None:
    """R/G and B/G of grey under daylight and tungsten lie where the maker's white-balance curve has them."""
    tuning = json.loads((SHARED / "colour" / "rpi_tuning" / f"{name}.json").read_text())
    curve = next(a["rpi.awb"]["ct_curve"] for a in tuning["algorithms"] if "rpi.awb" in a)
    cct, red, blue = np.array(curve).reshape(-1, 3).T
    s = sensor.load(name)
    for kelvin, light in ((2856, spectra.planck(2855.5)), (5500, spectra.daylight(5500))):
        r, g, b = sensor.electrons(s, light)
        assert abs(np.log2(r / g / np.interp(kelvin, cct, red))) < 0.25
        assert abs(np.log2(b / g / np.interp(kelvin, cct, blue))) < 0.25


@needs_shared
def test_curves_of_the_imx219() -> None:
    with (SHARED / "colour" / "raspicam_IMX219.csv").open() as file:
        rows = [[float(v) for v in row] for row in csv.reader(file) if row and row[0][:1].isdigit()]
    nm, *measured = np.array(rows).T
    s = sensor.load("imx219")
    inside = (spectra.NM >= 430) & (spectra.NM <= 630)  # the infrared filter before it takes the rest
    for made, known in zip(s.efficiency, measured, strict=True):
        target = np.interp(spectra.NM, nm, known)[inside]
        scale = (made[inside] @ target) / (target @ target)
        assert np.sqrt(((made[inside] - scale * target) ** 2).mean()) < 0.05 * made.max()


@needs_shared
def test_measured_curves(tmp_path: pathlib.Path) -> None:
    """The spectral path with measured curves: a file that names them sees greys as the bells fitted to them do."""
    text = (DATA / "imx219.toml").read_text("utf-8")
    head = text[: text.index("[colour]")]
    table = '[colour]\ncurves = "measured.csv"\nwindow_nm = [410, 5, 652, 7]\nscale = [0.00498, 0.006, 0.00684]\n'
    (tmp_path / "mine.toml").write_text(head + table, "utf-8")
    shutil.copy(SHARED / "colour" / "raspicam_IMX219.csv", tmp_path / "measured.csv")
    mine, bells = sensor.load(tmp_path / "mine.toml"), sensor.load("imx219")
    for light in (spectra.daylight(5500), spectra.planck(2855.5)):
        assert sensor.electrons(mine, light) == pytest.approx(sensor.electrons(bells, light), rel=0.03)
