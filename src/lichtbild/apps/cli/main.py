"""The command line: what can be asked for. The work of each command lies in the module of its name, imported late.

`lichtbild --help` answers in under 0.3 s, so nothing here imports arrays, tables or pictures. The parser is argparse:
typer, which imports pydantic to read an option, would cost every command another 0.13 s (measured, two cores).
"""

from __future__ import annotations

import argparse
import difflib
import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from ... import __version__
from . import stopping

Declare = Callable[[argparse.ArgumentParser], None]


class Command(NamedTuple):
    """One command: its line of help, its arguments and its work, which returns the exit code."""

    doc: str
    declare: Declare
    work: Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """Wrong usage is two lines on stderr and exit code 2; an unknown option is told the nearest one."""

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        found, rest = self.parse_known_intermixed_args(words)
        if rest:
            known = [word for a in self._actions for word in a.option_strings]
            close = difflib.get_close_matches(rest[0].partition("=")[0], known, 1)
            self.error(f"unknown option {rest[0]}" + (f": did you mean {close[0]}?" if close else ""))
        return found

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"lichtbild: {message}\ntry: {self.prog} --help\n")


def _whole(lo: int, hi: int | None = None) -> Callable[[str], int]:
    def read(word: str) -> int:
        n = int(word) if word.lstrip("-").isdigit() else lo - 1
        if n < lo or (hi is not None and n > hi):
            raise argparse.ArgumentTypeError(f"expected a whole number {lo}..{'' if hi is None else hi}, got '{word}'")
        return n

    return read


def _zoomed(a: argparse.Namespace) -> list[str]:
    return [] if a.zoom is None else [f"merge.zoom={a.zoom}"]


def _recipe(p: argparse.ArgumentParser) -> None:
    p.add_argument("--mode", default="auto", metavar="NAME", help="auto, snapshot or night (default auto)")
    p.add_argument("--look", metavar="NAME", help="see `lichtbild look list` (default classic)")
    p.add_argument("--set", action="append", default=[], metavar="STAGE.KEY=VALUE",
                   help="one value, e.g. tone.strength=0.7; may be repeated")  # fmt: skip
    p.add_argument("--recipe", action="append", default=[], metavar="FILE",
                   help="a recipe file, or a photograph that holds one; may be repeated, later wins")  # fmt: skip


def _develop(p: argparse.ArgumentParser) -> None:
    add = p.add_argument
    add("files", nargs="+", metavar="FILE", help="a raw file, or a folder of them; files that were taken in one go "
        "become one photograph")  # fmt: skip
    add("-o", "--output", default="{stem}.jpg", metavar="NAME", help="name, folder or pattern with {stem}, {folder}, "
        "{n}; the format follows the extension (default {stem}.jpg)")  # fmt: skip
    _recipe(p)
    add("--zoom", type=float, metavar="X", help="1..2: more pixels each way than the sensor has, found between the "
        "frames of a burst")  # fmt: skip
    add("--sdr", action="store_true", help="a plain JPEG, without the gain map for HDR displays")
    add("--quality", type=_whole(1, 100), metavar="N", help="1..100, where the format has one")
    add("--space", metavar="NAME", help="colour space: srgb or p3 (default srgb)")
    add("--private", action="store_true", help="leave out place, serial numbers and names")
    add("--overwrite", action="store_true", help="replace photographs that exist")
    add("--skip-existing", action="store_true", help="leave photographs that exist")
    add("--single", action="store_true", help="make a photograph of each raw file, also of those of a burst")
    add("--jobs", type=_whole(1), default=3, metavar="N", help="photographs under way at once; memory grows with it "
        "(default 3)")  # fmt: skip
    add("--threads", type=_whole(0), default=0, metavar="N", help="threads of the pixel work (default: all cores)")
    add("--json", action="store_true", help="one JSON object per photograph on stdout")


def _do_develop(a: argparse.Namespace) -> int:
    from ..runner import Settings
    from .develop import Plan, run

    names = ((*a.set, *_zoomed(a)), tuple(a.recipe))
    settings = Settings(a.mode, a.look, *names, a.sdr, a.quality, a.space, a.private, a.overwrite)
    return run(Plan(tuple(a.files), a.output, a.skip_existing, a.jobs, a.threads, a.json, a.single), settings)


