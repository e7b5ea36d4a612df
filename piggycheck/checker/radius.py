"""Bounds on the joint spectral radius as claims of their own, and that no common quadratic form exists."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .boxes import contracts, lowered, positive_form, read_scaled, square
from .definite import semidefinite
from .intervals import raised
from .proofs import rate_proved
from .reading import Data, Refused, Unreadable, array, fields, number, say
from .scaled import Scaled, combined, symmetric
from .stability import modulus
from .subject import Subject

TOLERANCE = Fraction(1, 1000)  # of a claim that states nothing


def radius_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """Words and proofs give the claimed bounds, or bounds that are as close as claimed."""
    claimed = claimed_bounds(claim) or {"tolerance": TOLERANCE}
    lower, upper, found = bounds(subject, witness)
    if "tolerance" in claimed and (lower is None or upper is None or upper > (1 + claimed["tolerance"]) * lower):
        raise Refused("the bounds are not as close as claimed")
    if "lower" in claimed and (lower is None or lower < claimed["lower"]):
        raise Refused("the lower bound is not proved")
    if "upper" in claimed and (upper is None or upper > claimed["upper"]):
        raise Refused("the upper bound is not proved")
    return found


def radius_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """A word has a larger rate than the claimed upper bound, or a proof a smaller one than the claimed lower bound."""
    claimed = claimed_bounds(claim)
    lower, upper, found = bounds(subject, witness)
    too_large = lower is not None and "upper" in claimed and exceeds(witness["lower"], claimed["upper"])
    too_small = upper is not None and "lower" in claimed and upper < claimed["lower"]
    if not too_large and not too_small:
        raise Refused("the bounds do not contradict the claim")
    return found


def claimed_bounds(claim: Data) -> dict[str, Fraction]:
    """The numbers that a claim states."""
    names = ("lower", "upper", "tolerance")
    claimed = {name: number(claim[name], f"claim.{name}") for name in names if name in claim}
    if any(value < 0 for value in claimed.values()):
        raise Unreadable("`claim`: a bound or a tolerance is negative")
    return claimed


def bounds(subject: Subject, witness: Data) -> tuple[Fraction | None, Fraction | None, str]:
    """The bounds of a witness, and what they say."""
    lower = upper = None
    found = []
    if "lower" in witness:
        lower = rate_of_word(subject, fields(witness["lower"], "lower", ("word", "modulus_lower", "rate"), ("forms",)))
        found.append(f"at least {say(lower)}")
    if "upper" in witness:
        subject.require_all_pieces()
        upper = rate_proved(subject.boxes, witness["upper"], 0)
        found.append(f"at most {say(upper)}")
    return lower, upper, f"the joint spectral radius of {subject} is {' and '.join(found)}"


def rate_of_word(subject: Subject, data: Data) -> Fraction:
    """A rate of which the power by the length of a word is at most the modulus of an eigenvalue of its product."""
    rate, r = number(data["rate"], "lower.rate"), number(data["modulus_lower"], "modulus_lower")
    word = subject.word(data["word"], active=r != 0)
    if "forms" in data:
        grows_along(subject, word, array(data["forms"], "forms", len(word)), rate)
        if r > raised(rate, len(word)):
            raise Refused("the modulus is not proved by the rate of the forms")
    elif r != 0:
        modulus(subject, word, data)
    if rate < 0 or raised(rate, len(word)) > r:
        raise Refused("the rate of the word is negative, or not proved by the modulus")
    return rate


def grows_along(subject: Subject, word: list[int], listed: list[Any], rate: Fraction) -> None:
    """Forms with (A x)^T P_{k+1} (A x) >= rate^2 x^T P_k x, A the k-th letter: what is positive once grows for ever."""
    forms = [read_scaled(data, "a form", subject.p, subject.p) for data in listed]
    if not all(map(symmetric, forms)) or semidefinite(combined([(Fraction(-1), forms[0])])):
        raise Refused("a form is not symmetric, or the first of them is nowhere positive")
    for letter, P, Q in zip(word, forms, forms[1:] + forms[:1], strict=True):
        centre, deviation = square(subject.boxes[letter], Q)
        if not semidefinite(lowered(combined([(Fraction(1), centre), (-rate * rate, P)]), [deviation])):
            raise Refused("the forms do not grow at the rate along the word, or this is not decided")


def exceeds(data: Data, bound: Fraction) -> bool:
    """Whether the modulus of a word that was checked contradicts a bound on the rate."""
    return number(data["modulus_lower"], "modulus_lower") > raised(bound, len(data["word"]))


def no_common_form_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """S = sum A_i Q_i A_i^T - rate^2 Q_i is semidefinite and not zero, each Q_i semidefinite.

    Then trace(P S) > 0 for a positive definite P; with A_i^T P A_i <= rate^2 P for every i, it would not be positive.
    """
    rate = claimed_rate(claim)
    listed = array(witness["Q"], "Q", len(subject.A))
    Q = [positive_form(data, "a matrix Q", subject.p, definite=False) for data in listed]
    if any(any(map(any, q.rows)) and not active for q, active in zip(Q, subject.active, strict=True)):
        raise Refused("a multiplier belongs to a piece without a direction that proves it essentially active")
    images = [square(A.transposed(), q) for A, q in zip(subject.boxes, Q, strict=True)]
    terms = [(Fraction(1), image) for image, _ in images] + [(-rate * rate, q) for q in Q]
    S = lowered(combined(terms), [deviation for _, deviation in images])
    if not semidefinite(S) or trace(S) == 0:
        raise Refused("the sum is not positive semidefinite, or zero, or this is not decided")
    return f"no positive definite P has A^T P A <= ({say(rate)})^2 P for every A among {subject}"


def no_common_form_excluded_by_word(claim: Data, subject: Subject, witness: Data) -> str:
    """A product grows faster than its norm in any such form would allow."""
    rate, word = claimed_rate(claim), subject.word(witness["word"], active=True)
    if modulus(subject, word, witness) <= raised(rate, len(word)):
        raise Refused("the modulus does not exceed the power of the rate")
    return f"no positive definite P has A^T P A <= ({say(rate)})^2 P for every A among {subject}"


def no_common_form_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """A form that has the rate for every matrix."""
    rate = claimed_rate(claim)
    subject.require_all_pieces()
    P = positive_form(witness["P"], "P", subject.p)
    if not all(contracts(A, P, rate * rate) for A in subject.boxes):
        raise Refused("the form does not have the rate for every matrix, or this is not decided")
    return f"some positive definite P has A^T P A <= ({say(rate)})^2 P for every A among {subject}"


def claimed_rate(claim: Data) -> Fraction:
    """The rate of a claim, 1 unless stated."""
    rate = number(claim.get("rate", "1"), "claim.rate")
    if rate < 0:
        raise Unreadable("`claim.rate` is negative")
    return rate


def trace(S: Scaled) -> Fraction:
    """The sum of the diagonal."""
    return Fraction(sum(S.rows[i][i] for i in range(len(S.rows))), S.denominator)
