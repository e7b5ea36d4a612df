"""Certificates written by hand, and for each what can be changed in it without making its claim false."""

from __future__ import annotations

import copy
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from certificate_changes import with_changes

FORMAT = "piggycheck-certificate/1"


def certificate(
    subject: dict[str, Any], kind: str, verdict: str, witness: dict[str, Any], **claim: Any
) -> dict[str, Any]:
    heading = {"kind": kind, "verdict": verdict, "statement": "whatever", **claim}
    return copy.deepcopy({"format": FORMAT, **subject, "claim": heading, "witness": witness})


def one_map(state: str, parameters: str, *next_: str, **rest: Any) -> dict[str, Any]:
    return {"map": {"state": state.split(), "parameters": parameters.split(), "next": list(next_)}, **rest}


def piece(A: list[list[str]], B: list[list[str]], direction: str | None) -> dict[str, Any]:
    return {"A": A, "B": B, "direction": None if direction is None else direction.split()}


# The subjects: each number below is from docs/theory or was computed by hand.

HEAVY_BALL = one_map(
    "x y",
    "theta",
    "x - Piecewise((x, x >= 0), (x/4, True)) + 3/4*(x - y)",
    "x",
    at={"theta": "0"},
    start={"x": "theta", "y": "theta"},
    fixed_point={"x": "0", "y": "0"},
    pieces=[
        piece([["3/4", "-3/4"], ["1", "0"]], [["0"], ["0"]], "1 0 0"),
        piece([["3/2", "-3/4"], ["1", "0"]], [["0"], ["0"]], "-1 0 0"),
    ],
)
# A_- A_- A_+ A_+ = [[-9/8, 0], [-27/32, -9/32]], so (1, 0) is a left eigenvector.
GROWTH = {
    "method": "word",
    "word": ["0", "0", "1", "1"],
    "modulus_lower": "9/8",
    "growth_lower": "51/50",
    "column": "0",
}
EIGENVALUE = {"eigenvalue": "-9/8", "left_eigenvector": ["1", "0"], "excitation": ["1"]}

HALVING = one_map(
    "x",
    "theta",
    "x/2 + relu(theta)/3",
    at={"theta": "0"},
    start={"x": "1"},
    fixed_point={"x": "0"},
    pieces=[piece([["1/2"]], [["1/3"]], "0 1"), piece([["1/2"]], [["0"]], None)],
)
TRAPPED = one_map(
    "x y",
    "theta",
    "x/2 + relu(y - 1)/4 + theta",
    "y/4 + Abs(x)/8",
    at={"theta": "0"},
    start={"x": "4", "y": "3"},
    fixed_point={"x": "0", "y": "0"},
    pieces=[
        piece([["1/2", "0"], ["1/8", "1/4"]], [["1"], ["0"]], "1 0 0"),
        piece([["1/2", "0"], ["-1/8", "1/4"]], [["1"], ["0"]], None),
    ],
)
CURVED = one_map(
    "x", "", "x/2 + x**2/8", at={}, start={"x": "1/2"}, fixed_point={"x": "0"}, pieces=[piece([["1/2"]], [[]], "1")]
)
IRRATIONAL = one_map(
    "x",
    "theta",
    "x - sqrt(2)/2*x + theta",
    at={"theta": "0"},
    fixed_point={"x": "0"},
    pieces=[piece([[["29289/100000", "29290/100000"]]], [["1"]], "1 0")],
)
AFFINE = one_map(
    "x",
    "theta",
    "x/2 + theta/3",
    at={"theta": "0"},
    fixed_point={"x": "0"},
    pieces=[piece([["1/2"]], [["1/3"]], "0 0")],
)
KINKED = one_map(
    "x",
    "theta",
    "-x/2 + relu(theta)",
    at={"theta": "0"},
    fixed_point={"x": "0"},
    pieces=[piece([["-1/2"]], [["0"]], "0 -1"), piece([["-1/2"]], [["1"]], "0 1")],
)
HIDDEN_IDENTITY = one_map(
    "x",
    "theta",
    "(relu(x) - relu(-x))/2 + theta",
    at={"theta": "0"},
    fixed_point={"x": "0"},
)
RELU = one_map(
    "x",
    "theta",
    "relu(x)/2 + theta",
    at={"theta": "0"},
    fixed_point={"x": "0"},
    pieces=[piece([["1/2"]], [["1"]], "1 0"), piece([["0"]], [["1"]], "-1 0")],
)
PAIR = {
    "switched": {
        "A": [[["3/4", "-3/4"], ["1", "0"]], [["3/2", "-3/4"], ["1", "0"]]],
        "B": [[["0"], ["0"]], [["0"], ["0"]]],
    }
}
NILPOTENT = {"switched": {"A": [[["1/2", "2"], ["0", "1/2"]], [["0", "0"], ["0", "0"]]], "B": [[["1"], ["0"]]] * 2}}
SCALAR = {"switched": {"A": [[["19/20"]]], "B": [[["1"]]]}}


