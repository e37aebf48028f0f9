"""Write pages of `docs` from the code, its docstrings, parameters and keys: those that PAGES names.

python tools/docs.py            write
python tools/docs.py --check    fail when a page is stale, a source is missing from docs/references.bib,
                                or a link in a Markdown file leads nowhere
"""

from __future__ import annotations

import dataclasses
import inspect
import pathlib
import re
import sys

import lichtbild.develop as develop
from lichtbild import lens, scene, sensor, simulate, stage
from lichtbild.develop import micro
from lichtbild.lens import fit, form, polynomials, spec, stray
from lichtbild.look import curve, grain, mono
from lichtbild.look import spec as look_spec
from lichtbild.sensor import efficiency, file
from lichtbild.simulate import folder, shake, spectral, ways

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "stages.md"
SENSORS = ROOT / "docs" / "sensors.md"
SIMULATOR = ROOT / "docs" / "simulator.md"
LENSES = ROOT / "docs" / "lenses.md"
LOOK_FILE = ROOT / "docs" / "look-file.md"
BIB = ROOT / "docs" / "references.bib"
HEAD = """# The stages of development, in the order of light

Made by `make docs` from the code: do not edit. Set a parameter with `--set stage.parameter=value` or in a recipe.
Sources are keys into [references.bib](references.bib).
"""


def value_range(p: stage.Param) -> str:
    if p.choices:
        return " · ".join(p.choices)
    if p.kind is str:
        return "text"
    return "true · false" if p.kind is bool else f"{p.lo:g} … {p.hi:g} {p.unit}".strip()


def chapter(name: str) -> str:
    cls = stage.find(name)
    text = (sys.modules[cls.__module__].__doc__ or "").strip()
    title, _, body = text.partition("\n")
    rows = [f"| `{name}.{p.name}` | {p.default} | {value_range(p)} | {p.doc} |" for p in stage.params(cls).values()]
    table = "\n".join(["| parameter | default | range | meaning |", "|---|---|---|---|", *rows]) if rows else ""
    return f"## {name}\n\n{title}\n\n```text\n{body.strip()}\n```\n\n{table}\n"


def page() -> str:
    return "\n".join([HEAD, *(chapter(name) for name in develop.ORDER)])


SENSORS_HEAD = """# Sensors of the simulator

Made by `make docs` from the code: do not edit. A sensor is a file in `src/lichtbild/sensor/data`, or any other that
`sensor.load("mine.toml")` names. Each number there says its source, or that it is an estimate.
"""


def sensors_page() -> str:
    """What every sensor is in figures, the chain from light to a number, and all keys of a sensor file."""
    rows = ["| sensor | mode | pixels | pitch µm | CFA | bits | ISO | full well e- | read e- at base, at most ISO |"]
    rows.append("|---|---|---|---|---|---|---|---|---|")
    for s in (sensor.load(name, mode) for name in sensor.names() for mode in sensor.load(name).modes):
        base, top = (s.read_dn(iso) / s.gain(iso) for iso in (s.base_iso, s.max_iso))
        rows.append(
            f"| {s.name} | {s.mode} | {s.columns}x{s.rows} | {s.pitch_um:g} | {s.cfa} | {s.bits} "
            f"| {s.base_iso:g}…{s.max_iso:g} | {s.stages[0].full_well_e:g} | {base:.1f}, {top:.1f} |"
        )
    keys = ["| key | default | range | meaning |", "|---|---|---|---|"]
    for table, params in file.KEYS.items():
        for p in params:
            needed = p.default == "" or p.default != p.default  # NaN
            keys.append(
                f"| `{table}.{p.name}` | {'needed' if needed else f'{p.default:g}'} | {value_range(p)} | {p.doc} |"
            )
    chain, curves, modes = (inspect.cleandoc(m.__doc__ or "") for m in (sensor.types, efficiency, file))
    blocks = [f"```text\n{text}\n```\n" for text in (chain, modes, curves)]
    return "\n".join([SENSORS_HEAD, *rows, "", "## From light to a number\n", blocks[0], "## Keys\n", blocks[1], *keys,
                      "", "## Colour\n", blocks[2]])  # fmt: skip


SIMULATOR_HEAD = """# The simulator

Made by `make docs` from the code: do not edit. A scene, a lens and a [sensor](sensors.md) become a burst of DNGs that
any raw converter opens, and the truth about it: light without noise, the way of every pixel, what hides what, depth,
illuminant.

```
lichtbild simulate street -o burst/ --frames 8 --size 1536x1152
lichtbild simulate scene.toml -o burst/           # [scene] name = "street", wet = 0.5 … and [shot] frames = 8 …
lichtbild develop burst/ -o night.jpg
```
```python
shot, truth = lichtbild.simulate("street", frames=8, width=768, height=512, iso=3200)
truth.flow(3), truth.hidden(3), truth.rgb, truth.mosaic, truth.extra["depth_m"]
```
"""


def parameters(prefix: str, params: dict[str, stage.Param]) -> list[str]:
    """A table of parameters."""
    rows = [
        f"| `{prefix}{p.name}` | {p.default if p.default != '' else 'none'} | {value_range(p)} | {p.doc} |"
        for p in params.values()
    ]
    return ["| key | default | range | meaning |", "|---|---|---|---|", *rows, ""]


