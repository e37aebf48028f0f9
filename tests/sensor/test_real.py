"""The noise of real cameras, simulated from what is declared of them, is what their files show.

The raw photograph came through a wavelet codec that thins its noise near black and white; it is right at 1850..2000 DN.
There the picture shows a concrete path, whose grain no estimator can tell from noise, and a painted wall. So the wall
is measured, and by what the two greens of a cell differ: the paint they share cancels. The median of small patches
leaves out edges. Its 422 patches know the noise to 2 % (bootstrap), and another cut of the wall gives up to 4 % else.
"""

from __future__ import annotations

import numpy as np
import pytest
from conftest import SHARED, needs_shared
from PIL import Image

from lichtbild import raw, sensor
from lichtbild.types import F64, Exposure, Noise

WALL = (slice(320, 1640), slice(1800, 3400))  # rows and columns of the mosaic
PATCH = 8
LOW_DN, HIGH_DN = 1850, 2000


def patches(plane: F64) -> F64:
    """(n, PATCH²) of a plane."""
    h, w = (n // PATCH * PATCH for n in plane.shape)
    cut = plane[:h, :w].reshape(h // PATCH, PATCH, w // PATCH, PATCH)
    return cut.swapaxes(1, 2).reshape(-1, PATCH * PATCH)


def greens(mosaic: F64) -> tuple[F64, F64]:
    """Mean of both greens, and their difference with the noise of one, of the patches that are of the level."""
    first, second = patches(mosaic[0::2, 1::2]), patches(mosaic[1::2, 0::2])
    level = (first + second).mean(1) / 2
    chosen = (level > LOW_DN) & (level < HIGH_DN)
    return level[chosen], ((first - second)[chosen] / np.sqrt(2)).var(1, ddof=1)


@needs_shared
def test_profile_of_a_real_camera_gives_its_noise() -> None:
    frame = raw.open(SHARED / "raw" / "gopro_hero6_mural_iso100.dng")
    assert frame.mosaic is not None and frame.noise is not None and frame.cfa == "RGGB"
    level, variance = greens(frame.mosaic[WALL].astype(np.float64))
    assert len(level) > 300
    s = sensor.with_noise(sensor.load("imx477"), frame.noise, int(frame.black.max()), int(frame.white[0]), cfa="RGGB")
    # Patches of the same levels, many times.
    light = np.zeros((3, PATCH * 64, PATCH * len(level)), np.float32)
    light[0] = np.repeat(level, PATCH).astype(np.float32) / s.gain(100)
    electrons = np.array([[1.0, 0, 0]] * 3)
    mosaic = sensor.expose(light, s, Exposure(100, 0.01, 2.0), mix=electrons).astype(np.float64)
    made = patches(mosaic).var(1, ddof=1)
    assert abs(np.median(variance) / np.median(made) - 1) < 0.03


@needs_shared
@pytest.mark.parametrize("step", ["009", "018", "027", "036"])
def test_reference_set_of_emva1288(step: str) -> None:
    """A 12-bit CCD of which K = 0.278 DN/e- and 3.07 DN of dark noise are published: variance of its flats."""
    folder = SHARED / "noise_emva1288_ccd12" / "images"

    def pair(kind: str) -> tuple[float, float]:
        a, b = (np.asarray(Image.open(folder / f"{kind}_{step}_snap_00{n}.png"), np.float64) for n in (1, 2))
        return float((a + b).mean() / 2), float((a - b).var() / 2)

    (level, variance), (black, _) = pair("b"), pair("d")
    span = 4095 - round(black)
    noise = Noise((0.278 / span,) * 3, ((3.07 / span) ** 2,) * 3)
    s = sensor.with_noise(sensor.load("mono"), noise, round(black), 4095)
    light = np.zeros((3, 480, 640), np.float32)
    light[0] = (level - round(black)) / s.gain(100)
    mix = np.array([[1.0, 0, 0]])
    a, b = (sensor.expose(light, s, Exposure(100, 0.01, 2.0), frame=n, mix=mix).astype(np.float64) for n in (1, 2))
    assert a.mean() == pytest.approx(level, rel=1e-3)
    assert (a - b).var() / 2 == pytest.approx(variance, rel=0.05)
