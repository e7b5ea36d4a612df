"""The command line. No mathematics: it reads cases, asks, has every certificate checked, and shows answers."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from piggycheck import __version__
from piggycheck.cli.parameter_map import map_
from piggycheck.cli.search import search
from piggycheck.cli.terminal import BAD_INPUT, INTERRUPTED, PROVED, REFUTED, SECONDS, UNDECIDED, complain, progress_line

__all__ = ["main"]

_SOON = 0.02
COLOURS = {"proved": "green", "refuted": "red", "undecided": "yellow"}


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        with _interruptible_between_imports():
            code = commands.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = INTERRUPTED
    except click.ClickException as error:
        complain(error.format_message())
        code = BAD_INPUT
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        code = PROVED
    sys.exit(code or PROVED)


@contextmanager
def _interruptible_between_imports() -> Iterator[None]:
    """Let Ctrl-C wait for the end of an import: one that is torn apart may leave a solver's native code unusable."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                signal.setitimer(signal.ITIMER_REAL, _SOON)
                return
            frame = frame.f_back
        raise KeyboardInterrupt

    if not hasattr(signal, "setitimer"):  # not on Windows
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGALRM)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="piggycheck")
def commands() -> None:
    """Prove what the derivatives along an iterative algorithm do, or refute it.

    Exit codes: 0 every claim proved, 1 some claim refuted, 2 none refuted but some undecided, 3 bad input,
    130 interrupted.
    """


@commands.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASE...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (a list for several cases).")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write certificates into this folder.")
@click.option(
    "--time-limit",
    type=SECONDS,
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For each claim.",
)
def prove(cases: tuple[str, ...], as_json: bool, out: Path | None, time_limit: float) -> int:
    """Examine the claims of case files."""
    answers, worst = [], PROVED
    try:
        for path in cases:
            answer, code = _examine(path, out, time_limit, quiet=as_json)
            worst = _worse(worst, code)
            if answer is not None:
                answers.append(answer)
            if code == INTERRUPTED:
                break
    except KeyboardInterrupt:
        worst = INTERRUPTED
    if as_json and (answers or len(cases) > 1):
        click.echo(json.dumps(answers if len(cases) > 1 else answers[0], indent=2, ensure_ascii=False))
    return worst


@commands.command()
@click.argument("certificates", nargs=-1, required=True, metavar="CERT...")
def check(certificates: tuple[str, ...]) -> int:
    """Check certificates; needs the standard library alone."""
    from piggycheck import checker

    return checker.main(list(certificates))


@commands.command()
@click.argument("case", metavar="CASE")
@click.option(
    "--latex", "latex_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the derivation as LaTeX."
)
@click.option(
    "--figure",
    "figure_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the sequences, or the piggyback set where claims are about it (pdf, svg, png).",
)
@click.option(
    "--entries",
    metavar="ENTRIES",
    help="Entries of the piggyback set for --figure: one or two, by name or number, as in x:theta,y:theta or 0:0,1:0.",
)
@click.option(
    "--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the derivation as a web page."
)
@click.option(
    "--time-limit",
    type=SECONDS,
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For each claim.",
)
def show(
    case: str,
    latex_file: Path | None,
    figure_file: Path | None,
    entries: str | None,
    html_file: Path | None,
    time_limit: float,
) -> int:
    """Show the derivation of a case."""
    from piggycheck import render
    from piggycheck.claims.figure import figure_data
    from piggycheck.errors import InputError

    if entries is not None and figure_file is None:
        complain("--entries: says what a figure shows; write --figure FILE as well")
        return BAD_INPUT
    try:
        stated, subject, verdicts, code = _decide(case, time_limit)
        if not verdicts:
            return code
        written = []
        if latex_file is not None:
            render.latex(verdicts, latex_file, title=_title(stated), source=stated.source)
            written.append(latex_file)
        if figure_file is not None:
            with progress_line("drawing"):
                render.figure(figure_data(subject, verdicts, title=_title(stated), entries=entries), figure_file)
            written.append(figure_file)
        if html_file is not None:
            render.html(verdicts, html_file, title=_title(stated), source=stated.source)
            written.append(html_file)
    except InputError as error:
        complain(str(error))
        return BAD_INPUT
    except OSError as error:
        complain(f"{error.filename}: cannot be written: {error.strerror}")
        return BAD_INPUT
    for path in written:
        click.echo(f"wrote {path}", err=True)
    if not written:
        click.echo(_report(stated, verdicts))
    return code


