"""Changing any number of a certificate by one unit: it is refused, or what it claims is seen to be true."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import cycles_certificates
import numpy as np
import pytest
import sympy as sp
import trajectories_certificates
from certificate_helper import assert_certified, assert_changes_matter, holds
from singular_helper import agrees
from strategies import jacobian_near, value_of

from piggycheck.algorithms import forward_backward, heavy_ball, nesterov
from piggycheck.claims import (
    ChainRuleSetIsLarger,
    Continuous,
    Converges,
    Derivative,
    Diverges,
    FixedPoint,
    JointSpectralRadius,
    NoCommonQuadraticForm,
    prove,
)
from piggycheck.expression import parse
from piggycheck.functions import l1
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, theta = sp.symbols("x y theta", real=True)
P = sp.Piecewise


def ball(slope):
    objective = f"Piecewise((x**2/2, x >= 0), ({slope}*x**2/2, True))"
    return heavy_ball(objective, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])


def lasso(start=0):
    return forward_backward(
        "(x - 2)**2/2", l1(sp.Symbol("lam", real=True)), ["x"], "1/2", parameters=["lam"], start=[start]
    )


def about(*following, parameters=(), start=None):
    return Iteration(SymbolicMap((x, y)[: len(following)], following, parameters), start)


ZERO, AT_KINK, AWAY = {"theta": 0}, {"lam": 2}, {"lam": 1}
RELUS = about((sp.Max(x, 0) - sp.Max(-x, 0)) / 2 + theta, parameters=[theta])
PAIR = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]], J0=[[1], [1]])
GOLDEN = SwitchedSystem.from_rows([[[1, 1], [0, 1]], [[1, 0], [1, 1]]])
PROJECTIONS = SwitchedSystem.from_rows([[[1, 0], [1, 0]], [[0, 1], [0, -1]]])
IN_TURNS = SwitchedSystem.from_rows([[[2, 0], [1, 1]], [[1, 1], [0, 1]]], graph=[(0, 0, 1), (1, 1, 0)])
NESTEROV = nesterov(
    "Piecewise((x**2/2, x >= 0), (x**2/8, True))", ["x"], 1, "1/3", parameters=["theta"], start=["theta"]
)

CASES = {
    "converges refuted": (Converges(), ball("1/4"), ZERO),
    "converges proved": (Converges(), ball("4/5"), ZERO),
    "converges proved from outside": (
        Converges(),
        about(P((x / 4, x < 1), (x / 2 - sp.Rational(1, 4), True)), start=[9]),
        {},
    ),
    "converges proved at a rate": (Converges(rate="2/3"), NESTEROV, ZERO),
    "converges proved without start": (Converges(), about(-x / 2 + sp.Max(theta, 0), parameters=[theta]), ZERO),
    "converges proved of matrices": (
        Converges(),
        SwitchedSystem.from_rows([[["1/2", 1], [0, "1/3"]], [[0, 0], ["1/4", 0]]]),
        None,
    ),
    "diverges proved": (Diverges(word_length=4), ball("1/4"), ZERO),
    "diverges proved of matrices": (Diverges(), PAIR, None),
    "diverges refuted by bounds": (Diverges(), ball("4/5"), ZERO),
    "diverges refuted by no short word": (Diverges(word_length=3), ball("1/4"), ZERO),
    "diverges refuted by a shorter word": (Diverges(word_length=5), ball("1/4"), ZERO),
    "derivative proved": (Derivative(value=[["-1"]]), lasso(), AWAY),
    "derivative refuted": (Derivative(), lasso(), AT_KINK),
    "derivative refuted with a value": (Derivative(value=[["1"]]), lasso(), AWAY),
    "chain rule proved": (ChainRuleSetIsLarger(), RELUS, ZERO),
    "chain rule proved inside the hull": (
        ChainRuleSetIsLarger(),
        about((sp.Abs(x) + sp.Abs(y) + sp.Abs(x + y)) / 8, y / 2),
        {},
    ),
    "chain rule refuted": (ChainRuleSetIsLarger(), about(sp.Abs(x) / 2 + theta, parameters=[theta]), ZERO),
    "fixed point proved": (FixedPoint(value={"x": "1"}), lasso(), AWAY),
    "fixed point refuted": (FixedPoint(value={"x": "2"}), lasso(), AWAY),
    "fixed point refuted for all": (FixedPoint(), about(sp.Abs(x) + 1), {}),
    "radius proved": (JointSpectralRadius(lower="8/5", upper="17/10"), GOLDEN, None),
    "radius proved up to a factor": (JointSpectralRadius(tolerance="1/100"), GOLDEN, None),
    "radius proved along a graph": (JointSpectralRadius(lower="9/5", upper="19/10"), IN_TURNS, None),
    "radius proved exactly": (JointSpectralRadius(lower=1, upper=1), PROJECTIONS, None),
    "radius proved of a map": (JointSpectralRadius(lower="1/3", upper="2/3"), NESTEROV, ZERO),
    "radius refuted by a word": (JointSpectralRadius(upper="8/5"), GOLDEN, None),
    "radius refuted by a proof": (JointSpectralRadius(lower="17/10"), GOLDEN, None),
    "no form proved": (NoCommonQuadraticForm(rate="7/5"), PROJECTIONS, None),
    "no form proved by a word": (NoCommonQuadraticForm(), SwitchedSystem.from_rows([[[1, 1], [1, 0]]]), None),
    "no form refuted": (NoCommonQuadraticForm(rate="3/2"), PROJECTIONS, None),
    "continuous proved": (Continuous(), about(P((x - 1, x > 1), (x + 1, x < -1), (0, True))), {}),
    "continuous refuted by a jump": (Continuous(), about(P((x / 2 + 1, x >= 0), (x / 2, True)), y), {}),
    "continuous refuted by a gap": (Continuous(), about(P((x / 2, x > 0), (x / 3, x < 0))), {}),
}

_MOST_CHANGES = 60
STORED = sorted((Path(__file__).parent.parent / "casebook").glob("*/certificate.json"))


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(name):
    claim, subject, at = CASES[name]
    content = assert_certified(prove(claim, subject, at))
    assert_changes_matter(content, is_true)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.parent.name)
def test_a_changed_number_of_a_stored_certificate_is_noticed_too(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    assert holds(content)
    assert_changes_matter(content, is_true, most=_MOST_CHANGES)


# What certificates claim, seen another way: by sampling, by brute force over words, by following the recursion


def is_true(content):
    claim = content["claim"]
    return _TRUE[claim["kind"], claim["verdict"]](content, claim)


def names_of(content, *keys):
    return tuple(sp.Symbol(name, real=True) for key in keys for name in content["map"][key])


@cache
def expressions(texts, names):
    return tuple(parse(text, names) for text in texts)


def next_of(content):
    return expressions(tuple(content["map"]["next"]), names_of(content, "state", "parameters"))


def numbers(entries):
    return {sp.Symbol(name, real=True): Fraction(text) for name, text in (entries or {}).items()}


def matrix(rows):
    return tuple(tuple(Fraction(c) for c in row) for row in rows)


def pairs_of(content):
    """The pairs (A, B): the given ones, or those seen at points near the fixed point."""
    if "switched" in content:
        return unfolded(content["switched"])
    key = json.dumps([content["map"]["next"], content["fixed_point"], content["at"]])
    if key not in _SEEN:
        _SEEN[key] = _sampled(content)
    return _SEEN[key]


def unfolded(given):
    """The pairs as given; along a graph, one for each edge, with the block A_i in row v and column u."""
    pairs = tuple((matrix(A), matrix(B)) for A, B in zip(given["A"], given["B"], strict=True))
    if "graph" not in given:
        return pairs
    edges = [tuple(map(int, edge)) for edge in given["graph"]]
    nodes = sorted({node for u, _, v in edges for node in (u, v)})
    p = len(pairs[0][0])

    def lifted(M, row, column, columns):
        width = len(M[0])
        place = [[Fraction(0)] * (columns * width) for _ in range(len(nodes) * p)]
        for i, line in enumerate(M):
            place[row * p + i][column * width : (column + 1) * width] = line
        return tuple(map(tuple, place))

    at = {node: k for k, node in enumerate(nodes)}
    return tuple((lifted(pairs[i][0], at[v], at[u], len(nodes)), lifted(pairs[i][1], at[v], 0, 1)) for u, i, v in edges)


_SEEN: dict[str, tuple] = {}


def _sampled(content):
    variables = names_of(content, "state", "parameters")
    point = {**numbers(content["fixed_point"]), **numbers(content["at"])}
    dice, found, p = random.Random(1), {}, len(content["map"]["state"])
    for _ in range(60):
        near = {v: point[v] + Fraction(dice.randint(-(10**6), 10**6), 10**12) for v in variables}
        rows = jacobian_near(next_of(content), variables, near)
        if rows is not None:
            found[tuple(row[:p] for row in rows), tuple(row[p:] for row in rows)] = None
    return tuple(found)


@cache
def radii(pairs, length=8):
    """The largest spectral radius over the words of each length, in floating point."""
    A = [np.array([[float(c) for c in row] for row in pair[0]]) for pair in pairs]
    products, found = [np.eye(len(A[0]))], {}
    for n in range(1, length + 1):
        products = [M @ N for N in products for M in A]
        found[n] = max(max(abs(np.linalg.eigvals(M))) for M in products)
    return found


def rate(pairs, length=8):
    return max(radius ** (1 / n) for n, radius in radii(pairs, length).items())


def start_of(content):
    texts = tuple(content["start"].values())
    return expressions(texts, names_of(content, "parameters")), numbers(content["at"])


def approaches(content):
    """Whether the iterates from the start come near the fixed point."""
    starts, at = start_of(content)
    state = names_of(content, "state")
    point = {**dict(zip(state, (value_of(e, at) for e in starts), strict=True)), **at}
    for _ in range(400):
        values = [value_of(e, point) for e in next_of(content)]
        point.update(zip(state, (Fraction(round(c * 2**90), 2**90) for c in values), strict=True))
    fixed = numbers(content["fixed_point"])
    return is_fixed(content) and max(abs(point[v] - fixed[v]) for v in state) < Fraction(1, 10**4)


def is_fixed(content, x_text="fixed_point"):
    fixed = numbers(content[x_text])
    point = {**fixed, **numbers(content["at"])}
    return all(
        value_of(e, point) == fixed[v] for e, v in zip(next_of(content), names_of(content, "state"), strict=True)
    )


def steps_near(content, displacement, steps):
    """Follow iterates that begin this far from the fixed point: (displacement, A of the piece or None at a kink)."""
    variables, state = names_of(content, "state", "parameters"), names_of(content, "state")
    fixed, at = numbers(content["fixed_point"]), numbers(content["at"])
    small = Fraction(1, 10**6)
    for _ in range(steps):
        size = max(map(abs, displacement)) or Fraction(1)
        point = {**at, **{v: fixed[v] + small * c / size for v, c in zip(state, displacement, strict=True)}}
        rows = jacobian_near(next_of(content), variables, point)
        yield displacement, rows and tuple(row[: len(state)] for row in rows)
        images = [value_of(e, point) for e in next_of(content)]
        moved = ((c - fixed[v]) * size / small for v, c in zip(state, images, strict=True))
        displacement = [Fraction(round(c / size * 2**80), 2**80) * size for c in moved]


def contracts_along_iterates(content):
    """Whether products of Jacobians become small along iterates that begin in random directions."""
    dice, p = random.Random(1), len(content["map"]["state"])
    for _ in range(6):
        product = np.eye(p)
        for displacement, A in steps_near(content, [Fraction(dice.randint(-99, 99)) for _ in range(p)], 100):
            if A is None or not any(displacement):
                break
            product = np.array([[float(c) for c in row] for row in A]) @ product
        else:
            if np.abs(product).max() >= 1:
                return False
    return is_fixed(content)


def follows_the_word(content):
    """Whether iterates displaced into the stated cone follow the word, and its edges return as stated, shorter."""
    witness, word = content["witness"], [int(letter) for letter in content["witness"]["word"]]
    directions, multipliers = (
        [[Fraction(c) for c in row] for row in witness[name]] for name in ("directions", "multipliers")
    )
    assert all(0 <= letter < len(content["pieces"]) for letter in word)
    inside = list(map(sum, zip(*directions, strict=True)))
    met = [
        A is None or A == matrix(content["pieces"][i]["A"])
        for i, (_, A) in zip(word, steps_near(content, inside, len(word)), strict=True)
    ]
    back = [list(steps_near(content, direction, len(word) + 1))[-1][0] for direction in directions]
    stated = [
        [sum(m * c for m, c in zip(row, column, strict=True)) for column in zip(*directions, strict=True)]
        for row in multipliers
    ]
    close = np.allclose(np.array(back, dtype=float), np.array(stated, dtype=float), rtol=0, atol=1e-9)
    shrinks = max(abs(np.linalg.eigvals(np.array(multipliers, dtype=float)))) < 1
    nonnegative = all(m >= 0 for row in multipliers for m in row) and all(map(any, multipliers))
    return all(met) and close and shrinks and nonnegative and all(map(any, directions)) and is_fixed(content)


def converges_proved(content, claim):
    if "words" in claim:
        return contracts_along_iterates(content)
    bound = float(Fraction(claim.get("rate", "1")))
    below = rate(pairs_of(content)) <= bound + 1e-12 and rate(pairs_of(content)) < 1
    return below and ("start" not in content or approaches(content))


def converges_refuted(content, claim):
    return rate(pairs_of(content)) > float(Fraction(claim.get("rate", "1"))) - 1e-9


def grows(content):
    """Whether the recursion along the word grows, from the start's derivative or the stated one."""
    pairs = pieces_of(content)
    J = matrix(content["J0"]) if "J0" in content else start_derivative(content)
    sizes = []
    for _ in range(30):
        for letter in content["witness"]["word"]:
            A, B = pairs[int(letter)]
            J = tuple(
                tuple(sum(a * J[k][j] for k, a in enumerate(row)) + B[i][j] for j in range(len(B[i])))
                for i, row in enumerate(A)
            )
        sizes.append(max(abs(c) for row in J for c in row))
    return sizes[-1] > 2 * sizes[9] > 0


