"""What merging a burst costs, in time and memory, part by part and as the whole command from files to JPEG.

The frames are random texture that trembles, under the noise of SB-1. Times are wall and CPU milliseconds per megapixel
and frame, the best of some; on a machine that others use, compare the CPU times, or ratios.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lichtbild.develop import defects, front, shading
from lichtbild.export import dng
from lichtbild.light import WHITE_D65
from lichtbild.merge import Merge, add, align
from lichtbild.merge.stack import Mosaic, Stack
from lichtbild.types import Frame, Noise, Values, White

from . import sb1

_EVEN = White((1.0, 1.0, 1.0), WHITE_D65, 6504.0, 0.0, "even")
_FRAMES = 5  # in memory
_COUNTS = (8, 30)  # frames of the bursts on disk


def texture(shape: tuple[int, int], count: int, noise: Noise) -> list[Frame]:
    """Frames of one texture, each three pixels lower and five further left."""
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 1024, ((shape[0] + 3 * count) // 8 + 1, (shape[1] + 5 * count) // 8 + 1))
    light = wide.astype(np.float32).repeat(8, 0).repeat(8, 1) / 1024 * 0.6
    frames = []
    for i in range(count):
        part = light[3 * i : 3 * i + shape[0], 5 * i : 5 * i + shape[1]]
        sigma = np.sqrt(noise.scale[1] * part + noise.offset[1])
        numbers = sb1.BLACK + (part + sigma * rng.standard_normal(shape, np.float32)) * (sb1.WHITE - sb1.BLACK)
        frames.append(sb1.frame((numbers + 0.5).clip(0, sb1.WHITE).astype(np.uint16), noise, i))
    return frames


def _best(work: Callable[[], Any], runs: int, part: float) -> dict[str, float]:
    """Least wall and CPU time in milliseconds, as a part."""
    found = []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return {name: round(min(f[k] for f in found) * 1e3 / part, 2) for k, name in enumerate(("ms/MP", "CPU ms/MP"))}


def parts(frames: list[Frame], values: Values, noise: Noise, runs: int) -> dict[str, dict[str, float]]:
    """Each step of one frame on its own, and the sum."""
    (first, other), shape = frames[:2], frames[0].shape
    size, even = shape[0] * shape[1] / 1e6, shading.prepare(first, 1.0)
    code, encoding = front.run(first, _EVEN, noise, values, even)
    rooms = add.Quads(2, shape, defects.phase(first.cfa), front.tops(_EVEN, encoding, even, first))
    for k in (0, 1):
        front.quads(other, _EVEN, noise, values, even, rooms.room(k), rooms.BORDER)
    seen, guide = rooms.guide(0, None), add.guide(code)
    planes = align.pyramid(guide.fine[0])
    flow = align.blocks(align.estimate(planes, align.pyramid(seen.fine[0]), encoding.sigma[1]), shape)
    known = add.rates(guide, encoding.sigma, add.Doubt())
    trust = add.trust(guide, seen, flow, known, add.Doubt())
    two, total = [np.stack([v, v]) for v in (flow, trust)], np.full(trust.shape, add.CERTAIN, np.uint16)
    steps: dict[str, tuple[Callable[[], Any], int]] = {
        "front": (lambda: front.quads(other, _EVEN, noise, values, even, rooms.room(0), rooms.BORDER), 1),
        "guide": (lambda: rooms.guide(0, None), 1),
        "align": (lambda: align.estimate(planes, align.pyramid(seen.fine[0]), encoding.sigma[1]), 1),
        "trust": (lambda: add.trust(guide, seen, flow, known, add.Doubt()), 1),
        "add": (lambda: rooms.add(code, total, two[0], two[1], [None, None]), 2),
    }
    found = {name: _best(work, runs, size * count) for name, (work, count) in steps.items()}
    found["sum"] = {k: round(sum(v[k] for v in found.values()), 2) for k in ("ms/MP", "CPU ms/MP")}
    return found


def whole(frames: list[Frame], values: Values, noise: Noise, runs: int) -> dict[str, dict[str, float]]:
    """All steps of a frame as the stack does them, two frames side by side, and what comes once at the end."""
    first, size = frames[0], frames[0].shape[0] * frames[0].shape[1] / 1e6
    even = shading.prepare(first, 1.0)
    code, encoding = front.run(first, _EVEN, noise, values, even)
    mosaic = Mosaic(defects.phase(first.cfa), front.tops(_EVEN, encoding, even, first))

    def fill(frame: Frame, out: Any) -> None:
        front.quads(frame, _EVEN, noise, values, even, out, add.Quads.BORDER)

    stacks = [Stack(code.copy(), encoding.sigma, Merge(), mosaic=mosaic) for _ in range(2)]

    def work() -> None:
        for frame in frames[1:]:
            stacks[0].add(functools.partial(fill, frame))

    return {"all, side by side": _best(work, runs, size * (len(frames) - 1)), "end": _best(stacks[1].result, 1, size)}


def command(folder: pathlib.Path, count: int, size: float, runs: int = 3) -> dict[str, Any]:
    """`lichtbild develop` of the first frames in `folder`: the best of some runs."""
    found = []
    files = map(str, sorted(folder.glob("*.dng"))[:count])
    words = [sys.executable, "-m", "lichtbild", "develop", *files, "--mode", "night", "-o", str(folder / "out.jpg")]
    for _ in range(runs):
        start = time.perf_counter()
        run = subprocess.Popen([*words, "--overwrite"])
        _, status, used = os.wait4(run.pid, 0)
        if status:
            raise SystemExit("lichtbild develop failed")
        found.append((time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss))
    wall, cpu, peak = (min(f[k] for f in found) for k in range(3))
    return {"s": round(wall, 2), "ms/MP": round(wall * 1e3 / size, 1), "CPU ms/MP": round(cpu * 1e3 / size, 1),
            "peak MB/MP": round(peak * 1024 / 1e6 / size, 1)}  # fmt: skip


def commands(shape: tuple[int, int], noise: Noise) -> dict[str, dict[str, Any]]:
    """The whole command on bursts of 8 and 30 frames on disk. To be called before this process is large: what it has
    held counts as memory of the processes that it starts."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        writer = [sys.executable, "-m", "bench.burst_cost", name, *map(str, shape), str(noise.scale[1]),
                  str(noise.offset[1])]  # fmt: skip
        subprocess.run(writer, check=True)
        return {f"{n} frames, files to JPEG": command(folder, n, shape[0] * shape[1] / 1e6) for n in _COUNTS}


def run(shape: tuple[int, int], values: Values, noise: Noise, files: bool, runs: int = 6) -> dict[str, Any]:
    """The tables; that of files only where it is asked for, because it takes a minute."""
    found: dict[str, Any] = {"files": commands(shape, noise)} if files else {}
    frames = texture(shape, _FRAMES, noise)
    return found | {"cost per frame": parts(frames, values, noise, runs) | whole(frames, values, noise, runs)}


if __name__ == "__main__":  # writes the bursts: FOLDER ROWS COLUMNS SCALE OFFSET
    target, shape = pathlib.Path(sys.argv[1]), (int(sys.argv[2]), int(sys.argv[3]))
    made = texture(shape, _COUNTS[0], Noise((float(sys.argv[4]),) * 3, (float(sys.argv[5]),) * 3))
    for i in range(_COUNTS[-1]):
        path = target / f"{i:02}.dng"
        if i < len(made):
            dng.write_frame(path, made[i])
        else:
            with contextlib.suppress(FileExistsError):
                os.link(target / f"{i % len(made):02}.dng", path)
