"""What a word says: the product of its matrices, an eigenvalue of that, and how the start excites it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.intervals import IntervalMatrix
from piggycheck.render.formula import (
    Display,
    Formula,
    Letter,
    Number,
    Operator,
    Paragraph,
    Polynomial,
    Power,
    Section,
    Words,
    formula,
    listed,
    sentence,
)
from piggycheck.render.numbers import exactly, is_matrix, matrix
from piggycheck.render.singular import powers

__all__ = ["word"]

_LONGEST_PRODUCT = 12
_LONGEST_POLYNOMIAL = 90
_HIGHEST_DEGREE = 8


def word(step: d.WordStep, steps: Sequence[d.Step]) -> Section:
    """Tell a word: its product, the spectrum of that, and how the start excites it.

    Parameters
    ----------
    step : WordStep
    steps : sequence of Step
        Those around it; what an earlier one says of the same word is not said again.

    Returns
    -------
    Section
    """
    m = step.modulus_lower
    growing = m > 1 or isinstance(step, d.PolynomialGrowthStep)
    title = "A word that grows" if growing else "A word that does not contract" if m == 1 else "A word of high rate"
    w = formula(Letter("w"), "=", Words((step.word,)))
    linear = any(isinstance(s, d.SwitchedStep) and s.is_linear for s in steps)
    with_B = step.B.ncols() and step.J0 is not None and not linear
    blocks: list[Paragraph | Display]
    if any(s is not step and isinstance(s, d.WordStep) and s.word == step.word for s in steps):
        blocks = [sentence("Take again the word ", w, ".")]
        if with_B:
            blocks.append(Display((formula(Letter("B", "w"), *is_matrix(step.B)),)))
    else:
        order = ", written in time order: its first letter acts first and stands rightmost in the product."
        blocks = [sentence("Take the word ", w, order if len(step.word) > 1 else ".")]
        lines = [formula(Letter("A", "w"), "=", *_product(step.word), *_entries_of(step))]
        if with_B:
            lines.append(formula(Letter("B", "w"), *is_matrix(step.B)))
        blocks += [Display(tuple(lines)), *_spectrum(step)]
    if step.J0 is not None:
        blocks += powers(step, linear) if isinstance(step, d.PolynomialGrowthStep) else _excitation(step, linear)
    return Section(title, tuple(blocks))


def _entries_of(step: d.WordStep) -> Formula:
    """Write the entries of the product: bounds on them, where the matrices are between bounds and the word is short."""
    if not isinstance(step.A, IntervalMatrix) or len(step.word) == 1:
        return is_matrix(step.A)
    return formula("∈", matrix(step.A)) if len(step.word) <= _LONGEST_PRODUCT else ()


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
    if q is None:
        return [
            sentence(
                "For every choice of matrices between the bounds it has an eigenvalue of modulus at least ",
                *exactly(step.modulus_lower), ".",
            )
        ]  # fmt: skip
    if q.degree() > _HIGHEST_DEGREE or sum(len(str(c)) + 6 for c in q.coeffs()) > _LONGEST_POLYNOMIAL:
        return [
            sentence(
                "Its characteristic polynomial, of degree ", (Number(q.degree()),),
                ", has a root of modulus at least ", *exactly(step.modulus_lower), ", by the Schur–Cohn test.",
            )
        ]  # fmt: skip
    linear, roots = _factors(q)
    factored = [formula("=", *linear)] if linear and q.degree() > 1 else []
    written = formula(Letter("q"), "(", lam, ")", "=", Polynomial(q))
    return [
        sentence("Its characteristic polynomial is"),
        Display((written, *factored)),
        _with_eigenvalues(roots) if roots else _with_modulus(step),
    ]


def _with_eigenvalues(roots: Sequence[Any]) -> Paragraph:
    shown = listed([(Number(root),) for root in roots])
    return Paragraph(("with the eigenvalue " if len(roots) == 1 else "with the eigenvalues ", *shown, "."))


def _with_modulus(step: d.WordStep) -> Paragraph:
    scaled = formula(Letter("q"), "(", Letter("r"), Letter("λ"), ")")
    return sentence(
        "which has a root of modulus at least ", *exactly(step.modulus_lower), ", by the Schur–Cohn test on ", scaled,
        " with this ", (Letter("r"),), ".",
    )  # fmt: skip


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


def _excitation(step: d.WordStep, linear: bool) -> list[Paragraph | Display]:
    """Why J_0 feels the large eigenvalue."""
    J_0, v, lam, c = Letter("J", "0"), Letter("v", "", "T"), Letter("λ"), Letter("c")
    A_w, B_w = Letter("A", "w"), Letter("B", "w")
    start = Display((formula(J_0, *is_matrix(step.J0)),))
    growth = sentence(
        "So along ", (Letter("w"),), ", repeated, the derivatives grow at least like ",
        (Power(step.growth_lower, "k"),), ".",
    )  # fmt: skip
    if step.eigenvalue is None or step.left_eigenvector is None or step.excitation is None:
        start_shown = (J_0,) if linear else formula("(", J_0, ";", Letter("I"), ")")
        said = (
            "The start ", (J_0,), " excites this root: it is a root of the minimal polynomial of ",
            start_shown, f" (column {step.column}) under ",
            formula(Letter("X"), "↦", A_w, Letter("X"), *([] if linear else ["+", B_w])), ".",
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
        Display((formula(v, *is_matrix(row), ",   ", J_0, *is_matrix(step.J0)),)),
        sentence("and the start excites the eigenvalue, because"),
        Display((formula(c, "=", v, J_0, *rest, *is_matrix(excitation), "≠", Number(0)),)),
        growth,
    ]
