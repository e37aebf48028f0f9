"""Compile every Halide generator in `kernels/` ahead of time and link them into one plain shared library.

Used three ways, always the same code: as hatchling's build hook (`pip install .`), by `make kernels`, and by hand:

    python tools/build_kernels.py [--target arm-64-linux] [--levels host] [--only demosaic,denoise] [--dest FILE]

Objects are cached by the hash of what they were made from, so a second build only links. What each generator took is
said on stderr. Only PyPI packages are needed: `halide` emits the objects, `ziglang` links them; no system compiler, no
CMake.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
KERNELS = ROOT / "kernels"
LIBRARY = ROOT / "src/lichtbild/_kernels.so"

# Best first: the library takes the first level that the processor has; the last one is the fallback.
AVX2 = "sse41-avx-avx2-f16c-fma"
LEVELS = {
    "x86-64-linux": [f"{AVX2}-avx512-avx512_skylake", AVX2, ""],
    "arm-64-linux": [""],
}
# The oldest C library that the wheels run on, in the linker's words and in the wheel's.
LINK = {"x86-64-linux": "x86_64-linux-gnu.2.17", "arm-64-linux": "aarch64-linux-gnu.2.28"}
WHEEL = {"x86-64-linux": "manylinux_2_17_x86_64", "arm-64-linux": "manylinux_2_28_aarch64"}

GENERATOR = re.compile(r'@hl\.generator\(\s*name\s*=\s*"(\w+)"')
IMPORT = re.compile(r"^(?:from|import) (\w+)", re.M)


def generators() -> dict[str, pathlib.Path]:
    """Name of every registered generator → the file that registers it."""
    found: dict[str, pathlib.Path] = {}
    for path in sorted(KERNELS.glob("*.py")):
        for name in GENERATOR.findall(path.read_text()):
            if name in found:
                raise SystemExit(f"generator '{name}' is registered in {found[name].name} and in {path.name}")
            found[name] = path
    return found


def sources(path: pathlib.Path, seen: set[pathlib.Path] | None = None) -> set[pathlib.Path]:
    """The file and every file of `kernels/` that it imports, directly or not."""
    seen = set() if seen is None else seen
    if path not in seen:
        seen.add(path)
        for module in IMPORT.findall(path.read_text()):
            other = KERNELS / f"{module}.py"
            if other.exists():
                sources(other, seen)
    return seen


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=KERNELS)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def emit(name: str, path: pathlib.Path, targets: list[str], out: pathlib.Path) -> pathlib.Path:
    """Emit one generator for all targets as a static library; reuse it when nothing it is made from has changed."""
    stamp = hashlib.sha256(b"\0".join(p.read_bytes() for p in sorted(sources(path))))
    stamp.update(f"{name} {targets}".encode())
    here = out / f"{name}-{stamp.hexdigest()[:16]}"
    library = here / f"{name}.a"
    if not library.exists():
        start = time.perf_counter()
        target = ",".join(f"{t}-no_runtime" for t in targets)
        here.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=here) as part:  # an interrupted build leaves no half library
            run([sys.executable, str(path), "-g", name, "-f", name, "-n", name, "-o", part, "-e", "static_library",
                 f"target={target}"])  # fmt: skip
            (pathlib.Path(part) / library.name).replace(library)
        print(f"{time.perf_counter() - start:6.1f} s  {name}, {len(targets)} levels", file=sys.stderr, flush=True)
    return library


def build(
    base: str = "x86-64-linux",
    dest: pathlib.Path = LIBRARY,
    out: pathlib.Path = ROOT / "build",
    levels: str = "all",
    only: set[str] | None = None,
) -> pathlib.Path:
    """Emit and link; returns the path of the shared library. `levels='host'` builds for this processor alone."""
    out = out / f"{base}-{levels}"
    found = {n: p for n, p in generators().items() if only is None or n in only}
    names = ["-".join(filter(None, (base, level))) for level in LEVELS[base]]
    targets = ["host"] if levels == "host" else names
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        libraries = list(pool.map(lambda item: emit(*item, targets, out), found.items()))
    runtime = out / "runtime.a"
    if not runtime.exists():
        first = next(iter(found.values()))
        run([sys.executable, str(first), "-r", "runtime", "-o", str(out), "-e", "static_library", f"target={base}"])
    dest.parent.mkdir(parents=True, exist_ok=True)
    part = dest.with_suffix(f".{os.getpid()}.part")
    run([sys.executable, "-m", "ziglang", "cc", "-target", LINK[base], "-shared", "-s", "-o", str(part),
         "-Wl,--whole-archive", *map(str, libraries), str(runtime), "-Wl,--no-whole-archive",
         "-lpthread", "-ldl", "-lm"])  # fmt: skip
    part.replace(dest)
    return dest


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, outside a build
    pass
else:

    class KernelHook(BuildHookInterface):  # type: ignore[type-arg]
        """hatchling's door: build the library and tag the wheel for its platform, any Python 3."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            if self.target_name != "wheel":
                return
            base = os.environ.get("LICHTBILD_TARGET", "x86-64-linux")
            if base not in LINK:
                raise SystemExit(f"LICHTBILD_TARGET={base}: expected one of {', '.join(LINK)}")
            library = build(base, LIBRARY if version == "editable" else ROOT / "build" / base / LIBRARY.name)
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{WHEEL[base]}"
            build_data["force_include"][str(library)] = "lichtbild/_kernels.so"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="x86-64-linux", choices=sorted(LINK))
    parser.add_argument("--levels", default="all", choices=("all", "host"))
    parser.add_argument("--only", help="comma-separated generators")
    parser.add_argument("--dest", type=pathlib.Path, default=LIBRARY)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    a = parser.parse_args()
    print(build(a.target, a.dest, a.build, a.levels, set(a.only.split(",")) if a.only else None))


if __name__ == "__main__":
    main()
