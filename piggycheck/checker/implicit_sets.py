"""Claims about implicit sets, of the solutions X = A X + B of single pairs: strictness, and I - A on the hull."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product as tuples
from typing import Any

from .affine import (
    Pairs,
    difference,
    identity_less,
    inner,
    mean,
    pairs_of,
    rational,
    read_weights,
    say_scaled,
    solution,
)
from .boxes import read_scaled
from .continuity import continuous_proved
from .determinants import determinant, polynomial, require_sign
from .limit_sets import TREE, flag, of_hull
from .proofs import contraction, walked
from .reading import Data, Refused, Unreadable, array, integer, text
from .scaled import combined, product
from .subject import FixedPoint, Subject

MOST_WORDS = 100_000


def strict_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """The fixed point of a word is that of no pair; for the hull, by a direction, of no convex combination."""
    contraction(subject, witness)
    pairs, hull = pairs_of(subject), flag(claim, "hull", "false")
    word, X = subject.word(witness["word"], active=True), read_scaled(witness["matrix"], "matrix", subject.p, subject.m)
    if pairs.along(X, word) != X:
        raise Refused("the matrix is not the fixed point of the word")
    if hull != ("direction" in witness) or (hull and "shortest" in witness):
        raise Unreadable(
            "`direction` stands in the witness, and `shortest` does not, exactly when the claim has `hull`"
        )
    left = [difference(X, pairs.image(X, i)) for i in range(len(pairs.A))]
    if hull:
        C = read_scaled(witness["direction"], "direction", subject.p, subject.m)
        if not all(inner(C, residual) > 0 for residual in left):
            raise Refused("the direction does not prove that no convex combination of the pairs has this fixed point")
    elif not all(any(map(any, residual.rows)) for residual in left):
        raise Refused("the matrix is the fixed point of a pair")
    proved = f"{say_scaled(X)}, the fixed point of the word {say_word(word)}, is in the piggyback set of {subject}"
    proved += f" and not in the implicit set{' of its convex hull' if hull else ''}"
    if "shortest" in witness:
        if text(witness["shortest"], "shortest") != "true":
            raise Unreadable('`shortest` is "true", or not there')
        nothing_shorter(pairs, len(word))
        proved += "; the fixed points of all shorter words are in it"
    return proved


def say_word(word: Sequence[int]) -> str:
    """A word as text."""
    return " ".join(map(str, word)) if len(word) <= 40 else f"of {len(word)} letters"


def nothing_shorter(pairs: Pairs, length: int) -> None:
    """Every shorter word has the fixed point of a pair, which is active, or is if the letters of the word are."""
    n = len(pairs.A)
    if sum(n**k for k in range(1, length)) > MOST_WORDS:
        raise Refused(f"more than {MOST_WORDS} shorter words")
    points = [solution(A, B) for A, B in zip(pairs.A, pairs.B, strict=True)]
    words = sorted(list(word) for k in range(1, length) for word in tuples(range(n), repeat=k))
    for word, images in walked(words, points, lambda moved, i: [pairs.image(X, i) for X in moved]):
        kept = {j for j in range(n) if images[j] == points[j]}
        if not any(pairs.active[j] or j in word for j in kept):
            raise Refused(f"the word {say_word(word)} may have its fixed point outside the implicit set, too")


def strict_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """The pairs map the implicit set into itself.

    For the hull: it is the convex hull of the points when there is one state, one A, or one point. A point of which the
    piece may be inactive is used only where that piece is a letter.
    """
    contraction(subject, witness)
    pairs, hull = pairs_of(subject), flag(claim, "hull", "false")
    n = len(pairs.A)
    points = [read_scaled(X, "points", subject.p, subject.m) for X in array(witness["points"], "points", n)]
    if any(pairs.image(X, i) != X for i, X in enumerate(points)):
        raise Refused("a matrix is not the fixed point of its pair")
    if hull != ("coefficients" in witness):
        raise Unreadable("`coefficients` stands in the witness exactly when the claim has `hull`")
    if not hull:
        for i, j in tuples(range(n), repeat=2):
            image = pairs.image(points[j], i)
            if not any(image == X for X, on in zip(points, usable(pairs, i, j), strict=True) if on):
                raise Refused(f"pair {i} maps the fixed point of pair {j} out of the implicit set")
        return f"the implicit set of {subject} is the piggyback set"
    if subject.p != 1 and any(A != pairs.A[0] for A in pairs.A) and any(X != points[0] for X in points):
        raise Refused(
            "the implicit set of the hull is not known: there are several A, fixed points and state variables"
        )
    for i, table in enumerate(array(witness["coefficients"], "coefficients", n)):
        for j, data in enumerate(array(table, "coefficients", n)):
            if mean(read_weights(data, usable(pairs, i, j)), points) != pairs.image(points[j], i):
                raise Refused(f"that pair {i} maps the fixed point of pair {j} into the hull is not proved")
    return f"the implicit set of the convex hull of {subject} is its piggyback set"


def usable(pairs: Pairs, *letters: int) -> list[bool]:
    """Which pieces are active, if the given ones are."""
    return [on or j in letters for j, on in enumerate(pairs.active)]


def invertible_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """The determinant of I - A keeps its sign on the convex hull; or, for the pieces alone, is not zero."""
    hull = flag(claim, "hull", "true")
    subject.require_all_pieces()
    matrices = [identity_less(A) for A in rational(subject.A)]
    if hull != ("tree" in witness) or hull != ("sign" in witness):
        raise Unreadable("`sign` and `tree` stand in the witness exactly when the claim is about the hull")
    if hull:
        require_sign(polynomial(matrices), read_sign(witness), witness["tree"])
    elif not all(determinant(M.rows) for M in matrices):
        raise Refused("the determinant of I - A is zero for a pair")
    return f"I - A is invertible for every A of {of_hull(hull)}{subject}"


def invertible_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """The determinant of I - A is zero for a convex combination, or has different signs for two."""
    hull = flag(claim, "hull", "true")
    matrices = [identity_less(A) for A in rational(subject.A)]
    weights = [read_weights(witness[key], subject.active) for key in ("weights", "other") if key in witness]
    if not hull and (len(weights) > 1 or max(weights[0]) != 1):
        raise Refused("the weights are not those of one pair")
    values = [determinant(mean(given, matrices).rows) for given in weights]
    if (values[0] != 0) if len(values) == 1 else ((values[0] > 0) == (values[1] > 0) and all(values)):
        raise Refused("the determinants neither vanish nor have different signs")
    return f"I - A is not invertible for some A of {of_hull(hull)}{subject}"


def read_sign(witness: Data) -> int:
    """Read 1 or -1."""
    sign = integer(witness["sign"], "sign", -1, 1)
    if not sign:
        raise Unreadable('`sign` is "1" or "-1"')
    return sign


def exceeds_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """A convex combination of the pieces has its solution outside the convex hull of the solutions of the pieces.

    Where I - A is invertible on the convex hull, a continuous map has one fixed point near the given one, which depends
    on the parameters piecewise smoothly: its Clarke Jacobian is in the convex hull of the solutions X_i of the pieces.
    """
    if isinstance(subject, FixedPoint):
        continuous_proved({}, subject.map, {})
    pairs = pairs_of(subject)
    subject.require_all_pieces()
    require_sign(polynomial([identity_less(A) for A in pairs.A]), read_sign(witness), witness["tree"])
    weights = read_weights(witness["weights"], pairs.active)
    X, C = (read_scaled(witness[key], key, subject.p, subject.m) for key in ("matrix", "direction"))
    if combined([(Fraction(1), product(mean(weights, pairs.A), X)), (Fraction(1), mean(weights, pairs.B))]) != X:
        raise Refused("the matrix is not the solution for these weights")
    if not all(inner(C, X) > inner(C, solution(A, B)) for A, B in zip(pairs.A, pairs.B, strict=True)):
        raise Refused("the direction does not separate the matrix from the solutions of the pairs")
    if isinstance(subject, FixedPoint):
        return (
            f"implicit differentiation with a convex combination of {subject} gives {say_scaled(X)}, "
            "which is not in the Clarke Jacobian of the fixed point as a function of the parameters"
        )
    hull = f"the implicit set of the convex hull of {subject}"
    return f"{say_scaled(X)} is in {hull}, and not in the convex hull of the solutions X = A X + B of single pairs"


Rule = tuple[Any, tuple[str, ...], tuple[str, ...]]
RULES: dict[tuple[str, str, str], Rule] = {
    ("implicit_is_strict", "proved", "word_tree"): (
        strict_proved,
        (*TREE, "word", "matrix"),
        ("direction", "shortest"),
    ),
    ("implicit_is_strict", "refuted", "word_tree"): (strict_refuted, (*TREE, "points"), ("coefficients",)),
    ("implicit_is_invertible", "proved", ""): (invertible_proved, (), ("sign", "tree")),
    ("implicit_is_invertible", "refuted", ""): (invertible_refuted, ("weights",), ("other",)),
    ("implicit_set_exceeds_clarke", "proved", ""): (
        exceeds_proved,
        ("sign", "tree", "weights", "matrix", "direction"),
        (),
    ),
}
CLAIM = {"implicit_is_strict": ("hull",), "implicit_is_invertible": ("hull",)}
