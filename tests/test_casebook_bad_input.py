"""Cases of the casebook with one thing changed for the worse: one clear line, with the place."""

from pathlib import Path

import numpy as np
import pytest

from piggycheck.case import load_case
from piggycheck.errors import CaseError, InputError

CASEBOOK = Path(__file__).parent.parent / "casebook"
GENERATED = '{generate = "gaussian", shape = [10, 10], seed = 1, denominator = 1000, scale = "31/98"}'
OBSERVED = '{observe = "A", signal = "signal", noise = "1/100", seed = 3, denominator = 1000}'

BAD = {
    "S not symmetric": (
        *("inverse-covariance-2x2", '["1/2", 1]]', '["1/3", 1]]'),
        "line 14: S of log_det: entries (1, 0) and (0, 1) are 1/3 and 1/2; write a symmetric matrix",
    ),
    "S not square": (
        *("inverse-covariance-2x2", ', ["1/2", 1]]', "]"),
        "line 14: S of log_det: 1 rows and 2 columns; write a square matrix",
    ),
    "Q not positive semidefinite": (
        *("lasso-10-variables", "least_squares(A, b)", "quadratic([[1, 2], [2, 1]])"),
        "line 18: Q of quadratic: the matrix is not positive semidefinite; write one without negative eigenvalues",
    ),
    "a negative step": (
        *("lasso-10-variables", '"0.244"', '"-0.244"'),
        "line 20: step: `-61/250` is not positive; write a positive number",
    ),
    "b of another size": (
        *("lasso-10-variables", OBSERVED, "[1, 2, 3]"),
        "line 18: b of least_squares: 3 entries; there must be 10",
    ),
    "an operator of another size": (
        *("trend-filtering-50-points", "difference(2, 50)", "difference(2, 40)"),
        "line 14: `the operator` has 40 variables and `least_squares` has 50; make them as many",
    ),
    "an empty group": (
        *("group-lasso", "2, 2, 2, 2", "1, 1, 1, 1"),
        "line 17: `groups of group_l2`: group 3 is empty; leave it out or give it coordinates",
    ),
    "a group too short": (
        *("group-lasso", ", 4]", "]"),
        "line 14: `least_squares` has 20 variables and `group_l2` has 19; make them as many",
    ),
    "a negative penalty": (
        *("lasso-10-variables", 'penalty = "0.0779166"', 'penalty = "-1/10"'),
        "line 16: weight of l1, `penalty`: `-1/10` is negative; write a nonnegative number",
    ),
    "a negative ridge": (
        *("ridge-by-gradient-descent", 'ridge = "1/2"', 'ridge = "-1/2"'),
        "line 13: weight of squared_norm, `ridge`: `-1/2` is negative; write a nonnegative number",
    ),
    "a missing file": (
        *("lasso-10-variables", GENERATED, '{file = "missing.csv"}'),
        "line 11: `A`: `missing.csv` does not exist; give a file in the folder of the case",
    ),
    "NaN in text": (
        *("lasso-10-variables", GENERATED, '{file = "nan.csv"}'),
        "line 11: `A`: `nan.csv`, row 2, column 2 is nan; write a finite number",
    ),
    "infinity in floats": (
        *("lasso-10-variables", GENERATED, '{file = "infinite.npy"}'),
        "line 11: `A`: `infinite.npy`, row 1, column 2 is inf; write a finite number",
    ),
    "a file of another shape": (
        *("lasso-10-variables", GENERATED, '{file = "small.csv", shape = [10, 10]}'),
        "line 11: `A`: `small.csv` is 2 by 2 and `shape` says 10 by 10; correct one of them",
    ),
    "a file that does not fit": (
        *("lasso-10-variables", GENERATED, '{file = "small.csv"}'),
        "line 13: `b`: `observe`: matrices of 2 by 2 and 10 by 1 cannot be multiplied",
    ),
}


@pytest.mark.parametrize(("name", "good", "bad", "message"), BAD.values(), ids=BAD)
def test_what_makes_no_sense_is_refused_with_one_line(tmp_path, name, good, bad, message):
    (tmp_path / "nan.csv").write_text("1,2\n3,nan\n")
    (tmp_path / "small.csv").write_text("1,2\n3,4\n")
    np.save(tmp_path / "infinite.npy", np.array([[1, np.inf]]))
    text = (CASEBOOK / name / "case.toml").read_text()
    assert text.count(good) == 1
    path = tmp_path / "case.toml"
    path.write_text(text.replace(good, bad))
    with pytest.raises(CaseError) as refusal:
        load_case(path).subject()
    assert str(refusal.value) == f"{path}, {message}"


def test_directions_fit_the_parameters(tmp_path):
    """Claims read their directions when they are decided: see the tests of the commands for the line."""
    from piggycheck.claims import prove

    text = (CASEBOOK / "lasso-10-variables" / "case.toml").read_text()
    path = tmp_path / "case.toml"
    path.write_text(text.replace('{data = "change"}}]', "[1, 2]}]"))
    case = load_case(path)
    with pytest.raises(InputError, match="directions of `derivative`, `b`: 2 × 1 numbers; write a list of 10 numbers"):
        prove(case.claims[1], case.subject())


@pytest.mark.parametrize(
    ("name", "good", "bad", "advice"),
    [
        ("lasso-10-variables", '"0.244"', '"3/5"', "step: `3/5` is outside (0, 0.488362), where convergence is known"),
        ("inverse-covariance-2x2", 'step   = "1"', "relaxation = 2", "relaxation: `2` is outside (0, 2), where conver"),
        ("inverse-covariance-2x2", '"1/2"], ["1/2"', "2], [2", "S of log_det: the matrix has a negative eigenvalue"),
    ],
)
def test_what_may_do_harm_is_told_and_not_refused(tmp_path, name, good, bad, advice):
    text = (CASEBOOK / name / "case.toml").read_text()
    assert text.count(good) == 1
    path = tmp_path / "case.toml"
    path.write_text(text.replace(good, bad))
    assert load_case(CASEBOOK / name / "case.toml").subject().advice is None
    assert advice in load_case(path).subject().advice