def clip_like(expression: str) -> dict[str, Any]:
    return one_map("x", "theta", expression)


STEP, GAP = "Piecewise((1, x >= theta), (0, True))", "Piecewise((x, x > 0), (-x, x < 0))"
FIXED = one_map("x", "theta", "x/2 + theta/2", at={"theta": "3"})
SHEARED = {"method": "word_tree", "P": [["1", "0"], ["0", "64"]], "rate": "3/4", "words": [["0"], ["1"]]}
TREE = {"method": "word_tree", "P": [["1"]], "rate": "1/2", "words": [["0"], ["1"]]}
DEEPER = {"method": "word_tree", "P": [["1", "0"], ["0", "1"]], "rate": "3/5", "words": [["0"], ["1", "0"], ["1", "1"]]}


def trap(iteration: str, level: str, growth: str = "1", bits: str = "0") -> dict[str, Any]:
    return {"trap": {"iteration": iteration, "level": level, "growth": growth, "bits": bits}}


# What leaves a claim true, and another computation that says so.


def sample(data: Any) -> np.ndarray:
    """A float matrix from texts, an interval standing as its middle."""
    return np.array(
        [[np.mean([float(Fraction(e)) for e in ([e] if isinstance(e, str) else e)]) for e in row] for row in data]
    )


def matrices(c: dict[str, Any]) -> list[np.ndarray]:
    return [sample(A) for A in (c["switched"]["A"] if "switched" in c else [piece["A"] for piece in c["pieces"]])]


def along(c: dict[str, Any], word: list[str]) -> np.ndarray:
    A = matrices(c)
    result = np.eye(len(A[0]))
    for letter in word:
        result = A[int(letter)] @ result
    return result


def tree_holds(c: dict[str, Any]) -> bool:
    w, P = c["witness"], sample(c["witness"]["P"])
    rate = float(Fraction(w["rate"]))
    gaps = [rate ** (2 * len(u)) * P - along(c, u).T @ P @ along(c, u) for u in w["words"]]
    bound = Fraction(c["claim"].get("rate", 1))
    return (
        Fraction(w["rate"]) <= bound
        and rate < 1
        and np.allclose(P, P.T)
        and min(np.linalg.eigvalsh(P)) > 0
        and min(min(np.linalg.eigvalsh(gap)) for gap in gaps) > -1e-12
    )


def modulus_holds(c: dict[str, Any]) -> bool:
    w = c["witness"]
    r, n = Fraction(w["modulus_lower"]), len(w["word"])
    rate = Fraction(c["claim"].get("rate", 1))
    values, vectors = np.linalg.eig(along(c, w["word"]).T)
    stated = "eigenvalue" not in w or np.allclose(abs(vectors[:, np.argmin(abs(values + 9 / 8))]), [1, 0])
    proved = r <= max(abs(values)) + 1e-12 and stated
    return proved and (Fraction(w["growth_lower"]) ** n <= r if "growth_lower" in w else r >= rate**n)