def pieces_of(content):
    if "switched" in content:
        return pairs_of(content)
    listed = [(matrix(piece["A"]), matrix(piece["B"])) for piece in content["pieces"]]
    used = {int(letter) for letter in content["witness"]["word"]}
    assert all(listed[i] in pairs_of(content) for i in used)
    return listed


def start_derivative(content):
    starts, at = start_of(content)
    fixed = numbers(content["fixed_point"])
    assert [value_of(e, at) for e in starts] == list(fixed.values())
    return jacobian_near(starts, names_of(content, "parameters"), at)


def shortest(pairs):
    return next((n for n, radius in radii(pairs).items() if radius > 1 + 1e-9), None)


def diverges_proved(content, claim):
    length = claim.get("word_length")
    if "words" in claim:
        return grows(content) and follows_the_word(content)
    return grows(content) and (length is None or shortest(pairs_of(content)) == int(length))


def diverges_refuted(content, claim):
    if "word_length" in claim:
        return shortest(pairs_of(content)) != int(claim["word_length"])
    return rate(pairs_of(content)) < 1


def limits(content):
    found = set()
    for A, B in pairs_of(content):
        M = sp.eye(len(A)) - sp.Matrix(len(A), len(A), lambda i, j, A=A: sp.Rational(str(A[i][j])))
        X = M.inv() * sp.Matrix(len(B), len(B[0]), lambda i, j, B=B: sp.Rational(str(B[i][j])))
        found.add(sp.ImmutableMatrix(X))
    return found


