"""Fit how probable each light is at night (develop/_night_white.csv) to simulated places whose light is known.

    python -m bench.fit_white [--places N]        writes the table that lichtbild ships, from seeds alone
    python -m bench.fit_white --hold-out          for each sensor of bench/white.py: fits without it, measures on it

Half of the places are patches of natural colours that cover each other, half are the scenes of our own, most of them
as surfaces under other lamps (bench/white.py has the lamps), the rest under the lights they were drawn with. Neither
their seeds nor the pictures on which bench/white.py measures are among them. Softmax regression with smooth filters:
the loss is the cross-entropy of the true light's bin plus the roughness of the tables, and convex.
Source: [Barron2017].
"""

from __future__ import annotations

import argparse
from typing import NamedTuple
from unittest import mock

import numpy as np

from lichtbild import scene, sensor
from lichtbild.develop import _auto_white, _camera, _night_white
from lichtbild.develop._night_white import BINS
from lichtbild.scene._grid import enlarge
from lichtbild.types import F64

from . import white

SENSORS = (*white.SENSORS, "imx219", "phone-1-2-inch", "phone-tele")
FIRST_SEED = 1000  # of scenes; bench/white.py takes those below
ROUGHNESS = 1e-3  # chosen among 3e-4, 1e-3, 3e-3 by the error on places that were not fitted
LEVEL = 0.02  # of what is penalised beside roughness: the size of the tables themselves
SIZE = white.SIZE


def texture(rng: np.random.Generator) -> F64:
    """(h, w): noise whose amplitude falls as 1/f, of standard deviation 1."""
    f = np.hypot(np.fft.fftfreq(SIZE[0])[:, None], np.fft.rfftfreq(SIZE[1])[None])
    f[0, 0] = 1
    made = np.fft.irfft2((rng.normal(size=f.shape) + 1j * rng.normal(size=f.shape)) / f**0.9, s=SIZE)
    return np.asarray(made / made.std(), np.float64)


def colour(rng: np.random.Generator, usual: F64) -> F64:
    """(2,): ln R/G and ln B/G of a surface: grey, near what is `usual` in this place, of leaves, or of paint."""
    kind = rng.random()
    if kind < 0.3:
        found = rng.normal(0, 0.05, 2) + 0.3 * usual
    elif kind < 0.8:
        found = usual + rng.multivariate_normal((0, 0), [[0.05, -0.02], [-0.02, 0.14]])
    elif kind < 0.92:
        found = rng.normal((-0.25, -0.6), (0.12, 0.25))
    else:
        found = rng.standard_t(3, 2) * (0.3, 0.4)
    return np.clip(found, -1.8, 1.5)


def patches(rng: np.random.Generator) -> F64:
    """(3, h, w): reflectances of 6..150 patches that cover each other; the numbers are ours, by eye."""
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]] / SIZE[1]
    usual = rng.multivariate_normal((0.06, -0.16), [[0.014, -0.006], [-0.006, 0.04]])
    chroma = np.broadcast_to(colour(rng, usual)[:, None, None], (2, *SIZE)).copy()
    dark = np.full(SIZE, rng.normal(np.log(0.2), 0.6))
    largest = np.exp(rng.uniform(np.log(0.1), np.log(0.6)))
    for _ in range(int(np.exp(rng.uniform(np.log(6), np.log(150))))):
        size, angle, flat = largest * rng.uniform(0.05, 1) ** 1.5, rng.uniform(0, np.pi), rng.uniform(0.3, 1)
        dx, dy = x - rng.uniform(-0.05, 1.05), y - rng.uniform(-0.05, 0.72)
        u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        square = rng.random() < 0.4
        here = (abs(u) < size) & (abs(v) < size * flat) if square else u**2 + (v / flat) ** 2 < size**2
        chroma[:, here] = colour(rng, usual)[:, None]
        dark[here] = rng.normal(np.log(0.16), 0.75)
    green = np.exp(np.minimum(dark + texture(rng) * rng.uniform(0.1, 0.5), 0))
    chroma += np.stack([texture(rng), texture(rng)]) * rng.uniform(0.02, 0.1)
    made = np.stack([green * np.exp(chroma[0]), green, green * np.exp(chroma[1])])
    return np.asarray(made / np.maximum(1, made.max(0)), np.float64)


def own(rng: np.random.Generator, seed: int) -> tuple[F64, F64]:
    """(3, h, w) radiance of one of our scenes, and the light that a card would have in each place."""
    specs = (
        (6, {"name": "street", "lux": 1.0, "lit": float(rng.uniform(0.1, 0.6)), "wet": float(rng.uniform(0, 1))}),
        (3, {"name": "interior", "day": 0.0}), (2, {"name": "interior", "lamp": False}),
        (3, {"name": "bust", "place": "street", "tone": int(rng.integers(1, 11))}),
        (2, {"name": "bust", "place": "garden", "tone": int(rng.integers(1, 11))}),
        (2, {"name": "foliage", "sun": 0.01}), (2, {"name": "lake", "lux": 3.0}),
    )  # fmt: skip
    share = np.array([n for n, _ in specs], np.float64)
    spec = specs[rng.choice(len(specs), p=share / share.sum())][1]
    drawn = scene.render(spec, SIZE, FIRST_SEED + seed, 0)
    return drawn.cropped().astype(np.float64), enlarge(drawn.illuminant, SIZE).astype(np.float64)


