"""What a finished photograph is before it becomes a file, and how the file should be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..types import F32, U8, U16, Frame, LichtbildError

Triple = tuple[float, float, float]

SPACES = ("srgb", "p3")
SUBSAMPLINGS = ("420", "422", "444")


class ExportError(LichtbildError):
    """A photograph that cannot be written as asked."""


@dataclass(frozen=True)
class GainMapMeta:
    """How the codes of a gain map become gains, per channel R, G, B of the base rendition's own RGB space.

    Code g in 0..255 of channel c at a map pixel means

        log2 gain = gain_min[c] + (gain_max[c] - gain_min[c]) · (g / 255) ** (1 / gamma[c])
        hdr       = (sdr + offset_sdr[c]) · 2 ** (w · log2 gain) - offset_hdr[c]

    where `sdr` and `hdr` are linear light, 1.0 = the white of the base rendition, and w in 0..1 grows linearly from a
    display without headroom (w = 0) to one with `headroom` stops (log2 of peak over white) or more (w = 1). So a
    writer of maps codes

        g = round(255 · ((log2((hdr + offset_hdr) / (sdr + offset_sdr)) - gain_min) / (gain_max - gain_min)) ** gamma)

    Map pixels are cell-centred: pixel (i, j) of a map of half size stands for the block of 2x2 pixels at (2i, 2j).
    Source: [ISO21496-1] 5.2 and 6.3; the same maths as in [UltraHDR].
    """

    gain_min: Triple = (0.0, 0.0, 0.0)
    gain_max: Triple = (3.0, 3.0, 3.0)
    gamma: Triple = (1.0, 1.0, 1.0)
    offset_sdr: Triple = (1 / 64, 1 / 64, 1 / 64)
    offset_hdr: Triple = (1 / 64, 1 / 64, 1 / 64)
    headroom: float = 3.0

    def __post_init__(self) -> None:
        finite = np.isfinite([*self.gain_min, *self.gain_max, *self.gamma, *self.offset_sdr, *self.offset_hdr])
        if not (finite.all() and 0 < self.headroom <= 16):
            raise ValueError(f"gain map: expected finite numbers and a headroom in 0..16 stops, got {self}")
        if any(hi < lo for lo, hi in zip(self.gain_min, self.gain_max, strict=True)):
            raise ValueError(f"gain map: expected gain_max >= gain_min, got {self.gain_max} < {self.gain_min}")
        if any(g <= 0 for g in self.gamma):
            raise ValueError(f"gain map: expected gamma > 0, got {self.gamma}")


@dataclass(frozen=True)
class Rendition:
    """A photograph ready to be written: display-encoded pixels and everything that travels with them.

    `sdr` (H, W, 3) uint8 or uint16 with the transfer curve of sRGB, upright. `gain` (h, w, 3) uint8 is a map of about
    half or quarter size whose codes `meta` explains. `exif` is an EXIF block and `xmp` an XMP packet of the raw file;
    `recipe` is the resolved recipe as text, and `description` holds more facts under names of our own XMP namespace.
    A DNG needs `light` (3, h, w) float32, camera light without white balance, and the `frame` it comes from.
    """

    sdr: U8 | U16
    space: str = "srgb"
    gain: U8 | None = None
    meta: GainMapMeta | None = None
    exif: bytes = b""
    xmp: bytes = b""
    recipe: str = ""
    description: Mapping[str, str] = field(default_factory=dict)
    light: F32 | None = None
    frame: Frame | None = None

    def __post_init__(self) -> None:
        check_pixels("sdr", self.sdr, (np.uint8, np.uint16))
        if self.space not in SPACES:
            raise ValueError(f"space: expected one of {', '.join(SPACES)}, got '{self.space}'")
        if (self.gain is None) != (self.meta is None):
            raise ValueError("a gain map needs both: its pixels (gain) and their meaning (meta)")
        if self.gain is not None:
            check_pixels("gain", self.gain, (np.uint8,))

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return (int(self.sdr.shape[0]), int(self.sdr.shape[1]))

    def bits8(self) -> U8:
        """`sdr` in 8 bits; a 16-bit rendition is rounded."""
        if self.sdr.dtype == np.uint8:
            return np.ascontiguousarray(self.sdr)
        # 65535 / 255 = 257: adding half of it rounds to nearest, in 32 bits so that white does not wrap.
        return ((self.sdr.astype(np.uint32) + 128) // 257).astype(np.uint8)

    def bits16(self) -> U16:
        """`sdr` in 16 bits; an 8-bit rendition is stretched so that white stays white."""
        if self.sdr.dtype == np.uint16:
            return np.ascontiguousarray(self.sdr)
        return self.sdr.astype(np.uint16) * np.uint16(257)


@dataclass(frozen=True)
class Options:
    """How to write. Every format takes what concerns it.

    quality      JPEG, AVIF and JPEG XL: 1..100, the usual scale. 92 leaves no difference that shows at 100 %.
    subsampling  JPEG chroma: "420", "422" or "444".
    hdr          JPEG: write the gain map if the rendition has one.
    private      leave out the place (GPS), serial numbers and names of owners.
    threads      how many threads encode; 0 = as many as the processor has cores.
    """

    quality: int = 92
    subsampling: str = "420"
    hdr: bool = True
    private: bool = False
    threads: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise ExportError(f"quality: expected 1..100, got {self.quality}")
        if self.subsampling not in SUBSAMPLINGS:
            raise ExportError(f"subsampling: expected one of {', '.join(SUBSAMPLINGS)}, got '{self.subsampling}'")


def check_pixels(name: str, pixels: object, dtypes: tuple[type, ...]) -> None:
    """Raise ValueError unless `pixels` is a non-empty (H, W, 3) array of one of `dtypes`."""
    kinds = " or ".join(np.dtype(d).name for d in dtypes)
    if not isinstance(pixels, np.ndarray):
        raise ValueError(f"{name}: expected an array (H, W, 3) {kinds}, got {type(pixels).__name__}")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape or pixels.dtype not in dtypes:
        raise ValueError(f"{name}: expected (H, W, 3) {kinds}, got {pixels.shape} {pixels.dtype}")
