"""The largest modulus of the roots of a rational polynomial, as an exact algebraic number.

The products of any two roots of a polynomial are the roots of another one, and the largest modulus squared is the
largest real root of that: a root times its conjugate is real, and no product is larger. Where all roots are real, their
squares do. So the modulus is found, and can be checked, with rational arithmetic alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq, fmpq_poly

from piggycheck.arithmetic import ALGEBRAIC, Balls, Evaluator, bounds, rational, to_sympy
from piggycheck.errors import NumberError, UnknownError
from piggycheck.roots import is_schur_stable, scale_roots

__all__ = [
    "AlgebraicNumber",
    "LargestModulus",
    "largest_modulus",
    "number_with_square",
    "pair_polynomial",
    "same_root",
    "square_polynomial",
]

_FIRST_BITS, _MOST_BITS, _GUARD_BITS = 64, 1 << 14, 32
_MOST_COMPLEX = 16
_FIRST_DIGITS, _MOST_DIGITS = 10, 640
_X = sp.Symbol("x")


@dataclass(frozen=True)
class AlgebraicNumber:
    """A real number that is not negative: the one root of an irreducible integer polynomial between two rationals.

    Attributes
    ----------
    polynomial : tuple of int
        Coefficients from the constant one on, without a common factor, the last one positive.
    lower, upper : fmpq
        Equal when the number is rational.

    Examples
    --------
    >>> half_root = largest_modulus(fmpq_poly([fmpq(3, 4), fmpq(-3, 4), 1])).modulus
    >>> half_root.polynomial, half_root.closed_form, half_root.decimals(6)
    ((-3, 0, 4), sqrt(3)/2, '0.866025')

    Notes
    -----
    When this fails: `closed_form` is known up to degree 2, and for square roots of such numbers.
    """

    polynomial: tuple[int, ...]
    lower: fmpq
    upper: fmpq

    @property
    def is_rational(self) -> bool:
        """Whether the number is rational."""
        return len(self.polynomial) == 2

    def enclosure(self, bits: int = _FIRST_BITS) -> arb:
        """Return a ball around the number of about this relative accuracy, by Newton's method for intervals."""
        if self.is_rational:
            with ctx.workprec(bits):
                return arb(self.lower)
        poly = fmpq_poly(list(self.polynomial))
        low, high = self.lower, self.upper
        with ctx.workprec(bits + _GUARD_BITS + poly.degree()):
            ball = arb(low).union(arb(high))
            while not _is_monotonic(poly, ball):
                low, high = _halved(poly, low, high)
                ball = arb(low).union(arb(high))
        return _by_newton(poly, ball, bits)

    def _may_be(self, ball: arb) -> bool:
        low, high = bounds(ball)
        return low <= self.upper and self.lower <= high

    def narrowed(self, digits: int) -> AlgebraicNumber:
        """Return the same number between neighbouring decimal fractions of so many digits."""
        if self.is_rational:
            return self
        bits = 4 * digits + _FIRST_BITS
        scale = fmpq(10) ** digits
        while True:
            low, high = bounds(self.enclosure(bits))
            floor = (low * scale).floor()
            if floor == (high * scale).floor():
                return AlgebraicNumber(self.polynomial, fmpq(floor) / scale, fmpq(floor + 1) / scale)
            bits *= 2

    @cached_property
    def closed_form(self) -> sp.Expr | None:
        """The number in square roots, where it has such a form of few signs."""
        if self.is_rational:
            return to_sympy(self.lower)
        forms = _radicals(self.polynomial)
        return next((form for form in forms if self._may_be(_enclosed(form, 4 * _FIRST_BITS))), None)

    def decimals(self, digits: int = 10) -> str:
        """Write the number to so many significant digits, all of them right."""
        if self.lower == self.upper == 0:
            return "0"
        bits = 4 * digits + _FIRST_BITS
        return self.enclosure(bits).str(digits, radius=False)

    def __str__(self) -> str:
        if self.closed_form is not None:
            return str(self.closed_form)
        return f"{self.decimals()}…, an algebraic number of degree {len(self.polynomial) - 1}"

    def equals(self, value: sp.Expr) -> bool:
        """Decide whether the number is an exact constant.

        Raises
        ------
        UnknownError
            When that is not decided.
        """
        if value.is_Rational:
            return self.is_rational and self.lower == rational(value)
        bits = _FIRST_BITS
        while bits <= _MOST_BITS:
            ball = _enclosed(value, bits)
            if not ball.overlaps(self.enclosure(bits)):
                return False
            if bits == 4 * _FIRST_BITS and self._is_root(value):
                break
            bits *= 2
        else:
            raise UnknownError(f"whether the rate is `{value}` was not decided with {_MOST_BITS} bits")
        return self._reaches(value)

    def excludes(self, value: sp.Expr, bits: int = _FIRST_BITS) -> bool:
        """Whether a constant is seen to lie outside the bounds, with so many bits."""
        low, high = bounds(_enclosed(value, bits))
        return high < self.lower or self.upper < low

    def _is_root(self, value: sp.Expr) -> bool:
        try:
            return bool(ALGEBRAIC.normal(sp.Poly(list(reversed(self.polynomial)), _X).eval(value)) == 0)
        except (NotImplementedError, ValueError):
            return False

    def _reaches(self, value: sp.Expr) -> bool:
        """Whether a root of the polynomial is this one."""
        bits = _FIRST_BITS
        while True:
            low, high = bounds(_enclosed(value, bits))
            if self.lower <= low and high <= self.upper:
                return True
            if high < self.lower or self.upper < low:
                return False
            bits *= 2


