"""The command that maps parameter space."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from piggycheck.cli.search import executor_of, family_of
from piggycheck.cli.terminal import (
    BAD_INPUT,
    DASK,
    INTERRUPTED,
    PROVED,
    UNDECIDED,
    WORKERS,
    complain,
    progress_line,
)

__all__ = ["map_"]

RESULTS, CERTIFICATE = "map.sqlite", "map.json"


@click.command("map")
@click.argument("family", metavar="FAMILY")
@click.option("--axes", metavar="X,Y", help="The two unknowns, when more than two are ranges.")
@click.option("--set", "values", metavar="NAME=VALUE", multiple=True, help="A value for another unknown.")
@click.option(
    "--smallest",
    default="1/128",
    show_default=True,
    metavar="SIZE",
    help="Sides of the smallest cells, as a part of those of the box.",
)
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the map (pdf, svg, png).",
)
@WORKERS
@DASK
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the results in this folder, and write the certificate of all cells into it.",
)
@click.option("--resume", is_flag=True, help="Continue the map in that folder.")
def map_(
    family: str,
    axes: str | None,
    values: tuple[str, ...],
    smallest: str,
    figure: Path | None,
    workers: int | None,
    dask: str | None,
    out: Path | None,
    resume: bool,
) -> int:
    """Map a box of two unknowns of a FAMILY: where all members converge, where all diverge, proved cell by cell.

    FAMILY is a TOML file, or the name of one of those that `piggycheck list families` shows.

    Exit codes: 0 every cell is decided, 2 some are not, 3 bad input or no way to go on (what was finished is kept),
    130 interrupted.
    """
    from piggycheck.errors import InputError

    if resume and out is None:
        complain("--resume: continues the map in a folder; write --out DIR as well")
        return BAD_INPUT
    try:
        if figure is not None:
            from piggycheck.render.page import format_of

            format_of(figure)
            if not figure.parent.is_dir():
                raise InputError(f"--figure: {figure.parent}: no such folder; make it, or choose another one")
        given = _values(values)
        names = tuple(name.strip() for name in axes.split(",")) if axes else ()
        many = workers or os.cpu_count() or 1
        return _map(family, out, figure, many, dask, axes=names, values=given, smallest=smallest, resume=resume)
    except InputError as error:
        complain(str(error))
        return BAD_INPUT


def _values(texts: tuple[str, ...]) -> dict[str, str]:
    from piggycheck.errors import InputError

    given: dict[str, str] = {}
    for name, value in map(_value, texts):
        if name in given:
            raise InputError(f"--set: `{name}` is given {given[name]} and {value}; write one of them")
        given[name] = value
    return given


def _value(text: str) -> tuple[str, str]:
    from piggycheck.errors import InputError

    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise InputError(f"--set: `{text}` gives no value; write a name and an exact number, as in --set s=1/4")
    return name.strip(), value.strip()


def _map(
    name: str, out: Path | None, figure: Path | None, workers: int, dask: str | None, *, smallest: str, **options: Any
) -> int:
    with progress_line(f"reading {name}"):
        from piggycheck import checker, render
        from piggycheck.arithmetic import exact, rational
        from piggycheck.errors import InputError
        from piggycheck.regions.picture import map_picture
        from piggycheck.regions.run import parameter_map

        family = family_of(name)
        size = rational(exact(smallest, "--smallest"))
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{out}: cannot be made: {error.strerror}; choose another folder for --out") from None
    results = None if out is None else out / RESULTS
    with progress_line(family.name) as progress, executor_of(workers, dask) as (executor, workers):
        found = parameter_map(
            family, executor, smallest=size, workers=workers, results=results, progress=progress, **options
        )
    certificate = found.certificate()
    with progress_line("checking every cell"):
        try:
            checker.check(certificate.content)
        except (checker.Refused, checker.Unreadable) as refusal:
            raise InputError(f"{family.file}: the checker does not accept the map: {refusal}") from None
    if out is not None:
        certificate.save(out / CERTIFICATE)
    if figure is not None:
        with progress_line("drawing"):
            render.regions(map_picture(family, found), figure)
    for line in _lines(family, found):
        click.echo(line)
    for path in [*([out / CERTIFICATE] if out else []), *([figure] if figure else [])]:
        click.echo(f"wrote {path}", err=True)
    return INTERRUPTED if found.interrupted else PROVED if not found.areas["undecided"] else UNDECIDED


def _lines(family: Any, found: Any) -> list[str]:
    from piggycheck.regions.picture import diverging_where_iterates_converge, percent

    told = {
        "converges": "the derivatives converge",
        "diverges": "a word of pieces diverges",
        "unstable": "one piece is unstable",
        "undecided": "undecided",
    }
    box = zip(found.pieces.axes, found.pieces.box, strict=True)
    ranges = ", ".join(f"{name} in [{low}, {high}]" for name, (low, high) in box)
    lines = [family.title, f"at {found.pieces.place}, for {ranges}"]
    counts = dict.fromkeys(told, 0)
    for evidence in found.cells.values():
        counts[evidence.verdict] += 1
    for verdict, area in found.areas.items():
        cells = f", {counts[verdict]} cells" if counts[verdict] else ""
        lines.append(f"    {told[verdict] + ':':28}{percent(area / found.pieces.area)} of the area ({area}{cells})")
    lines.append(f"decided: {percent(found.decided)} of the area where no piece is proved unstable on its own")
    both = diverging_where_iterates_converge(family, found)
    if both is not None:
        lines.append(f"the iterates converge, and a word diverges, on an area of at least {both}")
    if found.interrupted:
        lines.append("interrupted; --resume continues it")
    return lines
