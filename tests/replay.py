"""Kernel calls of real developments, kept so that another target can be given the same inputs.

`record()` develops small frames and keeps, for each kernel, the memory of its arguments before and after its calls.
"""

from __future__ import annotations

import contextlib
import ctypes
import pathlib
import tempfile
import unittest.mock
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mosaics
import numpy as np

from lichtbild import kernels, raw, recipe
from lichtbild.develop import pipeline
from lichtbild.export import dng
from lichtbild.types import Calibration, CameraColour, Frame, Noise, Warp, replace
from lichtbild.wanted import Wanted

# Rounding may fall the other way where targets contract products differently (fused multiply-add). Measured between
# AVX-512 and baseline: 4 of 65535 codes, 1 of 255, and 2e-6 of the light. Denoise takes reciprocals as each processor
# has them: on AArch64 1 step of its 16 bits, and 16 codes of 65535. A float may differ by that much of its peak.
TOLERANCE = {
    np.dtype(np.uint8): 1.0, np.dtype(np.int16): 1.0, np.dtype(np.uint16): 16.0, np.dtype(np.float32): 1e-5,
}  # fmt: skip
# Where a choice (a direction, a defect) hangs by a hair, another target may choose otherwise: one value in a thousand.
UNDECIDED = 1e-3
# These round every sum as written: the same bits everywhere.
EXACT = ("grain_u8", "grain_u16")


@dataclass
class Memory:
    """An array with its memory as it lies, so that it can be pickled and given back.

    Strides may overlap or run backwards: the first element lies `first` bytes into `data`.
    """

    data: bytes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]
    first: int

    @classmethod
    def of(cls, array: np.ndarray) -> Memory:
        spans = [(n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)]
        first, last = -sum(min(s, 0) for s in spans), sum(max(s, 0) for s in spans)
        data = ctypes.string_at(array.ctypes.data - first, first + last + array.itemsize)
        return cls(data, array.shape, array.dtype, array.strides, first)

    def array(self) -> np.ndarray:
        return np.ndarray(self.shape, self.dtype, bytearray(self.data), self.first, self.strides)


@dataclass
class Call:
    """One call of a kernel: scalars and memory before it, memory after it."""

    kernel: str
    before: dict[str, Any]
    after: dict[str, Memory]

    def arguments(self) -> dict[str, Any]:
        """Fresh arguments for the same call; what was one array in it is one array again."""
        arrays = {id(v): v.array() for v in self.before.values() if isinstance(v, Memory)}
        return {k: arrays.get(id(v), v) for k, v in self.before.items()}

    def check(self, found: dict[str, Any]) -> None:
        """Assert that another target left what this one left in all arrays, within TOLERANCE but for UNDECIDED."""
        for key, memory in self.after.items():
            expected, got = memory.array().astype(float), found[key].astype(float)
            peak = max(1.0, float(np.abs(expected).max(initial=0))) if memory.dtype.kind == "f" else 1.0
            off = np.abs(expected - got)
            most = 0.0 if self.kernel in EXACT else TOLERANCE.get(memory.dtype, 0.0) * peak
            share = (off > most).mean() if off.size else 0.0
            assert share <= (0.0 if self.kernel in EXACT else UNDECIDED), (
                f"{self.kernel}: {key} is up to {off.max():g} off, {share:.2%} too far"
            )


def again(calls: list[Call]) -> None:
    """Make all calls once more, in this process, and check what they leave."""
    for call in calls:
        arguments = call.arguments()
        kernels.call(call.kernel, **arguments)
        call.check(arguments)


def record() -> list[Call]:
    """All kernel calls of some photographs, from reading the file to the gain map, in all variants of the passes."""
    with _listening() as calls:
        _read()
        everyday = recipe.resolve()
        for want in (Wanted(8, "srgb", True), Wanted(16, "p3")):
            pipeline.render(frame(), everyday, want)
        for method in ("smooth", "fast"):
            pipeline.render(frame(), recipe.resolve(sets={"demosaic.method": method}), Wanted())
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "much.toml"
            path.write_text('name = "much"\ntitle = "Much"\nextends = "negative"\n[micro]\nper_mm_8 = 1.5\n')
            for bits in (8, 16):
                pipeline.render(frame(), recipe.resolve(look=str(path)), Wanted(bits))
        pipeline.render(replace(frame(), cfa="MONO"), everyday, Wanted())
        rgb = np.stack([frame().mosaic] * 3)
        pipeline.render(replace(frame(), mosaic=None, rgb=rgb, cfa="RGB", white=(1023.0,) * 3), everyday, Wanted())
        burst = [frame(seed=seed) for seed in (3, 4)]
        pipeline.render(burst[0], recipe.resolve("night"), Wanted(), burst)
    return calls


@contextlib.contextmanager
def _listening() -> Iterator[list[Call]]:
    calls: list[Call] = []
    plain = kernels.call

    def heard(name: str, **arguments: Any) -> None:
        before = _kept(arguments)
        plain(name, **arguments)
        after = {k: v for k, v in _kept(arguments).items() if isinstance(v, Memory)}
        calls.append(Call(name, before, after))

    with unittest.mock.patch.object(kernels, "call", heard):
        yield calls


def _kept(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with their memory; a kernel may be given one array twice, to work in place."""
    kept: dict[tuple[Any, ...], Memory] = {}

    def keep(v: np.ndarray) -> Memory:
        return kept.setdefault((v.ctypes.data, v.shape, v.strides, v.dtype), Memory.of(v))

    return {k: keep(v) if isinstance(v, np.ndarray) else v for k, v in arguments.items()}


def _read() -> None:
    """Write and read four tiles of lossless JPEG."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "x.dng"
        dng.write_frame(path, frame((1024, 1024)))
        raw.open(path)


def frame(size: tuple[int, int] = (98, 150), seed: int = 3) -> Frame:
    """Slopes, edges, a clipped disc and photon noise in 10 bits; with shading, a lens that bends, and a known noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]] / max(size)
    light = 0.02 + 0.5 * x + 0.15 * (np.sin(40 * y) * np.sin(50 * x) > 0.2)
    light[(y - 0.3) ** 2 + (x - 0.7) ** 2 < 0.01] = 2.0
    rgb = light * np.array([0.5, 1.0, 0.6])[:, None, None]
    counts = rng.poisson(np.minimum(rgb, 1.0) * 2000) / 2000 + rng.normal(0, 0.002, rgb.shape)
    mosaic = np.clip(mosaics.mosaic(counts) * 959 + 64.5, 0, 1023).astype(np.uint16)
    matrix = np.array([[0.9, -0.3, -0.1], [-0.4, 1.2, 0.2], [-0.1, 0.2, 0.6]])
    return mosaics.frame(
        mosaic,
        orientation=6,
        gain_maps=(mosaics.gain_map(rng, (0, 0, *size), 1),),
        warps=(Warp(np.array([[1.0, -0.03, 0.005, 0.0, 1e-4, -1e-4]]), (0.5, 0.5)),),
        noise=Noise((5e-4,) * 3, (4e-6,) * 3),
        colour=CameraColour((Calibration(21, matrix),), as_shot_neutral=(0.5, 1.0, 0.6)),
    )
