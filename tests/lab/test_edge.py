"""Slanted edges: the MTF of edges that are known exactly, at all angles, in noise, and what is no edge."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lichtbild.lab import edge

FREQUENCY = np.linspace(0, 0.5, 51)


def exact(angle_deg: float, sigma_px: float) -> np.ndarray:
    """MTF of a Gaussian and of square pixels along the normal."""
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    aperture = np.abs(np.sinc(FREQUENCY * c) * np.sinc(FREQUENCY * s))
    return np.exp(-2 * (np.pi * sigma_px * FREQUENCY) ** 2) * aperture


def region(angle_deg: float, sigma_px: float, shift_px: float = 0.2) -> np.ndarray:
    size = (100, 64) if abs(math.cos(math.radians(angle_deg))) > 0.7 else (64, 100)
    return edge.slanted(*size, angle_deg, sigma_px, shift_px, 0.1, 0.9)


@pytest.mark.parametrize("angle", [2.0, 5.0, 12.0, 30.0, 41.0, -7.0, 85.0, 95.0, 187.0, -100.0])
@pytest.mark.parametrize("sigma", [0.25, 0.6, 1.4])
def test_clean_edges_are_measured_exactly(angle, sigma):
    found = edge.measure(region(angle, sigma), reach_px=16)
    np.testing.assert_allclose(found.mtf(FREQUENCY), exact(angle, sigma), atol=1e-4)
    assert (found.angle_deg - angle + 180) % 360 - 180 == pytest.approx(0, abs=1e-3)
    assert (found.low, found.high) == pytest.approx((0.1, 0.9), abs=1e-3)


def test_a_pixel_holds_the_mean_of_its_light():
    fine = edge.slanted(8 * 12, 8 * 16, 20.0, 0.0, 1.6)
    coarse = edge.slanted(12, 16, 20.0, 0.0, 0.2)
    np.testing.assert_allclose(fine.reshape(12, 8, 16, 8).mean((1, 3)), coarse, atol=1e-12)
    assert coarse.min() == 0 and coarse.max() == pytest.approx(1)


def test_mtf50_of_a_gaussian():
    sigma = 0.8
    found = edge.measure(region(5.0, sigma), reach_px=16)
    f = np.linspace(0, 1, 100001)
    c, s = math.cos(math.radians(5)), math.sin(math.radians(5))
    model = np.exp(-2 * (np.pi * sigma * f) ** 2) * np.abs(np.sinc(f * c) * np.sinc(f * s))
    assert found.mtf_at(0.5) == pytest.approx(f[np.argmax(model < 0.5)], abs=2e-4)


def test_noise_costs_what_theory_says(rng):
    """sd of MTF(f) ≈ √2·π·f·(σ/ΔI)·√(W/H) for a window of W pixels and H rows: unbiased and no worse than 1.5 of it."""
    clean, noise = region(5.0, 0.6), 0.8 / 50
    at = np.array([0.1, 0.25, 0.5])
    runs = np.stack([
        edge.measure(clean + noise * rng.standard_normal(clean.shape), reach_px=10).mtf(at) for _ in range(30)
    ])  # fmt: skip
    theory = math.sqrt(2) * math.pi * at * (1 / 50) * math.sqrt(20 / 100)
    assert np.all(runs.std(0) < 1.5 * theory)
    bias = runs.mean(0) - exact(5.0, 0.6)[[10, 25, 50]]
    assert np.all(
        np.abs(bias) < 4 * theory / math.sqrt(30) + theory**2 / 0.2
    )  # a modulus of noise is not quite unbiased


@pytest.mark.parametrize(
    ("light", "words"),
    [
        (np.full((40, 40), 0.5), "even"),
        (np.zeros((40, 40)), "even"),
        (np.ones((8, 40)), "16x16"),
        (np.ones((3, 40, 40)), "16x16"),
        (np.full((40, 40), np.nan), "not numbers"),
        (np.where(np.arange(40)[:, None] > 30, 1.0, 0.0) * (np.arange(40) > 30), "rows"),
    ],
)
def test_what_is_no_edge_is_refused_in_one_line(light, words):
    with pytest.raises(edge.EdgeError, match=words) as caught:
        edge.measure(light)
    assert "\n" not in str(caught.value)
