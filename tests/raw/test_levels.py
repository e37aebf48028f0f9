"""CFA pattern, black, white, active area, crop and orientation, from tags that are there, missing or wrong."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from raw.dngs import BYTE, LONG, RATIONAL, SHORT, SRATIONAL, dng, plain

from lichtbild import cfa as patterns
from lichtbild import raw
from lichtbild.types import Frame, RawError

H, W = 24, 36


@pytest.fixture
def image(rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint16]]:
    return rng.integers(2000, 60000, (H, W)).astype(np.uint16)


def opened(tmp_path: pathlib.Path, image: np.ndarray[Any, np.dtype[np.uint16]], **tags: Any) -> Frame:
    path = tmp_path / "a.dng"
    path.write_bytes(plain(image, {int(k[1:]): v for k, v in tags.items()}))
    return raw.open(path)


PATTERNS = {"RGGB": [0, 1, 1, 2], "BGGR": [2, 1, 1, 0], "GRBG": [1, 0, 2, 1], "GBRG": [1, 2, 0, 1]}


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("top", [0, 1])
@pytest.mark.parametrize("left", [0, 3])
def test_the_pattern_follows_the_active_area(
    tmp_path: pathlib.Path, image: Any, name: str, top: int, left: int
) -> None:
    frame = opened(tmp_path, image, t33422=(BYTE, PATTERNS[name]), t50829=(LONG, [top, left, H, W]))
    np.testing.assert_array_equal(frame.mosaic, image[top:, left:])
    rows = [name[:2], name[2:]]
    assert frame.cfa == "".join(rows[(top + y) % 2][(left + x) % 2] for y in range(2) for x in range(2))


def test_a_pattern_written_twice_as_large_is_the_same(tmp_path: pathlib.Path, image: Any) -> None:
    assert opened(tmp_path, image, t33421=(SHORT, [2, 4]), t33422=(BYTE, [0, 1, 0, 1, 1, 2, 1, 2])).cfa == "RGGB"


def test_larger_patterns(tmp_path: pathlib.Path, image: Any) -> None:
    quad = [0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 2, 2, 1, 1, 2, 2]
    frame = opened(tmp_path, image, t33421=(SHORT, [4, 4]), t33422=(BYTE, quad), t50829=(LONG, [1, 3, H, W]))
    assert frame.cfa == "GRRG/BGGB/BGGB/GRRG"
    six = [1, 2, 1, 1, 0, 1, 0, 1, 0, 2, 1, 2] * 3
    assert opened(tmp_path, image, t33421=(SHORT, [6, 6]), t33422=(BYTE, six)).cfa == "GBGGRG/RGRBGB"


def test_monochrome(tmp_path: pathlib.Path, image: Any) -> None:
    frame = opened(tmp_path, image, t262=(SHORT, 34892), t33421=None, t33422=None)
    assert frame.cfa == "MONO" and frame.mosaic is not None


@pytest.mark.parametrize(
    ("dims", "pattern", "words"),
    [
        ([2, 2], [3, 4, 5, 1], "R, G and B"),
        ([2, 2], [0, 1, 0, 1], "all of R, G and B"),
        ([1, 10], [0, 1, 1, 2, 1, 1, 1, 1, 2, 2], "within 8x8"),
        ([2, 2], [0, 1], "CFA"),
        ([0, 2], [0, 1], "CFA"),
    ],
)
def test_other_patterns_are_refused(tmp_path: pathlib.Path, image: Any, dims: Any, pattern: Any, words: str) -> None:
    with pytest.raises(RawError, match=words):
        opened(tmp_path, image, t33421=(SHORT, dims), t33422=(BYTE, pattern))


def test_shifting_twice_comes_back() -> None:
    assert patterns.shifted(patterns.shifted("GRBG", 1, 1), 1, 1) == "GRBG"
    assert patterns.shifted("RGGB", 1, 0) == "GBRG" and patterns.shifted("RGB", 1, 1) == "RGB"


def test_black_pattern_and_deltas(tmp_path: pathlib.Path, image: Any) -> None:
    frame = opened(
        tmp_path, image, t50713=(SHORT, [2, 2]), t50714=(RATIONAL, [(64, 1), (65, 1), (66, 1), (135, 2)]),
        t50715=(SRATIONAL, [(i, 2) for i in range(W)]), t50716=(SRATIONAL, [(-i, 1) for i in range(H)]),
    )  # fmt: skip
    np.testing.assert_array_equal(frame.black[:, :, 0], [[64, 65], [66, 67.5]])
    assert frame.black_column is not None and frame.black_row is not None
    np.testing.assert_array_equal(frame.black_column, np.arange(W) / 2)
    np.testing.assert_array_equal(frame.black_row, -np.arange(H))


def test_black_of_masked_areas(tmp_path: pathlib.Path, image: Any, rng: np.random.Generator) -> None:
    image[:, :8] = 500 + 10 * (np.arange(H)[:, None] % 2) + rng.integers(-1, 2, (H, 8))
    frame = opened(tmp_path, image, t50714=None, t50829=(LONG, [1, 10, H, W]), t50830=(LONG, [0, 0, H, 8]))
    assert any("MaskedAreas" in g for g in frame.guesses)
    np.testing.assert_allclose(frame.black[:, :, 0], [[510, 510], [500, 500]], atol=0.7)


def test_black_of_a_dark_border(tmp_path: pathlib.Path, image: Any, rng: np.random.Generator) -> None:
    image[:, :12] = 500 + rng.integers(-3, 4, (H, 12))
    frame = opened(tmp_path, image, t50714=None, t50829=(LONG, [0, 12, H, W]))
    assert any("dark border" in g for g in frame.guesses)
    np.testing.assert_allclose(frame.black, 500, atol=2)


def test_a_lit_border_is_no_black(tmp_path: pathlib.Path, image: Any) -> None:
    frame = opened(tmp_path, image, t50714=None, t50829=(LONG, [0, 12, H, W]))
    assert (frame.black == 0).all() and any("0 is taken" in g for g in frame.guesses)


def test_white(tmp_path: pathlib.Path, image: Any) -> None:
    frame = opened(tmp_path, image, t50717=None)
    assert frame.white == (65535,) and any("no WhiteLevel" in g for g in frame.guesses)
    with pytest.raises(RawError, match="white level"):
        opened(tmp_path, image, t50717=(LONG, 100), t50714=(LONG, 100))


def test_linearization_table(tmp_path: pathlib.Path) -> None:
    image = np.arange(H * W).reshape(H, W) % 256
    table = np.minimum(np.arange(200) ** 2, 65535)
    path = tmp_path / "a.dng"
    extra = {50712: (SHORT, table), 50717: None}
    path.write_bytes(dng([image.astype(np.uint8).tobytes()], (H, W), bits=8, extra=extra))
    frame = raw.open(path)
    np.testing.assert_array_equal(frame.mosaic, table[np.minimum(image, 199)])
    assert frame.white == (table[-1],)


@pytest.mark.parametrize("box", [[0, 0, 0, W], [0, 0, H + 1, W], [5, 0, 4, W]])
def test_active_areas_that_cannot_be(tmp_path: pathlib.Path, image: Any, box: list[int]) -> None:
    with pytest.raises(RawError, match="ActiveArea"):
        opened(tmp_path, image, t50829=(LONG, box))


def test_default_crop(tmp_path: pathlib.Path, image: Any) -> None:
    crop = {"t50719": (RATIONAL, [(4, 1), (2, 1)]), "t50720": (RATIONAL, [(30, 1), (20, 1)])}
    assert opened(tmp_path, image, **crop).crop == (2, 4, 20, 30)
    large = opened(tmp_path, image, **crop | {"t50720": (RATIONAL, [(300, 1), (20, 1)])})
    assert large.crop == (2, 4, 20, 32) and any("crop" in g for g in large.guesses)
    odd = opened(tmp_path, image, **crop | {"t50719": (RATIONAL, [(0, 0), (2, 1)])})
    assert odd.crop is None and any("crop" in g for g in odd.guesses)


def test_default_user_crop_is_a_part_of_the_default_crop(tmp_path: pathlib.Path, image: Any) -> None:
    crop = {"t50719": (RATIONAL, [(4, 1), (2, 1)]), "t50720": (RATIONAL, [(30, 1), (20, 1)])}
    part = {"t51125": (RATIONAL, [(1, 4), (1, 3), (3, 4), (1, 1)])}  # top, left, bottom, right
    assert opened(tmp_path, image, **crop, **part).crop == (2 + 5, 4 + 10, 10, 20)
    whole = opened(tmp_path, image, **part)
    high, wide = whole.shape
    assert whole.crop == (
        round(high / 4),
        round(wide / 3),
        round(high * 3 / 4) - round(high / 4),
        wide - round(wide / 3),
    )
    for wrong in ([(1, 2), (0, 1), (1, 2), (1, 1)], [(0, 0)] * 4, [(0, 1), (0, 1), (2, 1), (1, 1)], [(0, 1)] * 3):
        odd = opened(tmp_path, image, **crop, t51125=(RATIONAL, wrong))
        assert odd.crop == (2, 4, 20, 30) and any("DefaultUserCrop" in g for g in odd.guesses)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path: pathlib.Path, image: Any, orientation: int) -> None:
    assert opened(tmp_path, image, t274=(SHORT, orientation)).orientation == orientation


def test_unknown_orientation(tmp_path: pathlib.Path, image: Any) -> None:
    frame = opened(tmp_path, image, t274=(SHORT, 9))
    assert frame.orientation == 1 and any("orientation 9" in g for g in frame.guesses)
