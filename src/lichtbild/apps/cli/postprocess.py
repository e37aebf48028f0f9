"""`lichtbild postprocess`: the post-processor of a Linux phone's camera application.

It is called as `postprocess BURST_DIR TARGET [0|1]`: the folder holds the frames of one burst, 0.dng, 1.dng …; TARGET
is the name of the photograph without extension; 1 asks to keep a raw file beside it. The application takes the last
line of stdout for the finished picture and looks at nothing else, so a path is printed whatever happens: that of the
photograph, else of the photograph of a single frame, else of a raw frame that was saved from the folder. The frames,
and nothing else, are removed from the folder when something has been saved.
Source: the calling code of the camera application Megapixels 1.6.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
from collections.abc import Iterator

from ... import kernels, photo, shot
from ...types import LichtbildError
from ..runner import reason
from .words import complain

_FIRST_CHOICE = 1  # frame 0 is the last one of the preview's mode on some sensors


def run(folder: pathlib.Path, target: pathlib.Path, keep_raw: bool) -> int:
    """Make the photograph, tidy up and print its path. The exit code is 1 where no photograph could be made."""
    kernels.keep_memory()
    frames = _frames(folder)
    finished, used = _photograph(frames, target)
    saved = finished
    if frames and (keep_raw or finished is None):
        raw = _kept(used or frames[min(_FIRST_CHOICE, len(frames) - 1)], target)
        saved = saved or raw
    if saved is not None:
        _tidy(folder, frames)
    if not frames:
        complain(f"{folder}: no frame 0.dng, 1.dng … in this folder")
    print(saved or target.with_name(target.name + ".jpg"), flush=True)
    return 0 if finished else 1


def _frames(folder: pathlib.Path) -> list[pathlib.Path]:
    """The frames 0.dng, 1.dng … in the order of their numbers."""
    with contextlib.suppress(OSError):
        found = [p for p in folder.iterdir() if p.suffix.lower() == ".dng" and p.stem.isdecimal() and p.is_file()]
        return sorted(found, key=lambda p: (int(p.stem), p.name))
    return []


def _photograph(frames: list[pathlib.Path], target: pathlib.Path) -> tuple[pathlib.Path | None, pathlib.Path | None]:
    """The finished photograph and the frame it has its geometry from; None, None where there cannot be one."""
    for chosen in _attempts(frames):
        try:
            taken = shot.open(chosen)
            made = photo.develop(taken)
            return made.save(_free(target, ".jpg")), taken.reference.path
        except Exception as e:  # whatever it is, the next attempt may still give the photograph
            complain(f"{chosen[0].parent} ({len(chosen)} frames): {reason(e, chosen[0])}")
    return None, None


def _attempts(frames: list[pathlib.Path]) -> Iterator[list[pathlib.Path]]:
    """All frames, then the ones that can be read, then each alone, the likeliest first."""
    if not frames:
        return
    yield frames
    whole = []
    for path in frames:
        with contextlib.suppress(LichtbildError):
            shot.open(path)
            whole.append(path)
    if 1 < len(whole) < len(frames):
        yield whole
    for path in sorted(whole, key=lambda p: p != frames[min(_FIRST_CHOICE, len(frames) - 1)]):
        if len(frames) > 1:
            yield [path]


def _free(target: pathlib.Path, suffix: str) -> pathlib.Path:
    """TARGET.jpg, or TARGET-2.jpg and so on where that exists: a photograph is never replaced."""
    path, n = target.with_name(target.name + suffix), 1
    while os.path.lexists(path):
        n += 1
        path = target.with_name(f"{target.name}-{n}{suffix}")
    return path


def _kept(frame: pathlib.Path, target: pathlib.Path) -> pathlib.Path | None:
    """A frame copied to TARGET.dng, whole or not at all."""
    path = _free(target, ".dng")
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(frame, part)
        part.replace(path)
    except OSError as e:
        complain(f"{path}: {e.strerror or e}")
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        return None
    return path


def _tidy(folder: pathlib.Path, frames: list[pathlib.Path]) -> None:
    """Remove the frames, and the folder where nothing else is in it."""
    with contextlib.suppress(OSError):
        for path in frames:
            path.unlink()
        folder.rmdir()
