"""Plain text: what a reader needs stands there, in the right order, and nothing that misleads."""

import re

import pytest
from flint import fmpq_mat
from render_cases import SUBJECTS, WITNESSES, StatedProof, told_proof, verdict, verdicts

from piggycheck.render import report, report_case, summary_rows
from piggycheck.render.inline import inline
from piggycheck.render.numbers import decimals_above, decimals_below, matrix


def two_lines(text):
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("claimed "))
    return lines[start], lines[start + 1], "\n".join(lines[:start]), " ".join(" ".join(lines[start + 2 :]).split())


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_report_puts_the_claim_above_what_was_found_at_one_column(name):
    for one in verdicts(name):
        claimed, found, _, _ = two_lines(report(one))
        assert re.match(r"claimed   \S", claimed)
        assert re.match(rf"{one.name:<10}\S", found)
        assert report(one).count("\nclaimed ") == 1


def test_the_map_is_written_as_cases_before_the_claim():
    _, _, derivation, _ = two_lines(report(verdict("diverging", "diverges")))
    assert "⎧ 3*x/4 - 3*x_previous/4   if x >= 0" in derivation
    assert "⎩ 3*x/2 - 3*x_previous/4   otherwise" in derivation


def test_matrices_stand_in_aligned_columns():
    text = report(verdict("diverging", "diverges"))
    assert "A_0 = ⎡ 3/4  -3/4 ⎤,   B_0 = ⎡ 0 ⎤   where x > 0\n              ⎣   1     0 ⎦          ⎣ 0 ⎦\n" in text


def test_a_diverging_word_is_shown_with_product_polynomial_eigenvalues_and_excitation():
    _, _, derivation, _ = two_lines(report(verdict("diverging", "diverges")))
    assert "A_w = A_1 A_1 A_0 A_0 = " in derivation
    assert "q(λ) = λ² + 45/32 λ + 81/256" in derivation
    assert "(λ + 9/32)(λ + 9/8)" in derivation
    assert "eigenvalues -9/8, -9/32" in derivation
    assert "c = vᵀ J_0 = 1 ≠ 0" in derivation


def test_the_witness_gives_exact_growth_with_decimals_and_that_no_shorter_word_grows():
    *_, witness = two_lines(report(verdict("diverging", "diverges")))
    assert "98806/95939 ≈ 1.029884" in witness
    assert "No shorter word" in witness


def test_divergence_is_said_of_selections_and_not_of_programs():
    *_, witness = two_lines(report(verdict("diverging", "diverges")))
    assert "the conservative recursion contains diverging selections" in witness
    assert "0.866025, 0.866025 (numerical)" in witness
    assert "every program with a fixed branch rule" in witness


def test_where_a_single_piece_grows_programs_are_not_said_to_converge():
    *_, witness = two_lines(report(verdict("complex", "diverges")))
    assert "every program sees this growth" in witness
    assert "converges" not in witness


def test_a_rate_is_shown_with_its_quadratic_form_and_the_trap():
    _, found, derivation, _ = two_lines(report(verdict("converging", "converges")))
    assert "γ² P − A_iᵀ P A_i ⪰ 0" in derivation
    assert "V(x) = (x − x̄)ᵀ P (x − x̄)" in derivation
    assert verdict("converging", "converges").value["rate_upper"] in found


def test_an_irrational_root_is_bounded_and_not_written_as_a_decimal_alone():
    _, _, derivation, _ = two_lines(report(verdict("complex", "diverges")))
    assert "which has a root of modulus at least" in derivation
    assert "Schur–Cohn" in derivation


def test_undecided_says_so_and_why():
    one = verdict("irrational", "converges")
    _, found, _, witness = two_lines(report(one))
    assert found == f"undecided {one.found}"
    assert "Neither the claim nor its negation was proved" in witness


def test_undecided_says_what_was_tried_what_was_proved_and_what_would_help():
    from piggycheck.claims import Undecided

    one = Undecided(
        "converges",
        "a claim",
        "the radius is near 1",
        reason="the radius is near 1",
        tried=("words", "a quadratic form"),
        bounds={"lower": "999/1000", "upper": "1001/1000"},
        would_help="a longer time limit",
    )
    *_, witness = two_lines("\n" + report(one))
    assert "Tried: words; a quadratic form." in witness
    assert "at least 999/1000 = 0.999; the joint spectral radius is at most 1001/1000 = 1.001" in witness
    assert "What would help: a longer time limit." in witness


def test_a_jump_is_shown_with_value_and_limit():
    text = report(verdict("jump", "continuous"))
    assert "At x = 0 the value is (1), but along the direction (-1) the map tends to (0)." in text


