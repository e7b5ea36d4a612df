"""Text to sympy and back, by a whitelist over Python's syntax tree; nothing in the text is ever executed.

The grammar: ``+ - * / **``, comparisons (a chain means ``and``), ``and or not`` (also ``& | ~``), ``True False``,
``Piecewise Abs Max Min sign relu sqrt exp log``, exact numbers and the declared names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from piggycheck.errors import ExpressionError
from piggycheck.expression.limits import LONGEST_TEXT
from piggycheck.expression.nodes import relu
from piggycheck.expression.reader import Reader
from piggycheck.expression.tokens import FUNCTIONS, declared_names
from piggycheck.expression.writer import Writer

__all__ = ["FUNCTIONS", "LONGEST_TEXT", "parse", "parse_number", "relu", "to_text"]


def parse(
    text: str, names: Mapping[str, sp.Symbol] | Iterable[sp.Symbol] = (), *, where: str = "expression"
) -> sp.Expr:
    """Read an expression exactly; relations, `Piecewise`, `Abs`, `Max`, `Min`, `relu`, `sign` stay as they are.

    Parameters
    ----------
    text : str
        The expression. Line breaks count as spaces.
    names : mapping of str to Symbol, or iterable of Symbol
        The names that the text may use. Symbols should be real: everything else in piggycheck takes them to be.
    where : str
        What the text is, for the message of an error.

    Returns
    -------
    sympy.Expr
        Sums and products in sympy's normal form (like terms collected, rational numbers exact); the nodes with a kink
        unevaluated, arguments of `Max` and `Min` in sympy's order.

    Raises
    ------
    ExpressionError
        The text is outside the grammar, too large, not real (``sqrt(-1)``), or undefined (``1/0``).

    Examples
    --------
    >>> import sympy as sp
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> parse("x - 0.1*Piecewise((x, x >= theta), (x/4, True))", [x, theta])
    x - Piecewise((x, x >= theta), (x/4, True))/10
    >>> parse("relu(x) - relu(-x)", [x])
    -relu(-x) + relu(x)
    >>> parse("abs(x)", [x], where="objective")
    Traceback (most recent call last):
    ...
    piggycheck.errors.ExpressionError: objective, line 1, column 1: `abs`: no such function; write `Abs`

    Notes
    -----
    When this fails: exponents other than integers and halves of integers are refused (write ``exp(y*log(x))``), and so
    are powers beyond 1000, because what follows expands polynomials. A constant divisor whose value numerical
    evaluation cannot tell from zero is refused as well.
    """
    return Reader(text, declared_names(names, where), where).number()


def parse_number(text: str, *, where: str = "number") -> sp.Expr:
    """Read an exact real constant.

    Parameters
    ----------
    text : str
        An expression without names: ``"3/4"``, ``"0.1"``, ``"sqrt(2)"``.
    where : str
        What the number is, for the message of an error.

    Returns
    -------
    sympy.Expr
        The constant; decimals are the rational numbers they write down.

    Raises
    ------
    ExpressionError
        As `parse`.

    Examples
    --------
    >>> parse_number("0.1")
    1/10
    >>> parse_number("(1 - sqrt(1/4))/(1 + sqrt(1/4))")
    1/3

    Notes
    -----
    When this fails: as `parse`.
    """
    return parse(text, (), where=where)


def to_text(expression: sp.Basic) -> str:
    """Write a sympy expression (or condition) in the grammar that `parse` reads.

    Parameters
    ----------
    expression : sympy.Basic
        Made of what the grammar has: rational numbers, symbols whose names are identifiers, sums, products, powers
        with integer or half-integer exponents, relations, ``And Or Not`` and the functions of the grammar.

    Returns
    -------
    str
        One line, which `parse` reads back to an equal expression.

    Raises
    ------
    ExpressionError
        Something in the expression has no place in the grammar, or the text would be longer than `parse` reads.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x", real=True)
    >>> to_text(sp.Piecewise((x**2/2, x >= 0), (-sp.sqrt(2)*x, True)))
    'Piecewise((x**2/2, x >= 0), (-sqrt(2)*x, True))'

    Notes
    -----
    When this fails: an expression held together with ``evaluate=False`` or by `sympy.factor`, such as ``2*(x + 1)``, is
    written so that it reads back as an equal function, not as the same tree; so are roots of roots of constants.
    """
    try:
        return Writer().text(sp.sympify(expression, strict=True), 0)
    except RecursionError:
        raise ExpressionError("nested too deeply to be written; name a part of it") from None
