"""The exceptions of piggycheck, one tree.

Two kinds carve reality: `InputError` (what was given cannot be read; the message says what to write instead) and
`UnknownError` (the question makes sense, but its answer is not known: a sign that no precision decided, data beyond
the rationals, a budget that ran out). Callers turn the second into the verdict *undecided*, never into *no*.
"""

from __future__ import annotations

__all__ = [
    "CaseError",
    "CertificateError",
    "ExpressionError",
    "GapError",
    "InputError",
    "IrrationalError",
    "MapError",
    "NoLimitSetError",
    "NumberError",
    "PiggycheckError",
    "SwitchedSystemError",
    "TruthError",
    "UnknownError",
]


class PiggycheckError(Exception):
    """Root of everything that piggycheck raises on purpose."""


class InputError(PiggycheckError):
    """What was given cannot be used; one line says what, where, and what to write instead."""


class NumberError(InputError):
    """A number that is not exact, not real or not readable."""


class ExpressionError(InputError):
    """A text that is not an expression of the grammar.

    Parameters
    ----------
    message : str
        What is wrong and what to write instead.
    where : str
        What the text is, for instance ``"objective"``.
    line, column : int
        Position in the text, counted from 1.
    fragment : str
        The offending piece of text.
    """

    def __init__(self, message: str, where: str = "expression", line: int = 1, column: int = 1, fragment: str = ""):
        self.where, self.line, self.column, self.fragment = where, line, column, fragment
        piece = f": `{fragment}`" if fragment else ""
        super().__init__(f"{where}, line {line}, column {column}{piece}: {message}")


class MapError(InputError):
    """A map that is not defined where it is evaluated, or whose parts do not fit together."""


class GapError(MapError):
    """No branch of a ``Piecewise`` applies."""


class SwitchedSystemError(InputError):
    """Matrices that do not form a switched system, or a word that does not fit one."""


class NoLimitSetError(SwitchedSystemError):
    """The joint spectral radius is not below 1, so that there is no piggyback set; the message names a word."""


class CaseError(InputError):
    """A case file that cannot be read."""


class CertificateError(InputError):
    """A certificate that cannot be read or written."""


class UnknownError(PiggycheckError):
    """The value of a predicate is not known; the message says how far the attempt got."""


class IrrationalError(UnknownError):
    """A value is needed as a rational number and is not one."""


class TruthError(PiggycheckError, TypeError):
    """A verdict was used as a truth value; an undecided answer must not read as no."""
