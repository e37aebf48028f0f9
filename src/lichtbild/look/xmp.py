"""Creative profiles for Camera Raw and its kin: a table of colours inside an XMP file.

Such a profile is laid over what the program's own camera profile makes of a raw file, so its table is the one of a
.cube: a finished picture goes in. The table travels as text: differences from the identity in 16 bits, deflated, in
base 85. The maker of the format has published it as source code only ([DNGSDK], class dng_rgb_table). What is here was
written from descriptions of the bytes, and tried on files of our own alone: the maker's programs we do not have.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
import xml.etree.ElementTree as xml
import zlib

import numpy as np

from ..types import F32
from .lut import Table
from .spec import LookError

MOST = 32  # points along an edge that the format allows
PRIMARIES = {"srgb": 0, "p3": 3, "rec2020": 4}  # of 1 = Adobe RGB and 2 = ProPhoto nothing of ours is made
_SRGB_CURVE = 1
_CRS = "http://ns.adobe.com/camera-raw-settings/1.0/"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?`'|()[]{}@%$#"
_VALUES = {digit: i for i, digit in enumerate(_DIGITS)}
_HEAD = "<4I"  # kind (1 = RGB table), version, dimensions, points along an edge
_FOOT = "<3I2d"  # primaries, curve, what to do outside the gamut, least and most amount
_LONGEST = 1 << 20


def write(values: F32, name: str, title: str, space: str) -> str:
    """The profile of a table `values` (n, n, n, 3), indexed blue, green, red, in 0..1, both ends encoded `space`."""
    block = _block(values, space)
    mark = hashlib.md5(block, usedforsecurity=False).hexdigest().upper()
    text = _encode(struct.pack("<I", len(block)) + zlib.compress(block, 9))
    from xml.sax.saxutils import escape, quoteattr  # late: it brings a web client along, 15 ms

    facts = {
        "PresetType": "Look", "Cluster": "", "UUID": uuid.uuid5(uuid.NAMESPACE_URL, mark).hex.upper(),
        "SupportsAmount": "True", "SupportsColor": "True", "SupportsMonochrome": "True",
        "SupportsHighDynamicRange": "True", "SupportsNormalDynamicRange": "True", "SupportsSceneReferred": "True",
        "SupportsOutputReferred": "True", "RequiresRGBTables": "False", "CameraModelRestriction": "",
        "Copyright": "No copyright, use freely", "Version": "14.3", "ProcessVersion": "11.0",
        "ConvertToGrayscale": "False", "RGBTable": mark, f"Table_{mark}": text, "HasSettings": "True",
    }  # fmt: skip
    attributes = "".join(f"\n   crs:{key}={quoteattr(value)}" for key, value in facts.items())
    said = f"{title}. In and out: encoded {space}; made for a picture in the look neutral."
    words = "".join(
        f'\n   <crs:{key}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></crs:{key}>'
        for key, text in (("Name", name), ("Group", "lichtbild"), ("Description", said))
    )
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'  <rdf:Description rdf:about="" xmlns:crs="{_CRS}"{attributes}>{words}\n'
        "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
    )


def read(text: str, where: str) -> tuple[Table, str]:
    """The table of a creative profile and the space of both its ends. Raises LookError in one line."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise LookError(f"{where}: declares a document type, which no XMP file does")
    try:
        nodes = list(xml.fromstring(text.strip("\ufeff\0 \n")).iter())
    except (xml.ParseError, ValueError, LookupError) as error:
        raise LookError(f"{where}: not XML: {error}") from None
    found = {key.rsplit("}", 1)[-1]: value for node in nodes for key, value in node.attrib.items() if _CRS in key}
    coded = found.get(f"Table_{found.get('RGBTable', '')}")
    if coded is None:
        raise LookError(f"{where}: it holds no table of colours (crs:RGBTable): only profiles with one can be read")
    try:
        return _table(_inflate(_decode(coded)))
    except (ValueError, struct.error, zlib.error) as error:
        raise LookError(f"{where}: its table of colours is damaged: {error}") from None


def _identity(n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """(n, n, n, 3) of the identity in 16 bits as the format rounds it, red slowest."""
    axis = (np.arange(n, dtype=np.int64) * 65535 + n // 2) // (n - 1)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)


def _block(values: F32, space: str) -> bytes:
    n = len(values)
    coded = (np.clip(values.transpose(2, 1, 0, 3), 0, 1) * 65535 + 0.5).astype(np.int64)
    body = ((coded - _identity(n)) & 0xFFFF).astype("<u2").tobytes()
    return struct.pack(_HEAD, 1, 1, 3, n) + body + struct.pack(_FOOT, PRIMARIES[space], _SRGB_CURVE, 0, 0.0, 2.0)


def _table(block: bytes) -> tuple[Table, str]:
    kind, version, dimensions, n = struct.unpack_from(_HEAD, block)
    if (kind, version, dimensions) != (1, 1, 3) or not 2 <= n <= MOST:
        raise ValueError(f"kind {kind}, version {version}, {dimensions} dimensions, {n} points are not known")
    end = 16 + 6 * n**3
    primaries, curve = struct.unpack_from(_FOOT, block, end)[:2]
    space = next((name for name, code in PRIMARIES.items() if code == primaries), None)
    if space is None or curve != _SRGB_CURVE:
        raise ValueError(f"primaries {primaries} with curve {curve} are not among sRGB, P3 and Rec.2020 with sRGB's")
    body = np.frombuffer(block, "<u2", 3 * n**3, 16).reshape(n, n, n, 3)
    values = ((body + _identity(n)) & 0xFFFF) / 65535.0
    return Table(np.ascontiguousarray(values.transpose(2, 1, 0, 3), np.float32)), space


def _inflate(data: bytes) -> bytes:
    size = struct.unpack_from("<I", data)[0]
    block: bytes = zlib.decompressobj().decompress(data[4:], _LONGEST)
    if len(block) != size:
        raise ValueError(f"{size} bytes were announced, {len(block)} came")
    return block


def _encode(data: bytes) -> str:
    """Four bytes become five digits, the least first; n bytes that are left over n + 1."""
    padded = np.frombuffer(data + bytes(-len(data) % 4), "<u4").astype(np.int64)
    digits = np.stack([padded // 85**i % 85 for i in range(5)], axis=1).ravel()
    count = len(digits) - -len(data) % 4
    return "".join(_DIGITS[d] for d in digits[:count].tolist())


def _decode(text: str) -> bytes:
    digits = [_VALUES[c] for c in text if c in _VALUES]
    if len(digits) > 2 * _LONGEST:
        raise ValueError(f"{len(digits)} digits are more than any table needs")
    missing = -len(digits) % 5
    groups = np.array(digits + [0] * missing, np.int64).reshape(-1, 5)
    words = groups @ np.array([85**i for i in range(5)])
    data: bytes = (words & 0xFFFFFFFF).astype("<u4").tobytes()
    return data[: 4 * len(groups) - missing]
