"""The vocabulary of the house: what a raw file says, and light on its way to a photograph.

Arrays: `mosaic (H, W) uint16`; `rgb (3, H, W)` planar. Camera light is 1.0 where the sensor saturates; scene light is
linear Rec.2020, D65, 1.0 = diffuse white. Rows come first, as in NumPy.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

BAYER = ("RGGB", "BGGR", "GRBG", "GBRG")


class LichtbildError(Exception):
    """What a user can do something about: one clear line naming the file or option, and the remedy."""


class RawError(LichtbildError):
    """A raw file that cannot be read, or not yet."""


@dataclass(frozen=True)
class Noise:
    """Poisson-Gauss noise of camera light x in 0..1: variance = scale·x + offset, for R, G, B.

    Source: DNG 1.7.1, tag NoiseProfile.
    """

    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    origin: str = "NoiseProfile"  # or "estimated", "assumed"


@dataclass(frozen=True)
class HueSatMap:
    """DNG table of hue shift (degrees), saturation scale and value scale; `table` (values, hues, sats, 3) float32."""

    table: F32
    srgb_value: bool = False  # ProfileHueSatMapEncoding / ProfileLookTableEncoding = 1


@dataclass(frozen=True)
class Calibration:
    """One calibration illuminant of a camera. Matrices are 3x3 float64 as in DNG chapter 6; None where absent."""

    illuminant: int  # EXIF LightSource code; 255 with `white_xy` or `spectrum` in IlluminantData
    color_matrix: F64  # XYZ → reference camera
    forward_matrix: F64 | None = None  # white-balanced camera → XYZ D50
    camera_calibration: F64 | None = None  # reference camera → this camera
    hue_sat_map: HueSatMap | None = None
    white_xy: tuple[float, float] | None = None


@dataclass(frozen=True)
class CameraColour:
    """How a camera sees colour: one to three calibrations and what it took for white."""

    calibrations: tuple[Calibration, ...] = ()
    analog_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    as_shot_neutral: tuple[float, float, float] | None = None  # camera light of a neutral; None = unknown
    as_shot_xy: tuple[float, float] | None = None
    look_table: HueSatMap | None = None


@dataclass(frozen=True)
class GainMap:
    """Lens shading: gains (rows, cols, map_planes) over a region, in relative coordinates of the whole active area.

    Source: DNG 1.7.1, opcode GainMap. A gain at relative position v, h is bilinear between the nearest samples; the
    pixel (y, x) of a region of the size (H, W) lies at ((y + 0.5) / H, (x + 0.5) / W).
    """

    top: int
    left: int
    bottom: int
    right: int
    plane: int
    planes: int
    row_pitch: int
    col_pitch: int
    spacing: tuple[float, float]  # v, h
    origin: tuple[float, float]  # v, h
    gains: F32


@dataclass(frozen=True)
class Vignette:
    """FixVignetteRadial: gain = 1 + k0·r² + k1·r⁴ + … + k4·r¹⁰, r = 1 at the corner farthest from the centre."""

    k: tuple[float, float, float, float, float]
    centre: tuple[float, float]  # x, y relative


@dataclass(frozen=True)
class Warp:
    """WarpRectilinear: per plane kr0..kr3 (radial) and kt0, kt1 (tangential). `coefficients` (1 or 3, 6)."""

    coefficients: F64
    centre: tuple[float, float]  # x, y relative


@dataclass(frozen=True)
class Exposure:
    """What was set when the frame was taken; None where the file does not say."""

    iso: float | None = None
    time_s: float | None = None
    aperture: float | None = None
    focal_mm: float | None = None
    taken: str | None = None  # ISO 8601
    focal_35mm: float | None = None  # focal length that takes the same view on 36 mm x 24 mm
    lens: str | None = None


@dataclass(frozen=True)
class Shut:
    """What stands for the pixels of a shut frame: its size, and how to read the frame with them."""

    shape: tuple[int, int]
    read: Callable[[], Frame] = field(repr=False)


@dataclass
class Frame:
    """One raw frame, cropped to its active area, in the orientation of the sensor.

    `mosaic` (H, W) with the pattern `cfa`, a word of lichtbild.cfa ("RGGB", "MONO", "RRGG/RRGG/GGBB/GGBB"); `rgb`
    (3, H, W) uint16 with `cfa` "RGB" for LinearRaw; exactly one of the two is set, and none while the frame is shut.
    `black` (rows, cols, planes) repeats over the active area; `black_row` (H,) and `black_column` (W,) add to it.
    Values are linear: LinearizationTable and list-1 opcodes have been applied. A shut frame has left its pixels in its
    file: all but the first frame of a burst are, so that memory does not grow with their number. `opened()` is the
    frame with its pixels.
    """

    path: pathlib.Path
    cfa: str
    mosaic: U16 | None
    rgb: U16 | None
    black: F32
    white: tuple[float, ...]  # one per plane (1 or 3)
    black_row: F32 | None = None
    black_column: F32 | None = None
    crop: tuple[int, int, int, int] | None = None  # default crop: top, left, height, width
    orientation: int = 1  # EXIF 1..8
    colour: CameraColour = field(default_factory=CameraColour)
    noise: Noise | None = None
    baseline_exposure_ev: float = 0.0
    gain_maps: tuple[GainMap, ...] = ()
    vignettes: tuple[Vignette, ...] = ()
    warps: tuple[Warp, ...] = ()
    bad_pixels: NDArray[np.int32] | None = None  # (n, 2) rows and columns, listed by the file
    make: str = ""
    model: str = ""
    exposure: Exposure = field(default_factory=Exposure)
    exif: bytes = b""  # an EXIF block as Pillow writes it ("Exif\0\0" + TIFF), without maker note and thumbnail
    xmp: bytes = b""
    facts: dict[str, Any] = field(default_factory=dict)  # format, bits, compression, opcodes … for `info`
    guesses: list[str] = field(default_factory=list)  # what the file did not say and how it was decided
    shut: Shut | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the active area."""
        if self.shut is not None:
            return self.shut.shape
        data = self.mosaic if self.mosaic is not None else self.rgb
        assert data is not None
        return (int(data.shape[-2]), int(data.shape[-1]))

    def opened(self) -> Frame:
        """This frame with its pixels: itself, or what is read from its file now, each time anew.

        Raises RawError where they cannot be read.
        """
        return self if self.shut is None else self.shut.read()


