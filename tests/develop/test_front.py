"""Front: the fused pass is the sequence of its stages; light keeps its level; the proxy is the picture in small."""

from __future__ import annotations

import numpy as np
import pytest
from mosaics import SIZES, frame, gain_map, mosaic

from lichtbild import cfa as patterns
from lichtbild.develop import black, defects, demosaic, front, highlights, shading
from lichtbild.merge import exposures
from lichtbild.types import BAYER, Encoding, Frame, Noise, White, replace

WHITE = White((1.9, 1.0, 1.6), (0.31, 0.33), 6500.0, 0.0, "as shot")
NOISE = Noise((2.9e-4,) * 3, (5e-6,) * 3)


def values(method: str = "directional", strength: float = 1.0) -> dict[str, dict[str, object]]:
    return {
        "black": {"shift": 0.0, "banding": True}, "shading": {"strength": 1.0}, "demosaic": {"method": method},
        "defects": {"strength": strength, "threshold": 5.0},
    }  # fmt: skip


def shot(rng: np.random.Generator, size: tuple[int, int], cfa: str) -> Frame:
    """Waves with noise and hot pixels, a pattern of black levels, shading of four maps."""
    y, x = np.mgrid[: size[0], : size[1]]
    numbers = 3000 + 1500 * np.sin(x / 7 + y / 9) + rng.normal(0, 40, size)
    numbers[rng.random(size) < 0.005] = 16383
    numbers[20:40, 30:60] = 16383
    maps = tuple(gain_map(rng, (top, left, *size), 2) for top in (0, 1) for left in (0, 1))
    return frame(
        np.rint(numbers.clip(0, 16383)).astype(np.uint16), cfa=cfa, white=(16383.0,), gain_maps=maps,
        black=np.array([[500, 510], [505, 512]], np.float32)[:, :, None],
        black_row=rng.normal(0, 2, size[0]).astype(np.float32),
    )  # fmt: skip