@dataclass(frozen=True)
class LargestModulus:
    """The largest modulus of the roots of a polynomial, and the factors that reach it.

    Attributes
    ----------
    modulus : AlgebraicNumber
        Between bounds that separate it: the roots of the other factors have moduli below `lower`, and of the products
        of two roots of a dominant factor exactly one value is between the squares of the bounds.
    dominant : tuple of fmpq_poly
        The irreducible factors that have a root of this modulus, with coprime integer coefficients.
    between : pair of fmpq, optional
        Where coefficients are irrational, other bounds around the modulus, which differ.
    """

    modulus: AlgebraicNumber
    dominant: tuple[Any, ...]
    between: tuple[fmpq, fmpq] | None = None


def largest_modulus(poly: fmpq_poly) -> LargestModulus:
    """Return the largest modulus of the roots of a polynomial, exactly.

    Parameters
    ----------
    poly : fmpq_poly
        Not zero. A constant has no roots; the answer is then 0.

    Returns
    -------
    LargestModulus

    Raises
    ------
    NumberError
        For the zero polynomial.
    UnknownError
        When a factor with complex roots has a degree above 16: the polynomial of the modulus would be too large.

    Examples
    --------
    >>> found = largest_modulus(fmpq_poly([3, -3, 4]) * fmpq_poly([-1, 2]) ** 2)
    >>> found.modulus.closed_form, found.dominant
    (sqrt(3)/2, (4*x^2 + (-3)*x + 3,))

    Notes
    -----
    Source: docs/theory/asymptotic-rates.md. When this fails: see Raises.
    """
    if poly.degree() < 0:
        raise NumberError("the polynomial is zero; write a polynomial with a nonzero coefficient")
    factors = [_integral(factor) for factor, _ in poly.factor()[1] if factor != fmpq_poly([0, 1])]
    if not factors:
        return LargestModulus(AlgebraicNumber((0, 1), fmpq(0), fmpq(0)), ())
    known: dict[int, AlgebraicNumber] = {}
    bits = _FIRST_BITS
    while bits <= _MOST_BITS:
        near = _largest(factors, bits)
        if len(near) == 1:
            break
        for i in near:
            known.setdefault(i, _modulus(factors[i]))
        if len({known[i].polynomial for i in near}) == 1 and _same(known[i] for i in near):
            break
        bits *= 2
    else:
        raise UnknownError(f"which factor has the root of largest modulus was not decided with {_MOST_BITS} bits")
    modulus = known[near[0]] if near[0] in known else _modulus(factors[near[0]])
    dominant = tuple(factors[i] for i in near)
    return LargestModulus(_separated(modulus, poly, dominant), dominant)


