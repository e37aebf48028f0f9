"""Sensors as TOML files: every key declared once, with its range and unit.

Names of sensors are files in `data/`; a path with the ending .toml is any other file. A table [modes.NAME] overrides
keys of the other tables for that mode; the mode named by `default_mode` is taken where none is asked for.
"""

from __future__ import annotations

import math
import pathlib
import tomllib
from collections.abc import Mapping
from typing import Any

from ..stage import Param, ParamError, fit, nearest
from . import efficiency
from .filters import PATTERNS
from .types import GainStage, Pdaf, Sensor, SensorError

DATA = pathlib.Path(__file__).with_name("data")
_CLEAR = 4.0  # standard deviations of read noise that black_dn must leave room for
_NEEDED = math.nan  # a number that has no default


def _p(key: str, lo: float, hi: float, unit: str, doc: str, default: float = _NEEDED, kind: type = float) -> Param:
    return Param(key, kind, default, lo, hi, unit, doc, ())


KEYS: dict[str, tuple[Param, ...]] = {
    "array": (
        _p("rows", 1, 65536, "px", "how many rows of pixels there are", kind=int),
        _p("columns", 1, 65536, "px", "how many columns of pixels there are", kind=int),
        _p("pitch_um", 0.3, 50, "µm", "the distance of two pixels"),
        Param("cfa", str, "", None, None, "", "the pattern of colour filters", tuple(PATTERNS)),
    ),
    "adc": (
        _p("bits", 6, 16, "", "the digits of a number", kind=int),
        _p("black_dn", 0, 32768, "DN", "what darkness reads", kind=int),
        _p("white_dn", 1, 65535, "DN", "the highest number, where it is not 2^bits - 1", 0, int),
    ),
    "gain": (
        _p("base_iso", 1, 10000, "", "the lowest ISO"),
        _p("max_iso", 1, 1e7, "", "the highest ISO"),
        _p("dn_per_e", 1e-4, 1000, "DN/e-", "the gain at base ISO"),
    ),
    "well": (
        _p("full_well_e", 10, 1e7, "e-", "how many electrons a pixel holds"),
        _p("read_e", 0, 1000, "e-", "read noise before the amplifier"),
        _p("adc_dn", 0, 1000, "DN", "noise behind the amplifier", 0.0),
        _p("high_from_iso", 1, 1e7, "", "ISO from which the high conversion gain is used", math.inf),
        _p("high_full_well_e", 10, 1e7, "e-", "full well at high conversion gain", 0.0),
        _p("high_read_e", 0, 1000, "e-", "read noise at high conversion gain", 0.0),
    ),
    "pattern": (
        _p("prnu", 0, 0.2, "", "spread of the pixels' response, relative", 0.0),
        _p("dsnu_e", 0, 1000, "e-", "spread of the pixels' zero", 0.0),
        _p("row_e", 0, 1000, "e-", "row noise, new in every frame", 0.0),
        _p("fixed_row_e", 0, 1000, "e-", "row noise, the same in every frame", 0.0),
        _p("fixed_column_e", 0, 1000, "e-", "column noise, the same in every frame", 0.0),
        _p("hot_ppm", 0, 1e5, "ppm", "hot pixels in a million", 0.0),
        _p("hot_e_s", 0, 1e7, "e-/s", "their mean dark current", 0.0),
        _p("dead_ppm", 0, 1e5, "ppm", "dead pixels in a million", 0.0),
    ),
    "dark": (
        _p("current_e_s", 0, 1e6, "e-/s", "dark current of a pixel", 0.0),
        _p("at_c", -100, 200, "°C", "temperature of that", 25.0),
        _p("doubles_c", 1, 50, "°C", "warming that doubles it", 7.0),
    ),
}  # fmt: skip
_TABLES = {*KEYS, "colour", "pdaf", "modes", "doc", "default_mode"}


def names() -> list[str]:
    """Names of the sensors that come with lichtbild."""
    return sorted(p.stem for p in DATA.glob("*.toml"))


