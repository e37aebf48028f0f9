"""Zoom: kernels equal their twins, one frame is interpolated, many are sharper, sizes and words are right."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bench import sb1
from bench.zoom import lanczos

import lichtbild
from lichtbild import cfa as patterns
from lichtbild import kernels, recipe, types
from lichtbild.apps.cli.main import run
from lichtbild.develop import burst, denoise, pipeline, shading
from lichtbild.export import dng
from lichtbild.lab import edge
from lichtbild.light import WHITE_D65
from lichtbild.merge import _zoomtwin as twin
from lichtbild.merge import add, zoom
from lichtbild.raw import open as open_raw
from lichtbild.types import White
from lichtbild.wanted import Wanted

EVEN = White((1.0, 1.0, 1.0), WHITE_D65, 6504.0, 0.0, "even")
SIZES = [(1, 1), (7, 5), (33, 50), (641, 479)]
WIDTHS = np.array([0.22, 0.6], np.float32)


def picture(rng, size):
    """Codes (3, H, W) with edges in all directions."""
    y, x = np.mgrid[: size[0], : size[1]]
    wave = 9000 * np.sin(x / 3.1 + y / 7.0) * np.sin(y / 4.7 - x / 9.0)
    return (20000 + wave + rng.normal(0, 300, (3, *size))).clip(0, 65535).astype(np.uint16)


@pytest.mark.parametrize("size", SIZES)
def test_shapes_equal_their_twin(size):
    code, tops = picture(np.random.default_rng(1), size), np.array((31000, 24000, 28000), np.float32)
    out = np.empty((4, *size), np.float32)
    kernels.call("zoom_shape", code=code, widths=WIDTHS, power=3e4, tops=tops, output=out)
    np.testing.assert_allclose(out, twin.shape(code, WIDTHS, 3e4, tops), rtol=2e-3, atol=2e-3)


def test_a_kernel_is_long_along_an_edge_and_narrow_across():
    code = np.full((3, 40, 40), 8000, np.uint16)
    code[:, :, 20:] = 30000
    a, b, c, sure = zoom.shapes(code, 100.0)[:, 20, 20]
    assert (a**-0.5, c**-0.5) == pytest.approx((0.22, 0.6), abs=0.01) and abs(b) < 0.01 and sure > 0.99
    a, b, c, sure = zoom.shapes(code, 100.0)[:, 20, 5]
    assert (a**-0.5, c**-0.5, b, sure) == pytest.approx((0.22, 0.22, 0, 0), abs=0.01)
    *_, sure = zoom.shapes(code, 100.0, (65535, 65535, 31000))[:, 20, 20]
    assert sure == 0, "what is clipped is a guess"


@pytest.mark.parametrize(("size", "cfa"), [((1, 1), "RGGB"), ((7, 5), "GBRG"), ((20, 17), "RGGB"), ((20, 17), "MONO")])
def test_adding_equals_its_twin(size, cfa):
    rng = np.random.default_rng(2)
    samples = zoom.Samples(cfa, size, 3)
    for place in (0, 2):  # the second is of another exposure
        flow = rng.uniform(-3, 3, samples.flow.shape[1:]).astype(np.float32)
        trust = rng.integers(0, 256, samples.trust.shape[1:]).astype(np.uint8)
        samples.put(place, picture(rng, size), flow, trust)
    known = zoom.seen(picture(rng, size), (200.0,) * 3, 0.5)
    shape = zoom.shapes(picture(rng, size), 1e4)
    sites, rows = samples.laid()
    steps = np.empty((4, *shape.shape[1:]), np.int16)
    kernels.call(
        "zoom_add", codes=samples.codes, sites=sites, rows=rows, seen=known, flow=samples.flow, trust=samples.trust,
        busy=samples.busy, shape=shape, least=0.05, output=steps,
    )  # fmt: skip
    assert np.abs(steps / zoom.ONE - twin.add(samples, known, shape, 0.05)).max() < 1e-3


def test_samples_are_those_of_the_sites():
    codes = np.arange(3 * 6 * 5, dtype=np.uint16).reshape(3, 6, 5) * 10
    samples = zoom.Samples("RGGB", (6, 5), 40)
    samples.put(0, codes)
    samples.put(39, codes)  # more than are kept
    kept = samples.codes[0, add.MARGIN :, add.MARGIN :][:6, :5]
    assert len(samples.codes) == zoom.FRAMES and not samples.busy[1:].any() and samples.busy[0].all()
    assert kept[0, 0] == 0 and kept[0, 1] == codes[1, 0, 1] // 2 and kept[3, 3] == codes[2, 3, 3] // 2


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_equals_its_twin(size):
    rng = np.random.default_rng(3)
    code, steps = picture(rng, size), rng.uniform(-0.4, 0.4, (4, *size))
    shape, out = zoom.shapes(code, 1e4), np.empty((3, 2 * size[0], 2 * size[1]), np.uint16)
    whole = np.rint(steps * zoom.ONE).astype(np.int16)
    kernels.call("zoom_done", code=code, steps=whole, shape=shape, sharp=1.0, output=out)
    assert np.abs(out.astype(int) - twin.done(code, steps, shape, 1.0)).max() <= 3


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("times", [1.0, 1.3, 1.5, 2.0])
def test_sizes_between_equal_their_twin(size, times):
    fine = picture(np.random.default_rng(4), (2 * size[0], 2 * size[1]))
    wanted = tuple(round(times * n) for n in size)
    found = zoom.fit(fine, wanted)
    taps = [zoom._taps(*n) for n in zip(fine.shape[1:], wanted, strict=True)]
    assert np.abs(found.astype(int) - twin.fit(fine, *taps)).max() <= 1
    assert abs(found.mean() / fine.mean() - 1) < (0.002 if min(size) > 8 else 0.1)


def test_one_frame_is_interpolated_and_nothing_added():
    code = picture(np.random.default_rng(5), (40, 60))
    samples = zoom.Samples("RGGB", (40, 60), 1)
    samples.put(0, code)
    plain = twin.done(code, np.zeros((4, 40, 60)), zoom.shapes(code, 300.0**2)[:, :40, :60], 1.0)
    found = zoom.finer(code, (300.0,) * 3, 1.0, samples)
    assert np.abs(found.astype(int) - plain).max() <= 12  # a few half codes of rounding


def edges(frames, noise, seed=1, size=(224, 240), **hand):
    """A burst of a slanted edge with texture around it, each pixel the mean of its light; the first stands still."""
    rng, fine = np.random.default_rng(seed), 4
    light = np.full((fine * (size[0] + 96), fine * (size[1] + 96)), 0.2)
    patches = rng.uniform(0.1, 0.4, (light.shape[0] // 48 + 1, light.shape[1] // 48 + 1)).repeat(48, 0).repeat(48, 1)
    light[:] = patches[: light.shape[0], : light.shape[1]]
    light[fine * 150 : fine * 206, fine * 150 : fine * 190] = edge.slanted(
        fine * 56, fine * 40, 5.0, fine / 4, 0, 0.08, 0.32
    )
    return sb1.make(np.stack([light] * 3).astype(np.float32), frames, seed, 1.0, noise, disc=False, fine=fine, **hand)


def seen_edge(frames, noise, times=2.0):
    """MTF50 in cycles per pixel of a frame, and root mean square of false colour, of the edge in a merged burst."""
    values = recipe.resolve("night", sets=["detail.amount=0"]).values
    zoomed = {**values, "merge": {**values["merge"], "zoom": times}}
    made = burst.run(frames, EVEN, noise, zoomed, shading.prepare(frames[0], 1.0))
    code = denoise.run(made.code, made.encoding, noise, zoomed, made.share if made.others else None)
    light = made.encoding.decode(lanczos(code) if times == 1 else code)[:, 2 * 104 : 2 * 156, 2 * 104 : 2 * 140]
    colour = math.sqrt(float(np.square(light[::2] - light[1]).mean()))
    return 2 * edge.measure(0.25 * light[0] + 0.5 * light[1] + 0.25 * light[2], 16).mtf_at(0.5), colour


CLEAN = types.Noise((1e-4,) * 3, (1e-6,) * 3)


@pytest.mark.parametrize("noise", [CLEAN, sb1.NOISE])
def test_a_burst_is_sharper_than_one_frame_and_has_no_more_false_colour(noise):
    shot, _ = edges(8, noise)
    (alone, false), (many, left) = (seen_edge(frames, noise) for frames in (shot.frames[:1], shot.frames))
    assert many > 1.3 * alone and left < false


def test_few_frames_are_no_worse_than_one():
    shot, _ = edges(3, CLEAN)
    (alone, false), *more = (seen_edge(shot.frames[:n], CLEAN) for n in (1, 2, 3))
    assert all(sharp > 0.97 * alone and left < 1.1 * false for sharp, left in more)


def test_from_a_tripod_it_is_as_good_as_interpolation():
    shot, _ = edges(6, CLEAN, shift_px=0.0, turn_deg=0.0)
    (sharp, colour), (plain, _) = (seen_edge(shot.frames, CLEAN, times) for times in (2.0, 1.0))
    assert sharp > 0.97 * plain and colour < seen_edge(shot.frames[:1], CLEAN)[1]


@pytest.mark.parametrize("cfa", ["MONO", "RRGG/RRGG/GGBB/GGBB", "GGRGGB/GGBGGR/BRGRBG/GGBGGR/GGRGGB/RBGBRG"])
def test_every_mosaic_gains(cfa, monkeypatch):
    def taken(rgb, noise, _, rng, number, ev=0.0):
        clean = np.take_along_axis(rgb, patterns.at(cfa, rgb.shape[1:])[None], 0)[0]
        noisy = clean + rng.standard_normal(clean.shape) * np.sqrt(noise.scale[0] * clean + noise.offset[0])
        counts = np.rint(sb1.BLACK + noisy * (sb1.WHITE - sb1.BLACK)).clip(0, sb1.WHITE)
        return sb1.frame(counts.astype(np.uint16), noise, number, cfa, ev)

    monkeypatch.setattr(sb1, "_frame", taken)
    shot, _ = edges(6, CLEAN)
    alone, many = (seen_edge(frames, CLEAN)[0] for frames in (shot.frames[:1], shot.frames))
    assert many > 1.2 * alone


def test_a_bracket_is_zoomed_by_the_frames_of_its_reference():
    shot, _ = edges(6, CLEAN, bracket_ev=(0.0, -2.0))
    alone, many = (seen_edge(frames, CLEAN)[0] for frames in (shot.frames[:1], shot.frames))
    assert many > alone


@pytest.mark.parametrize("times", [1.5, 2.0])
def test_photographs_and_their_crops_have_the_size_asked_for(times):
    whole, _ = sb1.make(np.full((3, 200, 230), 0.3, np.float32), 3, disc=False)
    frames = [types.replace(f, crop=(4, 6, 90, 100)) for f in whole.frames]
    made = pipeline.render(frames[0], recipe.resolve("night", sets=[f"merge.zoom={times}"]), Wanted(), frames)
    assert made.sdr.shape == (round(90 * times), round(100 * times), 3)
    one = pipeline.render(frames[0], recipe.resolve("snapshot", sets=[f"merge.zoom={times}"]), Wanted(raw=True))
    assert one.light.shape == (3, round(104 * times), round(134 * times))


def test_the_command_zooms(tmp_path, monkeypatch, capsys):
    shot, _ = sb1.make(np.full((3, 180, 200), 0.3, np.float32), 3, disc=False)
    for i, frame in enumerate(shot.frames):
        dng.write_frame(tmp_path / f"{i}.dng", frame)
    monkeypatch.chdir(tmp_path)
    words = [f"{i}.dng" for i in range(3)]
    assert run(["develop", *words, "--mode", "night", "--zoom", "2", "-o", "a.dng"]) == 0
    assert run(["merge", *words, "--zoom", "1.5", "-o", "b.dng"]) == 0
    assert run(["merge", *words, "--zoom", "2", "--cfa", "-o", "c.dng"]) == 0
    sizes = [open_raw(tmp_path / f"{name}.dng").shape for name in "abc"]
    assert sizes == [(168, 208), (126, 156), (168, 208)]
    assert lichtbild.develop(tmp_path / "b.dng").array.shape == (126, 156, 3)
    assert run(["merge", *words, "--zoom", "3", "-o", "d.dng"]) == 2 and "merge.zoom" in capsys.readouterr().err
