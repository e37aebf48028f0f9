"""How we measure: the best of several runs, wall and processor time, on a machine that others use too."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import resource
import subprocess
import time
from collections.abc import Callable
from typing import Any

RESULTS = pathlib.Path(__file__).parent / "results"


def best(work: Callable[[], object], runs: int = 7, megapixels: float = 1.0) -> dict[str, float]:
    """Wall and CPU milliseconds per megapixel: the least of `runs`, after one run to warm up."""
    work()
    wall, cpu = [], []
    for _ in range(runs):
        w, c = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - w)
        cpu.append(time.process_time() - c)
    return {"wall_ms_mp": round(min(wall) * 1e3 / megapixels, 2), "cpu_ms_mp": round(min(cpu) * 1e3 / megapixels, 2)}


def in_turn(works: dict[str, Callable[[], object]], runs: int, megapixels: float) -> dict[str, dict[str, float]]:
    """Several works, one after the other in every round, so that a slow moment of the machine meets them all."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            found[name].append(best(work, 1, megapixels))
    return {name: {k: min(f[k] for f in rounds) for k in rounds[0]} for name, rounds in found.items()}


def command(line: list[str], env: dict[str, str] | None = None) -> Callable[[], None]:
    """A whole process, as work. Raises where the command fails."""

    def work() -> None:
        done = subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, text=True)
        if done.returncode:
            raise RuntimeError(f"{line}: {done.stderr}")

    return work


def commands_in_turn(lines: dict[str, list[str]], runs: int, megapixels: float) -> dict[str, dict[str, float]]:
    """Whole processes in turn: wall and the children's CPU time, least of `runs`, after one run to warm up."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in lines}
    # An installed package has its bytecode; a checkout gets it in the first round unless this forbids it.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for round_ in range(runs + 1):
        for name, line in lines.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.perf_counter()
            command(line, env)()
            wall = time.perf_counter() - start
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if round_:
                found[name].append((wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return {
        name: {
            "seconds": round(min(w for w, _ in f), 3),
            "cpu_seconds": round(min(c for _, c in f), 3),
            "wall_ms_mp": round(min(w for w, _ in f) * 1e3 / megapixels, 1),
        }
        for name, f in found.items()
    }


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    cpu = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        cpu = next((s.split(":", 1)[1].strip() for s in info.read_text().splitlines() if "model name" in s), cpu)
    return {"cpu": cpu, "cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}


def keep(results: dict[str, Any], name: str = "") -> pathlib.Path:
    """Write the results as JSON, one file per machine; returns its path."""
    from lichtbild import __version__

    facts = machine()
    label = "-".join(filter(None, [name, *str(facts["cpu"]).lower().replace("(r)", "").split(), f"{facts['cores']}c"]))
    path = RESULTS / __version__ / f"{label}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    when = time.strftime("%Y-%m-%d")
    path.write_text(json.dumps({"when": when, "machine": facts, "results": results}, indent=1) + "\n")
    return path


def table(title: str, rows: dict[str, dict[str, Any]]) -> None:
    """Print rows of numbers under one heading."""
    columns = list(dict.fromkeys(k for row in rows.values() for k in row))
    print(f"\n{title}\n{'':34s}" + "".join(f"{c:>14s}" for c in columns))
    for name, row in rows.items():
        print(f"{name:34s}" + "".join(f"{row.get(c, ''):>14}" for c in columns))
