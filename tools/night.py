"""Make the pictures of `docs/night.md` from simulated bursts of the street after rain.

python tools/night.py
"""

from __future__ import annotations

import pathlib

from PIL import Image

import lichtbild
from lichtbild.types import Shot

OUT = pathlib.Path(__file__).resolve().parents[1] / "docs" / "night"
SIZE = (1296, 864)  # of the frames
SMALL, GAP = (480, 320), 6
CROPS = ((60, 20), (500, 470), (1000, 560))  # left, top of what is shown 1:1: lamp and sign, street, walker
CROP = (236, 200)


def burst(lux: float) -> Shot:
    """Eight handheld frames of the street at `lux`."""
    scene = {"scene": {"name": "street", "lux": lux}}
    shot, _ = lichtbild.simulate(scene, frames=8, seed=1, width=SIZE[0], height=SIZE[1])
    return shot


def picture(shot: Shot, **values: object) -> Image.Image:
    """The photograph of a shot; `values` by names in which _ stands for the point."""
    wanted = {name.replace("_", ".", 1): v for name, v in values.items()}
    return Image.fromarray(lichtbild.develop(shot, "night", set=wanted).array)


def page(rows: list[list[Image.Image]]) -> Image.Image:
    """Rows of pictures with gaps."""
    height = sum(max(p.height for p in row) + GAP for row in rows) - GAP
    made = Image.new("RGB", (max(sum(p.width + GAP for p in row) for row in rows) - GAP, height), "white")
    top = 0
    for row in rows:
        left = 0
        for p in row:
            made.paste(p, (left, top))
            left += p.width + GAP
        top += max(p.height for p in row) + GAP
    return made


def crops(whole: Image.Image) -> list[Image.Image]:
    """What is shown one pixel to one pixel."""
    return [whole.crop((x, y, x + CROP[0], y + CROP[1])) for x, y in CROPS]


def small(whole: Image.Image) -> Image.Image:
    """The whole picture in little."""
    return whole.resize(SMALL, Image.Resampling.LANCZOS)


def main() -> None:
    """Steps at 3 lux, three moods, three lights."""
    OUT.mkdir(exist_ok=True)
    lights = {lux: burst(lux) for lux in (0.3, 3.0, 30.0)}
    shot = lights[3.0]
    plain = {"exposure_mode": "fixed", "exposure_ev": 1.0, "tone_strength": 0.0}
    bare = {**plain, "denoise_luma": 0.0, "denoise_chroma": 0.0, "detail_amount": 0.0}
    steps = (picture(Shot(shot.frames[:1], shot.path), **bare), picture(shot, **bare), picture(shot))
    pictures = {
        "steps": [crops(p) for p in steps],
        "moods": [[small(picture(shot, exposure_mood=m)) for m in (0.0, 1.0, 2.0)]],
        "lights": [[small(picture(s)) for s in lights.values()]],
    }
    for name, rows in pictures.items():
        page(rows).save(OUT / f"{name}.jpg", quality=82)


if __name__ == "__main__":
    main()
