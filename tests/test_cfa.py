"""Patterns of colour filters as words: there and back, in their smallest period, from any beginning."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild import cfa
from lichtbild.sensor import filters
from lichtbild.types import BAYER

WORDS = [cfa.word(g) for g in filters.PATTERNS.values()]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_its_grid_whatever_its_repetition(word: str) -> None:
    cells = cfa.grid(word)
    assert cfa.word(cells) == word and cfa.word(np.tile(cells, (2, 3))) == word
    for top, left in ((0, 0), (1, 0), (2, 5), (7, 11)):
        seen = np.tile(cells, (20, 20))[top : top + 13, left : left + 9]
        np.testing.assert_array_equal(cfa.at(cfa.shifted(word, top, left), (13, 9)), seen)


def test_bayer_and_single_colours_keep_their_names() -> None:
    assert set(BAYER) | {"MONO"} <= set(WORDS) and len(WORDS) == len(set(WORDS))
    assert cfa.word(np.array([[2]])) == "MONO" and cfa.shifted("RGB", 1, 1) == "RGB"
    assert cfa.word(np.array([[0, 1], [1, 2]])) == "RGGB" and cfa.grid("RGGB/RGGB").shape == (2, 4)


@pytest.mark.parametrize("word", ["RGB", "RGXB", "RG/G", "RRRR", "RG", "", "/", "RGGBRGGBR"])
def test_what_is_no_pattern_is_said_in_one_line(word: str) -> None:
    with pytest.raises(ValueError, match="cfa: expected RGGB"):
        cfa.grid(word)


def test_squares_of_quad_and_nona() -> None:
    for name, cells in filters.PATTERNS.items():
        n = {"QUAD": 2, "NONA": 3}.get(name.split("-")[0])
        assert cfa.squares(cfa.word(cells)) == (None if n is None else (n, 0, 0))
    quad = cfa.word(filters.PATTERNS["QUAD-GRBG"])
    for top, left in np.ndindex(4, 4):
        assert cfa.squares(cfa.shifted(quad, top, left)) == (2, -top % 2, -left % 2)


@pytest.mark.parametrize(("size", "period"), [(1, 6), (5, 6), (7, 2), (40, 6), (33, 8)])
def test_places_outside_are_of_the_same_phase(size: int, period: int) -> None:
    at = np.arange(-3 * period - 1, size + 3 * period)
    found = cfa.inside(at, size, period)
    assert found.min() >= 0 and found.max() < size
    assert (found[(at >= 0) & (at < size)] == np.arange(size)).all()
    if size >= 2 * period:
        assert (found % period == at % period).all()
