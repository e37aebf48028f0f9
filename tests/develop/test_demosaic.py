"""Demosaic: kernel and twin, flat fields, all orders, and quality on pictures."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import SHARED, needs_shared
from mosaics import SIZES, mosaic
from PIL import Image

from lichtbild.develop import demosaic
from lichtbild.develop.defects import phase
from lichtbild.types import BAYER, Noise

METHODS = demosaic.METHODS
KODAK = (("kodim01.png", 0.0), ("kodim13.png", 0.0), ("kodim19.png", 0.0))


def texture(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Edges, slopes, noise and extremes."""
    y, x = np.mgrid[: size[0], : size[1]]
    waves = 9000 + 4000 * np.sin(x / 5 + y / 11) + 6000 * ((x // 13 + y // 17) % 2) + rng.normal(0, 150, size)
    waves[rng.random(size) < 0.02] = 32767
    waves[rng.random(size) < 0.02] = 0
    return np.rint(np.clip(waves, 0, 32767)).astype(np.uint16)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("method", METHODS)
def test_kernel_is_twin(size: tuple[int, int], cfa: str, method: str, rng: np.random.Generator) -> None:
    half = texture(rng, size)
    found, expected = (f(half, cfa, method, 50.0).astype(int) for f in (demosaic.apply, demosaic.twin))
    assert abs(found - expected).max() <= 6  # three half codes: roundings of a weighted mean in float32


@pytest.mark.parametrize("method", METHODS)
def test_views_with_strides(method: str, rng: np.random.Generator) -> None:
    half = texture(rng, (90, 200))[5::2, 11:150]
    found, expected = (f(half, "GBRG", method).astype(int) for f in (demosaic.apply, demosaic.twin))
    assert abs(found - expected).max() <= 6


@pytest.mark.parametrize("method", METHODS)
def test_orders_are_one_picture_moved(method: str, rng: np.random.Generator) -> None:
    half = texture(rng, (64, 80))
    whole = demosaic.apply(half, "RGGB", method)
    for cfa in BAYER:
        dx, dy = phase(cfa)
        # A picture that begins at an odd row or column has another order.
        part = demosaic.apply(half[dy:, dx:], cfa, method)
        np.testing.assert_array_equal(part[:, 20:40, 20:40], whole[:, 20 + dy : 40 + dy, 20 + dx : 40 + dx])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("cfa", BAYER)
def test_flat_stays_flat(method: str, cfa: str) -> None:
    for colour in ((0, 0, 0), (32767, 32767, 32767), (1000, 20000, 9000), (32767, 12000, 100)):
        flat = np.broadcast_to(np.array(colour, np.uint16)[:, None, None], (3, 21, 30))
        np.testing.assert_array_equal(demosaic.apply(mosaic(flat, cfa), cfa, method), 2 * flat)


@pytest.mark.parametrize("method", ["directional", "fast"])
def test_measured_values_are_kept(method: str, rng: np.random.Generator) -> None:
    half = texture(rng, (33, 47))
    assert np.array_equal(mosaic(demosaic.apply(half, "RGGB", method)), 2 * half)


def test_hard_edges_have_no_zipper() -> None:
    """Along straight grey edges nothing alternates: neither upright nor level nor stepped by a pixel."""
    half = np.full((40, 40), 4000, np.uint16)
    half[:, 19:] = 28000
    for picture in (half, half.T.copy()):
        rgb = demosaic.apply(picture, "RGGB", "directional").astype(int)
        along = np.diff(rgb[:, 8:-8, 8:-8], axis=1 if picture is half else 2)
        assert abs(along).max() <= 0.03 * 2 * 24000


def test_choice_by_noise() -> None:
    clean, strong = (Noise((a,) * 3, (b,) * 3) for a, b in ((1.8e-4, 3.2e-6), (9.3e-2, 0.84)))
    assert demosaic.choose("auto", clean) == "directional"
    assert demosaic.choose("auto", strong) == "smooth"
    assert demosaic.choose("fast", strong) == "fast"


@needs_shared
@pytest.mark.parametrize(("name", "least"), KODAK)
def test_quality_on_pictures(name: str, least: float) -> None:
    """Mean square error over all colours, of mosaics of gamma-encoded values as in the literature."""
    rgb = np.asarray(Image.open(SHARED / "scenes_ldr/kodak" / name).convert("RGB"), np.float64) / 255
    half = np.rint(32767 * mosaic(rgb.transpose(2, 0, 1))).astype(np.uint16)
    found = demosaic.apply(half, "RGGB", "directional") / 65534
    error = (found.transpose(1, 2, 0) - rgb)[4:-4, 4:-4]
    assert -10 * np.log10(np.mean(error**2)) > least
