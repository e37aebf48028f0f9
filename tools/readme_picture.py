"""Make `docs/demo.jpg`: the demo raw by LibRaw's default rendering on the left, by us on the right.

python tools/readme_picture.py
"""

from __future__ import annotations

import pathlib
import tempfile

import rawpy
from PIL import Image

from lichtbild.apps.cli import demo

OUT = pathlib.Path(__file__).resolve().parents[1] / "docs" / "demo.jpg"
SIZE = (900, 600)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        photo = demo.run(pathlib.Path(folder))
        with rawpy.imread(str(photo.with_suffix(".dng"))) as r:
            before = Image.fromarray(r.postprocess(use_camera_wb=True))
        after = Image.open(photo).convert("RGB")
        pair = Image.new("RGB", (2 * SIZE[0] + 8, SIZE[1]), "white")
        for i, image in enumerate((before, after)):
            pair.paste(image.resize(SIZE, Image.Resampling.LANCZOS), (i * (SIZE[0] + 8), 0))
        pair.save(OUT, quality=88)


if __name__ == "__main__":
    main()
