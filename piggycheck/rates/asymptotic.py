"""The asymptotic linear rate of errors that obey a linear recursion: which eigenvalues they excite, exactly.

Where one affine piece is all that the iterates meet, the error of the iterates is multiplied by A in every step, and so
is that of the derivatives, up to a multiple of the former where B moves. The minimal polynomial of such a sequence has
the excited eigenvalues as its roots, and no others.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.arithmetic import bounds, rational, to_sympy
from piggycheck.errors import InputError, IrrationalError, UnknownError
from piggycheck.linalg import block_matrix, entries, identity, zeros
from piggycheck.maps.evaluation import jumps_at
from piggycheck.piggyback import Step, steps
from piggycheck.rates.algebraic import divided_out
from piggycheck.rates.limit import Limit
from piggycheck.rates.modulus import LargestModulus, largest_modulus

__all__ = [
    "ExcitedRate",
    "LinearErrors",
    "affine_errors",
    "exact_errors",
    "excited_rate",
    "minimal_polynomial",
    "powers",
]

_TRIES = 8
_WEIGHT = 97
_MOST_BITS = 400_000


@dataclass(frozen=True)
class LinearErrors:
    """Errors from an index on that obey a linear recursion with constant coefficients.

    Attributes
    ----------
    first : int
        The index of the first of them.
    terms : tuple of fmpq_mat
        At least twice as many as the order.
    order : int
        The recursion's, at most.
    """

    first: int
    terms: tuple[fmpq_mat, ...]
    order: int


@dataclass(frozen=True)
class ExcitedRate:
    """The exact rate of a sequence of errors.

    Attributes
    ----------
    iteration : int
        From this index on the errors obey the recursion of `annihilator`, which has no root 0.
    annihilator : fmpq_poly
        The minimal polynomial of the sequence; 1 when it is zero from there on.
    largest : LargestModulus
        Of its roots; its modulus is the rate.
    """

    iteration: int
    annihilator: fmpq_poly
    largest: LargestModulus

    @property
    def leading(self) -> int:
        """How many roots have the largest modulus, each as often as it is repeated."""
        low, count = self.largest.modulus.lower, 0
        for g in self.largest.dominant:
            count += self._multiplicity(g) * sum(low <= bounds(abs(root))[1] for root, _ in g.complex_roots())
        return count

    @property
    def power(self) -> int:
        """The n of errors that decay like ``k^n rate^k``: one less than how often a leading root is repeated."""
        return max((self._multiplicity(g) for g in self.largest.dominant), default=1) - 1

    def _multiplicity(self, factor: fmpq_poly) -> int:
        return divided_out(self.annihilator, factor)[1]


def excited_rate(errors: LinearErrors) -> ExcitedRate:
    """Return the rate ``lim sup |e_k|^(1/k)`` of a sequence of errors, as an exact algebraic number.

    Parameters
    ----------
    errors : LinearErrors

    Returns
    -------
    ExcitedRate

    Raises
    ------
    UnknownError
        When the number is not found: see `piggycheck.rates.modulus.largest_modulus`.

    Examples
    --------
    >>> A, x = fmpq_mat([[fmpq(1, 2), 0], [0, fmpq(19, 20)]]), fmpq_mat([[1], [0]])
    >>> terms = tuple(A**k * x for k in range(4))
    >>> str(excited_rate(LinearErrors(0, terms, 2)).largest.modulus)
    '1/2'

    Notes
    -----
    Roots 0 are divided out: they only delay. Source: docs/theory/asymptotic-rates.md.

    When this fails: see Raises.
    """
    poly = minimal_polynomial(errors.terms, errors.order)
    nilpotent = next(i for i, c in enumerate(poly.coeffs()) if c != 0)
    poly = poly.right_shift(nilpotent)
    return ExcitedRate(errors.first + nilpotent, poly, largest_modulus(poly))


def minimal_polynomial(terms: Sequence[fmpq_mat], order: int) -> fmpq_poly:
    """Return the monic polynomial q of least degree with ``q_0 y_k + ... + q_d y_{k+d} = 0`` for every k.

    Parameters
    ----------
    terms : sequence of fmpq_mat
        The first ``2 * order`` terms, or more, of a sequence that obeys a linear recursion.
    order : int
        The order of one that it obeys.

    Returns
    -------
    fmpq_poly

    Raises
    ------
    InputError
        When there are fewer terms, or they obey no recursion of that order.

    Examples
    --------
    >>> fibonacci = [fmpq_mat([[n]]) for n in (1, 1, 2, 3, 5, 8)]
    >>> minimal_polynomial(fibonacci, 3)
    x^2 + (-1)*x + (-1)

    Notes
    -----
    That of a combination of the entries divides it, and is it when it annihilates all of them. When this fails: it does
    not.
    """
    if len(terms) < 2 * order:
        raise InputError(f"{len(terms)} terms do not determine a recursion of order {order}; give {2 * order}")
    rows = [[entry for row in entries(term) for entry in row] for term in terms[: 2 * order]]
    picks = random.Random(0)
    for _ in range(_TRIES):
        weights = [fmpq(picks.randint(1, _WEIGHT)) for _ in rows[0]] if rows else []
        s = [sum((w * c for w, c in zip(weights, row, strict=True)), fmpq(0)) for row in rows]
        poly = _of_numbers(s, order)
        if _annihilates(poly, terms, order):
            return poly
    raise InputError(f"the terms obey no linear recursion of order {order}; give a larger order")


def _of_numbers(s: Sequence[fmpq], order: int) -> fmpq_poly:
    """The minimal polynomial of numbers: the first window of them that depends on those before."""
    windows = fmpq_mat(order, order + 1, [s[i + j] for i in range(order) for j in range(order + 1)])
    reduced, rank = windows.rref() if order else (windows, 0)
    return fmpq_poly([*(-reduced[i, rank] for i in range(rank)), fmpq(1)])


def _annihilates(poly: fmpq_poly, terms: Sequence[fmpq_mat], order: int) -> bool:
    coefficients = poly.coeffs()
    for k in range(order):
        total = zeros(terms[0].nrows(), terms[0].ncols())
        for c, term in zip(coefficients, terms[k:], strict=False):
            total += c * term
        if any(entry != 0 for entry in total.entries()):
            return False
    return True


def powers(A: fmpq_mat) -> LinearErrors:
    """Return the powers of a matrix: what almost every error shows of it."""
    terms = [identity(A.nrows())]
    for _ in range(2 * A.nrows() - 1):
        terms.append(A * terms[-1])
    return LinearErrors(0, tuple(terms), A.nrows())


def affine_errors(
    A: fmpq_mat, first: int, d: fmpq_mat, G: fmpq_mat | None = None, couplings: Sequence[fmpq_mat] = ()
) -> LinearErrors:
    """Continue errors from an index on, where one affine piece is all that the iterates meet.

    Parameters
    ----------
    A : fmpq_mat
    first : int
        The index.
    d : fmpq_mat
        The error of the iterate, ``x_k - xbar``.
    G : fmpq_mat, optional
        That of the derivatives, ``J_k - Jbar``, when the sequence is to be theirs.
    couplings : sequence of fmpq_mat
        For each column of B, how it changes with the state; empty when B is constant.

    Returns
    -------
    LinearErrors

    Examples
    --------
    >>> affine_errors(fmpq_mat([[fmpq(1, 2)]]), 3, fmpq_mat([[8]])).terms
    ([8], [4])
    """
    moving = G is not None and any(entry != 0 for L in couplings for entry in L.entries())
    order = A.nrows() * (2 if moving else 1)
    terms = [d if G is None else G]
    while len(terms) < 2 * order:
        if G is not None:
            G = A * G + block_matrix([[L * d for L in couplings]]) if moving else A * G
        d = A * d
        terms.append(d if G is None else G)
    return LinearErrors(first, tuple(terms), order)


def exact_errors(limit: Limit, count: int, derivatives: bool) -> tuple[fmpq_mat, fmpq_mat | None]:
    """Follow the iteration exactly; return the error of ``x_count``, and that of ``J_count`` if it is asked for.

    Parameters
    ----------
    limit : Limit
    count : int
    derivatives : bool

    Raises
    ------
    UnknownError
        When numbers grow too long or are irrational, or pieces with different Jacobian pairs meet at an iterate.
    InputError
        When the limit of the derivatives is not known.
    """
    centre = fmpq_mat([[rational(c, "the fixed point")] for c in limit.coordinates])
    if derivatives:
        _require_one_start(limit)
    last = None
    for step in islice(steps(limit.iteration, limit.at, directions=None if derivatives else {}), count + 1):
        if derivatives and step.k < count and 0 in step.signature:
            _require_one_pair(limit, step)
        if sum(int(c.q).bit_length() for c in step.x.centre.entries()) > _MOST_BITS:
            raise UnknownError(f"the exact iterate x_{step.k} has more than {_MOST_BITS} bits, before {count} steps")
        last = step
    J = None if not derivatives else last.J.centre - _exact_limit(limit)
    return last.x.centre - centre, J


def _exact_limit(limit: Limit) -> fmpq_mat:
    X = limit.exact_matrix
    if X is None:
        raise IrrationalError("the limit of the derivatives is irrational")
    return X


def _require_one_start(limit: Limit) -> None:
    if len(limit.iteration.start_jacobians(limit.at)) != 1:
        raise UnknownError("the start has a kink at these parameters, so J_0 is not one matrix")


def _require_one_pair(limit: Limit, step: Step) -> None:
    """Require that the pieces which meet at an iterate have the same Jacobian pair."""
    map_ = limit.iteration.map
    point = dict(zip(map_.state, map(to_sympy, step.x.centre.entries()), strict=True))
    pieces = map_.selection({**point, **limit.at}).pieces
    if jumps_at(map_, pieces, {**point, **limit.at}):
        raise UnknownError(f"at iterate {step.k} the map jumps, so J_k is not one matrix from there on")
    if len({piece.pair for piece in pieces}) > 1:
        guard = next(guard for sign, guard in zip(step.signature, map_.guards, strict=True) if sign == 0)
        raise UnknownError(
            f"at iterate {step.k} pieces with different Jacobian pairs meet, where `{guard}` is 0, so J_k is "
            "not one matrix from there on"
        )
