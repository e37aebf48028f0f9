"""Looks: files that are checked, curves that hit their targets, tables that stay near them, pictures without faults."""

from __future__ import annotations

import ast
import dataclasses
import pathlib
import re

import numpy as np
import pytest

from lichtbild import light, look
from lichtbild.light import eotf, oetf
from lichtbild.look import colour, spec, tables
from lichtbild.look.curve import MID, tone_curve

KERNELS = pathlib.Path(__file__).resolve().parents[2] / "kernels"
SHIPPED = look.names()


def test_what_is_shipped() -> None:
    assert {"neutral", "classic", "bright", "portrait", "bw"} <= set(SHIPPED)
    assert len(SHIPPED) == 15
    for name in SHIPPED:
        assert look.load(name).name == name


def test_unknown_look_names_the_nearest() -> None:
    with pytest.raises(look.LookError, match="did you mean 'classic'"):
        look.load("clasic")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "x"\ntitle = "x"\n[tone]\nslop = 1.2', "unknown key 'slop': did you mean 'slope'"),
        ('name = "x"\ntitle = "x"\ncolor = 1', "unknown key 'color'"),
        ('name = "x"\ntitle = "x"\n[tone]\nslope = 9.0', r"tone.slope: expected a number in 0.5..2.5, got 9.0"),
        ('name = "x"\ntitle = "x"\n[tone]\nslope = nan', "expected a number"),
        ('name = "x"\ntitle = "x"\n[skin]\nlock = true', "expected a number"),
        ('name = "x"', "'title' is missing"),
        ('name = "x"\ntitle = "x"\n[[hue]]\nat_deg = 31', "multiples of 30"),
        ('name = "x"\ntitle = "x"\nhue = 3', "expected tables"),
        ('name = "x"\ntitle = "x"\ntone = 3', "expected a table"),
        ("name = ", "cannot be read"),
        ('name = "x"\ntitle = "x"\n[tone]\nslope = "1"', "expected a number in"),
        (
            'name = "x"\ntitle = "x"\n[mono]\nfilm = "pam"',
            "film: expected one of none, pan, ortho, red, got 'pam'",
        ),
        ('name = "x"\ntitle = "x"\nartistic = 1', "artistic: expected true or false"),
        ('name = "x"\ntitle = "x"\nextends = "clasic"', "did you mean 'classic'"),
        ('extends = "mine.toml"', "in a circle"),
        ("extends = 3", "extends: expected the name of a look"),
        ('extends = "classic"\nhue = [3]', "hue: expected a table"),
        ('extends = "classic"\n[micro]\nper_mm_4 = 3.0', r"micro.per_mm_4: expected a number in 0.5..2"),
        ('extends = "classic"\n[micro]\nper_mm_5 = 1.0', "unknown key 'per_mm_5': did you mean 'per_mm"),
        ('extends = "classic"\n[primaries]\nturn_red_deg = -inf', r"turn_red_deg: expected a number in -20..20 °"),
        ('extends = "classic"\n[spatial]\nretain_lens = 2', r"spatial.retain_lens: expected a number in 0..1, got 2"),
        ('extends = "nowhere.toml"', "nowhere.toml' cannot be read"),
        ('extends = "classic"\n[[hue]]\nat_deg = 30\n[[hue]]\nat_deg = 30', "different multiples of 30"),
        ('extends = "classic"\n[tone]\nwhite_ev = 2.0\nslope = 0.5', None),
    ],
)
def test_bad_files_say_what_is_wrong(text: str, message: str | None, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    if message is None:  # possible by itself, and refused when the curve is made
        with pytest.raises(look.LookError, match=r"tone.white_ev = 2 cannot be met with tone.slope = 0.5"):
            look.compile(look.load(path))
        return
    with pytest.raises(look.LookError, match=message):
        look.load(path)


def test_a_look_of_ones_own(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ntitle = "Mine"\n[tone]\nslope = 1\n[set.tone]\nstrength = 0.3\n')
    mine = look.load(path)
    assert (mine.name, mine.tone.slope, mine.hue) == ("mine", 1.0, ())


def test_a_look_that_extends_another(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "mine"\ntitle = "Mine"\nextends = "classic"\n[tone]\nslope = 1.3\n'
        "[[hue]]\nat_deg = 30\nturn_deg = 9\n[[hue]]\nat_deg = 60\ndensity = 0.01\n"
    )
    mine, base = look.load(path), look.load("classic")
    assert mine.tone == dataclasses.replace(base.tone, slope=1.3)
    assert mine.skin == base.skin
    nodes, old = ({h.at_deg: h for h in one.hue} for one in (mine, base))
    assert nodes[30] == dataclasses.replace(old[30], turn_deg=9)
    assert nodes[60].density == 0.01
    assert {k: v for k, v in nodes.items() if k not in (30, 60)} == {k: v for k, v in old.items() if k != 30}


@pytest.mark.parametrize("name", SHIPPED)
def test_curve_hits_its_targets(name: str) -> None:
    wanted = look.load(name)
    scene, shown = tone_curve(wanted)
    ev, out = np.log2(scene / MID), np.log2(shown / MID)
    assert np.diff(out).min() >= 0
    assert np.interp(0, ev, out) == pytest.approx(wanted.tone.mid_ev, abs=1e-3)
    slope = np.gradient(out, ev)
    assert np.interp(0, ev, slope) == pytest.approx(wanted.tone.slope, abs=0.01)
    if not wanted.tone.dmin:  # a lifted black flattens what lies above it
        assert np.interp(-3, ev, slope) == pytest.approx(wanted.tone.slope_shadow, abs=0.01)
    assert ev[-1] == pytest.approx(wanted.tone.white_ev, abs=1e-6)
    assert shown[-1] == pytest.approx(1.0, abs=1e-4)
    assert shown[0] == pytest.approx(wanted.tone.dmin, abs=1e-4)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_compiled_look_hits_them_too(name: str) -> None:
    """Greys as the kernel computes them: mid grey ±0.01 EV, slope over half a stop ±0.01, white ±0.02 EV."""
    wanted = look.load(name)
    scene, exact = tone_curve(wanted)
    lights = MID * 2.0 ** (np.array([0.0, -0.25, 0.25, wanted.tone.white_ev]))
    shown = look.display(look.compile(wanted), np.repeat(lights[:, None], 3, axis=1) / 2.0**wanted.trim.exposure_ev)
    ev = np.log2(colour.to_oklab(eotf(shown), "srgb")[:, 0] ** 3 / MID)  # of the grey as light as this
    assert ev[0] == pytest.approx(wanted.tone.mid_ev, abs=0.01)
    around = np.log2(np.interp(lights[1:3], scene, exact))
    assert 2 * (ev[2] - ev[1]) == pytest.approx(2 * (around[1] - around[0]), abs=0.01)
    assert ev[3] == pytest.approx(-np.log2(MID), abs=0.02)


@pytest.mark.parametrize("name", SHIPPED)
def test_headroom_changes_nothing_below_mid(name: str) -> None:
    wanted = look.load(name)
    scene, sdr = tone_curve(wanted)
    scene_hdr, hdr = tone_curve(wanted, 2.0)
    x = np.geomspace(1e-3, MID, 50)
    np.testing.assert_allclose(np.interp(x, scene_hdr, hdr), np.interp(x, scene, sdr), rtol=1e-3)
    x = np.geomspace(MID, scene[-1], 50)
    assert np.all(np.interp(x, scene_hdr, hdr) >= np.interp(x, scene, sdr) - 1e-4)
    assert hdr[-1] == pytest.approx(4.0, abs=1e-3)


def test_slopes_between_and_the_white_of_paper_are_met_too() -> None:
    tone = spec.Tone(slope_dim=1.8, slope_light=0.9, white_ev=4.0, white=0.95)
    scene, shown = tone_curve(spec.Look("mine", "", tone=tone))
    ev = np.log2(scene / MID)
    slope = np.gradient(np.log2(shown), ev)
    assert np.interp([-1.0, 0.0, 1.0], ev, slope) == pytest.approx([1.8, tone.slope, 0.9], abs=0.01)
    assert shown[-1] == pytest.approx(0.95) and ev[-1] == pytest.approx(4.0)


def test_an_impossible_tone_is_refused() -> None:
    steep = spec.Look("steep", "", tone=spec.Tone(slope=0.5, white_ev=2.0))
    with pytest.raises(look.LookError, match=r"steep.*white_ev"):
        look.compile(steep)


@pytest.mark.parametrize("name", SHIPPED)
def test_tables_stay_near_the_look(name: str, rng: np.random.Generator) -> None:
    wanted = look.load(name)
    made = look.compile(wanted)
    scene, shown = tone_curve(wanted)
    greys = oetf(colour.grey(wanted, shown, "srgb"))
    assert np.abs(tables.display(made, np.repeat(scene[:, None], 3, axis=1)) - greys).max() * 255 < 1.0
    # Colours as they are in nature: within half of the way from grey to the edge of sRGB, five stops of light.
    grey = MID * 2.0 ** rng.uniform(-2.5, 2.0, (4000, 1))
    scene = grey * (1 + 0.5 * rng.uniform(-1, 1, (4000, 3)))
    exact, fast = (colour.to_oklab(eotf(v), "srgb") for v in (tables.exact(wanted, scene), tables.display(made, scene)))
    error = np.linalg.norm(exact - fast, axis=1)
    assert error.mean() < 0.012
    assert np.percentile(error, 95) < 0.03


@pytest.mark.parametrize(("angles", "channel"), [((10.0, 0.0, 0.0), 0), ((0.0, -7.0, 0.0), 1), ((3.0, 2.0, -20.0), 2)])
def test_turned_primaries_keep_white_and_their_distance(angles: tuple[float, float, float], channel: int) -> None:
    turns = dict(zip(("turn_red_deg", "turn_green_deg", "turn_blue_deg"), angles, strict=True))
    wanted = dataclasses.replace(look.load("neutral"), primaries=spec.Primaries(**turns))
    matrix = colour.turned(wanted)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
    to_xyz = light.rgb_to_xyz("rec2020")
    before, after, (white,) = (
        u + 1j * v for u, v in map(colour._uv, (to_xyz, to_xyz @ matrix, to_xyz.sum(axis=1, keepdims=True)))
    )
    np.testing.assert_allclose((after - white) / (before - white), np.exp(1j * np.radians(angles)), atol=1e-9)
    # Seen: the paint of that channel turns its hue the same way, and greys stay.
    paint, grey = np.full((1, 3), 0.12), np.full((1, 3), MID)
    paint[0, channel] = 0.3
    hues = [colour.relative(eotf(look.display(look.compile(w), paint)) @ light.convert("srgb", "rec2020").T)[0][0]
            for w in (look.load("neutral"), wanted)]  # fmt: skip
    assert np.sign((hues[1] - hues[0] + 180) % 360 - 180) == np.sign(angles[channel])
    assert np.ptp(look.display(look.compile(wanted), grey)) < 1e-3


def test_saturation_and_contrast_do_what_they_say() -> None:
    wanted = look.load("classic")
    colours = np.array([[0.3, 0.2, 0.17], [0.15, 0.2, 0.25], [0.15, 0.2, 0.15]])

    def chroma(saturation: float) -> np.ndarray:
        made = look.compile(wanted, saturation=saturation)
        return np.ptp(look.display(made, colours), axis=1)

    assert chroma(0.0).max() < 0.03
    assert np.all(chroma(1.3) > chroma(1.0))
    dark = np.full((1, 3), MID / 4)
    assert look.display(look.compile(wanted, contrast=1.3), dark).max() < look.display(look.compile(wanted), dark).min()


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (479, 641)])
@pytest.mark.parametrize(("name", "headroom_ev"), [("classic", 0.0), ("classic", 2.0), ("neutral", 0.0)])
def test_kernel_is_twin(shape: tuple[int, int], name: str, headroom_ev: float, rng: np.random.Generator) -> None:
    made = look.compile(look.load(name), headroom_ev=headroom_ev)
    rgb = (MID * 2.0 ** rng.uniform(-9, 6, (1, *shape)) * rng.uniform(-0.2, 1.5, (3, *shape))).astype(np.float32)
    wide = np.zeros((3, shape[0] + 2, shape[1] + 9), np.float32)
    view = wide[:, 1:-1, 4:-5]
    view[:] = rgb
    got, wanted = look.apply(view, made), look.twin(rgb, made)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=0.5 / 255)


