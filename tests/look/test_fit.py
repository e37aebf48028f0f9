"""Fit: looks of the house are found again from what they do; a look survives its file."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from conftest import SHARED, needs_shared

from lichtbild import look
from lichtbild.look import fit, lint, lut, search, spec
from lichtbild.look.difference import delta_e, lab
from lichtbild.types import F64


def test_a_look_is_found_again() -> None:
    before = look.display(look.compile(look.load("neutral")), lint.nature(500))
    after = look.display(look.compile(look.load("slide")), lint.nature(500))
    found = fit.of_colours(before, after, "mine")
    assert found.mean < 1.0 and found.p95 < 2.5
    assert found.blind_deg == ()


def test_hues_without_colours_stay() -> None:
    grey = np.repeat(np.linspace(0.02, 0.95, 80)[:, None], 3, axis=1)
    found = fit.of_colours(grey, grey**1.1, "grey")
    assert len(found.blind_deg) == 12
    assert found.mean < 0.7
    assert max(abs(node.turn_deg) for node in found.look.hue) < 0.5


def test_a_table_becomes_a_look(tmp_path: pathlib.Path) -> None:
    r, g, b = np.moveaxis(lut.grid(9).reshape(9, 9, 9, 3), -1, 0)
    values = np.stack([r**1.1, g**1.15, 0.9 * b**1.1 + 0.1 * g**1.1], -1).astype(np.float32)
    path = tmp_path / "mine.cube"
    path.write_text(lut.cube_text(values, "mine", []))
    assert fit.of_table(path, "mine").mean < 1.5


def unseen(found: look.Look, after: Callable[[F64], F64]) -> tuple[float, float]:
    """ΔE2000, mean and 95 %, on natural colours that the fit did not see."""
    before = look.display(look.compile(look.load("neutral")), lint.nature(2400))[1::2]
    error = delta_e(lab(search.render(found, fit.scene_of(before))), lab(after(before)))
    return float(error.mean()), float(np.percentile(error, 95))


@needs_shared
@pytest.mark.parametrize("name", ["Fuji_Velvia_50", "Kodak_Portra_160_NC_2"])
def test_tables_of_others(name: str) -> None:
    path = SHARED / "looks" / f"{name}.png"
    table = lut.read(path)
    mean, p95 = unseen(fit.of_table(path, "theirs").look, lambda b: np.clip(lut.twin(b, table), 0.0, 1.0))
    assert mean <= 1.0 and p95 <= 2.5


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in look.names() if look.load(n).mono.film == "none"])
def test_looks_of_the_house(name: str) -> None:
    shown = look.compile(look.load(name))
    before = look.display(look.compile(look.load("neutral")), lint.nature(2400))[::2]
    found = fit.of_colours(before, look.display(shown, fit.scene_of(before)), "mine")
    mean, p95 = unseen(found.look, lambda b: look.display(shown, fit.scene_of(b)))
    assert mean <= 1.0 and p95 <= 2.5


@pytest.mark.parametrize("name", look.names())
def test_a_look_survives_its_file(name: str, tmp_path: pathlib.Path) -> None:
    wanted = look.load(name)
    path = tmp_path / "again.toml"
    path.write_text(fit.to_toml(wanted))
    moved = tuple(h for h in wanted.hue if (h.turn_deg, h.sat_log2, h.density) != (0, 0, 0))
    assert dataclasses.replace(look.load(path), artistic=wanted.artistic) == dataclasses.replace(wanted, hue=moved)


def test_too_few_colours() -> None:
    with pytest.raises(spec.LookError, match="at least 30 pairs"):
        fit.of_colours(np.zeros((3, 3)), np.zeros((3, 3)), "x")
