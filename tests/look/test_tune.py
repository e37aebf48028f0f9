"""Tune: a simulated person with an ideal, noisy picks, and how near the tuner comes."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild import look
from lichtbild.light import eotf
from lichtbild.look import spec, tune
from lichtbild.look.difference import delta_e, lab
from lichtbild.look.tables import compile, display

KNOBS = tuple(tune.knob(k) for k in tune.DEFAULT)


@pytest.fixture(scope="module")
def tuner() -> tune.Tuner:
    return tune.Tuner(look.load("classic"), KNOBS, seed=3)


def session(tuner: tune.Tuner, ideal: np.ndarray, sheets: int, noise: float, rng: np.random.Generator) -> float:
    """Mean ΔE2000 on probe colours between the ideal look and the tuned one."""
    wanted = tune.seen(tune.turned(tuner.base, KNOBS, ideal), tune.probes())
    for _ in range(sheets):
        sheet = tuner.sheet()
        shown = [tune.seen(tune.turned(tuner.base, KNOBS, z), tune.probes()) for z in sheet]
        far = np.array([np.sqrt(((s - wanted) ** 2).sum(-1)).mean() for s in shown])
        tuner.pick(sheet, int(np.argmin(far + rng.gumbel(0, noise, len(far)) * -1)))
    return distance(tuner.best, tune.turned(tuner.base, KNOBS, ideal))


def distance(one: spec.Look, two: spec.Look) -> float:
    a, b = (lab(display(compile(x, "srgb"), tune.probes())) for x in (one, two))
    return float(delta_e(a, b).mean())


def test_the_polynomial_knows_the_looks(tuner, rng):
    for z in rng.random((6, len(KNOBS))):
        error = tuner._render(z[None])[0] - tune.seen(tune.turned(tuner.base, KNOBS, z), tune.probes())
        assert np.abs(error).mean() < 0.6
    assert tuner.misfit < 0.4


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_ten_sheets_come_near_the_ideal(seed):
    rng = np.random.default_rng(seed)
    ideal = rng.uniform(0.1, 0.9, len(KNOBS))
    tuner = tune.Tuner(look.load("classic"), KNOBS, seed=seed)
    before = distance(tuner.base, tune.turned(tuner.base, KNOBS, ideal))
    after = session(tuner, ideal, 10, 0.4, rng)
    assert before > 2.5 and after < min(1.9, 0.6 * before), (before, after)
    assert tuner.spread.mean() < 0.25, "and the belief has become narrow"


@pytest.mark.slow
def test_the_median_of_many_people():
    after = []
    for seed in range(8):
        rng = np.random.default_rng(100 + seed)
        ideal = rng.uniform(0.05, 0.95, len(KNOBS))
        after.append(session(tune.Tuner(look.load("classic"), KNOBS, seed=seed), ideal, 10, 0.4, rng))
    print("ΔE2000 from the ideal after ten sheets:", np.round(sorted(after), 2))
    assert np.median(after) <= 1.2


def test_the_same_picks_give_the_same_look():
    made = []
    for _ in range(2):
        tuner = tune.Tuner(look.load("classic"), KNOBS[:3], seed=7)
        for index in (3, 0, 5):
            tuner.pick(tuner.sheet(), index)
        made.append(tuner.toml("mine", "classic"))
    assert made[0] == made[1]


def test_a_tuned_look_is_a_file_that_can_be_loaded(tmp_path):
    knobs = tuple(tune.knob(k) for k in ("tone.slope", "chroma.scale", "hue.90.turn_deg", "hue.0.density"))
    tuner = tune.Tuner(look.load("classic"), knobs)
    tuner.pick(tuner.sheet(), 2)
    path = tmp_path / "mine.toml"
    path.write_text(tuner.toml("mine", "classic"))
    found, best = look.load(path), tuner.best
    assert found.tone.slope == pytest.approx(best.tone.slope) and found.name == "mine"
    assert {h.at_deg: h for h in found.hue} == {h.at_deg: h for h in best.hue}
    np.testing.assert_allclose(tune.place(found, knobs), tuner.mean, atol=1e-3)


def test_probes_are_seen_as_the_display_shows_them():
    grey = tune.seen(look.load("neutral"), np.full((1, 3), 0.18))
    shown = eotf(display(compile(look.load("neutral"), "srgb"), np.full((1, 3), 0.18)))
    assert grey[0, 0] == pytest.approx(100 * np.cbrt(shown.mean()), abs=0.3) and abs(grey[0, 1:]).max() < 0.2


@pytest.mark.parametrize("key", ["tone.slop", "hue.45.turn_deg", "hue.30.twist", "spatial.grain", "", "hue", "tone."])
def test_unknown_knobs_are_named(key):
    with pytest.raises(look.LookError, match="knob"):
        tune.knob(key)


def test_a_pick_outside_the_sheet_is_refused(tuner):
    with pytest.raises(look.LookError, match=r"expected 0\.\.8"):
        tuner.pick(tuner.sheet(), 9)
