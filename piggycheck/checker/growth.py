"""Growth like a power of the number of rounds: an eigenvalue of modulus 1 that the start excites several times."""

from __future__ import annotations

from fractions import Fraction

from .intervals import ONE, ZERO, Interval
from .matrices import Matrix, combine, equal, has_root_beyond, identity, matrix, minimal_polynomial, times
from .reading import Data, Refused, Unreadable, array, integer, number
from .subject import Subject


def start_polynomial(subject: Subject, A: Matrix, B: Matrix, J0: Matrix, column: int) -> list[Interval]:
    """The minimal polynomial of (J_0 e_j; e_j) under [[A, B], [0, I]]; its roots are what the start excites."""
    M = [row + [b[column]] for row, b in zip(A, B, strict=True)] + [[ZERO] * subject.p + [ONE]]
    return minimal_polynomial(M, [[row[column]] for row in J0] + [[ONE]])


def column_of(subject: Subject, witness: Data) -> int:
    """The column of the derivatives that a witness is about."""
    if subject.m == 0:
        raise Refused("there are no parameters to differentiate in")
    return integer(witness["column"], "column", 0, subject.m - 1)


def polynomial_growth(subject: Subject, word: list[int], J0: Matrix, witness: Data) -> str:
    """What is proved: along the word repeated, J -> A J + B grows from J0 at least like k^degree in k rounds."""
    j, degree = column_of(subject, witness), integer(witness["degree"], "degree", 1, subject.p)
    A, B = subject.product(word)
    rest = start_polynomial(subject, A, B, J0, j)
    factor = [Interval(number(c, "factor")) for c in array(witness["factor"], "factor")]
    if len(factor) < 2 or not equal([factor[:1]], [[ONE]]):
        raise Unreadable("`factor` is no monic polynomial of degree 1 or more")
    for _ in range(degree + 1):
        rest = divided(rest, factor)
    if not has_root_beyond(factor, Fraction(1)):
        raise Refused("no root of the factor has modulus 1 or more")
    left_vector(subject, witness, A, B, J0, j, degree)
    like = "linearly" if degree == 1 else f"like k^{degree}"
    return f"along the word {' '.join(map(str, word))} of {subject}, repeated k times, the derivatives grow {like}"


def divided(polynomial: list[Interval], factor: list[Interval]) -> list[Interval]:
    """The quotient by a monic polynomial that has to be a factor."""
    rest, quotient = list(polynomial), []
    while len(rest) >= len(factor):
        lead = rest[0]
        quotient.append(lead)
        for i, c in enumerate(factor):
            rest[i] = rest[i] - lead * c
        rest.pop(0)
    if not quotient or not all(c.is_zero for c in rest):
        raise Refused("the stated power of the factor does not divide the minimal polynomial of the start")
    return quotient


def left_vector(subject: Subject, witness: Data, A: Matrix, B: Matrix, J0: Matrix, column: int, degree: int) -> None:
    """What is stated of a row v: v J after k rounds is a polynomial in k with a leading coefficient that is not 0."""
    if ("left_vector" in witness) != ("leading" in witness):
        raise Unreadable("`left_vector` and `leading` stand together")
    if "left_vector" not in witness:
        return
    N = combine(A, -ONE, identity(subject.p))
    v = matrix([witness["left_vector"]], "left_vector", 1, subject.p)
    for _ in range(degree - 1):
        v = times(v, N)
    before, v = v, times(v, N)
    if not all(a.is_zero for a in times(v, N)[0] + times(v, B)[0]):
        raise Refused("along the stated row the derivatives are no polynomial of the degree")
    leading = matrix([witness["leading"]], "leading", 1, subject.m)
    if not equal(combine(times(v, J0), ONE, times(before, B)), leading) or leading[0][column].is_zero:
        raise Refused("the stated leading coefficient is not the right one, or zero")
