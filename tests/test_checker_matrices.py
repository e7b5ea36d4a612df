"""The linear algebra of the checker, against numpy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piggycheck.checker import matrices
from piggycheck.checker.definite import semidefinite
from piggycheck.checker.intervals import ZERO, Interval
from piggycheck.checker.reading import Refused
from piggycheck.checker.scaled import combined, product, scaled, transposed

rationals = st.fractions(min_value=-9, max_value=9, max_denominator=7)


@settings(deadline=None)
@given(st.lists(rationals, min_size=1, max_size=5), st.fractions(Fraction(1, 10), 3))
def test_schur_cohn_agrees_with_numerical_roots(coefficients: list[Fraction], r: Fraction) -> None:
    polynomial = [Interval(1), *map(Interval, coefficients)]
    largest = max(abs(np.roots([1, *map(float, coefficients)])))
    if abs(largest - float(r)) > 1e-3:
        assert matrices.has_root_beyond(polynomial, r) == (largest > r)


@settings(deadline=None)
@given(st.integers(1, 4), st.data())
def test_characteristic_polynomials_agree_with_numpy(n: int, data: st.DataObject) -> None:
    rows = [[data.draw(rationals) for _ in range(n)] for _ in range(n)]
    A = np.array(rows, dtype=float)
    M = [[Interval(a) for a in row] for row in rows]
    found = [float(c.lo) for c in matrices.characteristic_polynomial(M)]
    assert np.allclose(found, np.poly(A), rtol=1e-6, atol=1e-5)


@settings(deadline=None)
@given(st.integers(1, 5), st.data(), st.fractions(Fraction(1, 10), 9))
def test_spectral_radii_are_those_of_the_parts_that_zeros_leave(n: int, data: st.DataObject, r: Fraction) -> None:
    rows = [[data.draw(rationals) if data.draw(st.booleans()) else Fraction(0) for _ in range(n)] for _ in range(n)]
    largest = max(abs(np.linalg.eigvals(np.array(rows, dtype=float))))
    if abs(largest - float(r)) > 1e-3:
        M = [[Interval(a) for a in row] for row in rows]
        assert matrices.spectral_radius_reaches(M, r) == (largest > r)


def test_a_part_is_enough_where_others_are_not_decided() -> None:
    """Upper triangular with the diagonal 3, [1, 5]: at least 3 whatever the rest, 4 is not decided."""
    wide = Interval(Fraction(-9), Fraction(9))
    M = [[Interval(3), wide], [ZERO, Interval(Fraction(1), Fraction(5))]]
    assert matrices.spectral_radius_reaches(M, Fraction(3))
    assert not matrices.spectral_radius_reaches(M, Fraction(6))
    with pytest.raises(Refused, match="told apart"):
        matrices.spectral_radius_reaches(M, Fraction(4))


@settings(deadline=None)
@given(st.integers(1, 12), st.data())
def test_definiteness_agrees_with_numpy(n: int, data: st.DataObject) -> None:
    """By elimination alone, and for large matrices by a factor that floating point proposes."""
    M = [[data.draw(rationals) if data.draw(st.booleans()) else Fraction(0) for _ in range(n)] for _ in range(n)]
    A = np.array(M, dtype=float)
    gram = product(transposed(scaled(M)), scaled(M))
    assert semidefinite(gram)
    shift = data.draw(st.fractions(0, 50))
    smallest = min(np.linalg.eigvalsh(A.T @ A)) - float(shift)
    unit = scaled([[Fraction(int(i == j)) for j in range(n)] for i in range(n)])
    shifted = combined([(Fraction(1), gram), (-shift, unit)])
    if abs(smallest) > 1e-6:
        assert semidefinite(shifted) == semidefinite(shifted, definite=True) == (smallest > 0)


@settings(deadline=None)
@given(st.integers(1, 3), st.data())
def test_the_minimal_polynomial_annihilates(n: int, data: st.DataObject) -> None:
    M = [[Interval(data.draw(st.integers(-2, 2))) for _ in range(n)] for _ in range(n)]
    u = [[Interval(data.draw(st.integers(-1, 1)))] for _ in range(n)]
    polynomial = matrices.minimal_polynomial(M, u)
    value = [[ZERO] for _ in range(n)]
    powers = [u]
    for _ in polynomial[1:]:
        powers.append(matrices.times(M, powers[-1]))
    for c, vector in zip(polynomial, reversed(powers), strict=True):
        value = matrices.combine(value, c, vector)
    assert all(row[0].is_zero for row in value) and polynomial[0].lo == 1
    krylov = np.array([[float(row[0].lo) for row in vector] for vector in powers])
    assert np.linalg.matrix_rank(krylov) == len(polynomial) - 1
