"""`lichtbild merge`: one raw file of a burst, and a picture of how it was merged."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from ... import export, recipe, shot
from ...develop import binning, composite
from ...export import dng
from ...types import F32, U8, LichtbildError
from .words import Usage, complain, emit

_CELL = 4  # pixels per side of a cell in the report


def run(
    files: Sequence[str], output: str, cfa: bool, report: str | None, sets: Sequence[str], overwrite: bool, json: bool
) -> int:
    """Merge the burst into the DNG `output`. Raises Usage for names that cannot be meant so."""
    out, picture = pathlib.Path(output), pathlib.Path(report) if report else None
    _check(out, picture, overwrite)
    try:
        made = recipe.resolve("night", sets=sets)
    except LichtbildError as e:
        raise Usage(str(e)) from None
    whole = shot.open(files[0] if len(files) == 1 else files)
    if made.values["demosaic"]["bin"]:
        whole = binning.shot(whole)
    for remark in whole.remarks:
        complain(remark)
    original = whole.reference.cfa
    if cfa and original == "RGB":
        raise LichtbildError(f"{whole.path}: its frames hold three colours per pixel: leave out --cfa")
    merged, how = composite.as_frame(whole.frames, made.values)
    for remark in how.left_out:
        complain(remark)
    out.parent.mkdir(parents=True, exist_ok=True)
    dng.write_frame(out, composite.as_mosaic(merged, original) if cfa else composite.from_black(merged))
    if picture is not None:
        export.write(picture, export.Rendition(drawn(how.frames, 1 + len(how.others)), "srgb"))
    if json:
        believed = dict(zip(how.others, how.believed, strict=True))
        emit(
            {
                "output": str(out),
                "reference": how.reference,
                "believed": believed,
                "left_out": [*whole.remarks, *how.left_out],
            }
        )
    return 0


def _check(out: pathlib.Path, picture: pathlib.Path | None, overwrite: bool) -> None:
    for path, kind in ((out, ".dng"), (picture, ".png")):
        if path is None:
            continue
        if path.suffix.lower() != kind:
            raise Usage(f"{path}: expected a name that ends in {kind}")
        if os.path.lexists(path) and not overwrite:
            raise LichtbildError(f"{path}: exists; choose another name or give --overwrite")


def drawn(frames: F32, most: int) -> U8:
    """(H, W, 3) uint8: cells as bright as the part of the frames that counts there; black = the reference alone."""
    part = (frames - 1) / max(most - 1, 1)
    grey = np.asarray(np.clip(part, 0, 1) * 255 + 0.5, np.uint8).repeat(_CELL, 0).repeat(_CELL, 1)
    return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, 2))
