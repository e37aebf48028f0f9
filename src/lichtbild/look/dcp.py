"""DNG camera profiles: a look as a table of hue, saturation and value and a tone curve, written and read.

A profile is the calibration of one camera and a look on top of it. The look is in the last two steps of the format:
in linear ProPhoto RGB a table turns hues and scales saturation and value, then a curve works on the largest and the
least of R, G, B, and the middle one keeps its share between them. What such steps cannot do is lost: greys stay grey,
whatever tint the look has. Of a profile that is read only these two steps count; matrices and the tables of calibration
belong to its camera.
Source: [DNG1.7.1] chapter 6 and the tags ProfileLookTable*, ProfileToneCurve, BaselineExposureOffset.
"""

from __future__ import annotations

import pathlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import light
from ..light import eotf, oetf
from ..types import F32, F64, CameraColour, HueSatMap, LichtbildError
from .spec import LookError

if TYPE_CHECKING:
    from ..raw.tiff import Ifd

HUES, SATS, VALUES = 36, 16, 32  # 18432 nodes: as many as the maker's programs take in a table of a look
_LIFT_EV = 0.9  # converters of this kind show mid grey about that much lighter than it is; ours do not
_CURVE = 256
_MOST_NODES, _MOST_POINTS = 1 << 20, 8192
_MAGIC = 0x4352
_BYTE, _ASCII, _SHORT, _LONG, _SRATIONAL, _FLOAT = 1, 2, 3, 4, 10, 11
_MODEL, _NAME, _CURVE_TAG, _POLICY, _COPYRIGHT = 50708, 50936, 50940, 50941, 50942
_LOOK_DIMS, _LOOK_DATA, _LOOK_ENCODING, _OFFSET_EV, _BLACK = 50981, 50982, 51108, 51109, 51110
_ILLUMINANT, _COLOUR, _FORWARD = (50778, 50779), (50721, 50722), (50964, 50965)
Display = Callable[[F64], F64]  # scene Rec.2020 (n, 3) → linear display light (n, 3) of Rec.2020, 0..1


@dataclass(frozen=True, eq=False)
class Profile:
    """The look of a camera profile: `table` may be missing; `curve` (n, 2), rising, from x = 0 to 1."""

    name: str
    camera: str
    table: HueSatMap | None
    curve: F64 | None
    offset_ev: float = 0.0

    def display(self, rgb: F64) -> F64:
        """Linear ProPhoto (n, 3), held in 0..1 → display light, linear ProPhoto (n, 3)."""
        held = np.clip(rgb, 0.0, 1.0)
        if self.table is not None:
            held = np.clip(_mapped(held, self.table), 0.0, 1.0)
        curve = self.curve
        return held if curve is None else _sorted_curve(held, lambda v: np.interp(v, curve[:, 0], curve[:, 1]))


def make(shown: Display, white: float, name: str, camera: str) -> Profile:
    """The profile of a look. `white`: scene light that the profile takes for 1, where the look is white."""
    at = np.concatenate([[0.0], eotf(np.linspace(0.0, 1.0, _CURVE)[1:])])
    greys = shown(np.repeat(at[:, None] * white, 3, axis=1)) @ np.asarray(light.REC2020_LUMA)
    greys = np.maximum.accumulate(np.clip(greys, 0.0, 1.0))
    greys[0], greys[-1] = 0.0, 1.0  # as the format wants it: what black there is begins one step above
    table = _table(shown, white, lambda v: np.interp(v, *_strict(greys, at)))
    curve = np.stack([at, greys], axis=1)
    return Profile(name, camera, HueSatMap(table, True), curve, _LIFT_EV - float(np.log2(white)))


def _strict(values: F64, at: F64) -> tuple[F64, F64]:
    """Only the points at which `values` rise: what an inverse needs."""
    keep = np.concatenate([[True], np.diff(values) > 0])
    return values[keep], at[keep]


