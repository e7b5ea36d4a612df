"""The claim that derivatives grow along all iterates, at all parameters, whatever is selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.claims.base import Claim, certify, decimals_below, rational_field
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Verdict
from piggycheck.derivation import CommonDirectionStep
from piggycheck.errors import InputError, UnknownError
from piggycheck.trajectories import common_direction

__all__ = ["DerivativesDivergeEverywhere"]


@dataclass(frozen=True)
class DerivativesDivergeEverywhere(Claim):
    """At all parameters, and whatever is selected at kinks, the derivatives of the iterates grow without bound.

    Parameters
    ----------
    rate : rational number, optional
        Claims besides that in each step they grow by this factor at least, which is above 1.

    Raises
    ------
    InputError
        When the rate is none.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.claims import prove
    >>> from piggycheck.iteration import Iteration
    >>> from piggycheck.maps import SymbolicMap
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> tent = Iteration(SymbolicMap([x], [sp.Min(2 * x, 2 - 2 * x)], [theta]), start=[theta])
    >>> prove(DerivativesDivergeEverywhere(rate=2), tent, at={"theta": 0}).name
    'proved'

    Notes
    -----
    Proved by a direction that every piece of the map multiplies: see docs/theory/without-hypotheses.md and
    `piggycheck.trajectories.common_direction`. It needs no fixed point, and nothing is said of the iterates. When this
    fails: derivatives that grow and turn leave the claim undecided; it is never refuted.
    """

    rate: Any = None
    kind = "derivatives_diverge_everywhere"

    def __post_init__(self) -> None:
        if self.rate is not None:
            rate = rational_field(self.rate, f"rate of `{self.kind}`")
            if rate <= 1:
                raise InputError(f"rate of `{self.kind}`: `{rate}` is not above 1")
            object.__setattr__(self, "rate", rate)

    def fields(self) -> dict[str, Any]:
        return {"rate": self.rate}

    def statement(self, subject: Subject) -> str:
        rate = "" if self.rate is None else f", by a factor of {self.rate} per step at least"
        return f"at all parameters and whatever is selected the derivatives of the iterates grow without bound{rate}"

    def decide(self, subject: Subject) -> Verdict:
        iteration = subject.required_iteration(self.kind)
        subject.require_parameters(self.kind)
        if iteration.start is None:
            raise InputError(f"claim `{self.kind}` is about iterates; write [start]")
        found = common_direction(iteration)
        if found.rate <= 1 or (self.rate is not None and found.rate < self.rate):
            raise UnknownError(
                f"every piece multiplies the direction ({', '.join(map(str, found.direction))}), but one of them by no "
                f"more than {found.rate}"
            )
        derivation, statement = subject.opening(pieces=False), self.statement(subject)
        name = str(found.parameter)
        derivation.record(
            CommonDirectionStep(name, found.direction, found.multipliers, found.starts, found.rate, found.constant)
        )
        witness = {
            "method": "direction",
            "parameter": name,
            "direction": found.direction,
            "rate": found.rate,
            "constant": found.constant,
        }
        return Proved(
            self.kind,
            statement,
            f"in the parameter {name} they grow by a factor of at least {decimals_below(found.rate)} per step",
            {
                "parameter": name,
                "direction": [str(c) for c in found.direction],
                "rate": str(found.rate),
                "constant": str(found.constant),
            },
            f"every piece of the map multiplies the direction by a number of modulus at least {found.rate}, and every "
            "start has a derivative along it",
            derivation,
            certificate=certify(self, "proved", statement, subject.map_parts(), witness),
        )