def pair_polynomial(poly: fmpq_poly) -> fmpq_poly:
    """Return the polynomial of the products of two roots, a root with itself included; of real roots, of the squares.

    Parameters
    ----------
    poly : fmpq_poly
        Without multiple roots.

    Returns
    -------
    fmpq_poly
        Its largest real root is the square of the largest modulus.

    Examples
    --------
    >>> pair_polynomial(fmpq_poly([-2, 0, 1])), pair_polynomial(fmpq_poly([2, 0, 1])).factor()[1]
    (x^2 + (-4)*x + 4, [(x + (-2), 1), (x + 2, 2)])

    Notes
    -----
    Power sums of the products are ``(s_k^2 + s_2k) / 2`` with those of the roots, and Newton's identities give the
    coefficients. When this fails: the degree grows like the square.
    """
    if _all_real(poly):
        mirrored = poly * fmpq_poly([c * (-1) ** i for i, c in enumerate(poly.coeffs())])
        return _monic(fmpq_poly(mirrored.coeffs()[::2]))
    n = poly.degree()
    size = n * (n + 1) // 2
    s = _power_sums(_monic(poly), 2 * size)
    return _from_power_sums([fmpq(size), *((s[k] ** 2 + s[2 * k]) / 2 for k in range(1, size + 1))])


def _power_sums(poly: fmpq_poly, count: int) -> list[fmpq]:
    """The sums of the k-th powers of the roots of a monic polynomial, for k up to `count`."""
    n = poly.degree()
    e = [poly[n - k] for k in range(n + 1)]
    s = [fmpq(n)]
    for k in range(1, count + 1):
        total = -k * e[k] if k <= n else fmpq(0)
        s.append(total - sum((e[j] * s[k - j] for j in range(1, min(k - 1, n) + 1)), fmpq(0)))
    return s


def _from_power_sums(s: Sequence[fmpq]) -> fmpq_poly:
    """The monic polynomial with these power sums of the roots."""
    e = [fmpq(1)]
    for k in range(1, len(s)):
        e.append(-sum((e[k - j] * s[j] for j in range(1, k + 1)), fmpq(0)) / k)
    return fmpq_poly(e[::-1])


def _monic(poly: fmpq_poly) -> fmpq_poly:
    return poly / poly.leading_coefficient()


def _integral(poly: fmpq_poly) -> fmpq_poly:
    """The multiple with coprime integer coefficients, the leading one positive."""
    numerators = poly.numer()
    content = numerators.content() * (1 if poly.leading_coefficient() > 0 else -1)
    return fmpq_poly(numerators) / fmpq(content)


def _complex_roots(poly: fmpq_poly, bits: int) -> list[Any]:
    with ctx.workprec(bits):
        return [root for root, _ in poly.complex_roots()]


def _is_real(root: Any) -> bool:
    return isinstance(root, arb) or bool(root.imag.is_zero())


def _real_roots(poly: fmpq_poly, bits: int) -> list[arb]:
    return [arb(root.real) if hasattr(root, "imag") else root for root in _complex_roots(poly, bits) if _is_real(root)]


def _all_real(poly: fmpq_poly) -> bool:
    return all(map(_is_real, _complex_roots(poly, _FIRST_BITS)))


def _largest(factors: Sequence[fmpq_poly], bits: int) -> list[int]:
    """The factors whose largest modulus may be the largest of all."""
    ends = []
    for factor in factors:
        with ctx.workprec(bits):
            moduli = [bounds(abs(root)) for root in _complex_roots(factor, bits)]
        ends.append((max(low for low, _ in moduli), max(high for _, high in moduli)))
    least = max(low for low, _ in ends)
    return [i for i, (_, high) in enumerate(ends) if high >= least]


