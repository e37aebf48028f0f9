"""Opening what a camera recorded: one file, several, or a folder becomes a Shot."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from . import bursts
from .types import Frame, LichtbildError, RawError, Shot, Shut

# What a folder is searched for. A mosaic without a header (.raw, .png) counts where its description lies beside it.
_NAMES = """
3fr ari arw cap cr2 cr3 crw dcr dcs dng erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf pef ptx raf rw2 rwl rwz sr2
srf srw x3f
"""
RAW = frozenset(f".{name}" for name in _NAMES.split())
BARE = frozenset((".raw", ".png"))

Where = str | os.PathLike[str]
_SOON = 3  # frames of a burst that are looked at first, for the sharpest of them


def raws(folder: pathlib.Path) -> list[pathlib.Path]:
    """The raw files that lie in a folder, by name. Raises LichtbildError where there are none."""
    found = [p for p in sorted(folder.iterdir()) if p.is_file() and _is_raw(p)]
    if not found:
        raise LichtbildError(f"{folder}: no raw file in this folder")
    return found


def _is_raw(path: pathlib.Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in RAW or (suffix in BARE and path.with_suffix(".json").is_file())


def open(what: Where | Iterable[Where]) -> Shot:
    """The Shot recorded in a raw file, in several, or in all raw files of a folder, in the order of their names.

    Of several files those that cannot be read, or are of another camera or size than most, are left out;
    `remarks` of the Shot say so. The first frame has its pixels, the others leave them in their files where they can.
    Raises RawError where none can be read, LichtbildError for a folder without any.
    """
    paths = [pathlib.Path(what)] if isinstance(what, str | os.PathLike) else [pathlib.Path(p) for p in what]
    if not paths:
        raise LichtbildError("open: expected a raw file, several, or a folder")
    whole = paths[0]
    if len(paths) == 1 and whole.is_dir():
        paths = raws(whole)
    from . import raw  # late: --help does without it

    if len(paths) == 1:
        return Shot([raw.open(paths[0])], whole)
    remarks: list[str] = []
    glances = (bursts.attempt(raw.glance, path, remarks) for path in paths)
    frames = bursts.sift([frame for frame in glances if frame is not None], remarks)
    for n, frame in enumerate(frames):
        first = bursts.attempt(Frame.opened, frame, remarks)
        if first is not None:
            return Shot([first, *frames[n + 1 :]], whole, remarks)
    raise RawError(f"{whole}: none of its {len(paths)} raw files can be read; the first: {remarks[0]}")


def open_ahead(what: Iterable[Where]) -> Shot:
    """As `open`; of a burst the frames that are asked for first are read in the background, each once."""
    found = open(what)
    pool = ThreadPoolExecutor(1, "lichtbild-ahead")
    for frame in found.frames[1:_SOON]:
        if frame.shut is not None:
            frame.shut = Shut(frame.shut.shape, _begun(pool, frame.shut.read))
    pool.shutdown(wait=False)
    return found


def _begun(pool: ThreadPoolExecutor, read: Callable[[], Frame]) -> Callable[[], Frame]:
    """`read` begun in `pool`: whoever asks first gets that frame, and nothing holds it any longer."""
    coming = [pool.submit(read)]
    return lambda: coming.pop().result() if coming else read()
