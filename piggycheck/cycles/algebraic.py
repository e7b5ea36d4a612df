"""Signs and sizes of polynomials at roots of irreducible ones: zero by division, the rest in balls."""

from __future__ import annotations

from flint import arb, arb_poly, ctx, fmpq, fmpq_poly

from piggycheck.arithmetic import bounds
from piggycheck.common_roots import Root
from piggycheck.errors import UnknownError

__all__ = ["PRECISIONS", "modulus_at", "sign_at", "stability_at"]

PRECISIONS = (128, 512, 2048, 8192)


def sign_at(root: Root, polynomial: fmpq_poly) -> int:
    """The sign of a polynomial at a root; 0 exactly when the irreducible one divides it.

    Examples
    --------
    >>> golden = Root((fmpq(-1), fmpq(-1), fmpq(1)), 1)
    >>> sign_at(golden, fmpq_poly([-8, 5])), sign_at(golden, fmpq_poly([-1, -1, 1]))
    (1, 0)
    """
    rest = polynomial % root.factor
    if rest == 0:
        return 0
    for precision in PRECISIONS:
        with ctx.workprec(precision):
            value = arb_poly(rest)(root.ball())
            if value > 0:
                return 1
            if value < 0:
                return -1
    raise UnknownError("the sign of a guard was not decided")


def modulus_at(root: Root, slope: fmpq_poly) -> tuple[fmpq, fmpq]:
    """Bounds on the modulus of a polynomial at a root, equal where it is rational, otherwise on one side of 1."""
    rest = slope % root.factor
    if rest.degree() < 1:
        return abs(rest[0]), abs(rest[0])
    for precision in PRECISIONS:
        with ctx.workprec(precision):
            value = abs(arb_poly(rest)(root.ball()))
            if value > 1 or value < 1:
                return bounds(value)
    raise UnknownError("whether the multiplier is below 1 was not decided")


def stability_at(root: Root, coefficients: list[fmpq_poly]) -> tuple[bool | None, bool | None]:
    """Whether all roots of a polynomial have moduli below 1, and whether all have moduli above 1.

    Parameters
    ----------
    root : Root
    coefficients : list of fmpq_poly
        The constant one first; each is a polynomial in the root.

    Returns
    -------
    stable, repelling : bool or None
        False when some root has a modulus above 1, and below 1, respectively.
    """
    stable = repelling = None
    for precision in PRECISIONS:
        with ctx.workprec(precision):
            balls = [arb_poly(c)(root.ball()) for c in coefficients]
            stable = _is_stable(balls) if stable is None else stable
            repelling = _is_stable(balls[::-1]) if repelling is None else repelling
        if stable is not None and repelling is not None:
            break
    return stable, repelling


def _is_stable(coefficients: list[arb]) -> bool | None:
    """The test of Schur and Cohn: False when some root is outside of the closed disc; None when that is not seen."""
    while len(coefficients) > 1:
        first, last = coefficients[0], coefficients[-1]
        if abs(first) > abs(last):
            return False
        if not abs(first) < abs(last):
            return None
        pairs = zip(coefficients[1:], coefficients[-2::-1], strict=True)
        coefficients = [last * high - first * low for high, low in pairs]
    return True
