"""How large the roots of a rational polynomial are: decided exactly, never from floating-point roots.

The Schur-Cohn (Jury) test decides whether all roots lie in the open unit disc; scaling the variable turns that into a
test against any rational radius, and the trace polynomial with Sturm's theorem settles roots on the circle itself.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from flint import arb, ctx, fmpq, fmpq_poly, fmpz

from piggycheck.errors import NumberError, PiggycheckError

__all__ = [
    "exceeds_one",
    "is_schur_stable",
    "modulus_lower",
    "root_lower",
    "root_upper",
    "scale_roots",
    "simplest_between",
    "unit_circle_part",
]

_SMALL_DENOMINATOR = 10**6
_RELATIVE_ERROR = fmpq(1, 10**9)


def is_schur_stable(poly: fmpq_poly) -> bool:
    """Decide whether all roots lie in the open unit disc.

    Parameters
    ----------
    poly : fmpq_poly
        A polynomial that is not zero.

    Returns
    -------
    bool
        Both answers are theorems: False means that some root has modulus at least 1. A constant has no roots: True.

    Raises
    ------
    NumberError
        For the zero polynomial.

    Examples
    --------
    >>> is_schur_stable(fmpq_poly([fmpq(3, 4), fmpq(-3, 2), 1]))
    True
    >>> is_schur_stable(fmpq_poly([1, 0, 1]))
    False

    Notes
    -----
    The Schur-Cohn recursion over the integers. When this fails: it does not; coefficients double their length in each
    of the ``degree`` steps, so degrees beyond a few dozen are slow.

    References
    ----------
    E. I. Jury, Theory and Application of the z-Transform Method, 1964, chapter 3.
    """
    coefficients = _integer_coefficients(poly)
    while len(coefficients) > 1:
        first, last = coefficients[0], coefficients[-1]
        if abs(first) >= abs(last):
            return False
        if first == 0:
            coefficients = coefficients[1:]
            continue
        coefficients = [
            last * high - first * low for high, low in zip(coefficients[1:], reversed(coefficients[:-1]), strict=True)
        ]
        coefficients = _without_content(coefficients)
    return True


def scale_roots(poly: fmpq_poly, radius: fmpq) -> fmpq_poly:
    """Return ``poly(radius * z)``, whose roots are the roots of `poly` divided by `radius`.

    Parameters
    ----------
    poly : fmpq_poly
    radius : fmpq
        Not zero.

    Returns
    -------
    fmpq_poly

    Raises
    ------
    NumberError
        When the radius is zero.

    Examples
    --------
    >>> scale_roots(fmpq_poly([-6, 1]), fmpq(2))
    2*x + (-6)

    Notes
    -----
    When this fails: only for the radius zero.
    """
    if radius == 0:
        raise NumberError("the radius is 0; write a nonzero radius")
    power = fmpq(1)
    scaled = []
    for coefficient in poly.coeffs():
        scaled.append(coefficient * power)
        power *= radius
    return fmpq_poly(scaled)


def exceeds_one(poly: fmpq_poly) -> bool:
    """Decide whether some root has modulus greater than 1; exact in all cases, roots on the unit circle included.

    Parameters
    ----------
    poly : fmpq_poly
        A polynomial that is not zero.

    Returns
    -------
    bool
        Both answers are theorems.

    Raises
    ------
    NumberError
        For the zero polynomial.

    Examples
    --------
    >>> exceeds_one(fmpq_poly([1, 0, 1]))
    False
    >>> lehmer = fmpq_poly([1, 1, 0, -1, -1, -1, -1, -1, 0, 1, 1])
    >>> exceeds_one(lehmer)
    True

    Notes
    -----
    Roots on the circle come in pairs with their inverses, so they are roots of the greatest common divisor of the
    polynomial and its reversal. That divisor is a polynomial in ``y = z + 1/z``; its roots all lie on the circle
    exactly when all roots in y are real and in (-2, 2), which Sturm's theorem counts. When this fails: it does not.
    """
    if is_schur_stable(poly):
        return False
    squarefree = _squarefree_part(poly)
    reciprocal = unit_circle_part(poly)
    if not is_schur_stable(squarefree // reciprocal):
        return True
    for root in (1, -1):
        if reciprocal(root) == 0:
            reciprocal = reciprocal // fmpq_poly([-root, 1])
    trace = _trace_polynomial(reciprocal)
    return _count_real_roots(trace, fmpq(-2), fmpq(2)) < trace.degree()


def unit_circle_part(poly: fmpq_poly) -> fmpq_poly:
    """Return the monic polynomial whose roots, all simple, are the roots of `poly` that are inverses of roots.

    Parameters
    ----------
    poly : fmpq_poly
        A polynomial that is not zero.

    Returns
    -------
    fmpq_poly
        Its roots are exactly the roots on the unit circle when `poly` has no root outside it.

    Raises
    ------
    NumberError
        For the zero polynomial.

    Examples
    --------
    >>> unit_circle_part(fmpq_poly([1, 0, 1]) ** 2 * fmpq_poly([-1, 2]))
    x^2 + 1

    Notes
    -----
    When this fails: pairs of roots such as 2 and 1/2 belong to it too; see `exceeds_one`.
    """
    _integer_coefficients(poly)
    squarefree = _squarefree_part(poly)
    return squarefree.gcd(_reversal(squarefree))


def modulus_lower(poly: fmpq_poly, above: fmpq | None = None, accuracy: fmpq = _RELATIVE_ERROR) -> fmpq:
    """Return a rational number that some root reaches or exceeds in modulus, proved by the Jury test.

    Parameters
    ----------
    poly : fmpq_poly
        A polynomial with at least one root.
    above : fmpq, optional
        A number that some root is known to exceed; the answer exceeds it too.
    accuracy : fmpq
        A positive number.

    Returns
    -------
    fmpq
        The largest root modulus itself when a rational root has it, or when it is rational with a denominator up to
        10**6; otherwise a lower bound within about this relative distance of it.

    Raises
    ------
    NumberError
        When there is no root, or no root that exceeds `above`.

    Examples
    --------
    >>> modulus_lower(fmpq_poly([fmpq(81, 256), fmpq(45, 32), 1]))
    9/8
    >>> bound = modulus_lower(fmpq_poly([-2, 0, 1]))
    >>> bound**2 < 2, round(float(bound), 6)
    (True, 1.414214)

    Notes
    -----
    Enclosures of the roots guess; the Jury test on ``poly(r z)`` proves. When this fails: complex roots whose modulus
    is rational with a denominator beyond 10**6 are only approached.
    """
    if poly.degree() < 1:
        raise NumberError("the polynomial is constant and has no roots; write one of degree 1 or more")
    low, high = _largest_modulus(poly, accuracy)
    candidates = [abs(root) for root, _ in poly.roots() if abs(root) >= low]
    candidates.sort(reverse=True)
    if high > 0:
        exact = simplest_between(low, high)
        if exact.q <= _SMALL_DENOMINATOR:
            candidates.append(exact)
        if low > 0:
            candidates.append(simplest_between(low - low * accuracy, low))
    candidates.append(fmpq(0))
    for candidate in candidates:
        if (above is None or candidate > above) and _reaches(poly, candidate):
            return candidate
    if above is None:
        raise PiggycheckError("no bound on the roots was proved; please report the polynomial")
    return _just_above(poly, above)


def simplest_between(low: fmpq, high: fmpq) -> fmpq:
    """Return the rational number with the smallest denominator in a closed interval.

    Parameters
    ----------
    low, high : fmpq
        Ends of the interval, ``low <= high``.

    Returns
    -------
    fmpq

    Raises
    ------
    NumberError
        When the interval is empty.

    Examples
    --------
    >>> simplest_between(fmpq(314, 100), fmpq(315, 100))
    22/7

    Notes
    -----
    The Stern-Brocot tree, walked by continued fractions. When this fails: only for an empty interval.
    """
    if low > high:
        raise NumberError(f"the interval from {low} to {high} is empty; write the smaller end first")
    if low <= 0 <= high:
        return fmpq(0)
    if high < 0:
        return -simplest_between(-high, -low)
    whole = []
    while True:
        ceiling = low.ceil()
        if ceiling <= high:
            break
        floor = low.floor()
        whole.append(floor)
        low, high = 1 / (high - floor), 1 / (low - floor)
    value = fmpq(ceiling)
    for part in reversed(whole):
        value = part + 1 / value
    return value


def root_lower(value: fmpq, degree: int, accuracy: fmpq = _RELATIVE_ERROR) -> fmpq:
    """Return a simple rational h with ``h**degree <= value``, near the root.

    Parameters
    ----------
    value : fmpq
        Not negative. When it exceeds 1, so does the answer.
    degree : int
        At least 1.
    accuracy : fmpq
        A positive number: about how far the answer may lie below the root, relative to it.

    Returns
    -------
    fmpq

    Raises
    ------
    NumberError
        When the value is negative or the degree is not positive.

    Examples
    --------
    >>> h = root_lower(fmpq(9, 8), 4)
    >>> h**4 <= fmpq(9, 8), round(float(h), 6)
    (True, 1.029884)
    >>> root_lower(fmpq(4, 9), 2)
    2/3

    Notes
    -----
    When this fails: it does not; huge degrees are slow.
    """
    low, high = _root_enclosure(value, degree, accuracy)
    if low == 0:
        return fmpq(0)
    exact = simplest_between(low, high)
    if exact**degree <= value:
        return exact
    start = low - low * accuracy
    return simplest_between(max(start, (1 + low) / 2) if low > 1 else start, low)


def root_upper(value: fmpq, degree: int) -> fmpq:
    """Return a simple rational h with ``h**degree >= value``, within a relative distance of about 1e-9 of the root.

    Parameters
    ----------
    value : fmpq
        Not negative. When it is below 1, so is the answer.
    degree : int
        At least 1.

    Returns
    -------
    fmpq

    Raises
    ------
    NumberError
        When the value is negative or the degree is not positive.

    Examples
    --------
    >>> h = root_upper(fmpq(2), 2)
    >>> h**2 >= 2, round(float(h), 6)
    (True, 1.414214)

    Notes
    -----
    When this fails: it does not; huge degrees are slow.
    """
    low, high = _root_enclosure(value, degree, _RELATIVE_ERROR)
    exact = simplest_between(low, high)
    if exact**degree >= value:
        return exact
    end = high + high * _RELATIVE_ERROR
    return simplest_between(high, min(end, (1 + high) / 2) if high < 1 else end)


def _root_enclosure(value: fmpq, degree: int, accuracy: fmpq) -> tuple[fmpq, fmpq]:
    """Enclose the root in a dyadic interval of at most this relative width, on one side of 1."""
    if value < 0 or degree < 1:
        raise NumberError(f"no root of degree {degree} of {value}; write a nonnegative value and a degree of 1 or more")
    if value == 0 or degree == 1:
        return value, value
    bits = 40
    while True:
        floor = _integer_root((value * fmpq(2) ** (bits * degree)).floor(), degree)
        low, high = fmpq(floor) / fmpq(2) ** bits, fmpq(floor + 1) / fmpq(2) ** bits
        fine = (high - low) <= low * accuracy
        if fine and (low > 1 or value <= 1) and (high < 1 or value >= 1):
            return low, high
        bits *= 2


def _integer_root(value: fmpz, degree: int) -> fmpz:
    """The integer part of the root, by Newton's iteration from above."""
    if value == 0:
        return fmpz(0)
    guess = fmpz(1) << (-(-value.bit_length() // degree))
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


def _integer_coefficients(poly: fmpq_poly) -> list[fmpz]:
    if poly.degree() < 0:
        raise NumberError("the polynomial is zero; write a polynomial with a nonzero coefficient")
    return list(poly.numer().coeffs())


def _without_content(coefficients: list[fmpz]) -> list[fmpz]:
    content = fmpz(0)
    for coefficient in coefficients:
        content = content.gcd(coefficient)
    if content > 1:
        return [coefficient // content for coefficient in coefficients]
    return coefficients


def _reaches(poly: fmpq_poly, radius: fmpq) -> bool:
    """Whether some root has modulus at least `radius`."""
    return radius <= 0 or not is_schur_stable(scale_roots(poly, radius))


def _just_above(poly: fmpq_poly, above: fmpq) -> fmpq:
    """A radius above `above` that some root reaches, for roots that exceed it by very little."""
    if above <= 0:
        poly = poly.right_shift(_zero_roots(poly))
        if poly.degree() < 1:
            raise NumberError(f"no root exceeds {above}; write a smaller bound")
    elif not exceeds_one(scale_roots(poly, above)):
        raise NumberError(f"no root exceeds {above}; write a smaller bound")
    step = fmpq(1, 2)
    while not _reaches(poly, above + step):
        step *= step
    return above + step


def _zero_roots(poly: fmpq_poly) -> int:
    return next(index for index, coefficient in enumerate(poly.coeffs()) if coefficient != 0)


def _largest_modulus(poly: fmpq_poly, accuracy: fmpq) -> tuple[fmpq, fmpq]:
    """A narrow interval around the largest root modulus, from the rigorous root enclosures of flint."""
    low = high = fmpq(0)
    digits = (1 / accuracy).ceil().bit_length()
    with ctx.workprec(int(max(53, digits + 13))):
        roots: Any = poly.complex_roots()
        for root, _ in roots:
            modulus: arb = abs(root)
            low = max(low, _dyadic(modulus.lower()))
            high = max(high, _dyadic(modulus.upper()))
    return low, high


def _dyadic(value: arb) -> fmpq:
    mantissa, exponent = value.man_exp()
    return fmpq(mantissa) * fmpq(2) ** exponent


def _squarefree_part(poly: fmpq_poly) -> fmpq_poly:
    poly = poly.right_shift(_zero_roots(poly))
    return poly // poly.gcd(poly.derivative())


def _reversal(poly: fmpq_poly) -> fmpq_poly:
    return fmpq_poly(list(reversed(poly.coeffs())))


def _trace_polynomial(poly: fmpq_poly) -> fmpq_poly:
    """The polynomial T with ``poly = z^m T(z + 1/z)``, for a palindromic `poly` of degree 2m."""
    half, odd = divmod(poly.degree(), 2)
    if odd or poly * _reversal(poly).leading_coefficient() != _reversal(poly) * poly.leading_coefficient():
        raise PiggycheckError("a self-reciprocal polynomial was expected; please report the polynomial")
    y = fmpq_poly([0, 1])
    before, power = fmpq_poly([2]), y
    trace = fmpq_poly([poly[half]])
    for k in range(1, half + 1):
        trace += poly[half + k] * power
        before, power = power, y * power - before
    return trace


def _count_real_roots(poly: fmpq_poly, low: fmpq, high: fmpq) -> int:
    """Count the real roots of a squarefree polynomial between two points that are not roots (Sturm)."""
    chain = [poly, poly.derivative()]
    while chain[-1].degree() > 0:
        chain.append(-(chain[-2] % chain[-1]))
    return _variations([p(low) for p in chain]) - _variations([p(high) for p in chain])


def _variations(values: list[fmpq]) -> int:
    signs = [value > 0 for value in values if value != 0]
    return sum(a != b for a, b in pairwise(signs))
