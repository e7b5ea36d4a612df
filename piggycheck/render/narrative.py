"""What each step of a derivation says, as blocks for the printers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from piggycheck import derivation as d
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
    Polynomial,
    Power,
    Section,
    Words,
    exactly,
    formula,
    listed,
    matrix,
    sentence,
)

__all__ = ["HEADINGS", "names_of", "own_steps", "shared_steps", "tell"]

HEADINGS = {
    "chain_rule_set_is_larger": "Is the chain-rule set larger?",
    "continuous": "Is the map continuous?",
    "converges": "Do the derivatives converge?",
    "derivative": "What do the derivatives converge to?",
    "diverges": "Do the derivatives diverge?",
    "fixed_point": "Where is the fixed point?",
}
"""The question behind each kind of claim."""

_MOST_PIECES = 8
_MOST_WORDS = 20
_MOST_CASES = 6
_LONGEST_PRODUCT = 16
_A, _B, _X, _J, _P = Letter("A"), Letter("B"), Letter("X"), Letter("J"), Letter("P")
_A_I, _B_I = Letter("A", "i"), Letter("B", "i")
_RATE = Letter("γ")


def shared_steps(verdicts: Sequence[Any]) -> list[d.Step]:
    """Return the steps of what the verdicts are about, each once: the map, the fixed point, the pieces there.

    Parameters
    ----------
    verdicts : sequence of verdicts
        About one subject.

    Returns
    -------
    list of Step
    """
    setting = (d.MapStep, d.SwitchedStep, d.FixedPointStep, d.PiecesStep)
    kept: list[d.Step] = []
    for step in itertools.chain.from_iterable(verdict.derivation for verdict in verdicts):
        if isinstance(step, setting) and step not in kept:
            kept.append(step)
    return sorted(_without_repeated_points(kept), key=lambda step: setting.index(type(step)))


def _without_repeated_points(steps: list[d.Step]) -> list[d.Step]:
    """Of several steps about one fixed point keep the one that says most."""
    points = [step for step in steps if isinstance(step, d.FixedPointStep)]
    said_more = [
        step
        for step in points
        if not step.start_is_fixed
        and any(p.start_is_fixed and (p.state, p.at) == (step.state, step.at) for p in points)
    ]
    return [step for step in steps if step not in said_more]


def own_steps(verdict: Any, told: Sequence[d.Step]) -> list[d.Step]:
    """Return the steps of a verdict that were not told before, in order."""
    return [step for step in verdict.derivation if step not in told and not isinstance(step, d.FixedPointStep)]


def tell(step: d.Step, steps: Sequence[d.Step] = ()) -> Section:
    """Tell one step; `steps` are those around it, which may name the letters that it uses."""
    return _TELLERS[type(step)](step, steps)


def names_of(verdicts: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of state and parameters that the verdicts' derivations declare."""
    for verdict in verdicts:
        step = verdict.derivation.first(d.MapStep)
        if step is not None:
            return tuple(str(v) for v in (*step.state, *step.parameters))
    return ()


# -- steps ----------------------------------------------------------------------------------------------------------


def _map(step: d.MapStep, steps: Sequence[d.Step]) -> Section:
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
        blocks.append(sentence("No start is given, so what follows is local to a fixed point."))
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


def _switched(step: d.SwitchedStep, steps: Sequence[d.Step]) -> Section:
    said = sentence("Each step sends ", (_X,), " to ", formula(_A_I, _X, "+", _B_I), ", for any of the pairs")
    blocks: list[Paragraph | Display] = [Paragraph((*said.parts, ":")), _pairs(step.A, step.B)]
    if step.J0 is not None:
        blocks += [sentence("The recursion starts at"), Display((formula(Letter("J", "0"), *_is(step.J0)),))]
    return Section("The switched system", tuple(blocks))


def _pairs(A: Sequence[Any], B: Sequence[Any], remarks: Sequence[Formula] = ()) -> Display:
    lines: list[Formula] = []
    for i in range(min(len(A), _MOST_PIECES)):
        pair = [Letter("A", str(i)), *_is(A[i])]
        if B[i].ncols():
            pair += [",   ", Letter("B", str(i)), *_is(B[i])]
        lines.append((*pair, *(("   ", *remarks[i]) if remarks and remarks[i] else ())))
    if len(A) > _MOST_PIECES:
        lines.append((f"… and {len(A) - _MOST_PIECES} more, in the certificate",))
    return Display(tuple(lines))


