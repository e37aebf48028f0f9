"""The chart: edges where they are said to be, patches as their spectra say, parts that lie in the frame."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lichtbild import scene, spectra
from lichtbild.light import WHITE_D65, rgb_to_xyz, xyz
from lichtbild.scene import chart
from lichtbild.types import F64


def test_a_half_plane_covers_pixels_exactly() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        angle, d = rng.uniform(0, math.tau), rng.uniform(-0.8, 0.8)
        a, b = math.cos(angle), math.sin(angle)
        at = (np.arange(400) + 0.5) / 400 - 0.5
        counted = (a * at[None, :] + b * at[:, None] > d).mean()
        zero = np.zeros((1, 1))
        assert abs(chart.half_plane(a, b, d, zero, zero)[0, 0] - counted) < 4e-3


def test_an_edge_runs_where_it_is_said_to() -> None:
    found = scene.render({"name": "chart"}, (240, 320), 1)
    region = found.regions["edge_upright_centre"]
    top, left, h, w = region
    a, b, d = chart.edge_line(region, True)
    assert abs(a * (left + (w - 1) / 2) + b * (top + (h - 1) / 2) - d) < 1e-9
    part = found.layers[0].light[1, top : top + h, left : left + w]
    bright, dark = part[0, 0], part[-1, -1]
    for row in (0, h // 2, h - 1):
        counted = ((part[row] - dark) / (bright - dark)).sum()  # pixels left of the edge, to a fraction
        assert abs(counted - ((d - b * (top + row)) / a - left + 0.5)) < 1e-3


@pytest.mark.parametrize("light", ["daylight", "tungsten"])
def test_patches_are_what_their_spectra_say(light: str) -> None:
    found = scene.render({"name": "chart", "light": light, "lux": 314.159265}, (240, 320), 1)
    table = found.spectra
    assert table["reflectance"].shape == (24, 81) and table["reflectance"].min() > 0 and table["reflectance"].max() < 1
    white = spectra.xyz(table["illuminant"], table["illuminant"])
    for i in range(24):
        top, left, h, w = found.regions[f"patch_{i:02d}"]
        seen = rgb_to_xyz("rec2020") @ found.layers[0].light[:, top + h // 2, left + w // 2].astype(np.float64)
        want: F64 = 100 * spectra.xyz(table["reflectance"][i] * table["illuminant"], table["illuminant"])
        if (np.linalg.solve(rgb_to_xyz("rec2020"), want) > 0).all():  # else drawn in to the border of Rec.2020
            assert np.allclose(seen, want, rtol=1e-4, atol=1e-3)
    card = rgb_to_xyz("rec2020") @ found.illuminant[:, 0, 0].astype(np.float64)
    assert np.allclose(card, 100 * white, rtol=1e-5)
    if light == "daylight":
        assert np.allclose(card / 100, xyz(WHITE_D65), atol=2e-3)


def test_regions_lie_in_the_frame_and_do_not_overlap() -> None:
    found = scene.render({"name": "chart"}, (240, 320), 1)
    m, (h, w) = found.margin, found.frame
    count = np.zeros(found.canvas, int)
    for top, left, tall, wide in found.regions.values():
        assert m <= top and top + tall <= m + h and m <= left and left + wide <= m + w
        count[top : top + tall, left : left + wide] += 1
    assert count.max() == 1


@pytest.mark.parametrize("kind", chart.KINDS)
def test_every_kind_and_its_light(kind: str) -> None:
    found = scene.render({"name": "chart", "kind": kind, "lux": 100.0}, (64, 80), 1)
    light = found.layers[0].light
    assert np.isfinite(light).all() and light.min() >= 0 and light.max() <= 100 / math.pi * 1.02


def test_a_flat_is_flat_and_of_its_level() -> None:
    light = (
        scene.render({"name": "chart", "kind": "flat", "level": 0.5, "lux": 2 * math.pi}, (32, 32), 1).layers[0].light
    )
    assert np.allclose(light, 1.0, atol=3e-3) and (np.ptp(light, axis=(1, 2)) == 0).all()


def test_a_wedge_falls_by_a_tenth_of_density_per_step() -> None:
    found = scene.render({"name": "chart", "kind": "wedge"}, (64, 160), 1)
    seen = [found.layers[0].light[1, t + h // 2, c + w // 2] for t, c, h, w in
            (found.regions[f"wedge_{i:02d}"] for i in range(chart.WEDGE_STEPS))]  # fmt: skip
    assert np.allclose(np.diff(np.log10(seen)), -0.1, atol=1e-5)


def test_a_frame_too_small_for_a_page_is_refused() -> None:
    with pytest.raises(scene.SceneError, match="needs a frame of at least 48x48, got 20x20"):
        scene.render({"name": "chart"}, (20, 20), 1)
