"""Finished photographs into files, and recipes back out of them.

One door: `write(path, rendition, options)`; the format follows from the extension. A file appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pathlib
import tempfile
from collections.abc import Iterable

from .rendition import ExportError, GainMapMeta, Options, Rendition

__all__ = ["ExportError", "GainMapMeta", "Options", "Rendition", "depth", "read_recipe", "write", "write_bytes"]

# Extension → module and the bits per channel that the format wants to be handed.
FORMATS = {
    ".jpg": ("jpeg", 8),
    ".jpeg": ("jpeg", 8),
    ".tif": ("tiff", 16),
    ".tiff": ("tiff", 16),
    ".png": ("png", 16),
    ".avif": ("avif", 16),
    ".jxl": ("jxl", 16),
    ".dng": ("dng", 8),  # the pixels are its preview
}


def _format(path: str | os.PathLike[str]) -> tuple[str, int]:
    extension = pathlib.Path(path).suffix.lower()
    if extension not in FORMATS:
        known = ", ".join(FORMATS)
        raise ExportError(f"{path}: cannot write '{extension or 'a file without extension'}', known are {known}")
    return FORMATS[extension]


def depth(path: str | os.PathLike[str]) -> int:
    """Bits per channel (8 or 16) in which the format of `path` wants its pixels. Raises ExportError if unknown."""
    return _format(path)[1]


def write(path: str | os.PathLike[str], rendition: Rendition, options: Options | None = None) -> list[str]:
    """Write a photograph; an existing file is replaced at once when the new one is complete.

    A DNG holds the `light` of the rendition, its pixels as a preview, and its recipe.

    Returns what had to be left out, one line each. Raises ExportError for an unknown extension or a photograph that
    the format cannot hold, and where the file cannot be written.
    """
    module = importlib.import_module(f".{_format(path)[0]}", __package__)
    pieces, notes = module.encode(rendition, options or Options())
    write_bytes(path, pieces)
    return list(notes)


def write_bytes(path: str | os.PathLike[str], pieces: Iterable[bytes]) -> None:
    """Write `pieces` beside `path`, then rename into place. On failure nothing is left. Raises ExportError."""
    target = pathlib.Path(path)
    part: pathlib.Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
        ) as f:
            part = pathlib.Path(f.name)
            f.writelines(pieces)
        part.chmod(0o666 & ~_umask())
        os.replace(part, target)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if part is not None:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()


def _umask() -> int:
    # There is no way to read it but to set it; a private temporary file must not stay private as a photograph.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_recipe(path: str | os.PathLike[str]) -> str | None:
    """The resolved recipe that a photograph of ours carries, whatever its format; None where it carries none."""
    from . import packets

    return packets.recipe(path)
