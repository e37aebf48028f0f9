"""`lichtbild look`: which looks there are, what one is made of, whether it is healthy, and what it is as a table."""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import tomllib
from typing import TYPE_CHECKING, Any

from .words import Usage, emit

if TYPE_CHECKING:
    from ...look import bake


def declare(p: argparse.ArgumentParser) -> None:
    """The words that the command takes."""
    add = p.add_argument
    add("what", choices=tuple(_WORK), help="list all looks; show what one is made of; diff two; lint looks, ours or "
        "those of other programs; bake one into a file for them; fit one to a table, or to pairs of a raw file (or a "
        "picture in the look neutral) and the wanted picture, or to a folder of such pairs of one name; "
        "new: begin one of your own; tune: find yours by picking "
        "the best of nine pictures, again and again")  # fmt: skip
    add("names", nargs="*", metavar="NAME", help="looks by name, or files: .toml, .cube, .dcp …; tune: raw files")
    add("-o", "--output", metavar="FILE", help="bake: x.cube, .png (HaldCLUT), .clf, .ctf, .icc, .xmp or "
        ".dcp; lint: a picture of it, .png; fit, new, tune: the look's file")  # fmt: skip
    add("--base", default="classic", metavar="LOOK", help="tune: the look to begin with (default classic)")
    add("--knob", action="append", default=[], metavar="KEY", help="tune: what may change, as tone.slope or "
        "hue.120.sat_log2; may be repeated (default: eight of them)")  # fmt: skip
    add("--camera", metavar="RAW", help="bake a .dcp: a raw file of its camera (default: generic matrices)")
    add(
        "--size",
        type=int,
        metavar="N",
        help="bake: points along an edge (default 33, .xmp 32, HaldCLUT 64, .clf and .ctf 65)",
    )
    add("--space", default="srgb", choices=("srgb", "p3", "rec2020"), help="bake and lint: the display (default srgb)")
    add("--overwrite", action="store_true", help="bake, fit, lint: replace a file that exists")
    add("--json", action="store_true", help="as JSON")


def run(a: argparse.Namespace) -> int:
    """Do what the words ask for; the exit code."""
    return _WORK[a.what](a)


def _some(a: argparse.Namespace, count: int, how: str) -> list[str]:
    if len(a.names) != count:
        raise Usage(f"look {a.what}: expected {how}, got {len(a.names)} names")
    return list(a.names)


def _list(a: argparse.Namespace) -> int:
    from ...look import spec

    _some(a, 0, "no name")
    found = {n: str(tomllib.loads(p.read_text("utf-8")).get("title", "")) for n, p in sorted(spec.files().items())}
    if a.json:
        emit(found, indent=2)
        return 0
    wide = max(map(len, found), default=0)
    for name, doc in found.items():
        print(f"{name:<{wide}}  {doc}".rstrip())
    return 0


def _show(a: argparse.Namespace) -> int:
    from ...look import spec

    (name,) = _some(a, 1, f"one of {', '.join(spec.files())}")
    look = spec.load(name)
    if a.json:
        emit(dataclasses.asdict(look), indent=2)
        return 0
    print(f"{look.name}: {look.title}")
    for table in spec.TABLES:
        part = getattr(look, table)
        for key, known in spec.fields(type(part)).items():
            value = getattr(part, key)
            if value != known["default"] or table == "tone":
                unit = "" if known["unit"] == "°" else f" {known['unit']}".rstrip()
                print(f"  {table + '.' + key:<24}{_text(value) + unit:<14}{known['doc']}")
    for node in look.hue:
        moved = [f"{k} {_text(v)}" for k, v in dataclasses.asdict(node).items() if k != "at_deg" and v]
        print(f"  hue {node.at_deg:3.0f}°                {', '.join(moved)}")
    return 0


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _diff(a: argparse.Namespace) -> int:
    from ...look import spec

    one, two = (_flat(spec.load(n)) for n in _some(a, 2, "two looks"))
    keys = [k for k in dict.fromkeys([*one, *two]) if one.get(k) != two.get(k)]
    if a.json:
        emit({k: [one.get(k), two.get(k)] for k in keys}, indent=2)
        return 0
    wide = max(map(len, keys), default=0)
    for k in keys:
        print(f"{k:<{wide}}  {_text(one.get(k, '-')):>10}  {_text(two.get(k, '-')):>10}")
    return 0


