"""Lifts: a proof about symmetric powers of the matrices, that is, about all monomials of one degree.

The monomials of degree d in the coordinates of ``A x`` are linear in those of x. The matrix ``A^[d]`` of that map is
multiplicative in A, and the joint spectral radius of the lifted matrices is the power d of that of the matrices. A
quadratic form of the lift is a polynomial of degree 2d: it proves more than a quadratic form does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

from flint import fmpq, fmpq_mat

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix, Letter, absolute, samples
from piggycheck.linalg import as_float, entries
from piggycheck.stability.path_complete import guess_forms, rounded_together
from piggycheck.stability.proof import Proof
from piggycheck.stability.word_tree import prove_word_tree

if TYPE_CHECKING:
    from piggycheck.stability.floats import Array

__all__ = ["Lift", "prove_lift", "symmetric_power"]

_MAX_DIMENSION = 40
_MAX_VERIFIED_DIMENSION = 400


@dataclass(frozen=True)
class Lift(Proof):
    """A proof that the joint spectral radius is at most `rate`, by one about symmetric powers.

    Parameters
    ----------
    rate : fmpq
        Not negative.
    degree : int
        The degree d of the monomials, at least 1.
    proof : Proof
        That the joint spectral radius of the lifted matrices is at most a number not above ``rate ** d``.

    Examples
    --------
    >>> A = [fmpq_mat([[1, 0], [1, 0]]), fmpq_mat([[0, 1], [0, -1]])]
    >>> proof = prove_lift(A, fmpq(6, 5), 2)
    >>> proof.verify(A), proof.verify([A[0], 2 * A[1]])
    (True, False)

    Notes
    -----
    Blondel and Nesterov 2005; Parrilo and Jadbabaie, *Approximation of the joint spectral radius using sum of squares*,
    2008. A sum of squares may add to the matrix of an inequality any matrix that is zero as a polynomial; a quadratic
    form of the lift, whose inequalities are those of matrices, may not, and proves somewhat less of the same degree.
    """

    rate: fmpq
    degree: int
    proof: Proof

    method = "lift"

    def verify(self, A: Sequence[Letter]) -> bool:
        if not A or any((M.nrows(), M.ncols()) != (A[0].nrows(), A[0].nrows()) for M in A):
            return False
        if self.rate < 0 or self.degree < 1 or self.proof.rate > self.rate**self.degree:
            return False
        if _dimension(A, self.degree) > _MAX_VERIFIED_DIMENSION:
            return False
        return self.proof.verify([symmetric_power(M, self.degree) for M in A])

    def witness(self) -> dict[str, Any]:
        return {"method": self.method, "rate": self.rate, "degree": self.degree, "proof": self.proof.witness()}

    def summary(self) -> str:
        return f"{self.proof.summary()} about the monomials of degree {self.degree}"


def symmetric_power(A: Letter, degree: int) -> Letter:
    """Return the matrix that expresses the monomials in the coordinates of ``A x`` by those in the coordinates of x.

    Parameters
    ----------
    A : fmpq_mat or IntervalMatrix
        A square matrix.
    degree : int
        The degree of the monomials, at least 1. They are in the order of `itertools.combinations_with_replacement`.

    Returns
    -------
    fmpq_mat or IntervalMatrix
        Of an interval matrix, bounds of the symmetric powers of all matrices in between.

    Raises
    ------
    SwitchedSystemError
        When the matrix is not square, or the degree is below 1.

    Examples
    --------
    >>> symmetric_power(fmpq_mat([[1, 2], [0, 3]]), 2)
    [1, 4, 4]
    [0, 3, 6]
    [0, 0, 9]

    Notes
    -----
    The entries are polynomials with nonnegative coefficients in those of A, so the radius for ``C ± R`` is at most
    ``(|C| + R)^[d] - |C|^[d]``. When this fails: the size is the binomial coefficient n + d - 1 over d.
    """
    if A.nrows() != A.ncols():
        raise SwitchedSystemError(f"the matrix is {A.nrows()} by {A.ncols()}; write a square one")
    if degree < 1:
        raise SwitchedSystemError(f"the degree is {degree}; write a positive integer")
    if isinstance(A, IntervalMatrix):
        size = absolute(A.midpoint)
        spread = _exact_power(size + A.radius, degree) - _exact_power(size, degree)
        return IntervalMatrix(_exact_power(A.midpoint, degree), spread)
    return _exact_power(A, degree)


Monomial = tuple[int, ...]
"""The coordinates whose product it is, in increasing order."""


def _exact_power(A: fmpq_mat, degree: int) -> fmpq_mat:
    monomials = _monomials(A.nrows(), degree)
    place = {monomial: index for index, monomial in enumerate(monomials)}
    forms = entries(A)
    powers: dict[Monomial, dict[Monomial, fmpq]] = {(): {(): fmpq(1)}}
    power = fmpq_mat(len(monomials), len(monomials))
    for length in range(1, degree + 1):
        powers = {m: _times(powers[m[:-1]], forms[m[-1]]) for m in _monomials(A.nrows(), length)}
    for row, monomial in enumerate(monomials):
        for factor, coefficient in powers[monomial].items():
            power[row, place[factor]] = coefficient
    return power


def _monomials(n: int, degree: int) -> list[Monomial]:
    return list(combinations_with_replacement(range(n), degree))


def _times(polynomial: dict[Monomial, fmpq], form: Sequence[fmpq]) -> dict[Monomial, fmpq]:
    """The product of a polynomial and a linear form."""
    result: dict[Monomial, fmpq] = {}
    for monomial, coefficient in polynomial.items():
        for j, entry in enumerate(form):
            if entry != 0:
                factor = tuple(sorted((*monomial, j)))
                result[factor] = result.get(factor, fmpq(0)) + coefficient * entry
    return result


def prove_lift(A: Sequence[Letter], rate: fmpq, degree: int, *, time_limit: float = 10.0) -> Lift | None:
    """Prove that the joint spectral radius is at most a rate, by a quadratic form of all monomials of a degree.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    rate : fmpq
        The rate to prove.
    degree : int
        At least 1.
    time_limit : float
        Seconds after which the attempt is given up.

    Returns
    -------
    Lift or None
        None when there is no proof of this kind, or it was not found.

    Examples
    --------
    >>> A = [fmpq_mat([[1, 0], [1, 0]]), fmpq_mat([[0, 1], [0, -1]])]
    >>> [prove_lift(A, fmpq(6, 5), degree) is not None for degree in (1, 2)]
    [False, True]

    Notes
    -----
    A degree proves at least what its divisors prove; an odd one can prove less than the even one before it. When this
    fails: lifted matrices of more than 40 rows are not tried, and bounds wider than about 1e-5 leave little to prove.
    """
    deadline = time.monotonic() + time_limit
    if rate < 0 or degree < 1 or _dimension(A, degree) > _MAX_DIMENSION:
        return None
    lifted, inner_rate = [symmetric_power(M, degree) for M in A], rate**degree
    choices = [_exact_power(choice, degree) for M in A for choice in samples(M)]
    guess = _guess_form(choices, as_float(inner_rate), _multinomials(A[0].nrows(), degree), time_limit)
    for (P,) in () if guess is None else rounded_together([guess]):
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return None
        tree = prove_word_tree(lifted, P, inner_rate, max_length=1, time_limit=remaining)
        if tree is not None:
            return Lift(rate, degree, tree)
    return None


def _guess_form(
    lifted: Sequence[fmpq_mat], rate: float, multinomials: Sequence[int], time_limit: float
) -> Array | None:
    """A form for the lifted matrices, found in the basis in which the lift of a rotation is a rotation."""
    import numpy as np

    from piggycheck.stability.floats import float_matrices

    weights = np.sqrt(np.array(multinomials, dtype=np.float64))
    matrices = float_matrices(lifted) * weights[:, None] / weights
    loops = [(0, letter, 0) for letter in range(len(lifted))]
    forms = guess_forms(matrices, rate, 1, loops, time_limit=time_limit)
    return None if forms is None else forms[0] * weights[:, None] * weights


def _multinomials(n: int, degree: int) -> list[int]:
    """How often each monomial occurs in the power of the sum of all coordinates."""
    repeated = (math.prod(math.factorial(m.count(i)) for i in range(n)) for m in _monomials(n, degree))
    return [math.factorial(degree) // factorials for factorials in repeated]


def _dimension(A: Sequence[Letter], degree: int) -> int:
    return math.comb(A[0].nrows() + degree - 1, degree)
