"""Many photographs in one go: while the pixels of one are made, the next is decoded and the last one is encoded.

Three workers, one per step, hand the photographs on in order. At most `in_hand` of them are under way, so memory is
bounded by that many, however many there are to do.
"""

from __future__ import annotations

import collections
import contextlib
import os
import pathlib
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..types import LichtbildError, Shot

if TYPE_CHECKING:
    from ..photo import Photo


@dataclass(frozen=True)
class Job:
    """One raw file, or the first of a burst and `more` of it, and the name of its photograph."""

    input: pathlib.Path
    output: pathlib.Path
    more: tuple[pathlib.Path, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What is asked for, the same for all photographs of a run."""

    mode: str = "auto"
    look: str | None = None
    sets: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    sdr: bool = False
    quality: int | None = None
    space: str | None = None
    private: bool = False
    overwrite: bool = False
    ahead: dict[pathlib.Path, Future[Shot]] = field(default_factory=dict)  # files that are being read already


@dataclass
class Outcome:
    """What became of one job. `seconds` is the sum of its steps; `error` is None where the photograph is there."""

    job: Job
    error: str | None = None
    steps: dict[str, float] = field(default_factory=dict)
    photo: dict[str, Any] = field(default_factory=dict)  # mode, look, guesses, chosen

    @property
    def seconds(self) -> float:
        """Time spent on this photograph."""
        return sum(self.steps.values())

    def facts(self) -> dict[str, Any]:
        """The outcome as one JSON object."""
        out = None if self.error else str(self.job.output)
        steps = {name: round(s, 4) for name, s in self.steps.items()}
        found = {"input": str(self.job.input), "output": out, "error": self.error}
        return {**found, "seconds": round(self.seconds, 4), "steps": steps, **self.photo}


class _Stopped(Exception):
    """The run was given up before this step."""


Step = Callable[[Job, Settings, Any], Any]


def decode(job: Job, settings: Settings, _: Any) -> Photo:
    """Read the raw file and resolve its recipe."""
    from .. import photo, shot

    early = settings.ahead.pop(job.input, None)  # let go of it: a shot is large
    found = early.result() if early else shot.open([job.input, *job.more])
    return photo.develop(found, settings.mode, settings.look, settings.sets, settings.recipes)


def read_ahead(job: Job) -> dict[pathlib.Path, Future[Shot]]:
    """Begin to read a job's raw files, for `Settings.ahead`: the first one, while words and recipes are checked."""
    from .. import shot

    pool = ThreadPoolExecutor(1, "lichtbild-ahead")
    early = {job.input: pool.submit(shot.open_ahead, [job.input, *job.more])}
    pool.shutdown(wait=False)
    return early


def pixels(job: Job, settings: Settings, made: Photo) -> Photo:
    """Develop for the format of the output."""
    from ..photo import wanted

    made.begin_hashes()
    made.pixels(wanted(job.output, settings.sdr, settings.space))
    return made


def encode(job: Job, settings: Settings, made: Photo) -> Photo:
    """Write the photograph."""
    s = settings
    made.save(job.output, s.overwrite, s.sdr, s.quality, s.space, s.private)
    return made


def _warm_pixels() -> None:
    with contextlib.suppress(Exception):  # the step itself will fail again and say why
        from ..develop import pipeline  # noqa: F401


def _warm_encode() -> None:
    with contextlib.suppress(Exception):
        from .. import export  # noqa: F401


STEPS: tuple[tuple[str, Step], ...] = (("decode", decode), ("pixels", pixels), ("encode", encode))
# A worker imports what its step needs while the steps before it are at work.
WARM: dict[str, Callable[[], None]] = {"pixels": _warm_pixels, "encode": _warm_encode}


def run(
    jobs: Iterable[Job], settings: Settings, in_hand: int = 3,
    steps: Sequence[tuple[str, Step]] = STEPS, warm: dict[str, Callable[[], None]] = WARM,
) -> Generator[Outcome, None, None]:  # fmt: skip
    """Do all jobs; yields each outcome in the order of the jobs as soon as it is known.

    Closing the iterator (or an interrupt) drops what has not begun, lets running steps end and starts no other, so
    that no half-written file is left.
    """
    pools = {name: ThreadPoolExecutor(1, f"lichtbild-{name}", warm.get(name)) for name, _ in steps}
    stop = threading.Event()
    waiting: collections.deque[tuple[Outcome, Future[Any]]] = collections.deque()
    try:
        for job in jobs:
            if len(waiting) >= in_hand:
                yield _finish(*waiting.popleft())
            waiting.append(_start(job, settings, pools, steps, stop))
        while waiting:
            yield _finish(*waiting.popleft())
    finally:
        stop.set()
        for pool in pools.values():
            pool.shutdown(wait=True, cancel_futures=True)


def _start(
    job: Job, settings: Settings, pools: dict[str, ThreadPoolExecutor], steps: Sequence[tuple[str, Step]],
    stop: threading.Event,
) -> tuple[Outcome, Future[Any]]:  # fmt: skip
    outcome = Outcome(job)

    def work(name: str, step: Step, before: Future[Any] | None) -> Any:
        made = before.result() if before else None
        if stop.is_set():
            raise _Stopped
        start = time.perf_counter()
        try:
            return step(job, settings, made)
        finally:
            outcome.steps[name] = time.perf_counter() - start

    last: Future[Any] | None = None
    for name, step in steps:
        last = pools[name].submit(work, name, step, last)
    assert last is not None
    return outcome, last


def _finish(outcome: Outcome, last: Future[Any]) -> Outcome:
    try:
        outcome.photo = describe(last.result())
    except Exception as e:
        outcome.error = reason(e, outcome.job.input)
    return outcome


def describe(made: Any) -> dict[str, Any]:
    """What a user may want to know of a finished photograph: mode, look, guesses, what the stages chose."""
    return made.facts() if hasattr(made, "facts") else {}


def reason(e: BaseException, path: pathlib.Path | None = None) -> str:
    """One line that says what went wrong, without the name of the file in front.

    With LICHTBILD_TRACEBACK=1 in the environment the traceback of an unexpected error is printed as well.
    """
    if isinstance(e, LichtbildError):
        text = str(e)
    elif isinstance(e, MemoryError):
        text = "not enough memory"
    elif isinstance(e, OSError) and e.strerror:
        text = f"{e.filename}: {e.strerror}" if e.filename else e.strerror
    else:
        if os.environ.get("LICHTBILD_TRACEBACK") == "1":
            traceback.print_exception(e)
        text = f"internal error, please report: {type(e).__name__}: {e}"
    text = " ".join(text.split())
    for name in (f"{path}: ", f"{path.name}: ") if path else ():
        text = text.removeprefix(name)
    return text
