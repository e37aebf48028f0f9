"""Our lossless JPEG through libjpeg-turbo and our own decoder: the same samples; and no larger than its own."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from lichtbild.export import ljpeg
from lichtbild.raw import ljpeg as decoder


def tiles(rng: np.random.Generator, shape: tuple[int, int, int]) -> list[np.ndarray]:
    """Noise over all 16 bits, a little noise, one value alone, and differences that take 16 bits."""
    some = [rng.integers(0, 65536, shape), rng.integers(900, 916, shape), np.full(shape, 77)]
    return [t.astype(np.uint16) for t in (*some, rng.integers(0, 2, shape) * 32768)]


@pytest.mark.parametrize("components", [1, 2, 3])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (7, 5), (64, 48), (129, 257)])
def test_libjpeg_gets_the_samples_back(rng: np.random.Generator, size: tuple[int, int], components: int) -> None:
    for tile in tiles(rng, (*size, components)):
        coded = ljpeg.encode(tile.reshape(size[0], -1), components)
        space = {"colorspace": "RGB", "outcolorspace": "RGB"} if components == 3 else {}
        assert np.array_equal(np.asarray(imagecodecs.jpeg8_decode(coded, **space)).reshape(tile.shape), tile)


def test_our_own_decoder_gets_them_back(rng: np.random.Generator) -> None:
    made = [rng.normal(1500, 40, (64, 96)).astype(np.uint16) for _ in range(decoder.LANES)]
    got = decoder.decode([ljpeg.encode(t, 2) for t in made], 64 * 96)
    assert got is not None and np.array_equal(got, made)


def test_no_larger_than_libjpegs(rng: np.random.Generator) -> None:
    tile = (rng.normal(1500, 60, (256, 256)) + np.arange(256)).astype(np.uint16)
    theirs = imagecodecs.jpeg8_encode(tile.reshape(256, 128, 2), lossless=True, predictor=1, bitspersample=16)
    assert len(ljpeg.encode(tile, 2)) <= len(theirs)


def test_a_view_with_strides(rng: np.random.Generator) -> None:
    wide = rng.integers(0, 4096, (40, 100)).astype(np.uint16)
    assert ljpeg.encode(wide[3:, 7:67], 2) == ljpeg.encode(wide[3:, 7:67].copy(), 2)


@pytest.mark.parametrize("counts", [[0] * 16 + [5], [1] * 17, [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610,
                                                              987, 1597], [9, 0, 0, 4] + [0] * 13])  # fmt: skip
def test_codes_are_prefix_free_short_and_never_all_ones(counts: list[int]) -> None:
    lengths = ljpeg.code_lengths(counts)
    assert all((n > 0) == (length > 0) for n, length in zip(counts, lengths, strict=True)) and max(lengths) <= 16
    assert sum(2.0**-n for n in lengths if n) < 1  # room is left for the code of all ones
