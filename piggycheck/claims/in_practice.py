"""What practice returns, asked without a claim: a survey of policies, and a comparison with a program of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import enclosure, rational
from piggycheck.claims import subject_of
from piggycheck.claims.base import decimals_above, decimals_below
from piggycheck.claims.practice_agrees import practice_of
from piggycheck.claims.subject import Subject
from piggycheck.derivation.practice import POLICY_NAMES
from piggycheck.errors import InputError
from piggycheck.iteration import Iteration
from piggycheck.limits import distance_to_set
from piggycheck.linalg import float_rows
from piggycheck.practice import Practice
from piggycheck.roots import root_upper

__all__ = ["Comparison", "compare", "practice"]

_BITS = 128


def practice(iteration: Iteration, at: Mapping[Any, Any] | None = None, *, time_limit: float = 10.0) -> Practice:
    """Say what JAX, PyTorch, every fixed branch and random picks return at the fixed point, and where that lies.

    Parameters
    ----------
    iteration : Iteration
    at : mapping, optional
        A value for each parameter.
    time_limit : float
        Seconds for the joint spectral radius.

    Returns
    -------
    Practice

    Raises
    ------
    InputError
        When a parameter has no value, or the map has no parameters.
    UnknownError
        When the fixed point, the pieces there or their contraction are not known.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.maps import SymbolicMap
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> iteration = Iteration(SymbolicMap([x], [sp.Abs(theta) - x / 2], [theta]))
    >>> for outcome in practice(iteration, {"theta": 0}).outcomes:
    ...     print(outcome.policy, outcome.limit, outcome.place.value)
    jax [2/3] in the implicit set
    torch [0] in the piggyback set only
    0 [2/3] in the implicit set
    1 [-2/3] in the implicit set
    random None no limit

    Notes
    -----
    Docs: docs/theory/conventions.md. Away from ties every policy returns the derivative of the one active piece.

    When this fails: a limit whose membership in the piggyback set is not decided says so; a map made of layers is
    written out, if it is small.
    """
    subject = _written_out(iteration, at, time_limit)
    subject.require_parameters("practice")
    return practice_of(subject)


@dataclass(frozen=True)
class Comparison:
    """What a program returned, against what the derivatives converge to.

    Attributes
    ----------
    x : fmpq_mat
        The last iterate that it returned, p by 1, exactly.
    derivative : fmpq_mat
        Its derivative, p by m.
    to_fixed_point : fmpq
        An upper bound on the distance of the iterate to the fixed point.
    lower, upper : fmpq
        Bounds on the distance of the derivative to the piggyback set, in the Frobenius norm, proved.
    policies : tuple of str
        Those whose limit is as close to the derivative as the tolerance says.
    tolerance : fmpq
    """

    x: fmpq_mat
    derivative: fmpq_mat
    to_fixed_point: fmpq
    lower: fmpq
    upper: fmpq
    policies: tuple[str, ...]
    tolerance: fmpq

    @property
    def agrees(self) -> bool | None:
        """Whether the derivative is within the tolerance of the set; None when the bounds leave that open."""
        return True if self.upper <= self.tolerance else False if self.lower > self.tolerance else None

    def __str__(self) -> str:
        near = "is" if self.to_fixed_point <= self.tolerance else "has not converged: it is"
        first = f"the iterate {near} within {_above(self.to_fixed_point)} of the fixed point"
        least = f"at least {decimals_below(self.lower)} and " if self.lower > 0 else ""
        second = f"the derivative is {least}at most {_above(self.upper)} away from the piggyback set"
        verb = "returns" if len(self.policies) == 1 else "return"
        known = f", and it is what {_listed(self.policies)} {verb}" if self.policies else ""
        return f"{first}; {second}{known}"


def compare(
    function: Callable[..., Any],
    iteration: Iteration,
    at: Mapping[Any, Any] | None = None,
    *,
    tolerance: Any = "1/1000000",
    time_limit: float = 10.0,
) -> Comparison:
    """Compare what a program returns with the piggyback set.

    Parameters
    ----------
    function : callable
        Is called with the value of each parameter, a float or an array of floats, in their order. It returns the last
        iterate and its derivative as arrays of any framework: p numbers, and p by m.
    iteration : Iteration
        What the program is meant to compute.
    at : mapping, optional
        An exact value for each parameter.
    tolerance : exact number
        What counts as near.
    time_limit : float
        Seconds for the joint spectral radius.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        When what it returns has another shape, or is not finite.
    NoLimitSetError
        When the joint spectral radius is at least 1.
    UnknownError
        When the fixed point, the pieces there or their contraction are not known.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.maps import SymbolicMap
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> cantor = Iteration(SymbolicMap([x], [x / 3 + 2 * sp.Max(theta, 0) / 3], [theta]))
    >>> def program(theta):
    ...     x = dx = 0.0
    ...     for _ in range(40):  # by the convention of a framework at the tie
    ...         x, dx = x / 3 + 2 * max(theta, 0) / 3, dx / 3 + 2 * 0.5 / 3
    ...     return [x], [[dx]]
    >>> print(compare(program, cantor, {"theta": 0}).agrees)
    False

    Notes
    -----
    What it returns is converted exactly; no framework is imported here. Docs: docs/theory/conventions.md.

    When this fails: parameters that are no floats are rounded before the program sees them.
    """
    subject, near = _written_out(iteration, at, time_limit), rational(tolerance, "tolerance")
    subject.require_parameters("compare")
    if not callable(function):
        raise InputError(f"`function`: `{str(function)[:60]}` cannot be called; give a function of the parameters")
    returned = function(*_floats(iteration, at))
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise InputError("the function returns the last iterate and its derivative; return two arrays")
    x = _exactly(returned[0], "iterate", (subject.system.dimension, 1))
    J = _exactly(returned[1], "derivative", (subject.system.dimension, subject.system.columns))
    surveyed, bounds = practice_of(subject), distance_to_set(subject.contraction, J)
    policies = tuple(
        outcome.policy
        for outcome in surveyed.outcomes
        if outcome.limit is not None and outcome.pair is not None and _norm(J - outcome.limit) <= near
    )
    return Comparison(x, J, _to_fixed_point(subject, x), bounds.lower, bounds.upper, policies, near)


def _written_out(iteration: Iteration, at: Mapping[Any, Any] | None, time_limit: float) -> Subject:
    subject = subject_of(iteration, at, time_limit)
    return subject if isinstance(subject, Subject) else subject.symbolic()


def _floats(iteration: Iteration, at: Mapping[Any, Any] | None) -> list[Any]:
    values = iteration.map.parameter_values(at or {}).values()
    return [_squeezed(float_rows(value)) if isinstance(value, fmpq_mat) else float(value) for value in values]


def _squeezed(rows: list[list[float]]) -> np.ndarray:
    array = np.array(rows)
    return array[:, 0] if array.shape[1] == 1 else array


def _exactly(returned: Any, what: str, shape: tuple[int, int]) -> fmpq_mat:
    """The floats of an array as the rational numbers they are."""
    if hasattr(returned, "detach"):
        returned = returned.detach().cpu().numpy()
    array = np.asarray(returned)
    if array.dtype.kind not in "fiu" or array.size != shape[0] * shape[1]:
        raise InputError(
            f"the {what} that the function returned has the shape {array.shape} and the type {array.dtype}; return "
            f"{shape[0]} by {shape[1]} real numbers"
        )
    numbers = [float(entry) for entry in array.ravel()]
    if not np.isfinite(numbers).all():
        raise InputError(f"the {what} that the function returned is not finite: {numbers[:4]}; return finite numbers")
    return fmpq_mat(*shape, [fmpq(*number.as_integer_ratio()) for number in numbers])


def _to_fixed_point(subject: Subject, x: fmpq_mat) -> fmpq:
    squares = fmpq(0)
    for entry, coordinate in zip(x.entries(), subject.point.state.values(), strict=True):
        low, high = enclosure(coordinate, _BITS)
        squares += max(abs(entry - low), abs(entry - high)) ** 2
    return root_upper(squares, 2)


def _norm(M: fmpq_mat) -> fmpq:
    return root_upper(sum((entry * entry for entry in M.entries()), fmpq(0)), 2)


def _above(value: fmpq) -> str:
    return "0" if value == 0 else decimals_above(value)


def _listed(policies: tuple[str, ...]) -> str:
    named = [POLICY_NAMES.get(policy, f"piece {policy}") for policy in policies]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
