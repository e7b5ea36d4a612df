"""Derivations as one page of HTML that needs nothing else: no network, no scripts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from piggycheck.errors import InputError
from piggycheck.render.formula import (
    Cases,
    Display,
    Formula,
    Letter,
    Matrix,
    Name,
    Norm,
    Paragraph,
    Part,
    Power,
    Section,
    Table,
)
from piggycheck.render.inline import inline
from piggycheck.render.outline import Chapter, outline
from piggycheck.render.text import condition_text, expression_text, join_tokens, token_text

__all__ = ["html"]

_PRIVATE_USE = 0xE000
_LONGEST_CERTIFICATE = 300_000


def html(verdicts: Any, path: str | Path | None = None, title: str | None = None, *, source: str = "") -> str:
    """Write the derivation of a verdict, or of several about one subject, as a page of HTML.

    Parameters
    ----------
    verdicts : verdict or sequence of verdicts
    path : str or Path, optional
        A file to write as well.
    title : str, optional
    source : str

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
    >>> page = html(prove(Diverges(), SwitchedSystem.from_rows([[["2"]]])), title="a < b")
    >>> "<h1>a &lt; b</h1>" in page, "<script" in page
    (True, False)

    Notes
    -----
    When this fails: matrices with more than eight rows are named by their shape; the certificate, which the page
    holds unless it is very long, has their entries.
    """
    import jinja2

    told = outline(verdicts)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("piggycheck.render"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template("page.html.j2").render(
        title=told.title if title is None else title,
        source=source,
        setting=[_section(section) for section in told.setting],
        claims=[_claim(chapter, told.names) for chapter in told.chapters],
    )
    if path is not None:
        try:
            Path(path).write_text(page, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    return page


def _claim(chapter: Chapter, names: Sequence[str]) -> dict[str, Any]:
    verdict = chapter.verdict
    return {
        "question": chapter.question,
        "verdict": verdict.name,
        "statement": _prose(inline(verdict.statement, names)),
        "found": _prose(inline(verdict.found, names)),
        "steps": [_section(section) for section in chapter.sections],
        "closing": [_prose(paragraph.parts) for paragraph in chapter.closing],
        **_certificate(verdict),
    }


def _certificate(verdict: Any) -> dict[str, str]:
    """The certificate, or what is said of one that is too long for a page."""
    text = "" if verdict.certificate is None else verdict.certificate.text()
    if len(text) <= _LONGEST_CERTIFICATE:
        return {"certificate": text, "left_out": ""}
    size = f"The certificate has {len(text) / 1e6:.1f} million characters."
    return {"certificate": "", "left_out": f"{size} The command “prove” writes it with the option --out."}


def _section(section: Section) -> dict[str, Any]:
    return {"title": section.title, "blocks": [_block(block) for block in section.blocks]}


def _block(block: Paragraph | Display | Table) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{_prose(block.parts)}</p>"
    return _display(block) if isinstance(block, Display) else _rows(block)


def _rows(table: Table) -> str:
    """Write rows of cells under their headings."""
    head = "".join(f"<th>{escape(text)}</th>" for text in table.head)
    rows = ("".join(f"<td>{_content(cell)}</td>" for cell in row) for row in table.rows)
    return f'<table class="claims rows"><tr>{head}</tr>{"".join(f"<tr>{row}</tr>" for row in rows)}</table>'


def _content(cell: Part | Paragraph) -> str:
    if isinstance(cell, Paragraph):
        return _prose(cell.parts)
    return escape(cell) if isinstance(cell, str) else f'<div class="cell">{_line(cell)}</div>'


def _prose(parts: Sequence[Part]) -> str:
    return "".join(escape(part) if isinstance(part, str) else f"<var>{_flat(part)}</var>" for part in parts)


def _display(display: Display) -> str:
    lines = "".join(f"<div>{_line(line)}</div>" for line in display.lines)
    return f'<div class="display">{lines}</div>'


def _line(atoms: Formula) -> str:
    """Write a formula that stands apart: matrices and cases as tables, what is between them as text."""
    written: list[str] = []
    for is_table, group in itertools.groupby(atoms, key=_is_table):
        if is_table:
            written += map(_table, group)
        else:
            written.append(f"<span>{_flat(tuple(group))}</span>")
    return " ".join(written)


def _is_table(atom: Any) -> bool:
    return isinstance(atom, Cases) or (isinstance(atom, Matrix) and bool(atom.rows) and atom.shape != (1, 1))


def _table(atom: Any) -> str:
    if isinstance(atom, Matrix):
        kind, rows = "matrix", atom.rows
    else:
        kind, rows = "cases", tuple((expression_text(value), condition_text(c)) for value, c in atom.rows)
    body = "".join("<tr>" + "".join(f"<td>{escape(entry)}</td>" for entry in row) + "</tr>" for row in rows)
    return f'<table class="{kind}">{body}</table>'


def _flat(atoms: Formula) -> str:
    """Join atoms with the spaces of plain text, and set indices and exponents as such."""
    marks: dict[str, str] = {}
    tokens = []
    for atom in atoms:
        written = _raised(atom)
        if written:
            mark = chr(_PRIVATE_USE + len(marks))
            closing = ")" if written.startswith(")") else ""
            marks[mark] = written.removeprefix(closing)
            tokens.append(closing + mark)
        else:
            tokens.append(token_text(atom))
    return "".join(marks.get(character, escape(character)) for character in join_tokens(tokens))


def _raised(atom: Any) -> str:
    """Write an atom with indices or exponents as HTML; nothing for an atom that has none."""
    match atom:
        case Letter(name, below, above) if below or above:
            return escape(name) + (f"<sub>{escape(below)}</sub>" if below else "") + _exponent(above)
        case Name(name, above) if above:
            return escape(name) + _exponent(above)
        case Power(base, exponent) if "/" not in str(base):
            return escape(str(base)) + _exponent(exponent)
        case Norm(inside):
            return f"‖{_flat(inside)}‖"
    return ""


def _exponent(above: str) -> str:
    return f"<sup>{escape(above)}</sup>" if above else ""
