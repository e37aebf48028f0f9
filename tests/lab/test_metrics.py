"""Metrics against closed forms, published tables and an independent implementation."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from lichtbild.lab import metrics

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import colour


# L, a, b of two colours and their ΔE2000: a selection of the test data published with [Sharma2005].
SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def picture(rng, size=(200, 180)):
    """(3, H, W): smooth shapes and some texture in 0..1."""
    y, x = np.mgrid[: size[0], : size[1]] / 40.0
    planes = [0.5 + 0.3 * np.sin(x * (1 + c)) * np.cos(y * (2 - c / 2)) for c in range(3)]
    return np.clip(np.stack(planes) + 0.05 * rng.standard_normal((3, *size)), 0, 1)


def test_cpsnr_of_a_known_error():
    truth = np.full((3, 8, 9), 0.5)
    assert metrics.cpsnr(truth + 0.01, truth) == pytest.approx(40)
    assert metrics.cpsnr(100 * truth + 1, 100 * truth, peak=100) == pytest.approx(40)
    assert metrics.cpsnr(truth, truth) == math.inf
    one = truth.copy()
    one[1] += 0.01  # one channel of three: a third of the error
    assert metrics.cpsnr(one, truth) == pytest.approx(40 + 10 * math.log10(3))


def test_cpsnr_counts_what_it_is_told_to():
    truth, found = np.full((3, 9, 9), 0.5), np.full((3, 9, 9), 0.5)
    found[:, 0] = 1.0
    found[:, 4, 4] += 0.1
    assert metrics.cpsnr(found, truth, border=1) == pytest.approx(-10 * math.log10(0.01 / 49))
    where = np.zeros((9, 9), bool)
    where[4, 4] = True
    assert metrics.cpsnr(found, truth, where=where) == pytest.approx(20)
    assert metrics.cpsnr(np.full((2, 2), 7.0), np.ones((2, 2))) == math.inf  # beyond white there is only white
    with pytest.raises(ValueError, match="no pixels"):
        metrics.cpsnr(found, truth, border=5)
    with pytest.raises(ValueError, match="one size"):
        metrics.cpsnr(found, truth[:, 1:])


def test_gamma_cpsnr_is_that_of_the_srgb_codes():
    codes = np.array([[0.2, 0.5], [0.7, 0.02]])
    light = colour.models.eotf_sRGB(codes)
    np.testing.assert_allclose(metrics.srgb(light), codes, atol=2e-7)  # IEC's rounded constants meet within this
    assert metrics.cpsnr(colour.models.eotf_sRGB(codes + 0.01), light, gamma=True) == pytest.approx(40, abs=1e-3)


def test_ssim_of_constants_is_its_luminance_term():
    a, b = np.full((12, 13), 0.4), np.full((12, 13), 0.6)
    assert metrics.ssim(a, b) == pytest.approx((2 * 0.24 + 1e-4) / (0.16 + 0.36 + 1e-4))
    assert metrics.ssim(a * 255, b * 255, peak=255) == pytest.approx(metrics.ssim(a, b))


def test_ssim_is_the_definition_written_out(rng):
    a = picture(rng, (15, 14))[0]
    b = np.clip(a + 0.1 * rng.standard_normal(a.shape), 0, 1)
    t = np.exp(-(np.arange(-5, 6) ** 2) / 4.5)
    weight = np.outer(t, t) / t.sum() ** 2
    values = []
    for i in range(5):
        for j in range(4):
            p, q = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
            mp, mq = (weight * p).sum(), (weight * q).sum()
            vp, vq = (weight * (p - mp) ** 2).sum(), (weight * (q - mq) ** 2).sum()
            cov = (weight * (p - mp) * (q - mq)).sum()
            values.append((2 * mp * mq + 1e-4) * (2 * cov + 9e-4) / ((mp**2 + mq**2 + 1e-4) * (vp + vq + 9e-4)))
    assert metrics.ssim(a, b) == pytest.approx(np.mean(values))


def test_ms_ssim_falls_with_noise_and_asks_for_size(rng):
    a = picture(rng)
    assert metrics.ms_ssim(a, a) == pytest.approx(1)
    noisy = [metrics.ms_ssim(np.clip(a + s * rng.standard_normal(a.shape), 0, 1), a) for s in (0.02, 0.08, 0.3)]
    assert 1 > noisy[0] > noisy[1] > noisy[2] > 0
    level = metrics.ms_ssim(a * 0.9, a)  # light at the coarsest scale only: hardly matters
    assert level > metrics.ssim(a * 0.9, a)
    with pytest.raises(ValueError, match="176"):
        metrics.ms_ssim(a[:, :175], a[:, :175])


@pytest.mark.parametrize(("one", "two", "expected"), SHARMA)
def test_delta_e_2000_of_the_published_pairs(one, two, expected):
    assert metrics.delta_e_2000(np.array(one), np.array(two)) == pytest.approx(expected, abs=5e-5)
    assert metrics.delta_e_2000(np.array(two), np.array(one)) == pytest.approx(expected, abs=5e-5)


def test_delta_e_2000_as_colour_science_has_it(rng):
    one = rng.uniform([[0], [-100], [-100]], [[100], [100], [100]], (3, 5000))
    two = one + rng.normal(0, 15, (3, 5000))
    np.testing.assert_allclose(
        metrics.delta_e_2000(one, two), colour.difference.delta_E_CIE2000(one.T, two.T), atol=1e-8
    )


def test_lab_of_white_and_of_colours(rng):
    np.testing.assert_allclose(metrics.lab(np.full((3, 1), 0.5), white=0.5)[:, 0], (100, 0, 0), atol=1e-9)
    rgb = rng.uniform(0, 1.2, (3, 4, 5))
    space = colour.RGB_COLOURSPACES["ITU-R BT.2020"]
    expected = colour.XYZ_to_Lab(colour.RGB_to_XYZ(rgb.transpose(1, 2, 0), space), space.whitepoint)
    np.testing.assert_allclose(metrics.lab(rgb).transpose(1, 2, 0), expected, atol=5e-3)


def test_delta_e_itp_as_colour_science_has_it(rng):
    one, two = rng.uniform(0, 1000, (2, 3, 500))
    space = [colour.RGB_to_ICtCp(v.T) for v in (one, two)]
    np.testing.assert_allclose(metrics.delta_e_itp(one, two), colour.difference.delta_E_ITP(*space), rtol=1e-6)
    assert metrics.delta_e_itp(one, one).max() == 0


def test_noise_drop_of_a_mean_of_frames(rng):
    frames = rng.standard_normal((16, 3, 200, 200))
    assert metrics.noise_drop_db(frames[0], frames.mean(0)) == pytest.approx(10 * math.log10(16), abs=0.1)
    assert metrics.temporal_variance(frames).mean() == pytest.approx(1, abs=0.01)
    with pytest.raises(ValueError, match="2 frames"):
        metrics.temporal_variance(frames[:1])


def test_variance_ratio_finds_the_tile_that_was_not_foretold(rng):
    sigma = np.ones((96, 128))
    sigma[32:64, 64:96] = 1.5
    ratio = metrics.variance_ratio(sigma * rng.standard_normal((20, 96, 128)), np.ones((96, 128)))
    assert ratio.shape == (3, 4)
    assert ratio[1, 2] == pytest.approx(2.25, rel=0.05)
    assert metrics.foretold(ratio) == pytest.approx(11 / 12)


def burst(rng, frames=6, size=(96, 96)):
    """Clean frames (n, 3, H, W) with a bright square that walks over texture, and where anything moves."""
    ground = 0.2 + 0.05 * rng.standard_normal((3, *size))
    out = np.repeat(ground[None], frames, 0)
    for i in range(frames):
        out[i, :, 30:50, 20 + 6 * i : 40 + 6 * i] = np.array([0.9, 0.6, 0.3])[:, None, None]
    return out, (out != out[0]).any((0, 1))


def test_ghost_energy_of_known_ghosts(rng):
    frames, moving = burst(rng)
    truth, others = frames[0], frames[1:]
    noise = 0.02 * rng.standard_normal(truth.shape)
    assert metrics.ghost_energy(frames.mean(0), truth, others, moving) == pytest.approx(1)
    assert metrics.ghost_energy(truth + noise, truth, others, moving) < 1e-3
    faint = truth + 0.1 * (frames.mean(0) - truth) + noise
    assert metrics.ghost_energy(faint, truth, others, moving) == pytest.approx(0.01, rel=0.2)
    assert metrics.ghost_energy(faint, truth, others) == pytest.approx(0.01, rel=0.2)
    with pytest.raises(ValueError, match="differ"):
        metrics.ghost_energy(truth, truth, truth[None])


def test_a_ghost_of_one_frame_in_one_place_is_seen(rng):
    frames, moving = burst(rng)
    found = frames[0].copy()
    found[:, :, 60:] = frames[5][:, :, 60:]  # the last frame came through on the right
    assert metrics.ghost_energy(found, frames[0], frames[1:], moving) > 0.5


def test_flow_error_of_known_errors():
    truth = np.zeros((2, 10, 10))
    found = truth.copy()
    found[:, 0, 0] = 3, 4
    error = metrics.flow_error(found, truth)
    assert (error.mean, error.median, error.worst, error.bad) == pytest.approx((0.05, 0, 5, 0.01))
    where = np.zeros((10, 10), bool)
    where[0, :2] = True
    assert metrics.flow_error(found, truth, where).mean == pytest.approx(2.5)
    with pytest.raises(ValueError, match="no pixel"):
        metrics.flow_error(found, truth, np.zeros((10, 10), bool))
