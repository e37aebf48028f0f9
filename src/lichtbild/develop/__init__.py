"""The stages that turn one frame into a photograph; importing this package makes all of them known."""

from __future__ import annotations

import sys
import types
from typing import Any

from . import colour, denoise, detail, exposure, geometry, highlights, tone, white

__all__ = ["colour", "denoise", "detail", "exposure", "geometry", "highlights", "tone", "white"]


class _Develop(types.ModuleType):
    # `lichtbild.develop` is this package and, for users, the function of that name: so the package can be called.
    def __call__(self, *args: Any, **more: Any) -> Any:
        from ..photo import develop

        return develop(*args, **more)


sys.modules[__name__].__class__ = _Develop
