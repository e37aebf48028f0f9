"""Reading raw files: what the sensor recorded, with everything the file says about it.

`open(path)` looks at the first bytes, not at the name: DNG goes through our own reader, other makers' raws through
LibRaw, a bare mosaic (.raw, .png) through the description that lies beside it. A file that cannot be read raises
RawError with one line: which file, what is wrong, what can be done.
"""

from __future__ import annotations

import functools
import mmap
import os
import pathlib
import stat

from ..types import Frame, RawError
from . import tags
from .info import describe
from .tiff import Tiff

__all__ = ["describe", "glance", "open"]

_OTHER = ((b"\xff\xd8\xff", "a JPEG"), (b"GIF8", "a GIF"), (b"%PDF", "a PDF"), (b"PK\x03\x04", "a ZIP archive"))


def open(path: str | os.PathLike[str]) -> Frame:
    """The frame in a raw file. Raises RawError for whatever stands in the way; nothing else escapes."""
    return _guarded(pathlib.Path(path), False)


def glance(path: str | os.PathLike[str]) -> Frame:
    """The frame in a raw file, shut where that spares decoding its pixels: where it is a DNG, and plain.

    Raises RawError as `open` does.
    """
    return _guarded(pathlib.Path(path), True)


def _guarded(path: pathlib.Path, shut: bool) -> Frame:
    try:
        return _open(path, shut)
    except RawError as e:
        said = str(e)
        raise (e if said.startswith(f"{path}: ") else RawError(f"{path}: {said}")) from e.__cause__
    except FileNotFoundError:
        raise RawError(f"{path}: no such file") from None
    except OSError as e:
        raise RawError(f"{path}: cannot be read ({e.strerror or e})") from None
    except MemoryError:
        raise RawError(
            f"{path}: asks for more memory than there is; close other programs or take a smaller file"
        ) from None
    except Exception as e:  # whatever a damaged file does to a decoder, the user gets one line
        raise RawError(f"{path}: is damaged ({type(e).__name__}: {str(e)[:100]}); copy it again from the camera") from e


def _open(path: pathlib.Path, shut: bool) -> Frame:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise RawError("is a directory; name the raw files in it")
    if not stat.S_ISREG(mode):
        raise RawError("is not a regular file")
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise RawError("is empty; copy it again from the camera")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            # Memory views keep the map alive beyond the block: a copy costs 1 ms per 10 MB and cannot dangle.
            return _dispatch(path, bytes(mapped[:16]), mapped, shut)


def _dispatch(path: pathlib.Path, head: bytes, mapped: mmap.mmap, shut: bool) -> Frame:
    if path.suffix.lower() == ".raw" and path.with_suffix(".json").is_file():
        from . import sidecar

        return sidecar.headerless(path, mapped)
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        tiff = Tiff(mapped)
        first = next(tiff.chain(), None)
        if first is None:
            raise RawError("a TIFF without directories; the file is damaged")
        if tags.DNG_VERSION in first:
            from . import beside, dng

            frame = dng.read(path, mapped, Tiff(mapped), functools.partial(open, path) if shut else None)
            beside.supplement(frame, path)
            return frame
        if path.suffix.lower() in (".dng", ".tif", ".tiff"):
            raise RawError(
                "is a TIFF but no DNG: it holds a finished picture or no DNG version; give the camera's raw file"
            )
    elif head[:8] == b"\x89PNG\r\n\x1a\n":
        from . import sidecar

        return sidecar.png(path, mapped)
    elif path.suffix.lower() == ".dng":
        raise RawError("is not a DNG: it does not begin like a TIFF; copy it again from the camera")
    for magic, what in _OTHER:
        if head.startswith(magic):
            raise RawError(f"is {what}, not a raw file; give the camera's raw file")
    if path.suffix.lower() == ".raw":
        from . import sidecar

        return sidecar.headerless(path, mapped)
    from . import other

    return other.read(path, mapped)
