"""What each step of a derivation says, as blocks for the printers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.intervals import IntervalMatrix
from piggycheck.render import (
    asymptotic,
    comparisons,
    curved,
    cycles,
    enclosures,
    everywhere,
    limit_sets,
    practice,
    rates,
    trajectories,
)
from piggycheck.render.bounds import bounds
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
)
from piggycheck.render.layers import structured_map
from piggycheck.render.numbers import is_matrix
from piggycheck.render.proofs import contraction, dual_form
from piggycheck.render.singular import pseudo_inverse
from piggycheck.render.words import word

__all__ = ["HEADINGS", "names_of", "own_steps", "shared_steps", "tell"]

HEADINGS = {
    "asymptotic_rate": "At which rate, exactly?",
    "chain_rule_set_is_larger": "Is the chain-rule set larger?",
    "continuous": "Is the map continuous?",
    "converged": "Are they close to the limit?",
    "converges": "Do the derivatives converge?",
    "cycle": "Do the iterates run in a cycle?",
    "derivative": "What do the derivatives converge to?",
    "derivatives_diverge_everywhere": "Do the derivatives diverge at every parameter?",
    "diverges": "Do the derivatives diverge?",
    "error_comparison": "Is one error at most the other?",
    "flow_cycle": "Does the flow run into a cycle?",
    "fixed_point": "Where is the fixed point?",
    "implicit_is_invertible": "Can implicit differentiation be done?",
    "implicit_is_strict": "Does implicit differentiation miss elements?",
    "implicit_set_exceeds_clarke": "Does implicit differentiation return too much?",
    "in_piggyback_set": "Is this matrix in the piggyback set?",
    "iterates_converge": "Do all iterates converge?",
    "iterates_converge_uniformly": "Do the iterates converge uniformly?",
    "joint_spectral_radius": "What is the joint spectral radius?",
    "no_common_quadratic_form": "Is there no common quadratic form?",
    "pseudo_inverse_agrees": "Is the limit what the pseudo-inverse gives?",
    "practice_agrees": "Is what practice returns in the piggyback set?",
    "piggyback_bounds": "How large is the piggyback set?",
    "piggyback_interval": "What is the hull of the piggyback set?",
    "rate_bound": "Are the errors below the bound?",
    "rate_comparison": "Which is faster in the end?",
}
"""The question behind each kind of claim."""

_REST_ON_CONTRACTION = (
    *("derivative", "diverges"),
    *("implicit_is_strict", "in_piggyback_set", "piggyback_bounds", "piggyback_interval"),
)
_MOST_PIECES = 8
_MOST_WORDS = 20
_MOST_CASES = 6
_A, _B, _X, _J, _P = Letter("A"), Letter("B"), Letter("X"), Letter("J"), Letter("P")
_A_I, _B_I = Letter("A", "i"), Letter("B", "i")


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
    setting = (
        *(d.MapStep, d.StructuredMapStep, d.SwitchedStep),
        *(d.FixedPointStep, d.EnclosedPointStep, d.TieStep, d.PiecesStep),
    )
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
    """Return the steps of a verdict that were not told before, in order; that all pairs contract is proved once.

    A ball is one in the norm of a certain proof, so that this one must have been told. Which of two rates is
    larger is told again, as their names may stand for others.
    """
    along_a_graph = any(isinstance(step, d.TransitionsStep) for step in (*told, *verdict.derivation))
    rests = verdict.kind in _REST_ON_CONTRACTION and not along_a_graph
    needs_its_own = verdict.derivation.first(d.BallStep) is not None
    proofs = [step.proof for step in told if _says_that_all_contract(step)]

    def is_known(step: d.Step) -> bool:
        return _says_that_all_contract(step) and bool(proofs) and (not needs_its_own or step.proof in proofs)

    return [
        step
        for step in verdict.derivation
        if (step not in told or isinstance(step, d.RatesComparedStep))
        and not (isinstance(step, d.FixedPointStep) or (rests and is_known(step)))
    ]


def _says_that_all_contract(step: d.Step) -> bool:
    return isinstance(step, d.ContractionStep) and bool(step.proof.rate < 1)


def tell(step: d.Step, steps: Sequence[d.Step] = ()) -> Section:
    """Tell one step; `steps` are those around it, which may name the letters that it uses."""
    return _TELLERS[type(step)](step, steps)


def names_of(verdicts: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of state and parameters that the verdicts' derivations declare."""
    for verdict in verdicts:
        step = verdict.derivation.first(d.MapStep)
        if step is not None:
            return tuple(str(v) for v in (*step.state, *step.parameters))
        layered = verdict.derivation.first(d.StructuredMapStep)
        if layered is not None:
            return tuple(name for name, *_ in (*layered.layers["state"], *layered.layers["parameters"]))
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


