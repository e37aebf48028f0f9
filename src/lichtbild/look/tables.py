"""From a look to the few numbers that a kernel needs: a matrix, a polynomial, and harmonics of hue.

No table is looked up per pixel, because on a CPU without fast gathers arithmetic is cheaper (measured: three gathers
1.8 ms/MP, a 3-D table by tetrahedra 3.0, this polynomial 0.8, these harmonics 0.8). The price is a fit: `compile`
finds the numbers by least squares against the exact look, and `lint` says how far they stay from it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from ..light import eotf, oetf
from ..types import F32, F64
from . import colour
from .curve import MID, tone_curve
from .spec import Look

# The kernels (kernels/look.py) are written for these numbers.
DEGREE = 10  # of the curve's polynomial
HARMONICS = 3  # of hue in the moves
ROWS = 8 + 2 * HARMONICS  # of their basis
OFFSET = 2.0**-8  # scene light added under the logarithm, so that black is a number
WEIGHTS = (0.30, 0.55, 0.15)  # of encoded r, g, b in the lightness of the moves
SKIN_WEIGHT = 15.0  # of a skin in the fit, where the look holds it, beside any other colour of its chroma
DARKEST = 0.5  # the least that density leaves of a colour's lightness
KNEE = 0.85  # part of the way to the ceiling of chroma from which colours are drawn in
_STRIDE = 0.15  # of encoded light: the most by which `unmoved` goes in one step
SCALE, SHIFT, TOP, PEAK, CEILING = (3 * (DEGREE + 1) + i for i in range(5))  # behind the coefficients in `curve`


@dataclass(frozen=True)
class LookTables:
    """A look made ready for one display.

    inset  (3, 3)  scene Rec.2020 → rendering primaries; rows sum to 1
    curve  (3·(DEGREE + 1) + 5,)  encoded = P(u), u = scale·log2(min(max(x, 0), x_max) + offset) + shift, in 0..peak;
           the coefficients of P for red, green and blue, highest first (they differ where greys are tinted), then
           scale, shift, x_max, peak and the ceiling of chroma
    moves  (3, ROWS)  S, T, D: factors of `harmonics`; see `kernels/look.py`
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
        return float(self.curve[PEAK])


@functools.lru_cache(maxsize=32)
def compile(
    look: Look, space: str = "srgb", headroom_ev: float = 0.0, contrast: float = 1.0, saturation: float = 1.0
) -> LookTables:
    """Fit `look` for a display of `space` ("srgb", "p3" or "rec2020") with a peak of 2^headroom_ev times white.

    `contrast` and `saturation` are the user's trims. Raises LookError where the tone cannot be met. The last results
    are kept: do not write into them.
    """
    scene, shown = tone_curve(look, headroom_ev, contrast)
    inset = colour.into_rendering(look)
    x = np.concatenate([[0.0], scene])
    greys = oetf(colour.grey(look, np.concatenate([[look.tone.dmin], shown]), space))
    peak, ceiling = float(oetf(shown[-1:])[0]), look.chroma.ceiling

    def tables(encoded: F64, moves: F64) -> LookTables:
        curve = np.array([*_fit_curve(x, encoded), peak, ceiling])
        return LookTables(look.name, space, headroom_ev, *(v.astype(np.float32) for v in (inset, curve, moves)))

    made = tables(greys, np.zeros((3, ROWS)))
    if look.mono.film != "none":
        return made
    moves = _fit_moves(look, space, saturation, inset, scene, shown, made.curve)
    made = tables(greys, moves)
    if np.ptp(greys, axis=1).any():
        # The moves act on the tint as well: ask of the curves what becomes the wanted tint behind them.
        some = np.append(np.arange(0, len(x) - 1, 4), len(x) - 1)
        x, greys = x[some], greys[some]
        made = tables(unmoved(made, greys, greys, 2, 1e-4), moves)
    return made


@functools.cache
def _chebyshev() -> tuple[F64, F64, F64]:
    """Positions u in -1..1, the Chebyshev polynomials there (n, DEGREE + 1), and the matrix from coefficients of these
    to coefficients of powers, highest first.

    The positions are dense at both ends, so that least squares come near the best uniform fit.
    """
    u: F64 = np.cos(np.linspace(0.0, np.pi, 401))
    powers = np.zeros((DEGREE + 1, DEGREE + 1))  # row k: T_k, lowest first
    powers[0, 0] = powers[1, 1] = 1.0
    for k in range(2, DEGREE + 1):
        powers[k, 1:] = 2.0 * powers[k - 1, :-1]
        powers[k] -= powers[k - 2]
    basis: F64 = np.asarray(np.polynomial.chebyshev.chebvander(u, DEGREE), np.float64)
    return u, basis, powers.T[::-1]


