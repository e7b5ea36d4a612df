"""The data of a case's figure: errors of iterates and derivatives along several selections; bounds as they improve."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arrays import MpmathArrays
from piggycheck.claims.base import decimals_above, decimals_below, word_text
from piggycheck.claims.enclosed import EnclosedSubject
from piggycheck.claims.enclosed.figure import enclosed_figure
from piggycheck.claims.panels import FigureData, Panel, Series, power_of, proved_rate, trimmed
from piggycheck.claims.plane_figure import PlaneFigure, plane_figure
from piggycheck.claims.rate_figure import rate_panels
from piggycheck.claims.set_figure import is_about_sets, set_figure
from piggycheck.claims.set_views import SetFigure
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Verdict
from piggycheck.derivation import BoundsStep, ContractionStep, RealisedStep, TransitionsStep, WordStep
from piggycheck.enclosures import Tie
from piggycheck.errors import InputError, PiggycheckError, UnknownError
from piggycheck.limits import common_fixed_point, word_fixed_point
from piggycheck.linalg import as_float, entries, zeros
from piggycheck.piggyback import FixedBranch, RandomBranch, RepeatedWord, SelectionPolicy, propagate
from piggycheck.render.proofs import method_name
from piggycheck.stability.proof import Proof
from piggycheck.switched import Word

__all__ = ["FigureData", "Panel", "Series", "figure_data"]

_SECONDS = "seconds"
_FIRST_MOMENT = 1e-3
_LAST_MOMENT = 1.25
_LONGEST_WORD = 16
_DIGITS = 50
_MOST_BRANCHES = 4
_RANDOM_SEEDS = (1, 2, 3)
_MOVES = (sp.Rational(1, 10), sp.Rational(-1, 10), sp.Integer(1), sp.Integer(-1))


def figure_data(
    subject: Subject | EnclosedSubject,
    verdicts: Sequence[Verdict] = (),
    *,
    steps: int = 120,
    title: str = "",
    entries: str | None = None,
) -> FigureData | SetFigure | PlaneFigure:
    """Compute what the figure of a case shows.

    Parameters
    ----------
    subject : Subject or EnclosedSubject
    verdicts : sequence of verdicts
        About the subject; a proved word or rate among them is drawn, and bounds on the joint spectral radius.
    steps : int
        How many steps are followed; a map made of layers is followed until its errors are small.
    title : str
    entries : str, optional
        Draw these entries of the matrices in the piggyback set: see `piggycheck.claims.set_figure.set_figure`.

    Returns
    -------
    FigureData, SetFigure or PlaneFigure
        A picture of the piggyback set where claims are about it, or entries were asked for; one in the plane where
        they are about a cycle of a flow or iterates over an interval of a parameter. Where they are about rates, both
        errors with the bounds that are claimed and proved, and when a piece is identified. Else for an iteration with
        a start, the error of the iterates; with parameters, the derivatives: their norms when a word grows, otherwise
        their distance to the limit. For a switched system only the derivatives. Where bounds on the joint spectral
        radius were asked for, how they came closer with time; then the derivatives of a switched system are drawn only
        when another question was asked as well, or the bounds were known at once.

    Raises
    ------
    InputError
        When there is nothing to draw, there is no such entry, or `steps` is not positive.

    Examples
    --------
    >>> from piggycheck.claims import Diverges, prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> subject = Subject(given=SwitchedSystem.from_rows([[["1/2"]], [[2]]], J0=[[1]]))
    >>> data = figure_data(subject, [prove(Diverges(), subject)], steps=3)
    >>> [(series.role, series.values) for series in data.panels[0].series][:2]
    [('fixed branch', (1.0, 0.5, 0.25, 0.125)), ('fixed branch', (1.0, 2.0, 4.0, 8.0))]

    Notes
    -----
    Derivatives at a fixed point are computed exactly, along iterates with 50 digits; drawn values are rounded.

    When this fails: for an irrational fixed point the limit of the derivatives is not known, and no derivatives are
    drawn; nor are they where a graph constrains the words, or matrices are known only between bounds.
    """
    if steps < 1:
        raise InputError(f"steps of the figure: `{steps}` is not positive; write a positive integer")
    if isinstance(subject, EnclosedSubject):
        written_out = _at_tie(subject)
        if written_out is None and entries is None:
            rates = rate_panels(subject.symbolic() if subject.is_small else subject, verdicts, steps)
            if rates:
                return FigureData(title, rates)
        if written_out is None:
            if entries is not None:
                raise InputError(
                    "entries of the piggyback set: no guards tie at the fixed point, and the set is a single matrix"
                )
            return enclosed_figure(subject, verdicts, title)
        subject = written_out
    if entries is not None or is_about_sets(verdicts):
        try:
            return set_figure(subject, verdicts, entries=entries, title=title)
        except UnknownError as error:
            if entries is not None:
                raise InputError(f"there is nothing to draw: {error}") from None
    plane = plane_figure(subject, verdicts, title)
    if plane is not None:
        return plane
    rates = rate_panels(subject, verdicts, steps)
    if rates:
        return FigureData(title, rates)
    bounds = _first(verdicts, BoundsStep)
    others = [verdict for verdict in verdicts if verdict.derivation.first(BoundsStep) is None]
    panels = [] if bounds is None else _bounds(bounds)
    if not panels or others or subject.given is None:
        found = (_iterates(subject, steps), _derivatives(subject, others or verdicts, steps))
        panels += [panel for panel in found if panel is not None]
    if not panels:
        raise InputError(
            "there is nothing to draw: no fixed point is known, the map has neither start nor parameters, "
            "or words are constrained or matrices uncertain; ask for the joint spectral radius"
        )
    return FigureData(title, tuple(panels))


def _at_tie(subject: EnclosedSubject) -> Subject | None:
    """Return a map made of layers written out, where guards tie at its fixed point."""
    try:
        found = subject.found()
        return subject.at_tie(found) if isinstance(found, Tie) else None
    except UnknownError as error:
        raise InputError(f"there is nothing to draw: {error}") from None


# -- bounds ---------------------------------------------------------------------------------------------------------


def _bounds(step: BoundsStep) -> list[Panel]:
    """Both bounds against time, and how far they are apart."""
    moments = [(max(moment.seconds, _FIRST_MOMENT), moment) for moment in step.moments]
    if not moments:
        return []
    end = _LAST_MOMENT * moments[-1][0]
    lower = [(seconds, as_float(moment.lower)) for seconds, moment in moments]
    upper = [(seconds, as_float(moment.upper)) for seconds, moment in moments if moment.upper is not None]
    gaps = [
        (seconds, as_float(moment.upper / moment.lower - 1))
        for seconds, moment in moments
        if moment.upper is not None and 0 < moment.lower < moment.upper
    ]
    series = []
    if step.lower is not None:
        label = f"at least {trimmed(decimals_below(step.lower, 9))}: word {_shortened(step.word)}"
        series.append(_kept(label, lower, end, "lower"))
    if step.proof is not None and upper:
        by = method_name(step.proof.witness())
        label = f"at most {trimmed(decimals_above(step.proof.rate, 9))}: {by}"
        series.append(_kept(label, upper, end, "upper"))
    panels = [Panel("Proved bounds on the joint spectral radius", "ρ", tuple(series), _SECONDS)]
    if len(gaps) > 1:
        apart = _kept("", gaps, end, "gap")
        panels.append(Panel("How far apart they are", "upper / lower − 1", (apart,), _SECONDS))
    return panels


def _shortened(word: Word) -> str:
    return word_text(word[:_LONGEST_WORD]) + (" …" if len(word) > _LONGEST_WORD else "")


def _kept(label: str, values: Sequence[tuple[float, float]], end: float, role: str) -> Series:
    """A bound that keeps until the next one, the last one until the end."""
    changes = [one for i, one in enumerate(values) if i == 0 or one[1] != values[i - 1][1]]
    seconds, bounds = zip(*changes, (end, changes[-1][1]), strict=True)
    return Series(label, seconds, bounds, role)


# -- iterates -------------------------------------------------------------------------------------------------------


def _iterates(subject: Subject, steps: int) -> Panel | None:
    """The distance of the iterates to the fixed point, from a start that is not the fixed point."""
    if subject.iteration is None or subject.iteration.start is None:
        return None
    try:
        label, values = _moving_iterates(subject, steps)
    except UnknownError:
        return None
    series = (Series(label, tuple(range(len(values))), values, "iterates"),)
    return Panel("Distance of the iterates to the fixed point", "‖x_k − x̄‖", series)


def _moving_iterates(subject: Subject, steps: int) -> tuple[str, tuple[float, ...]]:
    at = _parameters_text(subject.at)
    if not subject.start_is_fixed:
        return "iterates" + (f" at {at}" if at else ""), _errors(subject, steps)
    stay = "stay at the fixed point" if not _on_kink(subject) else "stay at the kink"
    for move in _MOVES if subject.at else ():
        nearby = Subject(iteration=subject.iteration, at={v: value + move for v, value in subject.at.items()})
        try:
            if not nearby.start_is_fixed:
                values = _errors(nearby, steps)
                return f"iterates at {_parameters_text(nearby.at)} (at {at} they {stay})", values
        except PiggycheckError:
            continue
    return f"iterates{f' at {at}' if at else ''}: they {stay}", _errors(subject, steps)


def _on_kink(subject: Subject) -> bool:
    return len(subject.active) > 1


def _errors(subject: Subject, steps: int) -> tuple[float, ...]:
    arrays = MpmathArrays(_DIGITS)
    fixed = [arrays.scalars.evaluate(c) for c in subject.point.state.values()]
    moments = propagate(subject.iteration, steps, subject.at, policy=_WhereItExists(FixedBranch(0)), arithmetic=arrays)
    iterates = (arrays.entries(moment.x.centre) for moment in moments)
    return tuple(float(max(abs(a - b) for a, b in zip(x, fixed, strict=True))) for x in iterates)


# -- derivatives ----------------------------------------------------------------------------------------------------


def _derivatives(subject: Subject, verdicts: Sequence[Verdict], steps: int) -> Panel | None:
    """The derivatives along fixed branches, the word and random picks, with the rate that was proved."""
    if subject.iteration is not None and not subject.iteration.map.parameters:
        return None
    try:
        system = subject.system
    except UnknownError:
        return None
    if system.graph or not system.is_certain:
        return None
    word = _first(verdicts, WordStep, lambda step: step.modulus_lower > 1)
    if word is not None:
        return _growth(subject, word, steps, realised=_first(verdicts, RealisedStep) is not None)
    limit = common_fixed_point(system)
    free = [verdict for verdict in verdicts if verdict.derivation.first(TransitionsStep) is None]
    step = _first(free, ContractionStep, lambda step: step.proof.rate < 1)
    proof = None if step is None else step.proof
    if proof is not None and limit is None:
        return _to_several_limits(subject, proof, steps)
    known = proof is not None and limit is not None
    origin = limit if known else zeros(system.dimension, system.columns)
    series = _selections(subject, origin, steps)
    if not known:
        return Panel("Derivatives", "‖J_k‖", tuple(series))
    return Panel("Error of the derivatives", "‖J_k − J̄‖", (*series, proved_rate(proof.rate, series)))


def _selections(subject: Subject, origin: fmpq_mat, steps: int) -> list[Series]:
    """Fixed branches and random picks; one sequence when no kink is met, so that nothing is picked."""
    run, system = _recursion(subject, subject.system.J0), subject.system
    series = [
        _series(f"always piece {i}", run(FixedBranch(i), steps), origin, "fixed branch") for i in _branches(system)
    ]
    if len(system) > 1:
        for seed in _RANDOM_SEEDS:
            series.append(
                _series("random pieces" if seed == 1 else "", run(RandomBranch(seed), steps), origin, "random")
            )
    if len({one.values for one in series}) > 1:
        return series
    only = series[0]
    label = (
        "along the iterates" if subject.iteration is not None and subject.iteration.start is not None else only.label
    )
    return [Series(label, only.k, only.values, only.role)]


def _growth(subject: Subject, word: WordStep, steps: int, *, realised: bool) -> Panel:
    """Norms of derivatives at the fixed point: the word grows, whatever single pieces do; or along iterates."""
    system = subject.system
    J0 = word.J0 if word.J0 is not None else system.J0
    run = _recursion_of_system(system, J0)
    single = () if realised else _branches(system)
    series = [_series(f"always piece {i}", run(FixedBranch(i), steps), None, "fixed branch") for i in single]
    if realised or len(word.word) > 1:
        series.append(
            _series(f"word {word_text(word.word)}, repeated", run(RepeatedWord(word.word), steps), None, "word")
        )
    rate = as_float(word.growth_lower)
    excited = "proved: grows at least like" if word.J0 is not None else "proved rate of the word:"
    label = f"{excited} {trimmed(decimals_below(word.growth_lower))}^k"
    series.append(Series(label, tuple(range(steps + 1)), tuple(power_of(rate, k) for k in range(steps + 1)), "proved"))
    title = "Derivatives along iterates that converge" if realised else "Derivatives selected at the fixed point"
    return Panel(title, "‖J_k‖", tuple(series))


def _to_several_limits(subject: Subject, proof: Proof, steps: int) -> Panel:
    """Where single pieces have limits of their own, the distance of each to its own limit."""
    J0, series = subject.system.J0, []
    run = _recursion_of_system(subject.system, J0)
    for i in _branches(subject.system):
        limit = word_fixed_point(subject.system, (i,))
        one = _series(f"always piece {i}, to {_matrix_label(limit)}", run(FixedBranch(i), steps), limit, "fixed branch")
        arrival = max((k + 1 for k, value in enumerate(one.values) if value > 0), default=0)
        reached = f" (reached at k = {arrival})" if arrival <= steps else ""
        series.append(replace(one, label=one.label + reached))
    series.append(proved_rate(proof.rate, series))
    start = "at the fixed point" if J0 is not None else "at the fixed point from J_0 = 1"
    return Panel(f"Derivatives {start}, each piece to its own limit", "‖J_k − J̄‖", tuple(series))


def _matrix_label(M: fmpq_mat) -> str:
    shown = ", ".join(str(entry) for row in entries(M) for entry in row)
    return shown if M.nrows() == M.ncols() == 1 else f"({shown})"


def _branches(system: Any) -> range:
    return range(min(len(system), _MOST_BRANCHES))


def _first(verdicts: Sequence[Verdict], kind: type, condition: Callable[[Any], bool] = lambda step: True) -> Any | None:
    """Return the first step of a kind, from the verdict that says most about it."""
    ranked = sorted(verdicts, key=lambda verdict: verdict.kind != "diverges")
    found = (step for verdict in ranked for step in verdict.derivation if isinstance(step, kind) and condition(step))
    return next(found, None)


def _series(label: str, moments: Sequence[Sequence[Sequence[Any]]], origin: fmpq_mat | None, role: str) -> Series:
    return Series(label, tuple(range(len(moments))), tuple(_distance(J, origin) for J in moments), role)


def _distance(J: Sequence[Sequence[Any]], origin: fmpq_mat | None) -> float:
    """The largest entry of ``J - origin``, rounded."""
    largest = 0.0
    for i, row in enumerate(J):
        for j, entry in enumerate(row):
            shift = fmpq(0) if origin is None else origin[i, j]
            exact = isinstance(entry, fmpq)
            difference = entry - shift if exact else entry - type(entry)(int(shift.p)) / int(shift.q)
            largest = max(largest, _magnitude(difference))
    return largest


def _magnitude(number: Any) -> float:
    try:
        return abs(as_float(number) if isinstance(number, fmpq) else float(number))
    except OverflowError:
        return math.inf


def _recursion(subject: Subject, J0: fmpq_mat | None) -> Callable[[SelectionPolicy, int], list[Any]]:
    """Return how derivatives are propagated: along the iterates where there is a start, else at the fixed point."""
    if subject.iteration is None or subject.iteration.start is None:
        return _recursion_of_system(subject.system, J0)

    def run(policy: SelectionPolicy, steps: int) -> list[Any]:
        arrays = MpmathArrays(_DIGITS)
        moments = propagate(subject.iteration, steps, subject.at, policy=_WhereItExists(policy), arithmetic=arrays)
        return [arrays.rows(moment.J.centre) for moment in moments]

    return run


def _recursion_of_system(system: Any, J0: fmpq_mat | None) -> Callable[[SelectionPolicy, int], list[Any]]:
    """Return the recursion ``J <- A_i J + B_i``, exact."""
    if J0 is None:
        J0 = fmpq_mat([[fmpq(1)] * system.columns for _ in range(system.dimension)])

    def run(policy: SelectionPolicy, steps: int) -> list[Any]:
        J, moments = J0, [entries(J0)]
        for k in range(steps):
            A, B = system.pairs[policy.choose(k, len(system))]
            J = A * J + B
            moments.append(entries(J))
        return moments

    return run


@dataclass(frozen=True)
class _WhereItExists(SelectionPolicy):
    """A policy whose index counts modulo the pieces that are there: along iterates kinks of several kinds are met."""

    policy: SelectionPolicy

    def choose(self, k: int, count: int) -> int:
        if isinstance(self.policy, FixedBranch):
            return min(self.policy.index, count - 1)
        return self.policy.choose(k, count)


def _parameters_text(at: Any) -> str:
    return ", ".join(f"{v} = {c}" for v, c in at.items())
