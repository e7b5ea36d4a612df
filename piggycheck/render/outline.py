"""The order in which verdicts are told: what they share first, then each claim with what is its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from piggycheck.derivation import RatesComparedStep
from piggycheck.errors import InputError
from piggycheck.render.conclusion import conclusion, grows
from piggycheck.render.formula import Paragraph, Section
from piggycheck.render.narrative import HEADINGS, names_of, own_steps, shared_steps, tell

__all__ = ["Chapter", "Outline", "outline"]


@dataclass(frozen=True)
class Chapter:
    """A claim: its question, its verdict, the steps that were not told before, the conclusion."""

    question: str
    verdict: Any
    sections: tuple[Section, ...]
    closing: tuple[Paragraph, ...]


@dataclass(frozen=True)
class Outline:
    """Everything that is told of some verdicts about one subject."""

    title: str
    names: tuple[str, ...]
    setting: tuple[Section, ...]
    chapters: tuple[Chapter, ...]


def outline(verdicts: Any) -> Outline:
    """Arrange the verdicts on a subject so that nothing is told twice.

    Parameters
    ----------
    verdicts : verdict or sequence of verdicts

    Returns
    -------
    Outline

    Raises
    ------
    InputError
        When there is no verdict.

    Examples
    --------
    >>> from piggycheck.claims import Converges, Diverges, prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> pair = SwitchedSystem.from_rows([[["1/2"]]])
    >>> told = outline([prove(claim, pair) for claim in (Converges(), Diverges())])
    >>> [[section.title for section in chapter.sections] for chapter in told.chapters]
    [['A norm that contracts', 'The limit of the derivatives'], []]

    Notes
    -----
    When this fails: verdicts about different subjects are told as if they were about the first one.
    """
    verdicts = list(verdicts) if isinstance(verdicts, Iterable) else [verdicts]
    if not verdicts:
        raise InputError("there is no verdict to write; give at least one")
    names, steps = names_of(verdicts), shared_steps(verdicts)
    setting = tuple(tell(step, steps) for step in steps)
    told, chapters, growing = list(setting), [], False
    for verdict in verdicts:
        own = []
        for step in own_steps(verdict, steps):
            section = tell(step, steps)
            steps.append(step)
            if section not in told or isinstance(step, RatesComparedStep):
                own.append(section)
        told += own
        closing = conclusion(verdict, names, practice=not growing)
        growing = growing or grows(verdict)
        question = HEADINGS.get(verdict.kind, verdict.kind)
        chapters.append(Chapter(question, verdict, tuple(own), tuple(closing)))
    title = chapters[0].question if len(chapters) == 1 else "What was proved"
    return Outline(title, names, setting, tuple(chapters))
