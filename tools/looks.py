"""Write `docs/looks.md`: every look with its numbers and, from simulated raws, its pictures.

python tools/looks.py                 write the page
python tools/looks.py pictures        make the raws of four scenes, develop them with all looks, then write the page
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

import lichtbild
from lichtbild import look
from lichtbild.look import lint, spec
from lichtbild.look.curve import MID, tone_curve

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "looks.md"
PICTURES = ROOT / "docs" / "looks"
SCENES = ("street", "interior", "foliage", "bust")
WIDTH = 320
HEAD = """# The looks of the house

Made by `python tools/looks.py`: do not edit. `--look NAME` chooses one, `classic` is the default; `lichtbild look show
NAME` says what it is made of, `look new mine classic` begins one of your own, `look fit` makes one of a table or of
pairs of pictures, `look bake` a file of one for other programs. Their files are looks as they are: `--look x.cube`.
The scenes are the simulator's: `{scenes}`.

Tone is measured on the look's curve: the slope of log2 display light over log2 scene light around mid grey (0.18 of
diffuse white), and the scene light that becomes white and half a percent of white. Skin is that of ten depths in three
lights: the largest turn of Oklab hue, and the ratio of the largest to the least factor on their saturation.
The gates that every look passes stand in `look/lint.py`: no colours that fold, no light that darkens as it grows,
smooth steps, grey greys.
"""


def fingerprint(name: str) -> str:
    """One row of the table: slopes, white, black, skin."""
    wanted = look.load(name)
    scene, shown = tone_curve(wanted)
    ev, out = np.log2(scene / MID), np.log2(shown)
    slopes = np.interp([-3, -1, 0, 1, 2], ev, np.gradient(out, ev))
    black = f"{np.interp(np.log2(0.005), out, ev):+.1f}" if shown[0] < 0.005 else "—"
    health = lint.lint(wanted)
    skin = "—" if wanted.mono.film != "none" else f"{health.skin_turn_deg:.1f}° · {health.skin_equity:.2f}"
    numbers = " | ".join(f"{s:.2f}" for s in slopes)
    return f"| {name} | {numbers} | {wanted.tone.white_ev:+.1f} | {black} | {skin} | {extras(wanted)} |"


def extras(wanted: look.Look) -> str:
    place = wanted.spatial
    parts = [
        f"corners {place.vignette_ev:g} EV" if place.vignette_ev else "",
        f"grain {place.grain:g}" if place.grain else "",
        f"halation {place.halation:g}" if place.halation else "",
    ]
    return ", ".join(filter(None, parts)) or "—"


def page() -> str:
    rows = [
        "| look | slope -3 | -1 | 0 | +1 | +2 EV | white EV | black EV | skin | besides |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(fingerprint(name) for name in look.names()),
    ]
    chapters = []
    for name in look.names():
        text = (spec.DATA / f"{name}.toml").read_text("utf-8")
        words = text.splitlines()[0].lstrip("# ")
        chapters.append(f"## {name}\n\n{words}\n\n![{', '.join(SCENES)} in the look {name}](looks/{name}.jpg)\n")
    return "\n".join([HEAD.format(scenes="`, `".join(SCENES)), *rows, "", *chapters])


def raws(folder: pathlib.Path) -> list[pathlib.Path]:
    """One raw of each scene, as a phone would take it; made where it is not there yet."""
    made = []
    for scene in SCENES:
        burst = folder / f"sim_{scene}"
        if not burst.exists():
            words = ["simulate", scene, "-o", str(burst), "--frames", "1", "--truth", "none", "--shake", "0"]
            subprocess.run([sys.executable, "-m", "lichtbild", *words, "--sensor", "phone-1-2.55-inch"], check=True)
        made += sorted(burst.glob("*.dng"))
    return made


def pictures(folder: pathlib.Path) -> None:
    PICTURES.mkdir(exist_ok=True)
    shots = [lichtbild.open(path) for path in raws(folder)]
    for name in look.names():
        strip = []
        for shot in shots:
            photo = Image.fromarray(lichtbild.develop(shot, mode="snapshot", look=name).array)
            strip.append(
                np.asarray(photo.resize((WIDTH, round(photo.height * WIDTH / photo.width)), Image.Resampling.BOX))
            )
        height = min(s.shape[0] for s in strip)
        Image.fromarray(np.hstack([s[:height] for s in strip])).save(PICTURES / f"{name}.jpg", quality=82)


if __name__ == "__main__":
    if sys.argv[1:2] == ["pictures"]:
        if len(sys.argv) > 2:
            pictures(pathlib.Path(sys.argv[2]))
        else:
            with tempfile.TemporaryDirectory() as folder:
                pictures(pathlib.Path(folder))
    PAGE.write_text(page())
