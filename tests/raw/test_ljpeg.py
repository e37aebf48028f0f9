"""The lossless-JPEG kernel against libjpeg-turbo; the extraordinary is left to that, the short refused."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from lichtbild import kernels
from lichtbild.export.ljpeg import encode
from lichtbild.raw import ljpeg
from lichtbild.types import RawError


def coded(rng: np.random.Generator, shape: tuple[int, ...], predictor: int, bits: int = 14) -> list[bytes]:
    """Four tiles of noise on a slope: long and short codes, and every kind of stuffing."""
    slope = np.arange(np.prod(shape)).reshape(shape) / np.prod(shape)
    images = [np.clip((slope + rng.normal(0, 0.1, shape)) * 2**bits, 0, 2**bits - 1) for _ in range(ljpeg.LANES)]
    return [
        bytes(imagecodecs.jpeg8_encode(i.astype(np.uint16), lossless=True, predictor=predictor, bitspersample=bits))
        for i in images
    ]


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("shape", [(1, 2), (2, 2), (7, 5), (5, 4, 2), (64, 48), (16, 24, 3)])
def test_agrees_with_libjpeg(rng: np.random.Generator, predictor: int, shape: tuple[int, ...]) -> None:
    if len(shape) == 3 and shape[2] == 3:
        tile = rng.integers(0, 4096, shape).astype(np.uint16)
        tiles = [bytes(imagecodecs.jpeg8_encode(tile, lossless=True, predictor=predictor, bitspersample=12,
                                                colorspace="RGB", outcolorspace="RGB"))] * ljpeg.LANES  # fmt: skip
    else:
        tiles = coded(rng, shape, predictor)
    got = ljpeg.decode(tiles, int(np.prod(shape)))
    assert got is not None
    for one, tile in zip(got, tiles, strict=True):
        np.testing.assert_array_equal(one.ravel(), np.asarray(imagecodecs.jpeg8_decode(tile)).ravel())


@pytest.mark.parametrize("components", [1, 2])
def test_the_largest_differences(rng: np.random.Generator, components: int) -> None:
    """32768 is a difference of its own, of 16 bits; and with all sizes there are codes of all lengths."""
    noise = (rng.normal(0, 1, (ljpeg.LANES, 48, 64)) * 2.0 ** rng.uniform(0, 15, (ljpeg.LANES, 48, 64))).astype(
        np.int32
    )
    noise[:, ::7, ::5] += 1 << 15
    tiles = noise.astype(np.uint16)
    got = ljpeg.decode([encode(t, components) for t in tiles], tiles[0].size)
    assert got is not None
    np.testing.assert_array_equal(got.ravel(), tiles.ravel())
    theirs = [np.asarray(imagecodecs.jpeg8_decode(encode(t, components))).ravel() for t in tiles]
    np.testing.assert_array_equal(got.ravel(), np.concatenate(theirs))


def test_what_is_left_to_libjpeg(rng: np.random.Generator) -> None:
    tiles = coded(rng, (32, 40), 1)
    assert ljpeg.decode(tiles, 32 * 40) is not None
    assert ljpeg.decode(coded(rng, (32, 1), 1), 32) is None  # a single column
    assert ljpeg.decode(tiles, 32 * 41) is None  # another size than the tile
    assert ljpeg.decode(tiles[:3], 32 * 40) is None
    assert ljpeg.decode([*tiles[:3], coded(rng, (32, 40), 2)[0]], 32 * 40) is None  # different predictors
    assert ljpeg.decode([*tiles[:3], tiles[3][:-2] + bytes(40) + b"\xff\xd9"], 32 * 40) is None  # goes on too long
    restarts = b"\xff\xd8\xff\xdd\0\x04\0\x08" + tiles[3][2:]
    assert ljpeg.parse(restarts) is None and ljpeg.parse(b"") is None and ljpeg.parse(tiles[0][:40]) is None


@pytest.mark.parametrize("size", [1, 31, 32, 33, 1000])
@pytest.mark.parametrize("often", [0.0, 0.01, 0.3, 1.0])
def test_what_follows_ff_is_dropped(rng: np.random.Generator, size: int, often: float) -> None:
    data = np.where(rng.uniform(size=size) < often, 255, rng.integers(0, 255, size)).astype(np.uint8)
    dropped, plain = np.empty(-(-size // ljpeg.CHUNK) + 1, np.int32), np.empty(size + ljpeg.CHUNK, np.uint8)
    kernels.call("ljpeg_unstuff", coded=data, dropped=dropped, plain=plain)
    behind = np.r_[False, data == 255]  # also what would follow the last one, where its piece goes on
    expected = data[~behind[:-1]]
    np.testing.assert_array_equal(plain[: len(expected)], expected)
    each = [int(behind[: ljpeg.CHUNK * i].sum()) for i in range(len(dropped))]
    np.testing.assert_array_equal(dropped, each)


@pytest.mark.parametrize("missing", [40, 200, 1000])
def test_short_streams_are_refused(rng: np.random.Generator, missing: int) -> None:
    tiles = coded(rng, (32, 40), 1)
    for end in (b"", b"\xff\xd9"):
        with pytest.raises(RawError, match="ends too early"):
            ljpeg.decode([*tiles[:3], tiles[3][: -2 - missing] + end], 32 * 40)


def test_damaged_streams_do_no_harm(rng: np.random.Generator) -> None:
    tiles = coded(rng, (16, 16), 1)
    outcomes = set()
    for _ in range(300):
        bad = bytearray(tiles[3])
        for at in rng.integers(2, len(bad), 4):
            bad[at] = rng.integers(256)
        try:
            got = ljpeg.decode([*tiles[:3], bytes(bad)], 256)
        except RawError:
            outcomes.add("refused")
            continue
        outcomes.add("left" if got is None else "taken")
        if got is not None:
            np.testing.assert_array_equal(got[0].ravel(), np.asarray(imagecodecs.jpeg8_decode(tiles[0])).ravel())
    assert outcomes == {"refused", "left", "taken"}


def test_places_in_a_stream_are_32_bit_numbers(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four tiles of 256 MiB had bit positions that wrapped around: the kernel would have read before its memory."""
    assert 8 * (ljpeg._MAX_BYTES + ljpeg.LANES * (1 << 10)) < 2**31
    tiles = coded(rng, (32, 40), 1)
    monkeypatch.setattr(ljpeg, "_MAX_BYTES", sum(map(len, tiles)) - 1)
    assert ljpeg.decode(tiles, 32 * 40) is None