def _same(numbers: Iterable[AlgebraicNumber]) -> bool:
    """Whether moduli with the same minimal polynomial are the same root of it."""
    first, *others = numbers
    return all(same_root(first, other) for other in others)


def same_root(one: AlgebraicNumber, other: AlgebraicNumber) -> bool:
    """Whether two numbers with the same minimal polynomial are the same root of it."""
    poly, bits = fmpq_poly(list(one.polynomial)), _FIRST_BITS
    while True:
        with ctx.workprec(bits):
            a, b = one.enclosure(bits), other.enclosure(bits)
            if not a.overlaps(b):
                return False
            if _is_monotonic(poly, a.union(b)):
                return True
        bits *= 2


def _by_newton(poly: fmpq_poly, ball: arb, bits: int) -> arb:
    """A ball of some relative accuracy around the root in a ball, where the polynomial is monotonic."""
    precision = bits + _GUARD_BITS + poly.degree()
    while ball.rel_accuracy_bits() < bits:
        with ctx.workprec(precision):
            middle = ball.mid()
            better = ball.intersection(middle - _at(poly, middle) / _at(poly.derivative(), ball))
        if better.rel_accuracy_bits() <= ball.rel_accuracy_bits():
            precision *= 2
        ball = better
    return ball


def _halved(poly: fmpq_poly, low: fmpq, high: fmpq) -> tuple[fmpq, fmpq]:
    """The half of an interval in which the one root between its ends lies."""
    middle = (low + high) / 2
    return (middle, high) if (poly(middle) > 0) == (poly(low) > 0) else (low, middle)


def _is_monotonic(poly: fmpq_poly, ball: arb) -> bool:
    return not _at(poly.derivative(), ball).contains(0)


def _at(poly: fmpq_poly, ball: arb) -> arb:
    total = arb(0)
    for c in reversed(poly.coeffs()):
        total = total * ball + arb(c)
    return total


def _modulus(poly: fmpq_poly) -> AlgebraicNumber:
    """The largest modulus of the roots of an irreducible polynomial."""
    if poly.degree() == 1:
        root = abs(poly[0] / poly[1])
        return AlgebraicNumber((-int(root.p), int(root.q)), root, root)
    if poly.degree() > _MOST_COMPLEX and not _all_real(poly):
        raise UnknownError(
            f"a factor of degree {poly.degree()} has complex roots; the modulus of those is found up to degree "
            f"{_MOST_COMPLEX}"
        )
    return number_with_square(pair_polynomial(poly), lambda bits: _enclosed_modulus(poly, bits))


def number_with_square(poly: fmpq_poly, place: Callable[[int], arb]) -> AlgebraicNumber:
    """Return the positive number, in balls of so many bits, of which the square is a root of a polynomial."""
    square, _ = _factor_with(poly, lambda bits: place(bits) ** 2)
    found, ball = _factor_with(square(fmpq_poly([0, 0, 1])), place)
    if found.degree() == 1:
        root = -found[0] / found[1]
        return AlgebraicNumber((-int(root.p), int(root.q)), root, root)
    low, high = bounds(ball)
    return AlgebraicNumber(tuple(int(c.p) for c in found.coeffs()), low, high)


def _enclosed_modulus(poly: fmpq_poly, bits: int) -> arb:
    """A ball around the largest modulus."""
    with ctx.workprec(bits):
        moduli = [abs(root) for root in _complex_roots(poly, bits)]
        low, high = max(m.lower() for m in moduli), max(m.upper() for m in moduli)
        return low.union(high)


