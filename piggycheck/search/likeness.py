"""When two members count as one: the same pieces meet at the fixed point, in other units and with other names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import permutations

from piggycheck.search.decide import Decision

__all__ = ["distinct", "likeness"]

Rows = tuple[tuple[Fraction, ...], ...]

_ABOUT_JACOBIANS = {
    "converges",
    "diverges",
    "implicit_is_invertible",
    "iterates_converge",
    "joint_spectral_radius",
    "no_common_quadratic_form",
}
_ABOUT_PAIRS = {
    "derivative",
    "fixed_point",
    "implicit_is_strict",
    "implicit_set_exceeds_clarke",
    "in_piggyback_set",
    "piggyback_bounds",
    "piggyback_interval",
}
_MOST_RENAMED = 4


def distinct(decisions: Iterable[Decision]) -> Iterator[Decision]:
    """Yield the simplest of those that are alike, the simplest first."""
    seen = set()
    for decision in sorted(decisions, key=lambda d: d.complexity):
        like = likeness(decision)
        if like not in seen:
            seen.add(like)
            yield decision


def likeness(decision: Decision) -> str:
    """Return a text that members have in common which differ by scaling, or by the order of pieces or coordinates.

    That is so when the same Jacobians meet at the fixed point, in any order, after each coordinate of the state was
    multiplied by a number, and coordinates were exchanged, at most four; for claims about derivatives with respect to
    parameters, the Jacobians in these, too, up to the units of parameters. For gradient methods on piecewise quadratic
    functions it is so when one is the other with the function multiplied by a number, and the step divided by it.

    Members are like themselves alone where claims are about more than that, such as the iterates from the start, or
    the Jacobians are not rational.
    """
    kinds = {claim["kind"] for claim in decision.claims}
    keys = ("A",) if kinds <= _ABOUT_JACOBIANS else ("A", "B") if kinds <= _ABOUT_JACOBIANS | _ABOUT_PAIRS else ()
    try:
        pieces = [_joined([piece[key] for key in keys]) for piece in decision.pieces if keys]
    except (KeyError, ValueError):
        pieces = []
    return json.dumps(_normal(pieces) if pieces else decision.values)


def _joined(blocks: Sequence[Sequence[Sequence[str]]]) -> Rows:
    """Matrices side by side."""
    return tuple(tuple(Fraction(entry) for row in rows for entry in row) for rows in zip(*blocks, strict=True))


def _normal(pieces: Sequence[Rows]) -> list[list[list[str]]]:
    """The first, in the order of texts, of what exchanging coordinates of the state gives, each in its own units."""
    count = len(pieces[0])
    orders = permutations(range(count)) if count <= _MOST_RENAMED else [tuple(range(count))]
    return min(_in_own_units([_renamed(piece, order) for piece in pieces]) for order in orders)


def _renamed(piece: Rows, order: Sequence[int]) -> Rows:
    columns = (*order, *range(len(order), len(piece[0])))
    return tuple(tuple(piece[i][j] for j in columns) for i in order)


def _in_own_units(pieces: Sequence[Rows]) -> list[list[list[str]]]:
    """Multiply each coordinate by a number that only depends on the pieces up to such numbers, and sort the pieces.

    Coordinate by coordinate, the sum of all pieces gets an entry 1 that links one to those before it.
    """
    count, width = len(pieces[0]), len(pieces[0][0])
    total = [[sum((piece[i][j] for piece in pieces), Fraction(0)) for j in range(width)] for i in range(count)]
    units: dict[int, Fraction] = {}
    for root in range(width):
        waiting = [] if root in units else [root]
        units.setdefault(root, Fraction(1))
        for i in waiting:
            for j in range(width):
                if j in units:
                    continue
                if i < count and total[i][j]:
                    units[j] = units[i] * total[i][j]
                elif j < count and total[j][i]:
                    units[j] = units[i] / total[j][i]
                else:
                    continue
                waiting.append(j)
    return sorted(
        [[str(units[i] * entry / units[j]) for j, entry in enumerate(row)] for i, row in enumerate(piece)]
        for piece in pieces
    )
