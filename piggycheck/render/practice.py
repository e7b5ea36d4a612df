"""What selection policies return, and what the chain rule can return, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from piggycheck import derivation as d
from piggycheck.derivation.practice import POLICY_NAMES, ExtraRow, PracticeRow
from piggycheck.render.formula import (
    Expression,
    Formula,
    Letter,
    Number,
    Operator,
    Paragraph,
    Part,
    Section,
    Table,
    formula,
    sentence,
)
from piggycheck.render.numbers import matrix

__all__ = ["against_clarke", "told"]

_MOST_ROWS = 12
_SIGNS = {1: ">", -1: "<", 0: "="}
_A, _B, _X, _J = Letter("A"), Letter("B"), Letter("X"), Letter("J")


def told(step: d.PracticeStep, steps: Sequence[d.Step]) -> Section:
    """Tell what every policy returns at the fixed point."""
    said = sentence(
        "A policy picks one pair at the fixed point, a framework by its conventions at ties and the chain rule. Its "
        "recursion forgets the start and converges to the solution of ",
        formula(_X, "=", _A, _X, "+", _B),
        " when the spectral radius of ",
        (_A,),
        " is below 1:",
    )
    rows = tuple(_row(row, step) for row in step.rows)
    blocks: list[Paragraph | Table] = [said, Table(("policy", "A", "B", "limit", "where it lies"), rows)]
    named = len([row for row in step.rows if row.policy.isdecimal()])
    if named < step.pieces:
        blocks.append(sentence(f"The other {step.pieces - named} pieces are left out here."))
    if step.extent is not None:
        lower, upper = step.extent
        blocks.append(
            sentence(
                "Random picks do not settle: entry by entry they come, again and again, within 1/1000 of both ends of "
                "the range from ",
                _shown(lower),
                " to ",
                _shown(upper),
                ".",
            )
        )
    blocks.append(sentence("Where nothing ties every policy returns the same: the derivative of the one active piece."))
    return Section("What practice returns", tuple(blocks))


def against_clarke(step: d.AgainstClarkeStep, steps: Sequence[d.Step]) -> Section:
    """Tell which pairs of the chain-rule set no piece has, and which kinks are responsible."""
    said = sentence(
        "The Clarke Jacobian is the convex hull of the selection set. Against it, with the kinks that are responsible, "
        "whose picks no piece makes together:",
    )
    rows = tuple((*map(_shown, row.pair), _hull(row), _picks(row)) for row in step.rows[:_MOST_ROWS])
    blocks: list[Paragraph | Table] = [said, Table(("A", "B", "Clarke Jacobian", "picks"), rows)]
    if len(step.rows) > _MOST_ROWS:
        blocks.append(sentence(f"There are {len(step.rows) - _MOST_ROWS} more."))
    return Section("Against the Clarke Jacobian", tuple(blocks))


def _hull(row: ExtraRow) -> str:
    if row.weights is not None:
        return "inside"
    return "undecided" if row.direction is None else "outside"


def _picks(row: ExtraRow) -> Paragraph:
    parts: list[Part] = []
    for kink, guard, sign in row.picks:
        side = (Expression(guard), Operator(_SIGNS[sign]), Number(0))
        parts += [*([", "] if parts else []), (Expression(kink),), " as at ", side]
    return Paragraph(tuple(parts))


def _row(row: PracticeRow, step: d.PracticeStep) -> tuple[Part, ...]:
    A, B = ("any", "any") if row.pair is None else map(_shown, row.pair)
    return _name(row.policy), A, B, "none" if row.limit is None else _shown(row.limit), _place(row)


def _name(policy: str) -> str:
    return POLICY_NAMES.get(policy, f"piece {policy}" if policy.isdecimal() else f"{policy} picks")


def _place(row: PracticeRow) -> str:
    if row.limit is not None:
        return row.place
    if row.pair is not None:
        return "no limit for all starts"
    return "they do not settle" if row.place == "no limit" else row.place


def _shown(M: object) -> Formula:
    return (matrix(M),)