class Example(NamedTuple):
    """What a sensor saw of a place, histograms (2, BINS, BINS), and the log-chroma (2,) of its light."""

    sensor: str
    seen: F64
    light: F64


def example(seed: int) -> Example | None:
    """A place seen by one of SENSORS; None where too little is seen."""
    rng = np.random.default_rng([101, seed])
    if rng.random() < 0.55:
        light = white.lamps(rng)
        radiance = patches(rng) * light
    else:
        radiance, light = own(rng, seed)
        if rng.random() < 0.75:
            surfaces = np.minimum(radiance / np.maximum(light, 1e-3 * light.max()), 8)
            light = white.lamps(rng)
            radiance = surfaces * light
    at, name = white.truth(light), SENSORS[rng.integers(len(SENSORS))]
    proxy, chip = white.seen(radiance, name, at, rng), sensor.load(name)
    camera = _camera.read(sensor.camera_colour(chip))
    reference = _auto_white.reference(camera)
    rgb, use = _auto_white.reduce(proxy)
    if int(use.sum()) < _auto_white.MIN_USED:
        return None
    light = _auto_white.chroma(camera.neutral(at)) - reference
    return Example(name, _night_white.histograms(rgb, use, reference), light)


def fit(seen: F64, lights: F64, rounds: int = 120) -> F64:
    """(3, BINS, BINS): the table that best tells `lights` (n, 2) from `seen` (n, 2, BINS, BINS)."""
    from scipy.optimize import minimize

    true = np.stack([_night_white.spread(v[:, None], np.ones(1)) for v in lights])
    wave = 2 - 2 * np.cos(2 * np.pi * np.fft.fftfreq(BINS))
    smooth = 1 / np.sqrt(ROUGHNESS * (LEVEL + wave[:, None] + wave[None]))
    spectrum = np.fft.rfft2(seen)

    def smoothed(tables: F64) -> F64:
        return np.asarray(np.fft.ifft2(np.fft.fft2(tables) * smooth).real, np.float64)

    def loss(rough: F64) -> tuple[float, F64]:
        learnt = smoothed(rough.reshape(3, BINS, BINS))
        score = _night_white.scores(seen, learnt)
        score -= score.max((1, 2), keepdims=True)
        score -= np.log(np.exp(score).sum((1, 2), keepdims=True))
        wrong = (np.exp(score) - true) / len(true)
        back = np.conj(np.fft.rfft2(wrong))[:, None] * spectrum
        slope = np.concatenate([np.fft.irfft2(back.sum(0), s=(BINS, BINS)), wrong.sum(0)[None]])
        value = -float((true * score).sum()) / len(true) + 0.5 * float(rough @ rough)
        return value, smoothed(slope).ravel() + rough

    found = minimize(loss, np.zeros(3 * BINS * BINS), jac=True, method="L-BFGS-B", options={"maxiter": rounds})
    print(f"cross-entropy and roughness {found.fun:.3f} after {found.nit} rounds")
    return smoothed(found.x.reshape(3, BINS, BINS))


def table(examples: list[Example], without: str = "") -> F64:
    """The table that is fitted to all examples, or to those that a sensor has not seen."""
    kept = [e for e in examples if e.sensor != without]
    return fit(np.stack([e.seen for e in kept]), np.stack([e.light for e in kept]))


def hold_out(examples: list[Example]) -> None:
    """Print how far white is from the truth for sensors of which the table knows nothing."""
    errors: dict[str, list[float]] = {}
    for name in white.SENSORS:
        learnt = table(examples, name)
        with mock.patch.object(_night_white, "table", lambda learnt=learnt: learnt):
            for kind, methods in white.measure(white.SCENES, (name,)).items():
                errors.setdefault(kind, []).extend(methods["auto"])
                white.tell(f"without {name}", kind, methods["auto"])
    for kind, found in errors.items():
        white.tell("each held out", kind, found)


def main() -> None:
    """Draw the places, fit, and write the table, or hold sensors out."""
    p = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    p.add_argument("--places", type=int, default=1600)
    p.add_argument("--hold-out", action="store_true")
    given = p.parse_args()
    examples = [e for e in map(example, range(given.places)) if e is not None]
    if given.hold_out:
        hold_out(examples)
    else:
        _night_white.save(table(examples))


if __name__ == "__main__":
    main()
