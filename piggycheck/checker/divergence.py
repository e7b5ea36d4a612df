"""Divergence: along a word the derivatives grow, and their start excites the growing part."""

from __future__ import annotations

from .growth import column_of, polynomial_growth, start_polynomial
from .intervals import Interval, raised
from .matrices import Matrix, combine, equal, has_root_beyond, matrix, say_matrix, times
from .pieces import Patterns
from .proofs import KINDS, contraction
from .reading import Data, Refused, Unreadable, integer, number, say, text
from .realisable import realised_word
from .stability import modulus, stable_up_to
from .subject import FixedPoint, Subject


def diverges_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """A word along which the derivatives grow; where the claim says so, no shorter one does."""
    word = subject.word(witness["word"], active=True)
    J0, which = start_derivative(subject)
    grows = polynomial_growth if witness["method"] == "polynomial_growth" else excited_growth
    proved = grows(subject, word, J0, witness)
    shortest = "shortest" in witness
    if shortest and text(witness["shortest"], "shortest") != "true":
        raise Unreadable('`shortest` is "true", or not there')
    if shortest:
        stable_up_to(subject, len(word) - 1)
        proved += "; no shorter word has spectral radius 1 or more"
    length = integer(claim.get("word_length", str(len(word))), "word_length", 1, 10_000)
    if length != len(word) or ("word_length" in claim and not shortest):
        raise Refused("the word is not the shortest, or not of the claimed length")
    return proved + which


def diverges_realised(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """A word along which the derivatives of iterates grow that converge to the fixed point without reaching it."""
    word = realised_word(subject, witness)
    if subject.J0 is None:
        raise Unreadable("`J0` is missing")
    proved = excited_growth(subject, word, subject.J0, witness)
    start = f", for J_0 = {say_matrix(subject.J0)}"
    return f"some iterates converge to the fixed point without reaching it, and {proved}{start}"


def excited_growth(subject: Subject, word: list[int], J0: Matrix, witness: Data) -> str:
    """What is proved: along the word repeated, J -> A J + B grows from J0."""
    r, growth = modulus(subject, word, witness), number(witness["growth_lower"], "growth_lower")
    if not (growth > 1 and raised(growth, len(word)) <= r):
        raise Refused("the growth per step is not above 1, or not proved by the modulus")
    j = column_of(subject, witness)
    A, B = subject.product(word)
    if not has_root_beyond(start_polynomial(subject, A, B, J0, j), r):
        raise Refused("the start does not excite the growing part")
    eigenvector(subject, witness, A, B, J0, j)
    return f"along the word {' '.join(map(str, word))} of {subject} the derivatives grow by {say(growth)} per step"


def start_derivative(subject: Subject) -> tuple[Matrix, str]:
    """J_0: the derivative of a start that is the fixed point, otherwise the one that the certificate chooses."""
    found = start_derivatives(subject) if isinstance(subject, FixedPoint) else []
    if not found and subject.J0 is None:
        raise Unreadable("`J0` is missing; the start does not give it")
    J0 = found[0] if subject.J0 is None else subject.J0
    if not all(equal(J, J0) for J in found):
        raise Refused("the derivative of the start is not one matrix, or not the stated J0")
    return J0, "" if found else f", for J_0 = {say_matrix(J0)}"


def start_derivatives(subject: FixedPoint) -> list[Matrix]:
    """The derivatives of all pieces of a start that is the fixed point; none where it is another point."""
    map_ = subject.map
    if map_.start is None:
        return []
    values = map_.value(map_.start, map_.at)
    if not map_.is_fixed(values, subject.x):
        if not any(v.apart(Interval(c)) for v, c in zip(values, subject.x.values(), strict=True)):
            raise Refused("whether the start is the fixed point is not decided")
        return []
    patterns = Patterns(interior=True).run(map_.program, map_.start, map_.jets(map_.at, map_.parameters))
    return [[jet.slopes(subject.m) for jet in subject.require_fixed(pattern.outputs)] for pattern in patterns]


def eigenvector(subject: Subject, witness: Data, A: Matrix, B: Matrix, J0: Matrix, column: int) -> None:
    """What is stated of an eigenvalue: v A = lambda v, |lambda| > 1, c = v J_0 + v B / (lambda - 1) not 0 there."""
    stated = [key in witness for key in ("eigenvalue", "left_eigenvector", "excitation")]
    if not any(stated):
        return
    if not all(stated):
        raise Unreadable("`eigenvalue`, `left_eigenvector` and `excitation` stand together")
    value = number(witness["eigenvalue"], "eigenvalue")
    v = matrix([witness["left_eigenvector"]], "left_eigenvector", 1, subject.p)
    c = matrix([witness["excitation"]], "excitation", 1, subject.m)
    if abs(value) <= 1 or not equal(times(v, A), [[Interval(value) * a for a in v[0]]]):
        raise Refused("the stated eigenvector is none, or its eigenvalue has no modulus above 1")
    if not equal(combine(times(v, J0), Interval(1 / (value - 1)), times(v, B)), c) or c[0][column].is_zero:
        raise Refused("the stated excitation is not the right one, or zero")


def diverges_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """The joint spectral radius is below 1; or a shorter word than claimed diverges, or none of that length does."""
    if witness["method"] in KINDS:
        rate = contraction(subject, witness)
        return f"the joint spectral radius of {subject} is at most {say(rate)}: all sequences are bounded"
    if "word_length" not in claim:
        raise Unreadable("`claim`: `word_length` is missing")
    length = integer(claim["word_length"], "word_length", 1, 10_000)
    if witness["method"] == "no_short_word":
        stable_up_to(subject, length)
        return f"every word over {subject} of length at most {length} has spectral radius below 1"
    if len(subject.word(witness["word"])) >= length:
        raise Refused("the word is not shorter than claimed")
    return diverges_proved({}, subject, witness)
