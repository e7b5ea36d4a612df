"""Floating-point scores that guide a search: positive where a claim may well hold. They prove nothing."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from piggycheck.arrays import FLOAT64
from piggycheck.case.model import Case
from piggycheck.claims import Claim, EnclosedSubject, Subject
from piggycheck.errors import InputError, UnknownError
from piggycheck.linalg import as_float
from piggycheck.maps.base import BoundMap
from piggycheck.stability.floats import Array, float_matrices, leading_products
from piggycheck.stability.quadratic import guess_quadratic_form

__all__ = ["SCORES", "has_score", "score"]

_LENGTH = 10
_BEAM = 128
_STARTS = 5
_STEPS = 160
_CLOSE = 1e-9
_SMALL = 1e-3
_FOLLOWED = 16
_FAR = 10
_FARTHEST = 1e100


def score(case: Case) -> float:
    """Return the smallest of the scores of the claims of a case; minus infinity where it makes no sense.

    Examples
    --------
    >>> from piggycheck.case import load_case
    >>> round(score(load_case("casebook/heavy-ball-1d/case.toml")), 3)   # log2 of 1.031, along a word of length 10
    0.044
    """
    try:
        subject = case.subject()
        if isinstance(subject, EnclosedSubject):
            subject = subject.symbolic()
        return min((SCORES[claim.kind](claim, subject) for claim in case.claims if has_score(claim)), default=math.inf)
    except (InputError, UnknownError):
        return -math.inf


def has_score(claim: Claim) -> bool:
    """Whether there is a score for a claim; what converges along the words of iterates has none."""
    return claim.kind in SCORES and (claim.kind == "diverges" or getattr(claim, "words", "all") == "all")


def _growth(claim: Claim, subject: Subject) -> float:
    """The largest binary logarithm of a rate of growth, of words of at most ten letters."""
    found = leading_products(subject.system.A, _LENGTH, math.inf, _BEAM)
    if getattr(claim, "words", "all") == "realisable":
        return _growth_of_followed(subject, found)
    return max((float(rates[0]) for _, rates in found if len(rates)), default=-math.inf)


def _growth_of_followed(subject: Subject, found: Iterable[tuple[Any, Array]]) -> float:
    """The same of words that some iterates follow while they converge; far below 0 where none does."""
    A, centre = float_matrices(subject.system.A), _floats(subject.point.state.values())
    step = subject.iteration.map.bind(subject.at, FLOAT64)
    largest = -math.inf
    for words, rates in found:
        largest = max(largest, *rates[:1])
        for word, rate in zip(words[:_FOLLOWED], rates, strict=False):
            if rate > 0 and any(_follows(step, centre, A[word], d) for d in _shrinking(A[word])):
                return float(rate)
    return largest - _FAR


def _shrinking(letters: Array) -> Iterator[Array]:
    """Real eigenvectors of a product, of eigenvalues between 0 and 1, of norm 1, and their negatives."""
    product = np.linalg.multi_dot([np.eye(letters.shape[1]), np.eye(letters.shape[1]), *letters[::-1]])
    values, vectors = np.linalg.eig(product)
    for value, vector in zip(values, vectors.T, strict=True):
        if value.imag == 0 and 0 < value.real < 1:
            yield vector.real
            yield -vector.real


def _follows(step: BoundMap, centre: Array, letters: Array, displacement: Array) -> bool:
    """Whether the map does to a small displacement of the fixed point what some letters do."""
    for A in letters:
        moved = step(FLOAT64.enclosed((centre + _SMALL * displacement)[:, None])).value.centre[:, 0]
        displacement = A @ displacement
        if np.abs(moved - centre - _SMALL * displacement).max() > _SMALL * _CLOSE:
            return False
    return True


def _contraction(claim: Claim, subject: Subject) -> float:
    return -_growth(claim, subject)


def _without_form(claim: Any, subject: Subject) -> float:
    """The binary logarithm of the least rate that one quadratic form shows, over the rate of the claim."""
    guess = guess_quadratic_form(subject.system.A, tolerance=1e-2)
    return -math.inf if guess is None else math.log2(max(guess[1], _CLOSE)) - math.log2(as_float(claim.rate or 1))


def _settling(claim: Claim, subject: Subject) -> float:
    """How many binary digits iterates from random starts gain in each step, in the worst case."""
    centre = _floats(subject.point.state.values())
    orbits = _orbits(subject, centre, [2.0**size for size in range(_STARTS)])
    return min(_digits_gained(np.abs(orbit - centre).max(axis=1)) for orbit in orbits)


def _cycling(claim: Any, subject: Subject) -> float:
    """How much closer to their place iterates come back after a period than before, in binary digits."""
    start = subject.iteration.start_at(subject.at) if subject.iteration.start is not None else {}
    around = _floats(start.get(variable, 0) for variable in subject.iteration.map.state)
    sizes = [0.0] if claim.from_start else [2.0**size for size in range(_STARTS)]
    return max(_closing(orbit, claim.period) for orbit in _orbits(subject, around, sizes))


def _closing(orbit: Array, period: int) -> float:
    if len(orbit) < max(_STEPS, period + 2):
        return -math.inf
    unit = _CLOSE * (1 + np.abs(orbit[-1]).max())
    home, *away = np.abs(orbit[-1 - period : -1] - orbit[-1]).max(axis=1)
    if min(away, default=1.0) < unit:  # at rest, or back too early
        return -_digits_gained(np.abs(np.diff(orbit, axis=0)).max(axis=1))
    return math.log2((min(away, default=1.0) + unit) / (home + unit)) / len(orbit)


def _digits_gained(distances: Array) -> float:
    """How fast distances decay: near the end, or on the whole where that is beyond floating point."""
    distances = np.maximum(distances, np.finfo(float).tiny)
    late, last = np.array_split(distances, 4)[2:]
    first, final = distances[0], last.max()
    if not first * _CLOSE <= final <= first / _CLOSE:
        return (math.log2(first) - math.log2(final)) / len(distances)
    return math.log2(late.max() / final) / len(last)


def _orbits(subject: Subject, around: Array, sizes: Sequence[float]) -> Iterator[Array]:
    """Iterates from random starts at about these distances from a point; they end early when they are very large."""
    generator = random.Random(0)
    step = subject.iteration.map.bind(subject.at, FLOAT64)
    for size in sizes:
        x = np.array([[c + size * generator.uniform(-1, 1)] for c in around])
        orbit = [x]
        while len(orbit) < _STEPS and np.abs(x).max() < _FARTHEST:
            x = step(FLOAT64.enclosed(x)).value.centre
            orbit.append(x)
        yield np.array(orbit)[:, :, 0]


def _floats(numbers: Iterable[Any]) -> Array:
    return np.array([float(number) for number in numbers])


SCORES: dict[str, Callable[[Any, Subject], float]] = {
    "converges": _contraction,
    "cycle": _cycling,
    "diverges": _growth,
    "iterates_converge": _settling,
    "no_common_quadratic_form": _without_form,
}
"""By kind of claim."""
