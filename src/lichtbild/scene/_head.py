"""A bust of round solids: head, hair, scarf, coat; and what each is painted with.

Metres about the middle of the head: x right in the picture, y up, z away; the face looks along -z, turned by `TURN`.
Skin tones: the ten of an open scale for even-handed tests [Monk2023].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..light import convert, eotf
from ..types import F32
from ._grid import Array, colour, f32, fractal, length, mix, smooth
from ._sdf import ball, carve, ellipsoid, join, limb, ring

TURN, NOD, TILT = math.radians(-24.0), math.radians(4.0), math.radians(5.0)
TONES = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420")
HAIR = {"black": (0.012, 0.009, 0.008), "brown": (0.040, 0.026, 0.018), "red": (0.16, 0.050, 0.015),
        "blond": (0.30, 0.185, 0.080), "grey": (0.30, 0.29, 0.28)}  # fmt: skip
EYE = (0.0315, 0.005, -0.0745)  # of the right one; the left is mirrored
EYE_R = 0.0125
P = tuple[Array, Array, Array]


def skin_tone(tone: int) -> F32:
    """(3,): reflectance of skin in Rec.2020, 1 (lightest) to 10."""
    srgb = np.array([int(TONES[tone - 1][i : i + 2], 16) for i in (0, 2, 4)]) / 255
    linear = eotf(srgb)
    matrix = convert("srgb", "rec2020")
    return f32([0.72 * sum(matrix[c, k] * linear[k] for k in range(3)) for c in range(3)])  # swatches are brighter


def turned(p: P) -> P:
    """Points in the head's own frame: its turn, nod and tilt undone."""
    x, y, z = p
    c, s = f32(math.cos(TILT)), f32(math.sin(TILT))
    x, y = c * x + s * y, c * y - s * x
    c, s = f32(math.cos(NOD)), f32(math.sin(NOD))
    y, z = c * y + s * z, c * z - s * y
    c, s = f32(math.cos(TURN)), f32(math.sin(TURN))
    return c * x + s * z, y, c * z - s * x


def mirrored(p: P) -> P:
    """Both halves of the head on one side."""
    return np.abs(p[0]), p[1], p[2]


def face(p: P) -> Array:
    """The head without hair, in its own frame."""
    m = mirrored(p)
    d = ellipsoid(p, (0, 0.036, 0.012), (0.075, 0.098, 0.095))
    d = join(d, ellipsoid(p, (0, -0.036, -0.026), (0.0595, 0.080, 0.066)), 0.035)
    d = join(d, ellipsoid(p, (0, -0.098, -0.062), (0.026, 0.020, 0.022)), 0.034)
    d = join(d, ball(m, (0.037, -0.026, -0.056), 0.026), 0.026)
    d = join(d, limb(m, (0.052, -0.030, 0.0), (0.026, -0.092, -0.050), 0.018, 0.016), 0.024)  # the jaw
    d = join(d, limb(m, (0.008, 0.030, -0.0875), (0.046, 0.027, -0.0665), 0.007, 0.006), 0.020)  # brows
    d = carve(d, ellipsoid(m, (0.0325, 0.005, -0.094), (0.019, 0.0115, 0.014)), 0.016)
    d = join(d, limb(p, (0, 0.022, -0.086), (0, -0.026, -0.1085), 0.0062, 0.0098), 0.012)  # the nose
    d = join(d, ball(m, (0.0105, -0.0305, -0.0965), 0.0070), 0.007)
    d = carve(d, ball(m, (0.0058, -0.0385, -0.1035), 0.0030), 0.003)
    d = join(d, limb(m, (0.003, -0.0565, -0.0925), (0.0195, -0.0620, -0.0800), 0.0050, 0.0022), 0.006)
    d = join(d, limb(m, (0.0, -0.0690, -0.0905), (0.0175, -0.0645, -0.0800), 0.0066, 0.0022), 0.006)
    d = carve(d, limb(m, (0.0, -0.0630, -0.0985), (0.0225, -0.0633, -0.0815), 0.0012, 0.0008), 0.0035)
    ear = carve(ellipsoid(m, (0.076, -0.002, 0.014), (0.009, 0.031, 0.018)), ball(m, (0.087, 0.0, 0.010), 0.012), 0.006)
    d = join(d, ear, 0.008)
    return join(d, lids(m), 0.003)


def lids(m: P) -> Array:
    """Lids about an eye: a shell with an almond opening."""
    shell = ball(m, EYE, EYE_R + 0.0016)
    return carve(shell, opening(m), 0.0014)


def opening(m: P) -> Array:
    """Signed size of the almond between the lids: negative where the eye is seen; in the plane of the face."""
    u, v = (m[0] - f32(EYE[0])) / f32(0.0142), m[1] - f32(EYE[1]) - 0.06 * (m[0] - f32(EYE[0]))
    arch = np.clip(1 - u * u, 0, 1)
    upper, lower = f32(0.0056) * arch - 0.0004, f32(-0.0040) * arch
    return np.asarray(np.maximum(np.maximum(v - upper, lower - v), m[2] - f32(EYE[2])))


def eye(p: P) -> Array:
    """Both eyeballs."""
    return ball(mirrored(p), EYE, EYE_R)


def body(p: P) -> Array:
    """Neck, in the body's frame."""
    return limb(p, (0.0, -0.05, 0.022), (0.0, -0.20, 0.036), 0.050, 0.056)


def coat(p: P) -> Array:
    """Shoulders and chest in a coat."""
    m = mirrored(p)
    d = limb(m, (0.0, -0.205, 0.045), (0.150, -0.275, 0.05), 0.050, 0.058)
    d = join(d, ellipsoid(p, (0, -0.46, 0.03), (0.165, 0.22, 0.115)), 0.05)
    return join(d, limb(m, (0.160, -0.285, 0.05), (0.205, -0.66, 0.045), 0.058, 0.050), 0.018)


