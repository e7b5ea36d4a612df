"""Singular I - A: where the recursion ``J -> A J + B`` of one pair converges, and what pseudo-inverses answer instead.

When 1 is a semisimple eigenvalue of A and all others lie inside the unit disc, the recursion converges exactly when
``Pi B = 0``, to ``Pi J0 + (I - A)^# B``: it remembers its start. Every answer is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.errors import UnknownError
from piggycheck.intervals import midpoint
from piggycheck.linalg import (
    block_matrix,
    exceeds_one,
    group_inverse,
    identity,
    is_schur_stable,
    pseudo_inverse,
    solve,
    zeros,
)
from piggycheck.stability.excitation import excited_polynomials
from piggycheck.stability.polynomial_growth import growth_name, unit_multiplicity
from piggycheck.switched import SwitchedSystem

__all__ = ["SingularLimit", "group_inverse", "pseudo_inverse", "singular_limit"]

_Rows = Sequence[Sequence[Any]] | fmpq_mat
_AT_ONE = fmpq_poly([-1, 1])


@dataclass(frozen=True)
class SingularLimit:
    """What becomes of ``J -> A J + B``, and what the pseudo-inverse of ``I - A`` answers instead.

    Parameters
    ----------
    A, B : fmpq_mat
        The pair, p by p and p by m.
    J0 : fmpq_mat or None
        The start.
    kernel : tuple of fmpq_mat
        A basis of the kernel of ``I - A``, as columns; empty when 1 is no eigenvalue of A.
    multiplicity : int
        The algebraic multiplicity of the eigenvalue 1.
    index : int
        The smallest d with ``rank (I - A)^d = rank (I - A)^(d + 1)``: 0 when ``I - A`` is invertible, 1 when the
        eigenvalue 1 is semisimple.
    others_inside : bool
        Whether all other eigenvalues lie in the open unit disc.
    pseudo_inverse : fmpq_mat
        The Moore-Penrose inverse ``(I - A)^+``.
    group_inverse : fmpq_mat or None
        ``(I - A)^#``, when the index is at most 1.
    projector : fmpq_mat or None
        ``Pi = I - (I - A)(I - A)^#``, the projector on the kernel along the range of ``I - A``, when the index is at
        most 1.
    behaviour : str or None
        What ``J_k`` does from J0: ``"converges"``, ``"stays bounded without a limit"``, ``"grows linearly"``, ``"grows
        like k^d"`` with its d, or ``"grows exponentially"``. None without J0, except that it converges from every
        start.
    limit : fmpq_mat or None
        The limit, when ``J_k`` converges.

    Examples
    --------
    >>> answer = singular_limit([[[1, 0], [0, "1/2"]], [[0], [1]], [[3], [0]]])
    >>> answer.semisimple, answer.projector
    (True, [1, 0]
    [0, 0])
    >>> answer.limit, answer.pseudo_inverse_answer
    ([3]
    [2], [0]
    [2])

    Notes
    -----
    Docs: docs/theory/singular.md. When this fails: see `singular_limit`.
    """

    A: fmpq_mat
    B: fmpq_mat
    J0: fmpq_mat | None
    kernel: tuple[fmpq_mat, ...]
    multiplicity: int
    index: int
    others_inside: bool
    pseudo_inverse: fmpq_mat
    group_inverse: fmpq_mat | None
    projector: fmpq_mat | None
    behaviour: str | None
    limit: fmpq_mat | None

    @property
    def singular(self) -> bool:
        """Whether 1 is an eigenvalue of A."""
        return bool(self.kernel)

    @property
    def semisimple(self) -> bool:
        """Whether 1 is no eigenvalue of A or a semisimple one: ``rank (I - A) = rank (I - A)^2``."""
        return self.index <= 1

    @property
    def drift(self) -> fmpq_mat | None:
        """``Pi B``, by which the derivatives grow in every step; None when 1 is not semisimple."""
        return None if self.projector is None else self.projector * self.B

    @property
    def solvable(self) -> bool:
        """Whether some X has ``X = A X + B``."""
        X = self.pseudo_inverse_answer
        return bool(self.A * X + self.B == X)

    @property
    def pseudo_inverse_answer(self) -> fmpq_mat:
        """``(I - A)^+ B``, which implicit differentiation by least squares returns."""
        return self.pseudo_inverse * self.B

    @property
    def minimal_norm(self) -> fmpq_mat | None:
        """The solution of ``X = A X + B`` of smallest Frobenius norm: the same matrix, if there is a solution."""
        return self.pseudo_inverse_answer if self.solvable else None

    @property
    def range_symmetric(self) -> bool:
        """Whether ``I - A`` has the same range as its transpose: then its two inverses are equal."""
        M = identity(self.A.nrows()) - self.A
        return bool(M * self.pseudo_inverse == self.pseudo_inverse * M)

    @property
    def remembered(self) -> fmpq_mat | None:
        """``Pi J0``, what the limit keeps of the start; None without a start, or when 1 is not semisimple."""
        return None if self.projector is None or self.J0 is None else self.projector * self.J0

    @property
    def depends_on_start(self) -> bool:
        """Whether limits from different starts differ: whether 1 is an eigenvalue of A."""
        return self.singular

    @property
    def agrees(self) -> bool | None:
        """Whether the recursion converges to the answer of the pseudo-inverse; None without J0, if that matters."""
        if self.behaviour is None:
            return None
        return bool(self.limit is not None and self.limit == self.pseudo_inverse_answer)


def singular_limit(about: SwitchedSystem | Sequence[_Rows]) -> SingularLimit:
    """Say what the recursion of one pair converges to, whether or not ``I - A`` is singular.

    Parameters
    ----------
    about : SwitchedSystem or sequence of matrices
        One pair ``(A, B)`` of exact matrices, or ``(A, B, J0)`` with the derivative at the start.

    Returns
    -------
    SingularLimit

    Raises
    ------
    UnknownError
        When there are several different pairs, or a matrix is known only between bounds.
    InputError
        When shapes do not fit, or an entry is not an exact rational number.

    Examples
    --------
    Gradient descent on ``(x + y - theta)**2 / 2`` with step 1/4, from a start that moves with theta:

    >>> A, B = [["3/4", "-1/4"], ["-1/4", "3/4"]], [["1/4"], ["1/4"]]
    >>> answer = singular_limit([A, B, [[1], [0]]])
    >>> answer.limit.transpose(), answer.minimal_norm.transpose(), answer.remembered.transpose()
    ([1, 0], [1/2, 1/2], [1/2, -1/2])
    >>> singular_limit([A, [[1], [0]], [[0], [0]]]).behaviour
    'grows linearly'

    Notes
    -----
    When this fails: for several pairs see `piggycheck.limits.contracting`. Irrational entries have to be enclosed, and
    whether 1 is an eigenvalue cannot be seen from enclosures.
    """
    A, B, J0 = _one_pair(about)
    n = A.nrows()
    M = identity(n) - A
    poly = A.charpoly()
    multiplicity = next((int(count) for root, count in poly.roots() if root == 1), 0)
    others = poly // _AT_ONE**multiplicity
    sharp = group_inverse(M)
    inside = is_schur_stable(others)
    start = zeros(n, B.ncols()) if J0 is None and inside and not multiplicity else J0
    behaviour, limit = (None, None) if start is None else _follow(A, B, start)
    return SingularLimit(
        A=A,
        B=B,
        J0=J0,
        kernel=tuple(solve(M, zeros(n, 0))[1]),
        multiplicity=multiplicity,
        index=_index(M),
        others_inside=inside,
        pseudo_inverse=pseudo_inverse(M),
        group_inverse=sharp,
        projector=None if sharp is None else identity(n) - M * sharp,
        behaviour=behaviour,
        limit=limit,
    )


def _index(M: fmpq_mat) -> int:
    """The smallest d with ``rank M^d = rank M^(d + 1)``."""
    power, rank, index = M, M.nrows(), 0
    while power.rank() < rank:
        power, rank, index = power * M, power.rank(), index + 1
    return index


def _one_pair(about: SwitchedSystem | Sequence[_Rows]) -> tuple[fmpq_mat, fmpq_mat, fmpq_mat | None]:
    system = about
    if not isinstance(system, SwitchedSystem):
        A, B, *start = system
        system = SwitchedSystem.from_rows([A], [B], J0=start[0] if start else None)
    system.require_certain("the limit at a singular I - A")
    if len(set(zip(map(str, system.A), map(str, system.B), strict=True))) > 1:
        raise UnknownError(f"there are {len(system)} pairs, and the limit at a singular I - A is that of one")
    return midpoint(system.A[0]), system.B[0], system.J0


def _follow(A: fmpq_mat, B: fmpq_mat, J0: fmpq_mat) -> tuple[str, fmpq_mat | None]:
    """Say what ``J_k`` does from J0, and find its limit."""
    polys = [poly for _, _, poly in excited_polynomials(SwitchedSystem((A,), (B,), J0=J0), (0,))]
    if any(map(exceeds_one, polys)):
        return "grows exponentially", None
    degree = max((unit_multiplicity(poly)[0] - 1 for poly in polys), default=0)
    if degree:
        return "grows linearly" if growth_name(degree) == "linear" else f"grows like k^{degree}", None
    decaying = [poly // _AT_ONE for poly in polys]
    if not all(map(is_schur_stable, decaying)):
        return "stays bounded without a limit", None
    columns = [_limit_of_column(A, B, J0, j, poly) for j, poly in enumerate(decaying)]
    return "converges", block_matrix([columns]) if columns else zeros(A.nrows(), 0)


def _limit_of_column(A: fmpq_mat, B: fmpq_mat, J0: fmpq_mat, column: int, decaying: fmpq_poly) -> fmpq_mat:
    """The average of the moments of a column with the coefficients of r, where ``(z - 1) r`` annihilates it.

    Because r(z) - r(1) is a multiple of z - 1 and r has no root of modulus 1 or more, r(M) / r(1) keeps the part of
    the eigenvalue 1, to which the moments converge, and removes the rest.
    """
    n = A.nrows()
    J, b = (fmpq_mat(n, 1, [X[i, column] for i in range(n)]) for X in (J0, B))
    total = zeros(n, 1)
    for coefficient in decaying.coeffs():
        total += coefficient * J
        J = A * J + b
    return total / decaying(fmpq(1))
