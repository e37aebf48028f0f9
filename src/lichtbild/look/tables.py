"""From a look to the few numbers that a kernel needs: a matrix, a polynomial, and harmonics of hue.

No table is looked up per pixel, because on a CPU without fast gathers arithmetic is cheaper (measured: three gathers
1.8 ms/MP, a 3-D table by tetrahedra 3.0, this polynomial 0.8, these harmonics 0.8). The price is a fit: `compile`
finds the numbers by least squares against the exact look, and `lint` says how far they stay from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from ..types import F32, F64
from . import colour
from .curve import eotf, oetf, tone_curve
from .spec import Look

# The kernels (kernels/look.py) are written for these numbers.
DEGREE = 10  # of the curve's polynomial
HARMONICS = 3  # of hue in the moves
OFFSET = 2.0**-8  # scene light added under the logarithm, so that black is a number
WEIGHTS = (0.30, 0.55, 0.15)  # of encoded r, g, b in the lightness of the moves
KNEE = 0.85  # part of the way to the edge of the gamut from which colours are drawn in


@dataclass(frozen=True)
class LookTables:
    """A look made ready for one display.

    inset  (3, 3)  scene Rec.2020 → rendering primaries; rows sum to 1
    curve  (DEGREE + 5,)  encoded = P(u), u = scale·log2(min(max(x, 0), x_max) + offset) + shift, held in 0..peak;
           the coefficients of P, highest first, then scale, shift, x_max and peak
    moves  (3, 2 + 2·HARMONICS)  S, T, D: factors of 1, cos h, sin h, cos 2h … and lightness; see `kernels/look.py`
    Encoded values follow the curve of sRGB; with headroom it runs on above 1.
    """

    name: str
    space: str
    headroom_ev: float
    inset: F32
    curve: F32
    moves: F32

    @property
    def peak(self) -> float:
        """The largest encoded value."""
        return float(self.curve[-1])


def compile(
    look: Look, space: str = "srgb", headroom_ev: float = 0.0, contrast: float = 1.0, saturation: float = 1.0
) -> LookTables:
    """Fit `look` for a display of `space` ("srgb" or "p3") with a peak of 2^headroom_ev times white.

    `contrast` and `saturation` are the user's trims. Raises LookError where the tone cannot be met.
    """
    curve = _fit_curve(*tone_curve(look, headroom_ev, contrast))
    moves = _fit_moves(look, space, saturation)
    inset = colour.mix(look.primaries.inset).astype(np.float32)
    return LookTables(look.name, space, headroom_ev, inset, curve, moves)


def _fit_curve(scene: F64, display: F64) -> F32:
    encoded = oetf(display)
    x = np.concatenate([[0.0], scene])
    position = np.log2(x + OFFSET)
    low, high = position[0], position[-1]
    # Cosine-spaced samples keep the error even; the ends are held fast: black is black and white is white.
    u = -np.cos(np.linspace(0.0, np.pi, 801))
    wanted = np.interp((u + 1) / 2 * (high - low) + low, position, np.concatenate([[0.0], encoded]))
    weight = np.ones_like(u)
    weight[[0, -1]] = 1e4
    fitted = chebyshev.chebfit(u, wanted, DEGREE, w=weight)
    powers = chebyshev.cheb2poly(fitted)
    powers = np.pad(powers, (0, DEGREE + 1 - len(powers)))[::-1]
    scale = 2.0 / (high - low)
    return np.array([*powers, scale, -1.0 - scale * low, scene[-1], encoded[-1]], np.float32)


def evaluate(curve: F32, light: F64) -> F64:
    """Encoded values of rendering light: the curve as the kernel computes it, in float64."""
    scale, shift, top, peak = (float(v) for v in curve[DEGREE + 1 :])
    u = scale * np.log2(np.clip(light, 0.0, top) + OFFSET) + shift
    return np.clip(np.polyval(curve[: DEGREE + 1].astype(np.float64), u), 0.0, peak)


def opponents(rgb: F64) -> tuple[F64, F64, F64]:
    """Lightness, red-green and blue-yellow of encoded RGB (n, 3)."""
    r, g, b = np.moveaxis(rgb, -1, 0)
    return rgb @ np.array(WEIGHTS), r - g, b - (r + g) / 2


def harmonics(a: F64, b: F64, lightness: F64) -> tuple[F64, F64]:
    """Basis (2 + 2·HARMONICS, n) of the moves, and chroma."""
    chroma = np.sqrt(a * a + b * b + 1e-9)
    turn = (a + 1j * b) / chroma
    rows = [np.ones_like(a)]
    for k in range(1, HARMONICS + 1):
        rows += [(turn**k).real, (turn**k).imag]
    return np.array([*rows, np.minimum(lightness, 1.0)]), chroma


def _samples() -> F64:
    """Encoded rendering colours (n, 3): all hues at several lightnesses and distances from grey, inside the cube."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    part = np.array([0.08, 0.2, 0.35, 0.5, 0.7])
    level = np.array([0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    level, part, angle = (v.ravel() for v in np.meshgrid(level, part, angle, indexing="ij"))
    a, b = np.cos(angle), np.sin(angle)
    green = -WEIGHTS[0] * a - WEIGHTS[2] * (b + a / 2)
    direction = np.stack([green + a, green, b + green + a / 2], axis=-1)
    room = np.where(direction > 0, (1 - level[:, None]), level[:, None]) / np.maximum(np.abs(direction), 1e-9)
    return np.asarray(level[:, None] + part[:, None] * room.min(axis=1, keepdims=True) * direction, np.float64)


def _fit_moves(look: Look, space: str, saturation: float) -> F32:
    rgb = _samples()
    wanted = oetf(colour.moves(look, eotf(rgb), space, saturation))
    lightness, a, b = opponents(rgb)
    goal_lightness, goal_a, goal_b = opponents(wanted)
    basis, chroma = harmonics(a, b, lightness)
    # A colour counts less the farther it lies outside the gamut: there the fit to the gamut decides anyway.
    outside = np.maximum(-wanted.min(axis=1), wanted.max(axis=1) - 1.0)
    weight = np.sqrt(1.0 / (1.0 + (np.maximum(outside, 0.0) / 0.03) ** 2) / chroma)
    weight2 = np.concatenate([weight, weight])
    system = np.concatenate([np.concatenate([a * basis, -b * basis]).T, np.concatenate([b * basis, a * basis]).T])
    change = np.concatenate([goal_a - a, goal_b - b])
    turn = np.linalg.lstsq(system * weight2[:, None], change * weight2, rcond=None)[0]
    density = np.linalg.lstsq((chroma * basis).T * weight[:, None], (goal_lightness - lightness) * weight, rcond=None)[
        0
    ]
    return np.concatenate([turn, density]).reshape(3, -1).astype(np.float32)


def apply_moves(tables: LookTables, encoded: F64) -> F64:
    """Encoded rendering RGB (n, 3) → encoded display RGB, fitted to the gamut; as the kernel computes it."""
    lightness, a, b = opponents(encoded)
    basis, chroma = harmonics(a, b, lightness)
    more, turn, density = np.tensordot(tables.moves.astype(np.float64), basis, 1)
    a2, b2 = a + a * more - b * turn, b + b * more + a * turn
    middle = np.clip(lightness + chroma * density, 1e-6, tables.peak - 1e-6)
    green = middle - WEIGHTS[0] * a2 - WEIGHTS[2] * (b2 + a2 / 2)
    rgb = np.stack([green + a2, green, b2 + green + a2 / 2], axis=-1)
    return fit_to_gamut(rgb, middle, tables.peak)


def fit_to_gamut(rgb: F64, middle: F64, peak: float) -> F64:
    """Draw encoded colours straight towards their grey `middle`, so that all lie in 0..peak and none clips."""
    low, high = middle - rgb.min(axis=-1), rgb.max(axis=-1) - middle
    distance = np.maximum(low / middle, high / (peak - middle))
    beyond = np.maximum(distance - KNEE, 0.0)
    keep = np.where(beyond > 0, (KNEE * (1 - KNEE) + beyond) / (1 - KNEE + beyond) / np.maximum(distance, KNEE), 1.0)
    return np.asarray(middle[..., None] + keep[..., None] * (rgb - middle[..., None]), np.float64)


def display(tables: LookTables, scene: F64) -> F64:
    """Scene Rec.2020 (n, 3) → encoded display RGB, through the fitted look, in float64."""
    return apply_moves(tables, evaluate(tables.curve, scene @ tables.inset.astype(np.float64).T))


def exact(look: Look, scene: F64, space: str = "srgb", headroom_ev: float = 0.0) -> F64:
    """The same through the look as written: what the fit is measured against. Display light may leave the gamut."""
    x, y = tone_curve(look, headroom_ev)
    rendered = scene @ colour.mix(look.primaries.inset).T
    # log-log between the samples; below the first one there is nothing to see
    toned = np.exp2(np.interp(np.log2(np.maximum(rendered, x[0])), np.log2(x), np.log2(y)))
    return oetf(colour.moves(look, toned, space))