def trap_holds(step: Callable[..., list[Fraction]], room: float, *guard: int) -> Callable[[dict[str, Any]], bool]:
    """Everything stays as it is at 0 as long as (guard . x)^2 < room."""

    def holds(c: dict[str, Any]) -> bool:
        t, P = c["witness"]["trap"], sample(c["witness"]["P"])
        x = [Fraction(e) for e in c["start"].values()]
        for _ in range(int(t["iteration"])):
            x = step(*x)
        d = np.array([float(e) for e in x])
        reach = float(Fraction(t["level"]) * Fraction(t["growth"])) * (guard @ np.linalg.inv(P) @ guard)
        return (
            tree_holds(c) and d @ P @ d <= float(Fraction(t["level"])) and reach < room and Fraction(t["growth"]) >= 1
        )

    return holds


def positive(*signs: int) -> Callable[[dict[str, Any]], bool]:
    """The first moving coordinate of each direction has the sign of its piece (0: any)."""

    def holds(c: dict[str, Any]) -> bool:
        given = [(s, p["direction"]) for s, p in zip(signs, c["pieces"], strict=True) if p["direction"] is not None]
        return all(s == 0 or s * Fraction(d[GUARD_COORDINATE[len(d), s != 0]]) > 0 for s, d in given)

    return holds


GUARD_COORDINATE = {(3, True): 0, (2, True): 0}


def second(*signs: int) -> Callable[[dict[str, Any]], bool]:
    return lambda c: all(
        s * Fraction(p["direction"][1]) > 0 for s, p in zip(signs, c["pieces"], strict=False) if p["direction"]
    )


def always(c: dict[str, Any]) -> bool:
    return True


def trapped_step(x: Fraction, y: Fraction) -> list[Fraction]:
    return [x / 2 + max(y - 1, Fraction(0)) / 4, y / 4 + abs(x) / 8]


