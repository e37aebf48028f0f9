"""Spectral: a chart's patches make the electrons of their spectra, whatever Rec.2020 says of them."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild import sensor
from lichtbild.simulate import plan, spectral

SHOT = {"frames": 1, "width": 480, "height": 360, "shake": 0.0}


@pytest.mark.parametrize("chip", ["imx477", "phone-1-inch", "mono"])
@pytest.mark.parametrize("light", ["daylight", "tungsten"])
def test_patches_make_the_electrons_of_their_spectra(chip: str, light: str) -> None:
    made = plan({"scene": {"name": "chart", "kind": "patches", "light": light}, "shot": {**SHOT, "sensor": chip}})
    counted = sensor.matrix(made.body.chip, made.body.white)
    for number in (0, 12, 20):
        top, left, height, width = made.scene.regions[f"patch_{number:02}"]
        found = counted @ made.scene.layers[0].light[:, top + height // 2, left + width // 2]
        lit = made.scene.spectra["illuminant"]
        luminance = float(made.scene.illuminant[1].mean()) * np.pi  # lux, nearly; the ratio of channels is what counts
        wanted = sensor.reflected(made.body.chip, made.scene.spectra["reflectance"][number], lit)
        np.testing.assert_allclose(found / found.sum(), wanted / wanted.sum(), rtol=2e-3)
        assert 0.5 < found.sum() * np.pi / (wanted.sum() * luminance) < 2.0


def test_scenes_without_spectra_stay_as_they_are() -> None:
    made = plan({"scene": {"name": "lake"}, "shot": {**SHOT}})
    assert spectral.seen_by(made.scene, made.body.chip, made.body.white) is made.scene