def staged(f: Frame, code: Encoding, method: str) -> np.ndarray:
    """The stages one after the other."""
    dark = black.prepare(f)
    light = black.apply(black.raw(f), dark)
    even = shading.apply(light, shading.prepare(f))[0]
    scale, colour = front.unit(f, dark), patterns.sites(f.cfa)
    y, x = np.indices(f.shape) % 2
    balanced = even * (scale * np.asarray(WHITE.gains, np.float32)[colour])[y, x]
    offset = np.asarray(code.offset, np.float32)[colour][y, x]
    half = np.minimum(0.5 * code.scale * np.sqrt(np.maximum(balanced + offset, 0)) + 0.5, 32767).astype(np.uint16)
    half = highlights.unclip(half, f.mosaic >= exposures.limit(f), f.cfa)
    fixed = defects.apply(half, f.cfa, defects.limits(code, 5.0))
    return demosaic.apply(fixed, f.cfa, method, demosaic.epsilon(0.5 * code.sigma[1]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("method", demosaic.METHODS)
def test_fused_is_the_sequence(size: tuple[int, int], cfa: str, method: str, rng: np.random.Generator) -> None:
    f = shot(rng, size, cfa)
    fused, code = front.run(f, WHITE, NOISE, values(method))
    apart = abs(fused.astype(int) - staged(f, code, method))
    # Roots rounded apart differ by a half code; a pixel on the edge of the defect test may fall to either side.
    assert np.quantile(apart, 0.999) <= 8
    assert np.mean(apart) < 1


def test_views_with_strides(rng: np.random.Generator) -> None:
    f = shot(rng, (80, 120), "RGGB")
    assert f.mosaic is not None
    part = replace(f, mosaic=f.mosaic[::2, 10:75], black_row=None, gain_maps=())
    copied = replace(part, mosaic=part.mosaic.copy())
    np.testing.assert_array_equal(*(front.run(g, WHITE, NOISE, values())[0] for g in (part, copied)))


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("method", demosaic.METHODS)
def test_grey_is_grey_at_its_level(cfa: str, method: str) -> None:
    light = 0.25
    site = [1 / WHITE.gains["RGB".index(letter)] for letter in cfa]
    numbers = np.tile(np.reshape(site, (2, 2)), (20, 25)) * light * (16383 - 512) + 512
    f = frame(np.rint(numbers).astype(np.uint16), cfa=cfa, white=(16383.0,), black=np.full((1, 1, 1), 512, np.float32))
    planes, code = front.run(f, WHITE, NOISE, values(method))
    np.testing.assert_allclose(code.decode(planes), light, rtol=1e-3)


@pytest.mark.parametrize("method", demosaic.METHODS)
def test_saturation_is_kept_and_not_passed(method: str, rng: np.random.Generator) -> None:
    numbers = rng.integers(512, 16384, (60, 60)).astype(np.uint16)
    numbers[20:40, 20:40] = 16383
    f = frame(numbers, white=(16383.0,), black=np.full((1, 1, 1), 512, np.float32))
    planes, code = front.run(f, WHITE, NOISE, values(method))
    light = code.decode(planes)
    gains = np.array(WHITE.gains)[:, None, None]
    red, blue = (np.sqrt(gains[k] + code.offset[k]) for k in (0, 2))
    raised = ((red + blue) / 2) ** 2 - code.offset[1]
    expected = np.broadcast_to(np.array([gains[0], raised, gains[2]]), (3, 4, 4))
    np.testing.assert_allclose(light[:, 28:32, 28:32], expected, rtol=1e-3)
    assert light.max() <= gains.max() * 1.001 + np.ptp(code.offset), "one highest code for all"


def test_noise_has_the_strength_that_the_code_says(rng: np.random.Generator) -> None:
    """At 1 % to 50 % of white, the standard deviation in codes is `sigma` within 4 % (2^16 samples)."""
    noise = Noise((2e-4,) * 3, (1e-5,) * 3)
    for light in (0.01, 0.1, 0.5):
        value = rng.poisson(light / 2e-4, (512, 512)) * 2e-4 + rng.normal(0, 1e-5**0.5, (512, 512))
        f = frame(np.rint(np.clip(value, -0.05, 1) * 60000 + 4000).astype(np.uint16), white=(64000.0,),
                  black=np.full((1, 1, 1), 4000, np.float32))  # fmt: skip
        planes, code = front.run(f, White((1.0,) * 3, (0.31, 0.33), 6500.0, 0.0, "as shot"), noise, values("fast", 0.0))
        for c, (top, left) in enumerate(((0, 0), (0, 1), (1, 1))):
            assert planes[c, top::2, left::2].std() == pytest.approx(code.sigma[c], rel=0.04)


def test_code_survives_odd_noise() -> None:
    for a, b in ((0.0, 0.0), (0.0, 1e-4), (1e-12, 1e-3), (0.05, 0.05)):
        code = front.encoding(WHITE, Noise((a,) * 3, (b,) * 3), 2.5)
        assert np.all(np.isfinite([code.scale, *code.offset, *code.sigma]))
        assert code.encode(np.full((3, 1, 1), 1.9 * 2.5))[0, 0, 0] >= 60000


def test_linear_light_and_monochrome(rng: np.random.Generator) -> None:
    rgb = rng.integers(0, 65536, (3, 23, 31), dtype=np.uint16)
    f = replace(frame(rgb[0], white=(65535.0,) * 3), cfa="RGB", mosaic=None, rgb=rgb)
    planes, code = front.run(f, WHITE, NOISE, values())
    light = (rgb - 64.0) / (65535 - 64) * np.array(WHITE.gains)[:, None, None]
    np.testing.assert_allclose(code.decode(planes), np.maximum(light, -np.array(code.offset)[:, None, None]), atol=2e-4)
    grey = rng.integers(60, 1024, (23, 31), dtype=np.uint16)
    planes, code = front.run(frame(grey, cfa="MONO"), WHITE, NOISE, values(strength=0.0))
    for plane in code.decode(planes):
        np.testing.assert_allclose(plane, (grey - 64.0) / (1023 - 64), atol=4e-4)


@pytest.mark.parametrize("cfa", [*BAYER, "MONO", "RGB"])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 48), (479, 641)])
def test_proxy_is_the_mean_of_blocks(size: tuple[int, int], cfa: str, rng: np.random.Generator) -> None:
    y, x = np.mgrid[: size[0], : size[1]]
    light = np.stack([0.3 + 0.2 * np.sin(x / 90 + k) + 0.1 * np.cos(y / 70 - k) for k in range(3)])
    light = np.broadcast_to(light[1], light.shape) if cfa == "MONO" else light
    numbers = np.rint(light * 15000 + 1000).astype(np.uint16)
    f = frame(numbers[1], cfa=cfa, white=(16000.0,) * 3, black=np.full((2, 2, 1), 1000, np.float32))
    if cfa == "RGB":
        f = replace(f, mosaic=None, rgb=numbers)
    elif cfa != "MONO":
        f = replace(f, mosaic=mosaic(numbers, cfa))
    found = front.proxy(f)
    assert found.shape == (3, -(-size[0] // 4), -(-size[1] // 4))
    if min(size) >= 4:
        rows, columns = size[0] // 4, size[1] // 4
        blocks = light[:, : 4 * rows, : 4 * columns].reshape(3, rows, 4, columns, 4).mean((2, 4))
        np.testing.assert_allclose(found[:, :rows, :columns], blocks, atol=4e-3)
    np.testing.assert_allclose(found, light[:, ::4, ::4], atol=0.05 if size != (1, 1) else 0.5)


def test_proxy_evens_shading(rng: np.random.Generator) -> None:
    size = (96, 128)
    maps = tuple(gain_map(rng, (top, left, *size), 2) for top in (0, 1) for left in (0, 1))
    f = frame(np.full(size, 8064, np.uint16), white=(16064.0,), gain_maps=maps)
    even = shading.apply(np.full((1, *size), 0.5, np.float32), shading.prepare(f))[0]
    blue = even[1::2, 1::2].reshape(24, 2, 32, 2).mean((1, 3))
    np.testing.assert_allclose(front.proxy(f)[2], blue, rtol=0.02)


def test_darkness_is_not_cut_off_by_the_code():
    """With less than three electrons of read noise, a code that vanishes there would make blacks of shadows."""
    for electrons in (0.5, 1.2, 1.8, 2.5, 6.0):
        scale = 1e-3
        deviation = electrons * scale
        code = front.encoding(White((2.0, 1.0, 1.5), (0.3127, 0.329), 6504.0, 0.0, "even"),
                              Noise((scale,) * 3, (deviation**2,) * 3), 1.0)  # fmt: skip
        assert code.offset[1] > 2.4 * deviation and code.offset[0] > 2.4 * 2 * deviation
