"""Displacements from a fixed point that follow a word of pieces for ever, strictly inside of them.

Where a map is linear on each of finitely many cones, the word sends such displacements to others that follow it, too: a
single one to a multiple of itself, or those of a cone to that cone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from flint import arb, fmpq, fmpq_mat, fmpq_poly

from piggycheck.arithmetic import bounds
from piggycheck.feasibility import Feasible, feasible_point
from piggycheck.linalg import as_float, block_matrix, float_rows, identity, primitive, solve
from piggycheck.roots import simplest_between
from piggycheck.switched import Word
from piggycheck.transitions import ConewiseLinear, Row, pulled_back

__all__ = ["Following", "following", "rays", "repeated_word"]

_WIDTHS = 30
_FOLLOWED = 2000


@dataclass(frozen=True)
class Following:
    """Displacements that follow a word for ever and shrink: the combinations with nonnegative weights of some of them.

    Attributes
    ----------
    directions : tuple of Row
        The displacements d_1, ..., d_r, linearly independent.
    multipliers : tuple of Row
        ``A_w d_i`` is the sum of ``multipliers[i][j] d_j``. All are nonnegative, and the sum of each row is above 0 and
        below 1.
    """

    directions: tuple[Row, ...]
    multipliers: tuple[Row, ...]


def rays(local: ConewiseLinear, word: Word, *, growing: bool = False) -> list[tuple[fmpq, Row]]:
    """Find displacements d with ``A_w d = mu d``, ``0 < mu < 1``, that follow a word strictly inside its pieces.

    Parameters
    ----------
    local : ConewiseLinear
    word : Word
    growing : bool
        Whether mu is to be at least 1 instead.

    Returns
    -------
    list of (mu, d)
        One for each rational mu for which there is such a d. The iterates from ``xbar + t d`` on, t > 0 small, then
        follow the word for ever and converge to the fixed point, and the map is smooth along them.

    Examples
    --------
    >>> from piggycheck.transitions import Cone
    >>> plane = ConewiseLinear((fmpq_mat([[fmpq(1, 2), 0], [0, 2]]),), ((Cone(),),))
    >>> rays(plane, (0,))
    [(1/2, (1, 0))]

    Notes
    -----
    When this fails: an irrational mu is not found.
    """
    A_w, found = local.product(word), []
    for mu, _ in A_w.charpoly().roots():
        if mu >= 1 if growing else 0 < mu < 1:
            _, kernel = solve(A_w - mu * identity(local.dimension), fmpq_mat(local.dimension, 1))
            basis = block_matrix([kernel])
            for rows in _ways(local, word, basis):
                outcome = feasible_point([], [], [(row, fmpq(0)) for row in rows], basis.ncols())
                if isinstance(outcome, Feasible):
                    first = [fmpq(int(j == 0)) for j in range(basis.ncols())]
                    combination = list(outcome.point) if rows else first
                    found.append((mu, primitive((basis * fmpq_mat(len(combination), 1, combination)).entries())))
                    break
    return found


def following(local: ConewiseLinear, word: Word) -> Iterator[Following]:
    """Find displacements that follow a word strictly inside its pieces, and shrink.

    Parameters
    ----------
    local : ConewiseLinear
    word : Word

    Yields
    ------
    Following
        One for each rational eigenvalue for which there is one, and then one for each pair of conjugate irrational
        ones: a cone in their plane around the eigenvector of the larger one.

    Examples
    --------
    The eigenvalues are 1/2 plus and minus the square root of 1/8:

    >>> from piggycheck.transitions import Cone
    >>> A = fmpq_mat([[fmpq(1, 2), fmpq(1, 4)], [fmpq(1, 2), fmpq(1, 2)]])
    >>> right = ConewiseLinear((A,), ((Cone((), ((fmpq(1), fmpq(0)),)),),))
    >>> next(following(right, (0,))).multipliers
    ((5/8, 7/24), (3/8, 3/8))

    Notes
    -----
    Let ``q`` be an irreducible factor of degree 2 of the characteristic polynomial, with real roots, ``mu`` the larger
    one and ``nu`` the other, ``d`` a vector of the kernel of ``q(A_w)``, and ``g(z) = A_w d - z d``. Then ``A_w g(z)``
    is ``mu + nu - z`` times ``g(mu nu / (mu + nu - z))``, and ``g(nu)`` is the eigenvector of ``mu``. This map of z has
    the slope ``nu / mu`` at ``nu``: if that is below 1 in modulus, small intervals around ``nu`` are mapped into
    themselves.

    When this fails: eigenvalues of degree 3 or more, or of which the plane is not unique, and eigenvectors of ``nu``.
    """
    for mu, d in rays(local, word):
        yield Following((d,), ((mu,),))
    A_w = local.product(word)
    _, factors = A_w.charpoly().factor()
    for q, multiplicity in factors:
        if q.degree() == 2 and multiplicity == 1:
            yield from islice(_cones(local, word, A_w, q), 1)


def repeated_word(local: ConewiseLinear, d: Sequence[float]) -> Word:
    """Guess, in floating point, which word iterates repeat in the end.

    Parameters
    ----------
    local : ConewiseLinear
    d : sequence of float
        The displacement of the first of them.

    Returns
    -------
    Word
        Empty where they reach the fixed point, leave the insides of pieces, or repeat no short word.

    Examples
    --------
    >>> from piggycheck.transitions import Cone
    >>> right, left = Cone((), ((fmpq(1),),)), Cone((), ((fmpq(-1),),))
    >>> flip = ConewiseLinear((fmpq_mat([[-1]]), fmpq_mat([[fmpq(-1, 2)]])), ((right,), (left,)))
    >>> repeated_word(flip, [-1.0])
    (1, 0)

    Notes
    -----
    When this fails: iterates that are repelled sideways from those that the start leads to, by rounding errors.
    """
    A = [np.array(float_rows(M)) for M in local.A]
    rows = {
        (i, j): np.array([[as_float(c) for c in row] for row in cone.inequalities]).reshape(-1, local.dimension)
        for i, cones in enumerate(local.cones)
        for j, cone in enumerate(cones)
        if cone.is_solid and not cone.equalities
    }
    at, word = np.asarray(d, dtype=float), list[int]()
    while len(word) < _FOLLOWED and at.any():
        at = at / abs(at).max()
        letter = next((i for (i, _), R in rows.items() if (R @ at > 0).all()), None)
        if letter is None:
            return ()
        word.append(letter)
        at = A[letter] @ at
    tail = word[_FOLLOWED // 2 :]
    for n in range(1, len(tail) // 4):
        if tail[n:] == tail[:-n]:
            return tuple(tail[:n])
    return ()


def _cones(local: ConewiseLinear, word: Word, A_w: fmpq_mat, q: fmpq_poly) -> Iterator[Following]:
    """Cones around the eigenvector of the larger root of a factor, smaller and smaller."""
    q = q / q[2]
    total, product = -q[1], q[0]
    discriminant = total**2 - 4 * product
    if not (discriminant > 0 and 0 < total < 2 and q(1) > 0):
        return
    _, kernel = solve(A_w * A_w - total * A_w + product * identity(local.dimension), fmpq_mat(local.dimension, 1))
    d = kernel[0]
    low, high = bounds((arb(total) - arb(discriminant).sqrt()) / 2)
    for k in range(1, _WIDTHS):
        width = fmpq(1, 2**k)
        ends = simplest_between(low - width, low - width / 2), simplest_between(high + width / 2, high + width)
        multipliers = tuple(_shares(total - z, product / (total - z), *ends) for z in ends if z != total)
        if len(multipliers) == 2 and all(min(row) >= 0 and 0 < sum(row) < 1 for row in multipliers):
            basis = block_matrix([[A_w * d - z * d for z in ends]])
            for rows in _ways(local, word, basis):
                for side in (1, -1):
                    if all(side * c > 0 for row in rows for c in row):
                        scaled = primitive((side * basis.transpose()).entries())
                        yield Following((scaled[: local.dimension], scaled[local.dimension :]), multipliers)


def _shares(factor: fmpq, z: fmpq, low: fmpq, high: fmpq) -> Row:
    """The weights of the ends of an interval that give a number times a point of it."""
    return factor * (high - z) / (high - low), factor * (z - low) / (high - low)


def _ways(local: ConewiseLinear, word: Word, basis: fmpq_mat) -> Iterator[list[Row]]:
    """For each way of a word through solid cones: the functions of the weights of a basis that are to be positive."""
    stack: list[tuple[int, fmpq_mat, list[Row]]] = [(0, basis, [])]
    while stack:
        step, image, rows = stack.pop()
        if step == len(word):
            yield rows
            continue
        for cone in local.cones[word[step]]:
            if cone.is_solid and not cone.equalities:
                stack.append((step + 1, local.A[word[step]] * image, [*rows, *pulled_back(cone.inequalities, image)]))
