"""Derivations as one page of HTML that needs nothing else: no network, no scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggycheck.errors import InputError
from piggycheck.render.conclusion import conclusion, grows
from piggycheck.render.formula import Cases, Display, Letter, Matrix, Paragraph, Part, Section, inline
from piggycheck.render.narrative import HEADINGS, names_of, own_steps, sections, shared_steps, tell
from piggycheck.render.text import condition_text, expression_text, join_tokens, token_text

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["html"]


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
    holds, has their entries.
    """
    import jinja2

    verdicts = list(verdicts) if isinstance(verdicts, Iterable) else [verdicts]
    if not verdicts:
        raise InputError("there is no verdict to write; give at least one")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("piggycheck.render"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    if title is None:
        title = HEADINGS.get(verdicts[0].kind, verdicts[0].kind) if len(verdicts) == 1 else "What was proved"
    page = environment.get_template("page.html.j2").render(**_content(verdicts), title=title, source=source)
    if path is not None:
        try:
            Path(path).write_text(page, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    return page


def _content(verdicts: Sequence[Any]) -> dict[str, Any]:
    names, told = names_of(verdicts), shared_steps(verdicts)
    setting = [_section(section) for section in sections(told)]
    claims, growing = [], False
    for verdict in verdicts:
        steps = []
        for step in own_steps(verdict, told):
            steps.append(_section(tell(step, told)))
            told.append(step)
        closing = [_prose(block.parts) for block in conclusion(verdict, names, practice=not growing)]
        growing = growing or grows(verdict)
        claims.append(
            {
                "question": HEADINGS.get(verdict.kind, verdict.kind),
                "verdict": verdict.name,
                "statement": _prose(inline(verdict.statement, names)),
                "found": _prose(inline(verdict.found, names)),
                "steps": steps,
                "closing": closing,
                "certificate": None if verdict.certificate is None else verdict.certificate.text(),
            }
        )
    return {"setting": setting, "claims": claims}


def _section(section: Section) -> dict[str, Any]:
    from markupsafe import Markup

    blocks = [
        Markup("<p>{}</p>").format(_prose(block.parts)) if isinstance(block, Paragraph) else _display(block)
        for block in section.blocks
    ]
    return {"title": section.title, "blocks": blocks}


def _prose(parts: Sequence[Part]) -> Markup:
    from markupsafe import Markup, escape

    return Markup("").join(
        escape(part) if isinstance(part, str) else Markup("<var>{}</var>").format(_formula(part)) for part in parts
    )


def _display(display: Display) -> Markup:
    from markupsafe import Markup

    lines = Markup("").join(Markup("<div>{}</div>").format(_formula(line, tall=True)) for line in display.lines)
    return Markup('<div class="display">{}</div>').format(lines)


def _formula(atoms: Sequence[Any], *, tall: bool = False) -> Markup:
    """Write a formula: what stands on one line as text with indices, matrices and cases as tables."""
    from markupsafe import Markup

    written: list[Markup] = []
    flat: list[Any] = []

    def flush() -> None:
        if flat:
            written.append(Markup("<span>{}</span>").format(_flat(flat)) if tall else _flat(flat))
            flat.clear()

    for atom in atoms:
        if tall and isinstance(atom, Matrix) and atom.rows and atom.shape != (1, 1):
            flush()
            written.append(_table(atom.rows, "matrix"))
        elif tall and isinstance(atom, Cases):
            flush()
            rows = [(expression_text(v), condition_text(c)) for v, c in atom.rows]
            written.append(_table(rows, "cases"))
        else:
            flat.append(atom)
    flush()
    return Markup(" ").join(written)


def _flat(atoms: Sequence[Any]) -> Markup:
    """Join atoms with the spaces of plain text, and set the indices of letters as indices."""
    from markupsafe import Markup, escape

    marks: dict[str, Markup] = {}
    tokens = []
    for atom in atoms:
        if isinstance(atom, Letter) and (atom.below or atom.above):
            mark = chr(0xE000 + len(marks))
            marks[mark] = _letter(atom)
            tokens.append(mark)
        else:
            tokens.append(token_text(atom))
    text = join_tokens(tokens)
    return Markup("").join(marks.get(character, escape(character)) for character in text)


def _letter(letter: Letter) -> Markup:
    from markupsafe import Markup

    below = Markup("<sub>{}</sub>").format(letter.below) if letter.below else Markup("")
    above = Markup("<sup>{}</sup>").format(letter.above) if letter.above else Markup("")
    return Markup("{}{}{}").format(letter.name, below, above)


def _table(rows: Sequence[Sequence[str]], kind: str) -> Markup:
    from markupsafe import Markup

    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(entry) for entry in row))
        for row in rows
    )
    return Markup('<table class="{}">{}</table>').format(kind, body)
