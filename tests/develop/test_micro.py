"""Micro: kernels equal the twin; octaves are raised apart, edges are not; the same on every size of picture."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lichtbild import look
from lichtbild.develop import micro, tone
from lichtbild.look.spec import Micro

NOTHING = (0.0, 0.0)  # of gain


def wanted(**per_mm: float) -> look.Look:
    return dataclasses.replace(look.load("neutral"), micro=Micro(**per_mm))


ALL = wanted(per_mm_1=1.5, per_mm_2=1.5, per_mm_4=1.5, per_mm_8=1.5)


def seen(ev: np.ndarray, chosen: look.Look, long_side_px: int = 0) -> np.ndarray:
    """Stops over mid grey (H, W) of a grey picture of `ev` behind the look's textures alone."""
    rgb = np.stack([0.18 * np.exp2(ev)] * 3).astype(np.float32)
    rows, columns = (n // 4 for n in ev.shape)
    proxy = np.ascontiguousarray(rgb.reshape(3, rows, 4, columns, 4).mean((2, 4), dtype=np.float32))
    flat = np.zeros((rows, columns), np.float32)
    table = micro.apply(tone.ToneMap(flat, flat, 2.0**-14, *NOTHING), proxy, chosen, long_side_px or ev.shape[1], 0.0)
    return np.log2(tone.apply(rgb, table)[1] / 0.18)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 5), (160, 119), (241, 379)])
def test_kernels_equal_twin(size: tuple[int, int], rng: np.random.Generator) -> None:
    ev = np.cumsum(rng.normal(0, 0.4, size), axis=1) + rng.normal(0, 0.2, size)
    scene = np.exp2(np.clip(np.stack([ev, ev + 0.2, ev - 0.3]), -10, 6)).astype(np.float32)
    added = np.array([0.5, 0.3, -0.3, 0.2, 0.1, 0.0, 0.4], np.float32)
    got = micro.measure(scene, added, 2.0**-8, 0.7)
    np.testing.assert_allclose(got, micro.twin(scene, added, 2.0**-8, 0.7), atol=2e-3)


@pytest.mark.parametrize("step_ev", [1.5, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("at_ev", [0.0, 0.6])
def test_edges_get_no_halo(step_ev: float, at_ev: float) -> None:
    """With all octaves raised by a half, light beside an edge is within 1 % of what it was."""
    ev = np.full((64, 1024), at_ev - step_ev / 2)
    ev[:, 513:] += step_ev
    over = np.exp2(seen(ev, ALL, 4000) - ev)
    assert over.min() > 0.99 and over.max() < 1.01


def test_each_octave_is_raised_by_itself_at_every_size() -> None:
    """Waves of a sixth of a stop: the octave that is asked for gets most, two octaves away little happens."""
    found = np.empty((2, 3, 3))
    for k, size in enumerate((4000, 8000)):
        for i, per_mm in enumerate((1, 2, 4)):
            ev = 0.15 * np.sin(2 * np.pi * np.arange(2048) / (size / 36 / per_mm)) + np.zeros((32, 1))
            for j, raised in enumerate((1, 2, 4)):
                got = seen(ev, wanted(**{f"per_mm_{raised}": 1.5}), size)
                found[k, i, j] = got[16, 512:-512].std() / ev[0, 512:-512].std() - 1
            assert seen(ev, ALL, size)[16, 512:-512].std() > 1.3 * ev[0, 512:-512].std()
    assert (found.argmax(axis=2) == np.arange(3)).all()
    assert np.diagonal(found, axis1=1, axis2=2).min() > 0.15
    assert found[:, (0, 2), (2, 0)].max() < 0.05
    np.testing.assert_allclose(found[0], found[1], atol=0.03)


def test_nothing_happens_where_nothing_is_asked() -> None:
    flat = np.zeros((10, 12), np.float32)
    table, scene = tone.ToneMap(flat, flat, 0.01, 0.0, 0.0), np.ones((3, 10, 12), np.float32)
    assert micro.apply(table, scene, look.load("neutral"), 48, 0.0) is table
    assert micro.apply(table, scene, ALL, 48, 0.0, 0.0) is table
    ev = np.full((64, 64), -2.0)
    np.testing.assert_allclose(seen(ev, ALL), ev, atol=1e-4)
