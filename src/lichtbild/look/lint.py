"""Is a look, or a table of somebody else, fit to be used? Numbers, and what is wrong in words.

Everything is asked of a function from scene light to the display, so that our looks, .cube files and HaldCLUTs meet
the same questions:

    folds     colours that change their order: cells of a lattice that are turned inside out, away from the gamut's edge
    falls     light that darkens as it grows: steps along rays of exposure on which Oklab lightness falls
    rough     99th percentile of second differences in Oklab between lattice points 1/32 of the encoded cube apart
    step      largest jump between neighbouring 8-bit values on ramps of ten bits, in ΔE2000: banding
    grey      largest Oklab chroma of a grey, besides the tint that the look asks for
    skin      ten depths of skin in three lights: turn of hue, factor on C/L, and how unevenly it is spread (equity)
    clipped   part of the colours of nature that end on the edge of the gamut
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from .. import light
from ..light import eotf, oetf
from ..types import F64
from . import colour, foreign
from .curve import MID
from .difference import delta_e, lab
from .spec import TABLE_FILES, Look, LookError, load
from .tables import TOP, LookTables, compile, display

Shown = Callable[[F64], F64]  # linear Rec.2020 (n, 3) → encoded display values (n, 3)
LATTICE = 33
LIMITS = {"folds": 0.0, "falls": 0.0, "rough": 0.010, "step": 0.7, "grey": 0.002}
SKIN_LIMITS = {"skin_turn_deg": 3.0, "skin_equity": 1.15}
SKIN_FACTOR = (0.9, 1.15)
FALL = 2e-3  # of Oklab lightness, a tenth of what can be seen
_GREY = 1e-3  # a file whose colours stay nearer to grey is black and white
_EDGE = 2 / 255  # nearer than this to 0 or 1 a value lies on the edge of the gamut


@dataclass(frozen=True)
class Health:
    """What `lint` found; `problems` is empty for a healthy look. Fields as at the head of this file."""

    folds: float
    falls: float
    rough: float
    step: float
    grey: float
    skin_turn_deg: float
    skin_least: float
    skin_most: float
    skin_equity: float
    clipped: float
    problems: tuple[str, ...] = ()

    def numbers(self) -> dict[str, float]:
        """All but the problems, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "problems"}


def lint(look: Look, tables: LookTables | None = None) -> Health:
    """The health of a look as it renders for sRGB, or as other `tables` of it render for their display."""
    made = tables or compile(look)
    flat = look.mono.film != "none"
    aimed = colour.grey(look, _light_of(made), made.space)
    return examine(lambda scene: display(made, scene), float(made.curve[TOP]), made.space, made.peak, aimed, flat,
                   natural=not (look.artistic or flat))  # fmt: skip


def grade(name: str, space: str = "srgb") -> Health:
    """The health of a look by its name or file; that of another program is examined by itself."""
    if pathlib.Path(name).suffix.lower() not in TABLE_FILES:
        look = load(name)
        return lint(look, compile(look, space))
    shown, white = rendering(name, space)
    flat = bool(np.ptp(shown(nature()), axis=1).max() < _GREY)
    return examine(shown, white, space, flat=flat, natural=not flat)


def rendering(name: str, space: str = "srgb") -> tuple[Shown, float]:
    """What a look, by name or file, makes of scene light, and the light that it shows as white. Raises LookError."""
    path = pathlib.Path(name)
    if path.suffix.lower() not in TABLE_FILES:
        made = compile(load(name), space)
        return functools.partial(display, made), float(made.curve[TOP])
    found = foreign.read(path)
    if found.space != space:
        raise LookError(f"{path}: it is made for {found.space}: lint it with --space {found.space}")
    into = light.convert("rec2020", space).T

    def shown(scene: F64) -> F64:
        asked = scene if found.takes_light else oetf(np.clip(scene @ into, 0.0, 1.0))
        return np.clip(found.apply(asked), 0.0, 1.0)

    return shown, found.white


