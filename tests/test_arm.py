"""The AArch64 kernels, cross-built and run under user-mode emulation, give what this machine's kernels give."""

from __future__ import annotations

import pathlib
import shutil
import struct
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

from lichtbild import kernels

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("qemu-aarch64"), reason="qemu-aarch64 (package qemu-user) is not installed"),
]
RNG = np.random.default_rng(1)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    pytest.importorskip("halide")
    return tmp_path_factory.mktemp("arm")


def emulate(build: pathlib.Path, name: str, arguments: dict[str, Any]) -> dict[str, np.ndarray]:
    """Call kernel `name` on an emulated AArch64; returns all arrays as the kernel left them."""
    sys.path.insert(0, str(ROOT / "tools"))
    import build_kernels

    target = "arm-64-linux"
    source = build_kernels.generators()[name]
    library = build_kernels.emit(name, source, [target], build)
    runtime = build / "runtime.a"
    if not runtime.exists():
        build_kernels.run([sys.executable, str(source), "-r", "runtime", "-o", str(build), "-e", "static_library",
                           f"target={target}"])  # fmt: skip
    program = build / name
    build_kernels.run([sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl", "-static", "-O1",
                       f"-DKERNEL={name}_argv", "-o", str(program), str(ROOT / "tests/arm.c"), str(library),
                       str(runtime), "-lpthread", "-lm"])  # fmt: skip
    data, places = _pack(name, arguments)
    file = build / f"{name}.bin"
    file.write_bytes(data)
    subprocess.run(["qemu-aarch64", str(program), str(file)], check=True, timeout=300)
    after = file.read_bytes()
    return {k: np.frombuffer(after, a.dtype, a.size, at).reshape(a.shape) for k, (at, a) in places.items()}


def _pack(name: str, arguments: dict[str, Any]) -> tuple[bytes, dict[str, tuple[int, np.ndarray]]]:
    expected = kernels.describe(name)
    data, places = struct.pack("<i", len(expected)), {}
    for a in expected:
        value = np.ascontiguousarray(np.asarray(arguments[a.name], a.dtype))
        code = {"b": 1, "u": 1, "i": 0, "f": 2}[a.dtype.kind]
        bits = 1 if a.dtype == bool else value.itemsize * 8
        data += struct.pack("<iii", value.nbytes, -1 if a.scalar else value.ndim, code | bits << 8)
        if not a.scalar:
            for extent, stride in zip(reversed(value.shape), reversed(value.strides), strict=True):
                data += struct.pack("<iiiI", 0, extent, stride // value.itemsize, 0)
            places[a.name] = len(data), value
        data += value.tobytes()
    return data, places


def check(build: pathlib.Path, name: str, tolerance: float, **arguments: Any) -> None:
    arm = emulate(build, name, arguments)
    kernels.call(name, **arguments)
    for key, value in arguments.items():
        if isinstance(value, np.ndarray) and value.ndim:
            assert np.abs(arm[key].astype(float) - value.astype(float)).max() <= tolerance, key


def test_orient(build: pathlib.Path) -> None:
    image = RNG.integers(0, 256, (37, 53, 3), dtype=np.uint8)
    output = np.zeros((53, 37, 3), np.uint8)
    check(build, "orient_u8", 0, image=image, swap=True, mirror_x=False, mirror_y=True, output=output)


def test_geometry(build: pathlib.Path) -> None:
    code = RNG.integers(0, 65536, (3, 40, 60), dtype=np.uint16)
    y, x = np.mgrid[0:4, 0:5] * 16.0
    grid = np.stack([x * 0.98 + 0.6, y * 0.97 + 0.7])[None].astype(np.float32)
    check(build, "geometry", 2, code=code, grid=grid, output=np.zeros_like(code))
