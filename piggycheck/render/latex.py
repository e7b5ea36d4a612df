"""Derivations in LaTeX, as a paper could print them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from piggycheck.arithmetic import Surd
from piggycheck.errors import InputError
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
from piggycheck.render.inline import CODE, inline
from piggycheck.render.latex_signs import CHARACTERS, GREEK, GREEK_LETTERS, LETTERS, OPERATORS
from piggycheck.render.outline import Chapter, outline

__all__ = ["latex", "symbol_latex"]

_RELATIONS = {"=", "←", "≤", "≥", "≈", "≻", "⪰"}
_WIDEST_LINE = 78
_FEW_LETTERS = 16
_LARGEST_IN_TEXT = 3


def latex(
    verdicts: Any,
    path: str | Path | None = None,
    *,
    standalone: bool = True,
    title: str | None = None,
    source: str = "",
) -> str:
    r"""Write the derivation of a verdict, or of several about one subject, as LaTeX.

    Parameters
    ----------
    verdicts : verdict or sequence of verdicts
    path : str or Path, optional
        A file to write as well.
    standalone : bool
        Whether to write a document that compiles alone with ``pdflatex``, or a fragment for a paper. A fragment needs
        amsmath, amssymb, amsthm and booktabs, and ``\newtheorem{claim}{Claim}``.
    title : str, optional
        Plain text; by default the question that the claim answers.
    source : str
        Plain text, printed under the title.

    Returns
    -------
    str

    Raises
    ------
    InputError
        When there is no verdict, or the file cannot be written.

    Examples
    --------
    >>> from piggycheck.claims import Diverges, prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> pair = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]])
    >>> text = latex(prove(Diverges(), pair))
    >>> r"A_{1} A_{1} A_{0} A_{0}" in text, r"\tfrac{9}{8}" in text
    (True, True)

    Notes
    -----
    When this fails: matrices with more than eight rows are named by their shape, and a long list of words by its
    number; both stand in the certificate. Characters that plain ``pdflatex`` does not know become their code points.
    """
    import jinja2

    told = outline(verdicts)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("piggycheck.render"),
        block_start_string=r"\BLOCK{",
        block_end_string="}",
        variable_start_string=r"\VAR{",
        variable_end_string="}",
        comment_start_string=r"\#{",
        comment_end_string="}",
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        undefined=jinja2.StrictUndefined,
    )
    content = {
        "title": escape(told.title if title is None else title),
        "source": escape(source),
        "setting": [_section(section) for section in told.setting],
        "claims": [_claim(chapter, told.names) for chapter in told.chapters],
    }
    template = "document.tex.j2" if standalone else "fragment.tex.j2"
    text = environment.get_template(template).render(content)
    if path is not None:
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    return text


def _claim(chapter: Chapter, names: Sequence[str]) -> dict[str, Any]:
    """Everything that the templates show of a claim, already LaTeX."""
    verdict = chapter.verdict
    return {
        "question": escape(chapter.question),
        "verdict": verdict.name,
        "proof": {"proved": "Proof", "refuted": "Refutation"}.get(verdict.name, "Undecided"),
        "statement": _sentence(verdict.statement, names),
        "found": _sentence(verdict.found, names),
        "row": _prose(inline(verdict.found, names)),
        "steps": [_section(section) for section in chapter.sections],
        "closing": [_prose(paragraph.parts) for paragraph in chapter.closing],
    }


def _sentence(text: str, names: Sequence[str]) -> str:
    """Write plain text as a sentence, with a capital in front unless a formula stands there."""
    parts = inline(text, names)
    if isinstance(parts[0], str) and not parts[0].startswith("`"):
        parts = (parts[0][:1].upper() + parts[0][1:], *parts[1:])
    return _prose(parts) + "."


def escape(text: str) -> str:
    r"""Write plain text such that LaTeX prints it as it is.

    Examples
    --------
    >>> escape("x_0 & θ: 50 %"), escape("`a_b`"), escape("at most 2*k")
    ('x\\_0 \\& $\\theta$: 50 \\%', '\\texttt{a\\_b}', 'at most \\texttt{2*k}')
    """
    pieces = re.split(rf"`([^`]*)`|({CODE})", text)
    return "".join(_escape(piece) if i % 3 == 0 else _code(piece) for i, piece in enumerate(pieces) if piece)


def _code(text: str) -> str:
    """Write an expression as it was typed, with places where a line may break."""
    return r"\texttt{" + re.sub(r"(\*\*|[*+-])(?=.{4})", r"\1\\allowbreak{}", _escape(text)) + "}"


def _escape(text: str) -> str:
    written = []
    for character in text:
        if character in CHARACTERS:
            written.append(CHARACTERS[character])
        elif character in GREEK_LETTERS:
            written.append(rf"$\{GREEK_LETTERS[character]}$")
        elif (ord(character) < 0x180 and character.isprintable()) or character.isspace():
            written.append(character)
        else:
            written.append(f"[U+{ord(character):04X}]")
    return "".join(written)


def symbol_latex(name: str) -> str:
    r"""Write the name of a variable as a mathematical symbol.

    Examples
    --------
    >>> [symbol_latex(name) for name in ("x", "x1", "theta", "x_previous", "step_size", "lam")]
    ['x', 'x_{1}', '\\theta', 'x_{\\mathrm{prev}}', '\\mathrm{step}_{\\mathrm{size}}', '\\mathrm{lam}']
    """
    head, *rest = name.strip("_").split("_") if name.strip("_") else ["\\_"]
    letters, digits = re.fullmatch(r"(.*?)(\d*)", head, re.DOTALL).groups() if head else (head, "")  # type: ignore[union-attr]
    below = [part for part in (digits, *map(_below, rest)) if part]
    return _symbol(letters or digits) + ("_{" + ",".join(below) + "}" if below else "")


def _symbol(letters: str) -> str:
    if letters in GREEK:
        return "\\" + letters
    return letters if len(letters) == 1 else r"\mathrm{" + _ascii(letters) + "}"


def _below(part: str) -> str:
    if part == "previous":
        return r"\mathrm{prev}"
    return part if part.isdigit() or not part else _symbol(part)


def _ascii(letters: str) -> str:
    return "".join(c if c.isascii() else r"\text{" + escape(c) + "}" for c in letters)


# -- blocks ---------------------------------------------------------------------------------------------------------


def _section(section: Section) -> dict[str, Any]:
    return {"title": escape(section.title), "body": "\n".join(map(_block, section.blocks))}


def _block(block: Paragraph | Display | Table) -> str:
    if isinstance(block, Paragraph):
        return _prose(block.parts)
    return _display(block) if isinstance(block, Display) else _table(block)


def _table(table: Table) -> str:
    """Lay rows out under rules; the last column has the width that texts need."""
    columns = "l" * (len(table.head) - 1) + r">{\raggedright\arraybackslash}p{0.3\textwidth}"
    rows = [" & ".join(map(_cell, row)) for row in table.rows]
    head = " & ".join(map(escape, table.head))
    lines = [r"\begin{center}", rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}", r"\toprule", head + r" \\", r"\midrule"]
    lines += [" \\\\\n\\addlinespace\n".join(rows) + r" \\", r"\bottomrule", r"\end{tabular}", r"\end{center}"]
    return "\n".join(lines)


def _cell(cell: Part | Paragraph) -> str:
    return _prose(cell.parts if isinstance(cell, Paragraph) else (cell,))


def _prose(parts: Sequence[Part]) -> str:
    return "".join(escape(part) if isinstance(part, str) else _in_text(part) for part in parts)


def _in_text(atoms: Formula) -> str:
    written: list[str] = []
    for atom in atoms:
        if isinstance(atom, Words) and len(atom.words) > 1:
            written.append("$, $".join(map(_word, atom.words)))
        else:
            written.append(_atom(atom, small=True))
    return "$" + _apart(" ".join(written).strip()) + "$"


def _apart(text: str) -> str:
    """Put a small space between a factor and a name of several letters."""
    return re.sub(r"(?<=[\w}]) (?=\\mathrm)", r" \\, ", text)


def _display(display: Display) -> str:
    """Lay formulas out in columns, aligned at their first relations."""
    rows = [row for line in display.lines for row in _rows(_segments(line))]
    columns = max(map(len, rows))
    if len(rows) == 1 and columns == 1:
        return "\\[\n" + _spread(rows[0][0], "") + "\n\\]"
    lines = [" &\\qquad ".join(_spread(segment, "&") for segment in row) for row in rows]
    return f"\\begin{{alignat*}}{{{columns}}}\n" + " \\\\\n".join(lines) + "\n\\end{alignat*}"


def _segments(atoms: Formula) -> list[list[Any]]:
    """Split a formula where it has wide space."""
    segments: list[list[Any]] = [[]]
    for atom in atoms:
        if isinstance(atom, str) and atom.startswith((",   ", "   ")):
            comma, remark = atom.startswith(","), atom.strip(", ")
            if comma:
                segments[-1].append(Operator("comma"))
            segments.append([remark + " "] if remark else [])
        else:
            segments[-1].append(atom)
    return segments


def _rows(segments: list[list[Any]]) -> list[list[list[Any]]]:
    """Put segments side by side as long as there is room, the rest below."""
    rows: list[list[list[Any]]] = [[]]
    used = 0
    for segment in segments:
        width = sum(map(_width, segment)) + 4
        if rows[-1] and used + width > _WIDEST_LINE:
            rows.append([])
            used = 0
        rows[-1].append(segment)
        used += width
    return rows


def _width(atom: Any) -> int:
    if isinstance(atom, Matrix):
        return (
            sum(max((_digits(row[j]) for row in atom.rows), default=0) + 2 for j in range(atom.shape[1]))
            if atom.rows
            else 10
        )
    if isinstance(atom, Cases):
        return max(len(str(value)) + len(str(condition)) for value, condition in atom.rows)
    if isinstance(atom, Decimal):
        return len(atom.text)
    if isinstance(atom, (Expression, Number)):
        return len(str(atom.value)) if isinstance(atom, Expression) else _digits(str(atom.value))
    return 2


def _digits(text: str) -> int:
    return max(map(len, text.split("/")))


def _spread(segment: Sequence[Any], mark: str) -> str:
    """Write a segment with an alignment mark before its first relation, or in front when it has none."""
    written, marked = [], not mark
    if (mark and not any(isinstance(atom, Operator) and atom.text in _RELATIONS for atom in segment[:6])) or (
        mark and segment and isinstance(segment[0], str)
    ):
        written, marked = [mark], True
    for atom in segment:
        if not marked and isinstance(atom, Operator) and atom.text in _RELATIONS:
            marked = True
            written.append("^{+} &= " if atom.text == "←" else mark + _atom(atom, small=False))
        else:
            written.append(_atom(atom, small=False))
    return _apart(" ".join(" ".join(written).split()).replace(" ^", "^"))


# -- atoms ----------------------------------------------------------------------------------------------------------


def _atom(atom: Any, *, small: bool) -> str:
    match atom:
        case str():
            return r"\text{" + escape(atom) + "}"
        case Operator("comma"):
            return ","
        case Letter(name, below, above):
            lowered = "{" + LETTERS.get(below, below) + "}"
            return LETTERS.get(name, name) + (f"_{lowered}" if below else "") + _raised(above)
        case Name(name, above):
            return symbol_latex(name) + _raised(above)
        case Norm(inside):
            return r"\lVert " + " ".join(_atom(inner, small=small) for inner in inside) + r" \rVert"
        case Operator(text):
            return OPERATORS.get(text, text)
        case Number(value):
            return _number(str(value))
        case Decimal(text):
            return _decimal(text)
        case Expression(value):
            return _expression(value)
        case Power(base, exponent):
            text = str(base)
            return (r"\bigl(" + _number(text) + r"\bigr)" if "/" in text else text) + f"^{{{exponent}}}"
        case Polynomial(value):
            return _polynomial(value)
        case Words(words):
            return r",\ ".join(map(_word, words))
        case Matrix():
            return _matrix(atom, small)
        case Cases(rows):
            return _cases(rows)
    raise TypeError(f"`{atom!r}` is no part of a formula")


def _raised(above: str) -> str:
    raised = {"T": r"\mathsf T", "imp": r"\mathrm{imp}", "pb": r"\mathrm{pb}", "#": r"\#"}.get(above, above)
    return f"^{{{raised}}}" if above else ""


def _number(text: str) -> str:
    r"""Write a number: ``-9/8`` becomes ``-\tfrac{9}{8}``; intervals keep their ends, what is not rational stays."""
    if text.startswith("["):
        return r"[" + r",\ ".join(_number(end) for end in text[1:-1].split(", ")) + "]"
    match = re.fullmatch(r"(-?)(\d+)/(\d+)", text)
    if match:
        return rf"{match[1]}\tfrac{{{match[2]}}}{{{match[3]}}}"
    return text if re.fullmatch(r"-?\d+", text) else _decimal(text)


def _decimal(text: str) -> str:
    mantissa, mark, exponent = text.partition("e")
    if mark:
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    return re.sub(r"\^(-?\d+)", r"^{\1}", text)


def _expression(value: Any) -> str:
    import sympy as sp

    names = {symbol: symbol_latex(symbol.name) for symbol in value.free_symbols}
    long = any(name.startswith(r"\mathrm") for name in names.values())
    return str(sp.latex(value, symbol_names=names, **({"mul_symbol": r" \, "} if long else {})))


def _polynomial(q: Any) -> str:
    terms = []
    for power in range(q.degree(), -1, -1):
        if q[power] != 0:
            variable = (r"\lambda" + (f"^{{{power}}}" if power > 1 else "")) if power else ""
            irrational = isinstance(q[power], Surd)
            size = f"({_expression(q[power].expression)})" if irrational else _number(str(abs(q[power])))
            body = variable if size == "1" and variable else f"{size} {variable}".strip()
            terms.append((" - " if not irrational and q[power] < 0 else " + ") + body)
    text = "".join(terms)
    return text[3:] if text.startswith(" + ") else text.strip()


def _word(word: Sequence[int]) -> str:
    return (r"\," if len(word) <= _FEW_LETTERS else r"\,\allowbreak ").join(map(str, word))


def _small(entry: str) -> str:
    """Write a number between lines of text, where fractions have no room for two lines."""
    return entry if re.fullmatch(r"-?\d+/\d+", entry) else _number(entry)


def _matrix(M: Matrix, small: bool) -> str:
    if not M.rows:
        return rf"(\text{{{M.shape[0]} by {M.shape[1]} matrix}})"
    if M.shape == (1, 1):
        return _number(M.rows[0][0])
    if small and max(M.shape) > _LARGEST_IN_TEXT:
        return rf"\text{{a {M.shape[0]} by {M.shape[1]} matrix}}"
    if small:
        rows = r" \\ ".join(" & ".join(map(_small, row)) for row in M.rows)
        rounded = r"\approx " if M.rounded else ""
        return rf"{rounded}\bigl(\begin{{smallmatrix}} {rows} \end{{smallmatrix}}\bigr)"
    spacing = "[3pt]" if any("/" in entry for row in M.rows for entry in row) else ""
    rows = rf" \\{spacing} ".join(" & ".join(_number(entry) for entry in row) for row in M.rows)
    return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"


def _cases(rows: Sequence[tuple[Any, Any]]) -> str:
    lines = []
    for value, condition in rows:
        when = r"\text{otherwise}" if condition is None else rf"\text{{if }} {_expression(condition)}"
        lines.append(f"{_expression(value)} & {when}")
    return "\\begin{cases} " + r" \\[2pt] ".join(lines) + " \\end{cases}"
