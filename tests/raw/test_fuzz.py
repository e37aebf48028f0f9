"""Mutants of real and made files: each is a frame or a RawError, in bounded time and memory; nothing crashes."""

from __future__ import annotations

import json
import pathlib
import struct
import subprocess
import sys
import time
from collections.abc import Iterator

import imagecodecs
import numpy as np
import pytest
from conftest import ROOT, SHARED
from raw.dngs import LONG, RATIONAL, SHORT, area, dng, gain_map, ifd, opcode, oplist

from lichtbild import raw
from lichtbild.types import Frame, RawError

H, W = 40, 64
REAL = ("lg_g4_sample_1mp_lossy_linear.dng", "halide_bayer_small_256x344_grbg.png", "gopro_hero6_mural_iso100.dng",
        "canon550d_magiclantern_colorchecker.dng")  # fmt: skip


def seeds() -> list[tuple[str, bytes]]:
    """Small files of every kind, made here."""
    rng = np.random.default_rng(7)
    image = rng.normal(3000, 200, (H, W)).astype(np.uint16)
    ops = oplist(
        opcode(9, gain_map((0, 0, H, W), np.ones((3, 3)))),
        opcode(8, area((0, 0, H, W)) + struct.pack(">I2d", 1, 0, 1)),
        opcode(5, struct.pack(">3I2i", 0, 1, 0, 3, 3)),
        opcode(77, b"x", optional=True),
    )
    third = oplist(
        opcode(1, struct.pack(">I8d", 1, 1, 0, 0, 0, 0, 0, 0.5, 0.5)), opcode(3, struct.pack(">7d", *[0.1] * 7))
    )
    extra = {
        51009: ops, 51022: third, 50829: (LONG, [2, 2, H, W]), 50712: (SHORT, range(4096)), 700: (1, b"<x/>"),
        50719: (RATIONAL, [(1, 1), (1, 1)]), 50720: (RATIONAL, [(30, 1), (30, 1)]), 51041: (12, [1e-4, 1e-6]),
        50715: (RATIONAL, [(1, 9)] * (W - 2)), 50937: (LONG, [2, 2, 1]), 50938: (11, [0.0, 1.0, 1.0] * 4),
    }  # fmt: skip
    cells = [np.ascontiguousarray(image[y : y + 16, x : x + 32]) for y in (0, 16, 24) for x in (0, 32)]
    ljpeg = [bytes(imagecodecs.jpeg8_encode(c, lossless=True, predictor=6, bitspersample=12)) for c in cells]
    jxl = [bytes(imagecodecs.jpegxl_encode(c, lossless=True, effort=1)) for c in cells]
    flat = [bytes(imagecodecs.zlib_encode(c.tobytes())) for c in cells]
    lossy = [bytes(imagecodecs.jpeg8_encode(np.repeat((c // 32).astype(np.uint8)[..., None], 3, 2))) for c in cells]
    return [
        ("plain.dng", dng([image.tobytes()], (H, W), extra=extra)),
        ("ljpeg.dng", dng(ljpeg, (H, W), bits=12, compression=7, tile=(16, 32), extra=extra, order=">")),
        ("jxl.dng", dng(jxl, (H, W), compression=52546, tile=(16, 32), big=True)),
        ("deflate.dng", dng(flat, (H, W), compression=8, tile=(16, 32), extra={317: (SHORT, 2)})),
        ("lossy.dng", dng(lossy, (H, W), bits=8, compression=34892, tile=(16, 32), samples=3)),
    ]


def real() -> list[tuple[str, bytes]]:
    """Real files, where there are any."""
    return [(n, (SHARED / "raw" / n).read_bytes()) for n in REAL if (SHARED / "raw" / n).exists()]


def places(data: bytes) -> list[int]:
    """Where a change hurts most: header, and the directory with its values."""
    order = "<" if data[:2] == b"II" else ">"
    first = struct.unpack(order + "I", data[4:8])[0] if data[:2] in (b"II", b"MM") else 0
    first = first if first < len(data) else 0
    return [*range(16), *range(first, min(first + 1600, len(data)))]


def mutants(name: str, data: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` damaged copies: bytes changed, cut, doubled, swapped, most of them in the directories."""
    rng = np.random.default_rng(seed)
    hot = places(data)
    for _ in range(count):
        new = bytearray(data)
        for _ in range(rng.integers(1, 6)):
            at = int(rng.choice(hot)) if rng.random() < 0.7 else int(rng.integers(len(data)))
            kind = rng.integers(5)
            if kind == 0:
                new[at : at + 1] = bytes([rng.integers(256)])
            elif kind == 1:
                new[at : at + 4] = rng.choice(
                    [b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\x80", b"\x01\0\0\0"]
                )
            elif kind == 2:
                new[at : at + 1] = bytes([(new + b"\0")[min(at, len(new))] ^ (1 << int(rng.integers(8)))])
            elif kind == 3 and rng.random() < 0.3:
                del new[at:]
            else:
                source = int(rng.integers(len(data)))
                new[at : at + 8] = data[source : source + 8]
        yield name, bytes(new) or b"\0"


def survive(path: pathlib.Path, data: bytes) -> str:
    """What became of a mutant; AssertionError if it took too long or is no sound frame."""
    path.write_bytes(data)
    started = time.process_time()
    try:
        frame = raw.open(path)
    except RawError as e:
        assert str(e).startswith(f"{path}: ") and "\n" not in str(e)
        result = "refused"
    else:
        assert isinstance(frame, Frame) and (frame.mosaic is None) != (frame.rgb is None)
        assert min(frame.white) > frame.black.max() and np.isfinite(frame.black).all()
        top, left, high, wide = frame.crop or (0, 0, *frame.shape)
        assert 0 <= top < top + high <= frame.shape[0] and 0 <= left < left + wide <= frame.shape[1]
        json.dumps(raw.describe(frame), allow_nan=False)
        result = "opened"
    assert time.process_time() - started < 4
    return result


def test_mutants(tmp_path: pathlib.Path) -> None:
    files = [*seeds(), *[f for f in real() if len(f[1]) < 200_000]]
    outcome = {
        survive(tmp_path / name, data) for i, (n, whole) in enumerate(files) for name, data in mutants(n, whole, 40, i)
    }
    assert outcome == {"opened", "refused"}


def run(folder: str, part: int, parts: int, count: int) -> None:
    """Child of the slow test: `count` mutants of each file under a limit of memory and time."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    tally = {"opened": 0, "refused": 0}
    for i, (n, whole) in enumerate([*seeds(), *real()]):
        wanted = count if len(whole) < 200_000 else count // 6
        for name, data in mutants(n, whole, wanted, 1000 * i + part):
            tally[survive(pathlib.Path(folder) / name, data)] += 1
    print(json.dumps(tally))


@pytest.mark.slow
def test_three_thousand_mutants(tmp_path: pathlib.Path) -> None:
    """In processes of their own: a decoder that crashes would take the test run with it."""
    total = {"opened": 0, "refused": 0}
    for part in range(4):
        code = f"import sys; sys.path[:0] = {[str(ROOT / 'tests'), str(ROOT / 'src')]!r}\n"
        code += f"from raw.test_fuzz import run; run({str(tmp_path)!r}, {part}, 4, 130)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, (
            f"exit {done.returncode}, the last mutants lie in {tmp_path}\n{done.stderr[-2000:]}"
        )
        for key, n in json.loads(done.stdout.splitlines()[-1]).items():
            total[key] += n
    assert sum(total.values()) >= 3000 or not SHARED.is_dir()
    assert min(total.values()) > 100


def test_a_directory_needs_no_values() -> None:
    """The maker of mutants itself: a directory of nothing is eight bytes less than one of one tag would be."""
    assert len(ifd({}, 8)) == 6
