"""Errors from below, for every k: what a left eigenvector sees of them is multiplied by its eigenvalue in every step.

Let ``w A = l w`` for every piece that iterates meet from k_1 on. With ``d = x - xbar`` then w d is multiplied by l.
A column g of ``J - Jbar`` goes to ``A g + D d``; with ``w D = mu w``, after n steps w g is ``l^n (s + n mu t / l)``,
where ``s = w g`` and ``t = w d`` are those at k_1. Where both terms have one sign, errors are at least
``(h + h' n) |l|^n``.
Source: docs/theory/comparisons.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from flint import arb, ctx, fmpq, fmpq_mat

from piggycheck.arithmetic import bounds, rational
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.linalg import solve, zeros
from piggycheck.rates.errors import ErrorSequence
from piggycheck.rates.pieces import AffinePiece

__all__ = ["Lower", "LowerTail", "Seen", "common_left_eigenvectors"]

_BITS = 192


@dataclass(frozen=True)
class Seen:
    """A row that all pieces multiply by one number.

    Attributes
    ----------
    vector : fmpq_mat
        A row w with ``w A = eigenvalue w`` for the matrix A of every piece.
    eigenvalue : fmpq
        Not zero.
    column : int or None
        Of the derivatives, among those that count; None for the iterates.
    factor : fmpq
        The mu with ``w D = mu w`` for how the column of B changes with the state.
    """

    vector: fmpq_mat
    eigenvalue: fmpq
    column: int | None
    factor: fmpq


@dataclass(frozen=True)
class LowerTail:
    """From `start` on the errors are at least ``(constant + slope n) |eigenvalue|^n``, ``n = k - start``.

    Attributes
    ----------
    start : int
    seen : Seen
    constant, slope : arb or fmpq
        Of a ball, every number is a lower bound whose lower end is one.
    """

    start: int
    seen: Seen
    constant: Any
    slope: Any


def common_left_eigenvectors(matrices: Sequence[fmpq_mat]) -> list[tuple[fmpq_mat, fmpq]]:
    """Return rows w with ``w A = l w`` for all matrices A, with a rational l that is not 0 and the same for all.

    Parameters
    ----------
    matrices : sequence of fmpq_mat
        Square, at least one.

    Returns
    -------
    list of (fmpq_mat, fmpq)
        For each l a basis of such rows; those with large moduli first.

    Examples
    --------
    >>> A, B = fmpq_mat([[1, 0], [0, 3]]), fmpq_mat([[1, 0], [7, 2]])
    >>> common_left_eigenvectors([A, B])
    [([1, 0], 1)]

    Notes
    -----
    When this fails: it does not; irrational eigenvalues are not looked for.
    """
    first = matrices[0]
    found = []
    for factor, _ in first.charpoly().factor()[1]:
        if factor.degree() == 1 and factor[0] != 0:
            eigenvalue = -factor[0] / factor[1]
            found += [(row, eigenvalue) for row in _common_rows(matrices, eigenvalue)]
    return sorted(found, key=lambda one: -abs(one[1]))


def _common_rows(matrices: Sequence[fmpq_mat], eigenvalue: fmpq) -> list[fmpq_mat]:
    n = matrices[0].nrows()
    stacked = fmpq_mat(
        n * len(matrices),
        n,
        [A[i, j] - (eigenvalue if i == j else 0) for A in matrices for j in range(n) for i in range(n)],
    )
    return [vector.transpose() for vector in solve(stacked, zeros(stacked.nrows(), 0))[1]]


class Lower:
    """Lower bounds of the errors of a sequence.

    Parameters
    ----------
    sequence : ErrorSequence
    pieces : sequence of AffinePiece
        All that the iterates can meet from some index on.
    first : int
        That index.

    Raises
    ------
    UnknownError
        When no row is multiplied by a rational number.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> from piggycheck.rates.limit import limit_of
    >>> from piggycheck.rates.pieces import affine_piece
    >>> limit = limit_of(gradient_descent("x**2/2", ["x"], "1/2", start=[3]))
    >>> lower = Lower(ErrorSequence(limit), [affine_piece(limit, (), False)], 0)
    >>> (tail,) = lower.exactly(2)
    >>> tail.seen.eigenvalue, tail.constant, tail.slope
    (1/2, 3/4, 0)
    """

    def __init__(self, sequence: ErrorSequence, pieces: Sequence[AffinePiece], first: int):
        self.sequence, self.first = sequence, first
        self.seen = _seen(sequence, pieces)
        if not self.seen:
            raise UnknownError("all pieces that the iterates meet multiply no row vector by one rational number")
        self._run = sequence.run(_BITS)

    def at(self, k: int) -> list[LowerTail]:
        """Return the lower tails from k on, in balls, for growing k."""
        self._run.go_to(k)
        with ctx.workprec(_BITS):
            d, G = self._run.both()
            return self._tails(k, d, G, arb)

    def exactly(self, k: int) -> list[LowerTail]:
        """Return those from k on over the rationals, where the norms of the rows are rational.

        Raises
        ------
        UnknownError
            When the data are not rational, or the numbers too long.
        """
        self._run.go_to(k)
        return self._tails(k, *self._run.both_exactly(), fmpq)

    def _tails(self, k: int, d: Any, G: Any, kind: type) -> list[LowerTail]:
        found = []
        for seen in self.seen:
            length = _length(seen.vector, self.sequence.norm, kind)
            if length is None:
                continue
            t = _product(seen.vector, d, 0, kind)
            if seen.column is None:
                found.append(LowerTail(k, seen, abs(t) / length, kind(0)))
                continue
            s, moved = _product(seen.vector, G, seen.column, kind), t * kind(seen.factor / seen.eigenvalue)
            if seen.factor == 0:
                found.append(LowerTail(k, seen, abs(s) / length, kind(0)))
            elif s * moved >= 0:
                found.append(LowerTail(k, seen, abs(s) / length, abs(moved) / length))
        return found


def _seen(sequence: ErrorSequence, pieces: Sequence[AffinePiece]) -> list[Seen]:
    """The rows that all pieces multiply, with the columns of the derivatives in which they do."""
    try:
        matrices = [_rational(piece.A) for piece in pieces]
        columns = range(len(pieces[0].couplings)) if sequence.columns is None else sequence.columns
        couplings = [_rational(pieces[0].couplings[j]) for j in columns] if sequence.of_derivatives else []
    except IrrationalError:
        raise UnknownError("a piece is irrational, and errors are bounded below by rational eigenvectors") from None
    rows = common_left_eigenvectors(matrices)
    if not sequence.of_derivatives:
        return [Seen(row, eigenvalue, None, fmpq(0)) for row, eigenvalue in rows]
    found = []
    for row, eigenvalue in rows:
        for column, D in enumerate(couplings):
            factor = _factor(row, D)
            if factor is not None:
                found.append(Seen(row, eigenvalue, column, factor))
    return found


def _factor(row: fmpq_mat, D: fmpq_mat) -> fmpq | None:
    """The number by which D multiplies a row from the right; None when it does not."""
    moved = row * D
    j = next(j for j in range(row.ncols()) if row[0, j] != 0)
    factor = moved[0, j] / row[0, j]
    return factor if moved == row * factor else None


def _product(row: fmpq_mat, M: Any, column: int, kind: type) -> Any:
    terms = [kind(row[0, i]) * M[i, column] for i in range(row.ncols()) if row[0, i] != 0]
    return reduce(lambda total, term: total + term, terms)


def _length(row: fmpq_mat, norm: str, kind: type) -> Any:
    """What ``|w v|`` is at most for v of norm 1; None where that is irrational, and is asked for exactly."""
    entries = row.entries()
    if norm == "max":
        return kind(sum(map(abs, entries), start=fmpq(0)))
    square = sum((entry * entry for entry in entries), start=fmpq(0))
    if kind is arb:
        return arb(square).sqrt()
    root = fmpq(square.p.isqrt(), square.q.isqrt())
    return root if root * root == square else None


def _rational(M: Any) -> fmpq_mat:
    return fmpq_mat(*M.shape, [rational(entry) for entry in M])


def lower_end(value: Any) -> fmpq:
    """The lower end of a ball, at least 0; a rational number itself."""
    return max(bounds(value)[0], fmpq(0)) if isinstance(value, arb) else value
