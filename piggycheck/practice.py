"""What practice returns at a fixed point: the limits of selection policies, and where they lie.

A framework that differentiates along the iterates uses one Jacobian pair at the fixed point, by its convention at ties;
so does a program that always takes the same branch. The recursion with one pair has one limit, when it has any; whether
that is in the piggyback set is a question about a single matrix.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from flint import fmpq_mat

from piggycheck.errors import UnknownError
from piggycheck.fixed_points import rational_matrix
from piggycheck.limits import Box, Contraction, common_fixed_point, implicit_points, membership, outer_box
from piggycheck.limits.membership import Inside, Outside
from piggycheck.linalg import identity, solve
from piggycheck.maps import CONVENTIONS, StructuredMap, SymbolicMap, convention_pair
from piggycheck.roots import is_schur_stable
from piggycheck.switched import Pair, SwitchedSystem

__all__ = ["RANDOM", "Outcome", "Place", "Practice", "limit_of_pair", "survey"]

RANDOM = "random"
_MOST_BRANCHES = 16


class Place(Enum):
    """Where the limit of a policy lies."""

    IMPLICIT = "in the implicit set"
    PIGGYBACK = "in the piggyback set only"
    HULL = "outside the piggyback set, in that of the hull"
    BEYOND = "outside the piggyback set, and that of the hull"
    OUTSIDE = "outside the piggyback set"
    UNDECIDED = "undecided"
    NO_LIMIT = "no limit"
    NO_SET = "a limit, but there is no piggyback set"


@dataclass(frozen=True)
class Outcome:
    """What one policy returns at the fixed point.

    Attributes
    ----------
    policy : str
        The name of a framework, the index of a piece, or ``random``.
    pair : (A, B) or None
        The Jacobian pair that it uses there; None for `random`.
    limit : fmpq_mat or None
        What its recursion converges to from every start: the solution of ``X = A X + B``.
    place : Place
    letter : int or None
        The piece that has this pair; None when none has.
    """

    policy: str
    pair: Pair | None
    limit: fmpq_mat | None
    place: Place
    letter: int | None = None


@dataclass(frozen=True)
class Practice:
    """What the policies return at a fixed point.

    Attributes
    ----------
    system : SwitchedSystem
        The pairs of the pieces there.
    outcomes : tuple of Outcome
        Frameworks first, then the branches, then `random`.
    extent : Box or None
        What random picks reach, entry by entry, when they have no limit, all pieces were proved essentially active, and
        the bounds were proved.
    """

    system: SwitchedSystem
    outcomes: tuple[Outcome, ...]
    extent: Box | None

    def __getitem__(self, policy: str) -> Outcome:
        return next(outcome for outcome in self.outcomes if outcome.policy == policy)

    def report(self) -> str:
        """Return a table in plain text."""
        from piggycheck.derivation.practice import PracticeStep
        from piggycheck.render.text import report_steps

        return report_steps([PracticeStep.of(self)])


def limit_of_pair(A: fmpq_mat, B: fmpq_mat) -> fmpq_mat | None:
    """Return the limit of ``J -> A J + B`` from every start; None when the spectral radius of A is at least 1.

    Parameters
    ----------
    A, B : fmpq_mat
        p by p and p by m.

    Returns
    -------
    fmpq_mat or None

    Examples
    --------
    >>> limit_of_pair(fmpq_mat([[-1]]) / 2, fmpq_mat([[1]])), limit_of_pair(fmpq_mat([[1]]), fmpq_mat([[0]]))
    ([2/3], None)

    Notes
    -----
    Decided on the characteristic polynomial, exactly. When this fails: with an eigenvalue of modulus 1 some starts may
    still have limits, which differ from start to start.
    """
    if not is_schur_stable(A.charpoly()):
        return None
    return solve(identity(A.nrows()) - A, B)[0]


def survey(
    map_: SymbolicMap | StructuredMap,
    point: Mapping[Any, Any],
    system: SwitchedSystem,
    essential: Sequence[int],
    contractions: tuple[Contraction, Contraction] | None,
    *,
    time_limit: float = math.inf,
) -> Practice:
    """Look at what every policy returns at a fixed point.

    Parameters
    ----------
    map_ : SymbolicMap or StructuredMap
    point : mapping
        Exact values of state and parameters, at the fixed point.
    system : SwitchedSystem
        The pairs of the pieces there.
    essential : sequence of int
        Those that were proved essentially active.
    contractions : (Contraction, Contraction) or None
        Of the system, and of the pieces proved essentially active; None when there is no piggyback set.
    time_limit : float
        Seconds after which limits are no longer placed: where they lie is then undecided.

    Returns
    -------
    Practice

    Raises
    ------
    UnknownError
        When a framework's pair is irrational, or a sign on the way to it is not decided.

    Examples
    --------
    >>> import sympy as sp
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> map_ = SymbolicMap([x], [sp.Abs(theta) - x / 2], [theta])
    >>> halves = SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[1]], [[-1]]])
    >>> found = survey(map_, {x: 0, theta: 0}, halves, (0, 1), None)
    >>> found["torch"].limit, found["0"].limit
    ([0], [2/3])

    Notes
    -----
    Docs: docs/theory/conventions.md. When this fails: a limit whose membership is not decided says so.
    """
    places = _Places(system, essential, contractions, time.monotonic() + time_limit)
    outcomes = []
    for name, convention in CONVENTIONS.items():
        A, B = (rational_matrix(M, name) for M in convention_pair(map_, point, convention))
        outcomes.append(places.outcome(name, A, B))
    branches = list(zip(range(min(len(system), _MOST_BRANCHES)), system.pairs, strict=False))
    outcomes += [places.outcome(str(letter), *pair) for letter, pair in branches]
    if contractions is None:
        return Practice(system, (*outcomes, Outcome(RANDOM, None, None, Place.NO_SET)), None)
    whole, certain = contractions
    common, settles = common_fixed_point(system), common_fixed_point(certain.system) is not None
    place = Place.IMPLICIT if common is not None else Place.UNDECIDED if settles else Place.NO_LIMIT
    extent = _extent(whole) if common is None and system.exact and not places.is_late else None
    return Practice(system, (*outcomes, Outcome(RANDOM, None, common, place)), extent)


def _extent(contraction: Contraction) -> Box | None:
    try:
        return outer_box(contraction)
    except UnknownError:
        return None


class _Places:
    """Finds out where limits lie; each only once."""

    def __init__(
        self,
        system: SwitchedSystem,
        essential: Sequence[int],
        contractions: tuple[Contraction, Contraction] | None,
        deadline: float,
    ):
        self.system, self.essential, self.contractions, self.deadline = system, set(essential), contractions, deadline
        self.implicit = implicit_points(system)
        self.known: dict[str, Place] = {}

    @property
    def is_late(self) -> bool:
        return time.monotonic() > self.deadline

    def outcome(self, policy: str, A: fmpq_mat, B: fmpq_mat) -> Outcome:
        X = limit_of_pair(A, B)
        letter = next((i for i, pair in enumerate(self.system.pairs) if pair == (A, B)), None)
        if X is None:
            return Outcome(policy, (A, B), None, Place.NO_LIMIT, letter)
        if str(X) not in self.known:
            self.known[str(X)] = self._place(X)
        return Outcome(policy, (A, B), X, self.known[str(X)], letter)

    def _place(self, X: fmpq_mat) -> Place:
        equal = {i for i, X_i in enumerate(self.implicit) if X_i == X}
        if equal & self.essential:
            return Place.IMPLICIT
        if self.contractions is None:
            return Place.NO_SET
        if self.is_late:
            return Place.UNDECIDED
        whole, certain = self.contractions
        found = membership(whole, X)
        if isinstance(found, Outside):
            of_hull = membership(certain, X, hull=True)
            if isinstance(of_hull, Inside):
                return Place.HULL
            of_hull = membership(whole, X, hull=True)
            return Place.BEYOND if isinstance(of_hull, Outside) else Place.OUTSIDE
        if not equal and isinstance(membership(certain, X), Inside):
            return Place.PIGGYBACK
        return Place.UNDECIDED
