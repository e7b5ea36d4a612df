"""Claims: one kind per file, each turning a question into a verdict with a certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from piggycheck.claims.about import About
from piggycheck.claims.asymptotic_rate import AsymptoticRate
from piggycheck.claims.base import Claim
from piggycheck.claims.chain_rule import ChainRuleSetIsLarger
from piggycheck.claims.continuous import ContinuousClaim as Continuous
from piggycheck.claims.converged import Converged
from piggycheck.claims.converges import Converges
from piggycheck.claims.cycle import CycleClaim as Cycle
from piggycheck.claims.derivative import Derivative
from piggycheck.claims.derivatives_diverge_everywhere import DerivativesDivergeEverywhere
from piggycheck.claims.diverges import Diverges
from piggycheck.claims.enclosed import EnclosedSubject, decide_enclosed, statement_of
from piggycheck.claims.error_comparison import ErrorComparison
from piggycheck.claims.fixed_point import FixedPointClaim as FixedPoint
from piggycheck.claims.flow_cycle import FlowCycle
from piggycheck.claims.implicit_is_invertible import ImplicitIsInvertible
from piggycheck.claims.implicit_is_strict import ImplicitIsStrict
from piggycheck.claims.implicit_set_exceeds_clarke import ImplicitSetExceedsClarke
from piggycheck.claims.in_piggyback_set import InPiggybackSet
from piggycheck.claims.iterates_converge import IteratesConverge
from piggycheck.claims.iterates_converge_uniformly import IteratesConvergeUniformly
from piggycheck.claims.joint_spectral_radius import JointSpectralRadius
from piggycheck.claims.no_common_quadratic_form import NoCommonQuadraticForm
from piggycheck.claims.piggyback_bounds import PiggybackBounds
from piggycheck.claims.piggyback_interval import PiggybackInterval
from piggycheck.claims.practice_agrees import PracticeAgrees
from piggycheck.claims.pseudo_inverse_agrees import PseudoInverseAgrees
from piggycheck.claims.rate_bound import RateBound
from piggycheck.claims.rate_comparison import RateComparison
from piggycheck.claims.set_figure import draw_attractor
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import Derivation
from piggycheck.errors import MapError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import StructuredMap
from piggycheck.stability.answers import Moment
from piggycheck.switched import SwitchedSystem

__all__ = [
    "KINDS",
    "AsymptoticRate",
    "ChainRuleSetIsLarger",
    "Claim",
    "Continuous",
    "Converged",
    "Converges",
    "Cycle",
    "Derivative",
    "DerivativesDivergeEverywhere",
    "Diverges",
    "EnclosedSubject",
    "ErrorComparison",
    "FixedPoint",
    "FlowCycle",
    "ImplicitIsInvertible",
    "ImplicitIsStrict",
    "ImplicitSetExceedsClarke",
    "InPiggybackSet",
    "IteratesConverge",
    "IteratesConvergeUniformly",
    "JointSpectralRadius",
    "NoCommonQuadraticForm",
    "PiggybackBounds",
    "PiggybackInterval",
    "PracticeAgrees",
    "Proved",
    "PseudoInverseAgrees",
    "RateBound",
    "RateComparison",
    "Refuted",
    "Subject",
    "Undecided",
    "Verdict",
    "default_claims",
    "draw_attractor",
    "prove",
    "subject_of",
]

KINDS: dict[str, type[Claim]] = {
    claim.kind: claim
    for claim in (
        AsymptoticRate,
        ChainRuleSetIsLarger,
        Continuous,
        Converged,
        Converges,
        Cycle,
        Derivative,
        DerivativesDivergeEverywhere,
        Diverges,
        ErrorComparison,
        FixedPoint,
        FlowCycle,
        ImplicitIsInvertible,
        ImplicitIsStrict,
        ImplicitSetExceedsClarke,
        InPiggybackSet,
        IteratesConverge,
        IteratesConvergeUniformly,
        JointSpectralRadius,
        NoCommonQuadraticForm,
        PiggybackBounds,
        PiggybackInterval,
        PracticeAgrees,
        PseudoInverseAgrees,
        RateBound,
        RateComparison,
    )
}
"""The kinds of claim, by the name that a case gives them."""


def prove(
    claim: Claim,
    about: Iteration | SwitchedSystem | About,
    at: Mapping[Any, Any] | None = None,
    *,
    time_limit: float = 10.0,
    progress: Callable[[Moment | str], None] | None = None,
) -> Verdict:
    """Prove or refute a claim.

    Parameters
    ----------
    claim : Claim
        For instance ``piggycheck.claims.Diverges()``.
    about : Iteration, SwitchedSystem, Subject or EnclosedSubject
        What the claim is about. Subjects keep what several claims need.
    at : mapping, optional
        A value for each parameter of an iteration.
    time_limit : float
        Seconds for questions about the joint spectral radius.
    progress : callable, optional
        Is given each improvement of the bounds on the joint spectral radius, a `piggycheck.stability.answers.Moment`,
        and in long runs a text that says how far they are.

    Returns
    -------
    Proved, Refuted or Undecided
        The first two with a certificate.

    Raises
    ------
    InputError
        When the claim makes no sense for what it is about, or a parameter has no value.

    Examples
    --------
    >>> from piggycheck.algorithms import heavy_ball
    >>> f = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
    >>> ball = heavy_ball(f, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])
    >>> verdict = prove(Diverges(), ball, at={"theta": 0})
    >>> verdict.name, verdict.value["word"], verdict.value["eigenvalue"]
    ('proved', [0, 0, 1, 1], '-9/8')

    Notes
    -----
    When this fails: what cannot be decided is `Undecided`, with the reason; a verdict is no truth value.
    """
    subject = about if isinstance(about, About) else subject_of(about, at)
    subject.with_time(time_limit).reporting(progress)
    try:
        return decide_enclosed(claim, subject) if isinstance(subject, EnclosedSubject) else claim.decide(subject)
    except UnknownError as error:
        layered = isinstance(subject, EnclosedSubject)
        statement = statement_of(claim, subject) if layered else claim.statement(subject)
        return Undecided(claim.kind, statement, str(error), {}, str(error), _opening(subject))


def subject_of(
    about: Iteration | SwitchedSystem, at: Mapping[Any, Any] | None = None, time_limit: float = 10.0
) -> Subject | EnclosedSubject:
    """Return what claims are about: an iteration at given parameters, or a switched system.

    Parameters
    ----------
    about : Iteration or SwitchedSystem
    at : mapping, optional
        A value for each parameter of an iteration.
    time_limit : float
        Seconds that each question may take.

    Returns
    -------
    EnclosedSubject or Subject
        The first for maps made of layers.

    Raises
    ------
    InputError
        When a parameter has no value, or the map has no value at the start.
    """
    if isinstance(about, SwitchedSystem):
        return Subject(given=about, time_limit=time_limit)
    if isinstance(about.map, StructuredMap):
        return EnclosedSubject(about, at, time_limit)
    return Subject(iteration=about, at=at, time_limit=time_limit)


def _opening(subject: About) -> Derivation:
    """As much of a derivation as can be written down in the time left."""
    looked_for = not isinstance(subject, Subject) or "points" in vars(subject) or subject.remaining > 0
    for pieces in (True, False) if looked_for else (False,):
        try:
            return subject.opening(pieces=pieces)
        except (UnknownError, MapError):
            continue
    return Derivation()


def default_claims(
    subject: About, *, time_limit: float = 10.0, progress: Callable[[Moment | str], None] | None = None
) -> Iterator[Verdict]:
    """Answer the questions that a case without claims asks, one after the other.

    Is the map continuous, where is the fixed point, do the derivatives converge or diverge, to what? Of maps made of
    layers, which are continuous, the first and the divergence are not asked.

    Parameters
    ----------
    subject : Subject or EnclosedSubject
    time_limit, progress
        As in `prove`.

    Yields
    ------
    Verdict
        Of *converges* and *diverges*, the one that is proved; when neither is, both. Nothing about derivatives of a
        map without parameters, except *converges*; no limit where words are constrained or matrices uncertain.
    """

    def ask(claim: Claim) -> Verdict:
        return prove(claim, subject, time_limit=time_limit, progress=progress)

    if isinstance(subject, EnclosedSubject):
        yield from map(ask, (FixedPoint(), Converges(), *([Derivative()] if subject.map.declared else [])))
        return
    if subject.given is None:
        yield from map(ask, (Continuous(), FixedPoint()))
    converges = ask(Converges())
    differentiable = subject.given is not None or bool(subject.iteration.map.parameters)
    diverges = None if isinstance(converges, Proved) or not differentiable else ask(Diverges())
    if not isinstance(diverges, Proved):
        yield converges
    if isinstance(converges, Proved) and differentiable and _is_plain(subject.given):
        yield ask(Derivative())
    if diverges is not None:
        yield diverges


def _is_plain(given: SwitchedSystem | None) -> bool:
    """Whether all words are allowed and all matrices known exactly."""
    return given is None or (given.is_certain and not given.graph)
