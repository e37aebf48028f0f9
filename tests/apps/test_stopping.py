"""A run that is interrupted leaves whole photographs or none."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys
import time

import pytest
from apps.test_cli import level

import lichtbild

SLOW = """
import pathlib, sys, time
sys.path[:0] = sys.argv[1:3]
import toyhouse
quick = toyhouse.render
def slow(*words):
    print("rendering", flush=True)
    time.sleep(0.3)
    return quick(*words)
toyhouse.render = slow
toyhouse.furnish(pathlib.Path("house"), setattr)
from lichtbild.apps.cli.main import main
sys.argv[1:] = ["develop", *sorted(map(str, pathlib.Path().glob("*.dng")))]
main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_leaves_whole_files_only(tmp_path: pathlib.Path, number: int, code: int) -> None:
    for name in "abcdef":
        (tmp_path / f"{name}.dng").write_bytes(b"RAW")
    homes = [str(pathlib.Path(f).parents[1]) for f in (__file__, lichtbild.__file__)]
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, *homes], cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where a shell runs us behind
    ) as run:  # fmt: skip
        assert run.stdout is not None
        for _ in range(2):
            assert run.stdout.readline() == "rendering\n"
        start = time.perf_counter()
        run.send_signal(number)
        errors = run.communicate(timeout=20)[1]
        took = time.perf_counter() - start
    assert (run.returncode, took < 10) == (code, True) and "Traceback" not in errors, errors
    left = {p.name for p in tmp_path.iterdir()} - {"house"} - {f"{n}.dng" for n in "abcdef"}
    assert left <= {"a.jpg", "b.jpg"}  # whole, by what follows, or not there
    for name in left:
        assert level(str(tmp_path / name)) == pytest.approx(0.5, abs=0.02)


LOST = """
import os, signal, sys, time
from lichtbild.apps.cli import stopping
stopping.heed()
def generator():
    try:
        yield
    finally:
        os.kill(os.getpid(), int(sys.argv[1]))
        time.sleep(1)
made = generator()
next(made)
del made
time.sleep(10)
print("went on")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wish_to_stop_is_not_lost_while_a_generator_is_closed(number: int) -> None:
    home = str(pathlib.Path(lichtbild.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", LOST, str(int(number))], env={"PYTHONPATH": home}, capture_output=True, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler), timeout=60,
    )  # fmt: skip
    assert done.returncode in (-signal.SIGINT, 130, 143) and not done.stdout and "ignored" not in done.stderr
