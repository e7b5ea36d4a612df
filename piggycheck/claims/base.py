"""What every kind of claim has in common."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from flint import arb, fmpq, fmpq_mat

from piggycheck.arithmetic import bounds, rational
from piggycheck.certificates import Certificate
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Verdict
from piggycheck.errors import InputError, IrrationalError
from piggycheck.linalg import entries, matrix
from piggycheck.render.numbers import decimals_above, decimals_below
from piggycheck.switched import Word

__all__ = [
    "Claim",
    "certify",
    "decimals_above",
    "decimals_below",
    "matrix_field",
    "matrix_text",
    "rational_field",
    "told_apart",
    "word_text",
]


class Claim(ABC):
    """A claim: says what it claims of a subject, and decides it."""

    kind: ClassVar[str]

    @abstractmethod
    def statement(self, subject: Subject) -> str:
        """Return what is claimed, as one sentence."""

    @abstractmethod
    def decide(self, subject: Subject) -> Verdict:
        """Prove or refute the claim.

        Raises
        ------
        UnknownError
            When a step on the way is not decided; `piggycheck.claims.prove` makes it an undecided verdict.
        """

    @classmethod
    def keys(cls) -> dict[str, dataclasses.Field]:
        """Return the fields by what a case calls them, as one of them may be a word of Python."""
        return {field.metadata.get("name", field.name): field for field in dataclasses.fields(cls)}

    def fields(self) -> dict[str, Any]:
        """Return the claim's own fields, for its certificate."""
        return {}


def certify(claim: Claim, verdict: str, statement: str, parts: dict[str, Any], witness: dict[str, Any]) -> Certificate:
    """Put the certificate of a verdict together."""
    given = {name: value for name, value in claim.fields().items() if value is not None}
    heading = {"kind": claim.kind, "verdict": verdict, "statement": statement, **given}
    return Certificate.build(claim=heading, **parts, witness=witness)


def word_text(word: Word) -> str:
    """Write a word.

    Examples
    --------
    >>> word_text((0, 0, 1, 1))
    '0 0 1 1'
    """
    return " ".join(map(str, word))


def rational_field(value: Any, where: str) -> fmpq:
    """Read a claim's field that must be rational.

    Raises
    ------
    InputError
        When it is not.
    """
    try:
        return rational(value, where)
    except IrrationalError:
        raise InputError(f"{where}: `{value}` is irrational; write a rational number") from None


def matrix_field(value: Any, where: str) -> fmpq_mat:
    """Read a claim's field that is a matrix: rows, one row of a single column each, or one number.

    Raises
    ------
    InputError
        When it is none, or not of rational numbers.

    Examples
    --------
    >>> matrix_field("1/2", "value"), matrix_field([[1, 2]], "value")
    ([1/2], [1, 2])
    """
    if isinstance(value, fmpq_mat):
        return value
    rows = [[value]]
    if isinstance(value, (list, tuple)):
        if not value or not all(isinstance(row, (list, tuple)) and row for row in value):
            raise InputError(f"{where}: `{str(value)[:60]}` is no matrix; write its rows, as in [[1, 0], [0, 1]]")
        rows = [list(row) for row in value]
        widths = [len(row) for row in rows]
        if min(widths) < max(widths):
            raise InputError(f"{where}: rows of {min(widths)} and of {max(widths)} numbers; write equal lengths")
    return matrix([[rational_field(entry, where) for entry in row] for row in rows], where)


def matrix_text(M: fmpq_mat) -> list[list[str]]:
    """Write a matrix as rows of exact text."""
    return [[str(entry) for entry in row] for row in entries(M)]


def told_apart(enclose: Callable[[int], tuple[arb, arb]], bits: int) -> tuple[str, str]:
    """Round a number down and a smaller one up, to digits that tell them apart where 80 do.

    Parameters
    ----------
    enclose : callable
        Takes a number of bits, and returns balls around both.
    bits : int
        With which to begin.

    Examples
    --------
    >>> told_apart(lambda bits: (arb(2) / 3, arb(333333333) / 500000000), 64)
    ('0.666666666666', '0.666666666001')
    """
    for precision in (max(bits, 64), 4 * max(bits, 64), 16 * max(bits, 64)):
        larger, smaller = enclose(precision)
        low, high = bounds(larger)[0], bounds(smaller)[1]
        if low > high:
            break
    for digits in (6, 12, 40, 80):
        below, above = _rounded_down(low, digits), _rounded_up(high, digits)
        if rational(below) > rational(above):
            break
    return below, above


def _rounded_down(value: fmpq, digits: int) -> str:
    return decimals_below(value, digits) if value >= 0 else f"-{decimals_above(-value, digits)}"


def _rounded_up(value: fmpq, digits: int) -> str:
    return decimals_above(value, digits) if value >= 0 else f"-{decimals_below(-value, digits)}"
