"""Detail: kernel equals twin; edges get steeper without halos, flat noise is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild.develop import detail
from lichtbild.types import Encoding

ENCODING = Encoding(50000.0, (0.01,) * 3, (300.0, 250.0, 300.0))


def _edge(blur=0.6, low=15000.0, high=30000.0):
    y, x = np.mgrid[:128, :128]
    distance = (x - 64) * np.cos(0.1) + (y - 64) * np.sin(0.1)
    return distance, np.stack([low + (high - low) / (1 + np.exp(-1.7 * distance / blur))] * 3)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (33, 20), (641, 479)])
def test_kernel_equals_twin(rng, shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    base = 12000 + 30 * x + 9000 * ((x // 7 + y // 5) % 2)
    code = np.clip(base + rng.standard_normal((3, *shape)) * 200, 0, 65535).astype(np.uint16)
    table = detail.prepare(ENCODING, {"detail": {"amount": 1.0}})
    difference = detail.apply(code, table).astype(int) - detail.twin(code, table)
    # The kernel counts in steps of 4 codes and rounds after each stage.
    assert np.abs(difference).max() <= 30 and np.abs(difference).mean() < 4


def test_strided_views(rng):
    code = rng.integers(0, 65535, (3, 60, 80), dtype=np.uint16)
    table, view = detail.prepare(ENCODING), code[:, 3:40, 5:77]
    assert np.array_equal(detail.apply(view, table), detail.apply(np.ascontiguousarray(view), table))


@pytest.mark.parametrize("blur", [0.6, 0.9, 1.4])
def test_edges_get_steeper_without_halo(blur):
    distance, edge = _edge(blur)
    found = detail.apply(edge.astype(np.uint16), detail.prepare(ENCODING)).astype(float)
    near = np.abs(distance) < 0.7
    assert np.polyfit(distance[near], found[1][near], 1)[0] > 1.04 * np.polyfit(distance[near], edge[1][near], 1)[0]
    span = edge.max() - edge.min()
    assert found.max() - edge.max() < 0.03 * span and edge.min() - found.min() < 0.03 * span


def test_noise_left_by_denoise_is_not_sharpened(rng):
    code = np.clip(20000 + rng.standard_normal((3, 200, 200)) * 60, 0, 65535).astype(np.uint16)
    found = detail.apply(code, detail.prepare(ENCODING))
    assert found.std() < 1.05 * code.std()


def test_parameters_act():
    _, edge = _edge()
    code = edge.astype(np.uint16)

    def changed(**values):
        found = detail.apply(code, detail.prepare(ENCODING, {"detail": values})).astype(float)
        return np.abs(found - code).mean()

    assert changed(amount=0.0) == 0
    assert changed(amount=0.3) < changed(amount=0.9)
    assert changed(radius=0.4) < changed(radius=0.8)