def _light_of(tables: LookTables) -> F64:
    greys = display(tables, np.repeat(_greys(float(tables.curve[TOP]))[:, None], 3, axis=1))
    return np.asarray(eotf(greys) @ light.rgb_to_xyz(tables.space)[1], np.float64)


def _greys(white: float) -> F64:
    return np.concatenate([[0.0], np.geomspace(white * 2.0**-9, white, 256)])


def examine(
    shown: Shown, white: float, space: str = "srgb", peak: float = 1.0, aimed: F64 | None = None, flat: bool = False,
    natural: bool = True,
) -> Health:  # fmt: skip
    """Ask all questions of `shown`, which renders scene light up to `white` for a display of `space`.

    `aimed` (257, 3): display light that the greys shall have, where they are tinted. `flat`: black and white.
    `natural`: skin must stay as it is.
    """
    to_scene = light.convert(space, "rec2020")
    axis = np.linspace(0.0, 1.0, LATTICE)
    cube = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    out = shown(eotf(cube) * white @ to_scene.T)
    shades = colour.to_oklab(eotf(out), space).reshape(LATTICE, LATTICE, LATTICE, 3)
    greys = colour.to_oklab(eotf(shown(np.repeat(_greys(white)[:, None], 3, axis=1))), space)[:, 1:]
    wanted = 0.0 if aimed is None else colour.to_oklab(aimed, space)[:, 1:]
    turn, factor = (np.zeros(1), np.ones(1)) if flat else _skin(shown, space)
    found = {
        "folds": 0.0 if flat else _folds(shown, white, space, peak),
        "falls": _falls(shown, white, space),
        "rough": _rough(shades),
        "step": _step(shown, white, space, peak),
        "grey": float(np.hypot(*(greys - wanted).T).max()),
        "skin_turn_deg": float(np.abs(turn).max()),
        "skin_least": float(factor.min()), "skin_most": float(factor.max()),
        "skin_equity": float(factor.max() / factor.min()),
        "clipped": _clipped(shown, peak),
    }  # fmt: skip
    return Health(**found, problems=_problems(found, natural))


def _problems(found: dict[str, float], natural: bool) -> tuple[str, ...]:
    words = {
        "folds": "colours fold", "falls": "light darkens as it grows", "rough": "colours change roughly",
        "step": "gradients band", "grey": "greys are coloured", "skin_turn_deg": "skin changes its hue",
        "skin_equity": "skins are treated unevenly",
    }  # fmt: skip
    if not all(np.isfinite(v) for v in found.values()):
        return ("numbers are not finite",)
    limits = {**LIMITS, **(SKIN_LIMITS if natural else {})}
    wrong = [f"{words[k]}: {found[k]:.3g}, at most {limit:g}" for k, limit in limits.items() if found[k] > limit]
    low, high = SKIN_FACTOR
    if natural and not (low <= found["skin_least"] and found["skin_most"] <= high):
        wrong.append(f"skin's saturation x{found['skin_least']:.2f}..{found['skin_most']:.2f}, wanted {low}..{high}")
    return tuple(wrong)


def _folds(shown: Shown, white: float, space: str, peak: float) -> float:
    """Share of the encoded cube, away from the gamut's edge, where the Jacobian's determinant is not positive."""
    axis = (np.arange(20) + 0.5) / 20
    cube = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    reach = 1e-4 * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
    scene = eotf(cube + reach).reshape(-1, 3) * white @ light.convert(space, "rec2020").T
    out = shown(scene).reshape(-1, 7, 3)
    inside = (out[:, 0].min(axis=-1) > _EDGE) & (out[:, 0].max(axis=-1) < peak - _EDGE)
    volume = np.linalg.det((out[inside, 1:4] - out[inside, 4:7]) / 2e-4)
    # Where light passes white in one channel nothing changes with it: 0, but for rounding.
    return float(np.mean(volume < -1e-4)) if volume.size else 0.0


