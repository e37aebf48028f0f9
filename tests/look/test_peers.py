"""Baked looks in other converters, where they are installed: they do what we say that the file does."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import tifffile

from lichtbild import light, look, raw
from lichtbild.look import bake, dcp, lut
from lichtbild.look.curve import eotf, oetf
from lichtbild.look.difference import delta_e, lab
from lichtbild.simulate import plan, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("rawtherapee-cli") is None, reason="rawtherapee-cli is not installed"),
]
PLAIN = "[Exposure]\nAuto=false\nCompensation=0\n[HLRecovery]\nEnabled=false\n[Sharpening]\nEnabled=false\n"


def rawtherapee(source: pathlib.Path, out: pathlib.Path, settings: str) -> np.ndarray:
    """The picture (H, W, 3) in 0..1, sRGB, that RawTherapee makes with these settings and no others."""
    profile = out.with_suffix(".pp3")
    profile.write_text(PLAIN + settings)
    line = ["rawtherapee-cli", "-Y", "-o", str(out), "-t", "-b16", "-p", str(profile), "-c", str(source)]
    subprocess.run(line, check=True, capture_output=True, timeout=300)
    return np.asarray(tifffile.imread(out), np.float64) / 65535


def test_rawtherapee_applies_the_hald(tmp_path: pathlib.Path) -> None:
    hald = tmp_path / "classic.png"
    bake.bake(look.load("classic"), hald, 36)
    colours = np.random.default_rng(5).uniform(0.1, 0.85, (6, 8, 3)).repeat(20, 0).repeat(20, 1)
    tifffile.imwrite(tmp_path / "in.tif", (colours * 65535).astype(np.uint16), photometric="rgb")
    said = f"[Film Simulation]\nEnabled=true\nClutFilename={hald}\nStrength=100\n"
    got = rawtherapee(tmp_path / "in.tif", tmp_path / "out.tif", said + "[Color Management]\nOutputProfile=RTv4_sRGB\n")
    wanted = lut.twin(colours, lut.read(hald))
    middle = (slice(10, None, 20), slice(10, None, 20))
    error = delta_e(lab(got[middle]), lab(wanted[middle]))
    assert np.median(error) < 1.0 and error.max() < 4.0


def test_rawtherapee_applies_the_camera_profile(tmp_path: pathlib.Path) -> None:
    """What a profile without a look makes of a chart, sent through the look by us, is what one with the look makes."""
    (source,) = write(plan({"name": "chart"}, "off", frames=1, width=960, height=640), tmp_path / "burst", "none")
    frame = raw.open(source)
    camera = bake.Camera(f"{frame.make} {frame.model}", frame.colour)
    bake.bake(look.load("classic"), tmp_path / "classic.dcp", camera=camera)
    made = dcp.read(tmp_path / "classic.dcp")
    assert made.table is not None
    same = dataclasses.replace(made.table, table=np.broadcast_to(np.float32([0, 1, 1]), made.table.table.shape).copy())
    straight = dataclasses.replace(made, table=same, curve=np.array([[0.0, 0.0], [1.0, 1.0]]))
    (tmp_path / "plain.dcp").write_bytes(dcp.write(straight, camera.colour, ""))
    seen = []
    for name in ("plain", "classic"):
        said = (f"[Color Management]\nInputProfile=file:{tmp_path}/{name}.dcp\nToneCurve=true\nApplyLookTable=true\n"
                "ApplyBaselineExposureOffset=true\nOutputProfile=RTv4_sRGB\n")  # fmt: skip
        seen.append(rawtherapee(source, tmp_path / f"{name}.tif", said)[8::16, 8::16].reshape(-1, 3))
    into = light.convert("srgb", "prophoto")
    wanted = oetf(np.clip(made.display(eotf(seen[0]) @ into.T) @ np.linalg.inv(into).T, 0, 1))
    inside = (seen[0].min(1) > 0.03) & (seen[0].max(1) < 0.95)
    assert inside.sum() > 200
    error = delta_e(lab(seen[1]), lab(wanted))[inside]
    assert np.median(error) < 1.0 and np.percentile(error, 95) < 3.0
    assert np.abs(seen[1] - seen[0]).mean() > 0.02
