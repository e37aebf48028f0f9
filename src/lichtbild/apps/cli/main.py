"""The command line: what can be asked for. The work of each command lies in the module of its name, imported late.

`lichtbild --help` answers in under 0.3 s, so nothing here imports arrays, tables or pictures.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from ... import __version__

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A software camera: raw frames in, finished photographs out.",
)  # fmt: skip
look_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Show the looks a photograph can have.")
app.add_typer(look_app, name="look")

Mode = Annotated[str, typer.Option(help="auto or snapshot", metavar="NAME")]
Look = Annotated[str | None, typer.Option(help="see `lichtbild look list`  [default: classic]", metavar="NAME")]
Set = Annotated[list[str] | None, typer.Option("--set", help="one value, e.g. tone.strength=0.7; may be repeated",
                                               metavar="STAGE.KEY=VALUE")]  # fmt: skip
Recipe = Annotated[list[str] | None, typer.Option("--recipe", help="a recipe file, or a photograph that holds one; "
                                                  "may be repeated, later wins", metavar="FILE")]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="print JSON on stdout")]


@app.callback(invoke_without_command=True)
def _all(version: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    if version:
        print(f"lichtbild {__version__}")
        raise typer.Exit(0)


@app.command()
def develop(
    files: Annotated[list[str], typer.Argument(metavar="FILES", help="raw files; of a folder, every raw file in it "
                                               "as a photograph of its own (until bursts can be merged)")],
    output: Annotated[str, typer.Option("-o", "--output", metavar="NAME", help="name, folder or pattern with {stem}, "
                                        "{folder}, {n}; the format follows the extension")] = "{stem}.jpg",
    mode: Mode = "auto",
    look: Look = None,
    set_: Set = None,
    recipe: Recipe = None,
    sdr: Annotated[bool, typer.Option("--sdr", help="a plain JPEG without a gain map for HDR displays")] = False,
    quality: Annotated[int | None, typer.Option(help="1..100", min=1, max=100, metavar="N")] = None,
    space: Annotated[str | None, typer.Option(help="srgb or p3  [default: srgb]", metavar="NAME")] = None,
    private: Annotated[bool, typer.Option("--private", help="leave out place, serial numbers, names")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace photographs that exist")] = False,
    skip_existing: Annotated[bool, typer.Option("--skip-existing", help="leave photographs that exist")] = False,
    jobs: Annotated[int, typer.Option(help="photographs under way at once; memory grows with it", min=1,
                                      metavar="N")] = 3,
    threads: Annotated[int, typer.Option(help="threads of the pixel work; 0 = all cores", min=0, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="one JSON object per photograph on stdout")] = False,
) -> None:  # fmt: skip
    """Develop raw files into photographs."""
    from ..runner import Settings
    from .develop import Plan, run

    settings = Settings(mode, look, tuple(set_ or ()), tuple(recipe or ()), sdr, quality, space, private, overwrite)
    plan = Plan(tuple(files), output, skip_existing, jobs, threads, json)
    _run(lambda: run(plan, settings))


@app.command()
def info(
    files: Annotated[list[str], typer.Argument(help="raw files", metavar="FILES")], json: Json = False,
) -> None:  # fmt: skip
    """Show what raw files say, and every guess that was made."""
    from .info import run

    _run(lambda: run(files, json))


@app.command()
def explain(
    file: Annotated[str, typer.Argument(help="a raw file", metavar="FILE")],
    mode: Mode = "auto", look: Look = None, set_: Set = None, recipe: Recipe = None, json: Json = False,
) -> None:  # fmt: skip
    """Print each value of a recipe and where it came from."""
    from .explain import run

    _run(lambda: run(file, mode, look, set_ or [], recipe or [], json))


@look_app.command("list")
def look_list(json: Json = False) -> None:
    """List the looks."""
    from .look import names

    _run(lambda: names(json))


@look_app.command("show")
def look_show(name: Annotated[str, typer.Argument(help="a look", metavar="NAME")]) -> None:
    """Print a look: what it is made of."""
    from .look import show

    _run(lambda: show(name))


@app.command()
def demo(
    output: Annotated[str, typer.Option("-o", "--output", help="folder", metavar="FOLDER")] = "out",
) -> None:  # fmt: skip
    """Make a raw file and a photograph of it."""
    from .demo import command

    _run(lambda: command(output))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def bench(context: typer.Context) -> None:
    """Measure speed and quality in a checkout."""
    from .bench import run

    _run(lambda: run(context.args))


def _run(work: Callable[[], int]) -> NoReturn:
    """Do the work of a command; whatever goes wrong becomes one line and an exit code."""
    from ..runner import reason
    from .words import Usage, complain

    try:
        code = work()
    except Usage as e:
        complain(reason(e))
        code = 2
    except KeyboardInterrupt:
        complain("interrupted")
        code = 130
    except BrokenPipeError:
        raise
    except Exception as e:
        complain(reason(e))
        code = 1
    raise typer.Exit(code)


def main() -> None:
    """The command `lichtbild`."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's own threads cost 20 ms to start; we use kernels
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an interrupt: finish what is being written, then go
    try:
        app(prog_name="lichtbild")
    except KeyboardInterrupt:  # before or after the work of a command
        sys.exit(130)
