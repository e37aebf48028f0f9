"""EXIF of the finished photograph: what the camera said about the exposure, corrected for what has been done since.

The picture is upright now, has another size and colour space, and was written by us; maker notes and the thumbnail
describe another file. Only tags that still hold for a finished photograph are kept. Source: [EXIF3] 4.6.4 and 4.6.5.
"""

from __future__ import annotations

from .. import __version__
from . import ifd
from .ifd import Ifd

SOFTWARE = f"lichtbild {__version__}"

# Of IFD0, all else describes the layout of the raw file: description, make, model, date, artist, rating, copyright.
_KEEP = (0x010E, 0x010F, 0x0110, 0x0132, 0x013B, 0x4746, 0x4749, 0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F)
# Maker note, interoperability, related sound, size and colour space of the old file, subject area in old pixels,
# source bits per sample; DNG's private EXIF tags.
_DROP_EXIF = (0x927C, 0xA005, 0xA004, 0xA001, 0xA002, 0xA003, 0x9214, 0xA214, 0x9102, 0xA20C, 0xA20E, 0xA20F, 0xA210)
# Artist, XP author, copyright | camera owner, body serial, lens serial, unique image id, user comment.
_PRIVATE_IFD0 = (0x013B, 0x9C9D, 0x8298)
_PRIVATE_EXIF = (0xA430, 0xA431, 0xA435, 0xA420, 0x9286)
_ORIENTATION, _X_DENSITY, _Y_DENSITY, _UNIT, _SOFTWARE, _YCBCR_SITING = 0x0112, 0x011A, 0x011B, 0x0128, 0x0131, 0x0213
_VERSION, _COMPONENTS, _FLASHPIX, _COLOUR_SPACE, _X, _Y = 0x9000, 0x9101, 0xA000, 0xA001, 0xA002, 0xA003
_GPS_VERSION = 0


def directory(exif: bytes, size: tuple[int, int], space: str = "srgb", private: bool = False) -> Ifd:
    """IFD0 for a finished photograph of `size` (rows, columns) from the EXIF block of the raw file, which may be empty.

    `space` other than "srgb" is "uncalibrated" to EXIF: the ICC profile says what it is. With `private`, GPS, serial
    numbers and names are left out.
    """
    raw = ifd.read(exif)
    kept: Ifd = {tag: raw[tag] for tag in _KEEP if tag in raw and not (private and tag in _PRIVATE_IFD0)}
    shot = raw.get(ifd.EXIF)
    exposure: Ifd = dict(shot) if isinstance(shot, dict) else {}
    for tag in (*_DROP_EXIF, *(_PRIVATE_EXIF if private else ())):
        exposure.pop(tag, None)
    exposure.setdefault(_VERSION, ifd.octets(b"0232", ifd.UNDEFINED))
    exposure[_COMPONENTS] = ifd.octets(bytes((1, 2, 3, 0)), ifd.UNDEFINED)
    exposure[_FLASHPIX] = ifd.octets(b"0100", ifd.UNDEFINED)
    exposure[_COLOUR_SPACE] = ifd.short(1 if space == "srgb" else 0xFFFF)
    exposure[_X], exposure[_Y] = ifd.long(size[1]), ifd.long(size[0])
    kept |= {
        _ORIENTATION: ifd.short(1),
        _X_DENSITY: ifd.rational([72], denominator=1),
        _Y_DENSITY: ifd.rational([72], denominator=1),
        _UNIT: ifd.short(2),
        _SOFTWARE: ifd.ascii(SOFTWARE),
        _YCBCR_SITING: ifd.short(1),
        ifd.EXIF: exposure,
    }
    place = raw.get(ifd.GPS)
    if isinstance(place, dict) and place and not private:
        kept[ifd.GPS] = {_GPS_VERSION: ifd.octets((2, 3, 0, 0))} | place
    return kept


def only_facts(entries: Ifd) -> None:
    """Take out, in place, what EXIF asks of JPEG only: TIFF and DNG say it in their own tags."""
    entries.pop(_YCBCR_SITING, None)
    shot = entries.get(ifd.EXIF)
    if isinstance(shot, dict):
        for tag in (_COMPONENTS, _X, _Y):
            shot.pop(tag, None)
