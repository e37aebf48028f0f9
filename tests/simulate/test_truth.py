"""Truth: the way it tells is the way that light went, and what it calls hidden cannot be seen."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from lichtbild import lens
from lichtbild.scene import Layer, Motion, Scene
from lichtbild.simulate import Plan, Truth, compose, plan
from lichtbild.types import F32, F64

SIZE = (200, 260)
MARGIN = 96
PERIOD = 19.0  # px: of the waves that the test scene is drawn with; the resampling's error on them is 1e-4


def waves(height: int, width: int) -> F32:
    """(3, h, w): smooth stripes across and down, 1..9."""
    y, x = np.mgrid[:height, :width] * (2 * np.pi / PERIOD)
    return np.stack([5 + 4 * np.sin(x), 5 + 4 * np.sin(y), 5 + 2 * np.sin(x) + 2 * np.sin(y)]).astype(np.float32)


def made() -> Scene:
    """A wall and before it a board that moves."""
    wall = waves(SIZE[0] + 2 * MARGIN, SIZE[1] + 2 * MARGIN)
    board = Layer("board", waves(80, 90), np.full((1, 1), 3, np.float32), np.ones((80, 90), np.float32),
                  Motion((150.0, -70.0), angular_deg_s=20.0, pivot_px=(220.0, 190.0)), 0.0, 150, 170)  # fmt: skip
    return Scene("waves", (Layer("wall", wall, np.full((1, 1), 9, np.float32)), board), MARGIN,
                 np.ones((3, 1, 1), np.float32), 30.0)  # fmt: skip


def seen(p: Plan) -> tuple[list[F32], Truth]:
    """Light before lens and sensor of all frames, (3, H, W), and their truth."""
    stack, m = compose.sheets(p.scene), p.body.margin
    lights, owners, maps = [], [], []
    for i, take in enumerate(p.takes):
        out = np.empty((4, *p.camera.size), np.float32)
        counts = compose.frame(stack, p.camera, take, out)
        lights.append(out[:3, m:-m, m:-m])
        owners.append(out[3, m:-m, m:-m].astype(np.uint8))
        maps.append(p.maps(i, counts))
    return lights, Truth(lights[0], np.stack(owners), tuple(maps), p.moves())


def at(light: F32, flow: F32) -> F64:
    """`light` where the flow leads, between pixels by the cubic that the scene is moved with."""
    y, x = np.mgrid[: flow.shape[1], : flow.shape[2]].astype(np.float64)
    return compose.bicubic(light, x + flow[0], y + flow[1])


@pytest.mark.parametrize("readout_ms", [0.0, 200.0])
def test_flow_leads_to_the_same_point_of_the_scene(readout_ms: float) -> None:
    p = plan(made(), frames=3, seed=3, lens="ideal", exposure_s=1e-4, iso=100, shake=2.0, readout_ms=readout_ms)
    lights, truth = seen(p)
    for i in (1, 2):
        flow, hidden = truth.flow(i), truth.hidden(i)
        assert np.abs(flow).max() > 3 and 0.005 < hidden.mean() < 0.6
        error = np.abs(at(lights[i], flow) - lights[0]).max(0)
        y, x = np.mgrid[: SIZE[0], : SIZE[1]]
        clear = ~hidden & (np.minimum(x, y) > 12) & (x < SIZE[1] - 12) & (y < SIZE[0] - 12)
        for owner in (0, 1):
            inside = clear & eroded((truth.owner[0] == owner) & ~hidden, 6)
            assert inside.sum() > 800
            # Light changes by up to 4·2π/19 = 1.3 per pixel: 0.02 is 0.015 px, bicubic error of both included.
            assert error[inside].max() < 0.03
            assert error[inside].mean() < 0.006
        wrong = np.abs(at(lights[i], flow + np.float32(0.1)) - lights[0]).max(0)
        assert wrong[clear].mean() > 10 * error[clear & eroded(~hidden, 6)].mean()


def eroded(mask: Any, by: int) -> Any:
    """What lies more than `by` pixels within."""
    for axis in (0, 1):
        mask = np.logical_and.reduce([np.roll(mask, k, axis) for k in range(-by, by + 1)])
    return mask


def test_what_is_hidden_is_covered_or_outside() -> None:
    p = plan(made(), frames=2, seed=3, lens="ideal", exposure_s=1e-4, iso=100, shake=0.0, interval_s=0.2)
    _, truth = seen(p)
    hidden, moving = truth.hidden(1), truth.moving()
    assert moving.any() and not moving.all()
    board_then = truth.owner[1] == 1
    wall_now = truth.owner[0] == 0
    # On a tripod the wall stays: exactly what the board covers then is hidden of it.
    assert np.array_equal(hidden & wall_now, board_then & wall_now)
    assert not hidden[eroded(truth.owner[0] == 1, 3)].any()


def test_flow_follows_a_lens_that_bends() -> None:
    p = plan(made(), frames=2, seed=3, lens="ideal", exposure_s=1e-4, iso=100, shake=2.0)
    bent = dataclasses.replace(p.body.glass, distortion=dataclasses.replace(p.body.glass.distortion, k=(-0.5,)),
                               image_mm=3.0)  # fmt: skip
    plane = p.body.plane
    _, truth = seen(p)

    def ideal(x: Any, y: Any) -> tuple[F64, F64]:
        return lens.ideal(bent, plane, 1, x, y)

    def image(x: Any, y: Any) -> tuple[F64, F64]:
        return lens.image(bent, plane, 1, x, y)

    through = dataclasses.replace(truth, ideal=ideal, image=image)
    straight, flow = truth.flow(1), through.flow(1)
    y, x = 160.0, 40.0  # a pixel of the wall
    u, v = ideal(x, y)
    assert abs(u - x) > 1
    j, i = round(float(v)), round(float(u))
    expected = np.array(image(u + straight[0, j, i], v + straight[1, j, i])) - (x, y)
    assert np.allclose(flow[:, int(y), int(x)], expected, atol=0.02)


def test_step_takes_every_nth_pixel() -> None:
    p = plan(made(), frames=2, seed=3, lens="ideal", exposure_s=1e-4, iso=100)
    _, truth = seen(p)
    assert np.allclose(truth.flow(1, 8), truth.flow(1)[:, ::8, ::8], atol=2e-4)