Allowed = dict[str, Callable[[dict[str, Any]], bool]]
DIRECTION, TRAP = r"pieces/\d/direction", r"witness/trap|witness/P|start|witness/rate|claim/rate"
WORD = "witness/word|witness/growth_lower|witness/modulus_lower"
CASES: dict[str, tuple[dict[str, Any], Allowed]] = {
    "heavy ball diverges": (
        certificate(HEAVY_BALL, "diverges", "proved", {**GROWTH, **EIGENVALUE, "shortest": "true"}, word_length="4"),
        {DIRECTION: positive(1, -1), WORD: modulus_holds},
    ),
    "heavy ball does not converge": (
        certificate(HEAVY_BALL, "converges", "refuted", {k: GROWTH[k] for k in ("method", "word", "modulus_lower")}),
        # the fixed point 0 and both pieces are the same at every parameter
        {DIRECTION: positive(1, -1), WORD: modulus_holds, "at/theta": always},
    ),
    "a shorter word than five": (
        certificate(HEAVY_BALL, "diverges", "refuted", GROWTH, word_length="5"),
        {
            DIRECTION: positive(1, -1),
            WORD: modulus_holds,
            "claim/word_length": lambda c: int(c["claim"]["word_length"]) > 4,
        },
    ),
    "no word of length three": (
        certificate(HEAVY_BALL, "diverges", "refuted", {"method": "no_short_word"}, word_length="3"),
        {
            DIRECTION: positive(1, -1),
            "at/theta": always,
            "claim/word_length": lambda c: all(
                max(abs(np.linalg.eigvals(along(c, w)))) < 1
                for n in range(1, int(c["claim"]["word_length"]) + 1)
                for w in product("01", repeat=n)
            ),
        },
    ),
    "halving converges": (
        certificate(HALVING, "converges", "proved", {**TREE, **trap("3", "1/64")}, rate="1/2"),
        {DIRECTION: second(1), TRAP: trap_holds(lambda x: [x / 2], np.inf, 1)},
    ),
    "a trap with a guard": (
        certificate(TRAPPED, "converges", "proved", {**DEEPER, **trap("4", "1/2", "3/2")}),
        {DIRECTION: positive(1, 0), TRAP: trap_holds(trapped_step, 1, 0, 1)},
    ),
    "a rounded trap": (
        certificate(TRAPPED, "converges", "proved", {**DEEPER, **trap("4", "1/2", "3/2", "64")}),
        {DIRECTION: positive(1, 0), TRAP: trap_holds(trapped_step, 1, 0, 1)},
    ),
    "a curved trap": (
        certificate(
            CURVED,
            "converges",
            "proved",
            {"method": "word_tree", "P": [["1"]], "rate": "3/4", "words": [["0"]], **trap("0", "1/4")},
        ),
        # the derivative 1/2 + x/4 is at most 3/4 in modulus for |x| <= 1
        {DIRECTION: always, TRAP: trap_holds(lambda x: [x / 2 + x * x / 8], 1.0001, 1)},
    ),
    "irrational data converge": (
        certificate(
            IRRATIONAL, "converges", "proved", {"method": "word_tree", "P": [["1"]], "rate": "1/2", "words": [["0"]]}
        ),
        {
            DIRECTION: always,
            "witness/P|witness/rate": tree_holds,
            "pieces/0/A": lambda c: (
                float(Fraction(c["pieces"][0]["A"][0][0][0]))
                < 1 - 0.5**0.5
                < float(Fraction(c["pieces"][0]["A"][0][0][1]))
                < 0.5
            ),
        },
    ),
    "irrational data do not converge": (
        certificate(
            one_map(
                "x",
                "theta",
                "x*sqrt(2) + theta",
                at={"theta": "0"},
                start={"x": "theta"},
                fixed_point={"x": "0"},
                pieces=[piece([[["14142/10000", "14143/10000"]]], [["1"]], "1 0")],
            ),
            "diverges",
            "proved",
            {"method": "word", "word": ["0"], "modulus_lower": "14/10", "growth_lower": "13/10", "column": "0"},
        ),
        {
            DIRECTION: always,
            WORD: modulus_holds,
            "pieces/0/A": lambda c: (
                float(Fraction(c["pieces"][0]["A"][0][0][0])) < 2**0.5 < float(Fraction(c["pieces"][0]["A"][0][0][1]))
            ),
        },
    ),
    "affine derivative": (
        certificate(
            AFFINE,
            "derivative",
            "proved",
            {"method": "word_tree", "P": [["1"]], "rate": "1/2", "words": [["0"]], "matrix": [["2/3"]]},
            value=[["2/3"]],
        ),
        {DIRECTION: always, "witness/P": tree_holds},
    ),
    "two derivatives": (
        certificate(
            KINKED,
            "derivative",
            "refuted",
            {**TREE, "points": [{"word": ["0"], "matrix": [["0"]]}, {"word": ["1"], "matrix": [["2/3"]]}]},
        ),
        {DIRECTION: second(-1, 1), "witness/P": tree_holds},
    ),
    "another derivative": (
        certificate(
            KINKED, "derivative", "refuted", {**TREE, "points": [{"word": ["1"], "matrix": [["2/3"]]}]}, value=[["1/3"]]
        ),
        {
            DIRECTION: second(-1, 1),
            "witness/P": tree_holds,
            "claim/value": lambda c: Fraction(c["claim"]["value"][0][0]) != Fraction(2, 3),
        },
    ),
    "hidden identity": (
        certificate(HIDDEN_IDENTITY, "chain_rule_set_is_larger", "proved", {"A": [["1"]], "B": [["1"]]}),
        {
            "witness/A": lambda c: Fraction(c["witness"]["A"][0][0]) in (0, 1)
        },  # the set is {0, 1/2, 1}, the selection 1/2
    ),
    "one kink": (certificate(RELU, "chain_rule_set_is_larger", "refuted", {}), {DIRECTION: positive(1, -1)}),
    "clip": (
        certificate(clip_like("Piecewise((-1, x < -1), (1, x > 1), (x, True)) + theta"), "continuous", "proved", {}),
        {},
    ),
    "soft thresholding": (certificate(clip_like("sign(x)*Max(Abs(x) - 1, 0)"), "continuous", "proved", {}), {}),
    "thresholding after a step": (
        certificate(clip_like("sign(x - Abs(theta)/2)*Max(Abs(x - Abs(theta)/2) - 1, 0)"), "continuous", "proved", {}),
        {},
    ),
    "a quadrant": (
        certificate(clip_like("Piecewise((x*theta, x > 0 and theta > 0), (0, True))"), "continuous", "proved", {}),
        {},
    ),
    "a step jumps": (
        certificate(
            clip_like(STEP), "continuous", "refuted", {"point": {"x": "1", "theta": "1"}, "direction": ["-1", "0"]}
        ),
        {
            "witness/direction": lambda c: (
                Fraction(c["witness"]["direction"][0]) < Fraction(c["witness"]["direction"][1])
            )
        },
    ),
    "a gap": (
        certificate(clip_like(GAP), "continuous", "refuted", {"gap": {"x": "0", "theta": "5"}}),
        {"witness/gap/theta": always},  # the map does not depend on theta
    ),
    "a fixed point": (
        certificate({**FIXED, "fixed_point": {"x": "3"}}, "fixed_point", "proved", {}, value={"x": "3"}),
        {},
    ),
    "no such fixed point": (
        certificate(FIXED, "fixed_point", "refuted", {}, value={"x": "4"}),
        {"claim/value|at/theta": lambda c: Fraction(c["claim"]["value"]["x"]) != Fraction(c["at"]["theta"])},
    ),
    "a translation": (
        certificate(
            one_map("x", "theta", "x + theta", at={"theta": "1"}),
            "fixed_point",
            "refuted",
            {"method": "no_fixed_point"},
        ),
        {"at/theta": lambda c: Fraction(c["at"]["theta"]) != 0},
    ),
    "above the diagonal": (
        certificate(
            one_map("x", "theta", "Abs(x) + theta", at={"theta": "1"}),
            "fixed_point",
            "refuted",
            {"method": "no_fixed_point"},
        ),
        {"at/theta": lambda c: Fraction(c["at"]["theta"]) > 0},
    ),
    "a switched system converges": (
        certificate(NILPOTENT, "converges", "proved", SHEARED, rate="3/4"),
        # B and J0 do not matter to the joint spectral radius
        {"switched/B": always, "switched/A|claim/rate|witness/rate|witness/P": tree_holds},
    ),
    "a switched system is bounded": (
        certificate({**NILPOTENT, "J0": [["1"], ["1"]]}, "diverges", "refuted", SHEARED),
        {"switched/B|J0": always, "switched/A|witness/rate|witness/P": tree_holds},
    ),
    "a switched system diverges": (
        certificate({**PAIR, "J0": [["1"], ["1"]]}, "diverges", "proved", {**GROWTH, **EIGENVALUE}),
        {
            # (1, 0) J0 is the excitation: the second entry does not matter; nor does what keeps A_w and B_w
            "J0/1": always,
            "switched/B": lambda c: excited(c),
            WORD: modulus_holds,
        },
    ),
    "a claimed rate is too small": (
        certificate(
            SCALAR, "converges", "refuted", {"method": "word", "word": ["0"], "modulus_lower": "19/20"}, rate="9/10"
        ),
        {"switched/B": always, "switched/A|witness/modulus_lower|claim/rate": modulus_holds},
    ),
}


