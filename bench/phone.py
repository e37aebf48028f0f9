"""What a Linux phone waits for: a burst of 11 frames of 5 MP, 8 bits, no calibration, through `lichtbild postprocess`.

    python -m bench.phone

The burst is simulated and then stripped of all that such drivers leave out: matrices, white, noise, lens shading; it
keeps 8 of its bits. Printed are the seconds and the peak memory of the whole command, the best of three.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

from lichtbild.export import dng
from lichtbild.simulate import plan
from lichtbild.types import CameraColour, Frame

FRAMES, SIZE = 11, (2592, 1944)


def stripped(frame: Frame) -> Frame:
    """The frame as a driver without calibration writes it."""
    assert frame.mosaic is not None
    black, white = float(frame.black.mean()), frame.white[0]
    light = np.clip((frame.mosaic.astype(np.float32) - black) / (white - black), 0, 1)
    return dataclasses.replace(
        frame, mosaic=(light * 255 + 0.5).astype(np.uint16), black=np.zeros((1, 1, 1), np.float32), white=(255.0,),
        colour=CameraColour(), noise=None, gain_maps=(), bad_pixels=None,
    )  # fmt: skip


def postprocess(folder: pathlib.Path, target: pathlib.Path) -> tuple[float, float]:
    """Seconds and megabytes of one run."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "lichtbild", "postprocess", str(folder), str(target), "0"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = run.stdout.read() if run.stdout else ""
    _, status, used = os.wait4(run.pid, 0)
    if status or not pathlib.Path(said.splitlines()[-1]).exists():
        raise SystemExit(f"postprocess failed: {said}")
    return time.perf_counter() - start, used.ru_maxrss / 1024


def write(folder: pathlib.Path) -> None:
    """The burst."""
    taken = plan({"name": "street", "lux": 8.0}, frames=FRAMES, width=SIZE[0], height=SIZE[1])
    for i, picture in enumerate(taken.pictures()):
        dng.write_frame(folder / f"{i}.dng", stripped(picture.frame))


def main() -> None:
    """Make the burst and print."""
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        (work / "burst").mkdir()
        # In a process of its own: what this one has held would count as memory of those that it starts.
        maker = multiprocessing.get_context("spawn").Process(target=write, args=(work / "burst",))
        maker.start()
        maker.join()
        found = []
        for run in range(3):
            shutil.copytree(work / "burst", work / "now")
            found.append(postprocess(work / "now", work / f"IMG{run}"))
        print(f"{FRAMES} frames of {SIZE[0]}x{SIZE[1]}: {min(s for s, _ in found):.2f} s, "
              f"{max(m for _, m in found):.0f} MB")  # fmt: skip
        if len(sys.argv) > 1:
            shutil.copy(work / "IMG0.jpg", sys.argv[1])


if __name__ == "__main__":
    main()
