"""Bursts: which raw files were taken by one press of the button, and which mode they ask for."""

from __future__ import annotations

import datetime
import math
import mmap
import pathlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .types import Exposure, Frame, RawError, Shot

GAP_S = 2.0  # between the end of one frame and the next: a burst does not pause
_What = TypeVar("_What")
_DIM_EV = 4.0  # EV at ISO 100, about 40 lux: below it several frames are a night photograph
# Noise of mid-grey, relative to it: from the first on a burst of unknown exposure was taken at night (a phone's noise
# at ISO 700); below the second nobody sees it, and by day more frames than that takes only cost time.
_GRAINY, _CLEAN = 0.10, 0.015
_FEWEST = 4  # frames that are merged in any case: they take the false colours out of fine patterns


@dataclass(frozen=True)
class Head:
    """What is read of a file to tell bursts apart."""

    path: pathlib.Path
    make: str
    model: str
    exposure: Exposure

    @property
    def camera(self) -> tuple[object, ...]:
        """What does not change within a burst."""
        e = self.exposure
        return (self.make, self.model, e.aperture, e.focal_mm)

    @property
    def taken_s(self) -> float | None:
        """Seconds since some beginning; None where the file does not say."""
        try:
            return datetime.datetime.fromisoformat(self.exposure.taken or "").replace(tzinfo=None).timestamp()
        except ValueError:
            return None


def head(path: pathlib.Path) -> Head:
    """The words of a raw file, without its pixels; empty where it cannot be read."""
    from .raw import words

    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            said = words.read(mapped, [])
            return Head(path, said.make, said.model, said.exposure)
    except (OSError, ValueError, RawError):  # whoever develops it says what is wrong with it
        return Head(path, "", "", Exposure())


def group(paths: Iterable[pathlib.Path], together: bool = False) -> list[list[pathlib.Path]]:
    """Files as bursts, in their order: neighbours of one camera, taken without a pause.

    A file that does not say when it was taken stands alone, unless all are to go `together`: then only another
    camera divides.
    """
    files = list(paths)
    if len(files) < 2:
        return [[f] for f in files]
    found: list[list[Head]] = []
    for h in map(head, files):
        if found and _follows(found[-1][-1], h, together):
            found[-1].append(h)
        else:
            found.append([h])
    return [[h.path for h in heads] for heads in found]


def _follows(before: Head, h: Head, together: bool) -> bool:
    if together:  # a damaged file may say less than the others; what it is will be told when it is opened
        return not h.make or (before.make, before.model) == (h.make, h.model)
    if before.camera != h.camera:
        return False
    if before.taken_s is None or h.taken_s is None or before.exposure.time_s is None:
        return False
    pause = h.taken_s - before.taken_s - before.exposure.time_s
    return -GAP_S <= pause <= GAP_S


def sift(frames: Sequence[Frame], remarks: list[str]) -> list[Frame]:
    """The frames that can be merged with most of the others; what is left out is said in `remarks`."""
    if len(frames) < 2:
        return list(frames)
    kinds = [(f.shape, f.cfa, f.make, f.model) for f in frames]
    usual = max(kinds, key=kinds.count)
    names = ("size", "mosaic", "camera", "camera")
    for frame, kind in zip(frames, kinds, strict=True):
        odd = next((n for n, a, b in zip(names, kind, usual, strict=True) if a != b), None)
        if odd is not None:
            remarks.append(f"{frame.path.name} is left out: another {odd} than most of the burst")
    return [f for f, kind in zip(frames, kinds, strict=True) if kind == usual]


def attempt(read: Callable[[_What], Frame], what: _What, remarks: list[str]) -> Frame | None:
    """The frame that `read` makes of `what`, or None where it cannot be read, and a remark that it is left out."""
    try:
        return read(what)
    except RawError as e:
        remarks.append(f"{e}: left out")
        return None


def brightness_ev(e: Exposure) -> float | None:
    """Brightness of the scene in EV at ISO 100, as the exposure took it; None where the file does not say.

    2.5·2^EV lux, about. An unknown aperture is that of a phone, f/1.8.
    """
    if not e.time_s or not e.iso:
        return None
    return math.log2((e.aperture or 1.8) ** 2 / e.time_s) - math.log2(e.iso / 100)


def grain(frame: Frame) -> float:
    """Noise of mid-grey in one frame, relative to it: as the file says, as measured, or what is usual at this ISO."""
    from .develop import demosaic, noise

    known = noise.assumed(frame.exposure.iso) if frame.shut and not noise.sane(frame.noise) else noise.measure(frame)
    return math.sqrt(known.scale[1] * demosaic.MID_GREY + known.offset[1]) / demosaic.MID_GREY


def mode(shot: Shot) -> tuple[str, str]:
    """The mode that a shot asks for, and why."""
    n = len(shot.frames)
    if n == 1:
        return "snapshot", "a single frame is a snapshot"
    told = sorted({v for f in shot.frames if (v := brightness_ev(f.exposure)) is not None})
    ev = told[(len(told) - 1) // 2] if told else None  # of a bracket the middle exposure is the metered one
    noise = grain(shot.reference)
    dark = noise > _GRAINY if ev is None else ev < _DIM_EV
    said = f"{n} frames of unknown exposure" if ev is None else f"{n} frames at EV {ev:.1f}"
    said = f"{said}, {noise:.1%} noise in mid-grey,"
    return ("night", f"{said} are a night burst") if dark else ("snapshot", f"{said} are a burst by day")


def enough(shot: Shot, mode: str, most: int) -> tuple[int, str] | None:
    """How many frames of a shot are to be merged, `most` at most, and why; None where there is nothing to choose.

    At night all of them, since shadows never have enough light; by day what brings noise of mid-grey below what is
    seen. A bracket needs every frame.
    """
    n = min(len(shot.frames), most)
    if n == 1 or len({(f.exposure.time_s, f.exposure.iso) for f in shot.frames}) > 1:
        return None
    noise = grain(shot.reference)
    count = n if mode != "snapshot" else min(n, max(_FEWEST, math.ceil((noise / _CLEAN) ** 2)))
    less = f"{noise:.1%} noise in mid-grey becomes {noise / math.sqrt(count):.1%}"
    return count, f"{count} of {len(shot.frames)} frames are merged: {less}"
