"""Front: the first pass over the pixels, fused from black, shading, clipped highlights and defects; then demosaic.

in    a Frame, its white balance and its noise
out   square-root codes (3, H, W) uint16 of white-balanced camera light, and their Encoding
Numbers above black are multiplied by one table that holds scale, shading and white gain, and their root is taken:
noise is then equally strong everywhere, and all that follows is spared from asking how bright a pixel is. Kernel and
sequence of the single stages agree within one code.
Source: [Makitalo2013] for the code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from .. import kernels
from ..merge import exposures
from ..types import F32, U16, Encoding, Frame, Noise, Values, White
from . import banding, black, defects, demosaic, pattern, shading

_LEAST_SCALE = 1e-6  # of noise: less than a photon in a million is no noise of light
_BORDER = 12  # quads around the picture, as in kernels/front.py
_BEFORE, _BEHIND = 36, 320  # and further quads in a row, into which vectors reach
# Standard deviations of read noise below black at which the code ends. Where a pixel has an electron, a code that
# ends nearer makes shadows black and noise specks, and costs one frame 2 dB after gamma; 3 costs 0.2 dB above that.
_DEPTH = 2.5
_MOST_OFFSET = 0.25  # of the code, in camera light: where read noise is nearly all, the root stays a root


@dataclass(frozen=True)
class Tables:
    """What the pass is loaded with; planes as in ShadingTable.

    `gains` and `offset` hold the square of the scale, for a mosaic that of half codes.
    """

    levels: F32
    per_row: F32
    gains: F32
    row: NDArray[np.int32]
    weight: F32
    offset: F32  # (planes, W)

    def arguments(self) -> dict[str, Any]:
        """As the kernels name them."""
        return {k: getattr(self, k) for k in ("levels", "per_row", "gains", "row", "weight", "offset")}


@dataclass(frozen=True)
class Given:
    """The code that is to be written, whose `sigma` is that of this frame, and what its light is multiplied by."""

    code: Encoding
    light: float


def encoding(white: White, noise: Noise, peak: float) -> Encoding:
    """The code in which this frame's noise is equally strong; 65535 is the highest light there can be.

    `peak`: largest gain of shading.
    """
    a = [max(g * s, _LEAST_SCALE) for g, s in zip(white.gains, noise.scale, strict=True)]
    b = [g * g * o for g, o in zip(white.gains, noise.offset, strict=True)]
    offset = [min(max(v / s + 0.375 * s, _DEPTH * math.sqrt(v)), _MOST_OFFSET) for s, v in zip(a, b, strict=True)]
    scale = 65535 / math.sqrt(max(white.gains) * max(peak, 1.0) + max(offset))
    sigma = [0.5 * scale * math.sqrt(s if o < _MOST_OFFSET else v / o) for s, v, o in zip(a, b, offset, strict=True)]
    return Encoding(scale, (offset[0], offset[1], offset[2]), (sigma[0], sigma[1], sigma[2]))


def unit(frame: Frame, table: black.BlackTable) -> F32:
    """1 / (white - black) per plane of a table and place along x, as `patterns.sites` has it."""
    colour = patterns.sites(frame.cfa)
    out = np.empty(colour.shape, np.float32)
    for plane, column in np.ndindex(*colour.shape):
        if frame.rgb is not None:
            level = table.levels[plane].mean()
        else:
            part = table.levels[0][_row(plane, colour, table), column :: colour.shape[1]]
            level = part.mean() if part.size else table.levels.mean()
        top = frame.white[min(int(colour[plane, column]), len(frame.white) - 1)]
        out[plane, column] = 1 / max(top - float(level) - float(table.per_row.mean()), 1.0)
    return out


def _row(row: int, colour: NDArray[np.intp], table: black.BlackTable) -> NDArray[np.intp]:
    """Rows of the black levels that meet a row of the pattern."""
    high = table.levels.shape[1]
    return np.unique(np.arange(row, math.lcm(high, len(colour)), len(colour)) % high)


def prepare(
    frame: Frame, white: White, noise: Noise, values: Values, even: shading.ShadingTable, given: Given | None = None
) -> tuple[Tables, Encoding]:
    """All tables of the pass and the code it writes; `even` is that of the frame."""
    light = given.light if given else 1.0
    if values["black"]["banding"]:
        frame = banding.even(frame, exposures.scaled(noise, 1 / light))
    dark = black.prepare(frame, values["black"]["shift"])
    if frame.cfa == "MONO":
        white = White((1.0, 1.0, 1.0), white.xy, white.cct_k, white.tint, white.origin)
    code = given.code if given else encoding(white, noise, even.peak)
    colour = patterns.sites(frame.cfa)
    columns = np.arange(frame.shape[1]) % colour.shape[1]
    square = (code.scale if frame.rgb is not None else 0.5 * code.scale) ** 2
    factor = np.asarray(white.gains)[colour] * unit(frame, dark) * (square * light)
    offset: NDArray[Any] = np.asarray(code.offset)[colour][:, columns] * square
    gains = np.ascontiguousarray(even.gains * factor[:, None, columns], np.float32)
    offset = np.ascontiguousarray(offset, np.float32)
    return Tables(dark.levels, dark.per_row, gains, even.row, even.weight, offset), code


def run(
    frame: Frame, white: White, noise: Noise, values: Values, even: shading.ShadingTable | None = None,
    into: U16 | None = None, given: Given | None = None,
) -> tuple[U16, Encoding]:  # fmt: skip
    """Codes (3, H, W) of the frame and how to read them. `values` of black, shading, defects and demosaic are used.

    `even`: the shading of the frame where the caller has prepared it already. `into`: where the codes are to go.
    `given`: the code to write and the scale of light, for a frame that is added to one of another exposure.
    """
    even = even or shading.prepare(frame, values["shading"]["strength"])
    tables, code = prepare(frame, white, noise, values, even, given)
    out = np.empty((3, *frame.shape), np.uint16) if into is None else into
    if frame.rgb is not None:
        kernels.call("front_rgb", raw=frame.rgb, output=out, **tables.arguments())
        return out, code
    top = np.array(tops(white, code, even, frame, given.light if given else 1.0), np.uint16)
    eps = demosaic.epsilon(0.5 * code.sigma[1])
    if not patterns.simple(frame.cfa):
        mosaic, knobs = _repair(frame, code, values)
        pattern.front(mosaic, frame.cfa, tables.arguments(), np.concatenate([knobs, top]), eps, out)
        return out, code
    method = "mono" if frame.cfa == "MONO" else demosaic.choose(values["demosaic"]["method"], noise)
    dx, dy = defects.phase(frame.cfa)
    rows, columns = (-(-(n + d) // 2) + 2 * _BORDER for n, d in zip(frame.shape, (dy, dx), strict=True))
    room = np.empty((4, rows, _BEFORE + columns + _BEHIND), np.uint16)
    _quads(frame, tables, code, values, room[:, :, _BEFORE : _BEFORE + columns], _BORDER)
    kernels.call(f"front_{method}", quads=room, dx=dx, dy=dy, tops=top, eps=eps, output=out)
    return out, code


def quads(
    frame: Frame, white: White, noise: Noise, values: Values, even: shading.ShadingTable, into: U16, border: int,
    given: Given | None = None,
) -> None:  # fmt: skip
    """What `run` would demosaic, as quads of half codes (4, h, w), with `border` mirrored ones on each side."""
    tables, code = prepare(frame, white, noise, values, even, given)
    _quads(frame, tables, code, values, into, border)


def _quads(frame: Frame, tables: Tables, code: Encoding, values: Values, into: U16, border: int) -> None:
    dx, dy = defects.phase(frame.cfa)
    mosaic, knobs = _repair(frame, code, values)
    kernels.call("front_quads", raw=mosaic, dx=dx, dy=dy, border=border, knobs=knobs, output=into, **tables.arguments())


def _repair(frame: Frame, code: Encoding, values: Values) -> tuple[U16, U16]:
    """The mosaic without the defects that the file lists; for others the kernels' limits (R, G, B) and strength, and
    the number from which a sample is clipped."""
    assert frame.mosaic is not None
    strength = values["defects"]["strength"]
    mosaic = defects.listed(frame) if strength > 0 else frame.mosaic
    limits = defects.limits(code, values["defects"]["threshold"])
    return mosaic, np.array([*limits, defects.share(strength), exposures.limit(frame)], np.uint16)


def tops(
    white: White, code: Encoding, even: shading.ShadingTable, frame: Frame, scale: float = 1.0
) -> tuple[int, int, int]:
    """Highest code of each channel: what saturates there where shading is strongest. Demosaicing stays below it.

    In a mosaic it is one for all, since a clipped sample is raised to those of the other colours.
    """
    colour = patterns.sites(frame.cfa)
    columns = np.arange(frame.shape[1]) % colour.shape[1]
    highest = [0, 0, 0]
    for parity, column in np.ndindex(*colour.shape):
        c, part = int(colour[parity, column]), even.gains[parity][:, columns == column]
        gain = 1.0 if frame.cfa == "MONO" else white.gains[c]
        light = scale * gain * float(part.max() if part.size else even.peak)
        highest[c] = max(highest[c], min(math.ceil(code.scale * math.sqrt(light + code.offset[c])) + 1, 65535))
    r, g, b = highest if frame.rgb is not None else (max(highest),) * 3
    return r, g, b


def proxy(frame: Frame, values: Values | None = None, even: shading.ShadingTable | None = None) -> F32:
    """Means over 4x4 pixels (3, ceil(H/4), ceil(W/4)): linear camera light, evened, without white balance."""
    dark = black.prepare(frame, values["black"]["shift"] if values else 0.0)
    even = even or shading.prepare(frame, values["shading"]["strength"] if values else 1.0)
    level, line, gains = _coarse(frame, dark, even)
    height, width = frame.shape
    out = np.empty((3, -(-height // 4), -(-width // 4)), np.float32)
    # A block's centre lies half-way between its second and third row.
    second, third = (np.minimum(np.arange(out.shape[1]) * 4 + k, height - 1) for k in (1, 2))
    row, weight = even.row[second], even.weight[second].copy()
    weight[row == even.row[third]] = (0.5 * (weight + even.weight[third]))[row == even.row[third]]
    arguments = {"level": level, "line": line, "gains": gains, "row": row, "weight": weight, "output": out}
    if frame.rgb is not None:
        kernels.call("proxy_rgb", raw=frame.rgb, **arguments)
        return out
    if not patterns.simple(frame.cfa):
        assert frame.mosaic is not None
        cells = patterns.at(frame.cfa, (len(patterns.grid(frame.cfa)), width)).astype(np.uint8)
        down, across = (_around(n, p) for n, p in zip(frame.shape, patterns.grid(frame.cfa).shape, strict=True))
        kernels.call("proxy_pattern", raw=frame.mosaic, kind=cells, down=down, across=across, **arguments)
        return out
    dx, dy = defects.phase(frame.cfa)
    kernels.call("proxy", raw=frame.mosaic, dx=dx, dy=dy, **arguments)
    if frame.cfa == "MONO":
        out[:] = 0.25 * out[0] + 0.5 * out[1] + 0.25 * out[2]
    return out


def _blocks(line: F32) -> F32:
    """Means of four along the last axis, whose end is mirrored."""
    size = line.shape[-1]
    rest = -size % 4
    whole = np.pad(line, [(0, 0)] * (line.ndim - 1) + [(0, rest)], mode="reflect") if rest else line
    return np.asarray(whole.reshape(*line.shape[:-1], -1, 4).mean(-1, dtype=np.float32), np.float32)


def _coarse(frame: Frame, dark: black.BlackTable, even: shading.ShadingTable) -> tuple[F32, F32, F32]:
    """Black per column (3, w) and row (3, h) of blocks, and gains (3, steps, w) including 1 / (white - black)."""
    colour, scale = patterns.sites(frame.cfa), unit(frame, dark)
    if frame.rgb is not None:
        level = _blocks(dark.levels.mean(1))
        gains = _blocks(even.gains) * scale[:, :, None]
        return level, np.repeat(_blocks(dark.per_row)[None], 3, 0), gains
    sums = [np.zeros(1, np.float32)] * 3
    levels, steps, lines = list(sums), list(sums), list(sums)
    # Under MONO the kernel's three means are of the sites that RGGB would have.
    colour = np.array([[0, 1], [1, 2]]) if frame.cfa == "MONO" else colour
    rows, columns = colour.shape
    for (row, column), c in np.ndenumerate(colour):
        own = dark.levels[0][_row(row, colour, dark)]
        levels[c] = levels[c] + _places(own.mean(0), column, columns)
        steps[c] = steps[c] + _places(even.gains[row], column, columns) * scale[row, column]
        lines[c] = lines[c] + _places(dark.per_row, row, rows)
    count = np.bincount(colour.ravel(), minlength=3).tolist()
    mean = [np.stack([np.asarray(v / n, np.float32) for v, n in zip(f, count, strict=True)]) for f in (levels, lines)]
    stacked = np.stack([np.asarray(g / n, np.float32) for g, n in zip(steps, count, strict=True)])
    return np.ascontiguousarray(mean[0]), np.ascontiguousarray(mean[1]), np.ascontiguousarray(stacked)


def _places(line: F32, place: int, period: int) -> F32:
    """Means of the samples at one place of the pattern around every block of four along the last axis.

    Where the pattern repeats every two that is in the block, whose end is mirrored; else in the period around it.
    """
    if period == 2:
        return _pairs(line, place)
    seen = _around(line.shape[-1], period)
    first = np.argmax(seen % period == place, 0)
    found = np.take(line, np.take_along_axis(seen, first[None], 0)[0], -1)
    return np.asarray(found, np.float32)


def _around(size: int, period: int) -> NDArray[np.int32]:
    """(n, blocks): what every block of four samples sees, whole periods around its middle; outside moved by periods."""
    window = period * -(-4 // period)
    at = np.arange(0, size, 4) - (window - 4) // 2 + np.arange(window)[:, None]
    return patterns.inside(at, size, period).astype(np.int32)


def _pairs(line: F32, parity: int) -> F32:
    """Means of the two samples of one parity in every block of four along the last axis, whose end is mirrored."""
    size = line.shape[-1]
    whole = np.pad(line, [(0, 0)] * (line.ndim - 1) + [(0, -size % 4)], mode="reflect" if size > 1 else "edge")
    return np.asarray(0.5 * (whole[..., parity::4] + whole[..., parity + 2 :: 4]), np.float32)