def _continuity(step: d.ContinuityStep, steps: Sequence[d.Step]) -> Section:
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


def _discontinuity(step: d.DiscontinuityStep, steps: Sequence[d.Step]) -> Section:
    where = _assignments(step.point)
    if step.value is None:
        return Section("A gap", (Paragraph(("At ", *where, " no branch of the map applies.")),))
    said = (
        "At ", *where, " the value is ", _tuple(step.value), ", but along the direction ", _tuple(step.direction or ()),
        " the map tends to ", _tuple(step.limit or ()), ".",
    )  # fmt: skip
    return Section("A jump", (Paragraph(said),))


def _fixed_point(step: d.FixedPointStep, steps: Sequence[d.Step]) -> Section:
    at = ("At ", *_assignments(step.at), " the point ") if step.at else ("The point ",)
    start = "; it is where the iteration starts." if step.start_is_fixed else "."
    said = (*at, *_assignments(step.state), " is mapped to itself", start)
    return Section("The fixed point", (Paragraph(said),))


def _pieces(step: d.PiecesStep, steps: Sequence[d.Step]) -> Section:
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


def _word(step: d.WordStep, steps: Sequence[d.Step]) -> Section:
    title = "A word that grows" if step.modulus_lower > 1 else "A word that does not contract"
    w = formula(Letter("w"), "=", Words((step.word,)))
    blocks: list[Paragraph | Display]
    if any(s is not step and isinstance(s, d.WordStep) and s.word == step.word for s in steps):
        blocks = [sentence("Take again the word ", w, ".")]
        if step.B.ncols() and step.J0 is not None:
            blocks.append(Display((formula(Letter("B", "w"), *_is(step.B)),)))
    else:
        order = ", written in time order: its first letter acts first and stands rightmost in the product."
        blocks = [sentence("Take the word ", w, order if len(step.word) > 1 else ".")]
        lines = [formula(Letter("A", "w"), "=", *_product(step.word), *_is(step.A))]
        if step.B.ncols() and step.J0 is not None:
            lines.append(formula(Letter("B", "w"), *_is(step.B)))
        blocks += [Display(tuple(lines)), *_spectrum(step)]
    if step.J0 is not None:
        blocks += _excitation(step)
    return Section(title, tuple(blocks))


def _product(word: Sequence[int]) -> Formula:
    """Write the matrices of a word from the last letter to the first, runs as powers where the word is long."""
    letters = [str(letter) for letter in reversed(word)]
    if len(letters) <= _LONGEST_PRODUCT:
        return tuple(Letter("A", letter) for letter in letters)
    runs = [(letter, len(list(run))) for letter, run in itertools.groupby(letters)]
    shown = [Letter("A", letter, str(count) if count > 1 else "") for letter, count in runs]
    if len(shown) <= 2 * _LONGEST_PRODUCT:
        return tuple(shown)
    return (*shown[:_LONGEST_PRODUCT], Operator("⋯"), *shown[-4:])


def _spectrum(step: d.WordStep) -> list[Paragraph | Display]:
    """The characteristic polynomial, and its roots as exactly as they can be written."""
    q, lam = step.characteristic_polynomial, Letter("λ")
    if q.degree() > 8:
        return [
            sentence(
                "Its characteristic polynomial, of degree ",
                (Number(q.degree()),),
                ", has a root of modulus at least ",
                *exactly(step.modulus_lower),
                ".",
            )
        ]
    linear, roots = _factors(q)
    blocks: list[Paragraph | Display] = [sentence("Its characteristic polynomial is")]
    if linear and q.degree() > 1:
        blocks.append(Display((formula(Letter("q"), "(", lam, ")", "=", Polynomial(q)), formula("=", *linear))))
    else:
        blocks.append(Display((formula(Letter("q"), "(", lam, ")", "=", Polynomial(q)),)))
    if roots:
        shown = listed([(Number(root),) for root in roots])
        blocks.append(Paragraph(("with the eigenvalue " if len(roots) == 1 else "with the eigenvalues ", *shown, ".")))
    else:
        blocks.append(
            sentence(
                "which has a root of modulus at least ",
                *exactly(step.modulus_lower),
                ", by the Schur–Cohn test on ",
                formula(Letter("q"), "(", Letter("r"), lam, ")"),
                " with this ",
                (Letter("r"),),
                ".",
            )
        )
    return blocks


