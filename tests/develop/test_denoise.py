"""Denoise: kernel equals twin; flat fields get clean without bias, edges and clean pictures stay."""

from __future__ import annotations

import numpy as np
import pytest
from bench import shrink

from lichtbild.develop import _denoise_tables as tables
from lichtbild.develop import burst, demosaic, denoise, detail
from lichtbild.types import Encoding, Noise

NOISE = Noise((2.89e-3,) * 3, (8.18e-4,) * 3)
OFF = {"detail": {"amount": 0.0}}


def _encoding(strength=1.0):
    """The code of NOISE without white balance; sigma in codes as the encoding defines it, times `strength`."""
    offset = NOISE.offset[0] / NOISE.scale[0] + 0.375 * NOISE.scale[0]
    scale = 50000.0
    return Encoding(scale, (offset,) * 3, (strength * scale * NOISE.scale[0] ** 0.5 / 2,) * 3)


def _noisy(rng, shape, encoding, level=0.2):
    """Codes of flat light, and what demosaicing makes of them under noise that is white in the mosaic."""
    clean = encoding.encode(np.full((3, *shape), level)).astype(np.float64)
    return clean, _demosaiced(clean[0] + rng.standard_normal(shape) * encoding.sigma[0], encoding)


def _demosaiced(codes, encoding):
    half = np.clip(np.rint(codes / 2), 0, 32767).astype(np.uint16)
    return demosaic.apply(half, "RGGB", "directional", demosaic.epsilon(encoding.sigma[1] / 2))