def test_pairs_that_only_the_chain_rule_gives_are_marked():
    text = report(verdict("relu", "chain_rule_set_is_larger"))
    marked = [
        line for line in text.splitlines() if line.endswith("not in the selection set") and line.startswith("    ")
    ]
    assert len(marked) == 2
    assert "A = 1/2,   B = 1    in the selection set" in text


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_case_tells_each_step_once_and_each_claim(name):
    found = verdicts(name)
    text = report_case("A title", found, source="A source", belief="One thing.", repair="Another.")
    assert text.startswith("A title\n=======\nA source\n\nbelief:  One thing.\nrepair:  Another.\n")
    assert text.count("\nclaimed ") == len(found)
    for heading in ("The map", "The pieces", "The switched system", "A norm that contracts", "The fixed point"):
        assert len(re.findall(rf"^{heading}(:.*)?$", text, re.MULTILINE)) <= 1


def test_a_word_that_two_claims_share_is_multiplied_out_once():
    text = report_case("t", verdicts("diverging"))
    assert text.count("A_w = A_1 A_1 A_0 A_0") == 1
    assert "Take again the word w = 0 0 1 1." in text
    assert " ".join(text.split()).count("What it does not say") == 1


@pytest.mark.parametrize("name", SUBJECTS)
def test_prose_keeps_to_the_width_and_no_line_ends_in_a_blank(name):
    text = report_case("t", verdicts(name))
    for line in text.splitlines():
        assert line == line.rstrip()
        is_prose = not re.match(r"claimed|proved|refuted|undecided| {8}", line)
        assert not is_prose or len(line) <= 92, line
    assert "\x1b" not in text


def test_every_kind_of_step_can_be_told():
    from piggycheck import derivation
    from piggycheck.render import narrative

    kinds = {kind for name in derivation.__all__ if (kind := getattr(derivation, name)) is not derivation.Derivation}
    assert set(narrative._TELLERS) == kinds - {derivation.Step}


EXPECTED_OF_PROOFS = {
    "word_tree": "every infinite word starts with exactly one of the 3 words 0, 1 0, 1 1",
    "word_tree_of_letters": "so in the norm of P each step grows by at most the factor γ",
    "word_tree_of_numbers": "These are numbers of absolute value at most γ = 1/2.",
    "path_complete": "⪰ 0, and along every word the graph has a path. Its edges, as u i v, are 0 0 0, 0 1 1",
    "path_complete_large": "Its 16 edges are in the certificate.",
    "polytope": "The polytope with the 4 vertices ± v_j, the columns of V,",
    "polytope_large": "The polytope with the 200 vertices ± v_j, in the certificate, with γ = 21/20,",
    "nonnegative": "each A_i v_j is at most γ times a combination of them with nonnegative coefficients",
    "nonnegative_alone": "has A_i v ≤ γ v for every matrix.",
    "complex_polytope": "The balanced complex polytope with 2 vertices v_j, the columns of V = R + i S,",
    "lift": "the monomials of degree 2 in the coordinates of x to those in the coordinates of A_i x",
    "corners": "Let M_i be these. The quadratic form",
    "blocks": "Block 2 is a number, of absolute value at most δ_2 = 1/2 in each of them. Block 3, of size 1, is zero",
    "blocks_many": "The proofs for the other 3 blocks are in the certificate.",
    "blocks_alone": "Let M_i be the distinct matrices that are not zero. The quadratic form",
    "blocks_of_zeros": "All matrices are zero.",
    "nested": "exact LDLᵀ factorisations show that ζ_2² P − K_iᵀ P K_i ⪰ 0",
}


@pytest.mark.parametrize("name", WITNESSES)
def test_every_kind_of_proof_is_told(name):
    text = " ".join(report(told_proof(name)).split())
    rate = WITNESSES[name]["rate"]
    assert EXPECTED_OF_PROOFS[name] in text
    assert f"Therefore the joint spectral radius is at most {rate}" in text
    assert ("contracts" in text) <= (rate < 1)


def test_the_proofs_that_the_checker_knows_are_those_that_are_told():
    from piggycheck.checker.proofs import KINDS
    from piggycheck.render.proofs import method_name

    assert {WITNESSES[name]["method"] for name in WITNESSES} == set(KINDS)
    assert all(method_name(witness) for witness in WITNESSES.values())


