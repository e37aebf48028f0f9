"""Layers, origins, errors that help, and the way of a recipe through text and back."""

from __future__ import annotations

import dataclasses
import math
import pathlib
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lichtbild
from lichtbild import recipe, stage
from lichtbild.recipe import Folders, RecipeError, resolve
from lichtbild.stage import Stage, param


class Fog:
    depth: float = param(0.5, 0.0, 2.0, "m", "how far one sees")
    layers: int = param(3, 1, 9, "", "how many")
    kind: str = param("sea", choices=("sea", "valley"), doc="which fog")
    on: bool = param(True, doc="whether")


class Rain:
    rate: float = param(1.0, 0.0, 10.0, "mm/h", "how much")


class Snow:
    flakes: float = param(0.0, 0.0, 1.0, "", "how many")


@pytest.fixture
def weather(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """A small house: three stages of which a mode uses two, a look, a camera."""
    monkeypatch.setattr(stage, "REGISTRY", {})
    monkeypatch.setattr(recipe, "load_stages", lambda: None)
    for name, body in (("fog", Fog), ("rain", Rain), ("snow", Snow)):
        stage.stage(name, f"the {name}")(type(name.title(), (Stage,), dict(body.__dict__)))
    folders = Folders(*(tmp_path / d for d in ("modes", "looks", "cameras")))
    for f in dataclasses.astuple(folders):
        f.mkdir()
    (folders.modes / "snapshot.toml").write_text('doc = "x"\nchain = ["rain", "fog"]\n[fog]\ndepth = 0.6\n')
    (folders.looks / "classic.toml").write_text('doc = "y"\n[set.fog]\nlayers = 4\n[set.snow]\nflakes = 1\n')
    (folders.looks / "plain.toml").write_text('doc = "z"\n')
    (folders.cameras / "acme-x1.toml").write_text("[rain]\nrate = 2\n")
    return folders


def test_layers_win_in_their_order_and_are_named(weather: Folders, tmp_path: pathlib.Path) -> None:
    raw, one, two = tmp_path / "IMG.dng", tmp_path / "one.toml", tmp_path / "two.toml"
    keys = ("fog.depth", "fog.layers", "rain.rate", "fog.kind", "fog.on")

    def look(**more: Any) -> list[tuple[Any, str]]:
        made = resolve(raw=raw, folders=weather, **more)
        pairs = [k.split(".") for k in keys]
        return [(made.values[s][k], made.origins[s][k].split(" ")[0]) for s, k in pairs]

    plain = [(0.6, "mode"), (4, "look"), (1.0, "default"), ("sea", "default"), (True, "default")]
    assert look() == plain
    assert look(make="ACME", model="Acme X1")[2] == (2.0, "camera")
    one.write_text('[fog]\ndepth = 1.0\nkind = "valley"\n[rain]\nrate = 3\n')
    two.write_text("[fog]\ndepth = 1.1\n")
    both = [(1.1, "recipe"), (4, "look"), (3.0, "recipe"), ("valley", "recipe"), (True, "default")]
    assert look(recipes=[one, two], make="acme", model="x1") == both
    assert look(recipes=[two, one])[0] == (1.0, "recipe")
    (tmp_path / "IMG.lichtbild.toml").write_text("[fog]\ndepth = 1.2\n")
    assert look(recipes=[one, two])[0] == (1.2, "sidecar")
    assert look(recipes=[one, two], sets=["fog.depth=1.3", "fog.on=off"])[0] == (1.3, "--set")
    assert look(sets={"fog.depth": 1.4, "fog.on": False})[4] == (False, "--set")


def test_order_is_the_chain_and_stages_come_back_as_classes(weather: Folders) -> None:
    made = resolve(folders=weather, sets=["rain.rate=4"])
    assert made.order == ("rain", "fog") and set(made.values) == {"rain", "fog"}
    assert made.stage("rain").rate == 4.0 and made.stage("fog").layers == 4


def test_mode_and_look_come_from_files_unless_asked_for(weather: Folders, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text('mode = "snapshot"\nlook = "plain"\n')
    made = resolve(recipes=[file], folders=weather)
    assert made.look == "plain" and made.values["fog"]["layers"] == 3 and "r.toml" in made.notes[0]
    assert resolve(look="classic", recipes=[file], folders=weather).look == "classic"
    assert "auto" in resolve(folders=weather).notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[fogg]\ndepth = 1", ("fogg", "did you mean 'fog'")),
        ("[fog]\ndeepth = 1", ("deepth", "did you mean 'depth'")),
        ("[fog]\ndepth = 3", ("fog.depth", "0..2", "'3'")),
        ("[fog]\ndepth = nan", ("fog.depth", "nan")),
        ("[fog]\ndepth = [1]", ("fog.depth", "[1]")),
        ('[fog]\nkind = "see"', ("fog.kind", "sea, valley")),
        ("[fog]\nkind = {a = 1}", ("fog.kind",)),
        ("fog = 3", ("[fog]",)),
        ("lok = 'classic'", ("lok", "did you mean 'look'")),
        ("look = 3", ("look", "name")),
        ("look = 'clasic'", ("clasic", "did you mean 'classic'")),
        ("[snow]\nflakes = 1", ("snow", "no place")),
        ("[fog", ("not TOML",)),
    ],
)  # fmt: skip
def test_a_bad_recipe_names_file_and_remedy(
    weather: Folders, tmp_path: pathlib.Path, text: str, said: tuple[str, ...]
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(RecipeError) as e:
        resolve(recipes=[file], folders=weather)
    line = str(e.value)
    assert all(word in line for word in said) and "\n" not in line
    assert "bad.toml" in line or "unknown look" in line


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"mode": "portrait"}, "not there yet"),
        ({"mode": "snapshoot"}, "did you mean 'snapshot'"),
        ({"look": "classik"}, "did you mean 'classic'"),
        ({"sets": ["fog"]}, "stage.parameter=value"),
        ({"sets": ["fog=1"]}, "stage.parameter=value"),
        ({"sets": ["foog.depth=1"]}, "did you mean 'fog'"),
        ({"sets": ["fog.depth=deep"]}, "'deep'"),
        ({"sets": ["snow.flakes=1"]}, "no place"),
        ({"recipes": ["nowhere.toml"]}, "nowhere.toml"),
        ({"recipes": ["nowhere.jpg"]}, "nowhere.jpg"),
    ],
)
def test_bad_words_are_refused(weather: Folders, more: dict[str, Any], said: str) -> None:
    with pytest.raises(recipe.LichtbildError, match=said):
        resolve(folders=weather, **more)