def _fit_curve(x: F64, encoded: F64) -> F64:
    """Coefficients, scale, shift and end of the curve through `encoded` (n, 3) at rendering light `x` (n,).

    Least squares, but black, white and mid grey are held fast (with headroom, where the same degree has to do for a
    longer curve, not mid grey).
    """
    position = np.log2(x + OFFSET)
    low, high = position[0], position[-1]
    scale = 2.0 / (high - low)
    u, basis, into_powers = _chebyshev()
    held = np.array([-1.0, 1.0, scale * (np.log2(MID + OFFSET) - low) - 1.0])[: 3 if encoded.max() < 1.01 else 2]
    fast = np.polynomial.chebyshev.chebvander(held, DEGREE)
    system = np.block([[basis.T @ basis, fast.T], [fast, np.zeros((len(held), len(held)))]])
    wanted, fixed = (
        np.stack([np.interp((v + 1.0) / scale + low, position, values) for values in encoded.T], axis=1)
        for v in (u, held)
    )
    found = np.linalg.solve(system, np.vstack([basis.T @ wanted, fixed]))[: DEGREE + 1]
    return np.array([*(into_powers @ found).T.ravel(), scale, -1.0 - scale * low, x[-1]])


def evaluate(curve: F32 | F64, light: F64) -> F64:
    """Encoded values of rendering light (n, 3): the curve as the kernel computes it, in float64."""
    scale, shift, top, peak = (float(v) for v in curve[SCALE : PEAK + 1])
    u = scale * np.log2(np.clip(light, 0.0, top) + OFFSET) + shift
    powers = curve[: 3 * (DEGREE + 1)].astype(np.float64).reshape(3, -1)
    total = np.zeros_like(u)
    for k in range(DEGREE + 1):
        total = total * u + powers[:, k]
    return np.clip(total, 0.0, peak)


def opponents(rgb: F64) -> tuple[F64, F64, F64]:
    """Lightness, red-green and blue-yellow of encoded RGB (n, 3)."""
    r, g, b = np.moveaxis(rgb, -1, 0)
    return rgb @ np.array(WEIGHTS), r - g, b - (r + g) / 2


def harmonics(a: F64, b: F64, lightness: F64) -> tuple[F64, F64]:
    """Basis (ROWS, n) of the moves, and chroma: 1, cos h, sin h, cos 2h …; lightness l, l cos h, l sin h, l²; chroma c,
    c cos h, c sin h. The products let skin keep its own, in the dark and in the light.
    """
    chroma = np.sqrt(a * a + b * b + 1e-9)
    turn = (a + 1j * b) / chroma
    rows = [np.ones_like(a)]
    for k in range(1, HARMONICS + 1):
        rows += [(turn**k).real, (turn**k).imag]
    level = np.minimum(lightness, 1.0)
    return np.array([*rows, level, level * turn.real, level * turn.imag, level**2, chroma, a, b]), chroma