def test_proofs_of_edges_and_of_intervals_say_so():
    from piggycheck import derivation as d
    from piggycheck.intervals import IntervalMatrix
    from piggycheck.render.narrative import tell
    from piggycheck.render.text import _section

    A = IntervalMatrix.between(fmpq_mat([[0]]), fmpq_mat([[1]]) / 2)
    system = d.SwitchedStep((A, A), (fmpq_mat(1, 1), fmpq_mat(1, 1)), None, ((0, 1, 1), (1, 0, 0)))
    proof = d.ContractionStep(StatedProof(tuple(WITNESSES["word_tree_of_numbers"].items())))
    shown = " ".join(_section(tell(system, [])).split())
    assert "A_0 = [0, 1/2]" in shown and "An entry with two ends stands for every number between them" in shown
    assert "Only words along the paths of a graph are allowed" in shown and "are 0 1 1, 1 0 0." in shown
    told = " ".join(_section(tell(proof, [system])).split())
    assert "Here a letter is an edge of the graph" in told
    assert "for every choice of matrices between the bounds" in told


def test_nothing_is_said_of_single_pairs_that_a_graph_does_not_allow():
    """A = 2 and 3/4 by turns: the word 0 1 is the shortest along the graph, yet 2 in every step would grow."""
    from piggycheck.claims import Converges, prove
    from piggycheck.switched import SwitchedSystem

    turns = SwitchedSystem.from_rows([[[2]], [["3/4"]]], graph=[(0, 0, 1), (1, 1, 0)])
    told = " ".join(report(prove(Converges(), turns)).split())
    assert "along some path of the graph" in told
    assert "each below 1" not in told and "the same pair" not in told


def test_bounds_are_told_with_their_history_and_rounded_so_that_they_stay_true():
    from fractions import Fraction

    from flint import fmpq

    from piggycheck import derivation as d
    from piggycheck.render.narrative import tell
    from piggycheck.render.text import _section
    from piggycheck.stability.answers import Moment

    lower, upper = fmpq(2, 3), fmpq(2, 3) + fmpq(1, 10**9)
    history = (Moment(0.01, "words", lower, None, (0,)), Moment(2.5, "word tree", lower, upper, (0,)))
    proof = StatedProof((("method", "polytope"), ("rate", upper)))
    text = _section(tell(d.BoundsStep(lower, (0, 1), proof, history), []))
    assert "by an invariant polytope" in text and "by the word 0 1" in text
    rows = [line.split() for line in text.splitlines() if "after" in line]
    assert rows[0][:3] + rows[0][3:] == ["0.666666", "≤", "ρ", "after", "0.01", "s:", "words"]
    low, high = Fraction(rows[1][0]), Fraction(rows[1][4])
    assert low <= Fraction(2, 3) < Fraction(2, 3) + Fraction(1, 10**9) <= high < low + Fraction(1, 10**8)


def test_why_no_common_form_exists_is_told():
    from flint import fmpq

    from piggycheck import derivation as d
    from piggycheck.render.narrative import tell
    from piggycheck.render.text import _section

    first, second = fmpq_mat([[0, 0], [0, 1]]), fmpq_mat(2, 2)
    text = " ".join(_section(tell(d.DualFormStep((first, second), first, fmpq(1)), [])).split())
    assert "Q_0 = " in text and "Q_1" not in text and "The other matrices are zero. Then" in text
    assert "S = Σ (A_i Q_i A_iᵀ − r² Q_i) =" in text
    assert "none of which is positive: a contradiction" in text


def test_a_system_without_B_is_told_without_it():
    from piggycheck.claims import Converges, Diverges, prove
    from piggycheck.switched import SwitchedSystem

    A = [[["1/2", "1/4"], [0, "1/3"]], [["1/3", 0], ["1/5", "1/4"]]]
    bare, affine = (
        report(prove(Converges(), SwitchedSystem.from_rows(A, B))) for B in (None, [[[1], [0]], [[1], [0]]])
    )
    assert "sends X to A_i X, for any of the matrices" in bare and "X = A_i X for every matrix" in bare
    assert "B_" not in bare
    assert "sends X to A_i X + B_i, for any of the pairs" in affine and "B_1 = " in affine
    grows = [[[3, 1], [1, 0]]]
    assert "B_w" not in report(prove(Diverges(), SwitchedSystem.from_rows(grows)))
    assert "B_w" in report(prove(Diverges(), SwitchedSystem.from_rows(grows, [[[1], [0]]])))


def test_a_common_form_along_a_graph_has_a_part_for_each_node():
    from piggycheck.claims import NoCommonQuadraticForm, prove
    from piggycheck.switched import SwitchedSystem

    pair = SwitchedSystem.from_rows([[[1, 0], [1, 1]], [[0, 2], [0, -1]]], graph=[(0, 0, 0), (0, 1, 1), (1, 0, 0)])
    told = " ".join(report(prove(NoCommonQuadraticForm(), pair)).split())
    assert "Here a letter is an edge of the graph" in told
    assert "P ≻ 0, block diagonal with the forms P_u of the nodes, and that each" in told


