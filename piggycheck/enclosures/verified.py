"""Find a fixed point, decide which piece it is on, and enclose it and the derivative of the limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from piggycheck.arrays import FLOAT64
from piggycheck.enclosures.enclosure import LimitEnclosure
from piggycheck.enclosures.exact import Tie, exact_fixed_point
from piggycheck.enclosures.problem import LimitProblem
from piggycheck.enclosures.proof import ImpreciseError, Proof, UnseparatedError
from piggycheck.enclosures.search import Guess, approach
from piggycheck.errors import InputError, UnknownError
from piggycheck.iteration import Iteration

__all__ = ["enclose_limit", "verified_limit"]

_MOST_BITS = 1024
_MOST_EVALUATIONS = 20000
_WORD = 64


def verified_limit(
    iteration: Iteration,
    at: Mapping[Any, Any] | None = None,
    *,
    directions: Mapping[Any, Any] | None = None,
    digits: int = 30,
    most_bits: int = _MOST_BITS,
    most_evaluations: int = _MOST_EVALUATIONS,
    time_limit: float = math.inf,
) -> LimitEnclosure | Tie:
    """Find a fixed point and enclose it, and the derivative of the limit in given directions.

    Parameters
    ----------
    iteration : Iteration
        Started at its start, or at 0 when it has none.
    at : mapping
        A value for each parameter.
    directions : mapping, optional
        By the name of a parameter, what it moves by in each direction, as `BoundMap.directions` takes them; by default
        one direction for each number of each parameter. ``{}`` for no derivative.
    digits : int
        Errors are at most ``10**-digits``.
    most_bits : int
        How far the precision is raised to tell guards from 0.
    most_evaluations : int
        How often the map is evaluated in floating point, about.
    time_limit : float
        Seconds that this search may take, about; what is found is proved all the same.

    Returns
    -------
    LimitEnclosure or Tie
        A `Tie` where guards were proved to vanish at a rational fixed point: several pieces may meet there.

    Raises
    ------
    InputError
        As `PiecewiseMap.bind` and `BoundMap.directions`.
    UnknownError
        When no fixed point was found, no contraction was proved, or a guard is too close to 0 to tell; with the figures
        that were reached.

    Examples
    --------
    >>> import sympy as sp
    >>> from flint import fmpq
    >>> from piggycheck.maps import SymbolicMap
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> halving = Iteration(SymbolicMap([x], [sp.Max(x, 0) / 2 + theta], [theta]), start=[0])
    >>> limit = verified_limit(halving, {theta: "1/3"})
    >>> abs(limit.point[0, 0] - fmpq(2, 3)) <= limit.error < fmpq(10) ** -30, limit.derivative
    (True, [2])
    >>> print(verified_limit(halving, {theta: 0}))
    a tie at a rational fixed point: 1 guard vanishes there, `x`

    Notes
    -----
    See docs/theory/verified-limit.md for the theorem. That iterates from the start converge to the point is a further
    question: `convergence_from_start`.

    When this fails: the map has to contract near the point in some quadratic norm, and a guard that vanishes at an
    irrational point is not told from one that is very close to 0.
    """
    problem = LimitProblem(iteration, at)
    return enclose_limit(
        problem,
        directions=directions,
        digits=digits,
        most_bits=most_bits,
        most_evaluations=most_evaluations,
        time_limit=time_limit,
    )


def enclose_limit(
    problem: LimitProblem,
    *,
    directions: Mapping[Any, Any] | None = None,
    digits: int = 30,
    most_bits: int = _MOST_BITS,
    most_evaluations: int = _MOST_EVALUATIONS,
    time_limit: float = math.inf,
    whole: bool = False,
) -> LimitEnclosure | Tie:
    """Do what `verified_limit` does for a problem whose conversions may have been made before.

    Parameters
    ----------
    problem : LimitProblem
    directions, digits, most_bits, most_evaluations, time_limit
        As `verified_limit`.
    whole : bool
        Whether the contraction is to be one of the whole space in the Euclidean norm, and errors are to be stated with
        some room, as certificates have them. Otherwise it is one of the coordinates that move, which costs less.
    """
    if not isinstance(digits, int) or digits < 1:
        raise InputError(f"digits: `{digits}` is not a positive integer")
    guess = _guess(problem, most_evaluations, time_limit)
    proof = Proof(problem, guess, directions, digits, whole=whole)
    bits, most_bits = proof.bits, max(most_bits, proof.bits)
    reached: UnknownError
    while True:
        try:
            return proof.at_precision(bits)
        except ImpreciseError as error:
            more, reached = bits + _WORD, error
        except UnseparatedError as error:
            more, reached = 2 * bits, UnknownError(f"a tie, or too close to one to tell with {bits} bits: {error}")
            exact = exact_fixed_point(problem, error.near)
            if exact is not None and 0 in exact[1]:
                return Tie(problem, *exact)
        if bits == most_bits:
            raise reached
        bits = min(more, most_bits)


def _guess(problem: LimitProblem, most_evaluations: int, time_limit: float) -> Guess:
    """Search from the start, then from 0."""
    bound, start = problem.over(FLOAT64), problem.start(FLOAT64).centre
    try:
        return approach(bound, start, most_evaluations, time_limit)
    except UnknownError:
        if not start.any():
            raise
        return approach(bound, 0 * start, most_evaluations, time_limit)