def _factors(q: Any) -> tuple[list[Any], list[Any]]:
    """Return the linear factors and the rational roots of a polynomial that is a product of such, else nothing."""
    atoms: list[Any] = []
    roots = []
    for factor, multiplicity in q.factor()[1]:
        if factor.degree() != 1:
            return [], []
        root = -factor[0] / factor[1]
        roots.append(root)
        if root == 0:
            atoms.append(Letter("λ", "", str(multiplicity) if multiplicity > 1 else ""))
            continue
        inside = [Operator("("), Letter("λ"), Operator("−" if root > 0 else "+"), Number(abs(root))]
        atoms += [*inside, Letter(")", "", str(multiplicity)) if multiplicity > 1 else Operator(")")]
    order = sorted(roots, key=abs, reverse=True)
    return atoms, order


def _excitation(step: d.WordStep) -> list[Paragraph | Display]:
    """Why J_0 feels the large eigenvalue."""
    J_0, v, lam, c = Letter("J", "0"), Letter("v", "", "T"), Letter("λ"), Letter("c")
    A_w, B_w = Letter("A", "w"), Letter("B", "w")
    start = Display((formula(J_0, *_is(step.J0)),))
    growth = sentence(
        "So along ", (Letter("w"),), ", repeated, the derivatives grow at least like ",
        (Power(step.growth_lower, "k"),), ".",
    )  # fmt: skip
    if step.eigenvalue is None or step.left_eigenvector is None or step.excitation is None:
        said = (
            "The start ", (J_0,), " excites this root: it is a root of the minimal polynomial of ",
            formula("(", J_0, ";", Letter("I"), ")"), f" (column {step.column}) under ",
            formula(Letter("X"), "↦", A_w, Letter("X"), "+", B_w), ".",
        )  # fmt: skip
        return [Paragraph(("The recursion starts at",)), start, Paragraph(said), growth]
    from flint import fmpq_mat

    row, excitation = fmpq_mat([list(step.left_eigenvector)]), fmpq_mat([list(step.excitation)])
    with_B = any(step.B[i, j] != 0 for i in range(step.B.nrows()) for j in range(step.B.ncols()))
    rest = ("+", v, B_w, Operator("/"), "(", lam, "−", Number(1), ")") if with_B else ()
    return [
        sentence(
            "The left eigenvector for ",
            formula(lam, "=", Number(step.eigenvalue)),
            " and the start of the recursion are",
        ),
        Display((formula(v, *_is(row), ",   ", J_0, *_is(step.J0)),)),
        sentence("and the start excites the eigenvalue, because"),
        Display((formula(c, "=", v, J_0, *rest, *_is(excitation), "≠", Number(0)),)),
        growth,
    ]


def _contraction(step: d.ContractionStep, steps: Sequence[d.Step]) -> Section:
    is_quadratic = all(len(word) == 1 for word in step.words)
    display = Display((formula(_P, "≻", Number(0), ",   ", _P, *_is(step.P), ",   ", _RATE, "=", Number(step.rate)),))
    if is_quadratic:
        inequality = formula(Letter("γ", "", "2"), _P, "−", Letter("A", "i", "T"), _P, _A_I, "⪰", Number(0))
        said = [
            sentence("The quadratic form"),
            display,
            sentence(
                "contracts: exact LDLᵀ factorisations show that ",
                inequality,
                " for every active pair, so in the norm of ",
                (_P,),
                " each step contracts by the factor ",
                (_RATE,),
                ".",
            ),
        ]
    else:
        inequality = formula(
            Letter("γ", "", "2|w|"), _P, "−", Letter("A", "w", "T"), _P, Letter("A", "w"), "⪰", Number(0)
        )
        said = [
            sentence("The quadratic form"),
            display,
            sentence(
                "contracts along words: every infinite word starts with exactly one of ",
                *_word_list(step.words),
                ", and exact LDLᵀ factorisations show for each that ",
                inequality,
                ".",
            ),
        ]
        if max(itertools.chain.from_iterable(step.words)) >= _letters_shown(steps):
            said.append(sentence("The letters stand for the active pieces in the order of the certificate."))
    joint: list[Part] = ["Therefore the joint spectral radius is at most ", *exactly(step.rate)]
    if step.lower is not None and step.lower > 0:
        joint += [", and some word shows that it is at least ", *exactly(step.lower)]
    return Section("A norm that contracts", (*said, Paragraph((*joint, "."))))