def _switched(step: d.SwitchedStep, steps: Sequence[d.Step]) -> Section:
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
    if len(graph) > _MOST_WORDS:
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


def _transitions(step: d.TransitionsStep, steps: Sequence[d.Step]) -> Section:
    m = step.memory
    excluded = ": exact linear programs exclude the others" if len(step.nodes) < step.letters**m else ""
    whose = (
        "that never reach the fixed point"
        if any(isinstance(s, d.HomogeneousStep) for s in steps)
        else ("that converge to the fixed point without ever reaching it")
    )
    said: list[Part] = [
        f"Along iterates {whose}, a word occurs only when some direction "
        "follows it from the cone of one piece into that of the next. Of all words of "
        f"{_letters(m)}, {len(step.nodes)} can occur again and again{excluded}.",
    ]  # fmt: skip
    one = len(step.nodes) == 1
    said += [" It is the node of a graph" if one else " They are the nodes of a graph"]
    said += [": ", (Words(step.nodes),)] if len(step.nodes) <= _MOST_WORDS else []
    longer = [(*step.nodes[u], i) for u, i, _ in step.edges]
    are = "edge is the word" if len(longer) == 1 else f"{len(longer)} edges are the words"
    said.append(f". Its {are} of {_letters(m + 1)} that can")
    said += [": ", (Words(tuple(longer)),), "."] if len(longer) <= _MOST_WORDS else [", listed in the certificate."]
    return Section("The words that the guards allow", (Paragraph(tuple(said)),))


def _realised(step: d.RealisedStep, steps: Sequence[d.Step]) -> Section:
    direction, fixed, w = Letter("d"), Letter("x̄"), formula(Letter("w"), "=", Words((step.word,)))
    multiple = formula(Letter("A", "w"), direction, "=", Number(step.multiplier), direction)
    said = (
        "The displacement ", formula(direction, "=", *_listing(step.direction)), " lies in the cone of the first piece "
        "of ", w, ", its images lie in those of the following ones, and ", multiple, ". So the iterates that begin at ",
        formula(fixed, "+", Letter("ε"), direction), ", with a small ", formula(Letter("ε"), ">", Number(0)),
        ", follow the word again and again, and converge to ", (fixed,), " without ever reaching it.",
    )  # fmt: skip
    return Section("Iterates that follow a word", (Paragraph(said),))


def _letters(count: int) -> str:
    return "one letter" if count == 1 else f"{count} letters"


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
    given = next((s for s in steps if isinstance(s, d.SwitchedStep)), None)
    along_a_graph = any(isinstance(s, d.TransitionsStep) for s in steps) or (given is not None and bool(given.graph))
    who = "along these words the derivatives" if along_a_graph else "whatever is selected the derivatives"
    linear = given is not None and given.is_linear
    image = formula(_X, "=", _A_I, _X) if linear else formula(_X, "=", _A_I, _X, "+", _B_I)
    every = "every active pair" if given is None else "every matrix" if linear else "every pair"
    blocks = (
        sentence("The matrix"),
        Display((formula(_X, *is_matrix(step.matrix)),)),
        sentence("satisfies ", image, f" for {every}, so {who} converge to it."),
    )
    return Section("The limit of the derivatives", blocks)


