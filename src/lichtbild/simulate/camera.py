"""The camera that takes a burst: a lens before a sensor, and what it writes beside the samples."""

from __future__ import annotations

import datetime
import functools
import math
import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import lens, sensor
from ..export import ifd
from ..lens import Lens, Plane
from ..lens.plane import check
from ..light import WHITE_D65, Xy, rgb_to_xyz, xy, xyz
from ..scene import Scene
from ..sensor import Sensor
from ..sensor.frame import named
from ..types import F32, F64, U8, Exposure, Frame, Noise, replace
from .settings import Settings, SimulateError
from .truth import between
from .ways import Take

_NOON = datetime.datetime(2026, 1, 1, 12, 0, 0)  # UTC; all bursts are taken then: the same bytes every time
_STRIP = 64  # rows at a time
_NODE = 16  # pixels between places that are asked for
_ADAPTED = 0.65  # how far the camera's white goes from daylight to the place's own: lamps stay a little warm


@dataclass(frozen=True)
class Body:
    """Lens and sensor; `plane` is the window that is read, whose first pixel lies `at` (row, column) on the sensor."""

    glass: Lens
    chip: Sensor
    plane: Plane
    at: tuple[int, int]
    white: Xy = WHITE_D65

    @classmethod
    def of(cls, settings: Settings) -> Body:
        """The camera that `settings` ask for. Raises LichtbildError for parts that do not exist or do not fit."""
        name, _, mode = settings.sensor.partition(":")
        chip = sensor.load(name, mode or None)
        height, width = settings.height or chip.rows, settings.width or chip.columns
        if height > chip.rows or width > chip.columns:
            raise SimulateError(
                f"size {width}x{height}: sensor {settings.sensor} has {chip.columns}x{chip.rows} pixels; "
                "ask for less or take another sensor"
            )
        glass = lens.load(settings.lens) if settings.lens else lens_for(chip)
        check(glass, Plane(chip.rows, chip.columns, chip.pitch_um))
        at = (chip.rows - height) // 2, (chip.columns - width) // 2
        return cls(glass, chip, Plane(height, width, chip.pitch_um), at)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        return self.plane.height, self.plane.width

    @functools.cached_property
    def margin(self) -> int:
        """Pixels of ideal image that the lens needs beyond each side of the frame."""
        return max(lens.reach(self.glass, self.plane), 0) + 1

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.glass.focal_mm * 1e3 / self.chip.pitch_um

    @property
    def straight(self) -> bool:
        """Whether the lens leaves green where the ideal image has it."""
        return not any(self.glass.distortion.k)

    def under(self, made: Scene) -> Body:
        """This camera, its white balanced for a scene: most of the way from daylight to its mean white card."""
        card = np.asarray(made.illuminant, np.float64).mean((1, 2))
        if not card.sum() > 0:
            return self
        mixed = (1 - _ADAPTED) * xyz(WHITE_D65) + _ADAPTED * xyz(xy(rgb_to_xyz("rec2020") @ card))
        x, y = (round(v, 5) for v in xy(mixed))
        return Body(self.glass, self.chip, self.plane, self.at, (x, y))

    def product(self, wanted: float) -> float:
        """Time in s times ISO that make camera light `wanted` per cd/m², 1.0 = saturation."""
        base = self.chip.base_iso
        electrons = float((sensor.matrix(self.chip, self.white) @ np.ones(3)).max()) * self.glass.illuminance()
        return wanted * base * (self.chip.white(base) - self.chip.black_dn) / (electrons * self.chip.gain(base))

    def image(self, light: F32) -> F32:
        """Lux (3, H, W) on the sensor from the ideal image (3, H + 2·margin, W + 2·margin) in cd/m²."""
        return lens.apply(light, self.glass, self.plane)

    def seen(self, owner: F32) -> U8:
        """(H, W): numbers of layers where green lands, from those of the ideal image with its margin."""
        h, w = self.size
        m = self.margin
        if self.straight:
            return owner[m : m + h, m : m + w].astype(np.uint8)
        x, y = self._nearest
        out = np.empty((h, w), np.uint8)
        for top in range(0, h, _STRIP):
            part = slice(top, top + _STRIP)
            out[part] = owner[y[part], x[part]]
        return out

    @functools.cached_property
    def _nearest(self) -> tuple[Any, Any]:
        """Columns and rows of the ideal image, with its margin, that are nearest to where each pixel looks."""
        h, w = self.size
        knots = [np.arange(0, n + _NODE, _NODE, dtype=np.float64) for n in (h, w)]
        x, y = np.meshgrid(np.minimum(knots[1], w - 1), np.minimum(knots[0], h - 1))
        u, v = lens.ideal(self.glass, self.plane, 1, x, y)
        columns, rows = np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)
        ways = (u - x).astype(np.float32), (v - y).astype(np.float32)
        out = np.empty((2, h, w), np.int16)
        for top in range(0, h, _STRIP):
            part = rows[top : top + _STRIP]
            for to, way, place, size in zip(out, ways, (columns, part[:, None]), (w, h), strict=True):
                bent = place + between(way, part / _NODE, columns / _NODE)
                to[top : top + _STRIP] = np.clip(np.rint(bent) + self.margin, 0, size + 2 * self.margin - 1)
        return out[0], out[1]

    @property
    def bends(self) -> dict[str, Any]:
        """`ideal` and `image` of a Truth."""
        if self.straight:
            return {}
        ideal = functools.partial(lens.ideal, self.glass, self.plane, 1)
        return {"ideal": ideal, "image": functools.partial(lens.image, self.glass, self.plane, 1)}

    def _mix(self, take: Take) -> F64:
        """(planes, 3): electrons per lux on the sensor."""
        return sensor.matrix(self.chip, self.white) * take.time_s

    def _exposure(self, iso: float, take: Take) -> Exposure:
        when = _NOON + datetime.timedelta(seconds=take.start_s)
        taken = when.isoformat(timespec="milliseconds")
        return Exposure(iso, take.time_s, self.glass.f_number, self.glass.focal_mm, taken)

    def expose(self, light: F32, iso: float, take: Take, seed: int, number: int) -> Frame:
        """The raw frame that the sensor makes of `light` (3, H, W) lux."""
        exposure = self._exposure(iso, take)
        mosaic = sensor.expose(light, self.chip, exposure, seed, number, self.white, self.at, mix=self._mix(take))
        span = float(self.chip.white(iso))
        noise: Noise = self.chip.noise(iso, take.time_s)
        return replace(
            self._blank, path=pathlib.Path(f"{number:02}.dng"), mosaic=mosaic, white=(span,), noise=noise,
            exposure=exposure, exif=_exif(_NOON + datetime.timedelta(seconds=take.start_s)),
        )  # fmt: skip

    @functools.cached_property
    def _blank(self) -> Frame:
        """What all frames share."""
        size, base = self.size, Exposure(self.chip.base_iso, 1.0, self.glass.f_number)
        cfa = named(self.chip, self.at)
        maps = lens.gain_maps(self.glass, self.plane, cfa, mix=sensor.matrix(self.chip, self.white))
        made = sensor.frame(np.zeros(size, np.uint16), self.chip, base, self.white, self.at, maps)
        return made if self.straight else replace(made, warps=(lens.warp(self.glass, self.plane),))

    def clean(self, light: F32, iso: float, take: Take) -> tuple[F32, F32]:
        """Of `light` (3, H, W) lux without noise: camera light (3, H, W), 1.0 = saturation, and the mosaic in DN.

        The camera light takes the place of `light`, which is lost.
        """
        mix, exposure = self._mix(take), self._exposure(iso, take)
        mosaic = sensor.expected(light, self.chip, exposure, self.white, self.at, mix=mix)
        scale = (mix * self.chip.gain(iso) / (self.chip.white(iso) - self.chip.black_dn)).astype(np.float32)
        for top in range(0, light.shape[1], _STRIP):
            part = light[:, top : top + _STRIP]
            part[: len(scale)] = np.maximum(sum(scale[:, k, None, None] * part[k] for k in range(3)), 0)
        return np.broadcast_to(light[:1], light.shape) if len(scale) == 1 else light, mosaic

    def facts(self, iso: float) -> dict[str, Any]:
        """Numbers of this camera for truth."""
        stage = self.chip.stage(iso)
        return {
            "lens": self.glass.name, "focal_mm": self.glass.focal_mm, "f_number": self.glass.f_number,
            "t_number": self.glass.t_number, "distortion": self.glass.distortion.k, "sensor": self.chip.name,
            "mode": self.chip.mode, "pitch_um": self.chip.pitch_um, "cfa": self.chip.cfa, "at": self.at,
            "black_dn": self.chip.black_dn, "white_dn": self.chip.white(iso), "dn_per_e": self.chip.gain(iso),
            "full_well_e": stage.full_well_e, "read_dn": self.chip.read_dn(iso), "white_xy": self.white,
            "focal_px": self.focal_px, "serial": self.chip.serial,
        }  # fmt: skip


def lens_for(chip: Sensor) -> Lens:
    """The lens of the house with the smallest image circle that covers a whole sensor."""
    need = math.hypot(chip.rows, chip.columns) * chip.pitch_um * 1e-3
    fit = [glass for glass in map(lens.load, lens.names()) if glass.image_mm >= need]
    if not fit:
        raise SimulateError(f"sensor {chip.name}: no lens of the house covers its {need:.1f} mm; name a lens file")
    return min(fit, key=lambda glass: glass.image_mm)


def _exif(when: datetime.datetime) -> bytes:
    """EXIF with the moment to a thousandth of a second, in UTC."""
    sub = ifd.ascii(f"{when.microsecond // 1000:03}")
    stamp = ifd.ascii(when.strftime("%Y:%m:%d %H:%M:%S"))
    zone = ifd.ascii("+00:00")
    shot: ifd.Ifd = {0x9003: stamp, 0x9004: stamp, 0x9011: zone, 0x9012: zone, 0x9291: sub, 0x9292: sub}
    return b"Exif\0\0" + ifd.block({ifd.EXIF: shot})
