"""A contracting system in coordinates in which its norm is nearly the Euclidean one, with proved bounds for floats.

With ``X = c + U Z``, the words of a complete suffix code become maps ``Z -> M Z + b`` whose spectral norms are bounded
by exact numbers below 1: the set is the union of its images under them, and rounding errors of long products do not
grow, because each is multiplied by such a norm in every step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from piggycheck.errors import UnknownError
from piggycheck.limits.contraction import Contraction, inner_product
from piggycheck.limits.scaled import Array, ScaledSystem, floats
from piggycheck.linalg import as_float, identity, is_positive_semidefinite, root_upper, simplest_between
from piggycheck.switched import Word

__all__ = ["EuclideanSystem", "euclidean", "frobenius_above", "norms_above", "row_norms_above"]

_UNIT = 2.0**-53
_UPWARDS = 1 + 2.0**-50
_SHORT_BITS, _ALL_BITS = 20, 60
_RELATIVE = 1 + 1e-12
_TINY, _SMALLEST = 1e-290, 1e-280
_MOST_WORDS, _FEW_WORDS = 3000, 30
_LONGEST_WORD, _FEW_LETTERS = 1000, 300
_WELL_BELOW = fmpq(9, 10)


@dataclass(frozen=True)
class EuclideanSystem:
    """Maps ``Z -> M Z + b`` of words of a complete suffix code, in floats, and what their exact values satisfy.

    Parameters
    ----------
    contraction : Contraction
    words : tuple of Word
    M, b : array
        k by p by p and k by p by m, each the nearest floats of the exact ones.
    norms : array
        Upper bounds of the exact spectral norms of the M, all below 1.
    radius : float
        The exact set lies in the ball of this radius around zero, in the Frobenius norm.
    exact_back, back : fmpq_mat, array
        U, and its nearest floats.
    centre : array
        c, in floats.
    """

    contraction: Contraction
    words: tuple[Word, ...]
    M: Array
    b: Array
    norms: Array
    radius: float
    exact_back: fmpq_mat
    back: Array
    centre: Array

    @property
    def rounding(self) -> float:
        """A bound on the rounding errors of one product or map, relative to the sizes of its arguments.

        For p terms, their conversion to floats and the last sum, with much to spare: the classical bound is
        ``(p + 2) u`` times the product of absolute values, and those have at most sqrt(p) times the norm each.
        """
        return 8.0 * (int(self.M.shape[1]) + 1) ** 2 * _UNIT

    @property
    def matrix_error(self) -> float:
        """A bound, in the Frobenius norm, on the errors of all products of the matrices, however long."""
        error: float = self.rounding / (1 - float(self.norms.max())) * _RELATIVE
        return error

    def map_error(self, depth: int) -> float:
        """A bound on the errors of the images of zero under words of so many maps."""
        return depth * self.radius * (self.matrix_error + self.rounding) * _RELATIVE

    @property
    def back_norm(self) -> float:
        """An upper bound on the spectral norm of U."""
        return float(norms_above(self.back[None])[0]) + self.rounding * frobenius_above(self.back)

    def original(self, Z: Array) -> Array:
        """Return the points X, in floats."""
        points: Array = self.centre + self.back @ Z
        return points

    def original_error(self) -> float:
        """A bound on the errors of `original`, for points of the ball and somewhat beyond."""
        size = 2 * self.radius * frobenius_above(self.back) + frobenius_above(self.centre)
        return self.rounding * size * _RELATIVE


def euclidean(contraction: Contraction) -> EuclideanSystem:
    """Put a contracting system into coordinates in which its norm is nearly the Euclidean one.

    Raises
    ------
    UnknownError
        When floats do not bear the form of the contraction.

    Examples
    --------
    >>> from piggycheck.limits import contracting
    >>> from piggycheck.switched import SwitchedSystem
    >>> system = euclidean(contracting(SwitchedSystem.from_rows([[["1/2"]], [["-1/4"]]], [[[0]], [[1]]])))
    >>> system.norms.round(6).tolist(), system.M.ravel().tolist()
    ([0.5, 0.25], [0.5, -0.25])
    """
    scaled = ScaledSystem(contraction)
    for bits in (_SHORT_BITS, _ALL_BITS):
        T = _root_of_form(scaled, bits)
        if T is None:
            continue
        back = scaled.scale * T.inv()
        code = _contracting_code([(T * M * T.inv(), T * b) for M, b in scaled.pairs])
        if code is not None:
            break
    else:
        raise UnknownError("in the form that proves that the system contracts, floats find no words that do")
    radius = max(root_upper(inner_product(b, b), 2) / (1 - norm) for _, _, b, norm in code)
    system = EuclideanSystem(
        contraction,
        tuple(word for word, *_ in code),
        floats([M for _, M, _, _ in code]),
        floats([b for _, _, b, _ in code]),
        np.array([as_float(norm) for *_, norm in code]) * _UPWARDS,
        as_float(radius) * _UPWARDS,
        back,
        floats([back])[0],
        floats([contraction.centre])[0],
    )
    if not all(np.isfinite(values).all() for values in (system.M, system.b, system.back, system.centre)):
        raise UnknownError("the numbers of the system are too large for floats")
    if np.abs(np.diagonal(system.back)).min() < _SMALLEST:
        raise UnknownError("the numbers of the system are too small for floats")
    if system.norms.max() >= 1:
        raise UnknownError("a map contracts by less than floats can tell")
    return system


@np.errstate(all="ignore")
def norms_above(M: Array) -> Array:
    """Return upper bounds of the spectral norms of a stack of float matrices, within a few percent.

    Examples
    --------
    >>> norms_above(np.array([[[0.0, 2.0], [1.0, 0.0]]])).round(6).tolist()
    [2.0]

    Notes
    -----
    For two rows the root of the largest eigenvalue of ``M^T M``, from sums of positive terms; for more, the eighth root
    of the trace of its fourth power. Both have relative errors of some units of 1e-16, and 1e-12 is added. Matrices are
    first divided by a power of two, so that no power of an entry that matters leaves the range of floats.
    """
    if M.shape[-1] == 1:
        return np.asarray(np.abs(M[..., 0, 0]) * _RELATIVE + _TINY)
    M, exponents = _balanced(M)
    if M.shape[-1] == 2:
        a = M[..., 0, 0] ** 2 + M[..., 1, 0] ** 2
        d = M[..., 0, 1] ** 2 + M[..., 1, 1] ** 2
        b = M[..., 0, 0] * M[..., 0, 1] + M[..., 1, 0] * M[..., 1, 1]
        norms = np.sqrt((a + d) / 2 + np.hypot((a - d) / 2, b))
    else:
        gram = np.swapaxes(M, -1, -2) @ M
        square = gram @ gram
        norms = np.sqrt(np.sqrt(np.sqrt((square * square).sum(axis=(-1, -2)))))
    return np.asarray(np.ldexp(norms, exponents) * _RELATIVE + _TINY)


def row_norms_above(M: Array) -> Array:
    """Return upper bounds of the Euclidean norms of the rows of a stack of float matrices.

    Examples
    --------
    >>> row_norms_above(np.array([[[3e-200, 4e-200], [0.0, 0.0]]])) < 5.1e-200
    array([[ True,  True]])
    """
    M, exponents = _balanced(M)
    norms = np.sqrt((M**2).sum(axis=-1))
    return np.asarray(np.ldexp(norms, exponents[..., None]) * _RELATIVE + _TINY)


def _balanced(M: Array) -> tuple[Array, NDArray[np.int32]]:
    """Matrices divided by powers of two, their largest entries at most 1, and the exponents."""
    exponents = np.frexp(np.abs(M).max(axis=(-1, -2)))[1]
    return np.ldexp(M, -exponents[..., None, None]), exponents


def frobenius_above(M: Array) -> float:
    """Return an upper bound of the Frobenius norm of a float matrix.

    Examples
    --------
    >>> round(frobenius_above(np.array([[3e-200, 4e-200]])) * 1e200, 6)
    5.0
    """
    return math.hypot(*M.ravel().tolist()) * _RELATIVE + _TINY


_Move = tuple[Word, fmpq_mat, fmpq_mat, fmpq]


def _contracting_code(pairs: list[tuple[fmpq_mat, fmpq_mat]]) -> list[_Move] | None:
    """Words of a complete suffix code with products of norms below 1, if possible well below, and each map once."""

    def moved(word: Word, M: fmpq_mat, b: fmpq_mat) -> _Move:
        return word, M, b, _norm_bound(M)

    code = _once([moved((letter,), M, b) for letter, (M, b) in enumerate(pairs)])
    for length in range(_LONGEST_WORD):
        few = len(code) <= _FEW_WORDS and length < _FEW_LETTERS
        wanted = _WELL_BELOW if few else fmpq(1)
        long = [move for move in code if move[3] >= wanted]
        if not long:
            return code
        if len(code) > _MOST_WORDS:
            return None
        code = [move for move in code if move[3] < wanted]
        code += [
            moved((letter, *word), M * A, M * B + b) for word, M, b, _ in long for letter, (A, B) in enumerate(pairs)
        ]
        code = _once(code)
    return None


def _once(code: list[_Move]) -> list[_Move]:
    distinct = {(*M.entries(), *b.entries()): (word, M, b, norm) for word, M, b, norm in reversed(code)}
    return list(distinct.values())[::-1]


def _root_of_form(scaled: ScaledSystem, bits: int) -> fmpq_mat | None:
    """A rational T with ``T^T T`` near the form, upper triangular, or None when floats find none."""
    try:
        root = np.linalg.cholesky(floats([scaled.form])[0]).T
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(root).all():
        return None
    unit = fmpq(2) ** (bits - int(np.ceil(np.log2(np.abs(root).max()))))
    exact = [fmpq(*float(value).as_integer_ratio()) * unit for value in root.ravel()]
    T = fmpq_mat(len(root), len(root), [(value + fmpq(1, 2)).floor() / unit for value in exact])
    return T if T.det() != 0 else None


def _norm_bound(M: fmpq_mat) -> fmpq:
    """An upper bound on the spectral norm, proved by a semidefinite matrix, or the Frobenius norm."""
    frobenius = root_upper(inner_product(M, M), 2)
    guess = float(norms_above(floats([M]))[0])
    if not np.isfinite(guess) or guess <= _TINY * 2:
        return frobenius
    exact = fmpq(*guess.as_integer_ratio())
    bound = simplest_between(exact, exact * (1 + fmpq(1, 10**9)))
    if bound < frobenius and is_positive_semidefinite(bound * bound * identity(M.ncols()) - M.transpose() * M):
        return bound
    return frobenius
