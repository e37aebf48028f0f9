"""What the last passes cost: codes straightened, and codes to picture, with a gain map, on 12 MP of synthetic light.

python -m bench.finish [rows columns]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np

from lichtbild import look
from lichtbild.develop import finish, geometry
from lichtbild.develop.colour import ColourTable
from lichtbild.develop.highlights import HighlightTable
from lichtbild.develop.tone import ToneMap
from lichtbild.types import Encoding, Frame, Warp

from . import clock

# Distortion and lateral colour of a phone's main lens.
LENS = Warp(np.array([[0.99, -0.012, 0.035 + d, -0.015 - d, 0, 0] for d in (2e-4, 0, -3e-4)]), (0.5, 0.5))


def negative(rows: int = 3000, columns: int = 4000) -> finish.Negative:
    """Smooth light with texture and noise, a camera-like matrix and a tone map that varies."""
    rng = np.random.default_rng(1)
    coarse = rng.random((3, rows // 50 + 1, columns // 50 + 1))
    code = coarse.repeat(50, 1).repeat(50, 2)[:, :rows, :columns] * 40000
    code += rng.normal(0, 300, code.shape)
    encoding = Encoding(50000.0, (0.001, 0.001, 0.001), (150.0, 150.0, 150.0))
    matrix = np.array([[1.5, -0.4, -0.1], [-0.2, 1.4, -0.2], [0.0, -0.5, 1.5]], np.float32)
    size = (-(-rows // 4), -(-columns // 4))
    tone = ToneMap(np.full(size, -0.1, np.float32), rng.random(size).astype(np.float32) * 0.2, 2.0**-12, -2.0, 2.0)
    highlight = HighlightTable((2.0, 1.0, 1.5), (0.5, 0.5, 0.5), 1.0, 0.86)
    return finish.Negative(
        np.clip(code, 0, 65535).astype(np.uint16), encoding, highlight, ColourTable(matrix), 0.5, tone
    )


def run(rows: int = 3000, columns: int = 4000, repeats: int = 10) -> dict[str, dict[str, float]]:
    """Best CPU and wall milliseconds per megapixel of each pass."""
    n = negative(rows, columns)
    classic = look.load("classic")
    sdr, hdr = look.compile(classic), look.compile(classic, headroom_ev=2.0)
    frame = Frame(pathlib.Path("bench.dng"), "RGGB", n.code[0], None, np.zeros((1, 1, 1), np.float32), (1,),
                  warps=(LENS,))  # fmt: skip
    grid = geometry.prepare(frame, {"correct": True, "fill": False})
    assert grid is not None
    passes = {
        "geometry": lambda: geometry.apply(n.code, grid),
        "finish_u8": lambda: finish.run(n, sdr),
        "finish_u16": lambda: finish.run(n, sdr, bits=16),
        "scene_f32": lambda: finish.scene(n),
        "gainmap": lambda: finish.gain_map(n, sdr, hdr),
    }
    return {name: clock.best(work, repeats, rows * columns / 1e6) for name, work in passes.items()}


if __name__ == "__main__":
    for name, costs in run(*map(int, sys.argv[1:3])).items():
        print(name, costs)
