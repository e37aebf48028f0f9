"""DNG opcode lists written from what a Frame knows: bad pixels, lens shading, vignette and warp.

Opcode lists are big-endian whatever the file is. All opcodes are marked optional, so that a reader which does not know
one develops the frame without it. Source: [DNG17] chapter 7.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from ..types import Frame, GainMap, Vignette, Warp

_WARP, _VIGNETTE, _BAD_PIXELS, _GAIN_MAP = 1, 3, 5, 9
_OPTIONAL = 1
_SINCE = bytes((1, 3, 0, 0))  # all four came with DNG 1.3
# Of the opcode's BayerPhase. There is none of other patterns: 0 stands there, and what counts is the list of pixels.
_PHASE = {"RGGB": 0, "GRBG": 1, "GBRG": 2, "BGGR": 3}


def listing(opcodes: Sequence[tuple[int, bytes]]) -> bytes:
    """An opcode list of (id, parameters); empty for none."""
    if not opcodes:
        return b""
    rows = (struct.pack(">I4sII", code, _SINCE, _OPTIONAL, len(body)) + body for code, body in opcodes)
    return struct.pack(">I", len(opcodes)) + b"".join(rows)


def before_linear(frame: Frame) -> bytes:
    """OpcodeList1: on the values as stored."""
    if frame.bad_pixels is None or not len(frame.bad_pixels) or frame.cfa in ("MONO", "RGB"):
        return b""
    points = np.asarray(frame.bad_pixels, ">u4").reshape(-1, 2)
    head = struct.pack(">III", _PHASE.get(frame.cfa, 0), len(points), 0)
    return listing([(_BAD_PIXELS, head + points.tobytes())])


def on_linear(frame: Frame) -> bytes:
    """OpcodeList2: on linear values, before demosaicing."""
    return listing([(_GAIN_MAP, _gain_map(m)) for m in frame.gain_maps])


def after_demosaic(frame: Frame) -> bytes:
    """OpcodeList3: on camera RGB."""
    vignettes = [(_VIGNETTE, _vignette(v)) for v in frame.vignettes]
    return listing([*vignettes, *((_WARP, _warp(w)) for w in frame.warps)])


def _gain_map(m: GainMap) -> bytes:
    gains = np.asarray(m.gains, ">f4")
    if gains.ndim != 3:
        raise ValueError(f"gain map: expected gains (rows, columns, planes), got {gains.shape}")
    rows, columns, planes = gains.shape
    area = (m.top, m.left, m.bottom, m.right, m.plane, m.planes, m.row_pitch, m.col_pitch)
    head = struct.pack(">10I", *area, rows, columns)
    return head + struct.pack(">4dI", *m.spacing, *m.origin, planes) + gains.tobytes()


def _vignette(v: Vignette) -> bytes:
    return struct.pack(">7d", *v.k, *v.centre)


def _warp(w: Warp) -> bytes:
    sets = np.asarray(w.coefficients, ">f8").reshape(-1, 6)
    return struct.pack(">I", len(sets)) + sets.tobytes() + struct.pack(">2d", *w.centre)
