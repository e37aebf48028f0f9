"""A Photo: a shot, the recipe that was resolved for it, and the pixels, made when they are asked for."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pathlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, cast

from . import bursts
from . import recipe as recipes
from .cfa import squares
from .recipe import Recipe
from .shot import Where
from .stage import nearest
from .types import U8, Frame, LichtbildError, Shot
from .wanted import SPACES, Developed, Wanted

GAIN_MAP = frozenset((".jpg", ".jpeg"))  # extensions whose format holds one
RAW = ".dng"  # the extension whose format holds camera light
_PIECE = 1 << 24  # bytes that are hashed in one go
_LAST = 10  # niceness of what can wait; at 19 a busy machine would never come to it


def render(frame: Frame, recipe: Recipe, want: Wanted, frames: Sequence[Frame] = ()) -> Developed:
    """The pixels of one frame, or of a burst: the only place where the doors of the house meet its pipeline."""
    from .develop.pipeline import render as develop_frame

    return develop_frame(frame, recipe, want, frames)


@dataclass
class Photo:
    """A photograph that is being made. Pixels are developed at the first `array` or `save` and kept for the next."""

    shot: Shot
    recipe: Recipe
    remarks: list[str] = field(default_factory=list)  # what a file format could not hold
    _done: tuple[Wanted, Developed] | None = field(default=None, repr=False)
    _hashes: list[Future[str]] = field(default_factory=list, repr=False)

    @property
    def array(self) -> U8:
        """The picture as it is seen: (H, W, 3) uint8 sRGB."""
        if self._done is not None and (self._done[0].bits, self._done[0].space) == (8, "srgb"):
            return cast(U8, self._done[1].sdr)
        return cast(U8, self.pixels(Wanted()).sdr)

    @functools.cached_property
    def text(self) -> str:
        """The recipe with versions and the names and hashes of the inputs: what is kept in the photograph."""
        files, begun = [f.path for f in self.shot.frames], self.begin_hashes()
        # What has not begun is done here: the other thread waits for whoever else wants the processor.
        digests = [sha256(path) if h.cancel() else h.result() for path, h in zip(files, begun, strict=True)]
        return self.recipe.to_toml((path.name, h) for path, h in zip(files, digests, strict=True))

    def begin_hashes(self) -> list[Future[str]]:
        """The hashes of the inputs, taken while a core has nothing else to do: 10 ms a file of 14 MB."""
        if not self._hashes:
            pool = ThreadPoolExecutor(1, "lichtbild-hash", _yield)
            self._hashes += [pool.submit(sha256, f.path) for f in self.shot.frames]
            pool.shutdown(wait=False)
        return self._hashes

    def pixels(self, want: Wanted) -> Developed:
        """Develop for what is wanted; the last result is kept."""
        if self._done is None or self._done[0] != want:
            self._done = None  # let go of the old pixels before the new ones take memory
            frames = self.shot.frames
            self._done = (want, render(frames[0], self.recipe, want, *((frames,) if len(frames) > 1 else ())))
        return self._done[1]

    def save(
        self, path: Where, overwrite: bool = False, sdr: bool = False, quality: int | None = None,
        space: str | None = None, private: bool = False,
    ) -> pathlib.Path:  # fmt: skip
        """Write the photograph; the format follows the extension. A `.jpg` is an Ultra HDR JPEG unless `sdr`; a `.dng`
        holds the picture before colour and tone: linear camera light without noise, mosaic and shading.

        `quality` 1..100 where the format has one; `space` "srgb" or "p3"; `private` leaves out where and by whom the
        picture was taken. The file appears whole or not at all. Raises LichtbildError for an unknown format, and
        where the file exists and `overwrite` is not given.
        """
        from . import export

        out = pathlib.Path(path)
        want = wanted(out, sdr, space)
        if not overwrite and os.path.lexists(out):
            raise LichtbildError(f"{out}: exists; choose another name or allow overwriting")
        options = export.Options(hdr=want.hdr, private=private)
        if quality is not None:
            options = replace(options, quality=quality)
        self.begin_hashes()
        made, frame = self.pixels(want), self.shot.reference
        out.parent.mkdir(parents=True, exist_ok=True)
        rendition = export.Rendition(
            made.sdr, want.space, made.gain, made.meta, frame.exif, frame.xmp, self.text, {"Mode": self.recipe.mode},
            made.light, frame,
        )  # fmt: skip
        self.remarks = export.write(out, rendition, options)
        return out

    def facts(self) -> dict[str, Any]:
        """What was done, for JSON: mode, look, guesses about the file, what the stages chose."""
        guesses = list(dict.fromkeys(g for f in self.shot.frames for g in f.guesses))
        chosen = dict(self._done[1].chosen) if self._done else {}
        names = {"mode": self.recipe.mode, "look": self.recipe.look}
        missing = [*self.shot.remarks, *(self._done[1].left_out if self._done else ())]
        left_out = {"left_out": missing} if missing else {}
        notes = [*self.recipe.notes, *self.remarks]
        return {**names, "guesses": guesses, "chosen": chosen, "notes": notes, **left_out}


def _yield() -> None:
    """Let this thread take what the others leave of the processor; where a system cannot, it takes its share."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LAST)


def sha256(path: pathlib.Path) -> str:
    """Hash of a file's bytes, in hexadecimal."""
    # In few pieces: for each the thread waits for the interpreter. Not mapped: a file that shrinks would kill us.
    digest = hashlib.sha256()
    with path.open("rb") as f:
        while piece := f.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def wanted(path: pathlib.Path, sdr: bool = False, space: str | None = None) -> Wanted:
    """What pixels the format of `path` takes. Raises LichtbildError for an unknown extension or colour space."""
    from . import export

    bits = export.depth(path)
    space = space or "srgb"
    if space not in SPACES:
        raise LichtbildError(f"unknown colour space '{space}': {nearest(space, SPACES)}")
    kind = path.suffix.lower()
    return Wanted(bits, space, kind in GAIN_MAP and not sdr, kind == RAW)


def develop(
    shot: Shot | Where, mode: str = "auto", look: str | None = None, set: Mapping[str, Any] | Iterable[str] = (),
    recipe: Where | Sequence[Where] = (),
) -> Photo:  # fmt: skip
    """The photograph of a shot: resolves the recipe now, makes the pixels when they are asked for.

    `set` holds single values, {"tone.strength": 0.7}; `recipe` names recipe files or photographs that hold one. A
    `look` that is not given is the one the recipe files name, else "classic".
    Raises LichtbildError for an unknown mode, look, stage or parameter, and for values out of range.
    """
    from .shot import open as open_shot

    if not isinstance(shot, Shot):
        shot = open_shot(shot)
    files = [recipe] if isinstance(recipe, str | os.PathLike) else list(recipe)
    frame = shot.reference
    made = recipes.resolve(mode, look, [pathlib.Path(f) for f in files], set, frame.path, frame.make, frame.model,
                           auto=bursts.mode(shot))  # fmt: skip
    merge = made.values.get("merge", {})
    if merge.get("zoom") == 1:  # finer pixels are made of all frames there are
        count = bursts.enough(shot, made.mode, merge["frames"])
        made = made if count is None else made.chosen("merge", "frames", *count)
    if squares(frame.cfa) is not None or made.values.get("demosaic", {}).get("bin"):
        from .develop import binning

        why = binning.wanted(frame, made.mode, bursts.grain(frame))
        made = made if why is None else made.chosen("demosaic", "bin", True, why)
        shot = binning.shot(shot) if made.values["demosaic"]["bin"] else shot
    return Photo(shot, made)
