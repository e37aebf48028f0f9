"""Sensor files: all that come with the house, and bad ones, each refused in one line that names file, key, remedy."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from lichtbild import sensor
from lichtbild.sensor.file import DATA, KEYS
from lichtbild.types import Exposure

GOOD = (DATA / "imx219.toml").read_text("utf-8")


def test_every_sensor_says_what_is_an_estimate() -> None:
    assert {"imx219", "imx477", "imx708", "phone-1-inch", "phone-1-2.55-inch", "phone-tele"} <= set(sensor.names())
    for name in sensor.names():
        text = (DATA / f"{name}.toml").read_text("utf-8").lower()
        assert "estimate" in text and sensor.load(name).doc
        for mode in sensor.load(name).modes:
            assert sensor.load(name, mode).mode == mode


def test_modes() -> None:
    binned, full = sensor.load("phone-1-inch"), sensor.load("phone-1-inch", "full")
    assert (binned.mode, binned.cfa, full.cfa) == ("binned", "RGGB", "QUAD-RGGB")
    assert binned.rows * 2 == full.rows and binned.pitch_um == 2 * full.pitch_um
    assert binned.stages[0].full_well_e == 4 * full.stages[0].full_well_e
    frame = sensor.frame(np.zeros((8, 8), np.uint16), binned, Exposure(100, 0.01, 2.0), at=(1, 0))
    assert frame.cfa == "GBRG" and frame.noise is not None and len(frame.colour.calibrations) == 2
    frame = sensor.frame(np.zeros((8, 8), np.uint16), full, Exposure(100, 0.01, 2.0), at=(1, 0))
    assert frame.cfa == "RRGG/GGBB/GGBB/RRGG"


@pytest.mark.parametrize("name", ["phone-1-inch", "phone-1-2-inch", "phone-nona"])
def test_binning_sums_charge(name: str) -> None:
    binned, full = sensor.load(name, "binned"), sensor.load(name, "full")
    n = round((binned.pitch_um / full.pitch_um) ** 2)
    assert binned.rows * binned.columns * n == full.rows * full.columns
    assert binned.stages[0].full_well_e == n * full.stages[0].full_well_e and binned.dark_e_s == n * full.dark_e_s
    assert binned.prnu == pytest.approx(full.prnu / n**0.5) and binned.dsnu_e == pytest.approx(full.dsnu_e * n**0.5)
    assert binned.dn_per_e == pytest.approx(full.dn_per_e / n, rel=1e-3)  # the same light, the same number
    assert sensor.matrix(binned) == pytest.approx(n * sensor.matrix(full), rel=1e-4)


BAD = [
    ("full_well_e = 4866\n", "", r"well.full_well_e is missing: write how many electrons a pixel holds, in e-"),
    ("full_well_e", "full_wel_e", r"unknown key 'well.full_wel_e': did you mean 'full_well_e'"),
    ("[adc]", "[acd]", r"unknown key 'acd': did you mean 'adc'"),
    ("rows = 2464", "rows = -3", r"array.rows: expected a whole number in 1..65536 px, got '-3'"),
    ("rows = 2464", 'rows = "many"', r"array.rows: expected a whole number"),
    ('cfa = "BGGR"', 'cfa = "RGBW"', r"array.cfa: expected one of"),
    ("black_dn = 64", "black_dn = 1023", r"expected black_dn below white_dn below 2\^bits"),
    ("max_iso = 600", "max_iso = 20", r"gain.max_iso: expected at least base_iso"),
    ("max_iso = 600", "max_iso = 60000", r"gain.max_iso: read noise of .* lower it"),
    ("read_e = 2.2", "read_e = nan", r"well.read_e: expected a number"),
    ("scale = [0.83, 1.0, 1.14]", "scale = [0.83, 1.0]", r"colour: expected bells of four numbers"),
    ("scale = [0.83, 1.0, 1.14]", "scale = [9, 1.0, 1]", r"colour: expected efficiencies in 0..1"),
    ("red = [[", "rod = [[", r"unknown key 'colour.rod': did you mean 'red'"),
    ("red = [[0.52, 591, 9, 96]", "red = [[0.52, 591, 9]", r"colour: expected bells"),
    ("[array]", "[array", r"not TOML in UTF-8"),
    ("[dark] # estimate", "[dark]\nhot = 1", r"unknown key 'dark.hot'"),
    ("[dark] # estimate", "[pdaf]\nperiod = [4, 4]\nsites = [[9, 9]]\nresponse = 1\n[dark]", r"pdaf: expected sites"),
    ("[dark] # estimate", "[pdaf]\nperiod = [4, 4]\n[dark]", r"pdaf: expected the keys period, response and sites"),
    ("[dark] # estimate", "[modes.fast.lens]\n[dark]", r"modes.fast: unknown table 'lens'"),
    ("[dark] # estimate", "[modes]\nfast = 3\n[dark]", r"modes.fast: expected a table"),
    ("[dark] # estimate", "[modes.fast]\narray = 3\n[dark]", r"modes.fast.array: expected a table"),
    ("adc_dn = 0.35", "high_from_iso = 100", r"high_from_iso needs high_full_well_e"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), BAD)
def test_bad_files(tmp_path: pathlib.Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new, 1), "utf-8")
    with pytest.raises(sensor.SensorError, match=message) as caught:
        sensor.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"measured.csv: cannot be read as curves"),
        ("nm,r,g\n400,1,2\n", r"measured.csv: expected rows of rising nm and 3 efficiencies"),
        ("400,1,2,x\n", r"measured.csv: expected rows of nm and 3"),
        ("500,0,0,0\n400,1,1,1\n", r"rising nm"),
        ("400,0,0,0\n700,0,0,0\n", r"colour: expected efficiencies in 0..1"),
    ],
)
def test_bad_curves(tmp_path: pathlib.Path, text: str | None, message: str) -> None:
    head = GOOD[: GOOD.index("[colour]")]
    (tmp_path / "mine.toml").write_text(head + '[colour]\ncurves = "measured.csv"\n', "utf-8")
    if text is not None:
        (tmp_path / "measured.csv").write_text(text, "utf-8")
    with pytest.raises(sensor.SensorError, match=message):
        sensor.load(tmp_path / "mine.toml")


def test_files_that_are_none(tmp_path: pathlib.Path) -> None:
    with pytest.raises(sensor.SensorError, match=r"give a .toml file.*did you mean 'imx477'"):
        sensor.load("imx4777")
    with pytest.raises(sensor.SensorError, match="No such file"):
        sensor.load(tmp_path / "none.toml")
    with pytest.raises(sensor.SensorError, match=r"no mode 'fast'.*known"):
        sensor.load("phone-1-inch", "fast")
    with pytest.raises(sensor.SensorError, match="no mode 'binned': known: full"):
        sensor.load("imx219", "binned")
    (tmp_path / "latin.toml").write_bytes(b'doc = "\xff"')
    with pytest.raises(sensor.SensorError, match="not TOML"):
        sensor.load(tmp_path / "latin.toml")


def test_exposures_that_cannot_be() -> None:
    s, light = sensor.load("imx219"), np.zeros((3, 4, 4), np.float32)
    with pytest.raises(sensor.SensorError, match=r"ISO 6400 is not in 55..600"):
        sensor.expose(light, s, Exposure(6400, 0.01, 2.0))
    with pytest.raises(sensor.SensorError, match="time and an aperture"):
        sensor.expose(light, s, Exposure(100, 0.0, 2.0))
    with pytest.raises(ValueError, match="float32"):
        sensor.expose(light.astype(np.float64), s, Exposure(100, 0.01, 2.0))


def test_keys_have_units_and_words() -> None:
    for table in KEYS.values():
        assert all(p.doc and (p.doc[0].islower() or p.doc.startswith("ISO")) for p in table)
