"""The claim *pseudo_inverse_agrees*, and divergence that is not exponential; certificates with numbers changed."""

from __future__ import annotations

from functools import cache

import pytest
import sympy as sp
from certificate_helper import assert_certified, assert_changes_matter, content_of, holds, proved, refuted, undecided
from flint import fmpq, fmpq_mat
from hypothesis import assume, given
from hypothesis import strategies as st
from matrix_strategies import matrices
from singular_helper import agrees, leads_to_the_pseudo_inverse, one, pair_of, rows, start_in
from strategies import examples

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.claims import Diverges, Proved, PseudoInverseAgrees, prove
from piggycheck.derivation import PolynomialGrowthStep, PseudoInverseStep
from piggycheck.errors import InputError
from piggycheck.functions import least_squares, squared_norm
from piggycheck.iteration import Iteration
from piggycheck.maps import ArrayParameter, SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, theta = sp.symbols("x y theta", real=True)
CLAIM, DIVERGES = PseudoInverseAgrees(), Diverges()
ENTRY = st.integers(-3, 3).map(fmpq)
LEAST_SQUARES = [["3/4", "-1/4"], ["-1/4", "3/4"]]
QUARTERS = [["1/4"], ["1/4"]]
JORDAN = [[1, 1], [0, 1]]
OBLIQUE = [[1, 1], [0, "1/2"]]  # I - A has a range that is not that of its transpose


def descent(objective="(x + y - theta)**2/2", start=(theta, 0), step="1/4"):
    return gradient_descent(objective, ["x", "y"], step, parameters=["theta"], start=start)


def drifting(start=(0, 0)):
    """At theta = 0 every (0, y) is a minimiser; elsewhere the objective is unbounded."""
    return descent("x**2/2 - theta*y", start, "1/2")


