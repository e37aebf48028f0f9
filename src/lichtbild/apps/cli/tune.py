"""`lichtbild look tune`: nine pictures on a page, the number of the best on the keyboard, until the look is found.

The page lies beside the look's file and shows the next sheet by itself. Sheets take turns among the raw files.
"""

from __future__ import annotations

import base64
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import look, recipe, shot
from ...develop import output, pipeline
from ...look import tune
from ...types import F32, F64, LichtbildError
from .words import Usage, complain

_WIDEST = 560  # pixels of one of the nine
_PROBES = 60  # colours of the user's own pictures on which looks are compared
_PAGE = """<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>{title}</title><style>body{{background:#222;color:#bbb;font:16px sans-serif;margin:8px}}
div{{display:grid;grid-template-columns:repeat(3,1fr);gap:8px}}figure{{margin:0}}img{{width:100%;display:block}}
</style></head><body><p>{title}</p><div>{figures}</div></body></html>
"""


def run(files: Sequence[pathlib.Path], base: str, keys: Sequence[str], out: pathlib.Path) -> int:
    """The session. 1..9 picks, w writes the look and ends, q ends without. Exit code 1 where nothing was written."""
    page = out.with_name(f"{out.stem}-sheet.html")
    for path in (out, page):
        if os.path.lexists(path):
            raise Usage(f"{path}: exists; choose another name")
    try:
        knobs = tuple(tune.knob(k) for k in (keys or tune.DEFAULT))
        begun = look.load(base)
    except LichtbildError as e:
        raise Usage(str(e)) from None
    scenes = [small(pipeline.preview(shot.open(f).reference, recipe.resolve(look=base))) for f in files]
    tuner = tune.Tuner(begun, knobs, sample(scenes))
    try:
        word = converse(tuner, scenes, page, out.name)
    finally:
        page.unlink(missing_ok=True)
    if word == "q":
        return 1
    write(out, tuner.toml(out.stem, base).encode())
    print(out)
    return 0


def converse(tuner: tune.Tuner, scenes: Sequence[F32], page: pathlib.Path, name: str) -> str:
    """Show sheets and learn from the picks until w or q is typed, which is returned."""
    say(f"open {page} in a browser; then type the number of the best picture, w to write {name}, q to give up")
    while True:
        sheet = tuner.sheet()
        number = len(tuner.history) + 1
        looks, scene = [tune.turned(tuner.base, tuner.knobs, z) for z in sheet], scenes[number % len(scenes)]
        title = f"sheet {number}: 1-9 is the best, w: write {name}, q: give up"
        show(page, title, [rendered(scene, one) for one in looks])
        word = ask(f"sheet {number}, best of 1-{len(sheet)}, w or q: ", len(sheet))
        if not word.isdecimal():
            return word
        tuner.pick(sheet, int(word) - 1)
        for k, middle, spread in zip(tuner.knobs, tuner.mean, tuner.spread, strict=True):
            say(f"  {k.key:<24}{k.lo + middle * (k.hi - k.lo):8.3f} ± {spread * (k.hi - k.lo):.3f}")


def small(scene: F32) -> F32:
    """Scene light thinned by whole steps of averages, so that a sheet of nine is quick to make."""
    n = max(1, -(-max(scene.shape[1:]) // _WIDEST))
    h, w = (size // n * n for size in scene.shape[1:])
    if min(h, w) == 0:
        return scene
    return np.ascontiguousarray(scene[:, :h, :w].reshape(3, h // n, n, w // n, n).mean((2, 4)), np.float32)


def sample(scenes: Sequence[F32]) -> F64:
    """(n, 3): colours of the pictures, spread evenly over their lightness, and the probes' ramp of greys."""
    pixels = np.concatenate([s.reshape(3, -1).T for s in scenes]).astype(np.float64)
    order = np.argsort(pixels.sum(1), kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, _PROBES).astype(int)]
    return np.concatenate([np.maximum(pixels[chosen], 0.0), tune.probes()])


def rendered(scene: F32, chosen: look.Look) -> bytes:
    """A JPEG of the scene in a look."""
    import simplejpeg

    shown = look.apply(scene, look.compile(chosen))
    picture = output.apply(shown, 8, 1.0)
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(picture), 90, "RGB", "420"))


def show(page: pathlib.Path, title: str, pictures: Sequence[bytes]) -> None:
    """Write the sheet as one HTML file, in place of the last one."""
    figures = "".join(
        f'<figure><img alt="{i}" src="data:image/jpeg;base64,{base64.b64encode(p).decode()}"><figcaption>{i}'
        "</figcaption></figure>" for i, p in enumerate(pictures, 1)
    )  # fmt: skip
    write(page, _PAGE.format(title=title, figures=figures).encode())


def write(path: pathlib.Path, content: bytes) -> None:
    """A file, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as e:
        raise LichtbildError(f"{path}: {e.strerror or e}") from None


def ask(question: str, count: int) -> str:
    """A number 1..count, "w" or "q"; the end of input is q."""
    while True:
        say(question, end="")
        line = sys.stdin.readline()
        word = line.strip().lower()
        if not line:
            return "q"
        if word in ("w", "q") or (word.isdecimal() and 1 <= int(word) <= count):
            return word
        complain(f"'{word}': expected a number 1-{count}, w or q")


def say(text: Any, end: str = "\n") -> None:
    """To the person, on stderr: stdout is for the result."""
    print(text, end=end, file=sys.stderr, flush=True)
