"""Exposing a sensor: light becomes electrons, electrons become numbers, with all the noise on the way.

Every random number is a function of seed, frame and the pixel's place on the sensor (fixed patterns: of the specimen
instead of seed and frame), so crops, threads and processors give the same numbers; see random.py.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from .. import kernels
from ..light import WHITE_D65, Xy
from ..types import F32, F64, U8, U16, Exposure
from . import colour, filters, random
from .types import Sensor, SensorError

_PIXEL, _SPECIMEN, _ROW, _FIXED_ROW, _FIXED_COLUMN = range(5)  # streams of random numbers
_MOST_E = 1e8  # light beyond this would leave the whole numbers


@dataclass(frozen=True)
class Table:
    """What the kernel reads for one frame of (H, W) pixels; see the way from light to a number in types.py."""

    mix: F32  # (4, 3): electrons per cd/m² of Rec.2020 for each class of pixel
    classes: U8  # (period, W)
    row: F32  # (H,) DN
    column: F32  # (W,) DN
    frame: int
    at: tuple[int, int]  # top, left on the sensor
    seed: tuple[int, int]
    serial: tuple[int, int]
    prnu: float
    dark_e: float
    hot_e: float
    dead_below: int
    hot_below: int
    full_well_e: float
    gain: float
    dsnu_dn: float
    read_dn: float
    offset_dn: float  # black, less mean dark current
    white_dn: int


def prepare(
    sensor: Sensor, exposure: Exposure, shape: tuple[int, int], seed: int = 1, frame: int = 0, white: Xy = WHITE_D65,
    at: tuple[int, int] = (0, 0), temperature_c: float = 25.0, mix: F64 | None = None,
) -> Table:  # fmt: skip
    """Tables for a frame of `shape` (H, W) whose first pixel lies at `at` on the sensor.

    `white`: the white of the place, which chooses the matrix. `mix` (planes, 3): another matrix from planes of light to
    electrons. Raises SensorError where ISO, time or aperture do not fit.
    """
    iso = _iso(sensor, exposure)
    per_light = colour.matrix(sensor, white) * colour.lux_s(exposure) if mix is None else mix
    k, stage, time_s = sensor.gain(iso), sensor.stage(iso), float(exposure.time_s or 0)
    classes = filters.classes(sensor, *at)
    key, serial = random.key(seed), random.key(sensor.serial)
    rows, columns = (np.arange(n, dtype=np.uint32) + np.uint32(o) for n, o in zip(shape, at, strict=True))
    line = [
        (k * sensor.row_e, random.normal(random.philox((rows, 0, frame, _ROW), key)[0])),
        (k * sensor.fixed_row_e, random.normal(random.philox((rows, 0, 0, _FIXED_ROW), serial)[0])),
        (k * sensor.fixed_column_e, random.normal(random.philox((columns, 0, 0, _FIXED_COLUMN), serial)[0])),
    ]
    scaled = [np.float32(size) * z for size, z in line]
    dark, warmth = sensor.dark_e(time_s, temperature_c), sensor.warmth(temperature_c)
    return Table(
        _per_class(sensor, per_light), _across(classes, shape[1]),
        np.asarray(scaled[0] + scaled[1], np.float32), scaled[2], frame, at, key, serial, sensor.prnu, dark,
        sensor.hot_e_s * time_s * warmth, *defect_words(sensor),
        stage.full_well_e, k, k * sensor.dsnu_e, sensor.read_dn(iso), sensor.black_dn - k * dark, sensor.white_dn,
    )  # fmt: skip


def _across(classes: U8, width: int) -> U8:
    """The pattern repeated to a width."""
    return np.ascontiguousarray(np.tile(classes, -(-width // classes.shape[1]))[:, :width])


def _iso(sensor: Sensor, exposure: Exposure) -> float:
    iso = sensor.base_iso if exposure.iso is None else exposure.iso
    sensor.stage(iso)
    return iso


def defect_words(sensor: Sensor) -> tuple[int, int]:
    """Of 2^32: pixels whose defect word lies below the first are dead, from there to below the second hot."""
    dead, hot = (min(round(p * 1e-6 * 2**32), 2**32 - 1) for p in (sensor.dead_ppm, sensor.dead_ppm + sensor.hot_ppm))
    return dead, hot


def _per_class(sensor: Sensor, mix: F64) -> F32:
    """(4, 3): rows for red, green, blue and focus pixels; a monochrome sensor has one kind."""
    rows = np.asarray(mix, np.float64)
    if rows.shape != (sensor.planes, 3):
        raise ValueError(f"mix: expected {(sensor.planes, 3)}, got {rows.shape}")
    if sensor.planes == 1:
        rows = np.repeat(rows, 3, 0)
    response = sensor.pdaf.response if sensor.pdaf else 0.0
    return np.ascontiguousarray(np.vstack([rows, rows[filters.GREEN] * response]), np.float32)


def expose(
    light: F32, sensor: Sensor, exposure: Exposure, seed: int = 1, frame: int = 0, white: Xy = WHITE_D65,
    at: tuple[int, int] = (0, 0), temperature_c: float = 25.0, mix: F64 | None = None,
) -> U16:  # fmt: skip
    """The numbers (H, W) that `sensor` reads from `light` (3, H, W) float32: Rec.2020 in cd/m², as the lens passes it.

    `exposure` holds ISO (None: base), time and aperture. `at`, `white`, `mix`: see `prepare`. Raises SensorError.
    """
    table = prepare(sensor, exposure, (light.shape[1], light.shape[2]), seed, frame, white, at, temperature_c, mix)
    return apply(light, table)


def expected(
    light: F32, sensor: Sensor, exposure: Exposure, white: Xy = WHITE_D65, at: tuple[int, int] = (0, 0),
    mix: F64 | None = None,
) -> F32:  # fmt: skip
    """(H, W): the numbers without noise, pattern or rounding, but with the end of the range. Arguments: `expose`."""
    clean = dataclasses.replace(
        sensor, row_e=0, fixed_row_e=0, fixed_column_e=0, prnu=0, dsnu_e=0, dark_e_s=0, hot_ppm=0, dead_ppm=0, pdaf=None
    )
    table = prepare(clean, exposure, (light.shape[1], light.shape[2]), 0, 0, white, at, mix=mix)
    out = np.empty(light.shape[1:], np.float32)
    kernels.call(
        "sensor_expected", light=light, mix=table.mix, classes=table.classes, full_well_e=table.full_well_e,
        gain=table.gain, offset_dn=table.offset_dn, white_dn=table.white_dn, output=out,
    )  # fmt: skip
    return out


def _charge(light: F32, table: Table) -> F32:
    """(H, W) electrons of light."""
    height, width = light.shape[1:]
    place = np.tile(table.classes, (-(-height // table.classes.shape[0]), 1))[:height, :width]
    out = np.zeros((height, width), np.float32)
    for c, row in enumerate(table.mix):
        sum_ = row[0] * light[0] + row[1] * light[1] + row[2] * light[2]
        out = np.where(place == c, sum_, out)
    return np.clip(out, np.float32(0), np.float32(_MOST_E))


def twin(light: F32, table: Table) -> U16:
    """`apply` in NumPy: the same float32 operations in the same order, so the same numbers to the last one."""
    f = np.float32
    height, width = light.shape[1:]
    y = np.arange(height, dtype=np.uint32)[:, None] + np.uint32(table.at[0])
    x = np.arange(width, dtype=np.uint32)[None, :] + np.uint32(table.at[1])
    fixed = random.philox((x, y, 0, _SPECIMEN), table.serial)
    drawn = random.philox((x, y, table.frame, _PIXEL), table.seed)
    response = np.maximum(f(1) + f(table.prnu) * random.normal(fixed[0]), f(0))
    dead = fixed[2] < np.uint32(table.dead_below)
    hot = (fixed[2] < np.uint32(table.hot_below)) & ~dead
    mean = np.where(dead, f(0), _charge(light, table) * response) + f(table.dark_e)
    mean = mean + np.where(hot, f(table.hot_e) * random.exponential(fixed[3]), f(0))
    charge = np.minimum(random.poisson(mean, drawn[0], random.normal(drawn[0])), f(table.full_well_e))
    pattern = f(table.dsnu_dn) * random.normal(fixed[1]) + (table.row[:, None] + table.column)
    value = charge * f(table.gain) + (pattern + (f(table.read_dn) * random.normal(drawn[1]) + f(table.offset_dn)))
    return np.asarray(np.clip(value + f(0.5), f(0), f(table.white_dn)).astype(np.int32), np.uint16)


def apply(light: F32, table: Table) -> U16:
    """The numbers (H, W) of one frame from `light` (3, H, W) float32."""
    if light.ndim != 3 or light.shape[0] != 3 or light.dtype != np.float32:
        raise ValueError(f"light: expected (3, H, W) float32, got {light.dtype} {light.shape}")
    out = np.empty(light.shape[1:], np.uint16)
    kernels.call(
        "sensor", light=light, mix=table.mix, classes=table.classes, row=table.row, column=table.column,
        top=table.at[0], left=table.at[1], frame=table.frame, seed_low=table.seed[0], seed_high=table.seed[1],
        serial_low=table.serial[0], serial_high=table.serial[1], dead_below=table.dead_below, hot_below=table.hot_below,
        prnu=table.prnu, dark_e=table.dark_e, hot_e=table.hot_e, full_well_e=table.full_well_e, gain=table.gain,
        dsnu_dn=table.dsnu_dn, read_dn=table.read_dn, offset_dn=table.offset_dn, white_dn=table.white_dn, output=out,
    )  # fmt: skip
    return out


__all__ = ["SensorError", "Table", "apply", "expected", "expose", "prepare", "twin"]
