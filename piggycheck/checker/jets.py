"""Jets: the polynomials in displacements on which a map is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from .intervals import ZERO, Interval
from .reading import Refused

MOST_TERMS = 20_000

Monomial = tuple[int, ...]  # the indices of its variables in order, each as often as its exponent says


class Jet:
    """A polynomial in displacements with intervals for coefficients; when cut, only its terms up to degree 1."""

    __slots__ = ("cut", "terms")

    def __init__(self, terms: Mapping[Monomial, Interval], cut: bool = False) -> None:
        self.terms = {m: c for m, c in terms.items() if not c.is_zero and (len(m) < 2 or not cut)}
        self.cut = cut
        if len(self.terms) > MOST_TERMS:
            raise Refused(f"a polynomial has more than {MOST_TERMS} terms")

    @property
    def value(self) -> Interval:
        """Its value where nothing is displaced."""
        return self.terms.get((), ZERO)

    @property
    def constant(self) -> bool:
        """Whether no displacement changes it."""
        return not self.cut and all(m == () for m in self.terms)

    @property
    def affine(self) -> bool:
        """Whether it is the whole polynomial, of degree at most 1."""
        return not self.cut and self.degree < 2

    @property
    def rational(self) -> bool:
        """Whether it is the whole polynomial, with rational coefficients."""
        return not self.cut and all(c.exact for c in self.terms.values())

    def same(self, other: Jet) -> bool:
        """Whether both are known to be the same polynomial."""
        exact = self.rational and other.rational
        return self is other or (exact and self.exactly() == other.exactly())

    def exactly(self) -> dict[Monomial, Fraction]:
        """The coefficients, where they are rational."""
        return {m: c.lo for m, c in self.terms.items()}

    @property
    def degree(self) -> int:
        """The largest number of factors of a term."""
        return max(map(len, self.terms), default=0)

    def slopes(self, n: int) -> list[Interval]:
        """The derivatives in the first n displacements."""
        return [self.terms.get((i,), ZERO) for i in range(n)]

    def __add__(self, other: Jet) -> Jet:
        terms = dict(self.terms)
        for m, c in other.terms.items():
            terms[m] = terms[m] + c if m in terms else c
        return Jet(terms, self.cut or other.cut)

    def __mul__(self, other: Jet) -> Jet:
        if len(self.terms) * len(other.terms) > 50 * MOST_TERMS:
            raise Refused("a product of polynomials has too many terms")
        cut = self.cut or other.cut
        terms: dict[Monomial, Interval] = {}
        for m, c in self.terms.items():
            for n, d in other.terms.items():
                if not cut or len(m) + len(n) < 2:
                    key = tuple(sorted(m + n))
                    terms[key] = terms[key] + c * d if key in terms else c * d
        return Jet(terms, cut)

    def __neg__(self) -> Jet:
        return Jet({m: -c for m, c in self.terms.items()}, self.cut)

    def composed(self, value: Interval, slope: Callable[[], Interval]) -> Jet:
        """f of this jet, where f and its derivative at the jet's value are given."""
        if self.constant:
            return Jet({(): value})
        factor = slope()
        return Jet({(): value, **{m: c * factor for m, c in self.terms.items() if len(m) == 1}}, cut=True)

    def along(self, direction: Sequence[Fraction]) -> int:
        """Sign of t -> jet(t * direction) for small t > 0, by its leading coefficient."""
        if self.constant:
            return self.value.sign()
        for degree in range(self.degree + 1):
            coefficient = ZERO
            for m, c in self.terms.items():
                if len(m) == degree:
                    for i in m:
                        c = c * Interval(direction[i])
                    coefficient = coefficient + c
            if not coefficient.is_zero:
                return coefficient.sign()
        raise Refused("a direction runs along the boundary of a piece, or first order does not decide its side")
