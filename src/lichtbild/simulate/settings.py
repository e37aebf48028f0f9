"""What is asked of the camera when it takes a burst: the table [shot] of a scene file, checked like a recipe."""

from __future__ import annotations

import dataclasses
import pathlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import scene
from ..scene.spec import place
from ..stage import ParamError, Stage, fit, nearest, param, params
from ..types import LichtbildError

Spec = str | pathlib.Path | Mapping[str, Any]
TABLES = ("scene", "shot")


class SimulateError(LichtbildError):
    """A burst that cannot be taken as asked."""


@dataclass(frozen=True)
class Settings(Stage):
    """Exposure, frames and hand. 0 leaves time and ISO to the automatic exposure."""

    lens: str = param("", doc="a lens of the house, or its TOML file; empty = one that fits the sensor")
    sensor: str = param("phone-1-inch", doc="a sensor of the house, or its TOML file; NAME:MODE for another mode")
    frames: int = param(8, 1, 200, "", "frames of the burst")
    seed: int = param(1, 0, 2**31 - 1, "", "of scene, hand and noise")
    width: int = param(0, 0, 20000, "px", "of a window in the middle of the sensor; 0 = all of it")
    height: int = param(0, 0, 20000, "px", "of that window")
    exposure_s: float = param(0.0, 0.0, 30.0, "s", "exposure time; 0 = automatic")
    iso: float = param(0.0, 0.0, 409600.0, "", "sensitivity; 0 = automatic")
    bias_ev: float = param(0.0, -8.0, 8.0, "EV", "added to the automatic exposure")
    bracket_ev: str = param("", doc="offsets that frames take in turn by their time, as 0,-3; empty = none")
    shake: float = param(1.0, 0.0, 20.0, "", "of the hand: 1 = a person standing, 0 = a tripod")
    interval_s: float = param(0.0, 0.0, 10.0, "s", "between the beginnings of frames; 0 = as fast as the sensor can")
    readout_ms: float = param(14.0, 0.0, 200.0, "ms", "from the first row's to the last row's: rolling shutter")

    @property
    def brackets(self) -> tuple[float, ...]:
        """The offsets in EV. Raises SimulateError for what is not a list of numbers in -12..12."""
        words = [w for w in self.bracket_ev.replace(" ", "").split(",") if w]
        try:
            found = tuple(float(w) for w in words)
        except ValueError:
            found = (99.0,)
        if any(not -12 <= v <= 12 for v in found):
            raise SimulateError(f"bracket_ev: expected numbers in -12..12 with commas between, got '{self.bracket_ev}'")
        return found or (0.0,)


def read(spec: Spec, **given: Any) -> tuple[dict[str, Any], Settings]:
    """The scene's table and the settings that `spec` (name of a scene, TOML file, or tables) asks for.

    `given` (None = not given) goes before what the file says. Raises SceneError or SimulateError, naming file and key.
    """
    tables, origin = _tables(spec)
    shot = {**tables.get("shot", {}), **{k: v for k, v in given.items() if v is not None}}
    return dict(tables["scene"]), check(shot, origin)


def _tables(spec: Spec) -> tuple[dict[str, Any], str]:
    if isinstance(spec, Mapping):
        tables = dict(spec) if "scene" in spec else {"scene": dict(spec)}
        place(tables["scene"])
        return tables, "simulate"
    path = pathlib.Path(spec)
    if path.suffix != ".toml":
        place({"name": str(spec)})
        return {"scene": {"name": str(spec)}}, "simulate"
    tables = {"scene": scene.read(path)}  # which checks file, text and scene
    found = tomllib.loads(path.read_text("utf-8"))
    for key in found:
        if key not in TABLES:
            raise SimulateError(f"{path}: unknown table '{key}': {nearest(key, TABLES)}")
    shot = found.get("shot", {})
    if not isinstance(shot, dict):
        raise SimulateError(f"{path}: expected a table [shot]")
    for key in ("lens", "sensor"):  # a file beside this one
        if str(shot.get(key, "")).endswith(".toml"):
            shot[key] = str(path.parent / shot[key])
    return tables | {"shot": shot}, str(path)


def check(shot: Mapping[str, Any], origin: str = "simulate") -> Settings:
    """Settings of these values, each of which is checked. Raises SimulateError naming `origin` and key."""
    known = params(Settings)
    values: dict[str, Any] = {}
    for key, value in shot.items():
        if key not in known:
            raise SimulateError(f"{origin}: shot: unknown key '{key}': {nearest(key, known)}")
        if known[key].kind is str:
            values[key] = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            continue
        try:
            values[key] = fit(f"shot.{key}", known[key], value)
        except ParamError as e:
            raise SimulateError(f"{origin}: {e}") from None
    made = Settings(**values)
    if "frames" not in values and made.bracket_ev:
        made = dataclasses.replace(made, frames=len(made.brackets))
    if (made.width, made.height) != (0, 0) and min(made.width, made.height) < 2:
        raise SimulateError(f"{origin}: shot: expected width and height of at least 2 px, or neither")
    return made


Settings.name, Settings.doc = "shot", "what is asked of the camera"
