"""Brackets: one scale of light, inverse variance, nothing clipped, nothing magenta; settings that lie are found out."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from bench import sb1
from scipy import ndimage

from lichtbild import bursts, kernels, recipe, types
from lichtbild.develop import burst, pipeline, shading
from lichtbild.light import WHITE_D65
from lichtbild.merge import exposures
from lichtbild.types import Exposure, Noise, White
from lichtbild.wanted import Wanted

EVEN = White((1.0, 1.0, 1.0), WHITE_D65, 6504.0, 0.0, "even")
NOISE = Noise((2e-4,) * 3, (2e-5,) * 3)


@pytest.fixture(scope="module")
def values():
    return recipe.resolve("night").values


def room(size=(396, 496), window=6.0):
    """Light of a dim room, 0.01..0.2 of saturation, with a warm window that is `window` times as bright as white."""
    y, x = np.mgrid[: size[0], : size[1]]
    grey = 0.03 + 0.02 * ((x // 23 + y // 31) % 2) + 0.01 * np.sin(x / 5.0) * np.sin(y / 9.0) + 0.1 * x / size[1]
    inside = (abs(y - 0.5 * size[0]) < 0.18 * size[0]) & (abs(x - 0.6 * size[1]) < 0.15 * size[1])
    light = np.stack([grey, 0.8 * grey + 0.01, 0.6 * grey + 0.02])
    bars = window * (0.7 + 0.3 * np.sin(x / 17.0))
    return np.where(inside, np.array([1.0, 0.85, 0.6])[:, None, None] * bars, light).astype(np.float32)


def bracket(frames=4, bracket_ev=(-3.0, 0.0), noise=NOISE, **more):
    return sb1.make(room(), frames, exposure=1.0, noise=noise, shift_px=3.0, disc=False, bracket_ev=bracket_ev, **more)


def merged(frames, values):
    return burst.run(frames, EVEN, NOISE, values, shading.prepare(frames[0], 1.0))


def errors(found, truth, inside):
    """Root mean square error of light against that of frame 0, where `inside`, without a border."""
    e = (found.encoding.decode(found.code) - truth.rgb / 8)[:, 16:-16, 16:-16]
    return float(np.sqrt(np.square(e[:, inside[16:-16, 16:-16]]).mean()))


def test_a_bracket_has_the_lights_of_the_short_and_the_shadows_of_the_long(values):
    shot, truth = bracket()
    chosen = burst.order(shot.frames, values)[0]
    assert chosen.exposure.time_s == 1 / 240 and chosen.baseline_exposure_ev == 3.0
    frames = shot.frames  # whose first one's truth is known
    found, alone = merged(frames, values), merged(frames[:1], values)
    assert min(found.believed) > 0.5
    # Around the window demosaicing carries what is clipped, and the short frames stand alone.
    dark, bright = (
        ndimage.binary_erosion(kind, iterations=12) for kind in (truth.rgb.max(0) < 0.3, truth.rgb.min(0) > 1.2)
    )
    assert errors(found, truth, dark) < 0.15 * errors(alone, truth, dark)
    assert errors(found, truth, bright) < 0.9 * errors(alone, truth, bright)


def test_the_mean_of_shadows_and_lights_stays(values):
    shot, truth = bracket(8)
    found = merged(shot.frames, values)
    light = found.encoding.decode(found.code)[:, 16:-16, 16:-16] * 8
    kind = truth.rgb[:, 16:-16, 16:-16]
    for dark_or_bright in (kind.max(0) < 0.1, kind.max(0) > 1.2):
        inside = ndimage.binary_erosion(dark_or_bright, iterations=4)
        assert np.allclose(light[:, inside].mean(1), kind[:, inside].mean(1), rtol=0.03, atol=0.002)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_pixel_of_a_clipped_window_turns_magenta(values, seed):
    shot, truth = bracket(4, seed=seed)
    found = merged(shot.frames, values)
    r, g, b = found.encoding.decode(found.code)[:, 16:-16, 16:-16]
    bright = truth.rgb[:, 16:-16, 16:-16].min(0) > 0.5
    assert bright.sum() > 5000
    assert float(np.max((r + b)[bright] / (2 * g[bright]))) < 1.15  # the window itself has 0.94


def test_where_nothing_clips_the_long_frame_is_the_reference(values):
    shot, _ = sb1.make(0.1 * room(), 4, exposure=1.0, noise=NOISE, shift_px=3.0, disc=False, bracket_ev=(-3.0, 0.0))
    assert burst.order(shot.frames, values)[0].exposure.time_s == 1 / 30


@pytest.mark.parametrize("number", [64, 1023])
def test_a_black_or_a_burnt_frame_does_no_harm(values, number):
    shot, _ = bracket(3, (0.0, -2.0, -4.0))
    place = 2 if number == 64 else 0  # the shortest is black, or the longest clipped
    bad = types.replace(shot.frames[place], mosaic=np.full(shot.frames[place].shape, number, np.uint16))
    frames = [bad if i == place else f for i, f in enumerate(shot.frames)]
    chosen = burst.order(frames, values)
    assert chosen[0].exposure.time_s == shot.frames[1 if number == 64 else 2].exposure.time_s
    found = merged(chosen, values)
    light = found.encoding.decode(found.code)[:, 16:-16, 16:-16]
    alone = merged(chosen[:1], values)
    assert light.mean() == pytest.approx(alone.encoding.decode(alone.code)[:, 16:-16, 16:-16].mean(), rel=0.03)


@pytest.mark.parametrize("number", [64, 1023])
def test_a_bracket_without_any_light_or_dark_is_a_picture(values, number):
    frames = [types.replace(f, mosaic=np.full(f.shape, number, np.uint16)) for f in bracket(3, (0.0, -2.0))[0].frames]
    found = merged(burst.order(frames, values), values)
    assert np.ptp(found.code[:, 8:-8, 8:-8]) == 0


def test_a_frame_that_lies_about_its_exposure_is_found_out(values):
    shot, truth = sb1.make(room(window=0.7), 3, exposure=1.0, noise=NOISE, shift_px=3.0, disc=False,
                           bracket_ev=(0.0, 0.0, -2.0))  # fmt: skip
    liar = types.replace(shot.frames[2], exposure=shot.frames[0].exposure)
    base = exposures.Base.of(shot.frames[0], NOISE)
    assert base.more_ev(shot.frames[1]) == 0
    assert abs(base.more_ev(liar) + 2) < 0.1
    silent = types.replace(shot.frames[2], exposure=Exposure())
    assert abs(base.more_ev(silent) + 2) < 0.1
    found = merged([*shot.frames[:2], liar], values)
    light = found.encoding.decode(found.code)[:, 16:-16, 16:-16]
    assert abs(light.mean() / truth.rgb[:, 16:-16, 16:-16].mean() - 1) < 0.02 and found.believed[1] > 0.5


def test_settings_are_believed_where_pixels_cannot_tell():
    shot, _ = bracket(2)
    base = exposures.Base.of(shot.frames[0], NOISE)
    black = types.replace(shot.frames[1], mosaic=np.full(shot.frames[1].shape, 64, np.uint16))
    assert base.more_ev(black) == pytest.approx(3.0)
    rng = np.random.default_rng(1)
    other = types.replace(shot.frames[1], mosaic=rng.integers(64, 1023, black.shape).repeat(1, 0).astype(np.uint16))
    assert base.more_ev(other) == pytest.approx(3.0, abs=3)  # an unrelated scene: whatever it is, it is a number
    assert base.more_ev(types.replace(black, exposure=Exposure())) == 0.0
    tiny = types.replace(black, mosaic=black.mosaic[:1, :1])
    assert exposures.Base.of(tiny, NOISE).more_ev(tiny) == 0.0


def test_another_iso_is_another_noise(values):
    quiet = Noise((2e-4 / 8,) * 3, (2e-5 / 64,) * 3)  # as many photons and electrons, eight times as many per number
    low, high = (bracket(noise=n)[0].frames for n in (quiet, NOISE))
    frames = [types.replace(f, exposure=Exposure(1600.0 if i % 2 else 200.0, 1 / 30, 1.9, 8.7))
              for i, f in enumerate((low[0], high[1], low[2], high[3]))]  # fmt: skip
    chosen = burst.order(frames, values)
    assert chosen[0].exposure.iso == 200 and chosen[0].baseline_exposure_ev == 3.0
    found = burst.run(chosen, EVEN, quiet, values, shading.prepare(chosen[0], 1.0))
    assert np.median(found.frames) == pytest.approx(4, abs=0.5)  # each counts alike


def test_a_bracket_stays_one_burst_and_is_developed_whole():
    shot, _ = bracket(3, (0.0, -3.0, -6.0))
    remarks: list[str] = []
    assert len(bursts.sift(shot.frames, remarks)) == 3 and not remarks
    made = pipeline.render(shot.frames[0], recipe.resolve("snapshot"), Wanted(hdr=True), shot.frames)
    sdr = made.sdr.astype(float)[20:-20, 20:-20]
    lit = sdr[sdr.min(2) > 150]
    assert len(lit) > 5000 and not np.any((lit[:, 0] > lit[:, 1] + 12) & (lit[:, 2] > lit[:, 1] + 12))
    assert 25 < np.median(sdr) < 100  # a dim room


def test_the_mode_of_a_bracket_is_that_of_its_middle_exposure():
    frames = bracket(3)[0].frames
    times = [1 / 240, 1 / 30, 1 / 4]
    frames = [types.replace(f, exposure=Exposure(1600.0, t, 1.8)) for f, t in zip(frames, times, strict=True)]
    metered = types.Shot([frames[1]] * 2, pathlib.Path())
    assert bursts.mode(types.Shot(frames, pathlib.Path()))[0] == bursts.mode(metered)[0] == "night"


def test_unrelated_scenes_of_different_exposure_give_the_reference(values):
    shot, _ = bracket(2)
    rng = np.random.default_rng(6)
    other = types.replace(shot.frames[1], mosaic=rng.integers(64, 1023, shot.frames[1].shape).astype(np.uint16))
    found, alone = merged([shot.frames[0], other], values), merged(shot.frames[:1], values)
    assert found.believed[0] < 0.1
    assert np.mean(np.abs(found.code.astype(int) - alone.code)) < 0.1 * alone.encoding.sigma[1]


def blinded(raw, limit, guide, reach):
    """The kernel `merge_blind` in NumPy."""
    high, wide = guide.shape[1:]
    edged = np.pad(raw, ((0, 2), (0, 2)), mode="edge")
    out = guide.copy()
    for y, x in np.ndindex(high, wide):
        rows = np.clip(np.arange(2 * (y - reach), 2 * (y + reach) + 2), 0, raw.shape[0] - 1)
        columns = np.clip(np.arange(2 * (x - reach), 2 * (x + reach) + 2), 0, raw.shape[1] - 1)
        if edged[np.ix_(rows, columns)].max() >= limit:
            out[:, y, x] = (32768, 0, 65535, 0)
    return out


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (41, 79)])
@pytest.mark.parametrize("wide", [False, True])
def test_blind_kernel_equals_twin(size, wide):
    rng = np.random.default_rng(4)
    raw = rng.integers(0, 1000, size).astype(np.uint16)
    raw[rng.random(size) < 0.01] = 1023
    guide = rng.integers(0, 65536, (4, *(-(-n // 2) for n in size))).astype(np.uint16)
    expected = blinded(raw, 1000, guide, 2 if wide else 0)
    kernels.call("merge_blind", raw=raw, limit=1000, wide=wide, guide=guide)
    assert np.array_equal(guide, expected)


@pytest.mark.parametrize("size", [(16, 32), (48, 640)])
def test_weigh_kernel_equals_twin(size):
    rng = np.random.default_rng(5)
    trust = rng.integers(0, 256, (size[0] // 2, size[1] // 2)).astype(np.uint8)
    level = rng.integers(0, 65536, (size[0] // 8, size[1] // 8)).astype(np.uint16)
    noise = np.geomspace(0.02, 30, 256).astype(np.float32)
    r, v = trust / 255.0, noise[level >> 8].repeat(4, 0).repeat(4, 1)
    expected = np.clip(20 * r / (v * r + np.clip(v, 0.1, 1) * (1 - r)), np.where(trust == 255, 1, 0), 255)
    kernels.call("merge_weigh", level=level, noise=noise, unit=20.0, trust=trust)
    assert np.abs(trust - expected).max() < 0.51


def test_shadows_have_less_noise_than_the_best_weights_alone_leave(values):
    noise = Noise((1e-3,) * 3, (3e-6,) * 3)
    shot, truth = bracket(4, noise=noise)
    found = burst.run(shot.frames, EVEN, noise, values, shading.prepare(shot.frames[0], 1.0))
    dark = ndimage.binary_erosion(truth.rgb.max(0) < 0.3, iterations=12)
    light = truth.rgb[:, dark] / 8  # of the first frame, a short one
    short, long = 1e-3 * light + 3e-6, (1e-3 * 8 * light + 3e-6) / 64
    # Moving frames by parts of a pixel does the rest; it was 0.85 when chance turned long frames away.
    assert errors(found, truth, dark) ** 2 < 0.81 * (1 / (2 / short + 2 / long)).mean()
