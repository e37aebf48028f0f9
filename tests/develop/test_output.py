"""Output: codes are right on average, and no smooth sky has bands."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild.develop import output


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (479, 641)])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("dither", [0.0, 1.0])
def test_kernel_is_twin(shape: tuple[int, int], bits: int, dither: float, rng: np.random.Generator) -> None:
    encoded = rng.uniform(-0.1, 1.1, (3, *shape)).astype(np.float32)
    got, wanted = output.apply(encoded, bits, dither).astype(int), output.twin(encoded, bits, dither).astype(int)
    assert np.abs(got - wanted).max() <= 1
    assert np.mean(got != wanted) < 0.01 if bits == 8 else np.mean(got != wanted) < 0.05


def test_strided_input(rng: np.random.Generator) -> None:
    wide = rng.random((3, 30, 200)).astype(np.float32)
    view = wide[:, 4:27, 31:150]
    np.testing.assert_array_equal(output.apply(view), output.apply(view.copy()))


def test_ends_are_exact() -> None:
    ends = np.stack([np.zeros((40, 40)), np.ones((40, 40)), np.full((40, 40), 2.0)]).astype(np.float32)
    for bits in (8, 16):
        codes = output.apply(ends, bits)
        assert codes[..., 0].max() == 0
        assert codes[..., 1:].min() == 2**bits - 1


@pytest.mark.parametrize("level", [0.1, 0.301, 0.5, 0.777])
def test_dither_keeps_the_mean(level: float) -> None:
    flat = np.full((3, 256, 256), level, np.float32)
    codes = output.apply(flat).astype(np.float64)
    # 4 sigma of the mean of 65,536 independent thresholds would be 0.0078; a low-discrepancy sequence does better.
    np.testing.assert_allclose(codes.mean(axis=(0, 1)), level * 255, atol=0.002)
    blocks = codes.reshape(32, 8, 32, 8, 3).mean(axis=(1, 3))
    assert np.abs(blocks - level * 255).max() < 0.12


def test_a_gradient_has_no_bands() -> None:
    ramp = np.broadcast_to(np.linspace(0.4, 0.42, 512, dtype=np.float32), (3, 64, 512)).copy()
    smooth = output.apply(ramp).astype(np.float64).mean(axis=0)
    banded = output.apply(ramp, dither=0.0).astype(np.float64).mean(axis=0)
    wanted = ramp[0, 0] * 255
    assert np.abs(smooth - wanted[:, None]).max() < 0.1
    assert np.abs(banded - wanted[:, None]).max() > 0.45


def test_channels_are_dithered_apart() -> None:
    flat = np.full((3, 64, 64), 0.5, np.float32)
    codes = output.apply(flat).astype(float)
    together = np.corrcoef(codes.reshape(-1, 3).T)
    assert np.abs(together[np.triu_indices(3, 1)]).max() < 0.6
