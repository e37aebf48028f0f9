"""What a Frame says, in DNG tags. Numbers of tags and their types after [DNG17] chapter 4."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from .. import cfa
from ..types import CameraColour, Frame, HueSatMap
from . import exif, ifd, opcodes
from .ifd import Entry, Ifd

# Tags that exist once per calibration illuminant: 1, 2, 3.
_ILLUMINANT = (50778, 50779, 52529)
_ILLUMINANT_DATA = (52533, 52534, 52535)
_COLOR_MATRIX = (50721, 50722, 52531)
_CALIBRATION = (50723, 50724, 52530)
_FORWARD_MATRIX = (50964, 50965, 52532)
_HUE_SAT_DATA = (50938, 50939, 52537)
_HUE_SAT_DIMS, _HUE_SAT_ENCODING = 50937, 51107
_LOOK_DIMS, _LOOK_DATA, _LOOK_ENCODING = 50981, 50982, 51108

OF_RAW = (51041, 51008, 51009, 51022)  # noise and opcodes stand beside the samples, all else in the first directory

_MATRIX_UNIT = 1_000_000


def black_and_white(frame: Frame, planes: int) -> Ifd:
    """Black level with its repeat pattern and its rows and columns, white level."""
    rows, columns = frame.black.shape[:2]
    white = [max(round(w), 1) for w in (frame.white if len(frame.white) == planes else frame.white[:1] * planes)]
    tags: Ifd = {
        50713: ifd.short(rows, columns),
        50714: ifd.rational(np.broadcast_to(frame.black, (rows, columns, planes)).ravel().tolist()),
        50717: ifd.long(*white),
    }
    for tag, delta in ((50715, frame.black_column), (50716, frame.black_row)):
        if delta is not None:
            tags[tag] = ifd.rational(np.asarray(delta, float).tolist(), signed=True)
    return tags


def layout(frame: Frame, size: tuple[int, int]) -> Ifd:
    """Colour filters, active area, default crop: the geometry of the stored samples."""
    height, width = size
    top, left, rows, columns = frame.crop or (0, 0, height, width)
    tags: Ifd = {
        50829: ifd.long(0, 0, height, width),
        50719: ifd.long(left, top),
        50720: ifd.long(columns, rows),
        50718: ifd.rational([1, 1], denominator=1),
    }
    if frame.cfa not in ("MONO", "RGB"):
        cells = cfa.grid(frame.cfa)
        tags |= {
            33421: ifd.short(*cells.shape),
            33422: ifd.octets(cells.ravel().tolist()),
            50710: ifd.octets([0, 1, 2]),
            50711: ifd.short(1),
        }
    return tags


def lists(frame: Frame) -> Ifd:
    """Opcode lists 1 to 3, where there is something in them."""
    made = ((51008, opcodes.before_linear), (51009, opcodes.on_linear), (51022, opcodes.after_demosaic))
    return {tag: ifd.octets(data, ifd.UNDEFINED) for tag, make in made if (data := make(frame))}


def colour(c: CameraColour) -> Ifd:
    """Calibrations, analog balance and white of the camera."""
    tags: Ifd = {50727: ifd.rational(c.analog_balance)}
    for i, calibration in enumerate(c.calibrations[:3]):
        tags[_ILLUMINANT[i]] = ifd.short(calibration.illuminant)
        tags[_COLOR_MATRIX[i]] = _matrix(calibration.color_matrix)
        if calibration.forward_matrix is not None:
            tags[_FORWARD_MATRIX[i]] = _matrix(calibration.forward_matrix)
        if calibration.camera_calibration is not None:
            tags[_CALIBRATION[i]] = _matrix(calibration.camera_calibration)
        if calibration.white_xy is not None:
            xy = ifd.rational(calibration.white_xy)[2]
            tags[_ILLUMINANT_DATA[i]] = ifd.octets(struct.pack("<H", 0) + xy, ifd.UNDEFINED)
        if calibration.hue_sat_map is not None:
            tags |= _table(calibration.hue_sat_map, _HUE_SAT_DIMS, _HUE_SAT_DATA[i], _HUE_SAT_ENCODING)
    if c.look_table is not None:
        tags |= _table(c.look_table, _LOOK_DIMS, _LOOK_DATA, _LOOK_ENCODING)
    if c.as_shot_neutral is not None:
        tags[50728] = ifd.rational(c.as_shot_neutral)
    elif c.as_shot_xy is not None:
        tags[50729] = ifd.rational(c.as_shot_xy)
    return tags


def _matrix(m: object) -> Entry:
    return ifd.rational(np.asarray(m, float).ravel().tolist(), signed=True, denominator=_MATRIX_UNIT)


def _table(t: HueSatMap, dims: int, data: int, encoding: int) -> Ifd:
    values, hues, sats = t.table.shape[:3]
    flat = np.asarray(t.table, "<f4")
    return {
        dims: ifd.long(hues, sats, values),
        data: (ifd.FLOAT, flat.size, flat.tobytes()),
        encoding: ifd.long(int(t.srgb_value)),
    }


def general(frame: Frame, size: tuple[int, int], private: bool = False) -> Ifd:
    """Version, camera, noise, baseline exposure, EXIF and XMP: what describes the file and the shot."""
    entries = exif.directory(frame.exif, size, private=private)
    exif.only_facts(entries)
    shot = entries[ifd.EXIF]
    assert isinstance(shot, dict)
    _expose(shot, frame)
    model = f"{frame.make} {frame.model}".strip() or "unknown camera"
    entries |= {
        50706: ifd.octets((1, 6, 0, 0)),
        50707: ifd.octets((1, 3, 0, 0) if _old(frame) else (1, 6, 0, 0)),
        50708: ifd.ascii(model),
        50730: ifd.rational([frame.baseline_exposure_ev], signed=True),
        274: ifd.short(frame.orientation),
        **lists(frame),
        **(colour(frame.colour) if frame.cfa != "MONO" else {}),
    }
    for tag, name in ((271, frame.make), (272, frame.model)):
        if name:
            entries[tag] = ifd.ascii(name)
    if frame.noise is not None:
        profile = list(zip(frame.noise.scale, frame.noise.offset, strict=True))[: 1 if frame.cfa == "MONO" else 3]
        entries[51041] = ifd.double([v for pair in profile for v in pair])
    if frame.xmp:
        entries[700] = ifd.octets(frame.xmp)
    return entries


def _old(frame: Frame) -> bool:
    """Whether a reader of DNG 1.3 sees all that matters: 1.6 brought the third illuminant and free white points."""
    calibrations = frame.colour.calibrations
    return len(calibrations) < 3 and all(c.white_xy is None for c in calibrations)


def _expose(shot: Ifd, frame: Frame) -> None:
    """Fill in, where the EXIF block does not say it, what is known of the exposure."""
    e = frame.exposure
    fractions: Sequence[tuple[int, float | None]] = ((0x829A, e.time_s), (0x829D, e.aperture), (0x920A, e.focal_mm))
    for tag, value in fractions:
        if value is not None:
            shot.setdefault(tag, ifd.rational([value]))
    if e.iso is not None:
        shot.setdefault(0x8827, ifd.short(min(round(e.iso), 65535)))
    if e.taken is not None:
        shot.setdefault(0x9003, ifd.ascii(e.taken[:19].replace("-", ":").replace("T", " ")))
