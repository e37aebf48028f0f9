"""The finish pass: one kernel says what the stages say one by one; HDR is what the gain map makes of SDR."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lichtbild import look
from lichtbild.develop import colour, finish, highlights, output, tone
from lichtbild.develop.colour import ColourTable
from lichtbild.develop.highlights import HighlightTable
from lichtbild.develop.tone import ToneMap
from lichtbild.light import eotf
from lichtbild.types import Encoding

SIZES = [(1, 1), (7, 5), (479, 641)]
ENCODING = Encoding(40000.0, (0.002, 0.001, 0.0015), (150.0, 150.0, 150.0))
MATRIX = np.array([[1.5, -0.4, -0.1], [-0.2, 1.4, -0.2], [0.0, -0.5, 1.5]], np.float32)


def negative(shape: tuple[int, int], rng: np.random.Generator, **changes: object) -> finish.Negative:
    """Smooth light from black to beyond clipping, in all colours that a sensor of this matrix can see."""
    y, x = np.mgrid[: shape[0], : shape[1]] / max(shape)
    grey = 2.0 ** (9 * x - 7.5)
    light = np.stack([grey * (1 + 0.4 * np.sin(5 * y + k)) for k in range(3)])
    light += rng.normal(0, 1e-3, light.shape)
    size = (-(-shape[0] // 4), -(-shape[1] // 4))
    maps = ToneMap(
        (rng.random(size) * -0.2).astype(np.float32), (rng.random(size) * 0.4 - 0.2).astype(np.float32), 2e-4, -1.0, 1.5
    )
    table = HighlightTable((1.9, 1.0, 1.5), (0.4, 0.5, 0.6), 1.0, 0.86)
    made = finish.Negative(ENCODING.encode(light), ENCODING, table, ColourTable(MATRIX), 0.6, maps, (1e-4, 0.0, 2e-4))
    return dataclasses.replace(made, **changes)


def one_by_one(n: finish.Negative) -> np.ndarray:
    """Scene light (3, H, W) through the stand-alone stages."""
    light = n.encoding.decode(n.code) - np.asarray(n.bias, np.float32)[:, None, None]
    scene = colour.twin(highlights.apply(light, n.highlight), n.colour)
    lit = scene * np.float32(2.0**n.ev)
    return lit if n.tone is None else tone.apply(lit, n.tone)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("bits", [8, 16])
def test_fused_agrees_with_the_stages(shape: tuple[int, int], bits: int, rng: np.random.Generator) -> None:
    n = negative(shape, rng)
    tables = look.compile(look.load("classic"))
    wanted = output.apply(look.apply(one_by_one(n), tables), bits, 0.0).astype(int)
    got = finish.run(n, tables, bits, 0.0).astype(int)
    assert got.shape == (*shape, 3)
    assert np.abs(got - wanted).max() <= (1 if bits == 8 else 257)  # one code of 8 bits
    assert np.abs(got - wanted).mean() < (0.02 if bits == 8 else 4.0)


@pytest.mark.parametrize("shape", SIZES)
def test_scene_agrees_with_the_stages(shape: tuple[int, int], rng: np.random.Generator) -> None:
    n = negative(shape, rng)
    np.testing.assert_allclose(finish.scene(n), one_by_one(n), rtol=2e-3, atol=2e-5)


def test_without_a_tone_map_the_gain_is_one(rng: np.random.Generator) -> None:
    n = negative((7, 90), rng, tone=None)
    np.testing.assert_allclose(finish.scene(n), one_by_one(n), rtol=1e-4, atol=1e-5)


def test_a_crop_is_the_same_picture_cut_out(rng: np.random.Generator) -> None:
    n = negative((90, 210), rng)
    tables = look.compile(look.load("neutral"))
    whole = finish.run(n, tables)
    cut = finish.run(dataclasses.replace(n, crop=(7, 11, 61, 130)), tables)
    np.testing.assert_array_equal(cut, whole[7:68, 11:141])


def test_strided_codes(rng: np.random.Generator) -> None:
    n = negative((40, 70), rng)
    tables = look.compile(look.load("classic"))
    wide = np.zeros((3, 50, 100), np.uint16)
    wide[:, 3:43, 9:79] = n.code
    np.testing.assert_array_equal(
        finish.run(dataclasses.replace(n, code=wide[:, 3:43, 9:79]), tables), finish.run(n, tables)
    )


def test_hue_and_saturation_tables(rng: np.random.Generator) -> None:
    table = np.zeros((2, 6, 3, 3), np.float32)
    table[..., 0] = rng.uniform(-20, 20, (2, 6, 3))
    table[..., 1:] = rng.uniform(0.8, 1.2, (2, 6, 3, 2))
    table[:, :, 0] = 0, 1, 1  # greys have no hue
    n = negative((64, 96), rng, colour=ColourTable(MATRIX, table, False, table[:1].copy(), True))
    wanted = one_by_one(n)
    inside = (wanted > 0).all(axis=0)
    np.testing.assert_allclose(finish.scene(n)[:, inside], wanted[:, inside], rtol=5e-3, atol=2e-4)
    plain = finish.scene(dataclasses.replace(n, colour=ColourTable(MATRIX)))
    assert np.abs(plain - wanted).mean() > 0.01


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (480, 642)])
@pytest.mark.parametrize("name", look.names())
def test_gain_map_leads_from_sdr_to_hdr(shape: tuple[int, int], name: str, rng: np.random.Generator) -> None:
    n = negative(shape, rng)
    flat = n.code[:, ::2, ::2].repeat(2, 1).repeat(2, 2)[:, : shape[0], : shape[1]].copy()  # blocks of 2x2 alike
    n = dataclasses.replace(n, code=flat, tone=None)
    spec = look.load(name)
    sdr, hdr = look.compile(spec), look.compile(spec, headroom_ev=2.0)
    gain, meta = finish.gain_map(n, sdr, hdr)
    assert gain.shape == (-(-shape[0] // 2), -(-shape[1] // 2), 3)
    scene = np.moveaxis(one_by_one(n), 0, -1)[::2, ::2].astype(np.float64)
    low, high = (eotf(look.display(t, scene.reshape(-1, 3))).reshape(scene.shape) for t in (sdr, hdr))
    stops = meta.gain_min[0] + (meta.gain_max[0] - meta.gain_min[0]) * gain / 255.0
    made = (low + meta.offset_sdr[0]) * 2.0**stops - meta.offset_hdr[0]
    error = np.abs(made - high) / (high + 1 / 64)
    assert np.percentile(error, 99.9) < 0.02
    assert high.max() <= 4.0 + 1e-3
    if min(shape) > 100:
        assert high.max() > 2.0


def test_neutrals_stay_neutral(rng: np.random.Generator) -> None:
    grey = np.broadcast_to(np.linspace(0, 65535, 4000).astype(np.uint16), (3, 1, 4000)).copy()
    exact = Encoding(50000.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    sums_to_one = ColourTable((MATRIX / MATRIX.sum(axis=1, keepdims=True)).astype(np.float32))
    n = negative((1, 4000), rng, code=grey, encoding=exact, colour=sums_to_one, tone=None, bias=(0.0, 0.0, 0.0))
    # Looks may be tinted or matt: tests/look holds each to its own word.
    picture = finish.run(n, look.compile(look.load("neutral")), 16, 0.0).astype(int)[0]
    assert np.ptp(picture, axis=1).max() <= 8
    assert picture[0].max() == 0
    assert picture[-1].min() == 65535
    assert np.diff(picture, axis=0).min() >= -8