def derivative_proved(content, claim):
    stated = claim.get("value", content["witness"]["matrix"])
    return rate(pairs_of(content)) < 1 and limits(content) == {sp.ImmutableMatrix(stated)}


def derivative_refuted(content, claim):
    values = {sp.ImmutableMatrix(claim["value"])} if "value" in claim else set()
    return rate(pairs_of(content)) < 1 and len(limits(content) | values) > 1


def chain_rule_pairs(content):
    state, parameters = names_of(content, "state"), names_of(content, "parameters")
    map_ = SymbolicMap(state, next_of(content), parameters)
    pieces = map_.chain_rule({**content["fixed_point"], **content["at"]})
    return {tuple(matrix([[str(c) for c in row] for row in M.tolist()]) for M in piece.pair) for piece in pieces}


def chain_rule_proved(content, claim):
    pair = matrix(content["witness"]["A"]), matrix(content["witness"]["B"])
    return pair not in pairs_of(content) and pair in chain_rule_pairs(content)


def chain_rule_refuted(content, claim):
    return chain_rule_pairs(content) <= set(pairs_of(content))


def fixed_point_proved(content, claim):
    return is_fixed(content) and ("value" not in claim or numbers(claim["value"]) == numbers(content["fixed_point"]))


def fixed_point_refuted(content, claim):
    if "value" in claim:
        return not is_fixed({**content, "fixed_point": claim["value"]})
    (e,), at, v = next_of(content), numbers(content["at"]), names_of(content, "state")[0]
    signs = {value_of(e, {v: Fraction(k, 7), **at}) > Fraction(k, 7) for k in range(-700, 700)}
    return len(signs) == 1


