"""Colour: what the camera saw becomes colour of the scene.

In: white-balanced camera light (3, H, W), 1.0 = green saturation. Out: linear Rec.2020, D65, of the same shape; a
neutral stays exactly neutral. The file's calibrations (one, two or three lights) are mixed for the light of the scene;
a ForwardMatrix is preferred, else the ColorMatrix is inverted and the white adapted (Bradford). The camera profile's
hue and saturation table and its look table follow, in linear ProPhoto as the format asks.
A camera without a usable matrix is taken for a generic sensor, and the guess is reported.
Source: [DNG1.7.1] chapter 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import kernels
from ..light import WHITE_D50, WHITE_D65, adapt, convert, eotf, oetf, rgb_to_xyz
from ..stage import Stage, param, stage
from ..types import F32, F64, CameraColour, HueSatMap, White
from . import _camera


@stage("colour", "camera colour to scene colour by the camera's calibration")
class Colour(Stage):
    matrix: str = param("forward", doc="which matrix leads where the file has both", choices=("forward", "color"))
    hue_sat: bool = param(True, doc="apply the camera profile's hue and saturation table")
    look_table: bool = param(True, doc="apply the camera profile's look table")


@dataclass(frozen=True)
class ColourTable:
    """What `apply` needs. `matrix` (3, 3) float32: white-balanced camera light → linear Rec.2020, rows sum to 1.

    `hue_sat` and `look` (values, hues, sats, 3) float32 or None; `*_srgb`: their values are sRGB-encoded.
    """

    matrix: F32
    hue_sat: F32 | None = None
    hue_sat_srgb: bool = False
    look: F32 | None = None
    look_srgb: bool = False
    guesses: tuple[str, ...] = ()

    @property
    def passes(self) -> list[tuple[F32, F32, bool]]:
        """Matrix, table and whether its values are sRGB-encoded, for each table that there is, in their order."""
        tables = [(self.hue_sat, self.hue_sat_srgb), (self.look, self.look_srgb)]
        known = [(t, srgb) for t, srgb in tables if t is not None]
        unit = np.eye(3, dtype=np.float32)
        return [(unit if i else self.matrix, t, srgb) for i, (t, srgb) in enumerate(known)]


def prepare(colour: CameraColour, white: White, values: Mapping[str, Any] | None = None) -> ColourTable:
    """The table of a camera under a white balance. `values`: the parameters of the stage (defaults if None).

    What the file did not say, or said absurdly, is listed in `guesses`.
    """
    chosen = Colour(**dict(values or {}))
    camera = _camera.read(colour)
    guesses = list(camera.guesses)
    matrix = _matrix(camera, white, chosen.matrix == "forward")
    if not _sane(matrix):
        guesses.append("colour: the matrices give absurd colours under this white; used a generic sensor")
        matrix = _matrix(_camera.read(_camera.GENERIC), white, True)
    hue_sat = _mixed_table(camera, white) if chosen.hue_sat else None
    look = colour.look_table if chosen.look_table else None
    if look is not None and not _camera.good_table(look):
        guesses.append("colour: ProfileLookTableData is absurd; left out")
        look = None
    return ColourTable(
        _exact(matrix),
        None if hue_sat is None else np.ascontiguousarray(hue_sat.table, np.float32),
        hue_sat is not None and hue_sat.srgb_value,
        None if look is None else np.ascontiguousarray(look.table, np.float32),
        look is not None and look.srgb_value,
        tuple(guesses),
    )


def _matrix(camera: _camera.Camera, white: White, forward: bool) -> F64:
    """White-balanced camera light → linear Rec.2020, rows scaled so that a neutral stays one."""
    neutral = 1.0 / np.asarray(white.gains, np.float64)
    mixed = camera.mix(white.xy)
    if forward and mixed.forward is not None:
        to_reference = np.linalg.inv(np.diag(camera.analog_balance) @ mixed.calibration)
        reference = to_reference @ neutral
        to_d50 = mixed.forward @ np.diag(1.0 / reference) @ to_reference
    else:
        neutral = camera.neutral(white.xy)  # the white's own, unless the camera is unknown
        to_d50 = adapt(white.xy, WHITE_D50) @ np.linalg.inv(camera.from_xyz(white.xy))
    to_rec2020 = np.linalg.solve(rgb_to_xyz("rec2020"), adapt(WHITE_D50, WHITE_D65) @ to_d50)
    balanced = to_rec2020 * neutral
    return np.asarray(balanced / balanced.sum(1, keepdims=True), np.float64)


def _sane(matrix: F64) -> bool:
    """Colours stay on their side of grey: finite, a strong diagonal, and no coefficient beyond any real sensor."""
    return bool(np.all(np.isfinite(matrix)) and np.all(np.diag(matrix) > 0.2) and np.abs(matrix).max() < 10)


def _exact(matrix: F64) -> F32:
    """`matrix` in float32 with rows that sum to 1 in float32, added from left to right."""
    out = np.asarray(matrix, np.float32)
    for row, i in zip(out, range(3), strict=True):
        for _ in range(8):
            error = (row[0] + row[1]) + row[2] - np.float32(1)
            if error == 0:
                break
            row[i] -= error
    return out


def _mixed_table(camera: _camera.Camera, white: White) -> HueSatMap | None:
    """The hue/saturation table for a light; the first one alone where the others are missing or differ in shape."""
    tables = [c.hue_sat_map for c in camera.calibrations]
    known = [t for t in tables if t is not None]
    if not known:
        return None
    if len(known) < len(tables) or len({t.table.shape for t in known}) > 1:
        return known[0]
    parts = camera.weights(white.xy).astype(np.float32)
    mixed = sum(p * t.table for p, t in zip(parts, known, strict=True))
    return HueSatMap(np.asarray(mixed, np.float32), known[0].srgb_value)


def apply(rgb: F32, table: ColourTable) -> F32:
    """White-balanced camera light (3, H, W) float32 → linear Rec.2020 (3, H, W) float32."""
    if not table.passes:
        return np.asarray((table.matrix @ rgb.reshape(3, -1)).reshape(rgb.shape), np.float32)
    for matrix, hue_sat, srgb in table.passes:
        out = np.empty(rgb.shape, np.float32)
        kernels.call("colour", rgb=rgb, matrix=matrix, table=hue_sat, srgb=srgb, output=out)
        rgb = out
    return rgb


def twin(rgb: F32, table: ColourTable) -> F32:
    """`apply` in NumPy float64, slow and obviously right."""
    out = np.einsum("ij,jhw->ihw", table.matrix.astype(np.float64), rgb.astype(np.float64))
    if table.hue_sat is not None:
        out = map_hue_sat(out, table.hue_sat, table.hue_sat_srgb)
    if table.look is not None:
        out = map_hue_sat(out, table.look, table.look_srgb)
    return np.asarray(out, np.float32)


def map_hue_sat(rgb: F64, table: F32, srgb: bool) -> F64:
    """Apply one table (values, hues, sats, 3) to linear Rec.2020 (3, H, W); the twin of kernels/colour.hue_sat_map."""
    r, g, b = p = np.einsum("ij,jhw->ihw", convert("rec2020", "prophoto"), rgb)
    value, gap = p.max(0), np.ptp(p, 0)
    safe = np.where(gap > 0, gap, 1)
    hue = np.where(value == r, ((g - b) / safe) % 6, np.where(value == g, (b - r) / safe + 2, (r - g) / safe + 4))
    saturation = np.where(value > 0, gap / np.where(value > 0, value, 1), 0)
    held = np.clip(value, 0, 1)
    shown = oetf(held) if srgb else held
    shift, more, brighter = _look_up(table.astype(np.float64), hue, saturation, shown)
    hue = (hue + shift / 60) % 6
    saturation = np.minimum(saturation * more, np.maximum(saturation, 1))
    lit = held > 0
    encoded = eotf(shown * brighter) / np.where(lit, held, 1) if srgb else brighter
    new_value = value * np.where(lit, encoded, brighter)
    away = np.stack([np.abs(hue - 3) - 1, 2 - np.abs(hue - 2), 2 - np.abs(hue - 4)]).clip(0, 1)
    mapped = new_value - new_value * saturation * (1 - away)
    return np.where(value > 0, np.einsum("ij,jhw->ihw", convert("prophoto", "rec2020"), mapped), rgb)


def _look_up(table: F64, hue: F64, saturation: F64, value: F64) -> F64:
    """(3, H, W): the table between its nodes; hues wrap around."""
    values, hues, sats, _ = table.shape
    at_h = hue * hues / 6
    h0 = np.clip(at_h.astype(int), 0, hues - 1)
    fh = at_h - h0
    at_s = np.clip(saturation * (sats - 1), 0, sats - 1)
    at_v = np.clip(value * (values - 1), 0, values - 1)
    s0, v0 = (np.minimum(at.astype(int), max(n - 2, 0)) for at, n in ((at_s, sats), (at_v, values)))
    fs, fv = at_s - s0, at_v - v0
    total = np.zeros((3, *hue.shape))
    for dv in (0, 1):
        for dh in (0, 1):
            for ds in (0, 1):
                part = (fv if dv else 1 - fv) * (fh if dh else 1 - fh) * (fs if ds else 1 - fs)
                node = table[np.minimum(v0 + dv, values - 1), (h0 + dh) % hues, np.minimum(s0 + ds, sats - 1)]
                total += part * np.moveaxis(node, -1, 0)
    return total
