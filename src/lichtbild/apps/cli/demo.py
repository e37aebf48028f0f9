"""`lichtbild demo`: a handheld burst of a street at night, simulated, and the photograph that becomes of it."""

from __future__ import annotations

import pathlib

SCENE = {"name": "street", "lux": 3.0}
SIZE = (1800, 1200)  # columns, rows
FRAMES = 8


def burst(folder: pathlib.Path, frames: int = FRAMES, size: tuple[int, int] = SIZE) -> list[pathlib.Path]:
    """Take the street's burst into `folder`, which is replaced; returns its raw files."""
    from ...simulate import plan, write

    return write(plan(SCENE, frames=frames, width=size[0], height=size[1]), folder, "none", overwrite=True)


def run(out: pathlib.Path, frames: int = FRAMES, size: tuple[int, int] = SIZE) -> pathlib.Path:
    """Leave in `out` the burst, street-one-frame.jpg and street.jpg; returns the latter. Older ones are replaced."""
    from ...photo import develop
    from ...shot import open as open_shot

    raws = burst(out / "street", frames, size)
    develop(open_shot(raws[0])).save(out / "street-one-frame.jpg", overwrite=True)
    return develop(open_shot(out / "street"), mode="night").save(out / "street.jpg", overwrite=True)
