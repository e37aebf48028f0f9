"""What must hold for every scene: the same bytes for the same seed, any size, layers that fit, light in cd/m²."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from lichtbild import scene
from lichtbild.light import REC2020_LUMA
from lichtbild.types import F32

SPECS = [{"name": name} for name in scene.names() if name not in ("picture", "chart")]
IDS = [spec["name"] for spec in SPECS]


def luminance(light: F32) -> F32:
    return np.asarray(sum(w * light[c] for c, w in enumerate(REC2020_LUMA)), np.float32)


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_same_seed_same_bytes_and_another_seed_another_place(spec: dict[str, str]) -> None:
    one, two = (scene.render(spec, (60, 80), 3) for _ in range(2))
    other = scene.render(spec, (60, 80), 4)
    assert all(
        np.array_equal(a.light, b.light)
        and np.array_equal(a.depth_m, b.depth_m)
        and (a.alpha is None or np.array_equal(a.alpha, b.alpha))
        for a, b in zip(one.layers, two.layers, strict=True)
    )
    assert np.array_equal(one.illuminant, two.illuminant)
    assert not np.array_equal(one.flat()[0], other.flat()[0])


@pytest.mark.parametrize("size", [(64, 48), (97, 131)])
@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_layers_fit_the_canvas_at_any_size(spec: dict[str, str], size: tuple[int, int]) -> None:
    found = scene.render(spec, size, 1)
    assert found.frame == size and found.layers[0].alpha is None
    for layer in found.layers:
        h, w = layer.shape
        assert layer.top >= 0 and layer.left >= 0
        assert layer.top + h <= found.canvas[0] and layer.left + w <= found.canvas[1]
        assert layer.light.dtype == np.float32 and np.isfinite(layer.light).all() and layer.light.min() >= 0
        depth = np.broadcast_to(layer.depth_m, (h, w))
        assert np.isfinite(depth).all() and depth.min() > 0
        if layer.alpha is not None:
            assert layer.alpha.shape == (h, w) and layer.alpha.dtype == np.float32
            assert layer.alpha.min() >= 0 and layer.alpha.max() <= 1
    assert found.cropped().shape == (3, *size)


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_light_is_of_the_size_that_the_stated_illuminance_gives(spec: dict[str, str]) -> None:
    found = scene.render(spec, (96, 128), 1)
    assert found.illuminant.ndim == 3 and found.illuminant.min() >= 0
    card = luminance(found.illuminant)
    assert 0.02 < np.median(card) / (found.lux / np.pi) < 20
    seen = np.median(luminance(found.cropped()))
    assert 0.001 < seen / (found.lux / np.pi) < 4


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_a_bigger_picture_shows_the_same_place(spec: dict[str, str]) -> None:
    small, big = (scene.render(spec, size, 2).cropped() for size in ((48, 72), (144, 216)))
    mean = big.reshape(3, 48, 3, 72, 3).mean(axis=(2, 4))
    a, b = (np.log2(np.maximum(luminance(x), 1e-4)) for x in (small, mean))
    least = 0.6 if spec["name"] == "lake" else 0.85  # the lake keeps its large shapes only
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > least


def test_unknown_names_and_keys_are_refused_in_one_line() -> None:
    with pytest.raises(scene.SceneError, match=r"unknown name 'stret': did you mean 'street'\?"):
        scene.render({"name": "stret"}, (48, 64))
    with pytest.raises(scene.SceneError, match=r"unknown key 'peple' of scene 'street': did you mean 'people'\?"):
        scene.render({"name": "street", "peple": 3}, (48, 64))
    with pytest.raises(scene.SceneError, match="expected a size of at least 1x1, got 0x64"):
        scene.render({"name": "street"}, (0, 64))


DIGEST = """
import hashlib
from lichtbild import scene
for name in ("bust", "chart", "foliage", "interior", "lake", "street"):
    for layer in scene.render({"name": name}, (60, 80), 1).layers:
        print(name, layer.name, hashlib.sha256(layer.light.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_a_cpu_without_vector_units_draws_the_same_bytes() -> None:
    from numpy._core._multiarray_umath import __cpu_dispatch__ as levels

    seen = []
    for off in ("", " ".join(levels)):
        env = os.environ | {"NPY_DISABLE_CPU_FEATURES": off}
        run = [sys.executable, "-W", "ignore", "-c", DIGEST]
        seen.append(subprocess.run(run, env=env, capture_output=True, text=True, check=True).stdout)
    assert seen[0] == seen[1] and seen[0].count("\n") > 20