def _factor_with(poly: fmpq_poly, place: Any) -> tuple[fmpq_poly, arb]:
    """The irreducible factor that has a number as a root, and a ball around it that has no other root of it."""
    factors = [_integral(factor) for factor, _ in poly.factor()[1]]
    bits = _FIRST_BITS
    while True:
        with ctx.workprec(bits + poly.degree()):
            ball = place(bits)
            near = [f for f in factors if _at(f, ball).contains(0)]
            if len(near) == 1 and _is_monotonic(near[0], ball):
                return near[0], ball
        bits *= 2


def _separated(modulus: AlgebraicNumber, poly: fmpq_poly, dominant: Sequence[fmpq_poly]) -> AlgebraicNumber:
    """The modulus between bounds that nothing else reaches."""
    rest = poly
    for factor in dominant:
        while (rest % factor).degree() < 0:
            rest = rest // factor
    if rest.degree() >= 0 and (zeros := next(i for i, c in enumerate(rest.coeffs()) if c != 0)):
        rest = rest.right_shift(zeros)
    digits = _FIRST_DIGITS
    while digits <= _MOST_DIGITS:
        found = modulus.narrowed(digits)
        if found.lower > 0 and _is_below(rest, found.lower) and all(_is_alone(found, g) for g in dominant):
            return found
        digits *= 2
    raise UnknownError(f"the largest modulus was not separated from the others with {_MOST_DIGITS} digits")


def _is_below(poly: fmpq_poly, radius: fmpq) -> bool:
    return poly.degree() < 1 or is_schur_stable(scale_roots(poly, radius))


def _is_alone(modulus: AlgebraicNumber, factor: fmpq_poly) -> bool:
    """Whether the products of two roots have one value between the squares of the bounds, and none above.

    By Descartes' rule of signs at the lower one: where the bounds are close enough, all other products have smaller
    real parts, so that the rule counts exactly.
    """
    square, rest, low = square_polynomial(modulus.polynomial), pair_polynomial(factor), modulus.lower**2
    while (rest % square).degree() < 0:
        rest = rest // square
    if _sign_changes(rest, low) or rest(low) == 0 or square(modulus.upper**2) < 0:
        return False
    return square(low) == 0 if modulus.is_rational else _sign_changes(square, low) == 1


def square_polynomial(polynomial: Sequence[int]) -> fmpq_poly:
    """The minimal polynomial of the square of a number, the leading coefficient positive."""
    if not any(polynomial[1::2]):
        return fmpq_poly(list(polynomial[::2]))
    mirrored = fmpq_poly([c * (-1) ** i for i, c in enumerate(polynomial)])
    return _integral(fmpq_poly((fmpq_poly(list(polynomial)) * mirrored).coeffs()[::2]))


def _sign_changes(poly: fmpq_poly, at: fmpq) -> int:
    signs = [c > 0 for c in poly(fmpq_poly([at, 1])).coeffs() if c != 0]
    return sum(a != b for a, b in pairwise(signs))


def _radicals(polynomial: Sequence[int]) -> Iterator[sp.Expr]:
    """Candidates for the roots in square roots."""
    if len(polynomial) == 3:
        c, b, a = polynomial
        for s in (1, -1):
            yield (-b + s * sp.sqrt(b * b - 4 * a * c)) / (2 * a)
    if len(polynomial) == 5 and polynomial[1] == polynomial[3] == 0:
        for square in _radicals(polynomial[::2]):
            if square.is_real and _enclosed(square, _FIRST_BITS) > 0:
                yield sp.sqrtdenest(sp.sqrt(sp.radsimp(square)))


class _Roots(Evaluator):
    """Evaluates roots of roots, too, which sympy writes as one power."""

    def _power(self, node: sp.Pow) -> Any:
        base, exponent = node.args
        if not (exponent.is_Rational and exponent.q > 2):
            return super()._power(node)
        power = self.arithmetic.power(self(base).root(int(exponent.q)), abs(int(exponent.p)))
        return power if exponent.p > 0 else self.arithmetic.reciprocal(power)


def _enclosed(value: sp.Expr, bits: int) -> arb:
    """A ball around a constant."""
    with ctx.workprec(bits):
        return _Roots(Balls(bits), {})(value)
