"""Matrices of intervals: characteristic and minimal polynomials, and where their roots are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .effort import spend
from .intervals import ONE, ZERO, Interval, power
from .reading import Refused, Unreadable, array, number, say
from .scaled import polynomial_of, scaled

Matrix = list[list[Interval]]


def matrix(data: Any, where: str, rows: int, columns: int, intervals: bool = False) -> Matrix:
    """Read a matrix of rational numbers, or of intervals ["lo", "hi"] too."""

    def entry(e: Any) -> Interval:
        if not intervals or not isinstance(e, list):
            return Interval(number(e, where))
        lo, hi = (number(end, where) for end in array(e, where, 2))
        if lo > hi:
            raise Unreadable(f"`{where}`: an interval has its ends in the wrong order")
        return Interval(lo, hi)

    return [[entry(e) for e in array(row, where, columns)] for row in array(data, where, rows)]


def say_matrix(X: Matrix) -> str:
    """A rational matrix as text."""
    return "[" + ", ".join("[" + ", ".join(say(a.lo) for a in row) + "]" for row in X) + "]"


def identity(n: int) -> Matrix:
    """The identity matrix."""
    return [[ONE if i == j else ZERO for j in range(n)] for i in range(n)]


def transpose(X: Matrix) -> Matrix:
    """The transposed matrix."""
    return [list(column) for column in zip(*X, strict=True)]


def times(X: Matrix, Y: Matrix) -> Matrix:
    """X Y; entries of X that are zero cost little."""
    spend(len(X) * len(Y))
    columns = transpose(Y)
    product = []
    for row in X:
        factors = [(k, a) for k, a in enumerate(row) if a is not ZERO and not a.is_zero]
        spend(40 * len(factors) * len(columns), max((a.lo.denominator.bit_length() for _, a in factors), default=0))
        product.append([sum((a * column[k] for k, a in factors), ZERO) for column in columns])
    return product


def combine(X: Matrix, s: Interval, Y: Matrix) -> Matrix:
    """X + s Y."""
    return [[a + s * b for a, b in zip(*rows, strict=True)] for rows in zip(X, Y, strict=True)]


def within(X: Matrix, Y: Matrix) -> bool:
    """Whether every entry of X is a part of that of Y."""
    return all(a.within(b) for rows in zip(X, Y, strict=True) for a, b in zip(*rows, strict=True))


def equal(X: Matrix, Y: Matrix) -> bool:
    """Whether X and Y are the same matrix of numbers."""
    return within(X, Y) and all(a.exact for row in Y for a in row)


def characteristic_polynomial(A: Matrix) -> list[Interval]:
    """Coefficients of det(z - A), the leading one first (Faddeev and LeVerrier)."""
    if all(a.exact for row in A for a in row):
        return [Interval(c) for c in polynomial_of(scaled([[a.lo for a in row] for row in A]))]
    n = len(A)
    result, M = [ONE], identity(n)
    for k in range(1, n + 1):
        M = times(A, M)
        result.append(sum((M[i][i] for i in range(n)), ZERO) * Interval(Fraction(-1, k)))
        M = combine(M, result[-1], identity(n))
    return result


def has_root_beyond(polynomial: list[Interval], r: Fraction) -> bool:
    """Whether some root has modulus >= r > 0 (Schur-Cohn; both answers are theorems); the polynomial is monic."""
    a = [c * power(Interval(1 / r), k, ONE) for k, c in enumerate(polynomial)]
    while len(a) > 1:
        gap = ONE - a[-1] * a[-1]
        if gap.hi <= 0:
            return True
        if gap.lo <= 0:
            raise Refused("between their bounds, polynomials with and without a root of this size are not told apart")
        factor = gap.reciprocal()
        a = [(b - a[-1] * c) * factor for b, c in zip(a[:-1], reversed(a[1:]), strict=True)]
    return False


def spectral_radius_reaches(A: Matrix, r: Fraction) -> bool:
    """Whether the spectral radius is at least r > 0: that of a part whose indices zeros do not separate."""
    undecided = None
    for part in strong_parts(A):
        try:
            if has_root_beyond(characteristic_polynomial([[A[i][j] for j in part] for i in part]), r):
                return True
        except Refused as reason:
            undecided = reason
    if undecided:
        raise undecided
    return False


def strong_parts(A: Matrix) -> list[list[int]]:
    """The sets of indices that reach each other by nonzero entries; in some order of them A is block triangular."""
    n = len(A)
    spend(n * n)
    reached = [sum(1 << j for j in range(n) if not A[i][j].is_zero) | 1 << i for i in range(n)]  # sets as binary digits
    for k in range(n):
        for i in range(n):
            if reached[i] >> k & 1:
                reached[i] |= reached[k]
    both = {frozenset(j for j in range(n) if reached[i] >> j & 1 and reached[j] >> i & 1) for i in range(n)}
    return sorted(map(sorted, both))


def minimal_polynomial(M: Matrix, u: Matrix) -> list[Interval]:
    """The monic polynomial q of least degree with q(M) u = 0, the leading coefficient first."""
    n = len(M)
    rows: list[tuple[int, list[Interval]]] = []
    for k in range(n):
        w = [row[0] for row in u] + identity(n)[k]
        for i, row in rows:
            w = [a - w[i] * b for a, b in zip(w, row, strict=True)]
        pivot = next((i for i in range(n) if not w[i].lo <= 0 <= w[i].hi), None)
        if pivot is None:
            if not all(a.is_zero for a in w[:n]):
                raise Refused("irrational data: the minimal polynomial of the start is not decided")
            return w[n + k : n - 1 : -1]
        factor = w[pivot].reciprocal()
        rows.append((pivot, [a * factor for a in w]))
        u = times(M, u)
    return characteristic_polynomial(M)
