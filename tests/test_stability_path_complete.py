"""Path-complete graphs: which graphs read every word, what their forms prove, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import brute_force_rate, rationals, switched_systems

from piggycheck.intervals import IntervalMatrix
from piggycheck.linalg import as_float, identity, is_positive_definite, is_positive_semidefinite
from piggycheck.stability.no_quadratic_form import prove_no_common_form
from piggycheck.stability.path_complete import (
    PathComplete,
    de_bruijn_graph,
    guess_path_complete,
    is_path_complete,
    prove_path_complete,
    rounded_together,
    well_scaled,
)
from piggycheck.switched import SwitchedSystem

PAIR = SwitchedSystem.from_rows([[[-1, -1], [-4, 0]], [[3, 3], [-2, 1]]])
"""Ahmadi, Jungers, Parrilo and Roozbehani 2014, Example 5.4."""

PAIR_RADIUS = ((13 + 313**0.5) / 2) ** 0.5

PROJECTIONS = SwitchedSystem.from_rows([[[1, 0], [1, 0]], [[0, 1], [0, -1]]])
"""Ando and Shih 1998: radius 1, best quadratic rate sqrt 2."""

RADIUS = fmpq_mat([[fmpq(1, 100), 0], [fmpq(1, 50), fmpq(1, 100)]])

UNCERTAIN = tuple(IntervalMatrix(A, RADIUS) for A in PAIR.A)

DIRECTIONS = pytest.mark.parametrize("forward", [True, False], ids=["forward", "backward"])


def reads(edges, nodes, word):
    """Whether some path reads the word: by trying all paths."""
    ends = set(range(nodes))
    for letter in word:
        ends = {v for u, i, v in edges if i == letter and u in ends}
    return bool(ends)


def independently_true(proof, A):
    """What the proof states, decided without its own code: inequalities, and words up to a length."""
    if any(not (0 <= u < len(proof.forms) and 0 <= v < len(proof.forms)) for u, _, v in proof.edges):
        return False
    gaps = [proof.rate**2 * proof.forms[u] - A[i].transpose() * proof.forms[v] * A[i] for u, i, v in proof.edges]
    words = product(range(len(A)), repeat=4)
    return (
        proof.rate >= 0
        and all(map(is_positive_definite, proof.forms))
        and all(map(is_positive_semidefinite, gaps))
        and all(reads(proof.edges, len(proof.forms), word) for word in words)
    )


@st.composite
def graphs(draw):
    nodes, letters = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    edge = st.tuples(st.integers(0, nodes - 1), st.integers(0, letters - 1), st.integers(0, nodes - 1))
    return draw(st.lists(edge, max_size=14)), nodes, letters


class TestGraphs:
    @pytest.mark.parametrize(
        ("edges", "nodes", "letters", "complete"),
        [
            ([(0, 0, 0), (0, 1, 0)], 1, 2, True),
            ([(0, 0, 0)], 1, 2, False),
            ([], 1, 1, False),
            ([], 0, 1, False),
            ([(0, 0, 1), (1, 0, 0)], 2, 1, True),
            ([(0, 0, 1)], 2, 1, False),
            ([(0, 0, 0), (1, 1, 1)], 2, 2, False),
            ([(0, 0, 0), (0, 1, 1), (1, 0, 0)], 2, 2, False),
            ([(0, 0, 0), (0, 1, 0), (0, 0, 1)], 2, 2, True),
            ([(0, 0, 2)], 2, 1, False),
            ([(0, 1, 0), (0, 0, 0)], 1, 1, False),
        ],
        ids=["loops", "a letter missing", "no edge", "no node", "two in turn", "a dead end", "each letter stuck"]
        + ["no word 1 1", "a dead end beside", "no such node", "no such letter"],
    )
    def test_known_graphs(self, edges, nodes, letters, complete):
        assert is_path_complete(edges, nodes, letters) is complete

    @given(graphs())
    @settings(max_examples=200, deadline=None)
    def test_every_word_is_read_or_a_short_one_is_not(self, graph):
        """With 4 nodes there are 15 sets of nodes, so a word that is not read can be taken of length at most 15."""
        edges, nodes, letters = graph
        unread = {frozenset(range(nodes))}
        for _ in range(2**nodes):
            steps = [(S, i) for S in unread for i in range(letters)]
            unread |= {frozenset(v for u, j, v in edges if j == i and u in S) for S, i in steps}
        assert is_path_complete(edges, nodes, letters) is (frozenset() not in unread)

    def test_it_gives_up_at_a_limit(self):
        nodes, edges = de_bruijn_graph(2, 3)
        assert is_path_complete(edges, nodes, 2)
        assert not is_path_complete(edges, nodes, 2, subset_limit=1)

    @DIRECTIONS
    @pytest.mark.parametrize(("letters", "memory"), [(1, 2), (2, 0), (2, 1), (2, 3), (3, 2)])
    def test_de_bruijn_graphs_are_path_complete_and_need_every_edge(self, letters, memory, forward):
        nodes, edges = de_bruijn_graph(letters, memory, forward=forward)
        assert (letters**memory, letters ** (memory + 1)) == (nodes, len(edges))
        assert is_path_complete(edges, nodes, letters)
        assert not any(is_path_complete([e for e in edges if e != edge], nodes, letters) for edge in edges)

    def test_forward_nodes_remember_and_backward_nodes_foretell(self):
        """From each node forwards every letter goes on; backwards only the letter that the node foretells."""
        nodes, edges = de_bruijn_graph(3, 2)
        assert {(u, i) for u, i, _ in edges} == {(u, i) for u in range(nodes) for i in range(3)}
        assert {(u, u % 3) for u in range(nodes)} == {(u, i) for u, i, _ in de_bruijn_graph(3, 2, forward=False)[1]}


class TestRates:
    @DIRECTIONS
    def test_memory_improves_on_the_quadratic_form(self, forward):
        """Independent bounds: the rate of the word 1 0 from below, and dual matrices that exclude smaller rates."""
        rates = [guess_path_complete(PAIR.A, memory=m, forward=forward)[1] for m in (0, 1, 2)]
        assert rates[2] < rates[1] < rates[0]
        assert rates[2] == pytest.approx(PAIR_RADIUS, rel=1e-3)
        assert rates[2] >= PAIR_RADIUS
        for memory, rate in enumerate(rates):
            edges = de_bruijn_graph(2, memory, forward=forward)[1]
            unfolded = SwitchedSystem.from_rows(PAIR.A, graph=edges).unfolded()
            below = fmpq(round(rate * 9990), 10000)
            assert prove_no_common_form(unfolded.A, below) is not None, "no forms on this graph prove a rate 0.1 % less"

    @DIRECTIONS
    @pytest.mark.parametrize(("memory", "rate"), [(0, "39806/10000"), (1, "39225/10000"), (2, "39175/10000")])
    def test_each_guess_is_proved(self, memory, rate, forward):
        proof = prove_path_complete(PAIR.A, fmpq(*map(int, rate.split("/"))), memory=memory, forward=forward)
        assert proof.verify(PAIR.A)
        assert independently_true(proof, PAIR.A)
        assert as_float(proof.rate) > PAIR_RADIUS

    def test_a_small_certificate_is_found(self):
        proof = prove_path_complete(PAIR.A, fmpq(4), memory=1)
        assert max(entry.q for P in proof.forms for entry in P.entries()) <= 16

    @DIRECTIONS
    def test_projections_have_forms_for_every_rate_above_one(self, forward):
        """At the rate 1 itself the forms would degenerate."""
        rate = fmpq(1001, 1000)
        assert prove_path_complete(PROJECTIONS.A, rate, memory=0) is None
        assert prove_path_complete(PROJECTIONS.A, rate, memory=1, forward=forward).verify(PROJECTIONS.A)

    @pytest.mark.parametrize(
        "rows",
        [
            [[[0, 1], [0, 0]], [[0, 0], [1, 0]]],
            [[["3/5", "-4/5"], ["4/5", "3/5"]], [["3/5", "4/5"], ["-4/5", "3/5"]]],
            [[[1]], [[-1]]],
            [[[1, 0], [0, 1]]],
        ],
        ids=["nilpotent", "rotations", "signs", "identity"],
    )
    @pytest.mark.parametrize("memory", [0, 1])
    def test_a_rate_without_room(self, rows, memory):
        A = SwitchedSystem.from_rows(rows).A
        assert prove_path_complete(A, fmpq(1), memory=memory).verify(A)
        assert prove_path_complete(A, fmpq(999, 1000), memory=memory) is None

    @pytest.mark.parametrize("memory", [0, 1, 2])
    def test_zero_and_nilpotent_matrices(self, memory):
        zero, nilpotent = fmpq_mat(2, 2), fmpq_mat([[0, 1], [0, 0]])
        assert prove_path_complete([zero, zero], fmpq(0), memory=memory).verify([zero, zero])
        assert guess_path_complete([zero, zero], memory=memory)[1] == 0
        assert prove_path_complete([zero, nilpotent], fmpq(1, 20), memory=memory).rate == fmpq(1, 20)
        assert prove_path_complete([zero, nilpotent], fmpq(0), memory=memory) is None

    @given(switched_systems(3, 3, rationals(5, 9)), st.booleans())
    @settings(max_examples=30, deadline=None)
    def test_a_guess_is_above_the_radius_and_can_be_proved(self, system, forward):
        rate, radius = (
            guess_path_complete(system.A, memory=1, forward=forward, tolerance=1e-3)[1],
            brute_force_rate(system, 4),
        )
        assert rate >= radius * (1 - 1e-6) or radius < 0.1, "eigenvalues near 0 are inaccurate"
        claimed = fmpq(round(rate * 1.01 * 10**6) + 1, 10**6)
        proof = prove_path_complete(system.A, claimed, memory=1, forward=forward)
        assert proof.verify(system.A)
        assert independently_true(proof, system.A)


class TestRefusals:
    @pytest.mark.parametrize("memory", [0, 1, 2])
    @DIRECTIONS
    def test_a_rate_below_the_joint_spectral_radius(self, memory, forward):
        assert prove_path_complete(PAIR.A, fmpq(3917, 1000), memory=memory, forward=forward) is None

    def test_a_negative_rate_or_no_time(self):
        assert prove_path_complete(PAIR.A, fmpq(-5), memory=1) is None
        assert prove_path_complete(PAIR.A, fmpq(4), memory=1, time_limit=0.0) is None

    def test_a_graph_that_is_too_large(self):
        A = [identity(4) * fmpq(1, 2)] * 8
        assert prove_path_complete(A, fmpq(1), memory=5) is None
        assert guess_path_complete(A, memory=5) is None

    def test_entries_beyond_floats(self):
        A = [fmpq_mat([[fmpq(10) ** 400, 1], [1, 2]])]
        assert prove_path_complete(A, fmpq(1), memory=1) is None
        assert well_scaled(np.full((1, 2, 2), 1e300)) is None

    @DIRECTIONS
    def test_every_changed_proof_is_rejected_or_still_true(self, forward):
        proof = prove_path_complete(PAIR.A, fmpq(39225, 10000), memory=1, forward=forward)
        changed = list(changes(proof))
        verdicts = [tampered.verify(PAIR.A) for tampered in changed]
        assert not all(verdicts)
        assert any(verdicts), "with the rate a little larger it is still a proof"
        for tampered, verdict in zip(changed, verdicts, strict=True):
            assert verdict is False or independently_true(tampered, PAIR.A)

    def test_other_matrices_and_shapes(self):
        proof = prove_path_complete(PAIR.A, fmpq(4), memory=1)
        assert not proof.verify([PAIR.A[0], 2 * PAIR.A[1]])
        assert not proof.verify([PAIR.A[0]])
        assert not proof.verify([*PAIR.A, fmpq_mat(2, 2)]), "a third letter is read along no edge"
        assert not proof.verify([identity(3)] * 2)
        assert not proof.verify([])
        assert not replace(proof, forms=()).verify(PAIR.A)

    def test_a_form_that_is_not_definite_or_not_symmetric(self):
        """Zero forms satisfy every inequality."""
        _, edges = de_bruijn_graph(2, 0)
        for P in (fmpq_mat(2, 2), -identity(2), fmpq_mat([[5, 1], [0, 5]]), fmpq_mat([[1, 0]])):
            assert not PathComplete(fmpq(10), (P,), edges).verify(PAIR.A)


def changes(proof):
    """The proof with one number changed."""
    for unit in (fmpq(1, 50), -fmpq(1, 50)):
        yield replace(proof, rate=proof.rate + unit)
    yield replace(proof, rate=-proof.rate)
    for index, P in enumerate(proof.forms):
        for i, j in ((0, 0), (0, 1), (1, 1)):
            for factor in (2, -1, 0):
                Q = fmpq_mat(P)
                Q[i, j] = Q[j, i] = factor * P[i, j]
                yield replace(proof, forms=(*proof.forms[:index], Q, *proof.forms[index + 1 :]))
    for index, edge in enumerate(proof.edges):
        yield replace(proof, edges=(*proof.edges[:index], *proof.edges[index + 1 :]))
        for place in range(3):
            for value in (1 - edge[place], 2, -1):
                other = (*edge[:place], value, *edge[place + 1 :])
                yield replace(proof, edges=(*proof.edges[:index], other, *proof.edges[index + 1 :]))


class TestIntervals:
    @DIRECTIONS
    def test_every_choice_between_bounds(self, forward):
        proof = prove_path_complete(UNCERTAIN, fmpq(399, 100), memory=1, forward=forward)
        assert proof.verify(UNCERTAIN)
        for signs in product((-1, 1), repeat=3):
            places = zip(signs, ((0, 0), (1, 0), (1, 1)), strict=True)
            change = fmpq_mat(2, 2)
            for sign, place in places:
                change[place] = sign * RADIUS[place]
            assert independently_true(proof, [A + change for A in PAIR.A])

    def test_what_holds_for_the_midpoints_only_is_refused(self):
        proof = prove_path_complete(PAIR.A, fmpq(3923, 1000), memory=1)
        assert proof.verify(PAIR.A)
        assert not proof.verify(UNCERTAIN)
        wide = [IntervalMatrix(A, 100 * RADIUS) for A in PAIR.A]
        assert prove_path_complete(wide, fmpq(399, 100), memory=1) is None


class TestReport:
    def test_the_witness_is_what_certificates_hold(self):
        proof = PathComplete(fmpq(1, 2), (identity(1),), ((0, 0, 0),))
        expected = {"method": "path_complete", "rate": fmpq(1, 2), "forms": [identity(1)], "edges": [[0, 0, 0]]}
        assert expected == proof.witness()
        assert list(expected) == list(proof.witness())
        assert proof.summary() == "one quadratic form on a path-complete graph of 1 edge"

    def test_roundings_come_closer(self):
        forms = [np.array([[2.0, 0.5], [0.5, 3.0]]), np.array([[1 / 3, 0.0], [0.0, 1.0]])]
        last = list(rounded_together(forms))[-1]
        ratio = as_float(last[0][0, 0] / last[1][0, 0])
        assert ratio == pytest.approx(6.0)
        assert list(rounded_together([np.array([[0.0]])])) == []
        assert list(rounded_together([np.array([[np.nan]])])) == []
