"""Binning: squares of one colour become the pixels of a Bayer mosaic, and all that the file says follows."""

from __future__ import annotations

import numpy as np
import pytest
from bench import sb1
from mosaics import frame, gain_map

import lichtbild
from lichtbild import cfa as patterns
from lichtbild import recipe, types
from lichtbild.apps.cli.main import run
from lichtbild.develop import binning, front, shading
from lichtbild.develop import burst as merge
from lichtbild.sensor import filters
from lichtbild.types import LichtbildError, Noise, Shot, Shut, White

QUAD, NONA = (patterns.word(filters.PATTERNS[n]) for n in ("QUAD-RGGB", "NONA-GBRG"))
EVEN = White((1.0, 1.0, 1.0), (0.3127, 0.329), 6504.0, 0.0, "even")
NOISE = Noise((2e-4,) * 3, (4e-6,) * 3)


def flat(cfa, size, white=1023.0):
    """A frame of one colour: 200, 400 and 300 above a black of 64."""
    numbers = 64 + np.array([200, 400, 300])[patterns.at(cfa, size)]
    return frame(numbers.astype(np.uint16), cfa=cfa, white=(white,), black=np.full((1, 1, 1), 64, np.float32))


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (1, 1), (2, 3)])
@pytest.mark.parametrize("cfa", [QUAD, NONA])
@pytest.mark.parametrize("white", [1023.0, 16383.0])
def test_each_square_becomes_a_pixel_of_its_colour(cfa, shift, white):
    word = patterns.shifted(cfa, *shift)
    n, top, left = patterns.squares(word)
    made = binning.binned(flat(word, (37, 50), white))
    factor = made.white[0] / white
    assert made.cfa in types.BAYER and made.shape == ((37 - top) // n, (50 - left) // n)
    assert factor == min(n * n, 65535 // white) and made.black[0, 0, 0] == 64 * factor
    light = made.mosaic / factor - 64
    np.testing.assert_array_equal(light, np.array([200, 400, 300])[patterns.at(made.cfa, made.shape)])


@pytest.mark.parametrize("cfa", [QUAD, NONA, patterns.shifted(QUAD, 1, 1)])
def test_what_the_file_says_follows(cfa, rng):
    """Black by place, by row and by column, and a map of shading: the light is that of the full mosaic, in means."""
    size, (n, top, left) = (92, 122), patterns.squares(cfa)
    y, x = np.mgrid[: size[0], : size[1]]
    numbers = 3000 + 1500 * np.sin((x + 0.8 * y) / 60)
    levels, lines = rng.integers(200, 600, (4, 2, 1)).astype(np.float32), rng.normal(0, 50, size[0]).astype(np.float32)
    numbers = numbers + np.tile(levels[..., 0], (23, 61)) + lines[:, None]
    whole = frame(
        np.rint(numbers).astype(np.uint16), cfa=cfa, white=(16383.0,), black=levels, black_row=lines, noise=NOISE,
        gain_maps=(gain_map(rng, (0, 0, *size), 1),), crop=(5, 8, 81, 110),
    )  # fmt: skip
    made = binning.binned(whole)
    values = {**recipe.resolve("night").values, "defects": {"strength": 0.0, "threshold": 5.0}}
    values = {**values, "black": {"shift": 0.0, "banding": False}}
    (full, full_code), (small, code) = (front.run(f, EVEN, NOISE, values) for f in (whole, made))
    light, (h, w) = full_code.decode(full), made.shape
    means = light[:, top : top + n * h, left : left + n * w].reshape(3, h, n, w, n).mean((2, 4))
    off = (code.decode(small) / means - 1)[:, 2:-2, 2:-2]  # both are demosaiced
    assert np.abs(off).mean() < 0.015 and np.abs(off.mean()) < 0.003
    t, c, rows, columns = made.crop
    assert (t - 1) * n + top < 5 <= t * n + top and (t + rows) * n + top <= 86 < (t + rows + 1) * n + top
    assert (c - 1) * n + left < 8 <= c * n + left and (c + columns) * n + left <= 118
    assert made.noise.scale[0] == pytest.approx(NOISE.scale[0] / n**2)


def test_noise_falls_as_said(rng):
    whole = flat(QUAD, (400, 400))
    whole = types.replace(whole, mosaic=np.rint(whole.mosaic + rng.normal(0, 12, whole.shape)).astype(np.uint16),
                          noise=Noise((0.0,) * 3, ((12 / 959) ** 2,) * 3))  # fmt: skip
    made = binning.binned(whole)
    green = made.mosaic[patterns.at(made.cfa, made.shape) == 1] / (made.white[0] - made.black[0, 0, 0])
    assert green.var() == pytest.approx(made.noise.offset[1], rel=0.03)


def test_listed_defects_are_repaired_before_and_a_shut_frame_stays_shut():
    whole = flat(QUAD, (40, 40))
    whole.mosaic[10, 11] = 1023
    whole = types.replace(whole, bad_pixels=np.array([[10, 11]], np.int32))
    made = binning.binned(whole)
    np.testing.assert_array_equal(made.mosaic, binning.binned(flat(QUAD, (40, 40))).mosaic)
    assert made.bad_pixels is None
    shut = types.replace(whole, mosaic=None, shut=Shut(whole.shape, lambda: whole))
    closed = binning.binned(shut)
    assert closed.mosaic is None and closed.shape == (20, 20)
    np.testing.assert_array_equal(closed.opened().mosaic, made.mosaic)


def test_maps_for_each_pixel_of_a_square_become_one(rng):
    size = (32, 48)
    maps = [gain_map(rng, (y, x, *size), 4) for y in range(4) for x in range(4)]
    made = binning.binned(types.replace(flat(QUAD, size), gain_maps=tuple(maps)))
    assert [(m.top, m.left, m.row_pitch, m.bottom, m.right) for m in made.gain_maps] == [
        (0, 0, 2, 16, 24), (0, 1, 2, 16, 24), (1, 0, 2, 16, 24), (1, 1, 2, 16, 24)
    ]  # fmt: skip
    odd = types.replace(flat(QUAD, size), gain_maps=(gain_map(rng, (0, 0, *size), 3),))
    with pytest.raises(LichtbildError, match="map of shading"):
        binning.binned(odd)
    assert binning.wanted(flat(QUAD, size), "night", 0.2) and binning.wanted(odd, "night", 0.2) is None


def test_what_has_no_squares_is_refused_or_left():
    bayer = flat("RGGB", (20, 20))
    with pytest.raises(LichtbildError, match="no squares"):
        binning.binned(bayer)
    with pytest.raises(LichtbildError, match="smaller"):
        binning.binned(flat(QUAD, (1, 20)))
    whole = Shot([bayer], bayer.path, ["a frame is damaged"])
    made = binning.shot(whole)
    assert made.frames == whole.frames and made.remarks[0] == "a frame is damaged"
    assert "demosaic.bin: its mosaic (RGGB) has no squares" in made.remarks[1]
    found = lichtbild.develop(whole, set={"demosaic.bin": True})
    assert found.facts()["left_out"] == made.remarks
    assert lichtbild.develop(whole).shot is whole


def burst(frames=4, iso_noise=sb1.NOISE, cfa=QUAD):
    y, x = np.mgrid[:420, :520]
    grey = 0.25 + 0.1 * ((x // 23 + y // 31) % 2) + 0.08 * np.sin(x / 9.0) * np.sin(y / 13.0)
    light = np.stack([grey, 0.8 * grey + 0.05, 0.6 * grey + 0.1]).astype(np.float32)
    return sb1.make(light, frames, cfa=cfa, disc=False, shift_px=3.0, noise=iso_noise)


def test_at_night_squares_are_read_as_one_where_it_is_grainy():
    grainy, quiet = burst()[0], burst(iso_noise=Noise((2e-5,) * 3, (1e-7,) * 3))[0]
    made = lichtbild.develop(grainy, mode="night")
    assert made.recipe.values["demosaic"]["bin"] and made.recipe.origins["demosaic"]["bin"] == "shot"
    assert any("2x2 pixels are read as one" in note for note in made.recipe.notes)
    assert made.array.shape == (grainy.reference.shape[0] // 2, grainy.reference.shape[1] // 2, 3)
    for shot, mode, more in (
        (quiet, "night", {}),
        (grainy, "snapshot", {}),
        (grainy, "night", {"demosaic.bin": False}),
    ):
        assert not lichtbild.develop(shot, mode=mode, set=more).recipe.values["demosaic"]["bin"]
    assert lichtbild.develop(quiet, mode="snapshot", set={"demosaic.bin": True}).shot.reference.cfa == "RGGB"


def test_a_burst_of_quads_merges_to_less_noise():
    """Binned and not: the merge of four frames is nearer to the truth than one frame."""
    whole, truth = burst()
    values = recipe.resolve("night").values
    small = truth.rgb[:, : truth.rgb.shape[1] // 2 * 2, : truth.rgb.shape[2] // 2 * 2]
    small = small.reshape(3, small.shape[1] // 2, 2, small.shape[2] // 2, 2).mean((2, 4))
    for shot, true in ((whole, truth.rgb), (binning.shot(whole), small)):
        errors = []
        for frames in (shot.frames[:1], shot.frames):
            made = merge.run(frames, EVEN, frames[0].noise, values, shading.prepare(frames[0], 1.0))
            light = made.encoding.decode(made.code)
            errors.append(np.square(light - true)[:, 16:-16, 16:-16].mean())
        assert errors[1] < 0.5 * errors[0]


def test_the_command_line_bins_and_says_so(tmp_path, monkeypatch, capsys):
    sb1.write(burst(3)[0].frames, tmp_path / "burst", (0, 0, 0))
    monkeypatch.chdir(tmp_path)
    assert run(["explain", "burst", "--mode", "night"]) == 0
    assert "2x2 pixels are read as one" in capsys.readouterr().out
    assert run(["merge", "burst", "-o", "a.dng", "--cfa", "--set", "demosaic.bin=true"]) == 0
    back = lichtbild.open("a.dng").reference
    assert back.cfa == "RGGB" and back.shape == (162, 212)
