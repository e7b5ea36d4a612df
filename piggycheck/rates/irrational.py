"""The asymptotic linear rate of errors whose recursion is made of square roots of rational numbers, exactly.

The minimal polynomial of the errors has coefficients in a field of such roots. Other signs of the roots give other
sequences, whose roots do not count: only the norm of a polynomial, the product over all signs, is rational, and the
modulus is found among the roots of that.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from flint import arb, arb_poly, ctx, fmpq, fmpq_poly

from piggycheck.arithmetic import Surd, bounds
from piggycheck.errors import InputError, UnknownError
from piggycheck.rates.algebraic import (
    AlgebraicNumber,
    divided_out,
    number_with_square,
    same_root,
    square_polynomial,
)
from piggycheck.rates.modulus import LargestModulus
from piggycheck.rates.surd_algebra import SurdMatrix, SurdPolynomial

__all__ = ["ExcitedSurdRate", "SurdErrors", "excited_surd_rate", "surd_errors", "surd_powers"]

_TRIES, _WEIGHT = 8, 97
_FIRST_BITS, _MOST_BITS = 128, 1 << 12
_FIRST_DIGITS, _MOST_DIGITS = 10, 40
_LARGEST_NORM = 60
_ZERO, _ONE = Surd.of(0), Surd.of(1)


# -- the recursion -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SurdErrors:
    """Errors from an index on that obey a linear recursion with constant coefficients.

    Attributes
    ----------
    first : int
        The index of the first of them.
    terms : sequence of sequences of Surd
        Their entries, at least twice as many terms as the order.
    order : int
        The recursion's, at most.
    """

    first: int
    terms: Sequence[Sequence[Surd]]
    order: int


def surd_powers(A: SurdMatrix) -> SurdErrors:
    """Return the powers of a matrix: what almost every error shows of it."""
    return surd_errors(A, 0, SurdMatrix.identity(len(A.rows)))


def surd_errors(
    A: SurdMatrix, first: int, d: SurdMatrix, G: SurdMatrix | None = None, couplings: Sequence[SurdMatrix] = ()
) -> SurdErrors:
    """Continue errors from an index on; see `piggycheck.rates.asymptotic.affine_errors`."""
    moving = G is not None and any(map(any, (L.entries() for L in couplings)))
    order = len(A.rows) * (2 if moving else 1)
    terms = []
    while len(terms) < 2 * order:
        terms.append((d if G is None else G).entries())
        if G is not None:
            G = A * G + reduce(SurdMatrix.beside, [L * d for L in couplings]) if moving else A * G
        d = A * d
    return SurdErrors(first, terms, order)


def _minimal_polynomial(errors: SurdErrors) -> SurdPolynomial:
    """That of a combination of the entries, when it annihilates them all."""
    picks = random.Random(0)
    for _ in range(_TRIES):
        weights = [picks.randint(1, _WEIGHT) for _ in errors.terms[0]]
        s = [sum((c * w for w, c in zip(weights, term, strict=True)), _ZERO) for term in errors.terms]
        poly = _shortest_recursion(s)
        if poly.degree() <= errors.order and _annihilates(poly, errors):
            return poly
    raise InputError(f"the terms obey no linear recursion of order {errors.order}; give a larger order")


def _shortest_recursion(s: Sequence[Surd]) -> SurdPolynomial:
    """The polynomial of the shortest recursion that numbers obey (Berlekamp and Massey)."""
    current, previous = [_ONE], [_ONE]
    length, gap, last = 0, 1, _ONE
    for k in range(len(s)):
        missed = sum((c * s[k - i] for i, c in enumerate(current)), _ZERO)
        if not missed:
            gap += 1
            continue
        before, factor = current, missed / last
        current = current + [_ZERO] * max(0, gap + len(previous) - len(current))
        for i, c in enumerate(previous):
            current[gap + i] = current[gap + i] - factor * c
        if 2 * length <= k:
            length, previous, last, gap = k + 1 - length, before, missed, 1
        else:
            gap += 1
    current = (current + [_ZERO] * length)[: length + 1]
    return SurdPolynomial(tuple(reversed(current)))


def _annihilates(poly: SurdPolynomial, errors: SurdErrors) -> bool:
    for k in range(errors.order):
        window = errors.terms[k : k + poly.degree() + 1]
        for column in zip(*window, strict=True):
            if sum((c * y for c, y in zip(poly.coefficients, column, strict=True)), _ZERO):
                return False
    return True


# -- the rate ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExcitedSurdRate:
    """The exact rate of a sequence of errors.

    Attributes
    ----------
    iteration : int
        From this index on the errors obey the recursion of `annihilator`, which has no root 0.
    annihilator : SurdPolynomial
        The minimal polynomial of the sequence; 1 when it is zero from there on.
    largest : LargestModulus
        Of its roots; its modulus is the rate. The dominant factors have no multiple roots. Of the conjugates of the
        products of two roots of a dominant one exactly one value is between the squares of the numbers in `between`.
    multiplicities : tuple of int
        How often each dominant factor divides the annihilator.
    """

    iteration: int
    annihilator: SurdPolynomial
    largest: LargestModulus
    multiplicities: tuple[int, ...] = ()

    @property
    def leading(self) -> int:
        """How many roots have the largest modulus, each as often as it is repeated."""
        low, pairs = self.largest.modulus.lower, zip(self.largest.dominant, self.multiplicities, strict=True)
        return sum(n * sum(low <= bounds(m)[1] for m in g.moduli(_FIRST_BITS)) for g, n in pairs)

    @property
    def power(self) -> int:
        """The n of errors that decay like ``k^n rate^k``: one less than how often a leading root is repeated."""
        return max(self.multiplicities, default=1) - 1


def excited_surd_rate(errors: SurdErrors) -> ExcitedSurdRate:
    """Return the rate ``lim sup |e_k|^(1/k)`` of a sequence of errors, as an exact algebraic number.

    Parameters
    ----------
    errors : SurdErrors

    Returns
    -------
    ExcitedSurdRate

    Raises
    ------
    UnknownError
        When the number is not found.

    Examples
    --------
    >>> root = Surd({2: fmpq(1, 2)})
    >>> found = excited_surd_rate(SurdErrors(0, [[root**k + (1 - root) ** k] for k in range(4)], 2))
    >>> found.annihilator.degree(), str(found.largest.modulus), str(found.largest.dominant[0])
    (2, 'sqrt(2)/2', 'lambda - sqrt(2)/2')

    Notes
    -----
    The conjugate ``1 + sqrt(2)/2`` of the other root does not count. Source: docs/theory/asymptotic-rates.md.

    When this fails: where the norm of the polynomial of the products of two roots has a degree above 60.
    """
    poly = _minimal_polynomial(errors)
    zeros = next(i for i, c in enumerate(poly.coefficients) if c)
    poly, first = SurdPolynomial(poly.coefficients[zeros:]), errors.first + zeros
    parts = [(g, count) for part, count in poly.squarefree_parts() for g in part.split()] if poly.degree() else []
    if not parts:
        return ExcitedSurdRate(
            first, poly, LargestModulus(AlgebraicNumber((0, 1), fmpq(0), fmpq(0)), (), (fmpq(0), fmpq(0)))
        )
    modulus, leading = _leading([g for g, _ in parts])
    others = [g for i, (g, _) in enumerate(parts) if i not in leading]
    largest = _separated(modulus, tuple(parts[i][0] for i in leading), others)
    return ExcitedSurdRate(first, poly, largest, tuple(parts[i][1] for i in leading))


def _leading(factors: Sequence[SurdPolynomial]) -> tuple[AlgebraicNumber, list[int]]:
    """The largest modulus, and which factors have a root of it."""
    known: dict[int, AlgebraicNumber] = {}
    bits = _FIRST_BITS
    while bits <= _MOST_BITS:
        ends = [_largest(g, bits) for g in factors]
        least = max(low for low, _ in ends)
        near = [i for i, (_, high) in enumerate(ends) if high >= least]
        for i in near:
            known.setdefault(i, _modulus(factors[i]))
        first = known[near[0]]
        if all(known[i].polynomial == first.polynomial and same_root(first, known[i]) for i in near):
            return first, near
        bits *= 2
    raise UnknownError(f"which factor has the root of largest modulus was not decided with {_MOST_BITS} bits")


def _largest(poly: SurdPolynomial, bits: int) -> tuple[fmpq, fmpq]:
    ends = [bounds(m) for m in poly.moduli(bits)]
    return max(low for low, _ in ends), max(high for _, high in ends)


def _modulus(poly: SurdPolynomial) -> AlgebraicNumber:
    """The largest modulus of the roots of a polynomial."""

    def place(bits: int) -> arb:
        low, high = _largest(poly, bits)
        with ctx.workprec(bits):
            return arb(low).union(arb(high))

    return number_with_square(_norm_of_products(poly), place)


def _norm_of_products(poly: SurdPolynomial) -> fmpq_poly:
    found = poly.products().norm()
    if found.degree() > _LARGEST_NORM:
        raise UnknownError(
            f"a factor of degree {poly.degree()} has irrational coefficients, and the polynomial of the moduli would "
            f"have the degree {found.degree()}; up to {_LARGEST_NORM} it is examined"
        )
    return found


def _separated(
    modulus: AlgebraicNumber, dominant: tuple[SurdPolynomial, ...], others: Sequence[SurdPolynomial]
) -> LargestModulus:
    """The modulus between bounds that nothing else reaches."""
    norms, digits = [_norm_of_products(g) for g in dominant], _FIRST_DIGITS
    while digits <= _MOST_DIGITS:
        found, bits, margin = modulus.narrowed(digits), 8 * digits + _FIRST_BITS, fmpq(1, 10**digits)
        low, high = (found.lower - margin, found.upper + margin) if found.is_rational else (found.lower, found.upper)
        below = all(_largest(g, bits)[1] < low for g in others)
        if low > 0 and below and all(_is_alone(found, norm, (low, high), bits) for norm in norms):
            return LargestModulus(found, dominant, (low, high))
        digits *= 2
    raise UnknownError(f"the largest modulus was not separated from the others with {_MOST_DIGITS} digits")


def _is_alone(modulus: AlgebraicNumber, norm: fmpq_poly, between: tuple[fmpq, fmpq], bits: int) -> bool:
    """Whether a polynomial is seen to have one root between the squares of two bounds, that of the modulus."""
    square = square_polynomial(modulus.polynomial)
    rest, _ = divided_out(norm, square)
    low, high = between
    with ctx.workprec(bits):
        ball = arb(low * low).union(arb(high * high))
        ball = ball + (ball - ball)  # room for other enclosures
        return not any(arb_poly(p)(ball).contains(0) for p in (rest, square.derivative()))