def rays(space: str) -> F64:
    """Colours (n, 3), linear Rec.2020 with mean 1: greys, 24 hues at six distances from grey up to pure ones."""
    hue = np.radians(np.arange(0.0, 360.0, 15.0))
    pure = colour.from_oklab(np.stack([np.full_like(hue, 0.7), 0.4 * np.cos(hue), 0.4 * np.sin(hue)], -1), space)
    pure = np.maximum(pure, 0.0)
    pure /= pure.mean(axis=1, keepdims=True)
    part = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 0.95])[:, None, None]
    return np.asarray((1 - part + part * pure).reshape(-1, 3) @ light.convert(space, "rec2020").T, np.float64)


def _falls(shown: Shown, white: float, space: str) -> float:
    stops = np.arange(-9.0, 1.5, 0.125)
    lit = rays(space)[:, None] * (white * 2.0**stops)[:, None]
    lightness = colour.to_oklab(eotf(shown(lit.reshape(-1, 3))), space)[:, 0].reshape(lit.shape[:2])
    seen = lightness[:, 1:] > 0.1
    return float(np.sum(np.diff(lightness, axis=1)[seen] < -FALL) / max(seen.sum(), 1))


def _rough(shades: F64) -> float:
    bends = [np.linalg.norm(np.diff(shades, 2, axis=k), axis=-1).ravel() for k in range(3)]
    return float(np.percentile(np.concatenate(bends), 99))


def _step(shown: Shown, white: float, space: str, peak: float) -> float:
    """Ramps of ten bits from black to the light that shows white: colours as they are, greys in steps of eight bits."""
    ramp = white * eotf(np.linspace(0.0, 1.0, 1024))
    some = rays(space)[: 24 * 4 : 3]
    shades = lab(shown((some[:, None] * ramp[:, None]).reshape(-1, 3)).reshape(len(some), -1, 3), space)
    greys = shown(np.repeat(ramp[:, None], 3, axis=1))[:, 1:2]
    coded = lab(np.repeat(np.round(greys / peak * 255) / 255 * peak, 3, axis=1), space)
    return float(max(delta_e(shades[:, 1:], shades[:, :-1]).max(), delta_e(coded[1:], coded[:-1]).max()))


def _skin(shown: Shown, space: str) -> tuple[F64, F64]:
    scene = colour.skins().reshape(-1, 3)
    before, after = colour.to_oklab(scene, "rec2020"), colour.to_oklab(eotf(shown(scene)), space)

    def polar(shade: F64) -> tuple[F64, F64]:
        return np.hypot(shade[:, 1], shade[:, 2]) / shade[:, 0], np.degrees(np.arctan2(shade[:, 2], shade[:, 1]))

    (relative, hue), (new_relative, new_hue) = polar(before), polar(after)
    return (new_hue - hue + 180) % 360 - 180, new_relative / relative


def nature(count: int = 4000) -> F64:
    """Scene light (count, 3), Rec.2020: colours as reflecting things have them, over eight stops. Always the same."""
    rng = np.random.default_rng(5)
    grey = MID * 2.0 ** rng.normal(-0.8, 1.4, (count, 1))
    hue, spread = rng.uniform(0, 2 * np.pi, count), 0.2 * rng.beta(1.3, 3.0, count)
    shade = np.stack([np.full(count, 0.7), spread * np.cos(hue), spread * np.sin(hue)], -1)
    rgb = colour.from_oklab(shade, "rec2020")
    return np.asarray(np.maximum(rgb, 0.0) / (rgb @ np.asarray(light.REC2020_LUMA))[:, None] * grey, np.float64)


def _clipped(shown: Shown, peak: float) -> float:
    out = shown(nature())
    least = (out.min(-1) < 0.5 / 255) & (out.max(-1) > 0.1)
    return float(np.mean(least | (out.max(-1) > peak - 0.5 / 255)))
