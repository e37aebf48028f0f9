"""Parameters: what fits is taken as its type, what does not is refused in words, nothing is bent to fit."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lichtbild.stage import Param, ParamError, fit, nearest

WHOLE = Param("n", int, 4, 1, 8, "frames", "", ())
REAL = Param("x", float, 0.5, 0.0, 1.0, "EV", "", ())
FREE = Param("x", float, 0.5, None, None, "", "", ())
SWITCH = Param("s", bool, True, None, None, "", "", ())
WORD = Param("w", str, "soft", None, None, "", "", ("soft", "hard"))


@pytest.mark.parametrize(
    ("p", "given", "kept"),
    [
        (WHOLE, 3, 3),
        (WHOLE, "3", 3),
        (WHOLE, 3.0, 3),
        (REAL, 1, 1.0),
        (REAL, "0.25", 0.25),
        (FREE, -1e9, -1e9),
        (SWITCH, "off", False),
        (SWITCH, "Yes", True),
        (SWITCH, False, False),
        (WORD, "hard", "hard"),
    ],
)
def test_what_fits_is_taken_as_its_type(p: Param, given: Any, kept: Any) -> None:
    found = fit("a.b", p, given)
    assert found == kept and type(found) is p.kind


@pytest.mark.parametrize(
    ("p", "given"),
    [
        *[(WHOLE, v) for v in (3.7, "3.7", 0.999, 0, 9, math.nan, math.inf, -math.inf, True, None, [3], "three", "")],
        *[(REAL, v) for v in (1.01, -0.01, math.nan, "nan", "inf", math.inf, False, None, [0.5], {}, "half", "0.5x")],
        (FREE, math.nan),
        *[(SWITCH, v) for v in (1, 0.0, "maybe", None)],
        *[(WORD, v) for v in ("Soft", "", 1, None)],
    ],
)
def test_what_does_not_fit_is_refused_by_name(p: Param, given: Any) -> None:
    with pytest.raises(ParamError, match=r"^a\.b: expected .*, got '"):
        fit("a.b", p, given)


def test_range_unit_and_kind_are_said() -> None:
    with pytest.raises(ParamError, match=r"expected a whole number in 1\.\.8 frames, got '2\.5'"):
        fit("a.b", WHOLE, 2.5)
    with pytest.raises(ParamError, match=r"expected a number in 0\.\.1 EV, got '7'"):
        fit("a.b", REAL, 7)


def test_the_nearest_word_is_offered_or_all_of_them() -> None:
    assert nearest("tonee", ["tone", "noise"]) == "did you mean 'tone'?"
    assert nearest("xyz", ["tone", "noise"]) == "known: noise, tone"
