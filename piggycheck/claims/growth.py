"""What claims say of a word along which derivatives grow: exponentially, or like a power of the number of rounds."""

from __future__ import annotations

from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.claims.base import decimals_below, word_text
from piggycheck.claims.subject import Subject
from piggycheck.derivation import PolynomialGrowthStep, WordStep
from piggycheck.stability import DivergingWord, PolynomialGrowth
from piggycheck.stability.polynomial_growth import growth_name
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["growth_found", "growth_reason", "growth_step", "growth_value", "growth_witness"]

_ONE = fmpq(1)

Found = DivergingWord | PolynomialGrowth


def growth_step(subject: Subject, found: Found, word: Word, complete: bool) -> WordStep:
    """Tell what was found in letters: of a system that a graph unfolds, only one block is told."""
    A, B = subject.system.product(word)
    block = _block(subject.system, found.word)
    J0, shortest = fmpq_mat(found.J0.table()[block]), found.shortest and complete
    if isinstance(found, PolynomialGrowth):
        left = None if found.left_vector is None else found.left_vector[block]
        return PolynomialGrowthStep(
            word,
            A,
            B,
            A.charpoly(),
            _ONE,
            _ONE,
            J0,
            found.column,
            shortest=shortest,
            degree=found.degree,
            factor=found.factor,
            left_vector=left,
            leading=found.leading,
        )
    eigenvector = None if found.left_eigenvector is None else found.left_eigenvector[block]
    return WordStep(
        word,
        A,
        B,
        A.charpoly(),
        found.modulus_lower,
        found.growth_lower,
        J0,
        found.column,
        found.eigenvalue,
        eigenvector,
        found.excitation,
        shortest,
    )


def _block(system: SwitchedSystem, word: Word) -> slice:
    """The coordinates in which a path starts; all of them without a graph."""
    if not system.graph:
        return slice(0, system.dimension)
    nodes = sorted({node for source, _, target in system.graph for node in (source, target)})
    place = nodes.index(system.graph[word[0]][0])
    return slice(place * system.dimension, (place + 1) * system.dimension)


def growth_witness(subject: Subject, found: Found, step: WordStep) -> dict[str, Any]:
    """Return what a certificate says of the growth."""
    word = found.word if subject.system.graph else step.word
    if isinstance(found, PolynomialGrowth):
        witness = {
            "method": "polynomial_growth",
            "word": word,
            "column": found.column,
            "degree": found.degree,
            "factor": list(reversed(found.factor.coeffs())),
        }
        stated = {"left_vector": found.left_vector, "leading": found.leading}
    else:
        witness = {
            "method": "word",
            "word": word,
            "modulus_lower": step.modulus_lower,
            "growth_lower": step.growth_lower,
            "column": step.column,
        }
        stated = {
            "eigenvalue": found.eigenvalue,
            "left_eigenvector": found.left_eigenvector,
            "excitation": found.excitation,
        }
    witness |= {key: entry for key, entry in stated.items() if entry is not None}
    return {**witness, "shortest": True} if step.shortest else witness


def growth_value(step: WordStep) -> dict[str, Any]:
    """Return the values of an answer that says along which word derivatives grow, and how."""
    value: dict[str, Any] = {
        "word": list(step.word),
        "word_length": len(step.word),
        "eigenvalue_modulus_lower": str(step.modulus_lower),
        "growth_lower": str(step.growth_lower),
        "growth": growth_name(step.degree) if isinstance(step, PolynomialGrowthStep) else "exponential",
    }
    if step.eigenvalue is not None:
        value["eigenvalue"] = str(step.eigenvalue)
        value["excitation"] = [str(entry) for entry in step.excitation or ()]
    value["shortest"] = step.shortest
    return value


def growth_found(found: Found, word: Word) -> str:
    """Say how fast the derivatives grow along a word."""
    if isinstance(found, PolynomialGrowth):
        like = "linearly" if found.degree == 1 else f"like k^{found.degree} after k rounds"
        return f"along the word {word_text(word)}, repeated, the derivatives grow {like}"
    factor = decimals_below(found.growth_lower)
    return f"along the word {word_text(word)} the derivatives grow by a factor of at least {factor} per step"


def growth_reason(found: Found) -> str:
    """Say why the derivatives grow along a word."""
    if isinstance(found, PolynomialGrowth):
        root = "an eigenvalue of modulus 1" if found.eigenvalue is None else f"the eigenvalue {found.eigenvalue}"
        times = "twice" if found.degree == 1 else f"{found.degree + 1} times"
        return f"J_0 and B_w together excite {root} of the word {times}"
    if found.eigenvalue is not None:
        return f"the product along the word has the eigenvalue {found.eigenvalue}, and J_0 excites it"
    return f"the product along the word has an eigenvalue of modulus at least {found.modulus_lower}, and J_0 excites it"
