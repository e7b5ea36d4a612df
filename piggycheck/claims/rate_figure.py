"""The figure of claims about rates: both errors against k, bounds that are claimed and proved, what happens when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from flint import arb

from piggycheck.claims.panels import Panel, Series
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import AsymptoticRateStep, ComparedStep, TailStep
from piggycheck.errors import InputError, UnknownError
from piggycheck.linalg import as_float
from piggycheck.rates import ErrorSequence, Limit, read_bound
from piggycheck.rates.errors import Run

__all__ = ["rate_panel"]

_BITS = (64, 256, 1024)
_MOST = 4000
_ENOUGH = 1000
_FAR = 200 * math.log(10)
_SLOW = 1e-3
_DIGITS = 16
_SMALLEST = arb("1e-250")
_ROOM = 5 / 4
_LONGEST = 44


def rate_panel(subject: Subject, verdicts: Sequence[Verdict], steps: int) -> Panel | None:
    """Return the errors of iterates and derivatives with the bounds of the claims; None where none is about rates.

    Parameters
    ----------
    subject : Subject
    verdicts : sequence of verdicts
    steps : int
        How many steps are drawn at least; more where a bound is claimed for more, or fails later.

    Returns
    -------
    Panel or None
    """
    about = [verdict for verdict in verdicts if verdict.derivation.first(ComparedStep) is not None]
    exact = [verdict for verdict in verdicts if verdict.derivation.first(AsymptoticRateStep) is not None]
    if not (about or exact) or subject.iteration is None or subject.iteration.start is None:
        return None
    compared = [verdict.derivation.first(ComparedStep) for verdict in about]
    tails = [verdict.derivation.first(TailStep) for verdict in about]
    count = _count(steps, compared, [tail for tail in tails if tail is not None])
    series, marks = _errors(subject, compared, count)
    if not series:
        return None
    for verdict, step in zip(about, compared, strict=True):
        series += [line for line in _lines(verdict, step, count) if line not in series]
        if step.violation is not None:
            marks.append((step.violation, f"first violation: k = {step.violation}"))
    return Panel("Errors and bounds", "error", tuple(series), marks=tuple(dict.fromkeys(marks)))


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
) -> tuple[list[Series], list[tuple[float, str]]]:
    limit, series, identified = Limit(subject.iteration, subject.point), [], 0
    for quantity, difference in (("iterates", "‖x_k − x̄‖"), ("derivatives", "‖J_k − J̄‖")):
        norm = next((step.norm for step in compared if step.quantity == quantity), "max")
        values, changed = _followed(limit, quantity, norm, count)
        identified = max(identified, changed)
        if values:
            label = f"error of the {quantity}, {difference}"
            series.append(Series(label, tuple(range(len(values))), tuple(values), quantity))
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


def _lines(verdict: Verdict, step: ComparedStep, count: int) -> list[Series]:
    """The claimed bound, and what is proved from some index on."""
    bound = read_bound(step.bound)
    values = []
    for k in range(count + 1):
        try:
            values.append(float(bound.ball(k, 64).mid()))
        except (InputError, UnknownError):
            break
    text = str(step.bound)
    said = {Proved: "claimed and proved", Refuted: "claimed, and refuted"}.get(type(verdict), "claimed")
    label = f"{said}: {text}" if len(text) <= _LONGEST else f"{said}: the bound on the {step.quantity}"
    lines = [Series(label, tuple(range(len(values))), tuple(values), "claimed")]
    tail = verdict.derivation.first(TailStep)
    if tail is not None and tail.start < count:
        constant, slope, rate = as_float(tail.constant), as_float(tail.slope), as_float(tail.rate)
        ks = tuple(range(tail.start, count + 1))
        drawn = tuple((constant + slope * (k - tail.start)) * rate ** (k - tail.start) for k in ks)
        lines.append(Series(f"proved from k = {tail.start} on, for every k", ks, drawn, "proved"))
    return lines
