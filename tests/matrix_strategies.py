"""Hypothesis strategies for rational numbers, matrices, polynomials and switched systems; a brute-force rate."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_poly
from hypothesis import strategies as st

from piggycheck.linalg import float_rows
from piggycheck.switched import SwitchedSystem

CYCLOTOMIC = [
    fmpq_poly([-1, 1]),
    fmpq_poly([1, 1]),
    fmpq_poly([1, 1, 1]),
    fmpq_poly([1, 0, 1]),
    fmpq_poly([1, -1, 1]),
    fmpq_poly([1, 1, 1, 1, 1]),
    fmpq_poly([1, 0, -1, 0, 1]),
]
"""Polynomials with all roots on the unit circle, roots of unity."""

PYTHAGOREAN = [(fmpq(3, 5), fmpq(4, 5)), (fmpq(5, 13), fmpq(-12, 13)), (fmpq(-8, 17), fmpq(15, 17))]
"""Rational points of the unit circle."""


def rationals(size: int = 9, denominator: int = 9) -> st.SearchStrategy[fmpq]:
    """Rational numbers of small height."""
    return st.builds(fmpq, st.integers(-size, size), st.integers(1, denominator))


def huge_rationals() -> st.SearchStrategy[fmpq]:
    """Rational numbers of which some have hundreds of digits."""
    return st.one_of(rationals(), st.builds(fmpq, st.integers(-(10**300), 10**300), st.integers(1, 10**300)))


def matrices(rows: int, columns: int, entry: st.SearchStrategy[fmpq] | None = None) -> st.SearchStrategy[fmpq_mat]:
    """Matrices of one shape."""
    count = rows * columns
    values = st.lists(entry if entry is not None else rationals(), min_size=count, max_size=count)
    return values.map(lambda flat: fmpq_mat(rows, columns, flat))


def square_matrices(max_size: int = 4, entry: st.SearchStrategy[fmpq] | None = None) -> st.SearchStrategy[fmpq_mat]:
    """Square matrices, down to the 0 by 0 one."""
    return st.integers(0, max_size).flatmap(lambda n: matrices(n, n, entry))


def symmetric_matrices(max_size: int = 4) -> st.SearchStrategy[fmpq_mat]:
    """Symmetric matrices, of which many are semidefinite and many are singular."""

    def gram(factor: fmpq_mat) -> fmpq_mat:
        return factor.transpose() * factor

    small = rationals(2, 2)
    grams = st.tuples(st.integers(1, max_size), st.integers(1, max_size)).flatmap(
        lambda shape: matrices(shape[0], shape[1], small).map(gram)
    )
    sums = square_matrices(max_size, small).map(lambda M: M + M.transpose())
    return st.one_of(grams, sums)


@st.composite
def factored_polynomials(draw: st.DrawFn) -> tuple[fmpq_poly, Fraction]:
    """A polynomial together with its largest root modulus, which is rational by construction."""
    poly, modulus = fmpq_poly([draw(rationals().filter(bool))]), Fraction(0)
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["real", "pair", "cyclotomic"]))
        if kind == "cyclotomic":
            factor, radius = draw(st.sampled_from(CYCLOTOMIC)), fmpq(1)
        else:
            radius = abs(draw(st.one_of(rationals(), st.sampled_from([fmpq(1), fmpq(-1), fmpq(9, 8)]))))
            if kind == "real":
                factor = fmpq_poly([radius * draw(st.sampled_from([1, -1])), 1])
            else:
                cosine, _ = draw(st.sampled_from(PYTHAGOREAN))
                factor = fmpq_poly([radius * radius, -2 * radius * cosine, 1])
        poly *= factor ** draw(st.integers(1, 2))
        modulus = max(modulus, Fraction(int(radius.p), int(radius.q)))
    return poly, modulus


def switched_systems(
    max_dimension: int = 3, max_letters: int = 3, entry: st.SearchStrategy[fmpq] | None = None
) -> st.SearchStrategy[SwitchedSystem]:
    """Switched systems with B zero."""

    def of_shape(shape: tuple[int, int]) -> st.SearchStrategy[SwitchedSystem]:
        dimension, letters = shape
        rows = st.lists(matrices(dimension, dimension, entry), min_size=letters, max_size=letters)
        return rows.map(SwitchedSystem.from_rows)

    return st.tuples(st.integers(1, max_dimension), st.integers(1, max_letters)).flatmap(of_shape)


def affine_systems(max_dimension: int = 2, max_letters: int = 2) -> st.SearchStrategy[SwitchedSystem]:
    """Switched systems with one column, and a start."""

    def of_shape(shape: tuple[int, int]) -> st.SearchStrategy[SwitchedSystem]:
        p, letters = shape
        return st.builds(
            lambda A, B, J0: SwitchedSystem(tuple(A), tuple(B), J0=J0),
            st.lists(matrices(p, p, rationals(4, 2)), min_size=letters, max_size=letters),
            st.lists(matrices(p, 1, rationals(2, 1)), min_size=letters, max_size=letters),
            matrices(p, 1, rationals(2, 1)),
        )

    return st.tuples(st.integers(1, max_dimension), st.integers(1, max_letters)).flatmap(of_shape)


def brute_force_rate(system: SwitchedSystem, max_length: int) -> float:
    """The largest rate over all words up to a length, in floating point."""
    letters = [np.array(float_rows(A)) for A in system.A]
    best, level = 0.0, [np.eye(system.dimension)]
    for length in range(1, max_length + 1):
        level = [A @ M for M in level for A in letters]
        best = max(best, max(float(np.abs(np.linalg.eigvals(M)).max()) ** (1 / length) for M in level))
    return best
