"""Noise: known Poisson-Gauss mosaics give back their line; what cannot be told is assumed and said so."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from conftest import SHARED, needs_shared

from lichtbild.develop import noise
from lichtbild.types import Exposure, Frame, Noise, replace


def _frame(light, iso, rng, black=512.0, white=16383.0, shape=(1, 1, 1)):
    a, b = noise.assumed(iso).scale[0], noise.assumed(iso).offset[0]
    noisy = light + rng.standard_normal(light.shape) * np.sqrt(a * light + b)
    dn = np.clip(np.round(black + noisy * (white - black)), 0, 65535).astype(np.uint16)
    dn = np.minimum(dn, np.uint16(white))
    return Frame(pathlib.Path("x"), "RGGB", dn, None, np.full(shape, black, np.float32), (white,)), a, b


def _scene(rng, shape=(1200, 1600)):
    """Smooth light with some texture: a ramp, a grating in one corner, steps."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    light = 0.02 + 0.75 * (x / shape[1]) ** 2
    light = light * np.where(y // 200 % 2, 1.0, 0.6)
    light[: shape[0] // 3, : shape[1] // 2] *= 1 + 0.5 * np.sin(x * 1.1 + y * 0.7)[: shape[0] // 3, : shape[1] // 2]
    return light


@pytest.mark.parametrize("iso", [100, 400, 1600])
def test_line_of_a_simulated_frame(rng, iso):
    frame, a, b = _frame(_scene(rng), iso, rng)
    found = noise.measure(frame)
    assert found.origin == "estimated"
    assert found.scale[0] == pytest.approx(a, rel=0.15)
    grey = np.sqrt((found.scale[0] * 0.18 + found.offset[0]) / (a * 0.18 + b))
    assert grey == pytest.approx(1, abs=0.10)


def test_clipped_light_does_not_count(rng):
    light = np.minimum(_scene(rng) * 2.5, 1.2)
    frame, a, b = _frame(light, 1600, rng)
    found = noise.estimate(frame)
    assert np.sqrt((found.scale[0] * 0.3 + found.offset[0]) / (a * 0.3 + b)) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("roughness", "contrast", "most"), [(1.2, 0.1, 1.15), (1.4, 0.25, 1.2), (1.7, 0.25, 1.05)])
def test_texture_is_not_noise(rng, roughness, contrast, most):
    """A scene that is texture everywhere, its amplitude falling with 1/f^roughness."""
    shape = (1024, 1024)
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) / np.maximum(f, 0.01) ** roughness
    texture = np.fft.irfft2(spectrum, shape)
    light = 0.2 * np.exp(contrast * texture / texture.std())
    frame, a, b = _frame(light, 400, rng)
    found = noise.estimate(frame)
    sigma = np.sqrt((found.scale[0] * 0.18 + found.offset[0]) / (a * 0.18 + b))
    assert 0.9 < sigma < most


def test_profile_of_the_file_wins_if_sane(rng):
    frame, _, _ = _frame(_scene(rng), 400, rng)
    said = Noise((1e-4,) * 3, (1e-6,) * 3)
    assert noise.measure(replace(frame, noise=said)) is said
    for bad in (Noise((np.nan,) * 3, (0.0,) * 3), Noise((0.0,) * 3, (0.0,) * 3), Noise((-1e-4,) * 3, (1e-6,) * 3)):
        assert noise.measure(replace(frame, noise=bad)).origin == "estimated"


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (400, 600)])
def test_a_frame_of_one_number_has_no_noise_whatever_it_says(shape):
    flat, black = np.full(shape, 64, np.uint16), np.full((2, 2, 1), 64, np.float32)
    flat[-1, -1] += 100 * (flat.size > 4000)  # a bad pixel is no noise
    said = noise.assumed(800)
    frame = Frame(pathlib.Path("x"), "GBRG", flat, None, black, (1023.0,), exposure=Exposure(iso=800), noise=said)
    found = noise.measure(frame)
    assert found.origin == "estimated" and found.scale == (0.0,) * 3
    assert found.offset == pytest.approx([1 / (12 * 959**2)] * 3)


def test_black_with_noise_and_tiny_frames_are_assumed(rng):
    black = np.full((2, 2, 1), 64, np.float32)
    for shape in ((4, 3), (20, 30)):
        dark = rng.integers(62, 67, shape, np.uint16)
        frame = Frame(pathlib.Path("x"), "GBRG", dark, None, black, (1023.0,), exposure=Exposure(iso=800))
        assert noise.measure(frame) == noise.assumed(800)
        profile = replace(frame, noise=Noise((1e-4,) * 3, (1e-6,) * 3))
        assert noise.measure(profile) is profile.noise


def test_one_level_of_light_is_told_at_that_level(rng):
    frame, a, b = _frame(np.full((600, 800), 0.18), 400, rng)
    found = noise.measure(frame)
    assert np.sqrt((found.scale[0] * 0.18 + found.offset[0]) / (a * 0.18 + b)) == pytest.approx(1, abs=0.1)


def test_linear_raw_and_monochrome(rng):
    mono, a, b = _frame(_scene(rng), 400, rng)
    planes = np.stack([mono.mosaic] * 3)
    for frame in (replace(mono, cfa="MONO"), replace(mono, cfa="RGB", mosaic=None, rgb=planes, white=(16383.0,) * 3)):
        found = noise.measure(frame)
        assert np.sqrt((found.scale[0] * 0.18 + found.offset[0]) / (a * 0.18 + b)) == pytest.approx(1, abs=0.1)


@needs_shared
def test_camera_that_smooths_shows_less_than_it_says():
    import lichtbild

    frame = lichtbild.open(SHARED / "raw" / "gopro_hero6_mural_iso100.dng").reference
    assert noise.measure(frame).origin == "NoiseProfile"
    seen, said = noise.estimate(frame), frame.noise
    ratio = (seen.scale[1] * 0.5 + seen.offset[1]) / (said.scale[1] * 0.5 + said.offset[1])
    assert 0.01 < ratio < 2
