"""Looks of other programs: any file that holds colours for colours, read as one function.

Tables (.cube, HaldCLUT, device links, creative profiles) take a finished picture, display-encoded, to another; CLF and
CTF do so too, unless they say that linear light goes in. A camera profile takes light; its matrices and calibration
belong to its camera and are not used. To be a look of the pipeline each becomes a table that is laid over a picture in
the look `neutral`; for those that take light, that light is found again from the picture. In HDR the table's colours
stay, and light is given back as `neutral` gives it.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .. import light
from ..light import eotf, oetf
from ..types import F64
from . import clf, dcp, icc, lut, xmp
from .curve import MID, tone_curve
from .spec import TABLE_FILES, LookError, load
from .tables import TOP, LookTables, compile, evaluate, unmoved

_LARGEST = 1 << 29  # bytes; a .cube of 256 points has 450 million
_SIZE = 33  # points an edge where a look that takes light becomes a table


class Foreign(NamedTuple):
    """`apply`: encoded display values (n, 3) of `space`, or linear Rec.2020 light, → encoded values of `space`.

    `white`: the light from which on everything is white. `table`: where the file is nothing else.
    """

    apply: Callable[[F64], F64]
    takes_light: bool = False
    space: str = "srgb"
    white: float = 1.0
    table: lut.Table | None = None


def read(path: pathlib.Path, white: float | None = None) -> Foreign:
    """The look in a file of any of TABLE_FILES. Raises LookError in one line.

    How much light a camera profile takes for 1 is a matter of its camera: `white`, if it is known; else what makes mid
    grey that of `neutral`.
    """
    kind = path.suffix.lower()
    try:
        if (size := path.stat().st_size) > _LARGEST:
            raise LookError(f"{path}: {size} bytes are more than any look needs")
        if kind == ".dcp":
            return _profile(dcp.read(path), white)
        if kind in (".cube", ".png"):
            return _table(lut.read(path))
        if kind in (".icc", ".icm"):
            return _link(*icc.read(path.read_bytes(), str(path)))
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise LookError(f"{path}: not a text file in UTF-8, as {kind} files are") from None
    except OSError as error:
        raise LookError(f"{path}: {error.strerror or error}") from None
    if kind == ".xmp":
        table, space = xmp.read(text, str(path))
        return _table(table)._replace(space=space)
    if kind in (".clf", ".ctf"):
        steps, said = clf.read(text, str(path))
        lit = "linear" in said.lower()
        return Foreign(functools.partial(clf.run, steps), lit, white=_WHITE if lit else 1.0)
    raise LookError(f"{path}: a look is one of {', '.join(TABLE_FILES)} or .toml, not '{kind}'")


_WHITE = MID * 2.0**4  # of CLF files that take light: they do not say where theirs ends


def _table(table: lut.Table) -> Foreign:
    return Foreign(lambda encoded: lut.twin(encoded, table), table=table)


def _link(before: F64, table: lut.Table, behind: F64) -> Foreign:
    entered = lut.Table(table.values, curve=before)

    def apply(encoded: F64) -> F64:
        found = lut.twin(encoded, entered)
        at = np.linspace(0.0, 1.0, len(behind))
        return np.stack([np.interp(v, at, row) for v, row in zip(found.T, behind.T, strict=True)], axis=-1)

    return Foreign(apply)


def _profile(profile: dcp.Profile, white: float | None) -> Foreign:
    if profile.curve is None:
        profile = dataclasses.replace(profile, curve=_plain_tone())
    if white is None:
        greys = np.repeat(np.geomspace(2.0**-10, 1.0, 512)[:, None], 3, axis=1)
        shown = np.maximum.accumulate(profile.display(greys)[:, 1])
        white = MID / float(np.interp(MID * 2.0 ** load("neutral").tone.mid_ev, shown, greys[:, 0]))
    into, back = light.convert("rec2020", "prophoto") / white, light.convert("prophoto", "srgb")

    def apply(scene: F64) -> F64:
        return oetf(np.clip(profile.display(scene @ into.T) @ back.T, 0.0, 1.0))

    return Foreign(apply, True, white=white)


def _plain_tone() -> F64:
    """(n, 2): the tone of `neutral`, for profiles that leave theirs to the program."""
    made = compile(load("neutral"))
    at = np.concatenate([[0.0], np.geomspace(2.0**-14, 1.0, 512)])
    white = float(made.curve[TOP])
    greys = eotf(evaluate(made.curve, np.repeat(at[:, None] * white, 3, axis=1)))[:, 1]
    return np.stack([at, np.maximum.accumulate(greys)], axis=1)


def table(path: pathlib.Path, size: int = _SIZE) -> lut.Table:
    """The file as a table from a picture in `neutral` to the look, both sRGB; kept while it stays. Raises LookError."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise LookError(f"{path}: {error.strerror or error}") from None
    return _sampled(path, size, changed)


@functools.lru_cache(maxsize=4)
def _sampled(path: pathlib.Path, size: int, changed: int) -> lut.Table:
    found = read(path)
    if found.space != "srgb":
        raise LookError(f"{path}: it is made for {found.space}: only looks for sRGB can be laid over a picture")
    if found.table is not None:
        return found.table
    points = lut.grid(size)
    values = found.apply(behind(points) if found.takes_light else points)
    return lut.Table(np.ascontiguousarray(np.clip(values, 0.0, 1.0), np.float32).reshape(size, size, size, 3))


def behind(encoded: F64, space: str = "srgb") -> F64:
    """The scene light (n, 3), Rec.2020, behind a picture in the look `neutral`; the nearest, where none could be.

    Begun as if `neutral` had no moves, then three damped steps of Newton's. More, or less damping, come nearer where
    the gamut ends, but so steeply that no table can follow: over colours of nature 0.06 ΔE2000 are lost with 33 points,
    and 0.09 with six undamped steps.
    """
    plain = load("neutral")
    made, (scene, shown) = compile(plain, space), tone_curve(plain)
    inset = made.inset.astype(np.float64)
    guess = np.interp(eotf(np.clip(encoded, 0.0, 1.0)) @ light.convert(space, "rec2020").T, shown, scene)
    rendering = evaluate(made.curve, guess @ inset.T)
    rendering = unmoved(made, encoded, rendering, 3, 0.03)
    return unbent(made, rendering) @ np.linalg.inv(inset).T


def unbent(made: LookTables, encoded: F64) -> F64:
    """Rendering light of encoded rendering values (n, 3): the inverse of `evaluate`."""
    top = float(made.curve[TOP])
    at = np.concatenate([[0.0], np.geomspace(top * 2.0**-16, top, 4096)])
    curves = np.maximum.accumulate(evaluate(made.curve, np.repeat(at[:, None], 3, axis=1)), axis=0)
    return np.stack([np.interp(encoded[:, i], curves[:, i], at) for i in range(3)], axis=-1)
