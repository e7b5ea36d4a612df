"""The command that looks for counterexamples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from piggycheck.cli.terminal import (
    BAD_INPUT,
    DASK,
    INTERRUPTED,
    PROVED,
    SECONDS,
    UNDECIDED,
    WORKERS,
    complain,
    progress_line,
)

__all__ = ["executor_of", "family_of", "search"]

RESULTS, FOUND = "search.sqlite", "found"
MEMBERS = 1000


@click.command()
@click.argument("family", metavar="FAMILY")
@click.option(
    "--strategy",
    type=click.Choice(["grid", "random", "guided"]),
    default="guided",
    show_default=True,
    help="All members by growing denominators, random ones, or both in turn by floating-point scores first.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Of what is random."
)
@click.option(
    "--evaluations",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"How many members are looked at; {MEMBERS} when no --seconds are given.",
)
@click.option(
    "--seconds",
    type=SECONDS,
    metavar="S",
    help="After which no more members are looked at; what was found is then simplified, for as long again at most.",
)
@click.option(
    "--time-limit",
    type=SECONDS,
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For each claim of each member.",
)
@WORKERS
@DASK
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the results in this folder, and write the instances into it.",
)
@click.option("--resume", is_flag=True, help="Continue the search in that folder.")
def search(
    family: str,
    strategy: str,
    seed: int,
    evaluations: int | None,
    seconds: float | None,
    time_limit: float,
    workers: int | None,
    dask: str | None,
    out: Path | None,
    resume: bool,
) -> int:
    """Look for counterexamples: members of a FAMILY of which all claims can be proved.

    FAMILY is a TOML file, or the name of one of those that `piggycheck list families` shows.

    Exit codes: 0 some were found, 2 none was, 3 bad input or no way to go on (what was finished is kept),
    130 interrupted.
    """
    from piggycheck.errors import InputError

    if resume and out is None:
        complain("--resume: continues the search in a folder; write --out DIR as well")
        return BAD_INPUT
    try:
        return _search(
            family,
            out,
            workers or os.cpu_count() or 1,
            dask,
            strategy=strategy,
            seed=seed,
            evaluations=MEMBERS if evaluations is None and seconds is None else evaluations,
            seconds=seconds,
            time_limit=time_limit,
            resume=resume,
        )
    except InputError as error:
        complain(str(error))
        return BAD_INPUT


def _search(name: str, out: Path | None, workers: int, dask: str | None, **options: Any) -> int:
    with progress_line(f"reading {name}"):
        from piggycheck import checker
        from piggycheck.errors import InputError
        from piggycheck.search import search as look
        from piggycheck.search.write import write_found

        family = family_of(name)
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{out}: cannot be made: {error.strerror}; choose another folder for --out") from None
        if (out / FOUND).exists() and not (out / RESULTS).exists():
            raise InputError(
                f"{out / FOUND}: is not from a search, and would be replaced; choose another folder for --out"
            )
    results = None if out is None else out / RESULTS
    with progress_line(family.name) as progress, executor_of(workers, dask) as (executor, workers):
        result = look(family, checker.check, executor, workers=workers, results=results, progress=progress, **options)
    paths = []
    if out is not None:
        with progress_line("writing what was found"):
            paths = write_found(family, result.found, out / FOUND, checker.check, options["time_limit"])
    _print(family, result, paths, kept=out is not None)
    return INTERRUPTED if result.interrupted else PROVED if result.found else UNDECIDED


def family_of(name: str) -> Any:
    """Read the family of a file, or one that is ready, by its name."""
    from difflib import get_close_matches

    from piggycheck.errors import InputError
    from piggycheck.search import READY, load_family

    path = READY.get(name, Path(name))
    if not path.exists() and not path.suffix:
        close = get_close_matches(name, READY, 1)
        raise InputError(
            f"{name}: no file, and no family that is ready{f'; did you mean `{close[0]}`?' if close else ''}; "
            "`piggycheck list families` names those that are"
        )
    return load_family(path)


@contextmanager
def executor_of(workers: int, dask: str | None) -> Iterator[tuple[Any, int]]:
    """Yield who does the work, and how many they are."""
    from piggycheck.search import executors

    if dask is None:
        with executors.processes(workers) as executor:
            yield executor, workers
    else:
        with executors.dask_executor(dask) as (executor, workers):
            yield executor, workers


def _print(family: Any, result: Any, paths: list[Path], *, kept: bool) -> None:
    click.echo(f"{family.title}: {result.evaluations} members looked at, {result.proved} proved")
    if result.failure:
        click.echo(f"the program failed at {result.outcomes['failed']} of them, first with {result.failure}")
    if not result.found:
        click.echo("nothing was found")
    for number, decision in enumerate(result.found):
        listed = ", ".join(f"{name} {value}" for name, value in decision.values.items())
        click.echo(f"\n{listed}")
        for claim in decision.claims:
            click.echo(f"    {claim['kind']}: {claim['found']}")
        if paths:
            click.echo(f"    {paths[number]}")
    if result.interrupted:
        click.echo("interrupted; --resume continues it" if kept else "interrupted")
