"""How numbers and matrices are written: exactly where there is room, else rounded, and bounds to the safe side."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from piggycheck.intervals import IntervalMatrix
from piggycheck.render.formula import Decimal, Formula, Matrix, Number, Operator, Part, Power

__all__ = [
    "at_most",
    "decimal",
    "decimals_above",
    "decimals_below",
    "exactly",
    "fitting",
    "is_matrix",
    "matrix",
    "power_of_ten",
    "short",
]

_LARGEST_MATRIX, _LONGEST_COLUMN = 8, 12
_LONGEST_ROW, _LONGEST_NUMBER = 72, 40
_SMALL, _LARGE = 1000, 10**15


def decimal(value: Any, digits: int = 7) -> str:
    """Write a rational number with few digits.

    Examples
    --------
    >>> decimal("98806/95939"), decimal("9/8"), decimal(3)
    ('1.029884', '1.125', '3')
    """
    number = Fraction(str(value))
    try:
        return f"{float(number):.{digits}g}"
    except OverflowError:
        exponent = len(str(abs(number.numerator))) - len(str(number.denominator))
        return f"{'-' if number < 0 else ''}10^{exponent}"


def decimals_below(value: Any, digits: int = 6) -> str:
    """Write a positive number with some decimals, rounded down, so that "at least" stays true.

    Examples
    --------
    >>> from flint import fmpq
    >>> decimals_below(fmpq(98806, 95939)), decimals_below(fmpq(2, 3 * 10**9))
    ('1.029883', '6.666666e-10')
    """
    exponent = _exponent(value)
    if exponent:
        return f"{decimals_below(value / type(value)(10) ** exponent, digits)}e{exponent:+03d}"
    whole, rest = divmod(int((value * 10**digits).floor()), 10**digits)
    return f"{whole}.{rest:0{digits}d}"


def decimals_above(value: Any, digits: int = 6) -> str:
    """Write a positive number with some decimals, rounded up, so that "at most" stays true.

    Examples
    --------
    >>> from flint import fmpq
    >>> decimals_above(fmpq(2, 3))
    '0.666667'
    """
    exponent = _exponent(value)
    if exponent:
        return f"{decimals_above(value / type(value)(10) ** exponent, digits)}e{exponent:+03d}"
    return decimals_below(type(value)((value * 10**digits).ceil()) / 10**digits, digits)


def _exponent(value: Any) -> int:
    """The power of ten to split off a positive number that is very small or very large; else zero."""
    if value == 0 or (_SMALL * value >= 1 and value < _LARGE):
        return 0
    exponent = len(str(int(value.p))) - len(str(int(value.q)))
    return exponent if type(value)(10) ** exponent <= value else exponent - 1


def power_of_ten(value: Any) -> Power:
    """Bound a positive number by a power of ten, as closely as one can.

    Examples
    --------
    >>> power_of_ten(Fraction(3, 1000)), power_of_ten(Fraction(1, 1000))
    (Power(base='10', exponent='-2'), Power(base='10', exponent='-3'))
    """
    number = Fraction(str(value))
    exponent = len(str(number.numerator)) - len(str(number.denominator)) + 1
    while Fraction(10) ** (exponent - 1) >= number:
        exponent -= 1
    return Power("10", str(exponent))


def at_most(value: Any) -> Formula:
    """Write that something is at most a number: zero, a power of ten where it is small, else some decimals.

    Examples
    --------
    >>> from flint import fmpq
    >>> at_most(fmpq(1, 10**31)), at_most(fmpq(2, 3))
    ((Operator(text='≤'), Power(base='10', exponent='-31')), (Operator(text='≤'), Decimal(text='0.666667')))
    """
    if value == 0:
        return Operator("="), Number(0)
    small = _SMALL * value < 1
    return Operator("≤"), power_of_ten(value) if small else Decimal(decimals_above(value))


def short(value: Any, longest: int = _LONGEST_NUMBER) -> Formula:
    """Write a number exactly when that is short, else that it is near some decimals.

    Examples
    --------
    >>> short(Fraction(2, 3)), short(Fraction(2, 3), longest=2)
    ((Number(value=Fraction(2, 3)),), (Operator(text='≈'), Decimal(text='0.6666667')))
    """
    return (Number(value),) if len(str(value)) <= longest else (Operator("≈"), Decimal(decimal(value)))


def exactly(value: Any) -> tuple[Part, ...]:
    """Write an exact number, with its decimals beside it unless it is an integer.

    Examples
    --------
    >>> exactly(Fraction(2, 3))
    ((Number(value=Fraction(2, 3)), Operator(text='≈'), Decimal(text='0.6666667')),)
    """
    text = str(value)
    if "/" not in text:
        return ((Number(value),),)
    if len(text) > _LONGEST_NUMBER:
        return ((Decimal(decimal(value)),), " (exactly in the certificate)")
    rounded = decimal(value)
    relation = "=" if Fraction(rounded) == Fraction(text) else "≈"
    return ((Number(value), Operator(relation), Decimal(rounded)),)


def matrix(M: Any) -> Matrix:
    """Write a `flint.fmpq_mat`, with decimals where exact entries have no room, as a shape when it is large.

    Parameters
    ----------
    M : fmpq_mat or IntervalMatrix
        An interval is written with its ends.

    Returns
    -------
    Matrix

    Examples
    --------
    >>> from flint import fmpq_mat
    >>> matrix(fmpq_mat([[1, 2]]))
    Matrix(rows=(('1', '2'),), shape=(1, 2), rounded=False)
    """
    shape = (M.nrows(), M.ncols())
    if isinstance(M, IntervalMatrix):
        rows = tuple(tuple(_interval(*ends) for ends in row) for row in M.bounds())
    else:
        rows = tuple(tuple(str(M[i, j]) for j in range(shape[1])) for i in range(shape[0]))
    return fitting(rows, shape)


def _interval(low: Any, high: Any) -> str:
    return str(low) if low == high else f"[{low}, {high}]"


def is_matrix(M: Any) -> Formula:
    """Write what a matrix is: equal to its entries, or near them where they are rounded.

    Examples
    --------
    >>> from flint import fmpq_mat
    >>> is_matrix(fmpq_mat([[1]]))[0]
    Operator(text='=')
    """
    shown = matrix(M)
    return Operator("≈" if shown.rounded else "="), shown


def fitting(rows: tuple[tuple[str, ...], ...], shape: tuple[int, int]) -> Matrix:
    """Keep of written entries what there is room for: all of them, their decimals, or the shape alone.

    Examples
    --------
    >>> fitting((("1/3",) * 8,) * 9, (9, 8))
    Matrix(rows=(), shape=(9, 8), rounded=False)
    """
    if max(shape) > (_LONGEST_COLUMN if shape[1] == 1 else _LARGEST_MATRIX):
        return Matrix((), shape)
    if sum(max((len(row[j]) for row in rows), default=0) + 2 for j in range(shape[1])) <= _LONGEST_ROW:
        return Matrix(rows, shape)
    return Matrix(tuple(tuple(_decimals(entry) for entry in row) for row in rows), shape, rounded=True)


def _decimals(entry: str) -> str:
    """Write an entry with decimals; both ends of an interval."""
    return f"[{', '.join(map(decimal, entry[1:-1].split(', ')))}]" if entry.startswith("[") else decimal(entry)
