"""Contraction of a map on a ball, proved.

Either from the nodes, by the calculus of nonexpansive atoms with their local constants, or from the derivative: its
norm on the coordinates that are not constant on the ball, the Euclidean norm or that of a quadratic form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat, fmpz

from piggycheck.enclosures.jacobian import Rows
from piggycheck.errors import UnknownError
from piggycheck.maps import Affine, StateBlock
from piggycheck.maps.structured import StructuredMoment
from piggycheck.norms import is_enclosed_definite

__all__ = [
    "Contraction",
    "by_jacobian",
    "by_layers",
    "by_rows",
    "floats",
    "form_guess",
    "form_shrinks",
    "norm_guess",
    "rational_above",
    "rounded_up",
    "shrinks",
    "spectral_radius_guess",
]

_SHARES = (2.0**-12, 2.0**-6, 0.5)
_WHOLE_SHARES = (2.0**-8, 0.5)
_LEAST_GAP = 1e-13
_FORM_BITS = 40
_NORM_BITS = 64
"""Enough for margins that floating point can see."""

_FORM_SHARE = 0.5


@dataclass(frozen=True)
class Contraction:
    """A proof that a map contracts on a ball.

    Attributes
    ----------
    factor : fmpq
        gamma < 1.
    radius : fmpq
        The ball is Euclidean, around the point of the proof.
    by : str
        ``"jacobian"``: the derivative of the coordinates `kept` in themselves has norm at most gamma at every point of
        the ball, and all other coordinates of the map are constant there. ``"layers"``: gamma is a Lipschitz constant
        of the map on the ball.
    kept : tuple of int
    form : fmpq_mat, optional
        A quadratic form P >= I on these coordinates, whose norm is meant; without it, the Euclidean one.
    is_whole : bool
        Whether gamma is a Lipschitz constant of the map on the ball in the Euclidean norm of the whole space.
    """

    factor: fmpq
    radius: fmpq
    by: str
    kept: tuple[int, ...]
    form: fmpq_mat | None = None
    is_whole: bool = False

    @property
    def stretch(self) -> arb:
        """An upper bound of ``|v|_P / |v|``; the quotient is at least 1."""
        if self.form is None:
            return arb(1)
        trace = sum((self.form[i, i] for i in range(self.form.nrows())), start=fmpq(0))
        return arb(trace).sqrt().upper()


def by_jacobian(block: Rows, radius: fmpq) -> Contraction:
    """Prove a contraction from the derivative of the kept coordinates in themselves.

    Parameters
    ----------
    block : Rows
        Over balls; it encloses the derivative at every point of the ball.
    radius : fmpq

    Raises
    ------
    UnknownError
        When no factor below 1 was proved; with the norm and the spectral radius that floating point sees.

    Examples
    --------
    >>> proof = by_jacobian(Rows((0, 1), arb_mat([[0, 1], [arb(0.25), 0]])), fmpq(1))
    >>> bool(proof.factor < 1), proof.form is None
    (True, False)
    """
    A, size = floats(block.matrix), len(block.kept)
    if not size:
        return Contraction(fmpq(0), radius, "jacobian", ())
    if not np.isfinite(A).all():
        raise UnknownError("the derivative has no finite enclosure on the ball")
    norm = norm_guess(A)
    if norm < 1 - _LEAST_GAP:
        for share in _SHARES:
            factor = rational_above(norm, share)
            if shrinks(block.matrix, factor, norm):
                return Contraction(factor, radius, "jacobian", block.kept)
    reached = spectral_radius_guess(A)
    if reached < 1 - _LEAST_GAP:
        factor = rational_above(reached, _FORM_SHARE)
        form = form_guess(A, factor)
        if form is not None and form_shrinks(block.matrix, form, factor):
            return Contraction(factor, radius, "jacobian", block.kept, form)
    raise UnknownError(
        f"no contraction was proved: the derivative has norm {norm:.6g} and spectral radius {reached:.6g}, "
        "as far as floating point tells"
    )


def by_rows(rows: Rows, radius: fmpq) -> Contraction:
    """Prove a contraction in the Euclidean norm of the whole space, from the rows of the derivative that are not zero.

    Parameters
    ----------
    rows : Rows
        Over balls; they enclose the derivative at every point of the ball.
    radius : fmpq

    Raises
    ------
    UnknownError
        When no factor below 1 was proved; with the norm that floating point sees.
    """
    A = floats(rows.matrix)
    norm = norm_guess(A)
    everything = tuple(range(rows.matrix.ncols()))
    if norm < 1 - _LEAST_GAP:
        for share in _WHOLE_SHARES:
            factor = rational_above(norm, share)
            if shrinks(rows.matrix, factor, norm):
                return Contraction(factor, radius, "jacobian", everything, is_whole=True)
    raise UnknownError(
        f"no contraction of the whole space was proved: the derivative has norm {norm:.8g}, "
        "as far as floating point tells"
    )


def by_layers(moment: StructuredMoment, radius: fmpq) -> Contraction:
    """Prove a contraction from the nodes of a map, evaluated at a point with everything within the radius.

    Raises
    ------
    UnknownError
        When the Lipschitz constant of the calculus is not below 1.
    """
    constant = local_constant(moment)
    above = _float_above(constant)
    if not above < 1 - _LEAST_GAP:
        raise UnknownError(f"no contraction was proved: the layers have the Lipschitz constant {constant.str(8)}")
    kept = tuple(range(moment.bound.map.dimension))
    return Contraction(rational_above(above, _SHARES[0]), radius, "layers", kept, is_whole=True)


def local_constant(moment: StructuredMoment) -> arb:
    """Bound the Lipschitz constant of a map within reach, with the local constants of all its nodes."""
    bound, own = moment.bound, {}
    with bound.arrays.precision():
        for node in bound.moving:
            if not isinstance(node, (Affine, StateBlock)):
                values = [moment.values[n] for n in node.inputs]
                own[node] = bound.operators[node].lipschitz(values, [moment.reach.get(n, 0) for n in node.inputs])
        return bound.calculus.constants(own, [bound.map.next])[bound.map.next]


# -- norms and forms ------------------------------------------------------------------------------------------------


def shrinks(A: arb_mat, factor: fmpq, norm: float | None = None) -> bool:
    """Prove that every matrix between the bounds has spectral norm below a factor; a guess of the norm saves time."""
    smallest = None if norm is None else _float(factor) ** 2 - norm**2
    with ctx.workprec(_NORM_BITS):
        A = A * arb(1)  # rounded
        gram = A * A.transpose() if A.nrows() <= A.ncols() else A.transpose() * A
        return is_enclosed_definite(_multiple(gram.nrows(), factor) - gram, smallest)


def form_shrinks(A: arb_mat, form: fmpq_mat, factor: fmpq) -> bool:
    """Prove that a form is at least the identity, and that in its norm every matrix shrinks by a factor."""
    with ctx.workprec(2 * _NORM_BITS):
        P = arb_mat(form)
        shrunk = P * (arb(factor) ** 2) - A.transpose() * (P * A)
        return is_enclosed_definite(P - _multiple(P.nrows(), fmpq(1))) and is_enclosed_definite(shrunk)


def form_guess(A: np.ndarray, factor: fmpq) -> fmpq_mat | None:
    """Guess a form whose norm shrinks under a matrix, by a Lyapunov equation; None when floating point gives up."""
    from scipy.linalg import solve_discrete_lyapunov

    size = len(A)
    try:
        P = solve_discrete_lyapunov(A.T / _float(factor), 2 * np.eye(size))
    except (np.linalg.LinAlgError, ValueError):
        return None
    scaled = np.rint((P + P.T) * 2.0 ** (_FORM_BITS - 1))
    if not np.isfinite(scaled).all():
        return None
    return fmpq_mat(size, size, [fmpq(int(e), fmpz(2) ** _FORM_BITS) for e in scaled.ravel().tolist()])


def norm_guess(A: np.ndarray) -> float:
    """Return the spectral norm as floating point sees it."""
    if not A.size or not np.isfinite(A).all():
        return 0.0 if not A.size else math.inf
    gram = A @ A.T if A.shape[0] <= A.shape[1] else A.T @ A
    return math.sqrt(max(0.0, float(np.linalg.eigvalsh(gram)[-1])))


def spectral_radius_guess(A: np.ndarray) -> float:
    """Return the spectral radius as floating point sees it."""
    return float(np.abs(np.linalg.eigvals(A)).max(initial=0.0))


def _multiple(size: int, factor: fmpq) -> arb_mat:
    square, M = arb(factor) ** 2, arb_mat(size, size)
    for i in range(size):
        M[i, i] = square
    return M


# -- numbers --------------------------------------------------------------------------------------------------------


def floats(A: arb_mat) -> np.ndarray:
    """Return the midpoints as floating-point numbers, for guesses."""
    return np.array([float(e) for e in A.entries()]).reshape(A.nrows(), A.ncols())


def rational_above(number: float, share: float) -> fmpq:
    """Return a short decimal between a number below 1 and 1, at about this share of the way.

    Examples
    --------
    >>> rational_above(0.99, 0.5)
    199/200
    """
    gap = 1 - number
    digits = max(1, math.ceil(-math.log10(gap * share)) + 1)
    above = fmpq(*float(number + gap * share).as_integer_ratio()) * fmpq(10) ** digits
    return fmpq(above.ceil()) / fmpq(10) ** digits


def rounded_up(value: arb | fmpq, digits: int = 4) -> fmpq:
    """Return a decimal of a few digits that is at least as large as a nonnegative number, or the whole of a ball.

    Raises
    ------
    UnknownError
        When the ball is not finite.

    Examples
    --------
    >>> rounded_up(fmpq(1, 3), 2), rounded_up(arb(12345), 2)
    (17/50, 12400)
    """
    if isinstance(value, arb):
        if not value.is_finite():
            raise UnknownError("a bound is not finite")
        value = value.upper().fmpq()
    if value <= 0:
        return fmpq(0)
    power = digits - len(str(value.p)) + len(str(value.q))
    scale = fmpq(10) ** power if power >= 0 else 1 / fmpq(10) ** -power
    return fmpq((value * scale).ceil()) / scale


def _float(number: fmpq) -> float:
    return int(number.p) / int(number.q)


def _float_above(ball: arb) -> float:
    return math.nextafter(float(ball.upper()), math.inf)
