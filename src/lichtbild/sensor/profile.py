"""A sensor made from a NoiseProfile: the noise of a real camera, of which nothing else is known."""

from __future__ import annotations

import dataclasses
import math

from ..types import Noise
from .types import QUANTISATION_DN2, GainStage, Sensor, SensorError


def with_noise(
    like: Sensor, noise: Noise, black_dn: int, white_dn: int, iso: float = 100.0, cfa: str | None = None
) -> Sensor:  # fmt: skip
    """The sensor `like` with green's noise of a profile, at one ISO, without fixed patterns and dark current.

    S is the inverse of full well, O the read noise with rounding. Raises SensorError for a profile that is not positive
    or whose O is less than rounding alone gives.
    """
    span = white_dn - black_dn
    scale, offset = noise.scale[1], noise.offset[1]
    if not (span > 0 and scale > 0 and offset * span**2 >= QUANTISATION_DN2):
        raise SensorError(f"noise profile: expected S > 0 and O above rounding in {span} DN, got {scale:g}, {offset:g}")
    read_dn = math.sqrt(offset * span**2 - QUANTISATION_DN2)
    return dataclasses.replace(
        like, name="profile", doc="a sensor with a given noise profile", cfa=cfa or like.cfa,
        bits=white_dn.bit_length(), black_dn=black_dn, white_dn=white_dn, base_iso=iso, max_iso=iso,
        dn_per_e=scale * span, stages=(GainStage(iso, 0.0, read_dn, 1 / scale),),
        row_e=0.0, fixed_row_e=0.0, fixed_column_e=0.0, prnu=0.0, dsnu_e=0.0, dark_e_s=0.0, hot_ppm=0.0, dead_ppm=0.0,
        pdaf=None,
    )  # fmt: skip
