"""A bound for all k: from some index on errors decrease at a certified rate, and the bound does not decrease faster.

In the norm of P every piece that the trapped iterates meet contracts by g. So with ``V(v) = v^T P v``, for
``k = k_1 + n``, errors are at most ``(a + b n) g^n``, where b is 0 unless the derivatives in the parameters change with
the state; and a bound that is a sum of terms ``c k^d r^k`` is at least ``(S_0 + S_1 n) g^n`` by Bernoulli's inequality.
Source: docs/theory/rates.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

from piggycheck.arithmetic import bounds, rational, sign
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.intervals import Letter
from piggycheck.linalg import identity, is_positive_semidefinite, simplest_between
from piggycheck.rates.bounds import Bound
from piggycheck.rates.errors import ErrorSequence, Run
from piggycheck.rates.floor import BITS, Floor
from piggycheck.rates.pieces import AffinePiece
from piggycheck.stability import WordTree

__all__ = ["Tail", "find_tail", "norm_weight", "row_sum", "slowest_ratio", "tightened"]

_MOST_FROM = 20_000
_MOST_EXACT = 400
_MARGINS = (fmpq(0), fmpq(1, 10**9), fmpq(1, 10**6), fmpq(1, 1000), fmpq(1), fmpq(1000))


@dataclass(frozen=True)
class Tail:
    """From `start` on the errors are at most ``(constant + slope n) rate^n``, ``n = k - start``, and below the bound.

    Attributes
    ----------
    start : int
    rate, constant, slope : fmpq
        The last two are rounded up.
    weight : fmpq or None
        ``norm(v)^2 <= weight V(v)``; None where every step contracts in the maximum norm itself, by row sums.
    couplings : tuple of fmpq
        For each parameter, the square of the norm of how the pieces' B changes with the state; by row sums, the norm.
    """

    start: int
    rate: fmpq
    constant: fmpq
    slope: fmpq
    weight: fmpq | None
    couplings: tuple[fmpq, ...]


def find_tail(
    sequence: ErrorSequence,
    bound: Bound | Floor,
    tree: WordTree,
    first: int,
    pieces: Sequence[AffinePiece],
    out_of_time: Callable[[], bool] = lambda: False,
    *,
    by_rows: bool = False,
) -> Tail:
    """Find an index from which on the errors stay below the bound.

    Parameters
    ----------
    sequence : ErrorSequence
    bound : Bound or Floor
        A sum of terms ``c k^d r^k``.
    tree : WordTree
        At the rate at which the trapped iterates contract.
    first : int
        From this index on the iterates are trapped.
    pieces : sequence of AffinePiece
        All that they can meet; for errors of the derivatives, and by row sums.
    out_of_time : callable
    by_rows : bool
        Whether the row sums of all pieces are at most the tree's rate, and errors are measured in the maximum norm.

    Raises
    ------
    UnknownError
        When there is none up to k = 20000, or the bound is no such sum, or decreases faster than the certified rate.
    """
    floor = bound if isinstance(bound, Floor) else Floor.of(bound)
    if not floor.reaches(tree.rate):
        raise UnknownError(f"the bound decreases faster than the certified rate {tree.rate}")
    measured = _Measured(sequence, tree, floor, pieces, by_rows)
    k, step = max(first, int(floor.has_degrees)), 1
    run = sequence.run(BITS)
    while k <= _MOST_FROM and not out_of_time():
        run.go_to(k)
        found = measured.at(run, k)
        if found is not None:
            return found
        k, step = k + step, max(step, k // 8)
    raise UnknownError(f"the errors are not far enough below the bound up to k = {k}")


class _Measured:
    """Errors at k in the norm of P beside the terms of the bound."""

    def __init__(
        self,
        sequence: ErrorSequence,
        tree: WordTree,
        floor: Floor,
        pieces: Sequence[AffinePiece],
        by_rows: bool,
    ):
        if tree.rate == 0:
            raise UnknownError("errors that vanish after finitely many steps are bounded for a range alone")
        self.sequence, self.tree, self.floor = sequence, tree, floor
        self.weight = None if by_rows else norm_weight(tree.P, sequence.norm)
        self.couplings: tuple[fmpq, ...] = ()
        if sequence.of_derivatives:
            self.couplings = _couplings(pieces, None if by_rows else tree.P)
        columns = range(len(self.couplings)) if sequence.columns is None else sequence.columns
        self.lengths = tuple(self.couplings[j] for j in columns) if self.couplings else ()
        longest = max(map(len, tree.words))
        if any(self.couplings) and (longest > 1 or len(pieces) > 1):
            raise UnknownError(
                "the derivatives in the parameters change with the state, and not one piece contracts in one step"
            )
        self.factor = fmpq(1) if longest == 1 else tree.growth / tree.rate ** (2 * (longest - 1))

    def at(self, run: Run, k: int) -> Tail | None:
        """The tail from k on, if it is proved."""
        with ctx.workprec(BITS):
            P = arb_mat(self.tree.P.nrows(), self.tree.P.ncols(), list(map(arb, self.tree.P.entries())))
            x, G = run.both()
            squares = self._squares(P, x, G)
            sums = self.floor.sums(k, self.tree.rate)
            if sums is None:
                return None
            uncoupled = squares[1].is_zero()
            if _is_below(squares[0], sums[0]) and (uncoupled or _is_below(squares[1], sums[1])):
                return self._tail(k, *(bounds(square)[1] for square in squares))
        return self._exactly(run, k)

    def _squares(self, P: Any, x: Any, G: Any) -> tuple[Any, Any]:
        """``a^2`` and ``b^2``, over balls or over the rationals."""
        if self.weight is None:
            moved = _largest(x) * max(self.lengths, default=fmpq(0)) / self.tree.rate
            return _largest(x if G is None else G) ** 2, moved**2
        weight, g = (
            (fmpq(self.weight), self.tree.rate) if isinstance(P, fmpq_mat) else (arb(self.weight), arb(self.tree.rate))
        )
        factor = self.factor if isinstance(P, fmpq_mat) else arb(self.factor)
        V = (x.transpose() * P * x)[0, 0]
        if G is None:
            return weight * factor * V, V * 0
        forms = G.transpose() * P * G
        values = [forms[j, j] for j in range(G.ncols())]
        kind = fmpq if isinstance(P, fmpq_mat) else arb
        lengths = [kind(c) for c in self.lengths]
        if self.sequence.norm == "max":
            largest, coupling = values[0], lengths[0]
            for value, length in zip(values[1:], lengths[1:], strict=True):
                largest, coupling = _larger(largest, value), _larger(coupling, length)
        else:
            largest, coupling = sum(values[1:], start=values[0]), sum(lengths[1:], start=lengths[0])
        return weight * factor * largest, weight * coupling * V / (g * g)

    def _exactly(self, run: Run, k: int) -> Tail | None:
        """The same over the rationals, for errors and bounds that are equal."""
        if k > _MOST_EXACT:
            return None
        try:
            x, G = run.both_exactly()
        except (UnknownError, IrrationalError):
            return None
        squares, sums = self._squares(self.tree.P, x, G), self.floor.exactly(k, self.tree.rate)
        if sums is None or sums[0] < 0 or squares[0] > sums[0] ** 2 or squares[1] > sums[1] ** 2:
            return None
        return self._tail(k, *squares)

    def _tail(self, k: int, a_squared: fmpq, b_squared: fmpq) -> Tail:
        return Tail(k, self.tree.rate, _root(a_squared), _root(b_squared), self.weight, self.couplings)


def tightened(tree: WordTree, A: Sequence[Letter]) -> WordTree:
    """Return the tree at a rate that is nearly the smallest for its quadratic form.

    Examples
    --------
    >>> tightened(WordTree(identity(1), fmpq(9, 10), ((0,),), fmpq(1)), [fmpq_mat([[fmpq(1, 3)]])]).rate
    1/3
    """
    if not tree.is_quadratic or not all(isinstance(M, fmpq_mat) for M in A):
        return tree
    guess = max(_generalised_eigenvalue(M.transpose() * tree.P * M, tree.P) for M in A) ** 0.5
    if not 0 < guess < 1:
        return tree
    near = fmpq(*guess.as_integer_ratio())
    for below, above in ((-1, 1), (0, 2), (0, 1000), (0, 10**6)):
        unit = near / 10**9
        rate = simplest_between(near + below * unit, near + above * unit)
        found = replace(tree, rate=rate)
        if rate < tree.rate and found.verify(A):
            return found
    return tree


def _generalised_eigenvalue(moved: fmpq_mat, P: fmpq_mat) -> float:
    """A guess of the largest l with ``moved - l P`` singular."""
    import numpy as np

    left, right = (np.array([float(e.p) / float(e.q) for e in M.entries()]) for M in (moved, P))
    shape = (P.nrows(), P.ncols())
    return float(max(np.linalg.eigvals(np.linalg.solve(right.reshape(shape), left.reshape(shape))).real))


def norm_weight(P: fmpq_mat, norm: str) -> fmpq:
    """Return a w with ``norm(v)^2 <= w v^T P v``, nearly the smallest.

    Examples
    --------
    >>> norm_weight(fmpq_mat([[4, 0], [0, 1]]), "max"), norm_weight(identity(2), "frobenius")
    (1, 1)
    """
    inverse = P.inv()
    if norm == "max":
        return max(inverse[i, i] for i in range(P.nrows()))
    import numpy as np

    floats = np.array([float(e.p) / float(e.q) for e in inverse.entries()]).reshape(P.nrows(), P.ncols())
    guess = fmpq(*float(np.linalg.eigvalsh(floats)[-1]).as_integer_ratio())
    nearby = simplest_between(guess * fmpq(10**9 - 1, 10**9), guess * fmpq(10**9 + 1, 10**9))
    for weight in (nearby, *(guess * (1 + margin) for margin in _MARGINS)):
        if is_positive_semidefinite(P * weight - identity(P.nrows())):
            return weight
    raise UnknownError("no norm was proved to be below that of the quadratic form")


def row_sum(pieces: Sequence[AffinePiece]) -> fmpq | None:
    """Return the largest sum of absolute values in a row of the pieces' matrices; None where one is irrational.

    Notes
    -----
    It is the norm that belongs to the maximum norm: in it, each step multiplies errors by at most this number.
    """
    try:
        return max(_row_sum(piece.A) for piece in pieces)
    except IrrationalError:
        return None


def _row_sum(A: sp.ImmutableMatrix) -> fmpq:
    return max(sum((abs(rational(entry)) for entry in row), start=fmpq(0)) for row in A.tolist())


def _largest(M: Any) -> Any:
    """The largest absolute value of an entry."""
    first, *others = map(abs, M.entries())
    for other in others:
        first = _larger(first, other)
    return first


def _couplings(pieces: Sequence[AffinePiece], P: fmpq_mat | None) -> tuple[fmpq, ...]:
    """For each parameter an l with ``l P - L^T P L`` positive semidefinite for every piece; without P, row sums."""
    found = [fmpq(0)] * len(pieces[0].couplings)
    for piece in pieces:
        for j, L in enumerate(piece.couplings):
            if any(entry != 0 for entry in L):
                moved = fmpq_mat(*L.shape, [rational(e) for e in L])
                found[j] = max(found[j], _row_sum(L) if P is None else _coupling(moved, P))
    return tuple(found)


def _coupling(L: fmpq_mat, P: fmpq_mat) -> fmpq:
    moved = L.transpose() * P * L
    guess = fmpq(*_generalised_eigenvalue(moved, P).as_integer_ratio())
    nearby = simplest_between(guess * fmpq(10**9 - 1, 10**9), guess * fmpq(10**9 + 1, 10**9))
    for length in (nearby, *(guess * (1 + margin) for margin in _MARGINS)):
        if is_positive_semidefinite(P * length - moved):
            return length
    raise UnknownError("how the derivatives in the parameters change with the state was not bounded")


def slowest_ratio(bound: Bound) -> sp.Expr | None:
    """Return the largest ratio r of the terms ``c k^d r^k`` with positive c.

    Examples
    --------
    >>> from piggycheck.rates.bounds import read_bound
    >>> slowest_ratio(read_bound("3*(1/2)**k + (9/10)**k"))
    9/10
    """
    ratios = [term.ratio for term in bound.terms or () if sign(term.coefficient) > 0]
    largest = None
    for ratio in ratios:
        if largest is None or sign(ratio - largest) > 0:
            largest = ratio
    return largest


def _is_below(square: arb, total: arb) -> bool:
    return bool(total >= 0 and square <= total * total)


def _larger(first: Any, second: Any) -> Any:
    return first.max(second) if isinstance(first, arb) else max(first, second)


def _root(square: fmpq) -> fmpq:
    """A square root, rounded up to few digits; exactly where it is rational."""
    numerator, denominator = square.p.isqrt(), square.q.isqrt()
    if fmpq(numerator, denominator) ** 2 == square:
        return fmpq(numerator, denominator)
    with ctx.workprec(64):
        upper = bounds(arb(square).sqrt())[1]
    return simplest_between(upper, upper * fmpq(10**9 + 1, 10**9))
