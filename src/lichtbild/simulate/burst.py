"""Take a burst of a scene: exposure, hand, frames, and what is exactly known of them.

`plan` decides everything; `Plan.pictures` then takes frame by frame, so that a burst of any length needs the memory of
one; `simulate` keeps them all.
"""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..scene import Layer, Scene
from ..types import F32, F64, U8, Frame, Shot
from . import cache, compose, meter, spectral
from .camera import Body
from .settings import Settings, SimulateError, Spec, check, read
from .shake import hand
from .truth import Truth, at_row, project
from .ways import Camera, Take, middle

_GAP_S = 0.002  # between the end of a frame's readout and the beginning of the next exposure
_FASTEST_S = 1 / 30  # from frame to frame, as phones read 12 MP
_STRIP = 128  # rows at a time
_SLACK_PX = 8  # the resampling's taps and what a planned path leaves out


@dataclass(frozen=True)
class Picture:
    """One frame as taken; `owner` (H, W): the layer seen at each pixel; `light` (3, H, W) lux on the sensor."""

    frame: Frame
    owner: U8
    light: F32
    counts: list[int]


@dataclass(frozen=True)
class Plan:
    """All that is decided before the first frame."""

    settings: Settings
    scene: Scene
    body: Body
    camera: Camera
    takes: tuple[Take, ...]
    iso: float

    def pictures(self, owners: bool = True) -> Iterator[Picture]:
        """Take the frames, one at a time; without `owners`, nobody asks what was seen."""
        stack = compose.sheets(self.scene)
        out = np.empty((4, *self.camera.size), np.float32)  # kept: freed, its place would be cut up
        for i in range(len(self.takes)):
            yield self._picture(stack, out, i, owners)  # and keep nothing of it while the next is made

    def _picture(self, stack: list[compose.Sheet], out: F32, i: int, owners: bool) -> Picture:
        counts = compose.frame(stack, self.camera, self.takes[i], out)
        light = self.body.image(out[:3])
        owner = self.body.seen(out[3]) if owners else np.zeros((0, 0), np.uint8)
        frame = self.body.expose(light, self.iso, self.takes[i], self.settings.seed, i)
        return Picture(frame, owner, light, counts)

    def maps(self, i: int, counts: list[int]) -> Any:
        """(k, H, 3, 3) for `Truth.maps`: the rows of the frame itself, without the margin that the lens needs."""
        m, size = self.body.margin, self.body.size
        shift = np.array([[1.0, 0, m], [0, 1.0, m], [0, 0, 1.0]])
        ways = [
            middle(self.camera, self.takes[i], layer, n) for layer, n in zip(self.scene.layers, counts, strict=True)
        ]
        return np.stack([w[m : m + size[0]] @ shift for w in ways])

    def moves(self) -> tuple[bool, ...]:
        """Which layers move by themselves."""
        return tuple(not layer.motion.still for layer in self.scene.layers)

    def depth(self, maps: Any, owner: U8) -> F32:
        """(H, W) metres: of what is seen at each pixel of a frame."""
        h, w = owner.shape
        out = np.zeros((h, w), np.float32)
        for top in range(0, h, _STRIP):
            part, seen = out[top : top + _STRIP], owner[top : top + _STRIP]
            x, y = np.meshgrid(np.arange(w, dtype=np.float64), np.arange(top, top + len(seen), dtype=np.float64))
            x, y = self.body.bends["ideal"](x, y) if self.body.bends else (x, y)
            for k in np.unique(seen):
                here = seen == k
                part[here] = _deep(self.scene.layers[k], maps[k], x[here], y[here])
        return out


def _deep(layer: Layer, maps: F64, x: F64, y: F64) -> F32:
    """Depth of a layer at pixels x, y of a frame whose rows have the ways `maps` (H, 3, 3); (1,) where it is flat."""
    if layer.depth_m.size == 1:
        return layer.depth_m.reshape(1)
    u, v = project(at_row(maps, y), x, y)
    rows = np.clip(np.rint(v).astype(int) - layer.top, 0, layer.shape[0] - 1)
    columns = np.clip(np.rint(u).astype(int) - layer.left, 0, layer.shape[1] - 1)
    return np.asarray(np.broadcast_to(layer.depth_m, layer.shape)[rows, columns], np.float32)


