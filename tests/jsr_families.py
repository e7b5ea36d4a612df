"""Finite sets of matrices whose joint spectral radius is known, with sources: facts that proofs are held against.

Words are written in time order: the first letter acts first.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import sympy

from piggycheck.switched import SwitchedSystem

__all__ = ["FAMILIES", "Family", "family"]


@dataclass(frozen=True)
class Family:
    """Matrices, and what is known of their joint spectral radius.

    `exact` is an expression for it, `decimal` its first digits, `between` proved bounds. `word` has the largest rate
    that is known; where it is not known to be the joint spectral radius, `optimal` is false.
    """

    name: str
    matrices: tuple[str, ...]
    source: str
    exact: str | None = None
    decimal: str | None = None
    between: tuple[str, str] | None = None
    word: tuple[int, ...] | None = None
    optimal: bool = True
    note: str = ""

    @cached_property
    def system(self) -> SwitchedSystem:
        """The matrices as a switched system."""
        return SwitchedSystem.from_rows([[row.split() for row in text.split(";")] for text in self.matrices])

    @property
    def is_one(self) -> bool:
        """Whether the joint spectral radius is exactly 1."""
        return self.exact == "1"

    @property
    def enclosure(self) -> tuple[Fraction, Fraction]:
        """Rational numbers between which the joint spectral radius lies, equal when it is rational.

        A rate that is only the best one known is no upper bound; then the second number is infinite in effect.
        """
        if self.exact is not None:
            return _enclosed(sympy.sympify(self.exact, rational=True))
        if self.between is not None:
            low, high = map(Fraction, self.between)
            return max(low, self.word_rate[0]), high
        if self.system.dimension > 2:
            digits = Fraction(self.decimal)
            last = Fraction(1, 10 ** len(self.decimal.split(".")[1]))
            return digits - last, digits + last
        low, high = self.word_rate
        return (low, high) if self.optimal else (low, Fraction(10**9))

    @cached_property
    def word_rate(self) -> tuple[Fraction, Fraction]:
        """Bounds on the rate of the best word of a pair of 2 by 2 matrices, from the quadratic formula."""
        matrices = [
            sympy.Matrix([[sympy.Rational(entry) for entry in row.split()] for row in text.split(";")])
            for text in self.matrices
        ]
        product = sympy.eye(2)
        for letter in self.word:
            product = matrices[letter] * product
        trace, determinant = product.trace(), product.det()
        root = sympy.sqrt(trace**2 - 4 * determinant)
        modulus = (abs(trace) + root) / 2 if root.is_real else sympy.sqrt(determinant)
        return _enclosed(modulus ** sympy.Rational(1, len(self.word)))


def _enclosed(value: sympy.Expr) -> tuple[Fraction, Fraction]:
    if value.is_Rational:
        return Fraction(int(value.p), int(value.q)), Fraction(int(value.p), int(value.q))
    near = Fraction(str(value.evalf(50)))
    return near - Fraction(1, 10**45), near + Fraction(1, 10**45)


def _rows(text: str) -> str:
    return "; ".join(text.strip().splitlines())


FAMILIES = (
    Family(
        "heavy_ball",
        ("3/4 -3/4; 1 0", "3/2 -3/4; 1 0"),
        "Bolte, Pauwels, Vaiter 2022; two float tools agree on the value",
        decimal="1.0321435344200298",
        word=(1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0),
        note="the word 1100 has an eigenvalue -9/8, and its rate 1.02988 is only a lower bound",
    ),
    Family(
        "path_complete_pair",
        ("-1 -1; -4 0", "3 3; -2 1"),
        "Ahmadi, Jungers, Parrilo, Roozbehani, SICON 2014, Example 5.4",
        exact="sqrt((13 + sqrt(313))/2)",
        decimal="3.917384715148241",
        word=(1, 0),
    ),
    Family(
        "projection_pair",
        ("1 0; 1 0", "0 1; 0 -1"),
        "Ando, Shih 1998; Parrilo, Jadbabaie 2008, Example 2.8",
        exact="1",
        decimal="1.0",
        word=(0,),
        note="quadratic forms prove sqrt(2) at best, quartic ones 1",
    ),
    Family(
        "nilpotent_pair",
        ("0 1; 0 0", "0 0; 1 0"),
        "Ahmadi, Parrilo, CDC 2012, Example 2.1",
        exact="1",
        decimal="1.0",
        word=(1, 0),
        note="both matrices are nilpotent",
    ),
    Family(
        "golden_triple",
        ("0 1 1; 1 0 0; 0 -1 0", "0 1 0; -1 0 1; -1 0 0"),
        "Jungers, Cicone, Guglielmi, SIMAX 2014, Example 6.3",
        exact="(1 + sqrt(5))/2",
        decimal="1.618033988749895",
        word=(1, 0),
    ),
    Family(
        "blondel_theys_vladimirov_1",
        ("1 1; 0 1", "1 0; 1 1"),
        "Blondel, Theys, Vladimirov 2003",
        exact="(1 + sqrt(5))/2",
        decimal="1.618033988749895",
        word=(1, 0),
    ),
    Family(
        "blondel_theys_vladimirov_9_10",
        ("1 1; 0 1", "9/10 0; 9/10 9/10"),
        "Blondel, Theys, Vladimirov 2003",
        exact="sqrt(9/10)*(1 + sqrt(5))/2",
        decimal="1.5350018208050782",
        word=(1, 0),
    ),
    Family(
        "gripenberg_1996",
        ("3/5 0; 1/5 3/5", "3/5 -3/5; 0 -1/5"),
        "Gripenberg 1996, Section 4",
        between=("0.6596789", "0.6596924"),
        word=(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        note="a word of length 13 is best",
    ),
    Family(
        "dumas_3",
        ("1 1 1; 0 0 0; 0 0 0", "1 0 0; 0 1 -1; 0 0 0", "0 0 0; 1 1 0; 0 0 1", "0 0 0; 0 0 0; 1 -1 1"),
        "Dumas 2013, Example 3",
        exact="1",
        decimal="1.0",
        word=(0,),
    ),
    Family(
        "dumas_5",
        ("1 0; 0 1", "3 -3; 3 3"),
        "Dumas 2013, Example 5",
        exact="3*sqrt(2)",
        decimal="4.242640687119285",
        word=(1,),
    ),
    Family(
        "triangular",
        ("1/2 100; 0 1/3", "-2/5 -50; 0 9/10"),
        "elementary: largest diagonal entry, huge norms",
        exact="9/10",
        decimal="0.9",
        word=(1,),
        note="the largest diagonal entry; the norms are huge",
    ),
    Family(
        "zero_jsr",
        ("0 1 2; 0 0 3; 0 0 0", "0 -1 5; 0 0 7; 0 0 0"),
        "elementary: jointly strictly triangular",
        exact="0",
        decimal="0.0",
        note="jointly strictly triangular",
    ),
    Family(
        "rotation_3_4_5",
        ("3/5 -4/5; 4/5 3/5", "5/13 -12/13; 12/13 5/13"),
        "elementary: orthogonal",
        exact="1",
        decimal="1.0",
        word=(0,),
        note="rational orthogonal matrices",
    ),
    Family(
        "unbounded_1",
        ("1 1; 0 1", "1 0; 0 -1"),
        "elementary: 1, but products are unbounded",
        exact="1",
        decimal="1.0",
        word=(0,),
        note="the products are not bounded",
    ),
    Family(
        "rank_one_half",
        ("1 1; 0 1", "0 0; 1/2 0"),
        "rank-one B: (k c)^(1/(k+1)), c = 1/2, k = 6",
        exact="3**(1/7)",
        decimal="1.169930812758687",
        word=(1, 0, 0, 0, 0, 0, 0),
        note="(k c)^(1/(k + 1)) with c = 1/2 and k = 6",
    ),
    Family(
        "late_growth",
        ("2 1; 0 2", "2 0; -1 2"),
        "Mejstrik; every word of length <= 7 has rate 2",
        decimal="2.36007056204988",
        word=(0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1),
        optimal=False,
        note="every word of length 7 or less has rate 2",
    ),
    Family(
        "kozyakin_baa",
        ("0 -1000/1331; 1331/1000 -1", "0 -1331/1000; 1000/1331 -1"),
        "Kozyakin, arXiv:2407.10513",
        exact="(1331/1000)**(2/3)",
        decimal="1.21",
        word=(0, 0, 1),
    ),
    Family(
        "mejstrik_pair",
        ("1 -1; 3 -2", "1 3; -1 -1"),
        "Mejstrik 2020",
        word=(1, 0),
        optimal=False,
        note="the best known rate; it need not be the joint spectral radius",
    ),
    Family(
        "overlap_free",
        (
            _rows(
                """
                0 0 0 0 0 0 0 2 4 2 0 0 0 0 0 0 0 0 0 0
                0 0 1 1 0 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 1 1 1 1 0 0 0 0 0 0 0 0 0 0 0
                0 0 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 1 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 1 2 1 0 0 0 0 0 0 0 1 2 1
                0 0 1 1 0 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 1 1 0 0 0 0 0 0 1 1 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 1 1 0 0 0 0 0 0
                1 2 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 1 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 1 0 0 0 0 0 0 1 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0
                """
            ),
            _rows(
                """
                0 0 0 0 0 0 0 1 2 1 0 0 0 0 0 0 0 1 2 1
                0 0 1 1 0 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 1 1 0 0 0 0 0 0 1 1 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 1 1 0 0 0 0 0 0
                1 2 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 1 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 1 0 0 0 0 0 0 1 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 2 4 2
                0 0 0 0 0 0 0 0 0 0 0 0 1 1 0 1 1 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 1 1 1 0
                0 0 0 0 0 0 0 0 0 0 0 0 1 1 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 1 0 0 1 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 1 1 0 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 2 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0
                0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
                """
            ),
        ),
        "Jungers, Protasov, Blondel 2009; proved by Guglielmi, Protasov 2013",
        decimal="2.5179340409",
        word=(1, 0),
        note="the root of the spectral radius of the product of the two",
    ),
)


def family(name: str) -> Family:
    """The family of a name."""
    return next(family for family in FAMILIES if family.name == name)