def _table(shown: Display, white: float, back: Callable[[F64], F64]) -> F32:
    """(values, hues, sats, 3): what must happen before the curve so that the look comes out behind it."""
    hue = np.arange(HUES) * (6.0 / HUES)
    sat = np.maximum(np.linspace(0.0, 1.0, SATS), 0.02)  # of grey itself nothing can be asked: its neighbour tells
    value = eotf(np.maximum(np.linspace(0.0, 1.0, VALUES), 0.002))
    v, h, s = (a.ravel() for a in np.meshgrid(value, hue, sat, indexing="ij"))
    scene = _from_hsv(h, s, v) @ light.convert("prophoto", "rec2020").T * white
    wanted = np.clip(shown(scene) @ light.convert("rec2020", "prophoto").T, 0.0, 1.0)
    h2, s2, v2 = _to_hsv(_sorted_curve(wanted, back))
    shift = np.where(s2 > 1e-4, (h2 - h + 3.0) % 6.0 - 3.0, 0.0) * 60.0
    nodes = np.stack([shift, s2 / s, oetf(v2) / oetf(v)], axis=-1).reshape(VALUES, HUES, SATS, 3)
    nodes[:, :, 0, 2] = 1.0  # greys belong to the curve
    return np.ascontiguousarray(nodes, np.float32)


def _to_hsv(rgb: F64) -> tuple[F64, F64, F64]:
    """Hue in 0..6, saturation and value of (n, 3)."""
    r, g, b = rgb.T
    value, gap = rgb.max(axis=1), np.ptp(rgb, axis=1)
    safe = np.where(gap > 0, gap, 1.0)
    hue = np.where(value == r, ((g - b) / safe) % 6, np.where(value == g, (b - r) / safe + 2, (r - g) / safe + 4))
    return hue, gap / np.where(value > 0, value, 1.0), value


def _from_hsv(hue: F64, saturation: F64, value: F64) -> F64:
    away = np.stack([np.abs(hue - 3) - 1, 2 - np.abs(hue - 2), 2 - np.abs(hue - 4)], axis=-1).clip(0, 1)
    return np.asarray(value[:, None] * (1 - saturation[:, None] * (1 - away)), np.float64)


def _mapped(rgb: F64, table: HueSatMap) -> F64:
    from ..develop.colour import map_hue_sat  # late: develop needs looks

    turned = np.moveaxis(rgb @ light.convert("prophoto", "rec2020").T, -1, 0)[:, None]
    found = map_hue_sat(turned, table.table, table.srgb_value)[:, 0]
    return np.asarray(np.moveaxis(found, 0, -1) @ light.convert("rec2020", "prophoto").T, np.float64)


def _sorted_curve(rgb: F64, curve: Callable[[F64], F64]) -> F64:
    """The curve on the largest and the least of three; the middle one keeps its share of the way between them."""
    high, low = rgb.max(axis=1, keepdims=True), rgb.min(axis=1, keepdims=True)
    top, bottom = curve(high), curve(low)
    share = (rgb - low) / np.maximum(high - low, 1e-12)
    return np.asarray(bottom + np.where(high > low, share, 0.0) * (top - bottom), np.float64)


def write(profile: Profile, colour: CameraColour, copyright: str) -> bytes:
    """The file. `colour`: the calibrations of the camera that it is for; two of them at most are written."""
    assert profile.table is not None and profile.curve is not None
    values, hues, sats = profile.table.table.shape[:3]
    tags = {
        _MODEL: _words(profile.camera), _NAME: _words(profile.name), _COPYRIGHT: _words(copyright),
        _POLICY: (_LONG, 1, struct.pack("<I", 0)),
        _CURVE_TAG: _floats(profile.curve), _LOOK_DATA: _floats(profile.table.table),
        _LOOK_DIMS: (_LONG, 3, struct.pack("<3I", hues, sats, values)),
        _LOOK_ENCODING: (_LONG, 1, struct.pack("<I", int(profile.table.srgb_value))),
        _OFFSET_EV: _fractions(np.array([profile.offset_ev])), _BLACK: (_LONG, 1, struct.pack("<I", 1)),
    }  # fmt: skip
    for i, calibration in enumerate(colour.calibrations[:2]):
        tags[_ILLUMINANT[i]] = (_SHORT, 1, struct.pack("<H", calibration.illuminant))
        tags[_COLOUR[i]] = _fractions(calibration.color_matrix)
        if calibration.forward_matrix is not None:
            tags[_FORWARD[i]] = _fractions(calibration.forward_matrix)
    head, body = b"", b""
    start = 8 + 2 + 12 * len(tags) + 4
    for tag in sorted(tags):
        kind, count, data = tags[tag]
        place = data if len(data) <= 4 else struct.pack("<I", start + len(body))
        head += struct.pack("<HHI4s", tag, kind, count, place)
        body += data + bytes(len(data) % 2) if len(data) > 4 else b""
    return struct.pack("<2sHIH", b"II", _MAGIC, 8, len(tags)) + head + bytes(4) + body


