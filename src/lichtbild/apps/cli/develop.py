"""`lichtbild develop`: from the words on the command line to jobs, and what is said of each."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace

from ... import bursts, recipe, shot
from ...photo import wanted
from ...stage import nearest
from ...types import LichtbildError
from .. import runner
from .words import Bar, Usage, complain, emit

FIELDS = ("stem", "folder", "n")


@dataclass(frozen=True)
class Plan:
    """What is to be developed and how the run goes."""

    files: tuple[str, ...]
    output: str = "{stem}.jpg"
    skip_existing: bool = False
    jobs: int = 3
    threads: int = 0
    json: bool = False
    single: bool = False


def run(plan: Plan, settings: runner.Settings) -> int:
    """Develop all files; the exit code. Raises Usage before any work where the command line cannot be meant so."""
    check_words(plan, settings)
    inputs, failed = expand(plan.files)
    takes = [[p] for p in inputs] if plan.single else bursts.group(inputs, settings.mode == "night")
    todo, outcomes = sift(name_outputs(takes, plan.output), plan.skip_existing, settings.overwrite)
    from ... import kernels

    kernels.keep_memory()
    if todo:  # files are read while the stages are imported: 40 ms of a command that takes 400
        settings = replace(settings, ahead=runner.read_ahead(todo[0]))
    check_recipe(settings)
    if plan.threads:
        kernels.set_threads(plan.threads)
    bar = Bar(len(todo))
    for early in [*failed, *outcomes]:
        tell(early, bar, plan.json)
    bad = len(failed) + len(outcomes)
    with closing(develop(todo, settings, plan.jobs, bar)) as results:
        for outcome in results:
            bad += outcome.error is not None
            tell(outcome, bar, plan.json)
    return 1 if bad else 0


def develop(
    todo: list[runner.Job], settings: runner.Settings, in_hand: int, bar: Bar
) -> Generator[runner.Outcome, None, None]:  # fmt: skip
    """The outcomes of all jobs, with the bar kept up to date."""
    try:
        with closing(runner.run(todo, settings, in_hand)) as results:
            for job in todo:
                bar.show(job.input.name)
                outcome = next(results)
                bar.done += 1
                yield outcome
    finally:
        bar.clear()


def check_recipe(settings: runner.Settings) -> None:
    """Resolve what is the same for all files. Raises Usage."""
    try:
        recipe.resolve(settings.mode, settings.look, settings.recipes, settings.sets)
    except LichtbildError as e:
        raise Usage(str(e)) from None


def check_words(plan: Plan, settings: runner.Settings) -> None:
    """Everything that can be wrong with the words alone. Raises Usage."""
    try:
        wanted(_pattern(plan.output), settings.sdr, settings.space)
    except LichtbildError as e:
        raise Usage(str(e)) from None
    for found in re.findall(r"\{(.*?)\}", plan.output):
        if found not in FIELDS:
            raise Usage(f"-o {plan.output}: unknown '{{{found}}}': {nearest(found, FIELDS)}")
    if settings.overwrite and plan.skip_existing:
        raise Usage("--overwrite and --skip-existing exclude each other")


def expand(words: Iterable[str]) -> tuple[list[pathlib.Path], list[runner.Outcome]]:
    """The raw files meant: a file is itself, a folder every raw file in it. A folder without any is a failure."""
    paths: list[pathlib.Path] = []
    failed = []
    for word in words:
        path = pathlib.Path(word)
        try:
            paths += shot.raws(path) if path.is_dir() else [path]
        except (LichtbildError, OSError) as e:
            failed.append(runner.Outcome(runner.Job(path, path), runner.reason(e, path)))
    return paths, failed


def _pattern(output: str) -> pathlib.Path:
    whole = pathlib.Path(output)
    return whole / "{stem}.jpg" if output.endswith(os.sep) or whole.is_dir() else whole


def _filled(pattern: str, fields: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: fields[found[1]], pattern)


def name_outputs(takes: list[list[pathlib.Path]], output: str) -> list[runner.Job]:
    """A job for each raw file or burst, named after its first file.

    Raises Usage where two photographs, or a photograph and a raw file, would be one file.
    """
    pattern = str(_pattern(output))
    jobs = []
    taken = {os.path.realpath(p): "is a raw file to be developed" for take in takes for p in take}
    for i, (path, *more) in enumerate(takes):
        fields = {"stem": path.stem, "folder": path.absolute().parent.name, "n": f"{i + 1:04d}"}
        out = pathlib.Path(_filled(pattern, fields))
        real = os.path.realpath(out)
        if real in taken:
            raise Usage(f"{path}: its photograph {out} {taken[real]}; use -o with {{stem}}, {{folder}} or {{n}}")
        taken[real] = f"is that of {path} too"
        jobs.append(runner.Job(path, out, tuple(more)))
    return jobs


def sift(
    jobs: list[runner.Job], skip: bool, overwrite: bool
) -> tuple[list[runner.Job], list[runner.Outcome]]:  # fmt: skip
    """Jobs to do, and failures of those whose photograph is there already (none where they are to be skipped)."""
    if overwrite:
        return jobs, []
    free = [j for j in jobs if not os.path.lexists(j.output)]
    there = [j for j in jobs if os.path.lexists(j.output)] if not skip else []
    reason = "{} exists; use --overwrite or --skip-existing, or another -o"
    return free, [runner.Outcome(j, reason.format(j.output)) for j in there]


def tell(outcome: runner.Outcome, bar: Bar, json: bool) -> None:
    """Say what became of a photograph."""
    for remark in outcome.photo.get("left_out", ()):
        bar.clear()
        complain(remark)
    if outcome.error:
        bar.clear()
        complain(f"{outcome.job.input}: {outcome.error}")
    else:
        guesses = len(outcome.photo.get("guesses", ()))
        hint = f", {guesses} guessed: see lichtbild info" if guesses else ""
        bar.line(f"{outcome.job.output}  ({outcome.seconds:.2f} s{hint})")
    if json:
        emit(outcome.facts())
