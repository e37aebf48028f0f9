"""Lenses as files and as maps: what they refuse, where light lands, how much of it arrives."""

from __future__ import annotations

import dataclasses
import math
import pathlib

import numpy as np
import pytest

from lichtbild import lens
from lichtbild.develop import geometry
from lichtbild.develop.shading import sample
from lichtbild.lens import Plane
from lichtbild.lens.plane import bent_in
from lichtbild.lens.spec import Distortion, LensError

HEAD = "[lens]\nfocal_mm = 5.0\nf_number = 2.0\nimage_mm = 8.0\n"


def plane_of(glass: lens.Lens, width: int = 320, height: int = 240) -> Plane:
    """A frame that nearly fills the image circle."""
    return Plane(height, width, 0.97 * glass.image_mm / math.hypot(width, height) * 1e3)


@pytest.mark.parametrize("name", lens.names())
def test_lenses_of_the_house(name):
    glass = lens.load(name)
    assert glass.name == name and glass.t_number >= glass.f_number
    plane = plane_of(glass)
    assert 0 <= bent_in(glass, plane) < 12 < lens.reach(glass, plane)
    corner = [float(lens.shading(glass, plane, c, 0, 0)) for c in range(3)]
    assert 0.3 < corner[0] <= corner[1] <= corner[2] <= 1  # red falls off first, as behind an infrared filter


def test_a_file_says_its_own_name_and_defaults(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(HEAD)
    glass = lens.load(path)
    assert (glass.name, glass.title, glass.t_number) == ("mine", "mine", 2.0)
    assert glass.spread.f_number == 2.0 and glass.spread.radius_mm == 4.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"holds no table \[lens\]"),
        ("[lens", "not TOML"),
        ("[lens]\nfocal_mm = 5\nf_number = 2", "lens.image_mm is missing"),
        (HEAD + "zoom = 3", "unknown key 'zoom'"),
        (HEAD.replace("2.0", '"wide"'), "lens.f_number: expected a number in 0.5..64, got 'wide'"),
        (HEAD.replace("2.0", "nan"), "lens.f_number: expected a number"),
        (HEAD + "t_number = 1.5", "glass takes light"),
        (HEAD + "[distorsion]\nk = [0.1]", "unknown table 'distorsion': did you mean 'distortion'?"),
        (HEAD + "[distortion]\nk = 0.1", "distortion.k: expected a list"),
        (HEAD + "[distortion]\nk = []", "distortion.k: expected a list"),
        (HEAD + "[distortion]\nk = [0.1, 7.0]", "distortion.k: expected numbers in -1..1"),
        (HEAD + "[distortion]\nq = [0.1]", "unknown key 'q'"),
        (HEAD + "[glare]\nveil = true", "glare.veil: expected numbers in 0..0.2, got True"),
        (HEAD + "[blur]\nradial_um = [1.0, 2.0]", "blur.radial_um: expected as many numbers as 'field' has, 1"),
        (HEAD + "[blur]\nwavelength_nm = [550.0]", "blur.wavelength_nm: expected 3 numbers"),
        (
            HEAD + "[blur]\nfield = [0.5, 0.2]\nradial_um = [1.0, 1.0]\nacross_um = [1.0, 1.0]",
            "blur.field: expected rising",
        ),
        ("glare = 3\n" + HEAD, "expected a table"),
    ],
)
def test_bad_files_are_refused_in_one_line_that_names_file_and_key(tmp_path, text, words):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(LensError, match=words) as caught:
        lens.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_unknown_names_and_missing_files():
    with pytest.raises(LensError, match="did you mean 'phone-main'"):
        lens.load("phone-mian")
    with pytest.raises(LensError, match="No such file"):
        lens.load(pathlib.Path("nowhere/none.toml"))


@pytest.mark.parametrize("name", lens.names())
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_ideal_undoes_image(name, channel):
    glass = lens.load(name)
    plane = dataclasses.replace(plane_of(glass, 4000, 3000), shift_px=(3.25, -1.5))
    plane = dataclasses.replace(plane, pitch_um=plane.pitch_um * 0.99)
    x, y = np.meshgrid(np.linspace(0, 3999, 41), np.linspace(0, 2999, 31))
    u, v = lens.ideal(glass, plane, channel, x, y)
    back = lens.image(glass, plane, channel, u, v)
    np.testing.assert_allclose(back, (x, y), atol=1e-5)


