"""What is said of iterates near the fixed point: the words that they follow, the trap, the limit of derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.render.formula import (
    Display,
    Formula,
    Letter,
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

__all__ = ["limit", "realised", "transitions", "trap"]

_MOST_WORDS = 20
_P, _X = Letter("P"), Letter("X")
_A_I, _B_I = Letter("A", "i"), Letter("B", "i")


def transitions(step: d.TransitionsStep, steps: Sequence[d.Step]) -> Section:
    """Tell which words iterates can follow again and again on their way to the fixed point."""
    m = step.memory
    excluded = ": exact linear programs exclude the others" if len(step.nodes) < step.letters**m else ""
    whose = (
        "that never reach the fixed point"
        if any(isinstance(s, d.HomogeneousStep) for s in steps)
        else "that converge to the fixed point without ever reaching it"
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


def _letters(count: int) -> str:
    return "one letter" if count == 1 else f"{count} letters"


def realised(step: d.RealisedStep, steps: Sequence[d.Step]) -> Section:
    """Tell how iterates follow a word and converge."""
    fixed, w, d_ = Letter("x̄"), formula(Letter("w"), "=", Words((step.word,))), Letter("d")
    one = len(step.directions) == 1
    names = [d_] if one else [Letter("d", str(i + 1)) for i in range(len(step.directions))]
    stated = [formula(x, "=", *tupled([(Number(c),) for c in v])) for x, v in zip(names, step.directions, strict=True)]
    images = [
        formula(Letter("A", "w"), x, "=", *_combination(row, names))
        for x, row in zip(names, step.multipliers, strict=True)
    ]
    lies = "The displacement " if one else "The displacements "
    said: tuple[Part, ...] = (
        lies, *listed(stated), " lies" if one else " lie", " in the cone of the first piece of ", w, ", ",
        "its" if one else "their", " images lie in those of the following ones, and ", *listed(images), ". ",
    )  # fmt: skip
    if not one:
        said += (
            "Cones are convex, so combinations ", (d_,), " of them with weights that are not negative follow the word, "
            "too, and in each round the sum of the weights becomes smaller by a factor. ",
        )  # fmt: skip
    said += (
        "So the iterates that begin at ", formula(fixed, "+", Letter("ε"), d_), ", with a small ",
        formula(Letter("ε"), ">", Number(0)), ", follow the word again and again, and converge to ", (fixed,),
        " without ever reaching it.",
    )  # fmt: skip
    return Section("Iterates that follow a word", (Paragraph(said),))


def _combination(weights: Sequence[Any], names: Sequence[Letter]) -> Formula:
    terms = [(Number(a), x) for a, x in zip(weights, names, strict=True) if a]
    return tuple(atom for i, term in enumerate(terms) for atom in ([Operator("+")] if i else []) + list(term))


def trap(step: d.TrapStep, steps: Sequence[d.Step]) -> Section:
    """Tell from which iterate on all stay near the fixed point."""
    V = Letter("V")
    x, x_k, fixed = Letter("x"), Letter("x", str(step.iteration)), Letter("x̄")
    said = (
        "Put ", formula(V, "(", x, ")", "=", Letter("(x − x̄)", "", "T"), _P, "(", x, "−", fixed, ")"), ". The iterate ",
        (x_k,), " has ", formula(V, "(", x_k, ")", "≤", Number(step.level)),
        ". From there on no iterate meets a piece that is not active at ", (fixed,),
        ", so ", (V,), " contracts and the iterates converge to ", (fixed,), ".",
    )  # fmt: skip
    return Section("The iterates are trapped", (Paragraph(said),))


def limit(step: d.LimitStep, steps: Sequence[d.Step]) -> Section:
    """Tell the matrix to which the derivatives converge."""
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
