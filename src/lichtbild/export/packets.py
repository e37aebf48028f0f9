"""XMP packets found in photographs: JPEG, TIFF, PNG, AVIF and JPEG XL.

XMP is made to be found without knowing the format: packets stand in the file uncompressed and unbroken between
`<?xpacket begin` and `<?xpacket end`, so one scan serves all. Source: [XMP3] "packet scanning".
"""

from __future__ import annotations

import os
import pathlib
import re

from . import xmp
from .rendition import ExportError

_PACKET = re.compile(rb"<\?xpacket begin=.{0,80}?\?>(.*?)<\?xpacket end=", re.S)


def recipe(path: str | os.PathLike[str]) -> str | None:
    """The first recipe of ours in the packets of a file. Raises ExportError where the file cannot be read."""
    try:
        data = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise ExportError(f"{path}: cannot be read ({error.strerror or error})") from error
    if xmp.NAMESPACE.encode() not in data:
        return None
    texts = (xmp.recipe(found[1]) for found in _PACKET.finditer(data))
    return next((text for text in texts if text is not None), None)