commands.add_command(search)
commands.add_command(map_)


@commands.command("list")
@click.argument(
    "what", type=click.Choice(["algorithms", "functions", "claims", "cases", "families"]), default="algorithms"
)
@click.option(
    "--casebook", type=click.Path(path_type=Path), default=Path("casebook"), show_default=True, help="Folder of cases."
)
def list_(what: str, casebook: Path) -> int:
    """List what is there: algorithms, functions, claims, cases, or families that are ready to be searched."""
    if what == "cases":
        return _list_cases(casebook)
    if what == "families":
        return _list_families()
    from piggycheck import algorithms, claims, functions

    catalogue = {"algorithms": algorithms.CATALOGUE, "functions": functions.CATALOGUE, "claims": claims.KINDS}[what]
    rows = [
        (name, _arguments(thing), (thing.__doc__ or "").strip().splitlines()[0].replace("``", ""))
        for name, thing in catalogue.items()
    ]
    widths = [max(len(row[column]) for row in rows) + 2 for column in (0, 1)]
    for name, arguments, summary in sorted(rows):
        click.echo(f"{name:{widths[0]}}{arguments:{widths[1]}}{summary}")
    return PROVED


def _arguments(thing: Any) -> str:
    import inspect

    if hasattr(thing, "keys"):
        return ", ".join(thing.keys())
    names = [name for name in inspect.signature(thing).parameters if name not in ("parameters", "start")]
    return ", ".join(names)


def _list_families() -> int:
    from piggycheck.search import READY, load_family

    rows = [(name, load_family(path)) for name, path in READY.items()]
    width = max(len(name) for name, _ in rows) + 2
    for name, family in rows:
        click.echo(f"{name:{width}}{family.title} ({', '.join(family.unknowns)})")
    return PROVED


def _list_cases(casebook: Path) -> int:
    import tomllib

    if not casebook.is_dir():
        complain(f"{casebook}: no such folder; give the folder of the cases with --casebook")
        return BAD_INPUT
    for path in sorted(casebook.glob("**/*.toml")):
        try:
            title = tomllib.loads(path.read_text(encoding="utf-8")).get("title", "")
        except (OSError, ValueError):
            title = "(cannot be read)"
        click.echo(f"{path!s:50}  {title}")
    return PROVED


def _examine(path: str, out: Path | None, time_limit: float, *, quiet: bool) -> tuple[dict[str, Any] | None, int]:
    """Decide the claims of one case, write certificates, print the report, return the JSON answer and exit code."""
    from piggycheck.errors import InputError

    try:
        case, subject, verdicts, code = _decide(path, time_limit)
        if not verdicts:
            return None, code
        names = _save(case.name, verdicts, out)
    except InputError as error:
        complain(str(error))
        return None, BAD_INPUT
    if not quiet:
        _print_report(case, verdicts, names)
    return _as_json(case, subject, verdicts, names), code


def _decide(path: str, time_limit: float) -> tuple[Any, Any, list[Any], int]:
    """Read a case and decide its claims.

    An interrupt, or a claim that makes no sense for the case, ends this early; what was decided before stays.
    """
    from piggycheck.errors import InputError

    with progress_line(f"reading {path}"):
        from piggycheck.case import load_case

        case = load_case(path)
        subject = case.subject(time_limit=time_limit)
        advice = subject.advice
    if advice:
        click.echo(f"piggycheck: warning: {advice}", err=True)
    verdicts: list[Any] = []
    try:
        for verdict in _verdicts(case, subject, time_limit):
            verdicts.append(verdict)
            if getattr(verdict, "interrupted", False):
                return case, subject, verdicts, INTERRUPTED
    except KeyboardInterrupt:
        return case, subject, verdicts, INTERRUPTED
    except InputError as error:
        complain(str(error))
        return case, subject, verdicts, BAD_INPUT
    return case, subject, verdicts, _code(verdicts)


