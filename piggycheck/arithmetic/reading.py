"""Reading exact numbers: integers, fractions, text and real constants; floats are refused."""

from __future__ import annotations

import numbers
import re
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import fmpq

from piggycheck.errors import NumberError

__all__ = ["exact", "read_rational", "to_sympy"]

_RATIONAL_TEXT = re.compile(r"\s*[+-]?\s*\d+\s*(/\s*\d+)?\s*|\s*[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d{1,4})?\s*")
_MAX_DIGITS = 4000
_TOO_LARGE = 10**_MAX_DIGITS


def exact(value: Any, where: str = "number") -> sp.Expr:
    """Read an exact real number.

    Parameters
    ----------
    value : int, Fraction, flint.fmpq, sympy number or str
        Text is rational or decimal; ``"0.1"`` is 1/10.
    where : str
        The name used in the error.

    Returns
    -------
    sympy.Expr
        A real constant without floating point in it.

    Raises
    ------
    NumberError
        For a float (the message gives the text to write instead), a complex number, text that is no rational
        number, or anything else.

    Examples
    --------
    >>> exact("0.1"), exact("-3/4"), exact(2)
    (1/10, -3/4, 2)
    >>> exact(0.1)
    Traceback (most recent call last):
    ...
    piggycheck.errors.NumberError: number: the float 0.1 is not exact; write "0.1" (which is 1/10)

    Notes
    -----
    When this fails: a numpy float is a float; write the number as text.
    """
    if isinstance(value, str):
        return to_sympy(read_rational(value, where))
    if isinstance(value, fmpq):
        return to_sympy(value)
    if isinstance(value, (bool, sp.logic.boolalg.BooleanAtom)):
        raise NumberError(f"{where}: `{value}` is a truth value; write a number")
    if isinstance(value, (numbers.Rational, Fraction)):
        return sp.Rational(int(value.numerator), int(value.denominator))
    if isinstance(value, sp.Expr):
        return _exact_constant(value, where)
    if isinstance(value, (float, numbers.Real)):
        raise NumberError(_refused_float(float(value), where))
    raise NumberError(f'{where}: `{str(value)[:60]}` is not a number; write an integer or a text such as "3/4"')


def _exact_constant(value: sp.Expr, where: str) -> sp.Expr:
    if value.free_symbols:
        raise NumberError(f"{where}: `{value}` contains {sorted(map(str, value.free_symbols))}; write a constant")
    floats = value.atoms(sp.Float)
    if floats:
        raise NumberError(_refused_float(float(next(iter(floats))), where))
    if value.has(sp.nan, sp.zoo, sp.oo, -sp.oo) or value.is_real is False:
        raise NumberError(f"{where}: `{value}` is not a real number")
    return value


def _refused_float(value: float, where: str) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return f"{where}: {value} is not a number; write an exact one"
    text = repr(value)
    return f'{where}: the float {text} is not exact; write "{text}" (which is {Fraction(text)})'


def read_rational(text: str, where: str = "number") -> fmpq:
    """Read a rational number from text.

    Parameters
    ----------
    text : str
        An integer, a fraction, or a decimal number, which means the fraction it spells.
    where : str
        The name used in the error.

    Returns
    -------
    flint.fmpq

    Raises
    ------
    NumberError
        When the text is something else, divides by zero, or has more than 4000 digits.

    Examples
    --------
    >>> read_rational("0.75"), read_rational(" -9/8 ")
    (3/4, -9/8)

    Notes
    -----
    When this fails: ``"sqrt(2)"`` is an expression, read by `piggycheck.expression.parse_number`.
    """
    if len(text) > _MAX_DIGITS:
        raise NumberError(f"{where}: a number of {len(text)} characters; at most {_MAX_DIGITS} are read")
    if not _RATIONAL_TEXT.fullmatch(text) or not text.isascii():
        raise NumberError(f'{where}: `{text[:60]}` is not a rational number; write, for instance, "3/4" or "0.75"')
    try:
        value = Fraction("".join(text.split()))
    except ZeroDivisionError:
        raise NumberError(f"{where}: `{text[:60]}` divides by zero") from None
    if max(abs(value.numerator), value.denominator) >= _TOO_LARGE:
        raise NumberError(f"{where}: `{text[:60]}` has more than {_MAX_DIGITS} digits")
    return fmpq(value.numerator, value.denominator)


def to_sympy(value: fmpq) -> sp.Rational:
    """Convert a flint rational to a sympy one.

    Examples
    --------
    >>> to_sympy(fmpq(-9, 8))
    -9/8
    """
    return sp.Rational(int(value.p), int(value.q))
