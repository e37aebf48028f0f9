"""Simulate — scenes become raw bursts with exact truth.

    shot, truth = simulate("street", frames=8, seed=1, iso=3200, width=1024, height=768)
    write(plan("scene.toml", frames=4), "burst/")        # DNGs, and truth/ beside them

The scene's layers are moved by hand and by themselves (`ways`, `compose`), the lens forms their image, the sensor
counts it; each frame is the mean over its exposure, each row at its own time.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from .burst import Picture, Plan, plan, simulate
from .folder import write
from .settings import Settings, SimulateError
from .truth import Truth

__all__ = ["Picture", "Plan", "Settings", "SimulateError", "Truth", "catalogue", "plan", "simulate", "write"]


def catalogue() -> dict[str, dict[str, str]]:
    """What can be chosen: scenes, lenses and sensors by name, each with a line of text."""
    from .. import lens, scene, sensor
    from ..scene.spec import SCENES

    return {
        "scenes": {n: SCENES[n].doc for n in scene.names()},
        "lenses": {n: lens.load(n).title for n in lens.names()},
        "sensors": {n: sensor.load(n).doc for n in sensor.names()},
    }


class _Simulate(types.ModuleType):
    # `lichtbild.simulate` is this package and, for users, the function of that name: so the package can be called.
    def __call__(self, *args: Any, **more: Any) -> Any:
        return simulate(*args, **more)


sys.modules[__name__].__class__ = _Simulate
