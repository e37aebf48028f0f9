"""Black and white: three weights, against what film and filter make of a whole spectrum."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild import look
from lichtbild.look import colour, mono

FILMS, FILTERS = tuple(mono._EDGE_NM), tuple(mono._BAND_NM)


def natural(rng: np.random.Generator, count: int = 500) -> np.ndarray:
    """Smooth random reflectances (count, n), others than those the weights were fitted to: logistic sums of waves."""
    turns = np.linspace(0, 1, len(mono._NM))[:, None] * np.arange(1, 4) * np.pi
    waves = np.concatenate([np.cos(turns), np.sin(turns)], axis=1)
    amount = rng.normal(0, 1, (count, 6)) * np.tile([1.0, 0.6, 0.3], 2)
    return 1 / (1 + np.exp(-(rng.normal(-1, 0.8, (count, 1)) + amount @ waves.T)))


# Three channels cannot see what a deep filter does at one end of the spectrum.
DEEP = {("pan", "red"): 0.06, ("red", "red"): 0.12, ("red", "orange"): 0.06, ("red", "yellow"): 0.05,
        ("red", "none"): 0.04, ("ortho", "orange"): 0.03, ("ortho", "red"): 0.025}  # fmt: skip


@pytest.mark.parametrize("film", FILMS)
@pytest.mark.parametrize("filter_", FILTERS)
def test_weights_come_near_the_integral_over_the_spectrum(film: str, filter_: str, rng: np.random.Generator) -> None:
    """RMS of the exposure of smooth reflectances: 2 % of white, but for the deep filters."""
    paints = natural(rng)
    error = mono.rec2020(paints) @ mono.weights(film, filter_) - mono.exposure(film, filter_, paints)
    assert np.sqrt(np.mean(error**2)) < DEEP.get((film, filter_), 0.04 if filter_ == "blue" else 0.02)
    assert sum(mono.weights(film, filter_)) == pytest.approx(1.0)


def test_the_chart_of_24_patches() -> None:
    """Measured reflectances of somebody else: pan and ortho films with the filters that landscapes know."""
    reference = pytest.importorskip("colour")
    spectra = reference.SDS_COLOURCHECKERS["BabelColor Average"].values()
    patches = np.array([np.interp(mono._NM, s.wavelengths, s.values) for s in spectra])
    for film, filter_ in (("pan", "none"), ("pan", "yellow"), ("pan", "orange"), ("pan", "green"), ("ortho", "none")):
        error = mono.rec2020(patches) @ mono.weights(film, filter_) - mono.exposure(film, filter_, patches)
        assert np.sqrt(np.mean(error**2)) < 0.02


def test_filters_do_what_photographers_use_them_for() -> None:
    sky, leaf, lips, white = (
        np.array([0.18, 0.30, 0.55]),
        np.array([0.10, 0.18, 0.05]),
        np.array([0.4, 0.1, 0.1]),
        np.ones(3),
    )

    def grey(colour: np.ndarray, film: str, filter_: str = "none") -> float:
        return float(colour @ mono.weights(film, filter_))

    steps = [grey(sky, "pan", f) for f in ("blue", "none", "yellow", "orange", "red")]
    assert np.all(np.diff(steps) < 0)
    assert grey(leaf, "pan", "green") > grey(leaf, "pan") and grey(leaf, "red") > 0
    assert grey(lips, "ortho") < grey(lips, "pan") < grey(lips, "pan", "red")
    assert all(grey(white, film, f) == pytest.approx(1.0) for film in FILMS for f in FILTERS)


def test_a_look_of_film_is_grey() -> None:
    for name in ("bw", "bw-red", "bw-ortho"):
        wanted = look.load(name)
        rows = colour.into_rendering(wanted)
        np.testing.assert_allclose(rows, np.tile(mono.weights(wanted.mono.film, wanted.mono.filter), (3, 1)))
        shown = look.display(look.compile(wanted), np.array([[0.3, 0.1, 0.05], [0.05, 0.1, 0.4]]))
        assert np.ptp(shown, axis=1).max() < 1e-6
