"""Exact numbers, how they are read, and the arithmetics in which an expression can be evaluated.

A number that enters piggycheck is exact: an integer, a fraction, a text such as ``"3/4"`` or ``"0.1"``, or a real
sympy constant. Inside, rationals are `flint.fmpq`; constants beyond the rationals stay sympy expressions. One
evaluator, `Evaluator`, walks a sympy expression over any `Arithmetic`.
"""

from piggycheck.arithmetic.fields import (
    ALGEBRAIC,
    RATIONAL,
    Arithmetic,
    Balls,
    Evaluator,
    Mpmath,
    bounds,
    enclosure,
    rational,
    sign,
)
from piggycheck.arithmetic.float64 import Float64, Float64Vectors
from piggycheck.arithmetic.reading import exact, read_rational, to_sympy
from piggycheck.arithmetic.surds import SURDS, Surd

__all__ = [
    "ALGEBRAIC",
    "RATIONAL",
    "SURDS",
    "Arithmetic",
    "Balls",
    "Evaluator",
    "Float64",
    "Float64Vectors",
    "Mpmath",
    "Surd",
    "bounds",
    "enclosure",
    "exact",
    "rational",
    "read_rational",
    "sign",
    "to_sympy",
]
