"""Tune — which look does this person want? Nine pictures at a time, and the one that is liked best.

A look is a point z in [0, 1]^D, one coordinate for each knob. A person is taken to have an ideal, and to pick the
picture that looks most like it: with probability softmax(-distance / noise), where distances are seen on probe colours
in Oklab, not on knobs, and once in a while the hand slips. Particles hold what is believed of the ideal and of the
noise; each pick weighs them, and where few are left they are drawn anew and walk a little. A sheet shows the mean of
the belief and samples of it, so it is wide while little is known and narrow at the end.

How a look's colours depend on the knobs is learnt beforehand, as a polynomial through some hundred compiled looks:
then thousands of looks can be compared in a millisecond.
Sources: our own; sequential Monte Carlo after [DelMoral2006], the softmax choice of [Luce1959].
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..light import convert, eotf
from ..stage import nearest
from ..types import F64
from . import colour
from .lint import nature
from .spec import HUE_STEP_DEG, TABLES, Hue, Look, LookError, fields
from .tables import compile, display

PARTICLES = 1500
SHEET = 9
_SCALE = np.array([100.0, 220.0, 220.0])  # of Oklab L, a, b: about one where a difference is just seen
_NOISE = (0.2, 2.0)  # range of the person's noise, in the same unit
_SLIPS = 0.02  # picks that mean nothing
_FEW = 0.3  # part of the particles' weight below which they are drawn anew
_WALKS = 3
_COLOURS, _GREYS = 60, 12
# What a person may well want, about any look; absolute, but held to what the field allows.
RANGES: Mapping[str, tuple[float, float]] = {
    "tone.mid_ev": (-0.5, 0.5), "tone.slope": (1.1, 1.7), "tone.dmin": (0.0, 0.02), "trim.exposure_ev": (-0.7, 0.7),
    "trim.warmth_mired": (-30.0, 30.0), "trim.tint": (-8.0, 8.0), "chroma.scale": (0.6, 1.5),
    "chroma.shadows": (0.6, 1.4), "chroma.highlights": (0.6, 1.4), "chroma.density": (-0.05, 0.15),
    "tint.shadow_a": (-0.015, 0.015), "tint.shadow_b": (-0.02, 0.02), "tint.highlight_a": (-0.01, 0.01),
    "tint.highlight_b": (-0.015, 0.015),
}  # fmt: skip
_HUE_RANGES = {"turn_deg": (-12.0, 12.0), "sat_log2": (-0.6, 0.4), "density": (-0.1, 0.2)}
DEFAULT = (
    "tone.mid_ev", "tone.slope", "trim.warmth_mired", "chroma.scale", "chroma.highlights", "chroma.density",
    "hue.120.sat_log2", "hue.240.sat_log2",
)  # fmt: skip


@dataclass(frozen=True)
class Knob:
    """One field of a look that is tuned, from `lo` to `hi`: "tone.slope", or "hue.120.turn_deg" for a node."""

    key: str
    lo: float
    hi: float


def knob(key: str) -> Knob:
    """The knob of that name with its range. Raises LookError naming the nearest one."""
    table, _, rest = key.partition(".")
    if table == "hue":
        at, _, name = rest.partition(".")
        if not (at.isdecimal() and int(at) % HUE_STEP_DEG == 0 and int(at) < 360 and name in _HUE_RANGES):
            known = " or ".join(_HUE_RANGES)
            raise LookError(f"knob '{key}': expected hue.DEGREES.NAME, degrees a multiple of 30, name {known}")
        return Knob(key, *_HUE_RANGES[name])
    if key not in RANGES:
        raise LookError(f"unknown knob '{key}': {nearest(key, RANGES)}; or hue.120.sat_log2 and the like")
    allowed = fields(TABLES[table])[rest]
    return Knob(key, max(RANGES[key][0], float(allowed["lo"])), min(RANGES[key][1], float(allowed["hi"])))


def turned(base: Look, knobs: Sequence[Knob], z: F64) -> Look:
    """`base` with its knobs at z (D,) in [0, 1]."""
    look = base
    for k, part in zip(knobs, np.clip(z, 0.0, 1.0), strict=True):
        value = round(k.lo + float(part) * (k.hi - k.lo), 5)
        table, _, name = k.key.partition(".")
        if table != "hue":
            changed = dataclasses.replace(getattr(look, table), **{name: value})
            look = dataclasses.replace(look, **{table: changed})
            continue
        at, _, name = name.partition(".")
        nodes = {h.at_deg: h for h in look.hue}
        nodes[float(at)] = dataclasses.replace(nodes.get(float(at), Hue(at_deg=float(at))), **{name: value})
        look = dataclasses.replace(look, hue=tuple(nodes[a] for a in sorted(nodes)))
    return look


def place(base: Look, knobs: Sequence[Knob]) -> F64:
    """z (D,) of `base` itself, held to the ranges."""
    nodes = {h.at_deg: h for h in base.hue}
    found = []
    for k in knobs:
        table, _, name = k.key.partition(".")
        at, _, field_name = name.partition(".")
        where, name = (nodes.get(float(at), Hue()), field_name) if table == "hue" else (getattr(base, table), name)
        found.append((float(getattr(where, name)) - k.lo) / (k.hi - k.lo))
    return np.asarray(np.clip(found, 0.0, 1.0), np.float64)


def probes() -> F64:
    """Scene light (n, 3) on which looks are compared: colours of nature and a ramp of greys."""
    colours = nature()
    ramp = 0.18 * 2.0 ** np.linspace(-5.0, 3.5, _GREYS)
    return np.concatenate([colours[:: max(1, len(colours) // _COLOURS)][:_COLOURS], np.repeat(ramp[:, None], 3, 1)])


def seen(look: Look, light: F64) -> F64:
    """(n, 3): scaled Oklab of scene light `light` (n, 3) in a look. Raises LookError where its tone cannot be met."""
    shown = eotf(np.clip(display(compile(look, "srgb"), light), 0.0, 1.0))
    return np.asarray(colour.to_oklab(shown @ convert("srgb", "rec2020").T, "rec2020") * _SCALE, np.float64)


@dataclass
class Tuner:
    """A session. `sheet` proposes looks, `pick` says which of them was liked best; `best` is the look so far.

    `light` (n, 3): scene light of the pictures in question, where looks shall be compared; probe colours if None.
    """

    base: Look
    knobs: tuple[Knob, ...]
    light: F64 | None = None
    seed: int = 1
    history: list[tuple[F64, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._light = probes() if self.light is None else np.asarray(self.light, np.float64)
        self._learn()
        d = len(self.knobs)
        # The first belief: the ideal is somewhere, rather near the look one begins with.
        middle = place(self.base, self.knobs)
        around = np.clip(middle + self._rng.normal(0, 0.35, (PARTICLES, d)), 0, 1)
        self._z = np.where(self._rng.random((PARTICLES, 1)) < 0.5, around, self._rng.random((PARTICLES, d)))
        self._noise = _NOISE[0] * (_NOISE[1] / _NOISE[0]) ** self._rng.random(PARTICLES)
        self._weight = np.full(PARTICLES, 1.0 / PARTICLES)

    def _learn(self) -> None:
        """Fit the polynomial: compiled looks at points spread evenly (R-sequence), infeasible ones left out."""
        d = len(self.knobs)
        count = 2 * _terms(np.zeros((1, d))).shape[1] + 16
        step = 1.0 / _root(d) ** np.arange(1, d + 1)
        points = (0.5 + np.outer(np.arange(1, 2 * count + 1), step)) % 1.0
        kept: list[F64] = []
        values: list[F64] = []
        for z in points:
            if len(kept) == count:
                break
            try:
                values.append(seen(turned(self.base, self.knobs, z), self._light).ravel())
            except LookError:
                continue
            kept.append(z)
        if len(kept) < count // 2:
            raise LookError("these knobs mostly ask for tones that cannot be met; choose others or another look")
        basis = _terms(np.array(kept))
        normal = basis.T @ basis + 1e-6 * len(kept) * np.eye(basis.shape[1])
        self._map = np.linalg.solve(normal, basis.T @ np.array(values))
        self.misfit = float(np.abs(basis @ self._map - np.array(values)).mean())

    def _render(self, z: F64) -> F64:
        """(m, n, 3): what looks z (m, D) show, by the polynomial."""
        return np.asarray((_terms(z) @ self._map).reshape(len(z), -1, 3), np.float64)

    def _log_likelihood(self, z: F64, noise: F64, since: int = 0) -> F64:
        """(m,): of all picks, or of those from number `since` on."""
        total = np.zeros(len(z))
        shown = self._render(z)
        for sheet, index in self.history[since:]:
            there = self._render(sheet)
            far = np.stack([np.sqrt(((shown - one) ** 2).sum(-1)).mean(-1) for one in there], axis=1)
            score = -(far - far.min(1, keepdims=True)) / noise[:, None]
            chance = np.exp(score[:, index]) / np.exp(score).sum(1)
            total += np.log((1 - _SLIPS) * chance + _SLIPS / len(sheet))
        return total

    @property
    def mean(self) -> F64:
        """(D,): where the ideal is believed to be."""
        return np.asarray(self._weight @ self._z, np.float64)

    @property
    def spread(self) -> F64:
        """(D,): standard deviation of that belief."""
        return np.asarray(np.sqrt(self._weight @ (self._z - self.mean) ** 2), np.float64)

    @property
    def best(self) -> Look:
        """The look at the mean of the belief."""
        return turned(self.base, self.knobs, self.mean)

    def sheet(self, count: int = SHEET) -> F64:
        """(count, D): the mean of the belief and samples of it that can be shown, no two alike."""
        shown = [self.mean]
        for i in self._rng.choice(PARTICLES, 40 * count, p=self._weight):
            z = self._z[i]
            if len(shown) == count:
                break
            try:
                compile(turned(self.base, self.knobs, z), "srgb")
            except LookError:
                continue
            shown.append(z)
        while len(shown) < count:
            shown.append(np.clip(self.mean + self._rng.normal(0, 0.05, len(self.knobs)), 0, 1))
        return np.array(shown)

    def pick(self, sheet: F64, index: int) -> None:
        """Learn that of `sheet` (k, D) the look `index` was liked best."""
        if not 0 <= index < len(sheet):
            raise LookError(f"pick: expected 0..{len(sheet) - 1}, got {index}")
        self.history.append((np.array(sheet), index))
        logs = np.log(self._weight) + self._log_likelihood(self._z, self._noise, len(self.history) - 1)
        weight = np.exp(logs - logs.max())
        self._weight = weight / weight.sum()
        if 1.0 / float((self._weight**2).sum()) < _FEW * PARTICLES:
            self._renew()

    def _renew(self) -> None:
        """Draw particles by their weights, and let each walk as the whole history allows."""
        spread = np.maximum(self.spread, 0.01)
        at = (np.arange(PARTICLES) + self._rng.random()) / PARTICLES
        chosen = np.minimum(np.searchsorted(np.cumsum(self._weight), at), PARTICLES - 1)
        self._z, self._noise = self._z[chosen], self._noise[chosen]
        self._weight = np.full(PARTICLES, 1.0 / PARTICLES)
        here = self._log_likelihood(self._z, self._noise)
        for _ in range(_WALKS):
            step = self._rng.normal(0, 1, self._z.shape) * spread * 1.6 / np.sqrt(len(self.knobs))
            z = self._z + step
            noise = self._noise * np.exp(self._rng.normal(0, 0.3, PARTICLES))
            inside = ((z >= 0) & (z <= 1)).all(1) & (noise >= _NOISE[0]) & (noise <= _NOISE[1])
            there = self._log_likelihood(np.clip(z, 0, 1), np.clip(noise, *_NOISE))
            take = inside & (np.log(self._rng.random(PARTICLES)) < there - here)
            self._z[take], self._noise[take], here[take] = z[take], noise[take], there[take]

    def toml(self, name: str, extends: str) -> str:
        """The best look as a file: what was tuned, laid over the look `extends`."""
        return written(name, extends, self.knobs, self.best)


def written(name: str, extends: str, knobs: Sequence[Knob], look: Look) -> str:
    """TOML of the knobs' values in `look`, over the look `extends`."""
    lines = [f'name = "{name}"', f'title = "{name.capitalize()}, tuned from {extends}"', f'extends = "{extends}"']
    plain = [k for k in knobs if not k.key.startswith("hue.")]
    for table, group in itertools.groupby(sorted(plain, key=lambda k: k.key), lambda k: k.key.partition(".")[0]):
        names = [k.key.partition(".")[2] for k in group]
        lines += ["", f"[{table}]", *(f"{n} = {getattr(getattr(look, table), n):g}" for n in names)]
    for node in look.hue:
        tuned = [k.key.rpartition(".")[2] for k in knobs if k.key.startswith(f"hue.{node.at_deg:.0f}.")]
        if tuned:
            lines += ["", "[[hue]]", f"at_deg = {node.at_deg:g}", *(f"{n} = {getattr(node, n):g}" for n in tuned)]
    return "\n".join(lines) + "\n"


def _root(d: int) -> float:
    """The positive root of x^(d+1) = x + 1: its powers spread points evenly in d dimensions. Source: [Roberts2018]."""
    x = 2.0
    for _ in range(40):
        x = (1 + x) ** (1 / (d + 1))
    return x


def _terms(z: F64) -> F64:
    """(m, t): 1, z, all products of two, and cubes of each coordinate."""
    d = z.shape[1]
    rows = [np.ones(len(z)), *z.T, *(z[:, i] * z[:, j] for i in range(d) for j in range(i, d)), *(z**3).T]
    return np.stack(rows, axis=1)
