"""`lichtbild demo`: a raw of the project's own, simulated, and the photograph developed from it."""

from __future__ import annotations

import pathlib

SIZE = (1600, 2400)


def make_raw(path: pathlib.Path, size: tuple[int, int] = SIZE) -> pathlib.Path:
    """Render the lake, expose it on the virtual camera, and write the frame as a DNG."""
    from ...export import dng
    from ...scene import lake
    from ...sensor.virtual import expose

    path.parent.mkdir(parents=True, exist_ok=True)
    dng.write_frame(path, expose(lake.render(*size), 0.45))
    return path


def run(out: pathlib.Path) -> pathlib.Path:
    """Leave lake.dng and lake.jpg in the folder `out`; returns the photograph. An older lake.jpg is replaced."""
    from ...photo import develop
    from ...shot import open as open_shot

    raw = make_raw(out / "lake.dng")
    return develop(open_shot(raw)).save(out / "lake.jpg", overwrite=True)
