"""Long words of large rate, put together from good short ones.

Where every short word is poor, the best words are often made of few blocks: powers of a letter with another letter in
between, or two good words in turn. All pairs of blocks are rated at once, by the trace of their product and of its
second compound; the best of them are blocks of the next round.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from itertools import combinations, islice, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from piggycheck.intervals import Letter
from piggycheck.stability.necklaces import necklace_of
from piggycheck.stability.words import power_of_two, ranked
from piggycheck.switched import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from piggycheck.stability.floats import Array

__all__ = ["concatenated_words"]

_MOST_BLOCKS = 1200
_MOST_ROTATIONS = 24
_FACTOR = 1.25
_SEEDS = 10
_REMEMBERED = 100
_CLOSER_LOOK = 1500
_CLOSER_ENTRIES = 200_000
_LARGEST_COMPOUND = 12
_COMPOUND_ENTRIES = 1_500_000
_ROWS = 256
_NOISE = 1e-5


def concatenated_words(
    A: Sequence[Letter],
    blocks: Sequence[Word] = (),
    *,
    max_length: int = 64,
    time_limit: float = 1.0,
    count: int = 6,
) -> list[tuple[Word, float]]:
    """Look for long words of large rate among products of powers and rotations of good short words.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Those between bounds count by their midpoints.
    blocks : sequence of Word
        Good words, the best first, as `piggycheck.stability.words.leading_words` finds them. All letters are blocks.
    max_length : int
        Longest words to look at.
    time_limit : float
        Seconds after which the search stops.
    count : int
        How many words are wanted.

    Returns
    -------
    list of (Word, float)
        With their rates, the largest first and of equal rates the shortest; no word is a rotation or a power of
        another, and each is its alphabetically first rotation.

    Examples
    --------
    >>> from flint import fmpq, fmpq_mat
    >>> shear, jump = fmpq_mat([[1, 1], [0, 1]]), fmpq_mat([[0, 0], [fmpq(1, 16), 0]])
    >>> word, rate = concatenated_words([shear, jump])[0]
    >>> len(word), word.count(1), round(rate**len(word), 9)
    (45, 1, 2.75)

    Notes
    -----
    Guesses in floating point. When this fails: the best word is not made of few different blocks, or its parts leave
    the ranking before they are joined.
    """
    if time_limit <= 0 or max_length < 1:
        return []
    from piggycheck.stability.floats import normed_matrices

    deadline = time.monotonic() + time_limit
    letters, exponent = normed_matrices(A)
    single: list[Word] = [(letter,) for letter in range(len(A))]
    seeds = single + [necklace_of(block) for block in blocks]
    rates: dict[Word, float] = {}
    while True:
        before = ranked(rates)[:count]
        for word, logarithm in _rated_pairs(_blocks(letters, seeds, max_length), max_length, deadline):
            rates.setdefault(word, logarithm)
        best = ranked(rates)
        if best[:count] == before or time.monotonic() > deadline:
            return [(word, power_of_two(logarithm + exponent)) for word, logarithm in best[:count]]
        rates = dict(best[:_REMEMBERED])
        seeds = single + [word for word, _ in best[:_SEEDS]]


class _Blocks(NamedTuple):
    """Words with their products, divided by powers of two that bring their entries near 1."""

    words: list[Word]
    products: Array
    logarithms: Array


def _blocks(letters: Array, seeds: Sequence[Word], max_length: int) -> _Blocks:
    """Powers of the rotations of all seeds in turn, without those whose product is zero."""
    import numpy as np

    layers = zip_longest(*(_powers(letters, seed, max_length) for seed in dict.fromkeys(seeds)))
    n = letters.shape[-1]
    minors = math.comb(min(n, _LARGEST_COMPOUND), 2) if n > 1 else 1
    most = min(_MOST_BLOCKS, _COMPOUND_ENTRIES // minors**2)
    blocks = list(islice((block for layer in layers for block in layer if block is not None), most))
    products = np.array([product for _, product, _ in blocks]).reshape(-1, n, n)
    return _Blocks([word for word, _, _ in blocks], products, np.array([logarithm for _, _, logarithm in blocks]))


def _powers(letters: Array, seed: Word, max_length: int) -> Iterator[tuple[Word, Array, float]]:
    """Powers of the rotations of a word; beyond the first few, exponents grow by a factor."""
    step = -(-len(seed) // _MOST_ROTATIONS)
    rotations = [seed[shift:] + seed[:shift] for shift in range(0, len(seed), step)]
    bases = [_scaled_product([letters[letter] for letter in rotation]) for rotation in rotations]
    powers, reached, exponent = bases, 1, 1
    while exponent * len(seed) <= max_length:
        while reached < exponent:
            steps = zip(powers, bases, strict=True)
            powers = [_scaled_product([base, power], log + more) for (power, log), (base, more) in steps]
            reached += 1
        for rotation, (product, logarithm) in zip(rotations, powers, strict=True):
            if product.any():
                yield rotation * exponent, product, logarithm
        exponent = max(exponent + 1, int(exponent * _FACTOR))


def _scaled_product(factors: Sequence[Array], logarithm: float = 0.0) -> tuple[Array, float]:
    """The product, the first factor acting first, divided by a power of two; and the logarithm of the whole factor."""
    product = factors[0]
    for index, factor in enumerate(factors):
        product = factor @ product if index else factor
        _, exponent = math.frexp(float(abs(product).max()))
        product, logarithm = product * 2.0**-exponent, logarithm + exponent
    return product, logarithm


def _rated_pairs(blocks: _Blocks, max_length: int, deadline: float) -> Iterator[tuple[Word, float]]:
    """Blocks, and pairs of blocks whose product has the largest rate, with its binary logarithm."""
    import numpy as np

    from piggycheck.stability.floats import logarithmic_radii

    if not blocks.words:
        return
    n = blocks.products.shape[-1]
    alone = logarithmic_radii(blocks.products[:_ROWS]) + blocks.logarithms[:_ROWS]
    for word, logarithm in zip(blocks.words, alone.tolist(), strict=False):
        if logarithm > -math.inf:
            yield necklace_of(word), logarithm / len(word)
    wanted = min(_CLOSER_LOOK, _CLOSER_ENTRIES // n**3 + 50)
    first, second, rates = _best_guesses(blocks, max_length, wanted, deadline)
    if n > 2:
        products = blocks.products[second] @ blocks.products[first]
        lengths = np.array([len(blocks.words[i]) + len(blocks.words[j]) for i, j in zip(first, second, strict=True)])
        rates = (logarithmic_radii(products) + blocks.logarithms[first] + blocks.logarithms[second]) / lengths
    for index in np.argsort(-rates, kind="stable").tolist():
        if rates[index] > -math.inf:
            yield necklace_of(blocks.words[first[index]] + blocks.words[second[index]]), float(rates[index])


def _best_guesses(
    blocks: _Blocks, max_length: int, wanted: int, deadline: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Indices of pairs whose product has the largest rate, as its two largest eigenvalues let us guess."""
    import numpy as np

    n = blocks.products.shape[-1]
    lengths = np.array([len(word) for word in blocks.words])
    traces = _PairTraces(blocks.products)
    compounds = _PairTraces(_second_compounds(blocks.products)) if n <= _LARGEST_COMPOUND else None
    found = []
    for start in range(0, len(lengths), _ROWS):
        rows = slice(start, start + _ROWS)
        together = lengths[rows, None] + lengths
        guesses = _larger_root(traces.rows(rows), compounds.rows(rows) if compounds else 0.0)
        rates = (guesses + blocks.logarithms[rows, None] + blocks.logarithms) / together
        rates[together > max_length] = -np.inf
        flat = rates.ravel()
        kept = np.argpartition(-flat, min(wanted, flat.size) - 1)[:wanted]
        found.append((kept // len(lengths) + start, kept % len(lengths), flat[kept]))
        if time.monotonic() > deadline:
            break
    first, second, rates = (np.concatenate(parts) for parts in zip(*found, strict=True))
    best = np.argsort(-rates, kind="stable")[:wanted]
    return first[best], second[best], rates[best]


class _PairTraces:
    """The traces of the products of all pairs of matrices of a stack."""

    def __init__(self, stack: Array) -> None:
        self.flat = stack.reshape(len(stack), -1)
        self.transposed = stack.swapaxes(-1, -2).reshape(len(stack), -1)

    def rows(self, rows: slice) -> Array:
        """Those with the first matrix in some rows of the stack."""
        return self.flat[rows] @ self.transposed.T


def _second_compounds(stack: Array) -> Array:
    """The matrices of all 2 by 2 minors; their traces are sums of products of two eigenvalues."""
    import numpy as np

    pairs = list(combinations(range(stack.shape[-1]), 2))
    minors = [[stack[:, i, k] * stack[:, j, m] - stack[:, i, m] * stack[:, j, k] for k, m in pairs] for i, j in pairs]
    return np.array(minors).transpose(2, 0, 1) if pairs else np.zeros((len(stack), 1, 1))


def _larger_root(trace: Array, determinant: Array | float) -> Array:
    """Binary logarithms of the moduli of the larger roots of ``z^2 - trace z + determinant``."""
    import numpy as np

    half = trace / 2
    discriminant = half * half - determinant
    with np.errstate(all="ignore"):
        real = np.abs(half) + np.sqrt(np.maximum(discriminant, 0))
        modulus = np.where(discriminant >= 0, real, np.sqrt(np.maximum(determinant, 0)))
        return np.where(modulus > _NOISE, np.log2(modulus), -np.inf)