def _picture(rng, shape):
    """Edges, a ramp and single bright pixels with noise."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    base = 9000 + 20 * x + 15 * y + 9000 * ((x // 9 + y // 14) % 2) + 20000 * (rng.random(shape) > 0.99)
    return np.clip(base + 500 * rng.standard_normal((3, *shape)), 0, 65535).astype(np.uint16)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 5), (33, 20), (641, 479)])
@pytest.mark.parametrize(("amount", "merged"), [(0.0, False), (1.0, False), (0.0, True)])
def test_kernel_equals_twin(rng, shape, amount, merged):
    encoding, code = _encoding(), _picture(rng, shape)
    table, sharpening = (
        denoise.prepare(encoding, merged=merged),
        detail.prepare(encoding, {"detail": {"amount": amount}}),
    )
    cells = (-(-shape[0] // 8), -(-shape[1] // 8)) if merged else (1, 1)
    share, alone = (np.float32(rng.uniform(*ends, cells)) for ends in ((0.2, 4.0), (0.0, 1.0)))
    found = denoise.apply(code, table, sharpening, share, alone=alone)
    difference = found.astype(int) - denoise.twin(code, table, sharpening, share, alone)
    # The kernel counts in steps of 4 codes and rounds after each stage; noise is 500 codes here.
    assert np.abs(difference).max() <= 80
    assert np.abs(difference).mean() < 10 and abs(difference.mean()) < 5


def test_strided_views(rng):
    code = _picture(rng, (90, 130))
    table, sharpening = denoise.prepare(_encoding()), detail.prepare(_encoding())
    view = code[:, 5:64, 9:110]
    assert np.array_equal(
        denoise.apply(view, table, sharpening), denoise.apply(np.ascontiguousarray(view), table, sharpening)
    )


def test_in_place(rng):
    """The answer may be written over the codes."""
    code = _picture(rng, (300, 1300))
    table, sharpening = denoise.prepare(_encoding()), detail.prepare(_encoding())
    apart = denoise.apply(code, table, sharpening)
    assert denoise.apply(code, table, sharpening, into=code) is code
    assert np.array_equal(code, apart)


def test_tables_belong_to_our_demosaic():
    """What `python -m bench.shrink` measures on a flat field is what the tables say; else run it again."""
    size, left, fine, high = shrink.measured(shrink.flat(np.random.default_rng(2), (1.0, 1.0, 1.0), 1024))
    assert np.allclose(size[:, 0], np.sum(tables.SIZE[0], -1)[:, 0], rtol=0.06)
    assert np.allclose(size[:, 1], np.sum(tables.SIZE[0], -1)[:, 1], rtol=0.25)  # few blocks
    assert np.allclose(left, tables.LEFT, rtol=0.02)
    assert np.allclose(fine, np.sum(tables.FINE[0], -1), rtol=0.05)
    assert high == pytest.approx(sum(tables.HIGH[0]), rel=0.02)


def test_flat_fields_get_clean(rng):
    encoding = _encoding()
    clean, noisy = _noisy(rng, (512, 512), encoding)
    found = denoise.run(noisy, encoding, NOISE, OFF)
    inner = np.s_[:, 16:-16, 16:-16]

    def left(f):
        return np.std(f((found - clean)[inner])) / np.std(f((noisy - clean)[inner]))

    luma = left(lambda d: (d[0] + 2 * d[1] + d[2]) / 4)
    chroma = left(lambda d: d[0] - d[1])
    assert -20 * np.log10(luma) > 16  # dB; grain holds luma back
    assert -20 * np.log10(chroma) > 16


def test_flat_light_keeps_its_mean(rng):
    """Averaged codes plus `unbias` are the mean light, within five standard errors and 1 % of the noise."""
    encoding = _encoding()
    light = 0.1
    x = light + rng.standard_normal((768, 768)) * np.sqrt(NOISE.scale[0] * light + NOISE.offset[0])
    codes = encoding.encode(np.stack([x] * 3))[0].astype(np.float64)
    found = denoise.run(_demosaiced(codes, encoding), encoding, NOISE, OFF)
    decoded = encoding.decode(found) + denoise.unbias(encoding, NOISE)[:, None, None]
    sigma = np.sqrt(NOISE.scale[0] * light + NOISE.offset[0])
    error = decoded[:, 32:-32, 32:-32].mean((1, 2)) - light
    assert np.all(np.abs(error) < 5 * sigma / 704 + 0.01 * sigma)


@pytest.mark.parametrize("values", [{"denoise": {"luma": 0.0, "chroma": 0.0}}, {}])
def test_without_noise_nothing_changes(rng, values):
    code = _picture(rng, (120, 160))
    found = denoise.run(code, _encoding(1e-6), NOISE, {**OFF, **values})
    assert np.abs(found.astype(int) - code).max() <= 1


def test_strengths_do_what_they_say(rng):
    encoding = _encoding()
    clean, noisy = _noisy(rng, (256, 256), encoding)

    def left(**values):
        found = denoise.run(noisy, encoding, NOISE, {"denoise": values, **OFF}).astype(float)
        error = found - clean
        return np.std((error[0] + 2 * error[1] + error[2]) / 4), np.std(error[0] - error[1])

    plain, only_luma, only_chroma = left(), left(chroma=0.0), left(luma=0.0)
    assert only_luma[0] == pytest.approx(plain[0], rel=0.01) and only_luma[1] > 2 * plain[1]
    assert only_chroma[1] == pytest.approx(plain[1], rel=0.01) and only_chroma[0] > 2 * plain[0]
    assert left(luma=2.0)[0] < plain[0] < left(luma=0.5)[0]
    assert left(grain=0.0)[0] < plain[0] < left(grain=0.5)[0]


def test_edges_stay_steep(rng):
    """The 10-90 % width of a slanted edge, 20 noise deviations high, grows by less than 12 %."""
    encoding = _encoding()
    y, x = np.mgrid[:256, :256]
    distance = (x - 128) * np.cos(0.1) + (y - 128) * np.sin(0.1)
    step = 20000 + 20 * encoding.sigma[0] / (1 + np.exp(-distance / 0.6))
    code = np.clip(step + rng.standard_normal((3, 256, 256)) * encoding.sigma[0] * 0.9, 0, 65535).astype(np.uint16)

    def slope(rgb):
        luma = (rgb[0] + 2.0 * rgb[1] + rgb[2]) / 4
        near = np.abs(distance) < 0.5
        return np.polyfit(distance[near], luma[near], 1)[0]

    found = denoise.run(code, encoding, NOISE, OFF)
    assert slope(found.astype(float)) > 0.88 * slope(np.stack([step] * 3))


def test_share_of_the_noise(rng):
    """Where a merge left a quarter of the power, that much is taken as noise."""
    encoding = _encoding()
    _, noisy = _noisy(rng, (256, 256), encoding)
    plain, ones = (
        denoise.run(noisy, encoding, NOISE, OFF, np.ones(s, np.float32)).astype(int) for s in ((1, 1), (3, 5))
    )
    assert np.abs(ones - plain).max() <= 1
    share = np.where(np.arange(16) < 8, 1.0, 0.25).astype(np.float32)[None].repeat(4, 0)
    mixed = denoise.run(noisy, encoding, NOISE, OFF, share).astype(int)
    calm = denoise.run(noisy, _encoding(0.5), NOISE, OFF, np.ones((1, 1), np.float32)).astype(int)
    # The most that the finest colour may move is one number for the picture; luma follows the map.
    plain, mixed, calm = (p[0] + 2 * p[1] + p[2] for p in (plain, mixed, calm))
    assert np.abs(mixed - plain)[:, :96].mean() <= 8 and np.abs(mixed - calm)[:, 160:].mean() <= 8
    assert np.abs(calm - plain).mean() > 80


def test_where_more_noise_is_left_codes_are_lifted_before():
    encoding, code = _encoding(), np.full((3, 24, 40), 20000, np.uint16)
    share = np.ones((3, 5), np.float32)
    share[1, 2] = 41.0
    denoise.even_out(code, encoding, NOISE, None, share)
    more = denoise.unbias(encoding, NOISE) * encoding.scale**2 * 40
    lifted = np.square(code[:, 8:16, 16:24].astype(float)) - 20000.0**2
    assert np.allclose(lifted, more[:, None, None], rtol=0.01)
    code[:, 8:16, 16:24] = 20000
    assert (code == 20000).all()


def test_a_frame_alone_in_a_merge_is_as_clean_as_a_single_one(rng):
    """Where all but the reference were left out, its noise is that of one frame, not what moved frames have."""
    encoding = _encoding()
    clean, noisy = _noisy(rng, (512, 512), encoding)
    one, inner = np.ones((1, 1), np.float32), np.s_[:, 16:-16, 16:-16]

    def mesh(found):
        """Noise of luma at the highest frequencies: what is left of a pixel against the one beside it, both ways."""
        d = (found - clean).astype(float)
        luma = ((d[0] + 2 * d[1] + d[2]) / 4)[16:-16, 16:-16]
        return np.std(luma[1:, 1:] - luma[1:, :-1] - luma[:-1, 1:] + luma[:-1, :-1])

    single, alone, blind = (
        denoise.run(noisy, encoding, NOISE, OFF, *more) for more in ((), (one, None, one), (one, None))
    )
    assert mesh(alone) < 1.02 * mesh(single) and mesh(blind) > 1.1 * mesh(alone)
    assert np.std((alone - clean)[inner]) < 1.02 * np.std((single - clean)[inner])


def test_grain_is_no_mesh(rng):
    """What stays of noise is not its finest checkers."""
    encoding = _encoding()
    clean, noisy = _noisy(rng, (512, 512), encoding)

    def checkers(grain):
        d = denoise.run(noisy, encoding, NOISE, {"denoise": {"grain": grain}, **OFF}).astype(float) - clean
        luma = (d[0] + 2 * d[1] + d[2]) / 4
        sign = (-1.0) ** np.add.outer(np.arange(512), np.arange(512))
        return np.std((luma * sign).reshape(128, 4, 128, 4).mean((1, 3))[4:-4, 4:-4])

    assert checkers(0.3) < 5 * checkers(0.0)


def test_specks_of_colour_do_not_outlive_a_merge(rng):
    """Fine colour noise of moved frames, eight times that of one frame's demosaic, is within what denoise may take."""
    encoding = _encoding()
    sigma = encoding.sigma[0]
    clean = encoding.encode(np.full((3, 256, 256), 0.2)).astype(float)
    colour = rng.standard_normal((3, 256, 256)) * sigma * np.array([0.3, 0.05, 0.3])[:, None, None]
    noisy = np.rint(clean + colour).astype(np.uint16)
    found = denoise.run(noisy, encoding, NOISE, OFF, np.ones((1, 1), np.float32))
    left = (found[0].astype(float) - found[1])[16:-16, 16:-16]
    assert np.abs(left - left.mean()).max() < 0.5 * sigma


