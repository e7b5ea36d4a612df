"""Words that are constrained to the paths of a graph."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from certificate_changes import assert_changes_are_noticed, assert_refused, negated
from checker_certificates import (
    along,
    certificate,
    edges_of,
    form_tree,
    growth_along,
    matrices,
    radius_is_at_most,
    rows,
    sample,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from piggycheck.checker import Refused, check
from piggycheck.checker.constrained import switched
from piggycheck.checker.graphs import has_cycle, require_path_complete

BY_TURNS = [["0", "0", "1"], ["1", "1", "0"]]


def system(first: Any, second: Any, graph: Any = BY_TURNS, B: str = "0 0", **rest: Any) -> dict[str, Any]:
    """Two numbers that are multiplied with by turns."""
    return {"switched": {"A": [[[first]], [[second]]], "B": [[[b]] for b in B.split()], "graph": graph}, **rest}


FALLING, RISING = system("2", "1/8"), system("3", "1/2", B="1 0", J0=[["1"]])
TREE = form_tree("1/2", 2, "16 0; 0 1")
LOWER = {"word": ["0", "1"], "modulus_lower": "1/4", "rate": "1/2"}
# from J_0 = 1 at the first node: 3 J + 1, then its half; so J -> 3/2 J + 1/2, which has the fixed point -1
GROWS = {"method": "word", "word": ["0", "1"], "modulus_lower": "3/2", "growth_lower": "6/5", "column": "0"}
EIGENVALUE = {"eigenvalue": "3/2", "left_eigenvector": ["1", "0"], "excitation": ["2"]}
FORM = "no_common_quadratic_form"
DUAL = {"method": "dual", "Q": [rows("1 0; 0 0"), rows("0 0; 0 16")]}

VALID = {
    "converges": certificate(FALLING, "converges", "proved", TREE, rate="1/2"),
    "is bounded": certificate(FALLING, "diverges", "refuted", TREE),
    "has bounds": certificate(
        FALLING, "joint_spectral_radius", "proved", {"lower": LOWER, "upper": TREE}, lower="1/2", upper="1/2"
    ),
    "diverges": certificate(RISING, "diverges", "proved", {**GROWS, **EIGENVALUE, "shortest": "true"}, word_length="2"),
    "does not converge": certificate(
        RISING, "converges", "refuted", {key: GROWS[key] for key in ("method", "word", "modulus_lower")}
    ),
    "has forms": certificate(FALLING, FORM, "refuted", {"method": "quadratic", "P": rows("16 0; 0 1")}, rate="1/2"),
    "has no forms": certificate(FALLING, FORM, "proved", DUAL, rate="49/100"),
}


def is_true(c: dict[str, Any]) -> bool:
    """What the claim says, by the growth along closed paths, and by following the recursion."""
    claim, A, edges = c["claim"], matrices(c), edges_of(c, 2)
    grown = growth_along(A, edges, 4)
    if claim["kind"] == "converges":
        return radius_is_at_most(c, Fraction(claim.get("rate", 1))) if claim["verdict"] == "proved" else grown >= 1
    if claim["kind"] == "diverges":
        return grown < 1 if claim["verdict"] == "refuted" else recursion_grows(c)
    if claim["kind"] == FORM:  # of one coordinate: forms for a rate are there exactly when no path grows faster
        rate = float(Fraction(claim["rate"]))
        return grown > rate if claim["verdict"] == "proved" else grown <= rate + 1e-9
    return float(Fraction(claim["lower"])) <= grown + 1e-9 and radius_is_at_most(c, Fraction(claim["upper"]))


def recursion_grows(c: dict[str, Any]) -> bool:
    """Following the edges of the word again and again from J_0, and no cycle of one edge that grows."""
    w, A, B = c["witness"], matrices(c), [sample(B) for B in c["switched"]["B"]]
    edges, J = edges_of(c, 2), sample(c["J0"])
    path = [edges[int(e)] for e in w["word"]]
    if any(first[2] != second[0] for first, second in zip(path, path[1:] + path[:1], strict=True)):
        return False
    for _ in range(12):
        for _, i, _ in path:
            J = A[i] @ J + B[i]
    shorter = max((abs(A[i][0, 0]) for u, i, v in edges if u == v), default=0)
    growth = float(Fraction(w["growth_lower"])) ** (12 * len(path))
    excited = abs(J[0, 0]) > 1.5**11 and abs(J[0, 0]) > growth / 10
    return excited and shorter < 1 and c["claim"].get("word_length", "2") == "2"


@pytest.mark.parametrize("name", VALID)
def test_a_changed_number_is_refused_unless_the_claim_stays_true(name: str) -> None:
    valid = VALID[name]
    assert "along the paths of the graph" in check(valid)
    assert is_true(valid)
    assert_changes_are_noticed(valid, is_true=is_true, more=negated)


def converging(graph: Any, words: Any = (("0",), ("1",)), rate: str = "1/2") -> dict[str, Any]:
    tree = {**TREE, "words": [list(word) for word in words], "rate": rate}
    return certificate(system("2", "1/8", graph), "converges", "proved", tree)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (converging([]), "no cycle"),
        (converging([["0", "0", "1"]]), "no cycle"),
        (converging([["0", "0", "1"], ["1", "1", "2"]]), "no cycle"),
        (converging([["0", "0", "1"], ["1", "1", "0"], ["0", "0", "1"]]), "listed twice"),
        (converging([["0", "0", "1"], ["1", "2", "0"]]), "integer from 0 to 1"),
        (converging([["0", "0", "1"], ["-1", "1", "0"]]), "integer from 0"),
        (converging([["0", "0", "1"], ["1", "1"]]), "not a list of length 3"),
        (converging([["0", "0", "0"], ["0", "1", "0"]]), "not a list of length 1"),
        (converging([["0", "0", "1"], ["1", "1", "0"], ["0", "1", "1"]]), "begins with none"),
        (converging([["0", "0", "1"], ["1", "1", "0"], ["0", "1", "1"]], ["0", "1", "2"]), None),
        (converging([["0", "0", "1"], ["1", "1", "0"], ["1", "0", "0"]], ["0", "1", "2"]), "not proved along"),
        (converging([["7", "0", "1000"], ["1000", "1", "7"]]), None),
        (converging([["1000", "0", "7"], ["7", "1", "1000"]]), "not proved along"),
        (certificate(system("2", "1/8", None), "converges", "proved", TREE), "not a list"),
        (certificate(FALLING, "derivative", "proved", {**TREE, "matrix": rows("0")}), "unknown key `graph`"),
        (certificate(RISING, "diverges", "proved", {**GROWS, "word": ["0", "0"]}), "no eigenvalue"),
        (certificate(RISING, "diverges", "proved", {**GROWS, "word": ["1", "0"]}), None),
        (certificate(system("3", "1/2"), "diverges", "proved", GROWS), "`J0` is missing"),
        (certificate({**RISING, "J0": [["1"], ["1"]]}, "diverges", "proved", GROWS), "not a list of length 1"),
        (certificate({**RISING, "J0": [["-1"]]}, "diverges", "proved", GROWS), "not excite"),
        (certificate(RISING, "diverges", "refuted", {"method": "no_short_word"}, word_length="1"), None),
        (certificate(RISING, "diverges", "refuted", {"method": "no_short_word"}, word_length="2"), "at least 1"),
        (certificate(FALLING, FORM, "proved", {**DUAL, "Q": DUAL["Q"][:1]}), "not a list of length 2"),
        (certificate(FALLING, FORM, "proved", DUAL, rate="1/2"), "or zero"),
        (certificate(system(["19/10", "2"], "1/8"), "converges", "proved", TREE), None),
        (certificate(system(["2", "201/100"], "1/8"), "converges", "proved", TREE), "not proved along"),
    ],
)
def test_a_false_certificate_is_refused(data: dict[str, Any], reason: str | None) -> None:
    if reason is None:
        check(data)
        return
    assert_refused(data, reason)


edges = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=8, unique=True
)


@settings(deadline=None, max_examples=60)
@given(edges)
def test_products_over_edges_are_products_along_paths(graph: list[tuple[int, int, int]]) -> None:
    A = [[["1", "2"], ["0", "3"]], [["0", "-1"], ["5", "7"]]]
    data = {"switched": {"A": A, "B": [rows("0; 0")] * 2, "graph": [list(map(str, edge)) for edge in graph]}}
    longest = [[u] for u, _, _ in graph]
    for _ in range(20):
        longest = [[*nodes, v] for nodes in longest[:50] for u, _, v in graph if u == nodes[-1]]
    assert has_cycle(graph) == bool(longest)
    if not longest:
        return
    subject = switched(data, constrained=True)
    nodes = sorted({node for u, _, v in graph for node in (u, v)})
    for word in product(range(len(graph)), repeat=2):
        found = np.array([[float(a.lo) for a in row] for row in subject.product(word)[0]])
        expected = np.zeros_like(found)
        (start, _, middle), (after, _, end) = (graph[e] for e in word)
        if middle == after:
            u, v = 2 * nodes.index(start), 2 * nodes.index(end)
            letters = [str(graph[e][1]) for e in word]
            expected[v : v + 2, u : u + 2] = along({"switched": {"A": A}}, letters)
        assert np.array_equal(found, expected)


@settings(deadline=None, max_examples=100)
@given(edges)
def test_path_completeness_agrees_with_a_search_through_words(graph: list[tuple[int, int, int]]) -> None:
    """A word of at most 2^4 letters is that of no path if any is."""
    ends, known = {frozenset(range(4))}, set[frozenset[int]]()
    while new := ends - known:
        known |= new
        ends = {frozenset(v for u, i, v in graph if u in S and i == letter) for S in new for letter in (0, 1)}
    complete = frozenset() not in known
    try:
        require_path_complete(graph, 4, 2)
    except Refused:
        assert not complete
    else:
        assert complete


def test_a_graph_with_many_sets_of_nodes_is_refused_in_time() -> None:
    """The letter n letters ago was 1: automata that guess so have 2^n sets of nodes."""
    n = 60
    edges = [(0, i, 0) for i in (0, 1)] + [(0, 1, 1)] + [(k, i, k + 1) for k in range(1, n) for i in (0, 1)]
    with pytest.raises(Refused, match="sets of nodes"):
        require_path_complete(edges, n + 1, 2)
