"""The pieces of a map, and the conditions on them, against samples and another solver."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from checker_certificates import one_map
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from piggycheck.checker.conditions import nonnegative_solution
from piggycheck.checker.pieces import Patterns
from piggycheck.checker.subject import Map


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.data())
def test_the_simplex_method_agrees_with_scipy(rows: int, columns: int, data: st.DataObject) -> None:
    small = st.integers(-3, 3)
    table = [[data.draw(small) for _ in range(columns)] for _ in range(rows)]
    target = [data.draw(small) for _ in range(rows)]
    found = nonnegative_solution(
        [{(i,): Fraction(table[i][j]) for i in range(rows)} for j in range(columns)],
        {(i,): Fraction(target[i]) for i in range(rows)},
    )
    assert found == (linprog(np.zeros(columns), A_eq=table, b_eq=target).status == 0)


@pytest.mark.parametrize("theta", ["-1", "0", "1/3"])
def test_patterns_miss_no_point(theta: str) -> None:
    """Whatever signs the guards have at a point near the fixed point, a pattern has them and its value is that of F."""
    expression = (
        "Max(x, y, theta) + Abs(x - y)*sign(x) + Piecewise((x, x > 2*y), (y, x == y), (Min(x, -y), x < y), (7*x, True))"
    )
    map_ = Map(one_map("x y", "theta", expression, "x", at={"theta": "0"}), at_needed=True)
    found = list(Patterns().run(map_.program, map_.next, map_.jets({"x": 0, "y": 0, "theta": Fraction(0)}, map_.names)))
    for x, y in product((-1, 0, Fraction(1, 2), 1), repeat=2):
        d = [Fraction(x), Fraction(y), Fraction(theta)]
        value = map_.value(map_.next[:1], dict(zip(map_.names, d, strict=True)))[0].lo
        assert value in [
            sum(c.lo * d[m[0]] for m, c in pattern.outputs[0].terms.items())
            for pattern in found
            if all(
                np.sign(sum(c.lo * d[m[0]] for m, c in guard.terms.items())) in signs
                for guard, signs in pattern.conditions
            )
        ]
