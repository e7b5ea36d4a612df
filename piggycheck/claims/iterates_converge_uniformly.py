"""The claim that the iterates converge at one rate for a whole box of parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import fmpq

from piggycheck.arithmetic import rational
from piggycheck.claims.base import Claim, certify, rational_field
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import EscapeStep, FixedPointStep, FunnelStep
from piggycheck.errors import InputError
from piggycheck.trajectories import Box, Escape, Funnel, find_funnel

__all__ = ["IteratesConvergeUniformly", "box_of", "box_text", "read_over"]


@dataclass(frozen=True)
class IteratesConvergeUniformly(Claim):
    """For all parameters of a box the iterates converge to the fixed point, at one rate and with one constant.

    Parameters
    ----------
    over : mapping from names of parameters to pairs of rational numbers
        The box. Other parameters keep their values.
    rate : rational number, optional
        Claims besides that ``|x_k - xbar|_inf <= C rate^k`` for one constant C, with this rate below 1.

    Raises
    ------
    InputError
        When the box or the rate is none.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.claims import prove
    >>> from piggycheck.iteration import Iteration
    >>> from piggycheck.maps import SymbolicMap
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> shrinking = Iteration(SymbolicMap([x], [abs(x) / 2], [theta]), start=[theta])
    >>> prove(IteratesConvergeUniformly(over={"theta": [-1, 1]}, rate="1/2"), shrinking, at={"theta": 0}).name
    'proved'

    Notes
    -----
    A funnel proves it: see docs/theory/without-hypotheses.md and `piggycheck.trajectories.find_funnel`. What it says
    of the iterates says nothing of their derivatives. When this fails: pieces that are not affine, or a funnel with
    more sides than the search tries, leave the claim undecided.
    """

    over: Any
    rate: Any = None
    kind = "iterates_converge_uniformly"

    def __post_init__(self) -> None:
        object.__setattr__(self, "over", read_over(self.over, self.kind))
        if self.rate is not None:
            rate = rational_field(self.rate, f"rate of `{self.kind}`")
            if not 0 <= rate < 1:
                raise InputError(f"rate of `{self.kind}`: `{rate}` is not from 0 to below 1")
            object.__setattr__(self, "rate", rate)

    def fields(self) -> dict[str, Any]:
        return {"over": {name: list(ends) for name, ends in self.over.items()}, "rate": self.rate}

    def statement(self, subject: Subject) -> str:
        rate = "" if self.rate is None else f" at the rate {self.rate}"
        return f"for all {box_text(self.over)} the iterates converge to {subject.named_point}, uniformly{rate}"

    def decide(self, subject: Subject) -> Verdict:
        iteration = subject.required_iteration(self.kind)
        if iteration.start is None:
            raise InputError(f"claim `{self.kind}` is about iterates; write [start]")
        box = box_of(self.over, iteration.map.parameters, self.kind)
        at = {v: c for v, c in subject.at.items() if v not in box}
        fixed_point = [rational(c, f"the fixed point {v}") for v, c in subject.point.state.items()]
        found = find_funnel(iteration, at, fixed_point, box, self.rate)
        derivation = subject.opening(pieces=False)
        derivation.record(FixedPointStep(subject.point.state, subject.point.at, subject.start_is_fixed))
        parts = subject.map_parts() | {"fixed_point": dict(zip(iteration.map.state, fixed_point, strict=True))}
        answer = self._proved if isinstance(found, Funnel) else self._refuted
        return answer(self.statement(subject), parts, derivation, box, found)

    def _proved(self, statement: str, parts: dict, derivation: Any, box: Box, funnel: Funnel) -> Verdict:
        derivation.record(FunnelStep(funnel.variables, box, funnel.rows, funnel.rate, funnel.constant))
        bound = "" if funnel.constant == 1 else f"{funnel.constant} times "
        witness = {
            "method": "funnel",
            "rows": funnel.rows,
            "rate": funnel.rate,
            "constant": funnel.constant,
        }
        return Proved(
            self.kind,
            statement,
            f"for all {box_text(self.over)} the error of iterate k is at most {bound}{funnel.rate} to the power k",
            {"rate": str(funnel.rate), "constant": str(funnel.constant)},
            f"a polyhedron with {len(funnel.rows)} sides holds all iterates and shrinks by {funnel.rate} in each step",
            derivation,
            certificate=certify(self, "proved", statement, parts, witness),
        )

    def _refuted(self, statement: str, parts: dict, derivation: Any, box: Box, escape: Escape) -> Verdict:
        at = dict(zip(map(str, box), escape.at, strict=True))
        derivation.record(EscapeStep(at, escape.first, escape.period, escape.point))
        shown = ", ".join(f"{name} = {value}" for name, value in at.items())
        stay = "stay at another fixed point" if escape.period == 1 else f"run into a cycle of period {escape.period}"
        witness = {"method": "cycle", "at": at, "first": escape.first, "period": escape.period}
        return Refuted(
            self.kind,
            statement,
            f"at {shown} the iterates {stay}",
            {"at": {name: str(value) for name, value in at.items()}, "period": escape.period},
            f"iterate {escape.first + escape.period} is iterate {escape.first}, which is not the fixed point",
            derivation,
            certificate=certify(self, "refuted", statement, parts, witness),
        )


def read_over(value: Any, kind: str) -> dict[str, tuple[fmpq, fmpq]]:
    """Read the box of a claim: a pair of rational numbers, in order, for each of some parameters.

    Raises
    ------
    InputError
        When it is none.

    Examples
    --------
    >>> read_over({"theta": [0, "1/2"]}, "iterates_converge_uniformly")
    {'theta': (0, 1/2)}
    >>> read_over({"theta": [1, 0]}, "iterates_converge_uniformly")
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: over.theta of `iterates_converge_uniformly`: 1 is above 0; write the lower end first
    """
    if not isinstance(value, dict) or not value:
        raise InputError(f'over of `{kind}`: `{value}` is no box; write such as over = {{theta = ["0", "1"]}}')
    box = {}
    for name, ends in value.items():
        where = f"over.{name} of `{kind}`"
        if not isinstance(ends, (list, tuple)) or len(ends) != 2:
            raise InputError(f'{where}: `{ends}` is no pair; write two numbers, such as ["0", "1"]')
        low, high = (rational_field(end, where) for end in ends)
        if low > high:
            raise InputError(f"{where}: {low} is above {high}; write the lower end first")
        box[str(name)] = (low, high)
    return box


def box_of(over: dict[str, tuple[fmpq, fmpq]], parameters: tuple[sp.Symbol, ...], kind: str) -> Box:
    """Return the box by the map's own symbols, in their order.

    Raises
    ------
    InputError
        When it names something that is not a parameter.
    """
    names = [str(v) for v in parameters]
    foreign = next((name for name in over if name not in names), None)
    if foreign is not None:
        known = ", ".join(names) or "(none)"
        raise InputError(f"over of `{kind}`: `{foreign}` is not a parameter; declared are {known}")
    return {v: over[str(v)] for v in parameters if str(v) in over}


def box_text(over: dict[str, tuple[fmpq, fmpq]]) -> str:
    """Write a box.

    Examples
    --------
    >>> box_text({"theta": (fmpq(0), fmpq(1))})
    'theta in [0, 1]'
    """
    return ", ".join(f"{name} in [{low}, {high}]" for name, (low, high) in over.items())
