"""Baked looks in other converters, where they are installed: they do what we say that the file does."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import struct
import subprocess

import numpy as np
import pytest
import tifffile

from lichtbild import light, look, raw
from lichtbild.light import eotf, oetf
from lichtbild.look import bake, dcp, lut
from lichtbild.look.difference import delta_e, lab
from lichtbild.simulate import plan, write

pytestmark = pytest.mark.slow
COLOURS = np.random.default_rng(5).uniform(0.1, 0.85, (6, 8, 3)).repeat(20, 0).repeat(20, 1)
MIDDLE = (slice(10, None, 20), slice(10, None, 20))  # of the patches
SIDECAR = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:darktable="http://darktable.sf.net/" darktable:xmp_version="4"
 darktable:raw_params="0" darktable:auto_presets_applied="1" darktable:history_end="1" darktable:iop_order_version="2">
<darktable:history><rdf:Seq><rdf:li darktable:num="0" darktable:operation="lut3d" darktable:enabled="1"
 darktable:modversion="3" darktable:params="{}" darktable:multi_name="" darktable:multi_priority="0"/></rdf:Seq>
</darktable:history></rdf:Description></rdf:RDF></x:xmpmeta>
"""
PLAIN = "[Exposure]\nAuto=false\nCompensation=0\n[HLRecovery]\nEnabled=false\n[Sharpening]\nEnabled=false\n"


def needs(name: str) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")


def rawtherapee(source: pathlib.Path, out: pathlib.Path, settings: str) -> np.ndarray:
    """The picture (H, W, 3) in 0..1, sRGB, that RawTherapee makes with these settings and no others."""
    profile = out.with_suffix(".pp3")
    profile.write_text(PLAIN + settings)
    line = ["rawtherapee-cli", "-Y", "-o", str(out), "-t", "-b16", "-p", str(profile), "-c", str(source)]
    subprocess.run(line, check=True, capture_output=True, timeout=300)
    return np.asarray(tifffile.imread(out), np.float64) / 65535


def test_rawtherapee_applies_the_hald(tmp_path: pathlib.Path) -> None:
    needs("rawtherapee-cli")
    hald = tmp_path / "classic.png"
    bake.bake(look.load("classic"), hald, 36)
    tifffile.imwrite(tmp_path / "in.tif", (COLOURS * 65535).astype(np.uint16), photometric="rgb")
    said = f"[Film Simulation]\nEnabled=true\nClutFilename={hald}\nStrength=100\n"
    got = rawtherapee(tmp_path / "in.tif", tmp_path / "out.tif", said + "[Color Management]\nOutputProfile=RTv4_sRGB\n")
    error = delta_e(lab(got[MIDDLE]), lab(lut.twin(COLOURS, lut.read(hald))[MIDDLE]))
    assert np.median(error) < 1.0 and error.max() < 4.0


@pytest.mark.parametrize("kind", [".cube", ".png"])
def test_darktable_applies_the_table(kind: str, tmp_path: pathlib.Path) -> None:
    """By its module for tables, asked for in a sidecar with parameters laid out as version 3 of the module has them."""
    needs("darktable-cli")
    table, out = tmp_path / f"classic{kind}", tmp_path / "out.tif"
    bake.bake(look.load("classic"), table, 36)
    tifffile.imwrite(tmp_path / "in.tif", (COLOURS * 65535).astype(np.uint16), photometric="rgb")
    srgb_by_tetrahedra = struct.pack("<3i", 0, 0, 0)
    asked = table.name.encode().ljust(512, b"\0") + srgb_by_tetrahedra + bytes(12288 + 128)
    (tmp_path / "in.xmp").write_text(SIDECAR.format(asked.hex()))
    line = ["darktable-cli", *(str(tmp_path / name) for name in ("in.tif", "in.xmp", "out.tif")), "--icc-type", "SRGB"]
    line += ["--core", "--disable-opencl", "--library", ":memory:", "--configdir", str(tmp_path / "configuration")]
    for setting in (f"plugins/darkroom/lut3d/def_path={tmp_path}", "plugins/darkroom/workflow=none",
                    "plugins/imageio/format/tiff/bpp=16"):  # fmt: skip
        line += ["--conf", setting]
    subprocess.run(line, check=True, capture_output=True, timeout=300)
    got = np.asarray(tifffile.imread(out), np.float64)[MIDDLE] / 65535
    assert delta_e(lab(got), lab(lut.twin(COLOURS, lut.read(table))[MIDDLE])).max() < 0.1


def test_rawtherapee_applies_the_camera_profile(tmp_path: pathlib.Path) -> None:
    """What a profile without a look makes of a chart, sent through the look by us, is what one with the look makes."""
    needs("rawtherapee-cli")
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
