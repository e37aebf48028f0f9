"""Write `docs/stages.md` from the stages themselves: docstring, parameter table, and the key of every source.

python tools/docs.py            write
python tools/docs.py --check    fail when the page is stale, a source is missing from docs/references.bib,
                                or a link in a Markdown file leads nowhere
"""

from __future__ import annotations

import pathlib
import re
import sys

import lichtbild.develop as develop
from lichtbild import stage

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "stages.md"
BIB = ROOT / "docs" / "references.bib"
HEAD = """# The stages of development, in the order of light

Made by `make docs` from the code: do not edit. Set a parameter with `--set stage.parameter=value` or in a recipe.
Sources are keys into [references.bib](references.bib).
"""


def value_range(p: stage.Param) -> str:
    if p.choices:
        return " · ".join(p.choices)
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
        PAGE.write_text(page())
        return
    wrong = [f"no entry in references.bib for [{key}]" for key in missing_sources()]
    wrong += [f"dead link in {link}" for link in dead_links()]
    if not PAGE.exists() or PAGE.read_text() != page():
        wrong.append("docs/stages.md is stale: run `make docs`")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
