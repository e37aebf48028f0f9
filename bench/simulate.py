"""The simulator: what each step of a 12.6 MP frame costs, a whole burst on disk, and every scene's drawing.

python -m bench.simulate [FRAMES]
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

from lichtbild import kernels, scene
from lichtbild.export import dng
from lichtbild.scene import Layer, Motion, Scene
from lichtbild.simulate import Plan, compose, plan, write

from . import clock

HEIGHT, WIDTH = 3072, 4096
MARGIN = 208  # pixels of the scene beyond the frame: more than ten frames of a hand need


def lake(lux: float) -> Scene:
    """The lake enlarged, so that drawing it is not measured, and somebody who walks by."""
    small = scene.render({"name": "lake", "lux": lux}, (HEIGHT // 4, WIDTH // 4), 1, MARGIN // 4)
    light = small.layers[0].light.repeat(4, 1).repeat(4, 2)
    walker = Layer("walker", np.full((3, 900, 300), 0.1 * lux, np.float32), np.full((1, 1), 5, np.float32),
                   None, Motion((300.0, 0.0)), 0.0, 1500, 2000)  # fmt: skip
    far = Layer("lake", light, np.full((1, 1), 50, np.float32))
    return Scene("lake", (far, walker), MARGIN, small.illuminant, lux)


def steps(p: Plan, folder: pathlib.Path, runs: int = 5) -> dict[str, dict[str, float]]:
    """Milliseconds per megapixel of each step of one frame."""
    mp = HEIGHT * WIDTH / 1e6
    stack, take = compose.sheets(p.scene), p.takes[1]
    out = np.empty((4, *p.camera.size), np.float32)
    counts = compose.frame(stack, p.camera, take, out)
    light = p.body.image(out[:3])
    frame = p.body.expose(light, p.iso, take, 1, 1)
    return {
        f"layers, {counts} moments": clock.best(lambda: compose.frame(stack, p.camera, take, out), runs, mp),
        "lens": clock.best(lambda: p.body.image(out[:3]), runs, mp),
        "sensor": clock.best(lambda: p.body.expose(light, p.iso, take, 1, 1), runs, mp),
        "what is seen": clock.best(lambda: p.body.seen(out[3]), runs, mp),
        "DNG": clock.best(lambda: dng.write_frame(folder / "one.dng", frame), runs, mp),
    }


def whole(frames: int, truth: str, folder: pathlib.Path) -> dict[str, float]:
    """Seconds of a burst by night from a drawn scene to its folder, and the process's most memory since its start."""
    p = plan(lake(20.0), frames=frames)
    wall, cpu = time.perf_counter(), time.process_time()
    write(p, folder / "burst", truth, overwrite=True)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    status = pathlib.Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    return {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mb_per_mp": round(peak / (HEIGHT * WIDTH / 1e6), 1)}


ONE = """
import json, sys, time
from lichtbild import kernels
from lichtbild.simulate import plan, write
name, folder, width, height = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
start = time.perf_counter(), time.process_time()
made = plan(name, folder + "/cache", frames=2, width=width, height=height)
drawn = time.perf_counter() - start[0], time.process_time() - start[1]
kernels.keep_memory()  # as the command does
write(made, folder + "/burst")
status = open("/proc/self/status").read().splitlines()
peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
print(json.dumps({"drawn_wall_s": round(drawn[0], 1), "drawn_cpu_s": round(drawn[1], 1),
                  "peak_mb_per_mp": round(peak / (width * height / 1e6), 1)}))
"""


def drawn(name: str) -> dict[str, float]:
    """A process that draws a scene for the first time and takes two frames of it with all truth; its most memory."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-c", ONE, name, folder, str(WIDTH), str(HEIGHT)]
        found: dict[str, float] = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    return found


def run(frames: int = 10) -> dict[str, Any]:
    """All of it: the burst without truth, with all of it, and the steps by day and by night."""
    kernels.keep_memory()  # as the command does
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        found: dict[str, Any] = {f"{frames} frames, truth {t}": whole(frames, t, folder) for t in ("none", "full")}
        for label, lux in (("day", 5000.0), ("night", 20.0)):
            found |= {f"{label}: {k}": v for k, v in steps(plan(lake(lux), frames=2), folder).items()}
    found |= {f"scene {name}": drawn(name) for name in scene.names() if name != "picture"}
    return found


if __name__ == "__main__":
    print(json.dumps(run(*map(int, sys.argv[1:])), indent=2))
