"""What is told of limit sets: everything that a paper would show, in text, LaTeX and HTML."""

from __future__ import annotations

import re

import pytest
from flint import fmpq, fmpq_mat
from limit_set_systems import ALONG_WORDS, CANTOR, MIRRORED, RELU, RELU_MAP, SEGMENT, TURNING, scalars
from test_render_html import Page
from test_render_latex import compiled, needs_pdflatex

from piggycheck import derivation as d
from piggycheck.claims import (
    KINDS,
    Converges,
    ImplicitIsInvertible,
    ImplicitIsStrict,
    ImplicitSetExceedsClarke,
    InPiggybackSet,
    PiggybackBounds,
    PiggybackInterval,
    prove,
)
from piggycheck.render import html, latex, report_case
from piggycheck.render.narrative import HEADINGS, tell
from piggycheck.switched import SwitchedSystem

MANY = scalars(*((0, f"{i}/7") for i in range(12)))

ALL = {
    "relu": (RELU, PiggybackInterval(), ImplicitIsStrict(), ImplicitIsStrict(hull=True), PiggybackBounds()),
    "Cantor": (
        CANTOR,
        *(InPiggybackSet(value=value) for value in ("1/2", "1/4", "1/3", "-1/9")),
        *(InPiggybackSet(value=value, hull=True) for value in ("1/2", 2)),
        ImplicitIsStrict(hull=True),
        PiggybackBounds(upper=[2, 2]),
        PiggybackBounds(upper=["1/2", 2]),
    ),
    "turning": (
        TURNING,
        ImplicitIsStrict(hull=True),
        InPiggybackSet(value=[[0], [1]]),
        InPiggybackSet(value=[["1/2"], ["1/2"]], hull=True),
        InPiggybackSet(value=[[10], [1]]),
        PiggybackBounds(tolerance="1/100"),
        PiggybackBounds(directions=[[[1], [1]]] * 14, tolerance=1),
    ),
    "along words": (ALONG_WORDS, InPiggybackSet(value=[[2], [0]]), PiggybackBounds(tolerance=2)),
    "segment": (SEGMENT, InPiggybackSet(value=[[0], ["3/4"]], hull=True), ImplicitIsStrict(hull=True)),
    "mirrored": (MIRRORED, ImplicitSetExceedsClarke(), ImplicitIsInvertible(), ImplicitIsInvertible(hull=False)),
    "singular": (scalars((0, 1), (2, 1)), ImplicitIsInvertible()),
    "constant": (MANY, ImplicitIsStrict(), ImplicitIsStrict(hull=True)),
    "halved": (SwitchedSystem.from_rows([[[0, 0], [0, 0]], [[1, -1], [1, 1]]]), ImplicitIsInvertible()),
}


def decided(name):
    subject, *claims = ALL[name]
    return [prove(claim, subject) for claim in claims]


@pytest.mark.latex
@needs_pdflatex
@pytest.mark.parametrize("name", ALL)
def test_documents_compile_and_nothing_leaves_the_page(name, tmp_path):
    latex(decided(name), tmp_path / "paper.tex")
    assert not re.findall(r"Overfull.*|LaTeX Warning.*|Undefined.*", compiled(tmp_path))


@pytest.mark.parametrize("name", ALL)
def test_pages_are_well_nested(name):
    assert Page(html(decided(name))).open == []


@pytest.mark.parametrize("name", ALL)
def test_reports_end_with_what_was_claimed_above_what_was_proved(name):
    for verdict in decided(name):
        lines = verdict.report().splitlines()
        claimed = next(i for i, line in enumerate(lines) if line.startswith("claimed   "))
        assert lines[claimed + 1].startswith(f"{verdict.name:<10}")
        assert max(map(len, lines[:claimed])) <= 100


def test_every_kind_has_a_question():
    assert KINDS.keys() <= HEADINGS.keys()


def test_the_two_sets_stand_side_by_side():
    (text, *_) = (verdict.report() for verdict in decided("relu"))
    assert "X_0 = 2/3" in text and "X_1 = 0" in text
    assert "conv J^imp = [0, 2/3]" in text and "conv J^pb = [-2/3, 4/3]" in text
    assert "a = -2/3    by repeating the word 0 1" in text
    written = latex(decided("relu"))
    assert re.search(r"conv\} +J\^\{\\mathrm\{pb\}\} &= +\[ +-\\tfrac\{2\}\{3\}", written)


def test_the_word_outside_is_told_with_its_direction_and_the_words_before_it():
    text = decided("relu")[2].report()
    assert "The word w = 0 1 has the fixed point" in text
    assert "the products ⟨C, (I − A_i) X − B_i⟩ are 2, 1" in " ".join(text.split())
    assert "all 2 shorter words" in text


def test_cells_are_counted_and_compared():
    text = decided("Cantor")[0].report()
    assert "divided into 2 cells, by the letter that acted last" in text
    assert "C = 1,   ⟨C, Y⟩ = 1/2 > 1/3    on the cell 0" in text
    assert "sends the interval [0, 1] into itself" in text


def test_a_point_is_told_by_its_word_and_the_letters_after_it():
    text = decided("Cantor")[2].report()
    assert "The word w = 1 has the fixed point" in text and "The letter v = 0 moves it to X = A_v X_w + B_v" in text


def test_a_core_is_told_with_the_ball():
    text = " ".join(decided("along words")[0].report().split())
    assert "with r = " in text and "their first letters lead from there into the ball V(X − c) ≤ R²" in text


def test_long_lists_are_cut():
    assert "… and 2 more, in the certificate" in decided("turning")[-1].report()
    text = decided("constant")[0].report()
    assert "… and 4 more" in text and ", …" in text


def test_the_determinants_are_told():
    text = " ".join(decided("halved")[0].report().split())
    assert "det(I − A_i) of the pairs are 1, 1" in text and "2 simplices" in text
    text = decided("singular")[0].report()
    assert "det(I − A_ℓ) = 1    for ℓ = (1, 0)" in text and "changes its sign" in text


def test_a_contraction_is_told_once_for_several_claims():
    verdicts = [
        prove(claim, RELU_MAP, {"theta": 0})
        for claim in (Converges(), PiggybackInterval(), ImplicitIsStrict(), InPiggybackSet(value="1/3"))
    ]
    text = report_case("relu", verdicts)
    assert 1 == text.count("A norm that contracts") == text.count("The implicit set\n")
    assert 4 == text.count("claimed   ")


def test_a_ball_comes_with_the_norm_that_it_is_one_of():
    """The claim *converges* may have been proved in another norm."""
    verdicts = [prove(claim, ALONG_WORDS) for claim in (Converges(rate="29/30"), InPiggybackSet(value=[[9], [-9]]))]
    same = (
        verdicts[0].derivation.first(d.ContractionStep).proof == verdicts[1].derivation.first(d.ContractionStep).proof
    )
    assert (1 if same else 2) == report_case("words", verdicts).count("A norm that contracts")


def test_bounds_stay_true_when_they_are_rounded():
    value, tight = fmpq(10**30 + 1, 3 * 10**30), fmpq(10**30 + 2, 3 * 10**30)
    unit = fmpq_mat([[1]])
    step = d.DirectionBoundsStep((unit,), (value,), (value,), (((0,), ()),), ((1, 1),))
    shown = str(tell(step, ()))
    assert "Decimal(text='0.333334')" in shown and "Decimal(text='0.333333')" in shown
    step = d.SeparationStep(unit, ((0,),), (unit,), (tight,), (value,))
    assert f"Number(value={value!r})" in str(tell(step, ()))