def continuous_proved(content, claim):
    """Along a line, the largest step is halved again and again: at a jump it does not become small."""
    (e,), v = next_of(content), names_of(content, "state")[0]
    low, high = Fraction(-50), Fraction(51)
    grid = [low + (high - low) * k / 997 for k in range(998)]
    for a, b in pairwise(grid):
        for _ in range(40):
            middle = (a + b) / 2
            at_a, at_m, at_b = (value_of(e, {v: c}) for c in (a, middle, b))
            a, b = (a, middle) if abs(at_m - at_a) >= abs(at_b - at_m) else (middle, b)
            if abs(at_b - at_a) < Fraction(1, 100) * (b - a) * 997:
                break
        if abs(value_of(e, {v: b}) - value_of(e, {v: a})) > 100 * (b - a):
            return False
    return True


def continuous_refuted(content, claim):
    witness, state = content["witness"], names_of(content, "state", "parameters")
    if "gap" in witness:
        try:
            [value_of(e, numbers(witness["gap"])) for e in next_of(content)]
        except ValueError:
            return True
        return False
    point = numbers(witness["point"])
    direction = [Fraction(d) for d in witness["direction"]]
    here = [value_of(e, point) for e in next_of(content)]
    for t in (Fraction(1, 10**9), Fraction(1, 10**15)):
        near = {v: point[v] + t * d for v, d in zip(state, direction, strict=True)}
        if max(abs(value_of(e, near) - c) for e, c in zip(next_of(content), here, strict=True)) < 1000 * t:
            return False
    return True


