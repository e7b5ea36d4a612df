"""The figure of claims about rates: both errors against k, bounds that are claimed and proved, what happens when."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count as count_up
from itertools import pairwise
from typing import Any

from flint import arb

from piggycheck.claims.enclosed.errors import LayeredErrors, LayeredRun
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.measured import describe, measured
from piggycheck.claims.panels import Panel, Series, power_of
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import (
    AsymptoticRateStep,
    ComparedStep,
    CurvedRateStep,
    CurvedTailStep,
    LeadingEigenvalueStep,
    SequenceStep,
    SidesStep,
    TailStep,
)
from piggycheck.errors import InputError, PiggycheckError, UnknownError
from piggycheck.linalg import as_float
from piggycheck.rates import ErrorSequence, Limit, read_bound
from piggycheck.rates.bounds import Bound
from piggycheck.rates.errors import ErrorRun
from piggycheck.rates.sequences import Estimate
from piggycheck.render.formula import NORM_NAMES

__all__ = ["rate_panels"]

_Rate = AsymptoticRateStep | CurvedRateStep | LeadingEigenvalueStep

_BITS = (64, 256, 1024, 4096)
_MOST = 4000
_ENOUGH = 1000
_FAR = 200 * math.log(10)
_SLOW = 1e-3
_DIGITS = 16
_SMALLEST = arb("1e-250")
_VISIBLE = 1e-200
_ROOM = 5 / 4
_LONGEST = 60


@dataclass(frozen=True)
class _Line:
    """A bound to be drawn; what it bounds, and what their quotient is called, unless nothing is divided by it."""

    series: Series
    bounded: Series | None = None
    quotient: str = ""


def rate_panels(subject: Subject | EnclosedSubject, verdicts: Sequence[Verdict], steps: int) -> tuple[Panel, ...]:
    """Return the errors of iterates and derivatives with the bounds of the claims; nothing where none is about rates.

    Parameters
    ----------
    subject : Subject or EnclosedSubject
    verdicts : sequence of verdicts
    steps : int
        How many steps are drawn at least; more where a bound is claimed for more, or fails later, and fewer where
        nothing above 1e-200 is left.

    Returns
    -------
    tuple of Panel
        The errors with their bounds, sequences that claims name, and below the quotients that claims are about.
    """
    if subject.iteration is None or subject.iteration.start is None:
        return ()
    about = [verdict for verdict in verdicts if verdict.derivation.first(ComparedStep) is not None]
    sides = [verdict for verdict in verdicts if verdict.derivation.first(SidesStep) is not None]
    rates = [part for verdict in verdicts for part in _rates(verdict)]
    if not (about or sides or rates):
        return ()
    compared = [verdict.derivation.first(ComparedStep) for verdict in about]
    count = _count(steps, [*about, *sides])
    errors, marks = _errors(subject, compared, count)
    sequences = _Sequences(subject, errors, {step.quantity: step.norm for step in reversed(compared)}, count)
    claims = count_up()
    lines: list[_Line] = []
    for verdict, step in zip(about, compared, strict=True):
        named = sequences.named({step.quantity: Estimate(step.quantity, step.quantity, norm=step.norm)})
        first = next(one for one in compared if one.quantity == step.quantity)
        error = named.get(step.quantity) if str(step.along) == str(first.along) else None
        lines += _new(_lines(verdict, step, count, next(claims), error), lines)
        marks += [(step.violation, f"first violation: k = {step.violation}")] if step.violation is not None else []
    quotients: list[Series] = []
    for verdict in sides:
        named = sequences.named(verdict.derivation.first(SidesStep).estimates)
        found, quotient, seen = _compared(verdict, named, count, next(claims))
        lines += _new(found, lines)
        quotients += quotient
        marks += seen
    for name, estimate, step in rates:
        lines += _new(_fitted(name, step, sequences.named({name: estimate})), lines)
    drawn = [*errors.values(), *sequences.others, *(line.series for line in lines)]
    if not (errors or sequences.others):
        return ()
    last = max(
        (k for one in drawn for k, value in zip(one.k, one.values, strict=True) if _is_visible(value)), default=1
    )
    quotients = [*_quotients(lines), *quotients]
    unique = tuple(dict.fromkeys(mark for mark in marks if mark[0] <= last))
    panels = [Panel("Errors and bounds", "error", tuple(_cut(one, last) for one in drawn), marks=unique)]
    if quotients:
        level = Series("", (0, last), (1.0, 1.0), "level")
        unnamed = tuple((place, "") for place, _ in unique)
        below = (*(_cut(one, last) for one in quotients), level)
        panels.append(Panel("Errors divided by what bounds them", "quotient", below, marks=unnamed))
    return tuple(panels)


def _count(steps: int, verdicts: Sequence[Verdict]) -> int:
    """How many steps are drawn."""
    wanted = [steps]
    for verdict in verdicts:
        step = verdict.derivation.first(ComparedStep) or verdict.derivation.first(SidesStep)
        tail = verdict.derivation.first(TailStep) or verdict.derivation.first(CurvedTailStep)
        wanted.append(min(step.proved_upto, _ENOUGH if isinstance(verdict, Undecided) else _MOST))
        wanted.append(int(_ROOM * max(step.violation or 0, getattr(step, "first", 0))))
        if tail is not None and isinstance(step, ComparedStep):
            far = int(_FAR / max(-math.log(as_float(tail.rate)), _SLOW))
            wanted.append(min(far, _ENOUGH))
        wanted.append(0 if tail is None else int(_ROOM * tail.start))
    return max(wanted)


def _rates(verdict: Verdict) -> list[tuple[str, Estimate, _Rate]]:
    """Which sequence has which rate."""
    found: list[tuple[str, Estimate, _Rate]] = []
    about = None
    for step in verdict.derivation:
        if isinstance(step, SequenceStep):
            about = Estimate(step.name, step.quantity, step.at or None, wrt=step.wrt or None)
        if isinstance(step, _Rate):
            one = about or Estimate(step.quantity, step.quantity)
            found.append((one.name, one, step))
    return found


class _Sequences:
    """The sequences that claims name, each followed once; one name may stand for another sequence in another claim."""

    def __init__(self, subject: Any, errors: Mapping[str, Series], norms: Mapping[str, str], count: int):
        self.subject, self.errors, self.norms, self.count = subject, errors, norms, count
        self._known: dict[str, Series | None] = {}

    @property
    def others(self) -> list[Series]:
        """All that are drawn beside the two errors."""
        return [series for series in self._known.values() if series is not None]

    def named(self, estimates: Mapping[str, Estimate]) -> dict[str, Series]:
        """Return the sequences of a claim by their names, as far as they are known."""
        found = {name: self._series(estimate) for name, estimate in estimates.items()}
        return {name: series for name, series in found.items() if series is not None}

    def _series(self, estimate: Estimate) -> Series | None:
        plain = estimate.is_plain and not (estimate.at or estimate.wrt)
        drawn = self.norms.get(estimate.quantity, "max")
        if plain and estimate.norm == drawn:
            return self.errors.get(estimate.quantity)
        what = "" if plain else f": {describe(estimate).removeprefix('the error of the ')}"
        key = estimate.name + what + ("" if estimate.norm == drawn else f", {NORM_NAMES[estimate.norm]}")
        if key not in self._known and isinstance(self.subject, Subject):
            number = len(self.others)
            self._known[key] = _measured(self.subject, estimate, _written(key), f"sequence:{number}", self.count)
        return self._known.get(key)


def _errors(
    subject: Subject | EnclosedSubject, compared: Sequence[ComparedStep], count: int
) -> tuple[dict[str, Series], list[tuple[float, str]]]:
    """The errors by quantity, and where a piece is identified."""
    series, identified = {}, 0
    for quantity, difference in (("iterates", "‖x_k − x̄‖"), ("derivatives", "‖J_k − J̄‖")):
        step = next((step for step in compared if step.quantity == quantity), None)
        norm, along = ("max", None) if step is None else (step.norm, step.along)
        try:
            values, changed = _followed(_source(subject, quantity, norm, along), count)
        except PiggycheckError:
            continue
        identified = max(identified, changed)
        if values:
            label = f"error of the {quantity}, {difference}"
            series[quantity] = Series(label, tuple(range(len(values))), tuple(values), quantity)
    return series, [(identified, f"piece identified: k = {identified}")] if identified else []


def _source(subject: Subject | EnclosedSubject, quantity: str, norm: str, along: Any) -> Any:
    if isinstance(subject, Subject):
        return ErrorSequence(Limit(subject.iteration, subject.point), quantity, norm)
    if quantity == "iterates":
        return LayeredErrors(subject, norm)
    return LayeredErrors(subject, norm, along or subject.chosen("rate_bound")) if subject.map.declared else None


def _measured(subject: Subject, estimate: Estimate, label: str, role: str, count: int) -> Series | None:
    """A sequence that a claim names."""
    try:
        errors = measured(subject, {estimate.name: estimate})[estimate.name].errors
    except PiggycheckError:
        return None
    values, _ = _followed(errors, count)
    return Series(label, tuple(range(len(values))), tuple(values), role) if values else None


def _followed(errors: Any, count: int) -> tuple[list[float], int]:
    """The errors, rounded, as far as they are known, and from where on one piece is used."""
    values: list[float] = []
    identified = 0
    for bits in _BITS if errors is not None else ():
        found: list[float] = []
        signatures: list[Any] = []
        try:
            run = errors.run(bits, pieces=True) if isinstance(errors, ErrorSequence) else errors.run(bits)
            for k in range(count + 1):
                found.append(_rounded(run.error(k), k))
                if isinstance(run, (ErrorRun, LayeredRun)):
                    signatures.append(run.signature if isinstance(run, ErrorRun) else run.step.signature)
            settled = not isinstance(run, LayeredRun) or run.step.signature == run.limit.signature
            return found, _identified(signatures) if settled else 0
        except InputError:
            return [], 0
        except UnknownError:
            if len(found) > len(values):
                values, identified = found, _identified(signatures)
    return values, identified


def _rounded(error: arb, k: int) -> float:
    """An error to a few digits; what is smaller than anything drawn need not be known so well."""
    if error.rel_accuracy_bits() < _DIGITS and not error < _SMALLEST:
        raise UnknownError(f"step {k}: the error is not known to a few digits")
    return float(error.mid()) if error.rel_accuracy_bits() >= _DIGITS else 0.0


def _identified(signatures: Sequence[Any]) -> int:
    """From which k on the same piece is used."""
    changes = [k + 1 for k, (a, b) in enumerate(pairwise(signatures)) if a != b]
    return changes[-1] if changes else 0


def _new(lines: Sequence[_Line], drawn: Sequence[_Line]) -> list[_Line]:
    known = {(line.series.label, line.series.values) for line in drawn}
    return [line for line in lines if (line.series.label, line.series.values) not in known]


def _lines(verdict: Verdict, step: ComparedStep, count: int, number: int, error: Series | None) -> list[_Line]:
    """The claimed bound, and what is proved from some index on."""
    name = _short(step.bound)
    line = _side(read_bound(step.bound), {}, count, f"{step.quantity} ≤ {name}: {_said(verdict)}", f"claimed:{number}")
    lines = [_Line(line, error, f"{step.quantity} / {name}")]
    tail = verdict.derivation.first(TailStep) or verdict.derivation.first(CurvedTailStep)
    if tail is not None and tail.start < count:
        constant, slope, rate = as_float(tail.constant), as_float(tail.slope), as_float(tail.rate)
        ks = tuple(range(tail.start, count + 1))
        drawn = tuple((constant + slope * (k - tail.start)) * rate ** (k - tail.start) for k in ks)
        lines.append(_Line(Series(f"{step.quantity}: proved from k = {tail.start} on", ks, drawn, "proved")))
    return lines


def _compared(
    verdict: Verdict, named: Mapping[str, Series], count: int, number: int
) -> tuple[list[_Line], list[Series], list[tuple[float, str]]]:
    """Both sides of a comparison, where they are more than a sequence; their quotient; where it begins and fails."""
    step = verdict.derivation.first(SidesStep)
    left, right = _short(step.left, "left side"), _short(step.right, "right side")
    claim = f"{left} ≤ {right}: {_said(verdict)}"
    lines: list[_Line] = []
    values: list[Sequence[float]] = []
    for role, expression, label in (("left", step.left, left), ("claimed", step.right, claim)):
        if str(expression) in named:
            values.append(named[str(expression)].values)
            continue
        bound = read_bound(expression, names=tuple(step.estimates))
        side = _side(bound, named, count, label, f"{role}:{number}")
        lines.append(_Line(side))
        values.append(side.values)
    pairs = zip(*values, strict=False)
    parts = {k: low / high for k, (low, high) in enumerate(pairs) if _is_visible(low) and _is_visible(high)}
    quotient = [Series(claim, tuple(parts), tuple(parts.values()), f"claimed:{number}")] if parts else []
    marks = [(step.first, f"claimed from k = {step.first} on")] if step.first else []
    marks += [(step.violation, f"first violation: k = {step.violation}")] if step.violation is not None else []
    return lines, quotient, marks


def _side(bound: Bound, named: Mapping[str, Series], count: int, label: str, role: str) -> Series:
    """An expression in k and sequences, as far as they are known."""
    values: list[float] = []
    for k in range(count + 1):
        try:
            errors = {name: arb(named[name].values[k]) for name in bound.names}
            values.append(float(bound.ball(k, 64, errors).mid()))
        except (InputError, UnknownError, LookupError):
            break
    return Series(label, tuple(range(len(values))), tuple(values), role)


def _fitted(name: str, step: _Rate, named: Mapping[str, Series]) -> list[_Line]:
    """A line of the proved rate, as low as it can be and still lie above the later half of the errors."""
    if name not in named:
        return []
    error, rate = named[name], as_float(step.rate.lower)
    power = getattr(step, "power", None) or 0
    ks = tuple(range(max(step.iteration or 0, 1), len(error.k)))
    shape = [float(k) ** power * power_of(rate, k) for k in ks]
    visible = [
        (k, value) for k, value in zip(ks, shape, strict=True) if _is_visible(error.values[k]) and _is_visible(value)
    ]
    factor = max((error.values[k] / value for k, value in visible[len(visible) // 2 :]), default=0.0)
    if not factor:
        return []
    growth = {0: "", 1: "k·"}.get(power, f"k^{power}·")
    closed = step.rate.closed_form
    shown = f"{rate:.6g}" if closed is None else f"({_written(str(closed))})"
    values = tuple(factor * value for value in shape)
    return [_Line(Series(f"{name}: C·{growth}{shown}^k, proved rate", ks, values, "proved"))]


def _quotients(lines: Sequence[_Line]) -> list[Series]:
    """What parts of the bounds the errors are, as far as both are known and visible."""
    found = []
    for line in lines:
        if line.bounded is None:
            continue
        error = dict(zip(line.bounded.k, line.bounded.values, strict=True))
        parts = {
            k: error[k] / value
            for k, value in zip(line.series.k, line.series.values, strict=True)
            if _is_visible(error.get(k, 0.0)) and _is_visible(value)
        }
        if parts:
            found.append(Series(line.quotient, tuple(parts), tuple(parts.values()), line.series.role))
    return found


def _is_visible(value: float) -> bool:
    return _VISIBLE <= value <= 1 / _VISIBLE


def _said(verdict: Verdict) -> str:
    return {Proved: "proved", Refuted: "refuted"}.get(type(verdict), "claimed")


def _short(expression: Any, otherwise: str = "the bound") -> str:
    text = _written(str(expression))
    return text if len(text) <= _LONGEST else otherwise


def _cut(series: Series, last: int) -> Series:
    keep = sum(k <= last for k in series.k)
    return Series(series.label, series.k[:keep], series.values[:keep], series.role)


def _written(text: str) -> str:
    """Write an expression with powers and products as one would by hand."""
    return text.replace("**", "^").replace("*", "·")