@dataclass
class Shot:
    """What one press of the button recorded: one frame or a burst, whose further frames may be shut."""

    frames: list[Frame]
    path: pathlib.Path
    remarks: list[str] = field(default_factory=list)  # what was left out or not done, and why

    @property
    def reference(self) -> Frame:
        """The frame that gives the photograph its geometry."""
        return self.frames[0]


@dataclass(frozen=True)
class White:
    """A white balance: gains for camera R, G, B (min = 1) and the chromaticity that becomes neutral."""

    gains: tuple[float, float, float]
    xy: tuple[float, float]
    cct_k: float
    tint: float  # Duv·1000, positive towards green
    origin: str  # "as shot", "auto", "kelvin", "assumed"


@dataclass(frozen=True)
class Encoding:
    """Square-root code of white-balanced camera light in 16 bits: code = scale·sqrt(max(x + offset_c, 0)).

    It is the variance-stabilising transform of the frame's noise, so that noise is equally strong at every level:
    its standard deviation in codes is `sigma` per channel before demosaicing.
    Source: [Makitalo2013] generalised Anscombe transform.
    """

    scale: float
    offset: tuple[float, float, float]
    sigma: tuple[float, float, float]

    def encode(self, rgb: NDArray[Any]) -> U16:
        """Code of `rgb` (3, H, W) white-balanced camera light."""
        o = np.asarray(self.offset, np.float32)[:, None, None]
        code = self.scale * np.sqrt(np.maximum(np.asarray(rgb, np.float32) + o, 0))
        return np.asarray(np.minimum(code + 0.5, 65535), np.uint16)

    def decode(self, code: NDArray[Any]) -> F32:
        """White-balanced camera light (3, H, W) float32 of a code; the algebraic inverse."""
        o = np.asarray(self.offset, np.float32)[:, None, None]
        return (np.asarray(code, np.float32) / np.float32(self.scale)) ** 2 - o


Values = Mapping[str, Mapping[str, Any]]  # stage → parameter → value: a resolved recipe


def replace(frame: Frame, **changes: Any) -> Frame:
    """A copy of `frame` with some fields changed."""
    return dataclasses.replace(frame, **changes)
