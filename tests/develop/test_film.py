"""Film: light falls off as the look says, in the middle of the picture nothing changes."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import numpy as np
import pytest
import virtual

from lichtbild import difference, look, recipe, types
from lichtbild.develop import film, finish, micro, shading
from lichtbild.develop._camera import GENERIC
from lichtbild.develop.colour import ColourTable
from lichtbild.develop.highlights import HighlightTable
from lichtbild.develop.tone import ToneMap
from lichtbild.light import eotf
from lichtbild.look import bake
from lichtbild.scene import lake
from lichtbild.types import Encoding

DARK = dataclasses.replace(look.load("neutral"), spatial=look.spec.Spatial(vignette_ev=-1.0))


def negative(rows: int, columns: int, crop: tuple[int, int, int, int] | None = None) -> finish.Negative:
    encoding = Encoding(50000.0, (0.0, 0.0, 0.0), (100.0, 100.0, 100.0))
    code = encoding.encode(np.full((3, rows, columns), 0.18, np.float32))
    unclipped = HighlightTable((100.0, 100.0, 100.0), (0.5, 0.5, 0.5), 1.0, 0.9)
    return finish.Negative(code, encoding, unclipped, ColourTable(np.eye(3, dtype=np.float32)), crop=crop)


@pytest.mark.parametrize(("shape", "crop"), [((300, 400), None), ((341, 463), (20, 30, 300, 400))])
def test_corners_lose_what_the_look_says(shape: tuple[int, int], crop: tuple[int, int, int, int] | None) -> None:
    before = negative(*shape, crop)
    light = finish.scene(film.falloff(before, DARK))[1] / finish.scene(before)[1]
    stops = np.log2(light)
    assert stops.max() == pytest.approx(0.0, abs=0.01)
    assert stops[0, 0] == pytest.approx(-1.0, abs=0.02)
    np.testing.assert_allclose(stops, stops[::-1, ::-1], atol=0.01)
    middle = stops[stops.shape[0] // 2]
    assert np.all(np.diff(middle[: len(middle) // 2]) >= -1e-4)


def test_the_real_lens_may_keep_its_falloff_but_not_its_cast() -> None:
    keeps = dataclasses.replace(look.load("neutral"), spatial=look.spec.Spatial(retain_lens=1.0))
    shape = (300, 400)
    frame = virtual.expose(np.full((3, *shape), 0.5, np.float32), 0.4)
    even = shading.prepare(frame)
    before = negative(*shape)
    stops = np.log2(finish.scene(film.falloff(before, keeps, 1.0, even)) / finish.scene(before))
    # A map of 13 x 17 samples is straight between them.
    np.testing.assert_allclose(stops[1], np.log2(virtual.shading(shape)), atol=0.03)
    assert np.abs(stops - stops[1]).max() < 0.01
    half = np.log2(finish.scene(film.falloff(before, keeps, 0.5, even)) / finish.scene(before))
    np.testing.assert_allclose(half, stops / 2, atol=0.01)
    cast = types.replace(frame, gain_maps=tuple(
        dataclasses.replace(m, gains=m.gains ** (2.0 if (m.top, m.left) == (0, 0) else 1.0)) for m in frame.gain_maps
    ))  # fmt: skip
    cast_stops = np.log2(finish.scene(film.falloff(before, keeps, 1.0, shading.prepare(cast))) / finish.scene(before))
    assert np.abs(cast_stops - cast_stops[1]).max() < 0.01
    assert film.falloff(before, look.load("neutral"), 1.0, even) is before


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (7, 5), (33, 18)])
def test_a_retained_falloff_of_any_size(shape: tuple[int, int]) -> None:
    frame = virtual.expose(np.full((3, *shape), 0.5, np.float32), 0.4)
    for samples in ((-(-shape[0] // 4), -(-shape[1] // 4)), (11, 13)):
        found = shading.taken_ev(shading.prepare(frame), samples)
        assert found.shape == samples and found.min() == 0


@pytest.mark.parametrize("shape", [(1, 1), (7, 5)])
def test_tiny_pictures(shape: tuple[int, int]) -> None:
    light = finish.scene(film.falloff(negative(*shape), DARK))
    assert np.all((light > 0.18 / 2.1) & (light < 0.181))


def test_nothing_happens_where_nothing_is_asked() -> None:
    before = negative(300, 400)
    assert film.falloff(before, look.load("neutral")) is before
    assert film.falloff(before, DARK, 0.0) is before
    half = np.log2(finish.scene(film.falloff(before, DARK, 0.5))[1, 0, 0] / 0.18)
    assert half == pytest.approx(-0.5, abs=0.02)


def lamp(rows: int, columns: int) -> finish.Negative:
    """A white lamp of 8 x 8 pixels, eight times white, in grey."""
    before = negative(rows, columns)
    light = np.full((3, rows, columns), 0.05, np.float32)
    light[:, rows // 2 - 4 : rows // 2 + 4, columns // 2 - 4 : columns // 2 + 4] = 1.6
    return dataclasses.replace(before, code=before.encoding.encode(light), ev=2.32)


def test_halation_is_red_and_near_and_as_wide_as_the_look_says() -> None:
    glowing = dataclasses.replace(look.load("neutral"), spatial=look.spec.Spatial(halation=2.0, halation_um=150.0))
    before = lamp(600, 800)
    added = finish.scene(film.halation(before, glowing)) - finish.scene(before)
    ring = added[:, 300, 410]
    assert ring[0] > 3 * ring[1] > 6 * ring[2] >= 0
    assert np.abs(added[:, 20, 20]).max() < 1e-4
    # Of the lamp's light beyond white, (8 - 1)·64 pixels, a fifth comes back red.
    dark = np.ones((600, 800), bool)
    dark[290:310, 390:410] = False
    assert 0.3 * 0.2 * 7 * 64 < float(added[0].sum()) < 1.2 * 0.2 * 7 * 64
    assert float(added[0][dark].sum()) > 0
    assert film.halation(before, look.load("neutral")) is before


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (479, 641)])
def test_halation_of_any_size(shape: tuple[int, int]) -> None:
    glowing = dataclasses.replace(look.load("neutral"), spatial=look.spec.Spatial(halation=1.0))
    dull = negative(*shape)
    after = film.halation(dull, glowing)
    assert np.abs(after.code.astype(int) - dull.code).max() <= 1  # nothing is brighter than white
    bright = dataclasses.replace(dull, ev=4.0)
    assert np.all(film.halation(bright, glowing).code[0] > dull.code[0])


@pytest.mark.parametrize("kind", [".cube", ".dcp"])
def test_a_table_in_hdr_keeps_its_colours_and_gets_its_light_back(kind: str, tmp_path: pathlib.Path) -> None:
    """Ramps of light up to far beyond white, through a table made for SDR: no black, no clipped light, no new hue."""
    path = tmp_path / f"x{kind}"
    bake.bake(look.load("slide"), path, 17 if kind == ".cube" else None, camera=bake.Camera("x", GENERIC))
    mine = look.load(path)
    ramp = np.geomspace(2.0**-8, 2.0**4, 240, dtype=np.float32)
    colours = np.array([[1, 1, 1], [1.2, 0.9, 0.7], [0.7, 0.9, 1.2]], np.float32)
    light = np.repeat(np.moveaxis(colours[:, None] * ramp[:, None], -1, 0), 8, axis=1)
    before = negative(24, 240)
    before = dataclasses.replace(before, code=Encoding(10000.0, (0.0,) * 3, (100.0,) * 3).encode(light),
                                 encoding=Encoding(10000.0, (0.0,) * 3, (100.0,) * 3))  # fmt: skip
    values: Any = {"output": {"dither": 0.0}, "grade": {"grain": 0.0}}
    sdr, hdr = look.compile(mine), look.compile(mine, headroom_ev=2.0)
    base = eotf(film.picture(before, mine, sdr, values, 16)[4::8] / 65535)
    gain, meta = film.gain_map(before, mine, sdr, hdr)
    stops = meta.gain_min[0] + gain[2::4, :, 0] / 255 * (meta.gain_max[0] - meta.gain_min[0])
    assert (gain == gain[..., :1]).all()
    for row in range(3):
        at = np.repeat(stops[row], 2)[:, None]
        shown = (base[row] + meta.offset_sdr[0]) * 2.0**at - meta.offset_hdr[0]
        assert np.abs(at[ramp < 0.1]).max() < 0.15  # what is dark stays as it is
        assert 3.0 < shown[-1].max() < 4.1  # what is brightest is two stops above white
        brightness = shown @ [0.2126, 0.7152, 0.0722]
        assert np.diff(brightness).min() > -0.02 * brightness.max()
        assert np.diff(brightness[::16]).min() > -1e-3


def test_the_same_picture_at_every_size() -> None:
    """A look at 1200 x 896 made half as large, beside the same look at 600 x 448: what depends on place goes along."""
    wanted = dataclasses.replace(
        look.load("classic"),
        spatial=look.spec.Spatial(vignette_ev=-1.0, halation=1.0, halation_um=150.0),
        micro=look.spec.Micro(1.2, 1.2, 1.2, 1.2),
    )
    small = lake.render(448, 600).astype(np.float32)
    small[:, 50:56, 300:308] = 8.0  # a lamp
    shown = []
    # Each pixel twice: then tone and colour are the same, and what differs is what depends on place.
    for light in (small.repeat(2, 1).repeat(2, 2), small):
        rows, columns = light.shape[1:]
        encoding = Encoding(20000.0, (0.0, 0.0, 0.0), (100.0, 100.0, 100.0))
        proxy = np.ascontiguousarray(light.reshape(3, rows // 4, 4, columns // 4, 4).mean((2, 4)))
        flat = np.zeros(proxy.shape[1:], np.float32)
        tone = micro.apply(ToneMap(flat, flat, 2.0**-12, 0.0, 0.0), proxy, wanted, columns, 0.0)
        before = dataclasses.replace(negative(rows, columns), code=encoding.encode(light), encoding=encoding, tone=tone)
        printed = film.falloff(film.halation(before, wanted), wanted)
        codes = film.picture(printed, wanted, look.compile(wanted), recipe.resolve().values, 16)
        shown.append(eotf(codes / 65535.0))
    halved = shown[0].reshape(448, 2, 600, 2, 3).mean((1, 3))
    off = difference.delta_e_2000(*(difference.lab(np.moveaxis(v, -1, 0), space="srgb") for v in (halved, shown[1])))
    assert off.mean() < 0.1 and np.percentile(off, 99) < 0.5
    plain = eotf(finish.run(before, look.compile(wanted), 16) / 65535.0)
    lamp = np.s_[40:70, 280:330]
    assert np.abs(plain[lamp] - shown[1][lamp]).max() > 0.05  # there was something to compare
