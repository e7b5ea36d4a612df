"""The chain-rule set against the Clarke Jacobian: what is extra, is it in the hull, which kinks do it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import rational
from piggycheck.feasibility import Feasible, feasible_point, nonnegative_solution
from piggycheck.maps.base import Piece
from piggycheck.maps.structured import StructuredMap
from piggycheck.maps.switch import NONSMOOTH, Switch, as_piecewise, collect_switches, translate
from piggycheck.maps.symbolic import SymbolicMap
from piggycheck.maps.values import by_symbol

__all__ = ["ChainRuleAgainstClarke", "Extra", "Pick", "chain_rule_against_clarke"]

_MOST_SUBSETS = 12

Pair = tuple[fmpq_mat, fmpq_mat]


@dataclass(frozen=True)
class Pick:
    """A kink of the program and the side on which it picks its branch: the sign of a guard that is 0 at the point."""

    kink: sp.Expr
    guard: sp.Expr
    sign: int


@dataclass(frozen=True)
class Extra:
    """A pair that the chain rule can return and no piece has.

    Attributes
    ----------
    pair : (fmpq_mat, fmpq_mat)
    weights : tuple of fmpq or None
        One for each piece: the convex combination that the pair is, when it is in the Clarke Jacobian.
    direction : (fmpq_mat, fmpq_mat) or None
        A pair whose inner product with this one is larger than with that of any piece: it is not.
    picks : tuple of Pick
        As few as are needed: no essentially active piece makes these together. Only those that tie are listed.
    """

    pair: Pair
    weights: tuple[fmpq, ...] | None
    direction: Pair | None
    picks: tuple[Pick, ...]


@dataclass(frozen=True)
class ChainRuleAgainstClarke:
    """Both sets at a point, and their difference.

    Attributes
    ----------
    selection : tuple of pairs
        Those of the pieces, each as often as pieces have it; its convex hull is the Clarke Jacobian.
    exact : bool
        Whether all of these pieces were proved essentially active.
    chain_rule : tuple of pairs
    extra : tuple of Extra
        Those of the chain-rule set that no piece has.
    """

    selection: tuple[Pair, ...]
    exact: bool
    chain_rule: tuple[Pair, ...]
    extra: tuple[Extra, ...]


def chain_rule_against_clarke(
    map_: SymbolicMap | StructuredMap | Any, point: Mapping[Any, Any]
) -> ChainRuleAgainstClarke:
    """Compare what automatic differentiation can return at a point with the Clarke Jacobian.

    Parameters
    ----------
    map_ : SymbolicMap, StructuredMap or Iteration
        Of an iteration, its map; a map made of layers is written out.
    point : mapping
        Exact numbers for all variables.

    Returns
    -------
    ChainRuleAgainstClarke

    Raises
    ------
    UnknownError
        When a pair is irrational, too many pieces or picks meet, or a sign is not decided.

    Examples
    --------
    >>> from piggycheck.expression import relu
    >>> x = sp.Symbol("x", real=True)
    >>> found = chain_rule_against_clarke(SymbolicMap([x], [relu(x) - relu(-x)]), {x: 0})
    >>> [(extra.pair[0], extra.direction[0]) for extra in found.extra]
    [([0], [-1]), ([2], [1])]
    >>> [[str(pick.kink) for pick in extra.picks] for extra in found.extra]
    [['relu(x)', 'relu(-x)'], ['relu(x)', 'relu(-x)']]

    Notes
    -----
    Docs: docs/theory/conventions.md. When this fails: kinks written differently that are one function, such as
    ``Abs(x)`` and ``Max(x, -x)``, are one switch here and pick together. Where the activity of a piece is undecided, a
    pair is in the hull only by pieces that are active, outside of it only of all, and otherwise neither.
    """
    map_ = map_ if isinstance(map_, SymbolicMap | StructuredMap) else map_.map
    if isinstance(map_, StructuredMap):
        return chain_rule_against_clarke(map_.symbolic(), by_symbol(point, (*map_.blocks, *map_.array_parameters)))
    exact = map_.point(point)
    selection = map_.selection(exact)
    pairs = tuple(_pair(piece) for piece in selection.pieces)
    found: dict[str, tuple[Pair, dict[Switch, int]]] = {}
    for chosen, expressions in map_.picks(exact):
        pair = _pair(map_.piece_at(expressions, exact))
        found.setdefault(str(pair), (pair, chosen))
    essential = [piece.activity.essential is True for piece in selection.pieces]
    names = _kinks(map_)
    extra = tuple(
        Extra(
            pair,
            _weights(pair, pairs, essential),
            _direction(pair, pairs),
            _responsible(map_, chosen, selection.pieces, names),
        )
        for _, (pair, chosen) in sorted(found.items())
        if pair not in pairs
    )
    return ChainRuleAgainstClarke(pairs, selection.exact, tuple(pair for pair, _ in found.values()), extra)


def _pair(piece: Piece) -> Pair:
    A, B = (fmpq_mat(M.rows, M.cols, [rational(entry, "Jacobian") for entry in M]) for M in piece.pair)
    return A, B


def _flat(pair: Pair) -> list[fmpq]:
    return [*pair[0].entries(), *pair[1].entries()]


def _weights(pair: Pair, pairs: Sequence[Pair], essential: Sequence[bool]) -> tuple[fmpq, ...] | None:
    """The weights of a convex combination of the pairs of active pieces, zero for the others."""
    used = [k for k, active in enumerate(essential) if active]
    columns = [[*_flat(pairs[k]), fmpq(1)] for k in used]
    rows = [list(row) for row in zip(*columns, strict=True)]
    solution = nonnegative_solution(fmpq_mat(rows), [*_flat(pair), fmpq(1)]) if used else None
    if solution is None:
        return None
    by_piece = dict(zip(used, solution, strict=True))
    return tuple(by_piece.get(k, fmpq(0)) for k in range(len(pairs)))


def _direction(pair: Pair, pairs: Sequence[Pair]) -> Pair | None:
    own = _flat(pair)
    differences = [[a - b for a, b in zip(own, _flat(other), strict=True)] for other in pairs]
    outcome = feasible_point([], [], [(row, fmpq(0)) for row in differences], len(own))
    if not isinstance(outcome, Feasible):
        return None
    A, B = pair
    count, largest = A.nrows() * A.ncols(), max(map(abs, outcome.point))
    entries = [entry / largest for entry in outcome.point]
    return fmpq_mat(*_shape(A), entries[:count]), fmpq_mat(*_shape(B), entries[count:])


def _shape(M: fmpq_mat) -> tuple[int, int]:
    return M.nrows(), M.ncols()


def _kinks(map_: SymbolicMap) -> dict[Switch, sp.Expr]:
    """The kink of the program that each switch belongs to: the innermost that contains it."""
    kinks = set().union(*(expression.atoms(*NONSMOOTH) for expression in map_.next))
    found: dict[Switch, sp.Expr] = {}
    for kink in sorted(kinks, key=lambda kink: (kink.count_ops(), str(kink))):
        for switch in collect_switches([translate(kink, {})]):
            found.setdefault(switch, kink)
    return found


def _responsible(
    map_: SymbolicMap, chosen: Mapping[Switch, int], pieces: Sequence[Piece], names: Mapping[Switch, sp.Expr]
) -> tuple[Pick, ...]:
    """As few picks as there are that no piece makes together."""
    index = {guard: i for i, guard in enumerate(map_.guards)}

    def makes(piece: Piece, switch: Switch) -> bool:
        sign = piece.signature[index[switch.guard]]
        return sign is not None and switch.branch(sign) == switch.branch(chosen[switch])

    made = {switch: {k for k, piece in enumerate(pieces) if makes(piece, switch)} for switch in chosen}

    def nobody(switches: Sequence[Switch]) -> bool:
        return not set(range(len(pieces))).intersection(*(made[switch] for switch in switches))

    ordered = sorted(chosen, key=lambda switch: (len(str(names.get(switch, switch))), str(names.get(switch, switch))))
    kept: Sequence[Switch] = ordered
    if len(kept) <= _MOST_SUBSETS:
        subsets = itertools.chain.from_iterable(itertools.combinations(ordered, n) for n in range(1, len(ordered) + 1))
        kept = next((subset for subset in subsets if nobody(subset)), ())
    else:
        for switch in ordered:
            fewer = [other for other in kept if other is not switch]
            kept = fewer if nobody(fewer) else kept
    return tuple(Pick(names.get(s, as_piecewise(s)), as_piecewise(s.guard), chosen[s]) for s in kept)
