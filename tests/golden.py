"""Golden pictures: small photographs of simulated scenes, kept in tests/golden; a change of the picture must be meant.

`make golden` (python tests/golden.py) makes them anew: look at what changed before you commit it.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

import lichtbild

FOLDER = pathlib.Path(__file__).with_name("golden")
SIZE = (192, 144)  # columns, rows


@dataclass(frozen=True)
class Case:
    """A scene, how it is taken, and how it is developed."""

    scene: dict[str, Any]
    mode: str = "snapshot"
    look: str = "classic"
    shot: dict[str, Any] = field(default_factory=dict)
    set: dict[str, Any] = field(default_factory=dict)

    def picture(self) -> np.ndarray[Any, Any]:
        """The photograph (H, W, 3) uint8 sRGB."""
        shot, _ = lichtbild.simulate(
            {"scene": self.scene, "shot": {"frames": 1, "width": SIZE[0], "height": SIZE[1], **self.shot}}
        )
        return np.asarray(lichtbild.develop(shot, mode=self.mode, look=self.look, set=self.set).array)


CASES = {
    "street": Case({"name": "street", "lux": 1.0}, "night", shot={"frames": 4}),
    "interior": Case({"name": "interior"}, look="bright"),
    "foliage": Case({"name": "foliage"}),
    "bust": Case({"name": "bust"}, look="portrait"),
    "lake": Case({"name": "lake"}, look="bw-red"),
    "chart": Case({"name": "chart", "kind": "patches"}, look="neutral"),
}


def read(name: str) -> np.ndarray[Any, Any]:
    """The picture that is kept, (H, W, 3) uint8."""
    return np.asarray(Image.open(FOLDER / f"{name}.png").convert("RGB"))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, case in CASES.items():
        Image.fromarray(case.picture()).save(FOLDER / f"{name}.png", optimize=True)
        print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