def _merge(p: argparse.ArgumentParser) -> None:
    add = p.add_argument
    add("files", nargs="+", metavar="FILE", help="the raw files of one burst, or the folder they lie in")
    add("-o", "--output", default="merged.dng", metavar="NAME", help="name of the DNG (default merged.dng)")
    add("--cfa", action="store_true", help="keep the mosaic: one colour per pixel, for converters that want it")
    add("--zoom", type=float, metavar="X", help="1..2: more pixels each way than the sensor has")
    add("--report", metavar="NAME", help="a picture (.png) of how many frames were believed where")
    add("--set", action="append", default=[], metavar="STAGE.KEY=VALUE",
        help="one value, e.g. merge.caution=2; quad and nona mosaics are binned by demosaic.bin=true only")  # fmt: skip
    add("--overwrite", action="store_true", help="replace files that exist")
    add("--json", action="store_true", help="one JSON object on stdout")


def _do_merge(a: argparse.Namespace) -> int:
    from .merge import run

    return run(a.files, a.output, a.cfa, a.report, [*a.set, *_zoomed(a)], a.overwrite, a.json)


def _info(p: argparse.ArgumentParser) -> None:
    p.add_argument("files", nargs="+", metavar="FILE", help="a raw file")
    p.add_argument("--json", action="store_true", help="one JSON object per file")


def _do_info(a: argparse.Namespace) -> int:
    from .info import run

    return run(a.files, a.json)


def _explain(p: argparse.ArgumentParser) -> None:
    p.add_argument("file", metavar="FILE", help="a raw file")
    _recipe(p)
    p.add_argument("--json", action="store_true", help="as JSON")


def _do_explain(a: argparse.Namespace) -> int:
    from .explain import run

    return run(a.file, a.mode, a.look, a.set, a.recipe, a.json)


def _look(p: argparse.ArgumentParser) -> None:
    from .look import declare

    declare(p)


def _do_look(a: argparse.Namespace) -> int:
    from .look import run

    return run(a)


def _simulate(p: argparse.ArgumentParser) -> None:
    add = p.add_argument
    add("scene", nargs="?", metavar="SCENE", help="a scene of the house (see --list), or a TOML file with [scene] and "
        "[shot]")  # fmt: skip
    add("-o", "--output", metavar="FOLDER", help="the burst's folder, which must not exist yet")
    add("--list", action="store_true", help="list scenes with their parameters, lenses and sensors")
    add("--lens", metavar="NAME", help="a lens of the house, or its TOML file")
    add("--sensor", metavar="NAME", help="a sensor of the house, or its TOML file")
    add("--frames", metavar="N", help="frames of the burst (default 8)")
    add("--seed", metavar="N", help="of scene, hand and noise (default 1)")
    add("--size", metavar="WxH", help="a window in the middle of the sensor (default: all of it)")
    add("--exposure-s", metavar="S", help="exposure time (default: automatic)")
    add("--iso", metavar="N", help="sensitivity (default: automatic)")
    add("--bias-ev", metavar="EV", help="added to the automatic exposure")
    add("--bracket-ev", metavar="LIST", help="offsets that frames take in turn, as 0,-3")
    add("--shake", metavar="X", help="1 = a person standing (default), 0 = a tripod")
    add("--truth", default="full", metavar="HOW", help="full, reference or none (default full)")
    add("--cache", metavar="FOLDER", help="where drawn scenes are kept; off = nowhere (default: the user's cache)")
    add("--overwrite", action="store_true", help="replace a burst that exists")
    add("--json", action="store_true", help="the list as JSON")


def _do_simulate(a: argparse.Namespace) -> int:
    from . import simulate
    from .words import Usage

    if a.list:
        return simulate.listing(a.json)
    if not a.scene or not a.output:
        raise Usage("simulate: which scene, and where to? lichtbild simulate street -o burst/; --list shows them")
    names = ("lens", "sensor", "frames", "seed", "exposure_s", "iso", "bias_ev", "bracket_ev", "shake")
    given = {n: getattr(a, n) for n in names if getattr(a, n) is not None} | simulate.size(a.size)
    return simulate.run(a.scene, a.output, given, a.cache, a.truth, a.overwrite)


