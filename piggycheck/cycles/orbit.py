"""Points followed exactly: do they return, after how many steps, and what is the derivative of one round?"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp
from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.arithmetic import sign
from piggycheck.cycles.answers import Cycle, Point
from piggycheck.errors import MapError, UnknownError
from piggycheck.fixed_points import rational_matrix
from piggycheck.linalg import identity
from piggycheck.maps import Signature, SmoothPiece, SymbolicMap
from piggycheck.maps.evaluation import signature_at as seen_at
from piggycheck.roots import exceeds_one, is_schur_stable, modulus_lower, scale_roots

__all__ = [
    "conditions_at",
    "cycle_from",
    "follow",
    "judged",
    "orbit_of",
    "piece_around",
    "radius_bounds",
    "returns",
    "rotated",
    "same",
    "signature_at",
]

_ACCURACY = fmpq(1, 10**12)
_MOST_BITS = 400_000


def orbit_of(local: SymbolicMap, point: Point, period: int) -> tuple[Point, ...] | None:
    """Follow a point exactly.

    Parameters
    ----------
    local : SymbolicMap
        Of the state alone.
    point : Point
    period : int

    Returns
    -------
    tuple of Point or None
        The point and those after it, when it returns after `period` steps and not before; None otherwise.

    Raises
    ------
    UnknownError
        When a sign, or whether two numbers are equal, is not decided.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> tent = SymbolicMap([x], [sp.Min(2 * x, 2 - 2 * x)])
    >>> orbit_of(tent, (sp.Rational(2, 5),), 2)
    ((2/5,), (4/5,))
    >>> orbit_of(tent, (sp.Rational(2, 3),), 2) is None
    True

    Notes
    -----
    When this fails: numbers grow with the period, as the degree of the map to its power.
    """
    points = follow(local, point, period)
    return points[:-1] if returns(points, period) else None


def follow(local: SymbolicMap, point: Point, steps: int) -> tuple[Point, ...]:
    """Return a point and its iterates, fewer where the map is not defined at one.

    Raises
    ------
    UnknownError
        When the numbers grow too long.
    """
    points = [point]
    for k in range(steps):
        if sum(c.q.bit_length() + c.p.bit_length() for c in points[-1] if c.is_Rational) > _MOST_BITS:
            raise UnknownError(f"the exact iterate {k} has more than {_MOST_BITS} bits, before {steps} steps")
        try:
            points.append(tuple(local.value(dict(zip(local.state, points[-1], strict=True)))))
        except MapError:
            break
    return tuple(points)


def returns(points: Sequence[Point], period: int) -> bool:
    """Whether iterates return after exactly this many steps, and not before."""
    if len(points) <= period or not same(points[period], points[0]):
        return False
    return not any(same(other, points[0]) for other in points[1:period])


def same(first: Point, second: Point) -> bool:
    """Whether two exact points are equal."""
    return all(a == b or sign(a - b) == 0 for a, b in zip(first, second, strict=True))


def rotated(points: Sequence[Point]) -> tuple[Point, ...]:
    """Begin with the smallest point."""
    first = min(range(len(points)), key=lambda i: points[i])
    return (*points[first:], *points[:first])


def cycle_from(local: SymbolicMap, points: Sequence[Point], isolated: bool = True) -> Cycle:
    """Describe a cycle of rational points: itinerary, multiplier, whether it attracts."""
    points = rotated(points)
    seen = [signature_at(local, x) for x in points]
    itinerary = tuple(map(str, seen))
    try:
        multiplier = _multiplied(local, points, seen)
        affine = all(local.piece(signature).is_affine(local.state) for signature in set(seen))
    except UnknownError as error:
        return Cycle(points, itinerary, None, None, None, None, str(error), isolated)
    attracting, repelling, reason = judged(multiplier.charpoly(), affine)
    return Cycle(
        points, itinerary, multiplier, radius_bounds(multiplier.charpoly()), attracting, repelling, reason, isolated
    )


def _multiplied(local: SymbolicMap, points: Sequence[Point], seen: Sequence[Signature]) -> fmpq_mat:
    product, constant = identity(len(local.state)), {}
    for point, signature in zip(points, seen, strict=True):
        A = constant.get(signature)
        if A is None:
            piece = _smooth(local, point, signature)
            jacobian = piece.jacobian.subs(dict(zip(local.state, point, strict=True)))
            A = rational_matrix(sp.ImmutableMatrix(jacobian), "the Jacobian")
            if piece.is_affine(local.state):
                constant[signature] = A
        product = A * product
    return product


def piece_around(local: SymbolicMap, point: Point) -> SmoothPiece:
    """Return the piece that the map takes around a point.

    Raises
    ------
    UnknownError
        When a guard vanishes there.
    """
    return _smooth(local, point, signature_at(local, point))


def _smooth(local: SymbolicMap, point: Point, seen: Signature) -> SmoothPiece:
    if 0 in seen:
        raise UnknownError(f"a point of the cycle, ({', '.join(map(str, point))}), is on a guard")
    return local.piece(seen)


def conditions_at(local: SymbolicMap, point: Point) -> tuple[tuple[int, sp.Expr], ...]:
    """Return the guards that the map meets at a point, with their signs."""
    return local.piece(signature_at(local, point)).conditions


def signature_at(local: SymbolicMap, point: Point) -> Signature:
    """Return the signs of the guards at a point."""
    return seen_at(local, dict(zip(local.state, point, strict=True)))


def judged(polynomial: fmpq_poly, affine: bool) -> tuple[bool | None, bool | None, str]:
    """Decide from the characteristic polynomial of the multiplier whether a cycle attracts, and whether it repels.

    Parameters
    ----------
    polynomial : fmpq_poly
    affine : bool
        Whether the map is affine near the cycle; the multiplier then decides when its spectral radius is 1, too.

    Returns
    -------
    attracting : bool or None
    repelling : bool or None
    reason : str
        Why the first is undecided.

    Examples
    --------
    >>> judged(fmpq_poly([fmpq(-1, 2), 1]), False)
    (True, False, '')
    >>> judged(fmpq_poly([1, 1]), True), judged(fmpq_poly([1, 1]), False)[0]
    ((False, False, ''), None)
    """
    if is_schur_stable(polynomial):
        return True, False, ""
    backwards = fmpq_poly(list(reversed(polynomial.coeffs())))
    repelling = polynomial[0] != 0 and is_schur_stable(backwards)
    if affine or exceeds_one(polynomial):
        return False, repelling, ""
    return None, repelling, "the spectral radius of its multiplier is 1, and the map is not affine there"


def radius_bounds(polynomial: fmpq_poly) -> tuple[fmpq, fmpq]:
    """Bound the largest root modulus from both sides, equal when it is rational.

    Examples
    --------
    >>> radius_bounds(fmpq_poly([fmpq(3, 4), -2, 1]))
    (3/2, 3/2)
    """
    lower = modulus_lower(polynomial, accuracy=_ACCURACY)
    if lower == 0 or not exceeds_one(scale_roots(polynomial, lower)):
        return lower, lower
    upper = lower * (1 + _ACCURACY)
    while not is_schur_stable(scale_roots(polynomial, upper)):
        upper += upper * _ACCURACY * 1000
    return lower, upper
