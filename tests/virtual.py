"""A simple camera for tests of what comes after: light in, one raw frame out, known in every number.

The simulator's sensors are not used, so that reading and developing are tested by other means than those that made the
examples: a linear mix of XYZ as colour response, shading that falls off as cos⁴ and is declared in GainMaps,
Poisson-Gauss noise that is declared in the NoiseProfile, a full well and an ADC.
"""

from __future__ import annotations

import pathlib

import numpy as np

from lichtbild.light import WHITE_D65, rgb_to_xyz
from lichtbild.types import F32, F64, Calibration, CameraColour, Exposure, Frame, GainMap, Noise

# XYZ → camera: a plausible silicon camera with broad, overlapping channels (our own numbers).
COLOR_MATRIX = np.array([[0.80, -0.22, -0.06], [-0.44, 1.22, 0.24], [-0.08, 0.20, 0.62]])
BLACK_DN, WHITE_DN = 512, 16383
NOISE = Noise((1.6e-4,) * 3, (6e-8,) * 3)  # at base ISO; the scale grows with ISO, the offset with its square
CORNER_FALL_OFF = 0.55  # light left in the corner
BLUR = 0.18  # part of a pixel's light that falls on each of its two neighbours: a good lens at this pixel pitch


def shading(shape: tuple[int, int]) -> F64:
    """Relative illumination (H, W): cos⁴ of an angle that leaves CORNER_FALL_OFF in the corners."""
    y = np.linspace(-1, 1, shape[0])[:, None]
    x = np.linspace(-1, 1, shape[1])[None, :]
    tan2 = (CORNER_FALL_OFF**-0.5 - 1) * (x * x + y * y) / 2
    return np.asarray(1 / (1 + tan2) ** 2)


def _spread(light: F32, axis: int) -> F32:
    """The lens's blur along one axis; the edge is repeated."""
    width = [(1, 1) if a == axis else (0, 0) for a in range(3)]
    padded = np.moveaxis(np.pad(light, width, mode="edge"), axis, 0)
    blurred = (1 - 2 * BLUR) * padded[1:-1] + BLUR * (padded[:-2] + padded[2:])
    return np.asarray(np.moveaxis(blurred, 0, axis), np.float32)


def _gain_maps(rows: int = 13, columns: int = 17) -> tuple[GainMap, ...]:
    """One map per CFA site, as cameras write them; the region is filled in by the caller's frame size."""
    gains = (1 / shading((rows, columns))).astype(np.float32)[:, :, None]
    step = (1 / (rows - 1), 1 / (columns - 1))
    return tuple(GainMap(top, left, 0, 0, 0, 1, 2, 2, step, (0.0, 0.0), gains) for top in (0, 1) for left in (0, 1))


def expose(light: F32, exposure: float, iso: float = 100, seed: int = 1, time_s: float = 1 / 250) -> Frame:
    """Take a picture of `light` (3, H, W), linear sRGB primaries; `exposure` = camera light of a white card's green.

    Returns an RGGB frame of the same size: 14 bits, black level, shading and noise as declared in its own fields.
    """
    _, height, width = light.shape
    light = _spread(_spread(light, 1), 2)
    camera = (COLOR_MATRIX @ rgb_to_xyz("srgb")).astype(np.float32)
    neutral = COLOR_MATRIX @ rgb_to_xyz("srgb").sum(axis=1)
    signal = np.empty((height, width), np.float32)
    for row in (0, 1):
        for column in (0, 1):
            weights = camera[row + column] * np.float32(exposure / neutral[1])
            signal[row::2, column::2] = np.tensordot(weights, light[:, row::2, column::2], 1)
    signal = np.maximum(signal, 0) * shading((height, width)).astype(np.float32)
    scale, offset = NOISE.scale[0] * iso / 100, NOISE.offset[0] * (iso / 100) ** 2
    rng = np.random.default_rng(seed)
    electrons = rng.poisson(np.minimum(signal, 4) / scale).astype(np.float32)
    value = electrons * scale + rng.standard_normal((height, width), np.float32) * offset**0.5
    counts = np.rint(np.clip(value, -1, 1) * (WHITE_DN - BLACK_DN) + BLACK_DN).clip(0, WHITE_DN).astype(np.uint16)
    maps = tuple(_region(m, height, width) for m in _gain_maps())
    r, g, b = (float(n) for n in neutral / neutral[1])
    return Frame(
        path=pathlib.Path("simulated.dng"), cfa="RGGB", mosaic=counts, rgb=None,
        black=np.full((1, 1, 1), BLACK_DN, np.float32), white=(WHITE_DN,),
        colour=CameraColour((Calibration(21, COLOR_MATRIX, white_xy=WHITE_D65),), as_shot_neutral=(r, g, b)),
        noise=Noise((scale,) * 3, (offset,) * 3), gain_maps=maps, make="lichtbild", model="virtual camera 1",
        exposure=Exposure(iso, time_s, 1.9, 8.7, "2026-11-21T16:42:00"),
    )  # fmt: skip


def _region(m: GainMap, height: int, width: int) -> GainMap:
    return GainMap(m.top, m.left, height, width, m.plane, m.planes, 2, 2, m.spacing, m.origin, m.gains)
