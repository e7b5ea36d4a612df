"""The claim that iterates or derivatives converge at a certain asymptotic linear rate, an exact algebraic number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.arithmetic import exact, rational
from piggycheck.claims.base import Claim, certify
from piggycheck.claims.curved_rate import CurvedRate
from piggycheck.claims.exact_rate import ExactRate, exact_rate
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import (
    AsymptoticRateStep,
    ContractionStep,
    CurvedRateStep,
    LimitStep,
    TransientStep,
    TrapStep,
)
from piggycheck.errors import InputError, IrrationalError, UnknownError
from piggycheck.expression import parse_number, to_text
from piggycheck.iteration import Iteration
from piggycheck.maps import StructuredMap
from piggycheck.rates.algebraic import AlgebraicNumber
from piggycheck.rates.errors import read_quantity
from piggycheck.rates.order import inside
from piggycheck.switched import SwitchedSystem

__all__ = ["AsymptoticRate", "asymptotic_rate", "rate_step"]

_DIGITS = 10


@dataclass(frozen=True)
class AsymptoticRate(Claim):
    """The errors ``e_k`` have ``lim sup e_k^(1/k)`` equal to an algebraic number; with `value`, to this one.

    Parameters
    ----------
    quantity : "iterates" or "derivatives"
        Whether ``e_k`` is the size of ``x_k - xbar``, or of ``J_k - Jbar``.
    value : exact number or text, optional
        The rate, such as ``"19/20"`` or ``"sqrt(3)/2"``.

    Raises
    ------
    InputError
        When the quantity is none of the two, or the value is negative or not real.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> from piggycheck.claims import prove
    >>> descent = gradient_descent("x**2/2 + y**2/20", ["x", "y"], "1/2", start=[1, 1])
    >>> prove(AsymptoticRate("iterates", "19/20"), descent).name
    'proved'
    >>> descent = gradient_descent("x**2/2 + y**2/20", ["x", "y"], "1/2", start=[1, 0])
    >>> prove(AsymptoticRate("iterates", "19/20"), descent).found
    'the errors of the iterates decay at the rate 1/2'

    Notes
    -----
    It is the largest modulus of an eigenvalue of A that the error excites. Source: docs/theory/asymptotic-rates.md.

    When this fails: where pieces with different Jacobians meet at the fixed point, or the piece there is not affine, or
    numbers are irrational and not made of square roots of rational ones, the claim is undecided.
    """

    quantity: Any = "iterates"
    value: Any = None
    kind = "asymptotic_rate"

    def __post_init__(self) -> None:
        read_quantity(self.quantity, "quantity of `asymptotic_rate`")
        if self.value is not None:
            object.__setattr__(self, "value", _read_value(self.value))

    def fields(self) -> dict[str, Any]:
        value = self.value
        return {"quantity": self.quantity, "value": None if value is None else to_text(value)}

    def statement(self, subject: Subject) -> str:
        where = ""
        if subject.given is None and subject.iteration.start is None:
            where = f"from almost every start near {subject.named_point} "
        elif subject.given is not None and subject.given.J0 is None:
            where = "from almost every start "
        what = "is an algebraic number" if self.value is None else f"is {self.value}"
        return f"{where}the asymptotic linear rate of the {self.quantity} {what}"

    def decide(self, subject: Subject) -> Verdict:
        found = exact_rate(subject, self.quantity)
        if self.value is None or found.rate.equals(self.value):
            return self._verdict(Proved, subject, found, found.rate)
        return self._verdict(Refuted, subject, found, apart(found.rate, self.value))

    def _verdict(self, kind: type, subject: Subject, found: ExactRate | CurvedRate, rate: AlgebraicNumber) -> Verdict:
        derivation, statement = subject.opening(pieces=not subject.is_irrational), self.statement(subject)
        if found.proof is not None:
            derivation.record(ContractionStep(found.proof))
            derivation.record(TrapStep(found.trap.iteration, found.trap.level))
        if isinstance(found.limit, fmpq_mat):
            derivation.record(LimitStep(found.limit))
        derivation.record(rate_step(found))
        transient = found.transient
        if transient is not None:
            derivation.record(TransientStep(self.quantity, transient, found.rate))
        claim = self if kind is Refuted or self.value is None else AsymptoticRate(self.quantity, _visible(self, found))
        parts = subject.certificate_parts(None if subject.given is not None else subject.active)
        return kind(
            self.kind,
            statement,
            f"the errors of the {self.quantity} {_found(found)}" + (_side(rate, self.value) if kind is Refuted else ""),
            _value(found),
            _reason(found),
            derivation,
            certificate=certify(claim, kind.name, statement, parts, found.witness(rate)),
        )


def asymptotic_rate(
    about: Iteration | SwitchedSystem,
    at: Mapping[Any, Any] | None = None,
    quantity: str = "iterates",
    *,
    time_limit: float = 10.0,
) -> ExactRate | CurvedRate:
    """Return the asymptotic linear rate of iterates or derivatives, exactly, and what a run shows of it.

    Parameters
    ----------
    about : Iteration or SwitchedSystem
    at : mapping, optional
        A value for each parameter of an iteration.
    quantity : "iterates" or "derivatives"
    time_limit : float
        Seconds for the proof that the iterates converge.

    Returns
    -------
    ExactRate or CurvedRate

    Raises
    ------
    InputError
        When the quantity is none of the two, or a parameter has no value.
    UnknownError
        When the rate is not known; the message says why.

    Examples
    --------
    >>> from piggycheck.algorithms import heavy_ball
    >>> ball = heavy_ball("x**2/2 - theta*x", ["x"], 1, "3/4", parameters=["theta"], start=[0])
    >>> found = asymptotic_rate(ball, {"theta": 1})
    >>> found.rate.closed_form, found.rate.polynomial, found.transient.observed[:12]
    (sqrt(3)/2, (-3, 0, 4), '0.8660254037')

    Notes
    -----
    Source: docs/theory/asymptotic-rates.md. When this fails: see `AsymptoticRate`.
    """
    read_quantity(quantity, "quantity")
    return exact_rate(_subject(about, at, time_limit), quantity)


def _subject(about: Iteration | SwitchedSystem, at: Mapping[Any, Any] | None, time_limit: float) -> Subject:
    if isinstance(about, SwitchedSystem):
        return Subject(given=about, time_limit=time_limit)
    if isinstance(about.map, StructuredMap):
        from piggycheck.claims.enclosed import EnclosedSubject

        try:
            return EnclosedSubject(about, at, time_limit).symbolic()
        except UnknownError as error:
            raise UnknownError(f"{error}; prove the claim `AsymptoticRate`, which looks at the layers") from None
    return Subject(iteration=about, at=at, time_limit=time_limit)


def _read_value(value: Any) -> sp.Expr:
    where = "value of `asymptotic_rate`"
    read = parse_number(value, where=where) if isinstance(value, str) else exact(value, where)
    try:
        read = sp.Rational(str(rational(read)))
    except IrrationalError:
        read = sp.radsimp(read)
    if not read.is_Rational and read.is_real is not True:
        raise InputError(f"{where}: `{read}` is not seen to be real; write a number that is not negative")
    if read.is_negative:
        raise InputError(f"{where}: `{read}` is negative; write a number that is not")
    return read


def apart(rate: AlgebraicNumber, value: sp.Expr) -> AlgebraicNumber:
    """Return the rate between bounds that leave another value outside."""
    digits = _DIGITS
    while not rate.excludes(value, 8 * digits):
        digits *= 2
        rate = inside(rate, digits)
    return rate


def _side(rate: AlgebraicNumber, value: sp.Expr) -> str:
    """On which side of a claimed value a rate is that looks the same, after bounds have left the value outside."""
    lower = sp.Rational(str(rate.lower))
    if str(sp.N(lower, 7)) != str(sp.N(value, 7)):
        return ""
    return f", which is {'larger' if bool(lower > value) else 'smaller'} than claimed"


def _visible(claim: AsymptoticRate, found: ExactRate | CurvedRate) -> sp.Expr:
    """The claimed value in the form in which the checker sees that it is a root."""
    form = found.rate.closed_form
    return claim.value if form is None else form


def rate_step(found: ExactRate | CurvedRate) -> AsymptoticRateStep | CurvedRateStep:
    """Return what a derivation says of an exact rate."""
    if isinstance(found, CurvedRate):
        distance = None if found.followed is None else found.followed.distance[1]
        return CurvedRateStep(
            found.quantity, found.A, found.iteration, distance, found.rate, found.power, found.vanishes, found.cone
        )
    excited = found.excited
    return AsymptoticRateStep(
        found.quantity,
        found.method,
        found.A.charpoly(),
        excited.iteration,
        excited.annihilator,
        excited.largest.dominant,
        found.rate,
        excited.power,
        found.coupled,
    )


def _found(found: ExactRate | CurvedRate) -> str:
    if isinstance(found, CurvedRate) and found.rate.upper == 0 and not found.vanishes:
        return "decay faster than at every rate, so theirs is 0"
    if found.rate.upper == 0:
        return f"are zero from k = {found.iteration} on, so their rate is 0"
    return found_text(found.rate)


def found_text(rate: AlgebraicNumber) -> str:
    """Say what errors of a positive rate do."""
    verb = "decay" if rate.upper < 1 else "grow" if rate.lower > 1 else "go on"
    return f"{verb} at the rate {rate}"


def _reason(found: ExactRate | CurvedRate) -> str:
    if isinstance(found, CurvedRate) and not found.vanishes:
        return _reason_along_a_curve(found)
    if found.rate.upper == 0:
        return "the error vanishes after finitely many steps"
    which = "" if found.method == "local" else " that the error excites"
    return f"it is the largest modulus of the eigenvalues of A{which}"


def _reason_along_a_curve(found: CurvedRate) -> str:
    if found.method == "dominant":
        return "errors excite the eigenvalues of A of largest modulus, as a cone shows that they cannot leave"
    if found.method == "nilpotent":
        return "a power of A is zero, and the Jacobians along the iterates tend to A"
    if found.rate.upper == 0:
        return "the derivative of the map is 0 at the fixed point"
    if found.quantity == "iterates":
        return "the quotients of successive errors tend to the derivative of the map at the fixed point"
    return "the errors of the derivatives decay at the rate of the derivative of the map at the fixed point"


def rate_value(rate: AlgebraicNumber, power: int) -> dict[str, Any]:
    """Return a rate as answers hold it."""
    return {
        "rate": str(rate),
        "minimal_polynomial": [str(c) for c in rate.polynomial],
        "lower": str(rate.lower),
        "upper": str(rate.upper),
        "decimals": rate.decimals(2 * _DIGITS),
        "power": str(power),
    }


def _value(found: ExactRate | CurvedRate) -> dict[str, Any]:
    value, seen = rate_value(found.rate, found.power or 0), found.transient
    if found.power is None:
        del value["power"]
    if seen is not None:
        value |= {
            "observed": seen.observed,
            "observed_digits": str(seen.digits),
            "iterations": str(seen.iterations),
            "precision": str(seen.precision),
            "identified": str(seen.identified),
        }
        if seen.largest is not None:
            value |= {"largest_before": seen.largest[1], "largest_before_at": str(seen.largest[0])}
        if seen.peak is not None:
            value |= {"largest": seen.peak[1], "largest_at": str(seen.peak[0])}
        if seen.within is not None:
            value["within_one_percent_from"] = str(seen.within)
    return value
