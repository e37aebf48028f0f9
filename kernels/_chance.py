"""Random numbers that depend on nothing but where they are asked for; the why stands in sensor/random.py.

Whole numbers, and float32 in which every operation is rounded as written (`hl.strict_float`), in the order of the twin:
the same bits on every processor. The polynomials are those of sensor/random.py.
"""

import halide as hl

U32, U64, I32, F32 = hl.UInt(32), hl.UInt(64), hl.Int(32), hl.Float(32)

ROUNDS = 7
MULTIPLY = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)

LOG = (0.97114828, -0.16651296, 0.03789059, -0.0096833889, 0.0026052347, -0.00073077497, 0.00026259331, -8.2455096e-05)
CENTRE = (2.1233131, 0.87200782, -0.036911722, -0.027712952, 0.012002061, -0.00058750496, -0.0010971724, 0.00028527529)
TAIL = (4.7427811, 1.8265335, 0.0074168837, -0.00578859, 0.0035832414, -0.0035157312, 0.0033883951, -0.0013585756)
EXP = (0.53526142, -0.33453883, 0.10454337, -0.021776349, 0.0034025938, -0.00043235952, 4.5011286e-05)
TAIL_FROM, TAIL_TO = 5.0**0.5, 4.8

POISSON_LARGE, POISSON_TERMS, POISSON_LEAST = 10.0, 36, 2.0**-27


def philox(counter, key):
    """Four words of random bits, as expressions of four words of counter and two of key."""
    x0, x1, x2, x3 = (hl.cast(U32, v) for v in counter)
    k0, k1 = key
    for n in range(ROUNDS):
        a, b = hl.cast(U64, x0) * hl.u64(MULTIPLY[0]), hl.cast(U64, x2) * hl.u64(MULTIPLY[1])
        x0, x1 = hl.cast(U32, b >> 32) ^ x1 ^ (k0 + hl.u32(n * WEYL[0] & 0xFFFFFFFF)), hl.cast(U32, b)
        x2, x3 = hl.cast(U32, a >> 32) ^ x3 ^ (k1 + hl.u32(n * WEYL[1] & 0xFFFFFFFF)), hl.cast(U32, a)
    return x0, x1, x2, x3


def _horner(c, t):
    value = hl.f32(c[-1])
    for k in reversed(c[:-1]):
        value = value * t + hl.f32(k)
    return value


def log(v):
    """Natural logarithm of a positive normal float32."""
    bits = hl.reinterpret(I32, v)
    e = (bits - hl.i32(0x3F3504F3)) >> 23
    f = hl.reinterpret(F32, bits - (e << 23)) - hl.f32(1)
    t = f * hl.f32(2 / 0.72) + hl.f32(0.6 / 0.72 - 1)
    return f * _horner(LOG, t) + hl.cast(F32, e) * hl.f32(0.6931472)


def half(word):
    """The lower 31 bits as a number in 0..1/2, never 0."""
    return (hl.cast(F32, hl.cast(I32, word & hl.u32(0x7FFFFFFF))) + hl.f32(0.5)) * hl.f32(2.0**-32)


def fall(p):
    """w = -ln(4p(1 - p)): how far in the tail a number lies."""
    return -log(hl.f32(4) * p * (hl.f32(1) - p))


def normal_of(word, p, w):
    """The standard normal number of a word, its half and its fall."""
    scale = 2 / (TAIL_TO - TAIL_FROM)
    centre = _horner(CENTRE, w * hl.f32(0.4) + hl.f32(-1))
    root = hl.sqrt(hl.max(w, hl.f32(0)))
    tail = _horner(TAIL, root * hl.f32(scale) + hl.f32(-TAIL_FROM * scale - 1))
    z = (hl.f32(1) - hl.f32(2) * p) * hl.select(w < hl.f32(5), centre, tail)
    return hl.select((word >> 31) == 1, z, -z)


def exponential(word):
    """A number of the exponential distribution with mean 1."""
    return -log(uniform(word))


def none_at_all(mean):
    """exp(-mean / 8), whose eighth power is the probability of no event, up to POISSON_LARGE."""
    return _horner(EXP, hl.min(mean, hl.f32(POISSON_LARGE)) * hl.f32(0.2) + hl.f32(-1))


def uniform(word):
    """The upper 23 bits as a number in 0..1."""
    return (hl.cast(F32, hl.cast(I32, word >> 9)) + hl.f32(0.5)) * hl.f32(2.0**-23)


def many(mean, z):
    """The Poisson quantile for large means, from the normal number `z`."""
    mean = hl.max(mean, hl.f32(POISSON_LARGE))
    root, z2 = hl.sqrt(mean), z * z
    first = hl.f32(1 / 3) + z2 * hl.f32(1 / 6)
    second = z * (hl.f32(-1 / 36) + z2 * hl.f32(-1 / 72))
    third = hl.f32(-8 / 405) + z2 * (hl.f32(7 / 810) + z2 * hl.f32(1 / 270))
    q = mean + (root * z + (first + (second / root + third / mean)))
    return hl.cast(F32, hl.cast(I32, hl.max(q, hl.f32(0))))