def test_everything_lands_inside(rng: np.random.Generator) -> None:
    rgb = rng.uniform(-1, 8, (3, 64, 64)).astype(np.float32)
    for name in SHIPPED:
        shown = look.apply(rgb, look.compile(look.load(name)))
        assert shown.min() >= 0
        assert shown.max() <= 1


def test_saturated_paint_keeps_its_shading() -> None:
    """Along a ramp of pure paint no channel sticks at its end while the others go on: nothing clips."""
    ramp = np.linspace(0.02, 0.5, 200)
    made = look.compile(look.load("classic"))
    for paint in ((1.0, 0.05, 0.02), (0.05, 0.8, 0.1), (0.02, 0.08, 1.0), (0.9, 0.7, 0.02)):
        shown = look.display(made, ramp[:, None] * np.array(paint))
        strongest = shown[:, int(np.argmax(paint))]
        assert np.diff(strongest).min() > -1e-6
        assert np.diff(strongest[strongest > 0.01]).min() > 1e-4


def test_kernel_and_tables_share_their_numbers() -> None:
    text = (KERNELS / "look.py").read_text()
    for name in ("DEGREE", "HARMONICS", "OFFSET", "WEIGHTS", "DARKEST", "KNEE"):
        found = re.search(rf"^{name} = (.+)$", text, re.M)
        assert found, name
        value = eval(found.group(1), {}) if "**" in found.group(1) else ast.literal_eval(found.group(1))
        assert value == getattr(tables, name)


def test_compile_is_repeatable() -> None:
    one, two = (look.compile(look.load("classic"), "p3") for _ in range(2))
    np.testing.assert_array_equal(one.moves, two.moves)
    np.testing.assert_array_equal(one.curve, two.curve)