def _postprocess(p: argparse.ArgumentParser) -> None:
    p.add_argument("folder", metavar="BURST_DIR", help="the burst's frames 0.dng, 1.dng …; they are removed at the end")
    p.add_argument("target", metavar="TARGET", help="the photograph's name without extension")
    p.add_argument("keep", nargs="?", choices=("0", "1"), default="0", help="1: leave a raw file TARGET.dng as well")


def _do_postprocess(a: argparse.Namespace) -> int:
    import pathlib

    from .postprocess import run

    return run(pathlib.Path(a.folder), pathlib.Path(a.target), a.keep == "1")


def _demo(p: argparse.ArgumentParser) -> None:
    p.add_argument("-o", "--output", default="out", metavar="FOLDER", help="where to put it all (default out)")


def _do_demo(a: argparse.Namespace) -> int:
    import pathlib

    from .demo import run

    print(run(pathlib.Path(a.output)))
    return 0


def _bench(p: argparse.ArgumentParser) -> None:
    p.add_argument("words", nargs=argparse.REMAINDER, metavar="...", help="what `python -m bench` takes")


def _do_bench(a: argparse.Namespace) -> int:
    from .bench import run

    return run(a.words)


COMMANDS = {
    "develop": Command("develop raw files into photographs", _develop, _do_develop),
    "merge": Command("make one raw file, a DNG with less noise, of a burst", _merge, _do_merge),
    "info": Command("show what raw files say, and every guess that was made", _info, _do_info),
    "explain": Command("print each value of a recipe and the layer it came from", _explain, _do_explain),
    "look": Command("list, show, compare, check, bake and begin looks", _look, _do_look),
    "simulate": Command("take a burst of raw files of a scene, with the truth about it", _simulate, _do_simulate),
    "postprocess": Command("finish the burst of a phone's camera application", _postprocess, _do_postprocess),
    "demo": Command("simulate a handheld burst at night and make its photograph", _demo, _do_demo),
    "bench": Command("measure speed and quality, in a checkout of the project", _bench, _do_bench),
}


def _help() -> str:
    wide = max(map(len, COMMANDS))
    lines = [f"  {name:<{wide}}  {c.doc}" for name, c in COMMANDS.items()]
    head = ["usage: lichtbild COMMAND …", "", "A software camera: raw frames in, finished photographs out.", ""]
    return "\n".join([*head, *lines, "", "lichtbild COMMAND --help says more; lichtbild --version"])


def run(words: Sequence[str]) -> int:
    """Do what `words` ask for; the exit code: 0 done, 1 something failed, 2 wrong usage, 130 interrupted."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help(), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] == "--version":
        print(f"lichtbild {__version__}")
        return 0
    if words[0] not in COMMANDS:
        close = difflib.get_close_matches(words[0], COMMANDS, 1)
        print(
            f"lichtbild: unknown command '{words[0]}'" + (f": did you mean {close[0]}?" if close else ""),
            file=sys.stderr,
        )
        return 2
    command = COMMANDS[words[0]]
    parser = _Parser(prog=f"lichtbild {words[0]}", description=command.doc, allow_abbrev=False)
    command.declare(parser)
    parse: Callable[[Sequence[str]], Any] = parser.parse_args if words[0] == "bench" else parser.parse
    return _guard(lambda: command.work(parse(words[1:])))


def _guard(work: Callable[[], int]) -> int:
    """Do the work of a command; whatever goes wrong becomes one line and an exit code."""
    try:
        return work()
    except KeyboardInterrupt:
        print("lichtbild: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # nobody reads any more
        return 1
    except Exception as e:
        from ..runner import reason
        from .words import Usage, complain

        complain(reason(e))
        return 2 if isinstance(e, Usage) else 1


def main() -> NoReturn:
    """The command `lichtbild`."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's own threads cost 20 ms to start; we use kernels
    gc.set_threshold(50_000)  # imports make many objects and no garbage: 10 ms
    stopping.heed()
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 1
    except BrokenPipeError:
        code = 1
    sys.stderr.flush()
    os._exit(code)  # all workers have ended and all files are whole: taking the interpreter apart costs 20 ms more
