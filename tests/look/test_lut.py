"""Tables: read strictly, written so that they come back, applied as their twin; looks baked into them lose little."""

from __future__ import annotations

import io
import pathlib

import numpy as np
import pytest
from PIL import Image

from lichtbild import look
from lichtbild.look import bake, lint, lut
from lichtbild.look.difference import delta_e, lab
from lichtbild.look.lut import Table

GOOD = "LUT_3D_SIZE 2\n" + "".join(f"{r} {g} {b}\n" for b in (0, 1) for g in (0, 1) for r in (0, 1))


def identity(size: int) -> np.ndarray:
    return lut.grid(size).astype(np.float32).reshape(size, size, size, 3)


def bent(size: int) -> Table:
    """A table that is no plane anywhere."""
    r, g, b = np.moveaxis(identity(size), -1, 0)
    return Table(np.stack([r**1.3 * (0.9 + 0.1 * b), g**0.8, 0.8 * b + 0.2 * r * g], -1).astype(np.float32))


def test_a_cube_comes_back() -> None:
    made = bent(9)
    text = lut.cube_text(made.values, "mine", ["a note"])
    again = lut.read_cube(text, "mine.cube")
    np.testing.assert_allclose(again.values, made.values, atol=1e-6)
    assert (again.low, again.high) == ((0, 0, 0), (1, 1, 1))


def test_words_of_cube_files() -> None:
    text = 'TITLE "x"\n# by hand\nDOMAIN_MIN -1 0 0\nDOMAIN_MAX 2 1 4\n\n' + GOOD
    table = lut.read_cube(text, "x")
    assert (table.low, table.high) == ((-1, 0, 0), (2, 1, 4))
    np.testing.assert_allclose(lut.twin(np.array([0.5, 0.5, 2.0]), table), [0.5, 0.5, 0.5])
    assert lut.read_cube("LUT_3D_INPUT_RANGE 0 2\n" + GOOD, "x").high == (2, 2, 2)


def test_curves_and_curves_before_tables(rng: np.random.Generator) -> None:
    """A .cube of one dimension bends each channel; with a table behind it, it is the table's shaper."""
    bend = "".join(f"{v**2} {v} {v**0.5}\n" for v in np.linspace(0, 1, 257))
    asked = rng.random((20, 30, 3))
    wanted = asked ** [2, 1, 0.5]
    alone = lut.read_cube("LUT_1D_SIZE 257\n" + bend, "x")
    both = lut.read_cube("LUT_1D_SIZE 257\nLUT_1D_INPUT_RANGE 0 1\n" + GOOD.replace("SIZE 2\n", "SIZE 2\n" + bend), "x")
    for table in (alone, both):
        assert np.abs(lut.twin(asked, table) - wanted).max() < 0.04  # of the root's first step
        assert np.abs(lut.twin(asked, table) - wanted).mean() < 1e-4
        coded = lut.apply((asked * 65535 + 0.5).astype(np.uint16), table, 1.0, 16, 0.0) / 65535
        assert np.abs(coded - wanted)[asked.min(-1) > 0.05].max() < 2e-3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "LUT_3D_SIZE is missing"),
        ("LUT_3D_SIZE 1000000\n", "line 1: LUT_3D_SIZE: expected a whole number 2..256, got '1000000'"),
        ("LUT_3D_SIZE 1\n", "whole number"),
        ("LUT_3D_SIZE two\n", "whole number"),
        ("LUT_1D_SIZE 4\n0 0 0\n", "expected 4 lines of colours for LUT_1D_SIZE 4, got 1"),
        ("LUT_1D_SIZE 1000000\n", "LUT_1D_SIZE: expected a whole number 2..65536"),
        ("LUT_1D_SIZE 2\n" + GOOD, "expected 10 lines"),
        (GOOD + "1 1 1\n", "expected 8 lines of colours for LUT_3D_SIZE 2, got 9"),
        (GOOD[:-6], "got 7"),
        (GOOD.replace("1 1 1", "1 1"), "line 9: expected three numbers, got 2"),
        (GOOD.replace("1 1 1", "1 nan 1"), "no finite number"),
        (GOOD.replace("1 1 1", "1 one 1"), "could not convert"),
        ("DOMAIN_MIN 1 1 1\n" + GOOD, "must lie below"),
        ("DOMAIN_MIN 0 0\n" + GOOD, "line 1: expected three numbers"),
        ("DOMAIN_MAX 1 inf 1\n" + GOOD, "finite"),
        ("GAMMA 2.2\n" + GOOD, "unknown word 'GAMMA'"),
    ],
)
def test_bad_cubes_say_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(look.LookError, match=r"^x\.cube: ") as error:
        lut.read_cube(text, "x.cube")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_hald_comes_back(tmp_path: pathlib.Path) -> None:
    import imagecodecs

    made = bent(16)
    path = tmp_path / "mine.png"
    path.write_bytes(imagecodecs.png_encode(lut.hald_picture(made.values)))
    np.testing.assert_allclose(lut.read(path).values, made.values, atol=1e-5)
    Image.fromarray((lut.hald_picture(made.values) >> 8).astype(np.uint8)).save(path)
    np.testing.assert_allclose(lut.read(path).values, made.values, atol=1 / 255)


