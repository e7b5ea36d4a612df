"""Formulas and blocks of prose: what a derivation says, before it is known how it will be shown.

A formula is a tuple of atoms; a paragraph is a tuple of plain texts and formulas. Text, LaTeX and HTML each print the
same blocks, so that no statement is written three times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from piggycheck.expression import parse_number
from piggycheck.intervals import IntervalMatrix

__all__ = [
    "CODE",
    "NORM_NAMES",
    "Atom",
    "Cases",
    "Decimal",
    "Display",
    "Expression",
    "Formula",
    "Letter",
    "Matrix",
    "Name",
    "Norm",
    "Number",
    "Operator",
    "Paragraph",
    "Part",
    "Polynomial",
    "Power",
    "Section",
    "Table",
    "Words",
    "at_most",
    "decimal",
    "decimals_above",
    "decimals_below",
    "exactly",
    "formula",
    "inline",
    "is_matrix",
    "joined",
    "listed",
    "matrix",
    "power_of_ten",
    "rational_text",
    "sentence",
]

NORM_NAMES = {"max": "maximum norm", "frobenius": "Frobenius norm", "spectral": "spectral norm"}

_LARGEST_MATRIX, _LONGEST_COLUMN = 8, 12
_LONGEST_ROW, _LONGEST_NUMBER = 72, 40
_SMALL, _LARGE = 1000, 10**15
_INDEXED = r"[APQ](?:_[iuv](?:\^T)?|\^T)"
_FACTOR = rf"(?:{_INDEXED}|[APQ](?!\w)|\([\d/]+\)\^2|rate\^2)"
CODE = r"(?<!\S)[^\s`]*[\w)]\*\*?[\w(][^\s`]*?(?=[,.;:]*(?:\s|$))"
_LITERAL = re.compile(
    r"(?P<matrix>\[\[(?:[^\[\]]|\], ?\[)*\]\])"
    r"|(?P<root>(?<![\w*/])(?:\d+\*)?sqrt\(\d+\)(?:/\d+)?(?: [+-] \d+(?:/\d+)?)?(?![\w*/]))"
    rf"|(?P<code>{CODE})"
    r"|(?P<ten>(?<![\w.])10\^-?\d+(?![\w/]))"
    r"|(?P<power>\(?(?<![\w/.-])\d+(?:/\d+)?\)?\^\(1/\d+\))"
    r"|(?P<start>\bJ_0\b)"
    r"|(?P<fraction>(?<![\w/.-])-?\d+/\d+(?![\w/]))"
    r"|(?P<letter>\b[ABP](?= = \[\[))"
    r"|(?P<pair>\(I - A\)\^\+ B\b|\bI - A\b|\bX = A X \+ B\b|\bPi (?:B|J_0|J_k)\b|\bB_w\b|\bk\^\d+\b)"
    rf"|(?P<form>(?<![\w^]){_INDEXED}(?: (?:<= |- )?{_FACTOR})*(?![\w^]))"
)


@dataclass(frozen=True)
class Letter:
    """A variable of one letter with what stands below and above it: A_w, v^T, J_0."""

    name: str
    below: str = ""
    above: str = ""


@dataclass(frozen=True)
class Name:
    """A name that the user chose, for a state variable, a parameter or an array, with what stands above it."""

    name: str
    above: str = ""


@dataclass(frozen=True)
class Number:
    """An exact number: flint, sympy or Python."""

    value: Any


@dataclass(frozen=True)
class Decimal:
    """A rounded number, already written."""

    text: str


@dataclass(frozen=True)
class Expression:
    """A sympy expression or condition."""

    value: Any


@dataclass(frozen=True)
class Operator:
    """A sign between things: ``=``, ``≤``, ``⪰``."""

    text: str


@dataclass(frozen=True)
class Power:
    """A number to a power that is text: ``1/4``, ``k``."""

    base: Any
    exponent: str


@dataclass(frozen=True)
class Norm:
    """The norm of what stands inside."""

    inside: tuple[Any, ...]


@dataclass(frozen=True)
class Polynomial:
    """A `flint.fmpq_poly` in the variable λ, or one with irrational coefficients."""

    value: Any


@dataclass(frozen=True)
class Matrix:
    """Rows of entries, written exactly, or rounded where exact ones have no room; none when there are too many."""

    rows: tuple[tuple[str, ...], ...]
    shape: tuple[int, int]
    rounded: bool = False


@dataclass(frozen=True)
class Cases:
    """Expressions with their conditions; the last condition may be None, for *otherwise*."""

    rows: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True)
class Words:
    """Words, each a tuple of letters."""

    words: tuple[tuple[int, ...], ...]


Atom = (
    Letter | Name | Number | Decimal | Expression | Norm | Operator | Power | Polynomial | Matrix | Cases | Words | str
)
Formula = tuple[Atom, ...]
Part = str | Formula


@dataclass(frozen=True)
class Paragraph:
    """Prose with formulas in it."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Display:
    """Formulas set apart, one on each line; a plain text in a formula is a remark beside it."""

    lines: tuple[Formula, ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells under a heading each; a cell is plain text, a formula or prose, the last one of a row wider."""

    head: tuple[str, ...]
    rows: tuple[tuple[Part | Paragraph, ...], ...]


@dataclass(frozen=True)
class Section:
    """A step of the derivation with its heading."""

    title: str
    blocks: tuple[Paragraph | Display | Table, ...]


def formula(*atoms: Atom) -> Formula:
    """Put atoms together; a text of one sign is an operator.

    Examples
    --------
    >>> formula(Letter("γ"), "=", Number(2))
    (Letter(name='γ', below='', above=''), Operator(text='='), Number(value=2))
    """
    return tuple(Operator(a) if isinstance(a, str) and a in _OPERATORS else a for a in atoms)


_OPERATORS = {"=", "≤", "≥", "<", ">", "⪰", "≻", "≈", "+", "−", "·", "→", "↦", "(", ")", ",", "∈", "|", "≠", ";"}


def sentence(*parts: Part) -> Paragraph:
    """Put a paragraph together.

    Examples
    --------
    >>> sentence("It grows.")
    Paragraph(parts=('It grows.',))
    """
    return Paragraph(parts)


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
    return _fitting(rows, shape)


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


def _fitting(rows: tuple[tuple[str, ...], ...], shape: tuple[int, int]) -> Matrix:
    if max(shape) > (_LONGEST_COLUMN if shape[1] == 1 else _LARGEST_MATRIX):
        return Matrix((), shape)
    if sum(max((len(row[j]) for row in rows), default=0) + 2 for j in range(shape[1])) <= _LONGEST_ROW:
        return Matrix(rows, shape)
    return Matrix(tuple(tuple(_decimals(entry) for entry in row) for row in rows), shape, rounded=True)


def _decimals(entry: str) -> str:
    """Write an entry with decimals; both ends of an interval."""
    return f"[{', '.join(map(decimal, entry[1:-1].split(', ')))}]" if entry.startswith("[") else decimal(entry)


def rational_text(value: Any) -> str:
    """Write an exact number as text.

    Examples
    --------
    >>> rational_text(Fraction(-9, 8))
    '-9/8'
    """
    return str(value)


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


def inline(text: str, names: Iterable[str] = ()) -> tuple[Part, ...]:
    """Find the formulas in a sentence that was written as plain text: matrices, fractions, roots, ``name = number``.

    Parameters
    ----------
    text : str
    names : iterable of str
        The names of state and parameters.

    Returns
    -------
    tuple of str and Formula

    Examples
    --------
    >>> inline("at least 9/8^(1/4)")
    ('at least ', (Power(base='9/8', exponent='1/4'),))

    Notes
    -----
    When this fails: what is not recognised stays plain text, and so do products and powers, `CODE`.
    """
    known = "|".join(sorted((re.escape(name) for name in names), key=len, reverse=True))
    pattern = re.compile(
        _LITERAL.pattern + (rf"|(?P<name>\b(?:{known})\b(?= = )(?: = -?\d+(?:/\d+)?(?![\w/*]))?)" if known else "")
    )
    parts: list[Part] = []
    end = 0
    for match in (found for found in pattern.finditer(text) if found.lastgroup != "code"):
        if match.start() > end:
            parts.append(text[end : match.start()])
        parts.append(_literal(match))
        end = match.end()
    if end < len(text) or not parts:
        parts.append(text[end:])
    return tuple(parts)


def _literal(match: re.Match[str]) -> Formula:
    found = match.group()
    match match.lastgroup:
        case "matrix":
            rows = tuple(
                tuple(entry.strip(" '") for entry in row.split(",")) for row in re.split(r"\], ?\[", found[2:-2])
            )
            return (_fitting(rows, (len(rows), len(rows[0]))),)
        case "power":
            base, exponent = (side.strip("()") for side in found.split("^"))
            return (Power(base, exponent) if exponent != "1/1" else Number(base),)
        case "ten":
            return (Power(*found.split("^")),)
        case "root":
            return (Expression(parse_number(found)),)
        case "start":
            return (Letter("J", "0"),)
        case "letter":
            return (Letter(found),)
        case "pair":
            return _of_one_pair(found)
        case "form":
            return tuple(map(_factor, found.split()))
        case "name":
            name, _, value = found.partition(" = ")
            return formula(Name(name), "=", Number(value)) if value else (Name(name),)
    return (Number(found),) if len(found) <= _LONGEST_NUMBER else (Operator("≈"), Decimal(decimal(found)))


def _of_one_pair(text: str) -> Formula:
    """Read a formula about one pair (A, B), or a power of k, written as plain text."""
    base, _, above = text.partition("^")
    if base == "k":
        return (Letter("k", "", above),)
    signs = {"-": "−", "Pi": "Π"}
    atoms: list[Atom] = []
    for token in text.replace("(I - A)^+", "( I - A )^+").split():
        name, _, below = token.partition("_")
        if token in ("(", "-", "+", "="):
            atoms.append(Operator(signs.get(token, token)))
        else:
            atoms.append(Letter(")", "", "+") if token == ")^+" else Letter(signs.get(name, name), below))
    return tuple(atoms)


def _factor(text: str) -> Atom:
    """Read a matrix with its index, a square, or a sign of a quadratic form written as plain text."""
    signs = {"<=": "≤", "-": "−"}
    if text in signs:
        return Operator(signs[text])
    base, _, above = text.partition("^")
    if base.startswith("("):
        return Power(base[1:-1], above)
    name, _, below = base.partition("_")
    return Letter(name, below, above)


def exactly(value: Any) -> tuple[Part, ...]:
    """Write an exact number, with its decimals beside it unless it is short."""
    text = str(value)
    if "/" not in text:
        return ((Number(value),),)
    if len(text) > _LONGEST_NUMBER:
        return ((Decimal(decimal(value)),), " (exactly in the certificate)")
    rounded = decimal(value)
    relation = "=" if Fraction(rounded) == Fraction(text) else "≈"
    return ((Number(value), Operator(relation), Decimal(rounded)),)


def joined(items: Sequence[Sequence[Part]]) -> tuple[Part, ...]:
    """Put parts of sentences in a row, with commas between them and "and" before the last."""
    parts: list[Part] = []
    for i, item in enumerate(items):
        parts += [*([" and " if i == len(items) - 1 else ", "] if i else []), *item]
    return tuple(parts)


def listed(formulas: Sequence[Formula]) -> tuple[Part, ...]:
    """Put formulas in a row, with commas between them."""
    parts: list[Part] = []
    for i, one in enumerate(formulas):
        parts += [", " if i else "", one]
    return tuple(part for part in parts if part)
