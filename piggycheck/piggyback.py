"""The piggyback recursion: a value and its derivative, propagated together along the iteration."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sympy as sp

from piggycheck.arithmetic import RATIONAL, Arithmetic
from piggycheck.errors import InputError, MapError
from piggycheck.iteration import Iteration
from piggycheck.maps import Signature

__all__ = ["FixedBranch", "RandomBranch", "RepeatedWord", "SelectionPolicy", "Step", "propagate", "steps"]


class SelectionPolicy(ABC):
    """Picks one of the pieces that are essentially active at an iterate."""

    @abstractmethod
    def choose(self, k: int, count: int) -> int:
        """Return the index of the piece used in step k, of `count` pieces; called only when there are several."""


@dataclass(frozen=True)
class FixedBranch(SelectionPolicy):
    """Always the same piece, as a framework with a fixed convention at ties does.

    Parameters
    ----------
    index : int
        Index among the essentially active pieces.
    """

    index: int = 0

    def choose(self, k: int, count: int) -> int:
        return _checked(self.index, count)


@dataclass(frozen=True)
class RepeatedWord(SelectionPolicy):
    """The letters of a word, over and over; the first letter is used in the first step.

    Parameters
    ----------
    word : tuple of int
        Indices among the essentially active pieces.
    """

    word: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.word:
            raise InputError("a word needs at least one letter")

    def choose(self, k: int, count: int) -> int:
        return _checked(self.word[k % len(self.word)], count)


class RandomBranch(SelectionPolicy):
    """A piece picked at random in each step, the same ones for the same seed.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int):
        self.seed = seed

    def choose(self, k: int, count: int) -> int:
        return random.Random(f"{self.seed}:{k}").randrange(count)


def _checked(index: int, count: int) -> int:
    if not 0 <= index < count:
        raise InputError(f"the policy asks for piece {index}, and {count} are active; write 0 to {count - 1}")
    return index


@dataclass(frozen=True)
class Step:
    """One moment of the recursion.

    Attributes
    ----------
    k : int
    x : tuple of p numbers
        The iterate x_k.
    J : tuple of p rows of m numbers
        The derivative J_k.
    signature : Signature
        What the guards see at x_k (0 where one ties).
    """

    k: int
    x: tuple[Any, ...]
    J: tuple[tuple[Any, ...], ...]
    signature: Signature


def propagate(
    iteration: Iteration,
    count: int,
    at: Mapping[Any, Any] | None = None,
    *,
    policy: SelectionPolicy | None = None,
    arithmetic: Arithmetic = RATIONAL,
) -> list[Step]:
    """Propagate value and derivative for `count` steps.

    Parameters
    ----------
    iteration : Iteration
        With a start.
    count : int
        Number of steps; ``count + 1`` moments are returned.
    at : mapping
        A value for each parameter.
    policy : SelectionPolicy
        What is picked where several pieces are essentially active; by default the first.
    arithmetic : Arithmetic
        `piggycheck.arithmetic.RATIONAL` (exact) or `piggycheck.arithmetic.Mpmath` (any number of digits).

    Returns
    -------
    list of Step

    Raises
    ------
    InputError
        When there is no start, a parameter has no value, the map is not defined at an iterate, or the policy asks
        for a piece that is not there.
    IrrationalError
        In exact arithmetic, when a value is not rational.

    Examples
    --------
    >>> from piggycheck.algorithms import heavy_ball
    >>> f = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
    >>> ball = heavy_ball(f, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])
    >>> [step.J[0][0] for step in propagate(ball, 4, {"theta": 0}, policy=RepeatedWord((0, 0, 1, 1)))]
    [1, 0, -3/4, -9/8, -9/8]

    Notes
    -----
    When this fails: exact iterates of a polynomial map double their digits in every step; use `Mpmath`.
    """
    return list(islice(steps(iteration, at, policy=policy, arithmetic=arithmetic), count + 1))


def steps(
    iteration: Iteration,
    at: Mapping[Any, Any] | None = None,
    *,
    policy: SelectionPolicy | None = None,
    arithmetic: Arithmetic = RATIONAL,
) -> Iterator[Step]:
    """Propagate value and derivative without end; see `propagate`. Memory does not grow with k."""
    policy = policy or FixedBranch()
    map_ = iteration.map
    exact_at = map_.parameter_values(at or {})
    parameters = {v: arithmetic.evaluate(e) for v, e in exact_at.items()}
    x = tuple(arithmetic.evaluate(e) for e in iteration.start_at(exact_at).values())
    start = iteration.start_jacobians(exact_at)
    J = _numbers(start[policy.choose(0, len(start)) if len(start) > 1 else 0], arithmetic)
    k = 0
    while True:
        values = {**dict(zip(map_.state, x, strict=True)), **parameters}
        evaluation = map_.evaluate(values, arithmetic)
        yield Step(k, x, J, evaluation.signature)
        pair = _pair(iteration, values, evaluation.signature, k, policy, arithmetic)
        x, J = evaluation.value, _advance(pair, J)
        k += 1


def _pair(iteration, values, signature, k, policy, arithmetic) -> list[list[Any]]:
    """Return the rows of ``[A B]`` used in step k."""
    if 0 in signature:
        point = {v: _exactly(value) for v, value in values.items()}
        pieces = iteration.map.selection(point).pieces
        if not pieces:
            raise MapError(f"no piece is essentially active at step {k}")
        signature = pieces[policy.choose(k, len(pieces)) if len(pieces) > 1 else 0].signature
    return iteration.map.jacobian(signature, values, arithmetic)


def _exactly(value: Any) -> sp.Expr:
    """Convert a number of any arithmetic to the exact number it is."""
    if hasattr(value, "man_exp"):
        mantissa, exponent = value.man_exp
        return sp.Integer(int(mantissa)) * sp.Integer(2) ** int(exponent)
    return sp.Rational(int(value.p), int(value.q)) if hasattr(value, "p") else value


def _advance(pair: Sequence[Sequence[Any]], J: tuple[tuple[Any, ...], ...]) -> tuple[tuple[Any, ...], ...]:
    """Return ``A J + B``."""
    size = len(J)
    return tuple(
        tuple(sum((a * J[i][j] for i, a in enumerate(row[:size])), start=row[size + j]) for j in range(len(row) - size))
        for row in pair
    )


def _numbers(M: sp.ImmutableMatrix, arithmetic: Arithmetic) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(arithmetic.evaluate(entry) for entry in row) for row in M.tolist())
