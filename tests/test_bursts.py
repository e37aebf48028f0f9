"""Bursts: which files belong together, which mode they ask for, and how many of them are wanted."""

from __future__ import annotations

import pathlib

import numpy as np
from bench import sb1

import lichtbild
from lichtbild import bursts, raw, shot, types
from lichtbild.apps.cli.main import run
from lichtbild.recipe import Recipe
from lichtbild.types import Exposure, Noise

PICTURE = np.full((3, 120, 140), 0.3, np.float32)


def frames(count):
    return sb1.make(PICTURE, count, disc=False, shift_px=3.0)[0].frames


def test_a_folder_is_divided_into_its_bursts(tmp_path, monkeypatch):
    sb1.write(frames(5), tmp_path / "roll", (0, 0, 1, 30, 31))
    monkeypatch.chdir(tmp_path)
    paths = sorted((tmp_path / "roll").iterdir())
    assert [[p.name for p in b] for b in bursts.group(paths)] == [["0.dng", "1.dng", "2.dng"], ["3.dng", "4.dng"]]
    assert run(["develop", "roll", "-o", "out/"]) == 0
    assert sorted(p.name for p in pathlib.Path("out").iterdir()) == ["0.jpg", "3.jpg"]
    assert run(["develop", "roll", "-o", "each/", "--single"]) == 0
    assert len(list(pathlib.Path("each").iterdir())) == 5


def test_frames_that_are_wanted_soon_are_read_ahead_once(tmp_path, monkeypatch):
    sb1.write(frames(5), tmp_path / "burst", range(5))
    paths = sorted((tmp_path / "burst").iterdir())
    read, plain = [], raw.open
    monkeypatch.setattr(raw, "open", lambda path: read.append(path.name) or plain(path))
    found = shot.open_ahead(paths)
    assert found.frames[0].shut is None and all(f.shut is not None for f in found.frames[1:])
    expected = [plain(p).mosaic for p in paths]
    for _ in range(2):
        for frame, mosaic in zip(found.frames, expected, strict=True):
            np.testing.assert_array_equal(frame.opened().mosaic, mosaic)
    assert sorted(read) == sorted([paths[0].name, *(2 * [p.name for p in paths[1:]])])
    paths[1].write_bytes(b"")
    remarks: list[str] = []
    assert bursts.attempt(types.Frame.opened, found.frames[1], remarks) is None and "1.dng: is empty" in remarks[0]


def test_the_mode_follows_the_light():
    taken = frames(2)
    dark, day = (types.Shot([types.replace(f, exposure=e) for f in taken], pathlib.Path()) for e in
                 (Exposure(1600, 1 / 15, 1.8), Exposure(50, 1 / 500, 1.8)))  # fmt: skip
    assert bursts.mode(dark)[0] == "night" and bursts.mode(day)[0] == "snapshot"
    assert bursts.mode(types.Shot(taken[:1], pathlib.Path()))[0] == "snapshot"


def test_noise_tells_the_mode_where_the_exposure_does_not():
    taken = frames(2)
    for noise, expected in ((Noise((2e-3,) * 3, (2e-4,) * 3), "night"), (Noise((1e-5,) * 3, (1e-7,) * 3), "snapshot")):
        unknown = [types.replace(f, exposure=Exposure(), noise=noise) for f in taken]
        mode, why = bursts.mode(types.Shot(unknown, pathlib.Path()))
        assert mode == expected and "unknown exposure" in why and "noise" in why


def test_by_day_as_many_frames_are_merged_as_noise_asks_for():
    taken = frames(6)

    def made(noise: float, mode: str = "snapshot", **more: object) -> Recipe:
        known = Noise((0.0,) * 3, ((0.18 * noise) ** 2,) * 3)
        noisy = [types.replace(f, exposure=Exposure(50, 1 / 500, 1.8), noise=known) for f in taken]
        return lichtbild.develop(types.Shot(noisy, taken[0].path), mode, **more).recipe

    for noise, count in ((0.004, 4), (0.033, 5), (0.2, 6)):
        recipe = made(noise)
        assert recipe.values["merge"]["frames"] == count and recipe.origins["merge"]["frames"] == "shot"
        assert f"{count} of 6 frames" in recipe.notes[-1]
    assert made(0.004, "night").values["merge"]["frames"] == 6
    assert made(0.004, set={"merge.frames": 5}).values["merge"]["frames"] == 5, "who sets it is obeyed"
    assert made(0.004, set={"merge.zoom": 1.5}).values["merge"]["frames"] == 30, "finer pixels need all of them"