def _words(text: str) -> tuple[int, int, bytes]:
    data = text.encode() + b"\0"
    return _ASCII, len(data), data


def _floats(values: F32 | F64) -> tuple[int, int, bytes]:
    return _FLOAT, values.size, np.asarray(values, "<f4").tobytes()


def _fractions(values: F64) -> tuple[int, int, bytes]:
    pairs = [v for number in np.ravel(values).tolist() for v in (round(number * 10000), 10000)]
    return _SRATIONAL, len(pairs) // 2, struct.pack(f"<{len(pairs)}i", *pairs)


def read(path: pathlib.Path) -> Profile:
    """The look of a camera profile. Raises LookError in one line."""
    from ..raw.tiff import Tiff

    try:
        data = path.read_bytes()
    except OSError as error:
        raise LookError(f"{path}: {error.strerror or error}") from None
    order = {b"II": "little", b"MM": "big"}.get(data[:2])
    if order is None or int.from_bytes(data[2:4], "little" if order == "little" else "big") != _MAGIC:
        raise LookError(f"{path}: not a DNG camera profile")
    plain = data[:2] + (b"*\0" if order == "little" else b"\0*") + data[4:]
    try:
        ifd = next(Tiff(plain).chain())
        name, camera = ifd.text(_NAME), ifd.text(_MODEL)
        table, curve = _read_table(ifd), _read_curve(ifd.numbers(_CURVE_TAG))
        offset = ifd.numbers(_OFFSET_EV)
    except (LichtbildError, ValueError, StopIteration) as error:
        raise LookError(f"{path}: {error or 'it holds nothing'}") from None
    if table is None and curve is None:
        raise LookError(f"{path}: neither a look table nor a tone curve: it holds a calibration, no look")
    known = offset is not None and len(offset) == 1 and np.isfinite(offset[0])
    return Profile(name, camera, table, curve, float(offset[0]) if offset is not None and known else 0.0)


def _read_table(ifd: Ifd) -> HueSatMap | None:
    dims, values = ifd.integers(_LOOK_DIMS), ifd.numbers(_LOOK_DATA)
    if dims is None or values is None:
        return None
    hues, sats, levels = (*dims, 1)[:3] if len(dims) in (2, 3) else (0, 0, 0)
    if min(hues, sats, levels) < 1 or hues * sats * levels > _MOST_NODES or len(values) != 3 * hues * sats * levels:
        raise ValueError(f"its look table of {dims} nodes holds {len(values)} numbers")
    if not np.isfinite(values).all() or np.abs(values).max() > 1e4:
        raise ValueError("its look table holds absurd numbers")
    table = values.astype(np.float32).reshape(levels, hues, sats, 3)
    return HueSatMap(table, ifd.integer(_LOOK_ENCODING, 0) == 1)


def _read_curve(values: F64 | None) -> F64 | None:
    if values is None:
        return None
    points = values.reshape(-1, 2) if len(values) % 2 == 0 else np.zeros((0, 2))
    if not 2 <= len(points) <= _MOST_POINTS or not np.isfinite(points).all() or not (np.diff(points[:, 0]) > 0).all():
        raise ValueError("its tone curve is no row of points from left to right")
    return np.clip(points, 0.0, 1.0)
