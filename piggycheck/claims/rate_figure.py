"""The figure of claims about rates: both errors against k, bounds that are claimed and proved, what happens when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from flint import arb

from piggycheck.claims.panels import Panel, Series, power_of
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import AsymptoticRateStep, ComparedStep, TailStep
from piggycheck.errors import InputError, UnknownError
from piggycheck.linalg import as_float
from piggycheck.rates import ErrorSequence, Limit, read_bound
from piggycheck.rates.errors import Run

__all__ = ["rate_panels"]

_BITS = (64, 256, 1024)
_MOST = 4000
_ENOUGH = 1000
_FAR = 200 * math.log(10)
_SLOW = 1e-3
_DIGITS = 16
_SMALLEST = arb("1e-250")
_VISIBLE = 1e-200
_ROOM = 5 / 4
_LONGEST = 44


@dataclass(frozen=True)
class _Line:
    """A bound to be drawn: the line, and the quantity it bounds with what it is called, or empty when not compared."""

    series: Series
    quantity: str = ""
    name: str = ""


def rate_panels(subject: Subject, verdicts: Sequence[Verdict], steps: int) -> tuple[Panel, ...]:
    """Return the errors of iterates and derivatives with the bounds of the claims; nothing where none is about rates.

    Parameters
    ----------
    subject : Subject
    verdicts : sequence of verdicts
    steps : int
        How many steps are drawn at least; more where a bound is claimed for more, or fails later, and fewer where
        nothing above 1e-200 is left.

    Returns
    -------
    tuple of Panel
        The errors with their bounds, and below what parts of the bounds they are.
    """
    about = [verdict for verdict in verdicts if verdict.derivation.first(ComparedStep) is not None]
    exact = [step for verdict in verdicts if (step := verdict.derivation.first(AsymptoticRateStep)) is not None]
    if not (about or exact) or subject.iteration is None or subject.iteration.start is None:
        return ()
    compared = [verdict.derivation.first(ComparedStep) for verdict in about]
    tails = [verdict.derivation.first(TailStep) for verdict in about]
    count = _count(steps, compared, [tail for tail in tails if tail is not None])
    errors, marks = _errors(subject, compared, count)
    if not errors:
        return ()
    lines: list[_Line] = []
    for verdict, step in zip(about, compared, strict=True):
        lines += [line for line in _lines(verdict, step, count) if line not in lines]
        if step.violation is not None:
            marks.append((step.violation, f"first violation: k = {step.violation}"))
    for step in exact:
        fitted = _fitted(step, errors)
        lines += [fitted] if fitted is not None and fitted not in lines else []
    drawn = [*errors.values(), *(line.series for line in lines)]
    last = max((k for one in drawn for k, value in zip(one.k, one.values, strict=True) if value >= _VISIBLE), default=1)
    shares = _shares(errors, lines, last)
    unique = tuple(dict.fromkeys(mark for mark in marks if mark[0] <= last))
    panels = [Panel("Errors and bounds", "error", tuple(_cut(one, last) for one in drawn), marks=unique)]
    if shares:
        level = Series("", (0, last), (1.0, 1.0), "level")
        unnamed = tuple((place, "") for place, _ in unique)
        panels.append(Panel("Errors divided by their bounds", "part of the bound", (*shares, level), marks=unnamed))
    return tuple(panels)


def _count(steps: int, compared: Sequence[ComparedStep], tails: Sequence[TailStep]) -> int:
    """How many steps are drawn."""
    far = [int(_FAR / max(-math.log(as_float(tail.rate)), _SLOW)) for tail in tails]
    later = [step.violation for step in compared if step.violation is not None] + [tail.start for tail in tails]
    wanted = [
        steps,
        *(min(k, _ENOUGH) for k in far),
        *(int(_ROOM * k) for k in later),
        *(min(step.proved_upto, _MOST) for step in compared),
    ]
    return max(wanted)


def _errors(
    subject: Subject, compared: Sequence[ComparedStep], count: int
) -> tuple[dict[str, Series], list[tuple[float, str]]]:
    """The errors by quantity, and where a piece is identified."""
    limit, series, identified = Limit(subject.iteration, subject.point), {}, 0
    for quantity, difference in (("iterates", "‖x_k − x̄‖"), ("derivatives", "‖J_k − J̄‖")):
        norm = next((step.norm for step in compared if step.quantity == quantity), "max")
        values, changed = _followed(limit, quantity, norm, count)
        identified = max(identified, changed)
        if values:
            label = f"error of the {quantity}, {difference}"
            series[quantity] = Series(label, tuple(range(len(values))), tuple(values), quantity)
    return series, [(identified, f"piece identified: k = {identified}")] if identified else []


def _followed(limit: Limit, quantity: str, norm: str, count: int) -> tuple[list[float], int]:
    """The errors, rounded, as far as they are known, and from where on one piece is used."""
    values: list[float] = []
    identified = 0
    for bits in _BITS:
        try:
            sequence = ErrorSequence(limit, quantity, norm)
            run = sequence.run(bits)
            found = []
            for k in range(count + 1):
                found.append(_rounded(run.error(k), k))
            return found, _identified(run)
        except InputError:
            return [], 0
        except UnknownError:
            if len(found) > len(values):
                values, identified = found, _identified(run)
    return values, identified


def _rounded(error: arb, k: int) -> float:
    """An error to a few digits; what is smaller than anything drawn need not be known so well."""
    if error.rel_accuracy_bits() < _DIGITS and not error < _SMALLEST:
        raise UnknownError(f"step {k}: the error is not known to a few digits")
    return float(error.mid()) if error.rel_accuracy_bits() >= _DIGITS else 0.0


def _identified(run: Run) -> int:
    """From which k on the same piece is used."""
    signatures = [piece.signature for piece in run.walk.itinerary]
    changes = [k + 1 for k, (a, b) in enumerate(pairwise(signatures)) if a != b]
    return changes[-1] if changes else 0


def _lines(verdict: Verdict, step: ComparedStep, count: int) -> list[_Line]:
    """The claimed bound, and what is proved from some index on."""
    bound = read_bound(step.bound)
    values = []
    for k in range(count + 1):
        try:
            values.append(float(bound.ball(k, 64).mid()))
        except (InputError, UnknownError):
            break
    text = _written(str(step.bound))
    name = text if len(text) <= _LONGEST else "the bound"
    said = {Proved: "proved", Refuted: "refuted"}.get(type(verdict), "claimed")
    label = f"{step.quantity} ≤ {name}: {said}"
    lines = [_Line(Series(label, tuple(range(len(values))), tuple(values), "claimed"), step.quantity, name)]
    tail = verdict.derivation.first(TailStep)
    if tail is not None and tail.start < count:
        constant, slope, rate = as_float(tail.constant), as_float(tail.slope), as_float(tail.rate)
        ks = tuple(range(tail.start, count + 1))
        drawn = tuple((constant + slope * (k - tail.start)) * rate ** (k - tail.start) for k in ks)
        lines.append(_Line(Series(f"{step.quantity}: proved from k = {tail.start} on", ks, drawn, "proved")))
    return lines


def _fitted(step: AsymptoticRateStep, errors: dict[str, Series]) -> _Line | None:
    """A line of the proved rate, as low as it can be and still lie above the later half of the errors."""
    if step.quantity not in errors:
        return None
    error, rate = errors[step.quantity], as_float(step.rate.lower)
    ks = tuple(range(max(step.iteration, 1), len(error.k)))
    shape = [float(k) ** step.power * power_of(rate, k) for k in ks]
    visible = [(k, value) for k, value in zip(ks, shape, strict=True) if min(error.values[k], value) >= _VISIBLE]
    factor = max((error.values[k] / value for k, value in visible[len(visible) // 2 :]), default=0.0)
    if not factor:
        return None
    growth = {0: "", 1: "k·"}.get(step.power, f"k^{step.power}·")
    closed = step.rate.closed_form
    shown = f"{rate:.6g}" if closed is None else f"({_written(str(closed))})"
    values = tuple(factor * value for value in shape)
    return _Line(Series(f"{step.quantity}: C·{growth}{shown}^k, proved rate", ks, values, "proved"))


def _shares(errors: dict[str, Series], lines: Sequence[_Line], last: int) -> list[Series]:
    """What parts of the bounds the errors are, as far as both are known and visible."""
    shares = []
    for line in lines:
        if line.quantity not in errors:
            continue
        error = dict(zip(errors[line.quantity].k, errors[line.quantity].values, strict=True))
        parts = {
            k: error[k] / value
            for k, value in zip(line.series.k, line.series.values, strict=True)
            if k <= last and error.get(k, 0.0) >= _VISIBLE and value >= _VISIBLE
        }
        if parts:
            label = f"{line.quantity} / {line.name}"
            shares.append(Series(label, tuple(parts), tuple(parts.values()), line.series.role))
    return shares


def _cut(series: Series, last: int) -> Series:
    keep = sum(k <= last for k in series.k)
    return Series(series.label, series.k[:keep], series.values[:keep], series.role)


def _written(text: str) -> str:
    """Write an expression with powers and products as one would by hand."""
    return text.replace("**", "^").replace("*", "·")