def test_entries_of_a_product_between_bounds_are_not_said_to_be_its_value():
    from piggycheck.claims import JointSpectralRadius, prove
    from piggycheck.switched import SwitchedSystem

    uncertain = SwitchedSystem.from_rows([[[0, ["9/10", 1]], [0, 0]], [[0, 0], [1, 0]]])
    told = " ".join(report(prove(JointSpectralRadius(lower="9/10"), uncertain)).split())
    assert "A_w = A_1 A_0 ∈ " in told


def test_a_long_word_is_broken_into_lines():
    from flint import fmpq

    from piggycheck import derivation as d
    from piggycheck.render.narrative import tell
    from piggycheck.render.text import _section

    text = _section(tell(d.BoundsStep(fmpq(1), (0, 1, 0) * 30, None, ()), []))
    assert max(map(len, text.splitlines())) <= 92
    assert " ".join(map(str, (0, 1, 0) * 30)) in " ".join(text.split())


@pytest.mark.parametrize(
    "value", ["1/3000000000", "3/2", "10000000000000000000001/3", "99999999999/100000000000000000000"]
)
def test_rounded_decimals_enclose_numbers_of_any_size(value):
    from fractions import Fraction

    from flint import fmpq

    exact = Fraction(value)
    number = fmpq(exact.numerator, exact.denominator)
    below, above = Fraction(decimals_below(number)), Fraction(decimals_above(number))
    assert below <= exact <= above and (above - below) * 10**5 <= exact


def test_words_that_guards_allow_are_told():
    from piggycheck import derivation as d
    from piggycheck.render.narrative import tell
    from piggycheck.render.text import _section

    step = d.TransitionsStep(1, ((0,), (1,)), ((0, 1, 1), (1, 0, 0)), 2)
    text = " ".join(_section(tell(step, [])).split())
    assert "Of all words of one letter, 2 can occur again and again. They are the nodes of a graph: 0, 1." in text
    assert "Its 2 edges are the words of 2 letters that can: 0 1, 1 0." in text


def test_words_that_lead_nowhere_are_not_said_to_be_impossible():
    """Of 0 and 1 both may occur, and only 0 for ever."""
    from piggycheck import derivation as d
    from piggycheck.render.narrative import tell
    from piggycheck.render.text import _section

    text = " ".join(_section(tell(d.TransitionsStep(1, ((0,),), ((0, 0, 0),), 2), [])).split())
    assert (
        "1 can occur again and again: exact linear programs exclude the others. It is the node of a graph: 0." in text
    )
    assert "Its edge is the word of 2 letters that can: 0 0." in text and "possible" not in text


def test_iterates_that_follow_a_word_are_told():
    from fractions import Fraction

    from piggycheck import derivation as d
    from piggycheck.render.latex import _section as in_latex
    from piggycheck.render.narrative import tell
    from piggycheck.render.text import _section

    section = tell(d.RealisedStep((0, 1), ((Fraction(1), Fraction(-1, 2)),), ((Fraction(1, 3),),)), [])
    text = " ".join(_section(section).split())
    assert "d = (1, -1/2) lies in the cone of the first piece of w = 0 1" in text
    assert "A_w d = 1/3 d" in text and "x̄ + ε d, with a small ε > 0" in text
    assert r"\bar{x} + \epsilon d" in in_latex(section)["body"]


def test_summary_rows_give_kind_verdict_and_what_was_found():
    rows = summary_rows(verdicts("diverging"))
    assert [row[:2] for row in rows][2:4] == [("converges", "refuted"), ("diverges", "proved")]
    assert rows[2][2] == "the joint spectral radius is at least (9/8)^(1/4)"


def test_entries_without_room_are_rounded_and_large_matrices_named():
    huge = fmpq_mat(2, 2, [1, 2, 3, 4]) / 10**60
    assert matrix(huge).rounded
    assert matrix(huge).rows[0][0] == "1e-60"
    assert matrix(fmpq_mat(9, 9)).rows == ()
    assert not matrix(fmpq_mat([[1, 2]])).rounded


def test_a_rounded_matrix_is_never_said_to_be_equal():
    text = report(verdict("wide", "converges"))
    for line in text.splitlines():
        assert not re.search(r"= .?[\[⎡].*e-", line)


@pytest.mark.parametrize(
    "text", ["nothing here", "at J_0 = 1", "x = 2, y_previous = 3/4 is it", "A = [['1', '2']] and 5/6"]
)
def test_finding_formulas_in_a_sentence_loses_nothing(text):
    from piggycheck.render.text import join_tokens, token_text

    parts = inline(text, ["x", "y_previous"])
    joined = "".join(
        part if isinstance(part, str) else join_tokens([token_text(atom) for atom in part]) for part in parts
    )
    assert joined == text.replace("'", "")