def test_pictures_that_are_no_hald(tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    path = tmp_path / "photo.png"
    for size, words in (((64, 64), "another picture"), ((64, 65), "square of 8"), ((50, 50), "square of 8")):
        Image.fromarray(rng.integers(0, 256, (*size, 3)).astype(np.uint8)).save(path)
        with pytest.raises(look.LookError, match=words):
            lut.read(path)
    whole = io.BytesIO()
    Image.fromarray((lut.hald_picture(identity(16)) >> 8).astype(np.uint8)).save(whole, "PNG")
    for broken in (b"", b"no picture", whole.getvalue()[: len(whole.getvalue()) // 2]):
        path.write_bytes(broken)
        with pytest.raises(look.LookError, match=r"photo\.png"):
            lut.read(path)
    with pytest.raises(look.LookError, match="No such file"):
        lut.read(tmp_path / "none.cube")


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (479, 641)])
@pytest.mark.parametrize("size", [2, 17, 33])
def test_kernel_is_twin(shape: tuple[int, int], size: int, rng: np.random.Generator) -> None:
    image = rng.integers(0, 65536, (*shape, 3)).astype(np.uint16)
    image[0, 0] = 65535
    table = Table(bent(size).values, (0.0, 0.0, 0.0), (1.0, 0.9, 1.0))
    got = lut.apply(image, table, 0.7, 16, 0.0) / 65535
    wanted = 0.7 * lut.twin(image / 65535, table) + 0.3 * np.clip(image / 65535, table.low, table.high)
    assert np.abs(got - wanted).max() < 4e-5
    assert np.abs(lut.apply(image, table, 0.7, 8, 1.0) / 255.0 - wanted).max() < 1.01 / 255


def test_an_identity_changes_nothing(rng: np.random.Generator) -> None:
    image = rng.integers(0, 65536, (50, 70, 3)).astype(np.uint16)
    assert np.abs(lut.apply(image, Table(identity(17)), 1.0, 16, 0.0).astype(int) - image).max() <= 1


@pytest.mark.parametrize("name", ["classic", "slide", "sepia"])
@pytest.mark.parametrize(
    ("kind", "size", "mean", "p99"), [(".cube", 33, 0.08, 0.9), (".png", 36, 0.08, 0.9), (".clf", 33, 0.25, 1.5)]
)
def test_what_is_lost(name: str, kind: str, size: int, mean: float, p99: float, tmp_path: pathlib.Path) -> None:
    path = tmp_path / f"x{kind}"
    baked = bake.bake(look.load(name), path, size)
    assert path.stat().st_size > 1000
    assert baked.nature.mean < mean and baked.nature.p99 < p99
    assert baked.whole.mean < 0.3
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.slow
@pytest.mark.parametrize("name", look.names())
def test_large_tables_lose_hardly_anything(name: str, tmp_path: pathlib.Path) -> None:
    baked = bake.bake(look.load(name), tmp_path / "x.clf", 65)
    assert baked.nature.mean <= 0.10 and baked.nature.p99 <= 0.8
    # Where a picture goes in, what is steep near the gamut's edge has to be undone first.
    baked = bake.bake(look.load(name), tmp_path / "x.cube", 49)
    assert baked.nature.mean <= 0.10 and baked.nature.p99 <= 1.5


def test_a_baked_look_over_neutral_is_the_look(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "classic.cube"
    bake.bake(look.load("classic"), path, 33)
    plain, made = (look.compile(look.load(name)) for name in ("neutral", "classic"))
    colours = lint.nature()
    error = delta_e(lab(lut.twin(look.display(plain, colours), lut.read(path))), lab(look.display(made, colours)))
    assert error.mean() < 0.1 and np.percentile(error, 99) < 0.6


def test_impossible_bakes(tmp_path: pathlib.Path) -> None:
    classic = look.load("classic")
    for path, size, words in (
        (tmp_path / "x.jpg", None, "baked into .cube, .png, .clf, .ctf, .icc, .xmp, .dcp"),
        (tmp_path / "x.cube", 1000, "expected 2..129"),
        (tmp_path / "x.png", 33, "a square"),
        (tmp_path / "no" / "x.cube", 2, "No such file"),
    ):
        with pytest.raises(look.LookError, match=words):
            bake.bake(classic, path, size)
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_a_look(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mine.cube"
    path.write_text(GOOD)
    mine = look.load(path)
    assert (mine.name, mine.lut.file, mine.tone) == ("mine", str(path), look.load("neutral").tone)
    inside = tmp_path / "inside.toml"
    inside.write_text('name = "i"\ntitle = "I"\nextends = "bright"\n[lut]\nfile = "mine.cube"\nstrength = 0.5\n')
    assert look.load(inside).lut == look.spec.Lut(str(path), 0.5)