def load(name: str | pathlib.Path, mode: str | None = None, serial: int = 1) -> Sensor:
    """The sensor `name` (of `names()`, or the path of a .toml file) in a mode; `serial` tells specimens apart.

    Raises SensorError in one line that names file, key and remedy.
    """
    path = pathlib.Path(name)
    if path.suffix != ".toml":
        path = DATA / f"{name}.toml"
        if str(name) not in names():
            close = nearest(str(name), names())
            raise SensorError(f"unknown sensor '{name}' (or give a .toml file): {close}")
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except OSError as e:
        raise SensorError(f"{path}: {e.strerror or e}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise SensorError(f"{path}: not TOML in UTF-8: {e}") from None
    return read(found, path, mode, serial)


def read(found: Mapping[str, Any], path: pathlib.Path, mode: str | None = None, serial: int = 1) -> Sensor:
    """The sensor that the tables of a file describe; `path` gives it its name."""
    for key, table in found.items():
        if key not in _TABLES:
            raise SensorError(f"{path}: unknown key '{key}': {nearest(key, _TABLES)}")
        if key not in ("doc", "default_mode") and not isinstance(table, dict):
            raise SensorError(f"{path}: {key}: expected a table [{key}]")
    modes = found.get("modes", {})
    for name, over in modes.items():
        _check_mode(path, f"modes.{name}", over)
    mode = mode or found.get("default_mode") or next(iter(modes), "full")
    if mode not in (modes or ("full",)):
        raise SensorError(f"{path}: no mode '{mode}': {nearest(str(mode), modes or ('full',))}")
    over = modes.get(mode, {})
    values = {name: _table(path, name, {**found.get(name, {}), **over.get(name, {})}) for name in KEYS}
    return _sensor(found, values, path, mode, serial)


def _check_mode(path: pathlib.Path, where: str, over: Any) -> None:
    """Whether a mode holds nothing but tables of known names."""
    if not isinstance(over, dict):
        raise SensorError(f"{path}: {where}: expected a table of tables")
    for name, table in over.items():
        if name not in KEYS:
            raise SensorError(f"{path}: {where}: unknown table '{name}': {nearest(name, KEYS)}")
        if not isinstance(table, dict):
            raise SensorError(f"{path}: {where}.{name}: expected a table")


def _table(path: pathlib.Path, name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    known = {p.name: p for p in KEYS[name]}
    for key in table:
        if key not in known:
            raise SensorError(f"{path}: unknown key '{name}.{key}': {nearest(key, known)}")
    values: dict[str, Any] = {}
    for key, p in known.items():
        if key in table:
            try:
                values[key] = fit(f"{name}.{key}", p, table[key])
            except ParamError as e:
                raise SensorError(f"{path}: {e}") from None
        elif p.default == "" or (p.kind is not str and math.isnan(p.default)):
            raise SensorError(f"{path}: {name}.{key} is missing: write {p.doc}{f', in {p.unit}' if p.unit else ''}")
        else:
            values[key] = p.default
    return values


def _sensor(found: Mapping[str, Any], v: dict[str, Any], path: pathlib.Path, mode: str, serial: int) -> Sensor:
    array, adc, gain, pattern, dark = (v[k] for k in ("array", "adc", "gain", "pattern", "dark"))
    white = adc["white_dn"] or 2 ** adc["bits"] - 1
    if not adc["black_dn"] < white < 2 ** adc["bits"]:
        raise SensorError(f"{path}: adc: expected black_dn below white_dn below 2^bits, got {adc['black_dn']}, {white}")
    if gain["max_iso"] < gain["base_iso"]:
        raise SensorError(f"{path}: gain.max_iso: expected at least base_iso = {gain['base_iso']:g}")
    made = Sensor(
        path.stem, str(found.get("doc", "")), mode, array["rows"], array["columns"], array["pitch_um"], array["cfa"],
        adc["bits"], adc["black_dn"], white, gain["base_iso"], gain["max_iso"], gain["dn_per_e"],
        _stages(path, v["well"], gain["base_iso"]), efficiency.read(path, found.get("colour", {}), array["cfa"]),
        **pattern, dark_e_s=dark["current_e_s"], dark_at_c=dark["at_c"], dark_doubles_c=dark["doubles_c"],
        pdaf=_pdaf(path, found.get("pdaf")), modes=tuple(found.get("modes", ("full",))), serial=serial,
    )  # fmt: skip
    if made.read_dn(made.max_iso) * _CLEAR > made.black_dn:
        most = made.read_dn(made.max_iso)
        raise SensorError(
            f"{path}: gain.max_iso: read noise of {most:.3g} DN there would be cut off at black_dn; lower it"
        )
    return made


def _stages(path: pathlib.Path, well: dict[str, Any], base_iso: float) -> tuple[GainStage, ...]:
    low = GainStage(base_iso, well["read_e"], well["adc_dn"], well["full_well_e"])
    if math.isinf(well["high_from_iso"]):
        return (low,)
    if not (well["high_full_well_e"] and well["high_read_e"]):
        raise SensorError(f"{path}: well: high_from_iso needs high_full_well_e and high_read_e beside it")
    return low, GainStage(well["high_from_iso"], well["high_read_e"], well["adc_dn"], well["high_full_well_e"])


def _pdaf(path: pathlib.Path, table: Mapping[str, Any] | None) -> Pdaf | None:
    if table is None:
        return None
    if sorted(table) != ["period", "response", "sites"]:
        raise SensorError(f"{path}: pdaf: expected the keys period, response and sites, got {', '.join(sorted(table))}")
    try:
        rows, columns = (int(n) for n in table["period"])
        sites = tuple((int(row), int(column)) for row, column in table["sites"])
        response = float(table["response"])
    except (TypeError, ValueError):
        raise SensorError(f"{path}: pdaf: expected period [rows, columns], sites [[row, column]], response") from None
    inside = all(0 <= row < rows and 0 <= column < columns for row, column in sites)
    if not (sites and inside and 0 < response <= 2 and rows * columns <= 65536):
        raise SensorError(f"{path}: pdaf: expected sites within the period and a response in 0..2")
    return Pdaf((rows, columns), sites, response)