def excited(c: dict[str, Any]) -> bool:
    """The stated excitation is v J0 + v B_w / (lambda - 1)."""
    A, B = matrices(c), [sample(B) for B in c["switched"]["B"]]
    J = np.zeros((2, 1))
    for letter in c["witness"]["word"]:
        J = A[int(letter)] @ J + B[int(letter)]
    value = float(sample(c["J0"])[0, 0] + J[0, 0] / (-9 / 8 - 1))
    return abs(value - float(Fraction(c["witness"]["excitation"][0]))) < 1e-12


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    """One of the certificates with some parts replaced."""
    return with_changes(CASES[name][0], *changes)


DIVERGES, HALVES, TRAPS = "heavy ball diverges", "halving converges", "a trap with a guard"


# Proofs of upper bounds, each tight: some word has exactly the rate that is proved.

Proof = dict[str, Any]
Rows = list[list[Any]]


def rows(text: str) -> Rows:
    """A matrix from text such as "1 2; 3 4"."""
    return [row.split() for row in text.split(";")]


def terms(*texts: str) -> list[list[list[str]]]:
    """For each vertex a combination, from text such as "0 1/2; 3 1/2"."""
    return [rows(text) if text else [] for text in texts]


SWAPS = [rows("0 1; 0 0"), rows("0 0; 1/4 0")]  # the word 0 1 has the product [[0, 0], [0, 1/4]]
PROJECTIONS = [rows("1/2 0; 1/2 0"), rows("0 1/2; 0 -1/2")]
MEANS = [rows("1/4 1/4; 0 1/2"), rows("1/2 0; 1/4 1/4")]
ROTATIONS = [rows("3/10 -4/10; 4/10 3/10"), rows("5/26 -12/26; 12/26 5/26")]
TRIANGULAR = [
    rows("201/2 100; -601/6 -299/3"),
    rows("-252/5 -50; 513/10 509/10"),
]  # 1/2, -2/5 and 1/3, 9/10 when triangular
STRICT = [rows("0 1 2; 0 0 3; 0 0 0"), rows("0 -1 5; 0 0 7; 0 0 0")]


