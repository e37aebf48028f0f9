"""`make bench`: what the camera costs, pass by pass and end to end, beside its peers in the same run.

    python -m bench [FILE] [--peers] [--runs N]

FILE is a raw; without it the 12 MP photograph of ../shared/data, or the project's own demo raw. `--peers` adds whole
commands of darktable and RawTherapee where they are installed. Results are kept as JSON under bench/results.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import lichtbild
from lichtbild import kernels, raw
from lichtbild.wanted import Wanted

from . import clock

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared/data/raw/gopro_hero6_mural_iso100.dng"

RAWPY = """
import sys, rawpy
from PIL import Image
with rawpy.imread(sys.argv[1]) as r:
    rgb = r.postprocess(use_camera_wb=True, demosaic_algorithm=rawpy.DemosaicAlgorithm.AHD)
Image.fromarray(rgb).save(sys.argv[2], quality=92)
"""
MEMORY = """
import sys, lichtbild, imagecodecs
import lichtbild.develop.pipeline, lichtbild.raw, lichtbild.export
from lichtbild import kernels
kernels.keep_memory()  # as the command line does
# ru_maxrss would count the parent that this process was forked from
peak = lambda: next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmHWM")) / 1024
before = peak()
lichtbild.develop(lichtbild.open(sys.argv[1])).save(sys.argv[2], overwrite=True, sdr=True)
print(before, peak())
"""


def subject(work: pathlib.Path) -> pathlib.Path:
    """The raw to measure on."""
    if SHARED.exists():
        return SHARED
    from lichtbild.simulate import plan, write

    return write(plan("foliage", frames=1), work / "demo", "none")[0]


def passes(path: pathlib.Path, runs: int, mp: float) -> dict[str, dict[str, float]]:
    """Milliseconds per megapixel of each pass inside one development, least of `runs`."""
    from lichtbild.develop import pipeline

    shot = lichtbild.open(path)
    photo = lichtbild.develop(shot)
    found: list[dict[str, tuple[float, float]]] = []
    for _ in range(runs + 1):
        found.append(pipeline.render(shot.reference, photo.recipe, Wanted(8, "srgb", True)).seconds)
    return {
        name: {
            "wall_ms_mp": round(min(f[name][0] for f in found[1:]) * 1e3 / mp, 2),
            "cpu_ms_mp": round(min(f[name][1] for f in found[1:]) * 1e3 / mp, 2),
        }
        for name in found[0]
    }


def rawpy_ahd(path: pathlib.Path, out: pathlib.Path) -> None:
    """LibRaw's default quality, then Pillow's JPEG: what most Python users do."""
    import rawpy
    from PIL import Image

    with rawpy.imread(str(path)) as r:
        rgb = r.postprocess(use_camera_wb=True, demosaic_algorithm=rawpy.DemosaicAlgorithm.AHD)
    Image.fromarray(rgb).save(out, quality=92)


def unpack(path: pathlib.Path) -> int:
    """LibRaw's decoding alone."""
    import rawpy

    with rawpy.imread(str(path)) as r:
        return int(r.raw_image[0, 0])


def in_process(path: pathlib.Path, work: pathlib.Path, runs: int, mp: float) -> dict[str, dict[str, float]]:
    """File → JPEG, decoding and pixels alone, in one warm process."""
    out = work / "ours.jpg"

    def whole(sdr: bool) -> Callable[[], object]:
        return lambda: lichtbild.develop(lichtbild.open(path)).save(out, overwrite=True, sdr=sdr)

    shot = lichtbild.open(path)
    works: dict[str, Callable[[], object]] = {
        "file → JPEG, lichtbild": whole(True),
        "file → Ultra HDR, lichtbild": whole(False),
        "file → JPEG, rawpy AHD + Pillow": lambda: rawpy_ahd(path, work / "rawpy.jpg"),
        "decode, lichtbild": lambda: raw.open(path),
        "decode, LibRaw": lambda: unpack(path),
        "pixels, lichtbild": lambda: lichtbild.develop(shot).pixels(Wanted()),
    }
    return clock.in_turn(works, runs, mp)


def _for_peers(path: pathlib.Path, work: pathlib.Path) -> pathlib.Path:
    """The same mosaic, lossless JPEG with predictor 1, which every peer reads."""
    from lichtbild.export import dng

    copy = work / "peers.dng"
    dng.write_frame(copy, raw.open(path))
    return copy


def commands(path: pathlib.Path, work: pathlib.Path, runs: int, mp: float, peers: bool) -> dict[str, dict[str, float]]:
    """Whole cold commands, in turn."""
    python = sys.executable
    ours = [python, "-m", "lichtbild", "develop", str(path), "--overwrite"]
    lines = {
        "lichtbild develop": [*ours, "-o", str(work / "a.jpg")],
        "lichtbild develop --sdr": [*ours, "-o", str(work / "b.jpg"), "--sdr"],
        "python: rawpy AHD + Pillow": [python, "-c", RAWPY, str(path), str(work / "c.jpg")],
    }  # fmt: skip
    if peers:
        copy = _for_peers(path, work)
        if shutil.which("rawtherapee-cli"):
            lines["rawtherapee-cli -d"] = ["rawtherapee-cli", "-Y", "-o", str(work / "d.jpg"), "-d", "-j92", "-c",
                                           str(copy)]  # fmt: skip
        if shutil.which("darktable-cli"):
            # A new output each time: darktable numbers a file that exists.
            shell = (f"rm -f {work}/e.jpg; darktable-cli {copy} {work}/e.jpg --core --configdir {work}/dt "
                     "--disable-opencl --library :memory:")  # fmt: skip
            lines["darktable-cli"] = ["sh", "-c", shell]
    return clock.commands_in_turn(lines, runs, mp)


def memory(path: pathlib.Path, work: pathlib.Path, mp: float) -> dict[str, dict[str, float]]:
    """Peak resident memory of one development, and how much of it the imports alone take."""
    line = [sys.executable, "-c", MEMORY, str(path), str(work / "m.jpg")]
    before, peak = map(float, subprocess.run(line, check=True, capture_output=True, text=True).stdout.split())
    row = {"imports_mb": round(before), "peak_mb": round(peak), "mb_per_mp": round((peak - before) / mp, 1)}
    return {"develop --sdr": row}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=pathlib.Path)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--runs", type=int, default=7)
    a = parser.parse_args()
    kernels.keep_memory()  # as the command line does
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        path = a.file or subject(work)
        shape = raw.open(path).shape
        mp = shape[0] * shape[1] / 1e6
        results: dict[str, Any] = {"file": path.name, "megapixels": round(mp, 2)}
        print(f"{path.name}: {mp:.1f} MP; least of {a.runs} runs; {clock.machine()}")
        parts: dict[str, Callable[[], dict[str, dict[str, float]]]] = {
            "passes": lambda: passes(path, a.runs, mp),
            "in one process": lambda: in_process(path, work, a.runs, mp),
            "whole commands": lambda: commands(path, work, max(2, a.runs // 2), mp, a.peers),
            "memory": lambda: memory(path, work, mp),
        }
        for title, part in parts.items():
            results[title] = part()
            clock.table(title, results[title])
    print(f"\nkept in {clock.keep(results, 'speed').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
