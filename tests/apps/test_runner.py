"""The overlapped run: order, overlap, bounded memory, failures that stay their own, and a clean stop."""

from __future__ import annotations

import pathlib
import threading
import time
from typing import Any

import pytest

from lichtbild.apps import runner
from lichtbild.apps.runner import Job, Settings
from lichtbild.types import LichtbildError

JOBS = [Job(pathlib.Path(f"{i}.dng"), pathlib.Path(f"{i}.jpg")) for i in range(8)]


class Trace:
    """Three steps that take a while and write down when they ran."""

    def __init__(self, seconds: float = 0.03) -> None:
        self.seconds = seconds
        self.spans: dict[tuple[str, str], tuple[float, float]] = {}
        self.alive = self.most = 0
        self.lock = threading.Lock()

    def steps(self) -> list[tuple[str, runner.Step]]:
        return [(name, self._step(name)) for name in ("decode", "pixels", "encode")]

    def _step(self, name: str) -> runner.Step:
        def work(job: Job, _settings: Settings, made: Any) -> Any:
            start = time.perf_counter()
            if name == "decode":
                with self.lock:
                    self.alive += 1
                    self.most = max(self.most, self.alive)
            time.sleep(self.seconds)
            self.spans[(job.input.stem, name)] = (start, time.perf_counter())
            if name == "encode":
                with self.lock:
                    self.alive -= 1
            return made or {"of": job.input.stem}

        return work


def test_steps_of_neighbours_overlap_and_outcomes_come_in_order() -> None:
    trace = Trace()
    start = time.perf_counter()
    outcomes = list(runner.run(JOBS, Settings(), 3, trace.steps(), {}))
    took = time.perf_counter() - start
    assert [o.job for o in outcomes] == JOBS and all(o.error is None for o in outcomes)
    assert took < 0.75 * len(JOBS) * 3 * trace.seconds  # one after another would take all of it
    beside = 0
    for i in range(1, 6):
        now = trace.spans[(str(i), "pixels")]
        decode, encode = trace.spans[(str(i + 1), "decode")], trace.spans[(str(i - 1), "encode")]
        beside += decode[0] < now[1] and encode[0] < now[1]
    assert beside >= 3  # of 5: a busy machine wakes a thread late now and then
    assert all(set(o.steps) == {"decode", "pixels", "encode"} for o in outcomes)


@pytest.mark.parametrize("in_hand", [1, 2, 3])
def test_no_more_are_in_hand_than_allowed(in_hand: int) -> None:
    trace = Trace(0.01)
    list(runner.run(JOBS, Settings(), in_hand, trace.steps(), {}))
    assert trace.most == in_hand


def test_a_failure_stays_with_its_job() -> None:
    def fail(job: Job, _s: Settings, made: Any) -> Any:
        if job is JOBS[1]:
            raise LichtbildError("1.dng: torn")
        if job is JOBS[2]:
            raise ZeroDivisionError("oh\nno")
        return made

    outcomes = list(runner.run(JOBS[:4], Settings(), 3, [("decode", fail), ("encode", lambda *_: 1)], {}))
    assert [o.error for o in outcomes] == [
        None,
        "torn",
        "internal error, please report: ZeroDivisionError: oh no",
        None,
    ]
    assert outcomes[1].facts()["output"] is None and outcomes[0].facts()["output"] == "0.jpg"


def test_giving_up_starts_no_further_step() -> None:
    trace = Trace()
    run = runner.run(JOBS, Settings(), 3, trace.steps(), {})
    next(run)
    run.close()
    begun = len(trace.spans)
    time.sleep(3 * trace.seconds)
    assert len(trace.spans) == begun and ("4", "pixels") not in trace.spans
    assert not [t for t in threading.enumerate() if t.name.startswith("lichtbild-")]


def test_reasons_are_one_line_without_the_name() -> None:
    path = pathlib.Path("some/x.dng")
    assert runner.reason(LichtbildError("some/x.dng: too\nshort"), path) == "too short"
    assert runner.reason(LichtbildError("x.dng: short"), path) == "short"
    assert runner.reason(MemoryError()) == "not enough memory"
    assert runner.reason(PermissionError(13, "Permission denied", "y")) == "y: Permission denied"


def test_a_traceback_on_request(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert "please report" in runner.reason(KeyError("a")) and not capsys.readouterr().err
    monkeypatch.setenv("LICHTBILD_TRACEBACK", "1")
    assert "please report" in runner.reason(KeyError("a")) and "KeyError: 'a'" in capsys.readouterr().err
