"""The largest modulus of the roots of a rational polynomial, as an exact algebraic number.

The products of any two roots of a polynomial are the roots of another one, and the largest modulus squared is the
largest real root of that: a root times its conjugate is real, and no product is larger. Where all roots are real, their
squares do. So the modulus is found, and can be checked, with rational arithmetic alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flint import arb, ctx, fmpq, fmpq_poly

from piggycheck.arithmetic import bounds
from piggycheck.errors import NumberError, UnknownError
from piggycheck.rates.algebraic import (
    AlgebraicNumber,
    divided_out,
    integral,
    number_with_square,
    same_root,
    square_polynomial,
)
from piggycheck.roots import is_schur_stable, scale_roots

__all__ = [
    "LargestModulus",
    "largest_modulus",
    "pair_polynomial",
]

_FIRST_BITS, _MOST_BITS = 64, 1 << 14
_MOST_COMPLEX = 16
_FIRST_DIGITS, _MOST_DIGITS = 10, 640


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
    factors = [integral(factor) for factor, _ in poly.factor()[1] if factor != fmpq_poly([0, 1])]
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


def _enclosed_modulus(poly: fmpq_poly, bits: int) -> arb:
    """A ball around the largest modulus."""
    with ctx.workprec(bits):
        moduli = [abs(root) for root in _complex_roots(poly, bits)]
        low, high = max(m.lower() for m in moduli), max(m.upper() for m in moduli)
        return low.union(high)


def _separated(modulus: AlgebraicNumber, poly: fmpq_poly, dominant: Sequence[fmpq_poly]) -> AlgebraicNumber:
    """The modulus between bounds that nothing else reaches."""
    rest = poly
    for factor in dominant:
        rest, _ = divided_out(rest, factor)
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
    square, low = square_polynomial(modulus.polynomial), modulus.lower**2
    rest, _ = divided_out(pair_polynomial(factor), square)
    if _sign_changes(rest, low) or rest(low) == 0 or square(modulus.upper**2) < 0:
        return False
    return square(low) == 0 if modulus.is_rational else _sign_changes(square, low) == 1


def _sign_changes(poly: fmpq_poly, at: fmpq) -> int:
    signs = [c > 0 for c in poly(fmpq_poly([at, 1])).coeffs() if c != 0]
    return sum(a != b for a, b in pairwise(signs))
