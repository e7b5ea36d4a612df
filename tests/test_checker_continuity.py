"""A map that jumps, or has no value somewhere, is not proved continuous."""

from __future__ import annotations

import pytest
from checker_certificates import GAP, STEP, certificate, one_map

from piggycheck.checker import Refused, check


@pytest.mark.parametrize(
    "expression",
    [
        "Piecewise((-1, x < -1), (1, x > 1), (2*x, True))",
        "sign(x)",
        STEP,
        GAP,
        "1/x",
        "log(x)",
        "Abs(sign(x) - x)",
        "1/Abs(x)",
        "sqrt(Max(x, -1))",
        "Piecewise((5, x == 0 and Abs(x) == 0), (0, True))",
    ],
)
def test_a_map_that_is_not_continuous_is_not_proved_to_be(expression: str) -> None:
    with pytest.raises(Refused, match="not proved to be continuous"):
        check(certificate(one_map("x", "theta", expression), "continuous", "proved", {}))


@pytest.mark.parametrize(
    ("state", "next_"),
    [
        ("x y", ["Piecewise((5, x == 0 and y == 0), (0, True))", "y"]),
        ("x y", ["Piecewise((x, x > 0), (-x, x < 0), (0, y > 0))", "y"]),
        ("x y z", ["Piecewise((0, x < 0), (0, z < 0), (0, x + z > 0))", "y", "z"]),
    ],
)
def test_one_coordinate_that_is_not_continuous_is_enough(state: str, next_: list[str]) -> None:
    with pytest.raises(Refused, match="the next `x` is not proved"):
        check(certificate(one_map(state, "", *next_), "continuous", "proved", {}))
