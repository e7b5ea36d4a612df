"""The chain-rule set against the Clarke Jacobian: by hand, and against brute force over random programs."""

from __future__ import annotations

import itertools

import pytest
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import given
from strategies import examples, kinked

import piggycheck as pc
from piggycheck.expression import parse, relu
from piggycheck.iteration import Iteration
from piggycheck.maps import Affine, Elementwise, ScalarFunction, StateBlock, StructuredMap, SymbolicMap
from piggycheck.maps.chain_rule import chain_rule_against_clarke
from piggycheck.maps.sources import Term

x, y, theta = sp.symbols("x y theta", real=True)


def compared(*following, parameters=()):
    state = (x, y)[: len(following)]
    map_ = SymbolicMap(state, following, parameters)
    return chain_rule_against_clarke(map_, dict.fromkeys((*state, *parameters), 0))


def slopes(pairs):
    return sorted(pair[0][0, 0] for pair in pairs)


def picks(extra):
    return {(str(pick.kink), str(pick.guard), pick.sign) for pick in extra.picks}


class TestByHand:
    def test_the_identity_as_a_difference_of_relus(self):
        found = compared(relu(x) - relu(-x))
        assert (slopes(found.selection), slopes(found.chain_rule)) == ([1, 1], [0, 1, 2])
        by_slope = {extra.pair[0][0, 0]: extra for extra in found.extra}
        assert set(by_slope) == {0, 2}
        assert all(extra.weights is None for extra in found.extra)
        assert picks(by_slope[2]) == {("relu(x)", "x", 1), ("relu(-x)", "x", -1)}
        assert picks(by_slope[0]) == {("relu(x)", "x", -1), ("relu(-x)", "x", 1)}

    def test_an_extra_pair_between_the_pieces(self):
        """|x| + |y| + |x + y|: x, y > 0 > x + y is no piece, and its gradient (0, 0) is the middle of two others."""
        found = compared(sp.Abs(x) + sp.Abs(y) + sp.Abs(x + y), y / 2)
        (extra,) = found.extra
        assert (extra.direction, extra.pair[0][0, 0], extra.pair[0][0, 1]) == (None, 0, 0)
        assert len(extra.picks) == 3, "any two of the three kinks pick as some piece does"

    def test_only_the_kinks_that_contradict_each_other_are_named(self):
        found = compared(relu(x) - relu(-x) + sp.Abs(y), y / 2)
        assert {str(pick.kink) for extra in found.extra for pick in extra.picks} == {"relu(x)", "relu(-x)"}

    def test_in_the_parameters(self):
        found = compared(x / 2 + relu(theta) - relu(-theta), parameters=[theta])
        assert sorted(extra.pair[1][0, 0] for extra in found.extra) == [0, 2]
        assert all(extra.direction[0] == 0 * extra.direction[0] for extra in found.extra), "only B differs"

    def test_where_both_sets_are_the_same(self):
        assert compared(sp.Abs(x) / 2).extra == ()
        assert compared(x / 3).extra == ()

    def test_a_condition_inside_a_piecewise(self):
        cases = parse("Piecewise((2*x, x > 0 and x > -x), (3*x, True))", [x])
        assert compared(cases).extra == ()

    def test_many_kinks_are_reduced_one_by_one(self):
        """With thirteen ties subsets are not all tried."""
        others = sum((relu(k * y) for k in range(2, 7)), sp.S.Zero)
        found = compared(relu(x) - relu(-x), others / 100 + y / 2)
        for extra in found.extra:
            assert not any(made_together(extra.picks, side) for side in itertools.product((1, -1), repeat=2))

    def test_layers_are_written_out(self):
        block, v = StateBlock("x", 1), sp.Symbol("v", real=True)
        identity = Elementwise(
            "y", ScalarFunction(sp.Max(v, 0) - sp.Max(-v, 0), v), Affine("v", [Term(sp.S.One, (), block)])
        )
        found = pc.chain_rule_against_clarke(Iteration(StructuredMap([block], identity)), {"x": [0]})
        assert slopes(extra.pair for extra in found.extra) == [0, 2]


def made_together(picks_, side):
    """Whether all guards have the signs picked at a point on one side of both axes."""
    at = dict(zip((x, y), side, strict=True))
    return all(sp.sign(pick.guard.subs(at)) == pick.sign for pick in picks_)


@examples(60)
@given(kinked((x, y)))
def test_each_extra_pair_is_separated_or_combined_and_no_piece_makes_its_picks(expression):
    map_ = SymbolicMap((x, y), [expression, y / 2])
    origin = {x: 0, y: 0}
    try:
        found = chain_rule_against_clarke(map_, origin)
    except pc.errors.UnknownError:
        return
    pieces = map_.selection(origin).pieces
    assert {str(pair) for pair in found.chain_rule} == {
        str(tuple(fmpq_mat(M.rows, M.cols, [fmpq(int(e.p), int(e.q)) for e in M]) for M in piece.pair))
        for piece in map_.chain_rule(origin)
    }
    for extra in found.extra:
        (A, _), essential = extra.pair, [piece.activity.essential for piece in pieces]
        if extra.weights is not None:
            assert sum(extra.weights) == 1 and min(extra.weights) >= 0
            combined = sum((w * P for w, (P, _) in zip(extra.weights, found.selection, strict=True)), 0 * A)
            assert combined == A and all(on for w, on in zip(extra.weights, essential, strict=True) if w)
        if extra.direction is not None:
            C = extra.direction[0].entries()
            values = [sum(c * e for c, e in zip(C, P.entries(), strict=True)) for P, _ in found.selection]
            assert sum(c * e for c, e in zip(C, A.entries(), strict=True)) > max(values)
        assert not (extra.weights and extra.direction)
        if found.exact:
            assert extra.weights or extra.direction
        assert extra.picks
        for piece in pieces:
            signs = dict(zip(map_.guards, piece.signature, strict=True))
            taken = {str(guard): sign for guard, sign in signs.items()}
            assert any(taken.get(str(pick.guard), pick.sign) != pick.sign for pick in extra.picks)


def test_of_an_iteration_by_its_public_name():
    iteration = Iteration(SymbolicMap([x], [(relu(x) - relu(-x)) / 2 + theta], [theta]))
    assert len(pc.chain_rule_against_clarke(iteration, {"x": 0, "theta": 0}).extra) == 2
    with pytest.raises(pc.errors.MapError):
        pc.chain_rule_against_clarke(iteration, {"x": 0})
