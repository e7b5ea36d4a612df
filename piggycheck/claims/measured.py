"""What the sequences of a claim are measured from: each at its own parameters, from the fixed point there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from piggycheck.claims.subject import Subject
from piggycheck.errors import InputError, UnknownError
from piggycheck.rates.derived import DerivedErrors
from piggycheck.rates.errors import ErrorSequence
from piggycheck.rates.limit import Limit, unknown_limit
from piggycheck.rates.sequences import Estimate

__all__ = ["Measured", "describe", "limit_at", "measured", "moved"]

_NORMS = {"max": "maximum", "frobenius": "Frobenius", "spectral": "spectral"}


@dataclass(frozen=True)
class Measured:
    """A sequence of errors with what it is about.

    Attributes
    ----------
    estimate : Estimate
    subject : Subject
        At the parameters of the sequence.
    errors : ErrorSequence or DerivedErrors
    """

    estimate: Estimate
    subject: Subject
    errors: ErrorSequence | DerivedErrors

    def witness(self, *, active: bool = False) -> dict[str, Any]:
        """Return what a certificate says of the limit: the fixed point, and for derivatives the pieces and matrix.

        On request the pieces are all active ones, and stand there for iterates, too.
        """
        parts = self.subject.certificate_parts(self.subject.active if active else None)
        found = {"fixed_point": parts["fixed_point"]}
        if active or self.estimate.of_derivatives:
            found["pieces"] = parts["pieces"]
        if self.estimate.of_derivatives and self.errors.limit.exact_matrix is not None:
            found["matrix"] = self.errors.limit.exact_matrix
        return found


def moved(subject: Subject, values: Mapping[sp.Symbol, sp.Expr]) -> Subject:
    """Return the same iteration at other parameters; the subject itself where they are the same."""
    if values == subject.at:
        return subject
    return Subject(subject.iteration, values, time_limit=max(subject.remaining, 0.1)).reporting(subject.progress)


def limit_at(subject: Subject) -> Limit:
    """Return what errors are measured from.

    Raises
    ------
    InputError
        When the fixed point is not known.
    UnknownError
        When another one may be near.
    """
    try:
        point = subject.point
    except UnknownError as error:
        raise unknown_limit(str(error)) from None
    if not point.isolated and not subject.start_is_fixed:
        raise UnknownError("other fixed points near this one are not excluded, and iterates may converge to one")
    return Limit(subject.iteration, point)


def measured(subject: Subject, estimates: Mapping[str, Estimate]) -> dict[str, Measured]:
    """Find what each sequence is measured from.

    Parameters
    ----------
    subject : Subject
    estimates : mapping from names to Estimate

    Raises
    ------
    InputError
        When a limit is not known, or there is not one; names the sequence.
    UnknownError
        When this is not decided.
    """
    known: dict[tuple[Any, ...], Subject] = {}
    found = {}
    for name, estimate in estimates.items():
        values = estimate.values(subject.at)
        own = known.setdefault(tuple(values.values()), moved(subject, values))
        try:
            errors = estimate.errors(limit_at(own))
            if estimate.of_derivatives:
                _ = errors.limit.matrix
            if isinstance(errors, DerivedErrors):
                _ = errors.target
        except UnknownError as error:
            raise UnknownError(f"sequence `{name}`: {error}") from None
        except InputError as error:
            text = str(error)
            raise InputError(text if f"sequence `{name}`" in text else f"sequence `{name}`: {text}") from None
        found[name] = Measured(estimate, own, errors)
    return found


def describe(estimate: Estimate, norm: str = "max") -> str:
    """Say in words what is measured, where `norm` is said elsewhere.

    Examples
    --------
    >>> describe(Estimate("short", "derivatives", {"step": sp.Integer(1)}, last=3))
    'the error of the derivatives of the last 3 steps, at step = 1'
    """
    observed = "" if estimate.output is None else f" of {', '.join(estimate.output)}"
    columns = "" if estimate.wrt is None else f" in {', '.join(estimate.wrt)}"
    match estimate.quantity:
        case "iterates":
            said = f"the error of {', '.join(estimate.output)} at the iterates" if estimate.output else ""
            said = said or "the error of the iterates"
        case "implicit":
            said = f"the error of the implicit derivatives{observed}{columns} at the iterates"
        case "partial":
            said = f"the error of the partial derivatives{observed}{columns} at the iterates"
        case _:
            said = f"the error of the derivatives{observed}{columns}{_steps(estimate)}"
    at = ", ".join(f"{name} = {value}" for name, value in (estimate.at or {}).items())
    return (
        said
        + (f", at {at}" if at else "")
        + (f", in the {_NORMS[estimate.norm]} norm" if estimate.norm != norm else "")
    )


def _steps(estimate: Estimate) -> str:
    if estimate.last is not None:
        return " of the last step" if estimate.last == 1 else f" of the last {estimate.last} steps"
    if estimate.skip is None:
        return ""
    if estimate.skip == 0:
        return " with J_0 = 0"
    return " without the first step" if estimate.skip == 1 else f" without the first {estimate.skip} steps"
