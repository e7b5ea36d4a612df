"""What commands share: exit codes, options, one line for errors, and progress on a terminal."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

__all__ = [
    "BAD_INPUT",
    "DASK",
    "INTERRUPTED",
    "PROVED",
    "REFUTED",
    "SECONDS",
    "UNDECIDED",
    "WORKERS",
    "complain",
    "progress_line",
]

PROVED, REFUTED, UNDECIDED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 3, 130


class _Seconds(click.ParamType):
    """A positive, finite number of seconds."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            self.fail(f"`{value}` is no positive number of seconds; write one such as 10", param, ctx)
        return seconds


SECONDS = _Seconds()
WORKERS = click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Processes; as many as there are cores by default."
)
DASK = click.option("--dask", metavar="ADDRESS", help="Run on the Dask cluster of this scheduler instead.")


@contextmanager
def progress_line(what: str) -> Iterator[Callable[[Any], None] | None]:
    """Show what is being done on standard error, when that is a terminal; yield what shows improving bounds."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    line = _StatusLine(what)
    with Console(stderr=True).status(line):
        yield line.show


class _StatusLine:
    """What is being done, since when, and the bounds proved so far."""

    def __init__(self, what: str) -> None:
        self.what, self.bounds, self.since = what, "", time.monotonic()

    def show(self, moment: Any) -> None:
        """Take note of better bounds, or of how far a computation is."""
        if isinstance(moment, str):
            self.bounds = f": {moment}"
            return
        from piggycheck.render.numbers import decimals_above, decimals_below

        upper = "" if moment.upper is None else f", at most {decimals_above(moment.upper)}"
        self.bounds = f": at least {decimals_below(moment.lower)}{upper}, by {moment.method}"

    def __rich__(self) -> Any:
        from rich.text import Text

        return Text(f"{self.what}{self.bounds} ({time.monotonic() - self.since:.0f} s)")


def complain(message: str) -> None:
    """Print an error in one line."""
    click.echo(f"piggycheck: {' '.join(message.split())}", err=True)
