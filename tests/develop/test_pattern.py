"""Demosaic of quad, nona, 6x6 and other patterns: kernel equals twin, flats are exact, pictures are what they were."""

from __future__ import annotations

import numpy as np
import pytest
from mosaics import SIZES, frame, gain_map

from lichtbild import cfa as patterns
from lichtbild.develop import black, defects, demosaic, front, pattern, shading
from lichtbild.sensor import filters
from lichtbild.types import Frame, Noise, White, replace

WHITE = White((1.9, 1.0, 1.6), (0.31, 0.33), 6500.0, 0.0, "as shot")
NOISE = Noise((2.9e-4,) * 3, (5e-6,) * 3)
KNOWN = [patterns.word(filters.PATTERNS[n]) for n in ("QUAD-RGGB", "NONA-GBRG", "X-TRANS")]
ODD = ["RGBG/GBGR/RGBG", "RGGB/GRBG", "RG/GB/GG"]  # what nobody makes


def waves(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    y, x = np.mgrid[: size[0], : size[1]]
    return np.clip(15000 + 9000 * np.sin(x / 5 + y / 9) + rng.normal(0, 500, size), 0, 32767).astype(np.uint16)


@pytest.mark.parametrize("cfa", KNOWN + ODD)
@pytest.mark.parametrize("size", SIZES)
def test_kernel_equals_twin(cfa: str, size: tuple[int, int], rng: np.random.Generator) -> None:
    size = (min(size[0], 149), min(size[1], 331))
    half = waves(rng, size)
    made = pattern.apply(half, cfa)
    apart = np.abs(made.astype(int) - pattern.twin(half, cfa))
    assert apart.max() <= 4 and apart.mean() < 0.02
    own = np.take_along_axis(made, patterns.at(cfa, size)[None], 0)[0]
    np.testing.assert_array_equal(own // 2, half)  # what was measured is kept


def test_views_with_strides(rng: np.random.Generator) -> None:
    half = waves(rng, (80, 120))
    part = half[6:60, 12:90]
    np.testing.assert_array_equal(pattern.apply(part, KNOWN[2]), pattern.apply(part.copy(), KNOWN[2]))


@pytest.mark.parametrize("cfa", KNOWN + ODD)
@pytest.mark.parametrize("colour", [(9000, 9000, 9000), (3000, 20000, 11000), (30000, 500, 32000)])
def test_a_flat_field_of_any_colour_stays_flat(cfa: str, colour: tuple[int, int, int]) -> None:
    made = pattern.apply(np.array(colour, np.uint16)[patterns.at(cfa, (60, 70))], cfa)
    assert np.abs(made / 2 - np.array(colour)[:, None, None]).max() <= 1


@pytest.mark.parametrize("cfa", KNOWN)
def test_a_grey_edge_makes_no_colours(cfa: str) -> None:
    """A sharp, slanted edge of grey: where all colours are equal no maze and no fringe may appear."""
    y, x = np.mgrid[:90, :120]
    grey = np.clip((x - 60 + 0.2 * (y - 45)) * 1.0 + 0.5, 0, 1) * 14000 + 9000
    made = pattern.apply(grey.astype(np.uint16), cfa)[:, 12:-12, 12:-12] / 2
    colour = np.ptp(made, axis=0)
    assert np.quantile(colour, 0.9) < 60 and colour.mean() < 0.02 * 14000


def shot(rng: np.random.Generator, cfa: str, size: tuple[int, int], length: float = 7.0) -> Frame:
    """Waves with noise, black levels by place, a map of shading for each place of the pattern."""
    y, x = np.mgrid[: size[0], : size[1]]
    numbers = 3000 + 1500 * np.sin((x + 0.8 * y) / length) + rng.normal(0, 40, size)
    high, wide = patterns.grid(cfa).shape
    maps = tuple(gain_map(rng, (top, left, *size), 0) for top, left in np.ndindex(high, wide))
    maps = tuple(
        type(m)(m.top, m.left, m.bottom, m.right, 0, 1, high, wide, m.spacing, m.origin, m.gains) for m in maps
    )
    levels = rng.integers(500, 520, (high, wide, 1)).astype(np.float32)
    return frame(numbers.clip(0, 16383).astype(np.uint16), cfa=cfa, white=(16383.0,), gain_maps=maps, black=levels,
                 black_row=rng.normal(0, 2, size[0]).astype(np.float32))  # fmt: skip


def halves(f: Frame, scale: float, offset: float) -> np.ndarray:
    """Half codes by the definition: black, shading, balance, root, pixel by pixel."""
    numbers = black.twin(black.raw(f), black.prepare(f))[0]
    even, colour = np.ones(f.shape), patterns.at(f.cfa, f.shape)
    for m in f.gain_maps:
        y, x = (np.arange(a, b, p, dtype=float) for a, b, p in
                ((m.top, m.bottom, m.row_pitch), (m.left, m.right, m.col_pitch)))  # fmt: skip
        even[m.top : m.bottom : m.row_pitch, m.left : m.right : m.col_pitch] *= shading.sample(m, 0, y, x, f.shape)
    level = np.tile(f.black[..., 0], (f.shape[0] // 2 + 1, f.shape[1] // 2 + 1))[: f.shape[0], : f.shape[1]]
    light = numbers * even * np.array(WHITE.gains)[colour] / (16383 - level - f.black_row.mean())
    return np.floor(np.minimum(0.5 * scale * np.sqrt(np.maximum(light + offset, 0)) + 0.5, 32767)).astype(np.uint16)


@pytest.mark.parametrize("cfa", KNOWN)
@pytest.mark.parametrize("size", [(90, 131), (7, 9)])
def test_the_front_pass_is_its_stages_in_turn(cfa: str, size: tuple[int, int], rng: np.random.Generator) -> None:
    f = shot(rng, cfa, size)
    values = {
        "black": {"shift": 0.0, "banding": True}, "shading": {"strength": 1.0}, "demosaic": {"method": "auto"},
        "defects": {"strength": 0.0, "threshold": 5.0},
    }  # fmt: skip
    fused, code = front.run(f, WHITE, NOISE, values)
    offsets = np.array(code.offset)[patterns.at(cfa, size)]
    apart = pattern.apply(halves(f, code.scale, offsets), cfa, demosaic.epsilon(0.5 * code.sigma[1]))
    assert np.quantile(np.abs(fused.astype(int) - apart), 0.99) <= 8


@pytest.mark.parametrize("cfa", KNOWN)
def test_hot_pixels_go_and_stars_stay(cfa: str, rng: np.random.Generator) -> None:
    y, x = np.mgrid[:96, :96]
    numbers = 2000 + 300 * np.sin(x / 11 + y / 13) + rng.normal(0, 20, x.shape)
    star = 9000 * np.exp(-((x - 30.3) ** 2 + (y - 61.6) ** 2) / (2 * 0.8**2))
    plain = np.clip(numbers + star, 0, 16383).astype(np.uint16)
    hot = plain.copy()
    hot[[20, 47, 70], [15, 52, 81]] = 16000
    values = {
        "black": {"shift": 0.0, "banding": True}, "shading": {"strength": 1.0}, "demosaic": {"method": "auto"},
        "defects": {"strength": 1.0, "threshold": 5.0},
    }  # fmt: skip
    grey = White((1.0, 1.0, 1.0), (0.31, 0.33), 6500.0, 0.0, "as shot")
    quiet = Noise((1e-5,) * 3, (1.5e-6,) * 3)
    (clean, code), (mended, _) = (
        front.run(frame(m, cfa=cfa, white=(16383.0,)), grey, quiet, values) for m in (plain, hot)
    )
    for row, column in ((20, 15), (47, 52), (70, 81)):
        around = np.s_[:, row - 3 : row + 4, column - 3 : column + 4]
        assert np.abs(mended[around].astype(int) - clean[around]).max() < 8 * max(code.sigma)
    peak = code.decode(clean)[1, 58:66, 26:35].max() * (16383 - 64)
    assert peak > 0.6 * 9000


@pytest.mark.parametrize("cfa", KNOWN)
def test_listed_pixels_are_repaired_by_their_own_colour(cfa: str) -> None:
    colour = np.array([4000, 9000, 1500], np.uint16)[patterns.at(cfa, (50, 60))]
    bad = np.argwhere(np.random.default_rng(2).random((50, 60)) < 0.05).astype(np.int32)
    broken = colour.copy()
    broken[bad[:, 0], bad[:, 1]] = 0
    np.testing.assert_array_equal(defects.listed(frame(broken, cfa=cfa, bad_pixels=bad)), colour)


@pytest.mark.parametrize("cfa", KNOWN)
def test_the_proxy_is_the_picture_in_small(cfa: str, rng: np.random.Generator) -> None:
    f = replace(shot(rng, cfa, (90, 131), 40.0), gain_maps=())
    small = front.proxy(f)
    values = {
        "black": {"shift": 0.0, "banding": True}, "shading": {"strength": 1.0}, "demosaic": {"method": "auto"},
        "defects": {"strength": 0.0, "threshold": 5.0},
    }  # fmt: skip
    even = White((1.0, 1.0, 1.0), (0.31, 0.33), 6500.0, 0.0, "as shot")
    light = front.run(f, even, NOISE, values)
    whole = light[1].decode(light[0])[:, :88, :128].reshape(3, 22, 4, 32, 4).mean((2, 4))
    assert small.shape == (3, 23, 33)
    np.testing.assert_allclose(small[:, 1:21, 1:31], whole[:, 1:21, 1:31], rtol=0.12)
    assert np.abs(small[:, 1:21, 1:31] / whole[:, 1:21, 1:31] - 1).mean() < 0.03
    assert front.proxy(shot(rng, cfa, (3, 2))).shape == (3, 1, 1)


def test_kodak_like_detail_is_found_again(rng: np.random.Generator) -> None:
    """Grey and coloured texture: far better than what each pattern gives by plain means of its colours."""
    y, x = np.mgrid[:180, :180]
    detail = 0.25 * np.sin(x * 0.9 + 0.2 * y) + 0.2 * np.sin(y * 0.8) + rng.normal(0, 0.02, x.shape)
    rgb = np.clip(np.stack([0.45 + detail, 0.5 + detail, 0.4 + 0.8 * detail]), 0, 1)
    for cfa, most in zip(KNOWN, (0.05, 0.08, 0.03), strict=True):
        half = np.take_along_axis(rgb * 32767, patterns.at(cfa, x.shape)[None], 0)[0].astype(np.uint16)
        found = pattern.apply(half, cfa) / 65534
        assert np.sqrt(np.square(found - rgb)[:, 12:-12, 12:-12].mean()) < most
