"""What is said of one pair whose I - A may be singular, and of growth like a power of the number of rounds."""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial
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
    Polynomial,
    Section,
    formula,
    listed,
    sentence,
    tupled,
)
from piggycheck.render.numbers import is_matrix

__all__ = ["powers", "pseudo_inverse"]

_MOST_VECTORS = 4
_A, _B, _I, _X, _PI, _J_0 = (*map(Letter, "ABIXΠ"), Letter("J", "0"))
_J_K = Letter("J", "k")
_A_W, _B_W, _V, _C = Letter("A", "w"), Letter("B", "w"), Letter("v", "", "T"), Letter("c")
_MINUS = Operator("−")
_DIFFERENCE = formula(_I, _MINUS, _A)


def _inverse(sign: str, *after: Any) -> Formula:
    return formula("(", _I, _MINUS, _A, Letter(")", "", sign), *after)


def pseudo_inverse(step: d.PseudoInverseStep, steps: Sequence[d.Step]) -> Section:
    """Tell what the recursion of one pair converges to, and what the pseudo-inverse answers instead.

    Parameters
    ----------
    step : PseudoInverseStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    answer = step.answer
    blocks = [sentence("Write ", (_A,), " and ", (_B,), " for the pair. ", *_eigenvalue(answer))]
    if answer.J0 is not None and not any(isinstance(s, d.SwitchedStep) and s.J0 is not None for s in steps):
        blocks += [_start(step), Display((formula(_J_0, *is_matrix(answer.J0)),))]
    if answer.projector is not None and answer.singular:
        blocks += _projected(answer)
    elif answer.limit is not None:
        blocks += [_limit_said(answer), Display((formula(_X, *is_matrix(answer.limit)),))]
    else:
        blocks.append(sentence(f"From this start the recursion {answer.behaviour}."))
    lines = (
        formula(*_inverse("+"), *is_matrix(answer.pseudo_inverse)),
        formula(*_inverse("+", _B), *is_matrix(answer.pseudo_inverse_answer)),
    )
    blocks += [sentence("Implicit differentiation by least squares answers with the pseudo-inverse:"), Display(lines)]
    return Section("The limit and the pseudo-inverse", (*blocks, Paragraph(tuple(_compared(answer)))))


def _start(step: d.PseudoInverseStep) -> Paragraph:
    if step.chosen:
        return sentence("The start is free. Take")
    if step.along_iterates:
        return sentence("The map is affine, so this is its pair at every iterate. The recursion starts at")
    return sentence("The recursion starts at")


def _eigenvalue(answer: Any) -> list[Part]:
    """Whether 1 is an eigenvalue, and what the others are like."""
    others = "lie inside the unit disc" if answer.others_inside else "do not all lie inside the unit disc"
    if not answer.singular:
        return [_DIFFERENCE, " is invertible; the eigenvalues of ", (_A,), f" {others}."]
    kernel = listed([formula(*_column(vector)) for vector in answer.kernel[:_MOST_VECTORS]])
    more = ", …" if len(answer.kernel) > _MOST_VECTORS else ""
    semisimple = "semisimple, because " if answer.semisimple else "not semisimple, because "
    ranks = "the same rank" if answer.semisimple else "different ranks"
    said: list[Part] = [_DIFFERENCE, " is singular: its kernel is spanned by ", *kernel, f"{more}. "]
    said += ["The eigenvalue 1 of ", (_A,), f" is {semisimple}", _DIFFERENCE, f" and its square have {ranks}"]
    return [*said, f"; the other eigenvalues {others}."]


def _column(vector: Any) -> Formula:
    return tupled([(Number(entry),) for entry in vector.entries()])


def _projected(answer: Any) -> list[Paragraph | Display]:
    """The limit by the projector on the kernel and the group inverse, or why there is none."""
    lines = (formula(_PI, *is_matrix(answer.projector)), formula(*_inverse("#"), *is_matrix(answer.group_inverse)))
    blocks: list[Paragraph | Display] = [
        sentence("The projector on the kernel along the range of ", _DIFFERENCE, ", and the group inverse, are"),
        Display(lines),
    ]
    drift = formula(_PI, _B, *is_matrix(answer.drift))
    if any(entry != 0 for entry in answer.drift.entries()):
        step = formula(_PI, _J_K, "=", _PI, _J_0, "+", Letter("k"), _PI, _B)
        return [*blocks, sentence("In every step ", formula(_PI, _J_K), " grows by"), Display((drift,)), sentence(
            "which is not zero: ", step, " grows linearly, and so do the derivatives.")]  # fmt: skip
    zero = formula(_PI, _B, "=", Number(0))
    if answer.limit is None:
        return [*blocks, sentence("Here ", zero, f", but from this start the recursion {answer.behaviour}.")]
    limit = formula(_PI, _J_0, "+", *_inverse("#", _B), *is_matrix(answer.limit))
    return [*blocks, sentence("Here ", zero, ", so the derivatives converge, to"), Display((limit,))]


def _limit_said(answer: Any) -> Paragraph:
    fixed = formula(_X, "=", _A, _X, "+", _B)
    who = "every start" if answer.others_inside and not answer.singular else "this start"
    return sentence(f"From {who} the derivatives converge to the following solution of ", fixed, ":")


def _compared(answer: Any) -> list[Part]:
    """How the two answers compare, and why."""
    if answer.limit is None:
        return ["The recursion has no limit that this could be."]
    same = answer.limit == answer.pseudo_inverse_answer
    said: list[Part] = ["The two are the same. " if same else "The two differ. "]
    if answer.singular:
        said += ["Of all solutions the pseudo-inverse gives the one of smallest norm"]
        said += ["; the limit depends on the start, by ", formula(_PI, _J_0), ". "] if answer.semisimple else [". "]
        said += _ranges(answer)
    return said


def _ranges(answer: Any) -> list[Part]:
    """Why the group inverse is the pseudo-inverse, or is not."""
    if answer.range_symmetric:
        return [_DIFFERENCE, " has the range of its transpose, so its group inverse is its pseudo-inverse."]
    return [_DIFFERENCE, " does not have the range of its transpose, so its pseudo-inverse is no group inverse."]


def powers(step: d.PolynomialGrowthStep, linear: bool) -> list[Paragraph | Display]:
    """Say why the derivatives grow like a power of the number of rounds.

    Parameters
    ----------
    step : PolynomialGrowthStep
    linear : bool
        Whether every B is zero, so that nothing is said of it.

    Returns
    -------
    list of Paragraph or Display
    """
    if step.left_vector is None or step.leading is None:
        return _repeated_root(step, linear)
    from flint import fmpq_mat

    row, leading = (fmpq_mat([list(entries)]) for entries in (step.left_vector, step.leading))
    n = step.degree
    is_kept, no_drift = n == 1 and row * step.A == row, linear or step.B * 0 == step.B
    if is_kept:
        keeps = formula(_V, _A_W, "=", _V)
        coefficient = formula(_C, "=", _V, _B_W)
    else:
        keeps = formula(_V, *_shifted(n + 1), "=", Number(0))
        drift = () if no_drift else ("+", _V, *_shifted(n - 1), _B_W)
        coefficient = formula(_C, "=", _V, *_shifted(n), _J_0, *drift)
    zero = () if is_kept or no_drift else (" and ", formula(_V, *_shifted(n), _B_W, "=", Number(0)))
    return [
        sentence("Take the row, and the start of the recursion,"),
        Display((formula(_V, *is_matrix(row), ",   ", _J_0, *is_matrix(step.J0)),)),
        sentence("Here ", keeps, *zero, ", ", *_after_rounds(step)),
        Display((formula(*coefficient, *is_matrix(leading), "≠", Number(0)),)),
        sentence("So along ", (Letter("w"),), ", repeated, the derivatives grow ", *_like(n), ": they diverge."),
    ]


def _shifted(power: int) -> Formula:
    """A power of ``A_w - I``; nothing for the power 0."""
    closed = Letter(")", "", str(power) if power > 1 else "")
    return formula("(", _A_W, _MINUS, _I, closed) if power else ()


def _after_rounds(step: d.PolynomialGrowthStep) -> list[Part]:
    """What the row sees after k rounds."""
    n, k = step.degree, Letter("k")
    seen = formula(_V, Letter("J", f"{len(step.word)}k" if len(step.word) > 1 else "k"))
    if n == 1:
        return ["so ", formula(*seen, "=", _V, _J_0, "+", k, _C), " after ", (k,), " rounds, with"]
    power, coefficient = (Letter("k", "", str(n)),), formula(_C, Operator("/"), Number(factorial(n)))
    return [
        *("so after ", (k,), " rounds ", seen, " is a polynomial in ", (k,), f" of degree {n}, in which "),
        *(power, " has the coefficient ", coefficient, ", with"),
    ]


def _like(degree: int) -> tuple[Part, ...]:
    return ("linearly",) if degree == 1 else ("like ", (Letter("k", "", str(degree)),))


def _repeated_root(step: d.PolynomialGrowthStep, linear: bool) -> list[Paragraph | Display]:
    """Say that a root of modulus 1 is excited repeatedly."""
    power = formula("(", Polynomial(step.factor), Letter(")", "", str(step.degree + 1)))
    image = formula(_X, "↦", _A_W, _X, *(() if linear else ("+", _B_W)))
    who = (_J_0,) if linear else formula("(", _J_0, ";", _I, ")")
    return [
        sentence("The recursion starts at"),
        Display((formula(_J_0, *is_matrix(step.J0)),)),
        sentence(
            "and excites a root of modulus 1 repeatedly: ", power, " divides the minimal polynomial of ", who,
            f" (column {step.column}) under ", image, ". So along ", (Letter("w"),), ", repeated ", (Letter("k"),),
            " times, the derivatives grow ", *_like(step.degree), ": they diverge.",
        ),
    ]  # fmt: skip
