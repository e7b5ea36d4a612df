"""What is said of the map, its continuity, its fixed point, and the pieces that meet there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.intervals import IntervalMatrix
from piggycheck.render.formula import (
    Cases,
    Display,
    Expression,
    Formula,
    Letter,
    Name,
    Number,
    Operator,
    Paragraph,
    Part,
    Section,
    Words,
    formula,
    listed,
    sentence,
    tupled,
)
from piggycheck.render.numbers import is_matrix

__all__ = ["chain_rule", "continuity", "discontinuity", "fixed_point", "map_", "pieces", "switched"]

_MOST_PIECES = 8
_MOST_EDGES = 20
_MOST_CASES = 6
_A, _B, _X = Letter("A"), Letter("B"), Letter("X")
_A_I, _B_I = Letter("A", "i"), Letter("B", "i")


def map_(step: d.MapStep, steps: Sequence[d.Step]) -> Section:
    """Tell one step of the iteration, and where it starts."""
    state = listed([(Name(str(v)),) for v in step.state])
    parameters = listed([(Name(str(v)),) for v in step.parameters])
    said: list[Part] = ["One step, in the state ", *state]
    if step.parameters:
        said += [" and the parameter " if len(step.parameters) == 1 else " and the parameters ", *parameters]
    lines = [formula(Name(str(v)), Operator("←"), _as_cases(e)) for v, e in zip(step.state, step.next, strict=True)]
    blocks: list[Paragraph | Display] = [Paragraph((*said, ":")), Display(tuple(lines))]
    if step.start is not None:
        equations = [formula(Name(str(v)), "=", Expression(e)) for v, e in zip(step.state, step.start, strict=True)]
        blocks.append(Paragraph(("It starts at ", *listed(equations), ".")))
    else:
        blocks.append(
            sentence("No start is given, so what follows is local to a fixed point, unless it is said of every start.")
        )
    return Section("The map" if step.name == "iteration" else f"The map: {step.name}", tuple(blocks))


def _as_cases(expression: Any) -> Expression | Cases:
    """Move the only ``Piecewise`` of an expression to the outside, as people write it."""
    import sympy as sp

    switches = [node for node in expression.atoms(sp.Piecewise) if not _inner(node)]
    same = {tuple(condition for _, condition in node.args) for node in switches}
    if len(same) != 1 or any(_inner(node) for node in expression.atoms(sp.Piecewise)):
        return Expression(expression)
    conditions = same.pop()
    if len(conditions) > _MOST_CASES:
        return Expression(expression)
    rows = []
    for index, condition in enumerate(conditions):
        value = sp.expand(expression.xreplace({node: node.args[index].expr for node in switches}))
        rows.append((value, None if condition == sp.true else condition))
    return Cases(tuple(rows))


def _inner(node: Any) -> bool:
    import sympy as sp

    return any(branch.has(sp.Piecewise) for pair in node.args for branch in pair.args)


def switched(step: d.SwitchedStep, steps: Sequence[d.Step]) -> Section:
    """Tell the pairs of a switched system, the words that are allowed, and the start."""
    linear = step.is_linear
    image = formula(_A_I, _X) if linear else formula(_A_I, _X, "+", _B_I)
    free = "" if step.graph else f", for any of the {'matrices' if linear else 'pairs'}"
    said = sentence("Each step sends ", (_X,), " to ", image, f"{free}:")
    blocks: list[Paragraph | Display] = [said, _pairs(step.A, () if linear else step.B)]
    if any(isinstance(A, IntervalMatrix) for A in step.A):
        blocks.append(
            sentence("An entry with two ends stands for every number between them, chosen anew in each step.")
        )
    if step.graph:
        blocks.append(_paths(step.graph))
    if step.J0 is not None:
        blocks += [sentence("The recursion starts at"), Display((formula(Letter("J", "0"), *is_matrix(step.J0)),))]
    return Section("The switched system", tuple(blocks))


def _paths(graph: Sequence[tuple[int, int, int]]) -> Paragraph:
    said = "Only words along the paths of a graph are allowed"
    if len(graph) > _MOST_EDGES:
        return sentence(f"{said}, whose {len(graph)} edges are in the certificate.")
    edge = formula(Letter("u"), ";", Letter("i"), ";", Letter("v"))
    return sentence(f"{said}, whose edges, from a node by a letter to a node (", edge, "), are ", (Words(graph),), ".")


def _pairs(A: Sequence[Any], B: Sequence[Any], remarks: Sequence[Formula] = ()) -> Display:
    lines: list[Formula] = []
    for i in range(min(len(A), _MOST_PIECES)):
        pair = [Letter("A", str(i)), *is_matrix(A[i])]
        if B and B[i].ncols():
            pair += [",   ", Letter("B", str(i)), *is_matrix(B[i])]
        lines.append((*pair, *(("   ", *remarks[i]) if remarks and remarks[i] else ())))
    if len(A) > _MOST_PIECES:
        lines.append((f"… and {len(A) - _MOST_PIECES} more, in the certificate",))
    return Display(tuple(lines))


def continuity(step: d.ContinuityStep, steps: Sequence[d.Step]) -> Section:
    """Tell across which guards the branches agree."""
    if not step.guards:
        return Section("Continuity", (sentence("The map has one piece, so there is nothing to compare."),))
    shown = [formula(Expression(_readable(guard)), "=", Number(0)) for guard in step.guards[:_MOST_PIECES]]
    more = f" and across {len(step.guards) - _MOST_PIECES} more guards" if len(step.guards) > _MOST_PIECES else ""
    agree, cover = "By exact algebra the branches on either side agree where", "some branch applies at every point."
    if any(_has_switch(guard) for guard in step.guards):
        blocks = (sentence(agree), Display(tuple(shown)), sentence(f"{more.strip()} and {cover}".strip()))
        return Section("Continuity", blocks)
    return Section("Continuity", (Paragraph((agree + " ", *listed(shown), f"{more}; {cover}")),))


def _has_switch(guard: Any) -> bool:
    import sympy as sp

    return any(type(node).__name__ == "Switch" for node in sp.preorder_traversal(guard))


def _readable(guard: Any) -> Any:
    """Write the switches inside a guard as ``Piecewise``."""
    import sympy as sp

    def cases(g: Any, negative: Any, zero: Any, positive: Any) -> Any:
        middle = [(zero, sp.Eq(g, 0))] if zero not in (negative, positive) else []
        first = sp.Ge(g, 0) if zero == positive else sp.Gt(g, 0)
        return sp.Piecewise((positive, first), *middle, (negative, True))

    return guard.replace(lambda node: type(node).__name__ == "Switch", lambda node: cases(*node.args))


def discontinuity(step: d.DiscontinuityStep, steps: Sequence[d.Step]) -> Section:
    """Tell a point at which the map jumps, or has no value."""
    where = _assignments(step.point)
    if step.value is None:
        return Section("A gap", (Paragraph(("At ", *where, " no branch of the map applies.")),))
    said = (
        "At ", *where, " the value is ", _point(step.value), ", but along the direction ", _point(step.direction or ()),
        " the map tends to ", _point(step.limit or ()), ".",
    )  # fmt: skip
    return Section("A jump", (Paragraph(said),))


def fixed_point(step: d.FixedPointStep, steps: Sequence[d.Step]) -> Section:
    """Tell which point is mapped to itself."""
    at = ("At ", *_assignments(step.at), " the point ") if step.at else ("The point ",)
    start = "; it is where the iteration starts." if step.start_is_fixed else "."
    said = (*at, *_assignments(step.state), " is mapped to itself", start)
    return Section("The fixed point", (Paragraph(said),))


def pieces(step: d.PiecesStep, steps: Sequence[d.Step]) -> Section:
    """Tell the Jacobian pairs that are active at the fixed point, and where each piece lives."""
    alone = len(step.A) == 1
    i = "0" if alone else "i"
    definition = formula(Letter("A", i), "=", Operator("∂F/∂x"))
    if step.B[0].ncols():
        definition = formula(*definition, ",", Letter("B", i), "=", Operator("∂F/∂θ"))
    said = (
        "One piece is active there, with the Jacobian pair "
        if alone
        else f"{_number_word(len(step.A))} pieces meet there, with the Jacobian pairs "
    )
    if not step.exact:
        known = "For some of them essential activity is undecided, so these may be more than the selection set."
    elif alone:
        known = "The piece was proved essentially active, so this is the selection set."
    else:
        known = "Each piece was proved essentially active, so this is the selection set."
    remarks = [_region(conditions) for conditions in step.conditions]
    return Section("The pieces", (sentence(said, definition, ":"), _pairs(step.A, step.B, remarks), sentence(known)))


def _region(conditions: Sequence[tuple[int, Any]]) -> Formula:
    signs = {1: ">", -1: "<", 0: "="}
    atoms: list[Any] = []
    for sign, guard in conditions[:4]:
        atoms += [", " if atoms else "where ", Expression(guard), Operator(signs[sign]), Number(0)]
    return (*atoms, ", …") if len(conditions) > 4 else tuple(atoms)


def chain_rule(step: d.ChainRuleStep, steps: Sequence[d.Step]) -> Section:
    """Tell the pairs that automatic differentiation can return, and which of them no piece has."""
    count = len(step.pairs)
    A, B = [pair[0] for pair in step.pairs], [pair[1] for pair in step.pairs]
    lines = []
    for a, b in list(zip(A, B, strict=True))[:_MOST_PIECES]:
        pair = [_A, *is_matrix(a)]
        if b.ncols():
            pair += [",   ", _B, *is_matrix(b)]
        lines.append((*pair, *_membership((a, b), step, steps)))
    if count > _MOST_PIECES:
        lines.append((f"… and {count - _MOST_PIECES} more",))
    said = sentence(
        "Automatic differentiation lets each kink of the program pick its branch on its own. "
        + ("That gives one pair:" if count == 1 else f"That gives {count} pairs:")
    )
    return Section("The chain-rule set", (said, Display(tuple(lines))))


def _membership(pair: tuple[Any, Any], step: d.ChainRuleStep, steps: Sequence[d.Step]) -> tuple[str, ...]:
    """Say whether a pair is in the selection set, where that is known."""
    pieces = next((s for s in steps if isinstance(s, d.PiecesStep)), None)
    if step.witness is not None and pair == tuple(step.witness):
        return ("   not in the selection set",)
    if pieces is None or not pieces.exact:
        return ()
    inside = pair in list(zip(pieces.A, pieces.B, strict=True))
    return ("   in the selection set" if inside else "   not in the selection set",)


def _assignments(values: dict[Any, Any]) -> tuple[Part, ...]:
    return listed([formula(Name(str(v)), "=", Expression(c)) for v, c in values.items()])


def _point(values: Sequence[Any]) -> Formula:
    return tupled([(Expression(value),) for value in values])


def _number_word(count: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[count] if count < len(words) else str(count)