def uncertain(matrices: list[Rows], width: str) -> list[Rows]:
    """Every nonzero entry that is positive may be smaller, every one that is negative larger."""
    w = Fraction(width)

    def interval(entry: str) -> Any:
        e = Fraction(entry)
        return entry if e == 0 else sorted((entry, str(e - w if e > 0 else e + w)), key=Fraction)

    return [[[interval(e) for e in row] for row in A] for A in matrices]


def form_tree(rate: str, letters: int, P: str = "1") -> Proof:
    return {"method": "word_tree", "rate": rate, "P": rows(P), "words": [[str(i)] for i in range(letters)]}


PROJECTED = {
    "method": "polytope",
    "rate": "1/2",
    "vertices": rows("1 1; 1 -1"),
    "basis": ["0", "1"],
    "coefficients": [terms("0 1", "0 1"), terms("1 1", "1 -1")],
}
LIFTED = {
    "method": "polytope",
    "rate": "1/4",
    "vertices": rows("1 1 1; 1 -1 1; 1 0 0"),
    "basis": ["0", "1", "2"],
    "coefficients": [terms("0 1", "0 1", "0 1"), terms("1 1", "1 1", "")],
}
PROOFS: dict[str, tuple[list[Rows], Proof]] = {
    "word tree": (
        SWAPS,
        {
            "method": "word_tree",
            "rate": "1/2",
            "P": rows("1 0; 0 4"),
            "words": [["0", "0"], ["0", "1"], ["1"]],
        },
    ),
    "path complete": (
        SWAPS,
        {
            "method": "path_complete",
            "rate": "1/2",
            "forms": [rows("1 0; 0 8"), rows("2 0; 0 4")],
            "edges": [["0", "0", "1"], ["0", "1", "1"], ["1", "0", "0"], ["1", "1", "0"]],
        },
    ),
    "polytope": (PROJECTIONS, PROJECTED),
    "nonnegative": (
        MEANS,
        {
            "method": "nonnegative",
            "rate": "1/2",
            "vertices": [["1", "1"]],
            "coefficients": [terms("0 1"), terms("0 1")],
        },
    ),
    "complex polytope": (
        ROTATIONS,
        {
            "method": "complex_polytope",
            "rate": "1/2",
            "vertices": [[["1", "0"], ["0", "-1"]], [["1", "0"], ["0", "1"]]],
            "basis": ["0", "1"],
            "coefficients": [
                terms("0 3/5 4/5 1", "1 3/5 -4/5 1"),
                terms("0 5/13 12/13 1", "1 5/13 -12/13 1"),
            ],
        },
    ),
    "lift": (PROJECTIONS, {"method": "lift", "rate": "1/2", "degree": "2", "proof": LIFTED}),
    "blocks": (
        TRIANGULAR,
        {
            "method": "blocks",
            "rate": "9/10",
            "basis": rows("1 0; -1 1"),
            "sizes": ["1", "1"],
            "proofs": [form_tree("1/2", 2), form_tree("9/10", 2)],
        },
    ),
    "strict blocks": (
        STRICT,
        {
            "method": "blocks",
            "rate": "0",
            "basis": rows("1 0 0; 0 1 0; 0 0 1"),
            "sizes": ["1", "1", "1"],
            "proofs": [None, None, None],
        },
    ),
    "distinct blocks": (
        [*PROJECTIONS, rows("0 0; 0 0"), PROJECTIONS[0]],
        {
            "method": "blocks",
            "rate": "1/2",
            "basis": rows("1 0; 0 1"),
            "sizes": ["2"],
            "proofs": [PROJECTED],
        },
    ),
}


