"""The hand: its rates have the strengths and the spectrum that it declares, and a tripod has none."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild.simulate import shake


def test_rates_have_the_declared_strength_and_spectrum() -> None:
    rates, power = [], []
    t = np.arange(0, 20, 0.01)
    for seed in range(16):
        yaw = np.degrees(shake.hand(seed).pose(t)[:, 0])
        rate = np.diff(yaw) / 0.01
        rates.append(rate.std())
        power.append(np.abs(np.fft.rfft(rate * np.hanning(len(rate)))) ** 2)
    declared = np.hypot(shake.DRIFT_DEG_S, shake.TREMOR_DEG_S)
    assert np.mean(rates) == pytest.approx(declared, rel=0.08)
    frequency = np.fft.rfftfreq(len(t) - 1, 0.01)
    mean = np.mean(power, axis=0)

    def band(low: float, high: float) -> float:
        inside = (frequency >= low) & (frequency < high)
        return float(mean[inside].sum())

    def due(low: float, high: float) -> float:
        f = np.linspace(low, high, 400)
        return float(np.trapezoid(shake.rate_spectrum(f, shake.DRIFT_DEG_S, shake.TREMOR_DEG_S), f))

    for low, high in ((0.5, 1), (1, 2), (2, 4), (4, 7), (7, 13)):
        assert band(low, high) / band(0.5, 13) == pytest.approx(due(low, high) / due(0.5, 13), rel=0.25)


def test_correlated_in_time_and_zero_at_the_reference() -> None:
    hand = shake.hand(1)
    assert not hand.pose(np.zeros(1)).any()
    step = np.abs(np.degrees(hand.pose(np.array([0.001]))[0, :3]))
    far = np.abs(np.degrees(hand.pose(np.array([1.0]))[0, :3]))
    assert step.max() < 0.003 and 0.01 < far.max() < 2
    assert not shake.hand(1, 0.0).pose(np.linspace(0, 1, 5)).any()
    assert not np.array_equal(shake.hand(2).phase, hand.phase)
