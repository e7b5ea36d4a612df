"""The commands on cases made of arrays: answers, advice on standard error, bad input in one line."""

from __future__ import annotations

import json

import pytest

LASSO = """
title = "A small lasso"

[data]
A = [[1, 2, 0], [0, 1, 1]]
b = [1, 3]

[algorithm]
name = "forward_backward"
smooth = "least_squares(A, b)"
nonsmooth = "l1(penalty)"
step = "1/10"

[parameters]
penalty = "1/2"
b = {data = "b"}

[start]
x = "0"
"""
CONVERGED = """
[[claim]]
kind = "converged"
quantity = "derivatives"
iterations = 30
tolerance = "1/1000"
directions = {penalty = 1}
"""


@pytest.fixture
def case(tmp_path):
    def written(text):
        path = tmp_path / "lasso.toml"
        path.write_text(text)
        return str(path)

    return written


def test_the_default_questions_are_answered_with_certificates_that_check(run, case, tmp_path):
    code, out, err = run("prove", case(LASSO), "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert out.count("\nproved ") == 3 and "forward = x − 1/10 Aᵀ A x + 1/10 Aᵀ b" in out
    written = sorted((tmp_path / "out").iterdir())
    assert len(written) == 3
    code, _, _ = run("check", *written)
    assert code == 0


def test_the_json_answer_is_valid_and_lists_the_piece_by_its_signature(run, case):
    code, out, _ = run("prove", case(LASSO), "--json")
    answer = json.loads(out)
    assert code == 0
    assert [claim["kind"] for claim in answer["claims"]] == ["fixed_point", "converges", "derivative"]
    assert answer["claims"][2]["value"]["directions"] == ["penalty", "b_1", "b_2"]
    assert answer["pieces"] == [{"signature": "proximal: 1 ++· 2 -·+"}]


def test_what_has_not_converged_is_refuted_with_the_error_that_is_left(run, case):
    code, out, _ = run("prove", case(LASSO + CONVERGED))
    assert code == 1
    assert "refuted   not converged: after 30 iterations the error is at least" in out


def test_a_step_outside_the_convergent_range_is_a_warning(run, case):
    code, out, err = run("prove", case(LASSO.replace('"1/10"', '"1/4"\nrelaxation = "13/10"')))
    assert err.startswith("piggycheck: warning: forward-backward: ") and err.count("\n") == 1
    assert code != 3 and "claimed" in out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('penalty = "1/2"', 'penalty = "-1/2"'), "`-1/2` is negative"),
        (("b = [1, 3]", "b = [1, 3, 5]"), "3"),
        (("directions = {penalty = 1}", "directions = {weight = 1}"), "`weight` is not a parameter"),
        (("iterations = 30", "iterations = 0"), "`0` is not a positive integer"),
        (("iterations = 30", "iterations = 1000000"), "`1000000` is more than 100000"),
        (('quantity = "derivatives"', 'quantity = "errors"'), 'write "iterates" or "derivatives"'),
    ],
)
def test_bad_input_is_one_line(run, case, change, message):
    code, _, err = run("prove", case((LASSO + CONVERGED).replace(*change)))
    assert code == 3
    assert err.count("\n") == 1 and err.startswith("piggycheck: ") and message in err and "lasso.toml" in err


def test_a_derivation_is_shown_as_latex_figure_and_page(run, case, tmp_path):
    files = [tmp_path / "lasso.tex", tmp_path / "lasso.svg", tmp_path / "lasso.html"]
    code, _, _ = run("show", case(LASSO), "--latex", files[0], "--figure", files[1], "--html", files[2])
    assert code == 0
    assert all(path.stat().st_size > 1000 for path in files)