@functools.cache
def _samples() -> F64:
    """Encoded rendering colours (n, 3): all hues at several lightnesses and distances from grey, inside the cube."""
    angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    part = np.array([0.08, 0.2, 0.35, 0.5, 0.7, 0.9])
    level = np.array([0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    level, part, angle = (v.ravel() for v in np.meshgrid(level, part, angle, indexing="ij"))
    a, b = np.cos(angle), np.sin(angle)
    green = -WEIGHTS[0] * a - WEIGHTS[2] * (b + a / 2)
    direction = np.stack([green + a, green, b + green + a / 2], axis=-1)
    room = np.where(direction > 0, (1 - level[:, None]), level[:, None]) / np.maximum(np.abs(direction), 1e-9)
    return np.asarray(level[:, None] + part[:, None] * room.min(axis=1, keepdims=True) * direction, np.float64)


def _fit_moves(look: Look, space: str, saturation: float, inset: F64, scene: F64, shown: F64, curve: F32) -> F64:
    """The moves (3, ROWS) that come nearest to those of the look as written, by weighted least squares."""
    cube = np.interp(eotf(_samples()), shown, scene)
    rendering = np.concatenate([cube, _skins() @ inset.T])
    toned = np.exp2(np.interp(np.log2(rendering), np.log2(scene), np.log2(shown)))
    moved = colour.moves(look, rendering @ np.linalg.inv(inset).T, toned, space, saturation)
    wanted = oetf(colour.near_gamut(moved, space, float(shown[-1])))
    lightness, a, b = opponents(evaluate(curve, rendering))
    goal_lightness, goal_a, goal_b = opponents(wanted)
    basis, chroma = harmonics(a, b, lightness)
    # A colour counts less the farther it lies outside the gamut: there the fit to the gamut decides anyway.
    outside = np.maximum(np.maximum(-oetf(moved).min(axis=1), oetf(moved).max(axis=1) - 1.0), 0.0)
    weight = 1.0 / (1.0 + (outside / 0.1) ** 2) / chroma
    weight[len(cube) :] *= SKIN_WEIGHT * look.skin.lock * look.skin.equity / chroma[len(cube) :]
    # (a + ib)·(S + iT) = change, so both rows are sums over the same squares of chroma.
    square = basis * (weight * chroma**2) @ basis.T
    square[np.diag_indices_from(square)] += 1e-9 * np.trace(square)
    change = (goal_a - a + 1j * (goal_b - b)) * (a - 1j * b)
    sides = [change.real, change.imag, (goal_lightness - lightness) * chroma]
    return np.ascontiguousarray(np.linalg.solve(square, basis @ (weight * np.array(sides)).T).T)


@functools.cache
def _skins() -> F64:
    """Scene light (n, 3) of skins of all depths in three lights, over three stops of exposure."""
    stops = np.exp2(np.arange(-2.0, 1.01, 0.5))[:, None, None]
    return np.asarray((stops * colour.skins().reshape(-1, 3)).reshape(-1, 3), np.float64)


def apply_moves(tables: LookTables, encoded: F64) -> F64:
    """Encoded rendering RGB (n, 3) → encoded display RGB, fitted to the gamut; as the kernel computes it."""
    lightness, a, b = opponents(encoded)
    basis, chroma = harmonics(a, b, lightness)
    more, turn, density = np.tensordot(tables.moves.astype(np.float64), basis, 1)
    a2, b2 = a + a * more - b * turn, b + b * more + a * turn
    middle = np.clip(np.maximum(lightness + chroma * density, DARKEST * lightness), 1e-6, tables.peak - 1e-6)
    green = middle - WEIGHTS[0] * a2 - WEIGHTS[2] * (b2 + a2 / 2)
    rgb = np.stack([green + a2, green, b2 + green + a2 / 2], axis=-1)
    return fit_to_gamut(rgb, middle, tables.peak, float(tables.curve[CEILING]))


def unmoved(tables: LookTables, wanted: F64, guess: F64, rounds: int, damping: float) -> F64:
    """Encoded rendering RGB (n, 3) of which `apply_moves` makes nearly `wanted`: damped Newton steps from a `guess`."""
    reach = 1e-4 * np.concatenate([np.zeros((1, 3)), np.eye(3)])[:, None]
    for _ in range(rounds):
        now, *beside = apply_moves(tables, guess + reach)
        slopes = (np.stack(beside, axis=-1) - now[..., None]) / 1e-4
        square = slopes.transpose(0, 2, 1) @ slopes + damping * np.eye(3)
        step = np.linalg.solve(square, slopes.transpose(0, 2, 1) @ (wanted - now)[..., None])[..., 0]
        guess = np.clip(guess + _STRIDE * np.tanh(step / _STRIDE), 0.0, tables.peak)
    return guess


def fit_to_gamut(rgb: F64, middle: F64, peak: float, ceiling: float = 1.0) -> F64:
    """Draw encoded colours straight towards their grey `middle`, so that all lie in 0..peak and none clips.

    Up to KNEE·ceiling of the way to the edge nothing changes; beyond, colours come ever nearer to the ceiling.
    """
    low, high = middle - rgb.min(axis=-1), rgb.max(axis=-1) - middle
    distance = np.maximum(low / middle, high / (peak - middle))
    knee = KNEE * ceiling
    beyond = np.maximum(distance - knee, 0.0)
    drawn = (knee * (ceiling - knee) + ceiling * beyond) / (ceiling - knee + beyond)
    keep = np.where(beyond > 0, drawn / np.maximum(distance, knee), 1.0)
    return np.asarray(middle[..., None] + keep[..., None] * (rgb - middle[..., None]), np.float64)


def display(tables: LookTables, scene: F64) -> F64:
    """Scene Rec.2020 (n, 3) → encoded display RGB, through the fitted look, in float64."""
    return apply_moves(tables, evaluate(tables.curve, scene @ tables.inset.astype(np.float64).T))


def exact(look: Look, scene: F64, space: str = "srgb", headroom_ev: float = 0.0) -> F64:
    """The same through the look as written: what the fit is measured against. Display light may leave the gamut."""
    x, y = tone_curve(look, headroom_ev)
    rendered = scene @ colour.into_rendering(look).T
    # log-log between the samples; below the first one there is nothing to see
    toned = np.exp2(np.interp(np.log2(np.maximum(rendered, x[0])), np.log2(x), np.log2(y)))
    return oetf(colour.moves(look, scene, toned, space))
