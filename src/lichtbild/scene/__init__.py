"""Scene — what stands before the lens: procedural places of our own, charts, and pictures from files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import bust, chart, foliage, interior, lake, picture, street  # noqa: F401  (scenes register themselves)
from .spec import SCENES, Canvas, parameters, place, read
from .types import Layer, Motion, Scene, SceneError, Sway

__all__ = ["Layer", "Motion", "Scene", "SceneError", "Sway", "names", "parameters", "read", "render"]


def names() -> list[str]:
    """Names of all scenes."""
    return sorted(SCENES)


def render(spec: Mapping[str, Any], size: tuple[int, int], seed: int = 1, margin: int | None = None) -> Scene:
    """Draw the scene that `spec` asks for (`name` and its parameters) for a frame of `size` (H, W).

    `margin`: pixels drawn beyond each side of the frame for hands that shake; 2 % of the longer side unless given.
    The same spec, size, seed and margin give the same bytes. Raises SceneError in one line.
    """
    height, width = size
    if height < 1 or width < 1:
        raise SceneError(f"scene: expected a size of at least 1x1, got {height}x{width}")
    margin = max(8, round(0.02 * max(size))) if margin is None else margin
    return place(spec).build(Canvas(height, width, margin), seed)