def test_a_mode_that_names_an_unknown_stage_is_refused(weather: Folders) -> None:
    (weather.modes / "odd.toml").write_text('chain = ["fog", "rein"]')
    with pytest.raises(RecipeError, match="did you mean 'rain'"):
        resolve("odd", folders=weather)


def test_text_and_back_gives_the_same_values(weather: Folders, tmp_path: pathlib.Path) -> None:
    sets = ["fog.depth=0.1", "fog.on=no", "fog.kind=valley", "rain.rate=1e-7"]
    made = resolve(look="plain", sets=sets, folders=weather)
    text = made.to_toml([('odd "name"\n\x07\x7f\udcff.dng', "ab" * 32)])
    file = tmp_path / "back.toml"
    file.write_text(text)
    back = resolve(recipes=[file], folders=weather)
    assert (back.values, back.look, back.mode, back.order) == (made.values, made.look, made.mode, made.order)
    kept = tomllib.loads(text)["made"]
    assert kept["lichtbild"] == lichtbild.__version__ and kept["from"][0]["sha256"] == "ab" * 32
    assert kept["from"][0]["name"] == 'odd "name"\n\x07\x7f?.dng'


def test_a_recipe_of_another_version_is_taken_and_said(weather: Folders) -> None:
    written = recipe.parse('[made]\nlichtbild = "0.0.1"\n', "recipe old")
    assert "0.0.1" in written.notes[0]


def test_the_sidecar_bears_the_name_of_its_raw_file(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "a.b.dng"
    assert recipe.sidecar(file) == tmp_path / "a.b.lichtbild.toml"


def _declared() -> list[stage.Param]:
    recipe.load_stages()
    found = [(name, p) for name, cls in stage.REGISTRY.items() for p in stage.params(cls).values()]
    return [p._replace(name=f"{name}.{p.name}") for name, p in found]


def test_every_mode_resolves() -> None:
    for mode in recipe.modes():
        made = resolve(mode)
        assert made.order and len(set(made.order)) == len(made.order)


@pytest.mark.parametrize("p", _declared(), ids=lambda p: p.name)
def test_every_parameter_takes_its_range_and_refuses_the_rest(p: stage.Param) -> None:
    name, key = p.name.split(".")

    def takes(value: Any) -> bool:
        try:
            kept = stage.check(name, key, value)
        except stage.ParamError as e:
            assert p.name in str(e)
            return False
        assert type(kept) is p.kind
        return True

    assert p.doc, f"{p.name} does not say what it is"
    assert takes(p.default) and takes(str(p.default))
    if p.kind is str:
        assert all(takes(c) for c in p.choices) and takes("any text") is not bool(p.choices) and not takes(3)
    elif p.kind is bool:
        assert takes("on") and takes("false") and not takes("perhaps") and not takes(2)
    else:
        assert p.lo is not None and p.hi is not None and p.lo <= p.default <= p.hi, f"{p.name} has no range"
        assert takes(p.lo) and takes(p.hi) and takes(repr(p.hi))
        assert not any(map(takes, (p.lo - 1, p.hi + 1, math.inf, -math.inf, math.nan, "x", True, None, [1])))


@given(st.floats(), st.text(), st.booleans(), st.integers(-(2**62), 2**62))
def test_any_value_survives_toml(a: float, b: str, c: bool, d: int) -> None:
    found = tomllib.loads("\n".join(f"v{i} = {recipe._toml(v)}" for i, v in enumerate((a, b, c, d))))
    assert found["v0"] == a or (math.isnan(a) and math.isnan(found["v0"]))
    assert (found["v1"], found["v2"], found["v3"]) == (b.encode("utf-8", "replace").decode(), c, d)