def test_blotches_of_colour_go(rng):
    """Of white noise so slow that its waves are 32 to 128 pixels long, a third is left in colour at most."""
    encoding = _encoding()
    _, noisy = _noisy(rng, (768, 768), encoding)

    def slow(codes):
        blocks = (codes[0].astype(float) - codes[1]).reshape(24, 32, 24, 32).mean((1, 3))
        around = blocks.reshape(6, 4, 6, 4).mean((1, 3)).repeat(4, 0).repeat(4, 1)
        return np.std((blocks - around)[2:-2, 2:-2])

    assert slow(denoise.run(noisy, encoding, NOISE, OFF)) < slow(noisy) / 3


def test_slow_noise_that_is_more_is_taken():
    """`slow` says by how much colour noise slower than eight pixels is more; nothing else changes."""
    encoding = _encoding()
    usual, more = (denoise.prepare(encoding, merged=True, slow=s) for s in (1.0, 4.0))
    assert np.allclose(more.chroma[1:, ..., 0], usual.chroma[1:, ..., 0] / 2)
    assert np.array_equal(more.chroma[0], usual.chroma[0]) and np.array_equal(more.luma, usual.luma)


def test_a_merge_has_as_much_slow_colour_noise_as_is_told(rng, monkeypatch):
    """Moving frames smooths fine noise; what of it is slow is told by `slow`, within a sixth."""
    monkeypatch.setattr(shrink, "SIDE", 1024)
    seen = []
    plain = burst.run
    monkeypatch.setattr(burst, "run", lambda *a: seen.append(plain(*a)) or seen[-1])
    code, sigma = shrink.merged(shrink.shaken(rng), rng, (1.0, 1.0, 1.0))
    size = shrink.measured(code, sigma)[0]
    slow = np.mean(size[1:, 1] / np.sum(tables.SIZE[1], -1)[1:, 1])
    assert seen[0].slow > 1.5 and abs(slow / seen[0].slow - 1) < 0.17
