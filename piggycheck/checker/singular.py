"""Whether the recursion J -> A J + B of one pair converges to (I - A)^+ B, where I - A may be singular."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from .divergence import diverges_proved, diverges_refuted, excited_growth, start_derivatives
from .growth import column_of, divided, polynomial_growth, start_polynomial
from .intervals import ONE
from .jets import Jet
from .matrices import (
    Matrix,
    combine,
    equal,
    has_root_beyond,
    identity,
    matrix,
    minimal_polynomial,
    say_matrix,
    spectral_radius_reaches,
    times,
    transpose,
)
from .pieces import Patterns, evaluate
from .reading import Data, Refused, Unreadable
from .subject import FixedPoint, Pair, Subject

UNIT = Fraction(1)


def agrees_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """The recursion has a limit, and that is (I - A)^+ B."""
    A, B = only_pair(subject)
    J0, which = start_of(subject, chosen=False)
    X = times(penrose_inverse(subject, A, witness), B)
    limit = limit_by(witness["method"])(subject, A, B, J0, witness)
    if limit is None or not equal(limit, X):
        raise Refused("the recursion has no limit, or another one than the pseudo-inverse gives")
    return f"the recursion of {subject} converges to (I - A)^+ B = {say_matrix(X)}{which}"


def agrees_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """The recursion has another limit, or none."""
    A, B = only_pair(subject)
    J0, which = start_of(subject, chosen=True)
    if J0 is None:
        raise Unreadable("`J0` is missing; the start does not give it")
    method = witness["method"]
    if method in ("word", "polynomial_growth"):
        grows = excited_growth if method == "word" else polynomial_growth
        return grows(subject, subject.word(witness["word"], active=True), J0, witness) + which
    if method == "no_limit":
        j = column_of(subject, witness)
        if not has_root_beyond(divided(start_polynomial(subject, A, B, J0, j), [ONE, -ONE]), UNIT):
            raise Refused("the start excites no eigenvalue that keeps the column from converging")
        return f"the recursion of {subject} does not converge in column {j}{which}"
    X = times(penrose_inverse(subject, A, witness), B)
    limit = limit_by(method)(subject, A, B, J0, witness)
    if limit is None:
        return f"the derivatives of {subject} grow linearly{which}"
    if equal(limit, X):
        raise Refused("the recursion converges to what the pseudo-inverse gives")
    return f"the recursion of {subject} converges to {say_matrix(limit)}, and (I - A)^+ B = {say_matrix(X)}{which}"


def only_pair(subject: Subject) -> Pair:
    """The one pair that all pieces have, known exactly."""
    subject.require_all_pieces()
    pairs = list(zip(subject.A, subject.B, strict=True))
    if not all(subject.active) or not all(a.exact for A, B in pairs for row in (*A, *B) for a in row):
        raise Refused("a piece was not proved essentially active, or is not known exactly")
    A, B = pairs[0]
    if not all(equal(A, X) and equal(B, Y) for X, Y in pairs):
        raise Refused("there is more than one pair")
    if subject.m == 0:
        raise Refused("there are no parameters to differentiate in")
    return A, B


def start_of(subject: Subject, chosen: bool) -> tuple[Matrix | None, str]:
    """J_0: that of the start, or of a switched system; a counterexample may choose one where neither gives it."""
    if isinstance(subject, FixedPoint):
        found = start_derivatives(subject) or moving_start(subject)
        if found:
            if not all(equal(J, found[0]) for J in found) or subject.J0 is not None:
                raise Refused("the derivative of the start is not one matrix, or is stated beside the start")
            return found[0], ""
        if subject.J0 is not None and not chosen:
            raise Unreadable("`J0` is chosen, and the claim is about every start")
    return subject.J0, ", whatever J_0 is" if subject.J0 is None else f", for J_0 = {say_matrix(subject.J0)}"


class Kink(Exception):
    """The map has one."""


def no_kink(*guard: Any) -> Any:
    """Give up at the first guard."""
    raise Kink


def moving_start(subject: FixedPoint) -> list[Matrix]:
    """The derivatives of a start elsewhere, where the map is affine as a whole: its pair is the same everywhere."""
    map_ = subject.map
    if map_.start is None:
        return []
    try:
        following = evaluate(map_.program, map_.next, map_.jets(subject.point, map_.names), no_kink)
    except Kink:
        return []
    if not all(jet.affine for jet in following):
        return []
    starts = Patterns(interior=True).run(map_.program, map_.start, map_.jets(map_.at, map_.parameters))
    return [[jet.slopes(subject.m) for jet in of_start(pattern.outputs)] for pattern in starts]


def of_start(outputs: list[Jet] | None) -> list[Jet]:
    """The start near the parameters, where it has to have values."""
    if outputs is None:
        raise Refused("the start has no value somewhere near the parameters")
    return outputs


def penrose_inverse(subject: Subject, A: Matrix, witness: Data) -> Matrix:
    """The Moore-Penrose inverse of I - A, by its four equations."""
    M = combine(identity(subject.p), -ONE, A)
    G = matrix(witness["pseudo_inverse"], "pseudo_inverse", subject.p, subject.p)
    MG, GM = times(M, G), times(G, M)
    if not (equal(times(MG, M), M) and equal(times(GM, G), G)):
        raise Refused("the pseudo-inverse is no generalized inverse of I - A")
    if not (equal(transpose(MG), MG) and equal(transpose(GM), GM)):
        raise Refused("a product of the pseudo-inverse with I - A is not symmetric")
    return G


Limit = Callable[[Subject, Matrix, Matrix, "Matrix | None", Data], "Matrix | None"]


def limit_by(method: Any) -> Limit:
    """How a witness proves what the recursion does."""
    return limit_by_projector if method == "projector" else limit_by_polynomials


def limit_by_projector(subject: Subject, A: Matrix, B: Matrix, J0: Matrix | None, witness: Data) -> Matrix | None:
    """Pi J_0 + (I - A)^# B; none where Pi B is not zero, because then Pi J_k = Pi J_0 + k Pi B."""
    unit = identity(subject.p)
    M = combine(unit, -ONE, A)
    G = matrix(witness["group_inverse"], "group_inverse", subject.p, subject.p)
    projector = matrix(witness["projector"], "projector", subject.p, subject.p)
    MG = times(M, G)
    if not (equal(times(G, M), MG) and equal(times(MG, M), M) and equal(times(MG, G), G)):
        raise Refused("the group inverse is none of I - A")
    if not equal(combine(unit, -ONE, MG), projector):
        raise Refused("the projector is not the spectral projector of the eigenvalue 1")
    if spectral_radius_reaches(combine(A, -ONE, projector), UNIT):
        raise Refused("another eigenvalue has modulus 1 or more")
    if not vanishes(times(projector, B)):
        return None
    if J0 is None and not vanishes(projector):
        raise Refused("the limit depends on J_0")
    limit = times(G, B)
    return limit if J0 is None else combine(times(projector, J0), ONE, limit)