def _flat(look: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in dataclasses.asdict(look).items():
        if isinstance(value, dict):
            found |= {f"{key}.{k}": v for k, v in value.items()}
        elif key == "hue":
            found |= {f"hue {n['at_deg']:.0f}°.{k}": v for n in value for k, v in n.items() if k != "at_deg" and v}
    return found


def _lint(a: argparse.Namespace) -> int:
    from ...look import lint

    if not a.names:
        raise Usage("look lint: which look, or which file?")
    if a.output:
        from ...look import sheet

        (name,) = _some(a, 1, "one look to draw")
        sheet.write(name, _free(a), a.space)
    bad = 0
    for name in a.names:
        health = lint.grade(name, a.space)
        bad += bool(health.problems)
        if a.json:
            emit({"name": name, **health.numbers(), "problems": health.problems})
            continue
        print(f"{name}: {'healthy' if not health.problems else '; '.join(health.problems)}")
        print("  " + "  ".join(f"{k} {v:.3g}" for k, v in health.numbers().items()))
    return 1 if bad else 0


def _bake(a: argparse.Namespace) -> int:
    from ...look import bake, spec

    (name,) = _some(a, 1, "one look")
    if not a.output:
        raise Usage(f"look bake: where to? give -o NAME with one of {', '.join(bake.SIZES)}")
    path = _free(a)
    camera = _camera(a.camera) if path.suffix.lower() == ".dcp" else None
    baked = bake.bake(spec.load(name), path, a.size, a.space, camera)
    losses = {"nature": baked.nature, "whole": baked.whole}
    if a.json:
        facts = {"file": a.output, "size": baked.size, "in": baked.spaces[0], "out": baked.spaces[1]}
        facts |= {"camera": camera.name} if camera else {}
        emit({**facts, **{k: v._asdict() for k, v in losses.items()}})
        return 0
    said = f" for {camera.name}" if camera else f", {baked.size} points an edge"
    print(f"{a.output}{said}\n  in: {baked.spaces[0]}; out: {baked.spaces[1]}")
    for key, loss in losses.items():
        over = "colours of nature" if key == "nature" else "all that can go in"
        print(f"  lost over {over:<18} mean {loss.mean:.2f}  p95 {loss.p95:.2f}  p99 {loss.p99:.2f}  "
              f"max {loss.most:.2f}  ΔE2000")  # fmt: skip
    return 0


def _free(a: argparse.Namespace) -> pathlib.Path:
    """The file that is asked for. Raises Usage where there is one already that may not be replaced."""
    path = pathlib.Path(a.output)
    if path.exists() and not a.overwrite:
        raise Usage(f"{path}: exists; choose another name or give --overwrite")
    return path


def _camera(path: str | None) -> bake.Camera:
    """The camera of a raw file, or a generic one."""
    from ...develop._camera import GENERIC
    from ...look.bake import Camera

    if path is None:
        return Camera("generic", GENERIC)
    from ... import raw

    frame = raw.open(path)
    if not frame.colour.calibrations:
        raise Usage(f"look bake: {path} has no colour matrix: name another raw file of the camera")
    return Camera(f"{frame.make} {frame.model}".strip() or "unknown camera", frame.colour)


def _fit(a: argparse.Namespace) -> int:
    from ...look import fit

    if not a.output or not a.output.endswith(".toml"):
        raise Usage("look fit: where to? give -o NAME.toml")
    path = _free(a)
    names = [pathlib.Path(n) for n in a.names]
    folder = len(names) == 1 and names[0].is_dir()
    if len(names) == 1 and not folder:
        found = fit.of_table(names[0], path.stem)
    elif folder or (names and len(names) % 2 == 0):
        from . import pairs

        found = fit.of_colours(*pairs.colours(pairs.of_folder(names[0]) if folder else names), path.stem)
    else:
        raise Usage("look fit: expected a table, a folder of pairs, or pairs of files: BEFORE AFTER …")
    path.write_text(fit.to_toml(found.look), "utf-8")
    if a.json:
        emit({"file": a.output, "mean": found.mean, "p95": found.p95, "blind_deg": found.blind_deg})
        return 0
    print(f"{path}: mean {found.mean:.2f}  p95 {found.p95:.2f} ΔE2000 remain")
    if found.blind_deg:
        print(f"  no colours at the hues {', '.join(f'{d}°' for d in found.blind_deg)}: left as they are")
    return 0


def _new(a: argparse.Namespace) -> int:
    from ...look import spec

    if len(a.names) not in (1, 2):
        raise Usage("look new: expected a name, and perhaps the look to begin with")
    name, base = a.names[0], a.names[1] if len(a.names) == 2 else "classic"
    spec.load(base)
    path = pathlib.Path(a.output) if a.output else spec.own() / f"{name}.toml"
    text = (
        f'name = "{name}"\ntitle = "{name.capitalize()}"\nextends = "{base}"\n\n'
        "# Tables and keys that are not here are those of the look above; `lichtbild look show` names them all.\n"
        "[tone]\n"
    )
    if not name.replace("-", "").replace("_", "").isalnum():
        raise Usage(f"look new: '{name}' is no name for a look: letters, digits, - and _")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Usage(f"{path}: exists") from None
    print(path)
    return 0


def _tune(a: argparse.Namespace) -> int:
    from .tune import run as session

    if not a.names:
        raise Usage("look tune: which raw files shall the look be tuned on?")
    if not a.output or not a.output.endswith(".toml"):
        raise Usage("look tune: where to? give -o NAME.toml")
    return session([pathlib.Path(n) for n in a.names], a.base, a.knob, pathlib.Path(a.output))


_WORK = {
    "list": _list,
    "show": _show,
    "diff": _diff,
    "lint": _lint,
    "bake": _bake,
    "fit": _fit,
    "new": _new,
    "tune": _tune,
}