def simulator_page() -> str:
    """How to ask for a burst, what lies in its folder, and how it is made."""
    lines = [SIMULATOR_HEAD, "## The shot: table [shot]\n", *parameters("", stage.params(simulate.Settings))]
    lines += ["## Scenes: table [scene]\n"]
    for name in scene.names():
        lines += [f"`{name}`: {simulate.catalogue()['scenes'][name]}.\n", *parameters("", scene.parameters(name))]
    lines += ["## Lenses\n", *(f"- `{name}`: {lens.load(name).title}" for name in lens.names())]
    lines += ["\nTheir files and what is approximated: [lenses](lenses.md)."]
    for title, module in (("The folder of a burst", folder), ("Ways", ways), ("Hands", shake), ("Spectra", spectral)):
        lines += [f"\n## {title}\n", f"```text\n{inspect.cleandoc(module.__doc__ or '')}\n```"]
    return "\n".join(lines) + "\n"


LENSES_HEAD = """# Lenses of the simulator

Made by `make docs` from the code: do not edit. A lens is a file in `src/lichtbild/lens/data`, or any other that
`lens.load("mine.toml")` names. Each file there says what is published of it and what is an estimate.
"""


def lenses_page() -> str:
    """What every lens is in figures, how an image is formed, what approximates what, and all keys of a lens file."""
    rows = ["| lens | focal mm | f | T | image circle mm | light in the corner | distortion there |", "|" + "---|" * 7]
    for glass in map(lens.load, lens.names()):
        plane = lens.Plane(1, 1, 1.0)
        dark = float(lens.shading(glass, plane, 1, *plane.on_grid(glass.radius_mm * 1e3 / plane.pitch_um, 0.0)))
        bent = sum(glass.distortion.k)
        rows.append(
            f"| {glass.name} | {glass.focal_mm:g} | {glass.f_number:g} | {glass.t_number:g} | {glass.image_mm:g} "
            f"| {dark:.0%} | {bent:+.1%} |"
        )
    keys = ["| key | default | range | meaning |", "|---|---|---|---|"]
    keys += [f"| `lens.{key}` | needed | {lo:g} … {hi:g} | {text} |" for key, (lo, hi, text) in spec.HEAD.items()]
    for table, kind in spec.TABLES.items():
        for f in (f for f in dataclasses.fields(kind) if f.metadata):
            m = f.metadata
            default = list(f.default) if isinstance(f.default, tuple) else f.default
            keys.append(f"| `{table}.{f.name}` | {default} | {m['lo']:g} … {m['hi']:g} {m['unit']} | {m['doc']} |")
    lines = [LENSES_HEAD, *rows, "\n## Keys\n", *keys]
    for title, module in (
        ("How an image is formed", form),
        ("Blur", fit),
        ("Stray light", stray),
        ("Between pixels", polynomials),
    ):
        lines += [f"\n## {title}\n", f"```text\n{inspect.cleandoc(module.__doc__ or '')}\n```"]
    return "\n".join(lines) + "\n"


LOOK_FILE_HEAD = """# The file of a look

Made by `make docs` from the code: do not edit. A look is a TOML file in `src/lichtbild/look/data`, in
`~/.config/lichtbild/looks`, or any other that `--look mine.toml` names; [those of the house](looks.md).
Every key may be left out but `name` and `title`. `extends = "classic"` starts from another look. `[set.STAGE]` sets
parameters of [stages](stages.md) for pictures in this look: `[set.border]` with `paper = "white"`.
"""


def look_file_page() -> str:
    """All keys of a look file, table by table, and how its parts act."""
    lines = [LOOK_FILE_HEAD]
    for table, kind in [*look_spec.TABLES.items(), ("hue", look_spec.Hue)]:
        lines += [f"## {f'[[{table}]]' if table == 'hue' else f'[{table}]'}\n", f"{kind.__doc__}\n"]
        lines += ["| key | default | range | meaning |", "|---|---|---|---|"]
        for key, m in look_spec.fields(kind).items():
            span = " · ".join(m["choices"]) or ("text" if m["lo"] is None else f"{m['lo']:g} … {m['hi']:g} {m['unit']}")
            lines.append(
                f"| `{key}` | {m['default'] if m['default'] != '' else 'none'} | {span.strip()} | {m['doc']} |"
            )
        lines.append("")
    for title, module in (
        ("Tone", curve),
        ("Grain", grain),
        ("Textures", micro),
        ("Black and white", mono),
    ):
        lines += [f"## {title}\n", f"```text\n{inspect.cleandoc(module.__doc__ or '')}\n```\n"]
    return "\n".join(lines)


PAGES = {
    PAGE: page, SENSORS: sensors_page, LENSES: lenses_page, SIMULATOR: simulator_page, LOOK_FILE: look_file_page
}  # fmt: skip


def missing_sources() -> list[str]:
    known = set(re.findall(r"@\w+\{(\w+),", BIB.read_text()))
    used = set()
    for path in [*ROOT.glob("src/**/*.py"), *ROOT.glob("kernels/*.py")]:
        used |= set(re.findall(r"\[([A-Z][A-Za-z]+\d{2,4}[a-z]?)\]", path.read_text()))
    return sorted(used - known)


def dead_links() -> list[str]:
    dead = []
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            if not (path.parent / link).exists():
                dead.append(f"{path.name}: {link}")
    return dead


def main() -> None:
    if "--check" not in sys.argv:
        for path, made in PAGES.items():
            path.write_text(made())
        return
    wrong = [f"no entry in references.bib for [{key}]" for key in missing_sources()]
    wrong += [f"dead link in {link}" for link in dead_links()]
    for path, made in PAGES.items():
        if not path.exists() or path.read_text() != made():
            wrong.append(f"docs/{path.name} is stale: run `make docs`")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