def _letters_shown(steps: Sequence[d.Step]) -> int:
    return max((len(s.A) for s in steps if isinstance(s, (d.PiecesStep, d.SwitchedStep))), default=0)


def _word_list(words: Sequence[tuple[int, ...]]) -> tuple[Part, ...]:
    if len(words) <= _MOST_WORDS:
        return (f"the {len(words)} words ", (Words(tuple(words)),))
    return (f"{len(words)} words, the longest of {max(map(len, words))} letters, listed in the certificate",)


def _trap(step: d.TrapStep, steps: Sequence[d.Step]) -> Section:
    V = Letter("V")
    x, x_k, fixed = Letter("x"), Letter("x", str(step.iteration)), Letter("x̄")
    said = (
        "Put ", formula(V, "(", x, ")", "=", Letter("(x − x̄)", "", "T"), _P, "(", x, "−", fixed, ")"), ". The iterate ",
        (x_k,), " has ", formula(V, "(", x_k, ")", "≤", Number(step.level)),
        ". From there on no iterate meets a piece that is not active at ", (fixed,),
        ", so ", (V,), " contracts and the iterates converge to ", (fixed,), ".",
    )  # fmt: skip
    return Section("The iterates are trapped", (Paragraph(said),))


def _limit(step: d.LimitStep, steps: Sequence[d.Step]) -> Section:
    return Section(
        "The limit of the derivatives",
        (
            sentence("The matrix"),
            Display((formula(_X, *_is(step.matrix)),)),
            sentence(
                "satisfies ",
                formula(_X, "=", _A_I, _X, "+", _B_I),
                " for every active pair, so whatever is selected the derivatives converge to it.",
            ),
        ),
    )


def _word_fixed_points(step: d.WordFixedPointsStep, steps: Sequence[d.Step]) -> Section:
    lines = [
        formula(Letter("X"), *_is(X), ("   for the word ", Words((word,)))[0], Words((word,)))
        for word, X in zip(step.words, step.matrices, strict=True)
    ]
    A_w, B_w = Letter("A", "w"), Letter("B", "w")
    said = sentence(
        "The solution of ",
        formula(_X, "=", A_w, _X, "+", B_w),
        " is an element of the piggyback set, for every word ",
        (Letter("w"),),
        ":",
    )
    return Section("Elements of the piggyback set", (said, Display(tuple(lines))))


def _chain_rule(step: d.ChainRuleStep, steps: Sequence[d.Step]) -> Section:
    count = len(step.pairs)
    A, B = [pair[0] for pair in step.pairs], [pair[1] for pair in step.pairs]
    lines = []
    for a, b in list(zip(A, B, strict=True))[:_MOST_PIECES]:
        pair = [_A, *_is(a)]
        if b.ncols():
            pair += [",   ", _B, *_is(b)]
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


_TELLERS: dict[type, Callable[[Any, Sequence[d.Step]], Section]] = {
    d.MapStep: _map,
    d.SwitchedStep: _switched,
    d.ContinuityStep: _continuity,
    d.DiscontinuityStep: _discontinuity,
    d.FixedPointStep: _fixed_point,
    d.PiecesStep: _pieces,
    d.WordStep: _word,
    d.ContractionStep: _contraction,
    d.TrapStep: _trap,
    d.LimitStep: _limit,
    d.WordFixedPointsStep: _word_fixed_points,
    d.ChainRuleStep: _chain_rule,
}


def _assignments(values: dict[Any, Any]) -> tuple[Part, ...]:
    return listed([formula(Name(str(v)), "=", Expression(c)) for v, c in values.items()])


def _tuple(values: Sequence[Any]) -> Formula:
    atoms: list[Any] = [Operator("(")]
    for i, value in enumerate(values):
        atoms += [*([Operator(",")] if i else []), Expression(value)]
    return (*atoms, Operator(")"))


def _number_word(count: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[count] if count < len(words) else str(count)


def _is(M: Any) -> Formula:
    """Write what a matrix is: equal to its entries, or near them where they are rounded."""
    shown = matrix(M)
    return Operator("≈" if shown.rounded else "="), shown