def scarf(p: P) -> Array:
    """A knitted scarf in two turns."""
    wave = 0.006 * np.asarray(p[0]) / f32(0.08)
    q = (p[0], p[1] + wave, p[2])
    d = join(ring(q, (0, -0.150, 0.026), 0.062, 0.024), ring(q, (0.004, -0.184, 0.022), 0.076, 0.027), 0.010)
    return join(d, limb(p, (0.03, -0.18, -0.075), (0.070, -0.75, -0.105), 0.034, 0.036), 0.02)


def hair(p: P) -> Array:
    """The body of the hair, in the head's frame: parted on one side, down to the shoulders."""
    m = mirrored(p)
    d = ellipsoid(p, (0.0, 0.042, 0.022), (0.0885, 0.1075, 0.101))
    d = join(d, ellipsoid(p, (0.012, 0.108, -0.028), (0.060, 0.040, 0.060)), 0.03)
    d = join(d, limb(m, (0.079, 0.02, 0.008), (0.091, -0.150, 0.012), 0.021, 0.024), 0.02)
    d = join(d, limb(p, (0.0, 0.0, 0.075), (0.0, -0.17, 0.082), 0.075, 0.066), 0.03)
    slant = 0.30 * (p[1] - 0.01) * (p[1] > 0.01)  # the parting: more of the forehead is seen on one side
    window = ellipsoid((p[0] + slant, p[1], p[2]), (0.004, -0.045, -0.105), (0.0700, 0.112, 0.092))
    return carve(d, window, 0.010)


@dataclass(frozen=True)
class Look:
    """What the bust wears and is."""

    tone: int
    hair: str
    scarf: tuple[float, float, float] = (0.28, 0.055, 0.035)
    coat: tuple[float, float, float] = (0.055, 0.065, 0.085)


def skin(p: P, px: float, look: Look) -> Array:
    """(3, h, w) reflectance of the face at points in its frame: pores, freckles, blood, lips, brows."""
    x, y, _ = p
    base = colour(skin_tone(look.tone))
    m = np.abs(x)
    pores = fractal(x * 900, y * 900, px * 900, 4, 0.85, 15)
    mottle = fractal(x * 60, y * 60, px * 60, 4, 0.6, 16)
    blood = np.clip(1.2 - length((m - 0.040) / 0.026, (y + 0.028) / 0.020), 0, 1) + np.clip(
        1.1 - length(x / 0.014, (y + 0.030) / 0.013), 0, 1
    )
    red = base * colour((1.10, 0.74, 0.70))
    out = mix(base, red, np.clip(0.30 * blood + 0.10 + 0.10 * mottle, 0, 0.6)) * (1 + 0.035 * pores + 0.03 * mottle)
    freckle = smooth(1.5, 2.3, fractal(x * 420, y * 420, px * 420, 2, 0.8, 17)) * np.clip(blood * 1.5, 0, 1)
    out = out * (1 - 0.25 * freckle)
    lip = smooth(0.0010, -0.0008, _lip(m, y))
    lips = base * colour((0.82, 0.52, 0.50)) * (1 + 0.10 * fractal(x * 900, y * 150, px * 500, 3, 0.7, 18))
    out = mix(out, lips, 0.85 * lip)
    t = (m - 0.012) / 0.040
    arch = 0.0275 + 0.0075 * t - 0.0085 * t * t * t
    brow = (
        smooth(0.0046, 0.0012, np.abs(y - arch) * (1 + 0.9 * np.clip(t, 0, 1)))
        * smooth(-0.06, 0.10, t)
        * smooth(1.05, 0.85, t)
    )
    hairs = 0.55 + 0.45 * fractal(x * 700 + y * 500, y * 260 - x * 120, px * 700, 3, 0.8, 19)
    return mix(out, colour(f32(HAIR[look.hair]) * 0.8), np.clip(brow * hairs * 0.9, 0, 1))


def _lip(m: Array, y: Array) -> Array:
    """Signed distance, about, to the outline of the lips."""
    t = np.clip(m / f32(0.0225), 0, 1)
    bow = f32(-0.0525) - 0.0018 * smooth(0.25, 0.0, t) - 0.0095 * t * t
    low = f32(-0.0752) + 0.0118 * t * t
    return np.asarray(np.maximum(np.maximum(y - bow, low - y), (m - f32(0.0225)) * 1.5))


def eyeball(p: P, px: float) -> Array:
    """(3, h, w) reflectance of the eyes: white, iris, pupil, the shade of the upper lid."""
    dx, dy = np.abs(p[0]) - f32(EYE[0]), p[1] - f32(EYE[1])
    aim = np.where(p[0] > 0, f32(0.0019), f32(-0.0019))  # they look past the camera, a little to the right
    far = length(dx - aim, dy - f32(0.0002))
    spoke = fractal(dx * 300, dy * 300, px * 900, 4, 0.7, 20)
    white = colour((0.52, 0.48, 0.45)) * (1 - 0.25 * smooth(0.006, 0.012, length(dx, dy)))
    iris: Array = colour((0.10, 0.075, 0.042)) * np.clip(
        0.75 + 0.5 * spoke + 0.8 * smooth(0.0045, 0.0025, far), 0.2, 2.2
    )
    iris = iris * (1 - 0.7 * smooth(0.0048, 0.0058, far))
    soft = max(px, 0.0002)
    body = mix(white, iris, smooth(0.0059 + soft, 0.0059 - soft, far))
    body = mix(body, 0.004, smooth(0.0024 + soft, 0.0024 - soft, far))
    return body * (1 - 0.65 * smooth(0.0016, 0.0056, dy))
