"""The order of two algebraic numbers, exactly: by enclosures that are apart, or because they are the same root."""

from __future__ import annotations

from piggycheck.errors import UnknownError
from piggycheck.rates.algebraic import AlgebraicNumber, same_root

__all__ = ["inside", "ordered"]

_FIRST_DIGITS, _MOST_DIGITS = 10, 10_240


def ordered(one: AlgebraicNumber, other: AlgebraicNumber) -> tuple[int, AlgebraicNumber, AlgebraicNumber]:
    """Return which of two numbers is larger, and both between bounds that show it.

    Parameters
    ----------
    one, other : AlgebraicNumber

    Returns
    -------
    int
        -1, 0 or 1 when the first is smaller, equal or larger.
    AlgebraicNumber, AlgebraicNumber
        The same numbers between bounds inside those that they had: the same bounds when they are equal, and otherwise
        bounds that are apart.

    Raises
    ------
    UnknownError
        When they differ by less than about 10**-10000.

    Examples
    --------
    >>> from flint import fmpq_poly
    >>> from piggycheck.rates.modulus import largest_modulus
    >>> root, larger = (largest_modulus(fmpq_poly([n, 0, 1])).modulus for n in (-2, -3))
    >>> ordered(root, larger)[0], ordered(larger, root)[0], ordered(root, root)[0]
    (-1, 1, 0)

    Notes
    -----
    Polynomials are minimal, so numbers with different ones differ, and close bounds tell which is larger.
    Where the polynomial is the same, the numbers are equal when it is monotonic on an interval that contains both.
    """
    if one.polynomial == other.polynomial and same_root(one, other):
        lower, upper = max(one.lower, other.lower), min(one.upper, other.upper)
        same = AlgebraicNumber(one.polynomial, lower, upper)
        return 0, same, same
    digits = _FIRST_DIGITS
    while not (one.upper < other.lower or other.upper < one.lower):
        if digits > _MOST_DIGITS:
            raise UnknownError(f"which of two rates is larger was not decided with {_MOST_DIGITS} digits")
        one, other = inside(one, digits), inside(other, digits)
        digits *= 2
    return (-1 if one.upper < other.lower else 1), one, other


def inside(number: AlgebraicNumber, digits: int) -> AlgebraicNumber:
    """Return the number between bounds with so many digits, and inside those that it had."""
    narrow = number.narrowed(digits)
    return AlgebraicNumber(number.polynomial, max(narrow.lower, number.lower), min(narrow.upper, number.upper))
