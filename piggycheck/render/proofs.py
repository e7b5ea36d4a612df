"""What each kind of proof of an upper bound says, as blocks for the printers; proofs within proofs are told in turn."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piggycheck import derivation as d
from piggycheck.intervals import IntervalMatrix
from piggycheck.render.formula import (
    Decimal,
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
)
from piggycheck.render.numbers import decimal, exactly, is_matrix, matrix

__all__ = ["contraction", "dual_form", "method_name"]

_METHODS = {
    "complex_polytope": "an invariant complex polytope",
    "nonnegative": "a monotone polytope",
    "path_complete": "forms on a path-complete graph",
    "polytope": "an invariant polytope",
}
_MOST_WORDS = 20
_MOST_FORMS = 4
_MOST_EDGES = 12
_MOST_VERTICES = 8
_MOST_BLOCKS = 6
_LONGEST_RATE = 40
_MATRICES, _RATES = "AMNKLH", "γδεζηκ"
_P, _S = Letter("P"), Letter("S")
_Block = Paragraph | Display
_Blocks = list[_Block]
_IN_CERTIFICATE = "in the certificate"
_LETTERS_ARE_EDGES = "Here a letter is an edge of the graph, and its matrix the block matrix of that edge."


@dataclass(frozen=True)
class _Told:
    """How the matrices and the rate of a proof are called, and what can be said of them."""

    rate: Any
    depth: int = 0
    block: str = ""
    every: str = "every matrix"
    letters: int = 0

    @property
    def gamma(self) -> Letter:
        return self.power("")

    def power(self, exponent: str) -> Letter:
        return Letter(_RATES[self.depth], self.block, exponent)

    def A(self, below: str = "i", above: str = "") -> Letter:
        return Letter(_MATRICES[self.depth], below, above)

    def within(self, rate: Any, block: str = "") -> _Told:
        """Return the names for a proof within this one."""
        return _Told(rate, self.depth + 1, block)


def method_name(witness: Mapping[str, Any]) -> str:
    """Name the method of a proof, and of the proofs within it that carry the rate.

    Parameters
    ----------
    witness : mapping
        The proof as certificates hold it.

    Returns
    -------
    str

    Examples
    --------
    >>> method_name({"method": "lift", "degree": 2, "proof": {"method": "word_tree", "words": [(0,), (1,)]}})
    'a common quadratic form of monomials of degree 2'
    """
    match witness["method"]:
        case "word_tree" if _is_of_numbers(witness):
            return "the largest absolute value"
        case "word_tree":
            return "a common quadratic form" if _is_of_letters(witness) else "a quadratic form along words"
        case "lift":
            return f"{method_name(witness['proof'])} of monomials of degree {witness['degree']}"
        case "corners":
            return f"{method_name(witness['proof'])} for the corners of the bounds"
        case "blocks":
            proofs = [proof for proof in witness["proofs"] if proof is not None]
            if not proofs:
                return "zero diagonal blocks"
            leading = max(proofs, key=lambda proof: proof["rate"])
            if len(witness["sizes"]) == 1:
                return method_name(leading)
            alone = witness["sizes"][witness["proofs"].index(leading)] == 1
            return "the diagonal entries" if alone else f"{method_name(leading)} for a diagonal block"
    return _METHODS[witness["method"]]


def contraction(step: d.ContractionStep, steps: Sequence[d.Step]) -> Section:
    """Tell a proof of an upper bound on the joint spectral radius.

    Parameters
    ----------
    step : ContractionStep
    steps : sequence of Step
        Those around it, which show the matrices.

    Returns
    -------
    Section
    """
    witness, rate = step.proof.witness(), step.proof.rate
    letters, uncertain, constrained, every = _setting(steps)
    said = _proof(witness, _Told(rate, every=every, letters=letters))
    if constrained:
        said = [sentence(_LETTERS_ARE_EDGES), *said]
    if uncertain:
        said.append(sentence("All of this was proved for every choice of matrices between the bounds."))
    along = "along these words " if constrained else ""
    joint: list[Part] = [f"Therefore {along}the joint spectral radius is at most ", *exactly(rate)]
    if step.lower is not None and step.lower > 0:
        joint += [", and some word shows that it is at least ", *exactly(step.lower)]
    title = "A norm that contracts" if rate < 1 else "A bound on the growth"
    return Section(title, (*said, Paragraph((*joint, "."))))


def _setting(steps: Sequence[d.Step]) -> tuple[int, bool, bool, str]:
    """How many letters were shown, whether matrices are uncertain or words constrained, how the matrices are called."""
    sets = [s for s in steps if isinstance(s, (d.PiecesStep, d.PiecesEverywhereStep, d.SwitchedStep))]
    given = any(isinstance(s, d.SwitchedStep) for s in sets)
    graphs = [len(s.graph) for s in sets if isinstance(s, d.SwitchedStep) and s.graph]
    graphs += [len(s.edges) for s in steps[-1:] if isinstance(s, d.TransitionsStep)]
    letters = max([len(s.A) for s in sets] + graphs, default=0)
    uncertain = any(isinstance(A, IntervalMatrix) for s in sets for A in s.A)
    every = "every edge" if graphs else "every matrix" if given else "every active pair"
    return letters, uncertain, bool(graphs), every


def _proof(witness: Mapping[str, Any], told: _Told) -> _Blocks:
    return _TELLERS[witness["method"]](witness, told)


# -- quadratic forms ------------------------------------------------------------------------------------------------


def _word_tree(witness: Mapping[str, Any], told: _Told) -> _Blocks:
    P, words = witness["P"], witness["words"]
    if _is_of_numbers(witness):
        said = ("These are numbers of absolute value at most ", _rate(told), ".")
        return [Paragraph(said)]
    form = _form(P, told)
    if _is_of_letters(witness):
        return [sentence("The quadratic form"), form, _quadratic(told)]
    return [sentence("The quadratic form"), form, *_along_words(words, told)]


def _is_of_numbers(witness: Mapping[str, Any]) -> bool:
    """Whether a proof is about matrices of size 1, letter by letter."""
    return _is_of_letters(witness) and "P" in witness and witness["P"].nrows() == 1


def _is_of_letters(witness: Mapping[str, Any]) -> bool:
    """Whether a proof is one quadratic form that every matrix contracts."""
    return witness["method"] == "word_tree" and all(len(word) == 1 for word in witness["words"])


def _form(P: Any, told: _Told) -> Display:
    return Display((formula(_P, "≻", Number(0), ",   ", _P, *is_matrix(P), ",   ", *_rate(told)),))


def _rate(told: _Told) -> Formula:
    """Name the rate, with rounded decimals where the exact number is long; the certificate has it."""
    if len(str(told.rate)) > _LONGEST_RATE:
        return formula(told.gamma, "≈", Decimal(decimal(told.rate)))
    return formula(told.gamma, "=", Number(told.rate))


def _quadratic(told: _Told) -> Paragraph:
    inequality = formula(told.power("2"), _P, "−", told.A("i", "T"), _P, told.A(), "⪰", Number(0))
    contracts = told.rate < 1
    return sentence(
        "contracts: " if contracts else "bounds the growth: ",
        "exact LDLᵀ factorisations show that ", inequality, f" for {told.every}, so in the norm of ", (_P,),
        " each step contracts by the factor " if contracts else " each step grows by at most the factor ",
        (told.gamma,), ".",
    )  # fmt: skip


def _along_words(words: Sequence[tuple[int, ...]], told: _Told) -> _Blocks:
    inequality = formula(told.power("2|w|"), _P, "−", told.A("w", "T"), _P, told.A("w"), "⪰", Number(0))
    said: _Blocks = [
        sentence(
            "contracts" if told.rate < 1 else "bounds the growth",
            " along words: every infinite word starts with exactly one of ", *_word_list(words),
            ", and exact LDLᵀ factorisations show for each that ", inequality, ".",
        )
    ]  # fmt: skip
    if told.letters and max(itertools.chain.from_iterable(words)) >= told.letters:
        said.append(sentence("The letters stand for the active pieces in the order of the certificate."))
    return said


def _word_list(words: Sequence[tuple[int, ...]]) -> tuple[Part, ...]:
    if len(words) <= _MOST_WORDS:
        return (f"the {len(words)} words ", (Words(tuple(words)),))
    return (f"{len(words)} words, the longest of {max(map(len, words))} letters, listed {_IN_CERTIFICATE}",)


def _path_complete(witness: Mapping[str, Any], told: _Told) -> _Blocks:
    forms, edges = witness["forms"], witness["edges"]
    inequality = formula(
        told.power("2"), Letter("P", "u"), "−", told.A("i", "T"), Letter("P", "v"), told.A(), "⪰", Number(0)
    )
    opening = sentence(f"A graph has {_count(len(forms), 'node')}, each with a quadratic form")
    if len(forms) <= _MOST_FORMS:
        lines = [formula(Letter("P", str(u)), *is_matrix(P)) for u, P in enumerate(forms)]
        lines[0] = formula(*lines[0], ",   ", *_rate(told))
        shown: _Blocks = [opening, Display(tuple(lines))]
    else:
        largest = f", a matrix of size {forms[0].nrows()}, {_IN_CERTIFICATE}; the rate is "
        shown = [Paragraph((*opening.parts, largest, _rate(told), "."))]
    return [
        *shown,
        sentence(
            "All of them are positive definite. On each edge ", formula(Letter("u"), "→", Letter("v")),
            " with the letter ", (Letter("i"),), " exact LDLᵀ factorisations show that ", inequality,
            ", and along every word the graph has a path. ", *_edge_list(edges),
        ),
    ]  # fmt: skip


def _edge_list(edges: Sequence[Sequence[int]]) -> tuple[Part, ...]:
    if len(edges) > _MOST_EDGES:
        return (f"Its {len(edges)} edges are {_IN_CERTIFICATE}.",)
    u, i, v = Letter("u"), Letter("i"), Letter("v")
    words = tuple(tuple(int(entry) for entry in edge) for edge in edges)
    return ("Its edges, as ", formula(u, i, v), ", are ", (Words(words),), ".")


# -- polytopes ------------------------------------------------------------------------------------------------------


def _polytope(witness: Mapping[str, Any], told: _Told) -> _Blocks:
    count = len(witness["vertices"])
    return [
        *_vertices(witness, told, f"The polytope with the {2 * count} vertices ", "±"),
        sentence(
            "is mapped into ", (told.gamma,), " times itself: each ", formula(told.A(), Letter("v", "j")),
            " is ", (told.gamma,), " times a combination of the vertices whose coefficients have absolute values that "
            f"sum up to at most 1, exactly, remainders included; the coefficients are {_IN_CERTIFICATE}.",
        ),
    ]  # fmt: skip


def _nonnegative(witness: Mapping[str, Any], told: _Told) -> _Blocks:
    A, v = told.A(), Letter("v", "j")
    none_negative = sentence("No entry of a matrix is negative.")
    if len(witness["vertices"]) == 1:
        return [
            none_negative,
            sentence("The nonnegative vector"),
            Display((formula(Letter("v"), *is_matrix(_columns(witness["vertices"])), ",   ", *_rate(told)),)),
            sentence("has ", formula(A, Letter("v"), "≤", told.gamma, Letter("v")), f" for {told.every}."),
        ]
    return [
        none_negative,
        *_vertices(witness, told, f"The {len(witness['vertices'])} nonnegative vectors ", ""),
        sentence(
            "span a polytope that is mapped into ", (told.gamma,), " times itself: entry by entry, each ",
            formula(A, v), " is at most ", (told.gamma,), " times a combination of them with nonnegative coefficients "
            f"that sum up to at most 1, which are {_IN_CERTIFICATE}.",
        ),
    ]  # fmt: skip


def _complex_polytope(witness: Mapping[str, Any], told: _Told) -> _Blocks:
    vertices, v = witness["vertices"], Letter("v", "j")
    opening = f"The balanced complex polytope with {_count(len(vertices), 'vertex', 'vertices')} "
    if _few(vertices):
        parts = [is_matrix(_columns([[entry[part] for entry in vertex] for vertex in vertices])) for part in (0, 1)]
        V, R, S = Letter("V"), Letter("R"), Letter("S")
        shown: _Blocks = [
            sentence(opening, (v,), ", the columns of ", formula(V, "=", R, "+", Letter("i"), S), ","),
            Display((formula(R, *parts[0], ",   ", S, *parts[1], ",   ", *_rate(told)),)),
        ]
    else:
        shown = [sentence(opening, (v,), f", {_IN_CERTIFICATE}, with ", _rate(told), ",")]
    return [
        *shown,
        sentence(
            "multiplied by all numbers of modulus 1, is mapped into ", (told.gamma,), " times itself: each ",
            formula(told.A(), v), " is ", (told.gamma,), " times a combination of the vertices whose coefficients have "
            "moduli that sum up to at most 1, exactly, remainders included; the coefficients are "
            f"{_IN_CERTIFICATE}.",
        ),
    ]  # fmt: skip


def _vertices(witness: Mapping[str, Any], told: _Told, opening: str, sign: str) -> _Blocks:
    """Show the vertices as the columns of a matrix, when there are few."""
    v = (*(formula(Operator(sign)) if sign else ()), Letter("v", "j"))
    vertices = witness["vertices"]
    if not _few(vertices):
        return [sentence(opening, v, f", {_IN_CERTIFICATE}, with ", _rate(told), ",")]
    V = Letter("V")
    return [
        sentence(opening, v, ", the columns of ", (V,), ","),
        Display((formula(V, *is_matrix(_columns(vertices)), ",   ", *_rate(told)),)),
    ]


def _few(vertices: Sequence[Sequence[Any]]) -> bool:
    return len(vertices) <= _MOST_VERTICES and len(vertices[0]) <= _MOST_VERTICES


def _columns(vertices: Sequence[Sequence[Any]]) -> Any:
    from flint import fmpq_mat

    return fmpq_mat([list(row) for row in vertices]).transpose()


# -- proofs made of other proofs ------------------------------------------------------------------------------------


def _lift(witness: Mapping[str, Any], told: _Told) -> _Blocks:
    degree, inner = int(witness["degree"]), witness["proof"]
    names = told.within(inner["rate"])
    power = told.power(str(degree))
    return [
        sentence(
            "Let ", (names.A(),), f" be the matrix that sends the monomials of degree {degree} in the coordinates of ",
            (Letter("x"),), " to those in the coordinates of ", formula(told.A(), Letter("x")),
            f". The joint spectral radius of these matrices is that of the given ones to the power {degree}.",
        ),
        *_proof(inner, names),
        sentence("This rate is at most ", (power,), " with ", _rate(told), "."),
    ]  # fmt: skip


def _corners(witness: Mapping[str, Any], told: _Told) -> _Blocks:
    names = told.within(witness["proof"]["rate"])
    return [
        sentence(
            "Matrices between bounds are convex combinations of their corners, which have every entry at one end. So "
            "no product is larger than the largest product of corners. Let ", (names.A(),), " be these.",
        ),
        *_proof(witness["proof"], names),
    ]  # fmt: skip


def _blocks(witness: Mapping[str, Any], told: _Told) -> _Blocks:
    sizes, proofs, T = [int(size) for size in witness["sizes"]], witness["proofs"], witness["basis"]
    plain = _is_identity(T)
    if len(sizes) == 1:
        return _without_repetitions(proofs[0], told, None if plain else T)
    shown = plain or bool(matrix(T).rows)
    of_T = ("In the basis of the columns of ", (Letter("T"),), " all" if shown else f", {_IN_CERTIFICATE}, all")
    opening: _Blocks = [
        sentence(
            *(["All"] if plain else of_T),
            " matrices are block upper triangular, with diagonal blocks of the sizes ",
            *listed([(Number(size),) for size in sizes]),
            "; the joint spectral radius is the largest of those of the diagonal blocks.",
        )
    ]
    if not plain and shown:
        opening.append(Display((formula(Letter("T"), *is_matrix(T)),)))
    for k, (size, proof) in enumerate(list(zip(sizes, proofs, strict=True))[:_MOST_BLOCKS], 1):
        opening += _block(k, size, proof, told)
    if len(sizes) > _MOST_BLOCKS:
        opening.append(sentence(f"The proofs for the other {len(sizes) - _MOST_BLOCKS} blocks are {_IN_CERTIFICATE}."))
    return opening


def _block(k: int, size: int, proof: Mapping[str, Any] | None, told: _Told) -> _Blocks:
    if proof is None:
        return [sentence(f"Block {k}, of size {size}, is zero in all of them.")]
    names = told.within(proof["rate"], str(k))
    if size == 1 and _is_of_letters(proof):
        return [sentence(f"Block {k} is a number, of absolute value at most ", _rate(names), " in each of them.")]
    said = sentence(f"Block {k}, of size {size}: let ", (names.A(),), " be the distinct ones that are not zero.")
    return [said, *_proof(proof, names)]


def _without_repetitions(proof: Mapping[str, Any] | None, told: _Told, basis: Any | None) -> _Blocks:
    if proof is None:
        return [sentence("All matrices are zero.")]
    names = told.within(proof["rate"])
    let = ("Let ", (names.A(),), " be the distinct matrices that are not zero")
    if basis is None:
        return [sentence(*let, "."), *_proof(proof, names)]
    shown = [Display((formula(Letter("T"), *is_matrix(basis)),))] if matrix(basis).rows else []
    return [sentence(*let, ", in the basis of the columns of ", (Letter("T"),), "."), *shown, *_proof(proof, names)]


def _is_identity(T: Any) -> bool:
    n = range(T.nrows())
    return all(T[i, j] == (i == j) for i in n for j in n)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def dual_form(step: d.DualFormStep, steps: Sequence[d.Step]) -> Section:
    """Tell why no common quadratic form exists.

    Parameters
    ----------
    step : DualFormStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    A, T, Q, r2 = Letter("A", "i"), Letter("A", "i", "T"), Letter("Q", "i"), Letter("r", "", "2")
    used = [(i, Q_i) for i, Q_i in enumerate(step.Q) if any(entry != 0 for entry in Q_i.entries())]
    lines = [formula(Letter("Q", str(i)), *is_matrix(Q_i)) for i, Q_i in used[:_MOST_FORMS]]
    rest = f"{len(used) - _MOST_FORMS} more are {_IN_CERTIFICATE}. " if len(used) > _MOST_FORMS else ""
    rest += "The other matrices are zero. " if len(used) < len(step.Q) else ""
    gap = formula("(", T, _P, A, "−", r2, _P, ")")
    constrained = _setting(steps)[2]
    of_nodes = (", block diagonal with the forms ", (Letter("P", "u"),), " of the nodes,") if constrained else ()
    blocks = (
        *([sentence(_LETTERS_ARE_EDGES)] if constrained else []),
        sentence("With ", formula(Letter("r"), "=", Number(step.rate)), " take the positive semidefinite matrices"),
        Display(tuple(lines)),
        sentence(f"{rest}Then"),
        Display((formula(_S, "=", Operator("Σ"), "(", A, Q, T, "−", r2, Q, ")", *is_matrix(step.S)),)),
        sentence(
            "is positive semidefinite and not zero, both by exact LDLᵀ factorisations. Suppose that ",
            formula(_P, "≻", Number(0)), *of_nodes, " and that each ", formula(r2, _P, "−", T, _P, A, "⪰", Number(0)),
            ". The trace of ", formula(_P, _S), " is positive, since ", (_P,), " is positive definite. It is also the "
            "sum of the traces of ", formula(*gap, Q), ", none of which is positive: a contradiction.",
        ),
    )  # fmt: skip
    return Section("No common quadratic form", blocks)


_TELLERS: dict[str, Callable[[Mapping[str, Any], _Told], _Blocks]] = {
    "blocks": _blocks,
    "complex_polytope": _complex_polytope,
    "corners": _corners,
    "lift": _lift,
    "nonnegative": _nonnegative,
    "path_complete": _path_complete,
    "polytope": _polytope,
    "word_tree": _word_tree,
}