def _word_fixed_points(step: d.WordFixedPointsStep, steps: Sequence[d.Step]) -> Section:
    lines = [
        formula(Letter("X"), *is_matrix(X), ("   for the word ", Words((word,)))[0], Words((word,)))
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


_TELLERS: dict[type, Callable[[Any, Sequence[d.Step]], Section]] = {
    d.MapStep: _map,
    d.RealisedStep: _realised,
    d.SwitchedStep: _switched,
    d.ContinuityStep: _continuity,
    d.DiscontinuityStep: _discontinuity,
    d.FixedPointStep: _fixed_point,
    d.PiecesStep: _pieces,
    d.WordStep: word,
    d.PolynomialGrowthStep: word,
    d.PseudoInverseStep: pseudo_inverse,
    d.BoundsStep: bounds,
    d.ContractionStep: contraction,
    d.DualFormStep: dual_form,
    d.TransitionsStep: _transitions,
    d.TrapStep: _trap,
    d.LimitStep: _limit,
    d.WordFixedPointsStep: _word_fixed_points,
    d.ChainRuleStep: _chain_rule,
    d.AsymptoticRateStep: asymptotic.rate,
    d.TransientStep: asymptotic.transient,
    d.CurvedRateStep: curved.rate,
    d.CurvedTailStep: curved.tail,
    d.SequenceStep: asymptotic.sequence,
    d.RatesComparedStep: asymptotic.rates_compared,
    d.ComparedStep: rates.compared,
    d.SidesStep: comparisons.sides,
    d.TailStep: rates.tail,
    d.LowerTailStep: rates.lower_tail,
    d.PracticeStep: practice.told,
    d.AgainstClarkeStep: practice.against_clarke,
    d.StructuredMapStep: structured_map,
    d.EnclosedPointStep: enclosures.point,
    d.EnclosedOutputStep: enclosures.output,
    d.EnclosedRateStep: enclosures.rate,
    d.EnclosedDerivativeStep: enclosures.derivative,
    d.ErrorStep: enclosures.error,
    d.FromStartStep: enclosures.from_start,
    d.LeadingEigenvalueStep: asymptotic.leading,
    d.ObservedStep: enclosures.observed,
    d.TieStep: enclosures.tie,
    d.FunnelStep: trajectories.funnel,
    d.EscapeStep: trajectories.escape,
    d.CommonDirectionStep: trajectories.common_direction,
    d.FlowStep: trajectories.flow,
    d.FlowCycleStep: trajectories.flow_cycle,
    d.PeriodicOrbitStep: trajectories.periodic_orbit,
    d.EnergyStep: everywhere.energy,
    d.PiecesEverywhereStep: everywhere.pieces,
    d.HomogeneousStep: everywhere.homogeneous,
    d.ReturnStep: everywhere.returning,
    d.CyclesStep: cycles.cycles,
    d.BasinStep: cycles.basin,
    d.FollowedStep: cycles.followed,
    d.ImplicitSetStep: limit_sets.implicit_set,
    d.IntervalStep: limit_sets.interval,
    d.OutsideImplicitStep: limit_sets.outside_implicit,
    d.InvariantPointsStep: limit_sets.invariant_points,
    d.InsideStep: limit_sets.inside,
    d.InsideIntervalStep: limit_sets.inside_interval,
    d.BallStep: limit_sets.ball,
    d.BeyondBoundStep: limit_sets.beyond_bound,
    d.SeparationStep: limit_sets.separation,
    d.DirectionBoundsStep: limit_sets.direction_bounds,
    d.InvertibleStep: limit_sets.invertible,
    d.SingularStep: limit_sets.singular,
    d.ClarkeStep: limit_sets.clarke,
}


def _assignments(values: dict[Any, Any]) -> tuple[Part, ...]:
    return listed([formula(Name(str(v)), "=", Expression(c)) for v, c in values.items()])


def _tuple(values: Sequence[Any]) -> Formula:
    return _listing(values, Expression)


def _listing(values: Sequence[Any], kind: type = Number) -> Formula:
    atoms: list[Any] = [Operator("(")]
    for i, value in enumerate(values):
        atoms += [*([Operator(",")] if i else []), kind(value)]
    return (*atoms, Operator(")"))


def _number_word(count: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[count] if count < len(words) else str(count)
