"""Golden pictures: what the camera makes of the house's scenes stays what somebody has looked at."""

from __future__ import annotations

import golden
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from lichtbild.look.difference import delta_e, lab

MEAN, MOST = 0.77, 2.3  # ΔE2000; half and one and a half of what is just seen beside each other
OUT = ROOT / "build" / "golden"


@pytest.mark.parametrize("name", golden.CASES)
def test_picture_is_as_it_was(name: str) -> None:
    found, kept = golden.CASES[name].picture(), golden.read(name)
    assert found.shape == kept.shape
    away = delta_e(*(lab(p / 255.0) for p in (found, kept)))
    if away.mean() >= MEAN or away.max() >= MOST:
        OUT.mkdir(parents=True, exist_ok=True)
        shown = np.repeat(np.minimum(away / MOST * 255, 255).astype(np.uint8)[..., None], 3, 2)
        Image.fromarray(np.hstack([found, kept, shown])).save(OUT / f"{name}.png")
        pytest.fail(f"ΔE2000 mean {away.mean():.2f}, most {away.max():.2f}: found, kept and difference are in "
                    f"{OUT / name}.png; if it is meant, run `make golden`")  # fmt: skip
