"""What reports say of singular pairs and of growth like a power, in text, LaTeX and HTML."""

from __future__ import annotations

import pytest
from singular_helper import one

from piggycheck.algorithms import gradient_descent
from piggycheck.claims import Diverges, PseudoInverseAgrees, prove
from piggycheck.render import html, latex, report

LEAST_SQUARES = [["3/4", "-1/4"], ["-1/4", "3/4"]]
QUARTERS = [["1/4"], ["1/4"]]


def told(claim, *about):
    """The report on one line, with single spaces."""
    return " ".join(report(prove(claim, *about)).split())


def of_pair(*pair):
    return told(PseudoInverseAgrees(), one(*pair))


def of_growth(*pair):
    return told(Diverges(), one(*pair))


class TestOnePair:
    def test_the_limit_beside_the_answer(self):
        text = of_pair(LEAST_SQUARES, QUARTERS, [[1], [0]])
        assert "its kernel is spanned by (-1, 1)" in text
        assert "semisimple, because I − A and its square have the same rank" in text
        assert "Here Π B = 0, so the derivatives converge, to" in text
        assert "The two differ" in text and "claimed the recursion converges to (I − A)⁺ B" in text
        assert "its group inverse is its pseudo-inverse" in text

    def test_an_oblique_pair(self):
        text = of_pair([[1, 1], [0, "1/2"]], [[2], [-1]], [[0], [0]])
        assert "I − A does not have the range of its transpose, so its pseudo-inverse is no group inverse" in text

    def test_a_drift(self):
        assert "which is not zero: Π J_k = Π J_0 + k Π B grows linearly" in of_pair(
            LEAST_SQUARES, [[1], [0]], [[0], [0]]
        )

    def test_a_regular_pair(self):
        text = of_pair([["1/2"]], [[1]])
        assert "I − A is invertible" in text and "From every start the derivatives converge" in text

    def test_a_chosen_start(self):
        assert "The start is free. Take J_0" in of_pair(LEAST_SQUARES, QUARTERS)

    def test_no_limit(self):
        text = of_pair([[-1]], [[1]], [[0]])
        assert "the recursion stays bounded without a limit" in text and "no limit that this could be" in text

    def test_an_eigenvalue_that_is_not_semisimple(self):
        assert "not semisimple, because I − A and its square have different ranks" in of_pair([[1, 1], [0, 1]])

    @pytest.mark.parametrize(
        ("start", "said"), [(["theta", 0], "The recursion starts at"), ([1, 5], "The map is affine")]
    )
    def test_where_the_recursion_of_a_map_starts(self, start, said):
        descent = gradient_descent("(x + y - theta)**2/2", ["x", "y"], "1/4", parameters=["theta"], start=start)
        assert said in told(PseudoInverseAgrees(), descent, {"theta": 0})


class TestGrowth:
    def test_a_drift_in_one_line(self):
        text = of_growth([[1]], [["1/2"]], [[3]])
        assert "Here vᵀ A_w = vᵀ, so vᵀ J_k = vᵀ J_0 + k c after k rounds, with c = vᵀ B_w = 1/2 ≠ 0" in text
        assert "the derivatives grow linearly" in text and "divergence, too, but not exponential" in text

    def test_a_jordan_block(self):
        text = of_growth([[1, 1], [0, 1]], None, [[0], [1]])
        assert "Here vᵀ (A_w − I)² = 0, so vᵀ J_k = vᵀ J_0 + k c" in text and "c = vᵀ (A_w − I) J_0 = 1" in text

    def test_a_higher_degree(self):
        text = of_growth([[1, 1, 0], [0, 1, 1], [0, 0, 1]], None, [[0], [0], [1]])
        assert "a polynomial in k of degree 2, in which k² has the coefficient c/2" in text
        assert "the derivatives grow like k²" in text

    def test_a_root_that_is_not_1(self):
        text = of_growth([[-1, 1], [0, -1]], None, [[0], [1]])
        assert "(λ + 1)² divides the minimal polynomial of J_0 (column 0) under X ↦ A_w X" in text

    def test_every_program_sees_it(self):
        assert "every program sees this growth" in of_growth([[1]], [["1/2"]], [[3]])


class TestPrinters:
    VERDICTS = (
        prove(PseudoInverseAgrees(), one(LEAST_SQUARES, QUARTERS, [[1], [0]])),
        prove(Diverges(), one([[-1, 1], [0, -1]], None, [[0], [1]])),
    )

    def test_latex(self):
        text = " ".join(latex(verdict) for verdict in self.VERDICTS)
        assert r"^{\#}" in text and "^{+}" in text and r"\Pi" in text
        assert text.isascii() and r"\textasciicircum" not in text

    def test_html(self):
        text = html(self.VERDICTS[0])
        assert "(I − A)<sup>#</sup>" in text and "(I − A)<sup>+</sup>" in text
