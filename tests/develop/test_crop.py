"""Crop: the largest window of the proportions asked for, placed in the picture as one sees it."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild import stage
from lichtbild.develop import crop, orient


def values(aspect: str = "whole", x: float = 0.0, y: float = 0.0) -> dict[str, object]:
    return {"aspect": aspect, "x": x, "y": y}


@pytest.mark.parametrize(
    ("aspect", "wanted"),
    [("whole", (4000, 3000)), ("4:3", (4000, 3000)), ("3:2", (4000, 2667)), ("16:9", (4000, 2250)),
     ("65:24", (4000, 1477)), ("1:1", (3000, 3000))],
)  # fmt: skip
def test_largest_that_fits(aspect: str, wanted: tuple[int, int]) -> None:
    _, _, height, width = crop.window((8, 16, 3000, 4000), 1, values(aspect))
    assert (width, height) == wanted
    top, left, height, width = crop.window((8, 16, 4000, 3000), 6, values(aspect))  # upright pictures stay upright
    assert (height, width) == wanted
    assert abs((top - 8) - (4000 - height) / 2) <= 0.5 and abs((left - 16) - (3000 - width) / 2) <= 0.5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("x", "y"), [(-1.0, 0.0), (1.0, 0.5), (0.0, -1.0), (0.3, 1.0)])
@pytest.mark.parametrize("aspect", ["1:1", "65:24"])
def test_placed_in_the_upright_picture(orientation: int, x: float, y: float, aspect: str) -> None:
    def upright(picture: np.ndarray) -> np.ndarray:
        columns, rows, swap = orient.ways(orientation)
        turned = picture[:: -1 if rows else 1, :: -1 if columns else 1]
        return turned.T if swap else turned

    frame = np.arange(60 * 80).reshape(60, 80)
    top, left, height, width = crop.window((0, 0, 60, 80), orientation, values(aspect, x, y))
    whole, kept = upright(frame), upright(frame[top : top + height, left : left + width])
    first = np.argwhere(whole == kept[0, 0])[0]
    room = np.array(whole.shape) - kept.shape
    np.testing.assert_allclose(first, room * (np.array([y, x]) + 1) / 2, atol=1.0)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 2)])
@pytest.mark.parametrize("aspect", crop.ASPECTS)
def test_tiny_pictures_keep_a_pixel(size: tuple[int, int], aspect: str) -> None:
    top, left, height, width = crop.window((0, 0, *size), 1, values(aspect, 1.0, 1.0))
    assert 1 <= height <= size[0] and 1 <= width <= size[1]
    assert top + height <= size[0] and left + width <= size[1]


def test_an_unknown_aspect_is_refused() -> None:
    with pytest.raises(stage.ParamError, match=r"crop.aspect: expected one of whole, 3:2, 4:3, 1:1, 16:9, 65:24"):
        stage.check("crop", "aspect", "5:4")