def given(matrices: list[Rows], **rest: Any) -> dict[str, Any]:
    """Matrices as the subject of a certificate."""
    return {"switched": {"A": matrices, "B": [[["0"]] * len(matrices[0])] * len(matrices), **rest}}


def bounded(matrices: list[Rows], proof: Proof) -> dict[str, Any]:
    """A certificate that the joint spectral radius is at most the rate of a proof."""
    subject = given(matrices)
    return certificate(subject, "joint_spectral_radius", "proved", {"upper": proof}, upper=proof["rate"])


def loosened(proof: Proof, factor: Fraction) -> Proof:
    """A proof of a larger rate, by the same numbers."""

    def divided(numbers: list[str]) -> list[str]:
        return [str(Fraction(c) / factor) for c in numbers]

    proof = {**proof, "rate": str(Fraction(proof["rate"]) * factor)}
    if "coefficients" in proof:
        proof["coefficients"] = [[[[j, *divided(c)] for j, *c in v] for v in A] for A in proof["coefficients"]]
    if "proof" in proof:
        proof["proof"] = loosened(proof["proof"], factor ** int(proof["degree"]))
    if "proofs" in proof:
        proof["proofs"] = [inner and loosened(inner, factor) for inner in proof["proofs"]]
    return proof


# Another computation of the same facts: growth along words, counted out in floating point.


def corners(matrices: list[Rows]) -> list[np.ndarray]:
    """The matrices, and of uncertain ones those at the lower ends, at the upper ends, and at alternating ones."""
    found = []
    for A in matrices:
        for choose in ((0, 0), (1, 1), (0, 1), (1, 0)):
            entries = [
                [float(Fraction(e if isinstance(e, str) else e[choose[(i + j) % 2]])) for j, e in enumerate(row)]
                for i, row in enumerate(A)
            ]
            if not any(np.array_equal(entries, other) for other in found):
                found.append(np.array(entries))
    return found


def edges_of(c: dict[str, Any], letters: int) -> list[tuple[int, int, int]]:
    """The graph of a certificate; without one, that of all words."""
    graph = c.get("graph", c.get("switched", {}).get("graph"))
    return [(int(u), int(i), int(v)) for u, i, v in graph] if graph else [(0, i, 0) for i in range(letters)]


def growth_along(matrices: list[np.ndarray], edges: list[tuple[int, int, int]], length: int) -> float:
    """The largest rate of a closed path."""
    best = 0.0
    paths = [(u, v, matrices[i]) for u, i, v in edges]
    for n in range(1, length + 1):
        closed = [M for u, v, M in paths if u == v]
        best = max([best, *(max(abs(np.linalg.eigvals(M))) ** (1 / n) for M in closed)])
        paths = [(u, w, matrices[i] @ M) for u, v, M in paths for start, i, w in edges if start == v]
    return best


def radius_is_at_most(c: dict[str, Any], rate: Fraction) -> bool:
    """Whether no short word of a certificate's matrices, with any ends of their bounds, has a larger rate."""
    matrices = c["switched"]["A"] if "switched" in c else [piece["A"] for piece in c["pieces"]]
    edges, choices = edges_of(c, len(matrices)), [corners([A]) for A in matrices]
    place = {
        (i, k): n for n, (i, k) in enumerate((i, k) for i, choice in enumerate(choices) for k in range(len(choice)))
    }
    every = [(u, place[i, k], v) for u, i, v in edges for k in range(len(choices[i]))]
    length = 6 if len(every) <= 2 else 4
    return growth_along([A for choice in choices for A in choice], every, length) <= float(rate) + 1e-9
