"""Make `docs/demo.jpg` from the demo's burst: one frame by LibRaw's defaults, and the photograph of all; below, 1:1.

python tools/readme_picture.py
"""

from __future__ import annotations

import pathlib
import tempfile

import rawpy
from PIL import Image

from lichtbild.apps.cli import demo

OUT = pathlib.Path(__file__).resolve().parents[1] / "docs" / "demo.jpg"
WHOLE, GAP = (810, 540), 8
CROP = (460, 400)  # left, top of what is shown 1:1
CROP_ROWS = 400


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        photo = demo.run(pathlib.Path(folder))
        with rawpy.imread(str(pathlib.Path(folder) / "street" / "00.dng")) as r:
            before = Image.fromarray(r.postprocess(use_camera_wb=True))
        after = Image.open(photo).convert("RGB")
    page = Image.new("RGB", (2 * WHOLE[0] + GAP, WHOLE[1] + GAP + CROP_ROWS), "white")
    for i, image in enumerate((before, after)):
        left = i * (WHOLE[0] + GAP)
        page.paste(image.resize(WHOLE, Image.Resampling.LANCZOS), (left, 0))
        box = (*CROP, CROP[0] + WHOLE[0], CROP[1] + CROP_ROWS)
        page.paste(image.crop(box), (left, WHOLE[1] + GAP))
    page.save(OUT, quality=86)


if __name__ == "__main__":
    main()