def plan(spec: Spec | Scene, cache_folder: str | os.PathLike[str] | None = None, **given: Any) -> Plan:
    """Decide everything about a burst; the scene is drawn or taken from the cache, unless `spec` is a drawn one.

    For `given` see Settings. Raises LichtbildError in one line for whatever does not fit.
    """
    if isinstance(spec, Scene):
        settings = check(given | dict(zip(("height", "width"), spec.frame, strict=True)))
    else:
        table, settings = read(spec, **given)
    body = Body.of(settings)
    shake = hand(settings.seed, settings.shake)
    size = (body.size[0] + 2 * body.margin, body.size[1] + 2 * body.margin)
    row_s = settings.readout_ms * 1e-3 / body.chip.rows
    longest = (settings.exposure_s or meter.PROGRAM[-1][0]) * 2 ** max(settings.brackets)
    span = settings.frames * max(settings.interval_s, _FASTEST_S, longest + row_s * body.size[0] + _GAP_S)
    margin = body.margin + _wander(shake, body.focal_px, size, span)
    if isinstance(spec, Scene):
        made = spec
        if made.margin < margin:
            raise SimulateError(f"scene {made.name}: its margin is {made.margin} px; the hand needs {margin}")
    else:
        made = cache.render(table, body.size, settings.seed, margin, cache.folder(cache_folder))
    body = body.under(made)
    made = spectral.seen_by(made, body.chip, body.white)
    camera = Camera(size, body.focal_px, made.margin - body.margin, shake)
    time_s, iso = _exposure(settings, body, made)
    return Plan(settings, made, body, camera, _takes(settings, time_s, row_s, size[0]), iso)


def _wander(shake: Any, focal_px: float, size: tuple[int, int], span_s: float) -> int:
    """Pixels of scene that the hand may reveal beyond the frame; in steps, so that most bursts share a scene."""
    pose = shake.pose(np.linspace(-span_s / 8, span_s, 400))
    turn = np.abs(pose[:, :2]).max() * focal_px + np.abs(pose[:, 2]).max() * max(size) / 2
    move = np.abs(pose[:, 3:5]).max() * focal_px / 1.0  # things nearer than a metre are not the farthest layer
    step = max(48, round(0.04 * max(size)))
    return step * math.ceil((1.05 * float(turn + move) + _SLACK_PX) / step)


def _exposure(settings: Settings, body: Body, made: Scene) -> tuple[float, float]:
    time_s, iso = settings.exposure_s, settings.iso
    if not (time_s and iso):
        product = body.product(meter.wanted(compose.glance(made))) * 2.0**settings.bias_ev
        auto = meter.share(product, body.chip.base_iso, body.chip.max_iso)
        if time_s:
            iso = min(max(product / time_s, body.chip.base_iso), body.chip.max_iso)
        elif iso:
            time_s = min(max(product / iso, 1e-5), 30.0)
        else:
            time_s, iso = auto
    return float(f"{time_s:.4g}"), float(f"{iso:.3g}") if not settings.iso else iso


def _takes(settings: Settings, time_s: float, row_s: float, rows: int) -> tuple[Take, ...]:
    """The frames in time: 0 is the middle of the exposure of the reference's middle row."""
    takes: list[Take] = []
    start = -row_s * (rows - 1) / 2 - time_s * 2.0 ** settings.brackets[0] / 2
    for i in range(settings.frames):
        time = time_s * 2.0 ** settings.brackets[i % len(settings.brackets)]
        takes.append(Take(start, time, row_s))
        start += max(settings.interval_s, _FASTEST_S, max(time, row_s * rows) + _GAP_S)
    return tuple(takes)


def simulate(spec: Spec | Scene, *, cache: str | os.PathLike[str] | None = None, **given: Any) -> tuple[Shot, Truth]:
    """Take a burst and keep it: the Shot as if opened from files, and its Truth.

    `spec`: a scene's name, a scene file (TOML with [scene] and [shot]), such tables, or a drawn Scene. The rest are
    the settings of the shot by name: lens, sensor, frames, seed, width, height, exposure_s, iso, bracket_ev, shake …
    A burst of n frames is kept in 3·n bytes per pixel beside some 80 for the work. Raises LichtbildError in one line.
    """
    made = plan(spec, cache, **given)
    frames: list[Frame] = []
    owners: list[U8] = []
    maps: list[Any] = []
    clean: dict[str, Any] = {}
    for picture in made.pictures():
        i = len(frames)
        frames.append(picture.frame)
        owners.append(picture.owner)
        maps.append(made.maps(i, picture.counts))
        if i == 0:
            rgb, mosaic = made.body.clean(picture.light, made.iso, made.takes[0])
            clean = {"rgb": rgb, "mosaic": mosaic, "depth_m": made.depth(maps[0], picture.owner)}
    extra = {"depth_m": clean["depth_m"], "plan": made}
    truth = Truth(clean["rgb"], np.stack(owners), tuple(maps), made.moves(), clean["mosaic"], extra, **made.body.bends)
    return Shot(frames, pathlib.Path(made.scene.name)), truth


__all__ = ["Picture", "Plan", "SimulateError", "plan", "simulate"]
