"""Exact pairs as maps f(X) = A X + B: images along words, points of the piggyback set K, and balls that contain it.

K is the only nonempty compact set with K = the union of f_i(K). Every word has its fixed point in K, and so have the
images of that along other words. What is said to be in K may use pieces proved essentially active alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from .boxes import Box, box, contracts, read_scaled
from .effort import spend
from .intervals import raised
from .matrices import Matrix
from .proofs import MOST_LETTERS, Word, code_fault, products, read_tree, read_word, walked
from .reading import Data, Refused, Unreadable, array, fields, number, say
from .scaled import Scaled, combined, inverse, product, transposed
from .subject import Subject

ONE = Fraction(1)


class Pairs(NamedTuple):
    """Rational matrices A, p by p, and B, p by m."""

    A: list[Scaled]
    B: list[Scaled]
    active: list[bool]

    def image(self, X: Scaled, i: int) -> Scaled:
        """f_i(X)."""
        return combined([(ONE, product(self.A[i], X)), (ONE, self.B[i])])

    def along(self, X: Scaled, word: Sequence[int]) -> Scaled:
        """f_w(X), the first letter acting first."""
        for i in word:
            X = self.image(X, i)
        return X


def pairs_of(subject: Subject) -> Pairs:
    """The pairs of a subject, which must be rational."""
    if not subject.m:
        raise Refused("there are no parameters to differentiate in")
    return Pairs(rational(subject.A), rational(subject.B), subject.active)


def rational(matrices: Sequence[Matrix]) -> list[Scaled]:
    """Matrices that must be rational."""
    if not all(a.exact for M in matrices for row in M for a in row):
        raise Refused("an entry of a pair is irrational, or known only between bounds")
    return [box(M).centre for M in matrices]


def identity_less(A: Scaled) -> Scaled:
    """I - A."""
    unit = Scaled([[int(i == j) for j in range(len(A.rows))] for i in range(len(A.rows))], 1)
    return combined([(ONE, unit), (-ONE, A)])


def solution(A: Scaled, B: Scaled) -> Scaled:
    """The X = A X + B."""
    return product(inverse(identity_less(A)), B)


def difference(X: Scaled, Y: Scaled) -> Scaled:
    """X - Y."""
    return combined([(ONE, X), (-ONE, Y)])


def inner(C: Scaled, X: Scaled) -> Fraction:
    """The sum of the products of entries."""
    spend(len(C.rows) * len(C.rows[0]), C.bits + X.bits)
    total = sum(a * b for rows in zip(C.rows, X.rows, strict=True) for a, b in zip(*rows, strict=True))
    return Fraction(total, C.denominator * X.denominator)


def say_scaled(X: Scaled) -> str:
    """A matrix as text."""
    return "[" + ", ".join("[" + ", ".join(map(say, row)) + "]" for row in X.fractions()) + "]"


def read_point(subject: Subject, pairs: Pairs, data: Data) -> Scaled:
    """A point of K: the image, along one word, of the fixed point of another."""
    X = read_scaled(data["matrix"], "matrix", subject.p, subject.m)
    if pairs.along(X, subject.word(data["word"], active=True)) != X:
        raise Refused("the matrix is not the fixed point of its word")
    return pairs.along(X, subject.word(data["then"], active=True)) if array(data["then"], "then") else X


def read_weights(data: Any, active: Sequence[bool]) -> list[Fraction]:
    """Read the weights of a convex combination of pieces proved essentially active."""
    weights = [number(a, "weights") for a in array(data, "weights", len(active))]
    if min(weights) < 0 or sum(weights) != 1:
        raise Refused("a weight is negative, or the weights do not sum to 1")
    if any(a and not on for a, on in zip(weights, active, strict=True)):
        raise Refused("a piece without a direction that proves it essentially active has a weight")
    return weights


def mean(weights: Sequence[Fraction], matrices: Sequence[Scaled]) -> Scaled:
    """A convex combination."""
    return combined(list(zip(weights, matrices, strict=True)))


class Ball(NamedTuple):
    """All X with trace((X - centre)^T P (X - centre)) <= radius^2; they contain K. The form is the inverse of P."""

    centre: Scaled
    radius: Fraction
    form: Scaled

    def below(self, C: Scaled, height: Fraction, strictly: bool = False) -> bool:
        """Whether <C, X> <= height (< height) on the ball: the largest is <C, centre> + radius sqrt(<C, P^-1 C>)."""
        room = height - inner(C, self.centre)
        reach = self.radius**2 * inner(C, product(self.form, C))
        return room > 0 and room**2 > reach if strictly else room >= 0 and room**2 >= reach


def read_ball(pairs: Pairs, witness: Data) -> Ball:
    """The ball of a witness, in which K is, by the words of its tree; that these contract was proved before.

    A word w of n letters sends the ball of radius r around c into itself when |f_w(c) - c| <= (1 - rate^n) r. K is
    inside when every infinite word to the left ends with a word of the tree. Otherwise all products of maps are those
    of words of the tree, and after them a proper prefix v of one, which sends that ball into the larger one when |A_v|
    <= g and |f_v(c) - c| <= R - g r.
    """
    p, m = len(pairs.A[0].rows), len(pairs.B[0].rows[0])
    tree, rate = read_tree(p, len(pairs.A), witness), number(witness["rate"], "rate")
    centre, radius = read_scaled(witness["centre"], "centre", p, m), number(witness["radius"], "radius")
    core = radius
    if "core" in witness:
        data = fields(witness["core"], "core", ("radius", "growth"))
        core, growth = number(data["radius"], "core.radius"), number(data["growth"], "core.growth")
        if not (core <= radius and growth >= 0):
            raise Refused("the core is larger than the ball, or its growth negative")
        prefixes = {tuple(word[:n]) for word in tree.words for n in range(1, len(word))}
        before = sorted(map(list, prefixes))
        require_moves(pairs, tree.P, centre, before, {len(v): radius - growth * core for v in before})
        if not all(contracts(A, tree.P, growth**2) for _, A in products([Box(A) for A in pairs.A], before)):
            raise Refused("the growth of the core is not proved along a prefix of a word")
    elif fault := backwards_fault(tree.words, len(pairs.A)):
        raise Refused(f"without a core: {fault}")
    require_moves(
        pairs, tree.P, centre, tree.words, {n: (1 - raised(rate, n)) * core for n in set(map(len, tree.words))}
    )
    return Ball(centre, radius, inverse(tree.P))


def require_moves(pairs: Pairs, P: Scaled, centre: Scaled, words: Sequence[Word], most: Mapping[int, Fraction]) -> None:
    """Refuse a word that moves the centre by more than is allowed to words of its length."""
    for word, X in walked(words, centre, pairs.image):
        moved = difference(X, centre)
        if most[len(word)] < 0 or inner(moved, product(P, moved)) > most[len(word)] ** 2:
            raise Refused(f"the centre of the ball is moved too far by the word {' '.join(map(str, word))[:60]}")


def backwards_fault(words: Sequence[Word], letters: int) -> str:
    """Why words are not a complete suffix code, with one of which every infinite word to the left ends."""
    fault = code_fault(sorted(word[::-1] for word in words), letters)
    return f"backwards, {fault}" if fault else ""


def read_cells(data: Any, letters: int) -> list[Word]:
    """Read words, so that K is the union of their images of K: the last letter of each is the outermost map."""
    words = [read_word(word, letters) if array(word, "word") else [] for word in array(data, "words")]
    if sum(map(len, words)) > MOST_LETTERS:
        raise Unreadable(f"the words have more than {MOST_LETTERS} letters")
    if fault := backwards_fault(words, letters):
        raise Refused(fault)
    return words


def require_below(pairs: Pairs, ball: Ball, C: Scaled, height: Fraction, words: Sequence[Word], strictly: bool) -> None:
    """Refuse unless <C, X> <= height (< height) on the images of the ball along words.

    There <C, X> = <C_u, Y> + s_u with Y in the ball: the maps are taken off from the outermost one inwards.
    """
    turned = [transposed(A) for A in pairs.A]

    def inwards(state: tuple[Scaled, Fraction], i: int) -> tuple[Scaled, Fraction]:
        D, s = state
        return product(turned[i], D), s + inner(D, pairs.B[i])

    for _, (D, s) in walked(sorted(word[::-1] for word in words), (C, Fraction(0)), inwards):
        if not ball.below(D, height - s, strictly):
            raise Refused("on a cell the bound is not proved")