def _verdicts(case: Any, subject: Any, time_limit: float) -> Iterator[Any]:
    """Decide the claims of a case, or its default questions, one after the other."""
    from piggycheck.claims import default_claims
    from piggycheck.claims import prove as decide

    for index, claim in enumerate(case.claims):
        with progress_line(f"{case.name}: {claim.kind}") as progress, case.located(index):
            verdict = _confirmed(decide(claim, subject, time_limit=time_limit, progress=progress))
        yield verdict
    if not case.claims:
        with progress_line(f"{case.name}: the default questions") as progress, case.located(0):
            yield from map(_confirmed, default_claims(subject, time_limit=time_limit, progress=progress))


def _confirmed(verdict: Any) -> Any:
    """Have the independent checker look at a certificate; what it does not accept is not reported as decided."""
    if verdict.certificate is None:
        return verdict
    from piggycheck import checker
    from piggycheck.claims import Undecided

    try:
        checker.check(verdict.certificate.content)
    except (checker.Refused, checker.Unreadable) as refusal:
        reason = f"{verdict.found}; but the checker does not accept the certificate: {refusal}"
        return Undecided(verdict.kind, verdict.statement, reason, {}, reason, verdict.derivation)
    return verdict


def _code(verdicts: list[Any]) -> int:
    names = [verdict.name for verdict in verdicts]
    return REFUTED if "refuted" in names else UNDECIDED if "undecided" in names else PROVED


def _worse(first: int, second: int) -> int:
    order = (PROVED, UNDECIDED, REFUTED, BAD_INPUT, INTERRUPTED)
    return max(first, second, key=order.index)


def _save(name: str, verdicts: list[Any], out: Path | None) -> list[str | None]:
    """Write the certificates; return the file's name for each verdict that has one."""
    from piggycheck.errors import CertificateError

    if out is None:
        return [None] * len(verdicts)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CertificateError(f"{out}: cannot be made: {error.strerror}; choose another folder for --out") from None
    names: list[str | None] = []
    for index, verdict in enumerate(verdicts):
        if verdict.certificate is None:
            names.append(None)
            continue
        same = [v for v in verdicts[:index] if v.kind == verdict.kind]
        suffix = "" if len(verdicts) == 1 else f"-{verdict.kind}" + (f"-{len(same) + 1}" if same else "")
        file = f"{name}{suffix}.json"
        verdict.certificate.save(out / file)
        names.append(file)
    return names


def _as_json(case: Any, subject: Any, verdicts: list[Any], names: list[str | None]) -> dict[str, Any]:
    claims = []
    for verdict, name in zip(verdicts, names, strict=True):
        certificate = None
        if verdict.certificate is not None:
            certificate = name or verdict.certificate.content
        claims.append(
            {
                "kind": verdict.kind,
                "statement": verdict.statement,
                "verdict": verdict.name,
                "value": verdict.value,
                "reason": verdict.reason,
                "certificate": certificate,
            }
        )
    return {"case": case.name, "title": case.title, "claims": claims, "pieces": subject.listed_pieces()}


def _title(case: Any) -> str:
    return case.title or case.name


def _report(case: Any, verdicts: list[Any]) -> str:
    from piggycheck import render

    told = {"source": case.source, "belief": case.belief, "catch": case.catch, "repair": case.repair}
    return render.report_case(_title(case), verdicts, **told)


def _print_report(case: Any, verdicts: list[Any], names: list[str | None]) -> None:
    click.echo(_report(case, verdicts))
    if sys.stdout.isatty():
        _print_table(verdicts, names)
    else:
        for name in filter(None, names):
            click.echo(f"certificate  {name}")


def _print_table(verdicts: list[Any], names: list[str | None]) -> None:
    from rich.console import Console
    from rich.table import Table

    from piggycheck import render

    table = Table("claim", "verdict", "found", *(["certificate"] if any(names) else []))
    for (kind, verdict, found), name in zip(render.summary_rows(verdicts), names, strict=True):
        table.add_row(kind, f"[bold {COLOURS[verdict]}]{verdict}[/]", found, *([name or ""] if any(names) else []))
    Console().print(table)
