"""The exact asymptotic rate along one affine piece whose numbers are made of square roots of rational ones.

The minimal polynomial of the errors has irrational coefficients. Conjugates, with other signs of the square roots,
belong to other sequences: the bounds of the modulus hold for the polynomial itself, and the product of all conjugates
of the polynomial of products of two roots, which is rational, has one root between the squares of the bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .intervals import ONE, ZERO, Interval
from .irrational_errors import Errors, Neighbourhood
from .matrices import Matrix, has_root_beyond
from .polynomials import Polynomial, derivative, divided, read_polynomial, squares_of_roots, value
from .radicals import conjugate, prime_of, read_numbers, same, terms_of
from .reading import Data, Refused, Unreadable, array, fields, number
from .subject import FixedPoint, Subject

MOST_PRODUCTS = 60
TRIES = 3

Coefficients = list[Interval]  # of a polynomial, the constant one first


def rate_of(
    claim: Data, subject: Subject, witness: Data, columns: Sequence[int] | None = None
) -> tuple[Fraction, Fraction, Polynomial]:
    """Bounds of the rate, of all columns or some, and a polynomial of which it is the only root between them."""
    if not isinstance(subject, FixedPoint):
        raise Unreadable("`between` stands in the witness when the claim is about a map")
    data = fields(witness["number"], "number", ("polynomial", "lower", "upper"))
    R = read_polynomial(data["polynomial"], "number.polynomial")
    lower, upper = number(data["lower"], "number.lower"), number(data["upper"], "number.upper")
    low, high = (number(end, "between") for end in array(witness["between"], "between", 2))
    if not 0 <= low <= lower <= upper <= high or (witness["method"] == "local" and upper >= 1):
        raise Refused("the bounds of the rate are negative, in the wrong order, or not below 1")
    q = read_numbers(witness["annihilator"], "annihilator")
    if not q or not same(q[-1], ONE) or q[0].is_zero:
        raise Refused("the annihilator is not monic, or has the root 0")
    near = Neighbourhood(claim, subject, witness)
    n = near.order()
    if len(q) > n + 1:
        raise Refused("the annihilator has too high a degree")
    errors = near.errors(n + len(q) - 1, columns)
    require_annihilated(errors, q, n)
    require_minimal(errors, len(q) - 1)
    dominant = [read_numbers(g, "dominant") for g in array(witness["dominant"], "dominant")]
    if len(q) == 1:
        if dominant or high or R != [0, 1]:
            raise Refused("the errors vanish, and the rate is not 0")
        return lower, upper, R
    require_dominant(q, dominant, low)
    if not (value(R, lower) * value(R, upper) < 0 or value(R, lower) == 0 or value(R, upper) == 0):
        raise Refused("the polynomial of the rate is not shown to have a root between the bounds")
    for g in dominant:
        require_modulus(g, R, low, high)
    return lower, upper, R


# -- the polynomial of least degree --------------------------------------------------------------------------------


def require_annihilated(errors: Errors, q: Coefficients, n: int) -> None:
    """Refuse unless sum q_i y_(s + i) = 0 for n indices s; as what is left follows a recursion of order n, for all."""
    for s in range(n):
        for column in zip(*errors[s : s + len(q)], strict=True):
            if not sum((c * y for c, y in zip(q, column, strict=True)), ZERO).is_zero:
                raise Refused("the polynomial does not annihilate the errors")


def require_minimal(errors: Errors, d: int) -> None:
    """Refuse unless a combination of the coordinates follows no shorter recursion."""
    for seed in range(1, TRIES + 1):
        s = [sum((Interval(1 + seed * i + i * i) * y for i, y in enumerate(row)), ZERO) for row in errors]
        if nonsingular([[s[i + j] for j in range(d)] for i in range(d)]):
            return
    raise Refused("a shorter recursion may annihilate the errors")


def nonsingular(rows: Matrix) -> bool:
    """Whether a matrix is invertible."""
    for k in range(len(rows)):
        found = next((i for i in range(k, len(rows)) if not rows[i][k].is_zero), None)
        if found is None:
            return False
        rows[k], rows[found] = rows[found], rows[k]
        back = rows[k][k].reciprocal()
        for i in range(k + 1, len(rows)):
            factor = -(rows[i][k] * back)
            rows[i] = [a + factor * b for a, b in zip(rows[i], rows[k], strict=True)]
    return True


# -- its roots -----------------------------------------------------------------------------------------------------


def quotient(p: Coefficients, g: Coefficients) -> tuple[Coefficients, bool]:
    """The quotient by a polynomial, and whether there is no remainder."""
    rest, found, back = list(p), list[Interval](), g[-1].reciprocal()
    while len(rest) >= len(g):
        found.append(rest[-1] * back)
        factor, shift = -found[-1], len(rest) - len(g)
        rest = [*rest[:shift], *(a + factor * b for a, b in zip(rest[shift:-1], g[:-1], strict=True))]
    return found[::-1], all(a.is_zero for a in rest)


def reaches(p: Coefficients, r: Fraction) -> bool:
    """Whether a root has modulus >= r; in bounds of the coefficients, which are short."""
    back = p[-1].reciprocal()
    monic = [c * back for c in p[:-1]]
    return len(p) > 1 and has_root_beyond([ONE, *(Interval(c.lo, c.hi) for c in reversed(monic))], r)


def require_dominant(q: Coefficients, dominant: list[Coefficients], low: Fraction) -> None:
    """Refuse unless the factors divide the polynomial, and all other roots have a smaller modulus than the bound."""
    if not dominant or low <= 0:
        raise Refused("there is no dominant factor, or the lower bound is not positive")
    rest = q
    for g in dominant:
        if len(g) < 2 or g[-1].is_zero or not quotient(q, g)[1]:
            raise Refused("a dominant factor does not divide the annihilator")
        following, divides = quotient(rest, g)
        while divides and len(rest) >= len(g):
            rest = following
            following, divides = quotient(rest, g)
    if reaches(rest, low):
        raise Refused("another root of the annihilator may be as large")


def require_modulus(g: Coefficients, R: Polynomial, low: Fraction, high: Fraction) -> None:
    """Refuse unless the largest modulus of a root of g is between the bounds, and the only root of R there."""
    if reaches(g, high) or not reaches(g, low):
        raise Refused("the largest modulus of a factor is not between the bounds")
    S = squares_of_roots(R)
    rest, remainder = divided(norm(products_of_roots(g)), S)
    if remainder:
        raise Refused("the polynomial of the rate does not divide that of the moduli")
    while not remainder:
        others = rest
        rest, remainder = divided(rest, S)
    if may_vanish(others, low * low, high * high) or may_vanish(derivative(S), low * low, high * high):
        raise Refused("the bounds do not separate the largest modulus of a factor")


def may_vanish(p: Polynomial, low: Fraction, high: Fraction) -> bool:
    """Whether a polynomial may have a root between two numbers."""
    x, total = Interval(low, high), ZERO
    for c in reversed(p):
        total = total * x + Interval(c)
    return total.lo <= 0 <= total.hi


def products_of_roots(g: Coefficients) -> Coefficients:
    """The polynomial whose roots are the products of two roots (Newton's identities)."""
    n, back = len(g) - 1, g[-1].reciprocal()
    count = n * (n + 1) // 2
    a, sums = [c * back for c in reversed(g)], [Interval(n)]
    for k in range(1, 2 * count + 1):
        total = sum((a[i] * sums[k - i] for i in range(1, min(k - 1, n) + 1)), ZERO)
        sums.append(-(total + a[k] * Interval(k) if k <= n else total))
    found = [ONE]
    for k in range(1, count + 1):
        total = ZERO
        for i in range(1, k + 1):
            total = total + found[k - i] * (sums[i] * sums[i] + sums[2 * i]) * Interval(Fraction(1, 2))
        found.append(total * Interval(Fraction(-1, k)))
    return found[::-1]


def norm(p: Coefficients) -> Polynomial:
    """The product of conjugates, which is rational: one of each that the signs of the square roots make."""
    while irrational := [m for c in p for m in terms_of(c) if m > 1]:
        prime = prime_of(max(irrational))
        turned = [conjugate(c, prime) for c in p]
        if 2 * len(p) - 2 > MOST_PRODUCTS:
            raise Refused(f"a polynomial of moduli has a degree above {MOST_PRODUCTS}")
        product = [ZERO] * (2 * len(p) - 1)
        for i, a in enumerate(p):
            for j, b in enumerate(turned):
                product[i + j] = product[i + j] + a * b
        p = product
    return [c.lo for c in p]
