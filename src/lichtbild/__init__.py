"""lichtbild — a software camera: raw frames in, finished photographs out.

    import lichtbild as sl

    shot = sl.open("IMG.dng")
    photo = sl.develop(shot, look="classic", set={"tone.strength": 0.7})
    photo.save("IMG.jpg")

Nothing heavy is imported before it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["LichtbildError", "Photo", "Shot", "__version__", "develop", "open", "set_threads", "simulate"]

if TYPE_CHECKING:
    from .kernels import set_threads
    from .photo import Photo, develop
    from .shot import open
    from .simulate import simulate
    from .types import LichtbildError, Shot

_HOMES = {
    "LichtbildError": "types", "Photo": "photo", "Shot": "types", "open": "shot", "set_threads": "kernels",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in ("develop", "simulate"):  # packages of stages, which can be called
        return importlib.import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'lichtbild' has no attribute '{name}'")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
