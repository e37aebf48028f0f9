"""A burst as a folder: numbered DNGs as a camera writes them, and `truth/` beside them in open formats.

    burst/00.dng 01.dng …           truth/shot.toml       what was set, when each frame was taken, lens, sensor, layers
                                    truth/mosaic.tif      float32 (H, W) DN of the reference without noise
                                    truth/rgb.tif         float32 (3, H, W) camera light of the reference, saturation 1
                                    truth/depth.tif       float32 (H, W) m
                                    truth/illuminant.tif  float32 (3, h, w) light of a white card, Rec.2020
                                    truth/owner-00.tif …  uint8 (H, W) number of the layer seen
                                    truth/flow-01.tif …   float32 (2, H, W) px from the reference to the frame: x, y,
                                                          in 1/1024 px, so that files are small
                                    truth/hidden-01.tif … uint8 (H, W) 255 where the frame does not show it
                                    truth/maps.npy        float64 (n, k, H, 3, 3) homographies from pixels to the canvas

The folder is made beside its place and renamed into it when all is there: an error leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import __version__
from ..export import threads
from .burst import Picture, Plan
from .settings import SimulateError
from .truth import Truth

TRUTHS = ("full", "reference", "none")
_STRIP_ROWS = 256


def write(plan: Plan, folder: str | os.PathLike[str], truth: str = "full", overwrite: bool = False,
          told: Callable[[int], None] = lambda _: None) -> list[pathlib.Path]:  # fmt: skip
    """Take the burst into `folder`, which must not hold anything yet; returns its DNGs.

    `truth`: "full", "reference" (all but flow, hidden and owner of the other frames) or "none". `told` hears the
    number of each frame written. Raises SimulateError, and leaves an existing folder as it was.
    """
    if truth not in TRUTHS:
        raise SimulateError(f"truth: expected one of {', '.join(TRUTHS)}, got '{truth}'")
    target = pathlib.Path(folder)
    free(target, overwrite)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = pathlib.Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
    except OSError as e:
        raise SimulateError(f"{target}: cannot be written ({e.strerror or e})") from None
    try:
        part.chmod(0o755)
        names = _fill(plan, part, truth, told)
        _move(part, target)
    except OSError as e:
        raise SimulateError(f"{target}: cannot be written ({e.strerror or e})") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [target / n for n in names]


def free(target: pathlib.Path, overwrite: bool) -> None:
    """Raises SimulateError where something lies in the place of the burst that may not be replaced."""
    if target.is_dir():
        ours = (target / "truth" / "shot.toml").is_file() or all(p.suffix == ".dng" for p in target.iterdir())
        if any(target.iterdir()) and not (overwrite and ours):
            hint = "--overwrite replaces it" if ours else "it holds other things than a burst: choose another"
            raise SimulateError(f"{target}: is there already; {hint}")
    elif target.exists():
        raise SimulateError(f"{target}: is a file; choose a folder")


def _move(part: pathlib.Path, target: pathlib.Path) -> None:
    if not target.exists():
        part.rename(target)
        return
    old = pathlib.Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".old"))
    target.rename(old / "burst")
    part.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _fill(plan: Plan, home: pathlib.Path, truth: str, told: Callable[[int], None]) -> list[str]:
    from ..export import dng  # late, like tifffile: `lichtbild simulate --list` answers at once

    names: list[str] = []
    owners: list[Any] = []
    maps: list[Any] = []
    wide = max(2, len(str(len(plan.takes) - 1)))
    for picture in plan.pictures(owners=truth != "none"):
        i = len(names)
        names.append(f"{i:0{wide}}.dng")
        dng.write_frame(home / names[-1], picture.frame)
        if truth != "none":
            maps.append(plan.maps(i, picture.counts))
            owners = [owners[0] if owners else picture.owner, picture.owner]
        if truth != "none" and i == 0:
            (home / "truth").mkdir()
            _reference(plan, picture, home / "truth")
        del picture  # its light is not kept while truth is written and the next frame is made
        if truth == "full":
            unlit = np.broadcast_to(np.float32(0), (3, *plan.body.size))  # light is written already
            pair = Truth(unlit, np.stack(owners), (maps[0], maps[-1]), plan.moves(), **plan.body.bends)
            _follow(pair, home / "truth", f"{i:0{wide}}")
        told(i)
    if truth != "none":
        np.save(home / "truth" / "maps.npy", np.stack(maps))
        (home / "truth" / "shot.toml").write_text(describe(plan, names), "utf-8")
    return names


def _reference(plan: Plan, picture: Picture, home: pathlib.Path) -> None:
    rgb, mosaic = plan.body.clean(picture.light, plan.iso, plan.takes[0])
    tiff(home / "mosaic.tif", mosaic)
    del mosaic
    tiff(home / "rgb.tif", rgb)
    tiff(home / "depth.tif", plan.depth(plan.maps(0, picture.counts), picture.owner))
    tiff(home / "illuminant.tif", np.asarray(plan.scene.illuminant))


def _follow(pair: Truth, home: pathlib.Path, number: str) -> None:
    tiff(home / f"owner-{number}.tif", pair.owner[1])
    if int(number):
        flow = pair.flow(1)
        tiff(home / f"hidden-{number}.tif", pair.hidden(1, flow).astype(np.uint8) * np.uint8(255))
        flow *= 1024
        np.rint(flow, out=flow)
        flow /= 1024
        tiff(home / f"flow-{number}.tif", flow)


def tiff(path: pathlib.Path, pixels: Any) -> None:
    """One TIFF, deflated; floats as float32. Three planes are RGB, two are two pictures."""
    import tifffile

    real, rgb = pixels.dtype.kind == "f", pixels.ndim == 3 and len(pixels) == 3
    tifffile.imwrite(
        path, np.ascontiguousarray(pixels, np.float32 if real else pixels.dtype), compression="zlib",
        compressionargs={"level": 1}, predictor=3 if real else 2, rowsperstrip=_STRIP_ROWS, metadata=None,
        software=f"lichtbild {__version__}", maxworkers=threads.count(),
        photometric="rgb" if rgb else "minisblack", planarconfig="separate" if rgb else None,
    )  # fmt: skip


def describe(plan: Plan, names: list[str]) -> str:
    """TOML: all that was decided, so that the burst can be taken again and its numbers be checked."""
    s = plan.settings
    out = ["[shot]", *_lines({**vars(s), "width": plan.body.size[1], "height": plan.body.size[0]})]
    out += ["", "[scene]", *_lines({"name": plan.scene.name, "lux": plan.scene.lux, "margin_px": plan.camera.margin})]
    out += ["", "[camera]", *_lines({"iso": plan.iso, "focal_px": plan.body.focal_px, **plan.body.facts(plan.iso)})]
    for name, take in zip(names, plan.takes, strict=True):
        out += ["", "[[frame]]", *_lines({"file": name, "start_s": take.start_s, "exposure_s": take.time_s,
                                          "row_s": take.row_s})]  # fmt: skip
    for layer in plan.scene.layers:
        depth = float(np.median(layer.depth_m))
        moves = not layer.motion.still
        out += ["", "[[layer]]", *_lines({"name": layer.name, "depth_m": depth, "moves": moves,
                                          "flicker_hz": layer.flicker_hz})]  # fmt: skip
    return "\n".join(out) + "\n"


def _lines(table: dict[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str | os.PathLike):
        return json.dumps(str(value))
    return repr(float(value)) if isinstance(value, float) else str(value)


__all__ = ["TRUTHS", "describe", "free", "tiff", "write"]