BALL = heavy_ball("x**2/2 - theta*y", ["x", "y"], "1/2", "1/4", parameters=["theta"], start=[0, 0])
SYSTEMS = {
    "keeps its start": ("refuted", one(LEAST_SQUARES, QUARTERS, [[1], [0]])),
    "starts in the range": ("proved", one(LEAST_SQUARES, QUARTERS, [[1], [1]])),
    "every start": ("refuted", one(LEAST_SQUARES, QUARTERS)),
    "drifts": ("refuted", one(LEAST_SQUARES, [[1], [0]], [[0], [0]])),
    "oblique": ("refuted", one(OBLIQUE, [[2], [-1]], [[0], [0]])),
    "oblique from the answer": ("proved", one(OBLIQUE, [[2], [-1]], [[-4], [0]])),
    "regular": ("proved", one([["1/2", 1], [0, "1/3"]], [[1], [2]])),
    "regular with a start": ("proved", one([["1/2"]], [[1]], [[9]])),
    "two columns": ("refuted", one([[1, 0], [0, "1/2"]], [[0, 0], [1, 1]], [[0, 1], [5, 5]])),
    "large": ("refuted", one([[2]], [[1]], [[0]])),
    "large, of any start": ("refuted", one([[2]], [[1]])),
    "large and not excited": ("proved", one([[2]], [[1]], [[-1]])),
    "minus one": ("refuted", one([[-1]], [[1]], [[0]])),
    "minus one and not excited": ("proved", one([[-1]], [[1]], [["1/2"]])),
    "a rotation": ("refuted", one([["3/5", "-4/5"], ["4/5", "3/5"]], [[1], [0]])),
    "not semisimple": ("refuted", one(JORDAN, None, [[0], [1]])),
    "not semisimple and not excited": ("refuted", one(JORDAN, None, [[1], [0]])),
    "not semisimple from zero": ("proved", one(JORDAN, None, [[0], [0]])),
    "nilpotent difference": ("refuted", one([[1, 1, 0], [0, 1, 1], [0, 0, 1]], None, [[0], [0], [1]])),
    "identity": ("refuted", one([[1, 0], [0, 1]], None, [[1], [0]])),
    "identity from zero": ("proved", one([[1, 0], [0, 1]], None, [[0], [0]])),
    "zero": ("proved", one([[0, 0], [0, 0]], [[5], [7]])),
}
ITERATIONS = {
    "least squares": ("refuted", descent(), 0),
    "least squares elsewhere": ("refuted", descent(start=(theta + 1, 3 * theta)), 2),
    "least squares from zero": ("proved", descent(start=(0, 0)), 2),
    "drift": ("refuted", drifting(), 0),
    "no start": ("refuted", descent(start=None), 1),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_verdicts_about_matrices(name):
    expected, system = SYSTEMS[name]
    {"proved": proved, "refuted": refuted}[expected](CLAIM, system)


@pytest.mark.parametrize("name", ITERATIONS)
def test_verdicts_about_iterations(name):
    expected, iteration, at = ITERATIONS[name]
    {"proved": proved, "refuted": refuted}[expected](CLAIM, iteration, {"theta": at})


class TestLeastSquares:
    def test_the_limit_keeps_what_the_start_has_in_the_kernel(self):
        """The start (theta, 0) is a minimiser for every theta: its derivative stays (1, 0)."""
        value = refuted(CLAIM, descent(), {"theta": 0}).value
        assert [["1"], ["0"]] == value["limit"]
        assert [["1/2"], ["1/2"]] == value["pseudo_inverse_answer"] == value["minimal_norm"]
        assert [["1/2"], ["-1/2"]] == value["remembered"]
        assert [["1/2", "-1/2"], ["-1/2", "1/2"]] == value["projector"]
        assert (True, True, True) == tuple(value[k] for k in ("semisimple", "range_symmetric", "depends_on_start"))

    def test_the_statement_says_which_start(self):
        assert "started at the fixed point" in prove(CLAIM, descent(), {"theta": 0}).statement
        assert "along the iterates" in prove(CLAIM, descent(start=(1, 3 * theta)), {"theta": 0}).statement
        assert "whatever J_0 is" in prove(CLAIM, descent(start=None), {"theta": 0}).statement

    def test_the_pair_changes_along_the_iterates_of_a_map_that_is_not_affine(self):
        """Then the start does not say what J_0 is at the fixed point, and the claim is about every J_0."""
        product = descent("(theta*x + y - 1)**2/2", (0, 0))
        assert "whatever J_0 is" in refuted(CLAIM, product, {"theta": 1}).statement

    def test_the_derivative_of_the_iterates_themselves(self):
        """x_k is (1, 3 theta) + sums of the residual: its derivative tends to (-1, 2)."""
        assert [["-1"], ["2"]] == refuted(CLAIM, descent(start=(1, 3 * theta)), {"theta": 0}).value["limit"]

    def test_the_steps(self):
        verdict = prove(CLAIM, descent(), {"theta": 0})
        assert not verdict.derivation.first(PseudoInverseStep).chosen
        assert prove(CLAIM, descent(start=None), {"theta": 0}).derivation.first(PseudoInverseStep).chosen


class TestLinearGrowth:
    @pytest.mark.parametrize(
        "iteration",
        [drifting(), heavy_ball("x**2/2 - theta*y", ["x", "y"], "1/2", "1/4", parameters=["theta"], start=[0, 0])],
    )
    def test_a_drift(self, iteration):
        value = proved(DIVERGES, iteration, {"theta": 0}).value
        assert ("linear", [0], "1", "1") == tuple(
            value[k] for k in ("growth", "word", "eigenvalue_modulus_lower", "growth_lower")
        )
        refuted(CLAIM, iteration, {"theta": 0})

    def test_away_from_zero_the_objective_has_no_minimiser(self):
        assert "no fixed point" in undecided(DIVERGES, drifting(), {"theta": 1}).reason

    def test_a_jordan_block(self):
        verdict = proved(DIVERGES, one(JORDAN, None, [[0], [1]]))
        step = verdict.derivation.first(PolynomialGrowthStep)
        assert ("linear", 1, (1, 0), (1,)) == (verdict.value["growth"], step.degree, step.left_vector, step.leading)
        assert "exponential" == proved(DIVERGES, one([[2]])).value["growth"]

    def test_a_higher_degree(self):
        verdict = proved(DIVERGES, one([[1, 1, 0], [0, 1, 1], [0, 0, 1]], [[0], [0], [1]], [[0], [0], [0]]))
        assert "polynomial of degree 3" == verdict.value["growth"]

    def test_what_stays_bounded_does_not_diverge(self):
        for A, B, J0 in [([[1]], [[0]], [[1]]), ([[-1]], [[1]], [[0]]), (JORDAN, None, [[1], [0]])]:
            undecided(DIVERGES, one(A, B, J0))

    def test_some_start_of_a_jordan_block(self):
        verdict = proved(DIVERGES, one(JORDAN))
        assert "for some J_0" in verdict.statement and content_of(verdict)["J0"][1] != ["0"]

    def test_exponential_growth_is_told_first(self):
        assert "exponential" == proved(DIVERGES, one([[1, 0], [0, 2]], [[1], [0]], [[0], [1]])).value["growth"]

    def test_growth_from_a_start_that_does_not_excite_the_large_eigenvalue(self):
        assert "linear" == proved(DIVERGES, one([[1, 0], [0, 2]], [[1], [0]], [[1], [0]])).value["growth"]

    def test_a_graph(self):
        turns = SwitchedSystem.from_rows([[[2]], [["1/2"]]], [[[0]], [[1]]], J0=[[0]], graph=[(0, 0, 1), (1, 1, 0)])
        verdict = proved(DIVERGES, turns)
        assert ("linear", [0, 1]) == (verdict.value["growth"], sorted(verdict.value["word"]))

    def test_lengths(self):
        """Each letter is nilpotent, their product is a Jordan block with a drift."""
        A = [[[0, 0, 1], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [1, 0, 0]]]
        pair = SwitchedSystem.from_rows(A, [[[1], [0], [0]], [[0], [0], [0]]], J0=[[0], [0], [0]])
        proved(Diverges(word_length=2), pair)
        refuted(Diverges(word_length=1), pair)
        refuted(Diverges(word_length=3), pair)

    def test_a_shorter_word_that_grows_linearly_refutes_a_length(self):
        """The letter 0 grows linearly; the letters grow exponentially by turns only."""
        A = [[[1, 1], [0, 1]], [["1/2", 0], [1, "1/2"]]]
        pair = SwitchedSystem.from_rows(A, J0=[[0], [1]])
        refuted(Diverges(word_length=2), pair)
        proved(Diverges(word_length=1), pair)

    def test_the_length_stays_open_where_shorter_words_do_not_contract(self):
        flips = SwitchedSystem.from_rows([[[-1]], [[-1]]], [[[1]], [[-1]]], J0=[[0]])
        proved(DIVERGES, flips)
        assert "length 2 diverges" in undecided(Diverges(word_length=2), flips).reason


class TestMapsMadeOfLayers:
    def test_a_small_one_is_written_out(self):
        """The solution of least squares from 0 is A^+ b, so its derivative in b is A^+ = A^T (A A^T)^-1."""
        b = ArrayParameter("b", 2)
        A = [[1, 1, 0], [0, 1, 1]]
        iteration = gradient_descent(least_squares(A, b), step="1/3", parameters=[b], start=[0, 0, 0])
        limit = proved(CLAIM, iteration, {"b": [1, 0]}).value["limit"]
        assert [["2/3", "-1/3"], ["1/3", "1/3"], ["-1/3", "2/3"]] == limit

    def test_a_large_one_is_left_open(self):
        A = [[int(j - i in (0, 1)) for j in range(100)] for i in range(99)]
        iteration = gradient_descent(
            least_squares(A, [1] * 99) + squared_norm(theta), step="1/10", parameters=[theta], start=[0] * 100
        )
        assert "too large to be written out" in undecided(CLAIM, iteration, {"theta": 0}, time_limit=2.0).reason


class TestHonesty:
    def test_several_pairs(self):
        kinked = "Piecewise(((x+y-theta)**2/2, x > 0), ((x+y-theta)**2, True))"
        assert "2 pieces meet" in undecided(CLAIM, descent(kinked), {"theta": 0}).reason
        assert "2 pairs" in undecided(CLAIM, SwitchedSystem.from_rows([[["1/2"]], [["1/3"]]])).reason

    def test_irrational_pairs(self):
        reason = undecided(CLAIM, descent("sqrt(2)*(x + y - theta)**2/2"), {"theta": 0}).reason
        assert "irrational" in reason

    def test_bounds_and_graphs(self):
        assert "only between bounds" in undecided(CLAIM, SwitchedSystem.from_rows([[[["1/2", 1]]]])).reason
        loop = SwitchedSystem.from_rows([[["1/2"]]], graph=[(0, 0, 0)])
        assert "graph" in undecided(CLAIM, loop).reason

    def test_a_start_with_a_kink(self):
        assert "J_0 is not one matrix" in undecided(CLAIM, descent(start=(sp.Abs(theta), 0)), {"theta": 0}).reason

    def test_no_fixed_point(self):
        undecided(CLAIM, drifting(), {"theta": 1})

    def test_nothing_to_differentiate(self):
        with pytest.raises(InputError, match="no parameters"):
            prove(CLAIM, Iteration(SymbolicMap([x], [x / 2])))
        with pytest.raises(InputError, match="no columns"):
            prove(CLAIM, SwitchedSystem((fmpq_mat([[1]]),), (fmpq_mat(1, 0),)))


def grows(content):
    """Whether the derivatives along the word, repeated, become larger and larger, by the exact recursion."""
    A, B = pair_of(content)
    J, sizes = sp.Matrix(start_in(content)), []
    A, B = sp.Matrix(A), sp.Matrix(B)
    for _ in range(64 * len(content["witness"]["word"])):
        J = A * J + B
        sizes.append(max(map(abs, J)))
    return sizes[-1] > sizes[31] > sizes[15] > 0 and sizes[-1] > 3 * sizes[15]


def is_true(content):
    if content["claim"]["kind"] == "diverges":
        return grows(content)
    return agrees(content) == (content["claim"]["verdict"] == "proved")


CERTIFICATES = {
    **{name: lambda system=system: prove(CLAIM, system) for name, (_, system) in SYSTEMS.items()},
    **{
        name: lambda iteration=iteration, at=at: prove(CLAIM, iteration, {"theta": at})
        for name, (_, iteration, at) in ITERATIONS.items()
    },
    "diverges by a drift": lambda: prove(DIVERGES, drifting(), {"theta": 0}),
    "diverges by a block": lambda: prove(DIVERGES, one(JORDAN, None, [[0], [1]])),
    "diverges by minus one": lambda: prove(DIVERGES, one([[-1, 1], [0, -1]], None, [[0], [1]])),
    "diverges by a block of three": lambda: prove(DIVERGES, one([[1, 1, 0], [0, 1, 1], [0, 0, 1]])),
}


@cache
def certificate(name):
    return assert_certified(CERTIFICATES[name]())


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(name):
    content = certificate(name)
    assert_changes_matter(content, is_true)


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_of_one_verdict_is_none_of_the_other(name):
    content = certificate(name)
    other = {"proved": "refuted", "refuted": "proved"}[content["claim"]["verdict"]]
    assert not holds({**content, "claim": {**content["claim"], "verdict": other}})


@pytest.mark.parametrize("name", CERTIFICATES)
def test_nothing_of_a_witness_can_be_left_out_but_what_is_optional(name):
    content = certificate(name)
    optional = {"shortest", "eigenvalue", "left_eigenvector", "excitation"}
    for key in set(content["witness"]) - optional:
        rest = {k: v for k, v in content["witness"].items() if k != key}
        assert not holds({**content, "witness": rest}), key


class TestRefusals:
    """What the checker refuses, each a false claim or one it cannot see."""

    def test_another_generalized_inverse(self):
        """The group inverse of an oblique pair is a generalized inverse, but not the Moore-Penrose one."""
        content = certificate("oblique")
        witness = {**content["witness"], "pseudo_inverse": content["witness"]["group_inverse"]}
        assert not holds({**content, "witness": witness})

    def test_a_chosen_start_proves_nothing_of_every_start(self):
        content = certificate("no start")
        proof = {**certificate("least squares from zero")["witness"]}
        claim = {**content["claim"], "verdict": "proved"}
        assert not holds({**content, "claim": claim, "witness": proof, "J0": [["0"], ["0"]]})

    def test_a_start_beside_the_start(self):
        content = certificate("least squares")
        assert not holds({**content, "J0": [["5"], ["0"]]})

    def test_a_higher_degree(self):
        content = certificate("diverges by a drift")
        witness = {k: v for k, v in content["witness"].items() if k not in ("left_vector", "leading")}
        assert holds({**content, "witness": witness})
        assert not holds({**content, "witness": {**witness, "degree": "2"}})

    @pytest.mark.parametrize("factor", [["1"], ["2", "-2"], [], ["1", "0"], ["1", "1"]])
    def test_another_factor(self, factor):
        content = certificate("diverges by a drift")
        assert not holds({**content, "witness": {**content["witness"], "factor": factor}})

    def test_a_simple_eigenvalue_is_no_growth(self):
        content = certificate("diverges by a block")
        still = {**content, "switched": {**content["switched"], "A": [[["1", "0"], ["0", "1"]]]}}
        assert not holds(still)


@examples(60)
@given(
    matrices(3, 3, ENTRY).filter(lambda S: S.det() != 0),
    st.lists(st.sampled_from([fmpq(1), fmpq(1, 2), fmpq(-1, 3), fmpq(0), fmpq(-1), fmpq(2)]), min_size=3, max_size=3),
    matrices(3, 1, ENTRY),
    st.one_of(st.none(), matrices(3, 1, ENTRY)),
    st.booleans(),
)
def test_verdicts_agree_with_the_recursion(S, values, B, J0, coupled):
    """Random pairs with chosen eigenvalues, semisimple or not."""
    block = fmpq_mat(
        3, 3, [values[i] if i == j else int(coupled and (i, j) == (0, 1)) for i in range(3) for j in range(3)]
    )
    A = S * block * S.inv()
    assume(max(abs(entry) for entry in A.entries()) < 1000)
    verdict = prove(CLAIM, SwitchedSystem((A,), (B,), J0=J0))
    assert_certified(verdict)
    if J0 is None:
        assert isinstance(verdict, Proved) == all(abs(value) < 1 for value in values)
    else:
        assert isinstance(verdict, Proved) == leads_to_the_pseudo_inverse(*(rows(M) for M in (A, B, J0)))
