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


def mode(shot: Shot) -> tuple[str, str]:
    """The mode that a shot asks for, and why."""
    n = len(shot.frames)
    if n == 1:
        return "snapshot", "a single frame is a snapshot"
    ev = brightness_ev(shot.reference.exposure)
    if ev is None:
        return "night", f"{n} frames whose exposure is unknown are taken for a night burst"
    said = f"{n} frames at EV {ev:.1f}"
    return ("night", f"{said} are a night burst") if ev < _DIM_EV else ("snapshot", f"{said} are a burst by day")
