"""What a camera writes beside the numbers: a Frame as a reader of its raw file would find it."""

from __future__ import annotations

import functools
import pathlib

import numpy as np
from numpy.typing import NDArray

from .. import cfa, kernels
from ..light import WHITE_D65, Xy
from ..types import U8, U16, Exposure, Frame, GainMap
from . import colour, exposure, filters, random
from .types import Sensor

_HOT_LISTED = 0.5  # hot pixels whose dark current is above this part of the mean are in the factory's list


def frame(
    mosaic: U16, sensor: Sensor, taken: Exposure, white: Xy = WHITE_D65, at: tuple[int, int] = (0, 0),
    gain_maps: tuple[GainMap, ...] = (), temperature_c: float = 25.0,
) -> Frame:  # fmt: skip
    """A Frame of the numbers (H, W) that `expose` gave: levels, matrices, neutral, noise, bad pixels, exposure.

    `white` becomes AsShotNeutral.
    """
    iso = sensor.base_iso if taken.iso is None else taken.iso
    return Frame(
        path=pathlib.Path(f"{sensor.name}.dng"), cfa=named(sensor, at), mosaic=mosaic, rgb=None,
        black=np.full((1, 1, 1), sensor.black_dn, np.float32), white=(float(sensor.white(iso)),),
        colour=colour.camera_colour(sensor, white), noise=sensor.noise(iso, taken.time_s or 0.0, temperature_c),
        gain_maps=gain_maps, bad_pixels=bad_pixels(sensor, (mosaic.shape[0], mosaic.shape[1]), at),
        make="lichtbild", model=f"virtual {sensor.name}", exposure=taken,
    )  # fmt: skip


def named(sensor: Sensor, at: tuple[int, int] = (0, 0)) -> str:
    """The pattern of a crop that begins `at`, as types.Frame names it."""
    return cfa.word(np.roll(filters.PATTERNS[sensor.cfa], (-at[0], -at[1]), (0, 1)))


@functools.lru_cache(2)
def _defects(
    serial: tuple[int, int], dead_below: int, hot_below: int, shape: tuple[int, int], at: tuple[int, int]
) -> U8:
    found = np.empty(shape, np.uint8)
    kernels.call(
        "sensor_defects", top=at[0], left=at[1], serial_low=serial[0], serial_high=serial[1], dead_below=dead_below,
        hot_below=hot_below, listed=_HOT_LISTED, output=found,
    )  # fmt: skip
    return found


def bad_pixels(sensor: Sensor, shape: tuple[int, int], at: tuple[int, int] = (0, 0)) -> NDArray[np.int32] | None:
    """(n, 2) rows and columns that the factory knows: focus pixels, dead ones, and the hotter half of the hot ones."""
    bad = _defects(random.key(sensor.serial), *exposure.defect_words(sensor), shape, at) > 0
    classes = filters.classes(sensor, *at)
    for row, column in np.argwhere(classes == filters.FOCUS):
        bad[row :: classes.shape[0], column :: classes.shape[1]] = True
    found = np.argwhere(bad).astype(np.int32)
    return found if len(found) else None