def radius_proved(content, claim):
    """In these cases a word of at most eleven letters has the joint spectral radius as its rate."""
    found = rate(pairs_of(content), 11)
    return float(Fraction(claim.get("lower", "0"))) - 1e-9 <= found <= float(Fraction(claim.get("upper", "9"))) + 1e-9


def radius_refuted(content, claim):
    found = rate(pairs_of(content), 11)
    return (
        found < float(Fraction(claim.get("lower", "0"))) + 1e-9
        or found > float(Fraction(claim.get("upper", "9"))) - 1e-9
    )


def least_rate_of_a_form(content):
    """The least rate that a quadratic form proves for two matrices of size 2, over a fine grid of forms."""
    A = [np.array([[float(c) for c in row] for row in pair[0]]) for pair in pairs_of(content)]
    a, b = np.meshgrid(np.geomspace(1e-3, 1e3, 401), np.linspace(-1, 1, 201)[1:-1])
    found = np.zeros_like(a)
    for M in A:
        (s, t), (u, v) = M
        # in the coordinates of P = ((1, c), (c, a)), c = b sqrt(a): the largest eigenvalue of P^-1 M^T P M
        c = b * np.sqrt(a)
        entries = (
            s * s + 2 * c * s * u + a * u * u,
            s * t + c * (s * v + t * u) + a * u * v,
            t * t + 2 * c * t * v + a * v * v,
        )
        determinant = a - c * c
        trace = (a * entries[0] - 2 * c * entries[1] + entries[2]) / determinant
        product = (entries[0] * entries[2] - entries[1] ** 2) / determinant
        found = np.maximum(found, trace / 2 + np.sqrt(np.maximum(trace**2 / 4 - product, 0)))
    return float(np.sqrt(found.min()))


