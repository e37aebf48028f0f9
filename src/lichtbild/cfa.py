"""Colour filter arrays: the pattern of a mosaic as a word, and as a small grid of colours.

A word is the rows of the pattern with "/" between them: "RRGG/RRGG/GGBB/GGBB". The four Bayer orders are known by their
four letters ("RGGB" for "RG/GB"); "MONO" is a mosaic of one colour, "RGB" are three colours at every pixel. A pattern
is at most MOST rows and columns, holds all of R, G, B, and is written in its smallest period.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from .types import BAYER

MOST = 8  # rows and columns of a pattern, as in the DNG SDK
Grid = NDArray[np.intp]


@functools.cache
def grid(cfa: str) -> Grid:
    """(rows, columns) of 0 R, 1 G, 2 B, read-only. "MONO" has one cell of green.

    Raises ValueError for a word that is no pattern ("RGB" is none).
    """
    rows = ["G"] if cfa == "MONO" else [cfa[:2], cfa[2:]] if cfa in BAYER else cfa.split("/")
    width = len(rows[0])
    known = cfa == "MONO" or set(cfa) - {"/"} == set("RGB")
    if not known or any(len(r) != width for r in rows) or max(len(rows), width) > MOST or cfa == "RGB":
        raise ValueError(f"cfa: expected {', '.join(BAYER)}, MONO or rows of R, G, B as RG/GB, got '{cfa}'")
    out = np.array([["RGB".index(c) for c in row] for row in rows], np.intp)
    out.setflags(write=False)
    return out


def word(pattern: NDArray[np.integer]) -> str:
    """The word of a grid of 0 R, 1 G, 2 B, in its smallest period. Raises ValueError where that is too large."""
    small = pattern
    for axis in (0, 1):
        size = small.shape[axis]
        period = next(n for n in range(1, size + 1) if size % n == 0 and (np.roll(small, n, axis) == small).all())
        small = np.take(small, range(period), axis)
    if small.size == 1:
        return "MONO"
    name = "/".join("".join("RGB"[c] for c in row) for row in small)
    name = name.replace("/", "") if name.replace("/", "") in BAYER and small.shape == (2, 2) else name
    grid(name)
    return name


def shifted(cfa: str, top: int, left: int) -> str:
    """The pattern as it begins `top` rows and `left` columns further on."""
    return cfa if cfa in ("MONO", "RGB") else word(np.roll(grid(cfa), (-top, -left), (0, 1)))


def at(cfa: str, shape: tuple[int, int]) -> Grid:
    """(H, W): the colour of every pixel."""
    cells = grid(cfa)
    rows, columns = (np.arange(n) % p for n, p in zip(shape, cells.shape, strict=True))
    found: Grid = cells[rows[:, None], columns]
    return found


def inside(at: Grid, size: int, period: int) -> Grid:
    """Places in 0..size - 1 for places anywhere: those outside are moved by whole periods, as far as there are any."""
    moved = at + period * (np.maximum(-at + period - 1, 0) // period - np.maximum(at - size + period, 0) // period)
    found: Grid = np.clip(moved, 0, size - 1)
    return found


def simple(cfa: str) -> bool:
    """Whether the pattern is Bayer's or a single colour, which have passes of their own."""
    return cfa in BAYER or cfa == "MONO"


def sites(cfa: str) -> Grid:
    """Colour (0, 1, 2) by plane of a table and place along x: (3, 1) for "RGB", (2, 2) for "MONO", else the pattern."""
    if cfa == "RGB":
        return np.array([[0], [1], [2]])
    return np.array([[1, 1], [1, 1]]) if cfa == "MONO" else grid(cfa)


def squares(cfa: str) -> tuple[int, int, int] | None:
    """(n, top, left) where squares of n x n pixels of one colour, the first whole one at row top and column left, are
    laid like the pixels of a Bayer pattern: n = 2 for quad, 3 for nona sensors. None for all other patterns.
    """
    if cfa == "RGB" or simple(cfa):
        return None
    cells = grid(cfa)
    n = cells.shape[0] // 2
    if cells.shape != (2 * n, 2 * n):
        return None
    for top, left in np.ndindex(n, n):
        moved = np.roll(cells, (-top, -left), (0, 1))
        small = moved[::n, ::n]
        if (np.kron(small, np.ones((n, n), np.intp)) == moved).all() and word(small) in BAYER:
            return n, top, left
    return None
