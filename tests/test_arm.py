"""The AArch64 kernels, cross-built and run under user-mode emulation, give what this machine's kernels give."""

from __future__ import annotations

import pathlib
import shutil
import struct
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import replay
from conftest import ROOT

from lichtbild import kernels

TARGET = "arm-64-linux"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("qemu-aarch64"), reason="qemu-aarch64 (package qemu-user) is not installed"),
]


def emulate(program: pathlib.Path, call: replay.Call) -> dict[str, np.ndarray]:
    """Make one call on an emulated AArch64; returns all arrays as the kernel left them."""
    data, places = _pack(call)
    file = program.with_suffix(".bin")
    file.write_bytes(data)
    subprocess.run(["qemu-aarch64", str(program), str(file)], check=True, timeout=300)
    after = file.read_bytes()
    return {k: replace(m, data=after[at : at + len(m.data)]).array() for k, (at, m) in places.items()}


def _pack(call: replay.Call) -> tuple[bytes, dict[str, tuple[int, replay.Memory]]]:
    """The arguments as `arm.c` reads them, and where the memory of each array begins."""
    expected = kernels.describe(call.kernel)
    values = [call.before[a.name] for a in expected]
    data, places = struct.pack("<i", len(expected)), {}
    for i, (a, value) in enumerate(zip(expected, values, strict=True)):
        if not isinstance(value, replay.Memory):
            scalar = np.asarray(value, a.dtype)
            data += struct.pack("<5i", scalar.nbytes, -1, 0, 0, i) + scalar.tobytes()
            continue
        code, size = "iuf".index(a.dtype.kind), a.dtype.itemsize
        same = next(k for k, v in enumerate(values) if v is value)
        data += struct.pack("<5i", len(value.data), a.rank, code | 8 * size << 8, value.first, same)
        for extent, stride in zip(reversed(value.shape), reversed(value.strides), strict=True):
            data += struct.pack("<iiiI", 0, extent, stride // size, 0)
        if same < i:
            places[a.name] = places[expected[same].name]
            continue
        places[a.name] = len(data), value
        data += value.data
    return data, places


def link(folder: pathlib.Path, name: str) -> pathlib.Path:
    """A static AArch64 program around one kernel; its object comes from the cache of `make wheel-arm`."""
    import build_kernels

    build = ROOT / "build" / f"{TARGET}-all"
    source = build_kernels.generators()[name]
    library = build_kernels.emit(name, source, [TARGET], build)
    runtime = build / "runtime.a"
    if not runtime.exists():
        build_kernels.run([sys.executable, str(source), "-r", "runtime", "-o", str(build), "-e", "static_library",
                           f"target={TARGET}"])  # fmt: skip
    program = folder / name
    build_kernels.run([sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl", "-static", "-O1",
                       f"-DKERNEL={name}_argv", "-o", str(program), str(ROOT / "tests/arm.c"), str(library),
                       str(runtime), "-lpthread", "-lm"])  # fmt: skip
    return program


def test_photographs(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kernel that a photograph takes, in its first call of each variant."""
    pytest.importorskip("halide")
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    programs: dict[str, pathlib.Path] = {}
    for call in replay.record():
        if call.kernel not in programs:
            programs[call.kernel] = link(tmp_path, call.kernel)
            call.check(emulate(programs[call.kernel], call))
    assert len(programs) > 15