def limit_by_polynomials(subject: Subject, A: Matrix, B: Matrix, J0: Matrix | None, witness: Data) -> Matrix:
    """L with A L + B = L, and every eigenvalue that J_0 - L excites inside the unit disc: J_k - L = A^k (J_0 - L)."""
    if J0 is None:
        raise Unreadable("`J0` is missing; the start does not give it")
    L = matrix(witness["limit"], "limit", subject.p, subject.m)
    if not equal(combine(times(A, L), ONE, B), L):
        raise Refused("the recursion does not keep the stated limit")
    for column in zip(*combine(J0, -ONE, L), strict=True):
        if not all(a.is_zero for a in column) and has_root_beyond(minimal_polynomial(A, [[a] for a in column]), UNIT):
            raise Refused("the start excites an eigenvalue that keeps the recursion from the stated limit")
    return L


def vanishes(X: Matrix) -> bool:
    """Whether every entry is zero."""
    return all(a.is_zero for row in X for a in row)


Rule = tuple[Callable[[Data, Any, Data], str], tuple[str, ...], tuple[str, ...]]
EXPONENTIAL = ("method", "word", "modulus_lower", "growth_lower", "column")
EIGENVALUE = ("eigenvalue", "left_eigenvector", "excitation")
POLYNOMIAL = ("method", "word", "column", "degree", "factor")
LEFT_VECTOR = ("left_vector", "leading")
PROJECTOR = ("method", "pseudo_inverse", "group_inverse", "projector")
LIMIT = ("method", "pseudo_inverse", "limit")
RULES: dict[tuple[str, str, str], Rule] = {
    ("diverges", "proved", "polynomial_growth"): (diverges_proved, POLYNOMIAL, (*LEFT_VECTOR, "shortest")),
    ("diverges", "refuted", "polynomial_growth"): (diverges_refuted, POLYNOMIAL, (*LEFT_VECTOR, "shortest")),
    ("pseudo_inverse_agrees", "proved", "projector"): (agrees_proved, PROJECTOR, ()),
    ("pseudo_inverse_agrees", "proved", "limit"): (agrees_proved, LIMIT, ()),
    ("pseudo_inverse_agrees", "refuted", "projector"): (agrees_refuted, PROJECTOR, ()),
    ("pseudo_inverse_agrees", "refuted", "limit"): (agrees_refuted, LIMIT, ()),
    ("pseudo_inverse_agrees", "refuted", "word"): (agrees_refuted, EXPONENTIAL, EIGENVALUE),
    ("pseudo_inverse_agrees", "refuted", "polynomial_growth"): (agrees_refuted, POLYNOMIAL, LEFT_VECTOR),
    ("pseudo_inverse_agrees", "refuted", "no_limit"): (agrees_refuted, ("method", "column"), ()),
}
