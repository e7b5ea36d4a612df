"""Decide one cell: by certificates found nearby, then by new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from piggycheck.regions.forms import contracted_by, guess_forms
from piggycheck.regions.growth import Enclosed, enclosed_letters, grows
from piggycheck.regions.guesses import growing_words, grows_at, long_growing_words
from piggycheck.regions.polygon import contains_images, guess_polygon, maps_inside
from piggycheck.regions.polynomials import Bounds, Letters, bernstein_matrices
from piggycheck.stability.floats import float_matrices
from piggycheck.switched import Word

__all__ = ["Evidence", "decide_cell", "holds_on"]

Array = NDArray[np.float64]

_SHORT_WORDS = 3
_LONGEST_MEMORY, _MOST_FORMS = 2, 8
_LONG_WORDS = 2


@dataclass(frozen=True)
class Evidence:
    """What decides a cell.

    Parameters
    ----------
    kind : str
        ``polygon`` or ``forms``: the joint spectral radius is below 1 for every member; ``word``: the product along it
        has an eigenvalue beyond 1 in modulus for every member.
    data : tuple
        Half of the vertices, pairs of integers; or the rows of the forms, integers; or the letters.

    Examples
    --------
    >>> Evidence("word", (0,)).verdict, Evidence("word", (0, 1)).verdict, Evidence("forms", (((1,),),)).verdict
    ('unstable', 'diverges', 'converges')
    """

    kind: str
    data: tuple[Any, ...]

    @property
    def verdict(self) -> str:
        """Whether members converge, diverge, or have a piece that is unstable on its own."""
        if self.kind != "word":
            return "converges"
        return "unstable" if len(set(self.data)) == 1 else "diverges"


class _Members:
    """The members of a cell: exact ones, in floating point, and enclosed."""

    def __init__(self, letters: Letters, bounds: Bounds) -> None:
        self.letters, self.bounds = letters, bounds
        self._exact: list[list[fmpq_mat]] | None = None
        self._enclosed: list[list[list[Enclosed]]] | None = None

    @property
    def exact(self) -> list[list[fmpq_mat]]:
        """For each piece, matrices of whose convex hull those of all members are elements."""
        if self._exact is None:
            self._exact = [bernstein_matrices(M, self.bounds) for M in self.letters]
        return self._exact

    @property
    def all_exact(self) -> list[fmpq_mat]:
        """Those of all pieces."""
        return [A for hull in self.exact for A in hull]

    @property
    def enclosed(self) -> list[list[list[Enclosed]]]:
        if self._enclosed is None:
            self._enclosed = enclosed_letters(self.letters, self.bounds)
        return self._enclosed

    def sampled(self) -> Array:
        """The centre and the corners, in floating point."""
        (a, b), (c, d) = self.bounds
        points = [((a + b) / 2, (c + d) / 2), (a, c), (a, d), (b, c), (b, d)]
        return np.array([float_matrices(self.at(*point)) for point in points])

    def at(self, x: fmpq, y: fmpq) -> list[fmpq_mat]:
        """The matrices of one member."""
        return [fmpq_mat([[p.value(x, y) for p in row] for row in M]) for M in self.letters]


@np.errstate(all="ignore")
def decide_cell(letters: Letters, bounds: Bounds, nearby: Sequence[Evidence] = ()) -> Evidence | None:
    """Prove that all members of a cell converge, or that all diverge.

    Parameters
    ----------
    letters : Letters
        The matrices of the pieces, as polynomials in the unknowns.
    bounds : Bounds
        Of the cell.
    nearby : sequence of Evidence
        What decided cells nearby, the most promising first.

    Returns
    -------
    Evidence or None
        None when nothing was proved.

    Examples
    --------
    >>> from piggycheck.regions.polynomials import Polynomial
    >>> x = Polynomial({(1, 0): fmpq(1)})
    >>> [decide_cell([[[x]]], ((fmpq(low), fmpq(high)), (fmpq(0), fmpq(1)))) for low, high in ((0, 2), (2, 3))]
    [None, Evidence(kind='word', data=(0,))]

    Notes
    -----
    When this fails: cells that the boundary crosses, and members very near it.
    """
    members = _Members(letters, bounds)
    samples = members.sampled()
    words, some_grow = growing_words(samples, _SHORT_WORDS)
    if words and len(words[0]) == 1 and grows(members.enclosed, words[0]):
        return Evidence("word", words[0])
    hull = float_matrices(members.all_exact)
    for evidence in nearby:
        if _seems_to_hold(evidence, samples, hull, some_grow) and _holds(evidence, members):
            return evidence
    for word in words:
        if len(word) > 1 and grows(members.enclosed, word):
            return Evidence("word", word)
    if not some_grow:
        found = _converging(members, hull)
        if found is not None:
            return found
    return None if words else _long_word(members, samples)


def holds_on(letters: Letters, bounds: Bounds, evidence: Evidence) -> bool:
    """Prove that some evidence decides a cell; False means only that it was not proved.

    Examples
    --------
    >>> from piggycheck.regions.polynomials import Polynomial
    >>> x = Polynomial({(1, 0): fmpq(1)})
    >>> unit = (fmpq(0), fmpq(1))
    >>> [holds_on([[[x]]], ((fmpq(0), end), unit), Evidence("forms", (((1,),),))) for end in (fmpq(1, 2), fmpq(1))]
    [True, False]
    """
    return _holds(evidence, _Members(letters, bounds))


def _holds(evidence: Evidence, members: _Members) -> bool:
    if evidence.kind == "word":
        return grows(members.enclosed, evidence.data)
    if evidence.kind == "polygon":
        return contains_images(evidence.data, members.all_exact)
    return contracted_by(evidence.data, members.exact)


def _seems_to_hold(evidence: Evidence, samples: Array, hull: Array, some_grow: bool) -> bool:
    if evidence.kind == "word":
        return grows_at(samples, evidence.data)
    return not some_grow and (evidence.kind == "forms" or maps_inside(evidence.data, hull))


def _converging(members: _Members, hull: Array) -> Evidence | None:
    if hull.shape[-1] == 2:
        vertices = guess_polygon(hull)
        if vertices is not None and contains_images(vertices, members.all_exact):
            return Evidence("polygon", tuple(vertices))
        return None
    stacks = [float_matrices(exact) for exact in members.exact]
    for memory in range(_LONGEST_MEMORY + 1):
        if len(stacks) ** memory > _MOST_FORMS:
            break
        forms = guess_forms(stacks, memory)
        if forms is not None and contracted_by(forms, members.exact):
            return Evidence("forms", forms)
    return None


def _long_word(members: _Members, samples: Array) -> Evidence | None:
    """A long word, where the middle seems to diverge."""
    (a, b), (c, d) = members.bounds
    if samples.shape[-1] == 2 and guess_polygon(samples[0]) is not None:
        return None
    words: list[Word] = long_growing_words(members.at((a + b) / 2, (c + d) / 2), _LONG_WORDS)
    for word in words:
        if grows_at(samples, word) and grows(members.enclosed, word):
            return Evidence("word", word)
    return None