def no_form_proved(content, claim):
    return least_rate_of_a_form(content) > float(Fraction(claim.get("rate", "1"))) - 1e-9


def no_form_refuted(content, claim):
    return least_rate_of_a_form(content) < float(Fraction(claim.get("rate", "1"))) + 1e-2


_TRUE = {
    (kind, verdict): globals()[f"{short}_{verdict}"]
    for kind, short in (
        ("converges", "converges"),
        ("diverges", "diverges"),
        ("derivative", "derivative"),
        ("chain_rule_set_is_larger", "chain_rule"),
        ("fixed_point", "fixed_point"),
        ("continuous", "continuous"),
        ("joint_spectral_radius", "radius"),
        ("no_common_quadratic_form", "no_form"),
    )
    for verdict in ("proved", "refuted")
}


_TRUE |= {
    ("pseudo_inverse_agrees", "proved"): lambda content, claim: agrees(content),
    ("pseudo_inverse_agrees", "refuted"): lambda content, claim: not agrees(content),
}


_TRUE |= trajectories_certificates.TRUE | cycles_certificates.TRUE


def test_every_kind_of_certificate_is_among_the_cases():
    """With some kind of proof, where a claim rests on any; other claims have cases of their own."""
    from piggycheck.checker import (
        asymptotic,
        comparison_proofs,
        conventions,
        curved_rates,
        cycles,
        implicit_sets,
        limit_sets,
        rate_comparisons,
        rate_proofs,
        singular,
        trajectories,
    )
    from piggycheck.checker.certificate import RULES
    from piggycheck.checker.proofs import KINDS

    def kind(claim, verdict, method):
        return claim, verdict, "some proof" if method in KINDS else method

    seen = set()
    for claim, subject, at in CASES.values():
        verdict = prove(claim, subject, at)
        method = json.loads(verdict.certificate.text())["witness"].get("method", "")
        seen.add(kind(verdict.kind, verdict.name, method))
    elsewhere = {*conventions.RULES, *implicit_sets.RULES, *limit_sets.RULES, *singular.RULES, *trajectories.RULES}
    elsewhere |= {*cycles.RULES, *rate_proofs.RULES, *asymptotic.RULES, *curved_rates.RULES}
    elsewhere |= {*comparison_proofs.RULES, *rate_comparisons.RULES}
    assert {kind(*rule) for rule in RULES if rule not in elsewhere} == seen


def test_the_second_view_is_no_rubber_stamp():
    """Claims that are false are seen to be false."""
    content = assert_certified(prove(*CASES["converges proved"]))
    assert not is_true({**content, "claim": {**content["claim"], "verdict": "refuted"}})
    content = assert_certified(prove(*CASES["continuous refuted by a jump"]))
    one = {**content, "map": {**content["map"], "state": ["x"], "next": content["map"]["next"][:1]}}
    assert not is_true({**one, "claim": {**content["claim"], "verdict": "proved"}})
    content = assert_certified(prove(*CASES["fixed point proved"]))
    assert not is_true({**content, "fixed_point": {"x": "2"}})
