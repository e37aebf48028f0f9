"""A sensor as numbers, and what follows from them in closed form: gain, noise, levels.

Charge is counted in electrons of one pixel as it is read, binned or not. The chain from light to a number:

    e   = min(Poisson(light·(1 + prnu) + dark current·t), full well)
    DN  = black + K·(e - mean dark + dsnu + read noise + row noise + fixed rows and columns) + ADC noise, then rounded

The mean of dark current is taken off, as sensors do by their covered pixels. K (DN per electron) grows with ISO. Read
noise before the amplifier shrinks with conversion gain (`stages`), noise behind it does not depend on ISO.
Model: [EMVA1288], with row noise beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..types import F64, LichtbildError, Noise

QUANTISATION_DN2 = 1 / 12  # variance of rounding


class SensorError(LichtbildError):
    """A sensor that does not exist or cannot be, or an exposure it cannot make."""


@dataclass(frozen=True)
class GainStage:
    """One conversion gain, used from `from_iso` on. `read_e` before the amplifier, `adc_dn` behind it."""

    from_iso: float
    read_e: float
    adc_dn: float
    full_well_e: float


@dataclass(frozen=True)
class Pdaf:
    """Focus pixels: `sites` (row, column) in every block of `period`, behind a green filter, half covered."""

    period: tuple[int, int]
    sites: tuple[tuple[int, int], ...]
    response: float  # of such a pixel relative to a whole green one


@dataclass(frozen=True)
class Sensor:
    """One sensor in one mode. Its fixed patterns follow from `serial`: another number is another specimen."""

    name: str
    doc: str
    mode: str
    rows: int
    columns: int
    pitch_um: float
    cfa: str  # a key of filters.PATTERNS
    bits: int
    black_dn: int
    white_dn: int
    base_iso: float
    max_iso: float
    dn_per_e: float  # at base ISO
    stages: tuple[GainStage, ...]
    efficiency: F64  # (planes, 81): electrons per photon at spectra.NM; planes R, G, B or one of a MONO sensor
    row_e: float = 0.0  # temporal: one number per row and frame
    fixed_row_e: float = 0.0
    fixed_column_e: float = 0.0
    prnu: float = 0.0  # standard deviation of the response, relative
    dsnu_e: float = 0.0
    dark_e_s: float = 0.0  # at `dark_at_c`
    dark_at_c: float = 25.0
    dark_doubles_c: float = 7.0
    hot_ppm: float = 0.0
    hot_e_s: float = 0.0  # mean extra dark current of a hot pixel, exponentially distributed, at `dark_at_c`
    dead_ppm: float = 0.0
    pdaf: Pdaf | None = None
    modes: tuple[str, ...] = ()  # all modes of this sensor
    serial: int = 1

    def stage(self, iso: float) -> GainStage:
        """The conversion gain in use. Raises SensorError for an ISO outside the sensor's range."""
        if not self.base_iso <= iso <= self.max_iso:
            raise SensorError(f"sensor {self.name}: ISO {iso:g} is not in {self.base_iso:g}..{self.max_iso:g}")
        return [s for s in self.stages if s.from_iso <= iso][-1]

    def gain(self, iso: float) -> float:
        """K: DN per electron."""
        self.stage(iso)
        return self.dn_per_e * iso / self.base_iso

    def read_dn(self, iso: float) -> float:
        """Standard deviation of read noise of one pixel in one frame, DN, without row noise and rounding."""
        s = self.stage(iso)
        return math.hypot(s.read_e * self.gain(iso), s.adc_dn)

    def dark_e(self, time_s: float, temperature_c: float = 25.0) -> float:
        """Mean electrons of dark current of a usual pixel."""
        return self.dark_e_s * time_s * self.warmth(temperature_c)

    def warmth(self, temperature_c: float) -> float:
        """Dark current relative to that at `dark_at_c`."""
        return float(2.0 ** ((temperature_c - self.dark_at_c) / self.dark_doubles_c))

    def saturation_e(self, iso: float) -> float:
        """Electrons at which a pixel reads its highest number: full well or end of the ADC, whichever comes first."""
        return min(self.stage(iso).full_well_e, (self.white_dn - self.black_dn) / self.gain(iso))

    def white(self, iso: float) -> int:
        """White level in DN: what a saturated pixel surely reads; where the well ends the range, less read noise."""
        k, well = self.gain(iso), self.stage(iso).full_well_e
        sure = math.floor(self.black_dn + k * well - 3 * self.read_dn(iso))
        return min(self.white_dn, sure)

    def variance_dn2(self, signal_e: float, iso: float, time_s: float = 0.0, temperature_c: float = 25.0) -> float:
        """Temporal variance of a pixel that `signal_e` electrons of light hit, below saturation."""
        k = self.gain(iso)
        shot = k * k * (signal_e + self.dark_e(time_s, temperature_c))
        return shot + self.read_dn(iso) ** 2 + (k * self.row_e) ** 2 + QUANTISATION_DN2

    def noise(self, iso: float, time_s: float = 0.0, temperature_c: float = 25.0) -> Noise:
        """Closed form of temporal noise for DNG: variance = S·x + O of camera light x = (DN - black) / (white - black).

        The same for all colours, which share amplifiers. Fixed patterns (PRNU, DSNU, columns) are not in it.
        """
        span = self.white(iso) - self.black_dn
        scale = self.gain(iso) / span
        offset = self.variance_dn2(0.0, iso, time_s, temperature_c) / span**2
        return Noise((scale,) * 3, (offset,) * 3, "simulated")

    @property
    def planes(self) -> int:
        """Kinds of colour filters: 3, or 1 for a monochrome sensor."""
        return int(np.shape(self.efficiency)[0])
