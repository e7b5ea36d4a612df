"""Reports in plain text: the derivation, two lines that put what was claimed above what was found, the witness."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from piggycheck.arithmetic import Surd
from piggycheck.render.formula import (
    Cases,
    Decimal,
    Display,
    Expression,
    Formula,
    Letter,
    Matrix,
    Name,
    Norm,
    Number,
    Operator,
    Paragraph,
    Part,
    Polynomial,
    Power,
    Section,
    Table,
    Words,
)
from piggycheck.render.inline import inline
from piggycheck.render.narrative import names_of, tell
from piggycheck.render.outline import Chapter, outline

__all__ = [
    "condition_text",
    "expression_text",
    "join_tokens",
    "report",
    "report_case",
    "report_steps",
    "summary_rows",
    "token_text",
]

_WIDTH = 92
_INDENT = 4
_WIDEST_CELL = 30
_SPACED = {"=", "≤", "≥", "<", ">", "⪰", "≻", "≈", "+", "−", "→", "↦", "←", "∈", "≠"}
_FUNCTIONS = ("q", "V", "ρ", "Π", "max", "diag", "det", "tr")
_SETS = ("imp", "pb", "#")
_OPENING, _CLOSING = ("(", "[", "⟨"), (")", "]", "⟩", "/")
_SUPERSCRIPTS = str.maketrans("0123456789T-+", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵀ⁻⁺")


def report(verdict: Any) -> str:
    r"""Write a verdict as plain text.

    Parameters
    ----------
    verdict : Proved, Refuted or Undecided

    Returns
    -------
    str
        The derivation step by step; two aligned lines, what was claimed above what was found; the witness in words.

    Examples
    --------
    >>> from piggycheck.claims import Converges, prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> text = report(prove(Converges(rate="1/2"), SwitchedSystem.from_rows([[["1/2"]]])))
    >>> print("\n".join(line for line in text.splitlines() if line.startswith(("claimed", "proved"))))
    claimed   the joint spectral radius is at most 1/2
    proved    the joint spectral radius is at most 1/2

    Notes
    -----
    When this fails: matrices with more than eight rows are not written out; their entries are in the certificate.
    """
    told = outline(verdict)
    return "\n\n".join([*map(_section, told.setting), *_chapter(told.chapters[0], told.names)]) + "\n"


def report_case(
    title: str, verdicts: Sequence[Any], *, source: str = "", belief: str = "", catch: str = "", repair: str = ""
) -> str:
    """Write the verdicts on a case as plain text, what they share only once.

    Parameters
    ----------
    title : str
    verdicts : sequence of verdicts
        About one subject.
    source, belief, catch, repair : str
        What the case says of itself.

    Returns
    -------
    str

    Examples
    --------
    >>> from piggycheck.claims import Converges, Diverges, prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> pair = SwitchedSystem.from_rows([[["1/2"]]])
    >>> text = report_case("One half", [prove(claim, pair) for claim in (Converges(), Diverges())])
    >>> text.count("The switched system"), text.count("claimed ")
    (1, 2)

    Notes
    -----
    When this fails: see `report`.
    """
    told = outline(verdicts)
    parts = ["\n".join([title, "=" * len(title), *([source] if source else [])])]
    about = [
        f"{label + ':':<8} {text}" for label, text in (("belief", belief), ("catch", catch), ("repair", repair)) if text
    ]
    if about:
        parts.append("\n".join(textwrap.fill(line, _WIDTH, subsequent_indent=" " * 9) for line in about))
    parts += map(_section, told.setting)
    for chapter in told.chapters:
        parts.append(f"{chapter.question}\n{'-' * len(chapter.question)}")
        parts += _chapter(chapter, told.names)
    return "\n\n".join(parts) + "\n"


def report_steps(steps: Sequence[Any]) -> str:
    """Write steps of a derivation as plain text.

    Examples
    --------
    >>> from flint import fmpq_mat
    >>> from piggycheck.derivation import LimitStep
    >>> report_steps([LimitStep(fmpq_mat([[2]]))]).splitlines()[0]
    'The limit of the derivatives'
    """
    return "\n\n".join(_section(tell(step, steps)) for step in steps) + "\n"


def summary_rows(verdicts: Sequence[Any]) -> list[tuple[str, str, str]]:
    """Return a row for each verdict: its kind, its name, what was found.

    Examples
    --------
    >>> from piggycheck.claims import Diverges, prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> summary_rows([prove(Diverges(), SwitchedSystem.from_rows([[["2"]]]))])[0][:2]
    ('diverges', 'proved')
    """
    return [(verdict.kind, verdict.name, _one_line(inline(verdict.found, names_of([verdict])))) for verdict in verdicts]


def _chapter(chapter: Chapter, names: Sequence[str]) -> list[str]:
    """The steps of a claim, the two lines that put what was claimed above what was found, the witness."""
    verdict = chapter.verdict
    lines = f"{'claimed':<10}{_one_line(inline(verdict.statement, names))}\n"
    lines += f"{verdict.name:<10}{_one_line(inline(verdict.found, names))}"
    return [*map(_section, chapter.sections), lines, *(_fill(block.parts, 0) for block in chapter.closing)]


def _section(section: Section) -> str:
    lines = [section.title]
    for index, block in enumerate(section.blocks):
        if isinstance(block, Paragraph):
            lines.append(_fill(block.parts, _INDENT))
        else:
            displayed = _display(block) if isinstance(block, Display) else _table(block)
            last = index == len(section.blocks) - 1
            lines += ["", displayed, *([] if last else [""])]
    return "\n".join(lines)


def _fill(parts: Sequence[Part], indent: int, width: int = _WIDTH) -> str:
    """Wrap a paragraph, without breaking inside a formula that fits into a line."""
    text = "".join(part if isinstance(part, str) else _kept_together(_one_line((part,))) for part in parts)
    margin = " " * indent
    lines = textwrap.wrap(
        text, width, initial_indent=margin, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines).replace("\u2007", " ")


def _kept_together(text: str) -> str:
    return text.replace(" ", "\u2007") if len(text) <= _WIDTH - _INDENT else text


def _one_line(parts: Sequence[Part]) -> str:
    return "".join(
        part if isinstance(part, str) else join_tokens([token_text(atom) for atom in part]) for part in parts
    )


def join_tokens(tokens: Sequence[str]) -> str:
    """Join the tokens of a formula: relations get spaces around them, letters that are multiplied one between."""
    text = ""
    for token in tokens:
        if token in _SPACED:
            text = f"{text.rstrip()} {token} " if text else f"{token} "
        elif token.startswith((",", ";")):
            text = text.rstrip() + token + ("" if token.endswith(" ") else " ")
        elif token.startswith(_CLOSING):
            text = text.rstrip() + token
        elif text and not text.endswith((" ", "/", *_OPENING)) and token != "(":
            text += " " + token
        elif token == "(" and text and text[-1].isalnum() and not text.endswith(_FUNCTIONS):
            text += " ("
        else:
            text += token
    return text.rstrip() if text.strip() else text


def token_text(atom: Any) -> str:
    """Write an atom on one line."""
    match atom:
        case str():
            return atom
        case Letter(name, below, above):
            return name + (f"_{below}" if below else "") + _raised(above)
        case Name(name, above):
            return name + _raised(above)
        case Operator(name):
            return name
        case Norm(inside):
            return f"‖{join_tokens([token_text(inner) for inner in inside])}‖"
        case Number(value):
            return str(value)
        case Decimal(text):
            return text
        case Expression(value):
            return expression_text(value)
        case Power(base, exponent):
            text = str(base)
            return (f"({text})" if "/" in text else text) + (f"^({exponent})" if "/" in exponent else f"^{exponent}")
        case Polynomial(value):
            return _polynomial(value)
        case Words(words):
            return ", ".join(" ".join(map(str, word)) for word in words)
        case Matrix(rows, shape):
            if not rows:
                return f"({shape[0]} × {shape[1]} matrix)"
            rounded = "≈ " if atom.rounded else ""
            return (
                rounded + rows[0][0]
                if shape == (1, 1)
                else rounded + "[" + ", ".join("[" + ", ".join(row) + "]" for row in rows) + "]"
            )
        case Cases(rows):
            return "; ".join(f"{expression_text(value)} {condition_text(condition)}" for value, condition in rows)
    raise TypeError(f"`{atom!r}` is no part of a formula")


def _raised(text: str) -> str:
    if not text:
        return ""
    if text in _SETS:
        return "^" + text
    if all(ord(character) in _SUPERSCRIPTS for character in text):
        return text.translate(_SUPERSCRIPTS)
    return f"^{text}" if len(text) == 1 else f"^({text})"


def expression_text(value: Any) -> str:
    """Write a sympy expression in the grammar that is read, or as sympy writes it."""
    from piggycheck.errors import ExpressionError
    from piggycheck.expression import to_text

    try:
        return to_text(value)
    except ExpressionError:
        return str(value)


def condition_text(condition: Any) -> str:
    """Write the condition of a case."""
    return "otherwise" if condition is None else f"if {expression_text(condition)}"


def _polynomial(q: Any) -> str:
    terms = []
    for power in range(q.degree(), -1, -1):
        if q[power] != 0:
            variable = "λ" + (str(power).translate(_SUPERSCRIPTS) if power > 1 else "") if power else ""
            irrational = isinstance(q[power], Surd)
            size = f"({expression_text(q[power].expression)})" if irrational else str(abs(q[power]))
            body = variable if size == "1" and variable else f"{size} {variable}".strip()
            terms.append((" − " if not irrational and q[power] < 0 else " + ") + body)
    text = "".join(terms)
    return text[3:] if text.startswith(" + ") else "−" + text[3:]


# -- formulas of several lines ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Box:
    """Lines of equal width, and which of them stands on the line of the formula."""

    lines: tuple[str, ...]
    axis: int

    def beside(self, other: _Box) -> _Box:
        above = max(self.axis, other.axis)
        below = max(len(self.lines) - self.axis, len(other.lines) - other.axis)
        rows = zip(self._padded(above, below), other._padded(above, below), strict=True)
        return _Box(tuple(left + right for left, right in rows), above)

    def _padded(self, above: int, below: int) -> list[str]:
        blank = " " * max(map(_columns, self.lines), default=0)
        missing = below - (len(self.lines) - self.axis)
        return [blank] * (above - self.axis) + list(self.lines) + [blank] * missing


def _columns(line: str) -> int:
    """How many columns a line takes: none for the bar of J̄, which stands above it."""
    return sum(not unicodedata.combining(character) for character in line)


def _display(display: Display) -> str:
    boxes = [_line(atoms) for atoms in display.lines]
    for index, atoms in enumerate(display.lines):
        if index and atoms[0] == Operator("="):
            boxes[index] = _Box((" " * boxes[index - 1].lines[0].index("=") + boxes[index].lines[0].lstrip(),), 0)
    tall = any(len(box.lines) > 1 for box in boxes)
    return ("\n\n" if tall else "\n").join(
        "\n".join((" " * (2 * _INDENT) + line).rstrip() for line in box.lines) for box in boxes
    )


def _table(table: Table) -> str:
    """Write cells below each other; formulas may take several lines, and long texts are wrapped."""
    rows = [[_cell(cell) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(len(row[j].lines[0]) for row in rows) for j in range(len(table.head))]
    written = []
    for row in rows:
        joined = _Box(("",), 0)
        for cell, width in zip(row, widths, strict=True):
            padded = tuple(f"{line:<{width}}   " for line in cell.lines)
            joined = joined.beside(_Box(padded, cell.axis))
        written.append("\n".join((" " * _INDENT + line).rstrip() for line in joined.lines))
    rule = " " * _INDENT + "─" * (sum(widths) + 3 * (len(widths) - 1))
    tall = any(
        len(box.lines) > 1 and not isinstance(cell, str)
        for cells, boxes in zip(table.rows, rows[1:], strict=True)
        for cell, box in zip(cells, boxes, strict=True)
    )
    return "\n".join([written[0], rule, ("\n\n" if tall else "\n").join(written[1:])])


def _cell(cell: Part | Paragraph) -> _Box:
    if isinstance(cell, tuple):
        return _line(cell)
    lines = _fill((cell,) if isinstance(cell, str) else cell.parts, 0, _WIDEST_CELL).split("\n")
    return _Box(tuple(f"{line:<{max(map(len, lines))}}" for line in lines), 0)


def _line(atoms: Formula) -> _Box:
    box, flat = _Box(("",), 0), []

    def flush(box: _Box, before_tall: bool) -> _Box:
        text = join_tokens(flat)
        if before_tall and flat and text:
            text = text.rstrip() + " "
        if text and max(map(len, box.lines)) and not text.startswith((",", " ", ")")):
            text = " " + text
        flat.clear()
        return box.beside(_Box((text,), 0)) if text else box

    for atom in atoms:
        tall = _tall(atom)
        if tall is None:
            flat.append(token_text(atom))
        else:
            box = flush(box, True).beside(tall)
    return flush(box, False)


def _tall(atom: Any) -> _Box | None:
    if isinstance(atom, Matrix) and atom.rows and atom.shape != (1, 1):
        return _matrix(atom)
    if isinstance(atom, Cases):
        return _cases(atom)
    return None


def _matrix(M: Matrix) -> _Box:
    widths = [max(len(row[j]) for row in M.rows) for j in range(len(M.rows[0]))]
    lines = ["  ".join(entry.rjust(width) for entry, width in zip(row, widths, strict=True)) for row in M.rows]
    marks = _marks(len(lines), "⎡⎢⎣", "[")
    ends = _marks(len(lines), "⎤⎥⎦", "]")
    return _Box(
        tuple(f"{left} {line} {right}" for left, line, right in zip(marks, lines, ends, strict=True)),
        (len(lines) - 1) // 2,
    )


def _marks(count: int, parts: str, alone: str) -> list[str]:
    return [alone] if count == 1 else [parts[0], *[parts[1]] * (count - 2), parts[2]]


def _cases(cases: Cases) -> _Box:
    values = [expression_text(value) for value, _ in cases.rows]
    width = max(map(len, values))
    conditions = [condition_text(condition) for _, condition in cases.rows]
    lines = [f"{value:<{width}}   {condition}" for value, condition in zip(values, conditions, strict=True)]
    marks = _marks(len(lines), "⎧⎪⎩", "{")
    if len(lines) > 2:
        marks[(len(lines) - 1) // 2] = "⎨"
    longest = max(map(len, lines))
    return _Box(tuple(f"{m} {line:<{longest}}" for m, line in zip(marks, lines, strict=True)), (len(lines) - 1) // 2)
