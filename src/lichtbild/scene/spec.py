"""How a scene is asked for: its name and parameters, each declared once like those of a stage.

    @scene("street", "a wet street at night")
    class Street(Place):
        time: str = param("night", choices=("night", "day"), doc="when")

        def build(self, canvas, rng): ...

A scene file is TOML: `[scene]`, `name = "street"` and any of the scene's parameters.
"""

from __future__ import annotations

import abc
import pathlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np

from ..stage import Param, ParamError, Stage, fit, nearest, params
from ..types import F32
from .types import Scene, SceneError


@dataclass(frozen=True)
class Canvas:
    """The grid on which a scene is drawn. Units: 1 = the height of the frame; (0, 0) its centre, x right, y down."""

    height: int  # of the frame
    width: int
    margin: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns with the margin."""
        return self.height + 2 * self.margin, self.width + 2 * self.margin

    @property
    def px(self) -> float:
        """The size of a pixel."""
        return 1 / self.height

    @property
    def x(self) -> F32:
        """(1, W): positions of the columns."""
        k = np.arange(self.shape[1], dtype=np.float32)
        return ((k + np.float32(0.5 - self.shape[1] / 2)) * np.float32(self.px))[None, :]

    @property
    def y(self) -> F32:
        """(H, 1): positions of the rows."""
        k = np.arange(self.shape[0], dtype=np.float32)
        return ((k + np.float32(0.5 - self.shape[0] / 2)) * np.float32(self.px))[:, None]

    def box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice]:
        """Rows and columns of the canvas that hold a rectangle (clipped; may be empty)."""
        height, width = self.shape
        rows = [min(max(round(v * self.height + height / 2), 0), height) for v in (y0 - self.px, y1 + self.px)]
        columns = [min(max(round(v * self.height + width / 2), 0), width) for v in (x0 - self.px, x1 + self.px)]
        return slice(rows[0], max(rows)), slice(columns[0], max(columns))

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Canvas position in pixels (x, y) of a point."""
        return (x * self.height + (self.shape[1] - 1) / 2, y * self.height + (self.shape[0] - 1) / 2)


class Place(Stage, abc.ABC):
    """Base of all scenes: a frozen dataclass of parameters that can be built."""

    @abc.abstractmethod
    def build(self, canvas: Canvas, seed: int) -> Scene:
        """Draw it. The same seed gives the same places and things at every size."""


P = TypeVar("P", bound=type[Place])
SCENES: dict[str, type[Place]] = {}


def scene(name: str, doc: str) -> Callable[[P], P]:
    """Register a class as the scene `name`."""

    def register(cls: P) -> P:
        made = cast(P, dataclass(frozen=True)(cls))
        made.name, made.doc = name, doc
        SCENES[name] = made
        return made

    return register


def parameters(name: str) -> dict[str, Param]:
    """The parameters of a scene by name."""
    return params(SCENES[name])


def place(spec: Mapping[str, Any], origin: str = "scene") -> Place:
    """The scene that `spec` asks for, its parameters checked. Raises SceneError naming `origin`, key and remedy."""
    name = spec.get("name")
    if not isinstance(name, str) or name not in SCENES:
        raise SceneError(f"{origin}: unknown name '{name}': {nearest(str(name), SCENES)}")
    known = parameters(name)
    values = {}
    for key, value in spec.items():
        if key == "name":
            continue
        if key not in known:
            raise SceneError(f"{origin}: unknown key '{key}' of scene '{name}': {nearest(key, known)}")
        try:
            values[key] = fit(f"{name}.{key}", known[key], value)
        except ParamError as e:
            raise SceneError(f"{origin}: {e}") from None
    return SCENES[name](**values)


def read(path: str | pathlib.Path) -> dict[str, Any]:
    """The table [scene] of a file; a relative `file` in it is taken from the folder the scene file lies in.

    Raises SceneError naming file and remedy. Other tables ([lens], [sensor] …) are left to whom they belong.
    """
    path = pathlib.Path(path)
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except OSError as e:
        raise SceneError(f"{path}: {e.strerror or e}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise SceneError(f"{path}: not TOML in UTF-8: {e}") from None
    spec = found.get("scene")
    if not isinstance(spec, dict):
        raise SceneError(f'{path}: holds no table [scene]; write [scene] and name = "street"')
    if isinstance(spec.get("file"), str):
        spec["file"] = str(path.parent / spec["file"])
    place(spec, str(path))
    return spec
