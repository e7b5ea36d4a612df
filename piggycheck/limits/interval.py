"""The smallest interval around the piggyback set of scalar maps ``x -> a_i x + b_i``, exactly, with its ends attained.

The lower and the upper end are each the image of one of them under one of the maps: a system of two equations with a
minimum and a maximum, that policy iteration solves in finitely many exact steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq, fmpq_mat

from piggycheck.limits.contraction import contracting
from piggycheck.limits.points import Point, exact_pairs, require_numbers, word_fixed_point
from piggycheck.linalg import identity
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["HullInterval", "hull_interval"]

_Ends = tuple[fmpq, fmpq]
_Choice = tuple[int, int]  # a letter, and the end that it moves here: 0 the lower, 1 the upper


@dataclass(frozen=True)
class HullInterval:
    """The convex hull of a piggyback set of numbers, and the points of the set at its ends."""

    lower: fmpq
    upper: fmpq
    lower_point: Point
    upper_point: Point


def hull_interval(system: SwitchedSystem) -> HullInterval:
    """Find the smallest interval that contains the piggyback set of numbers, exactly.

    Parameters
    ----------
    system : SwitchedSystem
        Pairs of 1 by 1 matrices.

    Returns
    -------
    HullInterval
        Both ends belong to the set: each comes with the word, periodic or eventually periodic, that attains it.

    Raises
    ------
    InputError
        When the matrices are not 1 by 1.
    NoLimitSetError
        When the joint spectral radius is at least 1.
    UnknownError
        When a graph constrains the words, or a number is known only between bounds.

    Examples
    --------
    >>> hull = hull_interval(SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [[1]]]))
    >>> hull.lower, hull.upper
    (-2/3, 4/3)
    >>> hull.upper_point.word, hull.upper_point.then
    ((0, 1), ())

    Notes
    -----
    It is also the piggyback set of the convex hull of the pairs. Docs: docs/theory/implicit-sets.md. When this fails:
    only for the reasons above.
    """
    require_numbers(system, "the hull is an interval", "ask for an outer polytope")
    contracting(system)
    maps = [(A[0, 0], B[0, 0]) for A, B in exact_pairs(system)]
    ends, choices = _solved(maps)
    points = (_attained(system, choices, 0), _attained(system, choices, 1))
    return HullInterval(*ends, *points)


def _solved(maps: list[tuple[fmpq, fmpq]]) -> tuple[_Ends, tuple[_Choice, _Choice]]:
    """The ends, and what attains them: ``lower = min of the images of both ends``, ``upper = max``."""
    choices: tuple[_Choice, _Choice] = ((0, 0), (0, 1))
    while True:
        ends = _ends_of(maps, choices)
        better = tuple(_improved(maps, ends, choices[end], end) for end in (0, 1))
        if better == choices:
            return ends, choices
        choices = (better[0], better[1])


def _ends_of(maps: list[tuple[fmpq, fmpq]], choices: tuple[_Choice, _Choice]) -> _Ends:
    """The ends that two choices attain: each is an affine function of one of them."""
    M, b = fmpq_mat(2, 2), fmpq_mat(2, 1)
    for row, (letter, end) in enumerate(choices):
        M[row, end], b[row, 0] = maps[letter]
    solution = (identity(2) - M).solve(b)
    return solution[0, 0], solution[1, 0]


def _improved(maps: list[tuple[fmpq, fmpq]], ends: _Ends, choice: _Choice, end: int) -> _Choice:
    """The choice that moves an end farthest out; the one it has, when that is as good."""
    sign = 1 if end else -1

    def reached(option: _Choice) -> fmpq:
        a, b = maps[option[0]]
        return sign * (a * ends[option[1]] + b)

    options = ((letter, end if maps[letter][0] >= 0 else 1 - end) for letter in range(len(maps)))
    best = max(options, key=reached)
    return best if reached(best) > reached(choice) else choice


def _attained(system: SwitchedSystem, choices: tuple[_Choice, _Choice], end: int) -> Point:
    """Follow the choices back from an end until one repeats."""
    letters: list[int] = []
    visited: list[int] = []
    while end not in visited:
        visited.append(end)
        letter, end = choices[end]
        letters.append(letter)
    first = visited.index(end)
    word: Word = tuple(reversed(letters[first:]))
    matrix = word_fixed_point(system, word)
    assert matrix is not None
    return Point(word, tuple(reversed(letters[:first])), matrix)
