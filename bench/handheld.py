"""Merge a real handheld series of JPEGs: `python -m bench.handheld [FOLDER] [--pictures OUT]`

FOLDER (default ../shared/data/bursts_srgb/handheld_table) holds photographs of one view in sRGB. They are made linear
and taken for frames of light in three colours, aligned and merged as a burst is; what is printed is how far each was
believed, and how noise and detail changed. The camera has denoised, sharpened and compressed them, so its numbers are
no measure of quality: they show whether real hands and lenses are followed, and whether anything ghosts.
"""

from __future__ import annotations

import argparse
import pathlib

import imagecodecs
import numpy as np

from lichtbild import recipe
from lichtbild.develop import burst, shading
from lichtbild.light import WHITE_D65
from lichtbild.types import F32, U8, Frame, Noise, White, replace

from . import clock

FOLDER = pathlib.Path(__file__).resolve().parents[1].parent / "shared/data/bursts_srgb/handheld_table"
EVEN = White((1.0, 1.0, 1.0), WHITE_D65, 6504.0, 0.0, "even")


def linear() -> F32:
    """(256,): light of sRGB codes."""
    code = np.arange(256) / 255
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return np.asarray(light, np.float32)


def frame(path: pathlib.Path) -> Frame:
    """A JPEG as a frame of linear light in three colours."""
    numbers = np.rint(linear() * 65535).astype(np.uint16)[imagecodecs.imread(path)]
    planes = np.ascontiguousarray(numbers.transpose(2, 0, 1))
    return Frame(path, "RGB", None, planes, np.zeros((1, 1, 3), np.float32), (65535.0,) * 3)


def encoded(light: F32) -> U8:
    """(H, W, 3) sRGB codes of light (3, H, W)."""
    code = np.searchsorted((linear()[1:] + linear()[:-1]) / 2, np.clip(light, 0, 1))
    return np.ascontiguousarray(code.astype(np.uint8).transpose(1, 2, 0))


def evened(frames: list[Frame]) -> list[Frame]:
    """The frames with the means of the first: a camera chooses white and exposure anew for each JPEG."""
    planes = [np.asarray(f.rgb, np.float64) for f in frames]
    gains = [planes[0].mean((1, 2)) / p.mean((1, 2)) for p in planes]
    made = (np.rint(p * g[:, None, None]).clip(0, 65535) for p, g in zip(planes, gains, strict=True))
    return [replace(f, rgb=m.astype(np.uint16)) for f, m in zip(frames, made, strict=True)]


def noise_of(frames: list[Frame]) -> Noise:
    """Noise of the frames, by the two that are most alike; cameras have taken it out of single ones."""
    light = [f.rgb[:, 8:-8:3, 8:-8:3].astype(np.float64) / 65535 for f in frames if f.rgb is not None]
    pairs = [(a, b) for i, a in enumerate(light) for b in light[i + 1 :]]
    a, b = min(pairs, key=lambda pair: float(np.median(np.abs(pair[0] - pair[1]))))
    mean, power = ((a + b) / 2).ravel(), np.square(a - b).ravel() / 2
    groups = np.array_split(np.argsort(mean), 24)
    levels = np.array([mean[g].mean() for g in groups])
    # The median of squares of a normal deviate is 0.455 of its variance; edges that shift do not move it.
    spread = np.array([np.median(power[g]) / 0.455 for g in groups])
    scale, offset = np.maximum(np.polyfit(levels, spread, 1, w=1 / np.maximum(spread, 1e-9)), 1e-8)
    return Noise((float(scale),) * 3, (float(offset),) * 3, "of the two most alike")


def roughness(picture: U8) -> float:
    """Median size of diagonal second differences of green, in codes: noise where nothing is, at the finest scale."""
    g = picture[..., 1].astype(np.int32)
    return float(np.median(np.abs(g[1:, 1:] - g[:-1, 1:] - g[1:, :-1] + g[:-1, :-1])))


def main() -> None:
    """Merge, print, and write the first frame and the merged one where asked."""
    p = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    p.add_argument("folder", nargs="?", type=pathlib.Path, default=FOLDER)
    p.add_argument("--pictures", type=pathlib.Path)
    p.add_argument("--caution", type=float, default=0.3, help="merge.caution; noise of JPEGs comes in blotches")
    args = p.parse_args()
    values = recipe.resolve("night", sets={"merge.caution": args.caution}).values
    frames = burst.order([frame(f) for f in sorted(args.folder.glob("*.jp*g"))], values)
    frames, known = evened(frames), noise_of(frames)
    merged = burst.run(frames, EVEN, known, values, shading.prepare(frames[0], 1.0))
    assert frames[0].rgb is not None
    before = encoded(frames[0].rgb.astype(np.float32) / 65535)
    after = encoded(merged.encoding.decode(merged.code))
    rows = {name: {"believed": round(part, 3)} for name, part in zip(merged.others, merged.believed, strict=True)}
    clock.table(f"reference {frames[0].path.name}, noise {known.origin}", rows)
    mean = [float(v.astype(float).mean()) for v in (before, after)]
    print(f"roughness {roughness(before):.1f} → {roughness(after):.1f} codes, mean {mean[0]:.1f} → {mean[1]:.1f}")
    if args.pictures:
        args.pictures.mkdir(parents=True, exist_ok=True)
        for name, picture in (("single.png", before), ("merged.png", after)):
            (args.pictures / name).write_bytes(imagecodecs.png_encode(picture))


if __name__ == "__main__":
    main()