def test_barrel_and_pincushion_are_what_they_are_called():
    glass, plane = lens.load("ideal"), Plane(300, 400, 10.0)
    for k, sign in ((-0.05, -1), (0.05, 1)):
        bent = dataclasses.replace(glass, image_mm=5.0, distortion=Distortion((k,)))
        x, _ = lens.image(bent, plane, 1, 399.0, 149.5)
        r = 199.5 * 0.01 / 2.5
        assert x - 199.5 == pytest.approx(199.5 * (1 + k * r * r)) and np.sign(x - 399) == sign
        assert (bent_in(bent, plane) > 0) == (sign < 0)


def test_a_lens_that_folds_or_does_not_cover_is_refused_with_file_and_key():
    glass = dataclasses.replace(lens.load("ideal"), image_mm=5.0)
    folded = dataclasses.replace(glass, distortion=Distortion((-0.4,)))
    with pytest.raises(
        LensError, match=r"ideal.toml: distortion.k = \[-0.4\] folds the image inside the frame of 400x300"
    ):
        bent_in(folded, Plane(300, 400, 9.9))
    with pytest.raises(LensError, match=r"ideal.toml: lens.image_mm = 5 does not cover the frame of 400x300"):
        bent_in(glass, Plane(300, 400, 12.0))


@pytest.mark.parametrize("name", ["phone-main", "phone-wide"])
def test_the_dng_warp_is_the_lens(name):
    glass = lens.load(name)
    plane = dataclasses.replace(plane_of(glass, 400, 300), shift_px=(2.0, -3.0))
    plane = dataclasses.replace(plane, pitch_um=plane.pitch_um * 0.97)
    opcode = lens.warp(glass, plane)
    x, y = np.meshgrid(np.linspace(0, 399, 9), np.linspace(0, 299, 7))
    for channel in range(3):
        found = geometry.bend(opcode, channel, x, y, (300, 400))
        np.testing.assert_allclose(found, lens.image(glass, plane, channel, x, y), atol=1e-9)


def test_natural_shading_is_the_fourth_power_of_the_cosine():
    glass = dataclasses.replace(lens.load("ideal"), shading=lens.spec.Shading(4.0))
    plane = Plane(101, 101, 50.0)
    angle = math.atan(50 * 0.05 / glass.focal_mm)
    assert float(lens.shading(glass, plane, 1, 100, 50)) == pytest.approx(math.cos(angle) ** 4)
    assert float(lens.shading(glass, plane, 1, 50, 50)) == 1


@pytest.mark.parametrize("cfa", ["RGGB", "GBRG", "MONO"])
def test_gain_maps_undo_the_shading(cfa):
    glass = lens.load("phone-main")
    plane = plane_of(glass, 400, 300)
    maps = lens.gain_maps(glass, plane, cfa)
    assert len(maps) == (1 if cfa == "MONO" else 4)
    for m, letter in zip(maps, "G" if cfa == "MONO" else cfa, strict=True):
        y, x = np.arange(m.top, 300, m.row_pitch), np.arange(m.left, 400, m.col_pitch)
        gains = sample(m, 0, y.astype(float), x.astype(float), (300, 400))
        left = lens.shading(glass, plane, "RGB".index(letter), x[None, :], y[:, None])
        np.testing.assert_allclose(gains * left, 1, atol=2.2e-3)


def test_gain_maps_for_a_camera_whose_channels_mix():
    glass = lens.load("phone-main")
    plane = plane_of(glass, 400, 300)
    mix = np.array([[0.7, 0.3, 0.0], [0.2, 0.7, 0.1], [0.0, 0.2, 0.9]])
    m = lens.gain_maps(glass, plane, "RGGB", mix=mix)[0]
    x, y = np.arange(0, 400, 2.0), np.arange(0, 300, 2.0)
    white = np.stack([lens.shading(glass, plane, c, x[None, :], y[:, None]) for c in range(3)])
    np.testing.assert_allclose(sample(m, 0, y, x, (300, 400)) * np.tensordot(mix[0], white, 1), 1, atol=2.2e-3)


def test_light_on_the_axis():
    glass = lens.load("ideal")
    assert glass.illuminance(100.0) == pytest.approx(math.pi * 100 / (4 * glass.t_number**2))
