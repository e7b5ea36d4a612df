"""What verdicts put into pictures of the piggyback set: the matrices that they are about, and a box around the set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.claims.base import word_text
from piggycheck.claims.entry import Entry
from piggycheck.claims.set_views import Mark
from piggycheck.claims.verdict import Verdict
from piggycheck.linalg import as_float, matrix

__all__ = ["claim_of", "marks_of", "proved_box", "returned_limit"]

_Place = Callable[[fmpq_mat], tuple[float, ...]]


def claim_of(verdict: Verdict) -> dict[str, Any]:
    """Return the claim as the certificate of a verdict states it; empty without a certificate."""
    return _content(verdict).get("claim", {})


def marks_of(verdicts: Sequence[Verdict], place: _Place) -> tuple[Mark, ...]:
    """Mark the matrices that verdicts are about.

    Parameters
    ----------
    verdicts : sequence of verdicts
    place : callable
        The entries of a matrix that the picture shows.

    Returns
    -------
    tuple of Mark
        Of two that say the like of the same matrix the later one.
    """
    marks = [mark for verdict in verdicts for mark in _marks(verdict, place)]
    return tuple({(mark.place, mark.role): mark for mark in marks}.values())


def proved_box(
    verdicts: Sequence[Verdict], shape: tuple[int, int], entries: Sequence[Entry]
) -> tuple[float, float, float, float] | None:
    """Return the box around the set that a verdict has proved, for two entries; None when none has."""
    for verdict in verdicts:
        upper = [bound["upper"] for bound in _content(verdict).get("witness", {}).get("bounds", ())]
        rows, columns = shape
        if verdict.kind != "piggyback_bounds" or "directions" in claim_of(verdict) or len(upper) != 2 * rows * columns:
            continue
        ends = [as_float(fmpq(*map(int, (text.split("/") + ["1"])[:2]))) for text in upper]
        places = [2 * (r * columns + c) for r, c in entries]
        return tuple(end for place in places for end in (-ends[place + 1], ends[place]))
    return None


def _content(verdict: Verdict) -> dict[str, Any]:
    certificate = getattr(verdict, "certificate", None)
    return {} if certificate is None else certificate.content


def _marks(verdict: Verdict, place: _Place) -> Iterable[Mark]:
    claim, witness = claim_of(verdict), _content(verdict).get("witness", {})
    of = "J^pb" if claim.get("hull") != "true" else "J^pb of the hull"
    asked, what = claim.get("value"), "the matrix asked for"
    if verdict.kind != "in_piggyback_set":
        asked, what = returned_limit(verdict), "a limit in practice"
    if asked is not None:
        proved = verdict.name == "proved"
        label = f"{what}: proved {'in' if proved else 'outside'} {of}"
        yield Mark(label, place(matrix(asked)), "inside" if proved else "outside")
    if verdict.kind == "implicit_set_exceeds_clarke" and "matrix" in witness:
        label = "by implicit differentiation: outside the Clarke Jacobian"
        yield Mark(label, place(matrix(witness["matrix"])), "implicit")
    if verdict.kind == "implicit_is_strict" and "matrix" in witness:
        word = word_text(tuple(map(int, witness["word"])))
        implicit = "J^imp" if claim.get("hull") != "true" else "J^imp of the hull"
        label = f"fixed point of the word {word}: outside {implicit}"
        yield Mark(label, place(matrix(witness["matrix"])), "witness")


def returned_limit(verdict: Verdict) -> Any:
    """Return the limit of a policy, where it was proved in the set or outside; None of other claims."""
    return _content(verdict).get("witness", {}).get("limit") if verdict.kind == "practice_agrees" else None
