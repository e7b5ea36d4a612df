"""The systems whose limit sets tests of claims and printers ask for."""

from __future__ import annotations

import sympy as sp

from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, theta = sp.symbols("x theta", real=True)


def scalars(*pairs):
    """The maps ``x -> a x + b``."""
    return SwitchedSystem.from_rows([[[a]] for a, _ in pairs], [[[b]] for _, b in pairs])


RELU = scalars(("-1/2", 1), ("-1/2", 0))
"""Between -2/3 and 4/3; alone the pairs have the fixed points 2/3 and 0."""

RELU_MAP = Iteration(SymbolicMap([x], [-x / 2 + sp.Max(theta, 0)], [theta]), [theta])
"""At theta = 0 the same."""

CANTOR = scalars(("1/3", 0), ("1/3", "2/3"))

TURNING = SwitchedSystem.from_rows([[["1/2", "-1/2"], ["1/2", "1/2"]]] * 2, [[[0], [0]], [[1], [0]]])
"""All sums of powers of (1 + i)/2, one for each digit 1."""

ALONG_WORDS = SwitchedSystem.from_rows(
    [[["1/2", "1/2"], ["-1/2", 0]], [["-3/4", "3/4"], [0, 0]]], [[[1], [0]], [[0], [1]]]
)
"""Contracts by words of different lengths, so that the ball around the set has a core."""

HALF = [["1/2", 0], [0, "1/2"]]
SEGMENT = SwitchedSystem.from_rows([HALF, HALF], [[[0], [0]], [[0], [1]]])
"""The segment from 0 to (0, 2), by binary digits."""

MIRRORED = SwitchedSystem.from_rows([[["1/2", 0], [0, "-1/2"]], [["-1/2", 0], [0, "1/2"]]], [[[1], [1]]] * 2)
"""Fixed points (2, 2/3) and (2/3, 2); their mean pair has the fixed point (1, 1)."""
