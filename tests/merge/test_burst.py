"""Bursts through the whole house: noise falls, nothing ghosts, odd frames are told, merged raws read back."""

from __future__ import annotations

import pathlib
import weakref

import numpy as np
import pytest
from bench import sb1

import lichtbild
from lichtbild import recipe, types
from lichtbild.apps.cli.main import run
from lichtbild.develop import burst, composite, denoise, pipeline, shading, tone
from lichtbild.export import dng
from lichtbild.lab import merged as lab
from lichtbild.light import WHITE_D65
from lichtbild.raw import glance
from lichtbild.raw import open as open_raw
from lichtbild.types import Noise, White
from lichtbild.wanted import Wanted

EVEN = White((1.0, 1.0, 1.0), WHITE_D65, 6504.0, 0.0, "even")


@pytest.fixture(scope="module")
def values():
    return recipe.resolve("night").values


def picture(size=(300, 400)):
    """Light with edges and colours."""
    y, x = np.mgrid[: size[0], : size[1]]
    grey = 0.25 + 0.1 * ((x // 23 + y // 31) % 2) + 0.08 * np.sin(x / 5.0) * np.sin(y / 9.0)
    return np.stack([grey, 0.8 * grey + 0.05, 0.6 * grey + 0.1]).astype(np.float32)


def shot(frames=6, disc=False, size=(300, 400), **more):
    return sb1.make(picture(size), frames, disc=disc, shift_px=3.0, **more)


def merged(frames, values):
    return burst.run(frames, EVEN, frames[0].noise, values, shading.prepare(frames[0], 1.0))


def test_noise_falls_as_the_root_of_the_frames(values):
    grey = np.full((3, 352, 352), 0.35, np.float32)
    whole, _ = sb1.make(grey, 8, disc=False, shift_px=3.0)
    one, many = merged(whole.frames[:1], values), merged(whole.frames, values)
    before, after = (b.code[1, 16:-16, 16:-16].astype(float).std() for b in (one, many))
    assert 20 * np.log10(before / after) > 0.9 * 10 * np.log10(8)
    assert abs(np.median(many.frames) - 8) < 0.7
    # The mean of the light stays, within a hundredth of one frame's noise.
    assert abs(many.encoding.decode(many.code)[:, 16:-16, 16:-16].mean() - 0.35 * 0.55) < 0.0004


@pytest.mark.parametrize("cfa", types.BAYER)
def test_what_moves_leaves_no_ghost(values, cfa):
    whole, truth = sb1.make(picture((500, 620)), 4, cfa=cfa, shift_px=3.0)
    one, many = merged(whole.frames[:1], values), merged(whole.frames, values)
    there = np.any([truth.moving(i) for i in range(1, 4)], 0) | truth.moving(0)
    errors = [np.square(b.encoding.decode(b.code) - truth.rgb) for b in (one, many)]
    assert errors[1][:, there].mean() < errors[0][:, there].mean()
    assert errors[1][:, ~there].mean() < 0.45 * errors[0][:, ~there].mean()


def test_what_moves_leaves_less_than_a_fiftieth_of_its_ghost(values):
    light = picture((500, 620))
    whole, truth = sb1.make(light, 6, shift_px=3.0)
    made = merged(whole.frames, values)
    there = np.any([truth.moving(i) for i in range(6)], 0)
    others = sb1.apart(light, 6)
    found = made.encoding.decode(made.code)
    assert lab.ghost_energy(found, truth.rgb, others, there) < 0.02
    blind = np.mean([truth.rgb, *others], axis=0)
    assert lab.ghost_energy(blind, truth.rgb, others, there) > 0.5


@pytest.mark.parametrize("size", [(98, 98), (100, 110), (104, 98)])
def test_tiny_bursts(values, size):
    whole, _ = shot(3, size=size)
    assert pipeline.render(whole.frames[0], recipe.resolve("night"), Wanted(), whole.frames).sdr.shape[2] == 3


@pytest.mark.parametrize("level", [0, 64, 1023])
def test_black_and_clipped_bursts_stay_what_they_are(level):
    whole, _ = shot(3, size=(200, 260))
    frames = [types.replace(f, mosaic=np.full(f.shape, level, np.uint16)) for f in whole.frames]
    made = pipeline.render(frames[0], recipe.resolve("night"), Wanted(), frames).sdr.astype(float)
    centre = made[40:-40, 60:-60]  # looks let the corners fall off
    assert centre.std(axis=(0, 1)).max() < 2 and (centre.mean() < 20 if level < 1023 else centre.mean() > 180)


def test_two_unrelated_scenes_give_the_first(values):
    whole, _ = shot(1, size=(300, 400))
    rng = np.random.default_rng(3)
    other = sb1.frame(rng.integers(64, 1023, whole.frames[0].shape).astype(np.uint16), sb1.NOISE, 1)
    alone, both = merged(whole.frames, values), merged([whole.frames[0], other], values)
    assert both.believed[0] < 0.1
    assert np.mean(np.abs(alone.code.astype(int) - both.code)) < 0.05 * alone.encoding.sigma[1]


def test_one_colour_and_three_colours_per_pixel_merge_too(values):
    whole, _ = shot(4)
    grey = [types.replace(f, cfa="MONO") for f in whole.frames]
    assert merged(grey, values).code.shape == (3, *grey[0].shape)
    frame, _ = composite.as_frame(whole.frames, values)
    again, _ = composite.as_frame([frame, frame], values)
    assert again.cfa == "RGB" and again.noise.scale[0] < frame.noise.scale[0]


def test_merged_raws_read_back_with_their_noise(tmp_path, values):
    whole, truth = shot(8, size=(400, 500))
    made, how = composite.as_frame(whole.frames, values)
    assert made.noise.scale[1] < 0.25 * sb1.NOISE.scale[1] and len(how.others) == 7
    for name, frame in (("linear.dng", made), ("cfa.dng", composite.as_mosaic(made, "RGGB"))):
        dng.write_frame(tmp_path / name, frame)
        back = open_raw(tmp_path / name)
        assert back.cfa == frame.cfa and np.allclose(back.noise.scale, made.noise.scale)
        assert lichtbild.develop(lichtbild.open(tmp_path / name)).array.shape == (*frame.shape, 3)
    light = (made.rgb.astype(float) - 2048) / (65535 - 2048) * 2**made.baseline_exposure_ev
    assert abs(light[:, 32:-32, 32:-32].mean() / truth.rgb[:, 32:-32, 32:-32].mean() - 1) < 0.02


def test_odd_and_broken_frames_are_left_out_and_told(tmp_path, monkeypatch, capsys):
    frames = shot(4, size=(120, 140))[0].frames
    frames[1] = shot(1, size=(140, 120))[0].frames[0]
    sb1.write(frames, tmp_path / "burst", (0, 0, 0, 0))
    whole = (tmp_path / "burst/3.dng").read_bytes()
    (tmp_path / "burst/3.dng").write_bytes(whole[: len(whole) // 3])
    monkeypatch.chdir(tmp_path)
    assert run(["develop", "burst", "--mode", "night"]) == 0
    said = capsys.readouterr().err
    assert "1.dng is left out: another size" in said and "3.dng" in said and "Traceback" not in said
    assert pathlib.Path("0.jpg").is_file()


def spoil(path: pathlib.Path) -> None:
    """Damage the pixels of a DNG and nothing else: lossless JPEG in which a code is asked for that there is not."""
    whole = bytearray(path.read_bytes())
    at = whole.index(b"\xff\xda") + 40
    whole[at : at + 400] = b"\xff\x00" * 200
    path.write_bytes(whole)


@pytest.mark.parametrize("bad", [(0,), (1, 3), (4,), (1, 2, 3, 4), (0, 1, 2, 3)])
def test_pixels_that_turn_out_damaged_cost_their_frame_alone(tmp_path, monkeypatch, capsys, bad):
    sb1.write(shot(5, size=(120, 140))[0].frames, tmp_path / "burst", (0,) * 5)
    for n in bad:
        spoil(tmp_path / f"burst/{n}.dng")
    monkeypatch.chdir(tmp_path)
    whole = lichtbild.open("burst")
    assert whole.reference.shut is None and all(f.shut for f in whole.frames[1:])
    assert run(["develop", "burst", "--mode", "night", "-o", "a.jpg"]) == 0
    said = capsys.readouterr().err
    assert all(f"burst/{n}.dng: " in said and "left out" in said for n in bad) and "Traceback" not in said
    assert pathlib.Path("a.jpg").is_file()
    if len(bad) < 4:
        assert run(["merge", "burst", "-o", "a.dng", "--json"]) == 0
        assert all(f"burst/{n}.dng: " in capsys.readouterr().err for n in bad[:1])


def test_a_burst_without_a_readable_frame_is_refused_in_one_line(tmp_path, monkeypatch, capsys):
    sb1.write(shot(3, size=(120, 140))[0].frames, tmp_path / "burst", (0,) * 3)
    for n in range(3):
        spoil(tmp_path / f"burst/{n}.dng")
    monkeypatch.chdir(tmp_path)
    assert run(["develop", "burst", "--mode", "night", "-o", "a.jpg"]) == 1
    said = capsys.readouterr().err
    assert "none of its 3" in said and "Traceback" not in said and not pathlib.Path("a.jpg").exists()


def test_a_shut_frame_says_what_the_open_one_says(tmp_path):
    sb1.write(shot(2, size=(120, 140))[0].frames, tmp_path / "burst", (0, 0))
    path = tmp_path / "burst/1.dng"
    shut, whole = glance(path), open_raw(path)
    assert shut.mosaic is None and shut.shape == whole.shape and np.array_equal(shut.opened().mosaic, whole.mosaic)
    for name in ("cfa", "white", "crop", "orientation", "noise", "make", "model", "exposure", "exif", "facts"):
        assert getattr(shut, name) == getattr(whole, name)
    assert np.array_equal(shut.black, whole.black) and shut.guesses == whole.guesses


def test_the_command_merges_and_reports(tmp_path, monkeypatch, capsys):
    sb1.write(shot(3, size=(160, 200))[0].frames, tmp_path / "burst", (0, 0, 0))
    monkeypatch.chdir(tmp_path)
    assert run(["merge", "burst", "-o", "a.dng", "--report", "a.png", "--json"]) == 0
    assert '"believed"' in capsys.readouterr().out and pathlib.Path("a.png").stat().st_size > 100
    assert run(["merge", "burst", "-o", "b.dng", "--cfa"]) == 0
    assert (open_raw(pathlib.Path("a.dng")).cfa, open_raw(pathlib.Path("b.dng")).cfa) == ("RGB", "RGGB")
    assert run(["merge", "burst", "-o", "a.dng"]) == 1 and "exists" in capsys.readouterr().err
    assert run(["merge", "burst", "-o", "a.jpg"]) == 2
    assert run(["merge", "a.dng", "-o", "c.dng", "--cfa"]) == 1 and "three colours" in capsys.readouterr().err


@pytest.mark.parametrize("level", [64, 1023])
def test_a_black_or_clipped_frame_among_good_ones_changes_nothing(values, level):
    frames = shot(3)[0].frames
    odd = types.replace(frames[1], mosaic=np.full(frames[1].shape, level, np.uint16))
    assert burst.order([odd, *frames], values)[0] is not odd  # it is not sharp
    good, mixed = merged(frames, values), merged([frames[0], odd, *frames[1:]], values)
    assert mixed.believed[0] < 0.02
    assert np.mean(np.abs(good.code.astype(int) - mixed.code)) < 0.02 * good.encoding.sigma[1]


def test_frames_that_hardly_overlap_help_where_they_do(values):
    whole = shot(1, size=(500, 600))[0].frames[0]
    parts = [types.replace(whole, mosaic=np.ascontiguousarray(whole.mosaic[k : k + 260, k : k + 360]))
             for k in (0, 60, 140)]  # fmt: skip
    made = merged(parts, values)
    assert made.believed[0] > 0.3 and made.frames[0, 0] < 1.2 < made.frames[24, 36]


def test_thirty_frames_with_huge_motion_stay_the_first_where_nothing_agrees(values):
    rng = np.random.default_rng(7)
    wide = sb1.make(picture((900, 1000)), 1, disc=False)[0].frames[0]
    at = [(300, 300), *((int(rng.integers(0, 250)) * 2, int(rng.integers(0, 250)) * 2) for _ in range(29))]
    frames = [types.replace(wide, mosaic=np.ascontiguousarray(wide.mosaic[y : y + 160, x : x + 200])) for y, x in at]
    alone, made = merged(frames[:1], values), merged(frames, values)
    assert len(made.believed) == 29 and made.code.shape == alone.code.shape
    # The same scene, sharply moved: nothing may differ by more than noise that was averaged away.
    away = np.abs(made.code.astype(float) - alone.code)[:, 8:-8, 8:-8] / alone.encoding.sigma[1]
    assert np.quantile(away, 0.99) < 3 and away.mean() < 1


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 5), (33, 2), (17, 40)])
@pytest.mark.parametrize("cfa", ["RGGB", "GBRG", "MONO"])
def test_frames_of_any_size_merge(values, size, cfa):
    rng = np.random.default_rng(5)
    frames = [types.replace(sb1.frame(rng.integers(300, 700, size).astype(np.uint16), sb1.NOISE, i), cfa=cfa)
              for i in range(3)]  # fmt: skip
    made = merged(frames, values)
    assert made.code.shape == (3, *size) and np.isfinite(made.share).all()
    assert pipeline.render(frames[0], recipe.resolve("night"), Wanted(), frames).sdr.shape == (*size, 3)


def test_memory_does_not_grow_with_the_frames(tmp_path, values):
    """What is held when a frame is merged: nothing of those before it but the mean."""
    sb1.write(shot(7, size=(160, 200))[0].frames, tmp_path / "burst", (0,) * 7)
    whole, held = lichtbild.open(tmp_path / "burst"), []

    def watched(frame):
        def read():
            seen = frame.shut.read()
            held.append(weakref.ref(seen.mosaic))
            alive.append(sum(r() is not None for r in held))
            return seen

        return types.replace(frame, shut=types.Shut(frame.shape, read))

    alive: list[int] = []
    frames = [whole.frames[0], *map(watched, whole.frames[1:])]
    burst.run(burst.handed_out(burst.order(frames, values)), EVEN, sb1.NOISE, values,
              shading.prepare(whole.frames[0], 1.0))  # fmt: skip
    # Two rivals of the reference, two frames that are being aligned, and the next.
    assert len(alive) == 6 and max(alive) <= 5


def test_where_light_is_raised_noise_is_taken_more_strongly(rng):
    """A merged picture whose left half is raised by two stops: the map of noise says so, and denoise follows it."""
    flat, level = np.full((60, 80), 0.5, np.float32), np.zeros((120, 160), np.float32)
    level[:, :80] = 2.0
    scene, nothing = np.ones((3, 120, 160), np.float32), np.zeros_like(level)
    seen = pipeline._seen(flat, scene, 0.0, tone.ToneMap(nothing, level, 0.01, -4.0, 4.0), None)
    np.testing.assert_allclose(seen[:, :40], 8.0)
    np.testing.assert_allclose(seen[:, 40:], 0.5)
    darker = pipeline._seen(flat, scene, 0.0, tone.ToneMap(nothing, -level, 0.01, -4.0, 4.0), None)
    np.testing.assert_array_equal(darker, flat, "darker light hides noise")
    code = (20000 + rng.normal(0, 300, (3, 480, 640))).astype(np.uint16)
    encoding = types.Encoding(40000.0, (0.0,) * 3, (300.0,) * 3)
    clean = denoise.run(code, encoding, Noise((1e-4,) * 3, (0.0,) * 3), share=seen)
    assert clean[1, :, 16:300].std() < clean[1, :, 340:624].std()
