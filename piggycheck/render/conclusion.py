"""What a verdict says in words: why it holds, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from piggycheck import derivation as d
from piggycheck.render.formula import Decimal, Paragraph, Part, listed, sentence
from piggycheck.render.inline import inline
from piggycheck.render.numbers import exactly

__all__ = ["conclusion", "grows"]

_MOST_PIECES = 8
_ABOUT_MATRICES = ("joint_spectral_radius", "no_common_quadratic_form")


def conclusion(verdict: Any, names: Iterable[str] = (), *, practice: bool = True) -> list[Paragraph]:
    """Say in words why the verdict holds, and what it does not say.

    Parameters
    ----------
    verdict : Proved, Refuted or Undecided
    names : iterable of str
        Names of state and parameters, to be recognised in sentences.
    practice : bool
        Whether to say of a growing word what programs see of it.

    Returns
    -------
    list of Paragraph
    """
    names = tuple(names)
    if verdict.name == "undecided":
        return _undecided(verdict, names)
    said: list[Part] = []
    if verdict.reason not in ("", verdict.found):
        said += [*inline(_capital(verdict.reason), names), ". "]
    if verdict.kind == "joint_spectral_radius" and verdict.value.get("upper") == "1":
        said.append("A radius of at most 1 does not say that derivatives converge; that needs one below 1. ")
    word = verdict.derivation.first(d.WordStep)
    if word is None or verdict.kind in _ABOUT_MATRICES:
        return [Paragraph(tuple(said))] if said else []
    slow = isinstance(word, d.PolynomialGrowthStep)
    if slow:
        said.append("That is divergence, too, but not exponential. ")
    elif verdict.kind == "diverges":
        said += ["In each step the growth is at least ", *exactly(word.growth_lower), ". "]
    if verdict.kind == "converges":
        said.append("This refutes the claim; it is more than the absence of a proof. ")
    if word.shortest and len(word.word) > 1:
        said.append("No shorter word does this: each was decided, exactly, to have a spectral radius below 1. ")
    practice = practice and (word.modulus_lower > 1 or slow) and verdict.derivation.first(d.RealisedStep) is None
    return [Paragraph(tuple(said)), *([_what_practice_sees(verdict, word)] if practice else [])]


def _what_practice_sees(verdict: Any, word: d.WordStep) -> Paragraph:
    """Keep the reader from taking diverging selections for diverging programs."""
    system = next((s for s in verdict.derivation if isinstance(s, (d.PiecesStep, d.SwitchedStep))), None)
    if system is None:
        return sentence("The statement is about selections.")
    given = isinstance(system, d.SwitchedStep)
    if given and system.graph:
        return sentence(
            "What this says: along some path of the graph the set-valued recursion contains diverging selections."
        )
    if len(system.A) == 1:
        return sentence(f"There is one {'pair' if given else 'piece'} only, so every program sees this growth.")
    if not given and not system.exact:
        return sentence("What this says: the conservative recursion contains diverging selections.")
    radii = [_spectral_radius(A) for A in system.A[:_MOST_PIECES]]
    radii_shown = listed([(Decimal(f"{radius:.6f}"),) for radius in radii])
    more = ", …" if len(system.A) > _MOST_PIECES else ""
    comparison = (
        f"For comparison, the single {'pairs' if given else 'pieces'} have the spectral radii ",
        *radii_shown,
        f"{more} (numerical)",
    )
    says = f"What this says: the {'set-valued' if given else 'conservative'} recursion contains diverging selections. "
    decided = word.shortest and len(word.word) > 1
    if not decided and max(radii) >= 1:
        return Paragraph((says, *comparison, ": where one exceeds 1, taking it in every step grows already."))
    who = (
        "taking the same pair in every step"
        if given
        else "every program with a fixed branch rule at the kink, which takes the same piece in every step,"
    )
    below = (
        f", each below 1, as was decided exactly: {who} converges."
        if decided
        else f": if each is below 1, {who} converges."
    )
    tail = "" if given else " Nor is it about the classical derivative along iterates that leave the kink."
    return Paragraph((says, "What it does not say: that practice sees them. ", *comparison, below + tail))


def _spectral_radius(A: Any) -> float:
    import numpy as np

    from piggycheck.linalg import float_rows

    return float(max(abs(np.linalg.eigvals(np.array(float_rows(A))))))


def _undecided(verdict: Any, names: tuple[str, ...]) -> list[Paragraph]:
    why = (": ", *inline(verdict.reason, names)) if verdict.reason not in ("", verdict.found) else ()
    said = [Paragraph(("Neither the claim nor its negation was proved", *why, "."))]
    if verdict.tried:
        said.append(sentence("Tried: " + "; ".join(verdict.tried) + "."))
    if verdict.bounds:
        bounds: list[Part] = ["Proved on the way: "]
        for i, (name, value) in enumerate(verdict.bounds.items()):
            bounds += ["; " if i else "", f"{_BOUNDS.get(name, name.replace('_', ' '))} ", *_bound(value)]
        said.append(Paragraph((*bounds, ".")))
    if verdict.would_help:
        said.append(sentence(f"What would help: {verdict.would_help}."))
    return said


_BOUNDS = {
    "lower": "the joint spectral radius is at least",
    "upper": "the joint spectral radius is at most",
    "exhaustive_below": "no word diverges of length below",
}


def _bound(value: Any) -> tuple[Part, ...]:
    try:
        return exactly(Fraction(str(value)))
    except (ValueError, ZeroDivisionError):
        return (str(value),)


def grows(verdict: Any) -> bool:
    """Whether the verdict says of a word that its products grow."""
    word = verdict.derivation.first(d.WordStep)
    return verdict.kind != "joint_spectral_radius" and word is not None and bool(word.modulus_lower > 1)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if not text[:3].strip().startswith(("J_", "A_")) else text
