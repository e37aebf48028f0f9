"""The stages that turn one frame into a photograph; importing this package makes all of them known."""

from __future__ import annotations

import sys
import types
from typing import Any

from .. import look, merge
from . import (
    black,
    border,
    colour,
    crop,
    defects,
    demosaic,
    denoise,
    detail,
    exposure,
    geometry,
    highlights,
    output,
    shading,
    tone,
    white,
)

__all__ = ["ORDER", "black", "border", "colour", "crop", "defects", "demosaic", "denoise", "detail", "exposure",
           "geometry", "highlights", "look", "merge", "output", "shading", "tone", "white"]  # fmt: skip

# The stages in the order of light.
ORDER = ("black", "shading", "white", "defects", "merge", "demosaic", "denoise", "detail", "geometry", "crop",
         "highlights", "colour", "exposure", "tone", "grade", "output", "border")  # fmt: skip


class _Develop(types.ModuleType):
    # `lichtbild.develop` is this package and, for users, the function of that name: so the package can be called.
    def __call__(self, *args: Any, **more: Any) -> Any:
        from ..photo import develop

        return develop(*args, **more)


sys.modules[__name__].__class__ = _Develop
