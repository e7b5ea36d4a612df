"""Formulas and blocks of prose: what a derivation says, before it is known how it will be shown.

A formula is a tuple of atoms; a paragraph is a tuple of plain texts and formulas. Text, LaTeX and HTML each print the
same blocks, so that no statement is written three times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
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
    "formula",
    "joined",
    "listed",
    "sentence",
    "tupled",
]

NORM_NAMES = {"max": "maximum norm", "frobenius": "Frobenius norm", "spectral": "spectral norm"}


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


def joined(items: Sequence[Sequence[Part]]) -> tuple[Part, ...]:
    """Put parts of sentences in a row, with commas between them and "and" before the last.

    Examples
    --------
    >>> joined([["one"], ["two"], ["three"]])
    ('one', ', ', 'two', ' and ', 'three')
    """
    parts: list[Part] = []
    for i, item in enumerate(items):
        parts += [*([" and " if i == len(items) - 1 else ", "] if i else []), *item]
    return tuple(parts)


def listed(formulas: Sequence[Formula]) -> tuple[Part, ...]:
    """Put formulas in a row, with commas between them.

    Examples
    --------
    >>> listed([(Number(1),), (Number(2),)])
    ((Number(value=1),), ', ', (Number(value=2),))
    """
    parts: list[Part] = []
    for i, one in enumerate(formulas):
        parts += [", " if i else "", one]
    return tuple(part for part in parts if part)


def tupled(items: Sequence[Formula]) -> Formula:
    """Put formulas in parentheses, with commas between them.

    Examples
    --------
    >>> tupled([(Letter("x"),), (Number(2),)])[2:]
    (Operator(text=','), Number(value=2), Operator(text=')'))
    """
    atoms: list[Atom] = [Operator("(")]
    for i, item in enumerate(items):
        atoms += [*([Operator(",")] if i else []), *item]
    return (*atoms, Operator(")"))
